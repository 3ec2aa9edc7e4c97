"""Writes an inventory as a folder of Parquet files, one organization after the other."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from contextlib import ExitStack
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.parquet.database_engine import literal_path, open_engine
from inventory.parquet.layout import COLUMNS, FIELDS, HEAD, REGION_FIELDS
from inventory.text.canonical_json import compact_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_PIECES = 64
_ROWS_IN_GROUP = 20_480
_LARGEST_ROW = 16_777_216


class _Piece(NamedTuple):
    """Rows of some organizations, as text that DuckDB reads.

    Attributes:
        path: its file.
        first: how many rows come before it.
        rows: how many it holds.
        organizations: how many of them it holds.
    """

    path: Path
    first: int
    rows: int
    organizations: int


def write_parquet(
    folder: Path, head: dict[str, Any], organizations: Iterable[Iterable[str]], shards: int
) -> None:
    """Write the files and, as the last one, the head into ``folder``, which is new.

    ``organizations`` are the lines of each in NDJSON. There are as many files as ``shards``, or
    fewer if there are fewer organizations.
    """
    work = folder / "rows"
    work.mkdir(parents=True)
    counts: Counter[str] = Counter()
    pieces = list(_write_pieces(work, organizations, counts))
    files = list(_write_files(folder, pieces, shards))
    shutil.rmtree(work)
    totals = {
        "organizations": counts["organization"],
        "keys": counts["key"],
        "databases": counts["database"],
        "region_views": counts["region-view"],
    }
    content = {"cmek-inventory": 1, "table": "parquet"} | head | totals | {"files": files}
    text = json.dumps(content, indent=2) + "\n"
    (folder / HEAD).write_text(text, encoding="ascii", newline="\n")


# --- rows -----------------------------------------------------------------------------------------


def _write_pieces(
    work: Path, organizations: Iterable[Iterable[str]], counts: Counter[str]
) -> Iterator[_Piece]:
    """Write the rows as text; pieces grow with what was written, so that a few suffice."""
    everything = enumerate(organizations)
    first = 0
    while (following := next(everything, None)) is not None:
        path, rows, held = work / f"{first:012d}.json", 0, 0
        with path.open("w", encoding="ascii", newline="\n") as file:
            while following is not None:
                for row in _rows(*following, counts):
                    file.write(f"{row}\n")
                    rows += 1
                held += 1
                enough = rows >= (first + rows) // _PIECES
                following = None if enough else next(everything, None)
        yield _Piece(path, first, rows, held)
        first += rows


def _rows(position: int, lines: Iterable[str], counts: Counter[str]) -> Iterator[str]:
    """Yield the rows of an organization as JSON."""
    organization = None
    for line in lines:
        data = json.loads(line)
        kind = data.pop("kind")
        organization = data["id"] if organization is None else organization
        counts[kind] += 1
        regions = data.pop("regions", None)
        row = {"position": position, "organization": organization, "kind": kind}
        row |= _columns(data, FIELDS)
        if regions is not None:
            row["regions"] = [_columns(region, REGION_FIELDS) for region in regions]
        yield compact_json(row)


def _columns(data: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Return the columns of a row; what has none, or is no text, is among the details."""
    columns = {name: data[name] for name in fields if isinstance(data.get(name), str)}
    details = {name: value for name, value in data.items() if name not in columns}
    return columns | ({"details": compact_json(details)} if details else {})


# --- files ----------------------------------------------------------------------------------------


def _write_files(folder: Path, pieces: list[_Piece], shards: int) -> Iterator[dict[str, Any]]:
    """Write the files, of about as many rows each; yield how the head describes them."""
    total = sum(piece.rows for piece in pieces)
    grouped = groupby(pieces, lambda piece: piece.first * shards // total)
    for number, (_, group) in enumerate(grouped):
        held = list(group)
        path = folder / f"part-{number:05d}.parquet"
        _write_file(path, [piece.path for piece in held])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield {
            "name": path.name,
            "sha256": digest,
            "rows": sum(piece.rows for piece in held),
            "organizations": sum(piece.organizations for piece in held),
        }


def _write_file(path: Path, pieces: list[Path]) -> None:
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    rows = (
        "read_json(?, format = 'newline_delimited', hive_partitioning = false, "
        f"maximum_object_size = {_LARGEST_ROW}, columns = {{{types}}})"
    )
    with ExitStack() as stack:
        engine = stack.enter_context(open_engine(str(path)))
        literal = [stack.enter_context(literal_path(piece)) for piece in pieces]
        engine.execute(
            f"COPY (SELECT * FROM {rows}) TO ? "  # noqa: S608 (constant)
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_IN_GROUP})",
            [literal, str(path)],
        )
