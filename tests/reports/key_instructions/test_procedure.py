"""The steps by which a customer key is made."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, get_args

import pytest

from checks.engine.card import OVERVIEW
from inventory.astra.endpoints import KEY_LISTS
from inventory.model.vocabulary import DatabaseType, Provider
from inventory.system.hosts import ADDRESS
from reports.key_instructions.procedure import ADDRESSES, HOST, has_resource, procedure

if TYPE_CHECKING:
    from reports.key_instructions.procedure import Procedure

PAGES = {
    ("serverless", "aws"): (
        "Encrypt Astra DB Serverless databases with AWS Key Management Service customer managed "
        "keys"
    ),
    ("serverless", "gcp"): (
        "Encrypt Astra DB Serverless databases with Google Cloud Key Management Service "
        "customer-managed encryption keys"
    ),
    ("serverless", "azure"): (
        "Encrypt Astra DB Serverless databases with Microsoft Azure Key Vault encryption keys"
    ),
    ("managed-clusters", "aws"): (
        "Encrypt Astra Managed Clusters databases with AWS Key Management Service customer managed "
        "keys"
    ),
    ("managed-clusters", "gcp"): (
        "Encrypt Astra Managed Clusters databases with Google Cloud Key Management Service "
        "customer-managed encryption keys"
    ),
}


OWNERS = {
    "aws": "the vendor's AWS account. If there are several, all are needed",
    "gcp": "the vendor's Google Cloud project. Some regions show two, and both are needed",
    "azure": "an identifier of the vendor's application. If there are several, all are needed",
}


def _all() -> dict[tuple[DatabaseType, Provider], Procedure]:
    kinds = product(get_args(DatabaseType), get_args(Provider))
    return {(kind, provider): procedure(kind, provider) for kind, provider in kinds}


def test_each_kind_leads_to_its_page() -> None:
    """The pages are those of the documentation's table; where it names none, to the overview."""
    others = dict.fromkeys(_all().keys() - PAGES.keys(), OVERVIEW)
    assert {kind: shown.page for kind, shown in _all().items()} == PAGES | others


def test_addresses_are_those_that_the_audit_reads() -> None:
    """A key is registered where an audit looks for it; where there is none, nowhere."""
    assert (HOST, ADDRESSES) == (ADDRESS, KEY_LISTS)
    assert {kind: shown.address for kind, shown in _all().items()} == {
        kind: KEY_LISTS[kind[0]] if kind in PAGES else "" for kind in _all()
    }


@pytest.mark.parametrize("kind", PAGES, ids=" on ".join)
def test_steps_name_their_own_addresses_only(kind: tuple[DatabaseType, Provider]) -> None:
    """Each address in the steps is of the type and the provider that the steps are for."""
    shown = procedure(*kind)
    one = f"{shown.address}/provider/{kind[1]}/region/REGION"
    words = [word.strip(".,;:") for step in shown.steps for word in step.split()]
    named = [word for word in words if word.startswith("/")]
    assert named == [f"{one}/accounts", shown.address, one]


@pytest.mark.parametrize("kind", PAGES, ids=" on ".join)
def test_the_key_comes_before_the_database(kind: tuple[DatabaseType, Provider]) -> None:
    """The order is the vendor's: begun in Astra, created, granted, registered, and only then used.

    The key is read back and audited before any deployment.
    """
    steps = [step for step in procedure(*kind).steps if "preview" not in step]
    starts = (
        ("Begin in Astra's portal",),
        ("Note the Cloud Provider ID",),
        ("Create",),
        ("In the key's policy, allow", "In the key's IAM policy, allow", "Allow"),
        ("Register",),
        ("Read it back",),
        ("Record",),
        ("Only then deploy",),
    )
    assert [step.startswith(start) for step, start in zip(steps, starts, strict=True)] == [True] * 8


@pytest.mark.parametrize(
    ("kind", "choice"),
    [
        (("serverless", "aws"), "the database type Serverless, the provider Amazon Web Services"),
        (("serverless", "azure"), "the database type Serverless, the provider Microsoft Azure"),
        (
            ("managed-clusters", "gcp"),
            "the database type Classic (its word for Managed Clusters), the provider Google Cloud",
        ),
    ],
)
def test_the_portal_is_named_in_its_own_words(
    kind: tuple[DatabaseType, Provider], choice: str
) -> None:
    """What to choose in the portal is called as the portal calls it."""
    [begin] = [step for step in procedure(*kind).steps if step.startswith("Begin")]
    assert f"Choose {choice} and the region." in begin
    assert "unlocked" in begin


def test_whom_the_policy_allows() -> None:
    """What the Cloud Provider ID names differs by cloud; several of them are all needed."""
    noted = {
        kind: next((step for step in made.steps if step.startswith("Note")), "")
        for kind, made in _all().items()
    }
    assert {kind: words for kind, words in noted.items() if words} == {
        kind: (
            f"Note the Cloud Provider ID that the portal shows then: {OWNERS[kind[1]]}. "
            f"GET {KEY_LISTS[kind[0]]}/provider/{kind[1]}/region/REGION/accounts lists the same."
        )
        for kind in PAGES
    }


@pytest.mark.parametrize("kind", PAGES, ids=" on ".join)
def test_one_region_is_named(kind: tuple[DatabaseType, Provider]) -> None:
    """Where the region is given, the steps name it, and in an address it stays one part."""
    text = " ".join(procedure(*kind, "us-east-1").steps)
    assert "REGION" not in text
    assert "and the region us-east-1." in text
    assert f"GET {KEY_LISTS[kind[0]]}/provider/{kind[1]}/region/us-east-1 shows" in text
    odd = " ".join(procedure(*kind, "a/../b?c#{}\ud800").steps)
    assert (
        f"GET {KEY_LISTS[kind[0]]}/provider/{kind[1]}/region/a%2F..%2Fb%3Fc%23%7B%7D%3F shows"
        in odd
    )


def test_terraform_is_offered_where_it_has_a_resource() -> None:
    """Terraform's resource takes keys of Serverless on AWS and Google Cloud, and no others."""
    lacking = {
        kind: [step for step in made.steps if "Terraform has no resource" in step]
        for kind, made in _all().items()
    }
    offered = {
        kind
        for kind, made in _all().items()
        if any("or by Terraform's astra_customer_key" in step for step in made.steps)
    }
    assert offered == {("serverless", "aws"), ("serverless", "gcp")}
    assert {kind for kind, steps in lacking.items() if steps} == PAGES.keys() - offered
    assert {kind for kind in _all() if has_resource(*kind)} == offered


def test_only_serverless_on_azure_needs_the_preview() -> None:
    """The private preview has to be granted first, for the one combination that rests on it."""
    with_preview = {kind for kind, shown in _all().items() if "private preview" in shown.steps[0]}
    assert with_preview == {("serverless", "azure")}


def test_where_there_are_no_keys_nobody_is_sent_to_create_one() -> None:
    """Without a known type, or a supported combination, no step creates or registers a key."""
    sent = {
        kind
        for kind, shown in _all().items()
        if any(step.startswith(("Create", "Register")) for step in shown.steps)
    }
    assert sent == set(PAGES)
