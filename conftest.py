"""The hooks by which pytest runs an audit; ``cmek_audit.run`` holds what they do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmek_audit.run.pytest_options import add_options, is_audit, is_worker

if TYPE_CHECKING:
    from checks.engine.outcome import FindingGroup

CHECKS = Path(__file__).resolve().parent / "checks"
"""The checks beside this file, whichever ``cmek_audit`` is imported."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer every option, each with its ini twin."""
    add_options(parser, pluginmanager)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and begin an audit."""
    for marker in (
        "rule(id): the documented rule that a check judges",
        "severity(level): the severity of a failure",
    ):
        config.addinivalue_line("markers", marker)
    if is_audit(config, CHECKS) and not is_worker(config):
        from cmek_audit.run.wiring import begin_audit  # noqa: PLC0415 (other runs do without)

        begin_audit(config)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Read and judge everything before the first item is made of it."""
    if is_audit(session.config, CHECKS):
        from cmek_audit.run.wiring import start_audit  # noqa: PLC0415 (as above)

        start_audit(session.config)


@pytest.fixture
def group(request: pytest.FixtureRequest) -> FindingGroup:
    """Provide the findings that an item answers for; fail if they could not be judged."""
    from cmek_audit.run.wiring import provide_group  # noqa: PLC0415 (as above)

    return provide_group(request)
