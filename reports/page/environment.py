"""The environment of the page's templates: every value is escaped unless it is markup already."""

from __future__ import annotations

import re
import shlex
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from checks.engine.card import SEVERITIES
from checks.engine.finding import STATUSES
from inventory.text.display import pluralize
from reports.page.assets import TEMPLATES
from reports.page.findings.filter_options import findings_link
from reports.page.times import age, clock_difference, short_time
from reports.presentation.action_groups import effect
from reports.presentation.sanitize import name, prose, visible
from reports.presentation.waiver_notices import days_left

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2.bccache import Bucket

_RULE_ID = re.compile(r"[A-Z]+-[0-9]+")

FEW = 12
"""How many organizations or sources the page shows at once; a longer list is folded."""

MANY = 20
"""How many regions or keys of one database the sample names."""


def unbroken_ids(text: str) -> Markup:
    """Escape ``text``, and keep the ids of rules in it on one line."""
    return Markup(_RULE_ID.sub(r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704 (escaped)


class TemplateCache(FileSystemBytecodeCache):
    """Keeps compiled templates in a folder, as Python keeps compiled modules.

    To compile those of the page takes as long as to judge ten thousand databases. A compiled
    template counts only for the very source and the version of Python that it was compiled from:
    Jinja compares both. Where the folder cannot be written, each run compiles them.
    """

    def __init__(self, folder: Path) -> None:
        """Keep them in ``folder``, which is made when the first one is kept."""
        super().__init__(str(folder))
        self._folder = folder

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load a compiled template; one that is damaged is compiled again."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 (whatever a damaged file makes of itself, it is not used)
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, unless Python keeps no compiled modules either."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                self._folder.mkdir(exist_ok=True)
                super().dump_bytecode(bucket)


@cache
def environment() -> Environment:
    """Return the environment, with the filters and the names that templates use."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        bytecode_cache=TemplateCache(TEMPLATES / "__pycache__"),
        auto_reload=False,  # or each page looks thirty times whether a template has changed
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "name": name,
        "prose": prose,
        "visible": visible,
        "due": days_left,
        "effect": effect,
        "unbroken_ids": unbroken_ids,
        "count": lambda number: f"{number:,}",
        "plural": pluralize,
        "time": short_time,
        "age": age,
        "clock": clock_difference,
        "shell": shlex.join,
        "path": quote,
        "quote": shlex.quote,
    }
    made.globals |= {
        "STATUSES": STATUSES,
        "SEVERITIES": SEVERITIES,
        "FEW": FEW,
        "MANY": MANY,
        "findings_link": findings_link,
    }
    return made
