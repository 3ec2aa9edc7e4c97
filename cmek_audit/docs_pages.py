"""Renders what is made from code in pages and schema: ``python -m cmek_audit.docs_pages``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.engine.catalogue import load_rules
from checks.engine.controls import Controls, read_controls
from checks.engine.waivers import WaiverDocument
from cmek_audit.run.options import OPTIONS
from inventory.schema import EditorSchema
from reports.formats.registry import FORMATS, WRITABLE, Format
from reports.tables.tables import TABLES

if TYPE_CHECKING:
    from checks.engine.card import Card
    from reports.tables.columns import Table

_HEAD = """# The rules

Made from the cards at the head of each file in `checks/`. *Required* and *recommended* say what the
vendor's documentation does; *derived* is what follows from it. No rule alone satisfies a control:
direct evidence shows the control at work, supporting evidence adds to it, context helps to read it.

What the rules on the keys themselves have to read in the clouds, and what to do about their
findings, is on [the page of keys in the clouds](cloud-keys.md).

The report has a section by framework. It says of each control what the findings say (*failing
evidence*, *evidence incomplete*, *waived failures*, *context only*, *supporting evidence only*, *no
failing evidence*, *no subject*), and what this evidence does not show. `--cmek-framework 'SOC 2'`
limits the section to that framework; some words of its name are enough. Findings and verdict stay
the same. With a file of your own (`--cmek-controls`) you give other frameworks, and for each the
descriptions of its controls, if you like:

```yaml
cmek-controls: 1
frameworks:
  - name: Acme Standard 3
    not_shown: Everything outside Astra.                # optional
    controls:                                           # optional
      K-1:
        title: Keys are registered in time
        not_shown: Who approved the key. Examine the ticket.
    rules:
      CMEK-05: [{id: K-1, strength: direct}]            # direct, supporting or context
```
"""

_CAUSES = """## Causes

A *cause* is why a subject fails: a code, with what it concerns where there can be several. A
subject has one finding for each cause, and a waiver accepts one cause. `planned-` before a code
says that what fails is only planned, so that it can still be prevented.
"""


def rules_page() -> str:
    """Return the page, in Markdown."""
    controls = read_controls()
    cards = [rule.card for rule in load_rules()]
    rows = [
        f"| [{card.id}](#{card.id.lower()}) | {card.title} | {_severity(card)} |" for card in cards
    ]
    table = ["| id | complies if | severity |", "|---|---|---|", *rows]
    return "\n".join([_HEAD, *table, "", _CAUSES, *(_section(card, controls) for card in cards)])


def _severity(card: Card) -> str:
    if card.severity_planned:
        return f"{card.severity}; {card.severity_planned} while it can be prevented"
    return card.severity


def _section(card: Card, controls: Controls) -> str:
    quotes = "\n".join(
        f"> {quote.sentence}\n>\n> {quote.page}: *{quote.heading}*\n" for quote in card.quotes
    )
    return (
        f"## {card.id}\n\n**{card.title}.** {card.basis.capitalize()}, {_severity(card)}. "
        f"Subject: {card.subject}. [`checks/{card.check}.py`](../checks/{card.check}.py)\n\n"
        f"{quotes}\n{card.rationale}\n\n*Causes*:\n\n{_causes(card)}\n\n"
        f"*What to do*: {card.remediation}\n\n"
        f"*Evidence for*: {_controls(card, controls)}.\n"
    )


def _causes(card: Card) -> str:
    return "\n".join(f"- `{cause}`: {meaning}" for cause, meaning in card.causes.items())


def _controls(card: Card, controls: Controls) -> str:
    return "; ".join(
        f"{name} {control.id} ({control.strength})" for name, control in controls.of(card.id)
    )


_OPTIONS = """# Options

Every option of the audit, with its other names: in a settings file, as a variable, and in pytest's
ini file. [Settings](settings.md) says which of them has priority, and how values are written.

`cmek-audit audit` takes each option by its plain name, too: `--inventory` is `--cmek-inventory`. It
takes `--option value` as well as `--option=value`. For pytest itself write `--cmek-inventory=PATH`:
it has the long names alone, and decides where it runs by the first path that it sees.

Paths on the command line and in variables are relative to the folder you are in, those of `-o` too.
Paths in a settings file or an ini file are relative to its folder.

How you spell a path, and in which order you give files, makes no difference: `./acme.yaml`,
`old/../acme.yaml` and the absolute path of `acme.yaml` are one file. Every report names it by its
path in the working directory, or by its absolute path if it is elsewhere. Files are read in the
order of these paths. A file that you give twice is read once. Links are not followed for that: a
link to a file is another file.

The report folder holds one complete audit or none. Before anything is read or requested, an
earlier audit in it is moved to its folder `previous/`. An input that is one of these files, or a
link to one, is therefore refused with exit code 4, and all files stay as they are. A folder that
cannot be written to, that another run is writing to, or one of whose folders, such as
`organizations/`, holds anything but files of an audit, is refused in the same way.
"""


def options_page() -> str:
    """Return the page, in Markdown."""
    rows = [
        f"| `{option.flag}{'=' * bool(option.metavar)}{option.metavar}` "
        f"| `{option.name}` `{option.variable}` `{option.ini}` | {option.help} |"
        for option in OPTIONS
    ]
    return "\n".join(
        [_OPTIONS, "| option | file, variable, ini | what it does |", "|---|---|---|", *rows, ""]
    )


_TABLES = """# The tables

An audit writes these tables with `--cmek-formats=csv` or `xlsx`, and `cmek-audit render` makes them
of a record: as CSV a file each, in a workbook a sheet each. How to open them is on [the page of
formats](formats.md#tables-csv).

The names of columns stay the same from version to version. New ones may come, so read a column by
its name. A cell is empty if its value is not known or does not apply. Times are UTC, as in
`2026-11-21T00:00:00Z`. Several values in one cell are separated by semicolons. `yes` and `no` are
words.
"""


def tables_page() -> str:
    """Return the page, in Markdown."""
    return "\n".join([_TABLES, *map(_table_section, TABLES)])


def _table_section(table: Table[Any]) -> str:
    rows = [f"| `{column.name}` | {column.meaning} |" for column in table.columns]
    lines = [
        f"## {table.title}: `{table.name}`",
        "",
        f"A row is {table.rows_are}.",
        "",
        "| column | what it holds |",
        "|---|---|",
        *rows,
    ]
    return "\n".join([*lines, ""])


WITH_FORMATS = ("README.md", "docs/formats.md")
"""The pages with a table of formats."""

_BEGIN, _END = "<!-- formats -->\n", "<!-- end of formats -->"
"""What surrounds the table of formats in pages that are written by hand."""


def with_formats(page: str, *, is_in_docs: bool) -> str:
    """Return a ``page`` with the table of formats as the registry has it."""
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    rows = [f"| {_place_of(row)} | `{row.name}` | {row.description} |" for row in FORMATS]
    table = "\n".join(["| file | format | for |", "|---|---|---|", *rows, ""])
    table = table.replace("](docs/", "](") if is_in_docs else table
    return f"{before}{_BEGIN}{table}{_END}{after}"


def _place_of(row: Format) -> str:
    if not row.place:
        return "stdout"
    return f"`{row.file}`" if row.file else f"`{row.folder}/`"


_FILE = re.compile(r"(<!-- file: (\S+) -->\n).*?(<!-- end of file -->\n)", re.DOTALL)
"""What surrounds a file in pages that show it whole."""

_LANGUAGES = {
    ".cron": "crontab",
    ".service": "ini",
    ".sh": "sh",
    ".timer": "ini",
    ".yaml": "yaml",
    ".yml": "yaml",
}


def with_files(page: str, root: Path) -> str:
    """Return a ``page`` with each file that it shows as it is now; paths are below ``root``."""
    return _FILE.sub(lambda match: f"{match[1]}{_block(root / match[2])}{match[3]}", page)


def _block(path: Path) -> str:
    return f"```{_LANGUAGES[path.suffix]}\n{path.read_text(encoding='utf-8')}```\n"


CHECK_SCHEMAS = {
    "checks/waivers-schema.json": EditorSchema(
        "waivers", WaiverDocument, "Waivers: accepted failures of an audit"
    ),
    "checks/controls-schema.json": EditorSchema(
        "controls", Controls, "Control ids: to which controls each rule gives evidence"
    ),
}
"""The schemas of files that the rules read, by path; those of inventories write themselves."""

RECORD_SCHEMA = "reports/record/schemas/audit.schema.json"


def with_format_names(schema: str) -> str:
    """Return the ``schema`` of the record with the names of the formats that can be written."""
    data = json.loads(schema)
    data["properties"]["run"]["properties"]["formats"]["items"] = {"enum": list(WRITABLE)}
    return json.dumps(data, indent=2) + "\n"


def write_pages(docs: Path) -> None:
    """Write the pages that are made from code as a whole into ``docs``."""
    (docs / "rules.md").write_text(rules_page(), encoding="utf-8", newline="\n")
    (docs / "options.md").write_text(options_page(), encoding="utf-8", newline="\n")
    (docs / "tables.md").write_text(tables_page(), encoding="utf-8", newline="\n")


def write_schemas(root: Path) -> None:
    """Write the schemas of files that the rules read."""
    for name, schema in CHECK_SCHEMAS.items():
        (root / name).write_text(schema.text, encoding="utf-8", newline="\n")


def write_shown_files(root: Path) -> None:
    """Write the files that pages show into these pages."""
    for page in [*root.glob("*.md"), *root.glob("docs/*.md")]:
        text = page.read_text(encoding="utf-8")
        page.write_text(with_files(text, root), encoding="utf-8", newline="\n")


def write_tables(root: Path) -> None:
    """Write the formats into the pages below ``root`` that list them, and into the schema."""
    for name in WITH_FORMATS:
        page = root / name
        text = with_formats(page.read_text(encoding="utf-8"), is_in_docs=page.parent != root)
        page.write_text(text, encoding="utf-8", newline="\n")
    schema = root / RECORD_SCHEMA
    named = with_format_names(schema.read_text(encoding="utf-8"))
    schema.write_text(named, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    root = Path(__file__).parent.parent
    write_pages(root / "docs")
    write_tables(root)
    write_schemas(root)
    write_shown_files(root)
