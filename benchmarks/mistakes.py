"""Compares how files full of mistakes are refused, as ratios: ``python benchmarks/mistakes.py``.

With a path, it reads that inventory as an audit does, and prints only how many mistakes it holds.
"""

from __future__ import annotations

import json
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

from measuring import HEADER, ROOT, Cost, compare, noise, run_python

FEW, MANY = 1_000, 10_000


def _plain_region(_: int) -> dict[str, Any]:
    """Return a database whose region is a plain word: its list is short by that, too."""
    return {"regions": ["us-east-1"]}


def _unknown_field(number: int) -> dict[str, Any]:
    """Return a database with a field of its own, which is compared with those there are."""
    return {"regions": [{"name": "us-east-1"}], f"regoins_{number}": 1}


def _twin(_: int) -> dict[str, Any]:
    """Return a database that is one of two, as their ids are equal."""
    return {"regions": [{"name": "us-east-1"}], "id": "example"}


KINDS = {
    "regions as plain words": _plain_region,
    "unknown fields": _unknown_field,
    "databases of one id": _twin,
}


def write_inventory(path: Path, kind: str, count: int) -> None:
    """Write an inventory with ``count`` mistakes of a kind."""
    common = {"name": "orders", "type": "serverless", "provider": "aws"}
    databases = [{"id": f"d{n}", **common, **KINDS[kind](n)} for n in range(count)]
    organization = {"id": "example", "name": "example", "keys": [], "databases": databases}
    data = {"cmek-inventory": 1, "organizations": [organization]}
    path.write_text(json.dumps(data, indent=1), "ascii")


def read(path: str) -> None:
    """Read an inventory, and tell how many mistakes it holds."""
    sys.path.insert(0, str(ROOT))
    from inventory.errors import InventoryError  # noqa: PLC0415 (not for the writing)
    from inventory.inventory import Inventory  # noqa: PLC0415

    try:
        Inventory([path])
    except InventoryError as error:
        print(f"{error.total:,} mistakes", str(error)[:1_000])
        return
    raise SystemExit(f"{path} was read, expected mistakes in it")


def compare_kind(folder: Path, kind: str, ending: str) -> None:
    """Compare many mistakes of a kind with few."""
    few, many = (folder / f"{size}.{ending}" for size in ("few", "many"))
    write_inventory(few, kind, FEW)
    write_inventory(many, kind, MANY)

    def cost(path: Path) -> Cost:
        return run_python(__file__, path)

    what = f"{MANY:,} mistakes against {FEW:,}: {kind}, in {ending.upper()}"
    compare(what, lambda: cost(many), lambda: cost(few), "processor ≤ 12")


def main() -> None:
    """Print the table."""
    print(HEADER)
    with tempfile.TemporaryDirectory() as name:
        for kind, ending in product(KINDS, ("json", "yaml")):
            compare_kind(Path(name), kind, ending)
    noise()


if __name__ == "__main__":
    read(sys.argv[1]) if sys.argv[1:] else main()
