"""The inventory of one audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import InventoryError, Problem
from inventory.inventory import Inventory
from inventory.model.sources import CLOUDS_ONLY
from tests.builders import (
    CAPTURED_AT,
    DATABASE,
    ORGANIZATION,
    OTHER_DATABASE,
    OTHER_ORGANIZATION,
    a_planned_database,
    aws_key_id,
    database_data,
    document_data,
    key_data,
    moment,
    ndjson_lines,
    organization_data,
    plan_data,
    planned_data,
    write_json,
    write_ndjson,
    write_text,
    write_yaml,
)
from tests.hypothesis_profile import examples
from tests.inventory.terraform.documents import change, plan


def two_organizations() -> list[dict[str, object]]:
    return [organization_data(), organization_data(id=OTHER_ORGANIZATION, name="acme-test")]


def problems(files: list[str], plans: list[str]) -> list[Problem]:
    with pytest.raises(InventoryError) as caught:
        list(Inventory(files, plans).organizations())
    return list(caught.value.problems)


@pytest.mark.parametrize("plans", [[], ["plan.yaml"]])
def test_stream_and_whole_agree(tmp_path: Path, plans: list[str]) -> None:
    """One inventory gives the same organizations as YAML, as JSON, as a stream and as two files."""
    planned = [write_yaml(tmp_path / name, plan_data()) for name in plans]
    document = document_data(*two_organizations())
    one, two = two_organizations()
    ways = [
        [write_yaml(tmp_path / "a.yaml", document)],
        [write_json(tmp_path / "a.json", document)],
        [write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*two_organizations()))],
        [
            write_ndjson(tmp_path / "one.ndjson", ndjson_lines(one)),
            write_ndjson(tmp_path / "two.ndjson", ndjson_lines(two)),
        ],
        [
            write_ndjson(tmp_path / "one.ndjson", ndjson_lines(one)),
            write_yaml(tmp_path / "two.yaml", document_data(two)),
        ],
    ]
    shown = [list(Inventory(files, planned).organizations()) for files in ways]
    assert [organization.id for organization in shown[0]] == [ORGANIZATION, OTHER_ORGANIZATION]
    assert {organization.captured_at for organization in shown[0]} == {CAPTURED_AT}
    assert all(organizations == shown[0] for organizations in shown)
    assert len(shown[0][0].databases or ()) == 1 + len(plans)


def test_files_of_one_moment(tmp_path: Path) -> None:
    """Several files together describe one organization, as of the earliest of their times."""
    one = organization_data(keys=None)
    two = {"id": ORGANIZATION, "name": "acme-prod", "keys": [key_data()]}
    late = write_yaml(tmp_path / "a.yaml", document_data(one))
    early = write_yaml(tmp_path / "b.yaml", document_data(two, captured_at="2026-11-19T00:00:00Z"))
    inventory = Inventory([late, early])
    (organization,) = inventory.organizations()
    assert inventory.captured_at == organization.captured_at == moment("2026-11-19")
    assert organization.missing() == ()
    assert [source.path for source in inventory.sources] == [late, early]


def test_time_of_its_own(tmp_path: Path) -> None:
    """An organization with a time of its own keeps it; one without has that of its file."""
    own = organization_data(captured_at="2026-11-01T00:00:00Z")
    other = organization_data(id=OTHER_ORGANIZATION, name="acme-test")
    file = write_yaml(tmp_path / "a.yaml", document_data(own, other))
    organizations = list(Inventory([file]).organizations())
    assert [organization.captured_at for organization in organizations] == [
        moment("2026-11-01"),
        CAPTURED_AT,
    ]
    assert [organization.file for organization in organizations] == [file, file]
    assert 0 < organizations[0].line < organizations[1].line


def test_undated_inventory(tmp_path: Path) -> None:
    """An inventory of which one file is undated is undated."""
    dated = write_yaml(tmp_path / "a.yaml", document_data())
    undated = write_yaml(tmp_path / "b.yaml", document_data(captured_at=None))
    streamed = write_ndjson(tmp_path / "c.ndjson", ndjson_lines(captured_at=None))
    for files in ([dated, undated], [undated], [streamed]):
        inventory = Inventory(files)
        assert inventory.captured_at is None
        assert [organization.captured_at for organization in inventory.organizations()] == [None]
    assert Inventory([dated]).captured_at == CAPTURED_AT


def test_examples(tmp_path: Path) -> None:
    """An inventory is an example only if all of its files are."""
    plain = write_yaml(tmp_path / "a.yaml", document_data())
    example = write_yaml(tmp_path / "b.yaml", document_data(example=True))
    streamed = write_ndjson(tmp_path / "c.ndjson", ndjson_lines(example=True))
    for files, is_example in (
        ([plain], False),
        ([example], True),
        ([streamed], True),
        ([example, streamed], True),
        ([plain, example], False),
        ([], False),
    ):
        assert Inventory(files).is_example is is_example


def test_no_inventory(tmp_path: Path) -> None:
    """Without any file there is no organization and no time; a plan alone is of no moment."""
    empty = Inventory([])
    assert (empty.captured_at, empty.sources, list(empty.organizations())) == (None, (), [])
    planned = Inventory([], [write_yaml(tmp_path / "plan.yaml", plan_data())])
    (organization,) = planned.organizations()
    assert planned.captured_at is None
    assert {gap.fact for gap in organization.missing()} >= {"databases", "serverless-keys"}


def test_plan_for_another_organization(tmp_path: Path) -> None:
    """An organization that stands in a plan only comes last, with its gaps."""
    plan = write_yaml(tmp_path / "plan.yaml", plan_data(organization=OTHER_ORGANIZATION))
    for file in (
        write_yaml(tmp_path / "a.yaml", document_data()),
        write_ndjson(tmp_path / "a.ndjson", ndjson_lines()),
    ):
        inventory = Inventory([file], [plan])
        one, two = inventory.organizations()
        assert (one.id, two.id) == (ORGANIZATION, OTHER_ORGANIZATION)
        assert one.missing() == ()
        assert {gap.fact for gap in two.missing()} == {
            "databases",
            "serverless-keys",
            "managed-clusters-keys",
        }
        assert [(source.path, source.role) for source in inventory.sources] == [
            (file, "inventory"),
            (plan, "plan"),
        ]


def test_several_plans(tmp_path: Path) -> None:
    """Several plans for one organization are united, and contradict each other in vain."""
    file = write_yaml(tmp_path / "a.yaml", document_data())
    one = write_yaml(tmp_path / "one.yaml", plan_data(planned_data(), planned_data(name="other")))
    two = write_json(tmp_path / "two.json", plan_data(planned_data(), planned_data(name="third")))
    (organization,) = Inventory([file], [one, two]).organizations()
    planned = [database for database in organization.databases or () if database.is_planned]
    assert [database.name for database in planned] == ["acme-planned", "other", "third"]
    assert planned[0].model_dump() == a_planned_database().model_dump()
    rival = write_json(tmp_path / "rival.json", plan_data(planned_data(provider="gcp")))
    found = problems([file], [one, rival])
    assert [(problem.file, problem.field, problem.found) for problem in found] == [
        (rival, "provider", "'gcp'")
    ]


def test_plan_against_a_stream(tmp_path: Path) -> None:
    """A plan that contradicts a streamed inventory is an error."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines())
    plan = write_yaml(
        tmp_path / "plan.yaml", plan_data(planned_data(id=DATABASE, name="acme-orders"))
    )
    (problem,) = problems([file], [plan])
    assert (problem.file, problem.field) == (plan, "regions")
    assert problem.found.endswith(f"as {file}:4 says")


def test_problems_of_all_files(tmp_path: Path) -> None:
    """The problems of all files, plans included, are reported at once."""
    broken = [
        write_text(tmp_path / "a.yaml", "x"),
        write_text(tmp_path / "b.ndjson", "x\n"),
        str(tmp_path / "c.txt"),
        str(tmp_path / "missing.json"),
    ]
    plan = write_text(tmp_path / "plan.yaml", "x")
    assert [problem.file for problem in problems(broken, [plan])] == [plan, *broken]


def test_problems_of_one_stream(tmp_path: Path) -> None:
    """A stream without a head is refused at once, one with a later mistake at its end."""
    headless = write_text(tmp_path / "a.ndjson", "x\n")
    with pytest.raises(InventoryError):
        Inventory([headless])
    lines = ndjson_lines(*two_organizations())
    lines[-2]["provider"] = "oracle"
    organizations = Inventory([write_ndjson(tmp_path / "b.ndjson", lines)]).organizations()
    assert next(organizations).id == ORGANIZATION
    with pytest.raises(InventoryError):
        next(organizations)


def test_contradictory_files(tmp_path: Path) -> None:
    """Two files of one moment that contradict each other are an error that names both places."""
    one = write_json(tmp_path / "a.json", document_data())
    other = organization_data(databases=[database_data(name="acme-bills")])
    two = write_ndjson(tmp_path / "b.ndjson", ndjson_lines(other))
    assert problems([one, two], []) == [
        Problem(two, 4, "name", "'acme-bills'", f"'acme-orders', as {one}:23 says")
    ]


def test_one_file_twice(tmp_path: Path) -> None:
    """A file that is given twice counts once."""
    databases = [database_data(), database_data(id=OTHER_DATABASE)]
    data = document_data(organization_data(databases=databases))
    file = write_yaml(tmp_path / "a.yaml", data)
    assert list(Inventory([file, file]).organizations()) == list(Inventory([file]).organizations())


@examples(12)
@given(st.permutations(range(3)), st.permutations(range(2)))
def test_the_order_of_files_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, files: list[int], plans: list[int]
) -> None:
    """Whatever comes first, organizations, keys and databases have one order and one place each."""
    folder = tmp_path_factory.mktemp("order")
    first, second = (database_data(id=f"d{number}", name=f"acme-{number}") for number in range(2))
    other = organization_data(id="acme-lab", name="acme-lab")
    present = [
        write_yaml(folder / f"{name}.yaml", document_data(*organizations))
        for name, organizations in (
            ("a", [organization_data(databases=[first]), other]),
            ("b", [organization_data(databases=[second, first])]),
            ("c", [other, organization_data(databases=[second])]),
        )
    ]
    planned = [
        write_yaml(folder / f"plan-{name}.yaml", plan_data(planned_data(name=name)))
        for name in "pq"
    ]
    mixed = Inventory([present[file] for file in files], [planned[plan] for plan in plans])
    assert _everything(mixed) == _everything(Inventory(present, planned))


def _everything(inventory: Inventory) -> list[object]:
    found: list[object] = [source.path for source in inventory.sources]
    for organization in inventory.organizations():
        entries = (*(organization.keys or ()), *(organization.databases or ()))
        found += [(entry.model_dump(), entry.location) for entry in (organization, *entries)]
    return found


# --- records of clouds alone ----------------------------------------------------------------------

PLANNED_KEY = aws_key_id("ap-south-1")


def plan_of_a_key(tmp_path: Path) -> str:
    """Write a plan that registers one key."""
    scope = {"type": "serverless", "provider": "aws", "region": "ap-south-1"}
    organization = {"id": ORGANIZATION, "keys": [scope | {"key_id": PLANNED_KEY}]}
    return write_yaml(tmp_path / "plan.yaml", {"cmek-plan": 1, "organizations": [organization]})


def of_clouds(tmp_path: Path, *organizations: dict[str, Any], name: str = "clouds") -> str:
    """Write a record of clouds alone, of a later time than any other file."""
    late = "2026-11-25T02:00:00Z"
    lines = ndjson_lines(*organizations, clouds_only=True, captured_at=late)
    return write_ndjson(tmp_path / f"{name}.ndjson", lines)


def shown(*key_ids: str, at: str = "2026-11-25T01:00:00Z", **over: Any) -> dict[str, Any]:  # noqa: ANN401 (any field)
    """Return an organization of which the clouds show ``key_ids``, and nothing else is known."""
    facts = {"observed_at": at, "enabled": True}
    keys = [{"key_id": key_id, "facts": facts, "requests": 2} for key_id in key_ids]
    reading = {"fact": "aws-keys", "address": "/aws", "requests": 2, "answers": {"200": 2}}
    bare = {"id": ORGANIZATION, "name": "acme-prod"}
    return bare | {"cloud_keys": keys, "readings": [reading]} | over


@pytest.mark.parametrize("ending", ["yaml", "ndjson"])
def test_record_of_clouds_adds_facts_and_nothing_else(tmp_path: Path, ending: str) -> None:
    """Facts reach the keys of the other files; their dates, gaps and names stay as they are."""
    data = organization_data(keys=[key_data()], gaps=[{"fact": "databases", "reason": "refused"}])
    plain = (
        write_yaml(tmp_path / "a.yaml", document_data(data))
        if ending == "yaml"
        else write_ndjson(tmp_path / "a.ndjson", ndjson_lines(data))
    )
    clouds = of_clouds(tmp_path, shown(key_data()["key_id"], name="another name"))
    (before,), inventory = Inventory([plain]).organizations(), Inventory([clouds, plain])
    (after,) = inventory.organizations()
    (key,) = after.keys or ()
    assert key.kms is not None
    assert (key.kms.enabled, key.kms.observed_at) == (True, moment("2026-11-25T01:00:00Z"))
    assert {place[0] for place in key.kms.where("key")} == {clouds}
    same = {"keys": before.keys, "cloud_keys": None, "readings": ()}
    assert after.model_copy(update=same) == before
    assert [reading.fact for reading in after.readings] == ["aws-keys"]
    assert (after.missing(), after.location) == (before.missing(), before.location)
    assert inventory.captured_at == CAPTURED_AT


def test_record_of_clouds_is_a_source_of_its_own(tmp_path: Path) -> None:
    """A record of clouds alone is listed with a note, and names whose keys it shows."""
    plain = write_yaml(tmp_path / "z.yaml", document_data(example=True))
    clouds = of_clouds(tmp_path, shown())
    inventory = Inventory([plain, clouds])
    sources = {source.path: source for source in inventory.sources}
    assert list(sources) == [plain, clouds]
    assert (sources[plain].notes, sources[plain].clouds_of) == ((), ())
    assert (sources[clouds].notes, sources[clouds].clouds_of) == ((CLOUDS_ONLY,), (ORGANIZATION,))
    assert inventory.is_example


def test_record_of_clouds_is_no_inventory(tmp_path: Path) -> None:
    """Without the record of the organizations there is nothing to judge: it is refused."""
    several = [of_clouds(tmp_path, shown(), name=name) for name in ("a", "b")]
    for files in (several, several[:1]):
        assert problems(files, []) == [
            Problem(
                file, 0, "", "a record of clouds alone", "the record of the organizations beside it"
            )
            for file in files
        ]


def test_record_of_clouds_of_others_adds_nothing(tmp_path: Path) -> None:
    """Organizations that only a record of clouds names are none of the audit."""
    plain = write_yaml(tmp_path / "a.yaml", document_data(organization_data(keys=[key_data()])))
    clouds = of_clouds(tmp_path, shown(key_data()["key_id"], id=OTHER_ORGANIZATION, name="b"))
    assert list(Inventory([plain, clouds]).organizations()) == list(
        Inventory([plain]).organizations()
    )


def test_latest_of_several_records_of_clouds_counts(tmp_path: Path) -> None:
    """A later look counts, whichever file it is in, and though it showed less."""
    key_id = key_data()["key_id"]
    gap = {"fact": "key", "reason": "refused"}
    late = {"observed_at": "2026-11-25T01:30:00Z", "unread": [gap]}
    refused = shown()
    refused["cloud_keys"] = [{"key_id": key_id, "facts": late}]
    plain = write_yaml(tmp_path / "m.yaml", document_data(organization_data(keys=[key_data()])))
    one = of_clouds(tmp_path, refused, name="a")
    two = of_clouds(tmp_path, shown(key_id), name="z")
    (organization,) = Inventory([plain, one, two]).organizations()
    (key,) = organization.keys or ()
    assert key.kms is not None
    assert (key.kms.enabled, key.kms.unread[0].reason) == (None, "refused")
    assert len(organization.cloud_keys or ()) == 2


def test_planned_keys_get_facts(tmp_path: Path) -> None:
    """A planned key has the facts of its cloud, also where only a plan names its organization."""
    plan = plan_of_a_key(tmp_path)
    clouds = of_clouds(tmp_path, shown(PLANNED_KEY))
    other = organization_data(id=OTHER_ORGANIZATION, name="acme-test")
    for data in (organization_data(), other):
        plain = write_yaml(tmp_path / "a.yaml", document_data(data))
        inventory = Inventory([plain, clouds], [plan])
        keys = [
            key
            for organization in inventory.organizations()
            for key in organization.managed.planned_keys
        ]
        assert [key.kms and key.kms.enabled for key in keys] == [True]


def test_keys_of_plans_are_known_before_anything_is_read(tmp_path: Path) -> None:
    """The keys that plans would change are known by organization."""
    plan = plan_of_a_key(tmp_path)
    inventory = Inventory((), [plan])
    planned = inventory.planned_keys([OTHER_ORGANIZATION])
    keys = {owner: [key.key_id for key in keys] for owner, keys in planned.items()}
    assert keys == {ORGANIZATION: [PLANNED_KEY]}
    assert Inventory(()).planned_keys([ORGANIZATION]) == {}


def test_keys_of_a_plan_without_an_owner_are_of_the_only_organization(tmp_path: Path) -> None:
    """A Terraform plan that states no organization is about the only one there is."""
    inventory = Inventory((), [write_json(tmp_path / "plan.json", plan(change()))])
    assert inventory.planned_keys([ORGANIZATION]) == {ORGANIZATION: []}
    with pytest.raises(InventoryError, match="because this audit has several organizations"):
        inventory.planned_keys([ORGANIZATION, OTHER_ORGANIZATION])
