"""Audits of fleets that grow, against reading the same file: ``python benchmarks/growth.py``.

The yardstick is ``stream.py``: pydantic reads each line, and nothing is kept. A fleet has 1,000
databases an organization, and an audit writes all reports. ``--quick`` stops at 100,000 databases;
``--all`` goes on to 10,000,000, in Parquet, which takes an hour and 15 GB of disk.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from fleet import write_fleet
from measuring import HEADER, ROOT, Cost, compare, left_out, noise, row, run_python, take_turns
from suite import EXECUTOR, JOBS, audit, knows

DATABASES = 1_000
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
QUICK, USUAL = 2, 3


class Fleet(NamedTuple):
    """A fleet in a file, and the folder for the reports of its audits."""

    databases: int
    path: Path
    reports: Path

    def audit(self, *options: str) -> Cost:
        """Audit the fleet, with all reports."""
        return audit(self.path, self.reports, *options)

    def stream(self) -> Cost:
        """Read it by pydantic."""
        return run_python(ROOT / "benchmarks" / "stream.py", self.path)


def write(folder: Path, databases: int) -> Fleet:
    """Write a fleet of so many databases."""
    path = folder / f"{databases}.ndjson"
    write_fleet(path, databases // DATABASES, DATABASES)
    return Fleet(databases, path, folder / "r")


def compare_streams(fleets: list[Fleet]) -> None:
    """Compare each audit with reading its file."""
    for fleet in fleets:
        compare(
            f"{fleet.databases:,} databases against reading them by pydantic",
            fleet.audit,
            fleet.stream,
            "processor ≤ 4.5, memory ≤ 300 MiB" if fleet.databases == SIZES[2] else "",
            turns=1 if fleet.databases > SIZES[1] else 3,
        )


def compare_growth(fleets: list[Fleet]) -> None:
    """Compare each fleet with the one before it, which has a tenth of its databases."""
    for small, large in pairwise(fleets):
        compare(
            f"{large.databases:,} databases against {small.databases:,}",
            large.audit,
            small.audit,
            "processor ≤ 10",
            turns=1,
        )


def compare_processes(fleet: Fleet) -> None:
    """Compare two processes with one, on the wall: both use the same time of the processor."""
    name = f"{fleet.databases:,} databases"
    if not knows(JOBS):
        left_out("two processes", f"this version has no {JOBS}")
        return
    two, one, stream = take_turns(1, lambda: fleet.audit(f"{JOBS}=2"), fleet.audit, fleet.stream)
    row(f"{name}, two processes against one", two, one, "wall ≤ 0.59")
    row(f"{name}, two processes against reading by pydantic", two, stream, "wall ≤ 2.7")


def compare_dask(fleet: Fleet) -> None:
    """Compare a Dask cluster of two processes on this machine with one process."""
    if not knows(EXECUTOR):
        left_out("Dask", f"this version has no {EXECUTOR}")
        return
    try:
        from distributed import LocalCluster  # noqa: PLC0415 (an extra)
    except ImportError:
        left_out("Dask", "the extra [dask] is not installed")
        return
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        dask = f"{EXECUTOR}=dask={cluster.scheduler_address}"
        two, one = take_turns(1, lambda: fleet.audit(dask), fleet.audit)
    # The workers are no processes of the audit: only the wall compares.
    name = f"{fleet.databases:,} databases, Dask with two workers against one process"
    row(name, two, one, "wall ≤ 0.71")


def in_parquet(fleet: Fleet) -> Fleet | None:
    """Convert a fleet into Parquet; None if that is not possible."""
    folder = fleet.path.with_suffix("")
    try:
        run_python("-m", "cmek_audit", "convert", fleet.path, folder)
    except SystemExit as problem:
        left_out(f"{fleet.databases:,} databases in Parquet", f"they were not converted: {problem}")
        return None
    return fleet._replace(path=folder)


def compare_parquet(fleets: list[Fleet]) -> None:
    """Compare Parquet with NDJSON, and a fleet in Parquet with one of a tenth of its databases."""
    small = in_parquet(fleets[0])
    if small is None:
        return
    name = f"{small.databases:,} databases in Parquet against NDJSON"
    compare(name, small.audit, fleets[0].audit, turns=1)
    for fleet in fleets[1:]:
        if large := in_parquet(fleet):
            name = f"{large.databases:,} databases against {small.databases:,}, both in Parquet"
            compare(name, large.audit, small.audit, "wall ≤ 10", turns=1)


def main() -> None:
    """Print the table."""
    count = QUICK if "--quick" in sys.argv else len(SIZES) if "--all" in sys.argv else USUAL
    print(HEADER)
    with tempfile.TemporaryDirectory() as name:
        fleets = [write(Path(name), databases) for databases in SIZES[:count]]
        usual = fleets[:USUAL]
        compare_streams(usual)
        compare_growth(usual)
        compare_processes(usual[-1])
        compare_dask(usual[-1])
        compare_parquet(fleets[len(usual) - 1 :])
    noise()


if __name__ == "__main__":
    main()
