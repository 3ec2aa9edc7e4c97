"""A plugin of pytest that stands for the suite's ``conftest.py``, wherever pytest is run.

With ``--noconftest``, a file of that name that somebody else left in the working directory is no
part of the audit.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, cast

import pytest

from cmek_audit import install_location

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hooks, options and fixtures of the suite."""
    parser.prog = "cmek-audit audit"
    install_location.enable()
    pluginmanager.register(_wiring(), "cmek-audit-wiring")


def _wiring() -> ModuleType:
    """Import the suite's own ``conftest.py``, under a name that no other has."""
    file = install_location.folder() / "conftest.py"
    spec = cast("ModuleSpec", spec_from_file_location("cmek_audit_wiring", file))
    module = module_from_spec(spec)
    cast("Loader", spec.loader).exec_module(module)
    return module


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run anything but the checks: a path here is one that lacks its option."""
    from inventory.text.display import describe  # noqa: PLC0415 (needs the suite)

    checks = str(install_location.folder() / "checks")
    strange = [arg for arg in config.args if arg != checks]
    if strange:
        raise pytest.UsageError(
            f"{describe(strange[0])} is no option: an audit takes its files by options, such as "
            "--cmek-inventory=FILE, and its rules are selected by -k and -m"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Show the checks by their place in the suite, wherever that is installed."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.startpath = session.config.rootpath
