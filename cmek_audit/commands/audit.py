"""``cmek-audit audit``: runs pytest on the suite's checks, from wherever the user is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cmek_audit import install_location
from cmek_audit.run.provenance import COMMAND

if TYPE_CHECKING:
    from cmek_audit.commands.audit_options import Words


def run(words: Words) -> int:
    """Audit, and return pytest's exit code."""
    place = install_location.folder()
    settings = ("-c", place / "pyproject.toml", "--rootdir", place)
    wiring = ("--noconftest", "-p", "cmek_audit.plugin")
    arguments = [*map(str, (*settings, *wiring, place / "checks")), *words.for_pytest]
    return pytest.main(arguments, [_Given(words.given)])


class _Given:
    """Tells the record how the audit was asked for."""

    def __init__(self, given: tuple[str, ...]) -> None:
        self._given = given

    def pytest_configure(self, config: pytest.Config) -> None:
        """Leave the command line where the record looks for it."""
        config.stash[COMMAND] = ("cmek-audit", "audit", *self._given)
