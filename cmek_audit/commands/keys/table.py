"""The plan of the keys for a terminal, which may be narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.commands.keys import sentences as words
from cmek_audit.console import wrapped
from inventory.text.display import printable
from reports.presentation.labels import CELL, KEY_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.commands.keys.price import Price
    from cmek_audit.commands.keys.sentences import Answer

_LONGEST_PATH = 40
_LONGEST = 200
_LONGEST_WHY = 300
_MOST_COMMANDS = 3


def render(answer: Answer, price: Price | None) -> str:
    """Render the plan: numbers, all key scopes, what is in doubt, and what to do."""
    return "\n".join([*_head(answer, price), *_scopes(answer), *_doubts(answer), *_steps(answer)])


def _head(answer: Answer, price: Price | None) -> Iterator[str]:
    yield from wrapped(words.title(answer))
    yield ""
    whole = words.whole(answer)
    for name, word in KEY_NUMBERS.items():
        yield f"{word.capitalize() + ':':<15}{words.number(name, whole)}"
    for text in words.remarks(answer, price):
        yield from wrapped(printable(text))


def _scopes(answer: Answer) -> Iterator[str]:
    organizations = answer["organizations"]
    every = (len(_path(scope)) for each in organizations for scope in each["scopes"])
    wide = max((length for length in every if length <= _LONGEST_PATH), default=0)
    for name, organization in zip(words.names(answer), organizations, strict=True):
        numbers = _numbers(organization) if len(organizations) > 1 else ""
        yield ""
        yield from wrapped(printable(name, _LONGEST) + numbers)
        for scope in words.scopes(organization):
            state = CELL[scope["state"]].word
            yield f"  {state:<18}  {_path(scope):<{wide}}  {words.databases(scope)}"
            if why := words.why(scope):
                yield from wrapped(printable(why, _LONGEST_WHY), "    ")


def _numbers(organization: Answer) -> str:
    told = (f"{words.number(key, organization)} {word}" for key, word in KEY_NUMBERS.items())
    return f": {', '.join(told)}"


def _path(scope: Answer) -> str:
    return printable(f"{scope['type']}/{scope['provider']}/{scope['region']}", _LONGEST)


def _doubts(answer: Answer) -> Iterator[str]:
    told = list(words.doubts(answer))
    if told:
        yield from ("", "Not all is known")
    for text in told:
        yield from wrapped(printable(text), "  ")


def _steps(answer: Answer) -> Iterator[str]:
    if answer["steps"]:
        yield from ("", "What to do")
    for text in words.before_steps(answer):
        yield from wrapped(text)
    for step in answer["steps"]:
        yield ""
        yield from wrapped(words.kind(step))
        yield from wrapped(words.page(step), "  ")
        yield from wrapped(words.regions(step, lambda region: printable(region, _LONGEST)), "  ")
        for number, text in enumerate(step["steps"], 1):
            yield from wrapped(printable(f"{number}. {text}"), "  ", "     ")
        yield from _commands(answer, step)
    yield ""
    yield from wrapped(words.conclusion(answer))


def _commands(answer: Answer, step: Answer) -> Iterator[str]:
    """Yield what to paste for the first key scopes of a step, no line of it folded."""
    shown, others = words.ready(answer, step, _MOST_COMMANDS)
    for place, parts in words.all_parts(answer, shown):
        yield ""
        yield from wrapped(printable(place, _LONGEST), "  ")
        for part in parts:
            yield from wrapped(printable(part.text, _LONGEST), "    ")
            yield from (f"      {line}" for line in part.code.splitlines())
    if others:
        yield ""
        yield from wrapped(others, "  ")
