"""What the terminal shows, as far as it does not take a terminal to see it."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.wording import safe
from reports.terminal import _wrap

EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs", "Mn", "Me"}
_RIGHT_TO_LEFT = {"R", "AL", "RLE", "RLO", "RLI"}
_FILLERS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}


def test_what_is_printed_neither_steers_nor_hides() -> None:
    """Of all characters, none is printed that controls, is invisible, or turns text around."""
    printed = set(safe(EVERY_CHARACTER, len(EVERY_CHARACTER))) - {" "}
    bad = {
        each
        for each in printed
        if unicodedata.category(each) in _INVISIBLE
        or unicodedata.bidirectional(each) in _RIGHT_TO_LEFT
    }
    assert bad | (printed & _FILLERS) == set()


def test_ordinary_letters_are_printed_as_they_are() -> None:
    """Names in Latin, Greek, Cyrillic and East Asian scripts stay readable."""
    text = "acme-prod Zürich Αθήνα Москва 東京 “quoted” …"
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("acme\x1b[2J", "acme?[2J"),
        ("acme\r\nCompliant", "acme??Compliant"),
        ("acme\u202eterces", "acme?terces"),
        ("ac\u00adme", "ac?me"),
        ("ac\u200bme", "ac?me"),
        ("acme\u05d0", "acme?"),
        ("acme\ud800", "acme?"),
        ("acme\x9b31m", "acme?31m"),
    ],
    ids=[
        "escape",
        "line-end",
        "override",
        "soft-hyphen",
        "zero-width",
        "hebrew",
        "surrogate",
        "csi",
    ],
)
def test_what_could_deceive_is_replaced(text: str, printed: str) -> None:
    """Each character that could deceive the reader becomes a question mark."""
    assert safe(text) == printed


@settings(deadline=None, max_examples=200)
@given(text=st.text(), width=st.integers(1, 40))
def test_what_is_printed_keeps_its_length_up_to_a_width(text: str, width: int) -> None:
    """No text becomes longer, and one that is cut ends in an ellipsis at the width."""
    printed = safe(text, width)
    assert len(printed) == min(len(text), width)
    assert len(text) <= width or printed[-1] == "…"


def test_a_short_action_is_one_line() -> None:
    """An action that names its organization is printed as it is."""
    action = {"text": "Register a key for acme-prod / serverless", "name": "acme-prod"}
    assert _wrap(action, 80) == ["Register a key for acme-prod / serverless"]


def test_an_action_tells_its_organization() -> None:
    """An action whose words lack the organization's name gets it in brackets."""
    assert _wrap({"text": "Act", "name": "acme-prod"}, 80) == ["Act (acme-prod)"]


@settings(deadline=None, max_examples=100)
@given(text=st.text(min_size=1), name=st.text(min_size=1), width=st.integers(40, 120))
def test_an_action_takes_few_and_narrow_lines(text: str, name: str, width: int) -> None:
    """However long an action is, it fills at most three lines of the given width."""
    lines = _wrap({"text": text * 40, "name": name}, width)
    assert (len(lines) <= 3, {len(line) for line in lines if len(line) > width}) == (True, set())
