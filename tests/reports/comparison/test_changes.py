"""What changed since a baseline, finding by finding."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES
from checks.engine.catalogue import load_rules
from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import OPEN, Finding, Status, organization_subject
from reports.comparison import changes as module
from reports.comparison.baseline import AuditReference, build_baseline, key_of
from reports.comparison.changes import NEWS, Changes, summarize_changes
from reports.comparison.key_changes import Seen
from reports.model.changes import CLASSES
from tests.builders import an_organization, moment
from tests.checks.strategies import organizations
from tests.hypothesis_profile import examples
from tests.reports.comparing import (
    FIRST,
    SECOND,
    by_class,
    compared,
    in_memory,
    open_keys,
    stored,
)
from tests.reports.recording import a_finding, findings

if TYPE_CHECKING:
    from checks.engine.card import Severity
    from inventory.model.organization import Organization

RULES = load_rules()
BY_KEY = st.lists(findings(), max_size=6, unique_by=key_of)


# --- one finding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "now", "what"),
    [
        (None, "fail", "new"),
        (None, "inconclusive", "new"),
        (None, "error", "new"),
        ("pass", "fail", "new"),
        ("not-applicable", "inconclusive", "new"),
        ("waived", "fail", "reopened"),
        ("waived", "inconclusive", "reopened"),
        ("fail", "fail", "unchanged"),
        ("inconclusive", "inconclusive", "unchanged"),
        ("error", "error", "unchanged"),
        ("inconclusive", "fail", "worsened"),
        ("error", "fail", "worsened"),
        ("fail", "inconclusive", "unclear"),
        ("error", "inconclusive", "unclear"),
        ("fail", "error", "unclear"),
        ("inconclusive", "error", "unclear"),
        ("fail", "pass", "fixed"),
        ("inconclusive", "pass", "fixed"),
        ("error", "pass", "fixed"),
        ("fail", "not-applicable", "fixed"),
        ("fail", "waived", "waived"),
        ("fail", None, "gone"),
        ("inconclusive", None, "gone"),
        ("waived", "waived", ""),
        ("waived", "pass", ""),
        ("waived", None, ""),
        ("pass", "pass", ""),
        (None, None, ""),
    ],
)
def test_each_turn_of_a_status_has_its_class(
    tmp_path: Path, was: Status | None, now: Status | None, what: str
) -> None:
    """From the two statuses of a finding follows what became of it."""
    old, new = [[a_finding(each)] if each else [] for each in (was, now)]
    taken, shown = compared(stored(tmp_path, old), new)
    assert {each for each, count in shown["counts"].items() if count} == {what} - {""}
    assert [each.change for each in taken] == [what if now in OPEN else "" for _ in new]


@pytest.mark.parametrize("was", SEVERITIES)
@pytest.mark.parametrize("now", SEVERITIES)
def test_what_is_graver_is_worsened(tmp_path: Path, was: Severity, now: Severity) -> None:
    """A failure of a graver severity is worsened, and one of a milder one is unchanged."""
    _, shown = compared(stored(tmp_path, [a_finding(severity=was)]), [a_finding(severity=now)])
    is_graver = SEVERITIES.index(now) < SEVERITIES.index(was)
    assert set(by_class(shown)) == {"worsened" if is_graver else "unchanged"}


def _unread(*facts: str) -> Any:  # noqa: ANN401 (an Organization)
    gaps = [{"fact": fact, "reason": "refused"} for fact in facts]
    return an_organization(id="acme", name="acme", gaps=gaps)


@pytest.mark.parametrize(
    ("was", "now", "what"),
    [
        (["databases"], ["databases"], "unchanged"),
        (["databases", "serverless-keys"], ["databases"], "unchanged"),
        (["databases"], ["databases", "serverless-keys"], "worsened"),
        (["databases"], ["serverless-keys"], "worsened"),
    ],
)
def test_an_organization_that_hides_more_is_worsened(
    tmp_path: Path, was: list[str], now: list[str], what: str
) -> None:
    """If more of an organization is unread than before, what it hides is not called known."""
    finding = a_finding("inconclusive", reason="refused", subject=organization_subject("acme"))
    other = a_finding("inconclusive", reason="refused", organization="acme")
    failing = a_finding("fail", rule="CMEK-08", subject=organization_subject("acme"))
    given = [finding, other, failing]
    taken, shown = compared(stored(tmp_path, given, [_unread(*was)]), given, [_unread(*now)])
    assert [each.change for each in taken] == [what, "unchanged", "unchanged"]
    reasons = {each["reason"] for each in shown["lists"]["worsened"]}
    assert reasons == ({"more-unread"} if what == "worsened" else set())


def test_an_entry_says_what_was_and_what_is(tmp_path: Path) -> None:
    """Of a listed finding both statuses, its severity, subject, words and age are reported."""
    old = a_finding(
        "inconclusive", reason="refused", name="acme-orders", message="It is not known."
    )
    new = a_finding("fail", severity="critical", name="acme-orders", message="It is missing.")
    _, shown = compared(stored(tmp_path, [old]), [new])
    assert shown["lists"]["worsened"] == [
        {
            "id": new.id,
            "rule": "CMEK-01",
            "cause": "without-key",
            "status_before": "inconclusive",
            "status": "fail",
            "severity": "critical",
            "severity_before": "high",
            "organization": new.subject.organization,
            "path": new.subject.path,
            "name": "acme-orders",
            "message": "It is missing.",
            "since": FIRST,
            "audits": 2,
            "reason": "",
        }
    ]


def test_the_baseline_is_named(tmp_path: Path) -> None:
    """The changes name the earlier audit by path, report id, time and hash, and its rules."""
    folder = stored(tmp_path)
    head = json.loads((folder / "audit.json").read_bytes())
    _, shown = compared(folder)
    named = shown["baseline"]
    assert named | {"sha256": ""} == {
        "path": f"{folder}/audit.json",
        "report": head["report"],
        "as_of": FIRST,
        "sha256": "",
        "same_rules": False,
    }


def test_the_worst_are_listed_first_and_no_more_than_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are counted; if they are too many, the gravest are listed."""
    monkeypatch.setattr(module, "MOST_LISTED", 3)
    new = [
        a_finding(severity=severity, region=f"{severity}-{number}")
        for severity in ("low", "high")
        for number in range(4)
    ]
    new += [a_finding(severity="critical", region="critical-0")]
    _, shown = compared(stored(tmp_path), new)
    assert shown["counts"]["new"] == 9
    assert [each["path"].rpartition("/")[2] for each in shown["lists"]["new"]] == [
        "critical-0",
        "high-0",
        "high-1",
    ]


# --- causes of one subject ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "now", "classes"),
    [
        (["fail a"], ["fail a", "fail b"], {"unchanged": 1, "new": 1}),
        (["fail a", "fail b"], ["fail a"], {"unchanged": 1, "fixed": 1}),
        (["fail a"], ["fail b"], {"new": 1, "superseded": 1}),
        (["waived a"], ["waived a", "fail b"], {"new": 1}),
        (["waived a"], ["fail b"], {"new": 1}),
        (["inconclusive a"], ["fail b"], {"worsened": 1, "superseded": 1}),
        (["fail a"], ["inconclusive b"], {"unclear": 1, "superseded": 1}),
        (["fail planned-a"], ["fail a"], {"worsened": 1, "superseded": 1}),
        (["inconclusive planned-a"], ["inconclusive a"], {"worsened": 1, "superseded": 1}),
        (
            ["fail a", "inconclusive b"],
            ["fail a", "inconclusive c"],
            {
                "unchanged": 1,
                "unclear": 1,
                "superseded": 1,
            },
        ),
        (["fail a", "fail b"], ["pass"], {"fixed": 2}),
        (["fail a", "fail b"], [], {"gone": 2}),
        (["fail a", "fail b"], ["waived a"], {"waived": 1, "fixed": 1}),
    ],
)
def test_each_cause_has_a_class_of_its_own(
    tmp_path: Path, was: list[str], now: list[str], classes: dict[str, int]
) -> None:
    """Of one subject each cause is followed by itself, so none hides behind another."""
    _, shown = compared(stored(tmp_path, map(_caused, was)), list(map(_caused, now)))
    assert {each: count for each, count in shown["counts"].items() if count} == classes


def _caused(text: str) -> Finding:
    """Make a finding of ``text``, a status and a cause."""
    status, _, cause = text.partition(" ")
    return a_finding(status, cause=cause)  # type: ignore[arg-type]  # a status by its word


# --- why there is no finding any more -------------------------------------------------------------


def _gone(tmp_path: Path, old: Finding, **over: Any) -> str:  # noqa: ANN401 (passed on)
    """Return why there is no such finding any more, and check that it is counted accordingly."""
    folder = stored(tmp_path, [old], [an_organization(id="acme"), an_organization(id="labs")])
    _, shown = compared(folder, **over)
    [entry] = shown["lists"]["gone"]
    assert shown["not_judged_again"] == int(entry["reason"] != "subject-absent")
    assert (entry["status_before"], entry["status"], entry["message"]) == (
        old.status,
        None,
        old.message,
    )
    return str(entry["reason"])


BOTH = [an_organization(id="acme"), an_organization(id="labs")]


@pytest.mark.parametrize(
    ("organization", "now", "why"),
    [
        ("acme", BOTH, "subject-absent"),
        ("acme", BOTH[1:], "organization-absent"),
        ("acme", [_unread("vendor-accounts"), BOTH[1]], "organization-unread"),
        ("labs", [_unread("databases"), BOTH[1]], "subject-absent"),
        ("", BOTH, "subject-absent"),
        ("", BOTH[:1], "organization-absent"),
        ("", [_unread("serverless-keys"), BOTH[1]], "organization-unread"),
    ],
)
def test_what_was_not_judged_again_is_not_called_absent(
    tmp_path: Path, organization: str, now: list[Any], why: str
) -> None:
    """Where the organization, or one of all that matter, is absent or unread, that is said."""
    old = a_finding(subject=a_finding().subject._replace(organization=organization))
    assert _gone(tmp_path, old, organizations=now) == why


@pytest.mark.parametrize(
    "reason",
    [
        *("clouds-left-out", "one-view-only"),
        *("access-not-shown", "recovery-not-shown", "use-not-shown"),
        *("refused", "not-recorded", "library-missing", "not-requested"),
    ],
)
def test_what_nobody_looked_at_again_is_not_fixed(tmp_path: Path, reason: str) -> None:
    """A rule that does not apply because its facts were left out has judged nothing again."""
    folder = stored(tmp_path, [a_finding(organization="acme")], BOTH)
    now = a_finding("not-applicable", reason=reason, organization="acme")
    _, shown = compared(folder, [now], BOTH)
    [entry] = shown["lists"]["gone"]
    assert (entry["status_before"], entry["status"], entry["reason"]) == (
        "fail",
        now.status,
        "facts-left-out",
    )
    assert (shown["counts"]["fixed"], shown["not_judged_again"]) == (0, 1)


def test_a_check_that_broke_is_a_cause(tmp_path: Path) -> None:
    """What a check judged that broke now for the same organization was not judged again."""
    broke = a_finding("error", reason="check-broke", subject=organization_subject("acme"))
    old = a_finding(organization="acme")
    assert _gone(tmp_path, old, findings=[broke], organizations=BOTH) == "check-broke"


def test_a_check_that_broke_elsewhere_is_no_cause(tmp_path: Path) -> None:
    """A check that broke for another organization, or another check, explains nothing."""
    broke = [
        a_finding("error", reason="check-broke", subject=organization_subject("labs")),
        a_finding("error", "CMEK-02", reason="check-broke", subject=organization_subject("acme")),
    ]
    old = a_finding(organization="acme")
    assert _gone(tmp_path, old, findings=broke, organizations=BOTH) == "subject-absent"


def test_a_partial_run_judges_nothing_again(tmp_path: Path) -> None:
    """What a partial run left out is not called absent, and of keys nothing is said."""
    assert _gone(tmp_path, a_finding(), organizations=BOTH, left_out="1 of 2") == "partial-run"
    _, shown = compared(tmp_path, left_out="1 of 2")
    assert shown["keys"] is None


# --- any findings at all --------------------------------------------------------------------------


@examples(60)
@given(old=BY_KEY)
def test_an_audit_has_not_changed_since_itself(old: list[Finding]) -> None:
    """Compared with its own findings, every open one is unchanged, and nothing else is reported."""
    taken, shown = in_memory(old, old)
    assert {each for each, count in shown["counts"].items() if count} <= {"unchanged"}
    assert shown["counts"]["unchanged"] == len(open_keys(old))
    assert [_ageless(each) for each in taken] == [_ageless(each) for each in old]
    assert not any(shown["keys"]["counts"].values())


@examples(60)
@given(old=BY_KEY, new=BY_KEY, both=BY_KEY)
def test_every_open_finding_is_of_one_class(
    old: list[Finding], new: list[Finding], both: list[Finding]
) -> None:
    """The classes share among them all that is open in one of two audits, each finding once."""
    known = set(map(key_of, both))
    old, new = [
        [*both, *(each for each in some if key_of(each) not in known)] for some in (old, new)
    ]
    taken, shown = in_memory(old, new)
    listed = [key for keys in by_class(shown).values() for key in keys]
    assert sorted(listed) == sorted(open_keys(old) | open_keys(new))
    assert shown["counts"] == {klass: len(shown["lists"][klass]) for klass in CLASSES}
    assert {each.change for each in taken if each.status in OPEN} <= {*NEWS, "unchanged"}


@examples(60)
@given(old=BY_KEY, new=BY_KEY)
def test_only_what_the_baseline_had_open_is_called_known(
    old: list[Finding], new: list[Finding]
) -> None:
    """A finding is called unchanged only if it was open before, in the very same status."""
    taken, _ = in_memory(old, new)
    before = {key_of(each): each.status for each in old}
    for each in taken:
        if each.change == "unchanged":
            assert before[key_of(each)] == each.status


def _ageless(finding: Finding) -> Finding:
    return finding._replace(change="", since="", audits=0)


def test_the_sum_says_what_there_is() -> None:
    """In words only the classes are told that have any finding, and what was not judged again."""
    counts: Any = dict.fromkeys(CLASSES, 0)
    changes: Any = {"counts": counts, "not_judged_again": 0}
    assert summarize_changes(changes) == "none"
    counts |= {"new": 1_200, "gone": 2}
    shown = "1,200 new, 2 gone (not judged again: 1)"
    assert summarize_changes(changes | {"not_judged_again": 1}) == shown


# --- in parts -------------------------------------------------------------------------------------


@examples(100)
@given(
    nights=st.tuples(
        *(
            st.tuples(
                *(organizations(number) for number in range(1, 4)),
            )
            for _ in range(2)
        )
    ),
    cut=st.integers(0, 3),
)
def test_parts_of_an_audit_change_as_the_whole(
    nights: tuple[tuple[Organization, ...], ...], cut: int
) -> None:
    """Two parts of an audit, one sent by another process, state the changes of all of it."""
    before, after = nights
    whole, first, second = (_changes(before) for _ in range(3))
    found = [list(evaluate([each], RULES, Context(moment(SECOND)))) for each in after]
    for changes, some in (
        (whole, slice(None)),
        (first, slice(None, cut)),
        (second, slice(cut, None)),
    ):
        for organization, findings_ in zip(after[some], found[some], strict=True):
            changes.add_organization(organization)
            for finding in findings_:
                changes.classify(finding)
    first.merge(pickle.loads(pickle.dumps(second)))
    assert first.summary("0" * 64, "") == whole.summary("0" * 64, "")


def _changes(before: tuple[Organization, ...]) -> Changes:
    seen = Seen()
    for each in before:
        gaps = (gap.fact for gap in each.missing())
        seen.add_organization(each.id, each.name, gaps, each.captured_at)
    about = AuditReference("a", "0" * 64, moment(FIRST), "0" * 64, "0" * 64, is_example=False)
    found = evaluate(before, RULES, Context(moment(FIRST)))
    return Changes(build_baseline(about, seen, found), moment(SECOND))
