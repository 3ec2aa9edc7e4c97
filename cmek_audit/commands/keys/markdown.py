"""The key plan in Markdown, for a ticket to whoever creates keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.commands.keys import sentences
from cmek_audit.commands.keys.grants import TITLE, lay_out_grants
from reports.presentation.labels import CELL, KEY_NUMBERS, PROVIDER, TYPE
from reports.presentation.markdown_text import code, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.commands.keys.price import Price
    from cmek_audit.commands.keys.sentences import Data

_MOST_COMMANDS = 20
_COLUMNS = ("State", "Organization", "Database type", "Provider", "Region", "Databases", "Reason")


def render(plan: Data, price: Price | None) -> str:
    """Render the plan: numbers, all key scopes, what is unknown, and what to do."""
    return "\n".join([*_head(plan, price), *_scopes(plan), *_doubts(plan), *_steps(plan)])


def _head(plan: Data, price: Price | None) -> Iterator[str]:
    yield from (f"# {prose(sentences.title(plan))}", "")
    rows = [[code(name), *_numbers(part)] for name, part in sentences.with_names(plan)]
    total = ["All", *_numbers(sentences.total(plan))]
    yield from table(["Organization", *map(str.capitalize, KEY_NUMBERS.values())], [*rows, total])
    for remark in sentences.remarks(plan, price):
        yield from ("", prose(remark))


def _numbers(part: Data) -> list[str]:
    return [sentences.number(name, part) for name in KEY_NUMBERS]


def _scopes(plan: Data) -> Iterator[str]:
    rows = [
        _row(name, scope)
        for name, organization in sentences.with_names(plan)
        for scope in sentences.sorted_scopes(organization)
    ]
    if rows:
        yield from ("", "## Key scopes", "")
        yield from table(_COLUMNS, rows)


def _row(organization: str, scope: Data) -> list[str]:
    return [
        CELL[scope["state"]].word,
        code(organization),
        TYPE[scope["type"]],
        PROVIDER[scope["provider"]],
        code(scope["region"]),
        sentences.databases(scope),
        prose(sentences.reason(scope)),
    ]


def _doubts(plan: Data) -> Iterator[str]:
    if doubts := list(sentences.doubts(plan)):
        yield from ("", "## What is unknown", "")
    yield from (f"- {prose(doubt)}" for doubt in doubts)


def _steps(plan: Data) -> Iterator[str]:
    if plan["steps"]:
        yield from ("", "## What to do")
    for text in sentences.before_steps(plan):
        yield from ("", prose(text))
    for step in plan["steps"]:
        yield from ("", f"### {sentences.step_title(step)}", "", prose(sentences.page(step)))
        yield from ("", sentences.regions(step, code), "")
        yield from (f"{number}. {prose(text)}" for number, text in enumerate(step["steps"], 1))
        yield from _commands(plan, step)
    yield from _grants(plan)
    yield from ("", sentences.conclusion(plan))


def _commands(plan: Data, step: Data) -> Iterator[str]:
    """Yield what to paste for the key scopes of a step; all of it is ASCII without a fence."""
    shown, others = sentences.shown_commands(plan, step, _MOST_COMMANDS)
    for title, parts in sentences.paste_sections(plan, shown):
        yield from ("", f"#### {prose(title)}")
        for part in parts:
            yield from ("", prose(part.text))
            if part.code:
                yield from ("", f"```{part.language}", *part.code.splitlines(), "```")
    if others:
        yield from ("", prose(others))


def _grants(plan: Data) -> Iterator[str]:
    """Yield what lets Astra use the first keys that lack it; the code is ASCII without a fence."""
    shown = lay_out_grants(plan["grants"], _MOST_COMMANDS)
    if shown.sections or shown.remarks:
        yield from ("", f"## {TITLE}")
    for title, parts in shown.sections:
        yield from ("", f"### {prose(title)}")
        for part in parts:
            yield from ("", prose(part.text))
            if part.code:
                yield from ("", f"```{part.language}", *part.code.splitlines(), "```")
    for remark in shown.remarks:
        yield from ("", prose(remark))
