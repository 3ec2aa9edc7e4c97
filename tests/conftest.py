"""Lets the project be imported from its own folder, and tries fewer examples in a fast run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.hypothesis_profile import choose_profile

if TYPE_CHECKING:
    import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Choose the number of examples before a module of tests is imported."""
    choose_profile(fast="not slow" in config.option.markexpr)
