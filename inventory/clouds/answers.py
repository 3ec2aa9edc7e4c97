"""What the readers of all clouds share: parsing recorded answers, and gathering facts and gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from inventory.errors import UnansweredError
from inventory.files.validation import problems_of
from inventory.model.kms import CloudKey, KmsFacts, KmsGap
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inventory.clouds.client import CloudClient
    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import KmsFact

T = TypeVar("T")
_OK = 200


def json_object(exchange: Exchange) -> dict[str, Any]:
    """Return the body of an answer with status 200, which must be a JSON object.

    Raises UnansweredError for anything else: HTML, half a body, a repeated key.
    """
    if exchange.status != _OK:
        raise UnansweredError("malformed", f"answered {exchange.status}, expected 200")
    if exchange.text is not None or not isinstance(exchange.value, dict):
        found = "no complete JSON" if exchange.text is not None else describe(exchange.value)
        raise UnansweredError("malformed", f"found {found}, expected a JSON object", again=True)
    return exchange.value


def member(body: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Return a member that must be there; raise UnansweredError if it is not, or of another type.

    A missing list is never an empty one.
    """
    value = body.get(name)
    is_number = isinstance(value, bool) and kind is not bool
    if not isinstance(value, kind) or is_number:
        found = describe(value) if name in body else "nothing"
        detail = f"{name}: found {found}, expected {_KINDS[kind]}"
        raise UnansweredError("malformed", detail)
    return value


_KINDS: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    int: "a number",
}


class KeyReading:
    """What is gathered of one key: facts, the answers that show them, and what is missing."""

    def __init__(self, key_id: str) -> None:
        """Gather what a cloud shows of the key ``key_id``."""
        self._key_id = key_id
        self._facts: dict[str, Any] = {}
        self._seen: dict[KmsFact, str] = {}
        self._gaps: list[KmsGap] = []

    def note(self, fact: KmsFact, exchange: Exchange) -> None:
        """Note the answer that shows ``fact``; of several pages the first."""
        self._seen.setdefault(fact, exchange.location())

    def add(self, **facts: object) -> None:
        """Add facts, by the names of the fields of ``KmsFacts``; None is no fact."""
        self._facts |= {name: value for name, value in facts.items() if value is not None}

    def miss(self, fact: KmsFact, error: UnansweredError, permission: str = "") -> None:
        """Note that ``fact`` could not be read; ``permission`` is what reading it takes."""
        fields = {"fact": fact, "reason": error.reason, "detail": error.detail}
        shown = permission if error.reason == "refused" else ""
        self._gaps.append(KmsGap.model_validate(fields | {"permission": shown}))

    def attempt(self, fact: KmsFact, permission: str, read: Callable[[], None]) -> bool:
        """Run ``read``, and note the gap if it raises UnansweredError; return whether it did not.

        What ``read`` has added before it failed stays only if it is complete in itself.
        """
        try:
            read()
        except UnansweredError as error:
            self.miss(fact, error, permission)
            return False
        return True

    def finish(self, client: CloudClient) -> CloudKey:
        """Return the key, as of the first request that ``client`` sent about it.

        A fact that the model refuses, as it is hostile or not of its form, becomes a gap.
        """
        facts = None
        while facts is None:
            fields = {"observed_at": client.started, "unread": tuple(self._gaps)}
            try:
                facts = KmsFacts.model_validate(fields | self._facts)
            except ValidationError as error:
                self._refuse(error)
        return CloudKey(key_id=self._key_id, facts=facts, seen=self._seen, requests=client.requests)

    def _refuse(self, error: ValidationError) -> None:
        for problem in problems_of(error, "", {}):
            name = problem.field.partition(".")[0].partition("[")[0]
            self._facts.pop(name, None)  # several parts of one fact may be wrong
            detail = f"{problem.field}: found {problem.found}, expected {problem.expected}"
            self.miss("key", UnansweredError("malformed", detail))
