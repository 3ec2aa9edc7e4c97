"""A format is added to a copy of the project by following CONTRIBUTING.md, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from reports.record.layout import RECORD

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("benchmarks", "checks", "cmek_audit", "docs", "inventory", "reports", "tests")

MODULE = '''"""The findings as tab-separated values, ``findings.tsv``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reports.presentation.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.model.head import Head


def render(head: Head, lines: Iterable[bytes]) -> str:
    """Render a line for each finding."""
    findings = map(json.loads, lines)
    return "".join(f"{row['status']}\\t{plain(row['message'])}\\n" for row in findings)
'''
TEST = '''"""The findings as tab-separated values."""

from reports.formats.tsv import render


def test_a_finding_is_a_line() -> None:
    """A finding is a line of two cells."""
    assert render({}, [b'{"status":"pass","message":"It complies."}']) == "pass\\tIt complies.\\n"
'''
ROW = '    Format("tsv", "rendered", "findings.tsv", "table", "spreadsheets", module="tsv"),\n'
DOCS = (
    "README.md",
    "docs/formats.md",
    "docs/options.md",
    "reports/record/schemas/audit.schema.json",
)


def _write_module(root: Path) -> None:
    (root / "reports/formats/tsv.py").write_text(MODULE)


def _write_test(root: Path) -> None:
    (root / "tests/reports/formats/test_tsv.py").write_text(TEST)


def _write_row(root: Path) -> None:
    file = root / "reports/formats/registry.py"
    before, after = file.read_text().split("\n)\n\nRENDERED = ")
    file.write_text(f"{before}\n{ROW})\n\nRENDERED = {after}")


def _update_docs(root: Path) -> None:
    _run(root, "-m", "cmek_audit.docs_pages").check_returncode()


class Step(NamedTuple):
    """A step of the instructions.

    Attributes:
        do: follows it.
        tests: tests that notice if it was left out.
        failure: what they say then.
    """

    do: Callable[[Path], None]
    tests: str
    failure: str


REGISTRY_TESTS, DOCS_TESTS = "tests/reports/formats/test_registry.py", "tests/project/test_docs.py"
STEPS = {
    "module": Step(_write_module, REGISTRY_TESTS, "needs reports/formats/tsv.py"),
    "test": Step(_write_test, REGISTRY_TESTS, "needs tests/reports/formats/test_tsv.py"),
    "row": Step(
        _write_row,
        REGISTRY_TESTS,
        "reports/formats/tsv.py is in no row of FORMATS: add one to reports/formats/registry.py",
    ),
    "docs": Step(_update_docs, DOCS_TESTS, "docs/options.md: run python -m cmek_audit.docs_pages"),
}


def _run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the copy's Python: no module of the original is found."""
    environment = os.environ | {"PYTHONPATH": str(root), "COLUMNS": "80", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the project."""
    root = tmp_path / "project"
    for name in COPIED:
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, root / name, ignore=unwanted)
    for file in (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"):
        shutil.copy2(file, root / file.name)
    return root


def _changed(root: Path) -> set[str]:
    """Return the files of the copy that the original does not have, or has otherwise."""
    files = {
        path.relative_to(root)
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return {
        file.as_posix()
        for file in files
        if not (ROOT / file).is_file() or (ROOT / file).read_bytes() != (root / file).read_bytes()
    }


def test_a_new_format_is_a_file_its_test_and_a_row(copy: Path) -> None:
    """A format that is added by the instructions is written, verified, rendered and listed."""
    for step in STEPS.values():
        step.do(copy)
    new = {"reports/formats/tsv.py", "tests/reports/formats/test_tsv.py"}
    assert _changed(copy) == {*new, "reports/formats/registry.py", *DOCS}

    tests = {step.tests for step in STEPS.values()}
    done = _run(copy, "-m", "pytest", "-q", *sorted(tests), "tests/reports/formats/test_tsv.py")
    assert done.returncode == 0, done.stdout

    audit = ("-m", "cmek_audit", "audit", "-q", "--cmek-formats=tsv")
    assert [_run(copy, *audit).returncode for _ in range(2)] == [1, 1]
    written = {*RECORD, "findings.tsv"}
    report = copy / "audit-report"
    assert {file.name for file in report.iterdir()} >= written | {"previous"}
    assert {file.name for file in (report / "previous").iterdir()} >= written

    for command in ("audit", "render"):
        assert re.search(r"\btsv\b", _run(copy, "-m", "cmek_audit", command, "--help").stdout)
    rendered = _run(copy, "-m", "cmek_audit", "render", "tsv")
    assert rendered.stdout == (report / "findings.tsv").read_text()
    assert (
        rendered.stdout.count("\n")
        == json.loads((report / "audit.json").read_text())["findings"]["count"]
    )
    verified = _run(copy, "-m", "cmek_audit", "verify", "audit-report")
    assert "findings.tsv: proven" in verified.stdout


@pytest.mark.parametrize("left_out", STEPS)
def test_a_step_that_is_left_out_fails_a_test(copy: Path, left_out: str) -> None:
    """Leaving out a step fails a test whose message names the file and the step."""
    for name, step in STEPS.items():
        if name != left_out:
            step.do(copy)
    done = _run(copy, "-m", "pytest", "-q", "-x", STEPS[left_out].tests)
    assert done.returncode == 1
    assert STEPS[left_out].failure in done.stdout


def test_the_instructions_name_every_step() -> None:
    """The section on a new format names each file and command of the steps."""
    section = (ROOT / "CONTRIBUTING.md").read_text().split("## A new format\n")[1].split("\n## ")[0]
    words = " ".join(section.split())
    named = (
        "reports/formats/<module>.py",
        "tests/reports/formats/test_<module>.py",
        "reports/formats/registry.py",
        "python -m cmek_audit.docs_pages",
    )
    assert [text for text in named if text not in words] == []
