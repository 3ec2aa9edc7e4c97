"""Finds the resource blocks of a configuration in HCL, Terraform's own language.

Only enclosing syntax is read: comments, quoted texts, heredocs, the templates in both, and
brackets. Expressions are skipped, so no function and no operator has to be known. The rules are
those of the HCL scanner, which Terraform and OpenTofu use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from inventory.text.line_numbers import LineNumbers

# Possessive quantifiers (``++``, ``*+``) never backtrack, so hostile files take linear time.
_NAME = r"(?:[A-Za-z_]|[^\x00-\x7f])(?:[A-Za-z0-9_-]|[^\x00-\x7f])*+"
_COMMENT = r"/\*.*?\*/"
_LINE_COMMENT = r"(?:\#|//)[^\n]*+"
_LITERAL = r"\$\$\{|%%\{|[$%](?!\{)"
"""A sign that begins no template: doubled, or without a brace."""

_GAP = rf"(?:[ \t]++|{_COMMENT})*+"
_LABEL = rf'(?:{_NAME}|"(?:[^"\\$%\r\n]++|\\[^\r\n]|{_LITERAL})*+")'
_BLANK = re.compile(rf"(?:[ \t]++|\r?\n|{_COMMENT}|{_LINE_COMMENT})*+", re.DOTALL)
_HEAD = re.compile(
    rf"({_NAME}){_GAP}(?:({_LABEL}){_GAP})?(?:({_LABEL}){_GAP})?(?:{_LABEL}{_GAP})*+(?=\{{)",
    re.DOTALL,
)
_TAIL = re.compile(rf"{_GAP}(?:{_LINE_COMMENT})?(?:\r?\n|\Z)", re.DOTALL)

_CODE = re.compile(
    rf"""(?:[^"\#/<()\[\]{{}}]++|/(?![/*])|<(?!<-?{_NAME}\r?\n)|{_COMMENT}|{_LINE_COMMENT})++
    |<<-?(?P<heredoc>{_NAME})(?=\r?\n)
    |(?P<quote>")
    |(?P<open>[(\[{{])
    |(?P<close>[)\]}}])""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(
    rf"""(?:[^"\\$%\r\n]++|\\[^\r\n]|{_LITERAL})++
    |(?P<open>[$%]\{{)
    |(?P<close>")""",
    re.VERBOSE,
)
_HEREDOC = re.compile(
    rf"""\r?\n(?P<close>[^$%\r\n]*+)(?=\r?\n)
    |(?:[^$%\r\n]++|{_LITERAL})++
    |\r?\n
    |(?P<open>[$%]\{{)""",
    re.VERBOSE,
)
_ENDS = {"(": ")", "[": "]", "{": "}"}
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""White space that may surround the end of a heredoc."""


class Resources(NamedTuple):
    """The resources of a text.

    Attributes:
        lines: the line of each managed resource, by its type and name.
        broken: the line of the first syntax error, with no resources; 0 if there is none.
    """

    lines: dict[tuple[str, str], int]
    broken: int = 0


class _BrokenError(Exception):
    """Carries the position of a syntax error."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class _Open(NamedTuple):
    """An open bracket, quoted text or heredoc: what ends it, and where it begins."""

    end: str
    at: int


def find_resources(text: str) -> Resources:
    """Find the resources; outside of blocks, Terraform allows nothing but comments."""
    numbers = LineNumbers(text)
    lines: dict[tuple[str, str], int] = {}
    try:
        for head in _heads(text):
            if head[1] == "resource" and head[3]:
                resource = head[2].strip('"'), head[3].strip('"')
                lines.setdefault(resource, numbers.at(head.start()))
    except _BrokenError as broken:
        return Resources({}, numbers.at(broken.at))
    return Resources(lines)


def _heads(text: str) -> Iterator[re.Match[str]]:
    """Yield type and first two labels of each block, up to its bracket."""
    at = _end(_BLANK, text, 0)
    while at < len(text):
        head = _HEAD.match(text, at)
        if head is None:
            raise _BrokenError(at)
        yield head
        at = _end(_BLANK, text, _end(_TAIL, text, _after(text, head.end())))


def _after(text: str, at: int) -> int:
    """Return the position after the block whose bracket is at ``at``."""
    opened: list[_Open] = []
    while True:
        match = _pattern(opened).match(text, at)
        if match is None:
            raise _BrokenError(at if at < len(text) else opened[-1].at)
        _track(match, opened)
        at = match.end()
        if not opened:
            return at


def _pattern(opened: list[_Open]) -> re.Pattern[str]:
    """Return the pattern for the inside of the innermost open part."""
    if not opened or opened[-1].end in _ENDS.values():
        return _CODE
    return _QUOTED if opened[-1].end == '"' else _HEREDOC


def _track(match: re.Match[str], opened: list[_Open]) -> None:
    """Update the stack ``opened`` by what the match opens or closes."""
    kind = match.lastgroup
    if kind == "close":
        if match["close"].strip(_SPACES) == opened[-1].end:
            opened.pop()
        elif match.re is not _HEREDOC:  # in a heredoc, any other line is text
            raise _BrokenError(match.start())
    elif kind is not None:
        sign = match[kind]
        opened.append(_Open(_ENDS.get(sign[-1], sign) if kind == "open" else sign, match.start()))


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    if match is None:
        raise _BrokenError(at)
    return match.end()
