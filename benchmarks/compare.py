"""Compares whole processes in one run, as ratios: ``python benchmarks/compare.py [--quick]``.

The machine may be shared and noisy: only what was measured in the same run can be compared.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from fleet import AS_OF, write_fleet

ROOT = Path(__file__).parent.parent
UNUSUAL = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
"""Variables that would make every process compile what it imports, or print byte by byte."""

PLAIN = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_trivial(number):
    assert number >= 0
"""


class Cost(NamedTuple):
    """What a process cost: wall time in seconds, peak memory in MiB."""

    seconds: float
    mebibytes: float


def run(*command: str, cwd: Path = ROOT) -> Cost:
    """Run ``command`` to its end; any exit code but 0 and 1 is an error."""
    environment = {name: value for name, value in os.environ.items() if name not in UNUSUAL}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(time.perf_counter() - started, usage.ru_maxrss / 1024)


def audit(inventory: Path, reports: Path) -> Cost:
    """Audit ``inventory`` with all reports."""
    return run(
        sys.executable,
        "-m",
        "pytest",
        f"--cmek-inventory={inventory}",
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={reports}",
    )


def plain(folder: Path, count: int) -> Cost:
    """Run as many trivial parametrized tests, with pytest-html."""
    (folder / "test_plain.py").write_text(PLAIN.format(count=count))
    options = ("--html=plain.html", "--self-contained-html", "-p", "no:cacheprovider")
    return run(sys.executable, "-m", "pytest", "-q", *options, "test_plain.py", cwd=folder)


def row(name: str, ours: Cost, other: Cost, wanted: str) -> None:
    """Print a line of the table."""
    time_ratio = ours.seconds / other.seconds
    memory_ratio = ours.mebibytes / other.mebibytes
    print(
        f"| {name} | {ours.seconds:.2f} s, {ours.mebibytes:.0f} MiB "
        f"| {other.seconds:.2f} s, {other.mebibytes:.0f} MiB "
        f"| {time_ratio:.2f} | {memory_ratio:.2f} | {wanted} |",
        flush=True,
    )


def compare_findings(folder: Path, count: int, wanted: str) -> None:
    """Compare an audit that gives about ``count`` findings with as many plain tests."""
    inventory = folder / f"{count}.ndjson"
    write_fleet(inventory, max(1, count // 1000), min(count, 1000) * 95 // 100)
    row(f"{count:,} findings", audit(inventory, folder / "r"), plain(folder, count), wanted)


def compare_failing(folder: Path, count: int) -> None:
    """Compare an audit in which everything fails with one in which everything passes."""
    passing, failing = folder / "pass.ndjson", folder / "fail.ndjson"
    write_fleet(passing, count // 1000, 950)
    write_fleet(failing, count // 1000, 950, failing=1)
    name = f"{count:,} findings, all failing against all passing"
    row(name, audit(failing, folder / "r"), audit(passing, folder / "r"), "time ≤ 3")


def compare_stream(folder: Path, organizations: int) -> None:
    """Compare an audit of 1,000 databases an organization with reading the file by pydantic."""
    inventory = folder / "stream.ndjson"
    write_fleet(inventory, organizations, 1000)
    stream = run(sys.executable, str(ROOT / "benchmarks" / "stream.py"), str(inventory))
    name = f"{organizations * 1000:,} databases against reading them by pydantic"
    row(name, audit(inventory, folder / "r"), stream, "time ≤ 5")


def compare_start(folder: Path) -> None:
    """Compare the bundled example, from start to finish, with pytest on one empty test."""
    (folder / "test_empty.py").write_text("def test_nothing():\n    pass\n")
    ours = [run(sys.executable, "-m", "pytest", f"--cmek-report-dir={folder}/r") for _ in range(5)]
    empty = [run(sys.executable, "-m", "pytest", "test_empty.py", cwd=folder) for _ in range(5)]
    row("the bundled example against one empty test", min(ours), min(empty), "time < 3")


def compare_help() -> None:
    """Compare how soon the command is there with how soon pytest is, in turns."""
    commands = (("cmek_audit", "--help"), ("pytest", "--version"))
    turns = [[run(sys.executable, "-m", *command) for command in commands] for _ in range(15)]
    ours, other = (sorted(column)[len(turns) // 2] for column in zip(*turns, strict=True))
    row("`cmek-audit --help` against `pytest --version`", ours, other, "time < 2")


def main() -> None:
    """Print the table; ``--quick`` leaves out what takes minutes."""
    quick = "--quick" in sys.argv
    print("| what | this suite | against | time | memory | wanted |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare_help()
        compare_start(folder)
        compare_findings(folder, 1_000, "time ≤ 1")
        compare_findings(folder, 10_000, "")
        if not quick:
            compare_findings(folder, 100_000, "time ≤ 0.05, memory ≤ 0.33")
            compare_failing(folder, 100_000)
        compare_stream(folder, 50 if quick else 1000)


if __name__ == "__main__":
    main()
