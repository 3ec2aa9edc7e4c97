"""Control ids of common frameworks, kept as data: which evidence a rule gives to which control."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checks.engine.card import unknown_rule
from inventory.errors import ControlsError, InventoryError, Problem
from inventory.files.documents import Document, field_name
from inventory.files.format_detection import CONTROLS
from inventory.files.validation import line_of, problems_of
from inventory.files.yaml_json import read_own_document
from inventory.model.base import FormatVersion

DEFAULT = Path(__file__).parents[1] / "controls.yaml"

Strength = Literal["direct", "supporting", "context"]


class Control(BaseModel):
    """A control to which a rule gives evidence of some strength; no rule satisfies one alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    strength: Strength


class Framework(BaseModel):
    """A framework's name and edition, and the controls of each rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rules: dict[str, tuple[Control, ...]]


class Controls(BaseModel):
    """The whole file."""

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
    """Find rules that do not exist."""
    for index, framework in enumerate(controls.frameworks):
        for rule in framework.rules:
            if rules is not None and rule not in rules:
                path = ("frameworks", index, "rules", rule)
                line = line_of(document.lines, path)
                yield Problem(file, line, field_name(path), *unknown_rule(rule, rules))
