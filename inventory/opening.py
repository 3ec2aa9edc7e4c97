"""Opens any file that can be an inventory: YAML, JSON, NDJSON, Parquet or an evidence bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventory.errors import InventoryError, Problem
from inventory.files.evidence_layout import INVENTORY as BUNDLED
from inventory.files.evidence_layout import is_folder
from inventory.files.file_kinds import INVENTORIES, recognize_folder
from inventory.files.format_detection import INVENTORY, folder_problem
from inventory.files.ndjson import NdjsonReader, read_whole
from inventory.files.yaml_json import RecordedFile, read_recorded
from inventory.model.sources import FORMATS
from inventory.parquet.layout import HEAD

if TYPE_CHECKING:
    from inventory.model.sources import Role
    from inventory.parquet.reader import ParquetReader


_LONGEST_HEAD = 1_048_576


def is_stream(file: str) -> bool:
    """Say whether ``file`` can be read organization by organization.

    Raises InventoryError for a folder that belongs to another option, and for a path that the
    system refuses to look at.
    """
    path = Path(file)
    if is_folder(file):
        if recognize_folder(path).option not in {"", INVENTORIES}:
            raise InventoryError([folder_problem(file, INVENTORY)])
        return True
    return FORMATS.get(path.suffix.lower()) == "ndjson"


def holds_clouds_only(file: str) -> bool:
    """Say whether ``file`` is a record of clouds alone, by its first line.

    False for whatever cannot be read: that is refused where it is read.
    """
    return read_stream_head(file).get("clouds_only") is True


def read_stream_head(file: str) -> dict[str, Any]:
    """Return the first line of a file in NDJSON, or of a bundle's inventory, as it is there.

    Empty for any other file, and for whatever cannot be read: that is refused where it is read.
    """
    if not is_stream(file):
        return {}
    try:
        with _first_file(file).open("rb") as lines:
            head = json.loads(lines.read() if is_parquet(file) else lines.readline(_LONGEST_HEAD))
    except (OSError, ValueError, RecursionError):
        return {}
    return head if isinstance(head, dict) else {}


def _first_file(file: str) -> Path:
    """Return the file with the head."""
    if not is_folder(file):
        return Path(file)
    return Path(file) / (HEAD if is_parquet(file) else BUNDLED)


def is_parquet(file: str) -> bool:
    """Say whether ``file`` is a folder with an inventory in Parquet."""
    return is_folder(file) and (Path(file) / HEAD).is_file()


def open_stream(file: str, role: Role = "inventory") -> NdjsonReader | ParquetReader:
    """Open a file in NDJSON, Parquet, or an evidence bundle; raise InventoryError."""
    if not is_folder(file):
        return NdjsonReader(file, role)
    if is_parquet(file):
        from inventory.parquet.reader import ParquetReader  # noqa: PLC0415 (only who has Parquet)

        return ParquetReader(file, role)
    if any(Path(file).glob("*.parquet")):
        found, expected = f"Parquet files without {HEAD}", "the whole folder of a conversion"
        raise InventoryError([Problem(file, 0, "", found, expected)])
    from inventory.evidence.reader import open_bundle  # noqa: PLC0415 (only for those who have bundles)

    return open_bundle(file, role)


def read_file(file: str, role: Role = "inventory") -> RecordedFile:
    """Read a whole inventory; raise InventoryError with all its problems at once."""
    return read_whole(open_stream(file, role)) if is_stream(file) else read_recorded(file, role)
