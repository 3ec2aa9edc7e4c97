"""Compares collecting evidence with fetching the same bare: ``python benchmarks/live.py``.

A server on loopback stands for Astra, with 20 ms of latency. The bare arrangements ask for every
address that the collecting asked for, at the same concurrency, and throw the answers away; the best
of them is the yardstick. Each runs in a process of its own, in one run: only ratios count.
"""

from __future__ import annotations

import argparse
import asyncio
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
PER_CLIENT = (1, 4, 8, 16)
"""How many workers share a client, in each bare arrangement."""


class Rate(NamedTuple):
    """What was reached: requests, wall time in seconds, peak memory of one process in MiB."""

    requests: int
    seconds: float
    mebibytes: float

    @property
    def speed(self) -> float:
        """Return requests a second."""
        return self.requests / self.seconds


# --- in a process of its own ----------------------------------------------------------------------


def collect_all(folder: Path) -> None:
    """Collect the organizations of ``folder``, and print what that took."""
    from inventory.astra.collector import collect  # noqa: PLC0415 (so is its import measured apart)
    from inventory.astra.config import read_organizations  # noqa: PLC0415
    from inventory.evidence.manifest import read_manifest  # noqa: PLC0415

    wanted = read_organizations(str(folder / "organizations.yaml"))
    started = time.perf_counter()
    collected = collect(wanted, str(folder / "evidence"), os.environ)
    seconds = time.perf_counter() - started
    _report(read_manifest(collected.bundle).requests, seconds)


def fetch_all(folder: Path, per_client: int) -> None:
    """Fetch what the bundle in ``folder`` holds, ``per_client`` workers to a client."""
    asked: list[tuple[str, str]] = json.loads((folder / "asked.json").read_text())
    started = time.perf_counter()
    asyncio.run(_fetch(iter(asked), per_client))
    _report(len(asked), time.perf_counter() - started)


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


def _report(requests: int, seconds: float) -> None:
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    memory = max(resource.getrusage(who).ru_maxrss for who in whose) / 1024
    print(json.dumps([requests, seconds, memory]))


# --- the comparison -------------------------------------------------------------------------------


def run(environment: dict[str, str], *words: object) -> Rate:
    """Run this file in a process of its own."""
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return Rate(*json.loads(done.stdout))


def compare(organizations: int, databases: int, rounds: int) -> None:
    """Print the rates, and the ratio of the collecting to the best bare arrangement."""
    from tests.astra.fleet import Fleet, large_fleet, organizations_data  # noqa: PLC0415

    fleet = large_fleet(organizations, databases)
    environment = {name: value for name, value in os.environ.items() if name not in UNUSUAL}
    environment |= dict(fleet.environment) | {"PYTHONPATH": str(ROOT)}
    with _server(environment, organizations, databases) as address, _folder() as folder:
        quarter = Fleet(fleet.organizations[: organizations // 4])
        _write(folder, organizations_data(quarter, address))
        small = run(environment, "collect", folder)
        _write(folder, organizations_data(fleet, address))
        run(environment, "collect", folder)
        _note_asked(
            folder, [organization.variable for organization in fleet.organizations], address
        )
        ours: list[Rate] = []
        bare: dict[int, list[Rate]] = {per_client: [] for per_client in PER_CLIENT}
        for _ in range(rounds):
            ours.append(run(environment, "collect", folder))
            for per_client, rates in bare.items():
                rates.append(run(environment, "fetch", folder, per_client))
    _print(small, ours, bare)


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


def _write(folder: Path, data: dict[str, Any]) -> None:
    (folder / "organizations.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    shutil.rmtree(folder / "evidence", ignore_errors=True)


def _note_asked(folder: Path, variables: list[str], address: str) -> None:
    """Write down what the last collecting asked for, and with whose token."""
    (bundle,) = (folder / "evidence").iterdir()
    asked = [
        (f"{address}{json.loads(file.read_bytes())['address']}", variable)
        for number, variable in enumerate(variables, 1)
        for file in sorted((bundle / f"exchanges/{number:04}").iterdir())
    ]
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")


def _print(small: Rate, ours: list[Rate], bare: dict[int, list[Rate]]) -> None:
    best = max(bare, key=lambda per_client: _median(bare[per_client]).speed)
    print("| what | requests | seconds | requests/s | MiB |\n|---|---|---|---|---|")
    _row("collecting a quarter of them", small)
    _row("**collecting**", _median(ours))
    for per_client, rates in bare.items():
        _row(f"bare, {per_client} workers a client", _median(rates))
    ratio = _median(ours).speed / _median(bare[best]).speed
    growth = _median(ours).mebibytes / small.mebibytes
    print(f"\ncollecting / best bare: {ratio:.2f}; memory, all / a quarter: {growth:.2f}")


def _median(rates: list[Rate]) -> Rate:
    return sorted(rates, key=lambda rate: rate.speed)[len(rates) // 2]


def _row(what: str, rate: Rate) -> None:
    reported = f"{rate.requests:,} | {rate.seconds:.2f} | {rate.speed:,.0f} | {rate.mebibytes:.0f}"
    print(f"| {what} | {reported} |")


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
