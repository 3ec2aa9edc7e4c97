"""CMEK-12, and what CMEK-11 has in common with it: facts of the clouds' key management."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.context import Context
from inventory.model.kms import KmsFacts
from inventory.model.planned_keys import PlannedKey
from inventory.model.terraform_managed import ManagedResources
from tests.builders import (
    AS_OF,
    CAPTURED_AT,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    kms_facts,
)
from tests.checks.judging import CONTEXT, causes, judged, judged_once

if TYPE_CHECKING:
    from inventory.model.organization import Organization

BOTH = pytest.mark.parametrize("rule", ["CMEK-11", "CMEK-12"])
LEFT_OUT = Context(AS_OF, kms="none")
BY: dict[str, Any] = {"by": "acme-security", "on": "2026-11-01"}
ATTESTED = {"CMEK-11": "rotation", "CMEK-12": "usable"}
WORDS = {"CMEK-11": "automatic", "CMEK-12": "usable"}


def attested(rule: str, *, well: bool, **over: object) -> dict[str, Any]:
    return {ATTESTED[rule]: BY | {WORDS[rule]: well} | over}


def judge(rule: str, context: Context = CONTEXT, **key: object) -> tuple[str, str]:
    """Return the status and the reason of the first finding about a key."""
    finding = judged(rule, an_organization(keys=[a_key(**key)]), context=context)[0]
    return finding.status, finding.reason


@BOTH
def test_facts_or_an_attestation_make_a_pass(rule: str) -> None:
    """A key passes by what the cloud says, and where that says nothing by an attestation."""
    assert judge(rule, kms=kms_facts()) == ("pass", "")
    assert judge(rule, **attested(rule, well=True)) == ("pass", "")
    assert judge(rule, **attested(rule, well=False)) == ("fail", "")


@BOTH
def test_nothing_known_is_inconclusive_unless_clouds_are_left_out(rule: str) -> None:
    """Without facts a key is inconclusive, and not applicable where the audit leaves clouds out."""
    assert judge(rule) == ("inconclusive", "not-recorded")
    assert judge(rule, LEFT_OUT) == ("not-applicable", "clouds-left-out")


@BOTH
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("well", [True, False, None])
def test_recorded_facts_are_left_out_with_the_clouds(rule: str, well: object, *, old: bool) -> None:
    """Without the clouds no recorded fact counts, be it good or bad, fresh or old."""
    observed_at = "2026-01-01T00:00:00Z" if old else CAPTURED_AT
    facts = kms_facts(rotation_enabled=well, enabled=well, observed_at=observed_at)
    assert judge(rule, LEFT_OUT, kms=facts) == ("not-applicable", "clouds-left-out")
    granted_to = kms_facts(granted_to=[])
    assert judge(rule, LEFT_OUT, kms=granted_to) == ("not-applicable", "clouds-left-out")


@BOTH
def test_attestations_count_also_where_clouds_are_left_out(rule: str) -> None:
    """What people attest is judged without the clouds, whatever facts were recorded."""
    for facts in (None, kms_facts(), kms_facts(rotation_enabled=False, enabled=False)):
        for well, status in ((True, "pass"), (False, "fail")):
            attestation = attested(rule, well=well)
            assert judge(rule, LEFT_OUT, kms=facts, **attestation) == (status, "")
    assert judge(rule, LEFT_OUT, **attested(rule, well=False)) == ("fail", "")
    run_out = attested(rule, well=True, on="2025-11-20")
    assert judge(rule, LEFT_OUT, **run_out) == ("inconclusive", "attestation-not-current")


@BOTH
@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(), "pass"),
        (timedelta(days=30), "pass"),
        (timedelta(days=30, seconds=1), "inconclusive"),
        (timedelta(seconds=-1), "inconclusive"),
    ],
)
def test_facts_are_as_fresh_as_records(rule: str, age: timedelta, status: str) -> None:
    """Facts count up to the greatest age to the second, and not if they are of the future."""
    facts = kms_facts(observed_at=AS_OF - age)
    found = judge(rule, kms=facts)
    assert found == (status, "" if status == "pass" else "facts-not-current")


@BOTH
def test_stale_facts_are_not_replaced_by_an_attestation(rule: str) -> None:
    """Where the cloud was asked, it has to be asked again."""
    stale = kms_facts(observed_at="2026-01-01T00:00:00Z")
    attestation = attested(rule, well=True)
    assert judge(rule, kms=stale, **attestation) == ("inconclusive", "facts-not-current")


@BOTH
def test_the_greatest_age_is_an_option(rule: str) -> None:
    """The audit's own limit decides what is stale."""
    context = Context(AS_OF, timedelta(hours=24))
    assert judge(rule, context, kms=kms_facts(observed_at=CAPTURED_AT)) == ("pass", "")
    older = kms_facts(observed_at=CAPTURED_AT - timedelta(seconds=1))
    assert judge(rule, context, kms=older) == ("inconclusive", "facts-not-current")


@BOTH
@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"on": "2025-11-21"}, "pass"),
        ({"on": "2025-11-20"}, "inconclusive"),
        ({"on": "2026-11-21"}, "pass"),
        ({"on": "2026-11-22"}, "inconclusive"),
        ({"due": "2026-11-21"}, "pass"),
        ({"due": "2026-11-20"}, "inconclusive"),
    ],
)
def test_attestations_count_for_their_days(rule: str, over: dict[str, str], status: str) -> None:
    """An attestation counts from its day to its last, 365 days later if it names none."""
    assert judge(rule, **attested(rule, well=True, **over))[0] == status


@BOTH
def test_the_cloud_counts_more_than_an_attestation(rule: str) -> None:
    """What the cloud says against the key is not outweighed by what somebody attested."""
    disabled = kms_facts(rotation_enabled=False, granted_to_astra=False)
    assert judge(rule, kms=disabled, **attested(rule, well=True)) == ("fail", "")
    assert judge(rule, kms=kms_facts(), **attested(rule, well=False)) == ("pass", "")


FACTS = ("enabled", "symmetric", "granted_to_astra", "region")


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_about_a_key_is_needed(fact: str) -> None:
    """A key of which the cloud leaves one fact open is inconclusive, and the fact is named."""
    key = a_key(kms=kms_facts(**{fact: None}))
    finding = judged_once("CMEK-12", an_organization(keys=[key]))
    assert (finding.status, finding.cause) == ("inconclusive", f"not-recorded:{fact}")
    named = {
        "enabled": "whether the key is enabled",
        "symmetric": "whether the key is symmetric",
        "granted_to_astra": "whether the key is granted to Astra",
        "region": "the region of the key",
    }[fact]
    assert finding.message == f"No KMS data or attestation on {named}."


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_about_a_key_can_be_wrong(fact: str) -> None:
    """One fact that is wrong fails, also where all others are missing, which hides none of them."""
    wrong: object = "us-west-2" if fact == "region" else False
    alone = dict.fromkeys(FACTS) | {fact: wrong}
    message = {
        "enabled": "disabled",
        "symmetric": "not symmetric",
        "granted_to_astra": "not granted to Astra",
        "region": "in us-west-2",
    }[fact]
    others = [f"not-recorded:{each}" for each in FACTS if each != fact]
    for facts, missing in ((kms_facts(**{fact: wrong}), []), (kms_facts(**alone), others)):
        finding, *rest = judged("CMEK-12", an_organization(keys=[a_key(kms=facts)]))
        assert (finding.status, finding.message) == ("fail", f"The key is {message}.")
        assert finding.action == f"Make the key {aws_key_id()} usable for Astra"
        assert [finding.cause for finding in rest] == missing


def test_all_that_is_wrong_is_reported() -> None:
    """A key with several faults has a finding for each, so none can hide behind another."""
    facts = kms_facts(enabled=False, granted_to_astra=False, region="us-west-2")
    key = an_organization(keys=[a_key(kms=facts)])
    assert causes("CMEK-12", key) == ["disabled", "other-region:us-west-2", "not-granted"]


def test_an_attestation_excuses_no_fault() -> None:
    """What is attested fills in for missing facts, and is no pass beside a fault."""
    facts = kms_facts(enabled=False, symmetric=None)
    key = an_organization(keys=[a_key(kms=facts, **attested("CMEK-12", well=True))])
    assert causes("CMEK-12", key) == ["disabled"]
    unwell = an_organization(keys=[a_key(kms=facts, **attested("CMEK-12", well=False))])
    assert causes("CMEK-12", unwell) == ["disabled", "not-usable"]


# --- whom Astra names -----------------------------------------------------------------------------

VENDOR = {"type": "serverless", "provider": "aws", "region": "us-east-1", "account": "444455556666"}
ROOT = "arn:aws:iam::444455556666:root"
ROLE = "arn:aws:iam::444455556666:role/astra"


def granted(*accounts: dict[str, str], **facts: object) -> tuple[str, str]:
    """Judge a key of which the cloud says who may use it, and Astra whom it needs."""
    key = a_key(kms=kms_facts(**{"granted_to_astra": None} | facts))
    finding = judged_once("CMEK-12", an_organization(keys=[key], vendor_accounts=accounts))
    return finding.status, finding.message


@pytest.mark.parametrize(
    ("account", "granted_to", "status"),
    [
        (ROOT, ["444455556666"], "pass"),
        (ROOT, [ROOT], "pass"),
        (ROOT, ["111122223333"], "fail"),
        (ROLE, [ROLE], "pass"),
        (ROLE, [ROOT], "pass"),
        (ROLE, ["444455556666"], "pass"),
        (ROLE, ["arn:aws:iam::444455556666:role/another"], "fail"),
        (ROLE, ["arn:aws:iam::111122223333:root"], "fail"),
    ],
)
def test_a_whole_account_covers_its_roles(account: str, granted_to: list[str], status: str) -> None:
    """An account may be named by number or by ARN; a role is covered by itself or its account."""
    assert granted(VENDOR | {"account": account}, granted_to=granted_to)[0] == status


@pytest.mark.parametrize(
    ("granted_to", "status"),
    [
        ([ROOT], "pass"),
        (["444455556666"], "pass"),
        (["arn:aws:iam::111122223333:root", ROOT], "pass"),
        (["*"], "pass"),
        (["arn:aws:iam::111122223333:root", ROLE], "inconclusive"),
        (["arn:aws:iam::111122223333:role/444455556666"], "fail"),
        (["arn:aws-cn:iam::444455556666:root"], "fail"),
        ([], "fail"),
        (["arn:aws:iam::111122223333:root"], "fail"),
        (["arn:aws:iam::4444555566667:root"], "fail"),
        (["arn:aws:iam::111122223333:role/444455556666-like"], "fail"),
    ],
)
def test_a_key_is_granted_to_whom_astra_names(granted_to: list[str], status: str) -> None:
    """A key is granted to an account as a whole, never to a name that only looks like it."""
    assert granted(VENDOR, granted_to=granted_to)[0] == status


def test_every_account_needs_its_grant() -> None:
    """Of several accounts that Astra names for a scope, all have to be granted."""
    second = VENDOR | {"account": "777788889999"}
    assert granted(VENDOR, second, granted_to=[ROOT])[0] == "fail"
    both = [ROOT, "arn:aws:iam::777788889999:root"]
    assert granted(VENDOR, second, granted_to=both)[0] == "pass"


@pytest.mark.parametrize("field", ["type", "provider", "region"])
def test_accounts_of_other_scopes_do_not_matter(field: str) -> None:
    """Whom Astra names for another type, provider or region settles nothing here."""
    elsewhere = {"type": "managed-clusters", "provider": "gcp", "region": "us-west-2"}
    other = VENDOR | {field: elsewhere[field]}
    assert granted(other, granted_to=[ROOT])[0] == "inconclusive"
    assert granted(other, granted_to=[ROLE])[0] == "inconclusive"


@pytest.mark.parametrize(
    ("said", "granted_to", "status"),
    [(True, [], "fail"), (False, [ROOT], "fail"), (True, None, "pass"), (False, None, "fail")],
)
def test_a_comparison_never_softens_what_was_said(
    said: object, granted_to: list[str] | None, status: str
) -> None:
    """A grant that is said to be missing is; one that is said to be there is compared all the same.

    Where nobody says who may use the key, there is nothing to compare.
    """
    assert granted(VENDOR, granted_to=granted_to, granted_to_astra=said)[0] == status


@pytest.mark.parametrize("said", [True, None])
def test_a_key_that_nobody_may_use_is_not_granted(said: object) -> None:
    """Where nobody may use the key, it is not granted, whomever Astra names."""
    elsewhere = VENDOR | {"region": "us-west-2"}
    for account, whom in ((VENDOR, "444455556666, which Astra names"), (elsewhere, "Astra")):
        message = ("fail", f"The key is not granted to {whom}.")
        assert granted(account, granted_to=[], granted_to_astra=said) == message


def test_an_undecidable_grant_is_neither_one_nor_none() -> None:
    """A grant to one role of the account leaves open whether Astra can use the key."""
    for said in (True, None):
        facts = kms_facts(granted_to=[ROLE], granted_to_astra=said)
        key = a_key(kms=facts)
        finding = judged_once("CMEK-12", an_organization(keys=[key], vendor_accounts=[VENDOR]))
        assert (finding.status, finding.reason) == ("inconclusive", "undecidable-grant")
        assert finding.message == (
            f"The key is granted to {ROLE}. "
            "Whether that includes 444455556666, which Astra names, cannot be decided."
        )
        assert finding.action == (
            f"Grant the key {aws_key_id()} to 444455556666 in a form that names it, "
            "or attest that Astra can use the key"
        )


def test_an_undecidable_grant_does_not_hide_other_facts() -> None:
    """What is wrong fails, what is missing is named, and an attestation closes what is open."""
    wrong = a_key(kms=kms_facts(granted_to=[ROLE], enabled=False))
    assert causes("CMEK-12", an_organization(keys=[wrong], vendor_accounts=[VENDOR])) == [
        "disabled",
        "undecidable-grant:444455556666",
    ]
    partly = a_key(kms=kms_facts(granted_to=[ROLE], enabled=None, region=None))
    assert causes("CMEK-12", an_organization(keys=[partly], vendor_accounts=[VENDOR])) == [
        "undecidable-grant:444455556666",
        "not-recorded:enabled",
        "not-recorded:region",
    ]
    facts = kms_facts(granted_to=[ROLE])
    for well, expected in ((True, "pass"), (False, "fail")):
        key = a_key(kms=facts, **attested("CMEK-12", well=well))
        organization = an_organization(keys=[key], vendor_accounts=[VENDOR])
        assert judged_once("CMEK-12", organization).status == expected


def test_one_undecidable_grant_of_several_accounts_is_open() -> None:
    """Every account is needed: one that is open leaves it open, one that is left out fails."""
    second = VENDOR | {"account": "777788889999"}
    assert granted(VENDOR, second, granted_to=["777788889999", ROLE])[0] == "inconclusive"
    key = a_key(kms=kms_facts(granted_to=[ROLE]))
    assert causes("CMEK-12", an_organization(keys=[key], vendor_accounts=[VENDOR, second])) == [
        "not-granted:777788889999",
        "undecidable-grant:444455556666",
    ]


def test_each_account_without_a_grant_is_a_cause() -> None:
    """An account that loses its grant is never hidden by one that had none before."""
    second = VENDOR | {"account": "777788889999"}
    for granted_to, wrong in (
        (["777788889999"], ["not-granted:444455556666"]),
        (["1"], ["undecidable-grant:444455556666", "undecidable-grant:777788889999"]),
        (["111122223333"], ["not-granted:444455556666", "not-granted:777788889999"]),
    ):
        key = a_key(kms=kms_facts(granted_to=granted_to))
        organization = an_organization(keys=[key], vendor_accounts=[VENDOR, second])
        assert causes("CMEK-12", organization) == wrong


def test_a_stated_refusal_hides_no_open_grant() -> None:
    """A statement that the key is not granted stands beside a grant that cannot be decided."""
    facts = kms_facts(granted_to=[ROLE], granted_to_astra=False, enabled=None)
    organization = an_organization(keys=[a_key(kms=facts)], vendor_accounts=[VENDOR])
    assert causes("CMEK-12", organization) == [
        "not-granted",
        "undecidable-grant:444455556666",
        "not-recorded:enabled",
    ]


def test_a_key_for_everybody_says_so() -> None:
    """A key that anybody may use is granted to Astra, and the finding names the danger."""
    assert granted(VENDOR, granted_to=["*"]) == (
        "pass",
        (
            "Enabled, symmetric, in its region, and granted to Astra. "
            "Anybody may use it: it is granted to *."
        ),
    )
    assert granted(VENDOR, granted_to=[ROOT])[1].endswith("granted to Astra.")


def test_principals_are_those_of_the_cloud_of_the_key() -> None:
    """A key of Google's is compared by projects, and a user called like one is none."""
    place = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
    account = place | {"account": "vendor-prod"}
    for member, status in (
        ("serviceAccount:astra@vendor-prod.iam.gserviceaccount.com", "pass"),
        ("user:vendor-prod@example.com", "fail"),
        ("serviceAccount:service-1234@compute-system.iam.gserviceaccount.com", "inconclusive"),
    ):
        facts = kms_facts(region="us-east1", granted_to_astra=None, granted_to=[member])
        organization = an_organization(keys=[a_key(**place, kms=facts)], vendor_accounts=[account])
        assert judged_once("CMEK-12", organization).status == status


def test_an_open_grant_names_the_accounts() -> None:
    """Who has to say whether a key is granted is told to whom."""
    assert granted(VENDOR) == (
        "inconclusive",
        ("No KMS data or attestation on whether it is granted to 444455556666, which Astra names."),
    )
    finding = judged_once("CMEK-12", an_organization(vendor_accounts=[VENDOR]))
    assert finding.message == (
        "No KMS data or attestation on whether the key is usable "
        "and whether it is granted to 444455556666, which Astra names."
    )


def test_a_fact_that_is_missing_is_asked_for_by_its_own_name() -> None:
    """Accounts that Astra names belong to the question of the grant, and to no other."""
    key = a_key(kms=kms_facts(enabled=None))
    finding = judged_once("CMEK-12", an_organization(keys=[key], vendor_accounts=[VENDOR]))
    assert finding.message == "No KMS data or attestation on whether the key is enabled."
    finding = judged_once("CMEK-12", an_organization())
    assert finding.message == "No KMS data or attestation on whether the key is usable."


def test_a_finding_about_a_key_names_its_place_and_its_databases() -> None:
    """Whatever is said of a key is shown where it was read, with the databases that rest on it."""
    keys = [
        a_key(kms=kms_facts(enabled=False)),
        a_key(kms=kms_facts(granted_to=[ROLE])),
        a_key(kms=kms_facts()),
        a_key(**attested("CMEK-12", well=True)),
        a_key(**attested("CMEK-12", well=False)),
    ]
    databases = [a_database(), a_planned_database()]
    for line, key in enumerate(keys, 1):
        organization = an_organization(
            keys=[key.at("keys.yaml", line)], databases=databases, vendor_accounts=[VENDOR]
        )
        finding = judged_once("CMEK-12", organization)
        assert finding.evidence == (("keys.yaml", line),)
        assert (finding.databases, finding.existing) == (2, 1)


def test_an_attestation_of_use_says_who_attests_it() -> None:
    """A key is usable or not by the words of a person, whose name and day are given."""
    made = "acme-security attested on 2026-11-01: the key is "
    expected = {
        True: ("pass", f"{made}usable for Astra.", ""),
        False: (
            "fail",
            f"{made}not usable for Astra.",
            f"Make the key {aws_key_id()} usable for Astra",
        ),
    }
    for well, found in expected.items():
        key = a_key(**attested("CMEK-12", well=well))
        finding = judged_once("CMEK-12", an_organization(keys=[key]))
        assert (finding.status, finding.message, finding.action) == found
    old = a_key(usable=BY | {"usable": True, "due": "2026-11-20"})
    finding = judged_once("CMEK-12", an_organization(keys=[old]))
    assert finding.action == f"Attest again whether {aws_key_id()} is usable"


# --- what the cloud shows in full -----------------------------------------------------------------


AZURE: dict[str, Any] = {"type": "serverless", "provider": "azure", "region": "us-east-1"}


@pytest.mark.parametrize(
    ("provider", "suitable", "symmetric", "cause"),
    [
        ("aws", True, None, ""),
        ("aws", None, True, ""),
        ("aws", False, True, "not-suitable"),
        ("aws", True, False, "not-symmetric"),
        ("aws", None, None, "not-recorded:symmetric"),
        ("azure", True, False, ""),
        ("azure", True, None, ""),
        ("azure", None, True, ""),
        ("azure", False, None, "not-suitable"),
        ("azure", None, False, "not-recorded:suitable"),
        ("azure", None, None, "not-recorded:suitable"),
    ],
)
def test_a_key_is_of_a_suitable_kind(
    provider: str, suitable: object, symmetric: object, cause: str
) -> None:
    """A key wraps others if its kind is suitable in its cloud; in Azure no key is symmetric."""
    place = AZURE if provider == "azure" else {}
    key = a_key(**place, kms=kms_facts(suitable=suitable, symmetric=symmetric))
    assert causes("CMEK-12", an_organization(keys=[key])) == [cause]


def test_states_and_kinds_are_named_in_the_clouds_words() -> None:
    """What is wrong with a key is said with the state and the kind that its cloud shows."""
    facts = kms_facts(enabled=False, state="PendingImport", suitable=False, kind="RSA_2048")
    messages = [one.message for one in judged("CMEK-12", an_organization(keys=[a_key(kms=facts)]))]
    assert messages == [
        "The key cannot be used: its state is PendingImport.",
        "The key is of a kind that cannot wrap other keys: it is RSA_2048.",
    ]
    plain = kms_facts(suitable=False)
    finding = judged_once("CMEK-12", an_organization(keys=[a_key(kms=plain)]))
    assert finding.message == "The key is of a kind that cannot wrap other keys."


def test_a_deletion_is_critical_while_databases_exist() -> None:
    """A key that will be deleted is critical under existing databases, and high under planned."""
    key = a_key(kms=kms_facts(deletion_at="2026-12-01T00:00:00Z"))
    for databases, severity in (
        ([a_database()], "critical"),
        ([a_planned_database()], "high"),
        ([], "high"),
        ([a_database(regions=["us-west-2"])], "high"),
    ):
        finding = judged_once("CMEK-12", an_organization(keys=[key], databases=databases))
        assert (finding.cause, finding.severity) == ("pending-deletion", severity)
        assert finding.message == "The key will be deleted on 2026-12-01."
        assert finding.action == f"Cancel the deletion of the key {aws_key_id()}, or recover it"


def test_a_pass_names_what_is_to_be_known() -> None:
    """A key that complies names its kind and its notes, and rests on what its cloud showed."""
    facts = kms_facts(
        symmetric=None, suitable=True, multi_region=True, expires_at="2027-01-30T00:00:00Z"
    )
    finding = judged_once("CMEK-12", an_organization(keys=[a_key(kms=facts)]))
    assert (finding.status, finding.rests_on) == ("pass", "cloud")
    assert finding.message == (
        "Enabled, of a suitable kind, in its region, and granted to Astra. "
        "It expires on 2027-01-30. "
        "It is a multi-Region key: replicas in other regions can decrypt, too."
    )


def test_a_dead_version_is_a_fault_under_data_only() -> None:
    """A version that cannot decrypt fails while databases exist, and is a note without them."""
    place = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
    versions = [
        {"id": "1", "state": "DISABLED", "usable": False},
        {"id": "2", "state": "ENABLED", "usable": True, "is_current": True},
    ]
    key = a_key(**place, kms=kms_facts(region="us-east1", versions=versions))
    database = a_database(provider="gcp", regions=["us-east1"])
    found = judged_once("CMEK-12", an_organization(keys=[key], databases=[database]))
    assert (found.status, found.cause, found.severity) == ("fail", "dead-version:1", "high")
    found = judged_once("CMEK-12", an_organization(keys=[key], databases=[]))
    assert found.status == "pass"
    assert found.message.endswith("Versions that cannot decrypt: 1; no database uses the key.")


def gap(fact: str, reason: str = "refused") -> dict[str, str]:
    return {"fact": fact, "reason": reason}


def test_each_unread_fact_is_a_finding_of_its_own() -> None:
    """Facts that could not be read are inconclusive each, beside the faults that were seen."""
    facts = kms_facts(
        enabled=None,
        symmetric=None,
        region=None,
        deletion_at="2026-12-01T00:00:00Z",
        unread=[gap("key"), gap("versions"), gap("deleted-key"), gap("rotation"), gap("last-use")],
    )
    assert causes("CMEK-12", an_organization(keys=[a_key(kms=facts)])) == [
        "pending-deletion",
        "refused:key",
        "refused:versions",
        "refused:deleted-key",
    ]
    partly = kms_facts(region=None, unread=[gap("versions")])
    assert causes("CMEK-12", an_organization(keys=[a_key(kms=partly)])) == [
        "refused:versions",
        "not-recorded:region",
    ]


def test_a_key_of_which_nothing_was_read_is_one_finding() -> None:
    """Where no fact could be read, there is one finding, which an attestation closes."""
    nothing = KmsFacts.model_validate(
        {"observed_at": CAPTURED_AT, "unread": [gap("policy", "no-credentials"), gap("key")]}
    )
    key = an_organization(keys=[a_key(kms=nothing)])
    assert causes("CMEK-12", key) == ["refused:key"]
    for well, status in ((True, "pass"), (False, "fail")):
        stated = a_key(kms=nothing, **attested("CMEK-12", well=well))
        assert judged_once("CMEK-12", an_organization(keys=[stated])).status == status


def test_facts_of_another_account_are_refused() -> None:
    """Facts about another account's key are no facts about this one, whoever attests it."""
    foreign = kms_facts(owner="999988887777")
    for stated in ({}, attested("CMEK-12", well=True)):
        key = a_key(kms=foreign, **stated)
        finding = judged_once("CMEK-12", an_organization(keys=[key]))
        assert (finding.status, finding.cause) == ("inconclusive", "foreign-key")


def test_evidence_is_where_each_fact_was_read() -> None:
    """A finding leads to the key and to the recorded answers that show what it states."""
    answers = {fact: (f"{fact}.json", 1) for fact in ("key", "versions", "policy", "grants")}
    kinds: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["key", "versions", "policy", "grants"]),
        ({"enabled": False}, ["key"]),
        ({"granted_to_astra": False}, ["policy", "grants"]),
        (
            {"versions": [{"id": "1", "state": "x", "usable": False, "is_current": True}]},
            ["versions"],
        ),
    ]
    for over, facts in kinds:
        kms = kms_facts(**over).located(answers)  # type: ignore[arg-type]
        key = a_key(kms=kms).at("keys.yaml", 3)
        finding = judged_once("CMEK-12", an_organization(keys=[key]))
        assert finding.evidence == (("keys.yaml", 3), *((f"{fact}.json", 1) for fact in facts))


# --- planned keys ---------------------------------------------------------------------------------


def planned(**facts: object) -> Organization:
    """Return an organization whose plan would register a key that its cloud shows."""
    key = PlannedKey(
        type="serverless",
        provider="aws",
        region="us-east-1",
        key_id=aws_key_id(),
        kms=kms_facts(**facts) if facts else None,
    ).at("plan.json", 7, "astra_customer_key.a")
    organization = an_organization(keys=[], databases=[a_database(), a_planned_database()])
    return organization.with_managed(ManagedResources(planned_keys=(key,)))


def test_a_planned_key_is_judged_by_what_its_cloud_shows() -> None:
    """A planned key has causes of its own, and passes as a planned key, which proves nothing."""
    finding = judged_once("CMEK-12", planned(enabled=True))
    assert (finding.status, finding.cause, finding.subject.kind) == ("pass", "", "planned-key")
    assert (finding.name, finding.evidence) == (
        "astra_customer_key.a",
        (("plan.json", 7, "astra_customer_key.a"),),
    )
    found = judged("CMEK-12", planned(enabled=False, deletion_at="2026-12-01T00:00:00Z"))
    assert [(one.status, one.cause, one.severity) for one in found] == [
        ("fail", "planned-disabled", "high"),
        ("fail", "planned-pending-deletion", "high"),
    ]
    assert (found[0].databases, found[0].existing) == (2, 1)
    unread = judged_once("CMEK-12", planned(enabled=None, unread=[gap("key")]))
    assert (unread.cause, unread.reason) == ("planned-refused:key", "refused")


def test_a_planned_key_without_facts_has_no_finding() -> None:
    """Of a planned key that no cloud was asked for, this rule says nothing."""
    assert judged("CMEK-12", planned()) == []
