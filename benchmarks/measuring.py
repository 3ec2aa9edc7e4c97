"""What all benchmarks share: processes are run in turns, and compared as ratios with their spread.

The machine may be shared and noisy. So both sides of a ratio are measured in the same run, one
after the other, and each ratio is the median of its turns, with the lowest and the highest beside
it. The time of the processor is compared: the wall also measures what else the machine does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parent.parent
UNUSUAL = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
"""Variables that would make every process compile what it imports, or print byte by byte."""

HEADER = """\
| what | this suite | against | processor | wall | memory | wanted |
|---|---|---|---|---|---|---|"""


class Cost(NamedTuple):
    """What a process and its own processes cost.

    Attributes:
        processor: seconds of the processor, of all of them.
        wall: seconds on the clock.
        mebibytes: the peak memory of the largest of them.
    """

    processor: float
    wall: float
    mebibytes: float

    def __str__(self) -> str:
        """Render it for a cell of a table."""
        return f"{self.processor:.2f} s, {self.wall:.2f} s wall, {self.mebibytes:.0f} MiB"


def run(*command: object, cwd: Path = ROOT, **variables: str) -> Cost:
    """Run ``command`` to its end; any exit code but 0 and 1 is an error."""
    environment = {name: value for name, value in os.environ.items() if name not in UNUSUAL}
    started = time.perf_counter()
    words = [str(word) for word in command]
    process = subprocess.Popen(
        words, cwd=cwd, env=environment | variables, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def run_python(*arguments: object, cwd: Path = ROOT) -> Cost:
    """Run this Python with ``arguments``."""
    return run(sys.executable, *arguments, cwd=cwd)


def take_turns(turns: int, *sides: Callable[[], Cost]) -> list[list[Cost]]:
    """Run each of ``sides`` so many times, one after the other; return the costs of each side."""
    rounds = [[side() for side in sides] for _ in range(turns)]
    return [list(costs) for costs in zip(*rounds, strict=True)]


def middle(costs: Sequence[Cost]) -> Cost:
    """Return the median of each part of the costs."""
    return Cost(*map(median, zip(*costs, strict=True)))


def ratio(ours: Sequence[float], other: Sequence[float]) -> str:
    """Return the median of the ratios of all turns, with the lowest and the highest."""
    ratios = sorted(one / two for one, two in zip(ours, other, strict=True))
    spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if len(ratios) > 1 else ""
    return f"{median(ratios):.2f}{spread}"


def row(name: str, ours: Sequence[Cost], other: Sequence[Cost], wanted: str = "") -> None:
    """Print a line of the table, from the costs of each turn."""
    parts = zip(zip(*ours, strict=True), zip(*other, strict=True), strict=True)
    ratios = " | ".join(ratio(one, two) for one, two in parts)
    print(f"| {name} | {middle(ours)} | {middle(other)} | {ratios} | {wanted} |", flush=True)


def compare(
    name: str, ours: Callable[[], Cost], other: Callable[[], Cost], wanted: str = "", turns: int = 3
) -> None:
    """Run both sides in turns, and print a line of the table."""
    one, two = take_turns(turns, ours, other)
    row(name, one, two, wanted)


def left_out(what: str, why: str) -> None:
    """Say that a row is missing, and why."""
    print(f"Left out: {what}, as {why}.", flush=True)


def noise(turns: int = 5) -> None:
    """Print how much the same work differs on this machine: the noise of every ratio."""
    work = "sum(number * number for number in range(3_000_000))"
    costs = take_turns(turns, lambda: run_python("-c", work))[0]
    lowest, highest = (choose(cost.processor for cost in costs) for choose in (min, max))
    slowest = max(cost.wall / cost.processor for cost in costs)
    print(
        f"\nNoise: the same work took {lowest:.2f} to {highest:.2f} s of the processor "
        f"({highest / lowest:.2f}), and up to {slowest:.1f} times that on the wall. "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}."
    )
