"""How many examples a property tries: all in a whole run, a tenth in a fast one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    from hypothesis import HealthCheck

WHOLE, FAST, FEWEST = 100, 10, 5


def choose_profile(*, fast: bool) -> None:
    """Set how many examples a property tries that names no number; no example has a deadline."""
    tried = FAST if fast else WHOLE
    settings.register_profile("suite", deadline=None, max_examples=tried)
    settings.load_profile("suite")


def examples(count: int, *ignored: HealthCheck) -> settings:
    """Return settings of a property that tries ``count`` examples in a whole run."""
    share = count * settings().max_examples // WHOLE
    return settings(max_examples=max(FEWEST, share), suppress_health_check=ignored)
