"""Keys in the server of Google Cloud for whole audits, and the credentials to read them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.clouds.gcp_bodies import MEMBER, binding, key, policy, version
from tests.clouds.gcp_server import private_key, write_service_account

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

    from tests.astra.fleet import Fleet
    from tests.clouds.gcp_server import GoogleServer

_private_key = cache(private_key)


def google_keys(fleet: Fleet) -> list[str]:
    """Return the ids of the keys in Google Cloud that a fleet has registered."""
    return [
        key.key_id
        for organization in fleet.organizations
        for key in organization.keys
        if key.provider == "gcp"
    ]


def hold_keys(server: GoogleServer, names: Iterable[str]) -> None:
    """Let ``server`` hold a healthy key of each name."""
    for name in names:
        server.keys[name] = key(name)
        server.versions[name] = [version(1, name), version(2, name)]
        server.policies[name] = policy(binding(MEMBER))


def find_credentials(monkeypatch: pytest.MonkeyPatch, folder: Path, server: GoogleServer) -> None:
    """Let Google's library find a service account of ``server``, and nothing of this machine."""
    folder.mkdir(exist_ok=True)
    for name in ("HOME", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(folder))
    for name in ("GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_PROJECT", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    account = write_service_account(
        folder / "account.json", _private_key(), f"{server.address}/token"
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
