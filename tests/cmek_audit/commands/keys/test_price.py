"""What keys cost, if the user says what one costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.commands.keys.price import Price, read_price
from inventory.errors import SettingError


def test_no_price() -> None:
    """Without a given price there is none."""
    assert read_price("") is None


@pytest.mark.parametrize(
    ("text", "keys", "words"),
    [
        ("1.00 USD", 3, "about 3.00 USD a month for the keys alone: 3 keys at 1.00 USD"),
        ("1.00 USD", 1, "about 1.00 USD a month for the keys alone: 1 key at 1.00 USD"),
        ("0.06  EUR", 0, "about 0.00 EUR a month for the keys alone: 0 keys at 0.06 EUR"),
        (" 1 CHF ", 2_000, "about 2,000 CHF a month for the keys alone: 2,000 keys at 1 CHF"),
    ],
)
def test_words(text: str, keys: int, words: str) -> None:
    """What keys cost is reported with how that comes about, and what it leaves out."""
    price = read_price(text)
    assert price is not None
    assert price.describe(keys) == f"{words}; versions and requests are charged separately"


@given(cents=st.integers(1, 10**9), keys=st.integers(0, 10**6))
def test_sums_are_exact(cents: int, keys: int) -> None:
    """A sum is that of the keys, to the last digit."""
    price = read_price(f"{cents // 100}.{cents % 100:02} USD")
    assert price is not None
    assert Decimal(price.of(keys)) * 100 == cents * keys


@pytest.mark.parametrize(
    "text",
    [
        "1.00",
        "USD",
        "USD 1.00",
        "1,00 USD",
        "0 USD",
        "0.00 USD",
        "-1.00 USD",
        "1e3 USD",
        "NaN USD",
        "inf USD",
        "1.00 usd",
        "1.00 DOLLARS",
        "1.00USD",
        ".5 USD",
        "\u0661 USD",
        "1.0000001 USD",
        "1.00 USD, 2",
    ],
)
def test_nonsense(text: str) -> None:
    """What is no amount above nothing with a currency is refused in words."""
    with pytest.raises(SettingError) as caught:
        read_price(text)
    assert str(caught.value) == (
        f"--price: found {text!a}, expected an amount above 0 with its currency, such as '1.00 USD'"
    )


@given(text=st.text(max_size=20))
def test_any_text_is_a_price_or_refused(text: str) -> None:
    """Whatever is reported as a price is one, or is none, or is refused."""
    try:
        price = read_price(text)
    except SettingError:
        return
    assert (price is None) is (text == "")
    assert price is None or isinstance(price, Price)
