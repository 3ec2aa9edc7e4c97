"""The words of the code and of everything a user reads: the field's, in plain English."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("inventory", "checks", "reports", "cmek_audit", "tests", "benchmarks")
CODE = [
    ROOT / "conftest.py",
    *sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py")),
]
OWN = [path for path in CODE if ROOT / "tests" not in path.parents]
"""The code but for its tests."""

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/workflows/*")])
TEMPLATES = sorted((ROOT / "reports/page/templates").glob("*.j2"))

UNCLEAR_NAMES = {
    "because": "gap_text",
    "doomed": "overwritten",
    "estate": "index",
    "looks": "labels",
    "manners": "policy",
    "meet": "on_organization",
    "says": "message",
    "settle": "resolve",
    "settles": "resolves",
    "shelf": "selection",
    "shelves": "selection",
    "survey": "index_organization",
    "tell": "report",
    "telling": "messages",
    "tells": "states",
    "told": "parsed",
    "untold": "not_shown",
    "wish": "request",
}
"""Words that no name in the code has, each with what a name would say instead."""

UNCLEAR_WORDS = {
    r"\banew\b": "again",
    r"\bbesides\b": "also",
    r"\bgraver\b|\bgravest\b": "more severe",
    r"\bidle\b": "unused",
    r"\blies\b|\blie\b": "is",
    r"\bnobody tells\b|\btells\b|\btold\b": "states, shows, reports",
    r"\bstands? (?:in(?! for)|on|at|there|below|above|beside)\b": "is",
    r"\bsettles?\b": "resolves",
    r"\btake over\b|\btakes over\b": "replaces",
}
"""Patterns that no sentence for users has, each with what it would say instead."""


def names(path: Path) -> set[str]:
    """Return every name that a file gives: modules, classes, functions, arguments, variables."""
    given = {path.stem}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            given.add(node.name)
        elif isinstance(node, ast.arg):
            given.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.add(node.id)
    return given


def words(name: str) -> set[str]:
    """Return the words of a name, in whichever case it joins them."""
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_are_of_the_field(path: Path) -> None:
    """No name in the code is a word of a dialect of its own; no variable is just ``each``."""
    unclear = {
        f"{name}: say {UNCLEAR_NAMES[word]}"
        for name in names(path)
        for word in words(name) & UNCLEAR_NAMES.keys()
    }
    unclear |= {"each: name what it holds"} & {
        f"{name}: name what it holds" for name in names(path)
    }
    assert unclear == set()


@cache
def sentences(path: Path) -> tuple[tuple[int, str], ...]:
    """Return what people read of a file, with its line: pages whole, of code docs and messages."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return tuple(enumerate(text.splitlines(), 1))
    return tuple(
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    )


@pytest.mark.parametrize(
    "path",
    [*PAGES, *TEMPLATES, *OWN],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_sentences_are_plain_english(path: Path) -> None:
    """No page, message or docstring has the words that read as translated."""
    if path.name == "CHANGELOG.md":
        pytest.skip("what was written of earlier changes stays as it was written")
    found = [
        f"{path.name}:{line}: {match[0]!r}, say {instead}"
        for line, text in sentences(path)
        for pattern, instead in UNCLEAR_WORDS.items()
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]
    assert found == []
