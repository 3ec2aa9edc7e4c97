"""Inventories in Parquet for tests, and ways to damage them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb

from inventory.conversion import convert
from inventory.parquet.layout import HEAD
from tests.builders import database_data, key_data, ndjson_lines, organization_data, write_ndjson

PART = "part-00000.parquet"


def fleet(count: int = 4, databases: int = 3) -> list[dict[str, Any]]:
    """Return organizations with a key and some databases each."""
    return [
        organization_data(
            id=f"o{at}",
            name=f"name-{at}",
            keys=[key_data()],
            databases=[database_data(id=f"d{at}-{number}") for number in range(databases)],
        )
        for at in range(count)
    ]


def write_folder(folder: Path, shards: int = 1, count: int = 4, databases: int = 3) -> str:
    """Write a fleet as a folder of Parquet, and return its path."""
    lines = ndjson_lines(*fleet(count, databases))
    source = write_ndjson(folder / "source.ndjson", lines)
    convert(source, str(folder / "inventory"), shards)
    return str(folder / "inventory")


def rewrite(folder: str, query: str, part: str = PART) -> None:
    """Replace a file by what ``query`` makes of its table ``t``, and describe it in the head."""
    path = Path(folder) / part
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [str(path)])
        connection.execute(f"COPY ({query}) TO ? (FORMAT parquet)", [str(path)])
    describe(folder, part)


def describe(folder: str, part: str = PART) -> None:
    """Write the hash that a file has now into the head."""
    digest = hashlib.sha256((Path(folder) / part).read_bytes()).hexdigest()
    head = json.loads((Path(folder) / HEAD).read_text())
    for file in head["files"]:
        if file["name"] == part:
            file["sha256"] = digest
    write_head(folder, head)


def change_head(folder: str, **changes: object) -> None:
    """Change fields of the head."""
    write_head(folder, json.loads((Path(folder) / HEAD).read_text()) | changes)


def write_head(folder: str, head: dict[str, Any]) -> None:
    """Write the head."""
    (Path(folder) / HEAD).write_text(json.dumps(head))
