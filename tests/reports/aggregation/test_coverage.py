"""Coverage: a cell never looks better than the worst finding about its key scope."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES
from checks.engine.finding import (
    OPEN,
    STATUSES,
    Finding,
    Status,
    key_subject,
    organization_subject,
)
from reports.aggregation.aggregates import Aggregates
from reports.aggregation.coverage_states import STATES
from reports.page.coverage_matrix import lay_out
from reports.presentation.labels import CELL, STATUS
from tests.builders import (
    ORGANIZATION,
    a_database,
    a_planned_database,
    an_organization,
    key_id_for,
    kms_facts,
    uuid,
)
from tests.hypothesis_profile import examples
from tests.reports.coverage_findings import (
    PROVEN,
    SCOPE,
    attested_key,
    audited,
    placement,
    rows,
)
from tests.reports.recording import RULES, a_finding


def test_passes_of_other_rules_fill_no_cell() -> None:
    """Only the rules on needed and on idle keys say that there is a key scope at all."""
    others = [a_finding("pass", rule.card.id) for rule in RULES]
    kept = [finding for finding in others if finding.rule not in {"CMEK-01", "CMEK-09"}]
    assert [row["cells"] for row in rows(*kept)] == [[], []]


def test_an_organization_that_was_not_met_goes_by_its_id() -> None:
    """A finding about an organization that only an earlier record knows still has its row."""
    tallies = Aggregates()
    tallies.add(a_finding(organization="acme-gone"))
    [row] = tallies.coverage({})
    assert (row["organization"], row["name"]) == ("acme-gone", "acme-gone")


_REGIONS = ("us-east-1", "us-west-2")
_RULES = sorted({rule.card.id for rule in RULES})


@st.composite
def _located(draw: st.DrawFn) -> Finding:
    """Draw a finding about a key, a scope, a database or the whole of an organization."""
    status: Status = draw(st.sampled_from(STATUSES))
    region = draw(st.sampled_from(_REGIONS))
    scope = SCOPE._replace(region=region)
    named = key_id_for("aws", draw(st.sampled_from(_REGIONS)))
    subject = draw(
        st.sampled_from(
            [key_subject(scope, named), organization_subject(ORGANIZATION), placement("d")]
        )
    )
    databases = draw(st.integers(0, 3))
    reasons = ["astra-provided", "unsupported-combination", "clouds-left-out"]
    return a_finding(
        status,
        draw(st.sampled_from(_RULES)),
        draw(st.sampled_from(SEVERITIES)),
        subject=subject,
        databases=databases,
        existing=draw(st.integers(0, databases)),
        reason=draw(st.sampled_from(reasons)) if status == "not-applicable" else "",
        message=draw(st.sampled_from(["It is so.", "It is otherwise."])),
    )


_ANY = st.lists(_located() | st.sampled_from(PROVEN), max_size=12)
_COLOURS = ("fail", "inconclusive", "waived", "not-applicable", "nothing", "pass")


def _colours(*given: Finding) -> dict[str, int]:
    """Return how good each cell looks on the page, by its region."""
    laid_out = lay_out(rows(*given), 10_000, is_partial=False)
    return {
        region: _COLOURS.index(cell.label.css.replace("error", "fail"))
        for matrix in laid_out.shown
        for table in matrix.tables
        for row in table.rows
        for region, cell in zip(table.regions, row.cells, strict=True)
        if cell.data
    }


@examples(300)
@given(given=_ANY)
def test_no_cell_is_green_over_a_failure(given: list[Finding]) -> None:
    """A cell is green only if nothing above an advisory is open or waived in its scope."""
    bad = {
        finding.subject.region
        for finding in given
        if finding.status in {*OPEN, "waived"} and finding.severity != "advisory"
    }
    green = {region for region, colour in _colours(*given).items() if _COLOURS[colour] == "pass"}
    assert green & bad == set()


@examples(300)
@given(given=_ANY, more=_located())
def test_no_cell_looks_better_for_one_finding_more(given: list[Finding], more: Finding) -> None:
    """An open finding leaves every cell as it was, or makes it look worse."""
    bad = more if more.status in OPEN else more._replace(status="fail")
    before, after = _colours(*given), _colours(*given, bad)
    assert {region for region in before if after[region] > before[region]} == set()


@examples(200)
@given(given=_ANY, data=st.data())
def test_the_order_of_findings_does_not_matter_to_cells(
    given: list[Finding], data: st.DataObject
) -> None:
    """Cells and rows are the same in whatever order findings are added."""
    assert rows(*given) == rows(*data.draw(st.permutations(given)))


@examples(200)
@given(given=_ANY)
def test_every_state_has_a_look_and_every_cell_a_state(given: list[Finding]) -> None:
    """Whatever findings there are, a cell has a known state and leads to one of them."""
    ids = {finding.id for finding in given}
    for row in rows(*given):
        for cell in row["cells"]:
            assert cell["state"] in STATES
            assert cell["state"] in CELL
            assert cell["status"] in STATUS
            assert cell["finding"] in ids


_STATES = st.fixed_dictionaries(
    {
        region: st.tuples(
            st.sampled_from(["none", "good", "late", "disabled", "undated", "other"]),
            st.integers(0, 2),
            st.integers(0, 2),
        )
        for region in _REGIONS
    }
)


@examples(60)
@given(states=_STATES)
def test_cells_of_real_audits_are_green_only_if_all_is_in_order(
    states: dict[str, tuple[str, int, int]],
) -> None:
    """Over any inventory, a cell is green if and only if its key is in order."""
    keys: list[object] = []
    databases: list[object] = []
    for region, (kind, existing, planned) in states.items():
        keys += [] if kind == "none" else [_key_of(kind, region)]
        databases += [
            a_database(id=uuid(len(databases) + number), regions=[region])
            for number in range(existing)
        ]
        databases += [
            a_planned_database(name=f"{region}-{number}", regions=[region])
            for number in range(planned)
        ]
    cells = audited(an_organization(keys=keys, databases=databases)) if keys + databases else []
    good = {
        region
        for region, (kind, existing, planned) in states.items()
        if existing + planned and (kind == "good" or (kind in {"late", "undated"} and not existing))
    }
    assert {cell["region"] for cell in cells if cell["state"] == "covered"} == good


def _key_of(kind: str, region: str) -> object:
    facts = kms_facts(region=region, enabled=kind != "disabled")
    late = {"at": "2026-07-01T00:00:00Z", "by": "a", "on": "2026-07-01"}
    owns: dict[str, dict[str, object]] = {
        "late": {"registered": late},
        "undated": {"registered": None},
        "other": {"key_id": key_id_for("aws", "eu-central-1")},
    }
    own = owns.get(kind, {})
    return attested_key(**{"region": region, "kms": facts} | own)
