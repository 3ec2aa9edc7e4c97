"""The key plan for a terminal, which may be narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.commands.keys import sentences
from cmek_audit.commands.keys.grants import TITLE, lay_out_grants
from cmek_audit.console import aligned, wrapped
from inventory.text.display import printable
from reports.presentation.labels import CELL, KEY_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.commands.keys.price import Price
    from cmek_audit.commands.keys.sentences import Data

_LONGEST = 200
_LONGEST_REASON = 300
_MOST_COMMANDS = 3


def render(plan: Data, price: Price | None) -> str:
    """Render the plan: numbers, all key scopes, what is unknown, and what to do."""
    return "\n".join([*_head(plan, price), *_scopes(plan), *_doubts(plan), *_steps(plan)])


def _head(plan: Data, price: Price | None) -> Iterator[str]:
    yield from wrapped(sentences.title(plan))
    yield ""
    total = sentences.total(plan)
    yield from aligned(
        (f"{label.capitalize()}:", sentences.number(name, total))
        for name, label in KEY_NUMBERS.items()
    )
    for remark in sentences.remarks(plan, price):
        yield from wrapped(printable(remark))


def _scopes(plan: Data) -> Iterator[str]:
    """Yield all key scopes, in columns that are the same for all organizations."""
    organizations = [
        (name, organization, sentences.sorted_scopes(organization))
        for name, organization in sentences.with_names(plan)
    ]
    lines = iter(aligned(_row(scope) for _, _, scopes in organizations for scope in scopes))
    for name, organization, scopes in organizations:
        numbers = _numbers(organization) if len(organizations) > 1 else ""
        yield ""
        yield from wrapped(printable(name, _LONGEST) + numbers)
        for scope, line in zip(scopes, lines, strict=False):  # the lines of the others follow
            yield f"  {line}"
            if reason := sentences.reason(scope):
                yield from wrapped(printable(reason, _LONGEST_REASON), "    ")


def _row(scope: Data) -> tuple[str, str, str]:
    path = f"{scope['type']}/{scope['provider']}/{scope['region']}"
    return CELL[scope["state"]].word, printable(path, _LONGEST), sentences.databases(scope)


def _numbers(organization: Data) -> str:
    numbers = (
        f"{sentences.number(name, organization)} {label}" for name, label in KEY_NUMBERS.items()
    )
    return f": {', '.join(numbers)}"


def _doubts(plan: Data) -> Iterator[str]:
    if doubts := list(sentences.doubts(plan)):
        yield from ("", "What is unknown")
    for doubt in doubts:
        yield from wrapped(printable(doubt), "  ")


def _steps(plan: Data) -> Iterator[str]:
    if plan["steps"]:
        yield from ("", "What to do")
    for text in sentences.before_steps(plan):
        yield from wrapped(text)
    for step in plan["steps"]:
        regions = sentences.regions(step, lambda region: printable(region, _LONGEST))
        yield ""
        yield from wrapped(sentences.step_title(step))
        yield from wrapped(sentences.page(step), "  ")
        yield from wrapped(regions, "  ")
        for number, text in enumerate(step["steps"], 1):
            yield from wrapped(printable(f"{number}. {text}"), "  ", "     ")
        yield from _commands(plan, step)
    yield from _grants(plan)
    yield ""
    yield from wrapped(sentences.conclusion(plan))


def _commands(plan: Data, step: Data) -> Iterator[str]:
    """Yield what to paste for the first key scopes of a step, no line of it folded."""
    shown, others = sentences.shown_commands(plan, step, _MOST_COMMANDS)
    for title, parts in sentences.paste_sections(plan, shown):
        yield ""
        yield from wrapped(printable(title, _LONGEST), "  ")
        for part in parts:
            yield from wrapped(printable(part.text, _LONGEST), "    ")
            yield from (f"      {line}" for line in part.code.splitlines())
    if others:
        yield ""
        yield from wrapped(others, "  ")


def _grants(plan: Data) -> Iterator[str]:
    """Yield what lets Astra use the first keys that lack it, no line of it folded."""
    shown = lay_out_grants(plan["grants"], _MOST_COMMANDS)
    if shown.sections or shown.remarks:
        yield from ("", TITLE)
    for title, parts in shown.sections:
        yield ""
        yield from wrapped(printable(title, _LONGEST), "  ")
        for part in parts:
            yield from wrapped(printable(part.text, _LONGEST_REASON), "    ")
            yield from (f"      {line}" for line in part.code.splitlines())
    for remark in shown.remarks:
        yield ""
        yield from wrapped(printable(remark, _LONGEST_REASON), "  ")
