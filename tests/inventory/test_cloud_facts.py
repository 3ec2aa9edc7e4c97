"""What the clouds show of keys reaches the keys themselves."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.cloud_facts import with_cloud_facts
from inventory.model.kms import CloudKey
from inventory.model.organization import Organization
from inventory.model.planned_keys import PlannedKey
from inventory.model.terraform_managed import ManagedResources
from tests.builders import an_organization, aws_key_id, cloud_key_data, key_data, kms_facts

EARLY, LATE = "2026-11-20T01:00:00Z", "2026-11-20T02:00:00Z"


def shown(at: str, *, enabled: bool, **over: object) -> CloudKey:
    """Return a cloud's answer about the key of ``an_organization`` at one time."""
    facts = {"observed_at": at, "enabled": enabled}
    return CloudKey.model_validate(cloud_key_data(facts=facts) | over).at("clouds.ndjson", 7)


def with_clouds(*cloud_keys: CloudKey, **over: object) -> Organization:
    """Return an organization with one key and what clouds show."""
    organization = an_organization(**over)
    whole = organization.model_copy(update={"cloud_keys": cloud_keys}).at("a.yaml", 3)
    return with_cloud_facts(whole.with_managed(organization.managed).at("a.yaml", 3))


def test_facts_reach_their_key_with_their_location() -> None:
    """A registered key gets the facts of its cloud, and each fact its location."""
    organization = with_clouds(shown(EARLY, enabled=True))
    (key,) = organization.keys or ()
    assert key.kms is not None
    assert (key.kms.enabled, key.kms.where("key", "policy")) == (True, (("clouds.ndjson", 7),))
    assert organization.location == ("a.yaml", 3)


@pytest.mark.parametrize("order", [1, -1])
def test_latest_facts_count(order: int) -> None:
    """Of several answers about one key the latest counts, in whatever order they come."""
    answers = [shown(EARLY, enabled=True), shown(LATE, enabled=False)][::order]
    (key,) = with_clouds(*answers).keys or ()
    assert key.kms is not None
    assert key.kms.enabled is False


@pytest.mark.parametrize(
    ("observed_at", "enabled"), [(EARLY, False), ("2026-11-20T03:00:00Z", True)]
)
def test_what_a_file_states_later_stays(observed_at: str, *, enabled: bool) -> None:
    """What a file states about a key counts only if it was observed after the cloud's answer."""
    stated = kms_facts(observed_at=observed_at)
    organization = with_clouds(shown(LATE, enabled=False), keys=[key_data(kms=stated)])
    assert [key.kms.enabled for key in organization.keys or () if key.kms] == [enabled]


def test_planned_key_gets_facts_too() -> None:
    """A planned key gets the facts of its cloud; one without an id, and another key, get none."""
    place: dict[str, Any] = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    planned = [
        PlannedKey(**place, key_id=key_id).at("plan.json", 2)
        for key_id in (aws_key_id(), None, aws_key_id(number=9))
    ]
    organization = an_organization(keys=None).with_managed(
        ManagedResources(planned_keys=tuple(planned))
    )
    cloud_keys = (shown(EARLY, enabled=True),)
    copy = organization.model_copy(update={"cloud_keys": cloud_keys})
    whole = with_cloud_facts(copy.with_managed(organization.managed))
    assert whole.keys is None
    assert [bool(key.kms) for key in whole.managed.planned_keys] == [True, False, False]
    assert {key.location for key in whole.managed.planned_keys} == {("plan.json", 2)}


def test_without_clouds_nothing_changes() -> None:
    """An organization of which no cloud was asked stays as it is."""
    organization = an_organization()
    assert with_cloud_facts(organization) is organization
