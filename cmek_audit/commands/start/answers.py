"""What ``init`` has to know: from options, else from questions, else from defaults."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

import click
from pydantic import TypeAdapter, ValidationError

from inventory.errors import SettingError
from inventory.model.base import Name
from inventory.text.display import describe
from inventory.text.secrets import holds_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SOURCES = ("recorded", "live")
PIPELINES = ("none", "github", "gitlab")
DEFAULT_NAME = "my-organization"

_SOURCE_QUESTION = "Source: an inventory that you write, or Astra itself"
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_LONGEST_VARIABLE = 60


class Given(NamedTuple):
    """What the options say; what is empty was not given.

    Attributes:
        source: one of ``SOURCES``.
        organizations: the names of the organizations.
        pipeline: one of ``PIPELINES``.
    """

    source: str = ""
    organizations: tuple[str, ...] = ()
    pipeline: str = ""


class OrganizationEntry(NamedTuple):
    """An organization that the files name.

    Attributes:
        name: its name.
        variable: the environment variable of its token.
    """

    name: str
    variable: str


class Answers(NamedTuple):
    """Everything that decides about the files.

    Attributes:
        is_live: whether Astra is to be asked; else the inventory is written by people.
        organizations: at least one.
        pipeline: one of ``PIPELINES``.
    """

    is_live: bool
    organizations: tuple[OrganizationEntry, ...]
    pipeline: str


def answers(given: Given, *, may_ask: bool) -> Answers:
    """Return all answers; raise SettingError if the name of an organization cannot be used.

    What was not given is asked on the terminal if that is allowed, and has its default if not.
    """
    source = given.source or _choose(_SOURCE_QUESTION, SOURCES, may_ask=may_ask)
    names = given.organizations or _ask_names(may_ask=may_ask)
    pipeline = given.pipeline or _choose("Pipeline that runs the audit", PIPELINES, may_ask=may_ask)
    return Answers(source == "live", tuple(_entries(names)), pipeline)


def _choose(question: str, choices: Sequence[str], *, may_ask: bool) -> str:
    """Return the choice of the user; the first one is the default."""
    if not may_ask:
        return choices[0]
    kind = click.Choice(choices)
    answer: str = click.prompt(question, default=choices[0], type=kind, err=True)
    return answer


def _ask_names(*, may_ask: bool) -> tuple[str, ...]:
    if not may_ask:
        return (DEFAULT_NAME,)
    question = "Names of the organizations, with commas between them"
    text: str = click.prompt(question, default=DEFAULT_NAME, err=True)
    return tuple(name.strip() for name in text.split(","))


def _entries(names: Sequence[str]) -> Iterator[OrganizationEntry]:
    taken: set[str] = set()
    for number, name in enumerate(names, 1):
        _check(name)
        if name in names[: number - 1]:
            raise SettingError(f"--organization: found {describe(name)} twice, expected it once")
        variable = _free_variable(name, taken)
        taken.add(variable)
        yield OrganizationEntry(name, variable)


def _check(name: str) -> None:
    if holds_secret(name.encode(errors="replace")):
        raise SettingError("--organization: found what looks like a token, expected a name")
    try:
        _NAME.validate_python(name)
    except ValidationError:
        expected = "a name with a visible character"
        raise SettingError(f"--organization: found {describe(name)}, expected {expected}") from None


def _free_variable(name: str, taken: set[str]) -> str:
    """Return the variable for the token of an organization with this name.

    Two names may differ only by what a variable cannot hold: then a number does.
    """
    words = re.findall("[A-Z0-9]+", name.upper())
    variable = "_".join(["ASTRA_TOKEN", *words])[:_LONGEST_VARIABLE]
    numbered = (f"{variable}_{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([variable], numbered) if one not in taken)
