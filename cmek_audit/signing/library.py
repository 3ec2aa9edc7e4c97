"""The libraries that sign and verify: an extra, imported only when it is used."""

from __future__ import annotations

from importlib.util import find_spec

from inventory.errors import SettingError

INSTALL = "pip install 'cmek-audit[sign]'"
_NEEDED = ("cryptography", "securesystemslib")


def is_installed() -> bool:
    """Return whether reports can be signed, and signatures verified."""
    return all(find_spec(name) is not None for name in _NEEDED)


def require_library(option: str) -> None:
    """Raise SettingError about ``option`` if nothing can be signed or verified."""
    if not is_installed():
        raise SettingError(f"{option}: found no library that signs, expected it: {INSTALL}")
