"""What the parsers of all of Astra's answers share, and the gaps that unreadable entries become.

Nothing is guessed. An entry that cannot be understood becomes a gap that says what was found.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import ValidationError

from inventory.errors import UnansweredError
from inventory.files.validation import problems_of
from inventory.model.base import Entry
from inventory.model.gaps import Fact, Gap, GapReason, ListPass, TerminatedCount
from inventory.model.organization import Organization
from inventory.model.vocabulary import PROVIDERS, canonical_provider
from inventory.text.display import describe
from inventory.text.visible_text import has_surrogate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from inventory.evidence.exchange import Exchange

E = TypeVar("E", bound=Entry)
MOST_GAPS = 20
NOT_FOUND = 404
_ID = re.compile(r"[!-~]{1,2048}")
OWNERS = ("orgid", "organizationid")
"""The fields that name the organization of an entry, normalized."""


class ParsedList(NamedTuple):
    """What was parsed from one or more answers.

    Attributes:
        entries: the entries that could be read.
        gaps: what is missing, or cannot be relied on.
        note: what the reader of a report should know.
        passes: each time that the list was read, if it was read several times.
        terminated: what the list of terminated databases added; None if it was not asked for.
    """

    entries: list[Any]
    gaps: list[Gap]
    note: str = ""
    passes: tuple[ListPass, ...] = ()
    terminated: TerminatedCount | None = None


class MalformedEntryError(Exception):
    """An entry that cannot be understood, or cannot be relied on; it becomes a gap."""

    def __init__(self, reason: GapReason, detail: str) -> None:
        """Keep why, as the reason code and the detail of the gap."""
        super().__init__(detail)
        self.reason: GapReason = reason
        self.detail = detail


def organization_id(exchange: Exchange) -> str:
    """Return the id of the organization to which the token belongs."""
    identity = id_of(exchange.value)
    if not identity:
        raise malformed(exchange, "an object with an id")
    return identity


def id_of(entry: object) -> str:
    """Return the id of an object; empty if it has no valid one."""
    value = entry.get("id") if isinstance(entry, dict) else None
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def list_of(exchange: Exchange) -> list[Any]:
    """Return the entries of a list; ``null`` is an empty one."""
    if exchange.value is None and exchange.text is None:
        return []
    if not isinstance(exchange.value, list):
        raise malformed(exchange, "a list")
    return exchange.value


def malformed(exchange: Exchange, expected: str) -> UnansweredError:
    """Return the error for a body of another shape than ``expected``; a retry may help."""
    found = "no JSON" if exchange.text is not None else describe(exchange.value)
    return UnansweredError("malformed", f"found {found}, expected {expected}", again=True)


def parse_each(
    fact: Fact,
    parse: Callable[[Any, str], Iterator[Any]],
    entries: Iterable[tuple[Any, str]],
) -> ParsedList:
    """Parse entry by entry, each with its location; an unreadable one becomes a gap of ``fact``."""
    parsed: list[Any] = []
    gaps: list[Gap] = []
    more = 0
    for entry, seen in entries:
        try:
            for item in parse(entry, seen):
                (gaps if isinstance(item, Gap) else parsed).append(item)
        except MalformedEntryError as error:
            if len(gaps) > MOST_GAPS:  # of a million bad entries most need not be described
                more += 1
                continue
            gaps.append(Gap(fact=fact, reason=error.reason, detail=f"{error.detail} ({seen})"))
    return ParsedList(parsed, truncate_gaps(fact, gaps, more))


def truncate_gaps(fact: Fact, gaps: list[Gap], more: int = 0) -> list[Gap]:
    """Cut a long list of gaps; a last one counts the rest, and ``more`` beyond the list."""
    more += len(gaps) - MOST_GAPS
    if more <= 0:
        return gaps
    detail = f"{more:,} more in this list"
    return [*gaps[:MOST_GAPS], Gap(fact=fact, reason=gaps[MOST_GAPS].reason, detail=detail)]


def fields_of(entry: object) -> dict[str, Any]:
    """Return the fields of an object by normalized name.

    Astra's addresses spell one field in several ways, such as ``keyID``, ``KeyID`` and ``key_id``.
    """
    if not isinstance(entry, dict):
        raise MalformedEntryError("malformed", f"found {describe(entry)}, expected an object")
    fields = {normalize_field(name): value for name, value in entry.items()}
    if len(fields) < len(entry):
        raise MalformedEntryError("malformed", "an entry has a field in two spellings")
    return fields


@lru_cache(1_024)  # answers repeat the same few names thousands of times
def normalize_field(name: str) -> str:
    """Return what all spellings of a field have in common."""
    return name.lower().replace("_", "")


def refuse_foreign(fields: dict[str, Any], organization: str) -> None:
    """Refuse an entry that names another organization; one that names none is accepted."""
    for owner in (fields.get(name) for name in OWNERS):
        if owner and str(owner).lower() != organization.lower():
            detail = f"an entry belongs to organization {describe(owner)}"
            raise MalformedEntryError("wrong-organization", detail)


def provider_of(value: object) -> str:
    """Return the provider that ``value`` names; raise MalformedEntryError for an unknown one."""
    provider = canonical_provider(value)
    if isinstance(provider, str) and provider in PROVIDERS:
        return provider
    raise MalformedEntryError("unknown-value", f"the provider {describe(value)} is unknown")


def build_entry(model: type[E], **data: object) -> E:
    """Validate ``data`` as ``model``; raise MalformedEntryError with its first problem.

    A field without a value counts as absent, unless the model requires it.
    """
    for name, value in data.items():
        if isinstance(value, str) and has_surrogate(value):
            raise MalformedEntryError("malformed", f"{name}: found half a character, expected text")
    try:
        required = _required_fields(model)
        present = {
            name: value for name, value in data.items() if value is not None or name in required
        }
        return model.model_validate(present)
    except ValidationError as error:
        first = problems_of(error, "", {})[0]
        detail = f"{first.field}: found {first.found}, expected {first.expected}"
        raise MalformedEntryError("malformed", detail) from None


@cache
def _required_fields(model: type[Entry]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if field.is_required())


class FetchedOrganization(NamedTuple):
    """What was fetched of one organization.

    Attributes:
        organization: the organization, without when and how it was read.
        lists: what was parsed for each fact that was requested.
    """

    organization: Organization
    lists: dict[Fact, ParsedList]
