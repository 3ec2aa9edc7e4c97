"""The cells of tables: harmless, bounded, and never a formula."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.text.deceptive_text import deceptive_positions
from reports.tables.cells import LONGEST, FindingCell, defused, harmless, joined, one_line, shown

MOST = 32_767
"""How many characters of a cell a spreadsheet takes."""


@given(st.text() | st.text(alphabet="a\u202e\u0000", min_size=50))
@example("a\u202e" * MOST)
@example("\u0000" * MOST * 2)
@example("x" * MOST)
def test_a_text_is_visible_and_short_enough(text: str) -> None:
    """Whatever a text holds, its cell holds only what can be seen, and fits a spreadsheet."""
    made = harmless(text)
    if not text:
        assert made is None
        return
    assert isinstance(made, str)
    assert not deceptive_positions(made)
    assert len(made) <= MOST
    if len(text) <= LONGEST and not deceptive_positions(text):
        assert made == text


def test_a_cut_text_says_so() -> None:
    """A text that is too long ends with its number of characters."""
    assert harmless("x" * 40_000) == "x" * LONGEST + "… (40,000 characters)"


def test_an_id_is_harmless_too() -> None:
    """The id of a finding may come from a record that nobody wrote by an audit."""
    assert harmless(FindingCell("a\u202e", "o", "fail")) == FindingCell("a(U+202E)", "o", "fail")


@pytest.mark.parametrize("value", [None, 0, 7, -1])
def test_other_values_stay(value: int | None) -> None:
    """Numbers stay numbers, and what is not known stays empty."""
    assert (harmless(value), shown(value)) == (value, value)


def test_a_boolean_is_a_word() -> None:
    """What is so or not is yes or no, in every spreadsheet's language."""
    assert (shown(value=True), shown(value=False), shown("text")) == ("yes", "no", "text")


@pytest.mark.parametrize("value", [[], {}, 1.5])
def test_what_is_no_single_value_is_refused(value: object) -> None:
    """A list in the place of a text is an error, and no empty cell."""
    with pytest.raises(TypeError, match="expected a text, a number, yes or no"):
        shown(value)


def test_empty_texts_are_not_joined() -> None:
    """Several texts are one cell, without those that are empty."""
    assert joined(["a", "", "b"]) == "a; b"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("", ""),
        ("a-b=c", "a-b=c"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("  =1", "'  =1"),
        ("\uff1dcmd|' /C calc'!A0", "'\uff1dcmd|' /C calc'!A0"),
        ("\ufe62cmd", "'\ufe62cmd"),
        ("a; =1;-2;b", "a;' =1;'-2;b"),
        (" a", " a"),
    ],
)
def test_a_formula_is_defused(text: str, safe: str) -> None:
    """A text that a spreadsheet might run begins with an apostrophe, also after a semicolon."""
    assert defused(text) == safe


@given(st.text(alphabet="=+-@;, a'\"\uff1d"))
def test_no_cell_is_a_formula(text: str) -> None:
    """Wherever a spreadsheet may begin a cell, none begins as a formula; no other text changes."""
    safe = defused(text)
    assert not [part for part in safe.split(";") if re.match(r" *[=+\-@\uff1d]", part)]
    assert re.sub(r"(^|;)'( *[=+\-@\uff1d])", r"\1\2", safe) == text or "'" in text


@given(st.text(alphabet="=+-@;, \n\r\t\u2028\u202e\0a'\"\uff1d") | st.text())
@example("x" * 10_001)
def test_a_line_is_one_visible_line_and_no_formula(text: str) -> None:
    """Whatever a text holds, its line is one, can be seen, and is no formula anywhere in it."""
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not deceptive_positions(line)
    assert not [part for part in line.split(";") if re.match(r" *[=+\-@\uff1d]", part)]
    assert len(line) <= 10_000 + line.count("'")
