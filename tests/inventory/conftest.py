"""Terraform for the tests that run it, and an option by which they record again what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.inventory.terraform.running import TERRAFORM, Workspace, write_mirror

if TYPE_CHECKING:
    from pathlib import Path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to record again what Terraform prints."""
    parser.addoption(
        "--terraform-update",
        action="store_true",
        help="write what Terraform prints to tests/inventory/terraform/recorded, to be compared",
    )


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which Terraform finds the provider."""
    if TERRAFORM is None:
        pytest.skip("there is no Terraform here: what it printed elsewhere is read instead")
    return write_mirror(tmp_path_factory.mktemp("mirror"))


@pytest.fixture
def workspace(mirror: Path, tmp_path: Path) -> Workspace:
    """Return a folder in which Terraform runs."""
    return Workspace(tmp_path, mirror)
