"""The protection of databases: never better than the worst finding that concerns a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import (
    EVIDENCE_KINDS,
    NOT_COMPLYING,
    STATUSES,
    Finding,
    Status,
    Subject,
    database_id_subject,
    key_subject,
    organization_subject,
)
from checks.engine.identity import join
from inventory.index.organization_index import index_organization
from inventory.inventory import Inventory
from inventory.model.key import KeyScope
from inventory.model.terraform_managed import ManagedResources, UndeterminedDatabase
from reports.aggregation.aggregates import Aggregates
from reports.aggregation.coverage_states import COMPLETE, ORDER, PROOFS
from reports.aggregation.protection import total, total_of_kinds
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    a_database,
    a_planned_database,
    a_view,
    an_organization,
    key_id_for,
    kms_facts,
    moment,
    uuid,
)
from tests.checks.judging import of_unknown_type
from tests.hypothesis_profile import examples
from tests.reports.coverage_findings import KEY, SCOPE, about_planned_key, attested_key
from tests.reports.recording import RULES, a_finding
from tests.reports.samples import HOSTILE, VIOLATIONS, save_inventory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.engine.finding import EvidenceKind
    from inventory.model.organization import Organization

OTHER = SCOPE._replace(region="us-west-2")
STATES = ("protected", "astra_provided", "unproven", "waived", "unprotected")
"""What a database can be, the worst last; one that is waived counts as unprotected as well."""


def _count(*given: Finding) -> Any:  # noqa: ANN401 (a part of the record)
    aggregates = Aggregates()
    for finding in given:
        aggregates.add(finding)
    return aggregates.coverage({ORGANIZATION: "acme-prod"})[0]["protection"]


def _numbers(**over: int) -> dict[str, int]:
    none = {"protected": 0, "unprotected": 0, "unproven": 0, "astra_provided": 0, "waived": 0}
    return none | over


def _state(*given: Finding) -> str:
    """Return what the only database of ``given`` is."""
    counts = _count(*given)
    expected = _numbers(unprotected=counts["waived"]) | {
        name: count for name, count in counts.items() if count
    }
    assert counts == expected
    [state] = [state for state in STATES if counts[state] and state != "unprotected"] or [
        "unprotected"
    ]
    assert sum(counts.values()) == (2 if state == "waived" else 1)
    return state


def _on_database(
    status: Status = "pass",
    name: str = "d",
    scope: KeyScope = SCOPE,
    **over: Any,  # noqa: ANN401 (fields of any type)
) -> Finding:
    """Make a finding of the order of key and database."""
    path = join(scope.organization, "database", name, scope.region)
    subject = Subject("database-region", path, *scope, database=name)
    return a_finding(status, ORDER, subject=subject, databases=1, existing=1)._replace(**over)


def _proofs(scope: KeyScope = SCOPE) -> list[Finding]:
    """Return passes that prove the key of a scope."""
    subject = key_subject(scope, key_id_for("aws", scope.region))
    return [a_finding("pass", rule, subject=subject) for rule in PROOFS if rule != ORDER]


WHOLE = a_finding("pass", COMPLETE, subject=organization_subject(ORGANIZATION))
PROVEN = [WHOLE, *_proofs(), _on_database()]
"""The findings about a database whose key is in order."""


def _audit(*organizations: Organization) -> Any:  # noqa: ANN401 (rows of the record)
    """Return the coverage of a whole audit."""
    aggregates = Aggregates()
    names = {organization.id: organization.name for organization in organizations}
    context = Context(AS_OF)
    for finding in evaluate(organizations, RULES, context, aggregates.add_organization):
        aggregates.add(finding)
    return aggregates.coverage(names)


# --- one database in one region -------------------------------------------------------------------


def test_a_database_with_every_proof_is_protected() -> None:
    """A database is protected if its key is there, its own, first, the right one and usable."""
    assert _state(*PROVEN) == "protected"


@pytest.mark.parametrize("rule", [*PROOFS, COMPLETE])
def test_every_proof_is_needed(rule: str) -> None:
    """Where a rule that proves a key judged nothing, or none the whole, nothing is proven."""
    given = [finding for finding in PROVEN if finding.rule != rule]
    named = [] if rule != ORDER else [_on_database("inconclusive")]
    assert _state(*given, *named) == "unproven"


@pytest.mark.parametrize("rule", [rule for rule in PROOFS if rule != ORDER])
@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("fail", "unprotected"),
        ("waived", "waived"),
        ("inconclusive", "unproven"),
        ("error", "unproven"),
        ("not-applicable", "unproven"),
    ],
)
def test_a_finding_about_the_key_concerns_every_database(
    rule: str, status: Status, state: str
) -> None:
    """What is found about a scope or a key in it holds for the databases there."""
    assert _state(*PROVEN, a_finding(status, rule)) == state


@pytest.mark.parametrize(
    ("status", "reason", "state"),
    [
        ("fail", "", "unprotected"),
        ("waived", "", "waived"),
        ("inconclusive", "", "unproven"),
        ("error", "", "unproven"),
        ("not-applicable", "astra-provided", "astra_provided"),
        ("not-applicable", "unsupported-combination", "unprotected"),
        ("not-applicable", "something-else", "unproven"),
    ],
)
def test_a_finding_about_a_database_concerns_that_one(
    status: Status, reason: str, state: str
) -> None:
    """What is found about one database leaves the others in its scope as they are."""
    finding = _on_database(status, "other", reason=reason)
    assert _state(WHOLE, *_proofs(), finding) == state
    numbers = _numbers(protected=1) | {state: 1}
    numbers |= {"unprotected": 1} if state == "waived" else {}
    assert _count(*PROVEN, finding) == numbers


def test_a_failure_that_is_not_waived_is_not_accepted() -> None:
    """Only a waiver for each failure accepts a database: one of two does not."""
    waived = [*PROVEN, _on_database("waived")]
    assert _state(*waived, a_finding("waived", "CMEK-12")) == "waived"
    assert _state(*waived, a_finding("fail", "CMEK-12")) == "unprotected"
    about = Subject("database", "x", ORGANIZATION, database="d")
    assert _state(*waived, a_finding("fail", "CMEK-03", subject=about)) == "unprotected"
    assert _state(*waived, a_finding("fail", "CMEK-16", "advisory", subject=about)) == "waived"


def test_where_astra_has_no_keys_a_waiver_accepts_that() -> None:
    """A database that expects a key where Astra has none is accepted by the waiver that says so."""
    scope = KeyScope(ORGANIZATION, "managed-clusters", "azure", "eastus")
    unsupported = _on_database("not-applicable", scope=scope, reason="unsupported-combination")
    about = unsupported.subject._replace(kind="database")
    given = [WHOLE, unsupported]
    assert _state(*given, a_finding("waived", "CMEK-04", subject=about)) == "waived"
    assert _state(*given, a_finding("fail", "CMEK-04", subject=about)) == "unprotected"


# --- existing and planned -------------------------------------------------------------------------


def test_what_is_planned_is_accepted_by_a_waiver_of_its_own() -> None:
    """A missing key is one failure for what exists, and another for what is planned."""
    given = [
        WHOLE,
        *_proofs(),
        _on_database("waived"),
        _on_database("fail", "planned", existing=0, cause="planned-without-key"),
        a_finding("waived", cause="without-key"),
        a_finding("fail", cause="planned-without-key"),
    ]
    assert _count(*given) == _numbers(unprotected=2, waived=1)


@pytest.mark.parametrize("cause", ["without-key", "planned-without-key"])
@pytest.mark.parametrize("status", ["fail", "waived"])
def test_no_database_is_protected_where_the_key_is_missing(status: Status, cause: str) -> None:
    """A scope without a key protects neither what exists nor what is planned."""
    planned = _on_database(name="planned", existing=0)
    counts = _count(*PROVEN, planned, a_finding(status, cause=cause))
    assert (counts["protected"], counts["unprotected"], counts["unproven"]) == (0, 1, 1)


@pytest.mark.parametrize("status", NOT_COMPLYING)
def test_a_second_key_of_a_plan_concerns_what_is_planned(status: Status) -> None:
    """A planned key does not change what encrypts an existing database, but what a planned one."""
    planned = _on_database(name="planned", existing=0)
    counts = _count(*PROVEN, planned, about_planned_key(status, "CMEK-02"))
    assert counts == _numbers(protected=1, unproven=1)


def test_a_planned_key_proves_nothing() -> None:
    """That a planned key complies says nothing of the key that is registered."""
    rest = [finding for finding in PROVEN if finding.rule != "CMEK-12"]
    assert _state(*rest, about_planned_key("pass", "CMEK-12")) == "unproven"
    assert _state(*PROVEN, about_planned_key("pass", "CMEK-12")) == "protected"


# --- several regions, and the whole of an organization --------------------------------------------


@examples(60)
@given(first=st.sampled_from(STATUSES), second=st.sampled_from(STATUSES))
def test_a_database_counts_once_by_its_worst_region(first: Status, second: Status) -> None:
    """Of the states of a database in several regions the worst counts."""
    one = [WHOLE, *_proofs(), _on_database(first, reason="astra-provided")]
    two = [WHOLE, *_proofs(OTHER), _on_database(second, scope=OTHER, reason="astra-provided")]
    worst = max(_state(*one), _state(*two), key=STATES.index)
    assert _state(*one, *two) == worst


@pytest.mark.parametrize("rule", [*PROOFS, COMPLETE])
@pytest.mark.parametrize("status", NOT_COMPLYING)
def test_what_was_not_read_in_full_proves_nothing(rule: str, status: Status) -> None:
    """A doubt about the whole leaves no database proven, also one that is accepted."""
    doubt = a_finding(status, rule, subject=organization_subject(ORGANIZATION))
    assert _state(*PROVEN, doubt) == "unproven"
    assert _state(*PROVEN, _on_database("fail"), doubt) == "unprotected"


def test_a_database_of_two_organizations_proves_nothing() -> None:
    """As long as nobody knows whose a database is, nothing of either organization is proven."""
    subject = database_id_subject(ORGANIZATION, "d")
    assert _state(*PROVEN, a_finding("fail", COMPLETE, subject=subject)) == "unproven"


@pytest.mark.parametrize("status", ["fail", "inconclusive", "error", "waived"])
def test_lists_that_disagree_on_the_key_prove_nothing(status: Status) -> None:
    """Where it is not known which key is registered, it is not proven which one encrypts."""
    assert _state(*PROVEN, a_finding(status, "CMEK-13")) == "unproven"
    assert _state(*PROVEN, a_finding(status, "CMEK-13", "advisory")) == "protected"


@pytest.mark.parametrize("status", ["fail", "inconclusive"])
@pytest.mark.parametrize("rule", ["CMEK-06", "CMEK-08", "CMEK-11", "CMEK-15"])
def test_what_says_nothing_of_encryption_takes_no_proof(rule: str, status: Status) -> None:
    """A key that is not rotated, or that organizations share, is a finding, and encrypts."""
    assert _state(*PROVEN, a_finding(status, rule)) == "protected"


def test_what_comes_when_databases_are_counted_takes_the_proof() -> None:
    """Findings on an organization whose databases were counted can make it look worse only."""
    elsewhere = a_finding("pass", organization="acme-other")
    late = a_finding("fail", "CMEK-12")
    assert _count(*PROVEN, elsewhere, late) == _numbers(unproven=1)
    assert _count(*PROVEN, elsewhere, _on_database(name="late")) == _numbers(unproven=1)
    assert _count(*PROVEN, elsewhere, WHOLE) == _numbers(protected=1)


# --- whole audits ---------------------------------------------------------------------------------


def _planned(**over: object) -> object:
    return a_planned_database(**over)


LATE = {"at": "2026-07-01T00:00:00Z", "by": "a", "on": "2026-07-01"}


@pytest.mark.parametrize(
    ("over", "numbers"),
    [
        ({}, _numbers(protected=1)),
        ({"keys": [attested_key(registered=LATE)]}, _numbers(unprotected=1)),
        ({"keys": [attested_key(registered=None)]}, _numbers(unproven=1)),
        ({"keys": [attested_key(kms=None)]}, _numbers(unproven=1)),
        ({"keys": [attested_key(kms=kms_facts(enabled=False))]}, _numbers(unprotected=1)),
        ({"keys": [attested_key(kms=kms_facts(rotation_enabled=False))]}, _numbers(protected=1)),
        ({"keys": []}, _numbers(unprotected=1)),
        ({"keys": None}, _numbers(unproven=1)),
        ({"databases": None}, _numbers()),
        ({"databases": []}, _numbers()),
        ({"databases": [a_database(status="TERMINATED")]}, _numbers()),
        ({"databases": [_planned()]}, _numbers(protected=1)),
        ({"databases": [_planned(regions=["us-west-2"])]}, _numbers(unprotected=1)),
        (
            {"databases": [a_database(encryption="astra-provided", reason="a trial")]},
            _numbers(astra_provided=1),
        ),
        (
            {"databases": [a_database(type="managed-clusters", provider="azure")]},
            _numbers(unprotected=1),
        ),
        ({"databases": [a_database(regions=["us-east-1", "us-west-2"])]}, _numbers(unprotected=1)),
        (
            {"databases": [a_database(), of_unknown_type(id=uuid(1))]},
            _numbers(unproven=2),
        ),
        ({"captured_at": moment("2026-01-01")}, _numbers(unproven=1)),
        ({"region_views": [a_view(key_id=key_id_for("aws", "r"))]}, _numbers(unproven=1)),
        ({"region_views": [a_view()]}, _numbers(protected=1)),
    ],
)
def test_the_databases_of_an_audit(over: dict[str, Any], numbers: dict[str, int]) -> None:
    """An audit counts its databases by what is proven of them."""
    [row] = _audit(an_organization(**{"keys": [attested_key()]} | over))
    assert row["protection"] == numbers


def test_a_planned_database_that_is_nowhere_is_unproven() -> None:
    """A planned database whose place no file shows counts, and nothing is proven of it."""
    late = UndeterminedDatabase(name="late", missing="known only after apply").at(
        "p.json", 1, "a.b"
    )
    organization = an_organization(keys=[attested_key()])
    managed = organization.with_managed(ManagedResources(undetermined=(late,)))
    assert _audit(managed)[0]["protection"] == _numbers(protected=1, unproven=1)


@pytest.mark.parametrize(
    ("named", "numbers"),
    [
        ("us-east-1", _numbers(unprotected=1, unproven=1)),
        ("eu-north-1", _numbers(unprotected=2)),
    ],
)
def test_one_key_of_two_regions(named: str, numbers: dict[str, int]) -> None:
    """A scope whose only key is another's has none; that the other's is its own is unproven."""
    regions = ("us-east-1", "us-west-2")
    keys = [
        attested_key(region=region, key_id=key_id_for("aws", named), kms=kms_facts(region=region))
        for region in regions
    ]
    databases = [a_database(id=uuid(number), regions=[name]) for number, name in enumerate(regions)]
    [row] = _audit(an_organization(keys=keys, databases=databases))
    assert row["protection"] == numbers


def test_one_key_of_two_types_proves_nothing() -> None:
    """Where it is not known whose a key is, neither database is proven to be encrypted by it."""
    kinds = ("managed-clusters", "serverless")
    databases = [a_database(id=uuid(number), type=kind) for number, kind in enumerate(kinds)]
    keys = [attested_key(type=kind) for kind in kinds]
    [row] = _audit(an_organization(keys=keys, databases=databases))
    assert row["protection"] == _numbers(unproven=2)


@pytest.mark.parametrize("rule", PROOFS)
def test_a_part_of_the_findings_proves_less(rule: str) -> None:
    """Where a rule was not run for all regions, a database counts, and is not proven."""
    organization = an_organization(
        keys=[attested_key(), attested_key(region="us-west-2", kms=kms_facts(region="us-west-2"))],
        databases=[a_database(regions=["us-east-1", "us-west-2"])],
    )
    assert _audit(organization)[0]["protection"] == _numbers(protected=1)
    aggregates = Aggregates()
    for finding in evaluate([organization], RULES, Context(AS_OF), aggregates.add_organization):
        if finding.rule != rule or finding.subject.region == "us-west-2":
            aggregates.add(finding)
    assert aggregates.coverage({})[0]["protection"] == _numbers(unproven=1)


# --- any inventory --------------------------------------------------------------------------------

FIXTURES = [
    path
    for path in sorted((Path(__file__).parents[2] / "checks/fixtures").glob("check_*.yaml"))
    if path.name.count(".") == 1
]
EXAMPLES = [Path(f"inventory/examples/{name}.yaml") for name in ("acme", "compliant", "clouds")]


def _check(organizations: Iterable[Organization]) -> None:
    """Compare the protection in an audit with its coverage, and with what there is."""
    listed = list(organizations)
    rows = {row["organization"]: row for row in _audit(*listed)}
    for organization in listed:
        row = rows[organization.id]
        counts = row["protection"]
        living = [each for each in organization.databases or () if not each.is_terminated]
        assert sum(counts.values()) - counts["waived"] == len(living)
        scopes = index_organization(organization).scopes
        for cell in row["cells"]:
            place = KeyScope(organization.id, cell["type"], cell["provider"], cell["region"])
            if cell["state"] == "covered":
                expecting = [each.expects_customer_key for each in scopes[place]]
                assert cell["protected"] == sum(expecting)
            if cell["state"] in {"missing", "shared", "unsupported", "undetermined"}:
                assert cell["protected"] == 0
            assert cell["protected"] <= cell["databases"]
        if any(cell["state"] == "covered" for cell in row["cells"]):
            assert row["complete"]
        assert counts["protected"] <= sum(cell["protected"] for cell in row["cells"])


@pytest.mark.parametrize("path", [*FIXTURES, *EXAMPLES], ids=lambda path: path.stem)
def test_protection_agrees_with_coverage(path: Path) -> None:
    """In a covered scope every database is protected, without a key none, and each one counts."""
    _check(Inventory([str(path)]).organizations())


@pytest.mark.parametrize("sample", [VIOLATIONS, HOSTILE], ids=["violations", "hostile"])
def test_protection_agrees_with_coverage_of(sample: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """The same holds for failures of every kind, and for names of any kind."""
    path = save_inventory(tmp_path / "inventory.json", sample)
    _check(Inventory([str(path)]).organizations())


_KEYS = {
    "none": None,
    "good": {},
    "late": {"registered": LATE},
    "undated": {"registered": None},
    "disabled": {"kms": kms_facts(enabled=False)},
    "other": {"key_id": key_id_for("aws", "eu-central-1")},
    "first's": {"key_id": KEY},
}
_REGIONS = ("us-east-1", "us-west-2")


@st.composite
def _organizations(draw: st.DrawFn) -> Organization:
    keys: list[object] = []
    for region in _REGIONS:
        over = _KEYS[draw(st.sampled_from(sorted(_KEYS)))]
        facts = {"region": region, "kms": kms_facts(region=region)}
        keys += [] if over is None else [attested_key(**facts | over)]
    databases: list[object] = []
    for number in range(draw(st.integers(1, 4))):
        some = draw(st.sets(st.sampled_from(_REGIONS), min_size=1))
        own = {"id": uuid(number), "regions": sorted(some)}
        if draw(st.booleans()):
            own |= {"encryption": "astra-provided", "reason": "a trial"}
        planned = {"name": f"p{number}", "regions": sorted(some)}
        is_planned = draw(st.booleans())
        databases.append(a_planned_database(**planned) if is_planned else a_database(**own))
    return an_organization(keys=keys, databases=databases)


@examples(150)
@given(organization=_organizations())
def test_protection_agrees_with_any_coverage(organization: Organization) -> None:
    """Over any keys and databases, no database looks better than its key scopes do."""
    _check([organization])


@examples(100)
@given(given=st.lists(st.sampled_from(PROVEN), max_size=6), more=st.sampled_from(NOT_COMPLYING))
def test_no_finding_more_makes_a_database_look_better(given: list[Finding], more: Status) -> None:
    """A finding that does not comply leaves the number of protected databases, or lowers it."""
    for rule in PROOFS:
        before, after = (
            _count(*given, _on_database()),
            _count(*given, _on_database(), a_finding(more, rule)),
        )
        assert after["protected"] <= before["protected"]


# --- on what it rests -----------------------------------------------------------------------------


def _kinds(*given: Finding) -> dict[str, int]:
    """Return on which kinds of evidence the protected databases of ``given`` rest."""
    aggregates = Aggregates()
    for finding in given:
        aggregates.add(finding)
    kinds = aggregates.coverage({ORGANIZATION: "acme-prod"})[0]["proven_by"]
    assert list(kinds) == list(EVIDENCE_KINDS)
    return {kind: number for kind, number in kinds.items() if number}


@pytest.mark.parametrize("first", EVIDENCE_KINDS)
@pytest.mark.parametrize("second", EVIDENCE_KINDS)
def test_a_database_rests_on_the_evidence_of_its_weakest_region(
    first: EvidenceKind, second: EvidenceKind
) -> None:
    """A protected database counts once, by the weakest of the kinds that its regions rest on."""
    here = _on_database(rests_on=first)
    there = _on_database(rests_on=second, scope=OTHER)
    given = [WHOLE, *_proofs(), *_proofs(OTHER), here, there]
    assert _kinds(*given) == {max(first, second, key=EVIDENCE_KINDS.index): 1}


def test_only_protected_databases_rest_on_evidence() -> None:
    """A database that is not proven to be encrypted rests on nothing, whatever its order shows."""
    shown = _on_database(rests_on="portal")
    assert _kinds(WHOLE, *_proofs(), shown) == {"portal": 1}
    assert _kinds(*_proofs(), shown) == {}
    assert _kinds(WHOLE, *_proofs(), shown, a_finding("fail", PROOFS[0])) == {}
    assert _kinds(WHOLE, shown._replace(status="inconclusive", cause="x", rests_on="")) == {}


@examples(100)
@given(
    given=st.lists(
        st.builds(
            _on_database,
            st.sampled_from(STATUSES),
            st.sampled_from("abc"),
            rests_on=st.sampled_from(["", *EVIDENCE_KINDS]),
        ),
        max_size=8,
    )
)
def test_kinds_of_evidence_add_up_to_the_protected_databases(given: list[Finding]) -> None:
    """Each protected database rests on one kind of evidence, and no other database on any."""
    whole = [WHOLE, *_proofs(), *given]
    assert sum(_kinds(*whole).values()) == _count(*whole)["protected"]


def test_kinds_of_several_organizations_add_up() -> None:
    """The numbers of several organizations are added up, kind by kind; there may be none."""
    one: dict[EvidenceKind, int] = dict.fromkeys(EVIDENCE_KINDS, 2)
    assert total_of_kinds([]) == dict.fromkeys(EVIDENCE_KINDS, 0)
    assert total_of_kinds([one, one]) == dict.fromkeys(EVIDENCE_KINDS, 4)


def test_totals_add_up() -> None:
    """The numbers of several organizations are added up, one by one."""
    one = _numbers(protected=1, unprotected=2, unproven=3, astra_provided=4, waived=1)
    assert total([]) == _numbers()
    assert total([one, one]) == {name: 2 * count for name, count in one.items()}  # type: ignore[list-item]
