"""Lays out the list of keys: which are shown, where their marks are, and what is said of each."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import STATUSES
from inventory.text.display import pluralize
from reports.page.keys import facts
from reports.page.keys.collector import SMALL
from reports.page.timeline.key_life import LEGEND, LifeMark, life_marks
from reports.page.timeline.key_marks import KeyRow, lay_out_key
from reports.presentation.labels import CELL, PROVIDER, STATUS, TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.model.finding_record import FindingRecord
    from reports.model.key_plan import CoverageCell
    from reports.model.population_record import KeyLine
    from reports.page.keys.collector import CollectedKey, CollectedKeys, KeyTotals
    from reports.page.keys.facts import LifeWords, UnreadWords, UserWords
    from reports.page.timeline.key_life import LifeKind
    from reports.page.timeline.time_scale import Tick, TimeScale
    from reports.presentation.labels import Label

NAMED = 10
"""How many databases of a key are named."""

MOST_FINDINGS = 8
"""How many findings of a key are linked."""

_LEFT_OUT = frozenset({"astra-provided", "not-applicable"})


class FindingLink(NamedTuple):
    """A finding about a key: its label, rule, severity and id, and what it says."""

    label: Label
    rule: str
    severity: str
    finding: str
    organization: str
    message: str


class CloudView(NamedTuple):
    """What a key's cloud shows, in words.

    Attributes:
        observed_at: when it was observed.
        about: what is known of the key as it is, with a title each.
        users: who may use it; None if nothing about that was read.
        names_astra: whether it is stated of Astra at least.
        users_left: how many more there are.
        dead: its versions that are not alive.
        dead_left: how many more there are.
        unread: what could not be read.
    """

    observed_at: str
    about: list[tuple[str, str]]
    users: list[UserWords] | None
    names_astra: bool
    users_left: int
    dead: list[str]
    dead_left: int
    unread: list[UnreadWords]


class KeyView(NamedTuple):
    """A key as the page shows it; names are still to be escaped.

    Attributes:
        type: the database type, for people; empty if the plan does not show the key scope.
        provider: the provider, for people.
        region: the region.
        label: the worst that is known of it and its databases.
        key_id: its id; empty if there is none, or none is known.
        words: what it is, if it is no registered key.
        databases: how many databases its key scope has.
        planned: how many of them are only planned.
        names: the names of some.
        row: what is known of its registration, on the line; None if it is not registered.
        marks: its life on the line.
        life: its life in words.
        cloud: what its cloud shows; None if that is not recorded.
        findings: the findings about it that are open or waived.
        findings_left: how many more there are.
        passes: how many findings about it pass.
        summary: the text of its picture.
    """

    type: str
    provider: str
    region: str
    label: Label
    key_id: str
    words: str
    databases: int
    planned: int
    names: list[str]
    row: KeyRow | None
    marks: list[LifeMark]
    life: list[LifeWords]
    cloud: CloudView | None
    findings: list[FindingLink]
    findings_left: int
    passes: int
    summary: str

    @property
    def is_bare(self) -> bool:
        """Say whether nothing is shown here that other parts of the page do not show, too."""
        return not self.life and self.cloud is None

    @property
    def height(self) -> int:
        """Return how many rows its marks take."""
        return max((mark.row + 1 for mark in self.marks), default=0) + (self.row is not None)


class OrganizationKeys(NamedTuple):
    """The keys that are shown of one organization."""

    id: str
    name: str
    keys: list[KeyView]

    @property
    def is_bare(self) -> bool:
        """Say whether all its keys are bare."""
        return all(key.is_bare for key in self.keys)


class FoldedKeys(NamedTuple):
    """How many keys of an organization are not shown: those in order, and the others."""

    id: str
    name: str
    fine: int
    doubtful: int


class KeyList(NamedTuple):
    """The keys of a page.

    Attributes:
        organizations: the organizations with keys that are shown, the worst first.
        totals: of how many keys something is known.
        ticks: the labelled times of the line.
        kinds: the kinds of marks that are drawn, with what each means.
        folded: the organizations with keys that are not shown.
        shown: how many keys are shown.
        left: how many are not shown.
        left_doubtful: how many of these are not in order.
    """

    organizations: list[OrganizationKeys]
    totals: KeyTotals
    ticks: list[Tick]
    kinds: dict[LifeKind, str]
    folded: list[FoldedKeys]
    shown: int
    left: int
    left_doubtful: int

    @property
    def is_bare(self) -> bool:
        """Say whether neither a cloud nor the portal shows anything of any key here."""
        return all(organization.is_bare for organization in self.organizations)


def lay_out_keys(
    collected: CollectedKeys, scale: TimeScale, limit: int, *, all_of_few: bool = True
) -> KeyList:
    """Lay out what was ``collected`` on the ``scale`` of the timeline, the worst keys first.

    At most ``limit`` are shown; of an index, only those that are not in order, unless there are
    few.
    """
    shown = shown_keys(collected, limit, all_of_few=all_of_few)
    organizations = list(_organizations(collected, shown, scale))
    folded = _folded(collected, shown)
    kinds = {mark.kind for one in organizations for key in one.keys for mark in key.marks}
    named = {words.kind for one in organizations for key in one.keys for words in key.life}
    return KeyList(
        organizations=organizations,
        totals=collected.totals,
        ticks=scale.ticks(),
        kinds={kind: words for kind, words in LEGEND.items() if kind in kinds | named},
        folded=folded,
        shown=len(shown),
        left=sum(row.fine + row.doubtful for row in folded),
        left_doubtful=sum(row.doubtful for row in folded),
    )


def shown_keys(collected: CollectedKeys, limit: int, *, all_of_few: bool) -> list[CollectedKey]:
    """Return the keys that are shown, the worst first."""
    total = sum(counted.keys for counted in collected.organizations)
    if all_of_few or total <= min(SMALL, limit):
        return collected.kept[:limit]
    return [key for key in collected.kept if not key.is_in_order][:limit]


def _folded(collected: CollectedKeys, shown: Sequence[CollectedKey]) -> list[FoldedKeys]:
    rows = []
    for number, counted in enumerate(collected.organizations):
        own = [key for key in shown if key.organization == number]
        doubtful = counted.doubtful - sum(not key.is_in_order for key in own)
        fine = counted.keys - len(own) - doubtful
        if doubtful or fine:
            rows.append(FoldedKeys(counted.id, counted.name, fine, doubtful))
    return sorted(rows, key=lambda row: -row.doubtful)


def _organizations(
    collected: CollectedKeys, shown: Sequence[CollectedKey], scale: TimeScale
) -> Iterator[OrganizationKeys]:
    order = list(dict.fromkeys(key.organization for key in shown))
    grouped = sorted(shown, key=lambda key: order.index(key.organization))
    for number, keys in groupby(grouped, attrgetter("organization")):
        counted = collected.organizations[number]
        views = [_view(key, counted.id, scale) for key in keys]
        yield OrganizationKeys(counted.id, counted.name, views)


# --- one key --------------------------------------------------------------------------------------


def _view(key: CollectedKey, organization: str, scale: TimeScale) -> KeyView:
    line, scope = key.line, key.scope
    row = _row(key, scale)
    marks = life_marks(line, scale) if line else []
    life = facts.life_words(line, scale.end) if line else []
    counts = key.databases.counts()
    findings = _links(key, organization)
    words = _words(line)
    return KeyView(
        type=TYPE[scope.type] if scope.type else "",
        provider=PROVIDER[scope.provider] if scope.type else "",
        region=scope.region,
        label=_label(key),
        key_id=line.get("key_id", "") if line else "",
        words=words,
        databases=sum(counts[code] for code in counts.keys() - _LEFT_OUT),
        planned=sum(key.databases.planned[code] for code in counts.keys() - _LEFT_OUT),
        names=_names(key),
        row=row,
        marks=marks,
        life=life,
        cloud=_cloud(line) if line else None,
        findings=findings[:MOST_FINDINGS],
        findings_left=max(0, len(findings) - MOST_FINDINGS),
        passes=key.passes,
        summary=_summary(row, words, life),
    )


def _row(key: CollectedKey, scale: TimeScale) -> KeyRow | None:
    if key.line is None or key.line["state"] == "planned":
        return None
    return lay_out_key(key.line, scale, key.captured_at or scale.end)


def _words(line: KeyLine | None) -> str:
    """Return what a key is, if it is no registered one."""
    if line is None:
        return "no key is recorded"
    if line["state"] == "registered":
        return ""
    words = f"planned: a plan would {line['change']} it"
    return words if line.get("key_id") else f"{words}; its id is not known yet"


def _label(key: CollectedKey) -> Label:
    """Return what is known of a key and its databases, never better than coverage shows it.

    Advisories are listed, and change no colour where coverage gives one.
    """
    above = [finding for finding in key.findings if finding["severity"] != "advisory"]
    if key.findings or key.cell:
        return _worst_label(above if key.cell else key.findings, key.cell)
    return STATUS["pass"]._replace(word="in order") if key.passes else _NOT_JUDGED


_NOT_JUDGED = STATUS["not-applicable"]._replace(word="not evaluated")


def _worst_label(findings: Sequence[FindingRecord], cell: CoverageCell | None) -> Label:
    """Return the label of coverage if its finding is as bad as any about the key, else its own."""
    own = findings[0]["status"] if findings else "not-applicable"
    if cell and STATUSES.index(cell["status"]) <= STATUSES.index(own):
        return CELL[cell["state"]]
    return STATUS[own]


def _names(key: CollectedKey) -> list[str]:
    named = [one.name for one in key.databases.named if one.order.code not in _LEFT_OUT]
    return named[:NAMED]


def _links(key: CollectedKey, organization: str) -> list[FindingLink]:
    """Return the findings about a key, and the worst about its databases that coverage names."""
    links = [_link(finding, organization) for finding in key.findings]
    known = {link.finding for link in links}
    cell = key.cell
    if cell and cell["finding"] not in known and cell["status"] in _SHOWN:
        link = FindingLink(
            label=STATUS[cell["status"]],
            rule=cell["rule"],
            severity=cell["severity"],
            finding=cell["finding"],
            organization=organization,
            message=cell["message"],
        )
        links.append(link)
    return links


_SHOWN = frozenset({"error", "fail", "inconclusive", "waived"})


def _link(finding: FindingRecord, organization: str) -> FindingLink:
    is_across = not finding["subject"]["organization"]
    return FindingLink(
        label=STATUS[finding["status"]],
        rule=finding["rule"],
        severity=finding["severity"],
        finding=finding["id"],
        organization="" if is_across else organization,
        message=finding["message"],
    )


def _cloud(line: KeyLine) -> CloudView | None:
    cloud = line.get("cloud")
    if cloud is None:
        return None
    dead, dead_left = facts.dead_versions(cloud)
    return CloudView(
        observed_at=cloud["observed_at"],
        about=facts.about(cloud),
        users=facts.users(cloud) if "users" in cloud else None,
        names_astra="granted_to_astra" in cloud,
        users_left=cloud.get("users_total", 0) - len(cloud.get("users", ())),
        dead=dead,
        dead_left=dead_left,
        unread=list(facts.unread(cloud)),
    )


def _summary(row: KeyRow | None, words: str, life: Sequence[LifeWords]) -> str:
    """Return the text of a key's picture."""
    parts = [*(row.facts if row else [words]), *(event.words for event in life)]
    return f"Key: {'; '.join(parts)}."


def counted(databases: int, planned: int) -> str:
    """Count the databases behind a key."""
    if not databases:
        return "no database"
    more = f", {planned:,} of them planned" if planned and planned < databases else ""
    return pluralize(databases, "planned database" if planned == databases else "database") + more
