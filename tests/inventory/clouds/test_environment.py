"""The credentials in the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.clouds import environment
from inventory.clouds.environment import secrets_of_environment

if TYPE_CHECKING:
    import pytest


def test_credentials_are_found_by_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable gives one secret, which is shown by its name; a short or empty one gives none."""
    for name in environment._VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert secrets_of_environment() == ()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-real-secret-of-acme")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "short")
    (secret,) = secrets_of_environment()
    assert repr(secret) == "Token(AWS_SECRET_ACCESS_KEY)"
    assert "not-a-real-secret-of-acme" in secret.needles()
