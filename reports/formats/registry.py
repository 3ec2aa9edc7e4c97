"""The reports that an audit renders from its record, each a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reports.formats import html, markdown, sarif

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reports.model.head import Head

PAGE = "audit.html"
SUMMARY = "summary.md"
SARIF = "audit.sarif"


class Rendered(NamedTuple):
    """A report that is made of the record and of nothing else.

    Attributes:
        format: its name among the formats.
        file: the file's name.
        noun: what it is, in a word or two.
        render: makes its text of the head and the lines of the findings.
    """

    format: str
    file: str
    noun: str
    render: Callable[[Head, Iterable[bytes]], str]


RENDERED = (
    Rendered("html", PAGE, "page", html.render),
    Rendered("markdown", SUMMARY, "summary", markdown.render),
    Rendered("sarif", SARIF, "list of results", sarif.render),
)


def encode(text: str) -> bytes:
    """Return the bytes of a report; none of them depends on the system."""
    return text.encode("utf-8", errors="xmlcharrefreplace")


def write(report: Rendered, head: Head, findings: Path, file: Path) -> None:
    """Render ``report`` from the head and the file of findings of an audit."""
    with findings.open("rb") as lines:
        file.write_bytes(encode(report.render(head, lines)))
