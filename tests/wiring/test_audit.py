"""One audit, from its options to its files, without pytest around it."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.catalogue import load_rules
from cmek_audit.run.audit import Audit
from cmek_audit.run.options import parse_options
from inventory.errors import CmekAuditError, InventoryError, SettingError
from reports.formats import registry
from tests.builders import write_text
from tests.reports.recording import RUN
from tests.wiring.runs import ALL_FILES, AS_OF, KEPT, RECORD, RENDERED, compliant, prefill, saved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _audit(folder: Path, *, keep: bool = True, **over: object) -> Audit:
    options: dict[str, Any] = {
        "inventory": (saved(folder, compliant()),),
        "as_of": AS_OF,
        "report_dir": str(folder / "r"),
    }
    return Audit(parse_options(options | over), keep=keep)


def _run() -> Any:  # noqa: ANN401 (a part of the record)
    own = {"started", "ended", "formats"}
    return {name: value for name, value in RUN.items() if name not in own}


def _all(audit: Audit) -> set[tuple[str, str]]:
    groups = [group for each in audit.grouping.groups().values() for group in each]
    return {(group.card.id, group.key) for group in groups}


def _left(folder: Path) -> set[str]:
    return {each.name for each in (folder / "r").iterdir()}


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    made = _audit(tmp_path)
    yield made
    made.discard()


def test_an_audit_is_not_there_before_it_is_whole(tmp_path: Path, audit: Audit) -> None:
    """Until the audit is written, its report folder holds no file that looks like one."""
    assert (audit.head, _left(tmp_path) & ALL_FILES) == (None, set())
    audit.write(_all(audit), _run)
    assert _left(tmp_path) == RECORD | RENDERED


def test_a_discarded_audit_leaves_nothing(tmp_path: Path, audit: Audit) -> None:
    """An audit that is given up removes what it had written, and may be given up twice."""
    audit.discard()
    audit.discard()
    assert _left(tmp_path) == set()


def test_an_audit_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If any of the reports cannot be written, none is left, and there is no head."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry, "encode", fail)
    with pytest.raises(OSError, match="No space left"):
        audit.write(_all(audit), _run)
    assert (audit.head, _left(tmp_path)) == (None, set())


def test_an_audit_that_is_not_kept_touches_no_file(tmp_path: Path) -> None:
    """An audit that only judges neither writes nor removes anything."""
    prefill(tmp_path)
    made = _audit(tmp_path, keep=False)
    made.discard()
    assert (_left(tmp_path), len(_all(made))) == ({*ALL_FILES, "notes.txt"}, 16)


def test_an_audit_that_is_not_kept_fails_without_touching_a_file(tmp_path: Path) -> None:
    """An unreadable inventory makes an audit that only judges remove nothing."""
    prefill(tmp_path)
    with pytest.raises(InventoryError):
        _audit(tmp_path, keep=False, inventory=("acme-is-not-there.yaml",))
    assert _left(tmp_path) == {*ALL_FILES, "notes.txt"}


def test_an_audit_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    """An unreadable inventory leaves no audit in the folder; the earlier one is set aside."""
    prefill(tmp_path)
    with pytest.raises(InventoryError):
        _audit(tmp_path, inventory=("acme-is-not-there.yaml",))
    assert _left(tmp_path) == KEPT


def test_a_folder_within_a_file_is_refused(tmp_path: Path) -> None:
    """A report folder that cannot be made is named, with what was expected of it."""
    write_text(tmp_path / "file", "")
    folder = str(tmp_path / "file" / "r")
    with pytest.raises(SettingError, match=r"^--cmek-report-dir: found .*/file/r") as caught:
        _audit(tmp_path, report_dir=folder)
    assert isinstance(caught.value, CmekAuditError)


def test_all_groups_make_a_whole_audit(audit: Audit) -> None:
    """If every group was run nothing is left out, and no rule is without a group."""
    settled = _all(audit)
    assert {rule for rule, _ in settled} == {rule.card.id for rule in load_rules()}
    assert audit.write(settled, _run)["settings"]["left_out"] == ""


def test_the_record_tells_which_groups_were_left_out(audit: Audit) -> None:
    """Rules of which a group was not run are named, and counted among all groups."""
    settled = {(rule, key) for rule, key in _all(audit) if rule not in {"CMEK-01", "CMEK-02"}}
    assert audit.write(settled, _run)["settings"]["left_out"] == (
        "2 of 16 groups of findings were not run, of CMEK-01, CMEK-02"
    )


def test_the_block_on_the_run_begins_with_its_times(tmp_path: Path, audit: Audit) -> None:
    """The run's times and what was asked for are told by the audit, all else by whoever runs it."""
    head = audit.write(_all(audit), _run)
    assert head["run"]["formats"] == list(audit.options.formats)
    assert list(head["run"]) == list(RUN)
    assert head["run"]["started"] <= head["run"]["ended"]
    assert json.loads((tmp_path / "r" / "audit.json").read_bytes()) == head


@pytest.mark.parametrize("enabled", ["on", "off"])
def test_an_audit_leaves_the_collector_as_it_was(tmp_path: Path, enabled: str) -> None:
    """Python's garbage collector is paused while judging, and then is as it was before."""
    (gc.enable if enabled == "on" else gc.disable)()
    try:
        _audit(tmp_path, keep=False)
        assert gc.isenabled() == (enabled == "on")
    finally:
        gc.enable()
