"""Markdown as a reader takes it: what is text, what a table has, and what would do harm."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from inventory.text.deceptive_text import deceptive_positions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


HARMLESS = {"text", "code_inline", "strong_open", "strong_close", "link_open", "link_close"}

OURS = re.compile(r"audit\.html(?:#f-[0-9a-f]{20})?")
"""Where a link may lead: to the page beside the summary, or to a finding in it."""


LIVELY = re.compile(r"[@#<>&`~$%^|\\*_\[\]{}]|://|www\.", re.IGNORECASE)
"""What could mention somebody, link somewhere or set the text, were it not in code."""


def inline(text: str) -> list[Token]:
    """Return everything that stands in a text, without what blocks it stands in."""
    return [child for block in PARSER.parse(text) for child in block.children or ()]


def tables_of(text: str) -> dict[str, list[list[str]]]:
    """Return the rows of each table, as a reader takes them, by the heading above."""
    tables: dict[str, list[list[str]]] = {}
    heading = ""
    tokens = PARSER.parse(text)
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            heading = token.content
        elif before.type == "tr_open":
            tables.setdefault(heading, []).append([])
        elif before.type in {"th_open", "td_open"}:
            tables[heading][-1].append(token.content)
    return tables


def columns(lines: Iterable[str]) -> list[int]:
    """Count the bars of each line of a table."""
    return [line.count("|") for line in lines if line.startswith("|")]


def assert_harmless(text: str) -> None:
    tokens = inline(text)
    assert {token.type for token in tokens} <= HARMLESS
    targets = {str(token.attrGet("href")) for token in tokens if token.type == "link_open"}
    assert {target for target in targets if not OURS.fullmatch(target)} == set()
    assert [
        token.content for token in tokens if token.type == "text" and LIVELY.search(token.content)
    ] == []
    assert {text[place] for place in deceptive_positions(text)} <= {"\n"}
