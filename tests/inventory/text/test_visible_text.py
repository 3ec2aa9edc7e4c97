"""What a reader sees of a text, and which two names are those of one person."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import StringConstraints, TypeAdapter, ValidationError

from inventory.text.visible_text import VISIBLE, VISIBLE_NARROW, same_person, visible

IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""What Unicode lists as Default_Ignorable_Code_Point."""

LOOK_BLANK = "\u2800\u3164\uffa0\u115f\U0001d159\U00016fe4"
UNSEEN = {
    *(chr(code) for first, last in IGNORABLE for code in range(first, last + 1)),
    *LOOK_BLANK,
    *(
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Zs", "Zl", "Zp"}
    ),
}
NAMES = st.text(
    st.sampled_from("abAB\u00e9e\u0301\u00df \u200b\u3164\u2800(<[\uff08)>]\uff09"), max_size=8
)
PERSON = "Jos\u00e9 Example"


# --- what is seen ---------------------------------------------------------------------------------


def test_nothing_is_seen_of_what_hides() -> None:
    """Of a control, a format, an ignorable character or a space alone, nothing is seen."""
    assert {character for character in UNSEEN if visible(character)} == set()


@pytest.mark.parametrize("text", ["a", "\u00e9", "\u6f22", "\U0001f511", "-", "\ufffd", "\u0301"])
def test_all_else_is_seen(text: str) -> None:
    """A letter, a sign or a picture is seen as it is."""
    assert visible(text) == text


def test_spaces_are_one_and_hidden_characters_none() -> None:
    """What hides leaves no trace, what looks like a space is one, and the ends are bare."""
    assert visible("\u2800 a\t\u00a0b\u200bc\u3164d \ufeff") == "a bc d"
    assert visible("\u2800 a\t\u00a0b\u200bc\u3164d \ufeff", blank="") == "a bcd"


@pytest.mark.slow
def test_patterns_find_what_is_seen() -> None:
    """The pattern of the models says the same of each character; the short one up to U+FFFF."""
    model = TypeAdapter(Annotated[str, StringConstraints(pattern=VISIBLE)])
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        try:
            is_taken = bool(model.validate_python(character))
        except ValidationError:
            is_taken = False
        is_surrogate = unicodedata.category(character) == "Cs"
        assert is_taken is bool(visible(character)), hex(code)
        if code <= 0xFFFF and not is_surrogate:
            assert bool(re.search(VISIBLE_NARROW, character)) is is_taken, hex(code)


@given(st.text())
def test_what_is_seen_is_seen_as_it_is(text: str) -> None:
    """Of what a reader sees, he sees all."""
    assert visible(visible(text)) == visible(text)


# --- who is who -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        "Jos\u00e9 Example",
        "Jose\u0301 Example",
        "jos\u00c9  EXAMPLE\n",
        "\uff2a\uff4f\uff53\u00e9\u3000\uff25\uff58\uff41\uff4d\uff50\uff4c\uff45",
        "Jos\u00e9\u2800Example",
        "Jos\u00e9\u3164Example",
        "J\u3164os\u00e9\u00a0Example",
        "Jos\u200be\u034f\u0301 Exam\u00adple\ufe0f\U000e0101",
        "Jos\u00e9 Example (cloud)",
        "(cloud) Jos\u00e9 Example",
        "Jos\u00e9 (cloud [a {b}] <c>) Example",
        "Jos\u00e9 Example <jose@example.com>",
        "Jos\u00e9 Example\uff08cloud\uff09",
        "Jos\u00e9 Example \u3010cloud\u3011",
        "Jos\u00e9 Example (cloud",
        "Jos\u00e9 Example (cloud] Ben",
        "(Jos\u00e9 Example) (cloud)",
        "Jos\u00e9 Example)",
        "(Jos\u00e9 Example)",
        "Jos\u00e9 (Example)",
    ],
)
def test_one_person_is_recognised(other: str) -> None:
    """Forms of Unicode, what hides, case, white space and remarks make no second person."""
    assert same_person(PERSON, other)
    assert same_person(other, PERSON)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Ann Lee", "Anne Lee"),
        ("Ann Elee", "Anne Lee"),
        ("Jos\u00e9", "Jose"),
        ("(cloud)", "(security)"),
        ("Ben (cloud)", "Eve (cloud)"),
        ("\u201eBen\u201c Example", "\u201eEve\u201c Example"),
        ("a", "\u0430"),
        ("()", "[]"),
    ],
)
def test_two_people_stay_two(one: str, two: str) -> None:
    """Names that look different are of two people, and so are letters of two alphabets."""
    assert not same_person(one, two)


@given(NAMES)
def test_everybody_is_one_person(name: str) -> None:
    """A name in any spelling is that of its owner."""
    assert same_person(name, name)
    assert same_person(name, unicodedata.normalize("NFD", name))


@given(NAMES, NAMES)
def test_two_names_are_compared_both_ways(one: str, two: str) -> None:
    """Who is compared with whom makes no difference."""
    assert same_person(one, two) is same_person(two, one)


@given(
    NAMES.filter(lambda name: re.search("[a-z]", name)),
    st.text(max_size=5).filter(lambda text: ")" not in unicodedata.normalize("NFKD", text)),
)
def test_a_remark_is_ignored(name: str, remark: str) -> None:
    """A remark behind a name leaves its owner the same, whatever the remark holds."""
    assert same_person(name, f"{name} ({remark}")
