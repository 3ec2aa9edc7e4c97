"""What the lines of findings and population give a page, read a few times whatever their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.catalogue import rule_of
from checks.engine.finding import NOT_COMPLYING
from checks.engine.identity import escape
from reports.page.findings.evidence_labels import CitedPopulation
from reports.page.findings.findings_section import shown_findings
from reports.page.keys.collector import KeyCollector
from reports.page.keys.layout import lay_out_keys, shown_keys
from reports.page.reading.runs import ACROSS, Wanted, hand_out
from reports.page.reading.summaries import CountedPopulation, LaneCounter, UnclearError
from reports.page.timeline.layout import lay_out_timeline, scale_of, shown_lanes
from reports.page.timeline.reader import TimelineReader
from reports.presentation.sample import Conclusions
from reports.presentation.sample_table import describe_sample, draw_from
from reports.presentation.selection import FindingSelector
from reports.record.layout import DATABASE_LINE, ORGANIZATION_LINE
from reports.record.stored_lines import all_begin, groups_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from reports.model.head import Head
    from reports.page.keys.collector import CollectedKeys
    from reports.page.keys.layout import KeyList
    from reports.page.reading.runs import Run, Take
    from reports.page.timeline.layout import Timeline
    from reports.page.timeline.reader import ReadLanes
    from reports.presentation.sample_table import Sample
    from reports.presentation.selection import PageLimits, Selection

_FEW = 20
"""Up to how many organizations all databases are read in whole: most of them are shown."""


class PageLines(NamedTuple):
    """What the lines of findings and population give a page.

    Attributes:
        chosen: the findings that are shown.
        cited: what the population holds at the places that these cite.
        sample: the sample for an auditor.
        timeline: when keys and databases came.
        key_list: the keys, with their databases and their lives.
    """

    chosen: Selection
    cited: CitedPopulation
    sample: Sample
    timeline: Timeline
    key_list: KeyList


class _Lanes(NamedTuple):
    """The lanes of a timeline, and the keys in them."""

    read: ReadLanes
    keys: CollectedKeys


def read_lines(
    head: Head,
    lines: Iterable[bytes],
    population: Iterable[bytes],
    *,
    limits: PageLimits,
    is_index: bool,
) -> PageLines:
    """Read what a page needs; of most databases of a fleet that is only their number."""
    drawn = draw_from(head, population, limits.sample)
    conclusions = Conclusions(drawn.members)
    reading = _Reading(head, lines, population, limits=limits, is_index=is_index)
    chosen, lanes = reading.read(conclusions, drawn.mixed)
    as_of = head["settings"]["as_of"]
    scale = scale_of(lanes.read, as_of, limits.lanes)
    return PageLines(
        chosen,
        _cited(chosen, population),
        describe_sample(head, drawn, conclusions, limits.sample),
        lay_out_timeline(lanes.read, as_of, limits.lanes),
        lay_out_keys(lanes.keys, scale, limits.keys, all_of_few=not is_index),
    )


def _cited(chosen: Selection, population: Iterable[bytes]) -> CitedPopulation:
    cited = CitedPopulation(shown_findings(chosen))
    if not cited.is_empty:
        for line in population:
            cited.add(line)
    return cited


class _Reading:
    """Reads the lines of one record."""

    def __init__(
        self,
        head: Head,
        lines: Iterable[bytes],
        population: Iterable[bytes],
        *,
        limits: PageLimits,
        is_index: bool,
    ) -> None:
        self._head, self._lines, self._population = head, lines, population
        self._limits, self._is_index = limits, is_index
        self._key_first = rule_of("key-first")

    def read(self, conclusions: Conclusions, mixed: Iterable[range]) -> tuple[Selection, _Lanes]:
        """Return the findings to show, and the lanes; the findings go to ``conclusions``, too.

        The ``mixed`` parts of the population are those in which not all lines are databases.
        """
        is_partial = bool(self._head["settings"]["left_out"])
        # What can be read only once cannot be counted first.
        is_stored = iter(self._lines) is not self._lines
        is_fleet = len(self._head["population"]["organizations"]) > _FEW
        if is_fleet and is_stored and not is_partial:
            try:
                return self._read_shown(conclusions, mixed)
            except UnclearError:
                conclusions.clear()
        return self._read_whole(conclusions)

    def _read_whole(self, conclusions: Conclusions) -> tuple[Selection, _Lanes]:
        selector, keys = self._selector(), self._keys()
        # The collector notes a finding before the reader may ask for what is known of an
        # organization, so it comes first.
        reader = TimelineReader(self._population, self._limits.lanes, keys.add)

        def choose(run: Run) -> Wanted:
            takers = [*_takers(run, selector, conclusions), keys.add_finding]
            return Wanted([*takers, reader.add] if run.rule == self._key_first else takers)

        hand_out(self._lines, choose)
        lanes = _Lanes(reader.finish(), keys.finish())
        return selector.finish(), lanes

    def _read_shown(
        self, conclusions: Conclusions, mixed: Iterable[range]
    ) -> tuple[Selection, _Lanes]:
        """Count all lanes, then read in whole the organizations of which any is shown.

        Raises UnclearError if the counts do not add up.
        """
        selector, keys = self._selector(), self._keys()
        population = CountedPopulation(self._head, self._population, mixed)
        counter = LaneCounter(population, self._limits.lanes, keys.add)

        def choose(run: Run) -> Wanted:
            takers = [*_takers(run, selector, conclusions)]
            if run.status in NOT_COMPLYING:
                takers.append(keys.add_finding)
            return counter.wants(run, takers) if run.rule == self._key_first else Wanted(takers)

        hand_out(self._lines, choose)
        counted = _Lanes(counter.finish(), keys.finish())
        return selector.finish(), self._with_shown(counted)

    def _with_shown(self, counted: _Lanes) -> _Lanes:
        """Return what was counted, with those lanes and keys in whole that are shown."""
        all_of_few = not self._is_index
        shown = {
            *(lane.organization for lane in shown_lanes(counted.read, self._limits.lanes)),
            *(
                key.organization
                for key in shown_keys(counted.keys, self._limits.keys, all_of_few=all_of_few)
            ),
        }
        numbers = {escape(counted.read.organizations[one].id): one for one in shown}
        whole = self._lanes_of(numbers.keys())
        places = [numbers[escape(one.id)] for one in whole.read.organizations]
        lanes = [one._replace(organization=places[one.organization]) for one in whole.read.kept]
        kept = [one._replace(organization=places[one.organization]) for one in whole.keys.kept]
        return _Lanes(counted.read._replace(kept=lanes), counted.keys._replace(kept=kept))

    def _lanes_of(self, paths: AbstractSet[str]) -> _Lanes:
        """Read some organizations in whole."""
        keys = self._keys()
        population = _population_of(self._population, paths) if paths else ()
        reader = TimelineReader(population, self._limits.lanes, keys.add)

        def choose(run: Run) -> Wanted:
            if run.path not in {ACROSS, *paths}:
                return Wanted()
            is_order = run.rule == self._key_first
            return Wanted([keys.add_finding, reader.add] if is_order else [keys.add_finding])

        if paths:
            hand_out(self._lines, choose)
        return _Lanes(reader.finish(), keys.finish())

    def _selector(self) -> FindingSelector:
        return FindingSelector(self._head["criteria"]["rules"], self._limits)

    def _keys(self) -> KeyCollector:
        return KeyCollector(self._head["coverage"], self._limits.keys)


def _takers(run: Run, selector: FindingSelector, conclusions: Conclusions) -> Iterator[Take]:
    if selector.wants(run.status, run.rule):
        yield selector.add
    if conclusions.wants(run.path):
        yield conclusions.add


def _population_of(lines: Iterable[bytes], paths: AbstractSet[str]) -> Iterator[bytes]:
    """Yield the lines of the organizations with these ``paths``."""
    is_wanted = False
    for group in groups_of(lines):
        if not is_wanted and all_begin(group, DATABASE_LINE):
            continue
        for line in group:
            if line.startswith(ORGANIZATION_LINE):
                # {"kind":"organization","path":"…": the path is escaped: it has no quotation mark.
                is_wanted = line.split(b'"', 8)[7].decode("ascii") in paths
            if is_wanted:
                yield line
