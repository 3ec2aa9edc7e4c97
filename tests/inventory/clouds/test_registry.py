"""The clouds that can be asked, and what each of them needs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import get_args

import pytest

from inventory.clouds.registry import CLOUDS, Cloud
from inventory.model.vocabulary import Provider

ROOT = Path(__file__).parents[3]


def test_every_provider_has_a_cloud_and_an_extra() -> None:
    """Each provider of inventories can be asked, by an extra of its name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(CLOUDS) == set(get_args(Provider)) <= set(project["optional-dependencies"])
    assert all(name == cloud.provider for name, cloud in CLOUDS.items())


@pytest.mark.parametrize("provider", CLOUDS)
def test_libraries_of_the_tests_are_found(provider: Provider) -> None:
    """Where its extra is installed, nothing is missing to ask a cloud."""
    assert CLOUDS[provider].missing == ""


@pytest.mark.parametrize(
    ("libraries", "missing"),
    [
        (("no_such_module",), "no_such_module, which is missing"),
        (("json", "no.such", "no_such"), "no.such and no_such, which are missing"),
    ],
)
def test_what_is_missing_is_named_with_its_extra(libraries: tuple[str, ...], missing: str) -> None:
    """A library that is not installed is named, and the extra that brings it."""
    cloud = Cloud("gcp", "", "", libraries)
    assert cloud.missing == f"Google Cloud needs {missing}: cmek-audit[gcp]"
