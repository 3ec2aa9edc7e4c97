"""The coverage of one organization: what concerns the whole of it takes green away."""

from __future__ import annotations

import pytest

from checks.engine.finding import (
    Status,
    database_id_subject,
    organization_subject,
)
from reports.aggregation.coverage_states import PROOFS
from tests.builders import (
    ORGANIZATION,
    a_database,
    an_organization,
    key_id_for,
    kms_facts,
    uuid,
)
from tests.reports.coverage_findings import (
    PROVEN,
    attested_key,
    audited,
    cells,
    placement,
    rows,
)
from tests.reports.recording import a_finding


def test_an_open_doubt_and_what_is_open_here_show_the_worse() -> None:
    """A check that broke for the organization is not hidden by what is inconclusive in a scope."""
    broke = a_finding("error", "CMEK-01")._replace(subject=organization_subject(ORGANIZATION))
    [cell] = cells(*PROVEN, broke, a_finding("inconclusive", "CMEK-13"))
    assert (cell["state"], cell["finding"]) == ("unproven", broke.id)


@pytest.mark.parametrize(
    ("status", "state", "whole"),
    [
        ("fail", "unproven", False),
        ("inconclusive", "unproven", False),
        ("error", "unproven", False),
        ("waived", "waived", True),
    ],
)
@pytest.mark.parametrize("rule", ["CMEK-14", *PROOFS])
def test_what_was_not_read_in_full_is_not_green(
    status: Status, state: str, rule: str, *, whole: bool
) -> None:
    """What is open about a whole organization leaves none of its keys covered."""
    doubt = a_finding(status, rule)._replace(subject=organization_subject(ORGANIZATION))
    [row, _] = rows(*PROVEN, doubt)
    [cell] = row["cells"]
    assert (row["complete"], cell["state"], cell["finding"]) == (whole, state, doubt.id)


def test_a_failure_of_its_own_comes_before_a_doubt_about_the_whole() -> None:
    """A cell whose key fails shows that, though not all of the organization was read."""
    doubt = a_finding("fail", "CMEK-14", "critical")._replace(
        subject=organization_subject(ORGANIZATION)
    )
    [cell] = cells(*PROVEN, a_finding("fail", "CMEK-12"), doubt)
    assert (cell["state"], cell["rule"]) == ("failing", "CMEK-12")


def test_a_database_of_two_organizations_takes_green_away() -> None:
    """As long as nobody knows which organization owns a database, no key of either is in order."""
    listed = a_finding(
        "fail", "CMEK-14", "critical", subject=database_id_subject(ORGANIZATION, "d")
    )
    [cell] = cells(*PROVEN, listed)
    assert (cell["state"], cell["rule"]) == ("unproven", "CMEK-14")


def test_the_plan_of_an_organization_takes_no_green_away() -> None:
    """What says nothing of keys or databases is a finding of the organization alone."""
    plan = a_finding("inconclusive", "CMEK-08")._replace(subject=organization_subject(ORGANIZATION))
    [row, _] = rows(*PROVEN, plan)
    assert (row["complete"], row["cells"][0]["state"]) == (True, "covered")
    assert (row["counts"]["inconclusive"], row["worst"]["rule"]) == (1, "CMEK-08")


_PLACED: list[tuple[str, Status, int]] = [
    ("a", "fail", 1),
    ("b", "waived", 1),
    ("c", "fail", 0),
    ("d", "inconclusive", 1),
]


def test_databases_that_run_on_astras_keys_are_counted() -> None:
    """Existing databases without a key of theirs are counted, waived or not; planned are not."""
    given = [
        a_finding(status, "CMEK-05", databases=1, existing=existing, subject=placement(name))
        for name, status, existing in _PLACED
    ]
    [cell] = cells(*PROVEN, *given)
    assert (cell["state"], cell["unprotected"]) == ("failing", 2)


@pytest.mark.parametrize(
    ("places", "states"),
    [
        (
            [("us-east-1", "us-east-1"), ("us-west-2", "us-east-1")],
            {"us-east-1": "failing", "us-west-2": "missing"},
        ),
        (
            [("us-east-1", "eu-north-1"), ("us-west-2", "eu-north-1")],
            {"us-east-1": "shared", "us-west-2": "shared"},
        ),
        (
            [("us-east-1", "us-east-1"), ("us-west-2", "us-east-1"), ("us-west-2", "us-west-2")],
            {"us-east-1": "failing", "us-west-2": "failing"},
        ),
        ([("us-east-1", "us-east-1"), ("r", "us-east-1")], {"us-east-1": "failing", "r": "unused"}),
    ],
    ids=["one-fits", "none-fits", "another-of-its-own", "unused"],
)
def test_one_key_of_several_scopes(places: list[tuple[str, str]], states: dict[str, str]) -> None:
    """One key is the own key of one scope at most: of the one that its id names."""
    keys = [
        attested_key(region=region, key_id=key_id_for("aws", named), kms=kms_facts(region=region))
        for region, named in places
    ]
    databases = [
        a_database(id=uuid(number), regions=[region])
        for number, region in enumerate(("us-east-1", "us-west-2"))
    ]
    cells = audited(an_organization(keys=keys, databases=databases))
    every = {cell["region"]: cell["state"] for cell in cells}
    assert {region: every[region] for region in states} == states


def test_one_key_of_two_types() -> None:
    """Where a key's id fits both scopes, one of them lacks a key of its own, and both show it."""
    kinds = ("managed-clusters", "serverless")
    databases = [a_database(id=uuid(number), type=kind) for number, kind in enumerate(kinds)]
    cells = audited(
        an_organization(keys=[attested_key(type=kind) for kind in kinds], databases=databases)
    )
    assert [(cell["type"], cell["state"], cell["rule"]) for cell in cells] == [
        (kind, "shared", "CMEK-02") for kind in kinds
    ]
