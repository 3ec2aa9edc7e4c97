"""The credentials in the environment, by the variables in which the vendors' libraries look."""

from __future__ import annotations

import os

from inventory.text.secrets import SecretText, Token

_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
    "IDENTITY_HEADER",
)
_SHORTEST = 12


def secrets_of_environment() -> tuple[Token, ...]:
    """Return the credentials that the environment holds.

    One so short that ordinary words hold it is left out.
    """
    held = ((name, SecretText(os.environ.get(name, ""))) for name in _VARIABLES)
    return tuple(Token(name, value) for name, value in held if len(value) >= _SHORTEST)
