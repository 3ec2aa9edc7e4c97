"""Types of Astra's provider that are not read are recognized as such."""

from __future__ import annotations

import pytest

from inventory.terraform.resource_types import DATABASE, KEY, OTHERS, is_unknown_astra_type


@pytest.mark.parametrize("kind", sorted({DATABASE, KEY, *OTHERS}))
def test_known_types(kind: str) -> None:
    """A type that the audit knows is not unknown, whatever its provider."""
    assert not is_unknown_astra_type(kind, "registry.terraform.io/datastax/astra")
    assert not is_unknown_astra_type(kind, None)


@pytest.mark.parametrize(
    ("kind", "provider", "is_unknown"),
    [
        ("astra_vault", None, True),
        ("datastax_database", "registry.example.test/fork/astra", True),
        ("aws_kms_key", "registry.terraform.io/hashicorp/aws", False),
        ("astral_plane", None, False),
        ("aws_kms_key", 7, False),
    ],
)
def test_other_types(kind: str, provider: object, is_unknown: bool) -> None:  # noqa: FBT001
    """A type is Astra's by its name or by its provider, which a fork keeps."""
    assert is_unknown_astra_type(kind, provider) is is_unknown
