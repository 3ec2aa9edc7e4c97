"""What is open as a plan of action and milestones of OSCAL, ``oscal-poam.json``.

Each action is an item, with the risks that it resolves. OSCAL has no plan without items: an audit
in which nothing is open has none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from checks.engine.card import SEVERITIES
from inventory.text.display import pluralize
from reports.formats.oscal.back_matter import CitedFiles, resources
from reports.formats.oscal.document import document_uuid, metadata
from reports.formats.oscal.identifiers import NAMESPACE, identify, pack
from reports.formats.oscal.json_parts import (
    array,
    filled,
    member,
    nested,
    object_of,
    properties,
    references,
    whole,
)
from reports.formats.oscal.observations import Observations
from reports.formats.oscal.parties import assets, by_tool
from reports.formats.oscal.risks import Risks, risk_uuid
from reports.formats.oscal.subjects import Organizations, inventory_items
from reports.formats.oscal.texts import block, line, value
from reports.presentation.selection import count_open, open_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.formats.oscal.json_parts import Json
    from reports.model.finding_record import FindingRecord
    from reports.model.head import ActionEntry, Head

_NOUN = "plan of action and milestones"


def render(head: Head, lines: Iterable[bytes]) -> str:
    """Render what is open in an audit, from its head and the lines of its findings.

    The text is empty if nothing is open.
    """
    return "".join(render_parts(head, lines))


def render_parts(head: Head, lines: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of ``render`` part by part; nothing if nothing is open."""
    if not count_open(head):
        return
    files, items = CitedFiles(head), PoamItems(head)
    organizations, risks = Organizations(head), Risks(head, shows_waivers=False)
    observed = _observe(head, lines, Observations(head, organizations, files), items)
    plan = object_of(
        member("uuid", document_uuid(head, _NOUN)),
        member("metadata", metadata(head, _NOUN)),
        member("system-id", _system(head)),
        array("observations", map(whole, observed)),
        array("risks", (whole(risks.of(finding)) for finding in _open(head, lines))),
        array("poam-items", items.parts()),
        nested("local-definitions", _definitions(head, lines, organizations)),
        nested("back-matter", object_of(array("resources", _resources(head, files)))),
    )
    yield from object_of(nested("plan-of-action-and-milestones", plan))
    yield "\n"


def _open(head: Head, lines: Iterable[bytes]) -> Iterator[FindingRecord]:
    return (json.loads(encoded) for _, _, encoded in open_lines(lines, count_open(head)))


def _observe(
    head: Head, lines: Iterable[bytes], observations: Observations, items: PoamItems
) -> Iterator[Json]:
    for finding in _open(head, lines):
        observation = observations.of(finding)
        items.add(finding, str(observation["uuid"]))
        yield observation


def _definitions(head: Head, lines: Iterable[bytes], organizations: Organizations) -> Iterator[str]:
    encoded = (encoded for _, _, encoded in open_lines(lines, count_open(head)))
    return object_of(
        array("components", map(whole, organizations.components())),
        array("inventory-items", map(whole, inventory_items(head, encoded))),
        member("assessment-assets", assets(head)),
    )


def _resources(head: Head, files: CitedFiles) -> Iterator[Iterable[str]]:
    yield from map(whole, resources(head, files))


def _system(head: Head) -> Json:
    """Return the id of the system, which all audits of the same organizations share."""
    ids = sorted(entry["id"] for entry in head["population"]["organizations"])
    return {"identifier-type": NAMESPACE, "id": identify("system", *ids)}


# --- items ----------------------------------------------------------------------------------------


class _Item:
    """The open findings that one action resolves.

    Attributes:
        text: the action in words, or else the first finding.
        action: the action's id; empty for a finding without one.
        rule: the rule of the first finding, whose remediation describes an action without steps.
        severity: the worst, by its rank.
        since: the first time since which one of them is open; empty if that is not known.
        count: how many there are.
        observations, risks: their UUIDs, packed one after the other.
    """

    __slots__ = ("action", "count", "observations", "risks", "rule", "severity", "since", "text")

    def __init__(self, finding: FindingRecord) -> None:
        self.action = finding.get("action_id", "")
        self.text = finding.get("action") or f"{finding['rule']}: {finding['message']}"
        self.rule, self.since = finding["rule"], finding.get("since", "")
        self.severity, self.count = len(SEVERITIES) - 1, 0
        self.observations, self.risks = bytearray(), bytearray()

    def add(self, finding: FindingRecord, observation: str) -> None:
        self.count += 1
        self.severity = min(self.severity, SEVERITIES.index(finding["severity"]))
        self.since = min(filter(None, (self.since, finding.get("since", ""))), default="")
        self.observations += pack(observation)
        self.risks += pack(risk_uuid(finding["id"]))


class PoamItems:
    """Gathers the open findings by the action that resolves them."""

    def __init__(self, head: Head) -> None:
        """Start with none; what to do is said in the ``head``."""
        self._items = dict[str, _Item]()
        self._actions = {action["id"]: action for action in head["actions"]}
        self._remediations = {rule["id"]: rule["remediation"] for rule in head["criteria"]["rules"]}

    def add(self, finding: FindingRecord, observation: str) -> None:
        """Add an open finding; one without an action is an item of its own."""
        key = finding.get("action_id") or f"finding {finding['id']}"
        if key not in self._items:
            self._items[key] = _Item(finding)
        self._items[key].add(finding, observation)

    def parts(self) -> Iterator[Iterable[str]]:
        """Yield each item in parts."""
        for key, item in self._items.items():
            fields = self._fields(key, item)
            members = (member(name, field) for name, field in fields.items())
            yield object_of(
                *members,
                array("related-observations", references("observation-uuid", item.observations)),
                array("related-risks", references("risk-uuid", item.risks)),
            )

    def _fields(self, key: str, item: _Item) -> Json:
        action = self._actions.get(item.action)
        general = self._remediations.get(item.rule, item.text)
        return filled(
            {
                "uuid": identify("poam-item", key),
                "title": line(action["text"] if action else item.text),
                "description": block("\n".join(action["steps"]) if action else general),
                "props": properties({**_item_facts(item), **_action_facts(action)}),
                "origins": by_tool(),
                "remarks": line(f"It concerns {pluralize(item.count, 'open finding')}."),
            }
        )


def _item_facts(item: _Item) -> Json:
    return {
        "action": value(item.action),
        "severity": SEVERITIES[item.severity],
        "findings": item.count,
        "since": value(item.since),
    }


def _action_facts(action: ActionEntry | None) -> Json:
    if action is None:
        return {}
    return {
        "purpose": action["purpose"],
        "who": action["who"],
        "organization": value(action["organization"]),
        "databases": action["databases"],
    }
