"""The same evidence gives the same audit, however it is grouped, spread or repeated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.catalogue import load_rules
from tests.wiring.runs import ALL, ALL_FILES, XDIST, Run, audit, compliant, mixed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def _lasting(run: Run, *apart: str) -> dict[str, Any]:
    """Return the head without what may differ: the block ``run``, and what is named."""
    return {name: value for name, value in run.head.items() if name not in {"run", *apart}}


def _page(run: Run) -> str:
    page, count = re.subn(
        r'<section id="run">.*?</section>', "", run.text("audit.html"), flags=re.DOTALL
    )
    assert count == 1
    return page


def _again(run: Run, folder: Path, *arguments: str, **more: Any) -> Run:  # noqa: ANN401 (passed on)
    """Audit what ``run`` audited, from the same files, into another folder."""
    inventory = str(run.folder.parent / "inventory.yaml")
    waived = f"--cmek-waivers={run.folder.parent / 'waivers.yaml'}"
    return audit(folder, inventory, waived, *arguments, **more)


def test_two_runs_give_the_same_bytes(mixed_run: Run, tmp_path: Path) -> None:
    """Judged as of the same time, record and page are the same but for the block on the run."""
    again = _again(mixed_run, tmp_path, formats=ALL)
    assert again.text("findings.ndjson") == mixed_run.text("findings.ndjson")
    assert _lasting(again) == _lasting(mixed_run)
    assert _page(again) == _page(mixed_run)


@pytest.mark.parametrize("group", ["organization", "rule"])
def test_grouping_changes_nothing_but_itself(mixed_run: Run, tmp_path: Path, group: str) -> None:
    """One item a subject, an organization or a rule: findings, counts and verdict are the same."""
    again = _again(mixed_run, tmp_path, f"--cmek-group={group}", formats=ALL)
    assert again.text("findings.ndjson") == mixed_run.text("findings.ndjson")
    assert _lasting(again, "report", "settings") == _lasting(mixed_run, "report", "settings")
    assert again.code == mixed_run.code
    settings = mixed_run.head["settings"] | {"grouping": group}
    assert again.head["settings"] == settings


@pytest.mark.parametrize(
    ("group", "label"), [("organization", "acme-prod"), ("rule", "all"), ("auto", "acme-prod")]
)
def test_a_group_is_named_in_its_items(tmp_path: Path, group: str, label: str) -> None:
    """An item's name tells the organization, or that it answers for all."""
    found = audit(tmp_path, compliant(), "--collect-only", "-q", f"--cmek-group={group}")
    assert f"checks/check_paid_plan.py::check_paid_plan[{label}]" in found.out.splitlines()
    assert len([line for line in found.out.splitlines() if "::" in line]) == len(load_rules())


def test_several_processes_write_one_audit(mixed_run: Run, tmp_path: Path) -> None:
    """Spread over two processes, the record, the page and the outcomes are the same."""
    again = _again(mixed_run, tmp_path, "-n2", formats=ALL, plugins=XDIST)
    assert (again.code, again.left) == (mixed_run.code, ALL_FILES)
    assert again.text("findings.ndjson") == mixed_run.text("findings.ndjson")
    assert _lasting(again) == _lasting(mixed_run)
    names = [
        sorted(
            (str(case.get("name")), *(child.tag for child in case))
            for case in run.junit.findall("testcase")
        )
        for run in (again, mixed_run)
    ]
    assert names[0] == names[1]


def test_several_processes_refuse_what_one_refuses(tmp_path: Path) -> None:
    """A malformed inventory ends the run with 4 before any other process is started."""
    found = audit(tmp_path, {"cmek-inventory": 1}, "-n2", plugins=XDIST)
    assert (found.code, found.left) == (4, set())
    assert "Traceback" not in found.out


def test_a_process_that_dies_leaves_a_partial_run(tmp_path: Path) -> None:
    """If a process is lost, what it did not report is left out, and the run fails."""
    (tmp_path / "acme_plugin.py").write_text(
        "import os\n"
        "def pytest_runtest_call(item):\n"
        "    if 'paid_plan' in item.name:\n"
        "        os._exit(9)\n"
    )
    found = audit(
        tmp_path,
        mixed(),
        "-n1",
        "--max-worker-restart=0",
        "-pacme_plugin",
        environment={"PYTHONPATH": str(tmp_path)},
        plugins=XDIST,
    )
    assert (found.code, found.word == "compliant") == (1, False)
    assert "CMEK-08" in found.head["settings"]["left_out"]
