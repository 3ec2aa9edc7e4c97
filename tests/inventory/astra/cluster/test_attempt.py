"""One attempt of a worker: its own tokens, its own folder, and nothing of it if it fails."""

from __future__ import annotations

import pickle
import shutil
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inventory.astra.cluster.attempt import Attempt, run_attempt
from inventory.errors import LeakError
from inventory.evidence.writer import staged_files
from tests.astra.faults import Fault
from tests.astra.fleet import Fleet
from tests.astra.server import Running, serve
from tests.inventory.astra.cluster.fleets import FLEET, FULL, SMALL, configuration, job_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, token in FLEET.environment.items():
        monkeypatch.setenv(name, token)


def attempt_of(server: Running, folder: Path, **policy: float) -> Attempt:
    return Attempt(job_of(server.address, folder / "unused", **policy), str(folder), 60.0)


@pytest.mark.usefixtures("tokens")
def test_attempts_have_folders_of_their_own(server: Running, tmp_path: Path) -> None:
    """Two attempts at one job share nothing, and each says what it has written."""
    attempts = [run_attempt(attempt_of(server, tmp_path)) for _ in range(2)]
    assert {path.name for path in tmp_path.iterdir()} == {one.name for one in attempts}
    for one in attempts:
        assert one.files == staged_files(tmp_path / one.name)
        assert {result.name for result in one.results} == {FULL.name, SMALL.name}
        assert one.tally.counts["organizations"] == 2
    assert len({one.name for one in attempts}) == 2
    assert pickle.loads(pickle.dumps(attempts[0])).files == attempts[0].files


def test_attempt_travels_without_tokens(server: Running, tmp_path: Path) -> None:
    """What is sent to a worker holds the names of variables, and no token."""
    packed = pickle.dumps(attempt_of(server, tmp_path))
    assert pickle.loads(packed) == attempt_of(server, tmp_path)._replace(
        job=pickle.loads(packed).job
    )
    assert SMALL.variable.encode() in packed
    assert b"not-a-real-token" not in packed


def test_worker_without_tokens(server: Running, tmp_path: Path) -> None:
    """A worker without tokens asks nothing, and says so of each organization."""
    done = run_attempt(attempt_of(server, tmp_path))
    assert server.requests == []
    assert done.tally.counts["requests"] == 0
    text = "".join(path.read_text("utf-8") for path in (tmp_path / done.name).rglob("*.ndjson"))
    assert text.count('"no-token"') == 10


@pytest.mark.usefixtures("tokens")
def test_time_that_is_over(server: Running, tmp_path: Path) -> None:
    """The time that is left counts from the start of the attempt, by the worker's own clock."""
    done = run_attempt(attempt_of(server, tmp_path)._replace(seconds=-1.0))
    assert server.requests == []
    assert done.tally.counts["failures"] == done.tally.counts["requests"] > 0


@pytest.mark.usefixtures("tokens")
def test_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of one organization in what is written of another is found by the worker."""
    bare = "not-a-real-token-of-acme-prod"
    fleet = Fleet((replace(FULL, token=bare), replace(SMALL, name=bare)))
    with serve(fleet) as other:
        job = job_of(other.address, tmp_path)
        first, second = configuration(other.address).organizations
        named = second.model_copy(update={"name": bare})
        changed = job.configuration.model_copy(update={"organizations": (first, named)})
        attempt = Attempt(job._replace(configuration=changed), str(tmp_path), 60.0)
        monkeypatch.setenv(FULL.variable, bare)
        with pytest.raises(LeakError) as caught:
            run_attempt(attempt)
    assert bare not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("tokens")
def test_folder_that_is_not_there(server: Running, tmp_path: Path) -> None:
    """Without the shared folder nothing is asked, and it is not made."""
    with pytest.raises(FileNotFoundError):
        run_attempt(attempt_of(server, tmp_path)._replace(folder=str(tmp_path / "gone")))
    assert (server.requests, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.usefixtures("tokens")
def test_collection_that_has_ended(server: Running, tmp_path: Path) -> None:
    """An attempt whose folder is removed stops soon, and sends no request for another one."""
    folder = tmp_path / "attempts"
    folder.mkdir()
    server.faults = (Fault("stall-headers", "organization"),)

    def remove() -> None:
        while not server.requests:
            time.sleep(0.01)
        shutil.rmtree(folder)

    remover = threading.Thread(target=remove)
    remover.start()
    attempt = attempt_of(server, folder, connections=1, timeout_seconds=0.5, attempts=1)
    with pytest.raises(FileNotFoundError):
        run_attempt(attempt)
    remover.join()
    assert {request.organization for request in server.requests} == {FULL.id}
    assert list(tmp_path.iterdir()) == []
