"""``waive``: whose waiver it asks for, what it refuses, and that it covers once it is approved."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from checks import check_paid_plan
from checks.engine.waivers import read_waivers
from cmek_audit.commands import waive
from tests.builders import ORGANIZATION
from tests.checks.judging import RULES
from tests.cmek_audit.helpers import command, replace
from tests.reports.samples import VIOLATIONS, WAIVERS, Report, audit
from tests.wiring import runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

TODAY = date(2026, 11, 21)
TEXTS = {
    "reason": "It moves next year.",
    "control": "The rows are encrypted by the application.",
    "ticket": "SEC-9",
    "requested-by": "Ben Example (cloud)",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit a file with findings of each status that an audit gives."""
    return audit(tmp_path_factory.mktemp("waive"), VIOLATIONS, WAIVERS)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waive, "day", lambda _: TODAY)


def findings(report: Report, status: str, **more: str) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in report.lines]
    return [each for each in parsed if {**each, **more, "status": status} == each]


def asked(report: Report, finding: str, *more: object, **texts: str) -> Result:
    options = [part for name, text in (TEXTS | texts).items() for part in (f"--{name}", text)]
    return command("waive", finding, report.folder, *options, *more)


EXTEND = "To extend it, change its dates and have it approved again."
HINT = "Paste this entry into the list 'waivers:' of your file of waivers.\n"


def unique(report: Report) -> dict[str, Any]:
    """Return a finding that fails, and for which no waiver was given."""
    known = {(waiver["rule"], waiver["subject"]) for waiver in WAIVERS}
    failing = findings(report, "fail")
    return next(
        finding for finding in failing if (finding["rule"], finding["subject"]["path"]) not in known
    )


# --- what is asked for ----------------------------------------------------------------------------


def test_a_request_is_printed(report: Report, golden: Callable[[str, str], None]) -> None:
    """The entry to paste goes to stdout, and where to paste it to stderr."""
    (finding,) = findings(report, "fail", rule="CMEK-04")
    done = asked(report, finding["id"])
    assert (done.exit_code, done.stderr) == (0, HINT)
    golden("waive.txt", done.stdout)


def pasted(file: Path, entry: str) -> Path:
    """Write a file of waivers with nothing but ``entry``."""
    file.write_text(f"cmek-waivers: 1\nwaivers:\n{entry}")
    return file


def test_what_is_asked_for_is_the_finding(report: Report, tmp_path: Path) -> None:
    """A request has the rule and subject of its finding, today's day and the last day, in UTC."""
    finding = unique(report)
    done = asked(report, finding["id"], "--days", 365)
    file = pasted(tmp_path / "waivers.yaml", done.stdout)
    (waiver,) = read_waivers([str(file)], RULES)
    assert waiver.model_dump(mode="json") == {
        "id": f"W-2026-{finding['id'][:8]}",
        "rule": finding["rule"],
        "subject": finding["subject"]["path"],
        "cause": finding["cause"],
        "reason": TEXTS["reason"],
        "requested_by": TEXTS["requested-by"],
        "approved_by": None,
        "requested_on": "2026-11-21",
        "approved_on": None,
        "expires_on": "2027-11-21",
        "compensating_control": TEXTS["control"],
        "ticket": TEXTS["ticket"],
    }


def test_the_beginning_of_an_id_is_enough(report: Report) -> None:
    """A finding is found by as much of its id as no other has, in either case."""
    finding = unique(report)["id"]
    whole = asked(report, finding).stdout
    assert asked(report, finding[:8]).stdout == whole
    assert asked(report, finding[:8].upper()).stdout == whole


def test_the_record_itself_may_be_named(report: Report) -> None:
    """A report is named by its folder or by its audit.json."""
    finding = unique(report)["id"]
    inside = report._replace(folder=report.folder / "audit.json")
    assert asked(inside, finding).stdout == asked(report, finding).stdout


def test_from_request_to_waiver(tmp_path: Path) -> None:
    """A finding still fails while its waiver is requested; once that is approved, it is waived."""
    first = runs.audit(tmp_path, runs.unpaid())
    (finding,) = [finding for finding in first.findings if finding["status"] == "fail"]
    texts = [part for name, text in TEXTS.items() for part in (f"--{name}", text)]
    done = command("waive", finding["id"], tmp_path / "r", *texts)
    file = pasted(tmp_path / "requested.yaml", done.stdout)
    assert (first.code, done.exit_code) == (1, 0)

    second = runs.audit(tmp_path, runs.unpaid(), f"--cmek-waivers={file}")
    assert (second.code, [waiver["state"] for waiver in second.head["waivers"]]) == (
        1,
        ["requested"],
    )

    replace(
        file,
        "    requested_on:",
        "    approved_by: Eve Example\n    approved_on: 2026-11-21\n    requested_on:",
    )
    third = runs.audit(tmp_path, runs.unpaid(), f"--cmek-waivers={file}")
    assert (third.code, [waiver["state"] for waiver in third.head["waivers"]]) == (0, ["active"])
    (waived,) = [finding for finding in third.findings if finding["status"] == "waived"]
    assert (waived["id"], waived["subject"]["path"]) == (finding["id"], ORGANIZATION)


def test_ids_stay_unique(report: Report, tmp_path: Path) -> None:
    """An id that another waiver of the report has gets a number."""
    finding = unique(report)
    name = f"W-2026-{finding['id'][:8]}"
    taken = [{**WAIVERS[0], "id": name}, {**WAIVERS[1], "id": f"{name}-2"}]
    for count, unused in ((1, f"{name}-2"), (2, f"{name}-3")):
        again = audit(tmp_path, VIOLATIONS, taken[:count])
        assert f"id: {unused}\n" in asked(again, finding["id"]).stdout


def test_another_waiver_for_the_same_cause(report: Report) -> None:
    """A waiver of the report for the same cause that covers nothing is named on stderr."""
    (expired,) = [waiver for waiver in report.head["waivers"] if waiver["state"] == "expired"]
    (finding,) = [
        finding
        for finding in findings(report, "fail", rule=expired["rule"])
        if finding["subject"]["path"] == expired["subject"]
    ]
    done = asked(report, finding["id"])
    assert done.exit_code == 0
    assert done.stderr == (
        f"{expired['file']}:{expired['line']}: W-expired is for the same cause. "
        f"An audit accepts only one of the two: replace the old one.\n{HINT}"
    )


def test_banners_are_reported(tmp_path: Path) -> None:
    """Whoever asks by a partial report or by an example is told that it is one."""
    partial = audit(tmp_path, VIOLATIONS, only="CMEK-04")
    (finding,) = findings(partial, "fail")
    assert asked(partial, finding["id"]).stderr.startswith("PARTIAL RUN, NOT AUDIT EVIDENCE: ")


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pass", "passes: there is nothing to waive."),
        ("not-applicable", "is not applicable: there is nothing to waive."),
        (
            "waived",
            f"is already waived, by {{waiver}}. {EXTEND}",
        ),
        (
            "inconclusive",
            "is inconclusive, and only a failure can be waived. To do instead: {action}.",
        ),
    ],
)
def test_only_a_failure_can_be_waived(report: Report, status: str, words: str) -> None:
    """A finding of any other status is refused, with what to do instead."""
    finding = findings(report, status)[0]
    done = asked(report, finding["id"])
    cause = f" {finding['cause']}" if "cause" in finding else ""
    named = f"{finding['id']} ({finding['rule']} {finding['subject']['path']}{cause})"
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr == f"{named} {words.format_map(finding)}\n"


def test_a_check_that_broke_cannot_be_waived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error is refused like what could not be judged."""
    monkeypatch.setattr(check_paid_plan, "judge", lambda *_: map(int, ["x"]))
    broken = audit(tmp_path, VIOLATIONS)
    (finding, *_) = findings(broken, "error")
    done = asked(broken, finding["id"])
    assert done.exit_code == 4
    assert "is an error of its check, and only a failure can be waived." in done.stderr


@pytest.mark.parametrize("finding", ["", "abc", "xyzw", "f-abcdef", "0" * 21, '","id":"', "é" * 4])
def test_what_is_no_id_is_refused(report: Report, finding: str) -> None:
    """What cannot be an id, or is too short to tell one, is refused."""
    done = asked(report, finding)
    assert done.exit_code == 4
    assert done.stderr.startswith("FINDING: found ")
    assert "at least 4 characters" in done.stderr


def test_an_unknown_finding_is_refused(report: Report) -> None:
    """If no id begins so, it is said where the ids stand."""
    done = asked(report, "ffffffffff")
    number = report.head["findings"]["count"]
    assert done.exit_code == 4
    assert done.stderr == (
        f"FINDING: found ffffffffff, expected the id of one of the {number} findings of "
        f"{report.folder}. See audit.html there.\n"
    )


def test_an_ambiguous_beginning_is_refused(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """If several ids begin so, the first of them are listed."""
    number = report.head["findings"]["count"]
    monkeypatch.setattr(waive, "_BEGINNING", re.compile(""))
    done = asked(report, "")
    lines = done.stderr.splitlines()
    assert done.exit_code == 4
    assert lines[0] == f"FINDING: found , the beginning of {number} ids: give more of it"
    first = json.loads(report.lines[0])
    assert lines[1].strip() == (
        f"{first['id']} ({first['rule']} {first['subject']['path']}) {first['status']}"
    )
    assert (len(lines), lines[-1].strip()) == (12, f"… and {number - 10} more")
    monkeypatch.setattr(waive, "_MOST_NAMED", number)
    lines = asked(report, "").stderr.splitlines()
    assert (len(lines), lines[-1].split()[0]) == (number + 1, json.loads(report.lines[-1])["id"])


@pytest.mark.parametrize("option", sorted(TEXTS))
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "text, not blank"),
        (" \n", "text, not blank"),
        ("\u200b\u2800", "text, not blank"),
        ("see Astra" + "CS:" + "acme" * 8, "text without a token"),
        ("broken \udcff", "text in UTF-8"),
    ],
)
def test_texts_that_no_file_may_hold_are_refused(
    report: Report, option: str, text: str, expected: str
) -> None:
    """A text that is blank, holds a token, or is no text is refused by its option's name."""
    done = asked(report, unique(report)["id"], **{option: text})
    assert done.exit_code == 4
    assert done.stderr.startswith(f"--{option}: found ")
    assert done.stderr.endswith(f", expected {expected}\n")
    assert "acmeacme" not in done.stderr


@pytest.mark.parametrize("days", ["0", "366", "-1", "many"])
def test_a_waiver_lasts_a_year_at_most(report: Report, days: str) -> None:
    """A number of days that no waiver may have is refused."""
    assert asked(report, unique(report)["id"], "--days", days).exit_code == 4


def test_a_changed_record_is_refused(tmp_path: Path) -> None:
    """Nothing is asked for by a report that is not as it was written."""
    own = audit(tmp_path, VIOLATIONS)
    replace(own.folder / "findings.ndjson", '"status":"pass"', '"status":"fail"')
    done = asked(own, unique(own)["id"])
    assert (done.exit_code, done.stdout) == (4, "")
    assert "changed since" in done.stderr


def test_a_request_as_json_is_an_entry_as_well(report: Report, tmp_path: Path) -> None:
    """The JSON object is the same waiver as the entry in YAML, for a list in a file of JSON."""
    finding = unique(report)
    done = asked(report, finding["id"], "--json")
    assert (done.exit_code, done.stderr) == (0, HINT)
    file = tmp_path / "waivers.json"
    file.write_text(json.dumps({"cmek-waivers": 1, "waivers": [json.loads(done.stdout)]}))
    (waiver,) = read_waivers([str(file)], RULES)
    assert (waiver.rule, waiver.subject) == (finding["rule"], finding["subject"]["path"])
    assert done.stdout.isascii()
