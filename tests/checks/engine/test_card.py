from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from checks.engine.card import SEVERITIES, Card, Quote, rank
from tests.checks.judging import RULES


def test_severities_are_ranked_from_the_worst() -> None:
    """The worst severity ranks first, and an advisory last."""
    assert [rank(severity) for severity in SEVERITIES] == [0, 1, 2, 3, 4]
    assert SEVERITIES == ("critical", "high", "medium", "low", "advisory")


@pytest.mark.parametrize(
    "over",
    [
        {"severity": "severe"},
        {"basis": "wanted"},
        {"needs": ("views",)},
        {"colour": "red"},
        {"title": None},
    ],
)
def test_a_card_knows_its_fields_and_values(over: dict[str, Any]) -> None:
    """A card with a field or a value that is not documented cannot be made."""
    card = RULES["CMEK-01"].card
    data = card.model_dump() | {"roles": card.roles}
    assert Card.model_validate(data) == card
    with pytest.raises(ValidationError):
        Card.model_validate(data | over)


def test_cards_cannot_be_changed() -> None:
    """Neither a card nor its quotes can be changed once they are made."""
    card = RULES["CMEK-01"].card
    quote: Quote = card.quotes[0]
    with pytest.raises(ValidationError):
        card.severity = "low"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        quote.sentence = ""  # type: ignore[misc]
