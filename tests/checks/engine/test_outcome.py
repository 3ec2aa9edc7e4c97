from __future__ import annotations

import importlib
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES, Severity, rank
from checks.engine.finding import OPEN, STATUSES, Change, Finding, Status, Subject
from checks.engine.outcome import (
    SHOWN,
    FindingGroup,
    Gate,
    Noncompliant,
    Unjudged,
    report_outcome,
    require_judged,
)
from tests.checks.judging import RULES, a_finding
from tests.hypothesis_profile import examples

CARD = RULES["CMEK-01"].card
PASSES, SKIPS, FAILS, UNJUDGED = "passes", "skips", "fails", "unjudged"

findings = st.lists(
    st.builds(
        lambda status, severity, change: a_finding(status, severity=severity)._replace(
            change=change if status in OPEN else ""
        ),
        st.sampled_from(STATUSES),
        st.sampled_from(SEVERITIES),
        st.sampled_from(get_args(Change)),
    ),
    max_size=5,
)
gates = st.builds(Gate, st.sampled_from(SEVERITIES), st.booleans(), st.booleans())
PROPERTY = examples(200)


def grouped(*members: Finding, gate: Gate = Gate()) -> FindingGroup:  # noqa: B008 (frozen)
    group = FindingGroup(CARD, "")
    for member in members:
        group.add(member, gate)
    return group


def outcome(group: FindingGroup) -> str:
    """Settle ``group`` as pytest does: by the fixture first, then by the check."""
    try:
        report_outcome(require_judged(group))
    except Noncompliant:
        return FAILS
    except Unjudged:
        return UNJUDGED
    except pytest.skip.Exception:
        return SKIPS
    return PASSES


@pytest.mark.parametrize(
    ("statuses", "result"),
    [
        ("pass", PASSES),
        ("pass pass", PASSES),
        ("pass not-applicable", PASSES),
        ("not-applicable", SKIPS),
        ("", SKIPS),
        ("waived", SKIPS),
        ("waived pass", SKIPS),
        ("waived not-applicable", SKIPS),
        ("fail", FAILS),
        ("fail pass", FAILS),
        ("fail waived", FAILS),
        ("fail inconclusive", FAILS),
        ("inconclusive", UNJUDGED),
        ("inconclusive pass", UNJUDGED),
        ("inconclusive waived", UNJUDGED),
        ("error", UNJUDGED),
        ("error fail", UNJUDGED),
        ("error pass", UNJUDGED),
    ],
)
def test_each_mix_of_statuses_has_its_outcome(statuses: str, result: str) -> None:
    """A group passes only if something in it passes and all else does not apply."""
    members = [
        a_finding(get_arg)
        for get_arg in get_args(Status)
        for word in statuses.split()
        if word == get_arg
    ]
    assert outcome(grouped(*members)) == result


@pytest.mark.parametrize(
    ("status", "severity", "gate", "result"),
    [
        ("fail", "advisory", Gate(), SKIPS),
        ("fail", "advisory", Gate("advisory"), FAILS),
        ("fail", "low", Gate(), FAILS),
        ("fail", "high", Gate("critical"), SKIPS),
        ("fail", "critical", Gate("critical"), FAILS),
        ("inconclusive", "advisory", Gate("critical"), UNJUDGED),
        ("inconclusive", "critical", Gate(allow_inconclusive=True), SKIPS),
        ("error", "advisory", Gate("critical", allow_inconclusive=True), UNJUDGED),
    ],
)
def test_gates_let_through_what_they_are_reported_to(
    status: Status, severity: Severity, gate: Gate, result: str
) -> None:
    """A gate lets milder failures and the inconclusive through as skipped, and errors never."""
    assert outcome(grouped(a_finding(status, severity=severity), gate=gate)) == result
    both = [a_finding("pass"), a_finding(status, severity=severity)]
    assert outcome(grouped(*both, gate=gate)) == result


@pytest.mark.parametrize(
    "change", [get_arg for get_arg in get_args(Change) if get_arg != "unchanged"]
)
@pytest.mark.parametrize("status", ["fail", "inconclusive", "error"])
def test_a_gate_on_what_is_new_stops_for_it(status: Status, change: Change) -> None:
    """What is new, reopened, worsened, unclear or of no known change stops as in any run."""
    finding = a_finding(status)._replace(change=change)
    expected = FAILS if status == "fail" else UNJUDGED
    assert outcome(grouped(finding, gate=Gate(new_only=True))) == expected


@pytest.mark.parametrize(
    ("status", "result", "known"),
    [("fail", SKIPS, 1), ("inconclusive", SKIPS, 1), ("error", UNJUDGED, 0)],
)
def test_a_gate_on_what_is_new_lets_the_known_through(
    status: Status, result: str, known: int
) -> None:
    """What is unchanged since the baseline is skipped and counted; a check that broke stops."""
    finding = a_finding(status)._replace(change="unchanged")
    group = grouped(finding, gate=Gate(new_only=True))
    assert (outcome(group), group.known, group.status) == (result, known, status)
    assert outcome(grouped(finding)) == (FAILS if status == "fail" else UNJUDGED)


def test_what_is_below_the_gate_is_not_called_known() -> None:
    """A finding that would not stop in any case does so not because the baseline knows it."""
    mild = a_finding(severity="advisory")._replace(change="unchanged")
    assert grouped(mild, gate=Gate(new_only=True)).known == 0


@PROPERTY
@given(findings, gates)
def test_only_what_complies_passes(members: list[Finding], gate: Gate) -> None:
    """Whatever the gate, a group with an open or waived finding never passes."""
    statuses = {member.status for member in members}
    expected = "pass" in statuses and statuses <= {"pass", "not-applicable"}
    assert (outcome(grouped(*members, gate=gate)) == PASSES) == expected


@PROPERTY
@given(findings, gates)
def test_what_stops_is_never_let_through(members: list[Finding], gate: Gate) -> None:
    """A group is failed or unjudged if and only if the gate stops one of its findings."""
    stops = any(gate.stops(member.status, member.severity, member.change) for member in members)
    assert (outcome(grouped(*members, gate=gate)) in {FAILS, UNJUDGED}) == stops


@PROPERTY
@given(findings, gates)
def test_the_worst_open_finding_gives_the_severity(members: list[Finding], gate: Gate) -> None:
    """A group is as severe as its worst open finding, or as its card if none is open."""
    ranks = [rank(member.severity) for member in members if member.status in OPEN]
    expected = SEVERITIES[min(ranks)] if ranks else CARD.severity
    assert grouped(*members, gate=gate).severity == expected


@PROPERTY
@given(findings, findings, gates)
def test_merging_is_adding(one: list[Finding], two: list[Finding], gate: Gate) -> None:
    """Two groups merged are what a group of all their findings is."""
    merged = grouped(*one, gate=gate)
    merged.merge(grouped(*two, gate=gate))
    together = grouped(*one, *two, gate=gate)
    assert merged.counts == together.counts
    assert (merged.stopping, merged.known) == (together.stopping, together.known)
    assert (merged.status, merged.severity) == (together.status, together.severity)
    assert (merged.open_in, merged.examples) == (together.open_in, together.examples)
    assert merged.text() == together.text()
    assert outcome(merged) == outcome(together)


def test_the_status_that_stops_speaks_for_the_group() -> None:
    """An advisory failure that does not stop gives way to an inconclusive finding that does."""
    members = [a_finding("fail", severity="advisory"), a_finding("inconclusive")]
    assert grouped(*members).status == "inconclusive"
    assert grouped(*members, gate=Gate(allow_inconclusive=True)).status == "fail"
    assert grouped(*members, gate=Gate("advisory")).status == "fail"
    assert grouped().status == "not-applicable"


def test_the_text_begins_with_the_facts() -> None:
    """Each finding that is no pass comes first, by name and urgent ones before others.

    The rule, with the number of findings of each status, is the last line.
    """
    members = [
        a_finding("pass", "acme/a"),
        a_finding("not-applicable", "acme/b"),
        a_finding("inconclusive", "acme/c"),
        a_finding("fail", "acme/d")._replace(action="Register a key."),
    ]
    name = "acme / Serverless on AWS / us-east-1"
    assert grouped(*members).text().splitlines() == [
        f"{name}: It is fail. [fail]",
        "    To do: Register a key.",
        f"{name}: It is inconclusive. [inconclusive]",
        f"{name}: It is not-applicable. [not-applicable]",
        f"CMEK-01 {CARD.title}: 1 fail, 1 inconclusive, 1 pass, 1 not-applicable",
    ]


def test_the_text_names_organization_and_database() -> None:
    """An organization and a database go by their names, and no character of them hides."""
    subject = Subject("database", "o1/database/d1", "o1", "serverless", "aws", database="d1")
    finding = a_finding("fail")._replace(subject=subject, name="ord\u202eers")
    group = FindingGroup(CARD, "o1/database/d1")
    group.organization = "acme-prod"
    group.add(finding, Gate())
    assert group.text().splitlines()[0] == (
        "acme-prod / ord?ers / Serverless on AWS: It is fail. [fail]"
    )
    assert [(example.id, example.step) for example in group.examples] == [(finding.id, "")]


def test_a_group_knows_where_it_is_open() -> None:
    """The places of a group are those of its open findings, and of no others."""
    across = Subject("key-id", "./key-id/k", "", key="k")
    members = [
        a_finding("pass", "o1/a"),
        a_finding("waived", "o2/a"),
        a_finding("fail", "o3/a"),
        a_finding("inconclusive", "o3/b"),
        a_finding("error")._replace(subject=across),
    ]
    assert grouped(*members).open_in == {
        ("o3", "serverless", "aws", "us-east-1"),
        ("", "", "", ""),
    }


def test_the_text_of_an_empty_group_says_what_that_means() -> None:
    """A rule that had no subject says so in the words of its card."""
    assert grouped().text() == f"CMEK-01 not applicable: {CARD.no_subject}"


def test_a_long_text_ends_in_a_count() -> None:
    """No more than ten findings are named; the others are counted."""
    members = [a_finding("fail", f"acme/{n:02}") for n in range(SHOWN)]
    assert grouped(*members).text().count("[fail]") == SHOWN
    assert "more" not in grouped(*members).text()
    more = [a_finding("fail", f"acme/x{n:02}") for n in range(2)]
    text = grouped(*members, *more, a_finding("pass")).text()
    assert text.count("[fail]") == SHOWN
    assert text.splitlines()[-2] == "… and 2 more in the report"
    many = grouped(*members, *(a_finding("fail", f"acme/y{n}") for n in range(1000)))
    assert many.text().splitlines()[-2] == "… and 1,000 more in the report"


def test_a_late_failure_is_named_before_what_does_not_apply() -> None:
    """A failure is named however many findings that do not apply came before it."""
    members = [a_finding("not-applicable", f"acme/{n:02}") for n in range(SHOWN)]
    late = [*members, a_finding("fail", "acme/late"), a_finding("error", "acme/later")]
    assert [example.status for example in grouped(*late).examples] == [
        "error",
        "fail",
        *["not-applicable"] * (SHOWN - 2),
    ]


def test_pytest_is_reported_what_the_group_is_of() -> None:
    """The properties of an item give rule, status, severity and subject, and count its findings."""
    group = grouped(a_finding("fail", severity="critical"), a_finding("pass"))
    group.organization, group.type, group.provider, group.region = "acme", "t", "p", "r"
    assert group.properties() == [
        ("rule", "CMEK-01"),
        ("status", "fail"),
        ("severity", "critical"),
        ("organization", "acme"),
        ("type", "t"),
        ("provider", "p"),
        ("region", "r"),
        ("findings", "2"),
    ]


@pytest.mark.parametrize(("result", "statuses"), [(Noncompliant, "fail"), (Unjudged, "error")])
def test_an_outcome_shows_its_text_alone(result: type[Exception], statuses: Status) -> None:
    """What pytest shows of an outcome is the text of the group, without a traceback."""
    with pytest.raises(result) as raised:
        report_outcome(require_judged(grouped(a_finding(statuses))))
    assert str(raised.value) == grouped(a_finding(statuses)).text()
    assert vars(raised.value)["pytrace"] is False


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_check_settles_its_group(rule: object) -> None:
    """The check of each rule passes, fails or is skipped as its group says."""
    card = RULES[getattr(rule, "card").id].card  # noqa: B009 (any rule will do)
    check = getattr(importlib.import_module(f"checks.{card.check}"), card.check)
    check(grouped(a_finding("pass")))
    with pytest.raises(Noncompliant):
        check(grouped(a_finding("fail")))
    with pytest.raises(pytest.skip.Exception):
        check(grouped(a_finding("waived")))
