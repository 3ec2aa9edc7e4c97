"""CMEK-18: nobody but its owner and Astra may use the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from inventory.model.kms import KmsFacts
from inventory.model.planned_keys import PlannedKey
from inventory.model.terraform_managed import ManagedResources
from tests.builders import (
    CAPTURED_AT,
    a_database,
    a_key,
    an_organization,
    azure_key_id,
    gcp_key_id,
    kms_facts,
)
from tests.checks.access.policies import (
    FOREIGN,
    OWNER,
    SCOPE,
    VENDOR,
    facts_of,
    organization_with,
    policy_of,
    root,
    statement,
    table,
)
from tests.checks.access.strategies import ACCOUNTS, GRANTS, POLICIES
from tests.checks.judging import CONTEXT, causes, judged, judged_once
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

CASES = table()["cases"]
KEY = table()["key"]
ORDER = ("error", "fail", "inconclusive", "pass", "not-applicable")
RULE = "CMEK-18"
OWN = statement(Sid="Own", Principal={"AWS": root(OWNER)})
BY = {"by": "acme-security", "on": "2026-11-01"}
REFUSED = {"fact": "policy", "reason": "refused", "permission": "kms:GetKeyPolicy"}


def aws(*listed: object, **facts: object) -> KmsFacts:
    """Return facts of a key with a policy of these statements, and without any grants."""
    given_facts: dict[str, Any] = {"policy": policy_of([OWN, *listed]), "grants": []}
    return kms_facts(**given_facts | facts)


def worst(kms: KmsFacts, *accounts: str) -> str:
    """Return the worst status of the findings about a key."""
    found = judged(RULE, organization_with(kms, *accounts))
    return min((finding.status for finding in found), key=ORDER.index)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_policy_makes_a_key_exclusive_or_not(case: Mapping[str, Any]) -> None:
    """Each policy of the table keeps others out, or lets them in, or leaves it open."""
    assert worst(facts_of(case), VENDOR) == case["exclusive"], case["why"]


@examples(100)
@given(listed=POLICIES, grants=GRANTS, account=ACCOUNTS)
def test_a_further_account_never_makes_a_key_pass(
    listed: list[object], grants: list[object], account: str
) -> None:
    """A key that does not pass does not pass either if one more account may use it."""
    further = statement(Sid="Further", Principal={"AWS": root(account)})
    before = worst(aws(*listed, grants=grants), VENDOR)
    after = worst(aws(*listed, further, grants=grants), VENDOR)
    assert before == "pass" or after != "pass"


def test_an_outsider_is_named_with_what_lets_it_in() -> None:
    """Everybody, and each foreign account, is a failure of its own, and quotes the statement."""
    kms = aws(
        statement(Sid="All", Principal="*", Action="kms:Decrypt"),
        statement(Sid="Backup", Principal={"AWS": root(FOREIGN)}, Action="kms:Decrypt"),
    )
    everybody, foreign = judged(RULE, organization_with(kms, VENDOR))
    assert (everybody.status, everybody.cause, everybody.severity) == ("fail", "everybody", "high")
    assert everybody.message == (
        'Everybody may use the key: statement 2 (All): {"Effect":"Allow","Principal":"*",'
        '"Action":"kms:Decrypt","Resource":"*","Sid":"All"}.'
    )
    assert everybody.action == f"Let only its owner and Astra use the key {KEY}, not everybody"
    assert (foreign.status, foreign.cause) == ("fail", f"foreign-account:{FOREIGN}")
    assert foreign.message.startswith(
        f"{FOREIGN} may use the key, and is neither its owner ({OWNER}) nor named by Astra: "
        "statement 3 (Backup): "
    )
    assert foreign.action == f"Remove {FOREIGN} from those who may use the key {KEY}"


def test_what_is_undecidable_is_a_finding_for_each_statement() -> None:
    """A statement that leaves it open is quoted, and named by its own name or its place."""
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
    kms = aws(
        statement(Sid="Org", Principal="*", Condition=condition),
        statement(Principal={"Federated": "accounts.google.com"}),
    )
    assert causes(RULE, organization_with(kms, VENDOR)) == [
        "undecidable-statement:Org",
        "undecidable-statement:#3",
    ]
    finding = judged(RULE, organization_with(kms, VENDOR))[0]
    assert (finding.status, finding.reason) == ("inconclusive", "undecidable-statement")
    assert finding.message.startswith(
        "Whether anybody else may use the key cannot be decided: statement 2 (Org): {"
    )


def test_a_pass_names_who_may_use_the_key() -> None:
    """A key that only its owner and Astra may use says so, with what is remarkable."""
    limited = statement(Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}})
    finding = judged_once(RULE, organization_with(aws(limited), VENDOR))
    assert (finding.status, finding.rests_on) == ("pass", "cloud")
    assert finding.message == (
        f"Nobody but {OWNER}, which owns the key, and {VENDOR}, which Astra names, may use it."
    )
    service = statement(Principal={"Service": "ec2.amazonaws.com"})
    finding = judged_once(RULE, organization_with(aws(service, statement()), VENDOR))
    assert finding.message == (
        f"Nobody but {OWNER}, which owns the key, and {VENDOR}, which Astra names, may use it. "
        "It also names services of AWS or deleted roles and users: ec2.amazonaws.com. "
        f"{VENDOR} may create grants of any kind, not only for resources of AWS's services."
    )
    elsewhere = an_organization(
        keys=[a_key(key_id=KEY, kms=aws(limited))],
        vendor_accounts=[SCOPE | {"region": "eu-west-1", "account": VENDOR}],
    )
    assert judged_once(RULE, elsewhere).message == (
        f"Nobody but {OWNER}, which owns the key, and {VENDOR}, which Astra names, may use it."
    )
    alone = judged_once(RULE, organization_with(aws()))
    assert alone.message == f"Nobody but {OWNER}, which owns the key, may use it."


def test_an_account_that_may_be_astras_is_no_failure() -> None:
    """While Astra's accounts are not all known, a foreign account is not known to be foreign."""
    kms = aws(statement())
    finding = judged_once(RULE, organization_with(kms))
    assert (finding.status, finding.cause) == ("inconclusive", "not-recorded:vendor-accounts")
    assert finding.message == (
        f"{VENDOR} may use the key. It is not known which accounts of Astra use the key."
    )
    gaps = [{"fact": "vendor-accounts", "reason": "malformed"}]
    key = a_key(key_id=KEY, kms=kms)
    named = [SCOPE | {"account": FOREIGN}]
    organization = an_organization(keys=[key], vendor_accounts=named, gaps=gaps)
    assert causes(RULE, organization) == ["malformed:vendor-accounts"]
    public = aws(statement(Principal="*"))
    assert causes(RULE, organization_with(public)) == ["everybody"]


def test_accounts_of_other_scopes_are_astras_as_well() -> None:
    """An account that Astra names for another scope of the cloud is no outsider."""
    key = a_key(key_id=KEY, kms=aws(statement(Principal={"AWS": [root(), FOREIGN]})))
    elsewhere = [
        SCOPE | {"account": VENDOR},
        SCOPE | {"account": f"arn:aws:iam::{FOREIGN}:role/astra", "region": "us-west-2"},
        SCOPE | {"account": "vendor-prod", "region": "us-west-2"},
        SCOPE | {"account": "222233334444", "provider": "gcp"},
    ]
    assert causes(RULE, an_organization(keys=[key], vendor_accounts=elsewhere)) == [""]


def test_a_key_id_without_an_owner_is_not_judged() -> None:
    """If the key id does not show whose key it is, every account may be its owner."""
    key = a_key(key_id="acme", kms=kms_facts(granted_to=[root(OWNER)]))
    organization = an_organization(keys=[key], vendor_accounts=[SCOPE | {"account": VENDOR}])
    finding = judged_once(RULE, organization)
    assert (finding.status, finding.cause) == ("inconclusive", "unknown-key-id")
    assert finding.message == (
        f"aws:{OWNER} may use the key. The key id does not show whose key it is."
    )


def test_what_is_not_read_is_open() -> None:
    """A policy or grants that could not be read, or are not recorded, may let others in."""
    unread = {"fact": "grants", "reason": "timed-out"}
    grant = {"id": "g1", "grantee": root(FOREIGN), "operations": ["Decrypt"]}
    for facts, expected in (
        ({"grants": None}, ["not-recorded:grants"]),
        ({"grants": None, "unread": [unread]}, ["timed-out:grants"]),
        ({"policy": None, "unread": [REFUSED]}, ["refused:policy"]),
        ({"policy": None, "grants": None, "unread": [REFUSED, unread]}, BOTH_UNREAD),
        ({"policy": None}, ["not-recorded:policy"]),
        (
            {"policy": None, "grants": [grant], "unread": [REFUSED]},
            [f"foreign-account:{FOREIGN}", "refused:policy"],
        ),
        ({"policy": None, "granted_to": [root(OWNER)]}, [""]),
        ({"policy": None, "grants": None, "granted_to": [root(OWNER)]}, [""]),
        ({"granted_to": [root(FOREIGN)]}, [f"foreign-account:{FOREIGN}"]),
    ):
        assert causes(RULE, organization_with(aws(**facts), VENDOR)) == expected


BOTH_UNREAD = ["timed-out:grants", "refused:policy"]


@pytest.mark.parametrize("further", [[], [REFUSED]])
def test_a_key_of_which_nothing_was_read_is_one_finding(further: list[dict[str, str]]) -> None:
    """Where no fact could be read, there is one finding, which an attestation closes.

    That is so, too, if its policy was not even asked for, as nothing was shown of the key.
    """
    gaps = [*further, {"fact": "key", "reason": "no-credentials"}]
    nothing = KmsFacts.model_validate({"observed_at": CAPTURED_AT, "unread": gaps})
    assert causes(RULE, organization_with(nothing, VENDOR)) == ["no-credentials:key"]
    key = a_key(key_id=KEY, kms=nothing, exclusive={"exclusive": True, **BY})
    assert judged_once(RULE, an_organization(keys=[key])).status == "pass"


def test_facts_that_do_not_count_are_not_judged() -> None:
    """Old facts, and those of another account, are inconclusive, whatever somebody attests."""
    for over, cause in (
        ({"observed_at": "2026-01-01T00:00:00Z"}, "facts-not-current"),
        ({"owner": VENDOR}, "foreign-key"),
    ):
        kms = aws(statement(Principal="*"), **over)
        key = a_key(key_id=KEY, kms=kms, exclusive={"exclusive": True, **BY})
        assert causes(RULE, an_organization(keys=[key])) == [cause]


def test_without_facts_the_rule_does_not_apply() -> None:
    """Where nothing shows who may use a key, or clouds are left out, the rule says so."""
    left_out = CONTEXT._replace(kms="none")
    plain = an_organization(keys=[a_key()])
    stated = an_organization(keys=[a_key(kms=kms_facts())])
    azure = {"type": "serverless", "provider": "azure", "region": "eastus"}
    vault = an_organization(keys=[a_key(**azure, key_id=azure_key_id(), kms=kms_facts())])
    for organization, context, reason, message in (
        (plain, CONTEXT, "access-not-shown", "No KMS data shows who may use the key."),
        (plain, left_out, "clouds-left-out", "This audit leaves KMS data out."),
        (stated, CONTEXT, "access-not-shown", "The KMS data does not show who may use the key."),
        (
            vault,
            CONTEXT,
            "access-not-shown",
            "Azure does not show on the data plane who may use a key.",
        ),
    ):
        finding = judged_once(RULE, organization, context=context)
        assert (finding.status, finding.reason, finding.message) == (
            "not-applicable",
            reason,
            message,
        )


# --- attestations ---------------------------------------------------------------------------------


def test_an_attestation_closes_what_is_open_and_excuses_nobody() -> None:
    """What the cloud leaves open is closed by an attestation; an outsider stays one."""
    role = statement(Principal={"Federated": "accounts.google.com"})
    named = [SCOPE | {"account": VENDOR}]
    for kms, well, expected in (
        (None, True, [("pass", "")]),
        (None, False, [("fail", "not-exclusive")]),
        (kms_facts(), True, [("pass", "")]),
        (aws(role), True, [("pass", "")]),
        (aws(role), False, [("fail", "not-exclusive")]),
        (aws(), False, [("pass", "")]),
        (aws(statement(Principal="*"), role), True, [("fail", "everybody")]),
        (
            aws(statement(Principal="*"), role),
            False,
            [("fail", "everybody"), ("fail", "not-exclusive")],
        ),
    ):
        key = a_key(key_id=KEY, kms=kms, exclusive={"exclusive": well, **BY})
        found = judged(RULE, an_organization(keys=[key], vendor_accounts=named))
        assert [(finding.status, finding.cause) for finding in found] == expected


def test_an_attestation_names_who_made_it_and_runs_out() -> None:
    """A pass by an attestation names its author, and an old one has to be made again."""
    key = a_key(key_id=KEY, exclusive={"exclusive": True, **BY})
    finding = judged_once(RULE, an_organization(keys=[key]))
    assert (finding.attested_by, finding.message) == (
        ("acme-security",),
        ("acme-security attested on 2026-11-01: nobody but its owner and Astra may use the key."),
    )
    old = a_key(key_id=KEY, exclusive={"exclusive": True, **BY, "due": "2026-11-20"})
    finding = judged_once(RULE, an_organization(keys=[old]))
    assert (finding.cause, finding.action) == (
        "attestation-not-current",
        f"Attest again whether nobody else may use {KEY}",
    )


# --- Google Cloud, planned keys, evidence ---------------------------------------------------------


GOOGLE = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
BOTH = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
FOREIGN_MEMBER = "serviceAccount:x@foreign-prod.iam.gserviceaccount.com"


def google(*members: str, **facts: object) -> list[str]:
    """Return the causes of a key in Google Cloud with one binding."""
    bindings = [{"on": "key-ring", "role": BOTH, "members": members}] if members else []
    given_facts: dict[str, Any] = {"region": "us-east1", "bindings": bindings}
    key = a_key(**GOOGLE, key_id=gcp_key_id(), kms=kms_facts(**given_facts | facts))
    named = [GOOGLE | {"account": "vendor-prod"}]
    return causes(RULE, an_organization(keys=[key], vendor_accounts=named))


def test_what_is_inherited_in_google_cloud_is_never_shown() -> None:
    """A key whose bindings let nobody else in is inconclusive: others may be inherited."""
    assert google() == ["inherited-access"]
    assert google(FOREIGN_MEMBER, "allUsers") == [
        "everybody",
        "foreign-account:foreign-prod",
        "inherited-access",
    ]
    person = "user:ada@acme.example"
    assert google(person) == [
        f"undecidable-statement:key-ring%20{BOTH}%20{person}",
        "inherited-access",
    ]
    ring = {"fact": "ring-bindings", "reason": "refused"}
    assert google(unread=[ring]) == ["refused:ring-bindings", "inherited-access"]
    assert google(bindings=None, unread=[ring]) == ["refused:ring-bindings"]
    member = "serviceAccount:astra@vendor-prod.iam.gserviceaccount.com"
    assert google(bindings=None, granted_to=[member]) == [""]


def test_a_planned_key_is_judged_by_what_its_cloud_shows() -> None:
    """A planned key that others may use is found before it is registered."""
    for kms, expected in (
        (aws(statement(Principal="*")), [("fail", "planned-everybody")]),
        (aws(), [("pass", "")]),
        (None, []),
    ):
        planned = PlannedKey(
            type="serverless", provider="aws", region="us-east-1", key_id=KEY, kms=kms
        )
        organization = an_organization(keys=[]).with_managed(
            ManagedResources(planned_keys=(planned,))
        )
        found = judged(RULE, organization)
        assert [(finding.status, finding.cause) for finding in found] == expected
        assert {finding.subject.kind for finding in found} <= {"planned-key"}


def test_evidence_is_the_policy_and_the_grants() -> None:
    """A finding leads to the key and to the answers that show who may use it."""
    answers = {"policy": ("policy.json", 1), "grants": ("grants.json", 2), "key": ("key.json", 3)}
    kms = aws(statement(Principal="*")).located(answers)  # type: ignore[arg-type]
    key = a_key(key_id=KEY, kms=kms).at("keys.yaml", 3)
    organization = an_organization(keys=[key], databases=[a_database()])
    finding = judged_once(RULE, organization)
    assert finding.evidence == (("keys.yaml", 3), ("policy.json", 1), ("grants.json", 2))
    assert (finding.databases, finding.existing) == (1, 1)
