"""Records what a cloud answers: limited, redacted, and without what names a caller."""

from __future__ import annotations

import re
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.clouds.environment import secrets_of_environment
from inventory.errors import too_large
from inventory.evidence.compressed_lines import LONGEST_BODY
from inventory.evidence.exchange import HEADERS, TOO_LATE, Exchange, Failure
from inventory.evidence.redaction import Redacted, redact_body
from inventory.text.canonical_json import compact_json
from inventory.text.secrets import HIDDEN, Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from inventory.errors import UnansweredError
    from inventory.system.request_policy import RequestPolicy
    from inventory.text.secrets import Secret

_LONGEST_HEADER = 500
_REDIRECT = 300
_CODES = frozenset({"__type", "@type", "code", "status", "reason", "domain"})
"""The fields of an error whose values are recorded.

All others are hidden: a message names the caller, who may be a person, and where that one calls
from.
"""

_CODE = re.compile(
    r"[A-Za-z][A-Za-z0-9_./#-]{0,199}(?::http://internal\.amazon\.com/[a-z./-]{0,200})?", re.ASCII
)
"""What the value of such a field looks like; whatever does not may name somebody.

AWS adds an address of its own to some.
"""

_CODE_HEADER = "x-amzn-errortype"

_PHRASES = ("The request concerns location",)
"""What is recorded of the message of an error, if it holds that: fixed words that name nobody.

Google Cloud answers a request that went to the wrong location as one about a missing key; only the
message differs.
"""

_NEEDLESS = frozenset({"n", "tags", "labels", "Description"})
"""The fields of an answer about a key that no fact needs: its modulus, and free text."""


class HttpAnswer(NamedTuple):
    """An answer as it came over HTTP.

    Attributes:
        status: its status.
        headers: its headers.
        body: its body, decompressed; at most one byte more than the limit.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class CloudRecorder:
    """Records the exchanges of one organization with the clouds, in the order in which they end.

    Threads share it.

    Attributes:
        largest_body: how many bytes of a body a transport must read to know that it is too large.
    """

    def __init__(
        self,
        record: Callable[[Exchange], object],
        tokens: Iterable[Secret],
        policy: RequestPolicy,
        file: str,
        count: int = 0,
        on_hidden: Callable[[tuple[Secret, ...]], object] = lambda _: None,
    ) -> None:
        """Pass every exchange to ``record``, without ``tokens``.

        They are the lines of ``file`` after the ``count`` that there are. What the environment
        holds is hidden from the first answer on, whichever cloud gives it. ``on_hidden`` gets the
        credentials that are to be hidden beside ``tokens``.
        """
        self.largest_body = policy.largest_answer_bytes + 1
        self._record = record
        self._tokens = tuple(tokens)
        self._scrubber = Scrubber(self._tokens)
        self._policy = policy
        self._file = file
        self._count = count
        self._bytes = 0
        self._lock = threading.Lock()
        self._on_hidden = on_hidden
        self.hide(secrets_of_environment())

    def hide(self, tokens: Iterable[Secret]) -> None:
        """Hide ``tokens``, too: credentials of a cloud, from before they are first sent."""
        with self._lock:
            new = tuple(token for token in dict.fromkeys(tokens) if token not in self._tokens)
            self._tokens += new
            self._scrubber = Scrubber(self._tokens)
            self._on_hidden(new)

    def answered(self, address: str, started: datetime, answer: HttpAnswer) -> Exchange:
        """Record an answer; one that is beyond the limits is recorded as a failure."""
        ended = datetime.now(UTC)
        if error := self._beyond_limits(answer):
            return self._refused(address, started, error)
        redacted = _without_needless(redact_body(answer.body, self._scrubber))
        if len(redacted.body) > LONGEST_BODY:
            found = f"more than {LONGEST_BODY:,} bytes of evidence of one answer"
            return self._refused(address, started, too_large(found, "largest_answer_bytes"))
        # No fact is ever read from a text: it is a page of a gateway, which may greet the caller.
        if answer.status >= _REDIRECT or redacted.text is not None:
            redacted = _without_caller(redacted)
        return self._write(
            Exchange(
                "",
                address,
                started,
                ended,
                status=answer.status,
                headers=self._headers(answer.headers),
                **redacted._asdict(),
            )
        )

    def _refused(self, address: str, started: datetime, error: UnansweredError) -> Exchange:
        failure = Failure.model_validate({"reason": error.reason, "detail": error.detail})
        return self.failed(address, started, failure)

    def failed(self, address: str, started: datetime, failure: Failure) -> Exchange:
        """Record that there was no answer, and why."""
        return self._write(Exchange("", address, started, datetime.now(UTC), failure=failure))

    def too_late(self, address: str) -> Exchange:
        """Record that no time was left for a request."""
        return self.failed(address, datetime.now(UTC), TOO_LATE)

    def _beyond_limits(self, answer: HttpAnswer) -> UnansweredError | None:
        limits = self._policy
        if len(answer.body) > limits.largest_answer_bytes:
            found = f"more than {limits.largest_answer_bytes:,} bytes in one answer"
            return too_large(found, "largest_answer_bytes")
        if self._count >= limits.most_requests:
            return too_large(f"more than {limits.most_requests:,} requests", "most_requests")
        if self._bytes > limits.most_answer_bytes:
            found = f"more than {limits.most_answer_bytes:,} bytes in all answers"
            return too_large(found, "most_answer_bytes")
        return None

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        low = {name.lower(): value for name, value in headers.items()}
        return {name: self._header(name, low[name]) for name in HEADERS if name in low}

    def _header(self, name: str, value: str) -> str:
        text = value.encode("ascii", "backslashreplace").decode()
        # Scrubbed before it is cut: half of a secret at the end would not be recognized.
        shown = self._scrubber.scrub(text)[:_LONGEST_HEADER]
        return _only_code(shown) if name == _CODE_HEADER else shown

    def _write(self, exchange: Exchange) -> Exchange:
        with self._lock:
            self._count += 1
            self._bytes += len(exchange.body)
            written = exchange._replace(path=self._file, line=self._count)
            self._record(written)
        return written


def _without_needless(redacted: Redacted) -> Redacted:
    """Return the body without the values that no fact needs."""
    counts = Counter(redacted.redactions)
    value = _hide_needless(redacted.value, counts)
    if counts == Counter(redacted.redactions):
        return redacted
    return redacted._replace(
        value=value, body=compact_json(value), redactions=dict(sorted(counts.items()))
    )


def _hide_needless(value: Any, counts: Counter[str]) -> Any:  # noqa: ANN401 (any JSON)
    if isinstance(value, list):
        return [_hide_needless(inner, counts) for inner in value]
    if not isinstance(value, dict):
        return value
    found = {name for name in value.keys() & _NEEDLESS if value[name]}
    counts.update(found)
    return {
        name: HIDDEN if name in found else _hide_needless(inner, counts)
        for name, inner in value.items()
    }


def _without_caller(redacted: Redacted) -> Redacted:
    """Return the body of an error with its codes only."""
    if redacted.text is not None:
        return redacted._replace(text=HIDDEN, body=compact_json(HIDDEN))
    value = _only_codes(redacted.value)
    return redacted._replace(value=value, body=compact_json(value))


def _only_codes(value: Any, name: str = "") -> Any:  # noqa: ANN401 (any JSON)
    if isinstance(value, dict):
        return {field: _only_codes(inner, field) for field, inner in value.items()}
    if isinstance(value, list):
        return [_only_codes(inner, name) for inner in value]
    if not isinstance(value, str):
        return value
    if name in _CODES:
        return _only_code(value)
    return next((f"{HIDDEN}: {phrase}" for phrase in _PHRASES if phrase in value), HIDDEN)


def _only_code(value: str) -> str:
    return value if _CODE.fullmatch(value) else HIDDEN
