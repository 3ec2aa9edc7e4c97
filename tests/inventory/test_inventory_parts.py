"""Inventories in parts: together they are the inventory, and whatever is wrong is left to one."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from inventory import inventory_parts
from inventory.conversion import convert
from inventory.errors import InventoryError
from inventory.files.ndjson import NdjsonReader
from inventory.inventory import Inventory
from inventory.inventory_parts import NOT_JUDGED, InventoryPart, StreamPart, split_organizations
from inventory.model.organization import Organization
from tests.builders import (
    an_organization,
    database_data,
    document_data,
    key_data,
    ndjson_lines,
    organization_data,
    plan_data,
    planned_data,
    uuid,
    write_json,
    write_ndjson,
    write_text,
    write_yaml,
)
from tests.hypothesis_profile import examples
from tests.inventory.parquet.parquet_files import PART, change_head, write_folder

if TYPE_CHECKING:
    from inventory.inventory_parts import SplitInventory


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_parts, "LEAST_BYTES", 1)


def _fleet(count: int) -> list[dict[str, Any]]:
    return [
        organization_data(
            id=uuid(number),
            name=f"acme-{number}",
            keys=[key_data()],
            databases=[database_data(id=uuid(100 + number))],
        )
        for number in range(1, count + 1)
    ]


def _split(inventory: Inventory, jobs: int = 4) -> SplitInventory:
    split = inventory.split(jobs)
    assert split is not None
    return split


def _shown(organizations: list[Organization]) -> list[object]:
    """Return all that is known of ``organizations``, and where each key and database is."""
    return [
        (
            one,
            one.managed,
            one.location,
            [entry.location for entry in (*(one.keys or ()), *(one.databases or ()))],
        )
        for one in organizations
    ]


def _read(split: SplitInventory) -> list[Organization]:
    """Read each part as another process does that it is sent to."""
    found = []
    for part in split.parts:
        sent = pickle.loads(pickle.dumps(part))
        found += sent.organizations()
        part.read = sent.read
    return found


def _take(inventory: Inventory, split: SplitInventory) -> None:
    inventory.take(split, [part.read for part in split.parts if part.read is not None])


@examples(20, HealthCheck.function_scoped_fixture)
@given(count=st.integers(1, 7), jobs=st.integers(1, 3), planned=st.sets(st.integers(1, 9)))
def test_parts_of_a_file_are_the_file(
    tmp_path: Path, count: int, jobs: int, planned: set[int]
) -> None:
    """Organizations, their lines, their plans and the file's description are as read by one."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(count)))
    plans = [
        write_yaml(
            tmp_path / f"plan-{number}.yaml", plan_data(planned_data(), organization=uuid(number))
        )
        for number in sorted(planned)
    ]
    one, several = Inventory([file], plans), Inventory([file], plans)
    whole = list(one.organizations())
    split = _split(several, jobs)
    assert _shown(_read(split)) == _shown(whole)
    _take(several, split)
    assert several.sources == one.sources


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("planned", [(), (2, 9)])
def test_parts_of_parquet_are_the_folder(
    tmp_path: Path, shards: int, planned: tuple[int, ...]
) -> None:
    """A folder of Parquet is divided by organizations, whatever files these are in."""
    folder = str(tmp_path / "inventory")
    convert(write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(5))), folder, shards)
    plans = [
        write_yaml(
            tmp_path / f"plan-{number}.yaml", plan_data(planned_data(), organization=uuid(number))
        )
        for number in planned
    ]
    one, several = Inventory([folder], plans), Inventory([folder], plans)
    whole = list(one.organizations())
    split = _split(several, 1)
    assert len(split.parts) == (4 if 9 in planned else 3)
    assert _shown(_read(split)) == _shown(whole)
    _take(several, split)
    assert several.sources == one.sources
    unread = [bare for part in split.parts for bare in part.unread("lost")]
    assert [(bare.id, bare.location) for bare in unread] == [
        (one.id, one.location) for one in whole
    ]


def test_parquet_with_other_totals_is_left_to_one_reader(tmp_path: Path) -> None:
    """Parts of a folder whose head states other totals do not make a whole."""
    folder = write_folder(tmp_path)
    change_head(folder, databases=99)
    inventory = Inventory([folder])
    split = _split(inventory)
    _read(split)
    with pytest.raises(InventoryError, match=r"99, as its cmek-inventory\.json says"):
        _take(inventory, split)


def test_parquet_that_changes_is_left_to_one_reader(tmp_path: Path) -> None:
    """A part sees that its file is another than the head describes."""
    folder = write_folder(tmp_path, shards=2)
    split = _split(Inventory([folder]))
    (tmp_path / "inventory" / PART).write_bytes(b"PAR1")
    with pytest.raises(InventoryError, match="missing, cut short or changed"):
        _read(split)


def test_what_is_in_memory_is_divided(tmp_path: Path) -> None:
    """Organizations of YAML are divided as they are, each in one part."""
    file = write_yaml(tmp_path / "a.yaml", document_data(*_fleet(5)))
    inventory = Inventory([file])
    split = _split(inventory, 1)
    assert len(split.parts) == 4
    assert _shown(_read(split)) == _shown(list(inventory.organizations()))
    _take(inventory, split)


def test_large_organizations_are_shared_out() -> None:
    """Parts have about the same number of databases, and not of organizations."""
    large, small = (
        an_organization(
            id=uuid(number),
            databases=[database_data(id=uuid(100 * number + each)) for each in range(count)],
        )
        for number, count in ((1, 20), (2, 1))
    )
    others = [small.model_copy(update={"id": uuid(number)}) for number in range(3, 8)]
    split = split_organizations([large, small, *others], 1)
    assert [len(list(part.organizations())) for part in split.parts] == [1, 3, 3]


def test_a_plan_without_an_organization_is_read_with_all(tmp_path: Path) -> None:
    """What states no organization is of the only one, which one reader has to find out."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(1)))
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {}},
        "resource_changes": [
            {
                "address": "astra_database.a",
                "mode": "managed",
                "type": "astra_database",
                "name": "a",
                "provider_name": "registry.terraform.io/datastax/astra",
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": {"name": "a", "cloud_provider": "aws", "regions": ["us-east-1"]},
                    "after_unknown": {},
                },
            }
        ],
        "configuration": {},
    }
    planned = write_json(tmp_path / "plan.json", plan)
    assert Inventory([file], [planned]).split(2) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [*lines[:-1], lines[1], lines[-1]],
        lambda lines: [*lines[:-1], {"kind": "organization"}, lines[-1]],
        lambda lines: [*lines[:-1], lines[-1] | {"databases": 9}],
        lambda lines: [lines[0], *lines[1:3], lines[-1], *lines[3:]],
        lambda lines: [*lines[:4], lines[-1], *lines[4:]],
        lambda lines: [*lines[:4], {"kind": "strange"}, *lines[4:]],
    ],
    ids=["twice", "nameless", "total", "after the end", "a part after the end", "strange"],
)
def test_whatever_is_wrong_is_left_to_one_reader(tmp_path: Path, change: Any) -> None:  # noqa: ANN401
    """A mistake in any part, or between parts, lets nobody take the parts for the file."""
    file = write_ndjson(tmp_path / "a.ndjson", change(ndjson_lines(*_fleet(3))))
    inventory = Inventory([file])
    with pytest.raises(InventoryError):
        list(Inventory([file]).organizations())
    split = _split(inventory)
    with pytest.raises(InventoryError):
        _take_all(inventory, split)


def _take_all(inventory: Inventory, split: SplitInventory) -> None:
    _read(split)
    _take(inventory, split)


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    """A part with other bytes than were cut is not judged."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(2)))
    split = _split(Inventory([file]))
    text = (tmp_path / "a.ndjson").read_text()
    write_text(tmp_path / "a.ndjson", text.replace("acme-2", "acme-3"))
    with pytest.raises(InventoryError, match="a file that changed while it was read"):
        _read(split)


def test_another_organization_than_was_planned_for_is_refused(tmp_path: Path) -> None:
    """An organization of a plan must be in the part in which it was seen."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(2)))
    plan = write_yaml(tmp_path / "p.yaml", plan_data(planned_data(), organization=uuid(2)))
    split = _split(Inventory([file], [plan]))
    text = (tmp_path / "a.ndjson").read_text()
    write_text(tmp_path / "a.ndjson", text.replace(uuid(2), uuid(3)))
    with pytest.raises(InventoryError):
        _read(split)


def test_an_organization_of_a_plan_must_be_where_it_was_seen(tmp_path: Path) -> None:
    """A part that lacks an organization of which it holds the plan is left to one reader."""
    reader = NdjsonReader(write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(1))))
    (lines,) = reader.splitting(1_000_000, with_heads=False).ranges
    planned = {uuid(9): an_organization(id=uuid(9))}
    part = InventoryPart(stream=StreamPart(reader.of_part(lines), lines.sha256, planned, {}))
    for organizations in (part.organizations(), part.unread("lost")):
        with pytest.raises(InventoryError, match="found other organizations"):
            list(organizations)
    assert part.read is None


@pytest.mark.parametrize(
    "heads", ['{"kind":"organization","id":', '{"kind":"organization","id":7}']
)
def test_a_plan_beside_a_file_without_ids_is_read_with_all(tmp_path: Path, heads: str) -> None:
    """Where an organization's line shows no id, nobody knows which part its plan belongs to."""
    lines = ndjson_lines(*_fleet(1))
    file = write_ndjson(tmp_path / "a.ndjson", lines)
    text = (tmp_path / "a.ndjson").read_text().splitlines()
    write_text(tmp_path / "a.ndjson", "\n".join([*text[:-1], heads, text[-1]]) + "\n")
    plan = write_yaml(tmp_path / "p.yaml", plan_data(planned_data(), organization=uuid(1)))
    assert Inventory([file], [plan]).split(2) is None


# --- parts that cannot be judged ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ndjson", "yaml"])
def test_what_was_not_judged_is_known_by_name_alone(tmp_path: Path, kind: str) -> None:
    """Of a lost part each organization is left, with a gap for every fact, and its lines count."""
    if kind == "ndjson":
        file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(3)))
    else:
        file = write_yaml(tmp_path / "a.yaml", document_data(*_fleet(3)))
    plan = write_yaml(tmp_path / "p.yaml", plan_data(planned_data(), organization=uuid(2)))
    inventory, one = Inventory([file], [plan]), Inventory([file], [plan])
    whole = list(one.organizations())
    split = _split(inventory)
    bare = [organization for part in split.parts for organization in part.unread("lost")]
    assert [(each.id, each.name, each.captured_at, each.location) for each in bare] == [
        (each.id, each.name, each.captured_at, each.location) for each in whole
    ]
    assert {each.databases for each in bare} | {each.keys for each in bare} == {None}
    assert {gap.reason for each in bare for gap in each.gaps} == {NOT_JUDGED}
    assert [len(each.gaps) for each in bare] == [5, 5, 5]
    _take(inventory, split)
    assert inventory.sources == one.sources


@pytest.mark.parametrize("line", ['{"kind":"organization","name":"acme"}', '{"kind":"strange"}'])
def test_what_cannot_even_be_named_is_left_to_one_reader(tmp_path: Path, line: str) -> None:
    """A lost part with a mistake in it is no part of an audit."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(1)))
    text = (tmp_path / "a.ndjson").read_text().splitlines()
    write_text(tmp_path / "a.ndjson", "\n".join([*text[:-1], line, text[-1]]) + "\n")
    with pytest.raises(InventoryError):
        [list(part.unread("lost")) for part in _split(Inventory([file])).parts]


def test_an_organization_that_cannot_be_named_is_left_to_one_reader(tmp_path: Path) -> None:
    """Where not even the names of a lost part can be read, one reader reports what is wrong."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*_fleet(2)))
    write_text(tmp_path / "a.ndjson", Path(file).read_text().replace('"acme-2"', "2"))
    with pytest.raises(InventoryError, match="name"):
        list(NdjsonReader(file).bare_organizations())
