"""Terraform's addresses of instances, and the references in its configuration.

An address is ``module.app["eu"].astra_database.orders[0]``. The key of an instance is kept as
Terraform writes it, between the brackets; Terraform writes it alike in addresses and references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_NAME = r"(?:[^\W\d]|[^\x00-\x7f])(?:[\w-]|[^\x00-\x7f])*"
"""A name may hold marks that are written above a letter, which are no letters."""

_KEY = r'\[([0-9]+|"(?:[^"\\]|\\.)*")\]'
_STEP = re.compile(rf"(?:^|\.)module\.({_NAME})(?:{_KEY})?", re.DOTALL)
_INDEX = re.compile(_KEY, re.DOTALL)
_REFERENCE = re.compile(
    rf"(?:(var|module)\.({_NAME})|((?:data\.)?{_NAME}\.{_NAME}))(?:{_KEY})?(?:\.({_NAME}))?",
    re.DOTALL,
)
_RESERVED = frozenset(
    {"action", "arg", "count", "data", "each", "ephemeral", "lazy", "local", "path", "provider"}
    | {"resource", "self", "template", "terraform"}
)
"""First words of references that never name a managed resource, whatever its type."""


# --- addresses ------------------------------------------------------------------------------------


class Step(NamedTuple):
    """One module of an address; the key is empty if the module has no instances."""

    name: str
    key: str


def module_steps(address: str) -> tuple[Step, ...] | None:
    """Return the modules of a module's address; None if it is no such address."""
    steps: list[Step] = []
    end = 0
    while end < len(address):
        step = _STEP.match(address, end)
        if step is None or address.startswith("."):
            return None
        steps.append(Step(step[1], step[2] or ""))
        end = step.end()
    return tuple(steps)


def module_names(address: str) -> tuple[str, ...] | None:
    """Return the names of the modules without their instances; None if it is no such address."""
    steps = module_steps(address)
    return None if steps is None else tuple(step.name for step in steps)


def module_of(address: str) -> str:
    """Return the address of the module in which a resource is; empty for the root."""
    end = 0
    while step := _STEP.match(address, end):
        end = step.end()
    return address[:end]


def instance_key(address: str, module: str, resource: str) -> str | None:
    """Return the key of an instance of ``resource``, such as ``astra_database.orders``.

    It is empty if the resource has no instances. None if ``address`` is not one of this resource in
    this module.
    """
    start = f"{module}.{resource}" if module else resource
    if not address.startswith(start):
        return None
    index = _INDEX.fullmatch(address, len(start))
    if index is None:
        return None if address != start else ""
    return index[1]


# --- references -----------------------------------------------------------------------------------


class Reference(NamedTuple):
    """What an expression or ``depends_on`` refers to.

    Attributes:
        kind: ``resource``, ``module`` or ``var``; empty if the text cannot be read.
        name: such as ``astra_database.orders`` or ``data.aws_kms_key.main``.
        key: the one instance it names; empty if it may be any.
        output: the output of the module; empty if it is the whole module.
    """

    kind: str
    name: str = ""
    key: str = ""
    output: str = ""


def read_references(texts: Iterable[object]) -> list[Reference]:
    """Return what one expression refers to; ``texts`` are its ``references``.

    Terraform lists each reference with all its prefixes: ``k["eu"].id``, ``k["eu"]``, ``k``. The
    prefixes refer to nothing more than the longest, so they are left out.
    """
    references = [_levels(text) for text in texts if isinstance(text, str)]
    prefixes = {level for levels in references for level in levels[:-1]}
    longest = dict.fromkeys(levels[-1] for levels in references)
    return [reference for reference in longest if reference not in prefixes]


def read_dependencies(texts: Iterable[object]) -> list[Reference]:
    """Return what ``depends_on`` refers to; each text counts by itself."""
    return [_levels(text)[-1] for text in texts if isinstance(text, str)]


def _levels(text: str) -> list[Reference]:
    """Return the prefixes of a reference, the shortest first, and at last the reference itself."""
    match = _REFERENCE.match(text)
    if match is None:
        return [Reference("")]
    kind, module, resource, key, attribute = match.groups(default="")
    levels = [Reference(kind or "resource", module or resource)]
    if key and kind != "var":
        levels.append(levels[0]._replace(key=key))
    if attribute and kind == "module":
        levels.append(levels[-1]._replace(output=attribute))
    is_reserved = resource.count(".") == 1 and resource.partition(".")[0] in _RESERVED
    if is_reserved or not _may_end(text[match.end() :], key, attribute):
        levels.append(Reference(""))
    return levels


def _may_end(rest: str, key: str, attribute: str) -> bool:
    """Say whether ``rest`` can follow; if not, what was matched may be part of a longer name."""
    if attribute:
        return not rest or rest[0] in ".["
    return not rest or bool(key and rest[0] == "[")
