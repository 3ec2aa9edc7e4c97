"""``cmek-audit verify``: makes evidence and reports again, and compares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.context import utc
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import Code
from cmek_audit.verification.proof import BUNDLES, WORDS, worst
from cmek_audit.verification.source_files import name_host
from inventory.astra.replay import replay
from inventory.errors import (
    MOST_SHOWN,
    EvidenceError,
    InputError,
    RecordError,
    ReplayError,
    SettingError,
)
from inventory.evidence.chain import build_chain, bundle_label
from inventory.evidence.folder import read_links
from inventory.files.evidence_layout import is_bundle, read_folder
from inventory.text.display import describe, pluralize
from reports.record.layout import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from cmek_audit.verification.proof import Proof, Status
    from inventory.evidence.chain import Chain
    from inventory.files.evidence_layout import FolderContent

_DAMAGE = (EvidenceError, ReplayError, RecordError)
_CODES: dict[Status, Code] = {
    "proven": Code.DONE,
    "differs": Code.NOT_DONE,
    "not-proven": Code.NOT_PROVEN,
}


class Checked(NamedTuple):
    """What came of one check.

    Attributes:
        path: what was checked.
        lines: what was found, in words.
        problems: what differs from what was recorded.
        unproven: what could be proven, and was not.
        files: what is proven of each file of a report; of a bundle all files are proven, or none.
        note: what the proof does not show; empty if there is nothing to say.
    """

    path: str
    lines: list[str]
    problems: list[str]
    unproven: list[str] = []  # noqa: RUF012 (never changed)
    files: tuple[Proof, ...] = ()
    note: str = ""

    @property
    def status(self) -> Status:
        """Return how far the whole is proven."""
        if self.problems:
            return "differs"
        return "not-proven" if self.unproven else "proven"


def run(paths: list[str], *, as_json: bool) -> Code:
    """Verify all ``paths``, whatever comes of the first of them; the worst decides."""
    ways = [(path, _way(path)) for path in paths]
    done = []
    for path, check in ways:
        for checked in check(path):
            done.append(checked)
            if not as_json:
                _print(checked)
    status = worst(checked.status for checked in done)
    if as_json:
        write_json(_summary(done, status))
    else:
        _conclude(done, status)
    return _CODES[status]


def _summary(done: Iterable[Checked], status: Status) -> dict[str, Any]:
    checked = [_as_json(each) for each in done]
    return {"status": status, "checked": checked, "notes": _notes(done)}


def _notes(done: Iterable[Checked]) -> list[str]:
    """Return each note once, in the order of the paths."""
    return list(dict.fromkeys(checked.note for checked in done if checked.note))


def _as_json(checked: Checked) -> dict[str, Any]:
    told = {"path": checked.path, "status": checked.status, **checked._asdict()}
    del told["note"]
    return told | {"files": [file._asdict() for file in checked.files]}


def _print(checked: Checked) -> None:
    write_lines(f"{checked.path}: {WORDS[checked.status]}")
    for line in (*map(str, checked.files), *checked.lines):
        write_lines(f"  {line}")


def _conclude(done: list[Checked], status: Status) -> None:
    """Repeat what stops, as much may stand above it, and end with the one word for all."""
    for title, told in (
        ("What differs:", [problem for checked in done for problem in checked.problems]),
        ("What is not proven:", [each for checked in done for each in checked.unproven]),
    ):
        for line in [title, *(f"  {each}" for each in told)] if told else []:
            write_lines(line)
    for note in _notes(done):
        write_lines(note)
    write_lines(WORDS[status])


# --- what a path is -------------------------------------------------------------------------------


def _way(path: str) -> Callable[[str], Iterator[Checked]]:
    """Return how ``path`` is to be verified; raise SettingError if it holds nothing for that."""
    folder = Path(path)
    if is_bundle(folder):
        return lambda one: iter([_check(one, _bundle)])
    if (folder / HEAD).is_file():
        return lambda one: iter([_check(one, _report)])
    if _bundles(folder):
        return _folder
    found = "a file" if folder.is_file() else "nothing"
    found = "a folder without" if folder.is_dir() else found
    expected = "the folder of an evidence bundle, of several, or of a report"
    raise SettingError(f"{path}: found {found}, expected {expected}")


def _bundles(folder: Path) -> list[Path]:
    """Return the bundles of ``folder``, and what is left of some, in the order of names."""
    if not folder.is_dir():
        return []
    content = read_folder(folder)
    return sorted((*content.bundles, *(each.path for each in content.broken)))


# --- one bundle or report -------------------------------------------------------------------------


def _check(path: str, check: Callable[[str], Checked]) -> Checked:
    try:
        return check(path)
    except _DAMAGE as error:
        return Checked(path, [], _differences(path, error))
    except OSError as error:
        return Checked(path, [], [], [f"{error.filename or path}: {error.strerror}"])


def _differences(path: str, error: Exception) -> list[str]:
    told = [str(error)]
    if isinstance(error, InputError):
        more = error.total - MOST_SHOWN
        told = [*map(str, error.problems[:MOST_SHOWN]), *([f"{more:,} more"] if more > 0 else [])]
    return [each if each.startswith(path) else f"{path}: {each}" for each in told]


def _bundle(path: str) -> Checked:
    manifest, lines = replay(path)
    same = f"{pluralize(manifest.organizations, 'organization')}: the same {lines:,} lines"
    told = [
        f"files: {len(manifest.files):,}, with the hashes that the manifest lists, and no other",
        f"replayed: {pluralize(manifest.requests, 'request')} of {same} of inventory",
        f"recorded: {_second(manifest.started)} to {_second(manifest.ended)} by {manifest.tool}",
        f"asked: {name_host(manifest.address)}",
        f"root: {manifest.root}",
        f"bundle before: {bundle_label(manifest.previous)}",
    ]
    return Checked(path, told, [], note=BUNDLES)


def _second(time: datetime) -> str:
    return utc(time.replace(microsecond=0))


def _report(path: str) -> Checked:
    from cmek_audit.verification.verify_report import verify_report  # noqa: PLC0415 (evidence needs no judges)

    verified = verify_report(path)
    stopping = {
        status: [
            f"{path}: {proof}"
            for proof in verified.proofs
            if proof.stops and proof.status == status
        ]
        for status in ("differs", "not-proven")
    }
    return Checked(
        path,
        verified.lines,
        stopping["differs"],
        stopping["not-proven"],
        tuple(verified.proofs),
        BUNDLES if verified.rests_on_bundles else "",
    )


# --- a folder of bundles --------------------------------------------------------------------------


def _folder(path: str) -> Iterator[Checked]:
    """Verify each bundle, in the order of names, then the chain that they make."""
    for bundle in _bundles(Path(path)):
        yield _check(bundle.as_posix(), _bundle)
    yield _chain(path)


def _chain(path: str) -> Checked:
    """Verify that the bundles of a folder are one chain, and that it holds nothing strange.

    Bundles that cannot be read have been told of already.
    """
    content = read_folder(Path(path))
    links, _ = read_links(content.bundles)
    chain = build_chain(Path(path), links)
    problems = [*(each.problem() for each in content.unknown), *chain.problems]
    told = [*_links(chain), *_apart(content)]
    return Checked(path, [] if problems else told, list(map(str, problems)))


def _links(chain: Chain) -> Iterator[str]:
    counts = pluralize(len(chain.links), "bundle")
    several = len(chain.links) > 1
    yield f"chain: {counts}{', each with the name and the root of the one before' * several}"
    if chain.earlier:
        yield f"older bundles are not here, the last of them {bundle_label(chain.earlier)}"
    if back := chain.backdated():
        yield f"begun before what it follows, by the clock: {', '.join(map(describe, back))}"


def _apart(content: FolderContent) -> Iterator[str]:
    """Yield what a folder holds beside its chain, and is known to be harmless."""
    if content.records:
        yield f"records that nothing proves, outside of the chain: {_names(content.records)}"
    if content.unfinished:
        yield f"unfinished, and read by nobody: {_names(content.unfinished)}"


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(describe(path.name) for path in paths)
