"""Which findings each pytest item answers for: subject, organization, or a whole rule."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from checks.engine.finding import ACROSS
from checks.engine.identity import escape, finding_id, shorten
from checks.engine.outcome import FindingGroup, Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checks.engine.card import Card
    from checks.engine.finding import Finding
    from checks.engine.pass_series import PassSeries

Mode = Literal["subject", "organization", "rule"]
GroupingSetting = Literal["subject", "organization", "rule", "auto"]

MOST_ITEMS = 500
"""How many items ``auto`` allows before it takes a coarser grouping."""

EVERYWHERE = "all-organizations"
NO_SUBJECT = "no-subject"


class Grouping:
    """Collects the findings of an audit into groups, and chooses how fine they are."""

    def __init__(
        self, cards: Sequence[Card], gate: Gate, setting: GroupingSetting = "auto"
    ) -> None:
        """Start with no finding; every rule of ``cards`` will have a group, also an empty one."""
        self._cards = {card.id: card for card in cards}
        self._gate = gate
        self._setting = setting
        self._names: dict[str, str] = {}
        self._judged: set[str] = set()
        self._organizations: dict[tuple[str, str], FindingGroup] = {}
        self._rules: dict[str, FindingGroup] = {}
        self._positions: dict[str, int] = {}
        self._merged = 0
        self._subjects: dict[tuple[str, str], FindingGroup] | None = (
            {} if setting in {"subject", "auto"} else None
        )

    def name(self, organization: str, name: str) -> None:
        """Remember the name of an organization of which findings come next, for readable labels."""
        if self.mode == "rule":
            self._merge_by_rule()
        self._names[organization] = name

    def add(self, finding: Finding) -> None:
        """Count ``finding`` for its organization, and for its subject while that is in question."""
        self._of_organization(finding).add(finding, self._gate)
        if self._subjects is not None:
            self._add_subject(self._subjects, finding)

    def add_series(self, series: PassSeries) -> None:
        """Count the passes of ``series``; as ``add`` with each."""
        self._of_organization(series.pattern).add_passes(len(series.ids))
        passes = series.findings()
        while self._subjects is not None and (finding := next(passes, None)):
            self._add_subject(self._subjects, finding)

    def _of_organization(self, finding: Finding) -> FindingGroup:
        key = (finding.rule, finding.subject.organization)
        group = self._organizations.get(key)
        if group is None:
            group = self._organizations[key] = self._start(finding, key[1])
            self._judged.add(finding.rule)
        return group

    def merge(self, other: Grouping) -> None:
        """Add the findings of ``other``, of which the same is asked; they came after these."""
        self._names |= other._names
        self._judged |= other._judged
        if self._rules or other._rules:  # one of them has too many organizations already
            self._merge_rules(other)
        self._merge_groups(self._organizations, other._organizations)
        if self._subjects is None or other._subjects is None:
            self._subjects = None
            return
        self._merge_groups(self._subjects, other._subjects)
        if self._setting == "auto" and len(self._subjects) > MOST_ITEMS:
            self._subjects = None

    def _merge_rules(self, other: Grouping) -> None:
        """Add the groups by rule of ``other``, whose organizations come after all of these."""
        self._merge_by_rule()
        other._merge_by_rule()
        for rule, group in other._rules.items():
            known = self._rules.setdefault(rule, FindingGroup(self._cards[rule], ""))
            known.merge(group, self._merged)
        for organization, position in other._positions.items():
            self._positions.setdefault(organization, position + self._merged)
        self._merged += other._merged

    def _merge_groups(
        self,
        groups: dict[tuple[str, str], FindingGroup],
        others: dict[tuple[str, str], FindingGroup],
    ) -> None:
        for key, group in others.items():
            if key in groups:
                groups[key].merge(group)
            else:
                # A group that comes from another process brings a copy of its card.
                group.card = self._cards[key[0]]
                groups[key] = group

    def _add_subject(self, subjects: dict[tuple[str, str], FindingGroup], finding: Finding) -> None:
        subject = finding.subject
        key = (finding.rule, subject.path)
        group = subjects.get(key)
        if group is None:  # a subject has one finding for each cause
            group = subjects[key] = self._start(finding, subject.path)
            group.type, group.provider = subject.type, subject.provider
            group.region, group.name = subject.region, finding.name
        group.add(finding, self._gate)
        if self._setting == "auto" and len(subjects) > MOST_ITEMS:
            self._subjects = None

    def _start(self, finding: Finding, key: str) -> FindingGroup:
        group = FindingGroup(self._cards[finding.rule], key)
        group.organization_id = finding.subject.organization
        group.organization = self._names.get(group.organization_id, group.organization_id)
        group.organizations[group.organization_id] = group.organization or ACROSS
        return group

    @property
    def mode(self) -> Mode:
        """Return the grouping that is used: as set, or the finest that is not too fine."""
        if self._setting != "auto":
            return self._setting
        if self._subjects is not None and self._fits(self._subjects):
            return "subject"
        # Groups only become more: those of an audit that was merged by rule would not fit later.
        is_merged = bool(self._rules)
        return "organization" if not is_merged and self._fits(self._organizations) else "rule"

    def _fits(self, groups: dict[tuple[str, str], FindingGroup]) -> bool:
        """Return whether ``groups``, with an item for each rule that has none, are few enough."""
        return len(groups) + len(self._cards) - len(self._judged) <= MOST_ITEMS

    def key(self, finding: Finding) -> str:
        """Return the key of the group that answers for ``finding``."""
        return _KEYS[self.mode](finding)

    def groups(self) -> dict[str, list[FindingGroup]]:
        """Return the groups of each rule, by the rule's id and sorted by their unique labels."""
        by_rule: dict[str, list[FindingGroup]] = {rule: [] for rule in self._cards}
        for (rule, _), group in self._chosen().items():
            by_rule[rule].append(group)
        labels = self._labels()
        for rule, groups in by_rule.items():
            self._name(groups, labels)
            if not groups:
                groups.append(FindingGroup(self._cards[rule], "", NO_SUBJECT))
            groups.sort(key=lambda group: group.label)
        return by_rule

    def _name(self, groups: list[FindingGroup], labels: dict[str, str]) -> None:
        """Give each of ``groups`` a label, with a hash where an id reads like another's name."""
        for group in groups:
            group.label = self._label(group, labels)
        shared = Counter(group.label for group in groups)
        for group in groups:
            if shared[group.label] > 1:
                group.label = f"{group.label}.x{finding_id(group.card.id, group.key)}"
            group.label = shorten(group.label)

    def _chosen(self) -> dict[tuple[str, str], FindingGroup]:
        if self.mode == "subject":
            return self._subjects or {}
        if self.mode == "organization":
            return self._organizations
        self._merge_by_rule()
        return {(rule, ""): group for rule, group in self._rules.items()}

    def _merge_by_rule(self) -> None:
        """Merge the groups of organizations into those of their rules: fleets have too many.

        What goes across organizations comes last, and joins an organization that was merged before
        in its place, so that the same findings are named as if all were merged at the end.
        """
        known = frozenset(self._rules)
        for (rule, organization), group in self._organizations.items():
            position = self._positions.get(organization) if rule in known else None
            if position is None:
                self._merged += 1
                position = self._merged
                self._positions.setdefault(organization, position)
            self._rules.setdefault(rule, FindingGroup(group.card, "")).merge(group, position)
        self._organizations.clear()

    def _labels(self) -> dict[str, str]:
        """Return a label for each organization: its name, with the id where the name is shared."""
        shared = Counter(self._names.values())
        return {
            owner: f"{escape(name)}.x{escape(owner)}" if shared[name] > 1 else escape(name)
            for owner, name in self._names.items()
        }

    def _label(self, group: FindingGroup, labels: dict[str, str]) -> str:
        if self.mode == "rule":
            return "all"
        if self.mode == "organization":
            return labels.get(group.key, escape(group.key) or EVERYWHERE)
        first, _, rest = group.key.partition("/")
        first = labels.get(group.organization_id, first) if group.organization_id else EVERYWHERE
        return "/".join(filter(None, (first, rest, escape(group.name))))


def _subject_key(finding: Finding) -> str:
    return finding.subject.path


def _organization_key(finding: Finding) -> str:
    return finding.subject.organization


def _rule_key(_: Finding) -> str:
    return ""


_KEYS: dict[Mode, Callable[[Finding], str]] = {
    "subject": _subject_key,
    "organization": _organization_key,
    "rule": _rule_key,
}
