"""Organizations are read from a server and recorded, and nothing is left if that fails."""

from __future__ import annotations

import logging
import shutil
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inventory.astra import collector, recording_transport
from inventory.astra.collector import Collected, Progress, collect
from inventory.astra.config import Organizations
from inventory.astra.replay import replay
from inventory.errors import EvidenceError, InventoryError, LeakError, SettingError
from inventory.evidence import writer
from inventory.evidence.exchange import Exchange
from inventory.evidence.manifest import read_manifest
from inventory.evidence.reader import open_bundle, read_exchanges
from inventory.files.evidence_layout import read_folder
from inventory.text.secrets import Scrubber
from tests.astra.faults import ALWAYS, FIRST, Fault
from tests.astra.fleet import CMK_READ, Fleet, healthy_fleet, organizations_data
from tests.astra.server import Running, closed_address, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inventory.model.organization import Organization

FLEET = healthy_fleet()
FULL, SMALL = FLEET.organizations
POLICY = {"first_wait_seconds": 0.0, "attempts": 2, "timeout_seconds": 5.0}


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def server(served: Running) -> Running:
    """Return a server without faults, that has seen no request yet."""
    return served.renewed()


def configuration(address: str, fleet: Fleet = FLEET, **policy: float) -> Organizations:
    return Organizations.model_validate(organizations_data(fleet, address, **POLICY | policy))


def small(server: Running, **policy: float) -> Organizations:
    """Return the smaller organization alone."""
    return configuration(server.address, Fleet((SMALL,)), **policy)


def run(server: Running, folder: Path, *faults: Fault, **policy: float) -> Collected:
    server.faults = faults
    return collect(small(server, **policy), str(folder), FLEET.environment)


def read(collected: Collected) -> list[Organization]:
    return list(open_bundle(collected.bundle).organizations())


def reasons(collected: Collected) -> set[tuple[str, str]]:
    return {(gap.fact, gap.reason) for organization in read(collected) for gap in organization.gaps}


# --- the whole ------------------------------------------------------------------------------------


def test_whole_fleet(server: Running, tmp_path: Path) -> None:
    """All organizations are read whole; the bundle has every request, and a replay agrees."""
    collected = collect(configuration(server.address), str(tmp_path), FLEET.environment)
    organizations = read(collected)
    assert [organization.name for organization in organizations] == ["acme-prod", "acme-test"]
    assert [len(organization.databases or ()) for organization in organizations] == [105, 3]
    assert [len(organization.keys or ()) for organization in organizations] == [
        len(FULL.keys),
        len(SMALL.keys),
    ]
    assert reasons(collected) == set()
    manifest = replay(collected.bundle).manifest
    assert (manifest.requests, manifest.failures) == (len(server.requests), 0)
    assert manifest.address == server.address
    assert manifest.redactions > 0


def test_server_sees_nothing_but_reading(server: Running, tmp_path: Path) -> None:
    """The server sees GET requests, with the headers they need, and never its cookie."""
    run(server, tmp_path)
    assert {request.method for request in server.requests} == {"GET"}
    assert {request.headers for request in server.requests} == {
        ("host", "accept", "connection", "authorization")
    }
    assert {request.organization for request in server.requests} == {SMALL.id}


def test_tokens_are_reported_to_be_looked_for(server: Running, tmp_path: Path) -> None:
    """The tokens are returned, so that whatever is written later can be searched for them."""
    collected = collect(configuration(server.address), str(tmp_path), FLEET.environment)
    assert [repr(token) for token in collected.tokens] == [
        *("Token(ASTRA_TOKEN_ACME_PROD)", "Token(ASTRA_TOKEN_ACME_TEST)"),
    ]


def test_progress(server: Running, tmp_path: Path) -> None:
    """Progress says at the beginning what is to do, and after each organization what is done."""
    seen: list[Progress] = []
    collect(configuration(server.address), str(tmp_path), FLEET.environment, seen.append)
    assert [progress.done for progress in seen] == [0, 1, 2]
    assert {progress.total for progress in seen} == {2}
    assert {progress.name for progress in seen} == {"", "acme-prod", "acme-test"}
    assert seen[-1].requests == len(server.requests)


def test_nothing_is_left_beside_the_bundle(server: Running, tmp_path: Path) -> None:
    """Beside the bundle, whose name is the time, nothing is left."""
    collected = run(server, tmp_path / "new" / "folder")
    (only,) = (tmp_path / "new" / "folder").iterdir()
    assert only.as_posix() == collected.bundle
    datetime.strptime(only.name, "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC)


def test_tool_that_is_not_installed(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest names the tool and its version, or that it is not installed."""

    def version(name: str) -> str:
        assert name == "cmek-audit"
        return "1.2.3"

    monkeypatch.setattr(collector, "version", version)
    assert read_manifest(run(server, tmp_path / "a").bundle).tool == "cmek-audit 1.2.3"

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(collector, "version", missing)
    assert read_manifest(run(server, tmp_path / "b").bundle).tool == "cmek-audit, not installed"


# --- what cannot be read --------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "", "two words", "short"])
def test_no_token(server: Running, tmp_path: Path, value: str | None) -> None:
    """Without a token nothing is asked, all is missing, and the variable is named."""
    environment = {SMALL.variable: value} if value is not None else {}
    collected = collect(small(server), str(tmp_path), environment)
    (organization,) = read(collected)
    assert {gap.reason for gap in organization.gaps} == {"no-token"}
    detail = f"the environment variable {SMALL.variable} holds no token"
    assert {gap.detail for gap in organization.gaps} == {detail}
    assert (server.requests, collected.tokens) == ([], ())
    assert replay(collected.bundle).manifest.requests == 0


def test_one_token_of_two(server: Running, tmp_path: Path) -> None:
    """One organization without a token does not keep another from being read."""
    environment = {SMALL.variable: SMALL.token}
    collected = collect(configuration(server.address), str(tmp_path), environment)
    first, second = read(collected)
    assert (len(first.databases or ()), len(second.databases or ())) == (0, 3)
    assert second.gaps == ()


def test_server_that_is_not_there(tmp_path: Path) -> None:
    """If nobody listens, each organization is missing, and the attempts are recorded."""
    organizations = configuration(closed_address(), Fleet((SMALL,)))
    collected = collect(organizations, str(tmp_path), FLEET.environment)
    assert {reason for _, reason in reasons(collected)} == {"unavailable"}
    assert replay(collected.bundle).manifest.failures == 2


def test_missing_permission(tmp_path: Path) -> None:
    """A token that may not read keys leaves gaps of keys, and the databases are read."""
    poor = replace(SMALL, permissions=SMALL.permissions - {CMK_READ})
    with serve(Fleet((poor,))) as server:
        collected = run(server, tmp_path)
    facts = {"serverless-keys", "managed-clusters-keys", "region-views"}
    assert reasons(collected) == {(fact, "refused") for fact in facts}
    assert [len(organization.databases or ()) for organization in read(collected)] == [3]


SILENT = ("stall", "drip", "stall-headers")


@pytest.mark.parametrize(
    ("kind", "address", "expected"),
    [
        ("echo-token-401", "serverless-keys", {("serverless-keys", "refused")}),
        ("redirect", "databases", {("databases", "wrong-address")}),
        ("gzip-bomb", "databases", {("databases", "too-large")}),
        ("50-mb", "databases", {("databases", "too-large")}),
        ("reset", "serverless-keys", {("serverless-keys", "unavailable")}),
        ("cut-short", "serverless-keys", {("serverless-keys", "cut-short")}),
        ("stall", "serverless-keys", {("serverless-keys", "timed-out")}),
        ("drip", "serverless-keys", {("serverless-keys", "timed-out")}),
        ("stall-headers", "organization", None),
    ],
)
def test_faults_on_the_connection(
    server: Running, tmp_path: Path, kind: str, address: str, expected: set[tuple[str, str]] | None
) -> None:
    """What goes wrong on a real connection ends as the gap that it is, and a replay agrees."""
    fault = Fault(kind, address, ALWAYS)
    silent = {"timeout_seconds": 0.5, "attempts": 1} if kind in SILENT else {}
    collected = run(server, tmp_path, fault, **{"largest_answer_bytes": 1_000_000} | silent)
    if expected is None:
        assert {reason for _, reason in reasons(collected)} == {"timed-out"}
    else:
        assert {reason for reason in reasons(collected) if reason[1] != "not-visible"} == expected
    assert replay(collected.bundle).lines > 0
    assert server.visits == []


def test_faults_that_pass(server: Running, tmp_path: Path) -> None:
    """What goes wrong once is made good by another attempt, and is in the manifest."""
    faults = [Fault(kind, "serverless-keys", FIRST) for kind in ("503",)]
    faults.append(Fault("reset-at-once", "databases", FIRST))
    collected = run(server, tmp_path, *faults)
    assert reasons(collected) == set()
    assert read_manifest(collected.bundle).failures == 2


def test_time_for_an_organization(server: Running, tmp_path: Path) -> None:
    """If an organization's time is over, what is missing of it is reported."""
    fault = Fault("stall-headers", "organization")
    collected = run(server, tmp_path, fault, organization_deadline_seconds=0.2)
    assert {reason for _, reason in reasons(collected)} == {"timed-out"}
    assert replay(collected.bundle).manifest.requests == 1


def test_time_for_all(server: Running, tmp_path: Path) -> None:
    """If the time for all is over, organizations that did not have their turn are missing."""
    server.faults = (Fault("stall-headers", "organization"),)
    organizations = configuration(server.address, deadline_seconds=0.2, connections=1)
    collected = collect(organizations, str(tmp_path), FLEET.environment)
    assert [{gap.reason for gap in organization.gaps} for organization in read(collected)] == [
        {"timed-out"}
    ] * 2
    assert len(server.requests) <= 1
    assert replay(collected.bundle).manifest.requests == 2


def test_clock_that_differs(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this machine's clock is far from Astra's, that is a gap, and is in the manifest."""

    class Fast(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # noqa: ANN401
            return datetime.now(tz) + timedelta(hours=1)

    monkeypatch.setattr(recording_transport, "datetime", Fast)
    collected = run(server, tmp_path)
    assert reasons(collected) == {("databases", "clock-differs")}
    clock = replay(collected.bundle).manifest.clock_seconds
    assert clock is not None
    assert -3602 <= clock <= -3598


# --- chains ---------------------------------------------------------------------------------------


def test_chain_of_bundles(server: Running, tmp_path: Path) -> None:
    """Each bundle names the one before it and that one's root; the first names none."""
    bundles = [run(server, tmp_path).bundle for _ in range(3)]
    manifests = [read_manifest(bundle) for bundle in bundles]
    assert manifests[0].previous is None
    for before, after in zip(range(2), range(1, 3), strict=True):
        previous = manifests[after].previous
        assert previous
        assert (previous.name, previous.root) == (
            Path(bundles[before]).name,
            manifests[before].root,
        )
    assert [path.as_posix() for path in read_folder(tmp_path).bundles] == sorted(bundles)


def test_many_bundles_of_one_second(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bundles of one second have names and an order of their own, however many there are."""

    class Still(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # noqa: ANN401
            return datetime(2026, 11, 20, 2, tzinfo=UTC)

    monkeypatch.setattr(collector, "datetime", Still)
    monkeypatch.setattr(collector, "run_job", lambda *_: writer.Tally())
    names = [Path(_bundle_of_nothing(server, tmp_path, monkeypatch)).name for _ in range(11)]
    first = "2026-11-20T02-00-00Z"
    assert names == [first, *(f"{first}-{number}" for number in range(2, 12))]
    previous = [read_manifest(str(tmp_path / name)).previous for name in names]
    assert [link and link.name for link in previous] == [None, *names[:-1]]


def _bundle_of_nothing(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Collect without reading anything, and yet count one organization."""

    def merge(tally: writer.Tally, other: writer.Tally) -> None:
        tally.counts["organizations"] = 1

    monkeypatch.setattr(writer.Tally, "merge", merge)
    return run(server, tmp_path).bundle


@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_damaged_bundle_before(server: Running, tmp_path: Path, content: bytes | None) -> None:
    """If the bundle before is damaged, that stops the collecting before any request."""
    bundle = run(server, tmp_path).bundle
    server.requests.clear()
    manifest = Path(bundle) / "manifest.json"
    changed = manifest.read_bytes().replace(b'"failures": 0', b'"failures": 7')
    manifest.write_bytes(changed if content is None else content)
    with pytest.raises(EvidenceError, match=r"manifest\.json"):
        run(server, tmp_path)
    assert server.requests == []
    assert [path.as_posix() for path in tmp_path.iterdir()] == [bundle]


# --- nothing is left ------------------------------------------------------------------------------


@pytest.mark.parametrize("done", [0, 1, 2])
def test_interruption_while_telling(server: Running, tmp_path: Path, done: int) -> None:
    """An interruption leaves nothing behind, whenever it comes."""

    def interrupt(progress: Progress) -> None:
        if progress.done == done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(configuration(server.address), str(tmp_path), FLEET.environment, interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (writer.ExchangeWriter, "write"),
        (writer.ExchangeWriter, "manifest_lines"),
        (writer.JobWriter, "begin"),
        (writer.BundleWriter, "finish"),
    ],
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_interruption_while_writing(
    server: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    error: type[BaseException],
) -> None:
    """An interruption in the middle of writing leaves nothing behind either."""

    def interrupt(*_: object) -> None:
        raise error

    monkeypatch.setattr(owner, name, interrupt)
    with pytest.raises(error):
        run(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_leak(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a token would be written after all, the collecting stops, and leaves nothing behind."""
    monkeypatch.setattr(Scrubber, "scrub", lambda _, text: text)
    monkeypatch.setattr(Scrubber, "is_clean", lambda *_: True)
    with pytest.raises(LeakError) as caught:
        run(server, tmp_path, Fault("echo-token", "databases"))
    assert SMALL.token not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_disk_that_refuses(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk refuses, that is a problem of the folder, and nothing is left behind."""
    begin = writer.JobWriter.begin

    def lose(writer: writer.JobWriter, *args: Any) -> writer.ExchangeWriter:  # noqa: ANN401
        own = begin(writer, *args)
        shutil.rmtree(own._file.parent, ignore_errors=True)
        return own

    monkeypatch.setattr(writer.JobWriter, "begin", lose)
    with pytest.raises(SettingError, match=r"^the evidence folder: found .* \(No such file"):
        run(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_a_file(server: Running, tmp_path: Path) -> None:
    """A file in the place of the folder is refused before any request."""
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    for folder in (file, file / "below"):
        with pytest.raises(SettingError, match=r"expected a folder to write to$"):
            run(server, folder)
    assert server.requests == []


# --- silence --------------------------------------------------------------------------------------


def test_libraries_are_silent(
    server: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No library logs what is sent and received, however much is logged."""
    caplog.set_level(logging.DEBUG)
    run(server, tmp_path, Fault("echo-token", "databases"))
    assert {record.name for record in caplog.records} <= {"asyncio"}
    assert SMALL.token not in caplog.text


def test_what_a_killed_collection_left_is_removed(server: Running, tmp_path: Path) -> None:
    """What is unfinished in the folder is removed, and that is said before anything is asked."""
    (tmp_path / ".collecting-old-1").mkdir()
    (tmp_path / ".collecting-old-1/a").touch()
    notes: list[tuple[str, int]] = []

    def on_progress(step: Progress) -> None:
        if step.note:
            notes.append((step.note, len(server.requests)))

    collected = collect(small(server), str(tmp_path), FLEET.environment, on_progress)
    left = (tmp_path / ".collecting-old-1").as_posix()
    note = f"Removing {left}, which a killed collection left unfinished."
    assert notes == [(note, 0)]
    assert [path.as_posix() for path in tmp_path.iterdir()] == [collected.bundle]


@pytest.mark.parametrize("name", ["notes", "2026-11-20T02-00-00Z/exchanges"])
def test_strange_things_beside_the_bundles(server: Running, tmp_path: Path, name: str) -> None:
    """Where something may have been a bundle, that stops the collecting before any request."""
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(InventoryError, match=name.partition("/")[0]):
        run(server, tmp_path)
    assert server.requests == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [name.partition("/")[0]]


def test_two_heads(server: Running, tmp_path: Path) -> None:
    """Where two bundles follow one, as after a merge, that stops it before any request."""
    first = run(server, tmp_path / "one").bundle
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for name in ("one", "two"):
        second = run(server, tmp_path / name).bundle
    shutil.copytree(second, tmp_path / "one/of-two")
    server.requests.clear()
    with pytest.raises(EvidenceError) as caught:
        run(server, tmp_path / "one")
    (problem,) = caught.value.problems
    assert f"which all follow '{Path(first).name}' with the root " in problem.found
    assert server.requests == []


def test_second_collection_at_once(server: Running, tmp_path: Path) -> None:
    """While one collection writes into a folder, another one is refused, and loses nothing."""
    refused: list[str] = []

    def note(progress: Progress) -> None:
        if progress.done and not refused:
            with pytest.raises(SettingError) as caught:
                collect(small(server), str(tmp_path), FLEET.environment)
            refused.append(str(caught.value))

    collected = collect(configuration(server.address), str(tmp_path), FLEET.environment, note)
    found = f"{tmp_path}, which another run is writing to"
    assert refused == [f"the evidence folder: found {found}, expected a folder of its own"]
    assert [path.as_posix() for path in tmp_path.iterdir()] == [collected.bundle]
    assert replay(collected.bundle).manifest.organizations == 2


def exchanges_of(collected: Collected) -> list[Exchange]:
    return read_exchanges(collected.bundle, read_manifest(collected.bundle), 1)


def test_answers_are_recorded_as_they_came(server: Running, tmp_path: Path) -> None:
    """Each request that the server saw is recorded, with its address, in order."""
    collected = run(server, tmp_path)
    asked = sorted(request.target for request in server.requests)
    assert sorted(exchange.address for exchange in exchanges_of(collected)) == asked


def test_interruptions_are_for_the_main_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that start processes block Ctrl-C, where the system can, and nothing fails else."""
    blocked: list[bool] = []

    def block() -> None:
        collector._block_interrupts()
        blocked.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    def run_alone(target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()

    run_alone(block)
    monkeypatch.delattr(signal, "pthread_sigmask")
    run_alone(collector._block_interrupts)
    assert blocked == [True]
