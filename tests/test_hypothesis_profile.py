"""A whole run tries every example that a property asks for, a fast one a tenth of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.hypothesis_profile import WHOLE, choose_profile, examples

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _same_profile_afterwards() -> Iterator[None]:
    before = settings().max_examples
    yield
    choose_profile(fast=before < WHOLE)


@pytest.mark.parametrize(
    ("fast", "tried"), [(False, {100: 100, 300: 300, 12: 12}), (True, {100: 10, 300: 30, 12: 5})]
)
def test_examples_of_a_run(*, fast: bool, tried: dict[int, int]) -> None:
    """No property tries fewer than five examples, and none has a deadline."""
    choose_profile(fast=fast)
    assert {count: examples(count).max_examples for count in tried} == tried
    assert examples(100).deadline is None
    assert settings().deadline is None
