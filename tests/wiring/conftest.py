"""Runs that several tests look at, each made once."""

from __future__ import annotations

import pytest

from tests.wiring.runs import ALL, Run, audit, compliant, mixed, waivers


@pytest.fixture(scope="session")
def compliant_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Audit an inventory in which all is well, in every format."""
    return audit(tmp_path_factory.mktemp("compliant"), compliant(), formats=ALL)


@pytest.fixture(scope="session")
def mixed_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Audit an inventory with findings of every status, in every format and verbosely."""
    folder = tmp_path_factory.mktemp("mixed")
    return audit(folder, mixed(), waivers(folder), "-v", formats=ALL)
