"""Whether a key is granted to Astra, by policies, bindings, lists of names and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.model.kms import KmsGap
from tests.builders import a_key, an_organization, azure_key_id, gcp_key_id, kms_facts
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
from tests.checks.judging import causes, judged, judged_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inventory.model.kms import KmsFacts

CASES = table()["cases"]
KEY = table()["key"]
ORDER = ("error", "fail", "inconclusive", "pass", "not-applicable")
NEEDED = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
POLICY_REFUSED = KmsGap(fact="policy", reason="refused", permission="kms:GetKeyPolicy")
GRANTS_REFUSED = KmsGap(fact="grants", reason="refused", permission="kms:ListGrants")


def aws(*listed: object, **facts: object) -> KmsFacts:
    """Return facts of a key with a policy of these statements, and without any grants."""
    given: dict[str, Any] = {"policy": policy_of(listed), "grants": [], "granted_to_astra": None}
    return kms_facts(**given | facts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_policy_makes_a_key_usable_or_not(case: Mapping[str, Any]) -> None:
    """Each policy of the table makes the key usable for Astra, or not, or leaves it open."""
    findings = judged("CMEK-12", organization_with(facts_of(case), VENDOR))
    found = min((finding.status for finding in findings), key=ORDER.index)
    assert found == case["usable"], case["why"]


def test_a_policy_without_the_vendor_is_a_failure_with_what_is_missing() -> None:
    """A key that does not let an account of Astra's use it fails, and names the actions."""
    finding = judged_once("CMEK-12", organization_with(aws(statement(Action="kms:E*")), VENDOR))
    assert (finding.status, finding.cause) == ("fail", f"not-granted:{VENDOR}")
    assert finding.message == (
        f"The key does not let {VENDOR}, which Astra names, do Decrypt, GenerateDataKey, "
        "DescribeKey, ReEncrypt*, CreateGrant."
    )
    assert finding.action == f"Make the key {KEY} usable for Astra"


def test_every_account_that_astra_names_is_needed() -> None:
    """A policy that names one of two accounts fails for the other."""
    organization = organization_with(aws(statement()), VENDOR, FOREIGN)
    assert causes("CMEK-12", organization) == [f"not-granted:{FOREIGN}"]
    both = aws(statement(Principal={"AWS": [root(), root(FOREIGN)]}))
    assert judged_once("CMEK-12", organization_with(both, VENDOR, FOREIGN)).status == "pass"


def test_what_leaves_it_open_is_quoted() -> None:
    """A statement that may keep Astra out is quoted, with the actions that it concerns."""
    denying = statement(
        Sid="Stop", Effect="Deny", Action="kms:Decrypt", Condition={"Bool": {"x": "true"}}
    )
    finding = judged_once("CMEK-12", organization_with(aws(statement(), denying), VENDOR))
    assert (finding.status, finding.cause) == ("inconclusive", f"undecidable-grant:{VENDOR}")
    assert finding.message == (
        f"Whether {VENDOR}, which Astra names, may do Decrypt cannot be decided: "
        'statement 2 (Stop): {"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::999988887777:root"}'
        ',"Action":"kms:Decrypt","Resource":"*","Sid":"Stop","Condition":{"Bool":{"x":"true"}}}.'
    )
    assert finding.action == (
        f"Grant the key {KEY} to {VENDOR} in a form that names it, "
        "or attest that Astra can use the key"
    )


def test_what_astra_may_need_is_named() -> None:
    """A policy without what Astra may need is inconclusive, as the list is not published."""
    finding = judged_once("CMEK-12", organization_with(aws(statement(Action=NEEDED)), VENDOR))
    assert (finding.status, finding.cause) == ("inconclusive", f"needs-not-published:{VENDOR}")
    assert finding.message == (
        f"The key does not let {VENDOR}, which Astra names, do Encrypt, ReEncrypt*, CreateGrant. "
        "Whether Astra needs that is not published."
    )
    assert finding.action == (
        f"Let {VENDOR} also do Encrypt, ReEncrypt*, CreateGrant with the key {KEY}, "
        "or attest that Astra can use the key"
    )


def test_a_policy_that_is_not_shown_is_not_replaced_by_grants() -> None:
    """Without the policy a key is inconclusive, though grants or a statement speak for it."""
    grant = {"id": "g1", "grantee": root(), "operations": ["Decrypt", "CreateGrant"]}
    for facts in ({}, {"grants": [grant]}, {"granted_to": [root()]}, {"granted_to_astra": True}):
        kms = kms_facts(**{"granted_to_astra": None, "unread": [POLICY_REFUSED]} | facts)
        finding = judged_once("CMEK-12", organization_with(kms, VENDOR))
        assert (finding.status, finding.cause) == ("inconclusive", "refused:policy")
        assert finding.message.endswith("Reading it takes kms:GetKeyPolicy.")
    alone = kms_facts(granted_to_astra=None, grants=[grant])
    assert causes("CMEK-12", organization_with(alone, VENDOR)) == ["not-recorded:granted_to_astra"]


def test_grants_that_are_not_shown_matter_if_the_policy_does_not_allow() -> None:
    """Grants that could not be read may allow what the policy does not, and nothing denies."""
    own, refused = statement(Principal={"AWS": root(OWNER)}), {"grants": None}
    unread = {"unread": [GRANTS_REFUSED]}
    for listed, facts, expected in (
        ([own], refused | unread, ["refused:grants"]),
        ([own], refused, ["not-recorded:grants"]),
        ([statement()], refused | unread, [""]),
        ([statement(Effect="Deny")], refused | unread, [f"not-granted:{VENDOR}"]),
        (
            [statement(Principal={"AWS": f"arn:aws:iam::{VENDOR}:role/astra"})],
            refused | unread,
            [f"undecidable-grant:{VENDOR}", "refused:grants"],
        ),
    ):
        assert causes("CMEK-12", organization_with(aws(*listed, **facts), VENDOR)) == expected


def test_nobody_is_known_whom_astra_needs() -> None:
    """Without the accounts of Astra no policy can be judged, whatever it allows."""
    for listed in ([statement()], [statement(Principal="*")], []):
        finding = judged_once("CMEK-12", organization_with(aws(*listed)))
        assert (finding.status, finding.cause) == ("inconclusive", "not-recorded:vendor-accounts")
        assert finding.message == "It is not known which accounts of Astra use the key."


def test_accounts_that_were_not_all_read_prove_nothing() -> None:
    """Where the list of Astra's accounts may be incomplete, another one may lack its grant."""
    gaps = [{"fact": "vendor-accounts", "reason": "malformed", "detail": "entry 2"}]
    named = [SCOPE | {"account": VENDOR}]
    listed = kms_facts(granted_to_astra=None, granted_to=[root()])
    for kms in (aws(statement()), listed):
        organization = an_organization(
            keys=[a_key(key_id=KEY, kms=kms)], vendor_accounts=named, gaps=gaps
        )
        finding = judged_once("CMEK-12", organization)
        assert (finding.status, finding.cause) == ("inconclusive", "malformed:vendor-accounts")
        assert finding.message == (
            "It is not known which accounts of Astra use the key: malformed (entry 2)."
        )


def test_no_source_outweighs_another_that_speaks_against_it() -> None:
    """A list of names, a statement and a policy must agree before a key passes."""
    good = aws(statement())
    for over, expected in (
        ({}, [""]),
        ({"granted_to_astra": True}, [""]),
        ({"granted_to_astra": False}, ["not-granted"]),
        ({"granted_to": [root(OWNER)]}, [f"not-granted:{VENDOR}"]),
        ({"granted_to": ["somebody"]}, [f"undecidable-grant:{VENDOR}"]),
    ):
        kms = good.model_copy(update=over)
        assert causes("CMEK-12", organization_with(kms, VENDOR)) == expected
    stated = aws(granted_to_astra=True, granted_to=[root()])
    assert causes("CMEK-12", organization_with(stated, VENDOR)) == [f"not-granted:{VENDOR}"]


def test_an_attestation_closes_what_is_open_and_excuses_no_failure() -> None:
    """What a policy leaves open is closed by an attestation; what it denies is not."""
    usable = {"usable": True, "by": "acme-security", "on": "2026-11-01"}
    named = [SCOPE | {"account": VENDOR}]
    for kms, expected in (
        (aws(statement(Action=NEEDED)), [""]),
        (kms_facts(granted_to_astra=None, unread=[POLICY_REFUSED]), [""]),
        (aws(), [f"not-granted:{VENDOR}"]),
    ):
        key = a_key(key_id=KEY, kms=kms, usable=usable)
        assert causes("CMEK-12", an_organization(keys=[key], vendor_accounts=named)) == expected


# --- Google Cloud and Azure -----------------------------------------------------------------------

GOOGLE = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
BOTH = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
MEMBER = "serviceAccount:astra@vendor-prod.iam.gserviceaccount.com"
BOUND = {"on": "key-ring", "role": BOTH, "members": [MEMBER]}
UNREAD_BINDINGS = KmsGap(fact="bindings", reason="refused")


def google(**facts: object) -> list[str]:
    """Return the causes of a key in Google Cloud for which Astra names a project."""
    given = {"region": "us-east1", "granted_to_astra": None}
    key = a_key(**GOOGLE, key_id=gcp_key_id(), kms=kms_facts(**given | facts))
    accounts = [GOOGLE | {"account": "vendor-prod"}]
    return causes("CMEK-12", an_organization(keys=[key], vendor_accounts=accounts))


def test_a_binding_in_one_place_is_enough() -> None:
    """A grant on the key ring needs none on the key, and what else there is may stay unread."""
    assert google(bindings=[BOUND]) == [""]
    assert google(bindings=[BOUND], unread=[UNREAD_BINDINGS]) == [""]


def test_no_binding_is_never_a_failure() -> None:
    """What the key and its ring do not grant may be inherited, and what is unread may be there."""
    ring = KmsGap(fact="ring-bindings", reason="refused")
    assert google(bindings=[]) == ["inherited-access:vendor-prod"]
    assert google(bindings=[], unread=[ring]) == [
        "inherited-access:vendor-prod",
        "refused:ring-bindings",
    ]
    assert google(unread=[UNREAD_BINDINGS, ring]) == ["refused:bindings", "refused:ring-bindings"]
    open_one = BOUND | {"condition": "true"}
    assert google(bindings=[open_one]) == ["undecidable-grant:vendor-prod"]


def test_inherited_access_says_where_to_grant() -> None:
    """Whoever owns the key learns what is not shown, and how to make it certain."""
    key = a_key(
        **GOOGLE,
        key_id=gcp_key_id(),
        kms=kms_facts(region="us-east1", granted_to_astra=None, bindings=[]),
    )
    accounts = [GOOGLE | {"account": "vendor-prod"}]
    finding = judged_once("CMEK-12", an_organization(keys=[key], vendor_accounts=accounts))
    assert finding.message == (
        "Neither the key nor its key ring lets vendor-prod, which Astra names, encrypt and "
        "decrypt. What its project, folders and organization grant is inherited, and not shown."
    )


def test_azure_does_not_show_who_may_use_a_key() -> None:
    """A key in Azure is inconclusive unless it is stated or attested to be granted."""
    azure = {"type": "serverless", "provider": "azure", "region": "eastus"}
    facts = {"region": "eastus", "suitable": True, "symmetric": None}
    for stated, expected in ((None, ["not-recorded:granted_to_astra"]), (True, [""])):
        kms = kms_facts(**facts, granted_to_astra=stated)
        key = a_key(**azure, key_id=azure_key_id(), kms=kms)
        assert causes("CMEK-12", an_organization(keys=[key])) == expected
    (finding,) = judged(
        "CMEK-12",
        an_organization(
            keys=[
                a_key(**azure, key_id=azure_key_id(), kms=kms_facts(**facts, granted_to_astra=None))
            ]
        ),
    )
    assert finding.message == (
        "No KMS data or attestation on whether the key is granted to Astra; "
        "Azure does not show on the data plane who may use a key."
    )
