"""The option that ``frost test`` gives, and that its own wheel leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Accept the option."""
    parser.addoption("--debug-calls", action="store_true")
