"""What shows directly whether a key encrypts a database, judged with the order of times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.context import Context
from checks.shared.direct_evidence import NOTHING, ScopeKeys, find_direct_evidence, unknown_user
from inventory.history import History
from inventory.index.organization_index import index_organization, scope_of
from inventory.model.attestations import PortalKey
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    a_key,
    a_support_case,
    an_organization,
    aws_key_id,
    azure_key_id,
    database_data,
    gcp_key_id,
    key_data,
    organization_data,
    planned_data,
    uuid,
)
from tests.checks.judging import earlier, judged, judged_once
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Finding
    from inventory.model.organization import Organization

BY = {"by": "acme-security", "on": "2026-11-10"}
IN_USE, AVAILABLE = ({"status": status} | BY for status in ("in-use", "available"))
CUSTOMER, ASTRA = ({"key": key} | BY for key in ("customer", "astra"))
REGISTERED = {"by": "acme-it", "on": "2026-11-01"}
EARLY, LATE = (REGISTERED | {"at": f"2026-0{month}-01T00:00:00Z"} for month in (5, 7))
NEVER = {"observed_at": "2026-11-20T01:00:00Z", "never_used": True}
UNKNOWN = "registration-time-unknown"
LOOKER = ("acme-security",)


def a_region(look: dict[str, Any] | None = None, **over: object) -> dict[str, Any]:
    region = {"name": "us-east-1", "added_at": "2026-06-01T00:00:00Z"}
    return region | ({"portal": look} if look else {}) | over


def recorded(keys: Any, *regions: dict[str, Any], **over: Any) -> Organization:  # noqa: ANN401 (data)
    """Record databases, each in one region, and the keys; a key is given by what it adds."""
    databases = [
        database_data(id=uuid(number), name=f"db-{number}", regions=[region], created_at=None)
        for number, region in enumerate(regions, 1)
    ]
    listed = [key_data(**key) for key in ([keys] if isinstance(keys, dict) else keys)]
    known: dict[str, Any] = {"keys": listed, "databases": databases} | over
    return an_organization(**known)


def judge(organization: Organization, history: History | None = None) -> list[Finding]:
    return judged("CMEK-05", organization, context=Context(AS_OF, history=history or History()))


def shown(finding: Finding) -> tuple[str, ...]:
    return finding.status, finding.reason or finding.cause, finding.rests_on, *finding.attested_by


PORTAL = ("pass", "", "portal", *LOOKER)


@pytest.mark.parametrize(
    ("key", "look", "expected"),
    [
        # Nothing else is known: the look decides.
        ({}, None, ("inconclusive", UNKNOWN, "")),
        ({}, CUSTOMER, PORTAL),
        ({}, CUSTOMER | {"key_id": aws_key_id()}, PORTAL),
        ({}, ASTRA, ("fail", "shown-on-astra-keys", "")),
        ({"portal": AVAILABLE}, None, ("fail", "key-available", "")),
        ({"portal": IN_USE}, None, PORTAL),
        ({"kms": NEVER}, None, ("fail", "key-never-used", "")),
        # It names another key than the one that is registered.
        ({}, CUSTOMER | {"key_id": aws_key_id(number=2)}, ("inconclusive", "contradiction", "")),
        (
            {"registered": EARLY},
            CUSTOMER | {"key_id": aws_key_id(number=2)},
            ("inconclusive", "contradiction", ""),
        ),
        # The order of times agrees.
        ({"registered": EARLY}, None, ("pass", "", "attested", "acme-it")),
        ({"registered": EARLY}, CUSTOMER, PORTAL),
        ({"registered": EARLY, "portal": IN_USE}, None, PORTAL),
        ({"registered": LATE}, None, ("fail", "older-than-key", "")),
        ({"registered": LATE}, ASTRA, ("fail", "older-than-key", "")),
        ({"registered": LATE, "portal": AVAILABLE}, None, ("fail", "older-than-key", "")),
        ({"registered": LATE, "kms": NEVER}, None, ("fail", "older-than-key", "")),
        # The order of times contradicts it.
        ({"registered": EARLY}, ASTRA, ("inconclusive", "contradiction", "")),
        ({"registered": EARLY, "portal": AVAILABLE}, None, ("inconclusive", "contradiction", "")),
        ({"registered": EARLY, "kms": NEVER}, None, ("inconclusive", "contradiction", "")),
        ({"registered": LATE}, CUSTOMER, ("inconclusive", "contradiction", "")),
        ({"registered": LATE, "portal": IN_USE}, None, ("inconclusive", "contradiction", "")),
        # Two kinds of direct evidence contradict each other.
        ({"portal": AVAILABLE}, CUSTOMER, ("inconclusive", "contradiction", "")),
        ({"portal": IN_USE}, ASTRA, ("inconclusive", "contradiction", "")),
        ({"portal": IN_USE, "kms": NEVER}, None, ("inconclusive", "contradiction", "")),
        ({"kms": NEVER}, CUSTOMER, ("inconclusive", "contradiction", "")),
        # Several that agree: the strongest is the cause.
        ({"portal": AVAILABLE, "kms": NEVER}, ASTRA, ("fail", "shown-on-astra-keys", "")),
        ({"portal": AVAILABLE, "kms": NEVER}, None, ("fail", "key-available", "")),
        ({"portal": IN_USE}, CUSTOMER, PORTAL),
        # What does not count, or is not known to be younger than the database, shows nothing.
        ({}, CUSTOMER | {"on": "2026-06-01"}, ("inconclusive", UNKNOWN, "")),
        ({}, CUSTOMER | {"on": "2026-11-22"}, ("inconclusive", UNKNOWN, "")),
        ({}, CUSTOMER | {"due": "2026-11-20"}, ("inconclusive", UNKNOWN, "")),
        ({}, ASTRA | {"due": "2026-11-20"}, ("inconclusive", UNKNOWN, "")),
        ({"portal": AVAILABLE | {"on": "2026-06-01"}}, None, ("inconclusive", UNKNOWN, "")),
        ({"portal": AVAILABLE | {"due": "2026-11-20"}}, None, ("inconclusive", UNKNOWN, "")),
        ({"portal": IN_USE | {"on": "2026-06-01"}}, None, ("inconclusive", UNKNOWN, "")),
        ({"portal": IN_USE | {"on": "2026-05-31"}}, None, ("inconclusive", UNKNOWN, "")),
        ({"portal": IN_USE | {"due": "2026-11-20"}}, None, ("inconclusive", UNKNOWN, "")),
        # The record is of the look's day: what was deployed after it may be what uses the key.
        ({"portal": IN_USE | {"on": "2026-11-20"}}, None, ("inconclusive", UNKNOWN, "")),
        ({"portal": IN_USE | {"on": "2026-11-19"}}, None, PORTAL),
        # The cloud's record is too old, of another account, or older than the database.
        (
            {"kms": NEVER | {"observed_at": "2026-10-01T00:00:00Z"}},
            None,
            ("inconclusive", UNKNOWN, ""),
        ),
        ({"kms": NEVER | {"owner": "999988887777"}}, None, ("inconclusive", UNKNOWN, "")),
        ({"kms": NEVER | {"never_used": False}}, None, ("inconclusive", UNKNOWN, "")),
    ],
)
def test_one_database_with_one_key(
    key: dict[str, Any], look: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    """What is shown decides where the order is not known, and contradicts it where they differ."""
    [finding] = judge(recorded(key, a_region(look)))
    assert shown(finding) == expected


@pytest.mark.parametrize(
    ("key", "look"),
    [
        ({"portal": IN_USE}, None),
        ({"portal": AVAILABLE}, None),
        ({"kms": NEVER}, None),
        ({}, CUSTOMER),
        ({}, ASTRA),
    ],
)
@pytest.mark.parametrize(
    ("added", "reason"),
    [(None, "time-not-recorded"), ("2026-11-20T02:00:01Z", "impossible-time")],
)
def test_a_database_of_no_known_time_is_shown_nothing_of(
    key: dict[str, Any], look: dict[str, Any] | None, added: str | None, reason: str
) -> None:
    """Nothing is later than an unknown or impossible time, so that nothing counts."""
    other = {"name": "elsewhere"}
    database = database_data(regions=[a_region(look, added_at=added), other], created_at=None)
    [finding, _] = judge(an_organization(keys=[key_data(**key)], databases=[database]))
    assert shown(finding) == ("inconclusive", reason, "")


def test_messages_quote_both_sides_of_a_contradiction() -> None:
    """A contradiction is quoted in full: the order of times, and who saw what and when."""
    [finding] = judge(recorded({"registered": EARLY, "portal": AVAILABLE}, a_region()))
    assert finding.message == (
        "Key registered 2026-05-01T00:00:00Z, attested by acme-it; database deployed "
        "2026-06-01T00:00:00Z. On 2026-11-10 acme-security saw in the portal that the key is "
        "Available."
    )
    assert finding.action == (
        "Find out which evidence on the databases of acme-prod / serverless / aws / us-east-1 is "
        "wrong, and correct it"
    )


def test_a_message_says_why_a_look_does_not_count() -> None:
    """What was seen and shows nothing is not lost: the finding says why it does not count."""
    look = CUSTOMER | {"due": "2026-11-20"}
    stale = NEVER | {"observed_at": "2026-10-01T00:00:00Z"}
    [finding] = judge(recorded({"kms": stale}, a_region(look)))
    assert finding.message == (
        "Key first seen 2026-11-20T02:00:00Z; database deployed 2026-06-01T00:00:00Z. Which came "
        "first is unknown. The look at the portal of 2026-11-10 does not count: it is valid until "
        "2026-11-20. That the key was never used does not count. The KMS data is of "
        "2026-10-01T00:00:00Z, the audit of 2026-11-21T02:00:00Z."
    )


@pytest.mark.parametrize(
    ("key", "look", "begin"),
    [
        (
            {},
            CUSTOMER,
            "On 2026-11-10 acme-security saw in the portal that a customer key encrypts",
        ),
        ({}, ASTRA, "On 2026-11-10 acme-security saw in the portal that Astra's own key encrypts"),
        ({"kms": NEVER}, None, "Up to 2026-11-20T01:00:00Z the cloud recorded no use of the key."),
    ],
)
def test_what_decides_comes_first(
    key: dict[str, Any], look: dict[str, Any] | None, begin: str
) -> None:
    """Where what is shown decides, the message begins with it; what is known of times follows."""
    [finding] = judge(recorded(key, a_region(look)))
    assert finding.message.startswith(begin)
    assert finding.message.endswith(
        " Key first seen 2026-11-20T02:00:00Z; database deployed 2026-06-01T00:00:00Z. Which came "
        "first is unknown."
    )


def test_what_is_to_be_done_about_a_database_on_astra_keys() -> None:
    """A database that is shown not to be encrypted has to be recreated: no key helps it now."""
    [finding] = judge(recorded({}, a_region(ASTRA)))
    assert finding.action == "Recreate db-1, which its key does not encrypt, and migrate its data"


def test_an_order_that_is_observed_needs_nobody_s_word(tmp_path: Path) -> None:
    """A pass that dated records show rests on nobody's word, whoever looked at the portal."""
    history = earlier(tmp_path, on_2026_05_01=organization_data())
    [finding] = judge(recorded({}, a_region()), history)
    assert shown(finding) == ("pass", "", "order")
    [finding] = judge(recorded({}, a_region(CUSTOMER)), history)
    assert shown(finding) == ("pass", "", "portal")


def test_the_evidence_names_where_a_look_was_read() -> None:
    """A finding leads to the entries with the looks and to the cloud's answer."""
    organization = recorded({"portal": AVAILABLE, "kms": NEVER}, a_region(ASTRA))
    [key], [database] = organization.keys or (), organization.databases or ()
    assert key.kms
    key.kms.located({"last-use": ("bundle/exchanges/1.ndjson", 9)})
    key.at("keys.yaml", 7)
    database.at("databases.yaml", 8)
    [finding] = judge(organization)
    assert finding.evidence == (
        ("databases.yaml", 8),
        ("keys.yaml", 7),
        ("bundle/exchanges/1.ndjson", 9),
    )


# --- several databases ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "regions", "expected"),
    [
        ({"portal": AVAILABLE}, [a_region(), a_region()], ["fail", "fail"]),
        # One that was deployed later is shown nothing of.
        (
            {"portal": AVAILABLE},
            [a_region(), a_region(added_at="2026-11-10T00:00:00Z")],
            ["fail", "inconclusive"],
        ),
        ({"portal": IN_USE}, [a_region(), a_region()], ["inconclusive", "inconclusive"]),
        (
            {"portal": IN_USE},
            [a_region(), a_region(added_at="2026-11-10T00:00:00Z")],
            ["inconclusive", "inconclusive"],
        ),
        (
            {"portal": IN_USE},
            [a_region(), a_region(added_at="2026-11-11T00:00:00Z")],
            ["pass", "inconclusive"],
        ),
        ({"portal": IN_USE}, [a_region(), a_region(added_at=None)], ["inconclusive"] * 2),
        # That the key is in use is not explained by databases that all run on Astra's keys.
        ({"portal": IN_USE}, [a_region(ASTRA), a_region(ASTRA)], ["contradiction"] * 2),
        ({"portal": IN_USE}, [a_region(ASTRA), a_region()], ["fail", "inconclusive"]),
        ({"portal": IN_USE, "kms": NEVER}, [a_region(), a_region()], ["contradiction"] * 2),
        # That a key is available is in dispute if somebody saw that it encrypts a database.
        ({"portal": AVAILABLE}, [a_region(CUSTOMER), a_region()], ["contradiction"] * 2),
        ({"kms": NEVER}, [a_region(CUSTOMER), a_region()], ["contradiction"] * 2),
        (
            {"portal": AVAILABLE},
            [a_region(CUSTOMER, added_at="2026-11-10T00:00:00Z"), a_region()],
            ["inconclusive", "fail"],
        ),
        (
            {"portal": AVAILABLE | {"on": "2026-11-09"}},
            [a_region(CUSTOMER, added_at="2026-11-09T00:00:00Z"), a_region()],
            ["pass", "fail"],
        ),
    ],
)
def test_several_databases_of_one_scope(
    key: dict[str, Any], regions: list[dict[str, Any]], expected: list[str]
) -> None:
    """That a key is available is true of all databases, that it is in use of at least one."""
    found = judge(recorded(key, *regions))
    assert [
        finding.reason if finding.reason == "contradiction" else finding.status for finding in found
    ] == expected


GONE = database_data(id=uuid(9), name="gone", status="TERMINATED", regions=[a_region()])
ALONE = database_data(name="db", regions=[a_region()])
HIDDEN = {"tier": "developer", "id": uuid(8), "name": "hidden", "regions": [a_region()]}
ELSEWHERE = [a_region(name="us-west-2")]


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({}, ""),
        ({"databases": [ALONE, planned_data()]}, ""),
        ({"databases": [ALONE, GONE | {"regions": ELSEWHERE}]}, ""),
        ({"databases": [ALONE, GONE | {"type": "managed-clusters"}]}, ""),
        ({"databases": [ALONE, GONE | {"provider": "gcp"}]}, ""),
        ({"databases": [ALONE, GONE]}, "one that is terminated may have used the key"),
        (
            {"databases": [ALONE, {"provider": "aws"} | HIDDEN | {"status": "TERMINATED"}]},
            "one that is terminated may have used the key",
        ),
        (
            {"databases": [ALONE, {"provider": "aws"} | HIDDEN]},
            "one of unknown type may use the key",
        ),
        (
            {
                "databases": [
                    ALONE,
                    ALONE | {"id": uuid(7), "encryption": "astra-provided", "reason": "x"},
                ]
            },
            "2 databases may use the key",
        ),
        ({"databases": []}, "0 databases may use the key"),
        (
            {"gaps": [{"fact": "databases", "reason": "cut-short"}]},
            "not all databases are known to be recorded",
        ),
        (
            {"captured_at": None},
            "only a record of a later day shows what else was deployed by then",
        ),
        (
            {"keys": [key_data(), key_data(region="us-west-2", key_id=aws_key_id())]},
            "the key is registered for several key scopes",
        ),
        (
            {"databases": [database_data(regions=[a_region(added_at="2026-11-10T00:00:00Z")])]},
            "the only one there may be younger",
        ),
    ],
)
def test_a_key_in_use_shows_a_database_only_if_no_other_can_be_meant(
    over: dict[str, Any], why: str
) -> None:
    """Whatever may have been deployed, deleted or hidden keeps a used key from showing anything."""
    organization = an_organization(**({"databases": [ALONE]} | over))
    index, scope = index_organization(organization), scope_of(ORGANIZATION, a_key())
    keys = ScopeKeys(
        organization=index,
        scope=scope,
        keys=index.keys[scope],
        earlier=(),
        never_used={},
        as_of=AS_OF,
    )
    assert unknown_user(keys, aws_key_id(), PortalKey.model_validate(IN_USE)) == why


def test_without_evidence_nothing_is_shown() -> None:
    """A scope of which nothing was seen takes no time, and planned databases are shown nothing."""
    organization = recorded({}, a_region())
    index, scope = index_organization(organization), scope_of(ORGANIZATION, a_key())
    known = {"earlier": (), "never_used": {}, "as_of": AS_OF}
    assert find_direct_evidence(ScopeKeys(index, scope, index.keys[scope], **known)) == []  # type: ignore[arg-type]
    organization = an_organization(
        keys=[key_data(portal=AVAILABLE)], databases=[ALONE, planned_data()]
    )
    index = index_organization(organization)
    found = find_direct_evidence(ScopeKeys(index, scope, index.keys[scope], **known))  # type: ignore[arg-type]
    assert [evidence == NOTHING for evidence in found] == [False, True]


def test_planned_databases_are_judged_as_before() -> None:
    """A planned database needs a registered key, whatever is shown of that."""
    for look in (AVAILABLE, IN_USE):
        organization = an_organization(
            keys=[key_data(portal=look, kms=NEVER)], databases=[planned_data()]
        )
        finding = judged_once("CMEK-05", organization)
        message = "The key is registered; the database is only planned."
        assert (finding.status, finding.message) == ("pass", message)


# --- other kinds of scopes ------------------------------------------------------------------------

AZURE = {"type": "serverless", "provider": "azure", "region": "a", "key_id": azure_key_id()}
CLASSIC = {"type": "managed-clusters"}


@pytest.mark.parametrize(
    ("place", "key", "look", "expected"),
    [
        (AZURE, {"portal": AVAILABLE}, None, ("inconclusive", UNKNOWN, "")),
        (AZURE, {"portal": IN_USE}, None, ("inconclusive", UNKNOWN, "")),
        (
            AZURE,
            {"portal": AVAILABLE, "registered": EARLY},
            None,
            ("pass", "", "attested", "acme-it"),
        ),
        (AZURE, {}, CUSTOMER, PORTAL),
        (AZURE, {}, ASTRA, ("fail", "shown-on-astra-keys", "")),
        # Of Managed Clusters the portal is not known to show anything: that can only cast doubt.
        (CLASSIC, {"portal": IN_USE}, None, ("inconclusive", UNKNOWN, "")),
        (CLASSIC, {}, CUSTOMER, ("inconclusive", UNKNOWN, "")),
        (CLASSIC, {}, ASTRA, ("inconclusive", UNKNOWN, "")),
        (CLASSIC, {"portal": AVAILABLE}, None, ("inconclusive", UNKNOWN, "")),
        (CLASSIC, {"registered": EARLY}, ASTRA, ("inconclusive", "contradiction", "")),
        (
            CLASSIC,
            {"registered": EARLY, "portal": AVAILABLE},
            None,
            ("inconclusive", "contradiction", ""),
        ),
        (CLASSIC, {"kms": NEVER}, None, ("fail", "key-never-used", "")),
    ],
)
def test_what_the_portal_does_not_show(
    place: dict[str, Any],
    key: dict[str, Any],
    look: dict[str, Any] | None,
    expected: tuple[str, ...],
) -> None:
    """In Azure only the region's details show anything, and of Managed Clusters the cloud alone."""
    own = {"type": "serverless", "provider": "aws", "region": "us-east-1"} | place
    database = database_data(
        type=own["type"],
        provider=own["provider"],
        regions=[a_region(look, name=own["region"])],
        created_at=None,
    )
    organization = an_organization(keys=[key_data(**own | key)], databases=[database])
    [finding] = judge(organization)
    assert shown(finding) == expected


def test_a_scope_without_a_key() -> None:
    """Without a key a database runs on Astra's; whoever saw a customer key contradicts that."""
    [finding] = judge(recorded([], a_region(ASTRA)))
    assert shown(finding) == ("fail", "without-key", "")
    for look in (CUSTOMER, CUSTOMER | {"key_id": aws_key_id()}):
        [finding] = judge(recorded([], a_region(look)))
        assert shown(finding) == ("inconclusive", "contradiction", "")


def test_keys_that_were_not_read() -> None:
    """Where keys could not be read, seeing one is no pass, and seeing Astra's own is a failure."""
    found = {}
    for look in (CUSTOMER, CUSTOMER | {"key_id": aws_key_id()}, ASTRA):
        database = database_data(regions=[a_region(look)])
        findings = judge(an_organization(keys=None, databases=[database]))
        found[str(look)] = [shown(finding) for finding in findings if finding.databases]
    unread, fail = ("inconclusive", "not-recorded", ""), ("fail", "shown-on-astra-keys", "")
    assert list(found.values()) == [[unread], [unread], [fail]]


def test_a_database_that_needs_no_key_stays_out() -> None:
    """What is declared to run on Astra's keys is not judged, whatever somebody saw of it."""
    declared = {"encryption": "astra-provided", "reason": "public data"}
    [finding] = judge(recorded({}, a_region(ASTRA, **declared)))
    assert finding.status == "not-applicable"
    assert finding.message.endswith("that Astra's own key encrypts the database.")


# --- several keys ---------------------------------------------------------------------------------

RIVALS = [{}, {"key_id": aws_key_id(number=2)}]


@pytest.mark.parametrize(
    ("keys", "look", "expected"),
    [
        (RIVALS, None, ("inconclusive", "rival-keys", "")),
        (RIVALS, CUSTOMER, ("inconclusive", "rival-keys", "")),
        (RIVALS, CUSTOMER | {"key_id": aws_key_id(number=2)}, PORTAL),
        (
            RIVALS,
            CUSTOMER | {"key_id": aws_key_id(number=3)},
            ("inconclusive", "contradiction", ""),
        ),
        (RIVALS, ASTRA, ("fail", "shown-on-astra-keys", "")),
        ([{"portal": AVAILABLE}, RIVALS[1]], None, ("inconclusive", "rival-keys", "")),
        (
            [{"portal": AVAILABLE}, RIVALS[1] | {"portal": AVAILABLE}],
            None,
            ("fail", "key-available", ""),
        ),
        ([{"kms": NEVER}, RIVALS[1]], None, ("inconclusive", "rival-keys", "")),
        ([{"kms": NEVER}, RIVALS[1] | {"kms": NEVER}], None, ("fail", "key-never-used", "")),
        ([{"portal": IN_USE}, RIVALS[1]], None, PORTAL),
    ],
)
def test_several_keys_of_one_scope(
    keys: list[dict[str, Any]], look: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    """Of several keys it has to be shown which one it is, or that it is none of them."""
    [finding] = judge(recorded(keys, a_region(look)))
    assert shown(finding) == expected


def test_versions_of_a_key_are_one_key() -> None:
    """A look names a key in any version, and two looks at versions of one key may contradict."""
    place = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
    region = a_region(CUSTOMER | {"key_id": gcp_key_id(version=7)}, name="us-east1")
    database = database_data(provider="gcp", regions=[region], created_at=None)
    looks: list[dict[str, Any]] = [{}, {"portal": AVAILABLE | {"on": "2026-11-09"}}]
    keys = [
        key_data(**place, key_id=gcp_key_id(version=version)) | look
        for version, look in enumerate(looks, 1)
    ]
    [finding] = judge(an_organization(keys=keys[:1], databases=[database]))
    assert shown(finding) == PORTAL
    [finding] = judge(an_organization(keys=keys, databases=[database]))
    assert shown(finding) == ("inconclusive", "contradiction", "")


def test_facts_of_one_version_are_those_of_the_key() -> None:
    """A key that was never used is so in all its versions, also if one has no facts."""
    place = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
    keys = [key_data(**place, key_id=gcp_key_id(version=version)) for version in (1, 2)]
    region = a_region(name="us-east1")
    database = database_data(provider="gcp", regions=[region], created_at=None)
    [finding] = judge(
        an_organization(keys=[keys[0] | {"kms": NEVER}, keys[1]], databases=[database])
    )
    assert shown(finding) == ("fail", "key-never-used", "")


def test_a_key_that_was_replaced_is_no_other_key(tmp_path: Path) -> None:
    """A look that names the key of before shows neither the present key nor a contradiction."""
    before = {"keys": [key_data(key_id=aws_key_id(number=9))]}
    history = earlier(tmp_path, on_2026_05_01=organization_data(**before))
    cases = [a_support_case(on="2026-10-01")]
    look = CUSTOMER | {"key_id": aws_key_id(number=9), "on": "2026-09-01"}
    [finding] = judge(recorded({}, a_region(look), support_cases=cases), history)
    assert finding.reason == UNKNOWN
    [finding] = judge(recorded({}, a_region(CUSTOMER), support_cases=cases), history)
    assert shown(finding) == PORTAL


def test_a_look_that_names_no_key_is_none_of_the_earlier_ones(tmp_path: Path) -> None:
    """Where several keys were claimed before, seeing a customer key shows the present one."""
    before = {"keys": [key_data(key_id=aws_key_id(number=number)) for number in (8, 9)]}
    history = earlier(tmp_path, on_2026_05_01=organization_data(**before))
    [finding] = judge(recorded({}, a_region(CUSTOMER)), history)
    assert shown(finding) == PORTAL


# --- creation and grants --------------------------------------------------------------------------

VENDOR = "999988887777"
ACCOUNTS = [{"type": "serverless", "provider": "aws", "region": "us-east-1", "account": VENDOR}]


def in_cloud(created: str | None = None, used: str | None = None) -> dict[str, Any]:
    grant = {"id": "g", "grantee": VENDOR, "operations": ["Decrypt"], "issued_by": VENDOR}
    grants = [grant | {"created_at": used}] if used else None
    observed = "2026-11-20T01:00:00Z"
    return {"kms": {"observed_at": observed, "created_at": created, "grants": grants}}


@pytest.mark.parametrize(
    ("key", "expected", "begin"),
    [
        (
            in_cloud("2026-07-01T00:00:00Z"),
            ("fail", "older-than-key", ""),
            "Key created 2026-07-01T00:00:00Z, first seen 2026-11-20T02:00:00Z;",
        ),
        (in_cloud("2026-06-01T00:00:00Z"), ("inconclusive", "equal-times", ""), "Key created"),
        (in_cloud("2026-05-01T00:00:00Z"), ("inconclusive", UNKNOWN, ""), "Key created"),
        (
            in_cloud(used="2026-05-01T00:00:00Z"),
            ("inconclusive", UNKNOWN, ""),
            (
                "Key used by Astra from 2026-05-01T00:00:00Z on, as a grant of its own shows; "
                "database deployed 2026-06-01T00:00:00Z. Which came first is unknown. It may be "
                "another organization, which shares the key, whose use the grant shows."
            ),
        ),
        (in_cloud(used="2026-07-01T00:00:00Z"), ("inconclusive", UNKNOWN, ""), "Key used by"),
        (
            in_cloud("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z") | {"registered": EARLY},
            ("inconclusive", "equal-times", ""),
            "Key registered",
        ),
        (
            in_cloud("2026-07-01T00:00:00Z") | {"registered": EARLY},
            ("inconclusive", "contradiction", ""),
            "The registration is attested for 2026-05-01T00:00:00Z, the key was created",
        ),
        (
            in_cloud("2026-07-01T00:00:00Z") | {"portal": IN_USE},
            ("inconclusive", "contradiction", ""),
            "Key created",
        ),
    ],
)
def test_what_the_cloud_shows_of_the_registration(
    key: dict[str, Any], expected: tuple[str, ...], begin: str
) -> None:
    """A key that was created after a database came after it; a use before it proves no order."""
    if "equal-times" in expected and "registered" in key:
        key = key | {"registered": REGISTERED | {"at": "2026-06-01T00:00:00Z"}}
        key["kms"]["grants"] = None
    [finding] = judge(recorded(key, a_region(), vendor_accounts=ACCOUNTS))
    assert shown(finding) == expected
    assert finding.message.startswith(begin)


def test_a_key_that_may_have_replaced_another_is_not_known_to_be_younger() -> None:
    """A support case since the creation leaves it open whether there was a key before."""
    key, cases = in_cloud("2026-07-01T00:00:00Z"), [a_support_case(on="2026-08-01")]
    [finding] = judge(recorded(key, a_region(), support_cases=cases))
    assert shown(finding) == ("inconclusive", UNKNOWN, "")


# --- properties -----------------------------------------------------------------------------------

days = st.sampled_from(["2026-05-31", "2026-06-01", "2026-11-10", "2026-11-20", "2026-11-22"])
people = st.fixed_dictionaries(
    {"by": st.just("acme-security"), "on": days}, optional={"due": st.just("2026-11-20")}
).filter(lambda look: look["on"] != "2026-11-22" or "due" not in look)
key_looks = st.none() | st.builds(
    lambda status, look: {"status": status} | look, st.sampled_from(["in-use", "available"]), people
)
region_looks = st.none() | st.builds(
    lambda key, look: key | look,
    st.sampled_from(
        [
            {"key": "astra"},
            {"key": "customer"},
            {"key": "customer", "key_id": aws_key_id()},
            {"key": "customer", "key_id": aws_key_id(number=2)},
        ]
    ),
    people,
)
registrations = st.sampled_from([None, EARLY, LATE])
never = st.sampled_from([None, NEVER, NEVER | {"observed_at": "2026-10-01T00:00:00Z"}])
regions = st.builds(
    lambda look, added: a_region(look, added_at=added),
    region_looks,
    st.sampled_from(["2026-06-01T00:00:00Z", "2026-11-10T12:00:00Z"]),
)
scopes = st.tuples(key_looks, registrations, never, st.lists(regions, min_size=1, max_size=3))


def bare(region: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in region.items() if name != "portal"}


def counts(look: dict[str, Any] | None, deployed: str) -> bool:
    """Say whether a look is current, and of a day after the deployment."""
    if look is None:
        return False
    is_current = look["on"] <= "2026-11-21" and look.get("due", "9999") >= "2026-11-21"
    return bool(is_current and deployed[:10] < look["on"])


@examples(400)
@given(scopes)
def test_a_look_makes_a_pass_only_if_it_shows_the_key(case: Any) -> None:  # noqa: ANN401 (drawn)
    """What was no pass becomes one by a look that counts and shows the key, or by nothing.

    A key in use shows that only of one database, and only if it is the only one of that age.
    """
    look, registered, kms, all_regions = case
    key = {"registered": registered, "kms": kms}
    before = judge(recorded(key, *map(bare, all_regions)))
    after = judge(recorded(key | {"portal": look}, *all_regions))
    for old, new, region in zip(before, after, all_regions, strict=True):
        if new.status != "pass" or old.status == "pass":
            continue
        own = region.get("portal")
        by_region = (
            counts(own, region["added_at"])
            and own["key"] == "customer"
            and own.get("key_id", aws_key_id()) == aws_key_id()
        )
        candidates = [
            other for other in all_regions if look and other["added_at"][:10] <= look["on"]
        ]
        by_key = (
            counts(look, region["added_at"]) and look["status"] == "in-use" and len(candidates) == 1
        )
        assert by_region or by_key
        assert (new.rests_on, new.attested_by) == ("portal", ("acme-security",))


@examples(400)
@given(
    scopes,
    st.sampled_from([{}, {"portal": AVAILABLE}, {"kms": NEVER}]),
    st.sampled_from([None, ASTRA]),
)
def test_evidence_against_a_key_never_makes_a_pass(
    case: Any,  # noqa: ANN401 (drawn)
    more: dict[str, Any],
    astra: dict[str, Any] | None,
) -> None:
    """One more thing that speaks against a key turns no database into a pass, and keeps none.

    It is added where nothing of its kind is recorded yet.
    """
    look, registered, kms, all_regions = case
    known = {"registered": registered}
    known |= {name: value for name, value in (("portal", look), ("kms", kms)) if value}
    added = [astra if astra and region.get("portal") is None else None for region in all_regions]
    before = judge(recorded(known, *all_regions))
    looked_at = [
        region | ({"portal": one} if one else {})
        for region, one in zip(all_regions, added, strict=True)
    ]
    after = judge(recorded(more | known, *looked_at))
    new_look = None if look else more.get("portal")
    for old, new, region, one in zip(before, after, looked_at, added, strict=True):
        is_against = (
            counts(one, region["added_at"])
            or counts(new_look, region["added_at"])
            or ("kms" in more and not kms)
        )
        if is_against:
            assert new.status != "pass"
        elif new.status == "pass":
            assert old.status == "pass"
