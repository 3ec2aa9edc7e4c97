"""A collection asks the clouds about keys, too: over loopback, recorded, replayed, isolated."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from inventory.astra import collector
from inventory.astra.collector import collect
from inventory.astra.config import Organizations
from inventory.astra.replay import replay
from inventory.errors import LeakError, ReplayError
from inventory.evidence.exchange_line import parse_line, render_line
from inventory.evidence.manifest import read_manifest
from inventory.evidence.reader import open_bundle
from inventory.model.gaps import Reading
from tests.astra.fleet import large_fleet, organizations_data
from tests.astra.server import Running, serve
from tests.clouds.gcp_bodies import key
from tests.clouds.gcp_server import GoogleServer, answering, google_server, silent, wait_until
from tests.clouds.google_keys import find_credentials, google_keys, hold_keys
from tests.evidence_files import FIRST, contents_below, lines_of, write_lines
from tests.inventory.live import seal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.model.kms import CloudKey
    from inventory.model.organization import Organization

ROOT = Path(__file__).parents[3]
FLEET = large_fleet(2, 3)
KEYS = google_keys(FLEET)
PLANNED = "projects/acme-plan/locations/us-east1/keyRings/acme-ring/cryptoKeys/next"
POLICY = {"first_wait_seconds": 0.0, "attempts": 2, "timeout_seconds": 20.0}
WITHOUT_GOOGLE = """
import sys
for name in ("google", "google.auth", "requests", "boto3", "azure"):
    sys.modules[name] = None
from inventory.astra.replay import replay
print(replay(sys.argv[1]).lines)
"""


@pytest.fixture(scope="module")
def astra() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GoogleServer]:
    """Run a cloud that holds all keys of the fleet in it, and one that is planned."""
    with google_server() as server:
        hold_keys(server, [*KEYS, PLANNED])
        find_credentials(monkeypatch, tmp_path / "home", server)
        yield server


class Collected(NamedTuple):
    """What a collection gave."""

    bundle: str
    organizations: list[Organization]
    tokens: tuple[Any, ...]

    def cloud_keys(self) -> list[CloudKey]:
        """Return every key of which a cloud was asked."""
        return [key for one in self.organizations for key in one.cloud_keys or ()]

    def readings(self, fact: str) -> list[Reading]:
        """Return how ``fact`` was read in each organization."""
        readings = [reading for one in self.organizations for reading in one.readings]
        return [reading for reading in readings if reading.fact == fact]

    def gaps(self) -> set[tuple[str, str]]:
        """Return fact and reason of what the cloud did not show."""
        return {(gap.fact, gap.reason) for key in self.cloud_keys() for gap in key.facts.unread}


def configuration(server: Running, google: GoogleServer, **over: Any) -> Organizations:  # noqa: ANN401 (any field)
    """Return an organizations file of the fleet, by which Google Cloud is asked."""
    data = organizations_data(FLEET, server.address, **POLICY | over.pop("policy", {}))
    data["clouds"] = {"ask": ["gcp"], "gcp": {"address": google.address}}
    return Organizations.model_validate(data | over)


def collected(wanted: Organizations, folder: Path) -> Collected:
    done = collect(wanted, str(folder / "evidence"), FLEET.environment)
    organizations = list(open_bundle(done.bundle).organizations())
    return Collected(done.bundle, organizations, done.tokens)


# --- what is recorded -----------------------------------------------------------------------------


def test_registered_keys_are_read(astra: Running, google: GoogleServer, tmp_path: Path) -> None:
    """Each registered key in a cloud that is asked has its facts, each with the recorded answer."""
    done = collected(configuration(astra, google), tmp_path)
    assert [key.key_id for key in done.cloud_keys()] == KEYS
    assert {(key.facts.enabled, key.facts.suitable, key.requests) for key in done.cloud_keys()} == {
        (True, True, 4)
    }
    assert done.gaps() == set()
    for key_ in done.cloud_keys():
        for file, line, *_ in key_.facts.places.values():
            recorded = json.loads(lines_of(Path(file))[line - 1])
            assert recorded["address"].startswith("/gcp/127.0.0.1:")
    assert replay(done.bundle).manifest.cloud_addresses == (google.address,)


def test_clouds_are_asked_after_astra(astra: Running, google: GoogleServer, tmp_path: Path) -> None:
    """The clouds' answers are lines after Astra's, in one file for each organization."""
    done = collected(configuration(astra, google), tmp_path)
    for number in (1, 2):
        lines = lines_of(Path(done.bundle) / f"exchanges/{number:04}.ndjson.gz")
        asked = [json.loads(line)["address"].startswith("/gcp/") for line in lines]
        assert asked == sorted(asked)
        assert asked.count(True) == 4
    manifest = read_manifest(done.bundle)
    of_clouds = sum(reading.requests for reading in done.readings("gcp-keys"))
    of_astra = sum(
        reading.requests for one in done.organizations for reading in one.readings_of_astra
    )
    assert (of_clouds, manifest.requests) == (8, of_astra + of_clouds)


def test_clouds_have_readings_of_their_own(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """How keys were read is summarized apart, and dates nothing that Astra answered."""
    whole = collected(configuration(astra, google), tmp_path / "whole")
    google.faults["versions"] = [answering(503, {})] * 4
    done = collected(configuration(astra, google), tmp_path)
    read = [(one.requests, one.answers, one.entries) for one in whole.readings("gcp-keys")]
    assert read == [(4, {"200": 4}, 1)] * 2
    cut = [(one.requests, one.answers, one.entries) for one in done.readings("gcp-keys")]
    assert cut == [(5, {"200": 3, "503": 2}, None)] * 2
    assert {one.note for one in whole.readings("gcp-keys")} == {""}
    assert {one.note for one in done.readings("gcp-keys")} == {"0 of 1 keys read in full"}
    assert {one.address for one in done.readings("gcp-keys")} == {
        "/gcp/{host}/v1/{key or key ring}"
    }
    for organization in done.organizations:
        observed = [key.facts.observed_at for key in organization.cloud_keys or ()]
        assert organization.captured_at is not None
        assert organization.captured_at < min(observed)


def test_further_keys_are_read(astra: Running, google: GoogleServer, tmp_path: Path) -> None:
    """Keys that only the organizations file names are asked about, too; each key once."""
    wanted = configuration(astra, google)
    first, second = wanted.organizations
    more = first.model_copy(update={"cloud_keys": (PLANNED, f"{KEYS[0]}/cryptoKeyVersions/1")})
    done = collected(wanted.model_copy(update={"organizations": (more, second)}), tmp_path)
    assert [key.key_id for key in done.cloud_keys()] == [KEYS[0], PLANNED, KEYS[1]]
    assert replay(done.bundle).lines > 0


def test_no_cloud_is_asked_without_being_named(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """A collection that names no cloud asks none, and records of keys that none was asked."""
    done = collected(configuration(astra, google, clouds={}), tmp_path)
    assert google.seen == []
    assert [one.cloud_keys for one in done.organizations] == [None, None]
    assert read_manifest(done.bundle).cloud_addresses == ()


def test_several_processes_ask(
    astra: Running, google: GoogleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process finds credentials of its own; none of them travels to another one."""
    monkeypatch.setattr(collector, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    done = collected(configuration(astra, google), tmp_path)
    assert [key.key_id for key in done.cloud_keys()] == KEYS
    assert (done.gaps(), len(set(google.tokens()))) == (set(), 2)
    assert [repr(token)[:6] for token in done.tokens] == ["Token("] * 2
    assert replay(done.bundle).manifest.organizations == 2


# --- replay ---------------------------------------------------------------------------------------


def test_replay_needs_no_library(astra: Running, google: GoogleServer, tmp_path: Path) -> None:
    """A bundle is replayed to the same inventory without the clouds' libraries and credentials."""
    google.faults["bindings"] = [answering(403, {}), answering(429, {}), None]
    done = collected(configuration(astra, google), tmp_path)
    command = [sys.executable, "-c", WITHOUT_GOOGLE, done.bundle]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (run.stderr, run.stdout) == ("", f"{replay(done.bundle).lines}\n")


def test_changed_answer_of_a_cloud_is_found_out(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """Whoever changes what a cloud answered gets another inventory by the replay."""
    done = collected(configuration(astra, google), tmp_path)
    path, line, *_ = done.cloud_keys()[0].facts.where("key")[0]
    lines = lines_of(Path(path))
    own = parse_line(FIRST, line, lines[line - 1])
    assert '"ENABLED"' in own.body
    changed = own._replace(body=own.body.replace('"ENABLED"', '"DISABLED"'))
    write_lines(Path(path), [*lines[: line - 1], render_line(changed), *lines[line:]])
    seal(done.bundle)
    with pytest.raises(ReplayError, match="the exchanges give another line"):
        replay(done.bundle)


@pytest.mark.parametrize("ask", [[], ["azure"]])
def test_recorded_answers_that_nobody_asked_for_are_found_out(
    astra: Running, google: GoogleServer, tmp_path: Path, ask: list[str]
) -> None:
    """Answers of a cloud that the bundle does not ask are no part of it."""
    done = collected(configuration(astra, google), tmp_path)
    path = Path(done.bundle) / "organizations.json"
    data = json.loads(path.read_bytes())
    data["clouds"]["ask"] = ask
    path.write_text(json.dumps(data))
    seal(done.bundle)
    with pytest.raises(ReplayError, match="recorded, but not requested: /gcp/"):
        replay(done.bundle)


# --- what fails -----------------------------------------------------------------------------------


def test_refusal_is_a_gap_with_its_permission(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """What the cloud refuses is a gap of that fact; everything else is there."""
    google.permissions.discard("cloudkms.cryptoKeys.getIamPolicy")
    done = collected(configuration(astra, google), tmp_path)
    assert done.gaps() == {("bindings", "refused")}
    assert {gap.permission for key in done.cloud_keys() for gap in key.facts.unread} == {
        "cloudkms.cryptoKeys.getIamPolicy"
    }
    assert {key.facts.enabled for key in done.cloud_keys()} == {True}


def test_no_credentials_stop_nothing_else(
    astra: Running, google: GoogleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials each key says so, and what Astra answered is as ever."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    done = collected(configuration(astra, google), tmp_path)
    assert done.gaps() == {("key", "no-credentials")}
    assert [len(one.databases or ()) for one in done.organizations] == [3, 3]
    assert {gap for one in done.organizations for gap in one.missing()} == set()
    assert (google.seen, replay(done.bundle).manifest.organizations) == ([], 2)


def test_missing_token_of_astra_stops_no_cloud(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """Keys of the organizations file are asked about although Astra cannot be."""
    wanted = configuration(astra, google)
    first, second = wanted.organizations
    more = first.model_copy(update={"token": "ASTRA_TOKEN_MISSING", "cloud_keys": (PLANNED,)})
    done = collected(wanted.model_copy(update={"organizations": (more, second)}), tmp_path)
    assert [key.key_id for key in done.cloud_keys()] == [PLANNED, KEYS[1]]
    assert {gap.reason for gap in done.organizations[0].gaps} == {"no-token"}
    assert done.organizations[0].region_views is None
    assert replay(done.bundle).manifest.organizations == 2


def test_hanging_cloud_ends_with_the_deadline(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """A cloud that never answers costs its time, and the facts of its keys; nothing else."""
    google.faults["key"] = [silent] * 100
    policy = {"timeout_seconds": 1.0, "organization_deadline_seconds": 6.0, "attempts": 20}
    done = collected(configuration(astra, google, policy=policy), tmp_path)
    assert done.gaps() == {("key", "timed-out")}
    assert [len(one.databases or ()) for one in done.organizations] == [3, 3]
    assert replay(done.bundle).manifest.organizations == 2


def test_interruption_ends_the_threads(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """A collection that is interrupted while a cloud hangs sends no further request to it."""
    google.faults["key"] = [silent] * 40
    wanted = configuration(astra, google, policy={"timeout_seconds": 2.0, "attempts": 20})

    def interrupt() -> None:
        wait_until(lambda: bool(google.asked()))
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        collected(wanted, tmp_path)
    assert len(google.asked()) <= 2 * len(KEYS)
    assert [path.name for path in (tmp_path / "evidence").iterdir()] == []


# --- secrets --------------------------------------------------------------------------------------


def test_credentials_of_clouds_are_secrets_of_the_run(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """The tokens that were sent to a cloud are handed on, each once, to be looked for later."""
    done = collected(configuration(astra, google), tmp_path)
    written = b"".join(contents_below(Path(done.bundle)).values())
    for token in set(google.tokens()):
        found = [one for one in done.tokens if token in one.needles()]
        assert [repr(one) for one in found] == ["Token(Google Cloud access token)"]
        assert token.encode() not in written


def test_credential_in_an_answer_is_hidden(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """A cloud that repeats the token in an answer does not get it into the evidence."""
    tokens = [f"ya29.not-a-real-token-{number:04}" for number in range(1, 5)]
    google.keys[KEYS[0]] = key(KEYS[0], labels={"repeated": " ".join(tokens)})
    done = collected(configuration(astra, google), tmp_path)
    written = b"".join(contents_below(Path(done.bundle)).values())
    assert set(google.tokens()) <= set(tokens)
    assert [token for token in tokens if token.encode() in written] == []
    assert b"(hidden)" in written


def test_credential_that_would_be_written_ends_the_collection(
    astra: Running, google: GoogleServer, tmp_path: Path
) -> None:
    """An organization whose name is a cloud's credential is not written, in whatever process."""
    wanted = configuration(astra, google)
    first, second = wanted.organizations
    named = first.model_copy(update={"name": "ya29.not-a-real-token-0001"})
    with pytest.raises(LeakError):
        collected(wanted.model_copy(update={"organizations": (named, second)}), tmp_path)
    assert list((tmp_path / "evidence").iterdir()) == []


# --- clouds alone ---------------------------------------------------------------------------------


def test_clouds_alone(astra: Running, google: GoogleServer, tmp_path: Path) -> None:
    """A file by which Astra is not asked gives a record of the clouds alone, which replays."""
    wanted = configuration(astra, google, astra=False)
    first, second = wanted.organizations
    more = first.model_copy(update={"cloud_keys": (KEYS[0], PLANNED)})
    astra.requests.clear()
    done = collected(wanted.model_copy(update={"organizations": (more, second)}), tmp_path)
    reader = open_bundle(done.bundle)
    assert (reader.head.clouds_only, read_manifest(done.bundle).address) == (True, "")
    assert [key.key_id for key in done.cloud_keys()] == [KEYS[0], PLANNED]
    assert [(one.keys, one.databases, one.gaps) for one in done.organizations] == [
        ((), (), ()),
        ((), (), ()),
    ]
    assert (astra.requests, replay(done.bundle).lines) == ([], 5)


# --- what is imported -----------------------------------------------------------------------------


def test_nothing_is_imported_for_clouds_that_are_not_asked() -> None:
    """Neither a client of the clouds nor a vendor's library is imported until a cloud is asked."""
    late = ["boto3", "google.auth", "azure.identity", "requests", "inventory.clouds.collector"]
    code = (
        "import sys, inventory.astra.collector, inventory.astra.replay, cmek_audit.run.wiring\n"
        f"loaded = [name for name in {late!r} if name in sys.modules]\n"
        "loaded += [name for name in sys.modules if name.startswith('inventory.clouds.')]\n"
        "print(loaded)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "['inventory.clouds.config']"
