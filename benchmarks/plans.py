"""Compares how plans of Terraform are read, as ratios in one run: ``python benchmarks/plans.py``.

With a path, it reads that plan as an audit does, and prints nothing; with ``--bare``, as data only.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from fleet import REGIONS, write_fleet
from measuring import HEADER, ROOT, Cost, compare, noise, run_python

ORGANIZATION = "example"
CONFIGURED = {
    "address": "astra_database.orders",
    "mode": "managed",
    "type": "astra_database",
    "name": "orders",
    "provider_config_key": "astra",
}


def write_plan(path: str, databases: int, others: int, indent: int | None) -> None:
    """Write a plan that creates ``databases``, and ``others`` that are none of Astra's."""
    changes = [*map(_database, range(databases)), *map(_other, range(others))]
    planned = [
        {name: value for name, value in change.items() if name != "change"}
        | {"values": change["change"]["after"], "sensitive_values": {}}
        for change in changes
    ]
    plan = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {
            "provider_config": {"astra": {"name": "astra"}},
            "root_module": {"resources": [CONFIGURED]},
        },
    }
    separators = (",", ":") if indent is None else None
    Path(path).write_text(json.dumps(plan, indent=indent, separators=separators) + "\n", "ascii")


def _database(number: int) -> dict[str, Any]:
    after = {
        "name": f"orders-{number:06d}",
        "cloud_provider": "aws",
        "regions": [REGIONS[number % len(REGIONS)]],
        "db_type": "vector",
        "keyspace": "orders",
        "deletion_protection": True,
    }
    unknown = {"id": True, "organization_id": True, "status": True, "regions": [False]}
    return _change("astra_database", f'orders["{number:06d}"]', after, unknown)


def _other(number: int) -> dict[str, Any]:
    after = {
        "name": f"other-{number:06d}",
        "tags": {f"tag-{number}": "x" for number in range(6)},
        "ports": [{"from": port, "to": port} for port in range(4)],
        "is_public": False,
        "key": None,
    }
    return _change("example_server", f"others[{number}]", after, {"id": True})


def _change(kind: str, name: str, after: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": f"{kind}.{name}",
        "mode": "managed",
        "type": kind,
        "name": name.partition("[")[0],
        "provider_name": "example.test/example/example",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": after,
            "after_unknown": unknown,
            "before_sensitive": False,
            "after_sensitive": {},
        },
    }


def read(path: str, recorded: list[str]) -> None:
    """Read a plan, merge it with what was recorded, and index every organization."""
    sys.path.insert(0, str(ROOT))
    from inventory.errors import InventoryError  # noqa: PLC0415 (not for the bare reading)
    from inventory.index.organization_index import index_organization  # noqa: PLC0415
    from inventory.inventory import Inventory  # noqa: PLC0415
    from inventory.terraform.organizations import TerraformSettings  # noqa: PLC0415

    terraform = TerraformSettings() if recorded else TerraformSettings(ORGANIZATION)
    try:
        for organization in Inventory(recorded, [path], terraform).organizations():
            index_organization(organization)
    except InventoryError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def cost(*arguments: object) -> Cost:
    """Return what reading costs in a process of its own."""
    return run_python(__file__, *arguments)


def made(path: Path, databases: int, others: int = 0, indent: int = 0) -> Path:
    """Let another process write a plan: what this one holds would count as memory of the next."""
    run_python(__file__, "--write", path, databases, others, indent)
    return path


def size(path: Path) -> str:
    """Describe how large a file is."""
    return f"{path.stat().st_size / 1e6:.0f} MB"


def compare_size(folder: Path) -> None:
    """Compare plans of the same size with reading their data alone, and with each other."""
    others = made(folder / "others.json", 1_000, 27_000)
    lines = made(folder / "lines.json", 1_000, 27_000, indent=1)
    databases = made(folder / "databases.json", 31_000)
    for what, path in (("mostly others", others), ("databases alone", databases)):
        name = f"{size(path)} on one line, {what}, against its data alone"
        compare(name, partial(cost, path), partial(cost, "--bare", path), "≤ 3 s, ≤ 200 MiB")
    name = f"the same with indents, {size(lines)}, against {size(others)} on one line"
    compare(name, lambda: cost(lines), lambda: cost(others), "processor ≤ 3")


def compare_growth(folder: Path) -> None:
    """Compare many databases with few, planned alone and recorded as well."""
    few, many = made(folder / "few.json", 10_000), made(folder / "many.json", 100_000)
    what = "100,000 planned databases against 10,000"
    compare(what, lambda: cost(many), lambda: cost(few), "processor ≤ 10", turns=1)
    small, large = folder / "small.ndjson", folder / "large.ndjson"
    write_fleet(small, 1, 10_000)
    write_fleet(large, 1, 100_000)
    what = "100,000 recorded and as many planned databases against 10,000"
    compare(what, lambda: cost(many, large), lambda: cost(few, small), "processor ≤ 10", turns=1)


def main() -> None:
    """Print the table."""
    print(HEADER)
    with tempfile.TemporaryDirectory() as name:
        compare_size(Path(name))
        compare_growth(Path(name))
    noise()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["--write", path, databases, others, indent]:
            write_plan(path, int(databases), int(others), int(indent) or None)
        case ["--bare", path]:
            json.loads(Path(path).read_bytes())
        case [path, *recorded]:
            read(path, recorded)
