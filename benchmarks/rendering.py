"""Measures what reports cost beside the audit: ``python benchmarks/rendering.py [--quick]``.

Every measurement is a process of its own, which does the same twice and counts the processor time
of the second turn: imports and templates are known by then. They come in turns with the yardstick,
which reads the same inventory by pydantic, as the machine may be shared and noisy.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict, deque
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from fleet import write_fleet
from measuring import ROOT
from suite import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

sys.path.insert(0, str(ROOT))

TURNS = 3
YARDSTICK = "reading the inventory by pydantic"


def actions(inventory: Path, reports: Path) -> Mapping[str, Callable[[], object]]:
    """Return what is measured, by name."""
    import stream  # noqa: PLC0415 (each process imports only what it needs, as far as it can)

    from inventory.text.searched_files import SearchedFiles  # noqa: PLC0415
    from inventory.text.secrets import lines_with_secret  # noqa: PLC0415
    from reports.formats.registry import RENDERED  # noqa: PLC0415
    from reports.record.layout import FINDINGS, POPULATION  # noqa: PLC0415
    from reports.record.stored_lines import StoredLines  # noqa: PLC0415

    head = json.loads((reports / "audit.json").read_bytes())
    record = StoredLines(reports / FINDINGS), StoredLines(reports / POPULATION)

    def search_inventory() -> None:
        _by_blocks(inventory, lambda block: list(lines_with_secret(block)))

    def only_read() -> None:
        for file in (*_record(reports), inventory):
            _by_blocks(file, len)

    def pages() -> None:
        for row in RENDERED:
            for _, blocks in row.render_inside(head, *record):
                deque(blocks, maxlen=0)

    def search(*files: Path) -> None:
        watches = [(file, SearchedFiles().watch(file)) for file in files]
        for file, watch in watches:
            _by_blocks(file, watch)

    return {
        YARDSTICK: lambda: stream.main(inventory),
        "only reading what is searched": only_read,
        "search of findings and population": lambda: search(*_record(reports)),
        "search of the inventory": search_inventory,
        "pages of organizations": pages,
        **{row.name: partial(row.render, head, *record) for row in RENDERED if row.file},
    }


def _record(reports: Path) -> tuple[Path, Path]:
    return reports / "findings.ndjson", reports / "population.ndjson"


def _by_blocks(file: Path, see: Callable[[bytes], object]) -> None:
    """Read ``file`` as it is written and read: about a megabyte at a time."""
    with file.open("rb") as handle:
        while block := handle.read(1_000_000):
            see(block)


def measure(action: Callable[[], object]) -> tuple[float, float]:
    """Return processor seconds of the second turn of ``action``, and the peak memory in MiB."""
    action()
    started = time.process_time()
    action()
    seconds = time.process_time() - started
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(name: str, inventory: Path, reports: Path) -> tuple[float, float]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, str(inventory), str(reports)]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    seconds, mebibytes = json.loads(answer.stdout)
    return seconds, mebibytes


def compare(name: str, inventory: Path, reports: Path, databases: int) -> None:
    """Print the rows of one fleet."""
    audit(inventory, reports)
    costs: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    rows = [*actions(inventory, reports)]
    for _ in range(TURNS):
        for row in rows:
            costs[row].append(measured(row, inventory, reports))
    yardstick = median(seconds for seconds, _ in costs[YARDSTICK])
    for row in rows:
        seconds, mebibytes = (median(column) for column in zip(*costs[row], strict=True))
        print(
            f"| {name} | {row} | {seconds:.2f} s | {seconds / databases * 1e6:.2f} "
            f"| {mebibytes:.0f} MiB | {seconds / yardstick:.2f} |",
            flush=True,
        )


def main() -> None:
    """Print the table; ``--quick`` has small fleets."""
    if "--measure" in sys.argv:
        what, *paths = sys.argv[2:]
        print(json.dumps(measure(actions(*map(Path, paths))[what])))
        return
    size = 5_000 if "--quick" in sys.argv else 200_000
    fleets = (("passing", size // 1_000, 1_000, 0), ("failing", size // 5_000, 1_000, 1))
    print("| fleet | what | processor time | µs a database | memory | of reading by pydantic |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, organizations, databases, failing in fleets:
            inventory = folder / f"{kind}.ndjson"
            write_fleet(inventory, organizations, databases, failing=failing)
            total = organizations * databases
            compare(f"{total:,} {kind}", inventory, folder / kind, total)


if __name__ == "__main__":
    main()
