"""Characters that nobody means to type into a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.text.odd_characters import odd_character


@pytest.mark.parametrize(
    ("text", "found", "instead"),
    [
        ("a\u00a0b", "a non-breaking space (U+00A0)", "ordinary spaces"),
        ("a\u2003b\u00a0", "an unusual space (U+2003)", "ordinary spaces"),
        ("\u201ca\u201d", "a curly quote (U+201C)", "straight quotes"),
        ("it\u2019s", "a curly quote (U+2019)", "straight quotes"),
        ("a\u200bb", "an invisible character (U+200B)", "text without it"),
        ("\ufeffa", "an invisible character (U+FEFF)", "text without it"),
        ("caf\u00e9 'a' \"b\"\t\n", "", ""),
        ("", "", ""),
    ],
)
def test_what_it_is_and_what_to_write(text: str, found: str, instead: str) -> None:
    """The first odd character is named by number, with what to write instead."""
    assert odd_character(text) == (found, instead)


@given(st.text())
def test_what_is_said_can_be_shown(text: str) -> None:
    """Whatever a text holds, what is said about it is plain ASCII."""
    assert all(part.isascii() and part.isprintable() for part in odd_character(text))
