"""Control ids of common frameworks, kept as data: which evidence a rule gives to which control."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checks.engine.card import unknown_rule
from inventory.errors import ControlsError, InventoryError, Problem
from inventory.files.documents import Document, field_name
from inventory.files.format_detection import CONTROLS
from inventory.files.suggestions import did_you_mean
from inventory.files.validation import line_of, problems_of
from inventory.files.yaml_json import read_own_document
from inventory.model.base import FormatVersion
from inventory.text.display import describe

DEFAULT = Path(__file__).parents[1] / "controls.yaml"

Strength = Literal["direct", "supporting", "context"]
STRENGTHS: tuple[Strength, ...] = get_args(Strength)
"""The strengths of evidence, the strongest first."""


class Control(BaseModel):
    """A control to which a rule gives evidence of some strength; no rule satisfies one alone.

    Attributes:
        id: the control's id in its framework.
        strength: ``direct`` shows the control at work, ``supporting`` adds to it, ``context`` helps
            to read it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    strength: Strength


class ControlText(BaseModel):
    """A control in words.

    Attributes:
        title: what it is about; empty if the file does not say.
        not_shown: what the evidence leaves open; empty if the file does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    not_shown: str = ""


class Framework(BaseModel):
    """A framework.

    Attributes:
        name: its name and edition.
        not_shown: what the evidence leaves open for all its controls; empty if nobody says.
        controls: its controls in words, by id.
        rules: the controls to which each rule gives evidence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    not_shown: str = ""
    controls: dict[str, ControlText] = {}
    rules: dict[str, tuple[Control, ...]]

    @property
    def ids(self) -> list[str]:
        """Return the ids of the controls to which any rule gives evidence, in natural order."""
        used = {control.id for controls in self.rules.values() for control in controls}
        return sorted(used, key=_natural)


class Controls(BaseModel):
    """A file of control ids: to which controls each rule gives evidence.

    Attributes:
        version: the version of the format, 1.
        frameworks: the frameworks that a report shows, in their order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[FormatVersion, Field(alias="cmek-controls")]
    frameworks: tuple[Framework, ...]

    def of(self, rule: str) -> list[tuple[str, Control]]:
        """Return the controls of ``rule`` with the names of their frameworks."""
        return [
            (framework.name, control)
            for framework in self.frameworks
            for control in framework.rules.get(rule, ())
        ]


def find_frameworks(words: str, names: Iterable[str]) -> list[str]:
    """Return the ``names`` that ``words`` may mean: that name itself, else each with those words.

    The words come in the order of the name, in any case: ``nist 800-53`` is NIST SP 800-53 r5.
    """
    known = list(dict.fromkeys(names))
    if words in known:
        return [words]
    return [name for name in known if _has_words(name, words)]


def read_controls(path: Path = DEFAULT, rules: Collection[str] | None = None) -> Controls:
    """Read a file of control ids; raise ControlsError with all its problems.

    ``rules`` are the ids of the rules that exist; a file may speak of no other.
    """
    file = str(path)
    try:
        _, document = read_own_document(file, CONTROLS)
    except InventoryError as error:
        raise ControlsError(error.problems) from None
    if document.problems:
        raise ControlsError(document.problems)
    try:
        controls = Controls.model_validate(document.data)
    except ValidationError as error:
        raise ControlsError(problems_of(error, file, document.lines, model=Controls)) from None
    if strange := list(_strange(controls, document, file, rules)):
        raise ControlsError(strange)
    return controls


def _strange(
    controls: Controls, document: Document, file: str, rules: Collection[str] | None
) -> Iterator[Problem]:
    """Find rules that do not exist, and words for controls that no rule names."""
    for index, framework in enumerate(controls.frameworks):
        used = framework.ids
        for control in framework.controls:
            if control not in used:
                path = ("frameworks", index, "controls", control)
                line = line_of(document.lines, path)
                expected = f"a control that a rule names{did_you_mean(control, used)}"
                yield Problem(file, line, field_name(path), describe(control), expected)
        for rule in framework.rules:
            if rules is not None and rule not in rules:
                path = ("frameworks", index, "rules", rule)
                line = line_of(document.lines, path)
                yield Problem(file, line, field_name(path), *unknown_rule(rule, rules))


def _has_words(name: str, words: str) -> bool:
    """Say whether all ``words`` are in ``name``, in their order; no word at all is in none."""
    wanted = _words(words)
    # The iterator is shared: each word is looked for behind the one before.
    rest = iter(_words(name))
    return bool(wanted) and all(word in rest for word in wanted)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _natural(text: str) -> list[tuple[int, str]]:
    """Return what sorts numbers inside of ids by their value: A.5.9 before A.5.23."""
    return [(int(digits or -1), other) for digits, other in re.findall(r"(\d{1,18})|(\D+)", text)]
