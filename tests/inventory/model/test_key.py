"""What is recorded for one key scope."""

from __future__ import annotations

from inventory.model.key import RegionView, SupportCase
from tests.inventory.model.refusals import BY, refusal


def test_region_views_without_key() -> None:
    """A region view says which key was shown, and none only in so many words."""
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    assert RegionView.model_validate(place | {"key_id": None}).key_id is None
    assert refusal(RegionView, place) == (("key_id",), "Field required")


def test_support_cases_with_ticket() -> None:
    """A support case names its ticket."""
    case = {"type": "serverless", "provider": "aws", "region": "us-east-1"} | BY
    assert refusal(SupportCase, case | {"ticket": " "})[0] == ("ticket",)
