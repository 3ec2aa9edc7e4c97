"""A server for all tests of the command, and a chain of bundles that were read from it."""

from __future__ import annotations

import shutil
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inventory.astra.collector import collect
from inventory.astra.config import read_organizations
from tests.astra.server import Running, serve
from tests.cmek_audit.helpers import FLEET, organizations
from tests.cmek_audit.signing.signed import KeyPair, new_keys, sign
from tests.reports.samples import VIOLATIONS, WAIVERS, audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOLDEN = Path(__file__).with_name("golden")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to write anew what the commands print."""
    parser.addoption(
        "--golden-update",
        action="store_true",
        help="write what the commands print to tests/cmek_audit/golden, instead of comparing it",
    )


@pytest.fixture(scope="session")
def golden(pytestconfig: pytest.Config) -> Callable[[str, str], None]:
    """Return what compares a text, to the letter, with the file of a name in ``golden``."""
    update = pytestconfig.getoption("golden_update", default=False)

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if update:
            GOLDEN.mkdir(exist_ok=True)
            file.write_bytes(text.encode())
        update_with = "pytest tests/cmek_audit --golden-update writes it again"
        assert text == file.read_bytes().decode(), f"tests/cmek_audit/golden/{name}: {update_with}"

    return compare


@pytest.fixture(scope="session")
def _server() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def astra(_server: Running) -> Iterator[Running]:
    """Serve a small fleet, without faults but those that the test sets."""
    _server.requests.clear()
    yield _server
    _server.faults = ()


@pytest.fixture(scope="session")
def _chain(_server: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain")
    wanted = read_organizations(organizations(folder, _server.address))
    for _ in range(3):
        collect(wanted, str(folder / "evidence"), FLEET.environment)
    return folder / "evidence"


@pytest.fixture
def chain(_chain: Path, tmp_path: Path) -> Path:
    """Return a folder with three bundles, the test's own."""
    return shutil.copytree(_chain, tmp_path / "evidence")


@pytest.fixture
def bundle(chain: Path) -> Path:
    """Return the first of three bundles."""
    return min(chain.iterdir())


# --- signed reports -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """Return a private and a public key."""
    return new_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def other_keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """Return the keys of somebody else."""
    return new_keys(tmp_path_factory.mktemp("other-keys"))


@pytest.fixture(scope="session")
def _signed(tmp_path_factory: pytest.TempPathFactory, keys: KeyPair) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    with chdir(folder):
        # By a relative path, as in a pipeline: so it can be judged again from a package.
        audit(Path(), VIOLATIONS, WAIVERS)
        sign(Path("report"), keys)
    return folder


@pytest.fixture
def signed(_signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with sources and a signed report, the test's own; return the report."""
    shutil.copytree(_signed, tmp_path / "w")
    monkeypatch.chdir(tmp_path / "w")
    return Path("report")
