"""Audits that ask clouds, through pytest: what is asked, recorded, judged, and proven later."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from inventory.astra.replay import read_configuration, replay
from tests.astra.fleet import large_fleet
from tests.astra.server import serve
from tests.builders import ORGANIZATION, document_data, key_data, organization_data, write_yaml
from tests.clouds.gcp_bodies import key
from tests.clouds.gcp_server import GoogleServer, google_server
from tests.clouds.google_keys import find_credentials, google_keys, hold_keys
from tests.cmek_audit.helpers import command
from tests.wiring.live import bundles, live, organizations, places
from tests.wiring.runs import ALL, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.astra.server import Running
    from tests.wiring.runs import Run

pytestmark = pytest.mark.slow

FLEET = large_fleet(2, 3)
KEYS = google_keys(FLEET)
OWN = "projects/acme-prod/locations/us-east1/keyRings/acme-ring/cryptoKeys/acme"
NOT_THE_CLOUD = "NOT THE CLOUD, NOT AUDIT EVIDENCE: answers about keys came from"


@pytest.fixture(scope="module")
def astra() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GoogleServer]:
    """Run a cloud that holds every key of these tests in it."""
    with google_server() as running:
        hold_keys(running, [*KEYS, OWN])
        find_credentials(monkeypatch, tmp_path / "home", running)
        yield running


def variables() -> dict[str, str]:
    """Return what Google's library needs to find its credentials."""
    found = ("HOME", "CLOUDSDK_CONFIG", "NO_GCE_CHECK", "GOOGLE_APPLICATION_CREDENTIALS")
    return {name: os.environ[name] for name in found}


def audited_live(
    tmp_path: Path, astra: Running, google: GoogleServer, *arguments: str, formats: str = "json"
) -> Run:
    """Audit the fleet live, by a file that says where Google Cloud is."""
    data = organizations(FLEET, astra) | {"clouds": {"gcp": {"address": google.address}}}
    environment = {**FLEET.environment, **variables()}
    words = ("--cmek-kms=gcp", *arguments)
    return live(tmp_path, FLEET, astra, *words, data=data, environment=environment, formats=formats)


def recorded_arguments(tmp_path: Path, google: GoogleServer, **over: object) -> list[str]:
    """Return the arguments of an audit of a file that asks Google Cloud about its key."""
    own = key_data(provider="gcp", region="us-east1", key_id=OWN)
    data = document_data(organization_data(keys=[own]) | over)
    bare = {"id": ORGANIZATION, "name": "acme-prod"}
    asking: dict[str, Any] = {"cmek-organizations": 1, "organizations": [bare]}
    asking |= {"clouds": {"gcp": {"address": google.address}}, "requests": {"attempts": 1}}
    return [
        f"--cmek-inventory={write_yaml(tmp_path / 'acme.yaml', data)}",
        f"--cmek-clouds={write_yaml(tmp_path / 'clouds.yaml', asking)}",
        "--cmek-kms=gcp",
        "--cmek-formats=json",
        *places(tmp_path),
    ]


def recorded(tmp_path: Path, google: GoogleServer, *arguments: str, **over: object) -> Run:
    words = [*recorded_arguments(tmp_path, google, **over), *arguments]
    plugins = ("xdist",) if "-n2" in arguments else ()
    return run(*words, folder=tmp_path / "r", environment=variables(), plugins=plugins)


def of_key(result: Run, rule: str, key_id: str) -> set[tuple[str, str]]:
    """Return status and cause of a rule's findings about a key."""
    return {
        (finding["status"], finding.get("cause", ""))
        for finding in result.findings
        if finding["rule"] == rule and finding["subject"].get("key") == key_id
    }


# --- live -----------------------------------------------------------------------------------------


def test_live_audit_is_proven_later(tmp_path: Path, astra: Running, google: GoogleServer) -> None:
    """The facts of keys are judged, and the report is made again without any cloud."""
    result = audited_live(tmp_path, astra, google)
    assert (result.misfits, result.head["settings"]["kms"]) == ([], "gcp")
    (bundle,) = bundles(tmp_path)
    assert read_configuration(str(bundle)).clouds.ask == ("gcp",)
    google.seen.clear()
    done = command("verify", tmp_path / "r", bundle)
    assert (done.exit_code, google.seen) == (0, []), done.stdout
    assert "not the cloud's own host" in done.stdout


def test_other_host_of_a_cloud_is_named_everywhere(
    tmp_path: Path, astra: Running, google: GoogleServer
) -> None:
    """Whatever answers in place of a cloud is no evidence about keys, and every report says so."""
    result = audited_live(tmp_path, astra, google, formats=ALL)
    words = f"{NOT_THE_CLOUD} {google.address}, not from the cloud’s own hosts."
    texts = {name: result.text(name) for name in ("audit.html", "results.html")}
    texts["summary.md"] = result.text("summary.md").replace("\\", "").replace("`", "")
    texts["terminal"] = " ".join(result.out.split())
    sarif = json.loads(result.text("audit.sarif"))
    texts["audit.sarif"] = json.dumps(sarif, ensure_ascii=False)
    assert {name for name, text in texts.items() if words not in text} == set()
    assert "another host than the cloud's answered" in result.head["verdict"]["text"]
    assert "keys in Google Cloud" in result.text("audit.html")


def test_credentials_are_nowhere(tmp_path: Path, astra: Running, google: GoogleServer) -> None:
    """No token of a cloud is printed or written, though the cloud repeats it."""
    tokens = [f"ya29.not-a-real-token-{number:04}" for number in range(1, 9)]
    for name in KEYS:
        google.keys[name] = key(name, labels={"repeated": " ".join(tokens)})
    result = audited_live(tmp_path, astra, google, formats=ALL)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = result.out.encode() + b"".join(
        path.read_bytes() for path in files if "home" not in path.parts
    )
    assert google.tokens()
    assert [token for token in tokens if token.encode() in written] == []
    assert b"not-a-real-token-000" not in written


# --- recorded -------------------------------------------------------------------------------------


def test_recorded_audit_is_proven_later(tmp_path: Path, google: GoogleServer) -> None:
    """An audit of a file that asks a cloud is made again from the file and the record."""
    result = recorded(tmp_path, google)
    (bundle,) = bundles(tmp_path)
    settings = result.head["settings"]
    assert (result.misfits, settings["kms"], settings["mode"]) == ([], "gcp", "recorded")
    sources = {source["format"]: source for source in result.head["population"]["sources"]}
    assert sources["bundle"]["clouds_of"] == [ORGANIZATION]
    assert sources["bundle"]["evidence"]["address"] == ""
    assert of_key(result, "CMEK-11", OWN) == {("fail", "overdue")}
    google.seen.clear()
    done = command("verify", tmp_path / "r", bundle, tmp_path / "ev")
    assert (done.exit_code, google.seen) == (0, []), done.stdout
    assert "asked: no host of Astra" in done.stdout


def test_made_up_clouds_are_found_out(tmp_path: Path, google: GoogleServer) -> None:
    """A record that names other clouds than its bundles asked differs from them."""
    recorded(tmp_path, google)
    file = tmp_path / "r" / "audit.json"
    for claimed in ("aws", "recorded", "none", "auto"):
        head = json.loads(file.read_text())
        head["settings"]["kms"] = claimed
        file.write_text(json.dumps(head))
        assert command("verify", tmp_path / "r").exit_code == 1


def test_workers_judge_what_was_recorded(tmp_path: Path, google: GoogleServer) -> None:
    """Each worker judges the record; the cloud is asked once."""
    result = recorded(tmp_path, google, "-n2")
    assert (len(google.asked()), len(bundles(tmp_path))) == (4, 1)
    assert result.head["settings"]["kms"] == "gcp"


def test_what_a_cloud_refuses_never_passes(tmp_path: Path, google: GoogleServer) -> None:
    """Rules on facts that a cloud refuses are inconclusive, and name the permission."""
    google.permissions.clear()
    result = recorded(tmp_path, google)
    assert result.code == 1
    for rule in ("CMEK-11", "CMEK-12"):
        statuses = {status for status, _ in of_key(result, rule, OWN)}
        assert statuses == {"inconclusive"}
    assert "cloudkms.cryptoKeys.get" in result.text("findings.ndjson")


@pytest.mark.parametrize("argument", ["--collect-only", "--fixtures"])
def test_run_that_only_looks_asks_no_cloud(
    tmp_path: Path, google: GoogleServer, argument: str
) -> None:
    """What writes no report asks no cloud either, and says so."""
    result = recorded(tmp_path, google, argument)
    assert (result.code, google.seen, bundles(tmp_path)) == (4, [], [])
    assert "--cmek-kms=gcp: a run that only looks asks no network" in result.out


def test_evidence_is_no_part_of_a_report(tmp_path: Path, google: GoogleServer) -> None:
    """The record of the clouds cannot go where the report is written."""
    words = [
        word
        for word in recorded_arguments(tmp_path, google)
        if not word.startswith("--cmek-evidence-dir")
    ]
    result = run(*words, f"--cmek-evidence-dir={tmp_path / 'r'}", folder=tmp_path / "r")
    assert (result.code, google.seen) == (4, [])
    assert "expected another folder than that of the reports" in result.out


def test_next_night_has_the_record_as_history(tmp_path: Path, google: GoogleServer) -> None:
    """Records of clouds alone in a folder of history stop nothing, and date nothing."""
    recorded(tmp_path, google)
    again = recorded(tmp_path, google, f"--cmek-history={tmp_path / 'ev'}")
    first, second = bundles(tmp_path)
    assert "0 earlier records" in again.out
    assert replay(str(second)).manifest.previous is not None
    assert (tmp_path / "r" / "audit.json").exists(), again.out
    assert first.name < second.name
