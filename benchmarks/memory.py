"""Draws the memory of audits over time: ``python benchmarks/memory.py [--svg FILE] [DATABASES …]``.

Each audit is a process with all reports. Ten times a second, the memory of it and of the processes
that it started is read. Printed is the largest in each twentieth of its time, so that audits of all
sizes have one table. The drawing has a line an audit, over its time from start to end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fleet import AS_OF, write_fleet
from measuring import ROOT, run_python

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (10_000, 100_000, 1_000_000)
DATABASES = 1_000
PARTS = 20
PERIOD = 0.1
WIDTH, HEIGHT, MARGIN = 640, 260, 48
COLOURS = ("#1b6ca8", "#b4532a", "#3d7a37", "#6b4c9a")


class Curve(NamedTuple):
    """The memory of one audit.

    Attributes:
        databases: how many it has.
        seconds: how long it took.
        mebibytes: the largest in each part of its time.
    """

    databases: int
    seconds: float
    mebibytes: list[float]

    @property
    def name(self) -> str:
        """Describe it for a row or a line."""
        return f"{self.databases:,} databases, {self.seconds:.0f} s"


def measure(folder: Path, databases: int, options: Sequence[str]) -> Curve:
    """Audit a fleet of so many databases, and watch its memory."""
    inventory = folder / f"{databases}.ndjson"
    run_python(__file__, "--write", inventory, databases)
    words = [f"--cmek-inventory={inventory}", f"--cmek-as-of={AS_OF}", *options]
    command = [sys.executable, "-m", "pytest", *words, f"--cmek-report-dir={folder}/r"]
    started, samples = time.monotonic(), list[tuple[float, float]]()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            samples.append((time.monotonic() - started, _memory(process.pid)))
            time.sleep(PERIOD)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"the audit ended with {process.returncode}")
    seconds = time.monotonic() - started
    parts = [0.0] * PARTS
    for at, mebibytes in samples:
        part = min(PARTS - 1, int(at / seconds * PARTS))
        parts[part] = max(parts[part], mebibytes)
    inventory.unlink()
    return Curve(databases, seconds, parts)


def _memory(pid: int) -> float:
    """Return the memory of a process and of all below it, in MiB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return 0.0
    own = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(own.split()[1]) / 1_024 + sum(map(_memory, map(int, children.split())))


# --- the drawing ----------------------------------------------------------------------------------


def draw(curves: Sequence[Curve]) -> str:
    """Return an image of the curves, in SVG."""
    top = max(max(curve.mebibytes) for curve in curves) * 1.1
    lines = [_line(number, curve, top) for number, curve in enumerate(curves)]
    steps = [round(top * part / 4 / 10) * 10 for part in range(5)]
    scale = [
        f'<text x="{MARGIN - 6}" y="{_height(step, top) + 4:.0f}" text-anchor="end">{step}</text>'
        f'<path d="M{MARGIN} {_height(step, top):.0f}H{WIDTH - MARGIN}" stroke="#ddd"/>'
        for step in steps
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            '<g font-family="sans-serif" font-size="12">',
            "<title>Memory of audits over their time, in MiB</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            *scale,
            *lines,
            f'<text x="{MARGIN}" y="{HEIGHT - 8}">start</text>',
            f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 8}" text-anchor="end">end</text>',
            "</g></svg>\n",
        ]
    )


def _line(number: int, curve: Curve, top: float) -> str:
    step = (WIDTH - 2 * MARGIN) / (PARTS - 1)
    points = " ".join(
        f"{MARGIN + part * step:.0f},{_height(mebibytes, top):.0f}"
        for part, mebibytes in enumerate(curve.mebibytes)
    )
    colour = COLOURS[number % len(COLOURS)]
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>\n'
        f'<text x="{MARGIN + 8}" y="{16 + 15 * number}" fill="{colour}">{curve.name}</text>'
    )


def _height(mebibytes: float, top: float) -> float:
    return HEIGHT - MARGIN / 2 - mebibytes / top * (HEIGHT - MARGIN)


def main() -> None:
    """Print the table, and write the image if one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--option", action="append", default=[], help="of the audits")
    parser.add_argument("databases", nargs="*", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        curves = [
            measure(Path(name), databases, given.option) for databases in given.databases or SIZES
        ]
    shown = range(1, PARTS, 2)
    print("|".join(["| MiB after ", *(f" {(part + 1) * 100 // PARTS} % " for part in shown)]) + "|")
    print("|---" * (len(shown) + 1) + "|")
    for curve in curves:
        print("|".join([f"| {curve.name} ", *(f" {curve.mebibytes[p]:.0f} " for p in shown)]) + "|")
    if given.svg:
        given.svg.write_text(draw(curves), "utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--write", path, databases]:
            write_fleet(Path(path), int(databases) // DATABASES, DATABASES)
        case _:
            main()
