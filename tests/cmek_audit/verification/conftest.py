"""Reports that are verified: one on files, and one on evidence bundles."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.reports.live import Recorded, recorded, report_on
from tests.reports.samples import (
    VIOLATIONS,
    WAIVERS,
    Report,
    audit,
)

if TYPE_CHECKING:
    Head = dict[str, Any]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Audit a file with failures and waivers."""
    return audit(tmp_path, VIOLATIONS, WAIVERS)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorded, Report]:
    """Record two bundles, and audit the second after the first; not to be changed."""
    folder = tmp_path_factory.mktemp("live")
    earlier = recorded(folder).bundle
    made = recorded(folder)
    return made, report_on(folder, made.bundle, history=(earlier,))


@pytest.fixture
def live(shared: tuple[Recorded, Report], tmp_path: Path) -> Report:
    """Audit copies of both bundles, which may be changed."""
    bundles = Path(shared[0].bundle).parent
    copied = sorted(shutil.copytree(bundles, tmp_path / "ev").iterdir())
    return report_on(tmp_path, str(copied[1]), history=(str(copied[0]),))
