"""The project's public address: one constant, which the package's metadata repeats."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from reports.model import project_address
from reports.model.project_address import PROJECT_ADDRESS, page_address, rule_address
from tests.cmek_audit.helpers import ROOT

if TYPE_CHECKING:
    import pytest

WELL_FORMED = re.compile(r"(https://[a-z0-9.-]+(/[A-Za-z0-9._-]+)+)?")


def test_the_metadata_of_the_package_has_the_same_address() -> None:
    """The package names the address as its home page, and none while there is no address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    expected = {"Homepage": PROJECT_ADDRESS} if PROJECT_ADDRESS else {}
    assert project.get("urls", {}) == expected


def test_the_address_can_be_extended_by_a_path() -> None:
    """The address is empty, or absolute and without a slash, a query or an anchor at its end."""
    assert WELL_FORMED.fullmatch(PROJECT_ADDRESS)
    assert WELL_FORMED.fullmatch("https://git.example/acme/cmek-audit")
    assert not WELL_FORMED.fullmatch("https://git.example/acme/")


def test_a_page_has_no_address_while_the_project_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address of the project, no page has any."""
    monkeypatch.setattr(project_address, "PROJECT_ADDRESS", "")
    assert page_address("docs/rules.md#cmek-01", "1.2.3") == ""
    assert rule_address("CMEK-01", "1.2.3") == ""


def test_a_page_is_that_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page leads to the tag of the version that wrote a report, whatever that version holds."""
    monkeypatch.setattr(project_address, "PROJECT_ADDRESS", "https://git.example/acme/suite")
    at = "https://git.example/acme/suite/blob/"
    assert page_address("docs/rules.md#cmek-01", "1.2.3") == f"{at}v1.2.3/docs/rules.md#cmek-01"
    assert rule_address("CMEK-01", "1.2.3") == f"{at}v1.2.3/docs/rules.md#cmek-01"
    assert page_address("docs/x.md", "1/../?#\ud800") == f"{at}v1%2F..%2F%3F%23%3F/docs/x.md"
