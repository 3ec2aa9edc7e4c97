"""A complete evidence bundle, and copies of it to damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inventory.evidence.manifest import Previous
from tests.inventory.live import (
    Astra,
    answer,
    configured,
    listed_database,
    listed_key,
    write_bundle,
)

BEFORE = Previous(name="before", root="0" * 64)


def astra() -> Astra:
    database = listed_database(info={"password": "hush", "user": "me"})
    refused = {"/v2/kms/classic": answer({}, 403)}
    return Astra(serverless=[listed_key()], databases=[database], other=refused)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a complete bundle of two organizations, one of them without a token."""
    place = tmp_path_factory.mktemp("evidence") / "bundle"
    fleet = (configured(), astra()), (configured(id="b", name="b", token="B"), None)
    return write_bundle(place, *fleet, previous=BEFORE)


@pytest.fixture
def bundle(recorded: str, tmp_path: Path) -> str:
    """Return a copy of a complete bundle."""
    return str(shutil.copytree(recorded, tmp_path / "bundle"))
