"""The verdict as a code."""

from __future__ import annotations

from typing import get_args

from reports.model.outcome import Outcome
from reports.presentation.labels import VERDICT


def test_every_outcome_has_a_label() -> None:
    """The page has a word for every verdict, and for no other."""
    assert set(VERDICT) == set(get_args(Outcome))
