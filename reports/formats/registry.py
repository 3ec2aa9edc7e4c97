"""The formats of a report, one row each: options, commands, folder and docs take them from here."""

from __future__ import annotations

from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reports.record.layout import FINDINGS, POPULATION
from reports.record.stored_lines import StoredLines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from reports.model.head import Head

RECORD = "audit.json"
PAGE = "audit.html"

_MOST_PARTS = 64
"""How many parts of a text are encoded together; some of them are half a megabyte."""

Kind = Literal["record", "rendered", "exported", "printed", "pytest"]


class Format(NamedTuple):
    """One format.

    Attributes:
        name: its name in options and commands.
        kind: who makes it. ``record`` is the record itself, ``rendered`` is made of the record and
            written to a file, ``exported`` holds the record's findings for other programs,
            ``printed`` is made of the record on request only, and ``pytest`` is written by a plugin
            of pytest.
        file: the file's name in the report folder; empty if it is printed.
        noun: what it is, in a word or two.
        description: for whom it is and what it holds, for the docs.
        module: the module in ``reports.formats`` whose ``render`` or ``export`` makes it; empty if
            none does.
        is_default: whether an audit writes it unless other formats are asked for.
        shows_population: whether it shows what was judged, too, and not only what was found.
        folder: the folder beside the file for the pages of organizations; empty if it has none.
        has_parts: whether the module's ``render_parts`` yields the text part by part.
    """

    name: str
    kind: Kind
    file: str
    noun: str
    description: str
    module: str = ""
    is_default: bool = True
    shows_population: bool = False
    folder: str = ""
    has_parts: bool = False

    def render(self, head: Head, lines: Iterable[bytes], population: Iterable[bytes]) -> str:
        """Return the report's text, made of the head, and the lines of findings and population."""
        # Each renderer is imported only when it is used: the page's templates alone cost as much
        # as the start of a command that renders nothing.
        text: str = self._renderer.render(head, lines, **self._more(population))
        return text

    def render_blocks(
        self, head: Head, lines: Iterable[bytes], population: Iterable[bytes]
    ) -> Iterator[bytes]:
        """Yield the report's bytes block by block: a large one is never in memory as a whole."""
        if not self.has_parts:
            yield encode(self.render(head, lines, population))
            return
        parts = self._renderer.render_parts(head, lines, **self._more(population))
        while block := list(islice(parts, _MOST_PARTS)):
            yield encode("".join(block))

    def _more(self, population: Iterable[bytes]) -> dict[str, Iterable[bytes]]:
        return {"population": population} if self.shows_population else {}

    def render_pages(
        self, head: Head, lines: Iterable[bytes], population: Iterable[bytes]
    ) -> Iterator[tuple[str, str]]:
        """Yield name and text of each page of one organization; none unless it is a fleet.

        Findings and population are read from their beginning as often as needed.
        """
        if self.folder:
            yield from self._renderer.render_pages(head, lines, population=population)

    def render_organization(
        self, head: Head, lines: Iterable[bytes], population: Iterable[bytes], organization: str
    ) -> str:
        """Return the text of the page of one ``organization``, by its id; only with a folder."""
        text: str = self._renderer.render_organization(
            head, lines, organization, population=population
        )
        return text

    def export(self, findings: Path, target: Path) -> None:
        """Write what is exported of the file of ``findings`` into the file ``target``."""
        self._renderer.export(findings, target)

    def holds_the_same(self, file: Path, other: Path) -> bool:
        """Say whether two exported files hold the same; raise InventoryError if one is none."""
        return bool(self._renderer.holds_the_same(file, other))

    @property
    def _renderer(self) -> Any:  # noqa: ANN401 (a module)
        return import_module(f"reports.formats.{self.module}")


FORMATS = (
    Format(
        "json",
        "record",
        RECORD,
        "record",
        "programs: the audit as data, with `findings.ndjson` and `population.ndjson` beside it; "
        "[the record](docs/record.md)",
    ),
    Format(
        "html",
        "rendered",
        PAGE,
        "page",
        "people: the answer in databases, what to fix first, coverage, timeline, keys, findings "
        "with their evidence, frameworks, sign-off; [for whom each part is](docs/reports.md). One "
        "file that needs no script and loads nothing; of more than 100 organizations an index, "
        "with pages of those with anything open or waived in `organizations`",
        module="html",
        shows_population=True,
        folder="organizations",
        has_parts=True,
    ),
    Format("results", "pytest", "results.html", "table", "engineers: the run as pytest saw it"),
    Format("junit", "pytest", "junit.xml", "list of tests", "pipelines: the run as JUnit XML"),
    Format(
        "markdown",
        "rendered",
        "summary.md",
        "summary",
        "pull requests and job pages: answer, what is new, organizations, open findings",
        module="markdown",
    ),
    Format(
        "sarif",
        "rendered",
        "audit.sarif",
        "list of results",
        "code scanning: the open findings at their lines",
        module="sarif",
        has_parts=True,
    ),
    Format(
        "parquet",
        "exported",
        "findings.parquet",
        "table of findings",
        "data warehouses: a row for each finding; needs `pip install 'cmek-audit[parquet]'`",
        module="parquet",
        is_default=False,
    ),
    Format(
        "annotations",
        "printed",
        "",
        "list of commands",
        "pull requests on GitHub: the open findings at their lines, printed by `cmek-audit render`",
        module="github_annotations",
        is_default=False,
    ),
)

RENDERED = tuple(row for row in FORMATS if row.kind == "rendered")
"""What an audit renders from its record, each a file of its own."""

BY_PYTEST = {row.name: row for row in FORMATS if row.kind == "pytest"}
"""What a plugin of pytest writes."""

EXPORTED = tuple(row for row in FORMATS if row.kind == "exported")
"""What an audit exports from its record, each a file of its own."""

RENDERABLE = {row.name: row for row in FORMATS if row.kind in {"rendered", "printed"}}
"""What ``cmek-audit render`` makes."""

WRITABLE = tuple(row.name for row in FORMATS if row.file)
"""The names by which an audit is asked for its files."""

DEFAULT = tuple(row.name for row in FORMATS if row.file and row.is_default)
"""The names of what an audit writes if it is not asked for anything else."""

FILES = tuple(row.file for row in FORMATS if row.file)
"""The files of all formats."""

FOLDERS = tuple(row.folder for row in FORMATS if row.folder)
"""The folders of pages of organizations."""


def describe_choice() -> str:
    """Return what the help says of the option that chooses among the formats."""
    names = ", ".join(row.name for row in FORMATS if row.file and row.kind != "record")
    default = "all" if DEFAULT == WRITABLE else ", ".join(DEFAULT)
    return f"which reports to write beside json: {names}; default: {default}"


def encode(text: str) -> bytes:
    """Return the bytes of a report; none of them depends on the system."""
    return text.encode("utf-8", errors="xmlcharrefreplace")


def write_rendered(
    formats: Iterable[str], head: Head, folder: Path, write: Callable[[Path, Iterable[bytes]], None]
) -> None:
    """Render those of ``formats`` that are made of the record, and ``write`` them in ``folder``.

    The record is the ``head``, and the files of findings and population in the same folder.
    """
    lines, population = (StoredLines(folder / name) for name in (FINDINGS, POPULATION))
    names = set(formats)
    for row in RENDERED:
        if row.name in names:
            write(folder / row.file, row.render_blocks(head, lines, population))
            for page, text in row.render_pages(head, lines, population):
                (folder / row.folder).mkdir(exist_ok=True)
                write(folder / row.folder / page, [encode(text)])
    for row in EXPORTED:
        if row.name in names:
            row.export(folder / FINDINGS, folder / row.file)
