"""The environment of the page's templates."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from reports.page.assets import TEMPLATES
from reports.page.environment import environment, unbroken_ids


def test_values_are_escaped() -> None:
    """A value that is no markup is escaped, and a name goes through its own filter."""
    template = environment().from_string("{{ text }} {{ text|name }} {{ number|count }}")
    shown = template.render(text="<b>\u202e", number=12345)
    assert shown == (
        "&lt;b&gt;\u202e <bdi>&lt;b&gt;<span class=code-point>U+202E</span></bdi> 12,345"
    )


def test_ids_of_rules_are_kept_on_one_line() -> None:
    """An id of a rule in a text does not break at its hyphen; the text is escaped."""
    assert unbroken_ids("<b> of CMEK-08.") == '&lt;b&gt; of <span class="whole">CMEK-08</span>.'


def test_what_is_missing_is_an_error() -> None:
    """A template that names what there is not fails, rather than showing nothing."""
    with pytest.raises(UndefinedError):
        environment().from_string("{{ missing }}").render()


@pytest.mark.parametrize("name", sorted(file.name for file in TEMPLATES.glob("*.j2")))
def test_every_template_is_whole(name: str) -> None:
    """Every template can be compiled."""
    assert environment().get_template(name)
