from __future__ import annotations

from typing import Any

import pytest

from checks.engine.identity import cause_of
from tests.builders import (
    a_database,
    a_key,
    a_view,
    an_organization,
    aws_key_id,
    azure_key_id,
    gcp_key_id,
)
from tests.checks.judging import causes, judged, judged_once, of_unknown_type

GOOGLE: dict[str, Any] = {"provider": "gcp", "region": "us-east1"}


def test_both_views_agree() -> None:
    """A pass says which key both views show, or that both show none."""
    finding = judged_once("CMEK-13", an_organization(region_views=[a_view()]))
    assert (finding.status, finding.message) == ("pass", f"Both show {aws_key_id()}.")
    none = an_organization(keys=[], region_views=[a_view(key_id=None)])
    assert judged_once("CMEK-13", none).message == "Both show no key."


@pytest.mark.parametrize(
    ("keys", "seen", "message"),
    [
        (
            [a_key()],
            None,
            f"The key list shows {aws_key_id()}; the regional lookup shows no key.",
        ),
        ([], aws_key_id(), f"The key list shows no key; the regional lookup shows {aws_key_id()}."),
        (
            [a_key()],
            aws_key_id(number=2),
            f"The key list shows {aws_key_id()}; the regional lookup shows {aws_key_id(number=2)}.",
        ),
        (
            [a_key(key_id=aws_key_id(number=2)), a_key()],
            aws_key_id(),
            "The key list shows {0}, {1}; the regional lookup shows {0}.".format(
                aws_key_id(), aws_key_id(number=2)
            ),
        ),
    ],
)
def test_what_differs_is_reported(keys: list[object], seen: str | None, message: str) -> None:
    """A failure names what each of the two views shows."""
    organization = an_organization(keys=keys, region_views=[a_view(key_id=seen)])
    finding = judged_once("CMEK-13", organization)
    assert (finding.status, finding.message) == ("fail", message)
    assert finding.action == (
        "Re-collect the key list and the regional lookup for acme-prod / serverless / aws / "
        "us-east-1"
    )


def test_versions_are_one_key() -> None:
    """Two views that differ by a key's version agree."""
    key, view = a_key(**GOOGLE, key_id=gcp_key_id(version=3)), a_view(**GOOGLE)
    organization = an_organization(keys=[key], databases=[], region_views=[view])
    assert judged_once("CMEK-13", organization).status == "pass"


@pytest.mark.parametrize(
    ("over", "status", "reason"),
    [
        ({"region_views": None}, "not-applicable", "one-view-only"),
        ({"region_views": []}, "inconclusive", "not-recorded"),
        (
            {"region_views": None, "gaps": [{"fact": "region-views", "reason": "refused"}]},
            "inconclusive",
            "refused",
        ),
        (
            {"region_views": [], "gaps": [{"fact": "region-views", "reason": "timed-out"}]},
            "inconclusive",
            "timed-out",
        ),
        (
            {
                "region_views": [a_view()],
                "gaps": [{"fact": "serverless-keys", "reason": "cut-short"}],
            },
            "inconclusive",
            "cut-short",
        ),
        (
            {
                "region_views": [a_view()],
                "gaps": [{"fact": "managed-clusters-keys", "reason": "cut-short"}],
            },
            "pass",
            "",
        ),
        (
            {
                "region_views": [a_view()],
                "gaps": [{"fact": "region-views", "reason": "refused"}],
            },
            "pass",
            "",
        ),
    ],
)
def test_a_view_that_is_missing_is_reported_from_one_that_was_not_asked(
    over: dict[str, Any], status: str, reason: str
) -> None:
    """Only where nobody asked for the views of regions does the rule not apply."""
    finding = judged_once("CMEK-13", an_organization(**over))
    assert (finding.status, finding.reason) == (status, reason)


def test_scopes_come_from_keys_databases_and_views() -> None:
    """Each scope is judged once, whoever names it; what can have no key is left out."""
    organization = an_organization(
        keys=[a_key(), a_key(type="managed-clusters", provider="azure", region="westeurope")],
        databases=[a_database(regions=["us-east-1", "us-west-2"])],
        region_views=[a_view(), a_view(region="eu-west-1", key_id=None)],
    )
    found = {finding.subject.region: finding.status for finding in judged("CMEK-13", organization)}
    assert found == {"us-east-1": "pass", "us-west-2": "inconclusive", "eu-west-1": "pass"}


def test_a_view_stands_as_evidence_beside_the_key() -> None:
    """The places of the key and of the view are the evidence; without both it is the record's."""
    organization = an_organization(
        keys=[a_key().at("a", 1)], region_views=[a_view().at("b", 2)]
    ).at("c", 3)
    assert judged_once("CMEK-13", organization).evidence == (("a", 1), ("b", 2))
    bare = an_organization(keys=[]).at("c", 3)
    assert judged_once("CMEK-13", bare).evidence == (("c", 3),)


@pytest.mark.parametrize("missing", ["keys", "databases"])
def test_nothing_to_compare_is_inconclusive_while_lists_are_missing(missing: str) -> None:
    """Views that were asked for, over lists that were not read, are not without a subject."""
    lists: dict[str, Any] = {"keys": [], "databases": [], missing: None}
    finding = judged_once("CMEK-13", an_organization(region_views=[], **lists))
    assert (finding.status, finding.reason) == ("inconclusive", "not-recorded")
    assert finding.subject.kind == "organization"
    refused = [{"fact": "region-views", "reason": "refused"}]
    finding = judged_once("CMEK-13", an_organization(gaps=refused, **lists))
    assert finding.status == "inconclusive"
    assert judged("CMEK-13", an_organization(**lists)) == []


def test_nothing_at_all_is_nothing_to_compare() -> None:
    """An organization that is known to hold neither key nor database has no scope."""
    assert judged("CMEK-13", an_organization(keys=[], databases=[], region_views=[])) == []


def test_a_view_where_there_are_no_customer_keys_is_compared() -> None:
    """What only the view of a region shows is compared, also where Astra has no customer keys."""
    place = {"type": "managed-clusters", "provider": "azure", "region": "westeurope"}
    shown = an_organization(region_views=[a_view(), a_view(**place, key_id=azure_key_id())])
    found = {finding.subject.region: finding for finding in judged("CMEK-13", shown)}
    assert found["westeurope"].status == "fail"
    assert found["westeurope"].cause == f"differ:,{azure_key_id()}"
    empty = an_organization(region_views=[a_view(), a_view(**place, key_id=None)])
    assert {finding.status for finding in judged("CMEK-13", empty)} == {"pass"}
    database = a_database(type="managed-clusters", provider="azure", regions=["westeurope"])
    silent = an_organization(databases=[database], region_views=[a_view()])
    assert "westeurope" not in {finding.subject.region for finding in judged("CMEK-13", silent)}


def test_a_finding_shows_list_and_view_and_counts_databases() -> None:
    """What differs is shown where the list and the view stand, with the scope's databases."""
    key, view = a_key().at("keys.yaml", 1), a_view(key_id=None).at("views.yaml", 2)
    finding = judged_once("CMEK-13", an_organization(keys=[key], region_views=[view]))
    assert (finding.status, finding.cause, finding.evidence) == (
        "fail",
        f"differ:{aws_key_id()}",
        (("keys.yaml", 1), ("views.yaml", 2)),
    )
    assert (finding.databases, finding.existing) == (1, 1)


def test_without_a_view_the_listed_key_is_the_evidence() -> None:
    """A scope of which no view was recorded is shown where its key stands in the list."""
    key = a_key().at("keys.yaml", 1)
    finding = judged_once("CMEK-13", an_organization(keys=[key], region_views=None))
    assert (finding.reason, finding.evidence) == ("one-view-only", (("keys.yaml", 1),))


def test_the_order_of_listed_keys_does_not_matter() -> None:
    """Keys are named in their order, in the words and in the cause, however they are listed."""
    ids = [aws_key_id(number=number) for number in range(2, 9)]
    keys = [a_key(key_id=each) for each in reversed(ids)]
    finding = judged_once("CMEK-13", an_organization(keys=keys, region_views=[a_view()]))
    assert finding.message == (
        f"The key list shows {', '.join(ids)}; the regional lookup shows {aws_key_id()}."
    )
    assert finding.cause == cause_of("differ", " ".join(ids), aws_key_id())


def test_what_was_not_read_is_named_with_its_reason() -> None:
    """A view or a list that was not read is inconclusive, in the words of its gap."""
    views = [{"fact": "region-views", "reason": "refused", "detail": "by the token"}]
    finding = judged_once("CMEK-13", an_organization(region_views=[], gaps=views))
    assert finding.message == "The regional lookup was not read: refused (by the token)."
    keys = [{"fact": "serverless-keys", "reason": "cut-short", "detail": "at 100"}]
    organization = an_organization(region_views=[a_view()], gaps=keys)
    finding = judged("CMEK-13", organization)[-1]
    assert finding.message == "The key list may be incomplete: cut-short (at 100)."
    nothing = an_organization(databases=None, keys=[], region_views=[]).at("now.yaml", 3)
    finding = judged("CMEK-13", nothing)[-1]
    assert (finding.message, finding.evidence) == (
        (
            "Neither a key nor a database is recorded, and more may exist: "
            "not-recorded (the record has no such list)."
        ),
        (("now.yaml", 3),),
    )


def test_databases_of_unknown_type_name_no_scope() -> None:
    """A database whose tier has no type is left to the rule about the population."""
    organization = an_organization(keys=[], databases=[of_unknown_type()], region_views=[])
    assert judged("CMEK-13", organization) == []


def test_different_differences_are_different_causes() -> None:
    """Two listed keys are never taken for one whose id holds a comma."""
    two, one = (
        causes(
            "CMEK-13",
            an_organization(keys=[a_key(key_id=each) for each in ids], region_views=[a_view()]),
        )
        for ids in (["k,1", "k"], ["k,1,k"])
    )
    assert two != one
