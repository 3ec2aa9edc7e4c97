"""The environment of the page's templates: every value is escaped unless it is markup already."""

from __future__ import annotations

import re
import shlex
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
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

_RULE_ID = re.compile(r"[A-Z]+-[0-9]+")

FEW = 12
"""How many organizations or sources the page shows at once; a longer list is folded."""

MANY = 20
"""How many regions or keys of one database the sample names."""


def unbroken_ids(text: str) -> Markup:
    """Escape ``text``, and keep the ids of rules in it on one line."""
    return Markup(_RULE_ID.sub(r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704 (escaped)


@cache
def environment() -> Environment:
    """Return the environment, with the filters and the names that templates use."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
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
