"""``cmek-audit verify``: makes evidence and reports again, and compares."""

from __future__ import annotations

from collections import deque
from datetime import UTC, date, datetime
from datetime import time as dtime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from checks.engine.context import utc
from cmek_audit import parameters
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from cmek_audit.packages.layout import ENDING
from cmek_audit.signing.key_files import read_public_key
from cmek_audit.verification.checked import Checked, differences
from cmek_audit.verification.proof import BUNDLES, WORDS, worst
from cmek_audit.verification.source_files import name_hosts
from inventory.astra.replay import replay
from inventory.errors import EvidenceError, RecordError, ReplayError, SettingError
from inventory.evidence.chain import build_chain, bundle_label
from inventory.evidence.folder import read_links
from inventory.evidence.manifest import read_head
from inventory.files.evidence_layout import is_bundle, read_folder
from inventory.model.base import read_moment
from inventory.past.summaries import find_summary, link_problems
from inventory.system.executors import ExecutorSetting, is_worker_lost, open_executor
from inventory.text.display import describe, pluralize
from reports.record.layout import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from securesystemslib.signer import SSlibKey

    from cmek_audit.verification.proof import Status
    from inventory.evidence.chain import Chain
    from inventory.files.evidence_layout import FolderContent
    from inventory.past.summaries import FoundSummary
    from inventory.past.summary import Summary

_DAMAGE = (EvidenceError, ReplayError, RecordError)
_CODES: dict[Status, ExitCode] = {
    "proven": ExitCode.DONE,
    "differs": ExitCode.NOT_DONE,
    "not-proven": ExitCode.NOT_PROVEN,
}


@click.command(context_settings=parameters.SETTINGS)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--since",
    metavar="DATE",
    default=None,
    callback=lambda _, __, value: parse_since(value) if value else None,
    help="In a folder of bundles, check older ones by the chain only.",
)
@click.option(
    "--chain-only", is_flag=True, help="In a folder of bundles, check all by the chain only."
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    help="How many bundles of a folder to check at the same time.",
)
@click.option(
    "--key",
    metavar="PUBLIC.pem",
    default=None,
    help="Check that each report is signed by the private key of this public one.",
)
@parameters.quiet
@parameters.as_json
@interruptible("nothing is proven")
def verify(paths: tuple[str, ...], *, as_json: bool, quiet: bool, **values: Any) -> ExitCode:  # noqa: ANN401 (as click passes them)
    """Prove evidence and reports: make them again and compare.

    Each PATH is an evidence bundle, a folder of bundles, a report folder, or a package for an
    auditor (.zip).

    A bundle is hashed, and its answers are replayed without a network to the same inventory. In a
    folder of bundles, each bundle must name the one before and its root. A report is judged again
    from its sources and rendered again. Each file is proven, not proven, or differs. The worst
    result decides. This is not about whether the keys comply: see the report's verdict.

    With --since or --chain-only, of some bundles of a folder only the manifest is checked, and that
    they are one chain. What was not checked is listed at the end.

    With --key, the files of a report must be those that were signed, and no other: a signature that
    is missing, of another key, or of other files is a difference.

    \b
    Exit codes:
      0  proven: all that can be proven was made again, and is equal
      1  something differs or is damaged
      2  interrupted; nothing is proven
      3  internal error
      4  unusable argument
      5  not proven: a source, or the suite that made the report, is not here
    """
    # All paths are looked at before the first is verified, so that a typing error costs no time.
    if values["since"] and values["chain_only"]:
        raise SettingError("--since: found --chain-only beside it, expected one of the two")
    public = read_public_key(values["key"], "--key") if values["key"] else None
    extent = Extent(values["since"], values["jobs"], is_chain_only=values["chain_only"], key=public)
    checks = [(path, _check_for(path, extent)) for path in paths]
    results = []
    for path, check in checks:
        for checked in check(path):
            results.append(checked)
            if not (as_json or quiet):
                _print(checked)
    status = worst(checked.status for checked in results)
    is_whole = status == "proven" and not any(checked.unchecked for checked in results)
    if as_json:
        write_json(_summary(results, status))
    elif not (quiet and is_whole):
        _print_conclusion(results, status)
    return _CODES[status]


def _summary(results: Iterable[Checked], status: Status) -> dict[str, Any]:
    checked = [_as_json(result) for result in results]
    complete = not any(result.unchecked for result in results)
    return {"status": status, "complete": complete, "checked": checked, "notes": _notes(results)}


def _notes(results: Iterable[Checked]) -> list[str]:
    """Return each note once, in the order of the paths."""
    return list(dict.fromkeys(checked.note for checked in results if checked.note))


def _as_json(checked: Checked) -> dict[str, Any]:
    fields = {"path": checked.path, "status": checked.status, **checked._asdict()}
    del fields["note"]
    return fields | {"files": [file._asdict() for file in checked.files]}


def _print(checked: Checked) -> None:
    write_lines(f"{checked.path}: {WORDS[checked.status]}")
    for line in (*map(str, checked.files), *checked.lines):
        write_lines(f"  {line}")
    for text in checked.unchecked:
        write_lines(f"  not checked: {text}")


def _print_conclusion(results: list[Checked], status: Status) -> None:
    """Repeat what differs or is not proven, as it may have scrolled away; end with the status."""
    problems = [problem for checked in results for problem in checked.problems]
    unproven = [text for checked in results for text in checked.unproven]
    unchecked = [text for checked in results for text in checked.unchecked]
    for title, entries in (
        ("What differs:", problems),
        ("What is not proven:", unproven),
        ("What was not checked:", unchecked),
    ):
        if entries:
            write_lines("\n".join([title, *(f"  {entry}" for entry in entries)]))
    for note in _notes(results):
        write_lines(note)
    in_part = ", as far as it was checked" if unchecked and status == "proven" else ""
    write_lines(f"{WORDS[status]}{in_part}")


# --- what a path is -------------------------------------------------------------------------------


class Extent(NamedTuple):
    """How much is checked.

    Attributes:
        since: bundles before this time are checked by the chain only; None for no such time.
        jobs: how many are checked at the same time.
        is_chain_only: whether all are checked by the chain only.
        key: the key by which reports must be signed; None if that is not checked.
    """

    since: datetime | None
    jobs: int
    is_chain_only: bool
    key: SSlibKey | None = None

    def covers(self, started: datetime) -> bool:
        """Say whether a bundle that was begun at that time is checked as a whole."""
        return not self.is_chain_only and (self.since is None or started >= self.since)


def parse_since(value: str) -> datetime:
    """Return the time that ``--since`` states: a day in UTC, or a time with its zone."""
    try:
        return datetime.combine(date.fromisoformat(value), dtime(), UTC)
    except ValueError:
        at = read_moment(value)
    if at is None:
        expected = "a day, such as 2026-11-20, or a time with its zone"
        raise SettingError(f"--since: found {value!r}, expected {expected}")
    return at


def _check_for(path: str, extent: Extent) -> Callable[[str], Iterator[Checked]]:
    """Return what verifies ``path``; raise SettingError if it holds nothing to verify."""
    folder, key = Path(path), extent.key
    if not is_bundle(folder) and (folder / HEAD).is_file():
        return lambda one: iter([_checked(one, lambda path: _check_report(path, key))])
    if folder.suffix.lower() == ENDING and folder.is_file():
        return lambda one: iter([_checked(one, lambda path: _check_package(path, key))])
    if key and (is_bundle(folder) or _bundles(folder)):
        expected = "the folder of a report, or a package: nothing else is signed"
        raise SettingError(f"--key: found {path} (evidence), expected {expected}")
    if is_bundle(folder):
        return lambda one: iter([_checked(one, _check_bundle)])
    if _bundles(folder):
        return lambda one: _check_folder(one, extent)
    found = "a file" if folder.is_file() else "nothing"
    found = "a folder of something else" if folder.is_dir() else found
    expected = "the folder of an evidence bundle, of several, or of a report, or a package"
    raise SettingError(f"{path}: found {found}, expected {expected}")


def _bundles(folder: Path) -> list[Path]:
    """Return the bundles of ``folder``, the broken ones too, in the order of names."""
    if not folder.is_dir():
        return []
    content = read_folder(folder)
    return sorted((*content.bundles, *(bundle.path for bundle in content.broken)))


# --- one bundle or report -------------------------------------------------------------------------


def _checked(path: str, check: Callable[[str], Checked]) -> Checked:
    try:
        return check(path)
    except _DAMAGE as error:
        return Checked(path, [], differences(path, error))
    except OSError as error:
        return Checked(path, [], [], [f"{error.filename or path}: {error.strerror}"])


def _check_bundle(path: str) -> Checked:
    manifest, count = replay(path)
    same = f"{pluralize(manifest.organizations, 'organization')}: the same {count:,} lines"
    lines = [
        f"files: {len(manifest.files):,}, with the hashes that the manifest lists, and no other",
        f"replayed: {pluralize(manifest.requests, 'request')} of {same} of inventory",
        f"recorded: {_second(manifest.started)} to {_second(manifest.ended)} by {manifest.tool}",
        f"asked: {name_hosts(manifest.address, manifest.cloud_addresses)}",
        f"root: {manifest.root}",
        f"bundle before: {bundle_label(manifest.previous)}",
    ]
    return Checked(path, lines, [], note=BUNDLES)


def _second(time: datetime) -> str:
    return utc(time.replace(microsecond=0))


def _check_report(path: str, key: SSlibKey | None) -> Checked:
    from cmek_audit.verification.report_check import check_report  # noqa: PLC0415 (bundles need no judges)

    return check_report(path, key)


def _check_package(path: str, key: SSlibKey | None) -> Checked:
    from cmek_audit.packages.package_check import check_package  # noqa: PLC0415 (as above)

    return check_package(path, key)


# --- a folder of bundles --------------------------------------------------------------------------


def _check_folder(path: str, extent: Extent) -> Iterator[Checked]:
    """Verify each bundle, in the order of names, then the chain that they make."""
    older, whole = _divide(_bundles(Path(path)), extent)
    yield from _check_bundles([bundle.as_posix() for bundle in whole], extent.jobs)
    if read_folder(Path(path)).summaries:
        yield _checked(path, _check_summary)
    checked = _checked(path, _check_chain)
    yield checked._replace(unchecked=_chain_only(older)) if older else checked


def _divide(bundles: Iterable[Path], extent: Extent) -> tuple[list[Path], list[Path]]:
    """Return the bundles that are checked by the chain only, and those that are as a whole.

    One whose manifest cannot be read is among the latter: it would be in no chain.
    """
    older: list[Path] = []
    whole: list[Path] = []
    for bundle in bundles:
        try:
            is_whole = extent.covers(read_head(str(bundle)).started)
        except EvidenceError:
            is_whole = True
        (whole if is_whole else older).append(bundle)
    return older, whole


def _chain_only(bundles: Sequence[Path]) -> tuple[str, ...]:
    """Say of which bundles only the manifests were checked."""
    names = f"{describe(bundles[0].name)} to {describe(bundles[-1].name)}"
    counted = pluralize(len(bundles), "bundle")
    return (f"the files of {counted}, {names}: only their manifests and their order were",)


def _check_bundles(paths: Sequence[str], jobs: int) -> Iterator[Checked]:
    kind: Literal["serial", "processes"] = "processes" if jobs > 1 else "serial"
    with open_executor(ExecutorSetting(kind, jobs)) as executor:
        # Only so many at once: in this process, each is checked when it is submitted.
        waiting: deque[tuple[str, Future[Checked]]] = deque()
        for path in paths:
            waiting.append((path, executor.submit(check_one_bundle, path)))
            if len(waiting) >= 2 * jobs:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())


def check_one_bundle(path: str) -> Checked:
    """Verify the bundle at ``path``, in this process or in another."""
    return _checked(path, _check_bundle)


def _result(path: str, future: Future[Checked]) -> Checked:
    """Return what was found; a process that was killed has proven nothing."""
    try:
        return future.result()
    except Exception as error:
        if not is_worker_lost(error):
            raise
        return Checked(path, [], [], [f"{path}: the process that checked it ended"])


def _check_summary(path: str) -> Checked:
    """Verify the summary of pruned bundles: its own root, and that the chain continues it."""
    content = read_folder(Path(path))
    found = find_summary(content)
    summary = found.summary
    links, _ = read_links(content.bundles)
    problems = list(link_problems(summary, build_chain(Path(path), links)))
    counted = pluralize(len(summary.bundles), "bundle")
    first, last = summary.bundles[0].name, summary.bundles[-1].name
    lines = [
        f"summed up: {counted}, {describe(first)} to {describe(last)}",
        f"root: {summary.root}",
        f"bundle before: {bundle_label(summary.head.previous)}",
        *_left_over(found),
    ]
    answers = f"the answers of {counted}, which are not here any more: whether they showed this"
    return Checked(
        summary.file,
        [] if problems else lines,
        list(map(str, problems)),
        unchecked=(answers, *_never_checked(summary)),
    )


def _left_over(found: FoundSummary) -> Iterator[str]:
    if found.still_here:
        yield f"summed up, and still here: {_names(found.still_here)}"
    if found.superseded:
        yield f"part of this summary, and still here: {_names(found.superseded)}"


def _never_checked(summary: Summary) -> Iterator[str]:
    never = [bundle for bundle in summary.bundles if not bundle.answers_checked]
    if never:
        counted = pluralize(len(never), "bundle")
        yield f"of {counted} the answers had not been checked either before they were removed"


def _check_chain(path: str) -> Checked:
    """Verify that the bundles of a folder are one chain, and that nothing unknown is beside them.

    Bundles that cannot be read were reported before.
    """
    content = read_folder(Path(path))
    links, _ = read_links(content.bundles)
    chain = build_chain(Path(path), links)
    problems = [*(entry.problem() for entry in content.unknown), *chain.problems]
    lines = [*_links(chain), *_harmless(content)]
    return Checked(path, [] if problems else lines, list(map(str, problems)))


def _links(chain: Chain) -> Iterator[str]:
    counts = pluralize(len(chain.links), "bundle")
    several = len(chain.links) > 1
    yield f"chain: {counts}{', each with the name and the root of the one before' * several}"
    if chain.earlier:
        yield f"older bundles are not here, the last of them {bundle_label(chain.earlier)}"
    if back := chain.backdated():
        yield f"begun before what it follows, by the clock: {', '.join(map(describe, back))}"


def _harmless(content: FolderContent) -> Iterator[str]:
    """Yield what is in a folder beside its chain, and is known to be harmless."""
    if content.records:
        yield f"records outside of the chain, which nothing proves: {_names(content.records)}"
    if content.unfinished:
        yield f"unfinished, not read: {_names(content.unfinished)}"


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(describe(path.name) for path in paths)
