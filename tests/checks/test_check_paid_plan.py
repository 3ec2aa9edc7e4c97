from __future__ import annotations

from typing import Any

import pytest

from tests.builders import a_database, an_organization
from tests.checks.judging import judged_once

PAID: dict[str, Any] = {"paid": True, "by": "acme-security", "on": "2026-11-01"}


def test_the_plan_is_named_where_it_was_attested() -> None:
    """A finding says who attested which plan, and on which day."""
    named = judged_once("CMEK-08", an_organization(plan=PAID | {"name": "Enterprise"}))
    assert named.says == "acme-security attested on 2026-11-01: Enterprise is a paid plan."
    unnamed = judged_once("CMEK-08", an_organization(plan=PAID | {"paid": False}))
    assert unnamed.says == "acme-security attested on 2026-11-01: the plan is no paid plan."
    assert (unnamed.status, unnamed.severity, unnamed.action) == (
        "fail",
        "medium",
        "Pay for acme-prod",
    )


@pytest.mark.parametrize(
    ("plan", "reason", "says"),
    [
        (None, "not-attested", "Nobody attested the plan, and no interface shows it."),
        (
            PAID | {"due": "2026-11-20"},
            "attestation-not-current",
            "acme-security attested it, but that counts from 2026-11-01 to 2026-11-20 only.",
        ),
        (
            PAID | {"on": "2026-11-22"},
            "attestation-not-current",
            "acme-security attested it, but that counts from 2026-11-22 to 2027-11-22 only.",
        ),
    ],
)
def test_what_nobody_attested_for_now_is_inconclusive(
    plan: dict[str, Any] | None, reason: str, says: str
) -> None:
    """Without an attestation that counts on the day of the audit, the plan is unknown."""
    finding = judged_once("CMEK-08", an_organization(plan=plan))
    assert (finding.status, finding.reason, finding.says) == ("inconclusive", reason, says)


def test_a_plan_that_is_not_paid_is_no_failure_yet_where_keys_are_unread() -> None:
    """Whether an unpaid plan suffices is unknown while keys may be missing from the record."""
    plan = PAID | {"paid": False}
    finding = judged_once("CMEK-08", an_organization(keys=None, databases=[], plan=plan))
    assert (finding.status, finding.reason) == ("inconclusive", "not-recorded")
    assert finding.action == "Record acme-prod again, in full"
    known = judged_once("CMEK-08", an_organization(keys=None, plan=plan))
    assert known.status == "fail"


def test_an_organization_on_astras_keys_needs_no_plan() -> None:
    """Without keys, and with databases that want none, any plan will do."""
    own = a_database(encryption="astra-provided", reason="holds public data")
    finding = judged_once("CMEK-08", an_organization(keys=[], databases=[own], plan=None))
    assert (finding.status, finding.reason) == ("not-applicable", "no-customer-keys")
