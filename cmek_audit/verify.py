"""``cmek-audit verify``: proves that evidence and reports are as they were made."""

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
from reports.record import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from inventory.evidence import Manifest

_DAMAGE = (EvidenceError, ReplayError, RecordError, OSError)


class Checked(NamedTuple):
    """What came of one check.

    Attributes:
        path: what was checked.
        lines: what was found to be as it should be, in words.
        problems: what was not; empty if it is verified.
    """

    path: str
    lines: list[str]
    problems: list[str]


def run(paths: list[str], *, as_json: bool) -> Code:
    """Verify all ``paths``, whatever comes of the first of them."""
    ways = [(path, _way(path)) for path in paths]
    done = []
    for path, check in ways:
        for checked in check(path):
            done.append(checked)
            if not as_json:
                _print(checked)
    problems = [problem for checked in done for problem in checked.problems]
    if as_json:
        say_json(_summary(done))
    else:
        _conclude(problems)
    return Code.NOT_DONE if problems else Code.DONE


def _summary(done: Iterable[Checked]) -> dict[str, Any]:
    checked = [{"verified": not each.problems, **each._asdict()} for each in done]
    return {"verified": all(each["verified"] for each in checked), "checked": checked}


def _print(checked: Checked) -> None:
    say(f"{checked.path}: {'differs' if checked.problems else 'as it should be'}")
    for line in checked.lines:
        say(f"  {line}")


def _conclude(problems: list[str]) -> None:
    if not problems:
        say("verified")
        return
    say("not verified:")
    for problem in problems:
        say(f"  {problem}")


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


def _differences(path: str, error: Exception) -> list[str]:
    told = [str(error)]
    if isinstance(error, InputError):
        more = error.total - MOST_SHOWN
        told = [*map(str, error.problems[:MOST_SHOWN]), *([f"{more:,} more"] if more > 0 else [])]
    elif isinstance(error, OSError):
        told = [f"{error.filename or path}: {error.strerror}"]
    return [each if each.startswith(path) else f"{path}: {each}" for each in told]


def _bundle(path: str) -> Checked:
    manifest, lines = replay(path)
    before = "none" if manifest.previous is None else _named(manifest.previous)
    same = f"{counted(manifest.organizations, 'organization')}: the same {lines:,} lines"
    told = [
        f"files: {len(manifest.files):,}, with the hashes that the manifest lists, and no other",
        f"replayed: {counted(manifest.requests, 'request')} of {same} of inventory",
        f"recorded: {_second(manifest.started)} to {_second(manifest.ended)} by {manifest.tool}",
        f"asked: {manifest.address}",
        f"root: {manifest.root}",
        f"bundle before: {before}",
    ]
    return Checked(path, told, [])


def _second(time: datetime) -> str:
    return utc(time.replace(microsecond=0))


def _report(path: str) -> Checked:
    from reports.verifying import verify_report  # noqa: PLC0415 (evidence needs no judges)

    verified = verify_report(path)
    told = [*verified.lines, f"verdict: {verified.word}"]
    return Checked(path, told, [] if verified.same else [f"{path}: differs, as told above"])


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
