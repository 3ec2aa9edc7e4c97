"""Collections that end at any moment leave earlier bundles whole, and nothing half-written."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from inventory.astra.replay import replay
from inventory.files.evidence_layout import read_folder
from tests.astra.fleet import Fleet, large_fleet
from tests.astra.server import Running, serve
from tests.cmek_audit.helpers import FLEET, ROOT, command, organizations, printed_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CODE = "from cmek_audit.cli import main; main()"
MANY = large_fleet(64, 1)
"""So many organizations that two processes share them, where there are two processors."""


def _collect(fleet: Fleet, file: str, folder: Path) -> subprocess.Popen[bytes]:
    words = ["collect", file, "--evidence-dir", str(folder)]
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *words],
        env=os.environ | fleet.environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def _slow(fleet: Fleet, folder: Path) -> Iterator[tuple[Running, str]]:
    """Serve ``fleet`` so slowly that there is a middle, and yield its organizations file, too."""
    with serve(fleet, latency=0.02) as server:
        yield server, organizations(folder, server.address, fleet)


def _wait_for(process: subprocess.Popen[bytes], server: Running, requests: int) -> None:
    """Wait until the server has seen so many requests, or the process has ended."""
    while process.poll() is None and len(server.requests) < requests:
        time.sleep(0.001)


def _hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def _assert_whole(folder: Path, earlier: set[str]) -> set[str]:
    """See that all bundles are whole, those of ``earlier`` among them; return their names."""
    content = read_folder(folder)
    assert content.problems() == []
    for bundle in content.bundles:
        assert replay(str(bundle)).lines > 0
    names = {bundle.name for bundle in content.bundles}
    assert names >= earlier
    return names


def _assert_next_follows(folder: Path, file: str, fleet: Fleet) -> set[str]:
    """See that a further collection clears up, and that all bundles are one chain."""
    done = command("collect", file, "--evidence-dir", folder, environment=fleet.environment)
    assert done.exit_code == 0, done.output
    assert _hidden(folder) == []
    verified = command("verify", folder)
    assert verified.exit_code == 0, verified.output
    return _assert_whole(folder, set())


@pytest.mark.parametrize("seed", range(3))
def test_collections_killed_at_random_moments(seed: int, tmp_path: Path) -> None:
    """Killed or told to end whenever, a collection harms no bundle, and the next one follows."""
    chance, folder = random.Random(seed), tmp_path / "ev"
    with _slow(FLEET, tmp_path) as (server, file):
        names = _assert_next_follows(folder, file, FLEET)
        every = len(server.requests)
        for sent in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            server.requests.clear()
            moment, later = chance.randint(1, every), chance.uniform(0, 0.04)
            process = _collect(FLEET, file, folder)
            _wait_for(process, server, moment)
            time.sleep(later)
            process.send_signal(sent)
            code = process.wait(timeout=60)
            now = _assert_whole(folder, names)
            if sent == signal.SIGTERM:
                assert _hidden(folder) == []
                # At its very end Python heeds the signal no longer: it ends the process.
                assert code == 2 or (now > names and code in {0, -signal.SIGTERM})
            names = now
        assert _assert_next_follows(folder, file, FLEET) > names


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_processes_that_share_a_collection_end_together(
    sent: signal.Signals, tmp_path: Path
) -> None:
    """Whatever ends the process that was started, those it started ask nothing any more."""
    folder = tmp_path / "ev"
    with _slow(MANY, tmp_path) as (server, file):
        process = _collect(MANY, file, folder)
        _wait_for(process, server, 40)
        process.send_signal(sent)
        assert process.wait(timeout=60) == (-sent if sent == signal.SIGKILL else 2)
        time.sleep(0.5)  # for what is under way
        asked = len(server.requests)
        time.sleep(1)
        assert len(server.requests) == asked
        assert sent == signal.SIGKILL or _hidden(folder) == []
        assert read_folder(folder).bundles == ()
        server.application.latency = 0
        assert len(_assert_next_follows(folder, file, MANY)) == 1


def test_several_collections_at_once(tmp_path: Path) -> None:
    """Of collections into one folder at once one is refused or follows; no bundle is lost."""
    folder = tmp_path / "ev"
    with _slow(FLEET, tmp_path) as (_, file):
        processes = [_collect(FLEET, file, folder) for _ in range(4)]
        codes = [process.wait(timeout=60) for process in processes]
        names = _assert_whole(folder, set())
        assert set(codes) <= {0, 4}
        assert codes.count(0) == len(names) >= 1
        assert len(_assert_next_follows(folder, file, FLEET)) == len(names) + 1


def test_two_collections_in_one_second(tmp_path: Path) -> None:
    """Two collections one after the other, however fast, are two bundles of one chain."""
    with serve(FLEET) as server:
        file = organizations(tmp_path, server.address)
        for _ in range(2):
            done = command("collect", file, "--evidence-dir", tmp_path / "ev", "--json")
            assert done.exit_code == 0
    first, second = sorted(_assert_whole(tmp_path / "ev", set()))
    assert printed_json(done)["previous"]["name"] == first
    assert printed_json(done)["bundle"].endswith(second)
