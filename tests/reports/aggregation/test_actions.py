"""Findings that one step resolves are one action, by the step's id and never by its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.engine.action_catalogue import action_kinds
from checks.engine.finding import Subject
from reports.aggregation import actions
from reports.aggregation.actions import Actions
from tests.builders import ORGANIZATION, OTHER_ORGANIZATION
from tests.reports.recording import a_finding

if TYPE_CHECKING:
    from checks.engine.finding import Finding
    from reports.model.head import ActionEntry

NAMES = {ORGANIZATION: "acme-prod"}


def _listed(*ids: tuple[str, str]) -> list[tuple[str, str, int]]:
    actions = Actions()
    for number, (action_id, text) in enumerate(ids):
        actions.add(a_finding(region=f"r{number}", action=text, action_id=action_id))
    return [(entry["id"], entry["text"], entry["resolves"]) for entry in actions.listed(NAMES)]


def test_one_id_is_one_action_whatever_it_says() -> None:
    """Two sentences with one id are one action; it keeps the first."""
    assert _listed(("a:x", "Do it"), ("a:x", "Do it now")) == [("a:x", "Do it", 2)]


def test_one_sentence_may_be_two_actions() -> None:
    """The same words with two ids are two actions."""
    assert _listed(("a:x", "Do it"), ("a:y", "Do it")) == [("a:x", "Do it", 1), ("a:y", "Do it", 1)]


def test_nothing_to_do_is_no_action() -> None:
    """A finding that complies, or that names no step, adds no action."""
    actions = Actions()
    actions.add(a_finding("pass", action="Do it", action_id="a:x"))
    actions.add(a_finding(action="", action_id=""))
    assert (len(actions), actions.listed(NAMES)) == (0, [])


def test_an_action_names_its_organization() -> None:
    """An organization without a known name goes by its id."""
    actions = Actions()
    actions.add(a_finding(organization=OTHER_ORGANIZATION, action="Do it", action_id="a:x"))
    [entry] = actions.listed(NAMES)
    assert (entry["organization"], entry["name"]) == (OTHER_ORGANIZATION, OTHER_ORGANIZATION)


def test_a_repair_in_time_prevents() -> None:
    """A failure of what is only planned can be prevented; one of what exists is repaired."""
    given = [
        a_finding(region="r1", databases=1, action="Plan", action_id="register-key:o/a"),
        a_finding(region="r2", databases=1, existing=1, action="Go", action_id="register-key:o/b"),
        a_finding(
            "inconclusive", region="r3", databases=1, action="Ask", action_id="apply-key-first:o/c"
        ),
        a_finding(
            "inconclusive", region="r4", databases=1, action="Try", action_id="register-key:o/d"
        ),
        a_finding(cause="planned-replacement", action="Keep", action_id="keep-key-in-plan:o/e"),
        a_finding(databases=1, action="Attest", action_id="attest-plan:o/f"),
        a_finding(databases=2, existing=1, action="Grant", action_id="make-key-usable:o/g"),
    ]
    entries = _entries(*given)
    assert {entry["id"]: (entry["purpose"], entry["who"]) for entry in entries} == {
        "register-key:o/a": ("prevent", "we"),
        "register-key:o/b": ("repair", "we"),
        "apply-key-first:o/c": ("prove", "we"),
        "register-key:o/d": ("repair", "we"),
        "keep-key-in-plan:o/e": ("prevent", "we"),
        "attest-plan:o/f": ("prove", "we"),
        "make-key-usable:o/g": ("repair", "cloud administrators"),
    }


def test_of_equal_severity_what_prevents_comes_first() -> None:
    """Severity decides first, and then the purpose: prevent, repair, prove."""
    given = [
        a_finding(action="a", action_id="attest-plan:o/prove"),
        a_finding(action="b", action_id="make-key-usable:o/repair"),
        a_finding(databases=1, action="c", action_id="remove-planned-key:o/prevent"),
        a_finding(severity="critical", action="d", action_id="attest-plan:o/critical"),
    ]
    assert [entry["id"].rpartition("/")[2] for entry in _entries(*given)] == [
        "critical",
        "prevent",
        "repair",
        "prove",
    ]


def test_an_action_lists_its_steps() -> None:
    """What exactly to do is in the record, from the rule that asks for it."""
    [entry] = _entries(a_finding(action="Do", action_id="attest-plan:o"))
    assert tuple(entry["steps"]) == action_kinds()["attest-plan"].steps


def test_names_are_few_and_sorted_and_the_missing_key_has_those_that_wait_for_it() -> None:
    """The databases that are to be recreated are named by the key that they wait for, too."""
    waiting = [
        _of_database(f"d{number:02}", f"database {number:02}", "recreate-without-key:o/key")
        for number in reversed(range(30))
    ]
    missing = a_finding(databases=30, existing=30, action="Add", action_id="register-key:o/key")
    names = [f"database {number:02}" for number in range(20)]
    found = [
        (entry["id"], entry["databases"], entry["names"]) for entry in _entries(*waiting, missing)
    ]
    assert found == [
        ("register-key:o/key", 30, names),
        ("recreate-without-key:o/key", 30, names),
    ]


def test_a_database_in_two_regions_is_one_of_its_group() -> None:
    """Actions of one kind count together each database once, wherever it is."""
    given = [
        _of_database("d1", "orders", "recreate-without-key:o/r1", "r1"),
        _of_database("d1", "orders", "recreate-without-key:o/r2", "r2"),
        _of_database("d2", "orders", "recreate-without-key:o/r2", "r2"),
    ]
    found = {entry["id"]: (entry["databases"], entry["names"]) for entry in _entries(*given)}
    assert found == {
        "recreate-without-key:o/r1": (1, ["orders"]),
        "recreate-without-key:o/r2": (2, ["orders"]),
    }
    assert {entry["group_databases"] for entry in _entries(*given)} == {2}


def _entries(*findings: Finding) -> list[ActionEntry]:
    actions = Actions()
    for finding in findings:
        actions.add(finding)
    return actions.listed(NAMES)


def _of_database(database: str, name: str, action_id: str, region: str = "us-east-1") -> Finding:
    scope = (ORGANIZATION, "serverless", "aws", region)
    subject = Subject("database-region", f"{database}/{region}", *scope, database)
    return a_finding(
        rule="CMEK-05",
        subject=subject,
        name=name,
        databases=1,
        existing=1,
        action="Recreate it",
        action_id=action_id,
    )


@pytest.mark.parametrize(("room", "listed"), [(5, "aaa"), (4, "aaa"), (6, "aaabbb"), (2, "aa")])
def test_a_group_is_listed_whole(monkeypatch: pytest.MonkeyPatch, room: int, listed: str) -> None:
    """Without room for all actions, those of one kind and organization are all there or none.

    Only a group that is larger than all the room is cut.
    """
    monkeypatch.setattr(actions, "MOST_ACTIONS", room)
    added = Actions()
    for organization in "ab":
        for region in ("r1", "r2", "r3"):
            action = f"register-key:{organization}/serverless/aws/{region}"
            added.add(
                a_finding(
                    organization=organization, region=region, action="Register.", action_id=action
                )
            )
    assert [entry["organization"] for entry in added.listed({})] == [*listed]
