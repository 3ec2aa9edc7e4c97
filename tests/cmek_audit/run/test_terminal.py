"""What the terminal shows, as far as it does not take a terminal to see it."""

from __future__ import annotations

import sys
import unicodedata
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.run.terminal import _items_warning, _notes, _wrap
from inventory.text.display import printable
from tests.hypothesis_profile import examples

EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Me"}
_TURNS_AROUND = {"RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "PDF", "PDI", "FSI"}
_FILLERS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}


@pytest.mark.slow
def test_what_is_printed_neither_steers_nor_hides() -> None:
    """Of all characters, none is printed alone that controls, hides, or turns text around."""
    printed = {printable(character) for character in EVERY_CHARACTER} - {" "}
    bad = {
        character
        for character in printed
        if unicodedata.category(character) in _INVISIBLE
        or unicodedata.bidirectional(character) in _TURNS_AROUND
    }
    assert bad | (printed & _FILLERS) == set()


def test_ordinary_letters_are_printed_as_they_are() -> None:
    """Names in every script, and emoji, stay readable."""
    text = "acme-prod Zürich Αθήνα Москва 東京 “quoted” … \u05e2\u05d1\u05e8\u05d9\u05ea \U0001f511"
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("acme\x1b[2J", "acme?[2J"),
        ("acme\r\nCompliant", "acme??Compliant"),
        ("acme\u202eterces", "acme?terces"),
        ("ac\u00adme", "ac?me"),
        ("ac\u200bme", "ac?me"),
        ("acme\ud800", "acme?"),
        ("acme\x9b31m", "acme?31m"),
    ],
    ids=[
        "escape",
        "line-end",
        "override",
        "soft-hyphen",
        "zero-width",
        "surrogate",
        "csi",
    ],
)
def test_what_could_deceive_is_replaced(text: str, printed: str) -> None:
    """Each character that could deceive the reader becomes a question mark."""
    assert printable(text) == printed


@examples(200)
@given(text=st.text(), width=st.integers(1, 40))
def test_what_is_printed_is_cut_at_a_width(text: str, width: int) -> None:
    """No text becomes longer, and one that is cut ends in an ellipsis at the width or before it."""
    printed = printable(text, width)
    assert min(len(text), width) - 16 <= len(printed) <= min(len(text), width)
    assert len(text) <= width or printed[-1] == "…"


def _group(title: str, name: str = "acme-prod") -> Any:  # noqa: ANN401 (a part of one)
    return SimpleNamespace(title=title, name=name, who="we")


def test_a_short_action_is_one_line() -> None:
    """An action says what to do, in which organization, and who must act."""
    assert _wrap(_group("Register a key"), 80) == ["Register a key (acme-prod; we)"]


def test_an_action_without_an_organization_goes_across_them() -> None:
    """An action that concerns several organizations says so."""
    assert _wrap(_group("Act", ""), 80) == ["Act (across organizations; we)"]


ARN = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
MORE = " … more in the report"
WORDS = st.lists(st.sampled_from(["a", "key", "for", "acme-prod", ARN]), min_size=1, max_size=60)


@examples(200)
@given(words=WORDS, width=st.integers(40, 120))
def test_an_action_is_cut_with_a_sign_and_no_word_is_broken(words: list[str], width: int) -> None:
    """What to do fills three lines at most; of what is cut, a sign says where to read on.

    Organization and who must act are there in any case.
    """
    text, about = " ".join(words), "(acme-prod; we)"
    shown = " ".join(_wrap(_group(text), width))
    assert shown.endswith(f" {about}")
    kept = shown.removesuffix(f" {about}")
    assert text.startswith(kept.removesuffix(MORE))
    assert kept.endswith(MORE) is (kept != text)
    assert len(_wrap(_group(text), width)) <= 5
    assert all(len(line) <= width or " " not in line for line in _wrap(_group(text), width))


def test_notes_are_folded_between_words() -> None:
    """A note on a source is folded to the terminal, and an id in it stays whole."""
    source = {"path": "plan.json", "notes": [f"It assumes {ARN} and {ARN}."]}
    head: Any = {"population": {"sources": [source]}}
    lines = list(_notes(head, 50))
    assert [line.strip() for line in lines if ARN in line] == [ARN, f"{ARN}."]
    assert lines[0].startswith("Note:     plan.json: It assumes")


@examples(50)
@given(text=st.text(min_size=1, alphabet=st.characters(exclude_categories=["Zs"])))
def test_any_action_can_be_printed(text: str) -> None:
    """Whatever an action and a name hold, some lines are printed, and nothing in them steers."""
    lines = _wrap(_group(text * 40, text), 40)
    assert lines
    assert [printable(line, 10_000) for line in lines] == lines


@pytest.mark.parametrize(
    ("items", "failing", "costs"),
    [
        (4_000, 0, "2 seconds to 3 seconds and 24 MB for them."),
        (1_000_000, 0, "8 minutes to 13 minutes and 6,000 MB for them."),
        (20_000_000, 0, "3 hours to 4 hours and 120,000 MB for them."),
    ],
)
def test_what_many_items_cost(items: int, failing: int, costs: str) -> None:
    """A warning of very many test items says about how long they take, and what avoids them."""
    assert _items_warning("subject", items, failing, "no") == (
        f"--cmek-group=subject makes {items:,} test items. pytest takes {costs} "
        "--cmek-group=auto makes at most 500, with the same findings."
    )


def test_a_slow_summary_of_failures_is_announced() -> None:
    """A style in which pytest's summary takes quadratic time is named, with the time it takes."""
    text = _items_warning("organization", 10_000, 10_000, "short")
    assert text.partition(" Its ")[2] == (
        "summary of 10,000 failures with --tb=short takes about 3 minutes more. "
        "--tb=no leaves it out."
    )
