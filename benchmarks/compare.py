"""Compares whole audits with plain pytest, as ratios: ``python benchmarks/compare.py [--quick]``.

The plain tests are trivial and parametrized, as many as the audit has findings, with pytest-html.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from fleet import write_fleet
from measuring import HEADER, Cost, compare, noise, run_python
from suite import audit

PLAIN = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_trivial(number):
    assert number >= 0
"""


def plain(folder: Path, count: int) -> Cost:
    """Run as many trivial parametrized tests, with pytest-html."""
    (folder / "test_plain.py").write_text(PLAIN.format(count=count))
    options = ("--html=plain.html", "--self-contained-html", "-p", "no:cacheprovider")
    return run_python("-m", "pytest", "-q", *options, "test_plain.py", cwd=folder)


def compare_findings(folder: Path, count: int, wanted: str, turns: int) -> None:
    """Compare an audit that gives about ``count`` findings with as many plain tests."""
    inventory = folder / f"{count}.ndjson"
    write_fleet(inventory, max(1, count // 1000), min(count, 1000) * 95 // 100)
    compare(
        f"{count:,} findings",
        lambda: audit(inventory, folder / "r"),
        lambda: plain(folder, count),
        wanted,
        turns,
    )


def compare_failing(folder: Path, count: int) -> None:
    """Compare an audit in which everything fails with one in which everything passes."""
    passing, failing = folder / "pass.ndjson", folder / "fail.ndjson"
    write_fleet(passing, count // 1000, 950)
    write_fleet(failing, count // 1000, 950, failing=1)
    compare(
        f"{count:,} findings, all failing against all passing",
        lambda: audit(failing, folder / "r"),
        lambda: audit(passing, folder / "r"),
        "processor ≤ 2, memory ≤ 2",
    )


def compare_start(folder: Path) -> None:
    """Compare the bundled example, from start to finish, with pytest on one empty test."""
    (folder / "test_empty.py").write_text("def test_nothing():\n    pass\n")
    compare(
        "the bundled example against one empty test",
        lambda: run_python("-m", "pytest", f"--cmek-report-dir={folder}/r"),
        lambda: run_python("-m", "pytest", "test_empty.py", cwd=folder),
        "processor < 3",
        turns=5,
    )


def compare_help() -> None:
    """Compare how soon the command is there with how soon pytest is."""
    compare(
        "`cmek-audit --help` against `pytest --version`",
        lambda: run_python("-m", "cmek_audit", "--help"),
        lambda: run_python("-m", "pytest", "--version"),
        "processor < 2",
        turns=9,
    )


def main() -> None:
    """Print the table; ``--quick`` leaves out what takes minutes."""
    quick = "--quick" in sys.argv
    print(HEADER)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare_help()
        compare_start(folder)
        compare_findings(folder, 1_000, "processor ≤ 1", turns=3)
        compare_findings(folder, 10_000, "", turns=1 if quick else 3)
        if not quick:
            compare_findings(folder, 100_000, "processor ≤ 0.04, memory ≤ 0.33", turns=1)
            compare_failing(folder, 100_000)
    noise()


if __name__ == "__main__":
    main()
