"""What all of Astra's answers have in common, and what becomes of entries that tell nothing.

Nothing is guessed. An entry that cannot be understood becomes a gap that says what was seen.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import ValidationError

from inventory.errors import UnansweredError
from inventory.files.validation import problems_of
from inventory.model.base import Entry
from inventory.model.gaps import Fact, Gap, GapReason
from inventory.model.organization import Organization
from inventory.model.vocabulary import PROVIDERS, canonical_provider
from inventory.text.display import describe
from inventory.text.visible_text import has_surrogate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from inventory.evidence.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from inventory.evidence.exchange import Exchange

E = TypeVar("E", bound=Entry)
Scope = tuple[str, str, str]
"""Database type, provider and region, as they were asked for."""

MOST_GAPS = 20
NOT_FOUND = 404
_ID = re.compile(r"[!-~]{1,2048}")
OWNERS = ("orgid", "organizationid")


class ParsedList(NamedTuple):
    """What one or more answers told.

    Attributes:
        entries: what they hold.
        gaps: what they do not tell, or not in a way that can be relied on.
        note: what the reader of a report should know.
    """

    entries: list[Any]
    gaps: list[Gap]
    note: str = ""


class MalformedEntryError(Exception):
    """An entry that cannot be understood, or cannot be relied on; it becomes a gap."""

    def __init__(self, reason: GapReason, detail: str) -> None:
        """Keep why, as the reason code and the detail of the gap."""
        super().__init__(detail)
        self.reason: GapReason = reason
        self.detail = detail


def organization_id(exchange: Exchange) -> str:
    """Return the id of the organization to which the token belongs."""
    own = id_of(exchange.value)
    if not own:
        raise malformed(exchange, "an object with an id")
    return own


def id_of(entry: object) -> str:
    """Return the id of an object; nothing if it has none that could be one."""
    told = entry.get("id") if isinstance(entry, dict) else None
    return told if isinstance(told, str) and _ID.fullmatch(told) else ""


def list_of(exchange: Exchange) -> list[Any]:
    """Return the entries of a list; ``null`` is an empty one."""
    if exchange.value is None and exchange.text is None:
        return []
    if not isinstance(exchange.value, list):
        raise malformed(exchange, "a list")
    return exchange.value


def malformed(exchange: Exchange, expected: str) -> UnansweredError:
    """Return the error for a body of another shape than ``expected``; it may heal."""
    found = "no JSON" if exchange.text is not None else describe(exchange.value)
    return UnansweredError("malformed", f"found {found}, expected {expected}", again=True)


def parse_each(
    fact: Fact,
    read: Callable[[Any, str], Iterator[Any]],
    entries: Iterable[tuple[Any, str]],
) -> ParsedList:
    """Read entry by entry; what cannot be read becomes a gap of ``fact``."""
    told: list[Any] = []
    gaps: list[Gap] = []
    more = 0
    for entry, seen in entries:
        try:
            for each in read(entry, seen):
                (gaps if isinstance(each, Gap) else told).append(each)
        except MalformedEntryError as odd:
            if len(gaps) > MOST_GAPS:  # of a million bad entries most need not be described
                more += 1
                continue
            gaps.append(Gap(fact=fact, reason=odd.reason, detail=f"{odd.detail} ({seen})"))
    return ParsedList(told, truncate_gaps(fact, gaps, more))


def truncate_gaps(fact: Fact, gaps: list[Gap], more: int = 0) -> list[Gap]:
    """Cut a long list of gaps, and say by how much; there are ``more`` that are not in it."""
    more += len(gaps) - MOST_GAPS
    if more <= 0:
        return gaps
    detail = f"and {more:,} more of this list"
    return [*gaps[:MOST_GAPS], Gap(fact=fact, reason=gaps[MOST_GAPS].reason, detail=detail)]


def fields_of(entry: object) -> dict[str, Any]:
    """Return the fields of an object, whichever of the family's spellings it uses."""
    if not isinstance(entry, dict):
        raise MalformedEntryError("malformed", f"an entry is {describe(entry)}")
    fields = {plain(name): value for name, value in entry.items()}
    if len(fields) < len(entry):
        raise MalformedEntryError("malformed", "an entry names a field in two spellings")
    return fields


def plain(name: str) -> str:
    """Return what the family's spellings of a field have in common."""
    return name.lower().replace("_", "")


def refuse_foreign(fields: dict[str, Any], organization: str) -> None:
    """Refuse an entry that names another organization; one that names none is taken."""
    for told in (fields.get(name) for name in OWNERS):
        if told and str(told).lower() != organization.lower():
            raise MalformedEntryError(
                "wrong-organization", f"an entry is of organization {describe(told)}"
            )


def provider_of(told: object) -> str:
    """Return the provider that was told; raise OddError if it is none that is known."""
    provider = canonical_provider(told)
    if isinstance(provider, str) and provider in PROVIDERS:
        return provider
    raise MalformedEntryError(
        "unknown-value", f"the provider {describe(told)} is none that is known"
    )


def build_entry(model: type[E], **data: object) -> E:
    """Make an entry of what was told; raise OddError that says what is wrong with it."""
    for name, value in data.items():
        if isinstance(value, str) and has_surrogate(value):
            raise MalformedEntryError("malformed", f"{name}: found half a character, expected text")
    try:
        needed = _needed(model)
        given = {name: each for name, each in data.items() if each is not None or name in needed}
        return model.model_validate(given)
    except ValidationError as error:
        first = problems_of(error, "", {})[0]
        detail = f"{first.field}: found {first.found}, expected {first.expected}"
        raise MalformedEntryError("malformed", detail) from None


@cache
def _needed(model: type[Entry]) -> frozenset[str]:
    return frozenset(name for name, each in model.model_fields.items() if each.is_required())


class FetchedOrganization(NamedTuple):
    """What was read of one organization.

    Attributes:
        organization: it, without when and how it was read.
        told: what the answers told of each fact, as far as they were asked for.
    """

    organization: Organization
    told: dict[Fact, ParsedList]
