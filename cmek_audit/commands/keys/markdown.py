"""The plan of the keys in Markdown, for a ticket to whoever creates keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.commands.keys import sentences as words
from reports.presentation.labels import CELL, KEY_NUMBERS, PROVIDER, TYPE
from reports.presentation.markdown_text import code, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.commands.keys.price import Price
    from cmek_audit.commands.keys.sentences import Answer

_MOST_COMMANDS = 20
_COLUMNS = ("State", "Organization", "Database type", "Provider", "Region", "Databases", "Why")


def render(answer: Answer, price: Price | None) -> str:
    """Render the plan: numbers, all key scopes, what is in doubt, and what to do."""
    parts = (_head(answer, price), _scopes(answer), _doubts(answer), _steps(answer))
    return "\n".join(line for part in parts for line in part)


def _head(answer: Answer, price: Price | None) -> Iterator[str]:
    yield from (f"# {prose(words.title(answer))}", "")
    parts = zip(map(code, words.names(answer)), answer["organizations"], strict=True)
    rows = [[name, *_numbers(each)] for name, each in parts]
    total = ["All", *_numbers(words.whole(answer))]
    yield from table(["Organization", *map(str.capitalize, KEY_NUMBERS.values())], [*rows, total])
    for text in words.remarks(answer, price):
        yield from ("", prose(text))


def _numbers(part: Answer) -> list[str]:
    return [words.number(name, part) for name in KEY_NUMBERS]


def _scopes(answer: Answer) -> Iterator[str]:
    rows = [
        [
            CELL[scope["state"]].word,
            code(name),
            *_place(scope),
            words.databases(scope),
            prose(words.why(scope)),
        ]
        for name, organization in zip(words.names(answer), answer["organizations"], strict=True)
        for scope in words.scopes(organization)
    ]
    if rows:
        yield from ("", "## Key scopes", "")
        yield from table(_COLUMNS, rows)


def _place(scope: Answer) -> tuple[str, str, str]:
    return TYPE[scope["type"]], PROVIDER[scope["provider"]], code(scope["region"])


def _doubts(answer: Answer) -> Iterator[str]:
    told = list(words.doubts(answer))
    if told:
        yield from ("", "## Not all is known", "")
        yield from (f"- {prose(text)}" for text in told)


def _steps(answer: Answer) -> Iterator[str]:
    if answer["steps"]:
        yield from ("", "## What to do")
    for text in words.before_steps(answer):
        yield from ("", prose(text))
    for step in answer["steps"]:
        yield from ("", f"### {words.kind(step)}", "", prose(words.page(step)))
        yield from ("", words.regions(step, code), "")
        yield from (f"{place}. {prose(text)}" for place, text in enumerate(step["steps"], 1))
        yield from _commands(answer, step)
    yield from ("", words.conclusion(answer))


def _commands(answer: Answer, step: Answer) -> Iterator[str]:
    """Yield what to paste for the key scopes of a step; all of it is ASCII without a fence."""
    shown, others = words.ready(answer, step, _MOST_COMMANDS)
    for place, parts in words.all_parts(answer, shown):
        yield from ("", f"#### {prose(place)}")
        for part in parts:
            yield from ("", prose(part.text))
            if part.code:
                yield from ("", f"```{part.language}", *part.code.splitlines(), "```")
    if others:
        yield from ("", prose(others))
