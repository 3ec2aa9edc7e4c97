"""Converts an inventory of any format into NDJSON or Parquet, one organization at a time."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from inventory.errors import InventoryError, Problem, SettingError
from inventory.files.ndjson_writer import end_line, organization_lines
from inventory.files.yaml_json import read_recorded
from inventory.model.gaps import CloudFact
from inventory.opening import is_stream, open_stream
from inventory.parquet.database_engine import INSTALL, is_installed
from inventory.text.canonical_json import compact_json, format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from inventory.model.organization import Organization

STREAM = ".ndjson"
_UNFINISHED = ".converting-"


class _Content(NamedTuple):
    """What is converted: the fields of the head, and the organizations."""

    captured_at: datetime | None
    head: dict[str, Any]
    organizations: Iterable[Organization]


def convert(source: str, target: str, shards: int = 1) -> Counter[str]:
    """Write the inventory ``source`` as ``target``: a file in NDJSON by its ending, else Parquet.

    Parquet is a new folder with as many files as ``shards``. Returns how many of each list there
    are. Raises InventoryError for what cannot be read or expressed, and SettingError if the target
    exists, or if DuckDB is missing for Parquet. Nothing is left behind if it fails.
    """
    path = Path(target)
    is_parquet = path.suffix != STREAM
    if is_parquet and path.suffix:
        raise SettingError(
            f"{target}: found the ending {path.suffix}, expected {STREAM}, or a folder"
        )
    _refuse_existing(path)
    if is_parquet and not is_installed():
        raise SettingError(f"{target}: found no DuckDB to write Parquet, expected it: {INSTALL}")
    content = _open(source)
    counts: Counter[str] = Counter()
    staging = path.with_name(f"{_UNFINISHED}{os.getpid()}-{path.name}")
    try:
        lines = _all_lines(source, content, counts)
        if is_parquet:
            from inventory.parquet.writer import write_parquet  # noqa: PLC0415 (only who has Parquet)

            write_parquet(staging, content.head, lines, shards)
        else:
            _write_stream(staging, content.head, lines, counts)
        _refuse_existing(path)
        staging.rename(path)
    except OSError as error:
        raise SettingError(f"{target}: {error.strerror or type(error).__name__}") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        staging.unlink(missing_ok=True)
    return counts


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise SettingError(f"{path}: exists already; nothing is overwritten")


def _open(source: str) -> _Content:
    if not is_stream(source):
        recorded = read_recorded(source)
        stated = {"captured_at": recorded.source.captured_at, "example": recorded.source.example}
        return _Content(recorded.source.captured_at, _head(stated), recorded.organizations)
    reader = open_stream(source)
    if not reader.is_whole:
        found, expected = "a file that ends without its end record", "a whole file"
        raise InventoryError([Problem(source, 0, "", found, expected)])
    names = ("captured_at", "example", "clouds_only", "description")
    stated = {name: getattr(reader.head, name) for name in names}
    return _Content(reader.head.captured_at, _head(stated), reader.organizations())


def _head(stated: dict[str, Any]) -> dict[str, Any]:
    at = stated["captured_at"]
    head = {name: value for name, value in stated.items() if value}
    return head | ({"captured_at": format_timestamp(at)} if at else {})


def _all_lines(source: str, content: _Content, counts: Counter[str]) -> Iterator[Iterator[str]]:
    """Yield the lines of each organization."""
    for organization in content.organizations:
        _refuse_inexpressible(source, organization)
        counts["organizations"] += 1
        for name in ("keys", "databases", "region_views"):
            counts[name] += len(getattr(organization, name) or ())
        without = [
            name
            for name, is_implied in (
                ("captured_at", organization.captured_at == content.captured_at),
                ("gaps", not organization.missing()),
            )
            if is_implied
        ]
        # Without a list, its gap is written: no line would mean that there is nothing.
        complete = organization.model_copy(update={"gaps": organization.missing()})
        yield organization_lines(complete, as_stated=True, without=without)


def _refuse_inexpressible(source: str, organization: Organization) -> None:
    """Raise InventoryError for an empty list that would be read back as a missing one, or reverse.

    In NDJSON and Parquet each entry is a line or a row, so that an empty list leaves no trace.
    """
    is_of_astra = any(reading.fact not in get_args(CloudFact) for reading in organization.readings)
    empty = () if is_of_astra else None
    for name, understood in (
        ("region_views", empty),
        ("vendor_accounts", empty),
        ("cloud_keys", None),
    ):
        entries = getattr(organization, name)
        if not entries and entries != understood:
            found = "no list" if entries is None else "an empty list"
            expected = "what NDJSON and Parquet can express: leave the field out, or keep the file"
            raise InventoryError([Problem(source, organization.line, name, found, expected)])


def _write_stream(
    path: Path, head: dict[str, Any], lines: Iterable[Iterable[str]], counts: Counter[str]
) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(f"{compact_json({'kind': 'inventory', 'cmek-inventory': 1} | head)}\n")
        for organization in lines:
            file.writelines(organization)
        file.write(end_line(counts))
