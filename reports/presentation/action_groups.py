"""Actions of one kind, purpose and organization as one entry; the texts are not escaped yet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.action_catalogue import action_kinds
from checks.engine.actions import PURPOSES, Purpose, Who, code_of, target_of
from checks.engine.card import Severity, rank
from checks.engine.finding import Status
from inventory.text.display import pluralize
from reports.presentation import labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from checks.engine.actions import ActionKind
    from reports.model.head import ActionEntry
    from reports.model.population_summary import OrganizationEntry

MOST_NAMES = 20
"""How many databases a group names; the others are counted."""

_IN_TITLE = 3
"""How many databases a title names, and how many combinations of type and provider."""

_REGIONS_IN_TITLE = 6
_PARTS_OF_SCOPE = 3


class ActionGroup(NamedTuple):
    """The actions of one kind, one purpose and one organization.

    Attributes:
        purpose: whether they prevent, repair or prove.
        code: what is done, ``register-key``.
        organization: the organization's id; empty if they go across organizations.
        owner: who answers for the organization; empty if nobody states it.
        severity: the worst of their findings.
        who: who must act.
        title: what to do, in words and without a full stop.
        name: the organization's name.
        databases: how many different databases they concern.
        names: the names of those databases, as far as they are known and not too many.
        closes: how many of their findings there are, by status. A step closes those that fail, and
            lets the others be judged.
        steps: what exactly to do.
        actions: the actions, in the order of the record.
    """

    purpose: Purpose
    code: str
    organization: str
    owner: str
    severity: Severity
    who: Who
    title: str
    name: str
    databases: int
    names: tuple[str, ...]
    closes: dict[Status, int]
    steps: tuple[str, ...]
    actions: tuple[ActionEntry, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """Return the ids of their findings, as far as the record lists them, each once."""
        return tuple(dict.fromkeys(key for action in self.actions for key in action["findings"]))


def group_actions(
    actions: Iterable[ActionEntry], organizations: Iterable[OrganizationEntry]
) -> list[ActionGroup]:
    """Return ``actions`` in groups, the most urgent first.

    ``actions`` are those of a record, in its order, or those of some of its organizations.
    """
    owners = {organization["id"]: organization["owner"] for organization in organizations}
    members: dict[tuple[str, str, Purpose], list[ActionEntry]] = {}
    for action in actions:
        key = action["organization"], code_of(action["id"]), action["purpose"]
        members.setdefault(key, []).append(action)
    groups = [_group(alike, owners) for alike in members.values()]
    return _first_steps_first(groups)


def first(groups: Sequence[ActionGroup], most: int = 5) -> list[ActionGroup]:
    """Return the most urgent groups: what prevents, then what repairs, then what proves."""
    return sorted(groups[:most], key=lambda group: PURPOSES.index(group.purpose))


def by_owner(groups: Iterable[ActionGroup]) -> list[tuple[str, list[ActionGroup]]]:
    """Return each owner with the ``groups`` of its organizations; last those without an owner."""
    owned: dict[str, list[ActionGroup]] = {}
    for group in groups:
        owned.setdefault(group.owner, []).append(group)
    return sorted(owned.items(), key=lambda item: (not item[0], item[0].casefold(), item[0]))


def effect(closes: Mapping[Status, int]) -> str:
    """Return in words what becomes of findings by a step: it closes 2 failures."""
    failures, others = closes.get("fail", 0), closes.get("inconclusive", 0)
    broken = closes.get("error", 0)
    parts = [f"closes {pluralize(failures, 'failure')}"] if failures else []
    parts += [f"lets {pluralize(others, 'inconclusive finding')} be judged"] if others else []
    parts += [f"is needed for {pluralize(broken, 'broken check')}"] if broken else []
    return " and ".join(parts)


def _first_steps_first(groups: list[ActionGroup]) -> list[ActionGroup]:
    """Sort ``groups`` so that a step comes before what waits for it, and is as urgent."""
    kinds, places = action_kinds(), {id(group): place for place, group in enumerate(groups)}
    needed: dict[tuple[str, str], int] = {}
    for group in groups:
        if (kind := kinds.get(group.code)) and kind.after:
            key = group.organization, kind.after
            needed[key] = min(needed.get(key, len(groups)), places[id(group)])

    def order(group: ActionGroup) -> tuple[int, bool, int]:
        own, key = places[id(group)], (group.organization, group.code)
        return min(own, needed.get(key, own)), key not in needed, own

    return sorted(groups, key=order)


def _group(actions: list[ActionEntry], owners: Mapping[str, str]) -> ActionGroup:
    leading, closes = actions[0], Counter[Status]()
    for action in actions:
        closes.update(action["statuses"])
    names = sorted({name for action in actions for name in action["names"]})
    databases = leading["group_databases"] if len(actions) > 1 else leading["databases"]
    return ActionGroup(
        purpose=leading["purpose"],
        code=code_of(leading["id"]),
        organization=leading["organization"],
        owner=owners.get(leading["organization"], ""),
        severity=min((action["severity"] for action in actions), key=rank),
        who=leading["who"],
        title=_title(actions, databases, names),
        name=leading["name"],
        databases=databases,
        names=tuple(names[:MOST_NAMES]),
        closes={status: closes[status] for status in sorted(closes)},
        steps=tuple(leading["steps"]),
        actions=tuple(actions),
    )


def _title(actions: list[ActionEntry], databases: int, names: list[str]) -> str:
    """Return what to do about all ``actions`` together."""
    leading = actions[0]
    kind, more = action_kinds().get(code_of(leading["id"])), len(actions) - 1
    if not more:
        return leading["text"]
    if template := _template(kind):
        return template.format(
            number=f"{len(actions):,}",
            name=leading["name"],
            scopes=_scopes(actions),
            databases=pluralize(databases, "database"),
            names=_listed(names, _IN_TITLE, max(databases, len(names))),
            their="its" if databases == 1 else "their",
        )
    return f"{leading['text']}, and {pluralize(more, 'further step')} of this kind"


def _template(kind: ActionKind | None) -> str:
    return (kind.sentence_for_several or kind.sentence_for_all) if kind else ""


def _scopes(actions: Iterable[ActionEntry]) -> str:
    """Name the key scopes of ``actions``: Serverless on AWS, eu-west-1 and us-west-2."""
    regions: dict[tuple[str, str], list[str]] = {}
    for action in actions:
        target = target_of(action["id"])
        if len(target) == _PARTS_OF_SCOPE:
            kind, provider, region = target
            regions.setdefault((kind, provider), []).append(region)
    parts = [
        f"{labels.TYPE.get(kind, kind)} on {labels.PROVIDER.get(provider, provider)}, "
        f"{_listed(sorted(named), _REGIONS_IN_TITLE, len(named))}"
        for (kind, provider), named in sorted(regions.items())
    ]
    hidden = len(parts) - _IN_TITLE
    return "; ".join([*parts[:_IN_TITLE], *([f"and {hidden:,} more"] if hidden > 0 else [])])


def _listed(names: Sequence[str], most: int, total: int) -> str:
    """Return ``names`` as a list in a sentence: at most so many, the others counted."""
    shown = list(names[:most])
    if total > len(shown):
        shown.append(f"{total - len(shown):,} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
