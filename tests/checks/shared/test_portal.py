"""Looks at the portal: who saw what, and whether that shows anything."""

from __future__ import annotations

from typing import Any

import pytest

from checks.shared.portal import (
    current_sightings,
    is_in_portal,
    look_in_words,
    not_counting,
    not_showing,
    shows_use,
    sightings_of,
)
from inventory.model.attestations import PortalKey, PortalRegion
from inventory.model.key import KeyScope
from tests.builders import AS_OF, ORGANIZATION, a_key, gcp_key_id, moment

SCOPE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
BY: dict[str, Any] = {"by": "acme-security", "on": "2026-11-01"}


def a_look(**over: Any) -> PortalKey:  # noqa: ANN401 (fields of a look)
    return PortalKey.model_validate({"status": "in-use"} | BY | over)


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (a_look(), "that the key is In-Use."),
        (a_look(status="available"), "that the key is Available."),
        (
            PortalRegion.model_validate({"key": "astra"} | BY),
            "that Astra's own key encrypts the database.",
        ),
        (
            PortalRegion.model_validate({"key": "customer"} | BY),
            "that a customer key encrypts the database.",
        ),
        (
            PortalRegion.model_validate({"key": "customer", "key_id": "a:1"} | BY),
            "that a customer key, a:1, encrypts the database.",
        ),
    ],
)
def test_a_look_is_in_words(look: PortalKey | PortalRegion, words: str) -> None:
    """A look says who saw what, and on which day."""
    assert look_in_words(look) == f"On 2026-11-01 acme-security saw in the portal {words}"


@pytest.mark.parametrize(
    ("kind", "provider", "sightings", "use"),
    [
        ("serverless", "aws", True, True),
        ("serverless", "gcp", True, True),
        ("serverless", "azure", True, False),
        ("managed-clusters", "aws", False, False),
        ("managed-clusters", "azure", False, False),
        ("unknown", "aws", False, False),
    ],
)
def test_the_portal_shows_use_of_serverless_keys_outside_azure(
    kind: Any,  # noqa: ANN401 (a database type)
    provider: Any,  # noqa: ANN401 (a provider)
    sightings: bool,  # noqa: FBT001 (a parameter)
    use: bool,  # noqa: FBT001 (as above)
) -> None:
    """Of Managed Clusters the portal shows nothing, and keys in Azure always look available."""
    scope = KeyScope(ORGANIZATION, kind, provider, "a")
    assert (is_in_portal(scope), shows_use(scope)) == (sightings, use)
    assert bool(current_sightings([a_key(portal=a_look())], scope, AS_OF)) is use


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({}, ""),
        ({"on": "2026-11-21"}, ""),
        ({"due": "2026-11-21"}, ""),
        ({"on": "2026-11-22"}, "it was made after the day of the audit"),
        ({"due": "2026-11-20"}, "it is valid until 2026-11-20"),
        ({"on": "2025-11-20"}, "it is valid until 2026-11-20"),
    ],
)
def test_a_look_counts_from_its_day_until_it_is_due(over: dict[str, Any], why: str) -> None:
    """A look counts on its own day and on its last one, and before or after that never."""
    look = a_look(**over)
    expected = f"The look at the portal of {look.on} does not count: {why}." if why else ""
    assert not_counting(look, AS_OF) == expected
    assert current_sightings([a_key(portal=look)], SCOPE, AS_OF) == ([] if why else [look])
    assert (not_showing(look, AS_OF, moment("2024-01-01")) == "") is (not why)


@pytest.mark.parametrize(
    ("deployed", "shows"),
    [
        (None, False),
        ("2026-10-31T23:59:59Z", True),
        ("2026-11-01T00:30:00+01:00", True),
        ("2026-11-01T00:00:00Z", False),
        ("2026-11-02T00:00:00Z", False),
    ],
)
def test_a_look_shows_what_was_deployed_on_a_day_before(
    deployed: str | None,
    shows: bool,  # noqa: FBT001 (a parameter)
) -> None:
    """Days are compared in UTC: of its own day, and of no known day, a look shows nothing."""
    why = not_showing(a_look(), AS_OF, moment(deployed) if deployed else None)
    text = (
        "The look at the portal of 2026-11-01 shows nothing: the database is not known to have "
        "been deployed on a day before."
    )
    assert why == ("" if shows else text)


def test_the_latest_look_comes_first() -> None:
    """Looks at several versions of a key are sorted by their day, and each is there once."""
    sightings = [a_look(on=f"2026-11-0{day}") for day in (1, 3, 2, 3)]
    keys = [
        a_key(provider="gcp", key_id=gcp_key_id(version=version), portal=look)
        for version, look in enumerate(sightings, 1)
    ]
    assert sightings_of([*keys, a_key()]) == [sightings[1], sightings[2], sightings[0]]
