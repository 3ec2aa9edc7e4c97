"""What findings come to: counts, actions and the coverage matrix."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import OPEN, STATUSES, Finding, Status, Subject
from checks.engine.outcome import Gate
from checks.engine.pass_series import PassSeries, one_by_one
from reports.aggregation.actions import MOST_ACTIONS, MOST_IDS
from reports.aggregation.aggregates import Aggregates
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    uuid,
)
from tests.checks.strategies import organizations
from tests.hypothesis_profile import examples
from tests.reports.recording import RULES, a_finding, findings, series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inventory.model.organization import Organization

NAMES = {ORGANIZATION: "acme-prod", OTHER_ORGANIZATION: "acme-test"}
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")


def _tally(*given: Finding) -> Aggregates:
    tallies = Aggregates()
    for each in given:
        tallies.add(each)
    return tallies


# --- counts ---------------------------------------------------------------------------------------


@examples(100)
@given(given=st.lists(findings(), max_size=20))
def test_every_finding_is_counted_once(given: list[Finding]) -> None:
    """The counts by status are those of the findings, whatever else is the same about them."""
    assert _tally(*given).counts == Counter(each.status for each in given)


@examples(100)
@given(
    given=st.lists(findings(), max_size=20),
    fail_on=st.sampled_from(SEVERITIES),
    allow=st.booleans(),
    new_only=st.booleans(),
)
def test_what_stops_is_counted_by_status(
    given: list[Finding], fail_on: Severity, *, allow: bool, new_only: bool
) -> None:
    """Among all findings, those are counted as stopping that the gate would stop one by one."""
    gate = Gate(fail_on, allow, new_only)
    stopping = Counter(
        finding.status
        for finding in given
        if gate.stops(finding.status, finding.severity, finding.change)
    )
    assert _tally(*given).stopping(gate) == stopping


# --- actions --------------------------------------------------------------------------------------


def test_findings_that_one_step_settles_are_one_action() -> None:
    """Findings of several rules with the same action in one organization are one entry."""
    given = [
        a_finding("fail", "CMEK-01", action="Register a key", databases=2),
        a_finding("fail", "CMEK-05", action="Register a key", severity="critical"),
        a_finding("inconclusive", "CMEK-05", action="Register a key", region="us-east-2"),
    ]
    assert _tally(*given).actions(NAMES) == [
        {
            "id": f"act:{ORGANIZATION}/Register.20a.20key",
            "text": "Register a key",
            "purpose": "prevent",
            "who": "we",
            "steps": ["Register a key."],
            "organization": ORGANIZATION,
            "name": "acme-prod",
            "severity": "critical",
            "resolves": 3,
            "databases": 2,
            "group_databases": 2,
            "names": [],
            "statuses": {"fail": 2, "inconclusive": 1},
            "rules": ["CMEK-01", "CMEK-05"],
            "findings": [each.id for each in given],
        }
    ]


def test_one_step_in_two_organizations_is_two_actions() -> None:
    """What has to be done in two organizations has to be done twice."""
    given = [a_finding(action="Act", organization=name) for name in NAMES]
    shown = {
        (action["organization"], action["resolves"]) for action in _tally(*given).actions(NAMES)
    }
    assert shown == {(ORGANIZATION, 1), (OTHER_ORGANIZATION, 1)}


@pytest.mark.parametrize("status", STATUSES)
def test_only_open_findings_ask_for_action(status: Status) -> None:
    """Who has to act is told by what fails, broke or could not be judged, and by nothing else."""
    tallies = _tally(a_finding(status, action="Act"), a_finding(status, region="no-action"))
    assert tallies.action_count == len(tallies.actions(NAMES)) == int(status in OPEN)


def test_databases_are_counted_once_for_an_action() -> None:
    """A database that several findings of one action concern is one database."""
    given = [
        a_finding(
            rule=rule,
            action="Act",
            databases=1,
            subject=_placement(database, region),
            region=region,
        )
        for rule in ("CMEK-01", "CMEK-05")
        for database in ("d1", "d2")
        for region in REGIONS
    ]
    assert [action["databases"] for action in _tally(*given).actions(NAMES)] == [2]


def _placement(database: str, region: str) -> Subject:
    path = f"{ORGANIZATION}/database/{database}/{region}"
    return Subject(
        "database-region", path, ORGANIZATION, "serverless", "aws", region, database=database
    )


def _audit(*organizations: Organization) -> Any:  # noqa: ANN401 (a part of the record)
    tallies = Aggregates()
    for finding in evaluate(organizations, RULES, Context(AS_OF), tallies.add_organization):
        tallies.add(finding)
    return tallies.actions({organization.id: organization.name for organization in organizations})


def test_a_repair_takes_two_steps_in_order() -> None:
    """A key is registered first; that closes nothing for what exists, which is recreated then."""
    databases = [
        a_database(id=uuid(number), regions=[region])
        for number, region in enumerate(("us-west-2", "us-west-2", "eu-west-1"))
    ]
    planned = a_planned_database(regions=["us-west-2"])
    shown = _audit(an_organization(keys=[], databases=[*databases, planned]))
    steps = [action for action in shown if action["text"].startswith(("Register", "Recreate"))]
    scope = "acme-prod / serverless / aws"
    assert [(step["text"], step["rules"], step["databases"]) for step in steps] == [
        (f"Register a key for {scope} / us-west-2", ["CMEK-01", "CMEK-05"], 3),
        (
            (
                "Recreate 2 databases without a key (acme-orders and 1 more) once one is "
                "registered, "
                "and migrate their data"
            ),
            ["CMEK-05"],
            2,
        ),
        (f"Register a key for {scope} / eu-west-1", ["CMEK-01"], 1),
        (
            (
                "Recreate 1 database without a key (acme-orders) once one is registered, "
                "and migrate "
                "its data"
            ),
            ["CMEK-05"],
            1,
        ),
    ]


def test_registering_closes_nothing_for_existing_databases() -> None:
    """No action on a database that exists says that registering a key helps it."""
    databases = [
        a_database(regions=["us-east-1", "us-west-2"]),
        a_database(id=uuid(1), regions=["eu-west-1"]),
    ]
    late = {"at": "2026-07-01T00:00:00Z", "by": "acme-security", "on": "2026-07-01"}
    organization = an_organization(keys=[a_key(registered=late)], databases=databases)
    found = [
        finding
        for finding in evaluate([organization], RULES, Context(AS_OF))
        if finding.status == "fail" and finding.subject.database
    ]
    assert {finding.rule for finding in found} == {"CMEK-03", "CMEK-05"}
    assert {finding.action.partition(" ")[0] for finding in found} == {"Recreate"}
    assert not any("egister a key" in finding.message for finding in found)


def test_databases_of_several_scopes_are_counted_once() -> None:
    """Where findings count the databases of key scopes, one of several regions counts once."""
    keys = [a_key(region=region) for region in REGIONS]
    databases = [
        a_database(id=uuid(1), regions=["eu-west-1", "us-east-1"]),
        a_database(id=uuid(2), regions=["eu-west-1"]),
        a_database(id=uuid(3), regions=["us-west-2"]),
    ]
    gaps = [{"fact": "region-views", "reason": "refused"}]
    shown = _audit(an_organization(keys=keys, databases=databases, gaps=gaps))
    [views] = [action for action in shown if action["rules"] == ["CMEK-13", "CMEK-14"]]
    assert views["databases"] == 3


def test_databases_that_rest_on_a_shared_key_are_counted() -> None:
    """What is to be done about a key of several organizations concerns all that rests on it."""
    two = an_organization(
        id=OTHER_ORGANIZATION, name="acme-test", databases=[a_database(id=uuid(1))]
    )
    shown = _audit(an_organization(), two)
    [shared] = [action for action in shown if action["rules"] == ["CMEK-06"]]
    assert (shared["organization"], shared["databases"]) == ("", 2)


_PLACED = st.lists(
    st.tuples(
        st.sets(st.sampled_from(REGIONS), min_size=1).map(sorted),
        st.booleans(),
        st.sampled_from(["customer-managed", "astra-provided"]),
    ),
    min_size=1,
    max_size=6,
)


@examples(100)
@given(placed=_PLACED, keyed=st.sets(st.sampled_from(REGIONS)), refused=st.booleans())
def test_no_action_counts_more_databases_than_there_are(
    placed: list[tuple[list[str], bool, str]], keyed: set[str], *, refused: bool
) -> None:
    """An action concerns no more databases than its findings do, each counted once."""
    databases: list[object] = []
    where: dict[str, set[str]] = {}
    for number, (regions, planned, wanted) in enumerate(placed):
        own = {"encryption": wanted, "reason": "a trial", "name": f"d{number}"}
        make = a_planned_database if planned else a_database
        over = {} if planned else {"id": uuid(number)}
        databases.append(make(**own, **over, regions=regions))
        where[f"planned d{number}" if planned else uuid(number)] = set(regions)
    gaps = [{"fact": "region-views", "reason": "refused"}] if refused else []
    keys = [a_key(region=region) for region in sorted(keyed)]
    organization = an_organization(keys=keys, databases=databases, gaps=gaps)
    found = {finding.id: finding for finding in evaluate([organization], RULES, Context(AS_OF))}
    for action in _audit(organization):
        concerned: set[str] = set()
        for identity in action["findings"]:
            subject = found[identity].subject
            if subject.database:
                concerned.add(subject.database)
            elif found[identity].databases:
                concerned |= {name for name, some in where.items() if subject.region in some}
        assert action["databases"] <= len(concerned)


@pytest.mark.parametrize(
    ("urgent", "less"),
    [
        ([a_finding(severity="high")], [a_finding(severity="medium", databases=9)] * 9),
        ([a_finding("fail")], [a_finding("inconclusive", databases=9)] * 9),
        ([a_finding("fail", databases=2)], [a_finding("fail", databases=1)]),
        (
            [a_finding("inconclusive", databases=2)],
            [a_finding("inconclusive", databases=1)] * 9,
        ),
        ([a_finding("inconclusive")] * 2, [a_finding("inconclusive")]),
    ],
    ids=["severity", "failures", "databases", "databases-first", "findings"],
)
def test_the_most_urgent_action_comes_first(urgent: list[Finding], less: list[Finding]) -> None:
    """Severity comes before failures, those before databases, and these before findings."""
    named = [each._replace(action="z", action_id="z:acme") for each in urgent]
    given = [each._replace(action="a", action_id="a:acme") for each in less] + named
    assert [action["text"] for action in _tally(*given).actions(NAMES)] == ["z", "a"]


@examples(100)
@given(given=st.lists(findings(), max_size=12), data=st.data())
def test_the_order_of_findings_does_not_matter_to_actions(
    given: list[Finding], data: st.DataObject
) -> None:
    """Actions come in the same order, and say the same, in whatever order findings are added."""
    shuffled = data.draw(st.permutations(given))
    assert _without_ids(_tally(*given)) == _without_ids(_tally(*shuffled))


def _without_ids(tallies: Aggregates) -> Any:  # noqa: ANN401 (a part of the record)
    return [{**action, "findings": sorted(action["findings"])} for action in tallies.actions(NAMES)]


def test_an_action_names_so_many_findings_and_counts_them_all() -> None:
    """Beyond the first findings an action tells only how many there are."""
    given = [a_finding(action="Act", region=f"r{number}") for number in range(MOST_IDS + 1)]
    [action] = _tally(*given).actions(NAMES)
    assert (action["resolves"], action["findings"]) == (
        MOST_IDS + 1,
        [each.id for each in given[:MOST_IDS]],
    )


def test_so_many_actions_are_listed_and_all_are_counted() -> None:
    """Of very many actions the most urgent are listed, and their number is that of all."""
    given = [a_finding(action=f"Act {number:05}") for number in range(MOST_ACTIONS)]
    tallies = _tally(*given, a_finding(action="Act at once", severity="critical"))
    actions = tallies.actions(NAMES)
    assert (tallies.action_count, len(actions), actions[0]["text"]) == (
        MOST_ACTIONS + 1,
        MOST_ACTIONS,
        "Act at once",
    )


# --- what was not judged --------------------------------------------------------------------------


def test_what_was_not_judged_is_counted_by_its_reason() -> None:
    """Rules, organizations and reasons are reported with their numbers, what broke first."""
    given = [
        a_finding("not-applicable", region="r1", reason="astra-provided"),
        a_finding("not-applicable", region="r2", reason="astra-provided"),
        a_finding("inconclusive", "CMEK-05", reason="equal-times"),
        a_finding("error", "CMEK-12", reason="check-broke"),
        a_finding("pass"),
    ]
    assert [tuple(each.values()) for each in _tally(*given).not_evaluated()] == [
        ("error", "CMEK-12", ORGANIZATION, "check-broke", 1),
        ("inconclusive", "CMEK-05", ORGANIZATION, "equal-times", 1),
        ("not-applicable", "CMEK-01", ORGANIZATION, "astra-provided", 2),
    ]


@examples(100)
@given(given=st.lists(findings(), max_size=20))
def test_nothing_that_was_not_judged_is_left_out(given: list[Finding]) -> None:
    """Every finding with a reason is counted in the list of what was not judged."""
    listed = Counter(
        {
            (
                finding["status"],
                finding["rule"],
                finding["organization"],
                finding["reason"],
            ): finding["count"]
            for finding in _tally(*given).not_evaluated()
        }
    )
    assert listed == Counter(
        (finding.status, finding.rule, finding.subject.organization, finding.reason)
        for finding in given
        if finding.reason
    )


# --- series of passes -----------------------------------------------------------------------------


def summed_up(aggregates: Aggregates) -> dict[str, Any]:
    """Return everything that is asked of aggregates."""
    attested = aggregates.attested
    return {
        "by_rule": aggregates.by_rule,
        "kinds": aggregates.passes_by_kind(),
        "attested": (attested.rules, attested.databases, attested.people_of_databases),
        "people": (attested.people, attested.people_of_all),
        "actions": aggregates.actions({}),
        "coverage": aggregates.coverage({"acme": "acme-prod"}),
        "plan": aggregates.key_plan(aggregates.coverage({"acme": "acme-prod"})),
        "not_evaluated": aggregates.not_evaluated(),
    }


_SCOPES = [("acme", "serverless", "aws", region) for region in ("us-east-1", "us-east-2")]
_DATABASES = [uuid(number) for number in range(1, 4)]


@st.composite
def located(draw: st.DrawFn) -> Finding | PassSeries:
    """Draw what is found in one of two key scopes, about one of a few databases or several."""
    scope, rule = draw(st.sampled_from(_SCOPES)), draw(st.sampled_from(_LOCATED))
    if draw(st.booleans()):
        drawn = draw(series())
        subject = drawn.pattern.subject._replace(organization=scope[0], region=scope[3])
        ids = draw(st.lists(st.sampled_from(_DATABASES), min_size=1, unique=True))
        pattern = drawn.pattern._replace(subject=subject, rule=rule)
        shared: dict[str, Any] = dict.fromkeys(("names", "times"), ["x"] * len(ids))
        places = [("acme.ndjson", 1)] * len(ids)
        return drawn._replace(pattern=pattern, ids=ids, locations=places, **shared)
    database = draw(st.sampled_from(_DATABASES))
    path = f"acme/database/{database}/{scope[3]}"
    subject = Subject("database-region", path, *scope, database)
    single = draw(findings())
    return single._replace(subject=subject, rule=rule, databases=1, existing=1)


_LOCATED = ["CMEK-01", "CMEK-04", "CMEK-05", "CMEK-05", "CMEK-07", "CMEK-09", "CMEK-14"]


@examples(300)
@given(found=st.lists(located(), max_size=12), is_expected=st.booleans())
def test_a_series_counts_as_its_passes_one_by_one(
    found: list[Finding | PassSeries], *, is_expected: bool
) -> None:
    """Nothing that is added up depends on whether passes come in a series."""
    together, apart = Aggregates(), Aggregates()
    regions = [{"name": "us-east-1"}, {"name": "us-east-2"}]
    several = [a_database(id=_DATABASES[0], regions=regions), a_database(id=_DATABASES[1])]
    for aggregates in (together, apart) if is_expected else ():
        aggregates.add_organization(an_organization(id="acme", databases=several))
    for entry in found:
        if isinstance(entry, PassSeries):
            together.add_series(entry)
        else:
            together.add(entry)
    for finding in one_by_one(found):
        apart.add(finding)
    assert summed_up(together) == summed_up(apart)


# --- in parts -------------------------------------------------------------------------------------


@examples(100)
@given(
    inventory=st.tuples(*(organizations(number) for number in range(1, 4))), cut=st.integers(0, 3)
)
def test_parts_of_an_audit_come_to_the_same_as_the_whole(
    inventory: tuple[Organization, ...], cut: int
) -> None:
    """What two parts come to, one of them sent by another process, is what all findings come to."""
    parts = [_aggregated(inventory[:cut]), _aggregated(inventory[cut:])]
    parts[0].merge(pickle.loads(pickle.dumps(parts[1])))
    assert _all_of(parts[0]) == _all_of(_aggregated(inventory))


def test_an_organization_is_in_one_part_only() -> None:
    """Two parts with findings of one organization are refused: it would be counted wrongly."""
    parts = [_aggregated([an_organization()]) for _ in range(2)]
    with pytest.raises(ValueError, match="1 organizations are in two parts"):
        parts[0].merge(parts[1])


def test_an_action_of_two_parts_is_one_action() -> None:
    """Findings of both parts that one step resolves are one action, with the ids of both."""
    one, two = (a_finding("fail", region=region) for region in REGIONS[:2])
    both = [each._replace(subject=each.subject._replace(organization="")) for each in (one, two)]
    same = [each._replace(action="Do it", action_id="do-it") for each in both]
    merged = _tally(same[0])
    merged.merge(_tally(same[1]))
    assert merged.actions({}) == _tally(*same).actions({})


def _aggregated(some: Sequence[Organization]) -> Aggregates:
    aggregates = Aggregates()
    for organization in some:
        aggregates.add_organization(organization)
        for finding in evaluate([organization], RULES, Context(AS_OF)):
            aggregates.add(finding)
    return aggregates


def _all_of(aggregates: Aggregates) -> object:
    names = {uuid(number): f"acme-{number}" for number in range(1, 4)}
    attested = aggregates.attested
    return (
        list(aggregates.by_rule.items()),
        aggregates.actions(names),
        aggregates.coverage(names),
        aggregates.key_plan(aggregates.coverage(names)),
        aggregates.not_evaluated(),
        aggregates.passes_by_kind(),
        aggregates.declared,
        aggregates.stopping(Gate("low", new_only=True)),
        (attested.rules, attested.databases, attested.people_of_all),
    )
