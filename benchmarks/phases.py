"""Prints what each phase of an audit costs a database: ``python benchmarks/phases.py``.

All phases run in one process, on the same organizations, after the yardstick of
``benchmarks/stream.py`` has read the same file. Processor time is measured, so only the ratios to
the yardstick of the same run can be compared.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections import defaultdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import stream  # noqa: E402 (beside this file)
from fleet import AS_OF, write_fleet  # noqa: E402

from checks.engine.catalogue import load_rules  # noqa: E402 (from the root)
from checks.engine.context import Context, summarize  # noqa: E402
from checks.engine.evaluation import judge_organization  # noqa: E402
from checks.engine.grouping import Grouping  # noqa: E402
from checks.engine.outcome import Gate  # noqa: E402
from checks.engine.pass_series import PassSeries  # noqa: E402
from inventory.index.organization_index import index_organization  # noqa: E402
from inventory.inventory import Inventory  # noqa: E402
from reports.aggregation.aggregates import Aggregates  # noqa: E402
from reports.record.encoding import encode_finding, encode_series  # noqa: E402
from reports.record.layout import FINDINGS  # noqa: E402
from reports.record.population import Population  # noqa: E402
from reports.record.population_lines import population_lines  # noqa: E402
from reports.record.recorder import HashedLines  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from checks.engine.catalogue import Rule
    from checks.engine.pass_series import Found
    from inventory.model.organization import Organization

OTHER_RULES = "all other rules"
LEAST_SHOWN = 0.02
"""The least ratio to the yardstick with which a rule has a line of its own."""


class Clock:
    """Adds up the processor time of each phase."""

    def __init__(self) -> None:
        """Start with none."""
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def measure(self, phase: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 (as the work)
        """Return what ``work`` returns, and add the time it took to ``phase``."""
        started = time.process_time()
        result = work()
        self.seconds[phase] += time.process_time() - started
        return result


class Phases:
    """The parts of an audit, each run on its own."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        """Begin an audit in ``folder``."""
        self._clock = clock
        self._rules = load_rules()
        self._context = Context(datetime.fromisoformat(AS_OF))
        self._grouping = Grouping([rule.card for rule in self._rules], Gate())
        self._aggregates, self._population = Aggregates(), Population()
        self._lines = HashedLines(folder / FINDINGS, lambda _: None)

    def run(self, organization: Organization) -> None:
        """Do to ``organization`` what an audit does."""
        measure = self._clock.measure
        index = measure("index", lambda: index_organization(organization))
        for rule in self._rules:
            measure(f"judging, {rule.card.id}", partial(self._judge, rule, index))
        measure("judging, what is kept", lambda: summarize(index))
        found = judge_organization(organization, self._rules, self._context).found
        measure("grouping", lambda: _give(self._grouping, found))
        measure("aggregation", lambda: self._add(organization, found))
        lines = measure("encoding of findings", lambda: list(_encode(found)))
        lines += measure("population", lambda: self._count(organization))
        measure("hashing and writing", lambda: self._lines.write_all(lines))

    def _judge(self, rule: Rule, index: Any) -> None:  # noqa: ANN401 (an index)
        if rule.judge is not None:
            list(rule.judge(index, self._context))

    def _add(self, organization: Organization, found: Sequence[Found]) -> None:
        self._aggregates.add_organization(organization)
        _give(self._aggregates, found)

    def _count(self, organization: Organization) -> list[str]:
        self._population.add(organization)
        return list(population_lines(organization, self._context))


def _give(taker: Any, found: Sequence[Found]) -> None:  # noqa: ANN401 (what takes findings)
    for entry in found:
        if isinstance(entry, PassSeries):
            taker.add_series(entry)
        else:
            taker.add(entry)


def _encode(found: Sequence[Found]) -> Iterator[str]:
    for entry in found:
        if isinstance(entry, PassSeries):
            yield from encode_series(entry)
        else:
            yield encode_finding(entry)


def run(path: Path, clock: Clock) -> None:
    """Read the inventory at ``path`` by the yardstick, and then audit it phase by phase."""
    clock.measure("yardstick", lambda: stream.main(path))
    with tempfile.TemporaryDirectory() as folder:
        phases = Phases(clock, Path(folder))
        organizations = iter(Inventory([str(path)]).organizations())
        while organization := clock.measure("reading", lambda: next(organizations, None)):
            phases.run(organization)


def show(clock: Clock, databases: int) -> None:
    """Print a row for each phase."""
    seconds = clock.seconds
    yardstick = seconds.pop("yardstick")
    rules = {name: part for name, part in seconds.items() if name.startswith("judging, ")}
    for name, part in rules.items():
        if part / yardstick < LEAST_SHOWN:
            seconds[f"judging, {OTHER_RULES}"] += seconds.pop(name)
    total = sum(seconds.values())
    own = total - seconds["reading"] - seconds["hashing and writing"]
    print("| phase | µs a database | against the yardstick |\n|---|---|---|")
    rows = {"yardstick": yardstick, **seconds, "all": total, "from index to population": own}
    for name, part in rows.items():
        print(f"| {name} | {part / databases * 1e6:.2f} | {part / yardstick:.2f} |")


def main() -> None:
    """Measure several turns, and print what they cost together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organizations", type=int, default=100)
    parser.add_argument("--databases", type=int, default=1000, help="in each organization")
    parser.add_argument("--failing", type=int, default=0, help="one of so many fails")
    parser.add_argument("--turns", type=int, default=3)
    wanted = parser.parse_args()
    clock = Clock()
    gc.disable()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.ndjson"
        write_fleet(path, wanted.organizations, wanted.databases, failing=wanted.failing)
        for _ in range(wanted.turns):
            run(path, clock)
    show(clock, wanted.organizations * wanted.databases * wanted.turns)


if __name__ == "__main__":
    main()
