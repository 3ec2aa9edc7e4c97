"""What judging one shard came to, and how it is read back: as plain data, and nothing else."""

from __future__ import annotations

import io
import pickle
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.context import Summary
    from checks.engine.grouping import Grouping
    from checks.engine.waivers import WaiverBook
    from inventory.files.entry_reader import PartRead
    from reports.aggregation.aggregates import Aggregates
    from reports.comparison.changes import Changes
    from reports.model.head import LinesFile
    from reports.record.population import Population

_OWN = ("checks.", "inventory.", "reports.", "cmek_audit.execution.")
_ADDING_UP = (
    "checks.engine.grouping",
    "checks.engine.outcome",
    "checks.engine.waivers",
    "reports.aggregation.",
    "reports.comparison.",
    "reports.record.population",
)
"""The modules whose classes add findings and organizations up."""

_PLAIN = frozenset({Counter, date, datetime, timedelta, timezone})


class ShardResult(NamedTuple):
    """What judging one shard came to, beside its lines.

    Attributes:
        grouping: the groups of its findings.
        waivers: what became of each waiver in it.
        changes: what changed in it since the baseline; None without one.
        aggregates: its findings, added up.
        population: its organizations, added up.
        summaries: what the rules across organizations need of it.
        read: what was read of its file beside the organizations; None if it was in memory.
        findings: its file of findings.
        population_lines: its file of organizations, keys and databases.
    """

    grouping: Grouping
    waivers: WaiverBook
    changes: Changes | None
    aggregates: Aggregates
    population: Population
    summaries: Sequence[Summary]
    read: PartRead | None
    findings: LinesFile
    population_lines: LinesFile


def dump_result(result: ShardResult) -> bytes:
    """Return ``result`` as it is kept beside the lines of its shard."""
    return pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL)


def load_result(raw: bytes) -> ShardResult:
    """Read back what ``dump_result`` made; raise UnpicklingError for anything else."""
    try:
        result = _PlainUnpickler(io.BytesIO(raw)).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # noqa: BLE001 (a damaged pickle may raise anything)
        raise pickle.UnpicklingError(type(error).__name__) from None
    if not isinstance(result, ShardResult):
        raise pickle.UnpicklingError(type(result).__name__)
    return result


class _PlainUnpickler(pickle.Unpickler):
    """Makes objects of plain data: no function is ever called that could do anything else."""

    def find_class(self, module: str, name: str) -> type:
        """Return a class of the suite's data; raise UnpicklingError for anything else."""
        if module.startswith(_OWN) or module in {"builtins", "collections", "datetime"}:
            found = super().find_class(module, name)
            if found in _PLAIN or _is_data(found, module):
                return found  # type: ignore[no-any-return]
        raise pickle.UnpicklingError(f"{module}.{name}")


def _is_data(found: object, module: str) -> bool:
    """Say whether ``found`` is a class of the suite that holds data, defined in ``module``."""
    if not isinstance(found, type) or found.__module__ != module or not module.startswith(_OWN):
        return False
    return issubclass(found, tuple | BaseModel) or module.startswith(_ADDING_UP)
