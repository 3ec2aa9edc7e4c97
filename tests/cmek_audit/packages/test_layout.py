"""The layout of a package."""

from __future__ import annotations

from cmek_audit.packages import layout


def test_no_name_is_used_twice() -> None:
    """Every file and every folder at the top of a package has a name of its own."""
    names = [value for name, value in vars(layout).items() if name.isupper() and name != "ENDING"]
    assert len(set(names)) == len(names) == 9
