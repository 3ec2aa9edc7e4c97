"""Waivers of a finding that ``a_finding`` makes, for the tests of formats."""

from __future__ import annotations

from typing import Any

from checks.engine.waivers import Waiver
from tests.reports.recording import a_finding


def a_waiver(**over: Any) -> Waiver:  # noqa: ANN401 (fields of any type)
    fields: dict[str, Any] = {
        "id": "W-1",
        "rule": "CMEK-01",
        "subject": a_finding().subject.path,
        "cause": "without-key",
        "reason": "A pilot.\nIt ends soon.",
        "requested_by": "Ines Okafor",
        "approved_by": "Dana Reyes",
        "requested_on": "2026-09-01",
        "approved_on": "2026-09-02",
        "expires_on": "2027-03-01",
        "compensating_control": "The application encrypts.",
        "ticket": "SEC-1",
    }
    file = over.pop("file", "waivers.yaml")
    return Waiver.model_validate(fields | over).at(file, 4)


def a_request(**over: Any) -> Waiver:  # noqa: ANN401 (as above)
    return a_waiver(approved_by=None, approved_on=None, **over)
