"""Reads one fleet in each format, beside the yardstick: ``python benchmarks/reading.py [--quick]``.

CPU seconds of whole processes, interleaved, the least of three: the machine may be noisy. The
yardstick is ``stream.py``, which reads every line by pydantic and keeps nothing. The others make
organizations of what they read, with hashes, secret search and search for duplicates.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from fleet import write_fleet

ROOT = Path(__file__).parent.parent
IN_ORGANIZATION = 1_000
ROUNDS = 3

READ = """
import sys
from inventory.opening import open_stream
for organization in open_stream(sys.argv[1]).organizations():
    pass
"""
"""What is measured: an inventory, read to its end."""

STARTS = ("import inventory.opening, inventory.parquet.reader", "import benchmarks.stream")
"""The starts of such processes, which are subtracted."""


class Cost(NamedTuple):
    """What a process cost: CPU time in seconds, peak memory in MiB."""

    seconds: float
    mebibytes: float


def run(*arguments: str) -> Cost:
    """Run Python to its end; any exit code but 0 is an error."""
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def commands(stream: Path, parquet: Path) -> dict[str, tuple[str, ...]]:
    """Return what is measured, by what the table calls it."""
    return {
        "yardstick: pydantic, nothing kept": (str(ROOT / "benchmarks/stream.py"), str(stream)),
        "NDJSON": ("-c", READ, str(stream)),
        "Parquet": ("-c", READ, str(parquet)),
    }


def measure(folder: Path, count: int) -> None:
    """Print the rows of a fleet of ``count`` databases."""
    stream, parquet = folder / f"{count}.ndjson", folder / str(count)
    write_fleet(stream, count // IN_ORGANIZATION, IN_ORGANIZATION)
    run("-m", "cmek_audit", "convert", str(stream), str(parquet))
    measured = commands(stream, parquet)
    rounds = [{name: run(*command) for name, command in measured.items()} for _ in range(ROUNDS)]
    best = {name: min(costs[name] for costs in rounds) for name in measured}
    suite, pydantic = (min(run("-c", start).seconds for _ in range(ROUNDS)) for start in STARTS)
    yardstick = next(iter(best.values())).seconds - pydantic
    for name, cost in best.items():
        seconds = cost.seconds - (pydantic if name.startswith("yardstick") else suite)
        time, ratio = f"{seconds / count * 1e6:.1f}", f"{seconds / yardstick:.2f}"
        print(f"| {count:,} | {name} | {time} | {ratio} | {cost.mebibytes:.0f} |", flush=True)


def main() -> None:
    """Print the table."""
    print("| databases | read as | µs each | against the yardstick | MiB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for count in (20_000, 200_000) if "--quick" in sys.argv else (100_000, 1_000_000):
            measure(Path(name), count)


if __name__ == "__main__":
    main()
