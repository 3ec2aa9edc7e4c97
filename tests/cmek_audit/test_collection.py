"""What an audit records first: live, of the clouds alone, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.collection import record
from cmek_audit.run.option_values import Options, parse_options
from cmek_audit.run.preparation import EXAMPLES, prepare, reopen, reproducing_options, terraform_of
from inventory.astra.config import PlannedScope, read_organizations
from inventory.astra.replay import read_configuration, replay
from inventory.clouds.registry import CLOUDS
from inventory.errors import InventoryError, OrganizationsError, SettingError
from inventory.evidence.manifest import read_manifest
from tests.astra.fleet import large_fleet, organizations_data
from tests.astra.server import serve
from tests.builders import (
    ORGANIZATION,
    document_data,
    key_data,
    organization_data,
    write_yaml,
)
from tests.clouds.gcp_server import GoogleServer, google_server
from tests.clouds.google_keys import find_credentials, google_keys, hold_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inventory.model.kms import KmsFacts
    from inventory.model.organization import Organization
    from tests.astra.server import Running

FLEET = large_fleet(2, 3)
FIRST, SECOND = FLEET.organizations
KEYS = google_keys(FLEET)
OWN = "projects/acme-prod/locations/us-east1/keyRings/acme-ring/cryptoKeys/acme"
PLANNED = "projects/acme-plan/locations/us-east1/keyRings/acme-ring/cryptoKeys/next"
POLICY = {"first_wait_seconds": 0, "attempts": 2, "timeout_seconds": 10}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def astra(server: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Serve a fleet, with its tokens in the environment."""
    server.requests.clear()
    for name, token in FLEET.environment.items():
        monkeypatch.setenv(name, token)
    return server


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GoogleServer]:
    """Run a cloud that holds every key of these tests in it."""
    with google_server() as running:
        hold_keys(running, [*KEYS, OWN, PLANNED])
        find_credentials(monkeypatch, tmp_path / "home", running)
        yield running


def clouds_of(google: GoogleServer, *ask: str) -> dict[str, Any]:
    return {"ask": ask, "gcp": {"address": google.address}}


def live_file(tmp_path: Path, server: Running, google: GoogleServer, *ask: str, **over: Any) -> str:  # noqa: ANN401 (any field)
    """Write the organizations file of the fleet."""
    data = organizations_data(FLEET, server.address, **POLICY)
    return write_yaml(tmp_path / "o.yaml", data | {"clouds": clouds_of(google, *ask)} | over)


def clouds_file(tmp_path: Path, google: GoogleServer) -> str:
    """Write an organizations file that says how Google Cloud is asked."""
    bare = {"id": ORGANIZATION, "name": "acme-prod"}
    data = {"cmek-organizations": 1, "requests": POLICY, "organizations": [bare]}
    return write_yaml(tmp_path / "clouds.yaml", data | {"clouds": clouds_of(google)})


def plan_file(tmp_path: Path, organization: str = FIRST.id) -> str:
    """Write a plan that registers a key."""
    key = {"type": "serverless", "provider": "gcp", "region": "us-east1", "key_id": PLANNED}
    organizations = [{"id": organization, "keys": [key]}]
    return write_yaml(tmp_path / "plan.yaml", {"cmek-plan": 1, "organizations": organizations})


def inventory_file(tmp_path: Path, **over: object) -> str:
    """Write an inventory with a key in Google Cloud, and one in AWS."""
    keys = [key_data(provider="gcp", region="us-east1", key_id=OWN), key_data()]
    return write_yaml(tmp_path / "acme.yaml", document_data(organization_data(keys=keys), **over))


def options_in(tmp_path: Path, **values: object) -> Options:
    places = {"evidence_dir": str(tmp_path / "ev"), "report_dir": str(tmp_path / "r")}
    return parse_options(places | values)


def facts(organizations: list[Organization]) -> dict[str, bool | None]:
    """Return of each key with facts of a cloud whether it is enabled."""
    kept: list[tuple[str | None, KmsFacts | None]] = []
    for one in organizations:
        kept += [(key.key_id, key.kms) for key in one.keys or ()]
        kept += [(key.key_id, key.kms) for key in one.managed.planned_keys]
    return {str(key_id): kms.enabled for key_id, kms in kept if kms}


# --- live audits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kms", "ask", "asked"),
    [
        ("recorded", ["gcp"], True),
        ("recorded", [], False),
        ("gcp", [], True),
        ("none", ["gcp"], False),
    ],
)
def test_live_audit_asks_the_clouds_that_are_named(
    tmp_path: Path, astra: Running, google: GoogleServer, kms: str, ask: list[str], *, asked: bool
) -> None:
    """The option names the clouds, or leaves that to the organizations file."""
    file = live_file(tmp_path, astra, google, *ask)
    setup, inventory = prepare(options_in(tmp_path, live=file, kms=kms))
    organizations = list(inventory.organizations())
    assert facts(organizations) == (dict.fromkeys(KEYS, True) if asked else {})
    assert bool(google.seen) is asked
    assert setup.context.kms == ("none" if kms == "none" else "recorded")
    (bundle,) = setup.options.inventory
    assert read_configuration(bundle).clouds.ask == (("gcp",) if asked else ())


def test_live_audit_asks_about_planned_keys(
    tmp_path: Path, astra: Running, google: GoogleServer
) -> None:
    """The keys of a plan are asked about with those of their organization."""
    file = live_file(tmp_path, astra, google, "gcp")
    setup, inventory = prepare(options_in(tmp_path, live=file, plan=(plan_file(tmp_path),)))
    assert facts(list(inventory.organizations())) == dict.fromkeys([*KEYS, PLANNED], True)
    (bundle,) = setup.options.inventory
    configs = read_configuration(bundle).organizations
    assert [config.cloud_keys for config in configs] == [(PLANNED,), ()]
    scope = PlannedScope(type="serverless", provider="gcp", region="us-east1")
    assert [config.planned_scopes for config in configs] == [(scope,), ()]
    assert replay(bundle).manifest.organizations == 2


def test_audit_of_one_token_asks_about_every_planned_key(
    tmp_path: Path, astra: Running, google: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an organizations file the organization is not known yet: any plan may be its own."""
    whole = read_organizations(live_file(tmp_path, astra, google, "gcp"))
    bare = whole.organizations[0].model_copy(update={"id": None, "token": FIRST.variable})
    one = whole.model_copy(update={"organizations": (bare,)})
    monkeypatch.setattr("inventory.astra.config.read_organizations", lambda _: one)
    _, inventory = prepare(options_in(tmp_path, live="env", plan=(plan_file(tmp_path),)))
    assert facts(list(inventory.organizations())) == dict.fromkeys([KEYS[0], PLANNED], True)


def test_mistake_in_a_plan_shows_before_anything_is_asked(
    tmp_path: Path, astra: Running, google: GoogleServer
) -> None:
    """A plan that cannot be read ends a live audit before Astra or a cloud is asked."""
    plan = write_yaml(tmp_path / "plan.yaml", {"cmek-plan": 1, "organizations": []})
    file = live_file(tmp_path, astra, google, "gcp")
    with pytest.raises(InventoryError):
        prepare(options_in(tmp_path, live=file, plan=(plan,)))
    assert (astra.requests, google.seen) == ([], [])


def test_live_audit_needs_astra(tmp_path: Path, astra: Running, google: GoogleServer) -> None:
    """A file by which only clouds are asked gives no live audit."""
    file = live_file(tmp_path, astra, google, "gcp", astra=False)
    with pytest.raises(SettingError, match="found astra: false, expected a file by which Astra"):
        prepare(options_in(tmp_path, live=file))
    assert google.seen == []


# --- audits of recorded files ---------------------------------------------------------------------


def test_recorded_audit_asks_clouds(tmp_path: Path, google: GoogleServer) -> None:
    """Clouds are asked about each key of the files, by a record that is one more inventory."""
    values = {"inventory": (inventory_file(tmp_path),), "clouds": clouds_file(tmp_path, google)}
    plan = (plan_file(tmp_path, ORGANIZATION),)
    setup, inventory = prepare(options_in(tmp_path, **values, kms="gcp", plan=plan))
    (organization,) = inventory.organizations()
    assert facts([organization]) == {OWN: True, PLANNED: True}
    assert (organization.captured_at, organization.missing()) == (inventory.captured_at, ())
    (bundle,) = (path for path in setup.options.inventory if "/ev/" in path)
    configuration = read_configuration(bundle)
    assert (configuration.astra, configuration.clouds.ask) == (False, ("gcp",))
    assert configuration.organizations[0].cloud_keys == (PLANNED, OWN)
    assert (read_manifest(bundle).address, replay(bundle).manifest.organizations) == ("", 1)
    assert {repr(token) for token in setup.tokens} == {"Token(Google Cloud access token)"}


def test_facts_are_younger_than_the_audit(tmp_path: Path, google: GoogleServer) -> None:
    """An audit is as of the time after it has asked, so that its facts are not of the future."""
    values = {"inventory": (inventory_file(tmp_path),), "clouds": clouds_file(tmp_path, google)}
    setup, inventory = prepare(options_in(tmp_path, **values, kms="gcp"))
    (organization,) = inventory.organizations()
    observed = [key.kms.observed_at for key in organization.keys or () if key.kms]
    assert setup.started < observed[0] <= setup.context.as_of


def test_no_other_process_asks_again(tmp_path: Path, google: GoogleServer) -> None:
    """A worker, and whoever opens the inventory once more, judges what was recorded."""
    values = {"inventory": (inventory_file(tmp_path),), "clouds": clouds_file(tmp_path, google)}
    prepared = prepare(options_in(tmp_path, **values, kms="gcp"))
    google.seen.clear()
    again = reopen(prepared.setup)
    shared = reproducing_options(prepared.setup)
    resolved = {name: value for name, value in shared.items() if value}
    worker = prepare(parse_options(resolved | {"report_dir": str(tmp_path / "w")}))
    expected = list(prepared.inventory.organizations())
    assert list(again.inventory.organizations()) == expected
    assert list(worker.inventory.organizations()) == expected
    assert (google.seen, shared["kms"], shared["live"]) == ([], "recorded", None)


def test_second_audit_may_use_the_record(tmp_path: Path, google: GoogleServer) -> None:
    """A record of the clouds alone is an inventory file like any other, and no history."""
    inventory = inventory_file(tmp_path)
    values = {"inventory": (inventory,), "clouds": clouds_file(tmp_path, google)}
    first, _ = prepare(options_in(tmp_path, **values, kms="gcp"))
    google.seen.clear()
    options = options_in(
        tmp_path, inventory=first.options.inventory, history=(str(tmp_path / "ev"),)
    )
    setup, again = prepare(options)
    assert facts(list(again.organizations())) == {OWN: True}
    assert (setup.context.history.sources, google.seen) == ((), [])


def test_without_a_file_the_clouds_are_asked_as_they_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials the audit goes on, and the reason is recorded of each key."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    options = options_in(tmp_path, inventory=(inventory_file(tmp_path),), kms="gcp")
    _, inventory = prepare(options)
    (organization,) = inventory.organizations()
    gaps = [gap.reason for key in organization.keys or () if key.kms for gap in key.kms.unread]
    assert gaps == ["no-credentials"]


def test_no_key_to_ask_about_is_recorded_as_well(tmp_path: Path, google: GoogleServer) -> None:
    """That there was nothing to ask is shown by a record without any request."""
    file = write_yaml(tmp_path / "a.yaml", document_data(organization_data(keys=[])))
    values = {"inventory": (file,), "clouds": clouds_file(tmp_path, google)}
    setup, _ = prepare(options_in(tmp_path, **values, kms="gcp"))
    (bundle,) = (path for path in setup.options.inventory if path != file)
    assert (read_manifest(bundle).requests, replay(bundle).lines, google.seen) == (0, 1, [])


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"kms": "gcp"}, SettingError, "found gcp without an inventory, expected --cmek-inventory"),
        (
            {"kms": "auto", "inventory": (str(EXAMPLES / "acme.yaml"),)},
            SettingError,
            "found bundled examples, whose keys are made up",
        ),
        (
            {"kms": "gcp", "inventory": ("a.yaml",), "clouds": "missing.yaml"},
            OrganizationsError,
            "missing.yaml",
        ),
    ],
)
def test_what_cannot_be_asked_about_is_refused(
    tmp_path: Path, values: dict[str, object], error: type[Exception], words: str
) -> None:
    """Without an inventory of one's own nothing is asked and nothing recorded."""
    options = options_in(tmp_path, **values)
    with pytest.raises(error, match=words):
        record(options, terraform_of(options), lambda _: None)
    assert not (tmp_path / "ev").exists()


def test_missing_library_of_a_named_cloud_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit that names a cloud without its library says how to install it, and asks nothing."""
    row = CLOUDS["aws"]._replace(libraries=("no_such_module",))
    monkeypatch.setitem(CLOUDS, "aws", row)
    options = options_in(tmp_path, inventory=(inventory_file(tmp_path),), kms="aws")
    with pytest.raises(SettingError, match=r"pip install 'cmek-audit\[aws\]'"):
        record(options, terraform_of(options), lambda _: None)


def test_nothing_is_recorded_unless_asked_for(tmp_path: Path) -> None:
    """A recorded audit that names no cloud records nothing, and its options stay."""
    options = options_in(tmp_path, inventory=("a.yaml",), kms="none")
    recorded = record(options, terraform_of(options), lambda _: None)
    assert (recorded.options, recorded.tokens, recorded.is_new) == (options, (), False)
