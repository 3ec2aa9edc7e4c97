"""Files that are given by mistake where a plan is meant: the message says which one is."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from inventory.errors import InventoryError
from inventory.plans import read_plan
from tests.builders import write_text
from tests.inventory.terraform.documents import change, plan

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = "what 'terraform show -json FILE' prints of a plan that was saved"


def told(file: str) -> list[str]:
    """Return every problem as it is shown, without the file's path."""
    with pytest.raises(InventoryError) as caught:
        read_plan(file)
    return [str(each).removeprefix(file) for each in caught.value.problems]


def test_a_plan_as_terraform_keeps_it(tmp_path: Path) -> None:
    """What -out saved, named as if it were JSON, is told from text of another encoding."""
    path = tmp_path / "plan.json"
    with zipfile.ZipFile(path, "w") as saved:
        saved.writestr("tfplan", b"\x00\xff")
    assert told(str(path)) == [f": found a plan as Terraform keeps it, expected {SHOWN}"]


@pytest.mark.parametrize("name", ["plan", "saved.tfplan", "plan.out", "terraform.tfstate"])
def test_files_with_other_endings(tmp_path: Path, name: str) -> None:
    """A file whose ending tells no format is not looked into."""
    file = write_text(tmp_path / name, json.dumps(plan()))
    ending = f".{name.partition('.')[2]}".removesuffix(".") if "." in name else ""
    expected = "a plan in .yaml, .yml or .json, as 'terraform show -json' prints it"
    assert told(file) == [f": found the ending {ending!r}, expected {expected}"]


def test_the_log_of_a_plan(tmp_path: Path) -> None:
    """What 'terraform plan -json' prints is no plan, but a log of making one."""
    lines = ['{"@level":"info","type":"version"}', '{"@level":"info","type":"planned_change"}']
    file = write_text(tmp_path / "plan.json", "\n".join(lines))
    found = "the log that 'terraform plan -json' prints"
    assert told(file) == [f": found {found}, expected {SHOWN}"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_text_in_utf_16(tmp_path: Path, encoding: str) -> None:
    """A plan that a Windows shell wrote in UTF-16 is refused by that name."""
    path = tmp_path / "plan.json"
    text = json.dumps(plan(change()))
    path.write_bytes((text if encoding == "utf-16" else f"\ufeff{text}").encode(encoding))
    assert told(str(path)) == [":1: found text in UTF-16, expected text in UTF-8"]


def test_text_with_a_byte_order_mark(tmp_path: Path) -> None:
    """A plan that begins with the mark of UTF-8 is read as any other."""
    path = tmp_path / "plan.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(plan(change())).encode())
    assert read_plan(str(path)).source.databases == 1


def test_an_empty_mapping(tmp_path: Path) -> None:
    """A file that says nothing is a plan of neither kind."""
    assert told(write_text(tmp_path / "plan.json", "{}")) == [
        ":1: cmek-plan: found nothing, expected a value",
        ":1: organizations: found nothing, expected a value",
    ]


def test_a_plan_that_was_cut_short(tmp_path: Path) -> None:
    """A plan of which the end is missing is no JSON."""
    text = json.dumps(plan(change()))
    for end in (len(text) // 3, len(text) // 2, len(text) - 1):
        [problem] = told(write_text(tmp_path / "plan.json", text[:end]))
        assert problem.endswith("expected JSON")


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    """A plan in which something stands twice is refused: one of both would be lost."""
    text = json.dumps(plan(change())).replace('{"format', '{"resource_changes": [], "format', 1)
    found = "found the same key a second time, expected each key once"
    assert told(write_text(tmp_path / "plan.json", text)) == [f":1: resource_changes: {found}"]


def test_a_plan_in_yaml(tmp_path: Path) -> None:
    """JSON is YAML, so that a plan of Terraform may end in .yaml."""
    file = write_text(tmp_path / "plan.yaml", json.dumps(plan(change())))
    assert read_plan(file).source.format == "terraform-plan"
