"""What a chain of audits knows stays known, also after an audit that could not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.check_key_unchanged import CARD as UNCHANGED
from checks.engine.context import KnownOrganization
from checks.engine.finding import OPEN, Finding, organization_subject, scope_subject
from inventory.history import Observation
from inventory.model.key import KeyScope
from reports.comparison.baseline import read_baseline
from reports.comparison.carried_over import CarriedOver
from reports.record.decoding import decode_finding
from tests.builders import a_key, an_organization, aws_key_id, moment
from tests.reports.comparing import FIRST, FOURTH, SECOND, THIRD, night
from tests.reports.samples import COMPLIANT, Report, database, key, organization

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Status

CALM = COMPLIANT[0]
OTHERS = [organization("labs", [key("eu-west-1", 5)], [database("labs", "eu-west-1")])]
LEDGER = CALM | {"databases": [*CALM["databases"], database("ledger", "us-east-2")]}
HIDDEN = {"reason": "refused", "detail": "403"}
UNSEEN = {
    "gone": [],
    "databases": [
        {name: value for name, value in LEDGER.items() if name != "databases"}
        | {"gaps": [HIDDEN | {"fact": "databases"}]}
    ],
    "keys": [
        {name: value for name, value in LEDGER.items() if name != "keys"}
        | {"gaps": [HIDDEN | {"fact": "serverless-keys"}]}
    ],
}
SCOPE = KeyScope("acme", "serverless", "aws", "us-east-1")


def _open(report: Report) -> set[tuple[str, str, str]]:
    """Return rule, cause and change of all that is open by the rules of what is known."""
    found = [decode_finding(line, "") for line in report.lines]
    rules = {"CMEK-10", "CMEK-14"}
    return {
        (it.rule, it.cause, it.change) for it in found if it.status in OPEN and it.rule in rules
    }


@pytest.mark.parametrize("what", ["gone", "databases"])
def test_a_database_is_missed_after_an_audit_that_could_not_see_it(
    tmp_path: Path, what: str
) -> None:
    """A database that vanished while nobody could look is missed, by its name, once one can."""
    first = night(tmp_path, [LEDGER, *OTHERS], FIRST)
    second = night(tmp_path, [*UNSEEN[what], *OTHERS], SECOND, first)
    third = night(tmp_path, [CALM, *OTHERS], THIRD, second)
    missed = [decode_finding(line, "") for line in third.lines if b"vanished" in line]
    assert [it.cause for it in missed] == ["vanished:db-ledger"]
    assert "ledger (db-ledger)" in missed[0].message
    assert missed[0].change in {"new", "worsened"}
    assert _open(night(tmp_path, [CALM, *OTHERS], FOURTH, third)) == {
        ("CMEK-14", "vanished:db-ledger", "unchanged")
    }


@pytest.mark.parametrize("what", ["gone", "keys"])
def test_a_key_is_missed_after_an_audit_that_could_not_see_it(tmp_path: Path, what: str) -> None:
    """A key that was replaced while nobody could look is missed once one can, and stays missed."""
    after = LEDGER | {"keys": [key("us-east-2", 2)]}
    first = night(tmp_path, [LEDGER, *OTHERS], FIRST)
    second = night(tmp_path, [*UNSEEN[what], *OTHERS], SECOND, first)
    third = night(tmp_path, [after, *OTHERS], THIRD, second)
    ((rule, cause, change),) = _open(third)
    assert (rule, cause.startswith(f"replaced:{LEDGER['keys'][0]['key_id']}")) == ("CMEK-10", True)
    assert change in {"new", "worsened"}
    assert _open(night(tmp_path, [after, *OTHERS], FOURTH, third)) == {(rule, cause, "unchanged")}


def test_what_a_chain_knows_of_keys_is_in_the_order_of_time(tmp_path: Path) -> None:
    """An audit of an older record comes before what the audit before it saw."""
    other = CALM | {"keys": [key("us-east-2", 2)], "captured_at": "2026-11-10T00:00:00Z"}
    first = night(tmp_path, [CALM], FIRST)
    second = night(tmp_path, [other], SECOND, first)
    ((seen,),) = (it.keys.values() for it in read_baseline(second.folder).organizations().values())
    assert [it.at.day for it in seen] == [10, 20]


def test_what_is_seen_again_is_not_carried_along(tmp_path: Path) -> None:
    """An audit that sees all that was known carries nothing along."""
    first = night(tmp_path, [LEDGER, *OTHERS], FIRST)
    second = night(tmp_path, [*UNSEEN["gone"], *OTHERS], SECOND, first)
    third = night(tmp_path, [LEDGER, *OTHERS], THIRD, second)
    assert [it["organization"] for it in second.head["changes"]["known"]] == ["calm"]
    assert (third.head["changes"]["known"], _open(third)) == ([], set())


# --- without a record -----------------------------------------------------------------------------


def _seen(*days: tuple[int, int]) -> tuple[Observation, ...]:
    """Return what records showed on days of June: the number of a key, or 0 for none."""
    return tuple(
        Observation(moment(f"2026-06-0{day}T00:00:00Z"), _ids(number), "last/audit.json", 1)
        for day, number in days
    )


def _ids(number: int) -> tuple[str, ...]:
    return (aws_key_id(number=number),) if number else ()


def _shown(
    *findings: Finding,
    captured: str = "2026-07-01T00:00:00Z",
    **known: Any,  # noqa: ANN401 (what is known)
) -> Any:  # noqa: ANN401 (a part of the record)
    memory = CarriedOver({"acme": KnownOrganization("acme-prod", ("last/audit.json", 1), **known)})
    memory.add_organization(an_organization(id="acme", keys=[a_key()], captured_at=captured))
    for finding in findings:
        memory.add(finding)
    return memory.entries()


def _finding(rule: str, status: Status, cause: str = "", organization: str = "acme") -> Finding:
    subject = scope_subject(SCOPE) if rule == UNCHANGED.id else organization_subject(organization)
    return Finding(status, rule, "high", subject, cause, "It is so.")


def test_equal_observations_in_a_row_are_carried_as_their_first_and_last() -> None:
    """A chain that goes on for ever carries no more of a key than its changes."""
    seen = _seen((1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2), (7, 0))
    changed = _finding(UNCHANGED.id, "waived", "replaced:x")
    ((shown),) = _shown(changed, keys={SCOPE: seen})
    assert [it["at"][8:10] for it in shown["keys"]] == ["01", "03", "04", "06", "07"]
    assert [len(it["key_ids"]) for it in shown["keys"]] == [1, 1, 1, 1, 0]


def test_keys_that_are_as_they_were_are_forgotten() -> None:
    """A key that is judged and unchanged needs nobody to remember it."""
    same = _finding(UNCHANGED.id, "pass")
    assert _shown(same, keys={SCOPE: _seen((1, 1))}) == []
    assert _shown(_finding(UNCHANGED.id, "fail", organization="labs"), keys={}) == []


@pytest.mark.parametrize("rule", ["CMEK-10", "CMEK-14"])
def test_a_check_that_broke_forgets_nothing(rule: str) -> None:
    """What a broken check would have judged is carried along."""
    broken = _finding("CMEK-01", "error")._replace(rule=rule, subject=organization_subject("acme"))
    (shown,) = _shown(broken, keys={SCOPE: _seen((1, 1))}, databases={"db-1": "orders"})
    assert bool(shown["keys"]) is (rule == "CMEK-10")
    assert bool(shown["databases"]) is (rule == "CMEK-14")


def test_a_record_that_is_older_forgets_nothing() -> None:
    """Keys that were seen after the record of this audit are carried along."""
    (shown,) = _shown(captured="2026-05-01T00:00:00Z", keys={SCOPE: _seen((1, 1))})
    assert len(shown["keys"]) == 1


def test_an_organization_that_a_plan_names_is_missing_all_the_same() -> None:
    """An organization of which nothing was recorded keeps all that was known of it."""
    missing = _finding("CMEK-14", "fail", "organization-missing")
    (shown,) = _shown(missing, keys={SCOPE: _seen((1, 1))}, databases={"db-1": "orders"})
    assert (shown["missing"], len(shown["keys"]), len(shown["databases"])) == (True, 1, 1)
