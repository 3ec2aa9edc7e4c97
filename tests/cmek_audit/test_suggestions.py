"""Suggestions for a word that is not known."""

from __future__ import annotations

import pytest

from cmek_audit.suggestions import did_you_mean

KNOWN = ("collect", "CMEK-03", "CMEK-13", "verify")


@pytest.mark.parametrize(
    ("word", "cutoff", "sentence"),
    [
        ("colect", 0.6, " Did you mean collect?"),
        ("COLLECT", 0.6, " Did you mean collect?"),
        ("cmek-33", 0.8, " Did you mean CMEK-03 or CMEK-13?"),
        ("cmek-33", 0.9, ""),
        ("nothing", 0.6, ""),
        ("", 0.6, ""),
    ],
)
def test_similar_words_are_suggested(word: str, cutoff: float, sentence: str) -> None:
    """Words that are alike enough are suggested in their own case, in the order of names."""
    assert did_you_mean(word, KNOWN, cutoff) == sentence
