"""DuckDB, which reads and writes Parquet; an extra that is imported only when it is used."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventory.errors import InventoryError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALL = "pip install 'cmek-audit[parquet]'"
_SPECIAL = "*?["
"""What DuckDB takes as a pattern of several paths."""

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def is_installed() -> bool:
    """Say whether DuckDB can be used."""
    try:
        import duckdb  # noqa: F401, PLC0415 (an extra)
    except ImportError:
        return False
    return True


@contextmanager
def open_engine(file: str) -> Iterator[Any]:
    """Open a DuckDB of its own, in memory, for ``file``.

    Raises InventoryError if DuckDB is not installed, or cannot do what it is asked for.
    """
    try:
        import duckdb  # noqa: PLC0415 (an extra)
    except ImportError:
        raise InventoryError([Problem(file, 0, "", "Parquet, without DuckDB", INSTALL)]) from None
    try:
        with duckdb.connect(config=_SETTINGS) as connection:
            yield connection
    except duckdb.Error as error:
        found = f"what DuckDB cannot read or write: {type(error).__name__}"
        raise InventoryError([Problem(file, 0, "", found, "Parquet")]) from None


@contextmanager
def literal_path(path: Path) -> Iterator[str]:
    """Give a path of an existing file that DuckDB takes as it is."""
    whole = str(path.resolve())
    if not any(character in whole for character in _SPECIAL):
        yield whole
        return
    folder = Path(tempfile.mkdtemp(prefix="cmek-audit-"))
    try:
        link = folder / "linked.parquet"
        link.symlink_to(whole)
        yield str(link)
    finally:
        shutil.rmtree(folder)
