"""The layout of a package."""

from __future__ import annotations

import pytest

from cmek_audit.packages import layout
from cmek_audit.packages.layout import describe_excess


def test_no_name_is_used_twice() -> None:
    """Every file and every folder at the top of a package has a name of its own."""
    texts = {name: value for name, value in vars(layout).items() if isinstance(value, str)}
    names = [value for name, value in texts.items() if name.isupper() and name != "ENDING"]
    assert len(set(names)) == len(names) == 9


@pytest.mark.parametrize(
    ("files", "total", "size", "words"),
    [
        (200_000, 8 * 1_024**3, 1_024**3, ""),
        (200_001, 1, 1, "found 200,001 files, expected at most 200,000"),
        (1, 8 * 1_024**3 + 1, 1_024**3, "found 8,589,934,593 bytes in it, expected at most "),
        (1, 64 * 1_024**2, 1, ""),
        (1, 250_000_000, 1_000_000, ""),
        (1, 250_000_001, 1_000_000, "found 250,000,001 bytes in a package of 1,000,000, expected "),
    ],
)
def test_a_package_has_a_largest_size(files: int, total: int, size: int, words: str) -> None:
    """Number, size and growth of what is in a package have limits, which are taken exactly."""
    found = describe_excess(files, total, size)
    assert found.startswith(words)
    assert bool(found) == bool(words)
