"""What Terraform really printed of configurations of every kind, recorded, is read in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from inventory.errors import InventoryError
from inventory.plans import read_plan
from inventory.terraform_organizations import Configuration
from tests.builders import uuid
from tests.inventory.terraform.documents import Read, in_short
from tests.inventory.terraform.running import (
    ALL,
    AT,
    ORGANIZATIONS,
    TERRAFORM,
    VERSION,
    Scene,
    show,
    turned_back,
)

if TYPE_CHECKING:
    from pathlib import Path

SCENES = {scene.name: scene for scene in ALL}
APPLY, SENSITIVE = "known only after apply", "marked as sensitive"


def _of(number: int) -> str:
    """Return the id that a recorded database has."""
    return f"00000000-0000-4000-8000-0000000d{number:04x}"


def _db(name: str, provider: str, *regions: str) -> set[tuple[str, str, str]]:
    return {(_at(name), provider, region) for region in regions}


def _at(name: str) -> str:
    modules, _, own = name.rpartition("/")
    return f"{modules}.astra_database.{own}" if modules else f"astra_database.{own}"


def _there(*names: str, start: int = 1) -> set[tuple[str, str]]:
    return {(_at(name), _of(number)) for number, name in enumerate(names, start)}


def _keys(**regions: tuple[str, bool]) -> set[tuple[str, str, str, bool]]:
    return {(f"astra_customer_key.{name}", "aws", *told) for name, told in regions.items()}


FOUR = _there("asking", "kept", "ledger", "orders", start=2)
KEPT = _keys(kept=("us-east-1", False))
NOTHING: set[Any] = set()
SHARDS = {
    each
    for number in range(2)
    for name in ("b", "module.x[0]")
    for each in _db(f'module.app[{number}].module.shard["{name}"]/shard[0]', "gcp", "us-east1")
}
MODULES = ("module.inherited", 'module.handed["a"]', 'module.handed["b"]', "module.own")
GROWN = Read(
    _db("new", "aws", "us-east-1") | _db("orders", "aws", "eu-west-1"),
    {_of(5)},
    {(_at("asking"), f"regions {APPLY}")},
    FOUR,
    KEPT | _keys(new=("eu-west-1", True)),
)
EXPECTED = {
    "new": Read(
        _db("orders", "aws", "us-east-2", "ap-south-1")
        | _db("partly", "gcp", "us-east1")
        | _db("nameless", "aws", "us-west-2")
        | _db("secret", "azure", "westeurope")
        | _db("hidden", "aws", "us-east-1")
        | _db("old", "gcp", "europe-west1", "us-east4")
        | _db("eu", "aws", "eu-west-1")
        | _db('many["a.b"]', "aws", "us-east-1")
        | _db(r'many["we\"ird]"]', "aws", "us-west-2")
        | _db(r'many["two\nlines"]', "aws", "ca-central-1")
        | _db("module.app[0]/app", "aws", "us-east-1")
        | _db("module.app[1]/app", "aws", "us-east-1")
        | SHARDS,
        set(),
        {
            (_at("partly"), f"regions {APPLY}"),
            (_at("nowhere"), f"regions {APPLY}"),
            (_at("anybody"), f"cloud_provider {APPLY}"),
            (_at("hidden"), f"regions {SENSITIVE}"),
        },
        set(),
        _keys(orders=("us-east-2", True)),
    ),
    "grown": GROWN,
    "unrefreshed": GROWN,
    "target": Read(_db("new", "aws", "us-east-1"), NOTHING, NOTHING, FOUR, KEPT),
    "destroyed": Read(NOTHING, NOTHING, NOTHING, FOUR, KEPT),
    "refreshed": Read(NOTHING, NOTHING, NOTHING, FOUR, KEPT),
    "same": Read(NOTHING, NOTHING, NOTHING, FOUR, KEPT),
    "replaced": Read(
        _db("orders", "aws", "us-east-1")
        | _db("ledger", "aws", "us-east-1", "us-west-2")
        | _db("forced", "gcp", "us-east1"),
        set(),
        set(),
        _there("forced", "ledger", "orders", start=2),
        _keys(moved=("us-east-1", True)) | _keys(moved=("us-east-1", False)),
    ),
    "gone": Read(
        _db("large", "aws", "us-east-2"),
        {_of(1)},
        set(),
        _there("large", "there") | _there("deleted", "forgotten", start=4),
        _keys(deleted=("us-east-1", False)),
    ),
    "state": Read(
        set(),
        set(),
        set(),
        _there("orders") | _there('module.app["a.b"]/app[0]', 'module.app["a.b"]/app[1]', start=3),
        _keys(orders=("us-east-1", False)),
    ),
    "none": Read(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    "shared": Read(
        _db("orders", "aws", "us-east-1")
        | {each for module in MODULES for each in _db(f"{module}/orders", "aws", "us-east-1")},
        NOTHING,
        NOTHING,
        NOTHING,
        {
            (f"{module}.astra_customer_key.orders", "aws", "us-east-1", True)
            for module in MODULES[:-1]
        },
    ),
}


def test_every_scene_is_expected() -> None:
    """What is expected of a run of Terraform is written down for each but the one that failed."""
    assert {*EXPECTED, "errored"} == {*SCENES}


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_output_is_read(name: str) -> None:
    """Everything that Terraform plans or holds of Astra is read, with its address."""
    recorded = read_plan(str(SCENES[name].recorded()))
    assert in_short(*recorded.organizations) == EXPECTED[name]
    assert recorded.source.format == f"terraform-{'state' if name == 'state' else 'plan'}"
    time = recorded.source.captured_at
    assert (time and f"{time:%Y-%m-%dT%H:%M:%SZ}") == (None if name == "state" else AT)


def test_a_plan_that_failed_is_refused() -> None:
    """A plan that Terraform could not make in full is refused, with the line that says so."""
    file = SCENES["errored"].recorded()
    with pytest.raises(InventoryError) as caught:
        read_plan(str(file))
    [problem] = caught.value.problems
    assert (problem.field, problem.found) == ("errored", "a plan that ended with an error")
    assert file.read_text("utf-8").splitlines()[problem.line - 1].strip() == '"errored": true'


@pytest.mark.parametrize("name", EXPECTED)
def test_places_lead_to_the_change(name: str) -> None:
    """Whatever is read stands on the line where the plan begins to tell of its resource."""
    file = SCENES[name].recorded()
    lines = file.read_text("utf-8").splitlines()
    for organization in read_plan(str(file)).organizations:
        managed = organization.managed
        entries = [*(organization.databases or ()), *managed.undetermined, *managed.keys]
        for each in [*entries, *managed.databases]:
            told = json.loads(lines[each.line - 1].strip().removeprefix('"address":').strip(" ,"))
            assert (each.file, told) == (str(file), each.resource)


def test_the_organization_is_told_by_what_exists() -> None:
    """What the state tells of one database of a provider holds for its new ones, too."""
    [organization] = read_plan(str(SCENES["grown"].recorded())).organizations
    assert organization.id == ORGANIZATIONS["astra"] == uuid(1)


def test_what_each_provider_manages() -> None:
    """A resource is of the provider that its module was handed, wherever that is configured."""
    told = read_plan(str(SCENES["shared"].recorded())).configurations
    assert all(each.line for each in told)
    assert tuple(each._replace(line=0) for each in told) == (
        Configuration("astra", databases=2, keys=1),
        Configuration("astra.eu", databases=2, keys=2),
        Configuration("module.own:astra.lab", databases=1, keys=0),
    )


def test_what_is_sensitive_is_not_taken_over() -> None:
    """No value that Terraform marks as sensitive is in anything that is read."""
    recorded = read_plan(str(SCENES["new"].recorded()))
    managed = [each.managed.model_dump_json() for each in recorded.organizations]
    text = repr(recorded) + "".join(managed)
    raw = SCENES["new"].recorded().read_text("utf-8")
    for secret in ("acme's best customer", "eu-north-1"):
        assert secret in raw
        assert secret not in text


@pytest.mark.parametrize("scene", ALL, ids=lambda scene: scene.name)
def test_what_is_recorded_was_turned_back(scene: Scene) -> None:
    """What is read here is what Terraform printed, with resources of Astra put in."""
    raw = json.loads(scene.recorded(raw=True).read_text("utf-8"))
    assert json.loads(scene.recorded().read_text("utf-8")) == turned_back(raw)
    assert raw["format_version"] in {"1.0", "1.2"}


@pytest.mark.skipif(TERRAFORM is None, reason="there is no Terraform here")
@pytest.mark.parametrize("scene", ALL, ids=lambda scene: scene.name)
def test_terraform_prints_what_is_recorded(
    scene: Scene, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Terraform prints today what is recorded; another version, at least what is read alike."""
    printed = show(scene, tmp_path)
    file = scene.recorded(raw=True)
    if pytestconfig.getoption("terraform_update", default=False):
        for path, data in ((file, printed), (scene.recorded(), turned_back(printed))):
            path.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    if printed.get("terraform_version", VERSION) == VERSION:
        assert printed == json.loads(file.read_text("utf-8"))
    elif scene.name in EXPECTED:
        again = tmp_path / "plan.json"
        again.write_text(json.dumps(turned_back(printed)), "utf-8")
        assert in_short(*read_plan(str(again)).organizations) == EXPECTED[scene.name]
