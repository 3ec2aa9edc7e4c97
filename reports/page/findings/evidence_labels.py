"""What each place of evidence is: the thing that the population has there, and the kind of file."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup, escape

from inventory.text.display import pluralize
from reports.presentation import labels
from reports.presentation.locations import chain_folder
from reports.presentation.sanitize import name, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inventory.model.base import SourceLocation
    from reports.model.finding_record import FindingRecord
    from reports.model.population_summary import SourceEntry
    from reports.page.findings.evidence_index import EvidenceIndex

MOST_EVIDENCE = 10
"""How many places a finding lists on the page, and how many databases it names."""

_SCOPE = re.compile(rb'"scope":"([^"]*)"')


class CitedThing(NamedTuple):
    """An organization, a key or a database of the population, with its texts as they are there.

    Attributes:
        kind: ``organization``, ``key`` or ``database``.
        state: of a key or a database; empty of an organization.
        name: of a key, its region; may be empty.
        path: its subject.
    """

    kind: str
    state: str
    name: str
    path: str


class PlaceContent(NamedTuple):
    """The first thing at a place, and how many of each kind are there."""

    first: CitedThing
    counts: dict[str, int]


class ScopeContent(NamedTuple):
    """The names of the first databases of one state in a key scope, and how many there are."""

    names: tuple[str, ...] = ()
    total: int = 0


class CitedPopulation:
    """What the population has at the places and in the key scopes that some findings name.

    It holds nothing else, so it is as large as what the page shows, whatever the population has.
    """

    def __init__(self, findings: Iterable[FindingRecord]) -> None:
        """Take the findings that the page shows."""
        self._places: dict[SourceLocation, PlaceContent | None] = {}
        self._scopes: dict[str, dict[str, ScopeContent]] = {}
        for finding in findings:
            self._places |= dict.fromkeys(map(as_location, shown_evidence(finding)))
            if scope := scope_path(finding):
                self._scopes[scope] = {}
        self._marks = {_mark(place) for place in self._places}
        self._wanted = {scope.encode() for scope in self._scopes}

    @property
    def is_empty(self) -> bool:
        """Return whether the findings name nothing, so that no line of the population is needed."""
        return not (self._places or self._scopes)

    def add(self, line: bytes) -> None:
        """Take a line of the population; it is parsed only if a finding names what it has."""
        start = line.rfind(b'"file":')
        # The mark of a line is its file with its number, which ends at the next comma or brace.
        end = line.find(b'"line":', start)
        mark = line[start:end] + line[end:].replace(b"}", b",", 1).partition(b",")[0]
        is_cited = mark in self._marks
        if is_cited or (self._wanted and not self._wanted.isdisjoint(_SCOPE.findall(line))):
            self._take(json.loads(line), is_cited=is_cited)

    def _take(self, entry: dict[str, Any], *, is_cited: bool) -> None:
        place = as_location(entry[part] for part in ("file", "line", "address") if part in entry)
        if is_cited and place in self._places:
            self._places[place] = _with(self._places[place], _thing(entry))
        for region in entry.get("regions", ()):
            if region["scope"] in self._scopes:
                self._count(region["scope"], region["state"], entry["name"])

    def _count(self, scope: str, state: str, database: str) -> None:
        names, total = self._scopes[scope].get(state, ScopeContent())
        some = (*names, database) if total < MOST_EVIDENCE else names
        self._scopes[scope][state] = ScopeContent(some, total + 1)

    def at(self, place: SourceLocation) -> PlaceContent | None:
        """Return what is at a place; None if the population has nothing there."""
        return self._places.get(place)

    def databases_of(self, finding: FindingRecord) -> Sequence[str]:
        """Name the databases that a finding concerns, the first ones; empty if that is not sure.

        A finding counts its databases: only a list of as many databases can be that of the finding.
        """
        total = finding.get("databases", 0)
        cited = {
            content.first.path: content.first.name
            for content in map(self.at, map(as_location, shown_evidence(finding)))
            if content and content.counts == {"database": 1}
        }
        if len(cited) == total:
            return list(cited.values())
        existing = finding.get("existing", 0)
        in_scope = self._scopes.get(scope_path(finding), {})
        names: list[str] = []
        for state, number in (("existing", existing), ("planned", total - existing)):
            content = in_scope.get(state, ScopeContent())
            if number and content.total != number:
                return ()
            names += content.names if number else ()
        return names[:MOST_EVIDENCE]


def shown_evidence(finding: FindingRecord) -> Sequence[SourceLocation]:
    """Return those places of the evidence of ``finding`` that the page lists."""
    return finding["evidence"][:MOST_EVIDENCE]


def as_location(place: Iterable[Any]) -> SourceLocation:
    """Return a place as a tuple; in a record that was read it is a list."""
    location: SourceLocation = tuple(place)
    return location


def scope_path(finding: FindingRecord) -> str:
    """Return the path of the key scope of a key or key scope; empty of all other subjects."""
    subject = finding["subject"]
    parts = subject["path"].split("/")
    if subject["kind"] == "key-scope":
        return subject["path"]
    is_key = subject["kind"] in {"key", "planned-key"} and "region" in subject
    return "/".join((parts[0], *parts[2:5])) if is_key else ""


def _mark(place: SourceLocation) -> bytes:
    """Return the bytes by which a line of the population has the file and line of ``place``."""
    return f'"file":{quote(place[0])},"line":{place[1]}'.encode("ascii")


def _with(content: PlaceContent | None, thing: CitedThing) -> PlaceContent:
    first, counts = content or PlaceContent(thing, {})
    return PlaceContent(first, counts | {thing.kind: counts.get(thing.kind, 0) + 1})


def _thing(entry: dict[str, Any]) -> CitedThing:
    shown = entry.get("region", "") if entry["kind"] == "key" else entry["name"]
    return CitedThing(entry["kind"], entry.get("state", ""), shown, entry["path"])


# --- labels ---------------------------------------------------------------------------------------


class EvidenceItem(NamedTuple):
    """A place of evidence as the page lists it; texts are escaped already.

    Attributes:
        what: the thing that is there; may be empty.
        place: file, line and address, linked if the page shows the recorded answer.
        source: the kind of file, with its date; may be empty.
    """

    what: Markup
    place: Markup
    source: str


class EvidenceLabels:
    """Labels places of evidence."""

    def __init__(
        self, sources: Sequence[SourceEntry], population: CitedPopulation, index: EvidenceIndex
    ) -> None:
        """Take the sources of the record; places that the ``index`` shows become links."""
        self.population = population
        self._sources = sources
        self._index = index
        self._known: dict[str, str] = {}
        self._items: dict[SourceLocation, EvidenceItem] = {}

    def items(self, finding: FindingRecord) -> list[EvidenceItem]:
        """List the places of a finding that the page shows."""
        return [self._labelled(as_location(place)) for place in shown_evidence(finding)]

    def _labelled(self, place: SourceLocation) -> EvidenceItem:
        """Label a place once, however many findings rest on it."""
        if place not in self._items:
            self._items[place] = self._item(place)
        return self._items[place]

    def _item(self, place: SourceLocation) -> EvidenceItem:
        file, line, *address = place
        if file not in self._known:
            self._known[file] = self._source(file)
        shown = Markup("<code>{}:{}</code>").format(visible(file), line)
        if address:
            shown += Markup(" (<code>{}</code>)").format(visible(address[0]))
        anchor = self._index.anchor(f"{file}:{line}")
        linked = Markup('<a href="#{}">{}</a>').format(anchor, shown) if anchor else shown
        return EvidenceItem(_what(self.population.at(place)), linked, self._known[file])

    def _source(self, file: str) -> str:
        """Return what kind of source ``file`` belongs to, and of when that is."""
        for source in self._sources:
            if file == source["path"] or file.startswith(f"{source['path'].rstrip('/')}/"):
                date = (source["captured_at"] or "")[:10]
                return f"{labels.ROLE[source['role']]}{f' of {date}' if date else ''}"
        # Of many earlier bundles in a row, the sources name the first and the last.
        folders = (chain_folder(source) for source in self._sources)
        in_chain = any(folder and file.startswith(folder) for folder in folders)
        return labels.ROLE["history"] if in_chain else ""


def _what(content: PlaceContent | None) -> Markup:
    if content is None:
        return Markup("")
    if sum(content.counts.values()) > 1:
        counted = (pluralize(number, kind) for kind, number in content.counts.items())
        return escape(", ".join(counted))
    thing = content.first
    kind = f"planned {thing.kind}" if thing.state == "planned" else thing.kind
    joint = " in " if thing.kind == "key" else " "
    return escape(kind + joint) + name(thing.name) if thing.name else escape(kind)
