"""Any file that can be an inventory, told by what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.bundles import is_folder
from inventory.ndjson import NdjsonReader, read_whole
from inventory.recorded import Recorded, format_of, read_recorded

if TYPE_CHECKING:
    from inventory.sources import Role


def is_stream(file: str) -> bool:
    """Say whether ``file`` can be read organization by organization; raise InventoryError."""
    return is_folder(file) or format_of(file) == "ndjson"


def open_stream(file: str, role: Role = "inventory") -> NdjsonReader:
    """Open a file in NDJSON, or an evidence bundle; raise InventoryError."""
    if not is_folder(file):
        return NdjsonReader(file, role)
    from inventory.evidence import open_bundle  # noqa: PLC0415 (only for those who have bundles)

    return open_bundle(file, role)


def read_file(file: str, role: Role = "inventory") -> Recorded:
    """Read a whole inventory; raise InventoryError with all its problems at once."""
    return read_whole(open_stream(file, role)) if is_stream(file) else read_recorded(file, role)
