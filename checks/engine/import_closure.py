"""Which modules of the suite others import, directly or through others, read from their text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

ROOMS = ("checks", "inventory")
"""The packages in which imports are followed."""

# Parsing every file would take longer than a small audit, so that lines are matched instead. A
# match within a text can name a module too many, never one too few.
_IMPORT = re.compile(
    rf"\n[ \t]*(?:from[ \t]+((?:{'|'.join(ROOMS)})\b[\w.]*)[ \t]+import[ \t]+"
    r"(\((?:#[^\n]*|[^)#])*\)|[^\n#]*)"
    rf"|import[ \t]+((?:{'|'.join(ROOMS)})\b[^\n#]*))"
)
_FOR_TYPES = "\nif TYPE_CHECKING:\n"
_NEXT_STATEMENT = re.compile(r"\n(?=[^\s#])")
_NAME = re.compile(r"[\w.]+")
_COMMENT = re.compile(r"#[^\n]*")


def read_modules(suite: Path) -> dict[str, bytes]:
    """Return the text of each module of the rooms below ``suite``, by its dotted name."""
    files = sorted(file for room in ROOMS for file in (suite / room).rglob("*.py"))
    return {_module_of(file.relative_to(suite)): file.read_bytes() for file in files}


def _module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_closure(texts: Mapping[str, bytes], roots: Iterable[str]) -> set[str]:
    """Return the ``roots``, the modules that they import, those that these import, and so on.

    Imports for type checkers alone do not count. A module comes with the packages that it is in.
    """
    found: set[str] = set()
    waiting = {package for root in roots for package in _with_packages(root)}
    while waiting:
        module = waiting.pop()
        if module in texts and module not in found:
            found.add(module)
            waiting |= imported_names(texts[module].decode("utf-8")) - found
    return found


def imported_names(text: str) -> set[str]:
    """Return what a file with that ``text`` imports when it runs: modules, and names in them."""
    names = set()
    for module, members, direct in _IMPORT.findall("\n" + _without_types(text)):
        listed = _NAME.findall(_COMMENT.sub("", members or direct))
        names.update([module, *(f"{module}.{name}" for name in listed)] if module else listed)
    return {package for name in names for package in _with_packages(name)}


def _without_types(text: str) -> str:
    """Leave out the block of imports that only type checkers read."""
    before, marker, block = text.partition(_FOR_TYPES)
    if not marker:
        return text
    end = _NEXT_STATEMENT.search(block)
    return before + (block[end.start() :] if end else "")


def _with_packages(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))
