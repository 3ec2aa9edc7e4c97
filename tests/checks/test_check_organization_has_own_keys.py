from __future__ import annotations

from typing import Any

import pytest

from inventory.model.organization import Organization
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    gcp_key_id,
    uuid,
)
from tests.checks.judging import judged, judged_once

IN_REGIONS = "arn:aws:kms:{}:111122223333:key/mrk-00000000000000000000000000000001"
GOOGLE: dict[str, Any] = {"provider": "gcp", "region": "us-east1"}


def other(**over: object) -> Organization:
    return an_organization(**({"id": OTHER_ORGANIZATION, "name": "acme-test"} | over))


def test_a_shared_key_names_its_organizations() -> None:
    """A key in two organizations is a cause for each of them, whatever its versions."""
    one = an_organization(keys=[a_key(**GOOGLE, key_id=gcp_key_id(version=1))])
    two = other(keys=[a_key(**GOOGLE, key_id=gcp_key_id(version=2))])
    found = judged("CMEK-06", one, two)
    assert [finding.cause for finding in found] == [
        f"shared-by:{ORGANIZATION}",
        f"shared-by:{OTHER_ORGANIZATION}",
    ]
    finding = found[0]
    assert (finding.status, finding.severity) == ("fail", "advisory")
    assert finding.message == (
        "acme-prod is one of 2 organizations that share the key: acme-prod, acme-test."
    )
    assert (finding.subject.organization, finding.subject.key) == ("", gcp_key_id())


def test_organizations_of_equal_name_are_kept_apart() -> None:
    """Two organizations with one name still share a key between them."""
    found = judged("CMEK-06", an_organization(name="acme"), other(name="acme"))
    assert [finding.status for finding in found] == ["fail", "fail"]


def test_a_third_organization_is_a_cause_of_its_own() -> None:
    """Whoever accepted that two organizations share a key has not accepted a third."""
    third = an_organization(id=uuid(3), name="acme-third")
    found = judged("CMEK-06", an_organization(), other(), third)
    two = {finding.id for finding in judged("CMEK-06", an_organization(), other())}
    assert [finding.cause for finding in found if finding.id not in two] == [f"shared-by:{uuid(3)}"]


def test_a_key_used_twice_by_one_organization_is_its_own() -> None:
    """A key that serves two scopes of one organization is shared with nobody."""
    one = an_organization(keys=[a_key(), a_key(type="managed-clusters")])
    finding = judged_once("CMEK-06", one, other(keys=[]))
    assert (finding.status, finding.message) == ("pass", "Only acme-prod uses the key.")


def test_sharing_takes_two() -> None:
    """Of a single organization, also of one whose keys are unknown, nothing can be shared."""
    assert judged("CMEK-06", an_organization()) == []
    assert judged("CMEK-06", an_organization(keys=None)) == []


def test_alias_and_unknown_forms_may_hide_a_shared_key() -> None:
    """An id that does not name a key for ever is doubted, unless it is seen to be shared."""
    alias = "arn:aws:kms:us-east-1:111122223333:alias/acme"
    one = an_organization(keys=[a_key(key_id=alias)])
    finding = judged_once("CMEK-06", one, other(keys=[]))
    assert (finding.status, finding.reason) == ("inconclusive", "disguised-key")
    shared = judged("CMEK-06", one, other(keys=[a_key(key_id=alias)]))
    assert {finding.status for finding in shared} == {"fail"}


@pytest.mark.parametrize("fact", ["serverless-keys", "managed-clusters-keys"])
def test_unread_keys_may_be_shared(fact: str) -> None:
    """As long as the keys of one organization are not all known, no key is known to be unshared."""
    gaps = [{"fact": fact, "reason": "refused", "detail": "403"}]
    finding = judged_once("CMEK-06", an_organization(), other(keys=[], gaps=gaps))
    assert (finding.status, finding.reason) == ("inconclusive", "refused")
    assert finding.message == "The key list of acme-test may be incomplete: refused (403)."
    assert finding.action == "Re-collect the keys of acme-test in full"


def test_unread_keys_are_doubted_where_no_key_is_known() -> None:
    """Two organizations of which no key is known are inconclusive, not without a subject."""
    finding = judged_once("CMEK-06", an_organization(keys=[]), other(keys=None))
    assert (finding.status, finding.reason) == ("inconclusive", "not-recorded")
    assert finding.subject.organization == OTHER_ORGANIZATION
    both = judged("CMEK-06", an_organization(keys=None), other(keys=None))
    assert [finding.subject.organization for finding in both] == [ORGANIZATION, OTHER_ORGANIZATION]


def test_other_gaps_do_not_matter() -> None:
    """Databases that were not read share no key."""
    finding = judged_once("CMEK-06", an_organization(), other(keys=[], databases=None))
    assert finding.status == "pass"


def test_without_any_key_nothing_is_shared() -> None:
    """Two organizations without keys have no subject."""
    assert judged("CMEK-06", an_organization(keys=[]), other(keys=[])) == []


def test_the_databases_of_all_that_share_a_key_are_counted() -> None:
    """A finding about a key counts what rests on it, in each of the organizations that use it."""
    first = an_organization(databases=[a_database(), a_planned_database()])
    second = other(databases=[a_database(id=uuid(number)) for number in range(3)])
    found = judged("CMEK-06", first, second)
    assert {(finding.status, finding.databases, finding.existing) for finding in found} == {
        ("fail", 5, 4)
    }
    alone = judged("CMEK-06", first, other(keys=[]))
    assert {(finding.status, finding.databases, finding.existing) for finding in alone} == {
        ("pass", 2, 1)
    }


MRK = "arn:aws:kms:{}:111122223333:key/mrk-00000000000000000000000000000001"


def notes(one: str, two: str, **place: str) -> list[str]:
    """Return status and words of the findings about a key of each of two organizations."""
    keys = [
        a_key(**(place | {"region": each.split("/")[3]} if place else {}), key_id=each)
        for each in (one, two)
    ]
    found = judged("CMEK-06", an_organization(keys=keys[:1]), other(keys=keys[1:]))
    assert {finding.status for finding in found} == {"pass"}
    return [finding.message for finding in found]


def test_replicas_in_two_organizations_are_noted() -> None:
    """Replicas of one multi-Region key are different keys that share their material: a note."""
    one, two = MRK.format("us-east-1"), MRK.format("us-west-2")
    words = "Replicas of this multi-Region key, which share its material, are used by"
    assert notes(one, two) == [
        f"Only acme-prod uses the key. {words} acme-test.",
        f"Only acme-test uses the key. {words} acme-prod.",
    ]
    elsewhere = two.replace("111122223333", "444455556666")
    assert notes(one, elsewhere) == [
        "Only acme-prod uses the key.",
        "Only acme-test uses the key.",
    ]


def test_a_project_by_id_and_by_number_is_noted() -> None:
    """A Google key named by a project's id may be the one named by a project's number: a note."""
    by_id = gcp_key_id()
    by_number = by_id.replace("acme-prod", "123456789012")
    words = "It may be the key that"
    assert notes(by_id, by_number, provider="gcp") == [
        f"Only acme-prod uses the key. {words} acme-test names by the project's number.",
        f"Only acme-test uses the key. {words} acme-prod names by the project's id.",
    ]
    elsewhere = by_id.replace("acme-prod", "acme-other")
    assert notes(by_id, elsewhere, provider="gcp")[0] == "Only acme-prod uses the key."


def test_relatives_of_one_organization_are_no_sharing() -> None:
    """Replicas of one key within one organization are its own, whatever others use."""
    keys = [
        a_key(key_id=MRK.format(region), region=region) for region in ("us-east-1", "us-west-2")
    ]
    found = judged("CMEK-06", an_organization(keys=keys), other(keys=[]))
    assert {finding.message for finding in found} == {"Only acme-prod uses the key."}


def test_ordinary_keys_have_no_relatives() -> None:
    """Two keys that share nothing are each used by one organization, and nothing is noted."""
    found = judged("CMEK-06", an_organization(), other(keys=[a_key(key_id=aws_key_id(number=2))]))
    assert [
        (finding.status, finding.subject.organization, finding.message) for finding in found
    ] == [
        ("pass", "", "Only acme-prod uses the key."),
        ("pass", "", "Only acme-test uses the key."),
    ]


def test_everybody_who_uses_a_relative_is_named_in_order() -> None:
    """A note names all organizations that use a replica, whatever their order is."""
    regions = {1: "us-east-1", 4: "eu-west-1", 3: "eu-west-2", 2: "eu-north-1"}
    replicas = [
        an_organization(
            id=uuid(number),
            name=f"acme-{number}",
            keys=[a_key(region=region, key_id=IN_REGIONS.format(region))],
        )
        for number, region in regions.items()
    ]
    finding = judged("CMEK-06", *replicas)[0]
    assert finding.message == (
        "Only acme-1 uses the key. Replicas of this multi-Region key, which share its material, "
        "are used by acme-2, acme-3, acme-4."
    )


def test_what_is_to_be_done_about_a_key_is_said_with_its_id() -> None:
    """A shared key is replaced, and one that may disguise a shared key is recorded by its id."""
    (action,) = {finding.action for finding in judged("CMEK-06", an_organization(), other())}
    assert action == f"Give each organization a key of its own instead of {aws_key_id()}"
    alias = "arn:aws:kms:us-east-1:111122223333:alias/acme"
    finding = judged("CMEK-06", an_organization(keys=[a_key(key_id=alias)]), other(keys=[]))[0]
    assert (finding.subject.organization, finding.reason, finding.action) == (
        "",
        "disguised-key",
        f"Record the id of the key itself instead of {alias}",
    )


def test_unread_keys_are_named_by_their_first_gap() -> None:
    """Where no key is known at all, the organization's own record is the evidence."""
    gaps = [
        {"fact": f"{kind}-keys", "reason": "refused"} for kind in ("managed-clusters", "serverless")
    ]
    gaps[1]["reason"] = "cut-short"
    unread = an_organization(keys=[], gaps=gaps).at("now.yaml", 4)
    finding = judged_once("CMEK-06", unread, other(keys=[]))
    assert (finding.message, finding.evidence, finding.reason) == (
        "No key is known, and key lists may be incomplete: refused.",
        (("now.yaml", 4),),
        "refused",
    )
