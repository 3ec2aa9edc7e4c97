"""Audits of a small inventory, each made step by step and without pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.run.option_values import parse_options
from tests.wiring.runs import AS_OF, compliant, saved

if TYPE_CHECKING:
    from pathlib import Path

    from cmek_audit.run.option_values import Options


def options_in(folder: Path, inventory: object = None, **over: object) -> Options:
    """Return the options of an audit in ``folder``; one that complies if none is given."""
    options: dict[str, object] = {
        "inventory": (saved(folder, inventory or compliant()),),
        "as_of": AS_OF,
        "report_dir": str(folder / "r"),
    }
    return parse_options(options | over)


def left_in(folder: Path) -> set[str]:
    """Return the names of all that is in the report folder."""
    return {entry.name for entry in (folder / "r").iterdir()}
