"""The verdict: what it says, which exit code that is, and what it says in the same breath."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import Context
from checks.engine.finding import OPEN, Finding, Status
from checks.engine.outcome import Gate
from reports.record.verdict import VERDICTS
from reports.record.writer import Settings
from tests.builders import AS_OF, a_database, a_key, an_organization, kms_facts
from tests.hypothesis_profile import examples
from tests.reports.recording import RULE_IDS, a_finding, findings
from tests.reports.recording import record as make

if TYPE_CHECKING:
    from collections.abc import Iterable


def _verdict(
    tmp_path: Path, *findings: Finding, gate: Gate | None = None, left_out: str = ""
) -> tuple[str, int]:
    made = Settings(Context(AS_OF), gate or Gate(), "subject", left_out=left_out)
    found = make(tmp_path, findings, settings=made).head["verdict"]
    return found["outcome"], found["exit_code"]


PASS = a_finding("pass", region="us-west-2")


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (a_finding("pass"), ("compliant", 0)),
        (a_finding("not-applicable"), ("compliant", 0)),
        (a_finding("waived"), ("compliant", 0)),
        (a_finding("fail", severity="critical"), ("not compliant", 1)),
        (a_finding("fail", severity="low"), ("not compliant", 1)),
        (a_finding("fail", severity="advisory"), ("compliant", 0)),
        (a_finding("inconclusive", severity="high"), ("not established", 1)),
        (a_finding("inconclusive", severity="advisory"), ("not established", 1)),
        (a_finding("error", severity="advisory"), ("broken", 1)),
    ],
    ids=lambda value: f"{value.status}-{value.severity}" if isinstance(value, Finding) else None,
)
def test_one_finding_settles_the_verdict(
    tmp_path: Path, finding: Finding, expected: tuple[str, int]
) -> None:
    """Beside any number of passes, one open finding is enough for another verdict."""
    assert _verdict(tmp_path, PASS, finding) == expected


def test_the_gravest_status_names_the_verdict(tmp_path: Path) -> None:
    """A broken check speaks before a failure, and that before what could not be judged."""
    statuses: list[Status] = ["pass", "inconclusive", "fail", "error"]
    words = [
        _verdict(tmp_path, *(a_finding(status) for status in statuses[: count + 1]))[0]
        for count in range(4)
    ]
    assert words == ["compliant", "not established", "not compliant", "broken"]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", SEVERITIES)
def test_the_gate_settles_what_stops(tmp_path: Path, severity: Severity, fail_on: Severity) -> None:
    """A failure stops if it is at least as severe as the gate says, and never else."""
    stops = SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
    finding = a_finding("fail", severity=severity)
    assert _verdict(tmp_path, PASS, finding, gate=Gate(fail_on))[1] == int(stops)


@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
@pytest.mark.parametrize("fail_on", SEVERITIES)
def test_no_gate_makes_a_failure_compliant(
    tmp_path: Path, severity: Severity, fail_on: Severity
) -> None:
    """What the documentation demands and is not so is never called compliant."""
    finding = a_finding("fail", severity=severity)
    assert _verdict(tmp_path, PASS, finding, gate=Gate(fail_on))[0] == "not compliant"


def test_allowing_the_inconclusive_does_not_make_it_compliant(tmp_path: Path) -> None:
    """What could not be judged may go on if allowed, and compliance still is not established."""
    gate = Gate(allow_inconclusive=True)
    found = _verdict(tmp_path, PASS, a_finding("inconclusive"), gate=gate)
    assert found == ("not established", 0)


def test_a_broken_check_always_stops(tmp_path: Path) -> None:
    """No gate lets a check pass that broke."""
    gate = Gate("critical", allow_inconclusive=True)
    found = _verdict(tmp_path, PASS, a_finding("error", severity="advisory"), gate=gate)
    assert found == ("broken", 1)


def test_an_advisory_gate_stops_for_advisories(tmp_path: Path) -> None:
    """Where the gate is set to advisories, a recommendation not followed is not compliant."""
    found = _verdict(tmp_path, PASS, a_finding(severity="advisory"), gate=Gate("advisory"))
    assert found == ("not compliant", 1)
    text = _text(tmp_path, [PASS, a_finding(severity="advisory")], gate=Gate("advisory"))
    assert text == "Not compliant: 1 check failed."


def test_a_partial_run_is_never_compliant(tmp_path: Path) -> None:
    """If part of the whole was left out, what passes is partial, and the exit code says so."""
    assert _verdict(tmp_path, PASS, left_out="1 of 2") == ("partial", 5)


def test_a_partial_run_that_the_gate_lets_pass_is_partial_all_the_same(tmp_path: Path) -> None:
    """Where the gate lets a failure pass, a part of the checks still is no audit."""
    made = _verdict(tmp_path, a_finding(), left_out="1 of 2", gate=Gate("critical"))
    assert made == ("not compliant", 5)


def test_a_partial_run_still_tells_its_failures(tmp_path: Path) -> None:
    """A failure in a part of the whole is a failure."""
    assert _verdict(tmp_path, a_finding(), left_out="1 of 2") == ("not compliant", 1)


@pytest.mark.parametrize("given", [(), (a_finding("not-applicable"),)], ids=["none", "aside"])
def test_an_audit_that_judged_nothing_stops(tmp_path: Path, given: tuple[Finding, ...]) -> None:
    """No finding at all, or none that says yes or no, is not compliance."""
    assert _verdict(tmp_path, *given) == ("nothing judged", 1)


@pytest.mark.parametrize(
    ("counts", "gate", "text"),
    [
        ({"fail": 1}, Gate(), "Not compliant: 1 check failed."),
        ({"fail": 2}, Gate(), "Not compliant: 2 checks failed."),
        ({"inconclusive": 1}, Gate(), "Compliance is not established: 1 check is inconclusive."),
        (
            {"fail": 12, "inconclusive": 16},
            Gate(),
            "Not compliant: 12 checks failed; 16 are inconclusive.",
        ),
        (
            {"error": 1, "fail": 1, "inconclusive": 1},
            Gate(),
            "The audit is incomplete: 1 check broke; 1 failed; 1 is inconclusive.",
        ),
        (
            {"error": 2, "inconclusive": 1_200},
            Gate(),
            "The audit is incomplete: 2 checks broke; 1,200 are inconclusive.",
        ),
        (
            {"fail": 2, "pass": 1},
            Gate("critical"),
            (
                "Not compliant: 2 checks failed. "
                "The gate (--cmek-fail-on critical) lets this run pass."
            ),
        ),
        (
            {"fail": 1, "inconclusive": 1},
            Gate(allow_inconclusive=True),
            (
                "Not compliant: 1 check failed; 1 is inconclusive. "
                "The gate (--cmek-allow-inconclusive) stops this run for 1 of these."
            ),
        ),
        (
            {"fail": 2, "waived": 1},
            Gate("critical", allow_inconclusive=True, new_only=True),
            (
                "Not compliant: 2 checks failed. The gate (--cmek-fail-on critical, "
                "--cmek-allow-inconclusive, --cmek-fail-on-new) lets this run pass. "
                "1 failure is waived."
            ),
        ),
        ({"not-applicable": 1}, Gate(), f"{VERDICTS['nothing judged']}"),
    ],
    ids=str,
)
def test_the_verdict_is_reported_in_words(
    tmp_path: Path, counts: dict[Status, int], gate: Gate, text: str
) -> None:
    """The text counts what was found, and says so if the gate lets some of it go on."""
    given = [
        a_finding(status, region=f"{status}-{number}")
        for status, count in counts.items()
        for number in range(count)
    ]
    assert _text(tmp_path, given, gate) == text


def _text(tmp_path: Path, given: Iterable[Finding], gate: Gate | None = None) -> str:
    made = Settings(Context(AS_OF), gate or Gate(), "subject")
    text: str = make(tmp_path, given, settings=made).head["verdict"]["text"]
    return text


# --- what a compliant audit says in the same breath -----------------------------------------------

EVERY = [a_finding("pass", rule) for rule in RULE_IDS]
ALL_OF_THEM = f"all {len(RULE_IDS)} rules were evaluated"


def _without(*rules: str) -> list[Finding]:
    return [finding for finding in EVERY if finding.rule not in rules]


def test_a_compliant_audit_says_how_many_rules_were_evaluated(tmp_path: Path) -> None:
    """Where every rule found something and nothing failed, that is all there is to say."""
    assert _text(tmp_path, EVERY) == f"Compliant: {ALL_OF_THEM}; none failed."


def test_a_compliant_audit_names_what_is_waived(tmp_path: Path) -> None:
    """Waived failures are in the first words, and not said to be none."""
    waived = [a_finding("waived", region=f"r{number}") for number in range(2)]
    assert _text(tmp_path, [*EVERY, waived[0]]) == (
        f"Compliant, with 1 failure waived: {ALL_OF_THEM}; nothing else failed."
    )
    assert _text(tmp_path, [*EVERY, *waived]).startswith("Compliant, with 2 failures waived: ")


def test_a_compliant_audit_counts_advisories(tmp_path: Path) -> None:
    """Recommendations that are not followed are reported, and are none of what did not fail."""
    advised = [a_finding("fail", "CMEK-16", "advisory", f"r{number}") for number in range(2)]
    first = f"Compliant: {ALL_OF_THEM}; none failed above an advisory."
    assert _text(tmp_path, [*EVERY, advised[0]]) == (
        f"{first} 1 advisory failed; it does not stop a run."
    )
    assert _text(tmp_path, [*EVERY, *advised]) == (
        f"{first} 2 advisories failed; they do not stop a run."
    )


def test_a_compliant_audit_says_that_the_clouds_were_left_out(tmp_path: Path) -> None:
    """What was not asked of the clouds was not evaluated, for so many keys."""
    left = [
        a_finding("not-applicable", rule, region=region, reason="clouds-left-out")
        for rule in ("CMEK-11", "CMEK-12")
        for region in ("r1", "r2", "r3")
    ]
    evaluated = f"{len(RULE_IDS) - 2} of {len(RULE_IDS)} rules were evaluated"
    assert _text(tmp_path, [*_without("CMEK-11", "CMEK-12"), *left]) == (
        f"Compliant: {evaluated}; none failed. CMEK-11 and CMEK-12 were not evaluated for 3 keys "
        "(--cmek-kms none)."
    )
    assert _text(tmp_path, [*EVERY, left[0]]) == (
        f"Compliant: {ALL_OF_THEM}; none failed. CMEK-11 was not evaluated for 1 key "
        "(--cmek-kms none)."
    )


def test_a_compliant_audit_names_rules_that_judged_nothing(tmp_path: Path) -> None:
    """A rule without a subject, or one that applies to none, was not evaluated."""
    others = _without("CMEK-03", "CMEK-10", "CMEK-13", "CMEK-15")
    aside = [a_finding("not-applicable", "CMEK-13", reason="one-view-only")]
    assert _text(tmp_path, [*others, *aside]) == (
        f"Compliant: {len(RULE_IDS) - 4} of {len(RULE_IDS)} rules were evaluated; none failed. "
        "CMEK-03, CMEK-10 and CMEK-15 found no subject. CMEK-13 does not apply."
    )
    aside.append(a_finding("not-applicable", "CMEK-15", reason="not-attested"))
    assert _text(tmp_path, [*others, *aside]).endswith("CMEK-13 and CMEK-15 do not apply.")


def _declared(*names: str, region: str = "us-east-1") -> list[Finding]:
    return [
        a_finding("not-applicable", "CMEK-05", reason="astra-provided", subject=placed)
        for name in names
        for placed in [a_finding(region=region).subject._replace(database=name)]
    ]


def test_a_compliant_audit_counts_what_is_declared(tmp_path: Path) -> None:
    """Databases that are declared to use Astra's keys are counted once, in however many regions."""
    once, again = _declared("a"), _declared("a", region="us-west-2")
    first = f"Compliant: {ALL_OF_THEM}; none failed."
    assert _text(tmp_path, [*EVERY, *once, *again]) == (
        f"{first} 1 database is declared to use Astra's keys."
    )
    assert _text(tmp_path, [*EVERY, *_declared("a", "b")]) == (
        f"{first} 2 databases are declared to use Astra's keys."
    )


def test_an_audit_without_an_encrypted_database_says_so(tmp_path: Path) -> None:
    """Keys without a database that they are shown to encrypt are no encryption."""
    text = _text(tmp_path, _without("CMEK-05"))
    assert "No database is shown to be encrypted by a customer key." in text
    assert "No database is shown" not in _text(tmp_path, EVERY)


def test_an_audit_without_any_customer_key_is_not_called_compliant(tmp_path: Path) -> None:
    """Where everything is declared to use Astra's keys, nothing is said to comply."""
    declared = a_database(encryption="astra-provided", reason="a trial")
    plan = {"paid": True, "by": "acme-security", "on": "2026-11-01"}
    organization = an_organization(keys=[], databases=[declared], plan=plan)
    verdict = make(tmp_path, organizations=[organization]).head["verdict"]
    assert (verdict["outcome"], verdict["exit_code"]) == ("no customer key", 0)
    assert verdict["text"].startswith(
        f"No customer key is in use: 1 of {len(RULE_IDS)} rules were evaluated; none failed. "
        "1 database is declared to use Astra's keys. CMEK-02, "
    )


def test_a_real_audit_in_words(tmp_path: Path) -> None:
    """The verdict on an organization whose only key is in order, read as a whole."""
    facts = {"registered": {"at": "2026-01-01T00:00:00Z", "by": "a", "on": "2026-01-01"}}
    key = a_key(**facts, kms=kms_facts())
    made = make(tmp_path, organizations=[an_organization(keys=[key])])
    assert made.head["verdict"]["text"] == (
        f"Compliant: 9 of {len(RULE_IDS)} rules were evaluated; none failed. "
        "1 of 1 database deployed after its key rests on an attestation alone (1 person). "
        "Passes of CMEK-08 (1 of 1) rest on attestations alone (1 person). CMEK-03, CMEK-04, "
        "CMEK-06, CMEK-10, CMEK-15 and CMEK-16 found no subject. CMEK-13, CMEK-17, CMEK-18 and "
        "CMEK-19 do not apply."
    )


@examples(100)
@given(
    given=st.lists(findings(), max_size=6),
    gate=st.builds(Gate, st.sampled_from(SEVERITIES), st.booleans(), st.booleans()),
    left_out=st.sampled_from(["", "1 of 2"]),
)
def test_only_what_complies_is_called_compliant(
    given: list[Finding],
    gate: Gate,
    left_out: str,
) -> None:
    """The word "compliant" is said only of a whole audit without a break, a gap or a failure."""
    made = Settings(Context(AS_OF), gate, "subject", left_out=left_out)
    with TemporaryDirectory() as folder:
        found = make(Path(folder), given, settings=made).head["verdict"]
    grave = [
        finding
        for finding in given
        if finding.status in OPEN and (finding.status != "fail" or finding.severity != "advisory")
    ]
    if found["outcome"] == "compliant":
        assert (grave, left_out) == ([], "")
        assert {"pass", "waived"} & {finding.status for finding in given}
        assert ("waived" in found["text"]) is any(finding.status == "waived" for finding in given)
    stopping = [
        finding for finding in given if gate.stops(finding.status, finding.severity, finding.change)
    ]
    is_bad = bool(stopping) or found["outcome"] == "nothing judged"
    assert found["exit_code"] == (1 if is_bad else 5 if left_out else 0)
