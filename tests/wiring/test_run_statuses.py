"""How each status is shown: on the terminal, in JUnit, and on the page of results."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.catalogue import load_rules
from checks.engine.finding import ACROSS, STATUSES
from reports.presentation.action_groups import first, group_actions
from reports.presentation.protection_text import answer
from tests.builders import ORGANIZATION, aws_key_id, database_data, uuid
from tests.wiring.runs import (
    ALL,
    ALL_FILES,
    Run,
    audit,
    compliant,
    mixed,
    plugin,
    waivers,
    whole_key,
)

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree import ElementTree as ET

pytestmark = pytest.mark.slow

NODE_ID = re.compile(r"checks/(check_\w+)\.py::\1\[[A-Za-z0-9._/-]+\]")
WORDS = {"PASSED", "FAILED", "INCONCLUSIVE", "WAIVED", "BELOW-GATE", "NOT-APPLICABLE"}
TRACES = ("Traceback", ">   ", "conftest.py:", "site-packages")


def _shown(run: Run) -> dict[str, str]:
    """Return the word that the terminal shows for each node id."""
    lines = [line.split() for line in run.out.splitlines() if "::" in line]
    return {node: word for node, word, *_ in lines}


def _cases(run: Run) -> dict[str, ET.Element]:
    return {
        f"{case.get('file')}::{case.get('name')}": case for case in run.junit.findall("testcase")
    }


def _properties(element: ET.Element) -> dict[str, str]:
    found = element.findall("properties/property")
    return {str(element.get("name")): str(element.get("value")) for element in found}


# --- the terminal ---------------------------------------------------------------------------------


def test_every_status_has_its_word(mixed_run: Run) -> None:
    """With -v the terminal tells failures, gaps, waivers, advisories and exemptions apart."""
    assert set(_shown(mixed_run).values()) == WORDS


def test_the_words_are_those_of_the_findings(mixed_run: Run) -> None:
    """Each item is shown by the status of its findings, and the gate settles only for failures."""
    words = Counter(_shown(mixed_run).values())
    subjects = {
        (finding["rule"], finding["subject"]["path"], finding["status"])
        for finding in mixed_run.findings
    }
    counts = Counter(status for _, _, status in subjects)
    rules_without_subject = len(load_rules()) - len(
        {finding["rule"] for finding in mixed_run.findings}
    )
    assert words == {
        "PASSED": counts["pass"],
        "FAILED": counts["fail"] - 1,
        "BELOW-GATE": 1,
        "INCONCLUSIVE": counts["inconclusive"],
        "WAIVED": counts["waived"],
        "NOT-APPLICABLE": counts["not-applicable"] + rules_without_subject,
    }


def test_the_last_words_are_the_verdict(mixed_run: Run) -> None:
    """After all else the terminal shows counts, answer, verdict, what 1 means, and the report."""
    tail = mixed_run.out.splitlines()[-6:]
    head: Any = mixed_run.head
    assert [line.split()[0] for line in tail[:2]] == ["Findings:", "Waivers:"]
    assert tail[2:] == [
        answer(head),
        head["verdict"]["text"],
        "Exit code 1: not compliant.",
        f"Report: {mixed_run.folder}/audit.html",
    ]


def test_the_terminal_lists_what_to_do(mixed_run: Run) -> None:
    """The most urgent actions are on the terminal, each with its purpose and who must act."""
    _, _, listed = mixed_run.out.partition("fix first")
    head = mixed_run.head
    groups = first(group_actions(head["actions"], head["population"]["organizations"]))
    assert listed.splitlines()[2 : len(groups) + 2] == [
        f"{group.purpose:<9}{group.title} ({group.name or ACROSS}; {group.who})" for group in groups
    ]


def test_the_terminal_lists_five_of_many_actions(tmp_path: Path) -> None:
    """Of very many actions the terminal lists five groups, and counts the actions of others."""
    plans = {"paid": False, "by": "acme-security", "on": "2026-11-01"}
    data = compliant(plan=plans, databases=[database_data(regions=["acme-01", "acme-02"])])
    organization = data["organizations"][0]
    data["organizations"] += [
        organization | {"id": uuid(90 + number), "name": f"acme-{number}"} for number in range(5)
    ]
    found = audit(tmp_path, data)
    head = found.head
    groups = group_actions(head["actions"], head["population"]["organizations"])
    more = head["actions_total"] - sum(len(group.actions) for group in first(groups))
    assert more > 1
    _, _, listed = found.out.partition("fix first")
    lines = listed.splitlines()
    assert lines.index(f"… and {more} more actions in the report") <= 1 + 5 * 4
    assert sum(line.startswith(("prevent", "repair", "prove")) for line in lines) == 5


# --- JUnit ----------------------------------------------------------------------------------------


def _verdict_of(case: ET.Element) -> str:
    tags = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
    return tags[0] if tags else "passed"


def test_junit_tells_statuses_apart(mixed_run: Run) -> None:
    """A failure that stops is a failure, a gap is an error, and what stops nothing is skipped."""
    reported = {
        (_properties(case)["status"], _verdict_of(case)) for case in _cases(mixed_run).values()
    }
    assert reported == {
        ("pass", "passed"),
        ("fail", "failure"),
        ("fail", "skipped"),
        ("inconclusive", "error"),
        ("waived", "skipped"),
        ("not-applicable", "skipped"),
    }


def test_junit_skips_only_advisories_among_the_failures(mixed_run: Run) -> None:
    """A failure that is shown as skipped is one that the gate lets pass."""
    skipped = {
        _properties(case)["severity"]
        for case in _cases(mixed_run).values()
        if (_properties(case)["status"], _verdict_of(case)) == ("fail", "skipped")
    }
    assert skipped == {"advisory"}


def test_junit_carries_what_each_case_is_about(mixed_run: Run) -> None:
    """Each case has the properties that a pipeline sorts by."""
    case = _cases(mixed_run)[
        "checks/check_scope_has_key.py::check_scope_has_key[acme-prod/serverless/aws/us-east-2]"
    ]
    assert _properties(case) == {
        "rule": "CMEK-01",
        "status": "fail",
        "severity": "critical",
        "organization": "acme-prod",
        "type": "serverless",
        "provider": "aws",
        "region": "us-east-2",
        "findings": "2",
    }


def test_junit_carries_the_verdict(mixed_run: Run) -> None:
    """The suite's properties name verdict and report as the record does."""
    head = mixed_run.head
    expected = {"verdict": head["verdict"]["text"], "report": head["report"]}
    counts = {status: head["counts"][status] for status in STATUSES if head["counts"][status]}
    reported = ", ".join(f"{count} {status}" for status, count in counts.items())
    expected["findings"] = f"{sum(counts.values())} findings, of which {reported}"
    assert _properties(mixed_run.junit) == expected


def test_junit_begins_with_the_fact(mixed_run: Run) -> None:
    """Each message begins with organization and fact, and the text of an error is its message."""
    found = [
        element
        for case in _cases(mixed_run).values()
        for element in case
        if element.tag in {"failure", "error", "skipped"}
    ]
    messages = [element.get("message", "") for element in found]
    first = [message.partition("\n")[0] for message in messages]
    assert [line for line in first if not re.fullmatch(r"acme-prod.*: .+ \[[a-z-]+\]", line)] == [
        line for line in first if re.match("CMEK-[0-9]+ not applicable: ", line)
    ]
    named = [message.replace(aws_key_id(), "") for message in messages]
    assert [message for message in named if ORGANIZATION in message] == []
    assert all(
        str(element.text).startswith(line)
        for element, line in zip(found, first, strict=True)
        if element.tag != "skipped"
    )


def test_junit_tells_a_skip_in_its_check(mixed_run: Run) -> None:
    """Where a case was skipped is shown by its check's file, not by a path of this machine."""
    skipped = [str(element.text) for element in mixed_run.junit.iter("skipped")]
    in_checks = [text for text in skipped if re.match(r"checks/check_\w+\.py:[0-9]+: \w", text)]
    assert skipped == in_checks != []


# --- node ids -------------------------------------------------------------------------------------


def test_node_ids_read_as_evidence(mixed_run: Run) -> None:
    """Every node id names its check and its subject in plain characters."""
    shown = set(_shown(mixed_run))
    assert {node for node in shown if not NODE_ID.fullmatch(node)} == set()
    assert (
        "checks/check_scope_has_key.py::check_scope_has_key[acme-prod/serverless/aws/us-east-2]"
        in shown
    )


def test_node_ids_are_unique(mixed_run: Run) -> None:
    """No two items share a node id, and JUnit has the same ones."""
    lines = [line.split()[0] for line in mixed_run.out.splitlines() if "::" in line]
    assert sorted(lines) == sorted(_cases(mixed_run))
    assert len(set(lines)) == len(lines)


# --- the page of results --------------------------------------------------------------------------


def _page_data(run: Run) -> dict[str, list[dict[str, object]]]:
    blob = re.search('data-jsonblob="([^"]*)"', run.text("results.html"))
    assert blob is not None
    tests: dict[str, list[dict[str, object]]] = json.loads(html.unescape(blob[1]))["tests"]
    return tests


def test_the_page_of_results_has_our_columns(mixed_run: Run) -> None:
    """Each row of results says rule, organization, place, severity and status."""
    cells = _page_data(mixed_run)[
        "checks/check_scope_has_key.py::check_scope_has_key[acme-prod/serverless/aws/us-east-2]"
    ][0]["resultsTableRow"]
    reported = re.findall(r'<td class="col-(\w+)">([^<]*)</td>', "".join(map(str, cells)))  # type: ignore[call-overload]
    assert dict(reported[1:8]) == {
        "rule": "CMEK-01",
        "organization": "acme-prod",
        "type": "serverless",
        "provider": "aws",
        "region": "us-east-2",
        "severity": "critical",
        "status": "fail",
    }


def test_the_page_of_results_has_every_item(mixed_run: Run) -> None:
    """The page of results has a row for each item that ran, and for nothing else."""
    nodes = {node.removesuffix("::setup") for node in _page_data(mixed_run)}
    assert nodes == set(_shown(mixed_run))


def test_the_page_of_results_tells_the_verdict(mixed_run: Run) -> None:
    """Verdict and true counts stand above the rows."""
    page = html.unescape(mixed_run.text("results.html"))
    assert f"<p><strong>{mixed_run.head['verdict']['text']}</strong></p>" in page
    counts = mixed_run.head["counts"]
    reported = ", ".join(f"{counts[status]:,} {status}" for status in STATUSES if counts[status])
    assert f"{sum(counts.values()):,} findings, of which {reported}." in page


# --- what nobody needs to see ---------------------------------------------------------------------


def test_a_noncompliance_has_no_traceback(mixed_run: Run) -> None:
    """What does not comply is reported in words: no report shows a line of the suite's own code."""
    texts = {"terminal": mixed_run.out} | {name: mixed_run.text(name) for name in ALL_FILES}
    del texts["audit.html"]  # its script is code, and is shown by nothing
    shown = {(name, trace) for name, text in texts.items() for trace in TRACES if trace in text}
    assert shown == set()


def test_a_noncompliance_has_no_traceback_even_if_asked(tmp_path: Path) -> None:
    """Asking pytest for tracebacks shows what was found, and no code either."""
    found = audit(tmp_path, mixed(), waivers(tmp_path), "--tb=long", "-rA")
    assert {trace for trace in TRACES if trace in found.out} == set()
    assert "CMEK-01 Each combination" in found.out


def test_a_check_that_breaks_is_reported_without_its_words(tmp_path: Path) -> None:
    """A check that breaks stops the run; where it broke is reported, and what it said is not."""
    argument, environment = plugin(
        tmp_path,
        "def pytest_configure(config):\n"
        "    import checks.check_key_is_usable as check\n"
        "    def judge(estate, context):\n"
        "        raise RuntimeError('s3cret')\n"
        "        yield\n"
        "    check.judge = judge\n",
    )
    found = audit(
        tmp_path,
        compliant(),
        argument,
        "-v",
        "--tb=long",
        "--cmek-allow-inconclusive",
        "--cmek-fail-on=critical",
        formats=ALL,
        environment=environment,
    )
    assert (found.code, found.word) == (1, "broken")
    [broken] = [finding for finding in found.findings if finding["status"] == "error"]
    assert (broken["rule"], broken["reason"]) == ("CMEK-12", "check-broke")
    assert broken["message"] == "The check broke: RuntimeError in judge, line 4."
    assert [word for node, word in _shown(found).items() if "usable" in node] == ["ERROR"]
    texts = {"terminal": found.out} | {name: found.text(name) for name in ALL_FILES}
    assert {name for name, text in texts.items() if "s3cret" in text} == set()


EVIL = "<img src=x onerror=alert(1)>\x1b]0;owned\x07\u202e [x]::y \u2028&amp;"


def test_hostile_names_harm_no_reader(tmp_path: Path) -> None:
    """Names full of markup and control characters reach no terminal and no page as what they are.

    Node ids stay plain and unique, and the record has the names as they were.
    """
    databases = [
        database_data(name=EVIL, regions=["us-east-1", "<b>::[x]"]),
        database_data(id="</script><script>", name=EVIL, regions=["us-east-2"]),
    ]
    data = compliant(name=EVIL, databases=databases, keys=[whole_key(registered=None)])
    data["organizations"].append(
        data["organizations"][0] | {"id": "<!--[if]-->", "databases": [], "keys": []}
    )
    path = tmp_path / "inventory.json"
    path.write_text(json.dumps(data))
    found = audit(tmp_path, str(path), "-v", "-rA", "--tb=short", formats=ALL)
    assert found.code == 1
    assert {node for node in _cases(found) if not NODE_ID.fullmatch(node)} == set()
    assert {character for character in "\x1b\x07\u202e\u2028" if character in found.out} == set()
    pages = {"audit.html": found.text("audit.html"), "cells": json.dumps(_page_data(found))}
    assert {name for name, page in pages.items() if "<img" in page} == set()
    assert "<img src=x" not in found.text("results.html")
    assert {finding["name"] for finding in found.findings if "name" in finding} == {EVIL}
