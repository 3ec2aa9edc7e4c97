"""The audit by framework: the worst of its findings decides what is said of a control."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.frameworks import STATE, Tally, view_frameworks
from tests.hypothesis_profile import examples

ONE = "Acme 1"
CLEAN: Any = {"fail": 0, "inconclusive": 0, "error": 0, "waived": 0, "pass": 0, "not-applicable": 0}


def a_rule(
    number: int, strength: str = "direct", control: str = "A-1", passed: int = 0, **counts: int
) -> Any:  # noqa: ANN401 (a part of the record)
    return {
        "id": f"CMEK-0{number}",
        "title": f"Rule {number}",
        "controls": [{"framework": ONE, "id": control, "strength": strength}],
        "counts": CLEAN
        | {"pass": passed}
        | {name.replace("_", "-"): counts[name] for name in counts},
    }


def a_head(*rules: Any, controls: tuple[str, ...] = ("A-1",), **over: Any) -> Any:  # noqa: ANN401 (parts of the record)
    words = [
        {"id": control, "title": f"Title of {control}", "not_shown": ""} for control in controls
    ]
    framework = {"name": ONE, "not_shown": "All else.", "controls": words}
    return {
        "settings": {"frameworks": over.get("chosen", []), "left_out": over.get("left_out", "")},
        "criteria": {"rules": list(rules), "frameworks": over.get("frameworks", [framework])},
        "not_evaluated": over.get("not_evaluated", []),
    }


def _state(*rules: Any, **over: Any) -> str:  # noqa: ANN401 (parts of the record)
    [framework] = view_frameworks(a_head(*rules, **over))
    [control] = framework.controls
    assert framework.worst == control.state
    return control.state.word


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ([a_rule(1, fail=1, error=1, waived=1, passed=9)], "failing evidence"),
        ([a_rule(1, "context", fail=1), a_rule(2, passed=9)], "failing evidence"),
        ([a_rule(1, inconclusive=1, waived=1, passed=9)], "evidence incomplete"),
        ([a_rule(1, error=1, passed=9)], "evidence incomplete"),
        ([a_rule(1, waived=1, passed=9)], "waived failures"),
        ([a_rule(1, passed=1), a_rule(2, "context")], "no failing evidence"),
        ([a_rule(1), a_rule(2, "supporting", passed=1)], "supporting evidence only"),
        ([a_rule(1), a_rule(2, "context", passed=1)], "context only"),
        ([a_rule(1, not_applicable=3), a_rule(2)], "no subject"),
    ],
)
def test_the_worst_finding_decides(rules: list[Any], word: str) -> None:
    """No pass hides a failure, a missing fact or a waiver, and a rule without subject adds none."""
    assert _state(*rules) == word


@pytest.mark.parametrize(
    ("over", "note"),
    [
        ({"left_out": "1 of 16 groups"}, "this run is partial"),
        (
            {"not_evaluated": [{"rule": "CMEK-01", "reason": "clouds-left-out"}]},
            "facts of the clouds were left out",
        ),
    ],
)
def test_what_was_left_out_is_incomplete(over: dict[str, Any], note: str) -> None:
    """A partial run, and an audit without the facts of the clouds, give no whole evidence."""
    rule = a_rule(1, passed=9)
    assert _state(rule, **over) == "evidence incomplete"
    [framework] = view_frameworks(a_head(rule, **over))
    assert framework.controls[0].rules[0].note == note


def test_a_rule_that_was_not_run_is_no_rule_without_subject() -> None:
    """In a partial run nobody knows whether a rule without findings has a subject."""
    assert _state(a_rule(1), left_out="1 of 16 groups") == "evidence incomplete"


def test_the_evidence_of_a_control() -> None:
    """A control adds up the findings of its rules, of which the strongest comes first."""
    weak, strong = a_rule(1, "context", fail=2, error=1), a_rule(2, waived=3, inconclusive=4)
    [framework] = view_frameworks(a_head(weak, strong))
    [control] = framework.controls
    assert (control.strength, control.tally) == ("direct", Tally(2, 5, 3, 0))
    assert [(each.rule, each.strength, each.tally.words) for each in control.rules] == [
        ("CMEK-02", "direct", "4 inconclusive, 3 waived"),
        ("CMEK-01", "context", "2 fail, 1 inconclusive"),
    ]


def test_a_rule_that_names_a_control_twice_counts_once() -> None:
    """A control that is listed twice for a rule has that rule's findings once."""
    rule = a_rule(1, fail=2)
    rule["controls"] *= 2
    [framework] = view_frameworks(a_head(rule))
    assert framework.controls[0].tally == Tally(2, 0, 0, 0)


def test_the_findings_of_one_organization() -> None:
    """Other counts may be given, such as those of one organization; what they lack is nothing."""
    rules = [a_rule(1, fail=2), a_rule(2, "supporting", fail=2)]
    [framework] = view_frameworks(a_head(*rules), {"CMEK-02": CLEAN | {"pass": 1}})
    assert framework.controls[0].state == STATE["supporting"]


@pytest.mark.parametrize(
    ("counts", "summary"),
    [
        (
            [{"fail": 1}, {"fail": 1}, {"inconclusive": 1}, {}],
            "2 of 4 controls have failing evidence; 1 has incomplete evidence; 1 has no subject",
        ),
        ([{"passed": 1}], "1 of 1 control has no failing evidence"),
        ([], "no rule gives evidence to it"),
    ],
)
def test_a_framework_in_one_line(counts: list[Any], summary: str) -> None:
    """The line of a framework counts its controls by what the findings say, the worst first."""
    names = tuple(f"A-{number}" for number in range(len(counts)))
    rules = [a_rule(1, control=name, **own) for name, own in zip(names, counts, strict=True)]
    [framework] = view_frameworks(a_head(*rules, controls=names))
    assert framework.summary == summary


def test_only_the_chosen_frameworks_are_shown() -> None:
    """Where frameworks are chosen, the others are left out."""
    frameworks = [{"name": name, "not_shown": "", "controls": []} for name in (ONE, "Acme 2")]
    shown = view_frameworks(a_head(frameworks=frameworks, chosen=["Acme 2"]))
    assert [framework.name for framework in shown] == ["Acme 2"]


@examples(100)
@given(st.lists(st.text(max_size=70), unique=True, min_size=1, max_size=6))
def test_every_anchor_is_safe_and_its_own(controls: list[str]) -> None:
    """Whatever ids controls have, each gets an anchor of its own, of letters, digits and dashes."""
    rules = [a_rule(1, control=control) for control in controls]
    [framework] = view_frameworks(a_head(*rules, controls=tuple(controls)))
    anchors = [framework.anchor, *(control.anchor for control in framework.controls)]
    assert len(set(anchors)) == len(controls) + 1
    assert all(re.fullmatch(r"(control|framework)-[a-z0-9-]+", anchor) for anchor in anchors)
