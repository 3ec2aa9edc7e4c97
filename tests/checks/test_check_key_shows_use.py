from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.context import Context
from tests.builders import (
    AS_OF,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    azure_key_id,
    gcp_key_id,
    uuid,
)
from tests.checks.judging import judged, judged_once
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from checks.engine.finding import Finding

BY = {"by": "acme-security", "on": "2026-11-10"}
IN_USE, AVAILABLE = ({"status": status} | BY for status in ("in-use", "available"))
SEEN = {"observed_at": "2026-11-20T01:00:00Z"}
USED = SEEN | {"last_used_at": "2026-11-19T23:00:00Z"}
BEFORE = SEEN | {"last_used_at": "2026-05-01T00:00:00Z"}
NEVER = SEEN | {"never_used": True}
LOOK = "On 2026-11-10 acme-security saw in the portal that the key is {}."


def judge(
    portal: dict[str, Any] | None = None,
    kms: dict[str, Any] | None = None,
    **over: Any,  # noqa: ANN401 (fields of an organization)
) -> Finding:
    key = a_key(portal=portal, kms=kms)
    return judged_once("CMEK-17", an_organization(**({"keys": [key]} | over)))


@pytest.mark.parametrize(
    ("portal", "kms", "status", "message"),
    [
        (
            IN_USE,
            None,
            "pass",
            f"{LOOK.format('In-Use')} By which of the databases is not shown here.",
        ),
        (
            None,
            USED,
            "pass",
            (
                "The cloud recorded the last use of the key at 2026-11-19T23:00:00Z. By whom is "
                "not shown: it may be somebody other than Astra."
            ),
        ),
        (
            AVAILABLE,
            None,
            "fail",
            (f"{LOOK.format('Available')} 1 database in its key scope should be encrypted by it."),
        ),
        (
            None,
            NEVER,
            "fail",
            (
                "Up to 2026-11-20T01:00:00Z the cloud recorded no use of the key. 1 database in "
                "its key scope should be encrypted by it."
            ),
        ),
        (
            None,
            BEFORE,
            "inconclusive",
            (
                "The cloud recorded the last use of the key at 2026-05-01T00:00:00Z. No database "
                "that is to be encrypted by it is known to have existed by then."
            ),
        ),
        (
            IN_USE,
            NEVER,
            "inconclusive",
            (
                f"{LOOK.format('In-Use')} Up to 2026-11-20T01:00:00Z the cloud recorded no use of "
                "the key. That is a contradiction."
            ),
        ),
        (
            None,
            None,
            "not-applicable",
            (
                "Nothing shows whether the key is in use. A look at the key in the Astra portal or "
                "AWS's record of its last use would show it."
            ),
        ),
    ],
)
def test_a_finding_quotes_what_was_shown(
    portal: dict[str, Any] | None, kms: dict[str, Any] | None, status: str, message: str
) -> None:
    """A finding says who saw what, what the cloud recorded, and what that leaves open."""
    finding = judge(portal, kms)
    assert (finding.status, finding.message) == (status, message)


@pytest.mark.parametrize(
    ("portal", "kms", "rests_on", "attested_by"),
    [
        (IN_USE, None, "portal", ("acme-security",)),
        (IN_USE, USED, "portal", ()),
        (None, USED, "cloud", ()),
        (AVAILABLE | {"due": "2026-11-20"}, USED, "cloud", ()),
        (IN_USE, BEFORE | {"observed_at": "2026-10-01T00:00:00Z"}, "portal", ("acme-security",)),
    ],
)
def test_a_pass_names_the_evidence_on_which_it_rests(
    portal: dict[str, Any] | None,
    kms: dict[str, Any],
    rests_on: str,
    attested_by: tuple[str, ...],
) -> None:
    """A pass rests on somebody's word only if no cloud recorded the same."""
    finding = judge(portal, kms)
    assert (finding.status, finding.rests_on, finding.attested_by) == (
        "pass",
        rests_on,
        attested_by,
    )


@pytest.mark.parametrize(
    ("kind", "provider", "ways"),
    [
        ("serverless", "gcp", "A look at the key in the Astra portal would show it."),
        ("serverless", "azure", "For such a key neither the portal nor the cloud shows it."),
        ("managed-clusters", "aws", "AWS's record of its last use would show it."),
        ("managed-clusters", "gcp", "For such a key neither the portal nor the cloud shows it."),
    ],
)
def test_what_would_show_the_use_depends_on_the_key(kind: str, provider: str, ways: str) -> None:
    """A rule that does not apply names what would show it, and nothing that never does."""
    place = {"type": kind, "provider": provider}
    for portal in (None, AVAILABLE) if (kind, provider) != ("serverless", "gcp") else (None,):
        organization = an_organization(
            keys=[a_key(**place, portal=portal)], databases=[a_database(**place)]
        )
        finding = judged_once("CMEK-17", organization)
        assert (finding.status, finding.reason) == ("not-applicable", "use-not-shown")
        assert finding.message == f"Nothing shows whether the key is in use. {ways}"


def test_a_fact_that_could_not_be_read_names_the_permission() -> None:
    """A refused record of use is inconclusive, with the permission that reading it takes."""
    gap = {"fact": "last-use", "reason": "refused", "permission": "kms:GetKeyLastUsage"}
    finding = judge(None, SEEN | {"enabled": True, "unread": [gap]})
    assert (finding.status, finding.reason, finding.cause) == (
        "inconclusive",
        "refused",
        "refused:last-use",
    )
    assert finding.message == (
        "AWS did not show the last use of the key: refused. Reading it takes kms:GetKeyLastUsage."
    )


def test_an_account_without_a_profile_was_not_asked() -> None:
    """Where the last use was not asked for, the rule does not apply, and says so."""
    gap = {"fact": "last-use", "reason": "not-requested", "detail": "no profile for 111122223333"}
    finding = judge(None, SEEN | {"enabled": True, "unread": [gap]})
    assert (finding.status, finding.reason) == ("not-applicable", "not-requested")
    assert "no profile for 111122223333" in finding.message


def test_an_audit_without_clouds_asks_the_portal_alone() -> None:
    """What a cloud recorded is left out of an audit that leaves clouds out."""
    key = a_key(kms=NEVER, portal=IN_USE)
    context = Context(AS_OF, kms="none")
    finding = judged_once("CMEK-17", an_organization(keys=[key]), context=context)
    assert (finding.status, finding.rests_on) == ("pass", "portal")


def test_two_looks_that_differ_are_a_contradiction() -> None:
    """Of two versions of a key one cannot be in use and the other available, used or not."""
    place = {"provider": "gcp", "region": "us-east1"}
    for kms in (None, USED):
        keys = [
            a_key(**place, key_id=gcp_key_id(version=version), portal=look, kms=kms)
            for version, look in ((1, IN_USE), (2, AVAILABLE))
        ]
        database = a_database(provider="gcp", regions=["us-east1"])
        finding = judged_once("CMEK-17", an_organization(keys=keys, databases=[database]))
        assert (finding.status, finding.reason) == ("inconclusive", "contradiction")


def test_the_latest_facts_of_several_versions_count() -> None:
    """What a cloud showed last of a key counts, under whichever version it is listed."""
    old = NEVER | {"observed_at": "2026-11-19T01:00:00Z"}
    for facts in ((old, USED), (USED, old)):
        keys = [
            a_key(provider="gcp", region="us-east1", key_id=gcp_key_id(version=version), kms=kms)
            for version, kms in enumerate(facts, 1)
        ]
        database = a_database(provider="gcp", regions=["us-east1"])
        finding = judged_once("CMEK-17", an_organization(keys=keys, databases=[database]))
        assert (finding.status, finding.rests_on) == ("pass", "cloud")


def test_databases_are_counted_with_those_that_are_planned() -> None:
    """A finding counts the databases of the key's scope, and wants one that exists."""
    databases = [a_database(), a_planned_database(), a_database(id=uuid(9))]
    finding = judge(AVAILABLE, databases=databases)
    assert (finding.databases, finding.existing, finding.severity) == (3, 2, "high")
    assert "2 databases in its key scope should be encrypted by it." in finding.message


def test_a_key_without_databases_is_no_subject() -> None:
    """A key that no existing database wants is judged by other rules."""
    declared = a_database(encryption="astra-provided", reason="public data")
    for databases in ([], [a_planned_database()], [declared]):
        key = a_key(portal=AVAILABLE)
        organization = an_organization(keys=[key], databases=databases)
        assert judged("CMEK-17", organization) == []
    azure = {"type": "managed-clusters", "provider": "azure"}
    keys, databases = [a_key(**azure, key_id=azure_key_id())], [a_database(**azure)]
    assert judged("CMEK-17", an_organization(keys=keys, databases=databases)) == []


def test_a_database_of_unknown_time_is_not_known_to_be_older() -> None:
    """Without a time of deployment a look or a use shows nothing of it."""
    undated = a_database(regions=[{"name": "us-east-1"}], created_at=None)
    found = {
        name: judge(portal, kms, databases=[undated]).status
        for name, portal, kms in (
            ("available", AVAILABLE, None),
            ("in use", IN_USE, None),
            ("never", None, NEVER),
            ("used", None, USED),
        )
    }
    assert found == {
        "available": "not-applicable",
        "in use": "not-applicable",
        "never": "not-applicable",
        "used": "inconclusive",
    }


portals = st.sampled_from(
    [None, IN_USE, AVAILABLE, IN_USE | {"on": "2026-06-01"}, AVAILABLE | {"due": "2026-11-20"}]
)
clouds = st.sampled_from(
    [
        None,
        USED,
        BEFORE,
        NEVER,
        SEEN | {"enabled": True},
        SEEN | {"unread": [{"fact": "key", "reason": "no-credentials"}]},
        USED | {"observed_at": "2026-10-01T00:00:00Z"},
        USED | {"owner": "999988887777"},
    ]
)


@examples(200)
@given(portals, clouds)
def test_a_pass_takes_one_that_counts_and_none_against(
    portal: dict[str, Any] | None, kms: dict[str, Any] | None
) -> None:
    """A key passes only if it was seen in use or used since, and nothing current says otherwise."""
    finding = judge(portal, kms)
    if finding.status == "pass":
        assert portal == IN_USE or kms == USED
        assert portal != AVAILABLE
        assert kms not in (NEVER, BEFORE)
    if portal == AVAILABLE or kms == NEVER:
        assert finding.status in {"fail", "inconclusive"}
