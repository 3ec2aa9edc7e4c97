"""CMEK-11, as far as it differs from CMEK-12: the fact of rotation, and who says it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.context import Context
from checks.engine.finding import Finding
from inventory.model.planned_keys import PlannedKey
from inventory.model.terraform_managed import ManagedResources
from tests.builders import (
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    gcp_key_id,
    kms_facts,
    moment,
)
from tests.checks.judging import CONTEXT, judged, judged_once
from tests.hypothesis_profile import examples

BY: dict[str, Any] = {"by": "acme-security", "on": "2026-11-01"}
ATTESTED = {"CMEK-11": "rotation", "CMEK-12": "usable"}
WORDS = {"CMEK-11": "automatic", "CMEK-12": "usable"}


def attested(rule: str, *, well: bool, **over: object) -> dict[str, Any]:
    return {ATTESTED[rule]: BY | {WORDS[rule]: well} | over}


def judge(rule: str, context: Context = CONTEXT, **key: object) -> tuple[str, str]:
    """Return the status and the reason of the first finding about a key."""
    finding = judged(rule, an_organization(keys=[a_key(**key)]), context=context)[0]
    return finding.status, finding.reason


def test_rotation_is_a_fact_of_its_own() -> None:
    """A cloud that says nothing of rotation leaves it to the attestation; old facts do not bar."""
    silent = kms_facts(rotation_enabled=None, observed_at="2026-01-01T00:00:00Z")
    assert judge("CMEK-11", kms=silent) == ("inconclusive", "not-recorded")
    attestation = attested("CMEK-11", well=True)
    assert judge("CMEK-11", kms=silent, **attestation) == ("pass", "")


def test_a_key_that_does_not_rotate_says_who_said_so() -> None:
    """A failure tells whether the cloud or a person said that the key does not rotate."""
    by_cloud = a_key(kms=kms_facts(rotation_enabled=False))
    by_person = a_key(**attested("CMEK-11", well=False))
    found = [
        judged_once("CMEK-11", an_organization(keys=[key])).message for key in (by_cloud, by_person)
    ]
    assert found == [
        "Automatic rotation is off.",
        "acme-security attested on 2026-11-01: the key does not rotate automatically.",
    ]


def test_rotation_is_shown_at_the_key_with_its_databases() -> None:
    """Each answer about rotation has its code, its action, and the place of the key."""
    off = f"Switch on automatic rotation for {aws_key_id()}"
    again = f"Attest again whether {aws_key_id()} rotates"
    old = {"rotation": BY | {"automatic": True, "due": "2026-11-20"}}
    for over, cause, action in (
        ({"kms": kms_facts()}, "", ""),
        ({"kms": kms_facts(rotation_enabled=False)}, "rotation-off", off),
        (attested("CMEK-11", well=True), "", ""),
        (attested("CMEK-11", well=False), "rotation-off", off),
        (old, "attestation-not-current", again),
    ):
        key = a_key(**over).at("keys.yaml", 3)
        databases = [a_database(), a_planned_database()]
        finding = judged_once("CMEK-11", an_organization(keys=[key], databases=databases))
        assert (finding.cause, finding.action, finding.evidence) == (
            cause,
            action,
            (("keys.yaml", 3),),
        )
        assert (finding.databases, finding.existing) == (2, 1)
    key = a_key(**attested("CMEK-11", well=True))
    assert judged_once("CMEK-11", an_organization(keys=[key])).message == (
        "acme-security attested on 2026-11-01: the key rotates automatically."
    )


# --- facts of the clouds --------------------------------------------------------------------------

NOW = moment("2026-11-20T02:00:00Z")
FACTS: dict[str, Any] = {
    "rotation_days": 90,
    "rotated_at": NOW - timedelta(days=50),
    "next_rotation_at": NOW + timedelta(days=40),
}
EVERY_90_DAYS = "Automatic rotation is on: every 90 days, last on 2026-10-01, next on 2026-12-30."
REFUSED = {"reason": "refused", "permission": "kms:GetKeyRotationStatus"}
OF_GOOGLE = {"provider": "gcp", "region": "us-east1"}
OF_AZURE = {"provider": "azure", "region": "eastus"}


def found(
    *, days: int | None = None, of: dict[str, str] | None = None, **facts: object
) -> list[tuple[str, str, str]]:
    """Return status, cause and message of each finding about a key with these facts."""
    place = of or {}
    region = place.get("region", "us-east-1")
    key = a_key(kms=kms_facts(region=region, **facts), **place)
    context = CONTEXT._replace(rotation_days=days)
    findings = judged("CMEK-11", an_organization(keys=[key]), context=context)
    return [(finding.status, finding.cause, finding.message) for finding in findings]


def test_a_pass_quotes_the_facts_and_rests_on_the_cloud() -> None:
    """Who relies on a pass reads how often the key rotates, when it did last, when it does next."""
    assert found(**FACTS) == [("pass", "", EVERY_90_DAYS)]
    assert found(**FACTS, days=90) == [("pass", "", EVERY_90_DAYS)]
    assert found(rotation_days=365) == [("pass", "", "Automatic rotation is on: every 365 days.")]
    assert found() == [("pass", "", "Automatic rotation is on.")]
    key = a_key(kms=kms_facts())
    assert judged_once("CMEK-11", an_organization(keys=[key])).rests_on == "cloud"


@pytest.mark.parametrize(
    ("of", "facts", "message"),
    [
        ({}, {"rotation_enabled": False}, "Automatic rotation is off."),
        (
            {},
            {"rotation_enabled": False, "multi_region": True},
            (
                "Automatic rotation is off. It can have replicas: rotation is switched on at its "
                "primary key."
            ),
        ),
        (
            {},
            FACTS | {"enabled": False},
            "Automatic rotation is on, but a key that is not enabled does not rotate.",
        ),
        (
            {},
            FACTS | {"enabled": False, "deletion_at": NOW + timedelta(days=7)},
            "Automatic rotation is on, but a key that is scheduled for deletion does not rotate.",
        ),
        (
            OF_GOOGLE,
            {"rotation_days": 90, "rotation_enabled": False},
            "A rotation period is set, but no time of the next rotation: the key does not rotate.",
        ),
        (
            OF_GOOGLE,
            {"rotation_days": 90},
            "A rotation period is set, but no time of the next rotation: the key does not rotate.",
        ),
    ],
)
def test_a_key_that_does_not_rotate_fails(
    of: dict[str, str], facts: dict[str, Any], message: str
) -> None:
    """Rotation that is off, or that the key's state prevents, fails for one cause and says why."""
    assert found(of=of, **facts) == [("fail", "rotation-off", message)]
    assert found(of=of, days=365, **facts) == [("fail", "rotation-off", message)]


@pytest.mark.parametrize(
    ("of", "kind", "cannot"),
    [
        ({}, "SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, EXTERNAL", True),
        ({}, "RSA_2048, ENCRYPT_DECRYPT, AWS_KMS", True),
        ({}, "SYMMETRIC_DEFAULT ENCRYPT_DECRYPT AWS_KMS", False),
        (OF_GOOGLE, "ENCRYPT_DECRYPT, EXTERNAL_VPC", True),
        (OF_GOOGLE, "ENCRYPT_DECRYPT, SOFTWARE, import only", True),
        (OF_GOOGLE, "ENCRYPT_DECRYPT, SOFTWARE", False),
        (OF_AZURE, "RSA-HSM", False),
        (OF_AZURE, None, False),
    ],
)
def test_a_kind_that_never_rotates_has_its_own_step(
    of: dict[str, str], kind: str | None, *, cannot: bool
) -> None:
    """Nobody is asked to switch on the rotation of a key that its cloud cannot rotate."""
    facts = kms_facts(rotation_enabled=False, kind=kind, region=of.get("region", "us-east-1"))
    finding = judged_once("CMEK-11", an_organization(keys=[a_key(kms=facts, **of)]))
    text = ": the cloud cannot rotate a key of this kind" if cannot else ""
    assert (finding.cause, finding.message) == ("rotation-off", f"Automatic rotation is off{text}.")
    code = "rotate-by-hand" if cannot else "switch-rotation-on"
    assert finding.action_id.startswith(f"{code}:")


@pytest.mark.parametrize(
    ("facts", "cause", "message"),
    [
        (
            {"next_rotation_at": NOW - timedelta(days=1, seconds=1)},
            "overdue",
            "The next rotation was due on 2026-11-19, and has not happened.",
        ),
        (
            {"rotated_at": NOW - timedelta(days=92, seconds=1)},
            "overdue",
            "The key rotated last on 2026-08-20, though it should every 90 days.",
        ),
        (
            {"next_rotation_at": NOW + timedelta(days=92, seconds=1)},
            "next-too-late",
            "The next rotation is on 2027-02-20, in more than 90 days.",
        ),
    ],
)
def test_a_rotation_that_does_not_happen_fails(
    facts: dict[str, Any], cause: str, message: str
) -> None:
    """A rotation that is on is no pass if the times show that it does not happen as it should."""
    assert found(**FACTS | facts) == [("fail", cause, message)]
    second = timedelta(seconds=1)
    within = {name: time + (second if time < NOW else -second) for name, time in facts.items()}
    assert [status for status, _, _ in found(**FACTS | within)] == ["pass"]


def test_a_version_in_azure_rotates_by_its_age() -> None:
    """A key in Azure that is older than its period and never rotated fails; elsewhere it passes."""
    facts: dict[str, Any] = {"rotation_days": 90}
    facts["created_at"] = NOW - timedelta(days=92, seconds=1)
    text = "The key is of 2026-08-20 and never rotated, though it should every 90 days."
    assert found(of=OF_AZURE, **facts) == [("fail", "overdue", text)]
    assert found(of=OF_AZURE, **facts | {"created_at": NOW - timedelta(days=92)})[0][0] == "pass"
    assert found(of=OF_AZURE, **facts, rotated_at=NOW)[0][0] == "pass"
    assert found(**facts)[0][0] == "pass"


def test_the_period_is_compared_with_the_option() -> None:
    """A period longer than the audit allows fails, and so does a next rotation that is later."""
    long = "The key rotates every 365 days; this audit allows at most 90."
    assert found(rotation_days=365, days=90) == [("fail", "period-too-long", long)]
    assert found(rotation_days=365, days=365)[0][0] == "pass"
    assert found(**FACTS | {"rotation_days": 91}, days=90)[0][1] == "period-too-long"
    late = "The next rotation is on 2026-12-30, in more than 30 days."
    assert found(next_rotation_at=NOW + timedelta(days=40), days=30) == [
        ("fail", "next-too-late", late),
        (
            "inconclusive",
            "not-recorded:period",
            "Automatic rotation is on, how often is not known; the audit allows 30 days.",
        ),
    ]


def test_a_period_that_is_not_known_is_inconclusive() -> None:
    """Where a period is demanded, rotation alone is no pass, neither observed nor attested."""
    unknown = "Automatic rotation is on, how often is not known; the audit allows 90 days."
    assert found(days=90) == [("inconclusive", "not-recorded:period", unknown)]
    key = a_key(**attested("CMEK-11", well=True))
    context = CONTEXT._replace(rotation_days=90)
    finding = judged_once("CMEK-11", an_organization(keys=[key]), context=context)
    assert (finding.status, finding.cause, finding.message) == (
        "inconclusive",
        "not-recorded:period",
        (
            "acme-security attested on 2026-11-01: the key rotates automatically, but not how "
            "often; the audit allows 90 days."
        ),
    )
    off = a_key(**attested("CMEK-11", well=False))
    assert judged_once("CMEK-11", an_organization(keys=[off]), context=context).status == "fail"


def test_an_unread_fact_is_inconclusive() -> None:
    """A rotation that could not be read, or a state that decides, names reason and permission."""
    gap = REFUSED | {"fact": "rotation"}
    assert found(rotation_enabled=None, unread=[gap]) == [
        (
            "inconclusive",
            "refused:rotation",
            (
                "AWS did not show the rotation of the key: refused. "
                "Reading it takes kms:GetKeyRotationStatus."
            ),
        )
    ]
    state = {"fact": "key", "reason": "rate-limited"}
    assert found(enabled=None, unread=[state]) == [
        ("inconclusive", "rate-limited:key", "AWS did not show the state of the key: rate-limited.")
    ]
    assert found(unread=[REFUSED | {"fact": "policy"}])[0][0] == "pass"
    period = {"fact": "rotation", "reason": "malformed", "detail": "RotationPeriodInDays"}
    for days in (None, 90):
        assert [cause for _, cause, _ in found(unread=[period], days=days)] == [
            "malformed:rotation"
        ]
    attestation = attested("CMEK-11", well=True)
    key = a_key(kms=kms_facts(rotation_enabled=None, unread=[gap]), **attestation)
    assert judged_once("CMEK-11", an_organization(keys=[key])).attested_by == ("acme-security",)


def test_facts_that_do_not_count_are_inconclusive() -> None:
    """Facts about another account's key, and old ones, show nothing of rotation."""
    assert found(owner="999988887777")[0][:2] == ("inconclusive", "foreign-key")
    stale = moment("2026-01-01T00:00:00Z")
    assert found(observed_at=stale)[0][:2] == ("inconclusive", "facts-not-current")


def test_a_pinned_version_is_noted() -> None:
    """A registered id that names a version may keep Astra from what the rotation makes."""
    key = a_key(**OF_GOOGLE, key_id=gcp_key_id(version=3), kms=kms_facts(region="us-east1"))
    assert judged_once("CMEK-11", an_organization(keys=[key])).message == (
        "Automatic rotation is on. The key id names one version: that Astra uses a later one is "
        "not shown."
    )


PLANNED_ID = aws_key_id(number=7)


def planned_findings(kms: object) -> list[Finding]:
    """Return the findings about a planned key, of which its cloud showed ``kms``."""
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    data = {"key_id": PLANNED_ID, "kms": kms}
    planned = PlannedKey.model_validate(place | data).at("plan.json", 1, "astra_customer_key.a")
    organization = an_organization(keys=[], databases=[a_planned_database()])
    return judged("CMEK-11", organization.with_managed(ManagedResources(planned_keys=(planned,))))


def test_planned_keys_are_judged_where_their_cloud_was_asked() -> None:
    """A planned key has its own causes, and none at all if nobody asked its cloud."""
    assert planned_findings(None) == []
    (good,) = planned_findings(kms_facts(**FACTS))
    assert (good.status, good.cause, good.subject.kind) == ("pass", "", "planned-key")
    (bad,) = planned_findings(kms_facts(rotation_enabled=False))
    assert (bad.status, bad.cause, bad.databases) == ("fail", "planned-rotation-off", 1)
    (silent,) = planned_findings(kms_facts(rotation_enabled=None))
    assert (silent.status, silent.cause) == ("inconclusive", "planned-not-recorded")
    assert silent.message == "The KMS data does not show whether the key rotates."


TIMES = st.none() | st.integers(-4000, 4000).map(lambda days: NOW + timedelta(days=days))


@examples(300)
@given(
    period=st.none() | st.integers(0, 4000),
    last=TIMES,
    following=TIMES,
    most=st.none() | st.integers(1, 2560),
    enabled=st.sampled_from([True, False, None]),
    of=st.sampled_from([{}, OF_GOOGLE, OF_AZURE]),
)
def test_only_what_is_in_time_passes(
    *,
    period: int | None,
    last: datetime | None,
    following: datetime | None,
    most: int | None,
    enabled: bool | None,
    of: dict[str, str],
) -> None:
    """Whatever a cloud shows, a pass has no time that is too late, and a demanded period is met."""
    facts: dict[str, Any] = {"rotation_days": period, "rotated_at": last, "enabled": enabled}
    findings = found(**facts, next_rotation_at=following, days=most, of=of)
    assert len({cause for _, cause, _ in findings}) == len(findings)
    if findings[0][0] != "pass":
        return
    allowed = [days for days in (period, most) if days is not None]
    assert most is None or (period is not None and period <= most)
    assert following is None or following >= NOW - timedelta(days=1)
    assert following is None or not allowed or following <= NOW + timedelta(days=min(allowed) + 2)
    assert last is None or period is None or last >= NOW - timedelta(days=period + 2)
    assert enabled is not False or of != {}
