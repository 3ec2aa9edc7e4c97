"""The page on Terraform says what the code does, and its example is what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.files import file_kinds as kinds
from inventory.files import format_detection as formats
from inventory.inventory import Inventory
from inventory.model.key import KeyScope
from inventory.terraform import locations, resource_types, resources
from inventory.terraform.organizations import TerraformSettings
from inventory.terraform.scopes import TerraformScope
from inventory.terraform.source import SourceTree
from reports.key_instructions.commands import commands
from tests.builders import ORGANIZATION, write_json
from tests.inventory.terraform.cutting import PROGRAM, READ
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
    types = set(resource_types.TYPES)
    reported = set(re.findall(r"`([a-z_]+)`", first)) - types
    own = {"name", "cloud_provider", "id", "organization_id", "key_id"}
    assert reported == own | {*locations.REGIONS}
    assert all(f"`{kind}`" in first for kind in types)


@pytest.mark.parametrize("action", sorted(resources._ACTIONS))
def test_every_action_is_explained(action: str) -> None:
    """The table says of each action what comes of it."""
    rows = [line for line in section("What counts as planned").splitlines() if line[:1] == "|"]
    assert [row for row in rows if re.search(rf"\b{action}\b", row.split("|")[1])]


LOOKS = (*kinds.BYTE_KINDS, *kinds.TEXT_KINDS, *kinds.TERRAFORM_KINDS, kinds.HEADLESS)
ALONE = (
    *(kinds.EMPTY, kinds.WRAPPER, kinds.COLOURED, formats.CUT),
    *(formats.BEFORE, formats.AFTER, formats.SECOND),
)


OF_TERRAFORM = {"", kinds.PLANS, kinds.STATES}


def test_every_mistake_is_explained() -> None:
    """The table of files that are given by mistake names each that is recognized, and no other."""
    rows = re.findall(r"^\| ([^|]+) \|", section("When the file is something else"), re.MULTILINE)
    named = {found for row in rows[1:] for found in row.split("; ")}
    found = {look.found for look in (*LOOKS, *ALONE) if look.option in OF_TERRAFORM}
    others = [formats.plan_state_mixup(formats.PLAN)[0], formats.plan_state_mixup(formats.STATE)[0]]
    assert named == {*found, *others}


def test_commands_are_those_of_the_messages() -> None:
    """The page runs what the messages say, for a plan and for a state."""
    commands = " ".join(re.findall(r"^terraform .+$", PAGE, re.MULTILINE))
    assert formats.PLAN.command.replace(" && ", " ") in commands
    assert commands.count(formats.STATE.command) == 1


STRUCTURE = {
    *("array", "object", "string", "managed", "resources", "child_modules", "root_module"),
    *("astra_", "module", "expression", "reason", "full_name", "alias"),
}
"""What the program names beside parts that the table lists: kinds of JSON, and what holds parts."""


def test_what_must_stay_is_listed() -> None:
    """The section on plans without secrets names each attribute and each part that is left."""
    text = " ".join(section("Plans without secrets").split())
    listed = text.partition("The attributes that are read are ")[2].partition(". ")[0]
    assert set(re.findall(r"`([a-z_]+)`", listed)) == set(READ)
    named = set(re.findall(r'"([a-z_]+)"', PROGRAM.read_text("utf-8")))
    assert named - STRUCTURE - set(re.findall(r"`([a-z_]+)`", text)) == set()
    assert f"jq -f {PROGRAM.name} > small.json" in text


def test_the_order_is_the_one_that_is_printed() -> None:
    """Block, line and commands of a key that comes first are those that the key plan prints."""
    scope = KeyScope(ORGANIZATION, "serverless", "aws", "us-west-2")
    made = commands(scope, TerraformScope(databases=("astra_database.orders",)))
    assert made is not None
    assert made.terraform is not None
    [waiting] = made.terraform.dependents
    text = section("A key first")
    [block] = re.findall(r"^```hcl\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block == (f"{made.terraform.block}\n\n{waiting.block} {{\n  # …\n  {waiting.line}\n}}\n")
    [shell] = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert shell == f"{made.terraform.apply}\n{made.terraform.check}\n"


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
    tree = TerraformSettings(source=SourceTree(str(EXAMPLE)))
    inventory = Inventory([], [str(EXAMPLE / "plan.json")], tree)
    [organization] = inventory.organizations()
    reported = in_short(organization)
    blocks = {
        f"{kind}.{name}"
        for path in EXAMPLE.rglob("*.tf")
        for kind, name in re.findall(
            r'^resource "(astra_\w+)" "(\w+)"', path.read_text("utf-8"), re.MULTILINE
        )
    }
    addresses = {
        each[0]
        for part in (reported.planned, reported.undetermined, reported.keys)
        for each in part
    }
    assert {re.sub(r".*\](?:\.|$)", "", address) for address in addresses} == blocks
    assert (len(reported.grown), len(reported.undetermined), len(reported.keys)) == (1, 2, 3)
    managed = organization.managed
    parts = [*(organization.databases or ()), *managed.undetermined, *managed.planned_keys]
    [ordered] = [key for key in managed.planned_keys if key.awaited_by]
    assert ordered.awaited_by == {"astra_database.reports"}
    for each in parts:
        line = Path(each.file).read_text("utf-8").splitlines()[each.line - 1]
        kind, name = each.resource.rpartition("astra_")[2].split(".")
        assert line == f'resource "astra_{kind}" "{name}" {{'
