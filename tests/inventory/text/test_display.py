"""How what was found is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.text.display import describe
from tests.hypothesis_profile import examples


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        ({}, "an empty mapping"),
        ([], "an empty list"),
        ((), "an empty list"),
        ({"a": 1}, "a mapping of 1"),
        ([1, 2], "a list of 2"),
        ("a b", "'a b'"),
        ("é\n\x1b", "'\\xe9\\n\\x1b'"),
        ("", "''"),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        ("AstraCS:abc:def", "'AstraCS:(hidden)'"),
        ("Bearer AstraCS:abc then", "'Bearer AstraCS:(hidden) then'"),
        ("x" * 100, f"'{'x' * 79}… (102 characters)"),
        ("%25" * 5_000, "a text of 15,000 characters"),
    ],
)
def test_describe(value: object, text: str) -> None:
    """What was found is said in a few visible characters."""
    assert describe(value) == text


@examples(100)
@given(before=st.text(max_size=90), secret=st.from_regex(r"[A-Za-z0-9:]{4,90}", fullmatch=True))
def test_secrets(before: str, secret: str) -> None:
    """A token is not repeated, wherever it stands; what is shown is short and visible."""
    text = describe(f"{before}AstraCS:{secret}#~# and so on")
    assert f"{secret}#~#" not in text
    assert len(text) < 120
    assert text.replace("…", "").isascii()
    assert text.isprintable()
