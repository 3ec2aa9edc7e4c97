"""What deceives whoever reads a text, and where a text may be cut."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.text.deceptive_text import cut_at, deceptive_positions

ACUTE, JOINER, NON_JOINER, AS_EMOJI = "\u0301", "\u200d", "\u200c", "\ufe0f"
WOMAN, ROCKET, SKIN, HEART = "\U0001f469", "\U0001f680", "\U0001f3fd", "\u2764"
FLAG = "\U0001f1e9\U0001f1ea"
BEH, FARSI_YEH = "\u0628", "\u06cc"
KA, VIRAMA, SSA = "\u0915", "\u094d", "\u0937"


@pytest.mark.parametrize(
    "text",
    [
        "acme-prod (1) #7*",
        "\u05e2\u05d1\u05e8\u05d9\u05ea",
        "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
        "\u0634\u0631\u0643\u0629",
        f"\u0645{FARSI_YEH}{NON_JOINER}\u062e",
        f"{KA}{VIRAMA}{JOINER}{SSA}",
        "\u0e44\u0e17\u0e22",
        "Vi\u1ec7t",
        f"e{ACUTE}",
        f"e{ACUTE * 3}",
        "\U0001f511",
        f"{HEART}{AS_EMOJI}",
        f"{WOMAN}{SKIN}{JOINER}{ROCKET}",
        f"{WOMAN}{JOINER}{HEART}{AS_EMOJI}{JOINER}{WOMAN}",
        f"1{AS_EMOJI}\u20e3",
        "#\u20e3",
        "\u2194\ufe0f \u203c\ufe0f",
        FLAG,
        "\u6771\u4eac \ud55c\uad6d \u2713 \u20ac",
    ],
)
def test_names_of_every_script_are_names(text: str) -> None:
    """Letters of every script with their marks and joiners, and emoji, deceive nobody."""
    assert deceptive_positions(text) == set()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a\u202eb\u202c", {1, 3}),
        ("a\u2066b\u2069", {1, 3}),
        ("a\u200eb\u061c", {1, 3}),
        ("a\u200bb\ufeff\u2060", {1, 3, 4}),
        ("a\x1b[2J\x7f\x85\r\n", {1, 5, 6, 7, 8}),
        ("a\ud800", {1}),
        ("a\ue000\U000f0000", {1, 2}),
        ("a\ufdd0\uffff\U0010ffff", {1, 2, 3}),
        ("\U0001f3f4\U000e0067\U000e007f", {1, 2}),
        ("a\u00a0\u2003\u2028", {1, 2, 3}),
        ("a\u00ad\u034f\u115f\u3164\u2800", {1, 2, 3, 4, 5}),
        (f"a{JOINER}b{NON_JOINER}c", {1, 3}),
        (f"{BEH}{JOINER}", {1}),
        (f"{BEH}{NON_JOINER} {BEH}", {1}),
        (f"{WOMAN}{JOINER}a", {1}),
        (f"{JOINER}{WOMAN}", {0}),
        (f"a{AS_EMOJI}", {1}),
        (f"1{AS_EMOJI}", {1}),
        ("a\u20e3\u20dd", {1, 2}),
        (f"{ACUTE}a", {0}),
        (f" {ACUTE}", {1}),
        (f"e{ACUTE * 4}", {1, 2, 3, 4}),
        (f"{WOMAN}{JOINER}" * 11 + WOMAN, {19}),
    ],
)
def test_what_deceives(text: str, places: set[int]) -> None:
    """What steers, hides, turns around or piles up is found, and a joiner in a wrong place."""
    assert deceptive_positions(text) == places


@given(st.text())
def test_what_is_left_can_be_printed(text: str) -> None:
    """Without what deceives, a text holds no control, and of what is invisible only joiners."""
    odd = deceptive_positions(text)
    kept = [character for place, character in enumerate(text) if place not in odd]
    assert all(character.isprintable() or character in {JOINER, NON_JOINER} for character in kept)


@pytest.mark.slow
def test_every_character_alone() -> None:
    """Alone, nothing that is no letter, number, sign or space is shown as it is."""
    shown = {
        unicodedata.category(chr(code))
        for code in range(sys.maxunicode + 1)
        if not deceptive_positions(chr(code))
    }
    assert {category[0] for category in shown} == {"L", "N", "P", "S", "Z"}
    assert not deceptive_positions(" ")


# --- where a text is cut --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "longest", "at"),
    [
        ("abc", 3, 3),
        ("abcd", 3, 3),
        (f"ab{ACUTE}c", 2, 1),
        (f"a{WOMAN}{SKIN}{JOINER}{ROCKET}b", 4, 1),
        (f"a{WOMAN}{SKIN}{JOINER}{ROCKET}b", 5, 5),
        (f"a{FLAG}{FLAG}", 2, 1),
        (f"a{FLAG}{FLAG}", 3, 3),
        (f"a1{AS_EMOJI}\u20e3b", 3, 1),
        (f"a{KA}{VIRAMA}{JOINER}{SSA}b", 4, 1),
        (f"a{ACUTE * 40}", 30, 30),
        ("ab", 0, 0),
    ],
)
def test_where_a_text_is_cut(text: str, longest: int, at: int) -> None:
    """What is drawn as one stays whole, up to what no writing needs."""
    assert cut_at(text, longest) == at


@given(st.text(), st.integers(0, 30))
def test_a_text_is_cut_near_its_length(text: str, longest: int) -> None:
    """A cut leaves no more than asked for, and little less."""
    at = cut_at(text, longest)
    assert min(longest, len(text)) - 16 < at <= longest or at == len(text)
