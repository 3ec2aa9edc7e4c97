"""Real audits that break in the middle, told to show everything: no token is in what they show."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.astra.faults import Fault
from tests.astra.fleet import Fleet, organizations_data
from tests.astra.matrix import needles, small_fleet
from tests.astra.server import Running, serve
from tests.builders import write_json
from tests.cmek_audit.helpers import ROOT
from tests.evidence_files import contents_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

FLEET = Fleet(small_fleet().organizations[:1])
PASSWORD = "hush-" + "0123456789" * 3
CLOUDS = {
    name: f"{name.lower()}-{'0123456789' * 3}"
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET")
}
"""Sham credentials of clouds, which nothing here asks for."""

PLANT = """
import os
from pkgutil import resolve_name

path, _, name = os.environ["PLACE"].rpartition(".")

def breaks(*arguments, **more):
    raise RuntimeError("planted")

setattr(resolve_name(path), name, breaks)
"""
PLACES = (
    "inventory.astra.connections._Connection._send",
    "inventory.evidence.exchange._Reader.read",
    "inventory.text.secrets.Token.needles",
    "inventory.astra.worker.proxy_for",
    "inventory.evidence.writer.ShareWriter.begin",
    "inventory.astra.collector.token_of",
)
PYTEST = (
    *("-m", "pytest", "-p", "plant", "checks", "--full-trace", "-l", "-vv", "-rA"),
    *("-o", "log_cli=true", "--log-level=DEBUG"),
)

COMMAND = ("-c", "import plant; from cmek_audit.cli import main; main()")


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serve(FLEET, [Fault("echo-token", "databases")]) as running:
        yield running


CELLS = [
    *(("pytest", place) for place in PLACES),
    *(("collect", place) for place in PLACES[:3]),
    ("audit", PLACES[0]),
]


@pytest.mark.parametrize(("program", "place"), CELLS)
def test_no_token_is_shown(server: Running, tmp_path: Path, program: str, place: str) -> None:
    """Nothing that a broken run prints or writes holds a token, a password or a credential."""
    data = organizations_data(FLEET, server.address, first_wait_seconds=0, attempts=1)
    file = write_json(tmp_path / "organizations.json", data)
    (tmp_path / "plant.py").write_text(PLANT)
    live = [f"--cmek-live={file}", f"--cmek-evidence-dir={tmp_path}/ev"]
    live += [f"--cmek-report-dir={tmp_path}/report"]
    words = {
        "pytest": [*PYTEST, *live],
        "audit": [*COMMAND, "audit", *live],
        "collect": [*COMMAND, "collect", file, f"--evidence-dir={tmp_path}/ev"],
    }
    own = {"PLACE": place, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    own["HTTPS_PROXY"] = f"http://me:{PASSWORD}@127.0.0.1:1"
    environment = os.environ | FLEET.environment | CLOUDS | own
    done = subprocess.run(
        [sys.executable, *words[program]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
    )
    written = contents_below(tmp_path).values()
    everything = b"\n".join([done.stdout, done.stderr, *written])
    assert done.returncode in {1, 3}
    secrets = [*needles(FLEET), *map(str.encode, (PASSWORD, *CLOUDS.values()))]
    assert [secret for secret in secrets if secret in everything] == []
