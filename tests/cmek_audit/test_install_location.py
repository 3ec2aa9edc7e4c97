"""Where the suite is found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cmek_audit import install_location
from tests.cmek_audit.helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_in_a_checkout_the_suite_is_beside_the_package() -> None:
    """In a checkout the suite is in the root of the repository."""
    assert install_location.folder() == ROOT


def test_in_an_installed_package_the_suite_is_inside(tmp_path: Path) -> None:
    """An installed package has the suite in a folder of its own, and takes no other."""
    package = tmp_path / "cmek_audit"
    (package / "suite").mkdir(parents=True)
    assert install_location.folder(package) == package / "suite"


def test_the_suite_comes_before_others_of_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite is looked for first, though a folder before it may have its names."""
    monkeypatch.setattr(sys, "path", ["somewhere", str(ROOT), "elsewhere"])
    install_location.enable()
    assert sys.path == [str(ROOT), "somewhere", str(ROOT), "elsewhere"]
    install_location.enable()
    assert sys.path == [str(ROOT), "somewhere", str(ROOT), "elsewhere"]
