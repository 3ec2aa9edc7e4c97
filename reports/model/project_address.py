"""The public address of the project, for formats whose readers follow links to it."""

from __future__ import annotations

from urllib.parse import quote

PROJECT_ADDRESS = ""
"""Where the project is published, as ``https://HOST/OWNER/cmek-audit``; empty until it is.

``[project.urls]`` in ``pyproject.toml`` has the same address; a test compares the two. Reports
leave out what needs an absolute address while this is empty.
"""


def page_address(page: str, version: str) -> str:
    """Return the address of a page of the project, as it was in ``version``.

    ``page`` is a path with its anchor, as ``docs/rules.md#cmek-01``. The address is empty while the
    project has none.
    """
    tag = quote(f"v{version}", safe="", errors="replace")
    return f"{PROJECT_ADDRESS}/blob/{tag}/{page}" if PROJECT_ADDRESS else ""


def rule_address(rule: str, version: str) -> str:
    """Return the address at which the rule with this id is explained; as ``page_address``."""
    return page_address(f"docs/rules.md#{rule.lower()}", version)
