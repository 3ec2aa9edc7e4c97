"""The auditor's page, ``audit.html``: all of an audit in one file that asks for no other.

Of a fleet it is an index, with a page for each organization beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.page.assets import script, style_of
from reports.page.environment import environment
from reports.page.organizations.actions import actions_of
from reports.page.organizations.head import HeadIndex
from reports.page.organizations.lines import part
from reports.page.organizations.links import links_of, links_of_organization, page_name
from reports.page.parts import parts_of
from reports.presentation.selection import PageLimits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.model.head import Head
    from reports.page.organizations.lines import OrganizationLines
    from reports.page.organizations.links import PageLinks


def render(
    head: Head,
    lines: Iterable[bytes],
    limits: PageLimits | None = None,
    *,
    population: Iterable[bytes] = (),
) -> str:
    """Render the page of an audit from its head, and the lines of its findings.

    These and the lines of its ``population`` are read from their beginning as often as needed. The
    same audit gives the same text, but for the section ``run``. Of a fleet, this is the index of
    the pages that ``render_files`` renders.
    """
    return "".join(render_parts(head, lines, limits, population=population))


def render_parts(
    head: Head,
    lines: Iterable[bytes],
    limits: PageLimits | None = None,
    *,
    population: Iterable[bytes] = (),
) -> Iterator[str]:
    """Yield the text of ``render`` part by part: as a whole it takes twice its size, and more."""
    limits = limits or PageLimits()
    links = links_of(head, limits.fleet)
    limits = limits.of_index() if links.is_index else limits
    yield from _render(head, lines, population, limits=limits, links=links)


def render_files(
    head: Head,
    lines: Iterable[bytes],
    limits: PageLimits | None = None,
    *,
    population: Iterable[bytes] = (),
) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield file name and parts of the page of each organization; none unless it is a fleet.

    Lines of findings and population are read from their beginning as often as needed.
    """
    limits = limits or PageLimits()
    names = links_of(head, limits.fleet).names
    if not names:
        return
    index = HeadIndex(head)
    for own in part(lines, population, names):
        yield page_name(own.organization, names[own.organization]), _render_own(index, own, limits)


def render_organization(
    head: Head, lines: Iterable[bytes], organization: str, *, population: Iterable[bytes]
) -> str:
    """Render the page of one ``organization`` of an audit, by its id; as ``render_files``.

    Raises LookupError if the population does not have it.
    """
    [own] = part(lines, population, {organization})
    return "".join(_render_own(HeadIndex(head), own, PageLimits()))


def _render_own(index: HeadIndex, own: OrganizationLines, limits: PageLimits) -> Iterator[str]:
    name = index.name(own.organization)
    head = index.head_of(own.organization, own.findings, actions_of(own, name))
    links = links_of_organization(index.head, name)
    limits = limits.of_organization()
    yield from _render(head, own.findings, own.population, limits=limits, links=links)


def _render(
    head: Head,
    lines: Iterable[bytes],
    population: Iterable[bytes],
    *,
    limits: PageLimits,
    links: PageLinks,
) -> Iterator[str]:
    parts = parts_of(head, lines, population, limits=limits, links=links)
    template = environment().get_template("audit.html.j2")
    yield from template.generate(**parts, style=style_of(head), script=script())
