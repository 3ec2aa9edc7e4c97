"""``cmek-audit verify``: makes evidence and reports again, and compares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from checks.engine.context import utc
from cmek_audit import parameters
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from cmek_audit.verification.proof import BUNDLES, WORDS, worst
from cmek_audit.verification.source_files import name_hosts
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
_CODES: dict[Status, ExitCode] = {
    "proven": ExitCode.DONE,
    "differs": ExitCode.NOT_DONE,
    "not-proven": ExitCode.NOT_PROVEN,
}


class Checked(NamedTuple):
    """The result of one check.

    Attributes:
        path: what was checked.
        lines: what was found, as sentences.
        problems: what differs from what was recorded.
        unproven: what could be proven, and was not.
        files: what is proven of each file of a report; of a bundle all files are proven, or none.
        note: what the proof does not show; empty if there is nothing to note.
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


@click.command(context_settings=parameters.SETTINGS)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@parameters.as_json
@interruptible("nothing is proven")
def verify(paths: tuple[str, ...], *, as_json: bool) -> ExitCode:
    """Prove evidence and reports: make them again and compare.

    Each PATH is an evidence bundle, a folder of bundles, or a report folder.

    A bundle is hashed, and its answers are replayed without a network to the same inventory. In a
    folder of bundles, each bundle must name the one before and its root. A report is judged again
    from its sources and rendered again. Each file is proven, not proven, or differs. The worst
    result decides. This is not about whether the keys comply: see the report's verdict.

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
    checks = [(path, _check_for(path)) for path in paths]
    results = []
    for path, check in checks:
        for checked in check(path):
            results.append(checked)
            if not as_json:
                _print(checked)
    status = worst(checked.status for checked in results)
    if as_json:
        write_json(_summary(results, status))
    else:
        _print_conclusion(results, status)
    return _CODES[status]


def _summary(results: Iterable[Checked], status: Status) -> dict[str, Any]:
    checked = [_as_json(result) for result in results]
    return {"status": status, "checked": checked, "notes": _notes(results)}


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


def _print_conclusion(results: list[Checked], status: Status) -> None:
    """Repeat what differs or is not proven, as it may have scrolled away; end with the status."""
    problems = [problem for checked in results for problem in checked.problems]
    unproven = [text for checked in results for text in checked.unproven]
    for title, entries in (("What differs:", problems), ("What is not proven:", unproven)):
        if entries:
            write_lines("\n".join([title, *(f"  {entry}" for entry in entries)]))
    for note in _notes(results):
        write_lines(note)
    write_lines(WORDS[status])


# --- what a path is -------------------------------------------------------------------------------


def _check_for(path: str) -> Callable[[str], Iterator[Checked]]:
    """Return what verifies ``path``; raise SettingError if it holds nothing to verify."""
    folder = Path(path)
    if is_bundle(folder):
        return lambda one: iter([_checked(one, _check_bundle)])
    if (folder / HEAD).is_file():
        return lambda one: iter([_checked(one, _check_report)])
    if _bundles(folder):
        return _check_folder
    found = "a file" if folder.is_file() else "nothing"
    found = "a folder without" if folder.is_dir() else found
    expected = "the folder of an evidence bundle, of several, or of a report"
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
        return Checked(path, [], _differences(path, error))
    except OSError as error:
        return Checked(path, [], [], [f"{error.filename or path}: {error.strerror}"])


def _differences(path: str, error: Exception) -> list[str]:
    texts = [str(error)]
    if isinstance(error, InputError):
        more = error.total - MOST_SHOWN
        texts = [*map(str, error.problems[:MOST_SHOWN]), *([f"{more:,} more"] if more > 0 else [])]
    return [text if text.startswith(path) else f"{path}: {text}" for text in texts]


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


def _check_report(path: str) -> Checked:
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


def _check_folder(path: str) -> Iterator[Checked]:
    """Verify each bundle, in the order of names, then the chain that they make."""
    for bundle in _bundles(Path(path)):
        yield _checked(bundle.as_posix(), _check_bundle)
    yield _check_chain(path)


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
