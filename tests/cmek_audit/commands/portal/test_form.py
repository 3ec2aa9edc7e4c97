"""The forms: filled in they can be handed back, and not filled in they are refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from checks.engine.context import Context
from cmek_audit.commands.portal.form import inventory_form, organizations_form
from cmek_audit.commands.portal.needed import find_needed
from inventory.astra.config import read_organizations
from inventory.errors import InventoryError, OrganizationsError
from inventory.files.documents import read_document
from inventory.inventory import Inventory
from inventory.model.organization import InventoryDocument
from tests.builders import (
    AS_OF,
    an_organization,
    database_data,
    document_data,
    key_data,
    organization_data,
    plan_data,
    planned_data,
    uuid,
    write_text,
    write_yaml,
)
from tests.checks.judging import judged
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = [
    '"}: {x',
    "# no comment",
    'a\\" b: [1]',
    "\u202egpj.exe",
    "\U0001f511 key",
    "- x",
    "{{ 7*7 }}",
    "null",
    "'",
    "%YAML 1.2",
]


def in_region(number: int, name: str = "db", **over: object) -> dict[str, Any]:
    regions = [{"name": "us-east-1", "added_at": "2026-06-01T00:00:00Z"}]
    return database_data(id=uuid(number), name=name, **({"regions": regions} | over))


def form_of(*files: str, plans: tuple[str, ...] = ()) -> str:
    inventory = Inventory(files, plans)
    needed = find_needed(inventory.organizations(), Context(AS_OF))
    return "\n".join(inventory_form(needed.entries, example=inventory.is_example))


def filled(form: str, status: str = "in-use", key: str = "customer") -> str:
    """Fill a form in, as people do: behind the names that are there."""
    values = {"status": status, "key": key, "by": "Ada Example", "on": "2026-11-10"}
    for name, value in values.items():
        form = re.sub(rf"(?m)^( +{name}:) #.*$", rf"\1 {value}", form)
    return form


def document(folder: Path, *databases: dict[str, Any], **over: object) -> str:
    data = organization_data(databases=list(databases), **over)
    return write_yaml(folder / "acme.yaml", document_data(data))


def test_a_form_that_is_filled_in_resolves_what_is_open(tmp_path: Path) -> None:
    """The inventory with the form beside it is one inventory, in which the looks count."""
    file = document(tmp_path, in_region(1), in_region(2))
    form = write_text(tmp_path / "looks.yaml", filled(form_of(file)))
    [organization] = Inventory([file, form]).organizations()
    assert organization.captured_at is not None
    found = judged("CMEK-05", organization)
    assert [(finding.status, finding.rests_on) for finding in found] == [("pass", "portal")] * 2
    [before] = Inventory([file]).organizations()
    assert (organization.name, organization.captured_at) == (before.name, before.captured_at)
    assert judged("CMEK-17", organization)[0].status == "pass"


def test_a_form_that_is_not_filled_in_is_refused(tmp_path: Path) -> None:
    """Each value that is missing is a problem with its line; none is read as looked at."""
    file = document(tmp_path, in_region(1), in_region(2))
    text = form_of(file)
    form = write_text(tmp_path / "looks.yaml", text)
    with pytest.raises(InventoryError) as caught:
        Inventory([file, form])
    lines = text.splitlines()
    for problem in caught.value.problems:
        assert problem.found == "nothing"
        assert re.match(r"\s+(status|key|by|on):", lines[problem.line - 1])
    assert len(caught.value.problems) == 9


@pytest.mark.parametrize("left", ["status", "key", "by", "on"])
def test_a_value_that_is_left_out_is_refused(tmp_path: Path, left: str) -> None:
    """A look without its result, its day or whoever looked is none."""
    file = document(tmp_path, in_region(1), in_region(2))
    text = re.sub(rf"(?m)^( +{left}:).*", r"\1", filled(form_of(file)))
    form = write_text(tmp_path / "looks.yaml", text)
    with pytest.raises(InventoryError) as caught:
        Inventory([file, form])
    assert {problem.field.rpartition(".")[2] for problem in caught.value.problems} == {left}


def test_a_database_is_listed_with_all_its_regions(tmp_path: Path) -> None:
    """Regions that nobody looks at are there, too, and planned ones as the record has them."""
    regions = [
        {"name": "us-east-1", "added_at": "2026-06-01T00:00:00Z"},
        {"name": "us-west-2", "added_at": "2026-06-01T00:00:00Z"},
        {"name": "eu-west-1", "state": "planned"},
    ]
    registered = {"by": "acme-it", "on": "2026-11-01", "at": "2026-05-01T00:00:00Z"}
    keys = [key_data(), key_data(region="us-west-2", registered=registered)]
    file = document(tmp_path, in_region(1, regions=regions), in_region(2), keys=keys)
    plan = plan_data(planned_data(id=uuid(1), name="db", regions=["ap-south-1"]))
    plan_file = write_yaml(tmp_path / "plan.yaml", plan)
    text = filled(form_of(file, plans=(plan_file,)))
    assert "ap-south-1" not in text
    form = write_text(tmp_path / "looks.yaml", text)
    [organization] = Inventory([file, form], [plan_file]).organizations()
    [database, _] = organization.databases or ()
    assert [(region.name, region.portal is not None) for region in database.regions] == [
        ("us-east-1", True),
        ("us-west-2", False),
        ("eu-west-1", False),
        ("ap-south-1", False),
    ]


def test_an_undated_inventory_stays_undated(tmp_path: Path) -> None:
    """A form states no time that its inventory does not have."""
    data = document_data(organization_data(databases=[in_region(1)]))
    del data["captured_at"]
    file = write_yaml(tmp_path / "acme.yaml", data)
    text = filled(form_of(file))
    assert "captured_at" not in text
    form = write_text(tmp_path / "looks.yaml", text)
    [organization] = Inventory([file, form]).organizations()
    assert organization.captured_at is None


def test_a_form_for_an_example_is_one(tmp_path: Path) -> None:
    """An example with its form beside it is still an example, judged as of its own time."""
    data = document_data(organization_data(databases=[in_region(1)]), example=True)
    file = write_yaml(tmp_path / "acme.yaml", data)
    form = write_text(tmp_path / "looks.yaml", filled(form_of(file)))
    inventory = Inventory([file, form])
    assert (inventory.is_example, inventory.captured_at) == (True, Inventory([file]).captured_at)


def test_parts_for_an_organizations_file(tmp_path: Path) -> None:
    """The other form holds what an organizations file takes, and is refused if not filled in."""
    databases = [in_region(1), in_region(2)]
    needed = find_needed([an_organization(databases=databases)], Context(AS_OF))
    form = "\n".join(organizations_form(needed.entries))

    def whole(text: str) -> str:
        """Put the part into an organizations file, as people do."""
        head = f"cmek-organizations: 1\n{text}\n"
        added = re.sub(r"(?m)^  - id: .*$", r"\g<0>\n    name: acme\n    token: T", head)
        return write_text(tmp_path / "organizations.yaml", added)

    [configured] = read_organizations(whole(filled(form))).organizations
    assert [key.portal is not None for key in configured.keys] == [True]
    assert [[region.name for region in stated.regions] for stated in configured.databases] == [
        ["us-east-1"],
        ["us-east-1"],
    ]
    with pytest.raises(OrganizationsError, match="found nothing"):
        read_organizations(whole(form))


@examples(50)
@given(
    st.lists(st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=20), min_size=2, max_size=2)
)
def test_names_are_free_text(names: list[str]) -> None:
    """Whatever an organization and its databases are called, the form holds it unchanged."""
    try:
        organization = an_organization(
            name=names[0], databases=[in_region(1, names[1]), in_region(2, names[0])]
        )
    except ValueError:
        assume(False)  # a name that no inventory may hold
    needed = find_needed([organization], Context(AS_OF))
    text = "\n".join(inventory_form(needed.entries, example=False))
    assert text.isascii()
    document = read_document("looks.yaml", filled(text).encode())
    assert document.problems == []
    parsed = InventoryDocument.model_validate(document.data)
    [read] = parsed.organizations
    found = (read.name, *(database.name for database in read.databases or ()))
    assert found == (names[0], names[1], names[0])
