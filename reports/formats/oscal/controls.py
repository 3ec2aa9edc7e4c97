"""The rules as activities, and the controls to which they give evidence as targets of findings.

The targets are controls of NIST SP 800-53, whose catalogs name them alike everywhere. Where an
audit has none of them, each rule is a control of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from checks.engine.controls import find_frameworks
from checks.engine.finding import STATUSES
from reports.formats.oscal.identifiers import identify
from reports.formats.oscal.json_parts import filled, properties
from reports.formats.oscal.texts import block, control_token, line, value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.formats.oscal.json_parts import Json
    from reports.model.head import ControlEntry, Head, RuleEntry

NIST = "nist sp 800-53"

_METHOD: Json = {"name": "method", "value": "TEST"}
"""How a rule is checked; NIST demands it of each activity, in its own namespace."""


class Target(NamedTuple):
    """What an OSCAL finding is about.

    Attributes:
        control: the control's id in OSCAL.
        kind, id: the statement of the control, or the objective if it is a rule.
        name: its id and title for people.
        not_shown: what evidence about it leaves open; may be empty.
    """

    control: str
    kind: Literal["statement-id", "objective-id"]
    id: str
    name: str
    not_shown: str


class TargetLink(NamedTuple):
    """A control to which a rule gives evidence, directly or in support of other evidence."""

    control: str
    is_direct: bool


class Targets(NamedTuple):
    """The targets of an audit.

    Attributes:
        controls: each target by the control's id in OSCAL.
        rules: to which of them each rule gives evidence, by its id.
        are_rules: whether the rules themselves are the controls.
    """

    controls: dict[str, Target]
    rules: dict[str, list[TargetLink]]
    are_rules: bool


def read_targets(head: Head) -> Targets:
    """Return the targets of the audit with this ``head``.

    Evidence that only helps to interpret other evidence is no evidence for a target.
    """
    shown = [framework["name"] for framework in head["criteria"]["frameworks"]]
    nist = set(find_frameworks(NIST, shown)) & set(_chosen(head))
    rules = head["criteria"]["rules"]
    links = {rule["id"]: _links(rule["controls"], nist) for rule in rules}
    if not any(links.values()):
        own = {rule["id"]: _rule_target(rule) for rule in rules}
        by_control = {target.control: target for target in own.values()}
        linked = {rule: [TargetLink(target.control, True)] for rule, target in own.items()}
        return Targets(by_control, linked, True)
    used = {link.control for given in links.values() for link in given}
    targets = (target for target in _control_targets(head, nist) if target.control in used)
    return Targets({target.control: target for target in targets}, links, False)


def _chosen(head: Head) -> list[str]:
    """Return the names of the frameworks that the audit's settings show; all if they name none."""
    names = [framework["name"] for framework in head["criteria"]["frameworks"]]
    chosen = head["settings"]["frameworks"]
    return [name for name in names if not chosen or name in chosen]


def _links(controls: Iterable[ControlEntry], nist: set[str]) -> list[TargetLink]:
    """Return the targets of one rule; several ids may be one control."""
    links: dict[str, bool] = {}
    for control in controls:
        if control["framework"] in nist and control["strength"] != "context":
            token = control_token(control["id"])
            links[token] = links.get(token, False) or control["strength"] == "direct"
    return [TargetLink(token, is_direct) for token, is_direct in links.items()]


def _control_targets(head: Head, nist: set[str]) -> Iterator[Target]:
    for framework in head["criteria"]["frameworks"]:
        if framework["name"] in nist:
            for control in framework["controls"]:
                token = control_token(control["id"])
                name = f"{control['id']}: {control['title']}" if control["title"] else control["id"]
                yield Target(
                    control=token,
                    kind="statement-id",
                    id=f"{token}_smt",
                    name=name,
                    not_shown=control["not_shown"],
                )


def _rule_target(rule: RuleEntry) -> Target:
    token = control_token(rule["id"])
    name = f"{rule['id']}: {rule['title']}"
    return Target(control=token, kind="objective-id", id=f"{token}_obj", name=name, not_shown="")


def control_properties(head: Head) -> dict[str, list[Json]]:
    """Return the controls of each rule as properties, one for each framework that is shown."""
    chosen = _chosen(head)
    return {rule["id"]: list(_by_framework(rule, chosen)) for rule in head["criteria"]["rules"]}


def _by_framework(rule: RuleEntry, frameworks: Iterable[str]) -> Iterator[Json]:
    for name in frameworks:
        controls = [
            f"{control['id']} ({control['strength']})"
            for control in rule["controls"]
            if control["framework"] == name
        ]
        if controls:
            yield from properties({"controls": value(f"{name}: {', '.join(controls)}")})


def select_controls(controls: Iterable[str]) -> Json:
    """Return the selection of ``controls``, of which there is at least one."""
    return {"include-controls": [{"control-id": control} for control in controls]}


def review(targets: Targets) -> Json:
    """Return which controls an audit reviewed."""
    what = (
        "The rules of this audit, as no control of NIST SP 800-53 is among those that it shows."
        if targets.are_rules
        else "Controls of NIST SP 800-53 to which rules of this audit give evidence."
    )
    return {
        "control-selections": [
            {"description": line(what), **select_controls(targets.controls)},
        ]
    }


# --- rules ---------------------------------------------------------------------------------------


def rule_activities(head: Head, targets: Targets) -> Iterator[Json]:
    """Yield the activity of each rule: what it demands, why, and what it found in numbers."""
    controls = control_properties(head)
    for rule in head["criteria"]["rules"]:
        related = [link.control for link in targets.rules[rule["id"]]]
        selection = {"control-selections": [select_controls(related)]} if related else {}
        yield filled(
            {
                "uuid": identify("rule", rule["id"]),
                "title": line(f"{rule['id']}: {rule['title']}"),
                "description": block(rule["rationale"]),
                "props": [_METHOD, *properties(_facts(rule)), *controls[rule["id"]]],
                "related-controls": selection,
                "remarks": _remarks(rule),
            }
        )


def _facts(rule: RuleEntry) -> Json:
    counts = rule["counts"]
    return {
        "rule": value(rule["id"]),
        "check": value(rule["check"]),
        "basis": rule["basis"],
        "severity": rule["severity"],
        "severity-planned": rule["severity_planned"],
        **{f"findings-{status}": counts[status] for status in STATUSES},
    }


def _remarks(rule: RuleEntry) -> str:
    """Return the sentences on which a rule rests, and what it means if it found no subject."""
    quotes = [
        f"“{quote['sentence']}” ({quote['page']}: {quote['heading']})" for quote in rule["quotes"]
    ]
    is_empty = not any(rule["counts"].values())
    none = [f"No subject: {rule['no_subject']}"] if is_empty else []
    return "\n\n".join(map(block, [*none, *quotes, f"What to do: {rule['remediation']}"]))
