"""A server for all tests of the command, and a chain of bundles that were read from it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from inventory.collecting import collect
from inventory.configured import read_organizations
from tests.astra.server import Running, serve
from tests.cmek_audit.commands import FLEET, organizations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
