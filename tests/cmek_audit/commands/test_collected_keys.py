"""What a collection prints of the clouds: keys by cloud, and what was not shown, by reason."""

from __future__ import annotations

from typing import Any

from cmek_audit.commands.collected_keys import MOST_DETAILS, CollectedKeys
from inventory.model.kms import CloudKey
from tests.builders import an_organization, aws_key_id
from tests.clouds.gcp_bodies import KEY

AT = "2026-11-20T02:00:00Z"
AWS = aws_key_id("us-east-1")


def a_cloud_key(key_id: str = AWS, *gaps: dict[str, Any]) -> CloudKey:
    facts = {"observed_at": AT, "unread": gaps}
    return CloudKey.model_validate({"key_id": key_id, "facts": facts})


def a_gap(fact: str = "policy", reason: str = "refused", **over: object) -> dict[str, Any]:
    return {"fact": fact, "reason": reason} | over


def collected(*keys: CloudKey, asked: tuple[str, ...] = ("aws", "gcp")) -> CollectedKeys:
    found = CollectedKeys(asked)
    found.add(an_organization(cloud_keys=keys))
    found.add(an_organization(cloud_keys=None))
    return found


def test_keys_are_counted_by_cloud() -> None:
    """Each cloud that was asked has a line, with how many keys were read in full."""
    found = collected(a_cloud_key(), a_cloud_key(aws_key_id("us-east-2"), a_gap()))
    assert list(found.lines()) == [
        "AWS:            2 keys, 1 read in full",
        "Google Cloud:   no key",
    ]
    assert found.counts() == {
        "aws": {"keys": 2, "in_full": 1},
        "gcp": {"keys": 0, "in_full": 0},
    }
    assert list(collected(a_cloud_key(KEY), asked=("gcp",)).lines()) == [
        "Google Cloud:   1 key, all read in full"
    ]
    assert list(collected(asked=()).lines()) == []


def test_gaps_are_grouped_by_what_brings_the_facts() -> None:
    """Facts of one cloud that are missing for one reason have one step, with the permissions."""
    policy = a_gap(permission="kms:GetKeyPolicy", detail="answered 400")
    grants = a_gap("grants", permission="kms:ListGrants", detail="answered 400")
    late = [a_gap("key", "timed-out", detail=f"after {number} s") for number in range(5)]
    keys = [a_cloud_key(AWS, policy, grants), a_cloud_key(aws_key_id("us-east-2"), policy)]
    several = [a_cloud_key(f"{KEY}{number}", gap) for number, gap in enumerate(late)]
    lines = list(collected(*keys, *several).gap_lines())
    assert lines == [
        "\nAWS",
        "  refused: policy, grants of 2 keys",
        "    answered 400",
        "    To do: Grant the audit's credentials kms:GetKeyPolicy, kms:ListGrants",
        "\nGoogle Cloud",
        "  timed-out: key of 5 keys",
        *(f"    after {number} s" for number in range(MOST_DETAILS)),
        "    … and 2 more",
        "    To do: Collect again, with a later deadline in the organizations file if needed",
    ]


def test_gaps_are_listed_as_json() -> None:
    """Each missing fact is an object with its key, its reason, and what to do about it."""
    gap = a_gap("key", "no-credentials", detail="none found")
    (unread,) = collected(a_cloud_key(AWS, gap)).unread
    organization = an_organization()
    assert unread.as_json() == {
        "organization": organization.id,
        "name": organization.name,
        "key": AWS,
        "cloud": "aws",
        "fact": "key",
        "reason": "no-credentials",
        "detail": "none found",
        "permission": "",
        "action": "Give the audit read-only credentials for the cloud",
    }
