"""Coverage: a cell never looks better than the worst finding about its key scope."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import (
    OPEN,
    STATUSES,
    Finding,
    Status,
    Subject,
    database_id_subject,
    key_subject,
    organization_subject,
)
from inventory.model.key import KeyScope
from inventory.model.organization import Organization
from reports.aggregation.aggregates import Aggregates
from reports.aggregation.coverage import PROOFS, STATES
from reports.page.coverage_matrix import lay_out
from reports.presentation.labels import CELL, STATUS
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    key_id_for,
    kms_facts,
    uuid,
)
from tests.hypothesis_profile import examples
from tests.reports.recording import RULES, a_finding

NAMES = {ORGANIZATION: "acme-prod", OTHER_ORGANIZATION: "acme-test"}
SCOPE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
KEY = key_id_for("aws", "us-east-1")


def _rows(*given: Finding) -> Any:  # noqa: ANN401 (a part of the record)
    tallies = Aggregates()
    for finding in given:
        tallies.add(finding)
    return tallies.coverage(NAMES)


def _cells(*given: Finding) -> Any:  # noqa: ANN401 (a part of the record)
    return _rows(*given)[0]["cells"]


def _proof(rule: str) -> Finding:
    """Return a pass that proves something of the key of a scope, and which key it is."""
    return a_finding("pass", rule, databases=2, existing=1, subject=key_subject(SCOPE, KEY))


PROVEN = [*(_proof(rule) for rule in PROOFS), _proof("CMEK-09")]
"""The findings about a scope whose key is in order."""


def _audited(organization: Organization) -> Any:  # noqa: ANN401 (a part of the record)
    tallies = Aggregates()
    for finding in evaluate([organization], RULES, Context(AS_OF)):
        tallies.add(finding)
    return tallies.coverage({})[0]["cells"]


# --- one finding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "status", "reason", "state"),
    [
        ("CMEK-01", "pass", "", "unproven"),
        ("CMEK-01", "fail", "", "missing"),
        ("CMEK-01", "waived", "", "missing"),
        ("CMEK-01", "inconclusive", "unknown-type", "undetermined"),
        ("CMEK-01", "inconclusive", "ordered-by-plan", "missing"),
        ("CMEK-01", "not-applicable", "astra-provided", "astra-provided"),
        ("CMEK-01", "not-applicable", "unsupported-combination", "unsupported"),
        ("CMEK-09", "fail", "", "unused"),
        ("CMEK-09", "waived", "", "unused"),
        ("CMEK-09", "inconclusive", "not-recorded", "spare"),
        ("CMEK-09", "pass", "", "spare"),
        ("CMEK-13", "fail", "", "in-question"),
    ],
)
def test_a_finding_gives_the_state_of_a_cell(
    rule: str, status: Status, reason: str, state: str
) -> None:
    """What is known of the key of a scope follows from the finding that the cell leads to."""
    severity: Severity = "advisory" if rule == "CMEK-09" else "high"
    finding = a_finding(status, rule, severity, reason=reason, databases=3, existing=1)
    counted = rule in {"CMEK-01", "CMEK-09"}
    cell: dict[str, Any] = {
        "type": "serverless",
        "provider": "aws",
        "region": "us-east-1",
        "state": state,
        "finding": finding.id,
        "rule": rule,
        "status": status,
        "severity": severity,
        "message": "It is so.",
        "databases": 3 if counted else 0,
        "existing": 1 if counted else 0,
        "unprotected": 0,
        "keys": int(rule == "CMEK-09"),
        "planned_keys": [],
        "advisories": int(severity == "advisory" and status in OPEN),
    }
    lacking = "CMEK-02 and CMEK-05 and CMEK-07 and CMEK-12"
    if state == "unproven":
        cell["message"] = f"Nothing was judged here by {lacking}."
    assert _cells(finding) == [cell]


def test_passes_of_other_rules_fill_no_cell() -> None:
    """Only the rules on needed and on idle keys say that there is a key scope at all."""
    others = [a_finding("pass", rule.card.id) for rule in RULES]
    kept = [finding for finding in others if finding.rule not in {"CMEK-01", "CMEK-09"}]
    assert [row["cells"] for row in _rows(*kept)] == [[], []]


def test_a_need_speaks_before_a_key() -> None:
    """A cell with databases shows whether they have their key, and counts different keys."""
    used = [_proof("CMEK-09"), _proof("CMEK-09")]
    used += [a_finding("pass", "CMEK-09", subject=key_subject(SCOPE, key_id_for("aws", "r")))]
    needed = a_finding("pass", "CMEK-01", databases=2)
    for order in ([*used, needed], [needed, *used]):
        [cell] = _cells(*order)
        assert (cell["state"], cell["databases"], cell["keys"]) == ("unproven", 2, 2)


def test_databases_that_exist_and_that_are_planned_are_counted_together() -> None:
    """A scope without a key has a finding for each of both, and the cell counts all of them."""
    given = [
        a_finding("fail", databases=2, existing=2),
        a_finding("fail", databases=3, existing=0, cause="planned-without-key"),
    ]
    [cell] = _cells(*given)
    assert (cell["state"], cell["databases"], cell["existing"]) == ("missing", 5, 2)


def test_an_organization_that_was_not_met_goes_by_its_id() -> None:
    """A finding about an organization that only an earlier record knows still has its row."""
    tallies = Aggregates()
    tallies.add(a_finding(organization="acme-gone"))
    [row] = tallies.coverage({})
    assert (row["organization"], row["name"]) == ("acme-gone", "acme-gone")


# --- what takes green away ------------------------------------------------------------------------


def test_a_key_in_order_is_covered() -> None:
    """A cell is green if its key is there, its own, first, the right one and usable."""
    [cell] = _cells(*PROVEN)
    assert (cell["state"], cell["status"], cell["finding"]) == ("covered", "pass", PROVEN[0].id)


@pytest.mark.parametrize("rule", PROOFS[1:])
def test_every_proof_is_needed(rule: str) -> None:
    """Where one of the rules that prove a key judged nothing, the cell is not green."""
    [cell] = _cells(*(finding for finding in PROVEN if finding.rule != rule))
    message = f"Nothing was judged here by {rule}."
    assert (cell["state"], cell["message"]) == ("unproven", message)


@pytest.mark.parametrize("rule", ["CMEK-02", "CMEK-05", "CMEK-10", "CMEK-11", "CMEK-13"])
@pytest.mark.parametrize(
    ("status", "state"),
    [("error", "failing"), ("fail", "failing"), ("inconclusive", "unproven"), ("waived", "waived")],
)
def test_any_rule_takes_green_away(rule: str, status: Status, state: str) -> None:
    """Whatever is open or waived in a scope shows in its cell, with rule, severity and words."""
    bad = a_finding(status, rule, "medium", message="It rusts.")
    [cell] = _cells(*PROVEN, bad)
    assert {name: cell[name] for name in ("state", "finding", "rule", "status", "message")} == {
        "state": state,
        "finding": bad.id,
        "rule": rule,
        "status": status,
        "message": "It rusts.",
    }


@pytest.mark.parametrize("rule", PROOFS[1:])
def test_a_planned_key_proves_nothing(rule: str) -> None:
    """That a planned key complies says nothing of the key that is registered."""
    rest = [finding for finding in PROVEN if finding.rule != rule]
    [cell] = _cells(*rest, _planned("pass", rule))
    assert cell["state"] == "unproven"


def test_a_planned_key_takes_green_away() -> None:
    """A second key that a plan would register shows in the cell of the first, which is named."""
    bad = _planned("fail", "CMEK-02", "critical")
    [cell] = _cells(*PROVEN, bad, _planned("pass", "CMEK-07"))
    assert (cell["state"], cell["finding"], cell["keys"]) == ("failing", bad.id, 1)
    assert cell["planned_keys"] == ["astra_customer_key.new"]


def _planned(status: Status, rule: str, severity: Severity = "high") -> Finding:
    """Make a finding about a planned key in the scope of the others."""
    finding = a_finding(status, rule, severity, name="astra_customer_key.new")
    return finding._replace(subject=finding.subject._replace(kind="planned-key"))


def test_an_open_doubt_and_what_is_open_here_show_the_worse() -> None:
    """A check that broke for the organization is not hidden by what is inconclusive in a scope."""
    broke = a_finding("error", "CMEK-01")._replace(subject=organization_subject(ORGANIZATION))
    [cell] = _cells(*PROVEN, broke, a_finding("inconclusive", "CMEK-13"))
    assert (cell["state"], cell["finding"]) == ("unproven", broke.id)


def test_the_worst_finding_is_shown() -> None:
    """A failure comes before what could not be judged, and a waived one comes last."""
    ordered = [
        a_finding("fail", "CMEK-05", "critical"),
        a_finding("fail", "CMEK-12", "high"),
        a_finding("fail", "CMEK-11", "medium"),
        a_finding("inconclusive", "CMEK-13", "critical"),
        a_finding("waived", "CMEK-07", "critical"),
    ]
    while ordered:
        [cell] = _cells(*PROVEN, *reversed(ordered))
        assert cell["finding"] == ordered.pop(0).id


@pytest.mark.parametrize("status", ["fail", "inconclusive"])
def test_advisories_are_counted_and_leave_a_cell_green(status: Status) -> None:
    """What the documentation only recommends takes no green away."""
    [cell] = _cells(*PROVEN, a_finding(status, "CMEK-16", "advisory"))
    assert (cell["state"], cell["advisories"]) == ("covered", 1)


def test_clouds_left_out_prove_nothing() -> None:
    """Where nobody asked the cloud whether a key is usable, the cell says so and is not green."""
    others = [finding for finding in PROVEN if finding.rule != "CMEK-12"]
    message = "This audit leaves KMS data out."
    left = a_finding("not-applicable", "CMEK-12", reason="clouds-left-out", message=message)
    [cell] = _cells(*others, left)
    assert (cell["state"], cell["rule"], cell["message"]) == ("unproven", "CMEK-12", message)


@pytest.mark.parametrize(
    ("status", "state", "whole"),
    [
        ("fail", "unproven", False),
        ("inconclusive", "unproven", False),
        ("error", "unproven", False),
        ("waived", "waived", True),
    ],
)
@pytest.mark.parametrize("rule", ["CMEK-14", *PROOFS])
def test_what_was_not_read_in_full_is_not_green(
    status: Status, state: str, rule: str, *, whole: bool
) -> None:
    """What is open about a whole organization leaves none of its keys covered."""
    doubt = a_finding(status, rule)._replace(subject=organization_subject(ORGANIZATION))
    [row, _] = _rows(*PROVEN, doubt)
    [cell] = row["cells"]
    assert (row["complete"], cell["state"], cell["finding"]) == (whole, state, doubt.id)


def test_a_failure_of_its_own_comes_before_a_doubt_about_the_whole() -> None:
    """A cell whose key fails shows that, though not all of the organization was read."""
    doubt = a_finding("fail", "CMEK-14", "critical")._replace(
        subject=organization_subject(ORGANIZATION)
    )
    [cell] = _cells(*PROVEN, a_finding("fail", "CMEK-12"), doubt)
    assert (cell["state"], cell["rule"]) == ("failing", "CMEK-12")


def test_a_database_of_two_organizations_takes_green_away() -> None:
    """As long as nobody knows which organization owns a database, no key of either is in order."""
    listed = a_finding(
        "fail", "CMEK-14", "critical", subject=database_id_subject(ORGANIZATION, "d")
    )
    [cell] = _cells(*PROVEN, listed)
    assert (cell["state"], cell["rule"]) == ("unproven", "CMEK-14")


def test_the_plan_of_an_organization_takes_no_green_away() -> None:
    """What says nothing of keys or databases is a finding of the organization alone."""
    plan = a_finding("inconclusive", "CMEK-08")._replace(subject=organization_subject(ORGANIZATION))
    [row, _] = _rows(*PROVEN, plan)
    assert (row["complete"], row["cells"][0]["state"]) == (True, "covered")
    assert (row["counts"]["inconclusive"], row["worst"]["rule"]) == (1, "CMEK-08")


_PLACED: list[tuple[str, Status, int]] = [
    ("a", "fail", 1),
    ("b", "waived", 1),
    ("c", "fail", 0),
    ("d", "inconclusive", 1),
]


def test_databases_that_run_on_astras_keys_are_counted() -> None:
    """Existing databases without a key of theirs are counted, waived or not; planned are not."""
    given = [
        a_finding(status, "CMEK-05", databases=1, existing=existing, subject=_placement(name))
        for name, status, existing in _PLACED
    ]
    [cell] = _cells(*PROVEN, *given)
    assert (cell["state"], cell["unprotected"]) == ("failing", 2)


def _placement(database: str) -> Subject:
    path = f"{ORGANIZATION}/database/{database}/us-east-1"
    return Subject("database-region", path, *SCOPE, database=database)


def test_a_key_that_astra_cannot_use_does_not_look_supported() -> None:
    """A database that expects a key where Astra has none fails, and so does its cell."""
    place = {"type": "managed-clusters", "provider": "azure"}
    databases = [
        a_database(**place, regions=["eastus", "westus"]),
        a_database(**place, regions=["northeurope"], encryption="astra-provided", reason="a trial"),
    ]
    cells = _audited(an_organization(keys=[], databases=databases))
    assert [(cell["region"], cell["state"], cell["rule"], cell["status"]) for cell in cells] == [
        ("eastus", "unsupported", "CMEK-04", "fail"),
        ("northeurope", "astra-provided", "CMEK-01", "not-applicable"),
        ("westus", "unsupported", "CMEK-04", "fail"),
    ]
    assert all(cell["region"] in cell["message"] for cell in cells if cell["status"] == "fail")


# --- whole audits ---------------------------------------------------------------------------------


def _key(**over: object) -> object:
    registered = {"at": "2026-01-01T00:00:00Z", "by": "acme-security", "on": "2026-01-01"}
    region = over.get("region", "us-east-1")
    return a_key(**{"registered": registered, "kms": kms_facts(region=region)} | over)


@pytest.mark.parametrize(
    ("key", "state", "rule", "unprotected"),
    [
        ({}, "covered", "CMEK-01", 0),
        ({"registered": {"at": "2026-07-01T00:00:00Z", "by": "a", "on": "2026-07-01"}},
         "failing", "CMEK-05", 1),
        ({"registered": None}, "unproven", "CMEK-05", 0),
        ({"kms": kms_facts(enabled=False)}, "failing", "CMEK-12", 0),
        ({"kms": None}, "unproven", "CMEK-12", 0),
        ({"kms": kms_facts(rotation_enabled=False)}, "failing", "CMEK-11", 0),
        ({"key_id": key_id_for("aws", "eu-west-1")}, "failing", "CMEK-07", 0),
    ],
    ids=["in-order", "late", "undated", "disabled", "unasked", "not-rotating", "of-elsewhere"],
)  # fmt: skip
def test_a_cell_of_an_audit(key: Any, state: str, rule: str, unprotected: int) -> None:  # noqa: ANN401
    """A key that is there is green only if it came first, has the right id and is usable."""
    [cell] = _audited(an_organization(keys=[_key(**key)]))
    assert (cell["state"], cell["rule"], cell["unprotected"]) == (state, rule, unprotected)


@pytest.mark.parametrize(
    ("places", "states"),
    [
        (
            [("us-east-1", "us-east-1"), ("us-west-2", "us-east-1")],
            {"us-east-1": "failing", "us-west-2": "missing"},
        ),
        (
            [("us-east-1", "eu-north-1"), ("us-west-2", "eu-north-1")],
            {"us-east-1": "shared", "us-west-2": "shared"},
        ),
        (
            [("us-east-1", "us-east-1"), ("us-west-2", "us-east-1"), ("us-west-2", "us-west-2")],
            {"us-east-1": "failing", "us-west-2": "failing"},
        ),
        ([("us-east-1", "us-east-1"), ("r", "us-east-1")], {"us-east-1": "failing", "r": "unused"}),
    ],
    ids=["one-fits", "none-fits", "another-of-its-own", "unused"],
)
def test_one_key_of_several_scopes(places: list[tuple[str, str]], states: dict[str, str]) -> None:
    """One key is the own key of one scope at most: of the one that its id names."""
    keys = [
        _key(region=region, key_id=key_id_for("aws", named), kms=kms_facts(region=region))
        for region, named in places
    ]
    databases = [
        a_database(id=uuid(number), regions=[region])
        for number, region in enumerate(("us-east-1", "us-west-2"))
    ]
    cells = _audited(an_organization(keys=keys, databases=databases))
    every = {cell["region"]: cell["state"] for cell in cells}
    assert {region: every[region] for region in states} == states


def test_one_key_of_two_types() -> None:
    """Where a key's id fits both scopes, one of them lacks a key of its own, and both show it."""
    kinds = ("managed-clusters", "serverless")
    databases = [a_database(id=uuid(number), type=kind) for number, kind in enumerate(kinds)]
    cells = _audited(an_organization(keys=[_key(type=kind) for kind in kinds], databases=databases))
    assert [(cell["type"], cell["state"], cell["rule"]) for cell in cells] == [
        (kind, "shared", "CMEK-02") for kind in kinds
    ]


def test_two_versions_of_a_key_are_one() -> None:
    """A key that is listed by two of its versions is counted once."""
    stem = key_id_for("gcp", "us-east1")
    place = {"provider": "gcp", "region": "us-east1"}
    keys = [_key(**place, key_id=f"{stem}/cryptoKeyVersions/{number}") for number in (1, 2)]
    databases = [a_database(provider="gcp", regions=["us-east1"])]
    [cell] = _audited(an_organization(keys=keys, databases=databases))
    assert cell["keys"] == 1


# --- properties -----------------------------------------------------------------------------------

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
            [key_subject(scope, named), organization_subject(ORGANIZATION), _placement("d")]
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
    laid_out = lay_out(_rows(*given), 10_000, is_partial=False)
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
    assert _rows(*given) == _rows(*data.draw(st.permutations(given)))


@examples(200)
@given(given=_ANY)
def test_every_state_has_a_look_and_every_cell_a_state(given: list[Finding]) -> None:
    """Whatever findings there are, a cell has a known state and leads to one of them."""
    ids = {finding.id for finding in given}
    for row in _rows(*given):
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
    cells = _audited(an_organization(keys=keys, databases=databases)) if keys + databases else []
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
    return _key(**{"region": region, "kms": facts} | own)
