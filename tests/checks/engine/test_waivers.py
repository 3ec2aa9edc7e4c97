from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.finding import STATUSES
from checks.engine.waivers import EXPIRING_DAYS, LONGEST_DAYS, Waiver, WaiverBook, read_waivers
from inventory.errors import Problem, WaiverError
from tests.builders import AS_OF, moment, write_json, write_text, write_yaml
from tests.checks.judging import RULES, a_finding
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from checks.engine.finding import Status

PATH = "acme/serverless/aws/us-east-1"


def waiver_data(**over: object) -> dict[str, Any]:
    return {
        "id": "W-1",
        "rule": "CMEK-01",
        "subject": PATH,
        "cause": "without-key",
        "reason": "The region is left in December.",
        "requested_by": "acme-orders",
        "approved_by": "acme-security",
        "requested_on": "2026-09-01",
        "approved_on": "2026-09-02",
        "expires_on": "2027-03-01",
        "compensating_control": "The data is public.",
        "ticket": "ACME-1",
    } | over


def request_data(**over: object) -> dict[str, Any]:
    asked = waiver_data()
    return {name: value for name, value in asked.items() if not name.startswith("approved_")} | over


APPROVAL = {"approved_by", "approved_on"}


def a_waiver(**over: object) -> Waiver:
    return Waiver.model_validate(waiver_data(**over))


def document(*waivers: Mapping[str, Any]) -> dict[str, Any]:
    return {"cmek-waivers": 1, "waivers": list(waivers)}


def book(*waivers: Waiver, as_of: datetime = AS_OF) -> WaiverBook:
    return WaiverBook(waivers or [a_waiver()], as_of)


def state(waiver: Waiver, as_of: datetime = AS_OF, *statuses: Status) -> str:
    waivers = WaiverBook([waiver], as_of)
    for status in statuses:
        waivers.apply(a_finding(status))
    ((_, found),) = waivers.states()
    return found


def problems(tmp_path: Path, *waivers: Mapping[str, Any]) -> list[Problem]:
    file = write_yaml(tmp_path / "waivers.yaml", document(*waivers))
    with pytest.raises(WaiverError) as raised:
        read_waivers([file], RULES)
    return [problem._replace(file="") for problem in raised.value.problems]


# --- what a waiver covers ---------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_a_failure_alone_is_waived(status: Status) -> None:
    """A waiver turns a failure into waived, and nothing else: not what could not be judged."""
    finding = a_finding(status)
    waived = finding._replace(status="waived", waiver="W-1")
    assert book().apply(finding) == (waived if status == "fail" else finding)


@pytest.mark.parametrize(
    "other",
    [
        {"rule": "CMEK-02"},
        {"path": f"{PATH}/"},
        {"path": PATH[:-1]},
        {"path": f"{PATH}0"},
        {"path": PATH.upper()},
        {"path": "acme"},
        {"path": ""},
    ],
)
def test_a_waiver_covers_exactly_one_subject(other: dict[str, Any]) -> None:
    """A waiver covers its own rule and path, compared as a whole."""
    finding = a_finding(**other)
    assert book().apply(finding) is finding


def test_a_subject_is_no_pattern() -> None:
    """A subject that looks like a pattern covers only what is called so."""
    waivers = book(a_waiver(subject="acme/.*"), a_waiver(id="W-2", subject="*"))
    finding = a_finding()
    assert waivers.apply(finding) is finding


def test_without_waivers_findings_stay() -> None:
    """An empty book changes nothing."""
    finding = a_finding()
    assert WaiverBook([], AS_OF).apply(finding) is finding
    assert WaiverBook([], AS_OF).states() == []


@pytest.mark.parametrize(
    ("as_of", "covers"),
    [
        ("2026-09-01T23:59:59Z", False),
        ("2026-09-02T00:00:00Z", True),
        ("2027-03-01T23:59:59Z", True),
        ("2027-03-02T00:00:00Z", False),
        # The same two moments, told in other zones.
        ("2027-03-02T00:59:59+01:00", True),
        ("2027-03-01T23:00:00-01:00", False),
    ],
)
def test_days_are_those_of_utc_and_the_last_is_included(as_of: str, *, covers: bool) -> None:
    """A waiver is valid from the day of its approval to its last day, both included, in UTC."""
    finding = book(as_of=datetime.fromisoformat(as_of)).apply(a_finding())
    assert (finding.status == "waived") is covers


@pytest.mark.parametrize("status", STATUSES)
def test_a_request_covers_nothing(status: Status) -> None:
    """A waiver that nobody has approved leaves its finding as it is."""
    finding = a_finding(status)
    assert book(Waiver.model_validate(request_data())).apply(finding) is finding


# --- what became of it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "statuses", "expected"),
    [
        ({}, ("fail",), "active"),
        ({"expires_on": "2026-12-21"}, ("fail",), "expiring"),
        ({"expires_on": "2026-12-22"}, ("fail",), "active"),
        ({"expires_on": "2026-11-21"}, ("fail",), "expiring"),
        ({"expires_on": "2026-11-20"}, ("fail",), "expired"),
        ({"expires_on": "2026-11-20"}, (), "expired"),
        ({"approved_on": "2026-11-22"}, ("fail",), "not-yet-valid"),
        ({"approved_on": "2026-11-22"}, (), "not-yet-valid"),
        ({"approved_on": "2026-11-21"}, ("fail",), "active"),
        ({}, ("pass",), "unused"),
        ({}, ("inconclusive",), "unused"),
        ({}, ("error",), "unused"),
        ({}, ("not-applicable",), "unused"),
        ({"expires_on": "2026-12-01"}, ("pass",), "unused"),
        ({}, (), "unmatched"),
    ],
)
def test_each_waiver_has_a_state(
    over: dict[str, str], statuses: tuple[Status, ...], expected: str
) -> None:
    """A waiver is told by its days first, and then by what it met."""
    assert state(a_waiver(**over), AS_OF, *statuses) == expected


@pytest.mark.parametrize("statuses", [(), *((status,) for status in STATUSES)])
@pytest.mark.parametrize("over", [{}, {"expires_on": "2026-11-20"}, {"requested_on": "2027-01-01"}])
def test_a_request_stays_one_until_it_is_approved(
    over: dict[str, str], statuses: tuple[Status, ...]
) -> None:
    """Whatever a request's days are, and whatever it met, it awaits approval."""
    assert state(Waiver.model_validate(request_data(**over)), AS_OF, *statuses) == "requested"


def test_states_come_in_the_order_of_the_files() -> None:
    """Every waiver is listed once, with its own state, whatever order findings come in."""
    first, second, third = (
        a_waiver(),
        a_waiver(id="W-2", rule="CMEK-02"),
        a_waiver(id="W-3", subject="acme/other"),
    )
    waivers = book(first, second, third)
    waivers.apply(a_finding("pass", rule="CMEK-02"))
    waivers.apply(a_finding("fail"))
    assert waivers.states() == [(first, "active"), (second, "unused"), (third, "unmatched")]


# --- what makes a waiver ----------------------------------------------------------------------


@pytest.mark.parametrize("field", sorted(request_data()))
@pytest.mark.parametrize("make", [waiver_data, request_data])
def test_every_field_is_demanded(
    tmp_path: Path, field: str, make: Callable[[], dict[str, Any]]
) -> None:
    """Waiver or request, one that leaves a field out is refused, and its line is named."""
    data = make()
    del data[field]
    assert problems(tmp_path, data) == [Problem("", 3, f"waivers[0].{field}", "nothing", "a value")]


@pytest.mark.parametrize("field", sorted(APPROVAL))
@pytest.mark.parametrize("absent", ["left out", "left blank"])
def test_an_approval_is_whole_or_absent(tmp_path: Path, field: str, absent: str) -> None:
    """Who approved without a day, or a day without who, is refused: half an approval is none."""
    data = waiver_data(**{field: None})
    if absent == "left out":
        del data[field]
    (problem,) = problems(tmp_path, data)
    assert (problem.line, problem.field) == (3, "waivers[0]")
    assert problem.expected == "approved_by and approved_on, or neither"


@pytest.mark.parametrize("blank", [{}, dict.fromkeys(APPROVAL)])
def test_without_an_approval_it_is_a_request(tmp_path: Path, blank: dict[str, None]) -> None:
    """A waiver is read as a request if both fields of the approval are absent or left blank."""
    file = write_yaml(tmp_path / "waivers.yaml", document(request_data() | blank))
    (waiver,) = read_waivers([file], RULES)
    assert (waiver.approved_by, waiver.approved_on) == (None, None)


@pytest.mark.parametrize("field", sorted(waiver_data()))
@pytest.mark.parametrize("value", ["", "  ", "\u200b", "\u2800\ufe0f\u3164", None])
def test_no_field_may_be_empty(tmp_path: Path, field: str, value: str | None) -> None:
    """A field that is there and says nothing is refused like one that is missing."""
    fields = {problem.field for problem in problems(tmp_path, waiver_data(**{field: value}))}
    half = value is None and field in APPROVAL
    assert fields == {"waivers[0]" if half else f"waivers[0].{field}"}


@pytest.mark.parametrize(
    "requester",
    [
        "acme-security",
        "ACME-Security",
        " acme-security ",
        "acme-security\n",
        "acme\u200b-security",
        "acme-security\u2800",
        "\uff41\uff43\uff4d\uff45-security",
        "acme-security (cloud)",
        "acme-security <security@example.com",
    ],
)
def test_nobody_grants_what_he_asked_for(tmp_path: Path, requester: str) -> None:
    """The approver is another person than the requester, in whatever spelling."""
    (problem,) = problems(tmp_path, waiver_data(requested_by=requester))
    assert (problem.field, problem.expected) == (
        "waivers[0]",
        "an approver other than the requester",
    )


@pytest.mark.parametrize(
    "over",
    [
        {"requested_on": "2026-09-03"},
        {"approved_on": "2027-03-02"},
        {"expires_on": "2026-09-01"},
    ],
)
def test_days_come_in_order(tmp_path: Path, over: dict[str, str]) -> None:
    """A waiver is asked for, then granted, then it ends."""
    (problem,) = problems(tmp_path, waiver_data(**over))
    assert problem.expected == "requested_on, approved_on, expires_on in this order"


def test_a_request_does_not_end_before_it_is_made(tmp_path: Path) -> None:
    """A request whose last day comes before the day of the request is refused."""
    (problem,) = problems(tmp_path, request_data(expires_on="2026-08-31"))
    assert problem.expected == "requested_on, expires_on in this order"
    data = document(request_data(expires_on="2026-09-01"))
    assert len(read_waivers([write_yaml(tmp_path / "one-day.yaml", data)], RULES)) == 1


def test_days_may_be_equal() -> None:
    """A waiver may be asked for, granted and end on a single day."""
    waiver = a_waiver(**dict.fromkeys(("requested_on", "approved_on", "expires_on"), "2026-11-21"))
    assert state(waiver, AS_OF, "fail") == "expiring"


@examples(60)
@given(
    st.integers(LONGEST_DAYS - 3, LONGEST_DAYS + 3), st.dates(date(2020, 1, 1), date(2030, 1, 1))
)
def test_a_waiver_lasts_a_year_at_most(days: int, approved: date) -> None:
    """A waiver ends at most 365 days after its approval, in leap years too."""
    over = {
        "requested_on": str(approved),
        "approved_on": str(approved),
        "expires_on": str(approved + timedelta(days=days)),
    }
    if days <= LONGEST_DAYS:
        assert a_waiver(**over).expires_on == approved + timedelta(days=days)
    else:
        with pytest.raises(ValueError, match="an expiry at most 365 days after the approval"):
            a_waiver(**over)


@pytest.mark.parametrize("day", ["2026-9-1", "2026-09-31", "2026-09-01T00:00:00Z", 20260901])
def test_days_are_days(tmp_path: Path, day: object) -> None:
    """A day that is none, or has a time, is refused."""
    (problem,) = problems(tmp_path, waiver_data(requested_on=day))
    assert problem.field == "waivers[0].requested_on"


def test_a_subject_may_be_as_long_as_any() -> None:
    """A subject whose path is longer than any id can still be named."""
    path = "acme/key-id/" + "a" * 10_000
    waived = book(a_waiver(subject=path)).apply(a_finding(path=path))
    assert waived.status == "waived"


# --- files ------------------------------------------------------------------------------------


def test_waivers_are_read_from_several_files(tmp_path: Path) -> None:
    """Waivers come from YAML and JSON, in the order of the files, each with its line."""
    one = write_yaml(tmp_path / "one.yaml", document(waiver_data()))
    two = write_json(tmp_path / "two.json", document(waiver_data(id="W-2", rule="CMEK-02")))
    waivers = read_waivers([one, two], RULES)
    assert [(waiver.id, waiver.location) for waiver in waivers] == [
        ("W-1", (one, 3)),
        ("W-2", (two, 4)),
    ]


def test_an_empty_list_is_allowed_and_an_absent_one_is_not(tmp_path: Path) -> None:
    """A file may hold no waiver yet, and has to say so."""
    assert read_waivers([write_yaml(tmp_path / "a.yaml", document())], RULES) == []
    with pytest.raises(WaiverError, match="waivers: found nothing, expected a value"):
        read_waivers([write_yaml(tmp_path / "b.yaml", {"cmek-waivers": 1})], RULES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found an empty file"),
        ("waivers: []\n", "cmek-waivers: found nothing, expected a value"),
        ("cmek-waivers: 2\nwaivers: []\n", "cmek-waivers: found 2, expected 1"),
        ("cmek-waivers: 1\nwaivers: {}\n", "waivers: found an empty mapping, expected a list"),
        ("cmek-waivers: 1\nwaivers: []\nwaivers: []\n", "waivers: found"),
        ("cmek-waivers: 1\nwaivers: []\nnote: x\n", "note: found an unknown field"),
        ("cmek-waivers: [\n", "expected YAML"),
        ("- 1\n", "found a list of 1"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A file that is no list of waivers is refused with what was found and expected."""
    with pytest.raises(WaiverError) as raised:
        read_waivers([write_text(tmp_path / "waivers.yaml", text)], RULES)
    assert message in str(raised.value)


@pytest.mark.parametrize("name", ["missing.yaml", "waivers.txt"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """A waiver file that is not there, or of no known kind, stops the audit."""
    with pytest.raises(WaiverError, match=name):
        read_waivers([str(tmp_path / name)], RULES)


def test_unknown_rules_are_refused(tmp_path: Path) -> None:
    """A waiver for a rule that does not exist waives nothing, and is refused."""
    assert problems(tmp_path, waiver_data(rule="CMEK-1")) == [
        Problem("", 3, "rule", "'CMEK-1'", f"the id of a rule, CMEK-01 to {max(RULES)}")
    ]


def test_ids_and_targets_are_unique(tmp_path: Path) -> None:
    """Two waivers of one id, or for one cause, are refused, with where the first is."""
    twins = [waiver_data(), waiver_data(), waiver_data(id="W-2")]
    file = str(tmp_path / "waivers.yaml")
    assert problems(tmp_path, *twins) == [
        Problem("", 15, "id", f"the id of the waiver at {file}:3", "another id"),
        Problem(
            "",
            15,
            "cause",
            f"the cause of the waiver at {file}:3",
            "one waiver for a subject's cause",
        ),
        Problem(
            "",
            27,
            "cause",
            f"the cause of the waiver at {file}:3",
            "one waiver for a subject's cause",
        ),
    ]


def test_the_same_subject_may_be_waived_for_two_rules(tmp_path: Path) -> None:
    """A waiver is for one rule: another rule's failure of the same subject needs its own."""
    both = document(waiver_data(), waiver_data(id="W-2", rule="CMEK-03"))
    assert len(read_waivers([write_yaml(tmp_path / "w.yaml", both)], RULES)) == 2


def test_the_same_subject_may_be_waived_for_two_causes(tmp_path: Path) -> None:
    """A waiver is for one cause: another cause of the same subject needs its own."""
    both = document(waiver_data(), waiver_data(id="W-2", cause="planned-without-key"))
    assert len(read_waivers([write_yaml(tmp_path / "w.yaml", both)], RULES)) == 2


def test_a_waiver_covers_no_other_cause() -> None:
    """A failure of another cause than the accepted one still fails, and the waiver is unused."""
    waivers = book()
    other = a_finding()._replace(cause="planned-without-key")
    assert waivers.apply(other) == other
    assert [state for _, state in waivers.states()] == ["unused"]


def test_all_problems_of_all_files_are_reported(tmp_path: Path) -> None:
    """Every mistake of every file is reported at once, twins across the files too."""
    one = write_yaml(tmp_path / "one.yaml", document(waiver_data(ticket=""), waiver_data(id="")))
    two = write_yaml(tmp_path / "two.yaml", document(waiver_data(id="W-7")))
    three = write_yaml(tmp_path / "three.yaml", document(waiver_data(rule="CMEK-99", id="W-7")))
    with pytest.raises(WaiverError) as raised:
        read_waivers([one, two, three, str(tmp_path / "none.yaml")], RULES)
    found = {(problem.file.rpartition("/")[2], problem.field) for problem in raised.value.problems}
    assert found == {
        ("one.yaml", "waivers[0].ticket"),
        ("one.yaml", "waivers[1].id"),
        ("three.yaml", "rule"),
        ("three.yaml", "id"),
        ("none.yaml", ""),
    }


def test_the_numbers_are_the_documented_ones() -> None:
    """A waiver lasts 365 days at most, and is called expiring in its last 30."""
    assert (LONGEST_DAYS, EXPIRING_DAYS) == (365, 30)
    assert moment("2026-11-21T02:00:00Z") == AS_OF


@examples(100)
@given(
    found=st.lists(
        st.tuples(st.sampled_from(STATUSES), st.sampled_from(["without-key", "other", ""])),
        max_size=4,
    ),
    cut=st.integers(0, 4),
)
def test_what_became_of_waivers_in_parts_is_what_became_of_them(
    found: list[tuple[Status, str]], cut: int
) -> None:
    """The books of two parts of an audit, merged, state what one book of the whole does."""
    findings = [a_finding(status, PATH)._replace(cause=cause) for status, cause in found]
    waivers = a_waiver(), a_waiver(id="W-2", subject=f"{PATH}-other")
    whole, first, second = (book(*waivers) for _ in range(3))
    for finding in findings:
        whole.apply(finding)
    for place, finding in enumerate(findings):
        (first if place < cut else second).apply(finding)
    first.merge(second)
    assert first.states() == whole.states()
