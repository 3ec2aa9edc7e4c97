"""The findings as a table in Parquet, one row a finding, for data warehouses."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from inventory.parquet.database_engine import literal_path, open_engine
from reports.record.layout import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reports.model.head import Head

_LONGEST_LINE = 16_777_216
_ROWS_IN_GROUP = 20_480
_BATCH = 4_096

_SUBJECT = ("kind", "path", "organization", "type", "provider", "region", "database", "key")
_TEXTS = (
    "status",
    "rule",
    "id",
    "severity",
    "cause",
    "name",
    "message",
    "rests_on",
    "reason",
    "action",
    "action_id",
    "waiver",
    "change",
    "since",
)
_NUMBERS = ("audits", "databases", "existing")

COLUMNS = {
    **dict.fromkeys(_TEXTS[:4], "VARCHAR"),
    **{f"subject_{name}": "VARCHAR" for name in _SUBJECT},
    **dict.fromkeys(_TEXTS[4:], "VARCHAR"),
    **dict.fromkeys(_NUMBERS, "BIGINT"),
    "evidence": "VARCHAR",
}
"""The columns with their types: the fields of a finding; ``evidence`` is JSON."""


def export(_: Head, folder: Path, target: Path) -> None:
    """Write ``target``, a file in Parquet, of the findings in ``folder``, in their order.

    Raises InventoryError if DuckDB is missing or cannot write the file. Findings are read a line
    at a time, so that their number makes no difference to the memory.
    """
    subject = ", ".join(f"{name} VARCHAR" for name in _SUBJECT)
    fields = dict.fromkeys(_TEXTS, "VARCHAR") | dict.fromkeys(_NUMBERS, "BIGINT")
    fields |= {"subject": f"STRUCT({subject})", "evidence": "JSON"}
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in fields.items())
    chosen = ", ".join(
        f"subject.{name.removeprefix('subject_')} AS {name}"
        if name.startswith("subject_")
        else f"CAST({name} AS {kind}) AS {name}"
        for name, kind in COLUMNS.items()
    )
    lines = (
        "read_json(?, format = 'newline_delimited', hive_partitioning = false, "
        f"maximum_object_size = {_LONGEST_LINE}, columns = {{{types}}})"
    )
    with literal_path(folder / FINDINGS) as literal, open_engine(str(target)) as engine:
        engine.execute(
            f"COPY (SELECT {chosen} FROM {lines}) TO ? "  # noqa: S608 (constant)
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_IN_GROUP})",
            [literal, str(target)],
        )


def holds_the_same(file: Path, other: Path) -> bool:
    """Say whether two tables have the same columns and rows, in the same order.

    Their bytes may differ: they depend on the version of DuckDB. Raises InventoryError if one of
    the files is no table, or if DuckDB is missing.
    """
    with (
        literal_path(file) as one,
        literal_path(other) as two,
        open_engine(str(file)) as first,
        open_engine(str(other)) as second,
    ):
        for engine, path in ((first, one), (second, two)):
            engine.execute("SELECT * FROM read_parquet(?, hive_partitioning = false)", [path])
        if first.description != second.description:
            return False
        pairs = zip_longest(_rows(first), _rows(second))
        return all(row == same for row, same in pairs)


def _rows(engine: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 (a DuckDB)
    while rows := engine.fetchmany(_BATCH):
        yield from rows
