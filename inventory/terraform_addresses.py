"""Terraform's addresses of modules: ``module.app["eu"].module.db[0]``."""

from __future__ import annotations

import re

_NAME = r"(?:[^\W\d]|[^\x00-\x7f])(?:[\w-]|[^\x00-\x7f])*"
"""A name may hold marks that stand above a letter, which are no letters."""

_STEP = re.compile(rf'(?:^|\.)module\.({_NAME})(?:\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\])?', re.DOTALL)


def module_names(address: str) -> tuple[str, ...] | None:
    """Return the names of the modules without their instances; None if it is no such address."""
    names: list[str] = []
    end = 0
    while end < len(address):
        step = _STEP.match(address, end)
        if step is None or address.startswith("."):
            return None
        names.append(step[1])
        end = step.end()
    return tuple(names)


def module_of(address: str) -> str:
    """Return the address of the module in which a resource is; empty for the root."""
    end = 0
    while step := _STEP.match(address, end):
        end = step.end()
    return address[:end]
