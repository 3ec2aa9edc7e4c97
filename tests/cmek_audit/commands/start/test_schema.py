"""``schema``: the list, one schema, and files that are not overwritten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cmek_audit.commands.start.editor_schemas import SCHEMAS
from tests.cmek_audit.helpers import command, printed_json
from tests.cmek_audit.test_completion import completions, offered

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ", ".join(SCHEMAS)


def test_the_list() -> None:
    """The list has a line for each schema, with its name, its address and what it describes."""
    done = command("schema")
    assert (done.exit_code, done.stderr) == (0, "")
    assert [line.split(maxsplit=2) for line in done.stdout.splitlines()] == [
        [schema.name, schema.address, schema.purpose] for schema in SCHEMAS.values()
    ]


def test_the_list_as_json() -> None:
    """The JSON object of the list names each schema, and the file that holds it."""
    assert printed_json(command("schema", "--json")) == {
        "schemas": [
            {
                "name": schema.name,
                "id": schema.address,
                "file": str(schema.path),
                "purpose": schema.purpose,
            }
            for schema in SCHEMAS.values()
        ]
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_one_schema(name: str) -> None:
    """A schema is printed as it is shipped, to the byte, whatever the case of its name."""
    for spelled in (name, name.upper()):
        done = command("schema", spelled)
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout_bytes == SCHEMAS[name].path.read_bytes()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("inventry", "; did you mean 'inventory'?"),
        ("waiver", "; did you mean 'waivers'?"),
        ("nothing", ""),
    ],
)
def test_a_schema_that_is_not_there(name: str, hint: str) -> None:
    """A name that no schema has ends with 4, and with the names that there are."""
    done = command("schema", name)
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr == f"NAME: found '{name}', expected one of {NAMES}{hint}\n"


def test_a_schema_in_a_file(tmp_path: Path) -> None:
    """A schema is written into a file, and again in the place of an earlier version of it."""
    file = tmp_path / "inventory.schema.json"
    for _ in range(2):
        done = command("schema", "inventory", "-o", file)
        assert (done.exit_code, done.stdout, done.stderr) == (0, f"Written: {file}\n", "")
        assert file.read_bytes() == SCHEMAS["inventory"].path.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize(
    "content", ["cmek-inventory: 1\n", "[]", '{"$id": "urn:other"}', "[" * 9999]
)
def test_another_file_is_not_overwritten(tmp_path: Path, content: str) -> None:
    """A file that is no schema of the suite stays as it is: it may be the user's own."""
    file = tmp_path / "inventory.yaml"
    file.write_text(content)
    done = command("schema", "inventory", "--output", file)
    found = f"{file} (a file that is no schema of this suite)"
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr == f"--output: found {found}, expected a new file\n"
    assert file.read_text() == content


def test_unusable_outputs(tmp_path: Path) -> None:
    """A folder, a folder that is missing, and a file for the list end with 4."""
    assert "(a folder)" in command("schema", "plan", "-o", tmp_path).stderr
    outputs = (["plan", "-o", tmp_path], ["-o", tmp_path / "all.json"])
    assert [command("schema", *words).exit_code for words in outputs] == [4, 4]
    assert [*tmp_path.iterdir()] == []


def test_names_are_completed() -> None:
    """A shell offers the names that fit, with what each describes."""
    assert offered("bash", "cmek-audit schema p") == ["plan", "population"]
    plan = ("plain", "plan", SCHEMAS["plan"].purpose)
    assert plan in completions("zsh", "cmek-audit schema pl")


def test_the_printed_schema_is_json() -> None:
    """What is printed can be piped into a program that reads JSON."""
    assert json.loads(command("schema", "plan").stdout)["$id"] == SCHEMAS["plan"].address
