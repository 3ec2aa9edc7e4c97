"""The server on loopback that the workers of tests read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.astra.server import Running, serve
from tests.inventory.astra.cluster.fleets import FLEET

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def server(served: Running) -> Running:
    """Return a server without faults, that has seen no request yet."""
    return served.renewed()
