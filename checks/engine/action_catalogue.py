"""All kinds of steps that the rules ask for, by their codes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType

from checks.engine.actions import Action, ActionKind
from checks.engine.reasons import reasons

_CHECKS = Path(__file__).parents[1]
_PACKAGES = ("checks", "checks.access", "checks.engine", "checks.shared")


@cache
def action_kinds() -> Mapping[str, ActionKind]:
    """Return each kind of step of the modules of ``checks`` and of the reason codes, by its code.

    Raises ValueError if one code has two meanings.
    """
    return MappingProxyType(collect_kinds([*_of_modules(), *_of_reasons()]))


def collect_kinds(kinds: list[ActionKind]) -> dict[str, ActionKind]:
    """Return the ``kinds`` by their codes; raise ValueError if one code has two meanings."""
    known: dict[str, ActionKind] = {}
    for kind in kinds:
        if known.setdefault(kind.code, kind) != kind:
            raise ValueError(f"two kinds of steps have the code {kind.code!r}")
    return dict(sorted(known.items()))


def _of_modules() -> Iterator[ActionKind]:
    for package in _PACKAGES:
        folder = _CHECKS.joinpath(*package.split(".")[1:])
        for module in pkgutil.iter_modules([str(folder)]):
            if not module.ispkg:
                yield from _of_module(importlib.import_module(f"{package}.{module.name}"))


def _of_module(module: ModuleType) -> Iterator[ActionKind]:
    """Yield the kinds in ``module``, those that it keeps as a step without values among them."""
    for value in vars(module).values():
        if isinstance(value, ActionKind):
            yield value
        elif isinstance(value, Action):
            yield value.kind


def _of_reasons() -> Iterator[ActionKind]:
    return (reason.action.kind for reason in reasons().values() if reason.action)
