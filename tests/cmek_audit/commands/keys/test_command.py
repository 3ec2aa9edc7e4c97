"""``cmek-audit keys``: how many keys are needed, and what is known of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import check_scope_has_key
from cmek_audit.commands.keys.command import KeysRequest, _key_plan
from cmek_audit.run.audit import run_audit
from cmek_audit.run.option_values import parse_options
from inventory.evidence.manifest import read_manifest
from inventory.model.vocabulary import canonical_provider, canonical_type, lacks_customer_keys
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    aws_key_id,
    database_data,
    document_data,
    key_data,
    key_id_for,
    organization_data,
    plan_data,
    planned_data,
    uuid,
    write_json,
    write_yaml,
)
from tests.checks.test_documentation import EXAMPLES
from tests.cmek_audit.helpers import ROOT, command
from tests.cmek_audit.planning import ACME, COMPLIANT, asked, numbers, saved
from tests.hypothesis_profile import examples
from tests.reports.samples import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.finding import Finding

    Place = tuple[str, str, tuple[str, ...]]

FILES = {"acme": ACME, "compliant": COMPLIANT}
EACH_EXAMPLE = pytest.mark.parametrize(("places", "count"), EXAMPLES.values(), ids=list(EXAMPLES))


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def refused(*arguments: object) -> str:
    done = command("keys", *arguments)
    assert (done.exit_code, done.stdout) == (4, "")
    return done.stderr


# --- the documentation's worked examples ----------------------------------------------------------


def _added(places: list[Place]) -> Iterator[str]:
    for kind, provider, regions in places:
        yield from ("--add", f"{kind}/{provider}/{','.join(regions)}")


def _planned(places: list[Place]) -> dict[str, Any]:
    databases = [
        planned_data(name=f"acme-{number}", type=kind, provider=provider, regions=regions)
        for number, (kind, provider, regions) in enumerate(places)
    ]
    return plan_data(*databases)


def _keys(places: list[Place]) -> list[dict[str, Any]]:
    scopes = {(kind, provider, each) for kind, provider, some in places for each in some}
    attested = {"by": "acme-security", "on": "2026-11-01"}
    return [
        key_data(
            type=kind,
            provider=provider,
            region=region,
            key_id=_own_id(str(canonical_provider(provider)), region, number),
            usable={"usable": True, **attested},
            rotation={"automatic": True, **attested},
        )
        for number, (kind, provider, region) in enumerate(sorted(scopes))
    ]


def _own_id(provider: str, region: str, number: int) -> str:
    """Return the id of a key that no other number has."""
    if provider == "aws":
        return f"arn:aws:kms:{region}:111122223333:key/{uuid(number)}"
    return f"{key_id_for(provider, region)}-{number}"


@EACH_EXAMPLE
def test_worked_examples_as_what_if(places: list[Place], count: int) -> None:
    """As many keys are needed as the documentation says; which are there, nobody knows."""
    code, answer = asked(*_added(places))
    assert (code, numbers(answer)) == (1, {"needed": count, "undetermined": count})


@EACH_EXAMPLE
def test_worked_examples_as_a_plan(places: list[Place], count: int, tmp_path: Path) -> None:
    """A plan of the same databases needs the same keys."""
    code, answer = asked("-p", write_yaml(tmp_path / "p.yaml", _planned(places)))
    assert (code, numbers(answer)) == (1, {"needed": count, "undetermined": count})


@EACH_EXAMPLE
def test_worked_examples_without_keys(places: list[Place], count: int, tmp_path: Path) -> None:
    """In an organization without keys all of them are missing."""
    inventory = saved(
        tmp_path, organization_data(keys=[], databases=[database_data(status="TERMINATED")])
    )
    code, answer = asked("-i", inventory, *_added(places))
    assert (code, numbers(answer)) == (1, {"needed": count, "missing": count})


@EACH_EXAMPLE
def test_worked_examples_with_all_keys(places: list[Place], count: int, tmp_path: Path) -> None:
    """In an organization with a key for each combination none is missing."""
    inventory = saved(tmp_path, organization_data(keys=_keys(places), databases=[]))
    plan = write_yaml(tmp_path / "p.yaml", _planned(places))
    code, answer = asked("-i", inventory, "-p", plan)
    assert (code, numbers(answer)) == (0, {"needed": count, "registered": count})


_PLACES = st.tuples(
    st.sampled_from(["serverless", "Classic"]),
    st.sampled_from(["aws", "Google Cloud", "AZURE"]),
    st.lists(st.sampled_from(["r1", "r-2", "r3"]), min_size=1, unique=True).map(tuple),
)


@examples(60)
@given(places=st.lists(_PLACES, min_size=1, max_size=5))
def test_a_key_for_each_combination(places: list[Place]) -> None:
    """One key is needed for each combination of type, provider and region that can have one."""
    combinations = {
        (str(canonical_type(kind)), str(canonical_provider(provider)), region)
        for kind, provider, regions in places
        for region in regions
    }
    without = {
        combination
        for combination in combinations
        if lacks_customer_keys(combination[0], combination[1])
    }
    add = tuple(text for text in _added(places) if text != "--add")
    answer = _key_plan(KeysRequest(add=add), None)
    assert answer["needed"] == len(combinations - without)
    assert answer["unsupported"] == len(without)


# --- any mix --------------------------------------------------------------------------------------


def test_the_same_numbers_as_an_audit(tmp_path: Path) -> None:
    """The command and the page of an audit of the same files tell the same plan."""
    for name, files in FILES.items():
        options = {"inventory": files[1:2], "plan": files[3:4], "report_dir": str(tmp_path / name)}
        head: Any = run_audit(parse_options(options), lambda _: RUN.copy()).head
        _, answer = asked(*files)
        plan = head["key_plan"]
        del plan["lists"]
        none = dict.fromkeys(("scopes", "doubts", "shared"))
        own = [{**each, **none} for each in plan.pop("organizations")]
        assert own == [{**organization, **none} for organization in answer["organizations"]]
        assert plan == {part: answer[part] for part in plan}
        assert [
            [{**cell, "finding": None} for cell in each["cells"]] for each in head["coverage"]
        ] == [
            [{**scope, "finding": None} for scope in organization["scopes"]]
            for organization in answer["organizations"]
        ]


def test_a_mixture(tmp_path: Path) -> None:
    """What is, what is planned and what might be are one plan; states come for each scope."""
    organization = organization_data(
        keys=[
            key_data(),
            key_data(region="eu-west-1"),
            key_data(region="r1"),
            key_data(region="r2"),
        ],
        databases=[database_data(regions=["us-east-1", "us-west-2"])],
        gaps=[{"fact": "managed-clusters-keys", "reason": "refused"}],
    )
    plan = plan_data(planned_data(regions=["us-east-1", "r1"]))
    code, answer = asked(
        *("-i", saved(tmp_path, organization), "-p", write_yaml(tmp_path / "p.yaml", plan)),
        *("-a", "serverless/aws/us-west-2,eu-north-1", "-a", "acme-prod/classic/aws/r1"),
        *("-a", f"{ORGANIZATION}/classic/azure/r1"),
    )
    assert code == 1
    assert numbers(answer) == {
        "needed": 5,
        "registered": 4,
        "missing": 2,
        "undetermined": 1,
        "unproven": 2,
        "unused": 2,
        "unsupported": 1,
        "unprotected": 1,
    }
    [reported] = answer["organizations"]
    assert {_short(scope) for scope in reported["scopes"]} == {
        ("serverless/aws/us-east-1", "unproven", 1, 1, 1),
        ("serverless/aws/r1", "unproven", 0, 1, 1),
        ("serverless/aws/us-west-2", "missing", 1, 1, 0),
        ("serverless/aws/eu-north-1", "missing", 0, 1, 0),
        ("serverless/aws/eu-west-1", "unused", 0, 0, 1),
        ("serverless/aws/r2", "unused", 0, 0, 1),
        ("managed-clusters/aws/r1", "undetermined", 0, 1, 0),
        ("managed-clusters/azure/r1", "unsupported", 0, 1, 0),
    }


def _short(scope: dict[str, Any]) -> tuple[str, str, int, int, int]:
    path = f"{scope['type']}/{scope['provider']}/{scope['region']}"
    existing = scope["existing"]
    return path, scope["state"], existing, scope["databases"] - existing, scope["keys"]


def test_several_organizations(tmp_path: Path) -> None:
    """Keys of one organization are no help to another; each has its own plan."""
    one = organization_data()
    two = organization_data(id=OTHER_ORGANIZATION, name="acme-test", keys=[], plan=None)
    _, answer = asked(
        *("-i", saved(tmp_path, one, two)),
        *("-a", "acme-prod/serverless/aws/r", "-a", "acme-test/serverless/aws/us-east-1"),
    )
    assert [numbers(organization) for organization in answer["organizations"]] == [
        {"needed": 2, "registered": 1, "missing": 1, "unproven": 1},
        {"needed": 1, "missing": 1, "unprotected": 1},
    ]


def test_what_might_be_of_organizations_that_nobody_recorded() -> None:
    """Without an inventory each organization that is named needs keys of its own."""
    _, answer = asked("-a", "prod/serverless/aws/r", "-a", "test/serverless/aws/r")
    assert [
        (organization["name"], organization["needed"]) for organization in answer["organizations"]
    ] == [
        ("prod", 1),
        ("test", 1),
    ]


_TERRAFORM: dict[str, Any] = {
    "format_version": "1.2",
    "terraform_version": "1.9.0",
    "planned_values": {"root_module": {}},
    "resource_changes": [
        {
            "address": "astra_database.orders",
            "mode": "managed",
            "type": "astra_database",
            "name": "orders",
            "provider_name": "datastax/astra",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"name": "orders", "cloud_provider": "aws", "regions": ["us-east-1", "r"]},
                "after_unknown": {},
                "before_sensitive": False,
                "after_sensitive": {},
            },
        }
    ],
    "configuration": {"root_module": {}},
}


def test_a_plan_of_terraform(tmp_path: Path) -> None:
    """Databases that Terraform will create belong to the organization that is reported."""
    two = organization_data(id=OTHER_ORGANIZATION, name="acme-test")
    code, answer = asked(
        *("-i", saved(tmp_path, organization_data(), two)),
        *("-p", write_json(tmp_path / "plan.json", _TERRAFORM)),
        *("--terraform-organization", OTHER_ORGANIZATION),
    )
    assert code == 1
    assert [organization["missing"] for organization in answer["organizations"]] == [0, 1]


def test_a_state_of_terraform(tmp_path: Path) -> None:
    """A database that only the state of Terraform knows is a doubt; a state alone plans nothing."""
    there: dict[str, Any] = {"id": "lost", "name": "lost", "organization_id": ORGANIZATION}
    there |= {"cloud_provider": "aws", "regions": ["us-east-1"]}
    own = {"address": "astra_database.lost", "mode": "managed", "type": "astra_database"}
    root = {"resources": [own | {"name": "lost", "values": there, "sensitive_values": {}}]}
    data = {"format_version": "1.0", "values": {"root_module": root}}
    file = write_json(tmp_path / "state.json", data)
    code, answer = asked("-i", saved(tmp_path, organization_data()), "-s", file)
    assert (code, answer["sources"]["state"]) == (1, [file])
    assert _doubts(answer) == [("CMEK-14", "")]
    alone = command("keys", "--state", file)
    assert alone.exit_code == 4
    assert "found nothing to plan keys for" in alone.stderr


# --- keys that are there and not in order ---------------------------------------------------------


def _ordered(**over: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of any type)
    """Return a key that is in order, but for what is reported."""
    attested = {"by": "acme-security", "on": "2026-11-01"}
    registered = {"at": "2026-01-01T00:00:00Z", "by": "acme-security", "on": "2026-01-01"}
    own = {"usable": {"usable": True, **attested}, "rotation": {"automatic": True, **attested}}
    return key_data(**{**own, "registered": registered, **over})


def _conclusion(inventory: str) -> str:
    return command("keys", "-i", inventory).stdout.partition("Exit code ")[2].replace("\n", " ")


_LATE = {"at": "2026-07-01T00:00:00Z", "by": "acme-security", "on": "2026-07-01"}


def test_a_key_in_order_is_enough(tmp_path: Path) -> None:
    """Only where each key is there, first, the right one and usable, none is said to be missing."""
    inventory = saved(tmp_path, organization_data(keys=[_ordered()]))
    code, answer = asked("-i", inventory)
    assert (code, numbers(answer)) == (0, {"needed": 1, "registered": 1})
    assert _conclusion(inventory) == "0: no key is missing. "


@pytest.mark.parametrize(
    ("over", "code", "found"),
    [
        ({"registered": _LATE}, 0, {"failing": 1, "unprotected": 1}),
        ({"registered": None}, 0, {"unproven": 1}),
        ({"usable": None}, 0, {"unproven": 1}),
        ({"usable": {"usable": False, "by": "a", "on": "2026-11-01"}}, 0, {"failing": 1}),
        ({"rotation": {"automatic": False, "by": "a", "on": "2026-11-01"}}, 0, {"failing": 1}),
        ({"key_id": key_id_for("aws", "eu-west-1")}, 1, {"failing": 1}),
        ({"key_id": key_id_for("gcp", "us-east1")}, 1, {"failing": 1}),
    ],
    ids=["late", "undated", "unasked", "unusable", "not rotating", "elsewhere", "of another cloud"],
)
def test_a_key_that_is_not_in_order(
    over: dict[str, Any], code: int, found: dict[str, int], tmp_path: Path
) -> None:
    """A key that is late, wrong or unusable is registered, and nowhere said to be fine."""
    inventory = saved(tmp_path, organization_data(keys=[_ordered(**over)]))
    done, answer = asked("-i", inventory)
    assert (done, numbers(answer)) == (code, {"needed": 1, "registered": 1, **found})
    assert answer["organizations"][0]["scopes"][0]["state"] != "covered"
    assert "no key is missing" not in _conclusion(inventory)


@pytest.mark.parametrize(
    ("key", "code", "failures"),
    [
        (key_data(region="us-west-2"), 0, 0),
        (key_data(region="us-west-2", key_id=aws_key_id()), 1, 2),
        (key_data(change="remove"), 1, 1),
        (key_data(key_id=aws_key_id(number=2)), 1, 1),
    ],
    ids=["right", "copied", "removed", "second"],
)
def test_a_plan_that_changes_keys_wrongly_is_no_plan(
    key: dict[str, Any], code: int, failures: int, tmp_path: Path
) -> None:
    """A plan that would register, replace or remove a key wrongly ends with 1, and says so."""
    whole = saved(tmp_path, organization_data())
    data = {"cmek-plan": 1, "organizations": [{"id": ORGANIZATION, "keys": [key]}]}
    plan = write_yaml(tmp_path / "plan.yaml", data)
    found, answer = asked("-i", whole, "-p", plan)
    assert (found, answer["planned_failures"], answer["missing"]) == (code, failures, 0)
    shown = command("keys", "-i", whole, "-p", plan).stdout
    assert ("Correct the plan before you apply it." in shown) is bool(code)


def test_late_databases_have_to_be_recreated(tmp_path: Path) -> None:
    """What is older than its key lacks no key, and is said to stay on Astra's keys."""
    late = saved(tmp_path, organization_data(keys=[_ordered(registered=_LATE)]))
    shown = " ".join(command("keys", "-i", late).stdout.split())
    assert (
        "1 existing database runs on Astra's keys, because the key was missing, late or unused. A "
        "key that you register now does not encrypt it. Register the key, then recreate it."
    ) in shown
    assert "CMEK-05 fail, high: Key registered 2026-07-01T00:00:00Z" in shown


_TWO = [database_data(), database_data(id=uuid(7), regions=["us-west-2"])]


def test_one_key_of_two_regions_is_one_of_two(tmp_path: Path) -> None:
    """One id registered for two regions is one key of two, and the other region lacks its own."""
    keys = [_ordered(), _ordered(region="us-west-2", key_id=key_id_for("aws", "us-east-1"))]
    inventory = saved(tmp_path, organization_data(keys=keys, databases=_TWO))
    code, answer = asked("-i", inventory)
    assert (code, numbers(answer)) == (
        1,
        {"needed": 2, "registered": 1, "missing": 1, "failing": 1},
    )
    [reported] = answer["organizations"]
    states = {scope["region"]: scope["state"] for scope in reported["scopes"]}
    assert (states, reported["shared"]) == ({"us-east-1": "failing", "us-west-2": "missing"}, [])


def test_one_key_of_two_types_is_one_of_two(tmp_path: Path) -> None:
    """Where the id fits both, one of the two lacks a key of its own, and that is printed."""
    keys = [_ordered(), _ordered(type="managed-clusters")]
    databases = [database_data(), database_data(id=uuid(7), type="managed-clusters")]
    inventory = saved(tmp_path, organization_data(keys=keys, databases=databases))
    code, answer = asked("-i", inventory)
    assert (code, numbers(answer)) == (
        1,
        {"needed": 2, "registered": 1, "missing": 1, "failing": 1},
    )
    [shared] = answer["organizations"][0]["shared"]
    assert (shared["key"], [scope["type"] for scope in shared["scopes"]]) == (
        key_id_for("aws", "us-east-1"),
        ["managed-clusters", "serverless"],
    )
    shown = " ".join(command("keys", "-i", inventory).stdout.split())
    assert (
        "acme-prod: one key is registered for managed-clusters/aws/us-east-1 and "
        "serverless/aws/us-east-1. All but one of these lack a key of their own. "
        f"The key is {shared['key']}."
    ) in shown


def test_two_keys_claimed_for_one_scope_are_in_doubt(tmp_path: Path) -> None:
    """Where nobody knows which of two keys is used, it cannot be said that none is missing."""
    rival = _ordered(key_id=f"arn:aws:kms:us-east-1:111122223333:key/{uuid(9)}")
    inventory = saved(tmp_path, organization_data(keys=[_ordered(), rival]))
    code, answer = asked("-i", inventory)
    assert (code, numbers(answer)) == (1, {"needed": 1, "registered": 2, "failing": 1})


def test_two_versions_of_a_key_are_one(tmp_path: Path) -> None:
    """A key that is listed by two of its versions is one key."""
    place = {"provider": "gcp", "region": "us-east1"}
    stem = key_id_for("gcp", "us-east1")
    keys = [_ordered(**place, key_id=f"{stem}/cryptoKeyVersions/{number}") for number in (1, 2)]
    databases = [database_data(provider="gcp", regions=["us-east1"])]
    _, answer = asked("-i", saved(tmp_path, organization_data(keys=keys, databases=databases)))
    assert (answer["registered"], answer["missing"]) == (1, 0)
    assert [scope["keys"] for scope in answer["organizations"][0]["scopes"]] == [1]


# --- what cannot be said --------------------------------------------------------------------------


def _doubts(answer: Any) -> list[tuple[str, str]]:  # noqa: ANN401 (an answer)
    return [
        (doubt["rule"], doubt["reason"])
        for own in answer["organizations"]
        for doubt in own["doubts"]
    ]


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"databases": None}, "not-recorded"),
        ({"gaps": [{"fact": "databases", "reason": "cut-short"}]}, "cut-short"),
        ({"gaps": [{"fact": "serverless-keys", "reason": "refused"}]}, "refused"),
        ({"keys": [], "databases": []}, "empty"),
    ],
    ids=["no list", "a list cut short", "keys refused", "empty lists"],
)
def test_what_was_not_read_is_never_enough(
    over: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    """Where more may be needed than is known, it is not said that no key is missing."""
    code, answer = asked("-i", saved(tmp_path, organization_data(**over)))
    assert (code, answer["missing"], _doubts(answer)) == (1, 0, [("CMEK-14", reason)])


def test_an_old_record_is_not_enough(tmp_path: Path) -> None:
    """A record that is too old to be judged by does not say that no key is missing."""
    old = write_yaml(tmp_path / "i.yaml", document_data(captured_at="2020-01-01T00:00:00Z"))
    code, answer = asked("-i", old)
    assert (code, numbers(answer)) == (1, {"needed": 1, "registered": 1, "unproven": 1})
    assert _doubts(answer) == [("CMEK-14", "stale")]


def test_a_check_that_breaks_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a check breaks, nothing is known, and that is said."""
    monkeypatch.setattr(check_scope_has_key, "judge", _broken)
    code, answer = asked(*COMPLIANT)
    assert code == 1
    assert set(_doubts(answer)) == {("CMEK-01", "check-broke")}
    assert [organization["databases_known"] for organization in answer["organizations"]] == [
        False,
        False,
    ]


def _broken(index: object, context: object) -> Iterator[Finding]:
    yield from ()
    raise ZeroDivisionError


def test_a_place_that_a_plan_does_not_tell(tmp_path: Path) -> None:
    """A database of which a plan does not tell the regions is named as a doubt."""
    [resource] = _TERRAFORM["resource_changes"]
    change = {**resource["change"], "after": {"name": "orders", "cloud_provider": "aws"}}
    change["after_unknown"] = {"regions": True}
    plan = {**_TERRAFORM, "resource_changes": [{**resource, "change": change}]}
    inventory = saved(tmp_path, organization_data())
    code, answer = asked("-i", inventory, "-p", write_json(tmp_path / "plan.json", plan))
    assert (code, _doubts(answer)) == (1, [("CMEK-01", "not-determined")])
    [doubt] = answer["organizations"][0]["doubts"]
    assert "orders" in doubt["message"]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "found", "expected"),
    [
        ((), "nothing to plan keys for", "at least one --inventory, --plan or --add"),
        (("-i", "nowhere.yaml"), "No such file or directory", "a readable file"),
        (
            (*ACME, "-a", "serverless/aws/r"),
            "no organization",
            "one of 3 organizations: 'acme-prod', 'acme-analytics', 'acme-labs'",
        ),
        (
            (*COMPLIANT, "-a", "borealis-prod/serverless/aws/R"),
            "the region 'R'",
            "a region's name in lower-case letters, digits and dashes; did you mean 'r'?",
        ),
        (
            (*COMPLIANT, "--price", "free"),
            "'free'",
            "an amount above 0 with its currency, such as '1.00 USD'",
        ),
        (
            (*COMPLIANT, "--terraform-organization", "="),
            "'='",
            "an organization's id, PROVIDER=ID or NAME#PROVIDER=ID",
        ),
    ],
    ids=["nothing", "no file", "whose", "what", "price", "terraform"],
)
def test_unusable_input(arguments: tuple[str, ...], found: str, expected: str) -> None:
    """What cannot be used ends with 4, and is reported with what was found and expected."""
    assert refused(*arguments).endswith(f"found {found}, expected {expected}\n")


def test_a_token_is_not_repeated() -> None:
    """A token in the place of an organization is refused, and not printed."""
    token = "Astra" + "CS:" + "not-a-real-token" * 3
    assert token not in refused("-a", f"{token}/serverless/aws/r")


def test_another_host_than_astras_is_named(bundle: Path) -> None:
    """Keys that another host told of are noted as such, with the address that answered."""
    done = command("keys", "--inventory", bundle)
    address = read_manifest(str(bundle)).address
    assert f"{bundle}: {address} answered, which is not Astra" in " ".join(done.stdout.split())
