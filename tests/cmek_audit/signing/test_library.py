"""The libraries that sign: an extra."""

from __future__ import annotations

import sys

import pytest

from cmek_audit.signing.library import INSTALL, is_installed, require_library
from inventory.errors import SettingError


def test_the_libraries_are_there() -> None:
    """Where both libraries are installed, nothing is refused."""
    assert is_installed()
    require_library("--key")


@pytest.mark.parametrize("name", ["cryptography", "securesystemslib"])
def test_a_missing_library_is_named_with_its_cure(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one of the libraries the message says what to install."""
    monkeypatch.setitem(sys.modules, name, None)
    assert not is_installed()
    with pytest.raises(SettingError) as caught:
        require_library("--key")
    expected = f"--key: found no library that signs, expected it: {INSTALL}"
    assert str(caught.value) == expected
