"""Untrusted text on a page: every character is escaped, visible and within its limits."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.text.deceptive_text import deceptive_positions
from reports.presentation.sanitize import name, plain, prose, visible
from tests.hypothesis_profile import examples
from tests.reports.samples import HOSTILE_NAMES


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("<&>\"'", "&lt;&amp;&gt;&#34;&#39;", id="markup"),
        pytest.param("é漢😀", "é漢😀", id="letters"),
        pytest.param("a\u202eb", "a<span class=code-point>U+202E</span>b", id="override"),
        pytest.param("\u00a0", "<span class=code-point>U+00A0</span>", id="space"),
        pytest.param("\ud800", "<span class=code-point>U+D800</span>", id="surrogate"),
        pytest.param("e\u0301", "e\u0301", id="one-accent"),
        pytest.param(
            "\u0000" * 10,
            f"<span class=code-point>{' '.join(['U+0000'] * 8)} and 2 more</span>",
            id="many",
        ),
    ],
)
def test_visible(text: str, shown: str) -> None:
    """Text is escaped, and what cannot be seen is named by its code point."""
    assert str(visible(text)) == shown


def test_visible_is_bounded() -> None:
    """A text full of oddities is cut before it fills the page with their names."""
    shown = str(visible("a\u202e" * 100))
    assert shown.count("<span class=code-point>") == 20
    assert shown.endswith("<span class=cut>… (200 characters; whole in findings.ndjson)</span>")


def test_names_are_set_apart() -> None:
    """A name that could turn its neighbours around stands in an element of its own."""
    assert str(name("plain")) == "plain"
    assert str(name("\u05d0\u05d1")) == "<bdi>\u05d0\u05d1</bdi>"
    assert str(visible("a \u05d0 \u05d1 <7")) == "a <bdi>\u05d0 \u05d1</bdi> &lt;7"
    assert str(name("\u05d0\u202e")).startswith("<bdi><bdi>\u05d0</bdi><span class=code-point>")


def test_a_name_of_joined_emoji_is_shown_as_it_is() -> None:
    """Emoji, and words of scripts with joiners, are names as any other."""
    for text in (
        "\U0001f469\U0001f3fd\u200d\U0001f680",
        "\u2764\ufe0f",
        "\u0915\u094d\u200d\u0937",
    ):
        assert str(visible(text)) == text
    family = "\U0001f469\u200d\U0001f469"
    assert str(visible(f"abc{family}", 4)).startswith("abc<span class=cut>…")


def test_prose_keeps_lines() -> None:
    """What people wrote at length keeps its line breaks, and loses those at its ends."""
    assert str(prose("one\ntwo\n")) == "one\ntwo"
    assert str(visible("one\n")) == "one<span class=code-point>U+000A</span>"


def test_plain_text_has_no_markup() -> None:
    """Where there is no markup, deceptive characters are named in brackets, and the length is."""
    assert plain("a\u202eb\n") == "a(U+202E)b(U+000A)"
    assert plain("<b>") == "<b>"
    assert plain("abcdef", 3) == "abc… (6 characters)"
    assert plain("\x1b[31m") == "(U+001B)[31m"


# --- any text -------------------------------------------------------------------------------------

SAFE_TAG = re.compile(r"</?bdi>|<span class=(?:code-point|cut)>|</span>")
"""The elements that the functions write themselves."""

TEXTS = (
    st.text(max_size=80)
    | st.sampled_from(HOSTILE_NAMES)
    | st.text("a\u202e\u05d0<&\n", max_size=80)
)


@examples(300)
@given(TEXTS)
def test_no_text_becomes_markup(text: str) -> None:
    """Whatever a text holds, the only elements are those of the functions, each of them closed."""
    for shown in (visible(text), name(text), prose(text)):
        rest = SAFE_TAG.sub("", str(shown))
        assert not set("<>\"'") & set(rest)
        assert re.fullmatch(r"(?:[^&]|&(?:amp|lt|gt|#34|#39);)*", rest)
        for tag in ("bdi", "span"):
            assert len(re.findall(f"<{tag}[ >]", shown)) == shown.count(f"</{tag}>")


@examples(300)
@given(TEXTS)
def test_no_deceptive_character_is_left(text: str) -> None:
    """No output holds a character that hides, reorders or breaks the text around it."""
    for shown in (visible(text), name(text)):
        letters = unescape(SAFE_TAG.sub("", str(shown)))
        assert deceptive_positions(letters) == set()
    assert deceptive_positions(plain(text)) == set()
    assert "\n" not in plain(text)
    lines = unescape(SAFE_TAG.sub("", str(prose(text))))
    assert {lines[place] for place in deceptive_positions(lines)} <= {"\n"}


@examples(100)
@given(st.text(min_size=1, max_size=400), st.integers(1, 50))
def test_no_text_floods_a_page(text: str, longest: int) -> None:
    """A long text is cut, and what is shown of it is bounded whatever it is made of."""
    for shown in (str(visible(text, longest)), plain(text, longest)):
        assert len(shown) <= 40 * longest + 2_000
        if len(text) > longest:
            assert f"({len(text):,} characters" in shown


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F), max_size=60))
def test_ordinary_text_is_unchanged(text: str) -> None:
    """Letters and digits are shown as they are."""
    assert str(visible(text)) == str(name(text) if text.isascii() else text) == plain(text) == text
