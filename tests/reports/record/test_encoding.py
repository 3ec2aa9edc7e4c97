"""The line of a finding."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from checks.engine.context import utc
from checks.engine.finding import Finding, Subject
from checks.engine.pass_series import PassSeries
from reports.record.encoding import encode_finding, encode_series
from tests.builders import CAPTURED_AT
from tests.hypothesis_profile import examples
from tests.reports.recording import a_finding, findings, series

CAPTURED = utc(CAPTURED_AT)


def _plain(finding: Finding) -> dict[str, Any]:
    """Return what the line of ``finding`` has to say, found out in another way."""
    data = finding._asdict()
    data["subject"] = dict(
        zip(("kind", "path", *Subject._fields[2:]), finding.subject, strict=True)
    )
    data["subject"] = {
        name: value
        for name, value in data["subject"].items()
        if value or name in {"kind", "path", "organization"}
    }
    data |= {"id": finding.id, "evidence": [list(place) for place in finding.evidence]}
    if finding.databases:
        data["existing"] = str(finding.existing)
    kept = {name: value for name, value in data.items() if value or name == "evidence"}
    return kept | ({"existing": finding.existing} if finding.databases else {})


# --- the line of a finding ------------------------------------------------------------------------


@examples(200)
@given(finding=findings())
def test_a_line_says_all_of_its_finding_and_nothing_else(finding: Finding) -> None:
    """The line of a finding, read as JSON, holds each of its fields that is not empty."""
    assert json.loads(encode_finding(finding)) == _plain(finding)


@examples(200)
@given(finding=findings())
def test_a_line_is_one_line_of_visible_ascii(finding: Finding) -> None:
    """Whatever stands in a finding, its line has only printable ASCII and no end of line in it."""
    assert {
        character for character in encode_finding(finding) if not " " <= character <= "~"
    } == set()


def test_a_line_has_its_keys_in_a_fixed_order() -> None:
    """Status, rule and id come first, so that lines can be told apart at a glance."""
    finding = a_finding(
        "waived", reason="r", action="Act", name="acme", databases=2, existing=1, waiver="W-1"
    )._replace(evidence=(("acme.yaml", 7),))
    keys = ["status", "rule", "id", "severity", "subject", "cause", "name", "message"]
    keys += ["reason", "action", "action_id", "waiver", "databases", "existing", "evidence"]
    assert list(json.loads(encode_finding(finding))) == keys


def test_the_age_of_a_finding_stands_in_its_line() -> None:
    """What became of an open finding, since when it is open and how often follow its action."""
    finding = a_finding(action="Act", change="unchanged", since=CAPTURED, audits=2, databases=1)
    keys = [
        "status",
        "rule",
        "id",
        "severity",
        "subject",
        "cause",
        "message",
        "action",
        "action_id",
    ]
    keys += ["change", "since", "audits", "databases", "existing", "evidence"]
    assert list(json.loads(encode_finding(finding))) == keys


def test_a_pass_states_on_which_evidence_it_rests() -> None:
    """The kind of evidence follows the condition; a rule that states none rests on records."""
    lines = [
        json.loads(encode_finding(a_finding("pass", databases=1, existing=1, **stated)))
        for stated in ({}, {"rests_on": "portal"}, {"attested_by": ("Ada",)})
    ]
    assert [line["rests_on"] for line in lines] == ["records", "portal", "attested"]
    keys = ["status", "rule", "id", "severity", "subject", "message", "rests_on"]
    assert list(lines[0]) == [*keys, "databases", "existing", "evidence"]


def test_a_lone_surrogate_survives_in_a_line() -> None:
    """A name that is no valid Unicode is recorded and read back as it was."""
    line = encode_finding(a_finding(name="acme-\ud800"))
    assert (line.isascii(), json.loads(line)["name"]) == (True, "acme-\ud800")


@examples(200)
@given(passes=series())
def test_a_series_is_written_as_its_passes_one_by_one(passes: PassSeries) -> None:
    """The lines of a series are those of its passes, whatever characters are in their texts."""
    assert list(encode_series(passes)) == list(map(encode_finding, passes.findings()))
