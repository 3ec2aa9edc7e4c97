"""The block on what changed since the baseline: the classes there are."""

from __future__ import annotations

from reports.model.changes import CLASSES, KEY_CHANGES
from tests.reports.comparing import every_change


def test_every_class_is_counted_and_listed() -> None:
    """A comparison counts and lists the findings of each class, also of those without any."""
    changes = every_change()
    keys = changes["keys"]
    assert (tuple(changes["counts"]), tuple(changes["lists"])) == (CLASSES, CLASSES)
    assert (tuple(keys["counts"]), tuple(keys["lists"])) == (KEY_CHANGES, KEY_CHANGES)
