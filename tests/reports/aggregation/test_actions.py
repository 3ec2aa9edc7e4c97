"""Findings that one step resolves are one action, by the step's id and never by its words."""

from __future__ import annotations

from reports.aggregation.actions import Actions
from tests.builders import ORGANIZATION, OTHER_ORGANIZATION
from tests.reports.recording import a_finding

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
