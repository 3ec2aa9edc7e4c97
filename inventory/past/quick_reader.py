"""Reads many nights of the same organizations in NDJSON quickly: only what changed is parsed.

It accepts a file or leaves it to the full reader, which finds every mistake and describes it. What
is accepted has passed the same checks: each line that is new was parsed and validated, and a line
that was there the night before, byte for byte, is the same entry.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.errors import InputError
from inventory.evidence.manifest import read_manifest
from inventory.evidence.reader import evidence_of
from inventory.files.entry_reader import LISTS
from inventory.files.evidence_layout import INVENTORY, is_folder
from inventory.files.ndjson_lines import (
    COUNTED,
    BadLineError,
    EndRecord,
    HeadRecord,
    parse_line,
    read_database,
)
from inventory.files.yaml_json import (
    cloud_key_identity,
    database_identity,
    key_identity,
    scope_fields,
)
from inventory.model.base import read_moment
from inventory.model.database import Database
from inventory.model.gaps import Reading
from inventory.model.key import KeyScope
from inventory.model.organization import Organization
from inventory.model.sources import Source
from inventory.past.moments import DatabaseState, KeyState, Moment, Place
from inventory.past.snapshots import stated_status
from inventory.text.secrets import holds_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from inventory.model.sources import Evidence

_HEAD = b'{"kind":"inventory",'
_ORGANIZATION = b'{"kind":"organization",'
_READING = b'{"kind":"reading",'
_END = b'{"kind":"end",'
_CAPTURED = b',"captured_at":"'
_CAPTURED_END = re.compile(rb'([0-9TZ:.+-]{10,40})"\}')
_HASH = re.compile(rb'"sha256":"[0-9a-f]{64}"')
"""The field of a reading that is another one every night, as the answers have new times."""

_IDENTITIES: dict[str, Callable[[Any], object]] = {
    "key": key_identity,
    "database": database_identity,
    "region-view": scope_fields,
    "cloud-key": cloud_key_identity,
}
"""What may be there once only, by the kind of entry."""

_NOT_OWN = frozenset({"kind", "captured_at", *(name for name, _ in LISTS.values())})
"""What an organization's own line may not state once its kind and its time are taken from it."""


_Key = tuple[bool, bytes]
"""By what an organization is recognized: whether it is of a bundle, and its own line."""


class NotQuickError(Exception):
    """A file is left to the full reader."""


class Night(NamedTuple):
    """What one file shows."""

    source: Source
    moments: list[Moment]


class _Line(NamedTuple):
    """One entry: what is kept of it.

    Attributes:
        kind: its kind.
        identity: what may be there once only; None if it may be there again.
        scope: of a key, its type, provider and region.
        key_id: of a key, its id.
        database: of an existing database, what is known of it.
        seen: its position in the recorded answers.
    """

    kind: str
    identity: object = None
    scope: tuple[Any, ...] = ()
    key_id: str = ""
    database: DatabaseState | None = None
    seen: str | None = None


class _Owner(NamedTuple):
    """An organization's own line, without its time."""

    id: str
    name: str
    gaps: frozenset[str]


class _Entries(NamedTuple):
    """The entries of one organization, but for its readings.

    Attributes:
        raw: their lines.
        lines: each of them, parsed.
        counts: how many there are of each kind.
        keys: what is shown of its keys.
        databases: its databases.
    """

    raw: bytes
    lines: dict[bytes, _Line]
    counts: Counter[str]
    keys: KeyState
    databases: tuple[DatabaseState, ...]


class _Known(NamedTuple):
    """An organization as the last file showed it: its own line, its entries, its readings."""

    owner: _Owner
    entries: _Entries
    readings: bytes


class _Block(NamedTuple):
    """The lines of one organization: its own in two parts, its entries, its readings.

    Attributes:
        is_bundle: whether they are of a bundle.
        own: its own line up to its time.
        at: its time; None if it states none.
        entries: the lines that follow.
        readings: the last of them.
    """

    is_bundle: bool
    own: bytes
    at: datetime | None
    entries: bytes
    readings: bytes

    @property
    def key(self) -> _Key:
        """Return what is the same every night."""
        return self.is_bundle, self.own


class QuickReader:
    """Reads files in the order of time, and remembers of each organization what it was last."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._known: dict[_Key, _Known] = {}
        self._keys: dict[str, _Key] = {}

    def read(self, file: str) -> Night:
        """Read a bundle, or a file in NDJSON; raise NotQuickError to leave it to the full reader.

        A file that is left does not change what is remembered of others.
        """
        try:
            return self._read(file)
        except (InputError, OSError, ValueError, RecursionError, BadLineError) as error:
            raise NotQuickError from error  # a ValidationError is a ValueError

    def _read(self, file: str) -> Night:
        raw, evidence = _open_bundle(file) if is_folder(file) else (Path(file).read_bytes(), None)
        path = f"{file}/{INVENTORY}" if evidence else file
        head, end, body = _frame(raw)
        if head.clouds_only or (evidence and not evidence.address):
            raise NotQuickError
        blocks = list(_blocks(body, is_bundle=evidence is not None))
        known = list(map(self._recognize, blocks))
        self._refuse_secrets(raw[: len(raw) - len(body)], blocks, known)
        counts = _total(known, end)
        moments = list(_moments(path, head.captured_at, blocks, known))
        if len({moment.organization for moment in moments}) < len(moments):
            raise NotQuickError
        self._remember(blocks, known)
        source = Source(
            path=file,
            role="history",
            format="bundle" if evidence else "ndjson",
            size=len(raw),
            sha256=hashlib.sha256(raw).hexdigest(),
            captured_at=head.captured_at,
            example=head.example,
            organizations=len(moments),
            keys=counts["key"],
            databases=counts["database"],
            evidence=evidence,
        )
        return Night(source, moments)

    def _remember(self, blocks: list[_Block], known: list[_Known]) -> None:
        """Remember each organization as it is now, in the place of what it was."""
        for block, one in zip(blocks, known, strict=True):
            before = self._keys.get(one.owner.id)
            if before is not None and before != block.key:
                del self._known[before]
            self._keys[one.owner.id] = block.key
            self._known[block.key] = one

    def _recognize(self, block: _Block) -> _Known:
        """Parse of ``block`` what is not as it was."""
        known = self._known.get(block.key)
        owner = known.owner if known else _owner(block.own)
        entries = known.entries if known else None
        if entries is None or entries.raw != block.entries:
            entries = _entries(block.entries, owner, entries, is_bundle=block.is_bundle)
        readings = _HASH.sub(b"", block.readings)
        if known is None or known.readings != readings:
            for line in block.readings.split(b"\n") if block.readings else ():
                if _parse(line).kind != "reading":
                    raise NotQuickError
        return _Known(owner, entries, readings)

    def _refuse_secrets(self, frame: bytes, blocks: list[_Block], known: list[_Known]) -> None:
        """Search all that is new for secrets; what is as it was has been searched."""
        new = [frame]
        for block, one in zip(blocks, known, strict=True):
            before = self._known.get(block.key)
            is_same = before is not None and before.entries is one.entries
            new += [block.own, b"" if is_same else block.entries, block.readings]
        if holds_secret(b"\n".join(new)):
            raise NotQuickError


def _open_bundle(folder: str) -> tuple[bytes, Evidence]:
    """Return the inventory of a bundle as its manifest lists it, and how the bundle was made."""
    manifest = read_manifest(folder)
    paths = [file.path for file in manifest.files]
    path = Path(folder) / INVENTORY
    if len(set(paths)) < len(paths) or INVENTORY not in paths or path.is_symlink():
        raise NotQuickError
    listed = manifest.files[paths.index(INVENTORY)]
    raw = path.read_bytes()
    if len(raw) != listed.size or hashlib.sha256(raw).hexdigest() != listed.sha256:
        raise NotQuickError
    return raw, evidence_of(manifest)


def _frame(raw: bytes) -> tuple[HeadRecord, EndRecord, bytes]:
    """Return the first and the last line, and what is between them."""
    first = raw.find(b"\n") + 1
    last = raw.rfind(b"\n", 0, len(raw) - 1) + 1
    is_framed = raw.startswith(_HEAD) and raw.startswith(_END, last) and raw.endswith(b"\n")
    if not is_framed or not first < last:
        raise NotQuickError
    head, end = parse_line(raw[:first]), parse_line(raw[last:])
    del head["kind"], end["kind"]
    return HeadRecord.model_validate(head), EndRecord.model_validate(end), raw[first:last]


def _blocks(body: bytes, *, is_bundle: bool) -> Iterator[_Block]:
    """Yield the blocks of ``body``; no line break is part of a JSON text in one line."""
    if not body.startswith(_ORGANIZATION):
        raise NotQuickError
    for piece in (b"\n" + body[:-1]).split(b"\n" + _ORGANIZATION)[1:]:
        own, _, rest = piece.partition(b"\n")
        begin = 0 if rest.startswith(_READING) else rest.find(b"\n" + _READING) + 1
        is_read = begin or rest.startswith(_READING)
        entries, readings = (rest[:begin], rest[begin:]) if is_read else (rest, b"")
        yield _Block(is_bundle, *_own(own), entries.removesuffix(b"\n"), readings)


def _own(own: bytes) -> tuple[bytes, datetime | None]:
    """Return an organization's own line without its time, which ends it, and the time."""
    start, _, time = own.rpartition(_CAPTURED)
    if not start:
        return own, None
    match = _CAPTURED_END.fullmatch(time)
    at = read_moment(match[1].decode()) if match else None
    if at is None or b"captured_at" in start:
        raise NotQuickError
    return start + b"}", at


def _owner(own: bytes) -> _Owner:
    data = parse_line(b"{" + own)
    if data.keys() & _NOT_OWN:
        raise NotQuickError
    organization = Organization.model_validate({**data, "keys": (), "databases": ()})
    gaps = frozenset(gap.fact for gap in organization.gaps)
    return _Owner(organization.id, organization.name, gaps)


def _entries(raw: bytes, owner: _Owner, before: _Entries | None, *, is_bundle: bool) -> _Entries:
    """Parse the lines of an organization; those of ``before`` are known."""
    known = before.lines if before else {}
    in_order = raw.split(b"\n") if raw else []
    lines = {line: known.get(line) or _parse(line) for line in in_order}
    parsed = [lines[line] for line in in_order]
    identities = [(line.kind, line.identity) for line in parsed if line.identity is not None]
    if len(set(identities)) < len(identities) or any(line.kind == "reading" for line in parsed):
        raise NotQuickError
    keys: dict[KeyScope, tuple[tuple[str, ...], Place]] = {}
    databases: dict[str, DatabaseState] = {}
    for number, line in enumerate(parsed, 1):
        place = _place(line.seen, number, is_bundle=is_bundle)
        if line.kind == "key":
            scope = KeyScope(owner.id, *line.scope)
            ids, first = keys.get(scope, ((), place))
            keys[scope] = tuple(sorted((*ids, line.key_id))), first
        elif line.database is not None:
            databases[line.database.id] = line.database._replace(place=place)
    state = KeyState(keys, Place(0), owner.gaps)
    if before and before.keys == state:
        state = before.keys
    shown = tuple(databases.values())
    counts = Counter(line.kind for line in parsed)
    return _Entries(raw, lines, counts, state, shown)


def _place(seen: str | None, number: int, *, is_bundle: bool) -> Place:
    """Return where an entry is: in the recorded answer of a bundle, else below its organization."""
    if seen is None or not is_bundle:
        return Place(number)
    path, _, line = seen.rpartition(":")
    return Place(int(line), path, is_inside=True)


def _parse(raw: bytes) -> _Line:
    """Parse one line; raise BadLineError or ValidationError if the full reader would refuse it."""
    database = read_database(raw)
    if database is not None:
        return _database_line(database)
    data = parse_line(raw)
    kind = data.pop("kind", None)
    if kind == "reading":
        Reading.__pydantic_validator__.validate_python(data)
        return _Line("reading")
    if not isinstance(kind, str) or kind not in LISTS:
        raise NotQuickError
    _, model = LISTS[kind]
    identity = _IDENTITIES.get(kind)
    entry: Any = model.__pydantic_validator__.validate_python(data)
    if kind == "database":
        return _database_line(entry)
    same = identity(entry) if identity else None
    if kind == "key":
        return _Line(kind, same, scope_fields(entry), entry.key_id, seen=entry.seen)
    return _Line(kind, same)


def _database_line(database: Database) -> _Line:
    identity = database_identity(database)
    if database.is_planned or database.id is None:
        return _Line("database", identity)
    status = stated_status(database)
    state = DatabaseState(database.id, database.name, database.is_terminated, status, Place(0))
    return _Line("database", identity, database=state, seen=database.seen)


def _total(known: list[_Known], end: EndRecord) -> Counter[str]:
    """Count the entries; the end record must count the same."""
    counts: Counter[str] = Counter()
    for one in known:
        counts.update(one.entries.counts)
    counts["organization"] = len(known)
    if any(counts[kind] != getattr(end, name) for name, kind in COUNTED.items()):
        raise NotQuickError
    return counts


def _moments(
    file: str, captured_at: datetime | None, blocks: list[_Block], known: list[_Known]
) -> Iterator[Moment]:
    line = 2
    for block, one in zip(blocks, known, strict=True):
        at = block.at or captured_at
        if at is None:
            raise NotQuickError
        entries, owner = one.entries, one.owner
        yield Moment(owner.id, owner.name, at, file, line, entries.keys, entries.databases)
        line += 1 + entries.counts.total() + block.readings.count(b"\n") + bool(block.readings)
