"""The styles and scripts of the page, and the hashes by which its own policy allows them."""

from __future__ import annotations

from base64 import b64encode
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from reports.presentation.banners import banners

if TYPE_CHECKING:
    from reports.model.head import Head

TEMPLATES = Path(__file__).parent / "templates"
STYLES = (
    "base",
    "header",
    "contents",
    "status",
    "tables",
    "trend",
    "coverage",
    "timeline",
    "keys",
    "fix_first",
    "key_plan",
    "findings",
    "frameworks",
    "exceptions",
    "criteria",
    "evidence",
    "narrow",
    "print",
)
"""The style sheets in ``templates/styles``; a later one may override an earlier one."""

SCRIPTS = ("rows", "filter", "address", "reveal", "expand", "csv", "copy", "print")
"""The scripts in ``templates/scripts``, in the order in which they run."""


class Asset(NamedTuple):
    """A style sheet or a script, and the hash by which a Content-Security-Policy allows it."""

    text: Markup
    hash: str


def style_of(head: Head) -> Asset:
    """Return the style sheet; each printed page carries the report's id and the banners."""
    warning = " · ".join(banner.partition(":")[0] for banner in banners(head))
    corners = {"top-center": warning, "bottom-left": f"Report {head['report'][:12]}"}
    boxes = "".join(f'@{place}{{content:"{text}"}}' for place, text in corners.items())
    return _asset(f"{_joined('styles', STYLES, 'css')}@page{{{boxes}}}\n")


def script() -> Asset:
    """Return the script."""
    return _asset(_joined("scripts", SCRIPTS, "js"))


@lru_cache(maxsize=2)  # the pages of a fleet share both
def _asset(text: str) -> Asset:
    digest = b64encode(sha256(text.encode()).digest()).decode("ascii")
    return Asset(Markup(text), f"sha256-{digest}")  # noqa: S704 (our own file)


@cache
def _joined(folder: str, names: tuple[str, ...], suffix: str) -> str:
    """Return the text of several files of the templates, in the order of their ``names``."""
    files = (TEMPLATES / folder / f"{name}.{suffix}" for name in names)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
