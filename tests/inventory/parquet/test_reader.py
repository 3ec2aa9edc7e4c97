"""Inventories in Parquet, read as a stream; whatever is wrong with them is an error."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.opening import holds_clouds_only, is_stream, open_stream, read_file
from inventory.parquet import reader
from inventory.parquet.layout import HEAD
from inventory.parquet.reader import ParquetReader
from tests.inventory.parquet.parquet_files import (
    PART,
    change_head,
    describe,
    rewrite,
    write_folder,
)

FILE = {"name": PART, "sha256": "0" * 64, "rows": 1, "organizations": 1}


def problems(folder: str) -> list[tuple[str, int, str, str]]:
    """Return file, line, field and what was found, of each problem of a folder."""
    with pytest.raises(InventoryError) as caught:
        read_file(folder)
    return [
        (problem.file.removeprefix(f"{folder}/"), problem.line, problem.field, problem.found)
        for problem in caught.value.problems
    ]


# --- what is read ---------------------------------------------------------------------------------


def test_every_entry_has_its_row(tmp_path: Path) -> None:
    """Locations name the file and the row, counted from 1."""
    folder = write_folder(tmp_path, shards=2)
    first, *_, last = read_file(folder).organizations
    assert last.databases is not None
    assert first.location == (f"{folder}/{PART}", 1)
    assert last.location == (f"{folder}/part-00001.parquet", 6)
    assert [database.location for database in last.databases] == [
        (f"{folder}/part-00001.parquet", row) for row in (8, 9, 10)
    ]


def test_the_source_is_described_by_its_head(tmp_path: Path) -> None:
    """The source has the hash of the head, the size of all files, and the totals."""
    folder = write_folder(tmp_path, shards=2)
    source = read_file(folder).source
    stream = read_file(str(tmp_path / "source.ndjson")).source
    assert source.size == sum(path.stat().st_size for path in Path(folder).iterdir())
    assert (source.format, source.path, len(source.sha256)) == ("parquet", folder, 64)
    names = {"organizations", "keys", "databases", "captured_at", "complete", "example", "role"}
    assert source.model_dump(include=names) == stream.model_dump(include=names)


def test_a_large_organization_comes_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An organization may have more rows than are fetched at once."""
    monkeypatch.setattr(reader, "_BATCH", 4)
    folder = write_folder(tmp_path, count=3, databases=11)
    assert (
        read_file(folder).organizations == read_file(str(tmp_path / "source.ndjson")).organizations
    )


@pytest.mark.parametrize("shards", [1, 3, 7])
def test_parts_together_are_the_whole(tmp_path: Path, shards: int) -> None:
    """Ranges of organizations, read one by one, give every organization once, at its row."""
    folder = write_folder(tmp_path, shards=shards, count=7)
    whole = [(found, found.location) for found in ParquetReader(folder).organizations()]
    for size in (1, 2, 3, 7):
        parts = [range(at, min(at + size, 7)) for at in range(0, 7, size)]
        read = [
            (found, found.location)
            for part in parts
            for found in ParquetReader(folder, positions=part).organizations()
        ]
        assert read == whole


def test_the_folder_is_an_inventory(tmp_path: Path) -> None:
    """The folder is a stream like NDJSON, and holds more than what clouds show."""
    folder = write_folder(tmp_path)
    assert is_stream(folder)
    assert isinstance(open_stream(folder), ParquetReader)
    assert not holds_clouds_only(folder)


@pytest.mark.parametrize("name", ["a*b[c]?", "key=value", "it's", "ü 漢"])
def test_any_name_of_a_folder(tmp_path: Path, name: str) -> None:
    """The folder may have any name, also one that DuckDB would take as a pattern."""
    folder = write_folder(tmp_path)
    odd = str(shutil.move(folder, tmp_path / name))
    assert read_file(odd).organizations == read_file(str(tmp_path / "source.ndjson")).organizations


# --- damaged folders ------------------------------------------------------------------------------


def test_files_that_differ_from_the_head(tmp_path: Path) -> None:
    """A file that is missing, cut short, changed, or not in the head is an error."""
    whole = write_folder(tmp_path, shards=3, count=6)
    names = sorted(path.name for path in Path(whole).glob("*.parquet"))
    found = "a file that is missing, cut short or changed"
    for name in names:
        for damage in ("missing", "cut", "changed"):
            folder = str(shutil.copytree(whole, tmp_path / f"{name}-{damage}"))
            file = Path(folder) / name
            raw = file.read_bytes()
            if damage == "missing":
                file.unlink()
            else:
                file.write_bytes(raw[:-1] if damage == "cut" else raw[:-1] + bytes([raw[-1] ^ 1]))
            assert problems(folder) == [(name, 0, "", found)]
    shutil.copy(Path(whole) / names[0], Path(whole) / "more.parquet")
    assert problems(whole) == [("more.parquet", 0, "", "a file that the head does not list")]


def test_a_missing_head(tmp_path: Path) -> None:
    """Without its head a folder of Parquet files is no inventory."""
    folder = write_folder(tmp_path)
    (Path(folder) / HEAD).unlink()
    assert problems(folder) == [(folder, 0, "", f"Parquet files without {HEAD}")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cmek-inventory": 2}, "cmek-inventory"),
        ({"table": "csv"}, "table"),
        ({"organizations": -1}, "organizations"),
        ({"files": []}, "files"),
        ({"files": [FILE | {"name": "../a.parquet"}]}, "files[0].name"),
        ({"files": [FILE | {"sha256": "0"}]}, "files[0].sha256"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_head(tmp_path: Path, changes: dict[str, object], field: str) -> None:
    """A head with a wrong or unknown field is an error at that field; no path leads elsewhere."""
    folder = write_folder(tmp_path)
    change_head(folder, **changes)
    (problem,) = problems(folder)
    assert (problem[0], problem[2]) == (HEAD, field)


@pytest.mark.parametrize("field", ["organizations", "keys", "databases", "region_views"])
def test_totals_that_disagree(tmp_path: Path, field: str) -> None:
    """A head that counts otherwise than the rows is an error."""
    folder = write_folder(tmp_path)
    number = {"organizations": 4, "keys": 4, "databases": 12, "region_views": 0}[field]
    change_head(folder, **{field: number + 1})
    with pytest.raises(InventoryError, match=rf"{number + 1}, as its cmek-inventory\.json says"):
        read_file(folder)


def test_a_file_listed_twice(tmp_path: Path) -> None:
    """A head that lists a file twice is an error."""
    folder = write_folder(tmp_path)
    head = ParquetReader(folder).head
    change_head(folder, files=[head.files[0].model_dump()] * 2)
    assert problems(folder)[0] == (HEAD, 0, "files", "a duplicate file")


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    """A file that is text, though the head has its hash, is an error."""
    folder = write_folder(tmp_path)
    (Path(folder) / PART).write_text("position,organization\n")
    describe(folder)
    ((file, _, _, found),) = problems(folder)
    assert (file, found.partition(":")[0]) == (PART, "what DuckDB cannot read or write")


COLUMN_MISTAKES = {
    "SELECT *, 1 AS more FROM t": ("'more'", "a column of type INTEGER"),
    "SELECT * EXCLUDE (key_id) FROM t": ("key_id", "nothing"),
    "SELECT * REPLACE (CAST(position AS VARCHAR) AS position) FROM t": ("position", "type VARCHAR"),
    "SELECT * REPLACE (CAST(created_at AS VARCHAR) AS created_at) FROM t": (
        "created_at",
        "type VARCHAR",
    ),
}


@pytest.mark.parametrize("query", COLUMN_MISTAKES)
def test_wrong_columns(tmp_path: Path, query: str) -> None:
    """An unknown or missing column, or one of another type, is an error that names it."""
    folder = write_folder(tmp_path)
    rewrite(folder, query)
    assert problems(folder) == [(PART, 0, *COLUMN_MISTAKES[query])]


def test_columns_in_another_order(tmp_path: Path) -> None:
    """The order of the columns makes no difference."""
    folder = write_folder(tmp_path)
    rewrite(folder, "SELECT details, regions, * EXCLUDE (details, regions) FROM t")
    assert (
        read_file(folder).organizations == read_file(str(tmp_path / "source.ndjson")).organizations
    )


# --- wrong rows -----------------------------------------------------------------------------------

UNSORTED = [
    "SELECT * FROM t ORDER BY kind",
    "SELECT * FROM t WHERE kind <> 'organization'",
    "SELECT * FROM t WHERE position <> 1",
    "SELECT * REPLACE (position + 1 AS position) FROM t",
    "SELECT * REPLACE (if(position = 3, 30, position) AS position) FROM t",
    "SELECT * REPLACE (if(kind = 'key', NULL, position) AS position) FROM t",
    "SELECT * REPLACE (if(kind = 'key', 'o3', organization) AS organization) FROM t",
    "SELECT * REPLACE (if(kind = 'key', NULL, organization) AS organization) FROM t",
    "SELECT * REPLACE ('o9' AS organization) FROM t WHERE position = 0",
    "SELECT * FROM t UNION ALL SELECT * FROM t",
    "SELECT * REPLACE (if(kind = 'organization', NULL, kind) AS kind) FROM t",
]
"""Changes by which rows come in the wrong order, or belong to another organization."""


@pytest.mark.parametrize("query", UNSORTED)
def test_rows_out_of_order(tmp_path: Path, query: str) -> None:
    """A row in the wrong place, or of another organization than it says, is never read as it is."""
    folder = write_folder(tmp_path)
    rewrite(folder, query)
    assert problems(folder)
    with pytest.raises(InventoryError, match="expected rows in the order of organizations"):
        read_file(folder)


def test_organizations_in_reverse_order(tmp_path: Path) -> None:
    """The files hold the organizations by ascending position."""
    folder = write_folder(tmp_path)
    rewrite(folder, "SELECT * FROM t ORDER BY position DESC, kind DESC")
    found = "position 3, kind 'organization'"
    assert problems(folder)[0] == (PART, 1, "", found)


@pytest.mark.parametrize("query", UNSORTED)
def test_no_part_misses_a_wrong_row(tmp_path: Path, query: str) -> None:
    """If ranges of organizations are read apart, one of them finds each mistake."""
    folder = write_folder(tmp_path, shards=2)
    rewrite(folder, query, "part-00001.parquet" if "position = 3" in query else PART)
    failures = 0
    for at in range(4):
        try:
            list(ParquetReader(folder, positions=range(at, at + 1)).organizations())
        except InventoryError:
            failures += 1
    assert failures > 0


NAMED = '\'{"name":"x"}\''

WRONG_VALUES = {
    "SELECT * REPLACE (if(kind = 'key', 'end', kind) AS kind) FROM t": "key_id",
    "SELECT * REPLACE (if(kind = 'key', 'keys', kind) AS kind) FROM t": "kind",
    "SELECT * REPLACE (if(kind = 'database', NULL, name) AS name) FROM t": "name",
    "SELECT * REPLACE (if(kind = 'database', 'ibm', provider) AS provider) FROM t": "provider",
    "SELECT * REPLACE (CAST(NULL AS STRUCT(name VARCHAR, added_at TIMESTAMPTZ, provider VARCHAR, "
    "state VARCHAR, encryption VARCHAR, details VARCHAR)[]) AS regions) FROM t": "regions",
    "SELECT * REPLACE (list_append(regions, NULL) AS regions) FROM t": "regions[1].name",
    "SELECT * REPLACE (if(kind = 'database', '{\"x\":1}', details) AS details) FROM t": "x",
    f"SELECT * REPLACE (if(kind = 'database', {NAMED}, details) AS details) FROM t": "name",
    "SELECT * REPLACE (if(kind = 'database', '[]', details) AS details) FROM t": "details",
    "SELECT * REPLACE (if(kind = 'key', '{\"x\":1},{}', details) AS details) FROM t": "details",
    "SELECT * REPLACE (if(kind = 'key', '{'||chr(10)||'}', details) AS details) FROM t": "details",
    "SELECT * REPLACE (if(kind = 'database', TIMESTAMPTZ '2001-01-01 00:00:00Z', created_at) "
    "AS created_at) FROM t": "created_at",
    "SELECT * REPLACE (if(kind = 'database', TIMESTAMPTZ 'infinity', created_at) "
    "AS created_at) FROM t": "created_at",
}


@pytest.mark.parametrize("query", WRONG_VALUES)
def test_wrong_values(tmp_path: Path, query: str) -> None:
    """A value that NDJSON could not hold either is an error at its row and field."""
    folder = write_folder(tmp_path)
    rewrite(folder, query)
    fields = {field for _, line, field, _ in problems(folder) if line}
    assert WRONG_VALUES[query] in fields


def test_duplicates_are_located(tmp_path: Path) -> None:
    """A database in two rows of an organization is an error at the second row."""
    folder = write_folder(tmp_path)
    rewrite(folder, "SELECT * REPLACE (if(id = 'd0-1', 'd0-0', id) AS id) FROM t")
    assert (PART, 4, "", "a duplicate database 'd0-0'") in problems(folder)


def test_tokens_are_refused(tmp_path: Path) -> None:
    """What looks like a token is an error at its row, and is not repeated."""
    folder = write_folder(tmp_path)
    token = "'AstraCS:sham:0123456789abcdef'"
    rewrite(folder, f"SELECT * REPLACE (if(id = 'd0-1', {token}, name) AS name) FROM t")
    assert (PART, 4, "", "what looks like a token") in problems(folder)
