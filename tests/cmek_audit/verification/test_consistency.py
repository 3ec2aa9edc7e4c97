"""What pytest's own reports, the block ``run`` and the mode can contradict."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run.pytest_results import ROWS_LEFT_OUT, statements
from cmek_audit.verification import consistency
from cmek_audit.verification.consistency import Check, against_results
from cmek_audit.verification.verify_report import verify_report
from reports.presentation.banners import OUTSIDE
from tests.reports.samples import VIOLATIONS, WAIVERS, save
from tests.wiring.runs import ALL, Run, audit, compliant, plugin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cmek_audit.verification.proof import Proof


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Audit a file with failures, waivers and gaps by pytest itself, in every format."""
    folder = tmp_path_factory.mktemp("made")
    inventory = {"cmek-inventory": 1, "captured_at": "2026-11-20T02:00:00Z"}
    waivers = save(folder / "waivers.json", **{"cmek-waivers": 1, "waivers": WAIVERS})
    return audit(
        folder,
        inventory | {"organizations": VIOLATIONS},
        f"--cmek-waivers={waivers}",
        formats=ALL,
    )


@pytest.fixture
def folder(made: Run, tmp_path: Path) -> Path:
    """Return a copy of its report, which may be changed."""
    return shutil.copytree(made.folder, tmp_path / "report")


def _proof(folder: Path, name: str) -> Proof:
    [found] = [proof for proof in verify_report(str(folder)).proofs if proof.name == name]
    return found


def _changed(folder: Path, name: str, change: Callable[[str], str]) -> Proof:
    """Return the proof of a file once it is changed."""
    path = folder / name
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    return _proof(folder, name)


AGREES = "written by pytest; it agrees with the record in: verdict, banners, counts, checks"


def test_what_pytest_wrote_agrees_with_the_record(folder: Path) -> None:
    """A whole report is proven, but for what nothing can prove, which agrees with it."""
    proofs = {proof.name: proof for proof in verify_report(str(folder)).proofs}
    assert not [proof for proof in proofs.values() if proof.stops]
    assert proofs["junit.xml"].reason == proofs["results.html"].reason == AGREES
    assert [name for name, proof in proofs.items() if not proof.is_provable] == [
        "results.html",
        "junit.xml",
        "run",
    ]


@pytest.mark.parametrize("when", ["setup", "teardown"])
def test_errors_of_another_plugin_are_no_contradiction(tmp_path: Path, when: str) -> None:
    """Where another plugin failed, pytest's reports show more than the findings: not proven."""
    argument, environment = plugin(
        tmp_path, f"def pytest_runtest_{when}(item):\n    raise ValueError('of another plugin')\n"
    )
    found = audit(tmp_path, compliant(), argument, formats=ALL, environment=environment)
    proofs = {proof.name: proof for proof in verify_report(str(found.folder)).proofs}
    assert {name: str(proof) for name, proof in proofs.items() if proof.stops} == {
        name: f"{name}: not proven (its checks are not compared: {OUTSIDE})"
        for name in ("junit.xml", "results.html")
    }


@pytest.fixture
def other_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the suite have other rules than those by which the report was made."""
    for module in ("run.preparation", "verification.verify_report"):
        monkeypatch.setattr(f"cmek_audit.{module}.rules_hash", lambda _: "0" * 64)


@pytest.mark.usefixtures("other_suite")
@pytest.mark.parametrize("name", ["junit.xml", "results.html"])
def test_with_other_rules_less_is_compared(folder: Path, name: str) -> None:
    """If the rules are others now, what they give is no measure of pytest's reports.

    Nor need a suite that is another one write them alike.
    """
    path = folder / name
    proof = _proof(folder, name)
    agrees = "written by pytest; it agrees with the record in: verdict, banners, counts"
    assert proof == (name, "not-proven", agrees, False)
    text = path.read_text("utf-8")
    path.write_text(text.replace('value="pass"', 'value="fail"'), "utf-8")
    assert _proof(folder, name) == proof
    path.write_text(text.replace("Not compliant", "Compliant"), "utf-8")
    changed = _proof(folder, name)
    assert (changed.status, changed.stops) == ("not-proven", True)
    assert "; it contradicts the record: its verdict" in changed.reason


# --- junit.xml ------------------------------------------------------------------------------------


def _first(pattern: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        changed, count = re.subn(pattern, new, text, count=1, flags=re.DOTALL)
        assert count == 1
        return changed

    return change


JUNIT = {
    "empty": (lambda _: "", "it is no report of pytest"),
    "cut": (lambda text: text[: len(text) // 2], "it is no report of pytest"),
    "no-name": (_first('<property name="report"', "<property"), "it is no report of pytest"),
    "verdict": (
        _first('"verdict" value="[^"]*"', '"verdict" value="Compliant."'),
        "its verdict is",
    ),
    "report": (_first('"report" value="[^"]*"', '"report" value="0"'), "its report is not that"),
    "counts": (_first('"findings" value="[^"]*"', '"findings" value="1 pass"'), "its findings is"),
    "a-second": (
        _first("</properties>", '<property name="verdict" value="Compliant."/></properties>'),
        "its verdict is not that of the record",
    ),
    "banner": (
        _first("</properties>", '<property name="banner" value="OFFICIAL"/></properties>'),
        "its banner is not that of the record",
    ),
    "proven-by": (
        _first("</properties>", '<property name="proven-by" value="all by looks"/></properties>'),
        "its proven-by is not that of the record",
    ),
    "total": (_first('failures="[0-9]+"', 'failures="0"'), "as many failures as it counts"),
    "outcome": (_first("<failure .*?</failure>", ""), "its checks are not those"),
    "status": (
        _first('"status" value="fail"', '"status" value="pass"'),
        "its checks are not those that the findings give",
    ),
    "a-check-less": (_first("<testcase .*?</testcase>", ""), "its checks are not those"),
    "a-document-type": (
        _first(r"\?>", '?><!DOCTYPE a [<!ENTITY b "c">]>'),
        "it is no report of pytest",
    ),
}


@pytest.mark.parametrize(("change", "words"), JUNIT.values(), ids=JUNIT)
def test_a_changed_junit_differs(folder: Path, change: Callable[[str], str], words: str) -> None:
    """JUnit that says something else than the record, or nothing, is found out."""
    proof = _changed(folder, "junit.xml", change)
    assert (proof.status, words in proof.reason) == ("differs", True), proof.reason


def test_other_tests_in_junit_are_no_checks(folder: Path) -> None:
    """A test of somebody else in the same run is none of the audit's."""
    path = folder / "junit.xml"
    other = (
        '<testcase name="other"><properties><property name="a" value="b"/></properties></testcase>'
    )
    path.write_text(
        _first("</testsuite>", f"{other}</testsuite>")(path.read_text("utf-8")), "utf-8"
    )
    assert _proof(folder, "junit.xml").reason == AGREES


# --- results.html ---------------------------------------------------------------------------------


def _in_data(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """Return what changes the tests that the table of a page is made of."""

    def changed(text: str) -> str:
        before, data, after = re.split('(?<=data-jsonblob=")([^"]*)', text, maxsplit=1)
        shown = json.loads(html.unescape(data))
        change(shown["tests"])
        return before + html.escape(json.dumps(shown)) + after

    return changed


def _all_pass(tests: dict[str, Any]) -> None:
    for [row] in tests.values():
        cells = "".join(row["resultsTableRow"])
        row["resultsTableRow"] = [re.sub('(col-status">)[a-z-]+', r"\1pass", cells)]


VERDICT = r'(?<=additional-summary prefix">).*?</p>'
RESULTS = {
    "empty": (lambda _: "", "it is no report of pytest-html on an audit"),
    "verdict": (_first(VERDICT, "<p><strong>Compliant.</strong></p>"), "its verdict, banners"),
    "twice": (lambda text: text * 2, "it is no report of pytest-html"),
    "hidden": (
        _first('<div class="additional-summary prefix">', r"<h1>Compliant.</h1><!--\g<0>"),
        "it is no report of pytest-html",
    ),
    "status": (_in_data(_all_pass), "its rows are not those that the findings give"),
    "a-row-less": (_in_data(dict.popitem), "its rows are not those that the findings give"),
    "no-rows": (_in_data(dict.clear), "its rows are not those that the findings give"),
    "no-data": (_first("data-jsonblob", "data"), "its table cannot be read"),
    "other-data": (_first('(?<=data-jsonblob=")[^"]*', "[]"), "its table cannot be read"),
    "odd-rows": (_in_data(lambda tests: tests.update(a=[None])), "its table cannot be read"),
    "said-to-be-cut": (
        lambda text: _in_data(_all_pass)(
            _first("<p>For auditors", f"{ROWS_LEFT_OUT}\n\\g<0>")(text)
        ),
        "its rows are not those that the findings give",
    ),
}


@pytest.mark.parametrize(("change", "words"), RESULTS.values(), ids=RESULTS)
def test_changed_results_differ(folder: Path, change: Callable[[str], str], words: str) -> None:
    """A page of results that says something else than the record, or nothing, is found out."""
    proof = _changed(folder, "results.html", change)
    assert (proof.status, words in proof.reason) == ("differs", True), proof.reason


def test_a_table_that_was_cut_needs_its_open_rows(made: Run) -> None:
    """A page that says that rows were left out may lack those that stop nothing, and no others."""
    head: Any = made.head
    calm, stern = (
        Check("CMEK-01", "high", "pass", "passed"),
        Check("CMEK-01", "high", "fail", "failure"),
    )
    shown = {"calm": "Passed", "stern": "Failed"}
    statuses = {"calm": "pass", "stern": "fail"}

    def page(*names: str) -> bytes:
        cells = {
            name: [
                f'<td class="col-result">{shown[name]}</td>',
                '<td class="col-rule">CMEK-01</td><td class="col-severity">high</td>',
                f'<td class="col-status">{statuses[name]}</td>',
            ]
            for name in names
        }
        data = {"tests": {name: [{"resultsTableRow": row}] for name, row in cells.items()}}
        lines = "\n".join([*statements(head), ROWS_LEFT_OUT])
        summary = f'<div class="additional-summary prefix">\n{lines}\n</div>'
        return f'{summary}<div data-jsonblob="{html.escape(json.dumps(data))}">'.encode()

    checks = Counter({calm: 1, stern: 1})
    assert [*against_results(page("calm", "stern"), head, checks)] == []
    assert [*against_results(page("stern"), head, checks)] == []
    assert len([*against_results(page("calm"), head, checks)]) == 1


@pytest.mark.parametrize("name", ["junit.xml", "results.html"])
def test_what_is_too_large_is_not_compared(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is too large to be compared is not read to its end, and proves nothing."""
    monkeypatch.setattr(consistency, "_MOST_BYTES", 1_000)
    reason = "it cannot be read: more than 1,000 bytes"
    assert _proof(folder, name) == (name, "not-proven", reason, False)


@pytest.mark.parametrize("name", ["junit.xml", "results.html"])
def test_a_head_that_says_nothing_is_no_crash(folder: Path, name: str) -> None:
    """If the record lacks what pytest's reports repeat, nothing can be compared with it."""
    head = json.loads((folder / "audit.json").read_text())
    del head["verdict"]["text"]
    with pytest.raises(KeyError):
        consistency.contradictions(consistency.against_junit, folder / name, head, None)


@pytest.mark.parametrize(
    ("kms", "mode", "asked", "found"),
    [
        ("recorded", "recorded", set(), ""),
        ("recorded", "live", {"aws"}, ""),
        ("none", "live", set(), ""),
        ("aws,gcp", "recorded", {"gcp", "aws"}, ""),
        ("auto", "live", {"gcp", "aws", "azure"}, ""),
        ("auto", "live", {"aws"}, "asked auto, and what was recorded while it ran asked aws"),
        ("aws", "recorded", set(), "asked aws, and what was recorded while it ran asked no cloud"),
        ("none", "live", {"gcp"}, "asked none, and what was recorded while it ran asked gcp"),
        (
            "recorded",
            "recorded",
            {"gcp", "aws"},
            "asked recorded, and what was recorded while it ran asked aws and gcp",
        ),
    ],
)
def test_clouds_that_were_asked(kms: str, mode: str, asked: set[str], found: str) -> None:
    """An audit asked the clouds that it names, as what it recorded shows."""
    expected = f"it says that it {found}" if found else ""
    assert consistency.against_kms(kms, mode, asked) == expected
