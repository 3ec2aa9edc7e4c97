"""The plugin stands for the suite's conftest.py, and runs nothing but the checks."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from cmek_audit import install_location
from cmek_audit.run.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS = str(install_location.folder() / "checks")


@pytest.fixture
def plugin() -> Iterator[ModuleType]:
    """Import the plugin, and forget it: pytest warns of one that was there before it loads it."""
    yield import_module("cmek_audit.plugin")
    del sys.modules["cmek_audit.plugin"]


class _Manager:
    def __init__(self) -> None:
        self.registered: dict[str, Any] = {}

    def register(self, module: object, name: str) -> None:
        self.registered[name] = module


def test_the_wiring_is_the_suites_own(plugin: ModuleType) -> None:
    """It registers the hooks of the suite's own conftest.py, under a name that no other has."""
    manager, parser = _Manager(), SimpleNamespace(prog="pytest")
    plugin.pytest_addoption(
        cast("pytest.Parser", parser), cast("pytest.PytestPluginManager", manager)
    )
    [(name, module)] = manager.registered.items()
    found = (parser.prog, name, module.__name__, module.CHECKS)
    folder = install_location.folder() / "checks"
    assert found == ("cmek-audit audit", "cmek-audit-wiring", "cmek_audit_wiring", folder)


def test_the_checks_alone_are_run(plugin: ModuleType) -> None:
    """The folder of the checks is the one argument that is no option."""
    plugin.pytest_configure(cast("pytest.Config", SimpleNamespace(args=[CHECKS])))


@pytest.mark.parametrize("stranger", ["inventory.yaml", "tests", OPTIONS[0].name])
def test_a_file_without_its_option_is_refused(plugin: ModuleType, stranger: str) -> None:
    """A path beside the checks is refused by name: it lacks its option."""
    config = cast("pytest.Config", SimpleNamespace(args=[CHECKS, stranger]))
    with pytest.raises(pytest.UsageError, match=f"^'{stranger}' is no option: "):
        plugin.pytest_configure(config)
