"""``cmek-audit verify``: proves that evidence and reports are as they were made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.context import utc
from cmek_audit.exits import Code
from cmek_audit.speech import say, say_json
from inventory.bundles import is_bundle, read_folder
from inventory.chain import build_chain, named
from inventory.errors import (
    MOST_SHOWN,
    EvidenceError,
    InputError,
    RecordError,
    ReplayError,
    SettingError,
)
from inventory.evidence_folder import read_links
from inventory.replaying import replay
from inventory.wording import counted, describe
from reports.record import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from inventory.bundles import FolderContent
    from inventory.chain import Chain

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
    same = f"{counted(manifest.organizations, 'organization')}: the same {lines:,} lines"
    told = [
        f"files: {len(manifest.files):,}, with the hashes that the manifest lists, and no other",
        f"replayed: {counted(manifest.requests, 'request')} of {same} of inventory",
        f"recorded: {_second(manifest.started)} to {_second(manifest.ended)} by {manifest.tool}",
        f"asked: {manifest.address}",
        f"root: {manifest.root}",
        f"bundle before: {named(manifest.previous)}",
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
    problems = [*(each.problem() for each in content.strange), *chain.problems]
    told = [*_links(chain), *_apart(content)]
    return Checked(path, [] if problems else told, list(map(str, problems)))


def _links(chain: Chain) -> Iterator[str]:
    counts = counted(len(chain.links), "bundle")
    several = len(chain.links) > 1
    yield f"chain: {counts}{', each with the name and the root of the one before' * several}"
    if chain.before:
        yield f"older bundles are not here, the last of them {named(chain.before)}"
    if back := chain.set_back():
        yield f"begun before what it follows, by the clock: {', '.join(map(describe, back))}"


def _apart(content: FolderContent) -> Iterator[str]:
    """Yield what a folder holds beside its chain, and is known to be harmless."""
    if content.records:
        yield f"records that nothing proves, outside of the chain: {_names(content.records)}"
    if content.unfinished:
        yield f"unfinished, and read by nobody: {_names(content.unfinished)}"


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(describe(each.name) for each in paths)
