"""What was audited: the organizations, their numbers, and what people attested about them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.shared.comparisons import reconcile
from inventory.model.gaps import Reading
from inventory.model.organization import Organization
from inventory.model.planned_keys import PlannedKey, UndeterminedKey
from inventory.model.terraform_managed import ManagedResources
from reports.record.population import Population
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    moment,
    uuid,
)
from tests.checks.strategies import organizations
from tests.hypothesis_profile import examples
from tests.reports.recording import SOURCE


def _summary(*organizations: Organization) -> Any:  # noqa: ANN401 (a part of the record)
    population = Population()
    for organization in organizations:
        population.add(organization)
    return population.summary([SOURCE])


def _attestations(organization: Organization, as_of: str = "2026-11-21") -> Any:  # noqa: ANN401 (a part of the record)
    population = Population()
    population.add(organization)
    return population.attestations(moment(as_of))


def test_names_are_kept_in_the_order_of_the_inventory() -> None:
    """Each organization's name is known by its id."""
    population = Population()
    population.add(an_organization(id=OTHER_ORGANIZATION, name="acme-test"))
    population.add(an_organization())
    assert list(population.names.items()) == [
        (OTHER_ORGANIZATION, "acme-test"),
        (ORGANIZATION, "acme-prod"),
    ]


def test_an_organization_has_its_row() -> None:
    """A row tells the keys, and the databases by state; terminated ones are no existing ones."""
    organization = an_organization(
        owner="Platform team",
        databases=[
            a_database(),
            a_database(id=uuid(7), status="MAINTENANCE"),
            a_database(id=uuid(8), status="TERMINATED"),
            a_planned_database(),
        ],
    ).at("acme.yaml", 7)
    assert _summary(organization)["organizations"] == [
        {
            "id": ORGANIZATION,
            "name": "acme-prod",
            "owner": "Platform team",
            "captured_at": "2026-11-20T02:00:00Z",
            "keys": 1,
            "planned_keys": 0,
            "existing": 2,
            "planned": 1,
            "terminated": 1,
            "gaps": [],
            "readings": [],
            "reconciliation": reconcile(organization),
            "file": "acme.yaml",
            "line": 7,
        }
    ]


def test_planned_keys_are_counted() -> None:
    """Every change of a key that a plan holds is counted, also where its place is not shown."""
    managed = ManagedResources(
        planned_keys=(PlannedKey(type="serverless", provider="aws", region="us-east-1"),),
        undetermined_keys=(UndeterminedKey(name="key", missing="region"),),
    )
    summary = _summary(an_organization(keys=None).with_managed(managed))
    [row] = summary["organizations"]
    assert (row["keys"], row["planned_keys"], summary["totals"]["planned_keys"]) == (None, 2, 2)


def test_what_was_not_recorded_is_not_zero() -> None:
    """Keys, databases and times that were not recorded are reported as unknown, with the gaps."""
    [row] = _summary(an_organization(keys=None, databases=None, captured_at=None))["organizations"]
    names = ("captured_at", "keys", "existing", "planned", "terminated")
    assert {name: row[name] for name in names} == dict.fromkeys(names)
    assert [gap["fact"] for gap in row["gaps"]] == [
        "serverless-keys",
        "managed-clusters-keys",
        "databases",
    ]


def test_nothing_is_kept_apart_from_unknown() -> None:
    """An organization that was read and is empty counts zero."""
    [row] = _summary(an_organization(keys=[], databases=[]))["organizations"]
    names = ("keys", "existing", "planned", "terminated")
    assert {name: row[name] for name in names} == dict.fromkeys(names, 0)


_LISTS = st.none() | st.lists(st.sampled_from(["ACTIVE", "PARKED", "TERMINATED", "planned"]))


@examples(60)
@given(given=st.lists(st.tuples(st.none() | st.integers(0, 3), _LISTS), max_size=4))
def test_the_totals_are_those_of_the_lists(
    given: list[tuple[int | None, list[str] | None]],
) -> None:
    """Organizations, keys and databases add up to what their lists hold."""
    organizations = [
        an_organization(
            id=uuid(place),
            keys=None if count is None else [a_key(region=f"r{each}") for each in range(count)],
            databases=None if states is None else list(map(_database, range(99), states)),
        )
        for place, (count, states) in enumerate(given)
    ]
    states = [state for _, listed in given for state in listed or ()]
    assert _summary(*organizations)["totals"] == {
        "organizations": len(given),
        "keys": sum(count or 0 for count, _ in given),
        "planned_keys": 0,
        "existing": states.count("ACTIVE") + states.count("PARKED"),
        "planned": states.count("planned"),
        "terminated": states.count("TERMINATED"),
    }


def _database(number: int, state: str) -> object:
    if state == "planned":
        return a_planned_database(name=f"acme-{number}")
    return a_database(id=uuid(number), status=state)


def test_the_sources_are_reported_as_they_are() -> None:
    """Each file that was read stands in the summary with its hash and its times in UTC."""
    assert _summary()["sources"] == [
        {
            "path": "acme.yaml",
            "role": "inventory",
            "format": "yaml",
            "size": 1,
            "sha256": "0" * 64,
            "captured_at": "2026-11-20T02:00:00Z",
            "complete": True,
            "example": False,
            "organizations": 1,
            "keys": 0,
            "databases": 0,
            "evidence": None,
            "name": "",
            "notes": [],
            "clouds_of": [],
        }
    ]


def test_readings_are_reported_as_they_were_recorded() -> None:
    """A row tells each reading, and its answers in a fixed order."""
    reading = {"fact": "databases", "address": "/v2/databases", "requests": 3, "entries": 2}
    passes = [{"entries": 2, "page_size": 100}, {"entries": 2, "page_size": 99}]
    numbers = {"passes": passes, "terminated": {"entries": 1, "complete": False}}
    answers = {"timed-out": 1, "200": 2}
    given = Reading.model_validate(
        {**reading, **numbers, "answers": answers, "sha256": "0" * 64, "note": "cut"}
    )
    organization = an_organization().model_copy(update={"readings": (given,)})
    [row] = _summary(organization)["organizations"]
    [shown] = row["readings"]
    assert shown == {
        **(reading | numbers),
        "answers": answers,
        "sha256": "0" * 64,
        "note": ("read 2 times: 2 by pages of 100, 2 by pages of 99; terminated: 1, at least; cut"),
    }
    assert list(shown["answers"]) == ["200", "timed-out"]


# --- attestations ---------------------------------------------------------------------------------

BY = {"by": "acme-security", "on": "2026-11-01"}


@pytest.mark.parametrize(
    ("over", "what", "statement"),
    [
        (
            {"plan": {"paid": True, "name": "Plus"} | BY},
            "the plan",
            "paid plan: Plus",
        ),
        (
            {"azure_preview": {"granted": False} | BY},
            "the preview for Serverless on Azure",
            "not granted",
        ),
        ({"no_databases": BY}, "the databases", "there is none yet"),
        (
            {"keys": [a_key(rotation={"automatic": True} | BY)]},
            "rotation of the key",
            "rotates automatically",
        ),
        (
            {"keys": [a_key(usable={"usable": True} | BY)]},
            "whether the key is usable",
            "usable",
        ),
        (
            {
                "databases": [
                    a_database(application_encryption={"encrypted": True, "method": "AEAD"} | BY)
                ]
            },
            "application encryption",
            "the application encrypts the data, by AEAD",
        ),
        (
            {"keys": [a_key(portal={"status": "available"} | BY)]},
            "what the portal showed of the key",
            "Available",
        ),
        (
            {"databases": [a_database(regions=[{"name": "a", "portal": {"key": "astra"} | BY}])]},
            "what the portal showed of a",
            "encrypted by Astra's own key",
        ),
    ],
    ids=["plan", "preview", "none", "rotation", "usable", "application", "key", "region"],
)
def test_an_attestation_is_reported(
    over: dict[str, Any],
    what: str,
    statement: str,
) -> None:
    """Who stated what, when, about which key, and until when that counts."""
    [shown] = _attestations(an_organization(**({"plan": None} | over)))
    assert shown == {
        "organization": "acme-prod",
        "organization_id": an_organization().id,
        "key": a_key().key_id if "keys" in over else "",
        "database": "acme-orders" if "databases" in over else "",
        "what": what,
        "statement": statement,
        "by": "acme-security",
        "on": "2026-11-01",
        "due": "2027-11-01",
        "current": True,
        "note": None,
    }


def test_a_registration_never_becomes_stale() -> None:
    """The attested time of a registration has no last day, and counts for ever."""
    registered = {"at": "2020-05-01T00:00:00Z", "note": "by ticket", "by": "a", "on": "2020-05-02"}
    organization = an_organization(plan=None, keys=[a_key(registered=registered)])
    [shown] = _attestations(organization)
    assert (shown["what"], shown["statement"]) == (
        "when the key was registered",
        "registered at 2020-05-01T00:00:00Z",
    )
    assert (shown["due"], shown["current"], shown["note"]) == (None, True, "by ticket")


def test_a_registration_counts_once_it_was_attested() -> None:
    """An attestation of a registration counts for no time before it was made."""
    registered = {"at": "2026-05-01T00:00:00Z", "by": "acme-security", "on": "2026-11-22"}
    organization = an_organization(plan=None, keys=[a_key(registered=registered)])
    days = ("2026-11-21T23:59:59Z", "2026-11-22T00:00:00Z")
    counts = [shown["current"] for day in days for shown in _attestations(organization, day)]
    assert counts == [False, True]


@pytest.mark.parametrize(
    ("as_of", "counts"),
    [
        ("2026-10-31T23:59:59Z", False),
        ("2026-11-01T00:00:00Z", True),
        ("2026-12-24T23:59:59Z", True),
        ("2026-12-25T00:00:00Z", False),
    ],
)
def test_an_attestation_counts_for_its_days(as_of: str, counts: bool) -> None:  # noqa: FBT001 (a parameter)
    """An attestation counts from the day on which it was made until the day on which it is due."""
    plan = {"paid": True, "due": "2026-12-24"} | BY
    [shown] = _attestations(an_organization(plan=plan), as_of)
    assert (shown["due"], shown["current"]) == ("2026-12-24", counts)


def test_nothing_attested_is_nothing_reported() -> None:
    """An organization about which nobody stated anything, and of unread lists, adds nothing."""
    assert _attestations(an_organization(plan=None, keys=None, databases=None)) == []


def test_attestations_of_all_organizations_are_reported_in_order() -> None:
    """Attestations come organization by organization, as the inventory has them."""
    population = Population()
    population.add(an_organization(name="acme-b"))
    population.add(an_organization(id=OTHER_ORGANIZATION, name="acme-a"))
    shown = [attestation["organization"] for attestation in population.attestations(AS_OF)]
    assert shown == ["acme-b", "acme-a"]


@examples(50)
@given(
    inventory=st.tuples(*(organizations(number) for number in range(1, 4))), cut=st.integers(0, 3)
)
def test_parts_add_up_to_the_whole(inventory: tuple[Organization, ...], cut: int) -> None:
    """Two parts of the organizations, merged, are the whole population."""
    parts = Population(), Population()
    for place, organization in enumerate(inventory):
        parts[place >= cut].add(organization)
    parts[0].merge(parts[1])
    assert parts[0].summary([SOURCE]) == _summary(*inventory)
    whole = Population()
    for organization in inventory:
        whole.add(organization)
    assert parts[0].attestations(AS_OF) == whole.attestations(AS_OF)
