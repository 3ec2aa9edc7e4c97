"""``convert``: what it writes, what it says, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.opening import read_file
from tests.builders import ndjson_lines, write_ndjson, write_text
from tests.cmek_audit.helpers import command, printed_json


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write an inventory, and go to its folder."""
    monkeypatch.chdir(tmp_path)
    write_ndjson(tmp_path / "a.ndjson", ndjson_lines())
    return "a.ndjson"


@pytest.mark.parametrize("target", ["new", "b.ndjson"])
def test_what_was_written(source: str, target: str) -> None:
    """The command writes the inventory, and says how much it holds."""
    done = command("convert", source, target, "--shards", "3")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{target}: 1 organization, 1 key, 1 database\n"
    assert read_file(target).organizations == read_file(source).organizations


def test_what_cannot_be_converted(source: str, tmp_path: Path) -> None:
    """A mistake of the input, and an output that exists, end with 4, and name the file."""
    write_text(tmp_path / "wrong.ndjson", "{}\n")
    for arguments, named in ((("wrong.ndjson", "new"), "wrong.ndjson"), ((source, source), source)):
        done = command("convert", *arguments)
        assert done.exit_code == 4
        assert named in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ndjson", "wrong.ndjson"]


def test_what_was_written_as_json(source: str) -> None:
    """With ``--json`` the output and the counts are one object; a quiet run prints nothing."""
    done = command("convert", source, "new", "--json")
    counts = {"organizations": 1, "keys": 1, "databases": 1}
    assert (done.exit_code, printed_json(done)) == (0, {"output": "new", **counts})
    done = command("convert", source, "b.ndjson", "-q")
    assert (done.exit_code, done.output) == (0, "")
    assert Path("b.ndjson").exists()
