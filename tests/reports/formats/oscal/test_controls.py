"""Rules and controls: what findings are about, in the ids of NIST's catalogs."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from reports.formats.oscal.controls import (
    control_properties,
    read_targets,
    review,
    rule_activities,
)
from reports.formats.oscal.json_parts import properties
from tests.reports.recording import RULE_IDS, a_finding, record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def head(tmp_path: Path) -> Any:  # noqa: ANN401 (tests change it as they like)
    return deepcopy(record(tmp_path, [a_finding()]).head)


def test_targets_are_controls_of_nist(head: Any) -> None:  # noqa: ANN401 (as above)
    """Each control of NIST to which a rule gives more than context is a target, by NIST's id."""
    targets = read_targets(head)
    given = {
        (rule["id"], control["id"], control["strength"])
        for rule in head["criteria"]["rules"]
        for control in rule["controls"]
        if control["framework"] == "NIST SP 800-53 r5" and control["strength"] != "context"
    }
    linked = {
        (rule, targets.controls[link.control].name.partition(":")[0], link.is_direct)
        for rule, links in targets.rules.items()
        for link in links
    }
    assert linked == {(rule, control, strength == "direct") for rule, control, strength in given}
    assert set(targets.rules) == set(RULE_IDS)
    target = targets.controls["sc-28.1"]
    assert (target.kind, target.id) == ("statement-id", "sc-28.1_smt")
    assert target.name.startswith("SC-28(1): Data at rest")
    assert target.not_shown
    selected = review(targets)["control-selections"]
    assert isinstance(selected, list)
    assert selected[0]["include-controls"] == [{"control-id": token} for token in targets.controls]


@pytest.mark.parametrize("how", ["chosen", "none"])
def test_without_nist_rules_are_controls(head: Any, how: str) -> None:  # noqa: ANN401 (as above)
    """Where the audit shows no control of NIST, each rule is a control of its own."""
    if how == "chosen":
        head["settings"]["frameworks"] = ["SOC 2"]
    else:
        head["criteria"]["frameworks"] = []
    targets = read_targets(head)
    assert targets.are_rules
    assert set(targets.controls) == {rule.lower() for rule in RULE_IDS}
    target = targets.controls["cmek-01"]
    assert (target.kind, target.id) == ("objective-id", "cmek-01_obj")
    assert "no control of NIST" in str(review(targets))


def test_ids_that_are_one_control_are_one_target(head: Any) -> None:  # noqa: ANN401 (as above)
    """Two spellings of one control are one target, which is direct if one of them is."""
    spelled = [
        {"framework": "NIST SP 800-53 r5", "id": "SC-12", "strength": "direct"},
        {"framework": "NIST SP 800-53 r5", "id": "sc-12", "strength": "supporting"},
        {"framework": "SOC 2", "id": "CC6.1", "strength": "direct"},
    ]
    head["criteria"]["rules"][0]["controls"] = spelled
    head["criteria"]["frameworks"][0]["controls"].append(
        {"id": "X-1", "title": "", "not_shown": ""}
    )
    head["criteria"]["rules"][1]["controls"].append(spelled[0] | {"id": "X-1"})
    targets = read_targets(head)
    assert targets.rules["CMEK-01"] == [("sc-12", True)]
    assert targets.controls["x-1"].name == "X-1"


def test_every_rule_is_an_activity(head: Any) -> None:  # noqa: ANN401 (as above)
    """Each rule is in the document with its numbers and all its frameworks, found or not."""
    activities = list(rule_activities(head, read_targets(head)))
    assert [str(activity["title"])[:7] for activity in activities] == RULE_IDS
    frameworks = {framework["name"] for framework in head["criteria"]["frameworks"]}
    shown = {
        prop["value"].partition(": ")[0]
        for props in control_properties(head).values()
        for prop in props
        if isinstance(prop["value"], str)
    }
    assert shown == frameworks
    first, second = activities[:2]
    assert isinstance(first["props"], list)
    assert first["props"][0] == {"name": "method", "value": "TEST"}
    assert properties({"findings-fail": 1})[0] in first["props"]
    assert str(first["remarks"]).startswith("“In summary")
    assert str(second["remarks"]).startswith("No subject: ")


def test_a_rule_without_controls_is_an_activity(head: Any) -> None:  # noqa: ANN401 (as above)
    """A rule to which a file of controls gives none has no related control."""
    head["criteria"]["rules"][0]["controls"] = []
    first = next(iter(rule_activities(head, read_targets(head))))
    assert "related-controls" not in first


def test_frameworks_that_are_not_shown_are_left_out(head: Any) -> None:  # noqa: ANN401 (as above)
    """The setting that chooses frameworks holds here, too."""
    head["settings"]["frameworks"] = ["SOC 2"]
    assert control_properties(head)["CMEK-01"] == properties({"controls": "SOC 2: CC6.1 (direct)"})
