"""pytest's own reports, made fit for an audit."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal, cast

import pytest

from checks.engine.identity import escape
from checks.engine.outcome import SHOWN, FindingGroup, Gate
from cmek_audit.run import pytest_results
from cmek_audit.run.audit import run_audit
from cmek_audit.run.option_values import parse_options
from cmek_audit.run.pytest_results import COLUMNS, MOST_ROWS, NO_AUDIT
from reports.page.organizations.links import PageLinks, page_name
from tests.builders import AS_OF, document_data, write_json
from tests.checks.judging import RULES, a_finding
from tests.reports.recording import RUN

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Finding, Status
    from reports.model.head import Head


Outcome = Literal["passed", "failed", "skipped"]
PAGE = "r/audit.html"
BESIDE = PageLinks({}, elsewhere="audit.html")
FLEET = PageLinks({"o1": "Acme", "o2": "b"}, is_index=True, elsewhere="audit.html")
OWN = f"organizations/{page_name('o1', 'Acme')}"
ALWAYS = [
    "<noscript><p>The table of this page needs JavaScript.</p></noscript>",
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
]


def _head(folder: Path, **over: object) -> Head:
    """Return the head of an audit of an inventory, as if all of it had been run."""
    path = write_json(folder / "inventory.json", document_data())
    options = {"inventory": (path,), "as_of": AS_OF.isoformat(), "report_dir": str(folder / "r")}
    return run_audit(parse_options(options | over), lambda _: RUN.copy()).head


def _report(outcome: Outcome = "passed", text: object = None) -> pytest.TestReport:
    return pytest.TestReport("checks/c.py::c", ("c.py", 0, "c"), {}, outcome, text, "call")  # type: ignore[arg-type]  # pytest's own union


def _cells() -> list[str]:
    return ["<td>outcome</td>", "<td>test</td>", "<td>duration</td>", "<td>links</td>"]


def _group(*findings: Finding, key: str = "", **names: str) -> FindingGroup:
    """Return a group of ``findings``, with the names of their organizations."""
    group = FindingGroup(RULES["CMEK-01"].card, key)
    for finding in findings:
        owner = finding.subject.organization
        group.organizations[owner] = names.get(owner, owner)
        group.add(finding, Gate())
    return group


def _in(region: str, status: Status = "fail", organization: str = "o1") -> Finding:
    path = f"{escape(organization)}/serverless/aws/{region}"
    finding = a_finding(status, path, organization=organization)
    return finding._replace(subject=finding.subject._replace(region=region))


# --- the table ------------------------------------------------------------------------------------


def test_the_columns_of_the_rows_are_below_their_headers() -> None:
    """Header and row have the same columns in the same order."""
    head, row = _cells(), _cells()
    pytest_results.header(head)
    pytest_results.row(_report(), row, 1, _group(_in("us-east-1"), o1="acme"), BESIDE)
    assert (head[0], head[-2:]) == (row[0], row[-2:]) == ("<td>outcome</td>", _cells()[1:3])
    assert head[1:-2] == [
        *(
            f'<th class="sortable" data-column-type="{name}">{name.capitalize()}</th>'
            for name in COLUMNS
        ),
        "<th>Open findings</th>",
    ]
    texts = ["CMEK-01", "acme", "serverless", "aws", "us-east-1", "high", "fail"]
    assert row[1:-3] == [
        f'<td class="col-{name}">{text}</td>' for name, text in zip(COLUMNS, texts, strict=True)
    ]


def _shown(group: FindingGroup, links: PageLinks | None = BESIDE) -> dict[str, str]:
    cells = _cells()
    pytest_results.row(_report(), cells, 1, group, links)
    return dict(re.findall(r'<td class="col-(\w+)">(.*?)</td>', "".join(cells)))


def test_a_group_shows_where_its_open_findings_are() -> None:
    """A row of many findings names the organizations and places that have open ones."""
    found = [_in("eu-west-1", organization="o2"), _in("us-west-2", "pass"), _in("us-east-1")]
    shown = _shown(_group(*found, _in("ap-south-1", "inconclusive"), o1="acme-prod", o2="acme-b"))
    assert [shown[name] for name in ("organization", "type", "provider", "region")] == [
        "acme-b, acme-prod",
        "serverless",
        "aws",
        "ap-south-1, eu-west-1, us-east-1",
    ]


def test_a_group_that_is_not_open_names_its_organizations() -> None:
    """A row without an open finding names the organizations it is about, and no place."""
    shown = _shown(_group(_in("us-east-1", "pass"), _in("us-east-1", "waived", "o2"), o2="acme"))
    assert (shown["organization"], shown["region"], shown["links"]) == ("acme, o1", "", "")


def test_of_many_organizations_the_first_are_named() -> None:
    """Organizations beyond the third are counted, each by its id though names are alike."""
    found = [_in("us-east-1", organization=f"o{number}") for number in range(6)]
    shown = _shown(_group(*found, o5="o4"))
    assert shown["organization"] == "o0, o1, o2 and 3 more"


@pytest.mark.parametrize(
    ("found", "link"),
    [
        ([_in("us-east-1")], f"#f-{_in('us-east-1').id}"),
        (
            [_in("us-east-1", organization='a&"<'), _in("us-east-2", organization='a&"<')],
            "#findings?status=fail&amp;rule=CMEK-01&amp;organization=a%26%22%3C",
        ),
        (
            [_in("us-east-1"), _in("us-east-1", "inconclusive", organization="o2")],
            "#findings?status=fail,inconclusive&amp;rule=CMEK-01",
        ),
        (
            [_in("us-east-1", organization=""), _in("us-east-2", organization="")],
            "#findings?status=fail&amp;rule=CMEK-01",
        ),
    ],
)
def test_a_row_leads_to_all_its_open_findings(found: list[Finding], link: str) -> None:
    """One open finding is linked by its id, and several by a filter of the auditor's page."""
    group = _group(*found, _in("us-west-2", "pass"))
    count = f"{len(found)} open"
    assert _shown(group)["links"] == f'<a href="audit.html{link}">{count}</a>'
    assert _shown(group, None)["links"] == count


def test_a_row_of_a_fleet_leads_to_the_page_of_its_organization() -> None:
    """Open findings of one organization are on its own page; those of several, on the index."""
    own = [_in("us-east-1"), _in("us-east-2")]
    one = f'<a href="{OWN}#f-{own[0].id}">1 open</a>'
    assert _shown(_group(own[0]), FLEET)["links"] == one
    both = f'<a href="{OWN}#findings?status=fail&amp;rule=CMEK-01">2 open</a>'
    assert _shown(_group(*own), FLEET)["links"] == both
    several = _group(*own, _in("us-east-1", organization="o2"))
    assert _shown(several, FLEET)["links"] == (
        '<a href="audit.html#findings?status=fail&amp;rule=CMEK-01">3 open</a>'
    )
    across = _in("us-east-1", organization="")
    assert _shown(_group(across), FLEET)["links"] == (
        f'<a href="audit.html#f-{across.id}">1 open</a>'
    )


def test_what_is_in_a_cell_is_escaped() -> None:
    """An organization whose name is markup is shown by its name, and nothing in it hides."""
    shown = _shown(_group(_in("us-east-1"), o1="<img src=x onerror=alert(1)>\u202e"))
    assert shown["organization"] == "&lt;img src=x onerror=alert(1)&gt;?"


def test_a_row_of_another_test_has_empty_cells() -> None:
    """A test that is no check has its row, with nothing in our columns."""
    cells = _cells()
    pytest_results.row(_report(), cells, 1, None, BESIDE)
    names = [*COLUMNS, "links"]
    assert cells[1:-2] == [f'<td class="col-{name}"></td>' for name in names]


def test_rows_that_a_browser_would_choke_on_are_dropped() -> None:
    """Beyond so many rows only those are kept that show a failure."""
    outcomes: list[Outcome] = ["passed", "passed", "skipped", "failed"]
    kept = []
    for number, outcome in enumerate(outcomes, MOST_ROWS):
        cells = _cells()
        pytest_results.row(_report(outcome), cells, number, None, BESIDE)
        kept.append(bool(cells))
    assert kept == [True, False, False, True]


# --- what a row opens to --------------------------------------------------------------------------


def _opened(
    report: pytest.TestReport, group: FindingGroup | None, links: PageLinks | None = BESIDE
) -> str:
    data = ["pytest's own"]
    pytest_results.details(report, data, group, links)
    return data[0]


def test_a_row_opens_to_facts_that_lead_to_their_findings() -> None:
    """Each fact has a link to its finding, the urgent first, and nothing in it is markup."""
    fact = _in("us-east-1")._replace(message="It is <b>.", action="Do <i>.")
    group = _group(_in("us-west-2", "waived"), fact, _in("us-west-2", "pass"))
    place = "o1 / Serverless on AWS /"
    assert _opened(_report("failed", group.text()), group).splitlines() == [
        f'<a href="audit.html#f-{fact.id}">fail</a> {place} us-east-1: It is &lt;b&gt;.',
        "    To do: Do &lt;i&gt;.",
        (
            f'<a href="audit.html#f-{_in("us-west-2", "waived").id}">waived</a> '
            f"{place} us-west-2: It is waived."
        ),
        f"CMEK-01 {group.card.title}: 1 fail, 1 waived, 1 pass",
    ]


def test_a_row_of_a_worker_opens_to_its_facts() -> None:
    """What another process has run is shown as if this one had, without that process's name."""
    group = _group(_in("us-east-1"))
    report = _report("failed", group.text())
    info = {"id": "gw0", "sysplatform": "linux", "version_info": (3, 13, 0), "executable": "/acme"}
    report.node = SimpleNamespace(workerinfo=info)  # type: ignore[attr-defined]
    assert report.longreprtext.startswith("[gw0] linux")
    assert _opened(report, group) == _opened(_report("failed", group.text()), group)


def test_a_row_without_the_page_has_no_links() -> None:
    """If no page for auditors was asked for, nothing leads to it."""
    group = _group(_in("us-east-1"))
    assert _opened(_report("failed", group.text()), group, None).splitlines()[0] == (
        "<b>fail</b> o1 / Serverless on AWS / us-east-1: It is fail."
    )


def test_facts_of_a_fleet_lead_to_the_page_of_their_organization() -> None:
    """What is open or waived is on a page of its organization; of all else that is not known."""
    found = [_in("us-east-1"), _in("us-west-2", "waived"), _in("r3", "not-applicable")]
    group = _group(*found)
    shown = _opened(_report("failed", group.text()), group, FLEET).splitlines()
    assert [line.partition(" o1 /")[0] for line in shown if " o1 /" in line] == [
        f'<a href="{OWN}#f-{found[0].id}">fail</a>',
        f'<a href="{OWN}#f-{found[1].id}">waived</a>',
        "<b>not-applicable</b>",
    ]


def test_a_row_counts_the_findings_that_it_does_not_name() -> None:
    """Beyond the findings that a group names, a row says how many more there are."""
    group = _group(*(_in(f"acme-{number:02}") for number in range(SHOWN + 7)))
    shown = _opened(_report("failed", group.text()), group).splitlines()
    assert (len(shown), shown[-2]) == (SHOWN + 2, "<i>… and 7 more in the report</i>")


def test_a_skipped_row_opens_to_facts_and_not_to_a_tuple() -> None:
    """pytest would show place and reason of a skip as Python writes a tuple."""
    group = _group(_in("us-east-1", "waived"))
    opened = _opened(_report("skipped", ("c.py", 1, f"Skipped: {group.text()}")), group)
    assert opened.splitlines()[1] == f"CMEK-01 {group.card.title}: 1 waived"


def test_a_passed_row_opens_to_the_rule() -> None:
    """A group that passes shows its rule, and how many findings it has."""
    group = _group(_in("us-east-1", "pass"))
    assert _opened(_report(), group) == f"CMEK-01 {group.card.title}: 1 pass"


@pytest.mark.parametrize(
    ("report", "group"),
    [
        (_report("failed", "ValueError: of another plugin"), _group(_in("us-east-1"))),
        (_report("skipped", ("c.py", 1, "Skipped: not today")), _group(_in("us-east-1"))),
        (_report("failed", "CMEK-01"), None),
    ],
)
def test_what_another_plugin_shows_is_kept(
    report: pytest.TestReport, group: FindingGroup | None
) -> None:
    """A row that failed for another reason than its findings keeps what pytest shows of it."""
    assert _opened(report, group) == "pytest's own"


# --- what is above it -----------------------------------------------------------------------------


def _summary(head: Head | None, page: str = PAGE, rows: int = MOST_ROWS) -> list[str]:
    prefix: list[str] = []
    pytest_results.summary(prefix, head, page, rows)
    return prefix


def test_the_page_of_results_shows_verdict_and_counts(tmp_path: Path) -> None:
    """Verdict, counts and grouping are above the table, with the way to the auditor's page."""
    assert _summary(_head(tmp_path)) == [
        (
            "<p><strong>Compliance is not established: 3 checks are inconclusive. "
            "Passes of CMEK-08 (1 of 1) rest on attestations alone (1 person).</strong></p>"
        ),
        "<p>13 findings, of which 3 inconclusive, 6 pass, 4 not-applicable.</p>",
        (
            "<p>The numbers and rows below count test items: one test item covers the findings of "
            "one rule about one subject.</p>"
        ),
        '<p>For auditors: <a href="audit.html">audit.html</a>.</p>',
        *ALWAYS,
    ]


def test_reports_of_pytest_say_on_what_the_audit_rests(tmp_path: Path) -> None:
    """The sum of the kinds of evidence is a line of the results, and a property in JUnit."""
    head = _head(tmp_path)
    head["evidence_kinds"]["databases"]["order"] = 1
    text = "The one database that is proven is so by the order of times."
    assert f"<p>{text}</p>" in pytest_results.statements(head)
    assert ("proven-by", text) in pytest_results.properties(head)


def test_the_page_of_results_leads_to_the_page_it_is_given(tmp_path: Path) -> None:
    """The page of results is in the folder of the auditor's page, so its name is the way."""
    summary = _summary(_head(tmp_path, formats="results"), "some/where/audit.json")
    assert summary[-3] == '<p>For auditors: <a href="audit.json">audit.json</a>.</p>'


def test_the_page_of_results_says_that_rows_are_missing(tmp_path: Path) -> None:
    """If rows were dropped, the page says from which number on."""
    assert _summary(_head(tmp_path), rows=MOST_ROWS + 1)[-3] == (
        "<p>Rows beyond 2,000 are left out of this table, and of its counts.</p>"
    )


def test_the_page_of_results_says_if_there_is_no_audit() -> None:
    """Without a record the page says nothing but that."""
    assert _summary(None) == [f"<p><strong>{NO_AUDIT}</strong></p>", ALWAYS[1]]


def test_the_title_begins_with_the_verdict(tmp_path: Path) -> None:
    """The first words of the page are the verdict, or that there is no audit."""
    words = "Customer keys in Astra: results of the run"
    assert pytest_results.title(_head(tmp_path)) == f"Not established. {words}"
    assert pytest_results.title(None) == f"No audit. {words}"


# --- junit.xml ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "text", "shown"),
    [
        ('failed on setup with "acme: It is so."', "acme: It is so.", "acme: It is so."),
        ('failed on setup with "acme: \'a" "b\'."', "acme: 'a\" \"b'.", "acme: 'a\" \"b'."),
        (
            'failed on setup with "acme: It\n[+1 more line; full report in element text]',
            "acme: It\nis so.",
            "acme: It\n[+1 more line; full report in element text]",
        ),
        (
            'failed on setup with "acme: It...\n[truncated; full report in element text]',
            "acme: It is so.",
            "acme: It...\n[truncated; full report in element text]",
        ),
        (
            'failed on setup with "ValueError: no"',
            "def setup():\nE   ValueError: no",
            'failed on setup with "ValueError: no"',
        ),
        ("collection failure", "acme", "collection failure"),
    ],
)
def test_the_message_of_an_error_begins_with_the_fact(message: str, text: str, shown: str) -> None:
    """pytest puts words before the message of what could not be judged; they are taken away.

    Those before an error of somebody else are kept.
    """
    error = ET.Element("error", message=message)
    error.text = text
    case = SimpleNamespace(to_xml=lambda: error)
    stated: list[tuple[str, str]] = []
    plugin = SimpleNamespace(
        add_global_property=lambda *value: stated.append(value), node_reporters_ordered=[case]
    )
    manager = SimpleNamespace(get_plugins=lambda: [plugin, SimpleNamespace()])
    pytest_results.mark_junit(cast("pytest.Config", SimpleNamespace(pluginmanager=manager)), None)
    assert (error.get("message"), stated) == (shown, [("verdict", NO_AUDIT)])
