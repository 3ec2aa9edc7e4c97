"""What keys cost in a month, if the user says what one costs."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from inventory.errors import SettingError
from inventory.text.display import describe, pluralize

_AMOUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) +([A-Z]{3})")


class Price(NamedTuple):
    """What one key costs in a month.

    Attributes:
        amount: the sum, with as many digits as it was given.
        currency: its three letters, such as ``USD``.
    """

    amount: Decimal
    currency: str

    def of(self, keys: int) -> str:
        """Return what so many keys cost, without the currency."""
        return str(self.amount * keys)

    def describe(self, keys: int) -> str:
        """Return a phrase with what so many keys cost."""
        total = f"{self.amount * keys:,} {self.currency} a month for the keys alone"
        count = f"{pluralize(keys, 'key')} at {self.amount} {self.currency}"
        return f"about {total}: {count}; versions and requests are charged separately"


def read_price(text: str) -> Price | None:
    """Read a price such as ``1.00 USD``; None if there is none. Raises SettingError."""
    if not text:
        return None
    match = _AMOUNT.fullmatch(text.strip())
    amount = Decimal(match[1]) if match else Decimal()
    if match is None or not amount:
        expected = "an amount above 0 with its currency, such as '1.00 USD'"
        raise SettingError(f"--price: found {describe(text)}, expected {expected}")
    return Price(amount, match[2])
