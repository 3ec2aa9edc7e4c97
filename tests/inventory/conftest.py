"""An option by which what Terraform printed is recorded anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to record anew what Terraform prints."""
    parser.addoption(
        "--terraform-update",
        action="store_true",
        help="write what Terraform prints to tests/inventory/terraform/recorded, to be compared",
    )
