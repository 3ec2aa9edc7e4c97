"""The list of hashes of a package, in the form of ``sha256sum``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cmek_audit.signing.statement import is_safe_name
from inventory.errors import PackageError
from reports.record.stored_lines import open_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_MOST_BYTES = 256 * 1_024 * 1_024


def render_sums(hashes: Mapping[str, str]) -> bytes:
    """Return the list of these SHA-256, by names of files, in the order of names."""
    lines = (f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items()))
    return "".join(lines).encode()


def read_sums(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in the list ``path``; raise PackageError without such a list.

    Only the one form is read that ``render_sums`` writes.
    """
    try:
        with open_regular(path) as file:
            raw = file.read(_MOST_BYTES)
        lines = raw.decode().split("\n")
    except (OSError, UnicodeDecodeError):
        raise PackageError(f"{path.name}: missing or unreadable, expected hashes") from None
    hashes = {match[2]: match[1] for match in map(_LINE.fullmatch, lines) if match}
    if render_sums(hashes) != raw or not all(map(is_safe_name, hashes)):
        raise PackageError(f"{path.name}: found other lines, expected hashes in order of names")
    return hashes
