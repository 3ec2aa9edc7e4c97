"""Audits of the suite, as the benchmarks run them, with the options that it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet import AS_OF
from measuring import Cost, run_python

from cmek_audit.run.options import OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

JOBS = "--cmek-jobs"
EXECUTOR = "--cmek-executor"


def knows(flag: str) -> bool:
    """Say whether the suite has the option ``flag``."""
    return any(option.flag == flag for option in OPTIONS)


def audit(inventory: Path, reports: Path, *options: str) -> Cost:
    """Audit ``inventory`` with all reports."""
    return run_python(
        "-m",
        "pytest",
        f"--cmek-inventory={inventory}",
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={reports}",
        *options,
    )
