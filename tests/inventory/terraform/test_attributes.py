"""Attributes show their known values, and why others are missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.terraform.attributes import (
    SENSITIVE,
    UNKNOWN,
    Attributes,
    AttributeValue,
    flaw,
)
from inventory.text.secrets import holds_secret
from tests.hypothesis_profile import examples

ADDRESS = "astra_database.orders"


def attributes(
    values: dict[str, Any], unknown: object = None, sensitive: object = None
) -> Attributes:
    """Return attributes with the marks of a plan."""
    marks = [(sensitive, SENSITIVE), (unknown, UNKNOWN)]
    return Attributes(values, marks, ("plan.json", {(): 3}, (), ADDRESS))


@pytest.mark.parametrize(
    ("values", "unknown", "sensitive", "expected"),
    [
        ({"name": "orders"}, None, None, AttributeValue(("orders",))),
        ({}, None, None, AttributeValue()),
        ({}, {"name": True}, None, AttributeValue(reasons=(UNKNOWN,))),
        ({"name": "orders"}, None, {"name": True}, AttributeValue(reasons=(SENSITIVE,))),
        ({"name": "orders"}, True, True, AttributeValue(reasons=(SENSITIVE, UNKNOWN))),
    ],
)
def test_one_value(
    values: dict[str, Any], unknown: object, sensitive: object, expected: AttributeValue
) -> None:
    """A marked value is not read, also where the whole resource is marked."""
    assert attributes(values, unknown, sensitive).read("name") == expected


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        ({"regions": [False, True]}, AttributeValue(("r1",), (UNKNOWN,))),
        ({"regions": [False, False, True]}, AttributeValue(("r1", "r2"), (UNKNOWN,))),
        ({"regions": True}, AttributeValue((), (UNKNOWN,))),
        ({"regions": []}, AttributeValue(("r1", "r2"))),
    ],
)
def test_a_list_of_values(unknown: object, expected: AttributeValue) -> None:
    """A list shows its known items; a mark behind its end says that it may become longer."""
    assert attributes({"regions": ["r1", "r2"]}, unknown).read("regions") == expected


def test_a_wrong_value_is_a_problem() -> None:
    """A value of a wrong type is no value, and a problem names the attribute and its resource."""
    made = attributes({"region": 7})
    assert made.read("region") == AttributeValue(is_wrong=True)
    [problem] = made.problems
    assert problem == ("plan.json", 3, f"region of '{ADDRESS}'", "7", "text")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("us-east-1", ""),
        ("\ud800", "an unpaired surrogate"),
        ("AstraCS:abc:def", "what looks like a token"),
    ],
)
def test_flaws(text: str, expected: str) -> None:
    """A text that cannot be written, or that may be a secret, is never used."""
    assert flaw(text) == expected


@examples(300)
@given(
    st.lists(
        st.sampled_from(["secret_access_key", "ya29", ".", "ey", '"', "private_key", "[0]"])
        | st.sampled_from(["astracs", ":", "=", "-", "a" * 9, "0123456789" * 3, "AKIA", "1//0"])
    )
)
def test_no_form_of_a_credential_is_harmless(parts: list[str]) -> None:
    """A text that is accepted at a glance is one in which the whole search finds nothing."""
    text = "".join(parts)
    assert (flaw(text) == "what looks like a token") == holds_secret(text.encode())
