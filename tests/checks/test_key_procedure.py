"""The steps by which a customer key is made."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, get_args

import pytest

from checks.card import OVERVIEW
from checks.key_procedure import ADDRESSES, HOST, procedure
from inventory.configured import ADDRESS
from inventory.readings import LISTS
from inventory.spellings import DatabaseType, Provider

if TYPE_CHECKING:
    from checks.key_procedure import Procedure

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


def _all() -> dict[tuple[str, str], Procedure]:
    kinds = product(get_args(DatabaseType), get_args(Provider))
    return {(kind, provider): procedure(kind, provider) for kind, provider in kinds}


def test_each_kind_leads_to_its_page() -> None:
    """The pages are those of the documentation's table; where it names none, to the overview."""
    others = dict.fromkeys(_all().keys() - PAGES.keys(), OVERVIEW)
    assert {kind: told.page for kind, told in _all().items()} == PAGES | others


def test_addresses_are_those_that_the_audit_reads() -> None:
    """A key is registered where an audit looks for it; where there is none, nowhere."""
    assert (HOST, ADDRESSES) == (ADDRESS, LISTS)
    assert {kind: told.address for kind, told in _all().items()} == {
        kind: LISTS[kind[0]] if kind in PAGES else "" for kind in _all()
    }


@pytest.mark.parametrize("kind", PAGES, ids=" on ".join)
def test_steps_name_their_own_addresses_only(kind: tuple[DatabaseType, Provider]) -> None:
    """Each address in the steps is of the type and the provider that the steps are for."""
    told = procedure(*kind)
    one = f"{told.address}/provider/{kind[1]}/region/REGION"
    words = [word.strip(".,;:") for step in told.steps for word in step.split()]
    named = [word for word in words if word.startswith("/")]
    assert named == [f"{one}/accounts", told.address, one]


@pytest.mark.parametrize("kind", PAGES, ids=" on ".join)
def test_the_key_comes_before_the_database(kind: tuple[DatabaseType, Provider]) -> None:
    """The key is created, granted, registered, read back and audited before any deployment."""
    steps = [step for step in procedure(*kind).steps if "preview" not in step]
    starts = ("Create", "Ask Astra", "Register", "Read it back", "Record", "Only then deploy")
    assert [step.startswith(start) for step, start in zip(steps, starts, strict=True)] == [True] * 6


def test_only_serverless_on_azure_needs_the_preview() -> None:
    """The private preview has to be granted first, for the one combination that rests on it."""
    with_preview = {kind for kind, told in _all().items() if "private preview" in told.steps[0]}
    assert with_preview == {("serverless", "azure")}


def test_where_there_are_no_keys_nobody_is_sent_to_create_one() -> None:
    """Without a known type, or a supported combination, no step creates or registers a key."""
    sent = {
        kind
        for kind, told in _all().items()
        if any(step.startswith(("Create", "Register")) for step in told.steps)
    }
    assert sent == set(PAGES)
