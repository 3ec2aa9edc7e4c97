"""Annotations: workflow commands that GitHub reads as they were meant, and no others."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.engine.context import Context
from checks.engine.finding import OPEN, Finding
from checks.engine.outcome import Gate
from checks.engine.waivers import Waiver
from inventory.text.deceptive_text import deceptive_positions
from reports.formats.github_annotations import LEVELS, render
from reports.record.writer import Settings
from tests.builders import AS_OF
from tests.hypothesis_profile import examples
from tests.reports.recording import RULE_IDS, a_finding, findings, record
from tests.reports.samples import VIOLATIONS, WAIVERS, audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.waivers import State

ROOT = Path("/repo/acme")
LINE = re.compile(r"::(error|warning|notice) ([^\n]*?)::([^\n]*)")


class Shown(NamedTuple):
    """An annotation as GitHub shows it."""

    level: str
    properties: dict[str, str]
    text: str


def _read(text: str) -> list[Shown]:
    """Read commands as the runner of workflows does."""
    assert text.endswith("\n")
    shown = []
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        assert match
        given = (pair.partition("=") for pair in match[2].split(","))
        properties = {name: _decoded(value) for name, _, value in given}
        shown.append(Shown(match[1], properties, _decoded(match[3])))
    return shown


def _decoded(text: str) -> str:
    codes = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    return re.sub("|".join(codes), lambda match: codes[match[0]], text)


def _of(
    *given: Finding,
    gate: Gate | None = None,
    waivers: Sequence[tuple[Waiver, State]] = (),
    **over: Any,  # noqa: ANN401 (settings are of any type)
) -> list[Shown]:
    """Render a record that holds nothing but findings, and read it."""
    reported = Settings(Context(AS_OF), gate or Gate(), "subject", **over)
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given, settings=reported, waivers=waivers)
    if reported.gate.new_only:
        made.head["changes"] = {"baseline": {"as_of": "then", "report": "0" * 64}}
    return _read(render(made.head, made.findings.splitlines(keepends=True), ROOT))


def _waiver(line: int) -> Waiver:
    made = Waiver(
        id=f"W-{line}",
        rule="CMEK-01",
        subject="acme/serverless/aws/us-east-1",
        cause="without-key",
        reason="A pilot.",
        requested_by="Ines Okafor",
        requested_on=date(2026, 9, 1),
        expires_on=date(2026, 12, 1),
        compensating_control="None.",
        ticket="ACME-1",
    )
    return made.at("waivers.yaml", line)


# --- what is shown --------------------------------------------------------------------------------


def test_a_finding_is_shown_at_its_line() -> None:
    """An annotation has file, line, rule, severity, subject, condition and step."""
    found = a_finding(organization="acme", action="Register a key", evidence=(("x/a.yaml", 7),))
    assert _of(found)[0] == Shown(
        "error",
        {"file": "x/a.yaml", "line": "7", "title": "CMEK-01 failed (high)"},
        "acme / Serverless on AWS / us-east-1: It is so. To do: Register a key.",
    )


def test_the_verdict_comes_last() -> None:
    """The last annotation is the verdict, also where there is no other."""
    assert _of(a_finding("pass")) == [
        Shown(
            "notice",
            {"title": "Customer keys in Astra: compliant"},
            (
                f"Compliant: 1 of {len(RULE_IDS)} rules were evaluated; none failed. "
                "No database is shown to be encrypted by a customer key. "
                f"{', '.join(RULE_IDS[1:-1])} and {RULE_IDS[-1]} found no subject."
            ),
        )
    ]


@pytest.mark.parametrize(
    ("finding", "gate", "level"),
    [
        (a_finding(severity="low"), Gate(), "error"),
        (a_finding(severity="medium"), Gate("high"), "warning"),
        (a_finding(severity="advisory"), Gate("high"), "notice"),
        (a_finding(severity="advisory"), Gate("advisory"), "error"),
        (a_finding("inconclusive", severity="advisory"), Gate(), "error"),
        (a_finding("inconclusive"), Gate(allow_inconclusive=True), "warning"),
        (a_finding("error", severity="advisory"), Gate(allow_inconclusive=True), "error"),
        (a_finding(change="new", since="t", audits=1), Gate(new_only=True), "error"),
        (a_finding(change="unchanged", since="t", audits=2), Gate(new_only=True), "warning"),
        (a_finding(change="unchanged", since="t", audits=2), Gate(), "error"),
    ],
)
def test_what_stops_is_an_error(finding: Finding, gate: Gate, level: str) -> None:
    """What stops the pipeline is an error; of the others advisories are notices."""
    levels = {
        annotation.properties["title"].partition(" ")[0]: annotation.level
        for annotation in _of(finding, gate=gate)
    }
    assert levels["CMEK-01"] == level


def test_a_name_does_not_make_a_finding_known() -> None:
    """What a finding says cannot pretend that it is unchanged."""
    found = a_finding(message=',"change":"unchanged","since":"', change="new", since="t", audits=1)
    assert _of(found, gate=Gate(new_only=True))[0].level == "error"


@pytest.mark.parametrize(
    "evidence",
    [(), (("/etc/a.yaml", 1),), (("../a.yaml", 1),)],
    ids=["none", "elsewhere", "above"],
)
def test_only_files_of_the_repository_are_named(evidence: tuple[tuple[str, int], ...]) -> None:
    """A finding that stands in no file of the repository is shown without one."""
    (found, _) = _of(a_finding(evidence=evidence))
    assert set(found.properties) == {"title"}


@pytest.mark.parametrize(
    ("over", "title"),
    [
        ({"left_out": "3 of 5 groups"}, "PARTIAL RUN, NOT AUDIT EVIDENCE"),
        ({"is_example": True}, "EXAMPLE, NOT AUDIT EVIDENCE"),
        ({"gate": Gate(new_only=True)}, "GATE ON NEW FINDINGS ONLY"),
    ],
)
def test_banners_are_warnings(over: dict[str, Any], title: str) -> None:
    """What every report must say in large letters is a warning before all others."""
    shown = [annotation for annotation in _of(**over) if annotation.level == "warning"]
    assert [annotation.properties for annotation in shown] == [{"title": title}]


@pytest.mark.parametrize(
    ("state", "level", "words"),
    [
        ("expiring", "warning", "It expires in 10 days, on 2026-12-01: "),
        ("requested", "notice", "It has awaited approval since 2026-09-01 and covers nothing: "),
    ],
)
def test_waivers_are_shown_in_their_file(state: State, level: str, words: str) -> None:
    """A waiver that asks for somebody is shown at its line of the file of waivers."""
    shown, _ = _of(waivers=[(_waiver(4), state)])
    assert (shown.level, shown.text) == (level, f"{words}CMEK-01 acme/serverless/aws/us-east-1")
    assert (shown.properties["file"], shown.properties["line"]) == ("waivers.yaml", "4")


def test_waivers_that_cover_are_not_shown() -> None:
    """A waiver that covers its failure for long asks for nobody."""
    assert len(_of(waivers=[(_waiver(4), "active")])) == 1


# --- how many -------------------------------------------------------------------------------------


def test_no_more_than_github_shows() -> None:
    """There are ten of each level, the most urgent, and the last one counts the others."""
    given = [
        a_finding(severity=severity, region=f"r{number}")
        for severity in ("low", "advisory", "high", "critical")
        for number in range(12)
    ]
    shown = _of(*given, gate=Gate("high"), waivers=[(_waiver(9), "expiring")])
    assert Counter(annotation.level for annotation in shown) == dict.fromkeys(LEVELS, 10)
    titles = Counter(annotation.properties["title"] for annotation in shown)
    assert titles["CMEK-01 failed (critical)"] == 10
    assert titles["CMEK-01 failed (low)"] == 10
    assert titles["CMEK-01 failed (advisory)"] == 9
    assert [annotation.level for annotation in shown] == sorted(
        (annotation.level for annotation in shown), key=LEVELS.index
    )
    left_out = len(given) + 1 - (len(shown) - 1)
    assert shown[-1].text.endswith(f" {left_out} more: see the report.")


def test_equals_are_shown_in_the_order_of_the_record() -> None:
    """Of findings that are alike the first ones are shown."""
    given = [a_finding(region=f"r{number:02}") for number in range(15)]
    shown = _of(*given)
    assert [annotation.text.split(" / ")[2][:3] for annotation in shown[:-1]] == [
        f"r{n:02}" for n in range(10)
    ]


def test_a_real_audit_is_annotated(tmp_path: Path) -> None:
    """The findings of an audit are shown at the lines of the files that it read."""
    report = audit(tmp_path, VIOLATIONS, WAIVERS)
    shown = _read(render(report.head, iter(report.lines), tmp_path))
    files = {annotation.properties.get("file") for annotation in shown[:-1]}
    assert files == {"inventory.json", "waivers.json"}
    open_ones = sum(report.head["counts"][status] for status in OPEN)
    by_level = Counter(annotation.level for annotation in shown)
    assert by_level["error"] == min(10, open_ones)


# --- hostile names --------------------------------------------------------------------------------


def test_commands_cannot_be_smuggled_in() -> None:
    """Text that looks like a command stays text, and a line break is none."""
    evil = "x\r\n::stop-commands::t\n::error::y%0A::z"
    found = a_finding(organization="o,line=1::", message=evil, evidence=(("a,line=9:b.yaml", 3),))
    shown, _ = _of(found)
    assert shown.properties["file"] == "a,line=9:b.yaml"
    assert shown.properties["line"] == "3"
    assert "x(U+000D U+000A)::stop-commands::t(U+000A)::error::y%0A::z" in shown.text


@examples(100)
@given(st.lists(findings(), max_size=4), st.text(max_size=20))
@example([a_finding(message="%", name="\x85\u2028")], "\n")
def test_any_finding_is_one_line(given: list[Finding], organization: str) -> None:
    """Whatever findings hold, each is one line, which reads back as a command of ours."""
    named = [finding._replace(name=organization) for finding in given]
    shown = _of(*named)
    open_ones = sum(finding.status in OPEN for finding in given)
    assert len(shown) == open_ones + 1
    for annotation in shown:
        assert set(annotation.properties) <= {"file", "line", "title"}
        assert not deceptive_positions(annotation.text)
        assert int(annotation.properties.get("line", 1)) >= 1
