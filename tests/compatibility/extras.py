"""Each extra that is no cloud, alone: ``python -m tests.compatibility.extras``.

An environment that is thrown away is made for the core and for each extra. In each of them an audit
must be as ever, and what the extra is for must work; in the core, it must be missing in words.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clusters.local import processes
from tests.compatibility.environments import INVENTORIES, ROOT, Environment, audit, make

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING = "pip install 'cmek-audit[dask]'"
TASK = """
import sys
from cmek_audit import install_location
install_location.enable()
from inventory.system.dask_cluster import open_cluster
with open_cluster(sys.argv[1]) as executor:
    print(executor.submit(abs, -3).result(timeout=60))
"""


def main() -> int:
    """Try each set; print a line for each, and return 1 if one is not as it should be."""
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        for extra, works in SETS.items():
            words = ("-c", "constraints.txt", f".[{extra}]" if extra else ".")
            environment = make(Path(scratch) / "environment", *words)
            inventory = INVENTORIES["compliant"]
            code = audit(environment, Path(scratch) / "r", "cmek-audit", *inventory).code
            problem = works(environment, Path(scratch)) or (f"exit code {code}" if code else "")
            shown = problem or "as it should be"
            print(f"| {extra or 'core'} | {_size(environment)} | {shown} |", flush=True)
            wrong += bool(problem)
    return int(wrong > 0)


def _core(environment: Environment, scratch: Path) -> str:
    words = ("--executor=dask=127.0.0.1:1", f"--evidence-dir={scratch / 'evidence'}")
    done = environment.run("cmek-audit", "collect", *words)
    return "" if MISSING in done.stderr else f"{done.returncode} {done.stderr[-300:]}"


def _dask(environment: Environment, scratch: Path) -> str:
    folder = scratch / "cluster"
    folder.mkdir()
    with processes(folder, python=str(environment.folder / "bin/python")) as cluster:
        for _ in range(2):
            cluster.start_worker()
        done = environment.run("python", "-c", TASK, cluster.address)
    return "" if done.stdout.strip() == "3" else f"{done.stdout}{done.stderr[-300:]}"


def _parquet(environment: Environment, _: Path) -> str:
    done = environment.run("python", "-c", "import duckdb")
    return done.stderr[-300:]


def _xlsx(environment: Environment, scratch: Path) -> str:
    words = ("--cmek-formats=xlsx", f"--cmek-report-dir={scratch / 'tables'}")
    done = environment.run("cmek-audit", "audit", "-q", *words)
    return "" if (scratch / "tables/audit.xlsx").is_file() else f"{done.stdout}{done.stderr[-300:]}"


def _sign(environment: Environment, scratch: Path) -> str:
    key = scratch / "key.pem"
    done = environment.run("cmek-audit", "sign", f"--new-key={key}")
    return "" if done.returncode == 0 and key.exists() else f"{done.stdout}{done.stderr[-300:]}"


SETS: dict[str, Callable[[Environment, Path], str]] = {
    "": _core,
    "dask": _dask,
    "parquet": _parquet,
    "xlsx": _xlsx,
    "sign": _sign,
}


def _size(environment: Environment) -> str:
    """Return how many distributions there are, and how large they are."""
    listed = environment.run("python", "-m", "pip", "list", "--format=json", check=True)
    size = sum(path.stat().st_size for path in environment.folder.rglob("*") if path.is_file())
    return f"{len(json.loads(listed.stdout))} distributions, {size / 1e6:.0f} MB"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
