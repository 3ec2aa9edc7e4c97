"""The second step of an audit: every organization is judged, and the findings are added up."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from cmek_audit.execution.tally import Selection, group_id
from cmek_audit.run.judging import judge
from cmek_audit.run.preparation import Prepared, prepare, reopen
from tests.cmek_audit.run.audits import left_in, options_in
from tests.wiring.runs import ALL_FILES, compliant, mixed, prefill, waivers

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Finding
    from checks.engine.pass_series import PassSeries
    from inventory.model.organization import Organization


class _Sink:
    """Keeps what it gets: the ids of organizations and the findings, in the order they come."""

    def __init__(self) -> None:
        self.organizations: list[str] = []
        self.findings: list[Finding] = []

    def add_organization(self, organization: Organization) -> None:
        self.organizations.append(organization.id)

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)

    def add_series(self, series: PassSeries) -> None:
        self.findings += series.findings()


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return prepare(options_in(tmp_path, mixed()))


def test_every_finding_is_in_a_group(prepared: Prepared) -> None:
    """What the sink gets is what the groups count, no more and no less."""
    sink = _Sink()
    judged = judge(prepared, sink)
    counted = sum(sum(group.counts.values()) for group in judged.all_groups())
    assert counted == len(sink.findings) > 0
    assert len(sink.organizations) == len(set(sink.organizations)) > 0


def test_judging_changes_nothing_that_was_prepared(prepared: Prepared) -> None:
    """An inventory that is judged twice gives the same findings, in the same order."""
    sinks = _Sink(), _Sink()
    first = judge(prepared, sinks[0])
    second = judge(reopen(prepared.setup), sinks[1])
    assert sinks[0].findings == sinks[1].findings
    assert (first.sources, first.group_ids) == (second.sources, second.group_ids)


def test_a_selection_leaves_all_other_findings_out(prepared: Prepared) -> None:
    """Only findings of the selected groups reach the sink, and the audit says what is missing."""
    whole, part = _Sink(), _Sink()
    judged = judge(prepared, whole)
    group = next(group for group in judged.all_groups() if group.counts)
    selection = Selection({group_id(group)}, judged.grouping, "all others were not run")
    partial = judge(reopen(prepared.setup), part, selection)
    assert part.findings == [
        finding
        for finding in whole.findings
        if (finding.rule, finding.subject.path) == group_id(group)
    ]
    assert partial.left_out == "all others were not run"
    assert part.organizations == whole.organizations


def test_a_waiver_is_applied_before_anybody_counts(tmp_path: Path) -> None:
    """A waived failure reaches the sink as waived, and the audit says what became of the waiver."""
    flag, _, path = waivers(tmp_path).partition("=")
    sink = _Sink()
    judged = judge(prepare(options_in(tmp_path, mixed(), waivers=(path,))), sink)
    waived = {finding.waiver for finding in sink.findings if finding.status == "waived"}
    states = {waiver.id: state for waiver, state in judged.waivers}
    assert flag == "--cmek-waivers"
    assert waived == {waiver for waiver, state in states.items() if state == "active"}


def test_without_a_sink_no_file_is_touched(tmp_path: Path) -> None:
    """An audit that only judges neither writes nor removes anything."""
    prefill(tmp_path)
    judge(prepare(options_in(tmp_path)))
    assert left_in(tmp_path) == {*ALL_FILES, "notes.txt"}


@pytest.mark.parametrize("enabled", ["on", "off"])
def test_the_collector_stays_as_it_was(tmp_path: Path, enabled: str) -> None:
    """Python's garbage collector is paused while judging, and then is as it was before."""
    (gc.enable if enabled == "on" else gc.disable)()
    try:
        judge(prepare(options_in(tmp_path, compliant())))
        assert gc.isenabled() == (enabled == "on")
    finally:
        gc.enable()
