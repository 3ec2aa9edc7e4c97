"""The formats of a report, one row each: options, commands, folder and docs take them from here."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from itertools import chain, islice
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
        kind: who makes it. ``record`` is the record itself, ``rendered`` is text that is made of
            the record and written to files, ``exported`` is a binary file that a library of an
            extra makes of the record, ``printed`` is made of the record on request only, and
            ``pytest`` is written by a plugin of pytest.
        file: the file's name in the report folder; empty if it is printed, or is several files.
        noun: what it is, in a word or two.
        description: for whom it is and what it holds, for the docs.
        module: the module in ``reports.formats`` whose ``render``, ``render_files`` or ``export``
            makes it; empty if none does.
        is_default: whether an audit writes it unless other formats are asked for.
        shows_population: whether it shows what was judged, too, and not only what was found.
        folder: the folder in the report folder for its files, or for those beside its one file,
            which the module's ``render_files`` makes; empty if it has none.
        inside: the pattern of the names of all files in that folder.
        by_organization: whether the module's ``render_organization`` makes it of one organization.
        has_parts: whether the module's ``render_parts`` yields the text part by part.
        no_file: why there may be no file, as nothing is to be shown in it; empty if there always
            is one.
        extra: the extra that it needs; empty if it needs none.
        library: the name by which that extra's library is imported.
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
    inside: str = ""
    by_organization: bool = False
    has_parts: bool = False
    no_file: str = ""
    extra: str = ""
    library: str = ""

    @property
    def place(self) -> str:
        """Return the name of its file, or else of its folder, in the report folder."""
        return self.file or self.folder

    @property
    def is_installed(self) -> bool:
        """Return whether the library is there that it needs."""
        return not self.library or find_spec(self.library) is not None

    @property
    def install(self) -> str:
        """Return the command that installs what it needs."""
        return f"pip install 'cmek-audit[{self.extra}]'"

    @property
    def without_library(self) -> str:
        """Return what to say if the library that it needs is missing; empty if it is there."""
        if self.is_installed:
            return ""
        return f"found {self.name} without {self.library}, expected it: {self.install}"

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
        if self.has_parts:
            parts = self._renderer.render_parts(head, lines, **self._more(population))
            yield from _in_blocks(parts)
        elif text := self.render(head, lines, population):
            yield encode(text)

    def _more(self, population: Iterable[bytes]) -> dict[str, Iterable[bytes]]:
        return {"population": population} if self.shows_population else {}

    def render_files(
        self, head: Head, lines: Iterable[bytes], population: Iterable[bytes]
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield each file by its path in the report folder, with its blocks to be read at once.

        Findings and population are read from their beginning as often as needed.
        """
        if self.file:
            blocks = self.render_blocks(head, lines, population)
            first = next(blocks, None)
            if first is not None:
                yield self.file, chain([first], blocks)
        for name, blocks in self.render_inside(head, lines, population):
            yield f"{self.folder}/{name}", blocks

    def render_inside(
        self, head: Head, lines: Iterable[bytes], population: Iterable[bytes]
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield each file of its folder by its name there, with its blocks; as ``render_files``."""
        if self.folder:
            for name, parts in self._renderer.render_files(head, lines, **self._more(population)):
                yield name, _in_blocks(parts)

    def render_organization(
        self, head: Head, lines: Iterable[bytes], population: Iterable[bytes], organization: str
    ) -> str:
        """Return the text of one ``organization``, by its id; only if ``by_organization``."""
        text: str = self._renderer.render_organization(
            head, lines, organization, population=population
        )
        return text

    def export(self, head: Head, folder: Path, target: Path) -> None:
        """Write what is exported of the record in ``folder``, with this head, into ``target``."""
        self._renderer.export(head, folder, target)

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
        inside=r"[a-z0-9][a-z0-9-]{0,59}\.[0-9a-f]{12}\.html",
        by_organization=True,
        has_parts=True,
    ),
    Format("results", "pytest", "results.html", "table", "engineers: the run as pytest saw it"),
    Format(
        "junit",
        "pytest",
        "junit.xml",
        "list of tests",
        "pipelines: the run as JUnit XML; a stricter one is made by `cmek-audit render`",
        module="junit",
        has_parts=True,
    ),
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
        "codequality",
        "rendered",
        "gl-code-quality-report.json",
        "list of issues",
        "merge requests on GitLab: the open findings as code quality",
        module="gitlab_code_quality",
        is_default=False,
        has_parts=True,
    ),
    Format(
        "ocsf",
        "rendered",
        "findings.ocsf.ndjson",
        "list of events",
        "security lakes: an event in OCSF for each finding, and for each that is fixed since the "
        "baseline",
        module="ocsf",
        is_default=False,
        has_parts=True,
        no_file="the audit has no findings",
    ),
    Format(
        "hdf",
        "rendered",
        "",
        "evaluation",
        "Heimdall: a file for each organization in `hdf`, with a control for each rule",
        module="hdf",
        is_default=False,
        folder="hdf",
        inside=r"(across-organizations|[a-z0-9][a-z0-9-]{0,59}\.[0-9a-f]{12})\.json",
        by_organization=True,
    ),
    Format(
        "parquet",
        "exported",
        "findings.parquet",
        "table of findings",
        "data warehouses: a row for each finding; needs `pip install 'cmek-audit[parquet]'`",
        module="parquet",
        is_default=False,
        extra="parquet",
        library="duckdb",
    ),
    Format(
        "csv",
        "rendered",
        "",
        "tables",
        "spreadsheets and scripts: findings, keys, databases, key scopes and the audit itself, a "
        "file each; [every column](docs/tables.md)",
        module="csv_tables",
        is_default=False,
        shows_population=True,
        folder="csv",
        inside=r"(audit|findings|keys|databases|scopes)\.csv",
    ),
    Format(
        "xlsx",
        "exported",
        "audit.xlsx",
        "workbook",
        "people with a spreadsheet: the same tables, a sheet each, with links from findings to "
        "`audit.html`; needs `pip install 'cmek-audit[xlsx]'`",
        module="xlsx",
        is_default=False,
        extra="xlsx",
        library="xlsxwriter",
    ),
    Format(
        "oscal",
        "rendered",
        "oscal-assessment-results.json",
        "assessment results",
        "compliance platforms: the whole audit in OSCAL 1.2, each finding with its evidence, and "
        "the controls of NIST SP 800-53 by organization",
        module="oscal.assessment_results",
        is_default=False,
        has_parts=True,
    ),
    Format(
        "oscal-poam",
        "rendered",
        "oscal-poam.json",
        "plan of action and milestones",
        "compliance platforms: what is open in OSCAL 1.2, an item for each action",
        module="oscal.poam",
        is_default=False,
        has_parts=True,
        no_file="nothing is open, and OSCAL has no plan without an item",
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
"""What an audit renders from its record, each into files of its own."""

BY_PYTEST = {row.name: row for row in FORMATS if row.kind == "pytest"}
"""What a plugin of pytest writes."""

EXPORTED = tuple(row for row in FORMATS if row.kind == "exported")
"""What an audit exports from its record, each a file of its own."""

RENDERABLE = {row.name: row for row in FORMATS if row.module}
"""What ``cmek-audit render`` makes."""

WRITABLE = tuple(row.name for row in FORMATS if row.place)
"""The names by which an audit is asked for its files."""

DEFAULT = tuple(row.name for row in FORMATS if row.place and row.is_default)
"""The names of what an audit writes if it is not asked for anything else."""

FILES = tuple(row.file for row in FORMATS if row.file)
"""The files of all formats."""

FOLDERS = {row.folder: re.compile(row.inside) for row in FORMATS if row.folder}
"""The folders of formats that are several files, with the pattern of the names in each."""


def describe_choice() -> str:
    """Return what the help says of the option that chooses among the formats."""
    names = ", ".join(row.name for row in FORMATS if row.place and row.kind != "record")
    default = "all" if DEFAULT == WRITABLE else ", ".join(DEFAULT)
    return f"which reports to write beside json: {names}; default: {default}"


def encode(text: str) -> bytes:
    """Return the bytes of a report; none of them depends on the system."""
    return text.encode("utf-8", errors="xmlcharrefreplace")


def _in_blocks(parts: Iterable[str]) -> Iterator[bytes]:
    left = iter(parts)
    while block := list(islice(left, _MOST_PARTS)):
        yield encode("".join(block))


def write_rendered(
    formats: Iterable[str], head: Head, folder: Path, write: Callable[[Path, Iterable[bytes]], None]
) -> None:
    """Render those of ``formats`` that are made of the record, and ``write`` them in ``folder``.

    The record is the ``head``, and the files of findings and population in the same folder.
    """
    lines, population = (StoredLines(folder / name) for name in (FINDINGS, POPULATION))
    names = set(formats)
    for row in (row for row in RENDERED if row.name in names):
        for path, blocks in row.render_files(head, lines, population):
            (folder / path).parent.mkdir(exist_ok=True)
            write(folder / path, blocks)
    for row in (row for row in EXPORTED if row.name in names):
        row.export(head, folder, folder / row.file)
