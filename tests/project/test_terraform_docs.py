"""The page on Terraform says what the code does, and its example is what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inventory import terraform, terraform_documents
from inventory.errors import InventoryError
from inventory.inventory import Inventory
from inventory.terraform_organizations import Terraform
from inventory.terraform_source import SourceTree
from tests.builders import write_json
from tests.inventory.terraform.documents import change, configuration, in_short, plan
from tests.inventory.terraform.running import VERSION

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/terraform.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "inventory/examples/terraform"


def section(heading: str) -> str:
    (_, text) = re.split(rf"^## {re.escape(heading)}\n", PAGE, flags=re.MULTILINE)
    return re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0]


def test_every_attribute_that_is_read_is_named() -> None:
    """The page names each attribute that is read, and none that is not."""
    first = section("What is read").split(". Everything else")[0]
    kinds = set(terraform_documents.TYPES)
    told = set(re.findall(r"`([a-z_]+)`", first)) - kinds
    assert told == {"name", "cloud_provider", "id", "organization_id", *terraform._REGIONS}
    assert all(f"`{kind}`" in first for kind in kinds)


@pytest.mark.parametrize("action", sorted(terraform_documents._ACTIONS))
def test_every_action_is_explained(action: str) -> None:
    """The table says of each action what comes of it."""
    rows = [line for line in section("What counts as planned").splitlines() if line[:1] == "|"]
    assert [row for row in rows if re.search(rf"\b{action}\b", row.split("|")[1])]


def test_the_version_that_was_tried_is_named() -> None:
    """The page names the version of Terraform by which the tests' recordings were made."""
    assert f"Terraform {VERSION.rpartition('.')[0]}" in " ".join(PAGE.split())


def test_what_is_asked_for_is_shown(tmp_path: Path) -> None:
    """The page shows what is said of two provider configurations, word for word."""
    keys = {f"astra_{name}": "astra" for name in ("database.a", "database.b", "customer_key.k")}
    keys["astra_database.c"] = "astra.eu"
    data = plan(*map(change, keys), configuration=configuration(keys))
    with pytest.raises(InventoryError) as caught:
        Inventory([], [write_json(tmp_path / "plan.json", data)])
    lines = "\n".join(map(str, caught.value.problems))
    shown = re.findall(
        r"^  plan\.json:\d+: (found .+)$", section("Whose databases they are"), re.MULTILINE
    )
    assert shown == re.findall(r": (found .+)$", lines, re.MULTILINE)


def test_the_example_is_what_it_says() -> None:
    """Each planned database of the example leads to its block, and one of each kind is there."""
    tree = Terraform(source=SourceTree(str(EXAMPLE)))
    inventory = Inventory([], [str(EXAMPLE / "plan.json")], tree)
    [organization] = inventory.organizations()
    told = in_short(organization)
    blocks = {
        f"{kind}.{name}"
        for path in EXAMPLE.rglob("*.tf")
        for kind, name in re.findall(
            r'^resource "(astra_\w+)" "(\w+)"', path.read_text("utf-8"), re.MULTILINE
        )
    }
    addresses = {each[0] for part in (told.planned, told.undetermined, told.keys) for each in part}
    assert {re.sub(r".*\](?:\.|$)", "", each) for each in addresses} == blocks
    assert (len(told.grown), len(told.undetermined), len(told.keys)) == (1, 2, 1)
    managed = organization.managed
    parts = [*(organization.databases or ()), *managed.undetermined, *managed.keys]
    for each in parts:
        line = Path(each.file).read_text("utf-8").splitlines()[each.line - 1]
        kind, name = each.resource.rpartition("astra_")[2].split(".")
        assert line == f'resource "astra_{kind}" "{name}" {{'
