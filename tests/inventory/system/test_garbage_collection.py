"""Pausing the garbage collector."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from inventory.errors import InventoryError
from inventory.inventory import Inventory
from inventory.system.garbage_collection import collector_paused
from tests.builders import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["on", "off"])
def enabled(request: pytest.FixtureRequest) -> Iterator[bool]:
    is_on = request.param == "on"
    (gc.enable if is_on else gc.disable)()
    yield is_on
    gc.enable()


def test_it_is_as_it_was_afterwards(enabled: bool) -> None:  # noqa: FBT001 (a fixture)
    """The collector is paused inside, and afterwards as it was before, also after an error."""
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled() == enabled
    with pytest.raises(LookupError), collector_paused():
        raise LookupError
    assert gc.isenabled() == enabled


def test_files_that_cannot_be_read(tmp_path: Path, enabled: bool) -> None:  # noqa: FBT001 (as above)
    """A file that cannot be read leaves the collector as it was."""
    with pytest.raises(InventoryError):
        Inventory([write_text(tmp_path / "a.yaml", "x")])
    assert gc.isenabled() == enabled
