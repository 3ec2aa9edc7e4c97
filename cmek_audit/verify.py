"""``cmek-audit verify``: makes evidence and reports again, and compares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.context import utc
from cmek_audit.exits import Code
from cmek_audit.speech import say, say_json
from inventory.bundles import INVENTORY, MANIFEST, is_bundle
from inventory.errors import (
    MOST_SHOWN,
    EvidenceError,
    InputError,
    Problem,
    RecordError,
    ReplayError,
    SettingError,
)
from inventory.evidence import Previous, read_manifest
from inventory.replaying import replay
from inventory.wording import counted, describe
from reports.proof import BUNDLES, WORDS, worst
from reports.record import HEAD
from reports.source_files import name_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from inventory.evidence import Manifest
    from reports.proof import Proof, Status

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
        say_json(_summary(done, status))
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
    return told | {"files": [each._asdict() for each in checked.files]}


def _print(checked: Checked) -> None:
    say(f"{checked.path}: {WORDS[checked.status]}")
    for line in (*map(str, checked.files), *checked.lines):
        say(f"  {line}")


def _conclude(done: list[Checked], status: Status) -> None:
    """Repeat what stops, as much may stand above it, and end with the one word for all."""
    for title, told in (
        ("What differs:", [each for checked in done for each in checked.problems]),
        ("What is not proven:", [each for checked in done for each in checked.unproven]),
    ):
        for line in [title, *(f"  {each}" for each in told)] if told else []:
            say(line)
    for note in _notes(done):
        say(note)
    say(WORDS[status])


# --- what a path is -------------------------------------------------------------------------------


def _way(path: str) -> Callable[[str], Iterator[Checked]]:
    """Return how ``path`` is to be verified; raise SettingError if it holds nothing for that."""
    folder = Path(path)
    if _holds_evidence(folder):
        return lambda one: iter([_check(one, _bundle)])
    if (folder / HEAD).is_file():
        return lambda one: iter([_check(one, _report)])
    if _bundles(folder):
        return _folder
    found = "a file" if folder.is_file() else "nothing"
    found = "a folder without" if folder.is_dir() else found
    expected = "the folder of an evidence bundle, of several, or of a report"
    raise SettingError(f"{path}: found {found}, expected {expected}")


def _holds_evidence(folder: Path) -> bool:
    """Say whether ``folder`` is a bundle, or what is left of one."""
    rest = (INVENTORY, "exchanges")
    return is_bundle(str(folder)) or any((folder / name).exists() for name in rest)


def _bundles(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    visible = (each for each in folder.iterdir() if not each.name.startswith("."))
    return sorted(filter(_holds_evidence, visible))


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
    before = "none" if manifest.previous is None else _named(manifest.previous)
    same = f"{counted(manifest.organizations, 'organization')}: the same {lines:,} lines"
    told = [
        f"files: {len(manifest.files):,}, with the hashes that the manifest lists, and no other",
        f"replayed: {counted(manifest.requests, 'request')} of {same} of inventory",
        f"recorded: {_second(manifest.started)} to {_second(manifest.ended)} by {manifest.tool}",
        f"asked: {name_host(manifest.address)}",
        f"root: {manifest.root}",
        f"bundle before: {before}",
    ]
    return Checked(path, told, [], note=BUNDLES)


def _second(time: datetime) -> str:
    return utc(time.replace(microsecond=0))


def _report(path: str) -> Checked:
    from reports.verifying import verify_report  # noqa: PLC0415 (evidence needs no judges)

    verified = verify_report(path)
    stopping = {
        status: [
            f"{path}: {each}" for each in verified.proofs if each.stops and each.status == status
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
    """Verify each bundle, in order, then the chain of their roots."""
    bundles = _bundles(Path(path))
    for bundle in bundles:
        yield _check(bundle.as_posix(), _bundle)
    yield _chain(path, bundles)


def _chain(path: str, bundles: list[Path]) -> Checked:
    in_order = _in_order(bundles)
    gone = in_order[0][1].previous if in_order else None
    before, problems = gone, []
    for bundle, manifest in in_order:
        if manifest.previous != before:
            problems.append(_broken(bundle, manifest.previous, before))
        before = Previous(name=bundle.name, root=manifest.root)
    told = [f"chain: {counted(len(bundles), 'bundle')}"]
    told[0] += ", each with the name and the root of the one before" if len(bundles) > 1 else ""
    if gone:
        told.append(f"older bundles are not here, the last of them {_named(gone)}")
    return Checked(path, [] if problems else told, problems)


def _in_order(bundles: list[Path]) -> list[tuple[Path, Manifest]]:
    """Return the bundles by the time they were begun, but for those that cannot be read."""
    read = []
    for bundle in bundles:
        try:
            read.append((bundle, read_manifest(str(bundle))))
        except EvidenceError:
            continue
    return sorted(read, key=lambda each: (each[1].started, each[0].name))


def _broken(bundle: Path, found: Previous | None, expected: Previous | None) -> str:
    wanted = f"{_named(expected)}, the one before it here" if expected else "none, as none is older"
    told = _named(found) if found else "none"
    return str(Problem((bundle / MANIFEST).as_posix(), 0, "previous", told, wanted))


def _named(previous: Previous) -> str:
    return f"{describe(previous.name)} with the root {previous.root}"
