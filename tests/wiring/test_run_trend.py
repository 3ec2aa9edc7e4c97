"""Nights of audits, each in a folder of its own: the trend that the later ones show."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmek_audit.verification.verify_report import verify_report
from tests.cmek_audit.verification.verified import stopping
from tests.wiring.runs import EXAMPLE, XDIST, Run, compliant, run, saved, unpaid

pytestmark = pytest.mark.slow

NIGHTS = ("2026-11-18", "2026-11-19", "2026-11-20")


def night(folder: Path, day: str, inventory: object, *arguments: str, **more: object) -> Run:
    """Audit ``inventory`` in the night of ``day``; the report is in a folder of that name."""
    report = folder / "reports" / day
    return run(
        f"--cmek-inventory={saved(folder, inventory)}",
        f"--cmek-as-of={day}T03:00:00Z",
        f"--cmek-report-dir={report}",
        "--cmek-formats=json,html",
        *arguments,
        folder=report,
        **more,  # type: ignore[arg-type]
    )


def listed(made: Run) -> list[tuple[str, str]]:
    """Return day and report id of the earlier audits that a record lists."""
    return [(entry["as_of"][:10], entry["report"]) for entry in made.head["trend"]]


def dated(inventory: dict[str, object]) -> dict[str, object]:
    return {**inventory, "captured_at": "2026-11-18T02:00:00Z"}


def test_three_nights_of_reports(tmp_path: Path) -> None:
    """Each night lists those before it, from a folder that its own report is in, too."""
    history = f"--cmek-history={tmp_path}/reports"
    inventories = (dated(unpaid()), dated(unpaid()), dated(compliant()))
    first, second, third = (
        night(tmp_path, day, inventory, history)
        for day, inventory in zip(NIGHTS, inventories, strict=True)
    )
    ids = [made.head["report"] for made in (first, second, third)]
    assert listed(first) == []
    assert listed(second) == [(NIGHTS[0], ids[0])]
    assert listed(third) == [(NIGHTS[0], ids[0]), (NIGHTS[1], ids[1])]
    assert [entry["outcome"] for entry in third.head["trend"]] == ["not compliant"] * 2
    assert (third.code, third.misfits) == (0, [])
    assert "History:  0 earlier records, 2 earlier audits\n" in third.out
    assert "The last 3 audits as a table" in third.text("audit.html")
    assert stopping(verify_report(str(third.folder))) == {}


def test_a_chain_of_baselines_is_a_trend(tmp_path: Path) -> None:
    """Each night needs only the report of the night before, in any way of running."""
    first = night(tmp_path, NIGHTS[0], dated(unpaid()))
    second = night(tmp_path, NIGHTS[1], dated(unpaid()), f"--cmek-baseline={first.folder}")
    chain = f"--cmek-baseline={second.folder}"
    third = night(tmp_path, NIGHTS[2], dated(unpaid()), chain)
    assert [day for day, _ in listed(third)] == list(NIGHTS[:2])
    again = night(tmp_path, NIGHTS[2], dated(unpaid()), chain, "-n2", plugins=XDIST)
    assert again.head["report"] == third.head["report"]


def test_a_partial_run_and_an_example_are_not_in_a_trend(tmp_path: Path) -> None:
    """What was only a part, or is no evidence, does not show in the trend of a whole audit."""
    night(tmp_path, NIGHTS[0], dated(unpaid()), "-k", "check_paid_plan")
    example = tmp_path / "reports" / "example"
    shown = run(f"--cmek-report-dir={example}", "--cmek-formats=json", folder=example)
    assert EXAMPLE in shown.out
    last = night(tmp_path, NIGHTS[2], dated(unpaid()), f"--cmek-history={tmp_path}/reports")
    assert (len(last.head["settings"]["history_files"]), listed(last)) == (2, [])


def test_a_changed_record_of_the_history_stops(tmp_path: Path) -> None:
    """A record that was changed since is named, and there is no audit."""
    first = night(tmp_path, NIGHTS[0], dated(unpaid()))
    head = first.folder / "audit.json"
    head.write_text(head.read_text().replace("not compliant", "compliant"))
    second = night(tmp_path, NIGHTS[1], dated(unpaid()), f"--cmek-history={first.folder}")
    assert (second.code, second.left) == (4, set())
    assert f"{head}: the report id is not that of its content" in second.out
