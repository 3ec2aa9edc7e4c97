"""An audit is begun and judged before pytest makes an item, and what cannot be one is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from checks.engine.outcome import Unjudged
from cmek_audit.run import wiring
from cmek_audit.run.pytest_results import NO_AUDIT
from inventory.errors import SettingError
from tests.wiring.runs import audit, compliant

if TYPE_CHECKING:
    from pathlib import Path


def test_an_error_ends_by_saying_that_there_is_no_audit(pytestconfig: pytest.Config) -> None:
    """An error of ours is one of pytest's usage errors; secrets and endless lines stay out."""
    given = SettingError("--x: found AstraCS:not:real\n" + "y" * 9_000)
    error = wiring._usage_error(pytestconfig, given)
    lines = str(error).splitlines()
    assert (len(lines), lines[-1]) == (3, NO_AUDIT)
    assert "not:real" not in lines[0]
    assert len(lines[1]) <= wiring._LONGEST_LINE


class _Group:
    def __init__(self, status: str) -> None:
        self.status = status

    def properties(self) -> list[tuple[str, str]]:
        return [("status", self.status)]


def test_an_item_carries_what_its_group_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """The properties of a group become those of its item, also if it could not be judged."""

    def refuse(group: object) -> None:
        raise Unjudged("unknown")

    monkeypatch.setattr(wiring, "require_judged", refuse)
    node: Any = SimpleNamespace(user_properties=[])
    request = SimpleNamespace(param=_Group("inconclusive"), node=node)
    with pytest.raises(Unjudged):
        wiring.provide_group(cast("pytest.FixtureRequest", request))
    assert node.user_properties == [("status", "inconclusive")]


def test_a_report_that_nobody_writes_is_refused(tmp_path: Path) -> None:
    """A report whose plugin is not loaded is refused by name, and no audit is begun."""
    found = audit(tmp_path, compliant(), "-pno:junitxml", formats="junit")
    assert (found.code, NO_AUDIT in found.out) == (4, True)
    assert "found junit, expected the plugin junitxml to be loaded" in found.out
