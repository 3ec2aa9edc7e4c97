"""What findings are about: each has one item, or is an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.finding import (
    Subject,
    database_id_subject,
    key_id_subject,
    organization_subject,
)
from reports.formats.oscal.subjects import (
    Organizations,
    inventory_items,
    organization_uuid,
    reference,
)
from reports.record.encoding import encode_finding
from tests.builders import ORGANIZATION, an_organization
from tests.reports.oscal_reading import property_of
from tests.reports.recording import a_finding, record

if TYPE_CHECKING:
    from pathlib import Path

    from reports.model.finding_record import SubjectRecord


def _recorded(subject: Subject) -> SubjectRecord:
    fields = {name: field for name, field in subject._asdict().items() if field}
    return {"organization": "", **fields}  # type: ignore[typeddict-item]


def test_an_organization_is_a_component(tmp_path: Path) -> None:
    """An organization is a component, with its id and owner, which its items are part of."""
    head = record(tmp_path, [], [an_organization(name="acme-prod", owner="Ada")]).head
    organizations = Organizations(head)
    organizations.add("stray")
    organizations.add("")
    components = list(organizations.components())
    assert [component["title"] for component in components] == ["acme-prod", "stray"]
    assert property_of(components[0], "organization") == ORGANIZATION
    assert property_of(components[0], "owner") == "Ada"
    assert property_of(components[1], "owner") is None
    assert (organizations.name("stray"), organizations.name(ORGANIZATION)) == ("stray", "acme-prod")
    assert organizations.captured_at(ORGANIZATION) == "2026-11-20T02:00:00Z"
    assert organizations.captured_at("stray") is None
    subject = _recorded(organization_subject(ORGANIZATION))
    assert reference(subject) == {
        "subject-uuid": organization_uuid(ORGANIZATION),
        "type": "component",
    }


def test_each_subject_is_one_item(tmp_path: Path) -> None:
    """Findings about one subject share its item; one across organizations is part of none."""
    head = record(tmp_path).head
    across = a_finding(rule="CMEK-06", subject=key_id_subject("", "k"))
    named = a_finding(rule="CMEK-01", subject=database_id_subject("acme", "d"), name="orders")
    whole = a_finding(subject=organization_subject("acme"))
    given = [a_finding(), a_finding(rule="CMEK-02"), across, named, whole]
    items = list(inventory_items(head, [encode_finding(finding).encode() for finding in given]))
    assert [property_of(item, "asset-id") for item in items] == [
        given[0].subject.path,
        "./key-id/k",
        "./database/d",
    ]
    assert [property_of(item, "kind") for item in items] == ["key-scope", "key-id", "database"]
    assert items[0]["description"] == f"{ORGANIZATION} / Serverless on AWS / us-east-1"
    assert "implemented-components" not in items[1]
    assert items[2]["implemented-components"] == [{"component-uuid": organization_uuid("acme")}]
    uuids = [reference(_recorded(finding.subject))["subject-uuid"] for finding in given[:4]]
    assert [uuids[0], uuids[0], uuids[2], uuids[3]] == uuids
    assert [item["uuid"] for item in items] == [uuids[0], uuids[2], uuids[3]]


def test_a_path_that_shows_nothing_has_no_property(tmp_path: Path) -> None:
    """A subject whose path cannot be shown is an item without that property."""
    finding = a_finding(subject=Subject("key", " ", "acme"))
    (item,) = inventory_items(record(tmp_path).head, [encode_finding(finding).encode()])
    assert property_of(item, "asset-id") is None
