"""Shows where the time of an audit goes: ``python benchmarks/profiling.py [DATABASES]``.

It needs py-spy, which samples the audit from outside. Each sample counts for the part of the suite
whose code is innermost, libraries included, so that the parts add up to the whole. The time is that
of the processor in an audit without py-spy. ``--tree`` names another copy of this project, to
compare an earlier version with this one.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from fleet import AS_OF, write_fleet
from measuring import ROOT, noise, run

RATE = 200
DATABASES = 1_000
PARTS = {
    "searching for secrets": r"inventory/text/secret",
    "reading: text and JSON": r"inventory/(files|parquet|text|opening)",
    "reading: validated models": r"inventory/(model|inventory|cloud_facts|plans|system)",
    "judging": r"checks/(?!engine/(grouping|outcome|identity))",
    "grouping, and ids": r"checks/engine",
    "adding up": r"reports/(aggregation|comparison)",
    "writing the record": r"reports/(record|model)",
    "rendering": r"reports/",
    "running: shards, folders, hooks": r"cmek_audit/|conftest",
}
"""Patterns of the files of each part; the first that fits counts."""

OTHER = "starting, and pytest"
_FRAME = re.compile(r"\(([^()]+?)(?::\d+)?\)$")


def audit_of(inventory: Path, folder: Path) -> list[str]:
    """Return the command that audits ``inventory`` with all reports."""
    options = (f"--cmek-as-of={AS_OF}", f"--cmek-report-dir={folder / 'r'}")
    return [sys.executable, "-m", "pytest", f"--cmek-inventory={inventory}", *options]


def sample(tree: Path, py_spy: str, audit: list[str], folder: Path) -> list[tuple[str, int]]:
    """Run ``audit`` with the suite in ``tree``; return the stacks, and how often each was."""
    stacks, rate = folder / "stacks", str(RATE)
    command = [py_spy, "record", "-r", rate, "-f", "raw", "-o", str(stacks), "--", *audit]
    output = subprocess.DEVNULL
    subprocess.run(command, cwd=tree, stdout=output, stderr=output, check=False)
    lines = (line.rpartition(" ") for line in stacks.read_text("utf-8").splitlines())
    return [(stack, int(count)) for stack, _, count in lines]


def part_of(stack: str) -> str:
    """Return the part to which the innermost frame of the suite belongs."""
    for frame in reversed(stack.split(";")):
        match = _FRAME.search(frame)
        file = match[1] if match and "site-packages" not in match[1] else ""
        for part, pattern in PARTS.items():
            if re.match(rf"(?:.*/)?{pattern}", file):
                return part
    return OTHER


def main() -> None:
    """Print how much of the time each part takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT)
    parser.add_argument("--py-spy", default=shutil.which("py-spy"))
    parser.add_argument("databases", nargs="?", type=int, default=100_000)
    given = parser.parse_args()
    if given.py_spy is None:
        raise SystemExit("py-spy was not found: install it, or give its path as --py-spy")
    with tempfile.TemporaryDirectory() as name:
        inventory = Path(name) / "fleet.ndjson"
        write_fleet(inventory, given.databases // DATABASES, DATABASES)
        tree, audit = given.tree.resolve(), audit_of(inventory, Path(name))
        samples = sample(tree, given.py_spy, audit, Path(name))
        processor = run(*audit, cwd=tree).processor
    parts = Counter[str]()
    for stack, count in samples:
        parts[part_of(stack)] += count
    print("| part | time | µs a database |\n|---|---|---|")
    whole = processor / given.databases * 1e6
    for part in (*PARTS, OTHER):
        share = parts[part] / parts.total()
        print(f"| {part} | {share:.0%} | {share * whole:.1f} |")
    print(f"| all, {processor:.1f} s | 100% | {whole:.1f} |")
    noise()


if __name__ == "__main__":
    main()
