"""The answer of every report, in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.model.protection import Protection
from reports.presentation.protection_text import (
    answer,
    answer_of,
    expected,
    recorded_protection,
    sentence,
    share,
)
from tests.hypothesis_profile import examples


def _numbers(
    protected: int = 0,
    unprotected: int = 0,
    unproven: int = 0,
    astra_provided: int = 0,
    waived: int = 0,
) -> Protection:
    return {
        "protected": protected,
        "unprotected": unprotected,
        "unproven": unproven,
        "astra_provided": astra_provided,
        "waived": waived,
    }


PROVEN = "proven to be encrypted with your keys"
CASES = [
    (
        _numbers(4, 6, 4, 1),
        (
            f"4 of 14 databases are {PROVEN}; "
            "6 are not, 4 cannot be proven, 1 is approved to use Astra's keys."
        ),
    ),
    (
        _numbers(4, 6, 4, 2, 1),
        (
            f"4 of 14 databases are {PROVEN}; 6 are not (1 of them accepted by a waiver), "
            "4 cannot be proven, 2 are approved to use Astra's keys."
        ),
    ),
    (
        _numbers(1, 6, waived=2),
        f"1 of 7 databases is {PROVEN}; 6 are not (2 of them accepted by waivers).",
    ),
    (
        _numbers(1, 1, waived=1),
        f"1 of 2 databases is {PROVEN}; 1 is not (accepted by a waiver).",
    ),
    (
        _numbers(1, 2, waived=2),
        f"1 of 3 databases is {PROVEN}; 2 are not (accepted by waivers).",
    ),
    (_numbers(0, 2, 1), f"None of 3 databases is {PROVEN}; 2 are not, 1 cannot be proven."),
    (_numbers(0, 0, 2), f"None of 2 databases is {PROVEN}; 2 cannot be proven."),
    (_numbers(14), f"All 14 databases are {PROVEN}."),
    (_numbers(2, 0, 0, 1), f"All 2 databases are {PROVEN}; 1 is approved to use Astra's keys."),
    (_numbers(1), f"The only database is {PROVEN}."),
    (_numbers(0, 1), "The only database is not encrypted with your keys."),
    (
        _numbers(0, 1, waived=1),
        "The only database is not encrypted with your keys (accepted by a waiver).",
    ),
    (
        _numbers(0, 0, 1, 2),
        f"The only database cannot be {PROVEN}; 2 are approved to use Astra's keys.",
    ),
    (
        _numbers(0, 0, 0, 3),
        "No database is to be encrypted with your keys; 3 are approved to use Astra's keys.",
    ),
    (
        _numbers(12_345, 1_000, 6_000, 2_000, 1_000),
        (
            f"12,345 of 19,345 databases are {PROVEN}; 1,000 are not (accepted by waivers), "
            "6,000 cannot be proven, 2,000 are approved to use Astra's keys."
        ),
    ),
    (_numbers(), "No database is known."),
    (None, "How many databases are encrypted with your keys is not recorded."),
]


@pytest.mark.parametrize(("protection", "text"), CASES)
def test_the_answer_in_words(protection: Protection | None, text: str) -> None:
    """The sentence counts every database, in the singular or the plural as it has to be."""
    assert sentence(protection) == text


@pytest.mark.parametrize(
    ("protection", "text"),
    [
        (_numbers(4, 6, 4, 1), "28 %"),
        (_numbers(1, 2), "33 %"),
        (_numbers(0, 3), "0 %"),
        (_numbers(1, 999), "under 1 %"),
        (_numbers(999, 1), "99 %"),
        (_numbers(99_999, 0, 1), "99 %"),
        (_numbers(3, astra_provided=9), "100 %"),
        (_numbers(astra_provided=1), ""),
        (_numbers(), ""),
        (None, ""),
    ],
)
def test_the_share_of_databases(protection: Protection | None, text: str) -> None:
    """The share is rounded down; databases that use Astra's keys by approval have no part in it."""
    assert share(protection) == text


_COUNTS = st.integers(0, 3) | st.integers(0, 10**6)


@examples(200)
@given(_COUNTS, _COUNTS, _COUNTS, _COUNTS, st.data())
def test_no_text_looks_better_than_the_numbers(
    protected: int, unprotected: int, unproven: int, astra: int, data: st.DataObject
) -> None:
    """Only where all are proven does a text say so, and each number that is not zero is in it."""
    waived = data.draw(st.integers(0, unprotected))
    numbers = _numbers(protected, unprotected, unproven, astra, waived)
    text, others = sentence(numbers), unprotected + unproven
    assert (share(numbers) == "100 %") is (protected > 0 and not others)
    assert ("All" in text) is (protected > 1 and not others)
    if expected(numbers) > 1:
        found = set(re.findall(r"[0-9,]*[0-9]", text))
        assert {f"{count:,}" for count in (unprotected, unproven, astra) if count} <= found
        assert f"{expected(numbers):,}" in found
    assert ("accepted by" in text) is (waived > 0)


@pytest.mark.parametrize(
    ("protection", "text"),
    [
        (_numbers(14), f"All 14 known databases are {PROVEN}."),
        (_numbers(4, 6), f"4 of 10 known databases are {PROVEN}; 6 are not."),
        (_numbers(0, 0, 1), f"The only known database cannot be {PROVEN}."),
        (
            _numbers(0, 0, 0, 1),
            (
                "No known database is to be encrypted with your keys; "
                "1 is approved to use Astra's keys."
            ),
        ),
        (_numbers(), "No database is known."),
        (None, "How many databases are encrypted with your keys is not recorded."),
    ],
)
def test_what_was_not_read_in_full_may_be_more(protection: Protection | None, text: str) -> None:
    """If there may be more databases, the sentence is about the known ones."""
    assert sentence(protection, is_whole=False) == text


def _head(*complete: bool, left_out: str = "") -> Any:  # noqa: ANN401 (a part of a head)
    rows = [{"complete": each, "protection": _numbers(1)} for each in complete]
    return {"settings": {"left_out": left_out}, "coverage": rows, "protection": _numbers(2)}


def test_an_audit_speaks_of_all_databases_only_if_it_is_whole() -> None:
    """An audit that left something out, or could not read it, speaks of known databases."""
    known = f"All 2 known databases are {PROVEN}."
    assert answer(_head(True, True)) == f"All 2 databases are {PROVEN}."
    assert answer(_head(True, False)) == known
    assert answer(_head(True, left_out="a rule")) == known


def test_an_organization_has_an_answer_of_its_own() -> None:
    """The same sentence says what is known of one organization."""
    whole, part = _head(True, False)["coverage"]
    assert answer_of(whole) == f"The only database is {PROVEN}."
    assert answer_of(part) == f"The only known database is {PROVEN}."


def test_a_record_of_an_earlier_version_has_no_numbers() -> None:
    """A head without the numbers is no head of an audit without databases."""
    old = _head(True)
    del old["protection"], old["coverage"][0]["protection"]
    assert recorded_protection(old) is None
    assert answer(old) == answer_of(old["coverage"][0]) == sentence(None)
