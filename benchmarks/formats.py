"""Measures what each format costs: ``python benchmarks/formats.py [ORGANIZATIONS DATABASES]``.

A fleet is audited once, and its record is rendered to each format by a command of its own, as users
do it. It prints the table in ``docs/formats.md``. Without its extra, a format is left out.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zlib
from pathlib import Path

from fleet import write_fleet
from measuring import ROOT, Cost, left_out, noise, run_python
from suite import audit

sys.path.insert(0, str(ROOT))

from reports.formats.registry import RENDERABLE, Format

FAILING = 5
"""One of so many organizations fails, with all its databases."""


def main(organizations: int, databases: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_fleet(folder / "fleet.ndjson", organizations, databases, failing=FAILING)
        reports = folder / "reports"
        audit(folder / "fleet.ndjson", reports, "--cmek-formats=json")
        head = json.loads((reports / "audit.json").read_bytes())
        count, opened = head["findings"]["count"], count_open(head)
        print(f"{count:,} findings, {opened:,} of them open, {organizations:,} organizations:\n")
        print("| format | processor | memory | size | compressed |\n|---|---|---|---|---|")
        for row in RENDERABLE.values():
            print_row(row, reports, folder / row.name)
    noise()


def count_open(head: dict[str, dict[str, int]]) -> int:
    """Return how many findings do not comply and are not waived."""
    return sum(head["counts"][status] for status in ("fail", "inconclusive", "error"))


def print_row(row: Format, reports: Path, target: Path) -> None:
    """Render one format and print its line; the start of the command is part of its time."""
    if not row.is_installed:
        left_out(row.name, f"{row.library} is not installed")
        return
    cost = run_python("-m", "cmek_audit", "render", row.name, reports, "-o", target)
    print(f"| `{row.name}` | {costs(cost)} | {sizes(target)} |", flush=True)


def costs(cost: Cost) -> str:
    """Return the cells of time and memory."""
    return f"{cost.processor:.1f} s | {cost.mebibytes:.0f} MiB"


def sizes(target: Path) -> str:
    """Return the cells of the sizes of what was written: a file, or the files of a folder."""
    files = sorted(target.iterdir()) if target.is_dir() else [target]
    whole = sum(file.stat().st_size for file in files)
    compressed = sum(map(compressed_size, files))
    return f"{whole / 1e6:.1f} MB | {compressed / 1e6:.1f} MB"


def compressed_size(file: Path) -> int:
    """Return the size of a file as gzip makes it; never read whole.

    The peak of this process would be that of each process it starts from then on.
    """
    compressor, size = zlib.compressobj(1), 0
    with file.open("rb") as opened:
        while block := opened.read(1_048_576):
            size += len(compressor.compress(block))
    return size + len(compressor.flush())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ("100", "932")))
