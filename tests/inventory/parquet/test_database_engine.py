"""DuckDB: opened for one file, with errors that name it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.opening import read_file
from inventory.parquet.database_engine import INSTALL, is_installed, literal_path, open_engine
from tests.inventory.parquet.parquet_files import write_folder


def test_without_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, an inventory in Parquet is an error that says how to install it."""
    folder = write_folder(tmp_path)
    assert is_installed()
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert not is_installed()
    with pytest.raises(InventoryError) as caught:
        read_file(folder)
    assert [(problem.found, problem.expected) for problem in caught.value.problems] == [
        ("Parquet, without DuckDB", INSTALL)
    ]


def test_errors_of_duckdb_name_the_file() -> None:
    """What DuckDB cannot do is an error of the file that it was opened for."""
    with (
        pytest.raises(InventoryError, match=r"a\.parquet: found what DuckDB cannot"),
        open_engine("a.parquet") as engine,
    ):
        engine.execute("SELECT * FROM read_parquet('/nowhere.parquet')")


def test_other_errors_are_passed_on() -> None:
    """An error that is not of DuckDB stays what it is."""
    with pytest.raises(LookupError), open_engine("a.parquet"):
        raise LookupError


@pytest.mark.parametrize("name", ["plain", "a*b", "[ab]", "what?"])
def test_paths_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    """A path with characters that are special to DuckDB leads to that one file, too."""
    path = tmp_path / name
    path.write_text("here")
    with literal_path(path) as literal:
        assert Path(literal).read_text() == "here"
        assert not set("*?[") & set(literal)
    assert path.read_text() == "here"
