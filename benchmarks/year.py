"""Measures an audit with a year of nights: ``python benchmarks/year.py``.

A server on loopback stands for Astra. Some nights are collected from it, and the others are made
from the first of these: its inventory with the times of another day, other hashes of its readings,
and now and then another name of a database; with a manifest that names the night before. Audits
with and without the year run alternately, each in a process of its own: only ratios count.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
UNUSUAL = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
REAL = 3
"""How many nights are collected in full."""

KEPT = 30
"""How many nights are kept whole by pruning."""

_HASH = re.compile(rb'"sha256":"[0-9a-f]{64}"')


class Cost(NamedTuple):
    """What a process took: CPU seconds, wall seconds, peak memory in MiB."""

    cpu: float
    wall: float
    mebibytes: float


def run(*words: object, code: int | None = None) -> Cost:
    """Run a command of the suite in a process of its own."""
    command = [sys.executable, "-m", "cmek_audit", *map(str, words)]
    environment = {name: value for name, value in os.environ.items() if name not in UNUSUAL}
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if code is not None and process.returncode != code:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{text.decode()}")
    wall = time.perf_counter() - started
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


# --- the nights -----------------------------------------------------------------------------------


def collect_nights(folder: Path, organizations: int, databases: int) -> list[Path]:
    """Collect some nights; return them in order."""
    import yaml  # noqa: PLC0415

    from inventory.astra.collector import collect  # noqa: PLC0415
    from inventory.astra.config import read_organizations  # noqa: PLC0415
    from tests.astra.fleet import large_fleet, organizations_data  # noqa: PLC0415

    fleet = large_fleet(organizations, databases)
    os.environ.update(dict(fleet.environment))
    with _server(organizations, databases) as address:
        file = folder / "organizations.yaml"
        file.write_text(yaml.safe_dump(organizations_data(fleet, address)), encoding="utf-8")
        for _ in range(REAL):
            collect(read_organizations(str(file)), str(folder / "real"), os.environ)
    return sorted((folder / "real").iterdir())


@contextlib.contextmanager
def _server(organizations: int, databases: int) -> Iterator[str]:
    words = ["--organizations", organizations, "--databases", databases, "--latency", 0]
    command = [sys.executable, "-m", "tests.astra.server", *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def make_nights(night: Path, folder: Path, count: int) -> dict[str, str] | None:
    """Write ``count`` nights before ``night``, each with its inventory and its manifest only."""
    chance = random.Random(1)
    manifest = json.loads((night / "manifest.json").read_bytes())
    inventory = (night / "inventory.ndjson").read_bytes()
    last = datetime.fromisoformat(manifest["started"])
    previous = None
    for number in range(count):
        day = last - timedelta(days=count - number)
        texts = (f"{last:%Y-%m-%dT}".encode(), f"{day:%Y-%m-%dT}".encode())
        changed = _HASH.sub(
            lambda _: b'"sha256":"%s"' % chance.randbytes(32).hex().encode(), inventory
        ).replace(*texts)
        if number % 20 == 10:  # noqa: PLR2004
            name = f'"name":"orders-{chance.randrange(20):04}"'.encode()
            changed = changed.replace(name, name[:-1] + b'-renamed"')
        previous = _write_night(
            folder / f"{day:%Y-%m-%dT%H-%M-%SZ}", changed, manifest, previous, texts
        )
    return previous


def add_whole_night(night: Path, folder: Path, previous: dict[str, str] | None) -> None:
    """Add ``night`` itself, with all its files, after those that were made."""
    manifest = json.loads((night / "manifest.json").read_bytes())
    inventory = (night / "inventory.ndjson").read_bytes()
    path = folder / night.name
    shutil.copytree(night, path)
    _write_night(path, inventory, manifest, previous, (b"", b""))


def _write_night(
    path: Path,
    inventory: bytes,
    manifest: dict[str, Any],
    previous: dict[str, str] | None,
    texts: tuple[bytes, bytes],
) -> dict[str, str]:
    from inventory.evidence.manifest import root_line  # noqa: PLC0415

    path.mkdir(parents=True, exist_ok=True)
    (path / "inventory.ndjson").write_bytes(inventory)
    own = {"path": "inventory.ndjson", "size": len(inventory)}
    own["sha256"] = hashlib.sha256(inventory).hexdigest()
    files = [own if file["path"] == own["path"] else file for file in manifest["files"]]
    fields = manifest | {"previous": previous, "files": files}
    lines = [
        f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))},\n"
        for name, value in fields.items()
        if name != "root"
    ]
    text = ("{\n" + "".join(lines)).encode()
    text = text.replace(*texts) if texts[0] else text
    root = hashlib.sha256(text).hexdigest()
    (path / "manifest.json").write_bytes(text + root_line(root))
    return {"name": path.name, "root": root}


# --- the measurements -----------------------------------------------------------------------------


def compare(organizations: int, databases: int, nights: int, rounds: int) -> None:
    """Print what an audit costs with and without a year, and what the other commands cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        real = collect_nights(folder, organizations, databases)
        last = make_nights(real[-1], folder / "year", nights)
        add_whole_night(real[-1], folder / "year", last)
        print("| what | CPU s | wall s | MiB | files | MB |\n|---|---|---|---|---|---|")
        present = folder / "year" / real[-1].name
        one, many = _audits(present, folder, rounds)
        _row("an audit without a history", one)
        _row(f"an audit with {nights} nights", many, folder / "year")
        _row(
            f"verify, {REAL} nights whole", run("verify", folder / "real", code=0), folder / "real"
        )
        chain = ("verify", folder / "year", "--chain-only")
        _row(f"verify, the chain of {nights + 1}", run(*chain, code=0))
        _row(f"prune to {KEPT}", run("prune", folder / "year", f"--keep={KEPT}", code=0))
        _, pruned = _audits(present, folder, rounds)
        _row("an audit with the summary of the others", pruned, folder / "year")
    for what, cost in (("a year", many), ("a summary", pruned)):
        print(
            f"\nwith {what} / without: CPU {cost.cpu / one.cpu:.2f}, "
            f"memory {cost.mebibytes / one.mebibytes:.2f}"
        )


def _audits(present: Path, folder: Path, rounds: int) -> tuple[Cost, Cost]:
    """Return the costs of audits without and with the history, which run alternately."""
    audit = ["audit", "--cmek-inventory", present, "--cmek-report-dir", folder / "report"]
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    for _ in range(rounds):
        costs[0].append(run(*audit, code=0))
        costs[1].append(run(*audit, "--cmek-history", folder / "year", code=0))
    return _best(costs[0]), _best(costs[1])


def _best(costs: list[Cost]) -> Cost:
    return min(costs, key=lambda cost: cost.cpu)


def _row(what: str, cost: Cost, folder: Path | None = None) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()] if folder else []
    size = sum(path.stat().st_size for path in files) / 1e6
    on_disk = f"{len(files):,} | {size:.1f}" if folder else " | "
    print(f"| {what} | {cost.cpu:.2f} | {cost.wall:.2f} | {cost.mebibytes:.0f} | {on_disk} |")


def main() -> None:
    """Measure."""
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organizations", type=int, default=20)
    parser.add_argument("--databases", type=int, default=50)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    compare(given.organizations, given.databases, given.nights, given.rounds)


if __name__ == "__main__":
    main()
