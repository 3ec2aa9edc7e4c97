"""Untrusted text in Markdown: it mentions, links, formats and breaks nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.presentation.markdown_text import code, identifiers, prose, table
from tests.hypothesis_profile import examples
from tests.reports.markdown_reading import assert_harmless, columns, tables_of
from tests.reports.samples import HOSTILE_NAMES


@examples(200)
@given(st.text(max_size=60))
@example("@octocat")
@example("see GH-1, #1, a@b.example and www.evil.example!")
@example("![x](http://evil.example) `code` | <b>")
@example("\\| \\` __x__ ~~y~~ :key: $x$")
@example("...")
@example("   ")
@example("")
def test_any_text_is_harmless(text: str) -> None:
    """Any text at all stays on one line, in one cell, and does nothing."""
    row = f"| {code(text)} | {prose(text) or '—'} |"
    text_of_table = f"| a | b |\n|---|---|\n{row}\n"
    assert_harmless(text_of_table)
    assert "\n" not in row
    assert [len(cells) for cells in tables_of(text_of_table)[""]] == [2, 2]
    assert columns([row]) == [3]


def test_plain_words_stay_plain() -> None:
    """A sentence of words is not dressed up; only what is no word is code."""
    assert prose("No key is registered: it is Astra’s own.") == (
        "No key is registered: it is Astra’s own."
    )
    assert prose("Key acme-prod / arn:aws:kms, 2,000 of (about) 3.5.") == (
        "Key acme-prod / `arn:aws:kms`, 2,000 of (about) 3.5."
    )
    assert prose("us_east 1b, then") == "`us_east 1b`, then"
    assert code("a`b|c\n") == "`a(U+0060)b(U+007C)c(U+000A)`"
    assert code("\u05d0 \u2764\ufe0f") == "`\u05d0 \u2764\ufe0f`"
    assert (code(""), code("  ")) == ("(empty)", "(empty)")


@pytest.mark.parametrize(
    ("names", "text", "shown"),
    [
        ([], "In northeurope.", "In northeurope."),
        (["a"], "It is a key.", "It is a key."),
        (["northeurope"], "In northeurope, then.", "In `northeurope`, then."),
        (["catalog"], "One (catalog) and catalogs.", "One (`catalog`) and catalogs."),
        (["Acme Corp"], "Of Acme Corp: 2 keys", "Of `Acme Corp`: 2 keys"),
        (["acme", "acme-prod"], "For acme-prod and acme.", "For `acme-prod` and `acme`."),
        (["acme", "eu"], "For acme / aws / eu / x.", "For `acme / aws / eu` / x."),
        (["x`|y "], "Of x`|y now", "Of `x(U+0060)(U+007C)y` now"),
        (["ab", ".*"], "ab.* xy", "`ab.*` xy"),
        ([" ", ""], "It is so.", "It is so."),
    ],
)
def test_known_identifiers_are_code(names: list[str], text: str, shown: str) -> None:
    """A known name is code where it is a word of its own, with the parts that follow by slashes."""
    assert prose(text, known=identifiers(names, ["aws"])) == shown


@examples(100)
@given(st.lists(st.sampled_from(HOSTILE_NAMES) | st.text(max_size=8), max_size=4), st.data())
def test_any_known_identifiers_are_harmless(names: list[str], data: st.DataObject) -> None:
    """Whatever names are known and wherever they are in a text, nothing of it does anything."""
    words = data.draw(st.lists(st.sampled_from([*names, "a", "(", "/", "b."]), max_size=8))
    row = f"| {prose(' '.join(words), known=identifiers(names)) or '—'} | x |"
    text = f"| a | b |\n|---|---|\n{row}\n"
    assert_harmless(text)
    assert [len(cells) for cells in tables_of(text)[""]] == [2, 2]


@examples(50)
@given(st.lists(st.tuples(st.sampled_from(HOSTILE_NAMES), st.text(max_size=30)), max_size=5))
def test_a_table_of_any_text_is_whole(texts: list[tuple[str, str]]) -> None:
    """A table of code cells has as many rows and columns as it was given, whatever is in them."""
    rows = [(code(first), code(second)) for first, second in texts]
    lines = list(table(["a", "b"], rows))
    assert len(lines) == len(rows) + 2
    assert set(columns(lines)) == {3}
    text = "".join(f"{line}\n" for line in lines)
    assert_harmless(text)
    assert [len(cells) for cells in tables_of(text)[""]] == [2] * (len(rows) + 1)


def test_a_long_text_is_cut() -> None:
    """Code and prose are bounded, and state the whole length."""
    assert code("a" * 400).endswith("… (400 characters)`")
    assert prose("word " * 100, 20).endswith("(500 characters)")
