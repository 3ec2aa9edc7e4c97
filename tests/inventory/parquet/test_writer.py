"""Inventories in Parquet, as they are written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb

from inventory.parquet.layout import COLUMNS, HEAD
from inventory.parquet.writer import write_parquet
from tests.inventory.parquet.parquet_files import fleet, write_folder

AT = "2026-11-20T02:00:00Z"


def lines(count: int) -> list[list[str]]:
    """Return the lines of some organizations with three databases each."""
    return [
        [
            json.dumps({"kind": "organization", "id": organization["id"], "name": "n"}),
            *(json.dumps({"kind": "database"} | data) for data in organization["databases"]),
        ]
        for organization in fleet(count)
    ]


def test_head_and_files(tmp_path: Path) -> None:
    """The head has the totals and describes each file; nothing else is left in the folder."""
    folder = tmp_path / "new"
    write_parquet(folder, {"captured_at": AT}, lines(6), 2)
    head = json.loads((folder / HEAD).read_text())
    files = head.pop("files")
    assert head == {
        "cmek-inventory": 1,
        "table": "parquet",
        "captured_at": AT,
        "organizations": 6,
        "keys": 0,
        "databases": 18,
        "region_views": 0,
    }
    assert files == [
        {
            "name": f"part-0000{at}.parquet",
            "sha256": hashlib.sha256((folder / f"part-0000{at}.parquet").read_bytes()).hexdigest(),
            "rows": 12,
            "organizations": 3,
        }
        for at in (0, 1)
    ]
    assert {path.name for path in folder.iterdir()} == {HEAD, *(file["name"] for file in files)}


def test_the_columns_are_those_of_the_layout(tmp_path: Path) -> None:
    """A file has the columns of the layout, in its order, with its types."""
    write_parquet(tmp_path / "new", {}, lines(1), 1)
    with duckdb.connect() as connection:
        file = str(tmp_path / "new/part-00000.parquet")
        found = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [file]).fetchall()
    assert {name: kind.replace('"', "") for name, kind, *_ in found} == {
        name: kind.replace('"', "") for name, kind in COLUMNS.items()
    }
    assert [name for name, *_ in found] == [*COLUMNS]


def test_the_same_inventory_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two conversions of one inventory give the same files."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = (Path(write_folder(tmp_path / name, shards=2)) for name in ("a", "b"))
    assert [path.read_bytes() for path in sorted(one.iterdir())] == [
        path.read_bytes() for path in sorted(two.iterdir())
    ]


def test_pieces_are_few_and_files_are_even(tmp_path: Path) -> None:
    """Of hundreds of organizations, files of about as many rows are made."""
    write_parquet(tmp_path / "new", {}, lines(500), 4)
    head = json.loads((tmp_path / "new" / HEAD).read_text())
    rows = [file["rows"] for file in head["files"]]
    assert sum(rows) == 2_000
    assert max(rows) - min(rows) < 100
