"""What people attest is laid over what Astra lists."""

from __future__ import annotations

from typing import Any

from inventory.astra.attested import apply_database_statements, apply_key_statements
from inventory.model.gaps import Gap
from inventory.model.key import CustomerKey
from tests.builders import a_database, a_key, aws_key_id, gcp_key_id
from tests.inventory.live import configured

SAID = {"by": "Ada Example", "on": "2026-10-01"}
UNMET = "{} is in the organizations file, but Astra does not list it"


def statement(**over: object) -> dict[str, Any]:
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    return place | {"key_id": aws_key_id()} | over


def test_statements_of_keys() -> None:
    """A statement adds to the key it names all that it states, and to no other key anything."""
    stated: dict[str, Any] = {
        "registered": {"at": "2026-05-01T00:00:00Z"} | SAID,
        "rotation": {"automatic": True} | SAID,
        "usable": {"usable": False} | SAID,
        "kms": {"observed_at": "2026-11-20T01:00:00Z", "enabled": True},
    }
    listed = a_key(seen="exchanges/0001/0001.json:14")
    other = a_key(region="us-east-2")
    stated_databases = apply_key_statements([listed, other], configured(keys=[statement(**stated)]))
    expected = CustomerKey.model_validate(listed.model_dump() | stated)
    assert stated_databases.entries == [expected, other]
    assert stated_databases.gaps == []


def test_statement_without_content() -> None:
    """A statement that only names a key leaves the key as it is."""
    stated = apply_key_statements([a_key()], configured(keys=[statement()]))
    assert stated.entries == [a_key()]


def test_place_of_a_key_is_kept() -> None:
    """An entry that was stated something of keeps the place where it was read."""
    key = a_key().at("inventory.ndjson", 7)
    stated = apply_key_statements([key], configured(keys=[statement()]))
    assert [entry.location for entry in stated.entries] == [("inventory.ndjson", 7)]


def test_statements_of_databases() -> None:
    """A statement adds to the database it names what it states, and leaves the rest."""
    stated: dict[str, Any] = {
        "encryption": "astra-provided",
        "reason": "a trial",
        "data": "stringent",
    }
    config = configured(databases=[stated | {"id": a_database().id}])
    stated_databases = apply_database_statements([a_database(), a_database(id="other")], config)
    assert stated_databases.entries == [a_database(**stated), a_database(id="other")]
    assert stated_databases.gaps == []


def test_statements_that_meet_nothing() -> None:
    """A statement about what Astra does not list exactly so is a gap of the list it belongs to."""
    keys = [
        statement(region="us-east-2", key_id="a"),
        statement(type="managed-clusters", key_id="b"),
        statement(provider="gcp", key_id="c"),
        statement(key_id="d"),
    ]
    config = configured(keys=keys, databases=[{"id": "e"}])
    stated = apply_key_statements([a_key()], config)
    facts = ("serverless-keys", "managed-clusters-keys", "serverless-keys", "serverless-keys")
    assert stated.entries == [a_key()]
    assert [(gap.fact, gap.reason, gap.detail) for gap in stated.gaps] == [
        (fact, "not-visible", UNMET.format(name)) for fact, name in zip(facts, "abcd", strict=True)
    ]
    databases = apply_database_statements([a_database()], config)
    assert databases.entries == [a_database()]
    assert databases.gaps == [
        Gap(fact="databases", reason="not-visible", detail=UNMET.format("e")),
    ]


def test_a_statement_about_another_version() -> None:
    """A statement about a key counts for each version of it that Astra lists."""
    ids = [gcp_key_id(version=version) for version in (1, 2)]
    place = {"provider": "gcp", "region": "us-east1"}
    listed = [a_key(**place, key_id=key_id) for key_id in ids]
    said = statement(**place, key_id=gcp_key_id(), rotation={"automatic": True} | SAID)
    stated = apply_key_statements(listed, configured(keys=[said]))
    assert [entry.key_id for entry in stated.entries] == ids
    assert [entry.rotation.automatic for entry in stated.entries if entry.rotation] == [
        True,
        True,
    ]
    assert stated.gaps == []


# --- what the portal showed -----------------------------------------------------------------------

LOOK = {"key": "customer"} | SAID
TWO_REGIONS = ["us-east-1", "us-west-2"]


def test_a_look_at_a_region_is_added_to_that_region() -> None:
    """What somebody saw of a region is stated of that region alone, and the rest of it stays."""
    listed = a_database(regions=TWO_REGIONS).at("inventory.ndjson", 8)
    config = configured(
        databases=[{"id": listed.id, "regions": [{"name": "us-west-2", "portal": LOOK}]}]
    )
    (stated,) = apply_database_statements([listed], config).entries
    added = "2026-06-01T00:00:00Z"
    regions = [
        {"name": "us-east-1", "added_at": added},
        {"name": "us-west-2", "added_at": added, "portal": LOOK},
    ]
    assert stated == a_database(regions=regions)
    assert stated.location == ("inventory.ndjson", 8)


def test_a_look_at_a_region_that_is_not_listed_is_a_gap() -> None:
    """A region that its database does not have is a gap; one of an unlisted database is no other.

    The spelling of a region counts: nothing else says that two names mean one region.
    """
    names = ("us-east-1", "US-EAST-1", "eu-west-1")
    regions = [{"name": name, "portal": LOOK} for name in names]
    config = configured(
        databases=[{"id": a_database().id, "regions": regions}, {"id": "e", "regions": regions}]
    )
    stated = apply_database_statements([a_database()], config)
    assert [(gap.fact, gap.reason, gap.detail) for gap in stated.gaps] == [
        ("databases", "not-visible", UNMET.format(name))
        for name in ("e", f"US-EAST-1 of {a_database().id}", f"eu-west-1 of {a_database().id}")
    ]
    assert [region.portal is None for region in stated.entries[0].regions] == [False]
