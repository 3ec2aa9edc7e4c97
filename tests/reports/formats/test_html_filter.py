"""The filter of the findings as a browser runs it: its fields, its counts and its address."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

import pytest

from checks.engine.finding import OPEN
from reports.formats import html
from reports.page.findings.filter_options import findings_link
from tests.reports.browser import (
    NARROW,
    NEEDS_BROWSER,
    OPEN_ALL,
    WIDE,
    open_page,
    start_browser,
    violations_of,
)
from tests.reports.recording import RUN, a_finding, record
from tests.reports.samples import (
    HOSTILE,
    VIOLATIONS,
    WAIVERS,
    Report,
    audit,
    database,
    organization,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_BROWSER

HOSTILE_VALUES = (
    "<img src=x onerror=window.__pwned=1>",
    '"]<script>window.__pwned=1</script>',
    "%",
    "%zz%00%ff",
    "a" * 50_000,
    "&&&===???",
    "__proto__",
)


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("hostile"), HOSTILE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as launched:
        yield launched


def file_of(report: Report) -> Path:
    return report.folder / "audit.html"


def findings_of(report: Report) -> list[Any]:
    return [json.loads(line) for line in report.lines]


def shown(page: Page) -> set[str]:
    """Return the ids of the findings that the filter shows."""
    rows = "#findings [data-s]:not([hidden])"
    anchors: list[str] = page.eval_on_selector_all(rows, "all => all.map((row) => row.id)")
    return {anchor.removeprefix("f-") for anchor in anchors}


def wait_for(page: Page, number: int) -> None:
    """Wait until the page says that so many findings match."""
    page.locator("#filter .matching", has_text=f"{number:,} of").wait_for()


def wait_for_address(page: Page, anchor: str) -> None:
    """Wait until the address of the page ends with this anchor."""
    page.wait_for_url(lambda url: unquote(url).partition("#")[2] == unquote(anchor[1:]))


def expect(page: Page, report: Report, matches: Callable[[Any], bool]) -> None:
    """Wait for the filter, and check that it shows these findings and says how many there are."""
    everything = findings_of(report)
    wanted = {finding["id"] for finding in everything if matches(finding)}
    wait_for(page, len(wanted))
    assert shown(page) == wanted
    said = f"{len(wanted)} of {len(everything)} findings on this page match."
    assert page.inner_text("#filter .matching") == said


def frameworks_of(report: Report, rule: str) -> set[str]:
    [card] = [entry for entry in report.head["criteria"]["rules"] if entry["id"] == rule]
    return {control["framework"] for control in card["controls"]}


def gives_evidence(report: Report, framework: str, finding: Any) -> bool:  # noqa: ANN401 (a record)
    return framework in frameworks_of(report, finding["rule"])


def part(name: str) -> Callable[[Any], str]:
    return lambda finding: finding["subject"].get(name, "")


# --- fields ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "of"),
    [
        ("status", "inconclusive", lambda finding: finding["status"]),
        ("status", "waived", lambda finding: finding["status"]),
        ("severity", "high", lambda finding: finding["severity"]),
        ("rule", "CMEK-05", lambda finding: finding["rule"]),
        ("organization", "labs", part("organization")),
        ("type", "managed-clusters", part("type")),
        ("provider", "gcp", part("provider")),
        ("region", "us-west-2", part("region")),
    ],
)
def test_fields(
    browser: Browser, violations: Report, field: str, value: str, of: Callable[[Any], str]
) -> None:
    """A field leaves exactly the findings with that value; clearing shows all of them again."""
    with open_page(browser, file_of(violations)) as opened:
        page = opened.page
        total = len(findings_of(violations))
        assert page.inner_text("#filter .matching") == f"{total} findings on this page."
        page.select_option(f"#filter [name={field}]", value)
        expect(page, violations, lambda finding: of(finding) == value)
        page.click("#filter [name=clear]")
        page.locator("#filter .matching", has_text=f"{total} findings on this page.").wait_for()
        assert len(shown(page)) == total


def test_framework(browser: Browser, violations: Report) -> None:
    """A framework leaves the findings of the rules that give evidence for its controls."""
    rules = {finding["rule"] for finding in findings_of(violations)}
    names = sorted({name for rule in rules for name in frameworks_of(violations, rule)})
    with open_page(browser, file_of(violations)) as opened:
        for name in names:
            opened.page.select_option("#filter [name=framework]", name)
            expect(
                opened.page,
                violations,
                partial(gives_evidence, violations, name),
            )


def test_fields_together(browser: Browser, violations: Report) -> None:
    """Several fields leave what has all of their values; counts by group add up to the total."""
    with open_page(browser, file_of(violations)) as opened:
        page = opened.page
        page.select_option("#filter [name=status]", "fail,inconclusive")
        page.select_option("#filter [name=organization]", label="acme")
        page.select_option("#filter [name=provider]", "aws")

        def matches(finding: Any) -> bool:  # noqa: ANN401 (a record)
            subject = finding["subject"]
            place = (subject["organization"], subject.get("provider"))
            return finding["status"] in OPEN and place == ("acme", "aws")

        expect(page, violations, matches)
        tallies = page.locator("#findings [data-group]:not([hidden]) .tally").all_inner_texts()
        number = sum(map(matches, findings_of(violations)))
        assert sum(int(tally.partition(" of ")[0]) for tally in tallies) == number


def test_text(browser: Browser, violations: Report) -> None:
    """A text is searched in all that a finding says, and what is folded around it is opened."""
    with open_page(browser, file_of(violations)) as opened:
        page = opened.page
        page.fill("#filter [name=q]", "Test DATA")
        wait_for_address(page, "#findings?q=Test+DATA")
        found = page.locator("#findings [data-s]:not([hidden])")
        assert found.count() > 0
        for finding in found.all():
            assert "Test data" in finding.inner_text()
            assert finding.is_visible()
        page.fill("#filter [name=q]", "no such words")
        wait_for(page, 0)
        assert found.count() == 0


# --- the address ----------------------------------------------------------------------------------


def test_reload_keeps_the_filter(browser: Browser, violations: Report) -> None:
    """The filter is in the address, so that it survives a reload."""
    with open_page(browser, file_of(violations)) as opened:
        page = opened.page
        page.select_option("#filter [name=status]", "fail")
        page.select_option("#filter [name=rule]", "CMEK-05")
        wait_for_address(page, "#findings?status=fail&rule=CMEK-05")
        before = shown(page)
        page.reload()
        assert shown(page) == before
        assert page.input_value("#filter [name=rule]") == "CMEK-05"


def test_back_restores_the_filter(browser: Browser, violations: Report) -> None:
    """The back button takes back one choice, or a whole text; forward makes it again."""
    with open_page(browser, file_of(violations)) as opened:
        page = opened.page
        page.select_option("#filter [name=status]", "fail")
        wait_for_address(page, "#findings?status=fail")
        failing = shown(page)
        page.type("#filter [name=q]", "orders", delay=150)
        wait_for_address(page, "#findings?status=fail&q=orders")
        both = shown(page)
        page.go_back()
        wait_for_address(page, "#findings?status=fail")
        assert page.input_value("#filter [name=q]") == ""
        assert shown(page) == failing
        page.go_forward()
        wait_for_address(page, "#findings?status=fail&q=orders")
        assert shown(page) == both
        page.go_back()
        page.go_back()
        wait_for_address(page, "")
        assert len(shown(page)) == len(findings_of(violations))


def test_links_filter(browser: Browser, violations: Report) -> None:
    """A link that another part makes shows its findings, and leads to them."""
    link = findings_link(status="error,fail", organization="acme")
    with open_page(browser, file_of(violations), link, viewport=WIDE) as opened:
        page = opened.page
        expect(
            page,
            violations,
            lambda finding: (
                finding["status"] in {"error", "fail"}
                and finding["subject"]["organization"] == "acme"
            ),
        )
        box = page.locator("#findings").bounding_box()
        assert box is not None
        assert abs(box["y"]) < 100
        page.evaluate("location.hash = '#findings?rule=CMEK-01'")
        expect(page, violations, lambda finding: finding["rule"] == "CMEK-01")


def test_a_value_that_does_not_occur_matches_nothing(browser: Browser, violations: Report) -> None:
    """An address with a value that no finding has shows that value and no finding."""
    with open_page(browser, file_of(violations), "#findings?rule=CMEK-99") as opened:
        wait_for(opened.page, 0)
        assert opened.page.input_value("#filter [name=rule]") == "CMEK-99"


@pytest.mark.parametrize("field", ["rule", "framework", "q", "__proto__", ""])
def test_a_hostile_address_is_harmless(browser: Browser, violations: Report, field: str) -> None:
    """Whatever somebody writes into the address, nothing runs and the page still works."""
    written = [*HOSTILE_VALUES, *map(quote, HOSTILE_VALUES)]
    with open_page(browser, file_of(violations), f"#findings?{field}={written[0]}") as opened:
        page = opened.page
        for value in written:
            page.evaluate("(hash) => (location.hash = hash)", f"#findings?{field}={value}")
            page.click("#filter [name=clear]")
            page.select_option("#filter [name=rule]", "CMEK-01")
            expect(page, violations, lambda finding: finding["rule"] == "CMEK-01")
        page.evaluate("location.hash = '#findings?' + '&'.repeat(50000)")
        page.reload()
        assert len(shown(page)) == len(findings_of(violations))
        assert page.evaluate("window.__pwned === undefined")
        assert opened.said == []


def test_links_open_findings(browser: Browser, violations: Report) -> None:
    """A link leads to its finding and opens it, also if the filter had hidden it."""
    passed = next(
        finding
        for finding in findings_of(violations)
        if (finding["status"], finding["rule"]) == ("pass", "CMEK-01")
    )
    anchor = f"f-{passed['id']}"
    with open_page(browser, file_of(violations)) as opened:
        page = opened.page
        target = page.locator(f"#{anchor}")
        assert not target.is_visible()
        page.select_option("#filter [name=status]", "fail")
        wait_for_address(page, "#findings?status=fail")
        page.evaluate(f"location.hash = '#{anchor}'")
        target.wait_for(state="visible")
        assert page.input_value("#filter [name=status]") == ""
        assert len(shown(page)) == len(findings_of(violations))


# --- readers --------------------------------------------------------------------------------------


def test_hostile_names_can_be_chosen(browser: Browser, hostile: Report) -> None:
    """Whatever an organization or a region is called, choosing it shows its findings."""
    with open_page(browser, file_of(hostile)) as opened:
        page = opened.page
        for field in ("organization", "region"):
            values = page.eval_on_selector_all(
                f"#filter [name={field}] option", "all => all.map((option) => option.value)"
            )
            assert len(values) > 1
            for value in filter(None, values):
                page.select_option(f"#filter [name={field}]", value)
                wait_for_address(page, f"#findings?{urlencode({field: value})}")
                assert len(shown(page)) > 0
            page.click("#filter [name=clear]")
        assert page.evaluate("window.__pwned === undefined")
        assert opened.said == []


def test_keyboard_only(browser: Browser, violations: Report) -> None:
    """The keyboard alone filters, opens and closes findings."""
    with open_page(browser, file_of(violations)) as opened:
        page = opened.page
        page.focus("#filter [name=status]")
        page.keyboard.type("fai")
        wait_for_address(page, "#findings?status=fail")
        page.focus("#filter [name=close]")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        first = page.locator("details.f:not([hidden])").first
        assert first.locator("summary").evaluate("(row) => row === document.activeElement")
        page.keyboard.press("Enter")
        assert first.locator("dl").is_visible()
        page.keyboard.press("Tab")
        assert first.locator("dl :focus").count() == 1


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(
    browser: Browser, violations: Report, scheme: str, size: dict[str, int]
) -> None:
    """The section has no violation that axe knows, filtered and with everything open."""
    anchor = "#findings?status=fail,inconclusive"
    with open_page(
        browser, file_of(violations), anchor, color_scheme=scheme, viewport=size
    ) as opened:
        opened.page.evaluate(OPEN_ALL)
        opened.page.locator(".copy").first.wait_for()
        assert violations_of(opened.page, "#findings") == []
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_rows_are_aligned(browser: Browser, tmp_path: Path) -> None:
    """At full width each part of a row is in a column; on a phone a row is two lines high."""
    aged = a_finding(change="unchanged", since="2026-11-20T02:00:00Z", audits=3)
    new = a_finding("inconclusive", "CMEK-05", region="eu-west-1", reason="not-recorded")
    fresh = new._replace(change="new", since="2026-11-21T02:00:00Z", audits=1)
    made = record(tmp_path, [aged, fresh])
    file = tmp_path / "audit.html"
    lines = made.findings.splitlines(keepends=True)
    file.write_text(html.render(made.head | {"run": RUN}, lines), "utf-8")
    edges = "all => all.map((part) => Math.round(part.getBoundingClientRect().left))"
    with open_page(browser, file, viewport=WIDE) as opened:
        for place in ("severity", "rule", "org", "age"):
            left = opened.page.eval_on_selector_all(f".f > summary > .{place}", edges)
            assert len(left) == 2
            if place != "age":
                assert left[0] == left[1]
        ages = opened.page.locator(".f > summary > .age").all_text_contents()
        assert sorted(ages) == ["new", "since 2026-11-20"]
    with open_page(browser, file, viewport=NARROW) as opened:
        for row in opened.page.locator(".f > summary").all():
            box = row.bounding_box()
            assert box is not None
            assert box["height"] < 75


def test_without_script(browser: Browser, violations: Report) -> None:
    """Without script nothing is offered that would not work, and everything can be opened."""
    with open_page(browser, file_of(violations), java_script_enabled=False) as opened:
        page = opened.page
        assert not page.locator("#filter").is_visible()
        assert page.locator("#findings button:visible").count() == 0
        assert page.locator("details.f").count() > 0
        for finding in page.locator("details.f").all()[:5]:
            finding.locator("summary").click()
            assert finding.locator("dd").last.is_visible()


def test_a_page_without_findings_works(
    browser: Browser, violations: Report, tmp_path: Path
) -> None:
    """The scripts of a page that has no section of findings still open what a link leads to."""
    before, _, rest = violations.page.partition('<section id="findings">')
    file = tmp_path / "index.html"
    file.write_text(before + rest.partition("</section>")[2], "utf-8")
    with open_page(browser, file, "#r-CMEK-05") as opened:
        assert opened.page.locator("#findings").count() == 0
        assert opened.page.locator("#r-CMEK-05 dl").is_visible()
        assert opened.said == []


# --- size -----------------------------------------------------------------------------------------


def test_thousands_of_findings(browser: Browser, tmp_path: Path) -> None:
    """A page of 5,000 open findings says what it leaves out, and filters in an instant."""
    databases = [database(f"d{number:04}", "us-east-1") for number in range(5_200)]
    report = audit(tmp_path, [organization("big", [], databases)])
    left_out = sum(report.head["counts"][status] for status in OPEN) - 5_000
    with open_page(browser, file_of(report), viewport=WIDE) as opened:
        page = opened.page
        assert page.locator("details.f").count() == 5_000
        words = f"{left_out} more open findings are listed in findings.ndjson."
        assert page.get_by_text(words).is_visible()
        page.fill("#filter [name=q]", "/db-d0042/")
        wait_for(page, 1)
        assert page.locator("details.f:visible").count() == 1
        height = page.locator("#findings").evaluate("(section) => section.offsetHeight")
        assert height < 3_000
        taken = page.evaluate(
            """() => {
                document.querySelector("#filter [name=q]").value = "/db-d00";
                const start = performance.now();
                findingsPage.filter();
                return performance.now() - start;
            }"""
        )
        # A tenth of a second on a quiet machine takes longer on one that runs other tests.
        assert taken < 500
