from __future__ import annotations

from typing import Any

import pytest

from tests.builders import a_database, an_organization
from tests.checks.judging import judged_once

PAID: dict[str, Any] = {"paid": True, "by": "acme-security", "on": "2026-11-01"}


def test_the_plan_is_named_where_it_was_attested() -> None:
    """A finding says who attested which plan, and on which day."""
    named = judged_once("CMEK-08", an_organization(plan=PAID | {"name": "Enterprise"}))
    assert named.message == "acme-security attested on 2026-11-01: Enterprise is a paid plan."
    unnamed = judged_once("CMEK-08", an_organization(plan=PAID | {"paid": False}))
    assert unnamed.message == "acme-security attested on 2026-11-01: the plan is not a paid plan."
    assert (unnamed.status, unnamed.severity, unnamed.action) == (
        "fail",
        "medium",
        "Move acme-prod to a paid plan",
    )


@pytest.mark.parametrize(
    ("plan", "reason", "message"),
    [
        (None, "not-attested", "The plan is not attested, and no interface shows it."),
        (
            PAID | {"due": "2026-11-20"},
            "attestation-not-current",
            (
                "acme-security attested it, but the attestation is valid from 2026-11-01 to "
                "2026-11-20 only."
            ),
        ),
        (
            PAID | {"on": "2026-11-22"},
            "attestation-not-current",
            (
                "acme-security attested it, but the attestation is valid from 2026-11-22 to "
                "2027-11-22 only."
            ),
        ),
    ],
)
def test_what_nobody_attested_for_now_is_inconclusive(
    plan: dict[str, Any] | None, reason: str, message: str
) -> None:
    """Without an attestation that counts on the day of the audit, the plan is unknown."""
    finding = judged_once("CMEK-08", an_organization(plan=plan))
    assert (finding.status, finding.reason, finding.message) == ("inconclusive", reason, message)


def test_a_plan_that_is_not_paid_is_no_failure_yet_where_keys_are_unread() -> None:
    """Whether an unpaid plan suffices is unknown while keys may be missing from the record."""
    plan = PAID | {"paid": False}
    finding = judged_once("CMEK-08", an_organization(keys=None, databases=[], plan=plan))
    assert (finding.status, finding.reason) == ("inconclusive", "not-recorded")
    assert finding.action == "Re-collect acme-prod in full"
    known = judged_once("CMEK-08", an_organization(keys=None, plan=plan))
    assert known.status == "fail"


def test_an_organization_on_astras_keys_needs_no_plan() -> None:
    """Without keys, and with databases that want none, any plan will do."""
    own = a_database(encryption="astra-provided", reason="holds public data")
    finding = judged_once("CMEK-08", an_organization(keys=[], databases=[own], plan=None))
    assert (finding.status, finding.reason) == ("not-applicable", "no-customer-keys")


def test_a_finding_about_a_plan_is_shown_at_the_organization() -> None:
    """Each answer is shown where the organization was read, and says what is to be done."""
    unpaid = PAID | {"paid": False}
    expected: dict[str, tuple[dict[str, Any], str]] = {
        "": ({"plan": PAID}, ""),
        "unpaid": ({"plan": unpaid}, "Move acme-prod to a paid plan"),
        "not-attested": ({"plan": None}, "Attest the plan of acme-prod"),
        "not-recorded:serverless-keys": (
            {"plan": unpaid, "keys": None, "databases": []},
            "Re-collect acme-prod in full",
        ),
    }
    for cause, (over, action) in expected.items():
        finding = judged_once("CMEK-08", an_organization(**over).at("now.yaml", 3))
        assert (finding.cause, finding.action, finding.evidence) == (
            cause,
            action,
            (("now.yaml", 3),),
        )


def test_what_is_not_known_of_the_keys_is_said_with_its_reason() -> None:
    """An unpaid plan over keys that were not read names who attested it, and the gap."""
    gaps = [{"fact": "serverless-keys", "reason": "refused", "detail": "403"}]
    over = {"keys": [], "databases": [], "gaps": gaps, "plan": PAID | {"paid": False}}
    finding = judged_once("CMEK-08", an_organization(**over))
    assert finding.message == (
        "acme-security attested on 2026-11-01: the plan is not a paid plan. "
        "It is unknown whether the organization has customer keys: refused (403)."
    )


@pytest.mark.parametrize(
    "over",
    [
        {"databases": []},
        {"keys": [], "databases": [a_database()]},
        {"gaps": [{"fact": "databases", "reason": "refused"}]},
    ],
)
def test_an_unpaid_plan_fails_with_a_key_or_a_database_that_wants_one(
    over: dict[str, Any],
) -> None:
    """One key, or one database that is to have one, is enough to need a paid plan."""
    finding = judged_once("CMEK-08", an_organization(plan=PAID | {"paid": False}, **over))
    assert (finding.status, finding.cause) == ("fail", "unpaid")
