"""A file is read for what it is, and a path that cannot be looked at is refused like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inventory.errors import InventoryError
from inventory.history import read_history
from inventory.opening import holds_clouds_only, is_stream, read_file
from tests.builders import write_text

if TYPE_CHECKING:
    from pathlib import Path

LONG = "a" * 300
"""A name that no system takes: asking what it is fails by another error than a missing file."""


def test_folders_and_ndjson_are_streams(tmp_path: Path) -> None:
    """An evidence bundle and a file in NDJSON can be read organization by organization."""
    assert is_stream(str(tmp_path))
    assert is_stream(str(tmp_path / "a.ndjson"))
    assert not is_stream(str(tmp_path / "a.yaml"))


@pytest.mark.parametrize("ending", ["yaml", "json", "ndjson"])
def test_paths_that_cannot_be_looked_at(ending: str) -> None:
    """What the system says of a path is a problem of that file, for the present and for history."""
    for read in (read_file, lambda file: read_history([file])):
        with pytest.raises(InventoryError) as caught:
            read(f"{LONG}.{ending}")
        (problem,) = caught.value.problems
        assert problem[0] == f"{LONG}.{ending}"
        assert (problem.found, problem.expected) == ("File name too long", "a readable file")


@pytest.mark.parametrize(
    ("first", "is_one"),
    [
        ('{"kind": "inventory", "cmek-inventory": 1, "clouds_only": true}', True),
        ('{"kind": "inventory", "cmek-inventory": 1, "clouds_only": false}', False),
        ('{"kind": "inventory", "cmek-inventory": 1, "clouds_only": "yes"}', False),
        ('{"kind": "inventory", "cmek-inventory": 1}', False),
        ("[1]", False),
        ("{", False),
        ("[" * 100_000, False),
        ("", False),
    ],
)
def test_a_record_of_clouds_alone_is_known_by_its_first_line(
    tmp_path: Path, first: str, *, is_one: bool
) -> None:
    """Only a first line that says so makes a record of clouds alone, whatever else it holds."""
    file = write_text(tmp_path / "a.ndjson", f"{first}\n")
    assert holds_clouds_only(file) is is_one
    assert not holds_clouds_only(write_text(tmp_path / "a.yaml", f"{first}\n"))
    assert not holds_clouds_only(str(tmp_path / "missing.ndjson"))
