"""The summary of evidence bundles that were pruned: what a history needs of them, in one file.

One JSON object a line, each with its ``kind``: first ``summary``, a ``bundle`` line for each bundle
that it covers, in the order of their chain, then for each ``organization`` its ``period`` and
``database`` lines, and at the very end an ``end`` line with the totals and the root, the SHA-256 of
all lines above it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

from pydantic import Field, StrictBool, ValidationError

from inventory.errors import EvidenceError, Problem
from inventory.evidence.manifest import Previous, Sha256
from inventory.files.evidence_layout import SUMMARY, SUMMARY_ENDING
from inventory.files.ndjson_lines import BadLineError, parse_line
from inventory.files.validation import problems_of
from inventory.files.yaml_json import raw_bytes
from inventory.model.base import (
    Count,
    Entry,
    FormatVersion,
    Identifier,
    Moment,
    Name,
    SpelledProvider,
    SpelledType,
)
from inventory.model.gaps import Fact
from inventory.model.key import KeyScope
from inventory.model.sources import Evidence, Source, SourceChain
from inventory.past.chains import hash_roots
from inventory.past.moments import DatabaseState, KeyState, Place, microseconds
from inventory.past.timeline import DatabaseSpan, OrganizationTimeline, Segment
from inventory.system.hosts import other_hosts
from inventory.text.secrets import holds_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

E = TypeVar("E", bound=Entry)


class SummaryHead(Entry):
    """The first line.

    Attributes:
        format: the version of the format, 1.
        tool: the name and version of the tool that wrote it.
        previous: the bundle before the first one that it covers; None if that was the first.
    """

    format: Annotated[FormatVersion, Field(alias="cmek-summary")]
    tool: str
    previous: Previous | None = None


class CoveredBundle(Entry):
    """A bundle that was pruned; what is no name or check is as in its manifest.

    Attributes:
        name: the name of its folder.
        root: its root, which the bundle after it names.
        answers_checked: whether all its files were there and had their hashes when it was pruned;
            else only its inventory was.
    """

    name: Annotated[str, Field(pattern=r"^[^/\x00]+$")]
    root: Sha256
    tool: str
    address: str
    cloud_addresses: tuple[str, ...] = ()
    started: Moment
    ended: Moment
    requests: Count
    failures: Count
    redactions: Count
    clock_seconds: Annotated[float, Field(strict=True)] | None
    files: Count
    answers_checked: StrictBool


class _Organization(Entry):
    """An organization, by its latest name."""

    id: Identifier
    name: Name


class PeriodKeys(Entry):
    """The keys of one key scope, in one period."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    key_ids: Annotated[tuple[Identifier, ...], Field(min_length=1)]


class Period(Entry):
    """Records in a row that show the same of the keys.

    Attributes:
        listed: whether the keys were listed.
        gaps: what could not be read.
        keys: the keys of each scope that had any.
        times: when each record was made.
    """

    listed: StrictBool
    gaps: tuple[Fact, ...] = ()
    keys: tuple[PeriodKeys, ...] = ()
    times: Annotated[tuple[Moment, ...], Field(min_length=1)]


class PastDatabase(Entry):
    """An existing database, as the last record that shows it knew it.

    Attributes:
        id: its id.
        name: its name then.
        terminated: whether it was gone.
        status: its status, if the record states one.
        first: the first record that shows it.
        last: the last one.
    """

    id: Identifier
    name: Name
    terminated: StrictBool = False
    status: str | None = None
    first: Moment
    last: Moment


class _End(Entry):
    """The last line: how many of each there are, and the root."""

    bundles: Count
    organizations: Count
    periods: Count
    databases: Count
    root: Sha256


class Summary(NamedTuple):
    """A summary that was read.

    Attributes:
        file: its path.
        source: the file as a source.
        head: its first line.
        bundles: what it covers.
        timelines: the organizations.
        root: its root.
    """

    file: str
    source: Source
    head: SummaryHead
    bundles: tuple[CoveredBundle, ...]
    timelines: tuple[OrganizationTimeline, ...]
    root: str

    @property
    def covered(self) -> dict[str, str]:
        """Return the root of each bundle that it covers, by the name of its folder."""
        return {bundle.name: bundle.root for bundle in self.bundles}

    @property
    def last(self) -> Previous:
        """Return what the bundle after it has to name as its previous one."""
        return Previous(name=self.bundles[-1].name, root=self.bundles[-1].root)


_KINDS: dict[str, type[Entry]] = {
    "summary": SummaryHead,
    "bundle": CoveredBundle,
    "organization": _Organization,
    "period": Period,
    "database": PastDatabase,
    "end": _End,
}


def read_summary(file: str) -> Summary:
    """Read the summary ``file``; raise EvidenceError if it is not as it was written."""
    raw = raw_bytes(file)
    entries = [_parse(file, number, line) for number, line in enumerate(_lines(file, raw), 1)]
    head, bundles, end = _check_frame(file, entries)
    _check_end(file, raw, entries, end)
    timelines = _timelines(file, entries)
    return Summary(
        file=file,
        source=_source(file, raw, end, head, bundles, timelines),
        head=head,
        bundles=bundles,
        timelines=timelines,
        root=end.root,
    )


def _lines(file: str, raw: bytes) -> list[bytes]:
    if not raw.endswith(b"\n"):
        raise _error(file, 0, "a file that ends early", "an end record on the last line")
    if holds_secret(raw):
        raise _error(file, 0, "what looks like a token", "a summary without secrets")
    return raw[:-1].split(b"\n")


def _parse(file: str, number: int, raw: bytes) -> Entry:
    try:
        data = parse_line(raw)
    except BadLineError as bad:
        raise _error(file, number, bad.found, bad.expected, bad.field) from None
    kind = data.pop("kind", None)
    model = _KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise _error(file, number, "an unknown kind of line", f"one of {', '.join(_KINDS)}", "kind")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = problems_of(error, file, {(): number}, model=model)
        raise EvidenceError(problems) from None


def _check_frame(
    file: str, entries: Sequence[Entry]
) -> tuple[SummaryHead, tuple[CoveredBundle, ...], _End]:
    """Return the first line, the bundles and the last line; each kind must be in its place."""
    head, end = entries[0], entries[-1]
    if not isinstance(head, SummaryHead):
        raise _error(file, 1, "another kind of line", "a summary of bundles", "kind")
    if not isinstance(end, _End):
        raise _error(file, len(entries), "a file that ends early", "an end record on the last line")
    bundles = tuple(entry for entry in entries if isinstance(entry, CoveredBundle))
    begin = 1 + len(bundles)
    inner = entries[begin:-1]
    in_order = all(isinstance(entry, CoveredBundle) for entry in entries[1:begin])
    in_order = in_order and not any(isinstance(entry, SummaryHead | _End) for entry in inner)
    if not in_order or (inner and not isinstance(inner[0], _Organization)):
        raise _error(file, 0, "lines in another order", "bundles, then organizations")
    if not bundles or len({bundle.name for bundle in bundles}) < len(bundles):
        raise _error(file, 0, "no bundle, or one twice", "each bundle that it covers once")
    return head, bundles, end


def _check_end(file: str, raw: bytes, entries: Sequence[Entry], end: _End) -> None:
    """Raise EvidenceError if the totals or the root are others."""
    kinds = (CoveredBundle, _Organization, Period, PastDatabase)
    counted = tuple(sum(isinstance(entry, kind) for entry in entries) for kind in kinds)
    if counted != (end.bundles, end.organizations, end.periods, end.databases):
        raise _error(file, len(entries), "other numbers of lines", "as the end record says")
    above = raw[: raw.rfind(b"\n", 0, len(raw) - 1) + 1]
    if hashlib.sha256(above).hexdigest() != end.root:
        found = "a root that does not match its content"
        raise _error(file, len(entries), found, "an unchanged summary", "root")


def _timelines(file: str, entries: Sequence[Entry]) -> tuple[OrganizationTimeline, ...]:
    timelines: list[OrganizationTimeline] = []
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, _Organization):
            timelines.append(OrganizationTimeline(entry.id, [file]))
            timelines[-1].name = entry.name
        elif isinstance(entry, Period):
            _restore(file, timelines[-1], number, entry)
        elif isinstance(entry, PastDatabase):
            state = DatabaseState(entry.id, entry.name, entry.terminated, entry.status, Place(0))
            times = microseconds(entry.first), microseconds(entry.last)
            timelines[-1].restore_database(DatabaseSpan(state, *times, 0, number))
    identities = [timeline.id for timeline in timelines]
    if len(set(identities)) < len(identities) or not all(one.segments for one in timelines):
        raise _error(file, 0, "an organization twice, or without a period", "each of them once")
    return tuple(timelines)


def _restore(file: str, timeline: OrganizationTimeline, number: int, period: Period) -> None:
    keys = {
        KeyScope(timeline.id, shown.type, shown.provider, shown.region): (shown.key_ids, Place(0))
        for shown in period.keys
    }
    listed = Place(0) if period.listed else None
    segment = Segment(KeyState(keys, listed, frozenset(period.gaps)))
    last = timeline.segments[-1].times[-1] if timeline.segments else None
    for at in period.times:
        time = microseconds(at)
        if last is not None and time <= last:
            raise _error(
                file, number, "times in another order", "each later than the last", "times"
            )
        segment.add(time, 0, number)
        last = time
    timeline.restore(segment)


def _source(
    file: str,
    raw: bytes,
    end: _End,
    head: SummaryHead,
    bundles: Sequence[CoveredBundle],
    timelines: Sequence[OrganizationTimeline],
) -> Source:
    shown = [len(timeline.segments[-1].keys.keys) for timeline in timelines]
    chain = SourceChain(
        first=file[: file.rfind("/") + 1] + bundles[0].name,
        records=len(bundles),
        sha256=hash_roots(bundle.root for bundle in bundles),
    )
    return Source(
        path=file,
        role="history",
        format="summary",
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        captured_at=bundles[0].started,
        organizations=len(timelines),
        keys=sum(shown),
        databases=end.databases,
        evidence=_evidence(end.root, head, bundles),
        chain=chain,
    )


def _evidence(root: str, head: SummaryHead, bundles: Sequence[CoveredBundle]) -> Evidence:
    """Return how the covered bundles were made; a host that is not the vendor's stays visible."""
    addresses = [bundle.address for bundle in bundles]
    strange = other_hosts(addresses)
    asked = list(filter(None, addresses))
    clouds = {address for bundle in bundles for address in bundle.cloud_addresses}
    clocks = [bundle.clock_seconds for bundle in bundles if bundle.clock_seconds is not None]
    return Evidence(
        root=root,
        previous=head.previous.root if head.previous else None,
        tool=head.tool,
        address=strange[0] if strange else asked[-1] if asked else "",
        cloud_addresses=tuple(sorted({*clouds, *strange[1:]})),
        started=min(bundle.started for bundle in bundles),
        ended=max(bundle.ended for bundle in bundles),
        requests=sum(bundle.requests for bundle in bundles),
        failures=sum(bundle.failures for bundle in bundles),
        redactions=sum(bundle.redactions for bundle in bundles),
        clock_seconds=max(clocks, key=abs, default=None),
        files=len(bundles),
    )


def _error(file: str, line: int, found: str, expected: str, field: str = "") -> EvidenceError:
    return EvidenceError([Problem(file, line, field, found, expected)])


# --- writing --------------------------------------------------------------------------------------


def render_summary(
    head: SummaryHead,
    bundles: Sequence[CoveredBundle],
    timelines: Iterable[OrganizationTimeline],
) -> bytes:
    """Return the content of a summary of ``bundles``, which show ``timelines``."""
    entries: list[Entry] = [head, *bundles]
    for timeline in timelines:
        entries.append(_Organization(id=timeline.id, name=timeline.name))
        entries += facts_of(timeline)
    counted = {
        name: sum(isinstance(entry, kind) for entry in entries)
        for name, kind in (
            ("bundles", CoveredBundle),
            ("organizations", _Organization),
            ("periods", Period),
            ("databases", PastDatabase),
        )
    }
    above = b"".join(_line(entry) for entry in entries)
    root = hashlib.sha256(above).hexdigest()
    return above + _line(_End(**counted, root=root))


def _line(entry: Entry) -> bytes:
    kind = next(kind for kind, model in _KINDS.items() if isinstance(entry, model))
    text = entry.model_dump_json(by_alias=True, exclude_defaults=True)
    return f'{{"kind":"{kind}",{text[1:]}\n'.encode()


def facts_of(timeline: OrganizationTimeline) -> list[Period | PastDatabase]:
    """Return what is known of an organization, wherever it was read."""
    periods: list[tuple[KeyState, list[Any]]] = []
    for segment in timeline.segments:
        if not periods or not _show_same(periods[-1][0], segment.keys):
            periods.append((segment.keys, []))
        periods[-1][1].extend(segment.moments())
    return [*(_period(*period) for period in periods), *map(_database, timeline.spans())]


def _show_same(one: KeyState, two: KeyState) -> bool:
    return _key_ids(one) == _key_ids(two) and _read(one) == _read(two)


def _key_ids(state: KeyState) -> dict[KeyScope, tuple[str, ...]]:
    return {scope: key_ids for scope, (key_ids, _) in state.keys.items()}


def _read(state: KeyState) -> tuple[bool, frozenset[str]]:
    return state.listed is not None, state.gaps


def _period(state: KeyState, times: list[Any]) -> Period:
    keys = tuple(
        PeriodKeys(type=scope.type, provider=scope.provider, region=scope.region, key_ids=key_ids)
        for scope, key_ids in sorted(_key_ids(state).items())
    )
    listed, gaps = _read(state)
    facts: Any = tuple(sorted(gaps))
    return Period(listed=listed, gaps=facts, keys=keys, times=tuple(times))


def _database(span: DatabaseSpan) -> PastDatabase:
    state = span.state
    return PastDatabase(
        id=state.id,
        name=state.name,
        terminated=state.is_terminated,
        status=state.status,
        first=span.first_at,
        last=span.last_at,
    )


def name_summary(bundles: Sequence[CoveredBundle]) -> str:
    """Return the name of a summary of ``bundles``: by the first and the last of them."""
    return f"{SUMMARY}{bundles[0].name}-{bundles[-1].name}{SUMMARY_ENDING}"
