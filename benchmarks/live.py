"""Compares collecting evidence with fetching the same bare: ``python benchmarks/live.py``.

A server on loopback stands for Astra, with 20 ms of latency. The bare arrangements ask for every
address that the collecting asked for, at the same concurrency, and throw the answers away; the best
of them is the yardstick. Each runs in a process of its own, in one run: only ratios count.

A quarter of the organizations is collected by one process: its processor time for each request is
compared with that of the bare arrangements, each of which is one process, too.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
UNUSUAL = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
CONNECTIONS = 64
LATENCY = 0.02
WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
PER_CLIENT = (1, 4, 8, 16)
"""How many workers share a client, in each bare arrangement."""


class Rate(NamedTuple):
    """What was reached: requests, seconds, those of processors, peak memory of one process in MiB.

    Attributes:
        files: how many files were written; 0 by the bare arrangements.
        size: how many bytes they have.
    """

    requests: int
    seconds: float
    busy: float
    mebibytes: float
    files: int = 0
    size: int = 0

    @property
    def speed(self) -> float:
        """Return requests a second."""
        return self.requests / self.seconds

    @property
    def cost(self) -> float:
        """Return the processor time of a request, in milliseconds."""
        return 1_000 * self.busy / self.requests


# --- in a process of its own ----------------------------------------------------------------------


def collect_all(folder: Path) -> None:
    """Collect the organizations of ``folder``, and print what that took."""
    from inventory.astra.collector import collect  # noqa: PLC0415 (so is its import measured apart)
    from inventory.astra.config import read_organizations  # noqa: PLC0415
    from inventory.evidence.manifest import read_manifest  # noqa: PLC0415

    shutil.rmtree(folder / "evidence", ignore_errors=True)
    wanted = read_organizations(str(folder / "organizations.yaml"))
    with _measured() as taken:
        collected = collect(wanted, str(folder / "evidence"), os.environ)
    files = [path for path in Path(collected.bundle).rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    _report(read_manifest(collected.bundle).requests, taken, len(files), size)


def fetch_all(folder: Path, per_client: int) -> None:
    """Fetch what the bundle in ``folder`` holds, ``per_client`` workers to a client."""
    asked: list[tuple[str, str]] = json.loads((folder / "asked.json").read_text())
    with _measured() as taken:
        asyncio.run(_fetch(iter(asked), per_client))
    _report(len(asked), taken)


async def _fetch(asked: Iterator[tuple[str, str]], per_client: int) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        for url, variable in asked:
            headers = {"Authorization": f"Bearer {os.environ[variable]}"}
            await client.get(url, headers=headers)

    context = httpx.create_ssl_context()
    clients = [httpx.AsyncClient(verify=context) for _ in range(CONNECTIONS // per_client)]
    await asyncio.gather(*(work(client) for client in clients for _ in range(per_client)))
    for client in clients:
        await client.aclose()


@contextmanager
def _measured() -> Iterator[list[float]]:
    """Measure the seconds, and those of processors, here and in processes that end meanwhile."""
    taken: list[float] = []
    started, busy = time.perf_counter(), _busy()
    yield taken
    taken += [time.perf_counter() - started, _busy() - busy]


def _busy() -> float:
    used = map(resource.getrusage, WHOSE)
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _report(requests: int, taken: list[float], files: int = 0, size: int = 0) -> None:
    memory = max(resource.getrusage(who).ru_maxrss for who in WHOSE) / 1024
    print(json.dumps([requests, *taken, memory, files, size]))


# --- the comparison -------------------------------------------------------------------------------


def run(environment: dict[str, str], *words: object) -> Rate:
    """Run this file in a process of its own."""
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return Rate(*json.loads(done.stdout))


def compare(organizations: int, databases: int, rounds: int) -> None:
    """Print the rates, and the ratio of the collecting to the best bare arrangement."""
    from tests.astra.fleet import Fleet, large_fleet  # noqa: PLC0415

    fleet = large_fleet(organizations, databases)
    environment = {name: value for name, value in os.environ.items() if name not in UNUSUAL}
    environment |= dict(fleet.environment) | {"PYTHONPATH": str(ROOT)}
    with _server(environment, organizations, databases) as address, _folder() as folder:
        quarter = Fleet(fleet.organizations[: organizations // 4])
        parts = [
            _Part(environment, folder / name, some, address)
            for name, some in (("quarter", quarter), ("all", fleet))
        ]
        for _ in range(rounds):
            for part in parts:
                part.measure()
    _print(*parts)


class _Part:
    """Some organizations: what it takes to collect them, and to fetch the same bare.

    Attributes:
        ours: the rates of the collecting.
        bare: the rates of each bare arrangement.
    """

    def __init__(self, environment: dict[str, str], folder: Path, fleet: Any, address: str) -> None:  # noqa: ANN401 (of the tests)
        from tests.astra.fleet import organizations_data  # noqa: PLC0415

        self.ours: list[Rate] = []
        self.bare: dict[int, list[Rate]] = {per_client: [] for per_client in PER_CLIENT}
        self._environment, self._folder = environment, folder
        folder.mkdir()
        data = organizations_data(fleet, address)
        (folder / "organizations.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
        run(environment, "collect", folder)
        variables = [organization.variable for organization in fleet.organizations]
        _note_asked(folder, variables, address)

    def measure(self) -> None:
        """Collect once, and fetch once by each bare arrangement."""
        self.ours.append(run(self._environment, "collect", self._folder))
        for per_client, rates in self.bare.items():
            rates.append(run(self._environment, "fetch", self._folder, per_client))

    def best(self) -> Rate:
        """Return the median of the fastest bare arrangement."""
        return max(map(_median, self.bare.values()), key=lambda rate: rate.speed)

    def cheapest(self) -> Rate:
        """Return the median of the bare arrangement that takes the least processor time."""
        return min(map(_median, self.bare.values()), key=lambda rate: rate.cost)


@contextmanager
def _server(environment: dict[str, str], organizations: int, databases: int) -> Iterator[str]:
    words = ["--organizations", organizations, "--databases", databases, "--latency", LATENCY]
    command = [sys.executable, "-m", "tests.astra.server", *map(str, words)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _note_asked(folder: Path, variables: list[str], address: str) -> None:
    """Write down what the last collecting asked for, and with whose token."""
    (bundle,) = (folder / "evidence").iterdir()
    asked = [
        (f"{address}{json.loads(line)['address']}", variable)
        for number, variable in enumerate(variables, 1)
        for line in _lines(bundle / f"exchanges/{number:04}.ndjson.gz")
    ]
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")


def _lines(file: Path) -> list[bytes]:
    return gzip.decompress(file.read_bytes()).splitlines()


def _print(quarter: _Part, whole: _Part) -> None:
    print("| what | requests | seconds | requests/s | ms of a processor | MiB |")
    print("|---|---|---|---|---|---|")
    for part, name in ((quarter, "a quarter of them, one process"), (whole, "all of them")):
        _row(f"**collecting** {name}", _median(part.ours))
        for per_client, rates in part.bare.items():
            _row(f"bare, {per_client} workers a client", _median(rates))
    alone, ours = _median(quarter.ours), _median(whole.ours)
    growth = ours.mebibytes / alone.mebibytes
    print(f"\ncollecting / best bare: {ours.speed / whole.best().speed:.2f} by requests a second")
    print(f"bare / collecting, a process each: {quarter.cheapest().cost / alone.cost:.2f} by time")
    print(f"memory, all / a quarter: {growth:.2f}")
    print(f"evidence of all: {ours.files:,} files, {ours.size / 1e6:.1f} MB")


def _median(rates: list[Rate]) -> Rate:
    return sorted(rates, key=lambda rate: rate.busy)[len(rates) // 2]


def _row(what: str, rate: Rate) -> None:
    speed = f"{rate.requests:,} | {rate.seconds:.2f} | {rate.speed:,.0f}"
    print(f"| {what} | {speed} | {rate.cost:.2f} | {rate.mebibytes:.0f} |")


def main() -> None:
    """Compare, or be one of the processes that are compared."""
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organizations", type=int, default=200)
    parser.add_argument("--databases", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("part", nargs="*", help=argparse.SUPPRESS)
    reported = parser.parse_args()
    if reported.part[:1] == ["collect"]:
        collect_all(Path(reported.part[1]))
    elif reported.part[:1] == ["fetch"]:
        fetch_all(Path(reported.part[1]), int(reported.part[2]))
    else:
        compare(reported.organizations, reported.databases, reported.rounds)


if __name__ == "__main__":
    main()
