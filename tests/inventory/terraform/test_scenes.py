"""What Terraform really printed of configurations of every kind, recorded, is read in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from inventory.errors import InventoryError
from inventory.model.terraform_managed import ProviderConfiguration
from inventory.plans import read_plan
from tests.builders import uuid
from tests.inventory.terraform.documents import Read, in_short, recorded
from tests.inventory.terraform.recordings import ALL, RECORDED, Scene
from tests.inventory.terraform.recordings import SCENES as FOLDERS
from tests.inventory.terraform.running import AT, ORGANIZATIONS, VERSION, Workspace, show

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

SCENES = {scene.name: scene for scene in ALL}
APPLY, SENSITIVE = "known only after apply", "marked as sensitive"


def _of(number: int) -> str:
    """Return the id that a recorded database has."""
    return f"00000000-0000-4000-8000-0000000d{number:04x}"


def _db(name: str, provider: str, *regions: str) -> set[tuple[str, str, str]]:
    return {(_at(name), provider, region) for region in regions}


def _at(name: str, kind: str = "astra_database") -> str:
    modules, _, own = name.rpartition("/")
    return f"{modules}.{kind}.{own}" if modules else f"{kind}.{own}"


def _there(*names: str, start: int = 1) -> set[tuple[str, str]]:
    return {(_at(name), _of(number)) for number, name in enumerate(names, start)}


def _keys(**regions: tuple[str, bool]) -> set[tuple[str, str, str, bool]]:
    return {key for name, (region, new) in regions.items() for key in _key(name, region, new=new)}


def _key(name: str, region: str, *, new: bool = True) -> set[tuple[str, str, str, bool]]:
    return {(_at(name, "astra_customer_key"), "aws", region, new)}


def _new(
    planned: set[tuple[str, str, str]] | None = None,
    keys: set[tuple[str, str, str, bool]] | None = None,
) -> Read:
    """Return what a plan comes to in which all is new: one database and its key, if not others."""
    databases = _db("orders", "aws", "us-east-1") if planned is None else planned
    own = _key("orders", "us-east-1") if keys is None else keys
    return Read(databases, set(), set(), set(), own)


def _beside(planned: set[tuple[str, str, str]], keys: set[tuple[str, str, str, bool]]) -> Read:
    """Return what a plan comes to that has one database already, and its key."""
    known = _key("orders", "us-east-1", new=False)
    return Read(planned, set(), set(), _there("orders"), known | keys)


def _aws(name: str, region: str) -> set[tuple[str, str, str]]:
    return _db(name, "aws", region)


def _each(make: Callable[..., set[Any]], name: str = 'orders["{}"]') -> set[Any]:
    """Return what ``make`` makes of a name with each of two regions in it."""
    return {found for region in TWO for found in make(name.format(region), region)}


TWO = ("eu-west-1", "us-east-1")
NAMES = {'"k.]ey"': "us-east-1", r'"we\"ird]"': "us-west-2", r'"two\nlines"': "ca-central-1"}
FOUR = _there("asking", "kept", "ledger", "orders")
KEPT = _keys(kept=("us-east-1", False))
NOTHING: set[Any] = set()
SHARDS = {
    entry
    for number in range(2)
    for name in ("b", "module.x[0]")
    for entry in _db(f'module.app[{number}].module.shard["{name}"]/shard[0]', "gcp", "us-east1")
}
DRIFTED = Read(
    NOTHING,
    NOTHING,
    NOTHING,
    _there("ledger", "orders"),
    _key("orders", "us-east-1", new=False),
)
MODULES = ("module.inherited", 'module.handed["a"]', 'module.handed["b"]', "module.own")
GROWN = Read(
    _db("new", "aws", "us-east-1") | _db("orders", "aws", "eu-west-1"),
    {_of(4)},
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
    "old": Read(_db("new", "gcp", "us-east4"), NOTHING, NOTHING, _there("orders"), NOTHING),
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
        _there("forced", "ledger", "orders"),
        _keys(moved=("us-east-1", True)) | _keys(moved=("us-east-1", False)),
    ),
    "gone": Read(
        _db("large", "aws", "us-east-2"),
        {_of(1)},
        set(),
        _there("large", "there") | _there("deleted", "forgotten", start=3),
        _keys(deleted=("us-east-1", False)),
    ),
    "state": Read(
        set(),
        set(),
        set(),
        _there("orders") | _there('module.app["a.b"]/app[0]', 'module.app["a.b"]/app[1]', start=2),
        _keys(orders=("us-east-1", False)),
    ),
    "none": Read(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    "elsewhere": Read(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    **dict.fromkeys(
        [
            "race",
            "depends-on",
            "reference",
            "region-of-key",
            "local-value",
            "intermediate",
            "precondition",
            "triggered",
            "key-last",
            "json",
        ],
        _new(),
    ),
    **dict.fromkeys(
        ["module-depends-on", "module-input", "module-input-unused"],
        _new(_db("module.shop/orders", "aws", "us-east-1")),
    ),
    **dict.fromkeys(
        [
            "module-output",
            "module-output-constant",
            "module-output-depends-on",
            "depends-on-module",
        ],
        _new(keys=_key("module.keys/orders", "us-east-1")),
    ),
    "each-literal": _new(keys=_each(_key)),
    "each-key": _new(_each(_aws), _each(_key)),
    "module-together": _new(
        _each(_aws, 'module.shop["{}"]/orders'), _each(_key, 'module.shop["{}"]/orders')
    ),
    "key-replaced": _beside(_aws("new", "us-east-1"), _key("orders", "us-east-1")),
    "key-of-another-region": _beside(_aws("new", "eu-west-1"), _key("new", "eu-west-1")),
    "second-key": _beside(_aws("new", "us-east-1"), _key("second", "us-east-1")),
    "key-deleted": _beside(_aws("new", "us-east-1"), NOTHING),
    "key-unknown": _new(),
    "forgotten": _beside(_aws("new", "us-east-1"), NOTHING),
    "moved": Read(
        _aws("module.shop/shop", "eu-west-1"),
        {_of(1)},
        NOTHING,
        _there("module.shop/shop"),
        _key("here", "us-east-1", new=False),
    ),
    "imported": _beside(_aws("new", "us-east-1"), NOTHING)._replace(
        existing={(_at("orders"), uuid(3))}
    ),
    "sensitive": _new(_aws("shown", "us-east-1"), _key("shown", "us-east-1"))._replace(
        undetermined={(_at("orders"), f"regions {SENSITIVE}")}
    ),
    "two-providers": Read(
        _aws("new", "us-east-1")
        | _aws("new_eu", "eu-west-1")
        | _aws("module.shop/shop", "eu-central-1"),
        NOTHING,
        NOTHING,
        _there("eu", "orders"),
        _key("eu", "eu-west-1", new=False)
        | _key("orders", "us-east-1", new=False)
        | _key("module.shop/shop", "eu-central-1"),
    ),
    **dict.fromkeys(["drift", "drift-refreshed", "drift-key"], DRIFTED),
    "drift-deleted": DRIFTED._replace(
        planned=_aws("orders", "us-east-1"), existing=_there("ledger", "orders")
    ),
    "names": _new(
        {
            database
            for name, region in NAMES.items()
            for where in (f"orders[{name}]", f"module.shop[{name}]/shop")
            for database in _aws(where, region)
        },
        {key for name, region in NAMES.items() for key in _key(f"orders[{name}]", region)},
    ),
    "spelled": _beside(_db("new", "aws", "US-East-1", "EU-West-1"), _key("new", "EU-West-1")),
    "shared": Read(
        _db("orders", "aws", "us-east-1")
        | {entry for module in MODULES for entry in _db(f"{module}/orders", "aws", "us-east-1")},
        NOTHING,
        NOTHING,
        NOTHING,
        {
            (f"{module}.astra_customer_key.orders", "aws", "us-east-1", True)
            for module in MODULES[:-1]
        },
    ),
}
UNREAD = {"errored", "respelled"}
"""The scenes of which nothing is expected: one is refused, of the other it depends on Astra."""


def test_every_scene_is_expected() -> None:
    """What is expected of a run of Terraform is written down for each but those named."""
    assert {*EXPECTED, *UNREAD} == {*SCENES}


def test_every_recording_has_its_scene() -> None:
    """Nothing is recorded of a scene that is no more, and no configuration is left over."""
    assert {path.stem for path in RECORDED.iterdir()} == {*SCENES}
    assert set(FOLDERS.iterdir()) == {scene.folder for scene in ALL}


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_output_is_read(name: str) -> None:
    """Everything that Terraform plans or holds of Astra is read, with its address."""
    read = recorded(str(SCENES[name].recorded()))
    assert in_short(*read.organizations) == EXPECTED[name]
    kind = "state" if name == "state" else "plan"
    assert (read.source.role, read.source.format) == (kind, f"terraform-{kind}")
    time = read.source.captured_at
    assert (time and f"{time:%Y-%m-%dT%H:%M:%SZ}") == (None if name == "state" else AT)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_change_of_a_key_is_read(name: str) -> None:
    """What a plan does with keys is what another, simpler reader finds in the same plan."""
    found = set()
    for item in _printed(name).get("resource_changes", ()):
        actions = {*item["change"]["actions"]} if item["type"] == "astra_customer_key" else set()
        verbs = {"register"} & {"register" if "create" in actions else ""}
        verbs |= {"replace" if "create" in actions else "remove"} if "delete" in actions else set()
        found |= {(verb, item["address"]) for verb in verbs}
    managed = [
        organization.managed
        for organization in recorded(str(SCENES[name].recorded())).organizations
    ]
    known = {(key.change, key.resource) for resources in managed for key in resources.planned_keys}
    hidden = {
        (key.change, key.resource) for resources in managed for key in resources.undetermined_keys
    }
    assert known | hidden == found


ORDERED = {
    "depends-on",
    "reference",
    "region-of-key",
    "intermediate",
    "each-literal",
    "each-key",
    "module-together",
    "module-depends-on",
    "module-input",
    "module-output",
    "module-output-depends-on",
    "depends-on-module",
}
"""The scenes whose configuration shows that every database waits for a key of its place."""

UNORDERED = {
    "race",
    "local-value",
    "precondition",
    "triggered",
    "module-input-unused",
    "module-output-constant",
    "key-last",
}
"""Those in which nothing is shown; Terraform was seen to order some of these all the same."""


@pytest.mark.parametrize("name", sorted(ORDERED | UNORDERED))
def test_an_order_is_read_from_the_configuration(name: str) -> None:
    """A planned key has the addresses of all databases of its place that wait for it."""
    [organization] = read_plan(str(SCENES[name].recorded())).organizations
    databases = {
        (database.provider, region.name, database.resource)
        for database in organization.databases or ()
        for region in database.regions
    }
    awaited = {
        (key.provider, key.region, address)
        for key in organization.managed.planned_keys
        for address in key.awaited_by
    }
    assert databases
    assert awaited == (databases if name in ORDERED else set())


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
    for organization in recorded(str(file)).organizations:
        managed = organization.managed
        entries = [*(organization.databases or ()), *managed.undetermined, *managed.keys]
        for entry in [*entries, *managed.databases]:
            shown = json.loads(lines[entry.line - 1].strip().removeprefix('"address":').strip(" ,"))
            assert (entry.file, shown) == (str(file), entry.resource)


def test_the_organization_is_reported_by_what_exists() -> None:
    """What the state tells of one database of a provider holds for its new ones, too."""
    [organization] = read_plan(str(SCENES["grown"].recorded())).organizations
    assert organization.id == ORGANIZATIONS["astra"] == uuid(1)


def test_each_provider_has_its_organization() -> None:
    """Databases and keys belong to the organization of their provider, also those in a module."""
    organizations = read_plan(str(SCENES["two-providers"].recorded())).organizations
    assert {organization.id: in_short(organization) for organization in organizations} == {
        ORGANIZATIONS["astra"]: Read(
            _aws("new", "us-east-1"),
            NOTHING,
            NOTHING,
            _there("orders", start=2),
            _key("orders", "us-east-1", new=False),
        ),
        ORGANIZATIONS["astra.eu"]: Read(
            _aws("new_eu", "eu-west-1") | _aws("module.shop/shop", "eu-central-1"),
            NOTHING,
            NOTHING,
            _there("eu"),
            _key("eu", "eu-west-1", new=False) | _key("module.shop/shop", "eu-central-1"),
        ),
    }


def test_what_each_provider_manages() -> None:
    """A resource is of the provider that its module was handed, wherever that is configured."""
    shown = read_plan(str(SCENES["shared"].recorded())).configurations
    assert all(resource.line for resource in shown)
    assert tuple(resource._replace(line=0) for resource in shown) == (
        ProviderConfiguration("astra", databases=2, keys=1),
        ProviderConfiguration("astra.eu", databases=2, keys=2),
        ProviderConfiguration("module.own:astra.lab", databases=1, keys=0),
    )


def test_what_is_sensitive_is_not_taken_over() -> None:
    """No value that Terraform marks as sensitive is in anything that is read."""
    read = read_plan(str(SCENES["new"].recorded()))
    managed = [organization.managed.model_dump_json() for organization in read.organizations]
    text = repr(read) + "".join(managed)
    raw = SCENES["new"].recorded().read_text("utf-8")
    for secret in ("acme's best customer", "eu-north-1"):
        assert secret in raw
        assert secret not in text


# --- what Terraform prints ------------------------------------------------------------------------


def _printed(name: str) -> dict[str, Any]:
    printed: dict[str, Any] = json.loads(SCENES[name].recorded().read_text("utf-8"))
    return printed


def _drift(name: str) -> list[tuple[str, list[str], list[str] | None]]:
    """Return address, actions and later regions of whatever has changed without Terraform."""
    changes = [(item["address"], item["change"]) for item in _printed(name)["resource_drift"]]
    return [
        (address, change["actions"], change["after"] and change["after"]["regions"])
        for address, change in changes
    ]


@pytest.mark.parametrize(
    ("flag", "names"),
    [
        ("complete", {"target", "errored"}),
        ("applyable", {"same", "none", "drift-key", "errored"}),
    ],
)
def test_which_plans_are_partial_or_empty(flag: str, names: set[str]) -> None:
    """A plan with -target is not complete, and one that changes nothing cannot be applied."""
    plans = SCENES.keys() - {"state"}
    assert {name for name in plans if _printed(name)[flag] is False} == names


def test_drift_is_printed_beside_the_changes() -> None:
    """What changed without Terraform is listed, also where the configuration ignores it."""
    both = ["us-east-1", "eu-west-1"]
    changed = [(f"astra_database.{name}", ["update"], both) for name in ("ledger", "orders")]
    assert _drift("drift") == _drift("drift-refreshed") == changed
    assert _drift("drift-deleted") == [("astra_database.orders", ["delete"], None)]


def test_a_lost_key_is_no_drift() -> None:
    """The provider does not ask for keys, so that a lost one is neither drift nor planned."""
    printed = _printed("drift-key")
    actions = {tuple(item["change"]["actions"]) for item in printed["resource_changes"]}
    assert ("resource_drift" in printed, actions) == (False, {("no-op",)})


def test_an_order_is_in_the_configuration() -> None:
    """The plan shows depends_on and references, but not what is in a lifecycle block."""
    found = {}
    for name in ("race", "depends-on", "reference", "triggered", "precondition"):
        [_, database] = _printed(name)["configuration"]["root_module"]["resources"]
        references = database["expressions"]["name"].get("references", [])
        found[name] = [*database.get("depends_on", []), *references]
    key = "astra_customer_key.orders"
    assert found == {
        "race": [],
        "depends-on": [key],
        "reference": [f"{key}.id", key],
        "triggered": [],
        "precondition": [],
    }


def test_variables_are_printed_in_clear_text() -> None:
    """A plan holds the value of a sensitive variable; of the provider's token, only its name."""
    printed = _printed("two-providers")
    assert printed["variables"] == {"token": {"value": "sham-eu"}}
    configured = printed["configuration"]["provider_config"]["astra.eu"]
    assert configured["expressions"] == {"token": {"references": ["var.token"]}}


@pytest.mark.parametrize("scene", ALL, ids=lambda scene: scene.name)
def test_terraform_prints_what_is_recorded(
    scene: Scene, workspace: Workspace, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Terraform prints today what is recorded; another version, at least what is read alike."""
    printed = show(scene, workspace)
    file = scene.recorded()
    if pytestconfig.getoption("terraform_update", default=False):
        file.write_text(json.dumps(printed, indent=1) + "\n", "utf-8")
    if printed.get("terraform_version", VERSION) == VERSION:
        assert printed == json.loads(file.read_text("utf-8"))
    elif scene.name in EXPECTED:
        again = tmp_path / "plan.json"
        again.write_text(json.dumps(printed), "utf-8")
        assert in_short(*recorded(str(again)).organizations) == EXPECTED[scene.name]
