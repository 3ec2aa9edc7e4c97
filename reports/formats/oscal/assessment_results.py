"""The whole audit as assessment results of OSCAL, ``oscal-assessment-results.json``.

Findings are read three times, and written as they are read: of each, only its packed UUIDs stay in
memory.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

from checks.engine.finding import NOT_COMPLYING
from reports.formats.oscal.attestations import attestation_observations
from reports.formats.oscal.back_matter import CitedFiles, resource_uuid, resources
from reports.formats.oscal.controls import read_targets, review, rule_activities
from reports.formats.oscal.document import audit_facts, describe, document_uuid, metadata
from reports.formats.oscal.findings import ControlFindings
from reports.formats.oscal.identifiers import identify
from reports.formats.oscal.json_parts import array, member, nested, object_of, properties, whole
from reports.formats.oscal.observations import Observations
from reports.formats.oscal.parties import assets
from reports.formats.oscal.risks import Risks
from reports.formats.oscal.subjects import Organizations, inventory_items
from reports.formats.oscal.waivers import waiver_observations
from reports.record.layout import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.formats.oscal.controls import Targets
    from reports.formats.oscal.json_parts import Json
    from reports.model.head import Head

_NOUN = "assessment results"
_WITH_RISK = tuple(f'{{"status":"{status}",'.encode("ascii") for status in NOT_COMPLYING)


def render(head: Head, lines: Iterable[bytes]) -> str:
    """Render an audit from its head and the lines of its findings, read three times."""
    return "".join(render_parts(head, lines))


def render_parts(head: Head, lines: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of ``render`` part by part."""
    targets, files = read_targets(head), CitedFiles(head)
    plan = {"href": f"#{resource_uuid(head['report'], HEAD)}"}
    rules = array("activities", map(whole, rule_activities(head, targets)))
    results = object_of(
        member("uuid", document_uuid(head, _NOUN)),
        member("metadata", metadata(head, _NOUN)),
        member("import-ap", plan),
        nested("local-definitions", object_of(rules)),
        array("results", [_result(head, lines, targets, files)]),
        # The files that findings cite are known once the results are written.
        nested("back-matter", object_of(array("resources", _resources(head, files)))),
    )
    yield from object_of(nested("assessment-results", results))
    yield "\n"


def _resources(head: Head, files: CitedFiles) -> Iterator[Iterable[str]]:
    yield from map(whole, resources(head, files))


def _result(
    head: Head, lines: Iterable[bytes], targets: Targets, files: CitedFiles
) -> Iterator[str]:
    """Yield the one result of an audit; its order is that in which its parts become known."""
    organizations = Organizations(head)
    findings = ControlFindings(head, targets, organizations)
    risks = Risks(head, shows_waivers=True)
    observed = _observations(lines, Observations(head, organizations, files), findings)
    stated = chain(attestation_observations(head), waiver_observations(head, files))
    with_risk = (json.loads(line) for line in lines if line.startswith(_WITH_RISK))
    definitions = object_of(
        array("components", map(whole, organizations.components())),
        array("inventory-items", map(whole, inventory_items(head, lines))),
        member("assessment-assets", assets(head)),
    )
    return object_of(
        *(member(name, field) for name, field in _fields(head, targets).items()),
        array("observations", map(whole, chain(observed, stated))),
        array("risks", (whole(risks.of(finding)) for finding in with_risk)),
        array("findings", findings.parts()),
        nested("local-definitions", definitions),
    )


def _fields(head: Head, targets: Targets) -> Json:
    as_of = head["settings"]["as_of"]
    return {
        "uuid": identify("result", head["report"]),
        "title": metadata(head, _NOUN)["title"],
        "description": describe(head),
        "start": as_of,
        "end": as_of,
        "props": properties(audit_facts(head)),
        "reviewed-controls": review(targets),
    }


def _observations(
    lines: Iterable[bytes], observations: Observations, findings: ControlFindings
) -> Iterator[Json]:
    for line in lines:
        finding = json.loads(line)
        observation = observations.of(finding)
        findings.add(finding, str(observation["uuid"]))
        yield observation
