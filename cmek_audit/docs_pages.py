"""Renders the pages of ``docs/`` that are made from code: ``python -m cmek_audit.docs_pages``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checks.engine.catalogue import load_rules
from checks.engine.controls import read_controls
from cmek_audit.run.options import OPTIONS

if TYPE_CHECKING:
    from checks.engine.card import Card
    from checks.engine.controls import Controls

_HEAD = """# The rules

Made from the cards at the head of each file in `checks/`. *Required* and *recommended* say what the
vendor's documentation does; *derived* is what follows from it. No rule alone satisfies a control:
direct evidence shows the control at work, supporting evidence adds to it, context helps to read it.
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

Every option of the audit, for pytest's command line, with its ini twin, for `[tool.pytest]` in
`pyproject.toml`. The command line has priority. Paths on the command line, by `-o` too, are
relative to the folder you are in. Paths in the ini file are relative to its folder. `cmek-audit
audit` takes `--option value` as well as `--option=value`. For pytest itself write the latter: it
decides where it runs by the first path that it sees.

How you spell a path, and in which order you give files, makes no difference: `./acme.yaml`,
`old/../acme.yaml` and the absolute path of `acme.yaml` are one file. Every report names it by its
path in the working directory, or by its absolute path if it is elsewhere. Files are read in the
order of these paths. A file that you give twice is read once. Links are not followed for that: a
link to a file is another file.

The report folder holds one complete audit or none. Before anything is read or requested, an
earlier audit in it is moved to its folder `previous/`. An input that is one of these files, or a
link to one, is therefore refused with exit code 4, and all files stay as they are. A folder that
cannot be written to, or that another run is writing to, is refused in the same way.
"""


def options_page() -> str:
    """Return the page, in Markdown."""
    rows = [
        f"| `{option.flag}{'=' * bool(option.metavar)}{option.metavar}` | `{option.ini}` "
        f"| {option.help} |"
        for option in OPTIONS
    ]
    return "\n".join([_OPTIONS, "| option | ini | what it does |", "|---|---|---|", *rows, ""])


def write_pages(docs: Path) -> None:
    """Write ``rules.md`` and ``options.md`` into ``docs``."""
    (docs / "rules.md").write_text(rules_page(), encoding="utf-8")
    (docs / "options.md").write_text(options_page(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(__file__).parent.parent / "docs")
