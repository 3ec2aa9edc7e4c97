"""Rows and cells of coverage, as a record holds them."""

from __future__ import annotations

from typing import Any

from checks.engine.card import SEVERITIES
from checks.engine.finding import EVIDENCE_KINDS, NOT_COMPLYING


def a_cell(
    state: str,
    region: str,
    kind: str = "serverless",
    provider: str = "aws",
    **over: Any,  # noqa: ANN401 (fields of any type)
) -> Any:  # noqa: ANN401 (a part of the record)
    place = {"type": kind, "provider": provider, "region": region}
    counts = dict.fromkeys(("databases", "existing", "unprotected", "keys", "advisories"), 0)
    status = {"missing": "fail", "undetermined": "inconclusive"}.get(state, "pass")
    return {**place, "state": state, **about(status), **counts, **over}


def about(status: str, severity: str = "high") -> dict[str, str]:
    reported = {"finding": "f", "rule": "CMEK-01", "status": status, "severity": severity}
    return {**reported, "message": "It is so."}


def a_protection(**numbers: int) -> dict[str, int]:
    names = ("protected", "unprotected", "unproven", "astra_provided", "waived")
    return dict.fromkeys(names, 0) | numbers


def a_row(
    name: str,
    *cells: dict[str, Any],
    worst: tuple[str, str] | None = None,
    whole: bool = True,
    counts: dict[str, int] | None = None,
    **protection: int,
) -> Any:  # noqa: ANN401 (a part of the record)
    return {
        "organization": name,
        "name": name,
        "complete": whole,
        "counts": dict.fromkeys(NOT_COMPLYING, 0) | (counts or {}),
        "open": dict.fromkeys(SEVERITIES, 0),
        "protection": a_protection(**protection),
        "proven_by": dict.fromkeys(EVIDENCE_KINDS, 0),
        "worst": about(*worst) if worst else None,
        "cells": list(cells),
    }
