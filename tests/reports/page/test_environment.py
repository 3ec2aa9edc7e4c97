"""The environment of the page's templates."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from jinja2 import DictLoader, Environment, UndefinedError

from reports.page.assets import TEMPLATES
from reports.page.environment import TemplateCache, environment, unbroken_ids

if TYPE_CHECKING:
    from pathlib import Path


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


# --- compiled templates ---------------------------------------------------------------------------


def _rendered(folder: Path, source: str = "one") -> str:
    """Render a template by an environment of its own, which keeps compiled ones in ``folder``."""
    loader = DictLoader({"a": source})
    made = Environment(loader=loader, bytecode_cache=TemplateCache(folder))
    return made.get_template("a").render()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "kept"


def test_templates_are_compiled_once(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one run compiled, the next one loads."""
    assert _rendered(kept) == "one"
    monkeypatch.setattr(Environment, "_compile", None)
    assert _rendered(kept) == "one"


def test_a_changed_template_is_compiled_again(kept: Path) -> None:
    """A compiled template counts for its own source only."""
    assert (_rendered(kept), _rendered(kept, "two"), _rendered(kept)) == ("one", "two", "one")


@pytest.mark.parametrize("damage", [b"", b"j2", b"\x80\x05garbage", b"cos\nnothing\n."])
def test_a_damaged_template_is_compiled_again(kept: Path, damage: bytes) -> None:
    """A damaged file is not used, and replaced."""
    _rendered(kept)
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:30] + damage if damage else damage)
    assert _rendered(kept) == "one"
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_left(kept: Path) -> None:
    """Without a place for compiled templates, each run compiles them."""
    kept.write_text("a file")
    assert _rendered(kept) == "one"
    assert kept.read_text() == "a file"


def test_nothing_is_kept_if_python_keeps_nothing(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Python keeps no compiled modules, no templates are kept either."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert _rendered(kept) == "one"
    assert not kept.exists()
