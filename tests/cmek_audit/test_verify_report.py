"""``verify`` of report folders."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import pytest

from inventory.errors import RecordError
from tests.cmek_audit.commands import command, problems, replace
from tests.wiring.runs import audit, compliant

if TYPE_CHECKING:
    from pathlib import Path


class Verified(NamedTuple):
    """What the verifier of reports returns."""

    same: bool
    word: str
    lines: list[str]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Return a folder that looks like a report's."""
    (tmp_path / "audit-report").mkdir()
    (tmp_path / "audit-report/audit.json").write_text("{}")
    return tmp_path / "audit-report"


def _verifier(monkeypatch: pytest.MonkeyPatch, outcome: Verified | Exception) -> None:
    def verify_report(_: str) -> Verified:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    module = ModuleType("reports.verifying")
    vars(module)["verify_report"] = verify_report
    monkeypatch.setitem(sys.modules, "reports.verifying", module)


def test_a_report_that_is_the_same(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that comes out the same is verified, whatever its verdict is."""
    _verifier(monkeypatch, Verified(same=True, word="not compliant", lines=["two findings"]))
    done = command("verify", report)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{report}: as it should be",
        "  two findings",
        "  verdict: not compliant",
        "verified",
    ]


def test_a_report_that_differs(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that comes out otherwise is not verified, though its verdict be a good one."""
    _verifier(monkeypatch, Verified(same=False, word="compliant", lines=["one finding is new"]))
    done = command("verify", report)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{report}: differs",
        "  one finding is new",
        "  verdict: compliant",
        "not verified:",
        f"  {report}: differs, as told above",
    ]


def test_a_report_that_is_damaged(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that cannot be read back is not verified."""
    _verifier(monkeypatch, RecordError("audit.json is no record"))
    done = command("verify", report)
    assert done.exit_code == 1
    assert problems(done) == [f"{report}: audit.json is no record"]


def test_a_report_does_not_hide_evidence(bundle: Path) -> None:
    """A bundle into which a record was put is taken for a bundle, and has a file too many."""
    (bundle / "audit.json").write_text("{}")
    assert problems(command("verify", bundle)) == [
        f"{bundle}/audit.json: found a file, expected none: it is not listed"
    ]


def test_a_real_report(tmp_path: Path) -> None:
    """A report is verified by what it was made of, until somebody changes it."""
    folder = audit(tmp_path, compliant()).folder
    assert command("verify", folder).exit_code == 0
    replace(folder / "findings.ndjson", '"status":"pass"', '"status":"fail"')
    (problem,) = problems(command("verify", folder))
    assert problem.startswith(f"{folder}/findings.ndjson: changed since: ")
