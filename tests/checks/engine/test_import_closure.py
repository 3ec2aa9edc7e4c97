"""Imports as they are matched in the text, beside those that Python's own parser finds."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.engine.import_closure import import_closure, imported_names, read_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
TEXTS = read_modules(ROOT)


def parsed_names(text: str) -> set[str]:
    """Return what ``text`` imports from the suite when it runs, by the parser."""
    names = set(_names(ast.parse(text)))
    return {name for name in names if name.partition(".")[0] in {"checks", "inventory"}}


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from _names(node)


@pytest.mark.parametrize("module", sorted(TEXTS))
def test_no_import_is_missed(module: str) -> None:
    """In every file of the suite, all imports are found that the parser finds."""
    text = TEXTS[module].decode("utf-8")
    assert parsed_names(text) - imported_names(text) == set()


def test_imports_for_type_checkers_do_not_count() -> None:
    """What is imported for annotations alone is no part of what runs."""
    text = (
        "from checks.engine import card, catalogue as c  # both\n"
        "if TYPE_CHECKING:\n    from checks.engine.context import Context\n\n"
        "def f():\n    from inventory.model.key import (\n        Key,  # one\n    )\n"
    )
    modules = {name for name in imported_names(text) if name in TEXTS}
    assert modules == {
        "checks",
        "checks.engine",
        "checks.engine.card",
        "checks.engine.catalogue",
        "inventory",
        "inventory.model",
        "inventory.model.key",
    }


def test_a_closure_follows_imports_to_their_end() -> None:
    """A closure holds what is imported by what is imported, and nothing beside."""
    texts = {
        "checks": b"",
        "checks.a": b"from checks.b import x\n",
        "checks.b": b"import inventory.c\n",
        "inventory": b"",
        "inventory.c": b"",
        "inventory.d": b"import checks.a\n",
    }
    assert import_closure(texts, ["checks.a"]) == texts.keys() - {"inventory.d"}
