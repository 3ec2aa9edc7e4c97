"""What is proven of the files that are made for a package: they are made again, and compared.

No signature is of them, and people read them first. So each is made again from the report in the
package and from the list of sources. That list must fit the record, and the files that are there.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from cmek_audit.packages.contents import Contents, ListedSource, named_sources, place_of
from cmek_audit.packages.index import packed_by
from cmek_audit.packages.layout import LISTED, REPORT, SUMS
from cmek_audit.packages.made_files import render_made
from cmek_audit.signing.report_files import list_files
from cmek_audit.verification.proof import Proof
from cmek_audit.verification.record_proofs import equal_to_record
from cmek_audit.verification.recorded_head import RecordedHead
from cmek_audit.verification.source_files import given_files
from inventory.errors import RecordError
from inventory.text.display import printable
from reports.record.layout import RECORD, SIGNATURE
from reports.record.reader import checked, read_record
from reports.record.stored_lines import open_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from cmek_audit.verification.proof import Status
    from reports.record.reader import Record

_MOST_BYTES = 64 * 1_024 * 1_024


class _Source(BaseModel):
    """A source as it is listed; see ``ListedSource``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str
    role: str
    place: str
    note: str


class _List(BaseModel):
    """The list of sources of a package.

    Attributes:
        packed_by: name and version of the tool that packed it.
        sources: what the record names.
        not_packed: what else was in the report folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    packed_by: str
    sources: tuple[_Source, ...]
    not_packed: tuple[str, ...]


def prove_made(folder: Path, names: Collection[str], of_record: Status) -> list[Proof]:
    """Return what is proven of the files made for the package that is unpacked in ``folder``.

    ``names`` are all its files. What is equal is proven no further than the record. Raises OSError.
    """
    listed = _read_list(folder / LISTED)
    if listed is None:
        return [Proof(LISTED, "differs", "missing, or not the list of sources of a package")]
    try:
        record = read_record(folder / REPORT)
        head = checked(record.path, RecordedHead, record.head)
        made = render_made(_contents(folder, names, record, listed))
    except RecordError as error:
        # The list of sources can be the cause, too: then the report has no proof that says so.
        reason = f"nothing can be made from the record and this list: {printable(str(error))}"
        return [Proof(LISTED, "not-proven", reason)]
    known = {SUMS, *made, *_of_report(folder)}
    problems = (*_misplaced(listed), *_unnamed(listed, head), *_strangers(listed, names, known))
    proofs = [Proof(printable(name), "differs", reason) for name, reason in problems]
    proofs += [_prove(folder / name, content, listed, of_record) for name, content in made.items()]
    return proofs


def _read_list(file: Path) -> _List | None:
    """Return the list of sources in ``file``; None if there is none."""
    try:
        with open_regular(file) as opened:
            return _List.model_validate_json(opened.read(_MOST_BYTES))
    except (FileNotFoundError, ValidationError):
        return None


def _contents(folder: Path, names: Collection[str], record: Record, listed: _List) -> Contents:
    """Return what the package was made of, as far as it says so itself."""
    files = {name: folder / name for name in names if name.startswith(f"{REPORT}/")}
    sources = tuple(ListedSource(**source.model_dump()) for source in listed.sources)
    return Contents(record, files, sources, listed.not_packed)


def _prove(file: Path, content: bytes, listed: _List, of_record: Status) -> Proof:
    try:
        with open_regular(file) as opened:
            is_equal = opened.read(len(content) + 1) == content
    except FileNotFoundError:
        return Proof(file.name, "differs", "missing: every package has it")
    if is_equal:
        return equal_to_record(file.name, of_record, "made")
    if listed.packed_by != packed_by():
        # Whoever forges a package can name any version: the difference proves nothing either way.
        by = f"packed by {printable(listed.packed_by)}, here is {packed_by()}"
        return Proof(file.name, "not-proven", f"{by}; made again from the report: another content")
    return Proof(file.name, "differs", "made again from the report: another content")


# --- the list of sources --------------------------------------------------------------------------


def _misplaced(listed: _List) -> Iterator[tuple[str, str]]:
    """Yield the sources that are listed twice, or with a place that no package gives them."""
    found: set[str] = set()
    for number, source in enumerate(listed.sources, 1):
        if source.path in found:
            yield source.path, f"{LISTED} lists it twice"
        found.add(source.path)
        expected = "" if source.note else place_of(source.path, number)
        if source.place != expected:
            yield source.path, f"{LISTED} lists it at another place than a package has it"


def _unnamed(listed: _List, head: RecordedHead) -> Iterator[tuple[str, str]]:
    """Yield the sources that the record names and the list does not, and the other way round."""
    roles = named_sources(head)
    for source in listed.sources:
        role = roles.pop(source.path, "")
        if role and role != source.role:
            reason = f"{LISTED} lists it as {printable(source.role)}, and the record as {role}"
            yield source.path, reason
        elif not (role or _is_part(source.path, head)):
            yield source.path, f"{LISTED} lists it as a source, and the record does not name it"
    for path in roles:
        yield path, f"the record names it as a source, and {LISTED} does not"


def _is_part(path: str, head: RecordedHead) -> bool:
    """Return whether ``path`` is beside what the record names: a record's lines, or a bundle."""
    one = PurePath(path)
    heads = {PurePath(file.path).parent for file in given_files(head)}
    chains = {PurePath(path).parent for path in _chained(head)}
    return (one.name in RECORD and one.parent in heads) or one.parent in chains


def _chained(head: RecordedHead) -> Iterator[str]:
    yield from (source.chain.first for source in head.population.sources if source.chain)


def _of_report(folder: Path) -> Iterator[str]:
    """Yield the files that a package has of its report; hidden ones, for one, are never packed."""
    for name in (*list_files(folder / REPORT).own, SIGNATURE):
        yield f"{REPORT}/{name}"


def _strangers(
    listed: _List, names: Collection[str], known: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield the files that are neither ``known`` nor sources, and the sources without a file."""
    places = {source.place for source in listed.sources if source.place}
    held: set[str] = set()
    for name in sorted(names):
        above = {name, *(parent.as_posix() for parent in PurePath(name).parents)}
        held |= above
        if not (above & places or name in known):
            yield name, "added: it is no part of the report, and no source"
    for place in sorted(places - held):
        yield place, f"removed: {LISTED} lists it"
