"""What an audit adds to pytest's own reports, ``results.html`` and ``junit.xml``."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from checks.engine.finding import NOT_COMPLYING, OPEN, STATUSES
from inventory.text.display import printable
from reports.formats.junit import suite_properties
from reports.presentation.banners import banners
from reports.presentation.evidence_text import rests_on
from reports.presentation.messages import counts_of, describe_items
from reports.presentation.source_notes import first_notes
from reports.record.layout import without_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

    import pytest

    from checks.engine.outcome import Example, FindingGroup
    from reports.model.head import Head
    from reports.page.organizations.links import PageLinks

TITLE = "Customer keys in Astra: results of the run"
NO_AUDIT = "NO AUDIT: the run did not finish, and no report was written."
STYLE = Path(__file__).with_name("results.css")
MOST_ROWS = 2_000
ROWS_LEFT_OUT = f"<p>Rows beyond {MOST_ROWS:,} are left out of this table, and of its counts.</p>"
COLUMNS = ("rule", "organization", "type", "provider", "region", "severity", "status")
MOST_NAMES = 3
"""How many organizations, types, providers or regions a cell names; the others are counted."""

_VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
"""Without it, a phone shows the page as wide as a desk, and too small to read."""

_NO_SCRIPT = "<noscript><p>The table of this page needs JavaScript.</p></noscript>"
_ON_SETUP = 'failed on setup with "'
"""What pytest puts before the message of an error in JUnit."""


# --- the table of results.html --------------------------------------------------------------------


def header(cells: list[str]) -> None:
    """Insert our columns after the outcome; that of links is of those into the auditor's page."""
    inserted = [
        f'<th class="sortable" data-column-type="{name}">{name.capitalize()}</th>'
        for name in COLUMNS
    ]
    cells[:] = [cells[0], *inserted, "<th>Open findings</th>", *cells[1:-1]]


def row(
    report: pytest.TestReport,
    cells: list[str],
    number: int,
    group: FindingGroup | None,
    links: PageLinks | None,
) -> None:
    """Insert our columns, or drop the row if the table grows past what a browser can open.

    ``number`` counts the rows that the table was offered, from 1 on, ``group`` holds the findings
    of the row, and ``links`` lead to the auditor's pages; None if this run writes none.

    A report of setup or teardown that went well is no row of its own, and is not dropped here.
    """
    if number > MOST_ROWS and not report.failed:
        del cells[:]
        return
    texts = _texts(group) if group else dict.fromkeys(COLUMNS, "")
    inserted = [
        f'<td class="col-{name}">{escape(printable(text))}</td>' for name, text in texts.items()
    ]
    opened = f'<td class="col-links">{_open_findings(group, links) if group else ""}</td>'
    cells[:] = [cells[0], *inserted, opened, *cells[1:-1]]


def _texts(group: FindingGroup) -> dict[str, str]:
    """Return the text of each of our columns.

    A group of several subjects shows where its open findings are.
    """
    concerned = {place[0] for place in group.open_in} or group.organizations
    names = [group.organizations.get(organization, organization) for organization in concerned]
    return {
        "rule": group.card.id,
        "organization": _listed(names),
        "type": group.type or _listed({place[1] for place in group.open_in}),
        "provider": group.provider or _listed({place[2] for place in group.open_in}),
        "region": group.region or _listed({place[3] for place in group.open_in}),
        "severity": group.severity,
        "status": group.status,
    }


def _listed(names: Iterable[str]) -> str:
    """List the first of ``names``, and count the others."""
    known = sorted(filter(None, names))
    more = f" and {len(known) - MOST_NAMES:,} more" if len(known) > MOST_NAMES else ""
    return ", ".join(known[:MOST_NAMES]) + more


def _open_findings(group: FindingGroup, links: PageLinks | None) -> str:
    """Count the open findings of a group; the number leads to them in the auditor's pages."""
    number = sum(group.counts[status] for status in OPEN)
    if not number or links is None:
        return f"{number:,} open" if number else ""
    return f'<a href="{escape(_address(group, number, links))}">{number:,} open</a>'


def _address(group: FindingGroup, number: int, links: PageLinks) -> str:
    """Return what leads to the ``number`` open findings of a group: one finding, or a filter."""
    if number == 1:
        return links.finding(group.examples[0].id, group.examples[0].organization)
    statuses = ",".join(status for status in STATUSES if status in OPEN and group.counts[status])
    organizations = {place[0] for place in group.open_in}
    organization = organizations.pop() if len(organizations) == 1 else ""
    return links.findings(organization, status=statuses, rule=group.card.id)


def details(
    report: pytest.TestReport,
    data: list[str],
    group: FindingGroup | None,
    links: PageLinks | None,
) -> None:
    """Replace what a row opens to: the facts of its group, each leading to its finding.

    What another plugin made of the report stays as it is.
    """
    if group is None or not _is_of(report, group):
        return
    data[0] = "\n".join([*_facts(group, links), escape(_rule(group))])


def _is_of(report: pytest.TestReport, group: FindingGroup) -> bool:
    """Return whether the text of ``report`` is that of ``group``, or it passed and has none."""
    if report.passed:
        return report.when == "call"
    longrepr = report.longrepr
    # The text that pytest makes of a report begins with the worker that ran it, if one did.
    shown = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return shown.removeprefix("Skipped: ").split() == group.text().split()


def _facts(group: FindingGroup, links: PageLinks | None) -> Iterator[str]:
    """Yield a line for each finding that the group names, and one that counts the others."""
    for example in group.examples:
        shown, address = escape(example.status), _address_of(example, links)
        link = f'<a href="{escape(address)}">{shown}</a>' if address else f"<b>{shown}</b>"
        step = f"\n    To do: {escape(example.step)}." if example.step else ""
        yield f"{link} {escape(example.text)}{step}"
    if more := group.unnamed:
        yield f"<i>… and {more:,} more in the report</i>"


def _address_of(example: Example, links: PageLinks | None) -> str:
    """Return the address of a finding; empty if it is not known whether any page shows it.

    An organization of a fleet may have no page if nothing of it is open or waived.
    """
    if links is None or (links.is_index and example.status not in NOT_COMPLYING):
        return ""
    return links.finding(example.id, example.organization)


def _rule(group: FindingGroup) -> str:
    return group.text().rpartition("\n")[2]


# --- what is above the table ----------------------------------------------------------------------


def title(head: Head | None) -> str:
    """Return the title of the page of results: it begins with the verdict."""
    outcome = head["verdict"]["outcome"].capitalize() if head else "No audit"
    return f"{outcome}. {TITLE}"


def summary(prefix: list[str], head: Head | None, page: str, rows: int) -> None:
    """Show the verdict, the true counts of findings, and where the auditor's ``page`` is.

    ``rows`` is how many rows the table was offered.
    """
    if head is None:
        prefix += [f"<p><strong>{escape(NO_AUDIT)}</strong></p>", _VIEWPORT]
        return
    prefix += statements(head)
    name = page.rpartition("/")[2]
    prefix.append(f'<p>For auditors: <a href="{name}">{name}</a>.</p>')
    if rows > MOST_ROWS:
        prefix.append(ROWS_LEFT_OUT)
    prefix += [_NO_SCRIPT, _VIEWPORT]


def statements(head: Head) -> list[str]:
    """Return what the page of results shows of the record: verdict, banners, notes and counts."""
    items = describe_items(head["settings"]["grouping"])
    return [
        f"<p><strong>{escape(head['verdict']['text'])}</strong></p>",
        *(f"<p><strong>{escape(text)}</strong></p>" for text in _banners(head)),
        *(f"<p>Note on {escape(printable(str(note)))}</p>" for note in first_notes(head)[0]),
        *(f"<p>{escape(text)}</p>" for text in filter(None, [rests_on(head)])),
        f"<p>{escape(counts_of(head))}.</p>",
        f"<p>The numbers and rows below count test items: {items}.</p>",
    ]


# --- junit.xml ------------------------------------------------------------------------------------


def mark_junit(config: pytest.Config, head: Head | None) -> None:
    """Write verdict and banners, or that there is no audit, into the JUnit suite's properties.

    The messages of its errors begin with the fact then, as those of its failures do.
    """
    values = [("verdict", NO_AUDIT)] if head is None else properties(head)
    for plugin in config.pluginmanager.get_plugins():
        if hasattr(plugin, "add_global_property"):
            for name, value in values:
                plugin.add_global_property(name, value)
            for reporter in getattr(plugin, "node_reporters_ordered", ()):
                for error in reporter.to_xml().iter("error"):
                    _begin_with_fact(error)


def _begin_with_fact(error: Element) -> None:
    """Take away what pytest puts before the message of an error that is an outcome of ours.

    Such an error has no traceback: its text is what its message was made of.
    """
    message, text = error.get("message", ""), error.text or ""
    reason = message.removeprefix(_ON_SETUP)
    first = reason.partition("\n")[0].removesuffix('"').removesuffix("...")
    if reason != message and text.startswith(first):
        error.set("message", reason.removesuffix('"'))


def properties(head: Head) -> list[tuple[str, str]]:
    """Return the properties of the JUnit suite, from the record."""
    known = suite_properties(without_run(head))
    return [(name, printable(text) if name == "note" else text) for name, text in known]


def _banners(head: Head) -> list[str]:
    """Return the banners that are known while pytest writes: how the run ends is not."""
    return banners(without_run(head))
