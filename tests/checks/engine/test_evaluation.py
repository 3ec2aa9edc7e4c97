from __future__ import annotations

import pickle
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.catalogue import Rule
from checks.engine.context import Context, Kms, Summary
from checks.engine.evaluation import evaluate, judge_across, judge_organization
from checks.engine.finding import OPEN, Finding
from checks.engine.identity import reason_of
from inventory.history import History, read_history
from inventory.model.gaps import Fact, Gap
from inventory.model.organization import Organization
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    OTHER_DATABASE,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    an_organization,
    aws_key_id,
    document_data,
    gcp_key_id,
    kms_facts,
    organization_data,
    uuid,
    write_yaml,
)
from tests.checks.judging import CONTEXT, RULES, judged
from tests.checks.strategies import inventories
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.pass_series import Found
    from inventory.index.organization_index import OrganizationIndex

EVERY = list(RULES.values())
NEEDY = [(rule, need) for rule, each in RULES.items() for need in each.card.needs]


# --- gaps -------------------------------------------------------------------------------------


def facts_of(need: str) -> list[str]:
    return [fact for fact in get_args(Fact) if fact.endswith(need)]


@pytest.mark.parametrize(
    ("rule", "fact"), [(rule, fact) for rule, need in NEEDY for fact in facts_of(need)]
)
@pytest.mark.parametrize("lists", [{}, {"keys": []}, {"databases": []}])
def test_a_rule_is_inconclusive_where_what_it_needs_is_missing(
    rule: str, fact: str, lists: dict[str, Any]
) -> None:
    """A rule never has only passes to show for an organization of which it needs to know more."""
    gaps = [{"fact": fact, "reason": "cut-short", "detail": "page 2"}]
    found = judged(rule, an_organization(gaps=gaps, **lists))
    whole = [finding for finding in found if finding.subject.kind == "organization"]
    assert [(finding.status, finding.reason) for finding in whole] == [
        ("inconclusive", "cut-short")
    ]
    words = fact.replace("-", " ")
    assert whole[0].message == (
        f"The list of {words} may be incomplete, so there may be more to judge: cut-short (page 2)."
    )
    assert whole[0].action == "Re-collect acme-prod in full"


@pytest.mark.parametrize("rule", [rule for rule, each in RULES.items() if each.card.needs])
def test_a_rule_goes_by_what_it_needs_only(rule: str) -> None:
    """A gap in what a rule does not need gives no finding about the whole organization."""
    needs = RULES[rule].card.needs
    other = [fact for fact in get_args(Fact) if not fact.endswith(tuple(needs))]
    assert other
    gaps = [{"fact": fact, "reason": "refused"} for fact in other]
    found = judged(rule, an_organization(gaps=gaps))
    assert [finding for finding in found if finding.subject.kind == "organization"] == []


def test_the_rules_without_needs_answer_for_gaps_themselves() -> None:
    """Rules without needs are those whose subjects can tell of the gap by themselves."""
    assert {rule for rule, each in RULES.items() if not each.card.needs} == {
        "CMEK-06",
        "CMEK-08",
        "CMEK-10",
        "CMEK-13",
        "CMEK-14",
    }


def test_each_missing_list_is_a_cause_of_its_own() -> None:
    """A rule has a finding for each list that it needs and did not see whole, so none hides one."""
    organization = an_organization(keys=None, databases=None)
    found = judged("CMEK-04", organization)
    assert [(finding.status, finding.subject.kind, finding.cause) for finding in found] == [
        ("inconclusive", "organization", "not-recorded:serverless-keys"),
        ("inconclusive", "organization", "not-recorded:managed-clusters-keys"),
        ("inconclusive", "organization", "not-recorded:databases"),
    ]


# --- broken judges ----------------------------------------------------------------------------

SECRET = "AstraCS:sham:00000000"


def breaking(organization: str) -> Rule:
    """Make a rule whose judge passes one subject of an organization, and then breaks."""

    def judge(index: OrganizationIndex, context: Context) -> Iterator[Found]:
        yield from RULES["CMEK-14"].judge(index, context) if RULES["CMEK-14"].judge else ()
        if index.organization.id == organization:
            raise KeyError(SECRET)

    return RULES["CMEK-01"]._replace(judge=judge)


def breaking_across(summaries: Sequence[Summary], context: Context) -> Iterator[Finding]:
    yield from ()
    raise ValueError(SECRET)


TWO = [
    an_organization(),
    an_organization(
        id=OTHER_ORGANIZATION, name="acme-test", databases=[a_database(id=OTHER_DATABASE)]
    ),
]


def test_a_judge_that_breaks_is_a_finding() -> None:
    """A broken judge is an error of its rule and organization, and all others are judged."""
    rules = [breaking(ORGANIZATION), RULES["CMEK-02"]]
    found = [
        (finding.rule, finding.subject.organization, finding.status)
        for finding in evaluate(TWO, rules, CONTEXT)
    ]
    assert found == [
        ("CMEK-14", ORGANIZATION, "pass"),
        ("CMEK-01", ORGANIZATION, "error"),
        ("CMEK-02", ORGANIZATION, "pass"),
        ("CMEK-14", OTHER_ORGANIZATION, "pass"),
        ("CMEK-02", OTHER_ORGANIZATION, "pass"),
    ]


def test_an_error_shows_where_and_nothing_of_what() -> None:
    """An error tells type and place of what broke; its message may hold anybody's secrets."""
    error = next(
        finding
        for finding in evaluate(TWO, [breaking(ORGANIZATION)], CONTEXT)
        if finding.status == "error"
    )
    assert SECRET not in repr(error)
    assert re.fullmatch(r"The check broke: KeyError in judge, line [0-9]+\.", error.message)
    assert (error.reason, error.severity) == ("check-broke", "high")
    assert error.action == "Report this as a defect of the suite"
    assert error.subject.path == ORGANIZATION


def test_a_judge_across_organizations_may_break_too() -> None:
    """A rule across organizations that breaks is an error of no single organization."""
    rule = RULES["CMEK-06"]._replace(judge_across=breaking_across)
    (error,) = evaluate(TWO, [rule], CONTEXT)
    assert (error.status, error.subject.organization, error.subject.path) == ("error", "", "")
    assert SECRET not in repr(error)


def test_a_broken_judge_hides_no_gap() -> None:
    """Where a judge breaks over an organization with a gap, both are found, as two causes."""
    organization = an_organization(databases=None)
    found = list(evaluate([organization], [breaking(ORGANIZATION)], CONTEXT))
    own = [(finding.status, finding.cause) for finding in found if finding.rule == "CMEK-01"]
    assert own == [("inconclusive", "not-recorded:databases"), ("error", "check-broke")]


# --- order ------------------------------------------------------------------------------------


def test_findings_stream_organization_by_organization() -> None:
    """Each organization is met, judged by all rules, and let go before the next is read."""
    read: list[str] = []
    met: list[str] = []

    def organizations() -> Iterator[Organization]:
        for each in TWO:
            read.append(each.id)
            yield each

    found = evaluate(organizations(), EVERY, CONTEXT, lambda each: met.append(each.id))
    first = next(found)
    assert (first.rule, first.subject.organization) == ("CMEK-01", ORGANIZATION)
    assert (read, met) == ([ORGANIZATION], [ORGANIZATION])
    rest = list(found)
    assert met == [ORGANIZATION, OTHER_ORGANIZATION]
    owners = [finding.subject.organization for finding in rest]
    assert owners == sorted(owners, key=[ORGANIZATION, OTHER_ORGANIZATION, ""].index)


def test_an_organization_is_judged_with_nothing_but_the_context() -> None:
    """Another process can judge an organization: what it gets and gives survives pickling."""
    organization, context = TWO[0], CONTEXT
    here = judge_organization(organization, EVERY, context)
    there = judge_organization(*pickle.loads(pickle.dumps((organization, EVERY, context))))
    assert pickle.loads(pickle.dumps(there)) == here
    assert here.findings == [
        finding for finding in evaluate([organization], EVERY, context) if finding.rule != "CMEK-06"
    ]


def test_judging_apart_and_reducing_is_evaluating() -> None:
    """Organizations that are judged in any order give what one pass over all of them gives."""
    apart = {one.id: judge_organization(one, EVERY, CONTEXT) for one in reversed(TWO)}
    found = [finding for one in TWO for finding in apart[one.id].findings]
    found += judge_across([apart[one.id].summary for one in TWO], EVERY, CONTEXT)
    assert found == list(evaluate(TWO, EVERY, CONTEXT))


def test_nothing_gives_nothing() -> None:
    """Without organizations, or without rules, there is nothing to find."""
    assert list(evaluate([], EVERY, CONTEXT)) == []
    assert list(evaluate(TWO, [], CONTEXT)) == []


# --- keys that are listed by several versions -------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two", "found"),
    [
        ({"enabled": True}, {"enabled": True}, ["pass"]),
        ({"enabled": True}, {"enabled": False}, ["fail"]),
        ({"enabled": False}, {"enabled": None}, ["fail", "inconclusive"]),
        ({"enabled": True}, {"enabled": None}, ["inconclusive"]),
    ],
)
def test_versions_of_a_key_are_one_subject(
    one: dict[str, Any], two: dict[str, Any], found: list[str]
) -> None:
    """A key complies only if no entry says otherwise, whichever of its versions comes first."""
    place: dict[str, Any] = {"provider": "gcp", "region": "us-east1"}
    keys = [
        a_key(
            **place, key_id=gcp_key_id(version=n), kms=kms_facts(**(facts | {"region": "us-east1"}))
        )
        for n, facts in enumerate((one, two), 1)
    ]
    for order in (keys, keys[::-1]):
        organization = an_organization(keys=order, databases=[])
        judgements = judged("CMEK-12", organization)
        assert sorted(judgement.status for judgement in judgements) == found
        assert len({judgement.subject.path for judgement in judgements}) == 1


def test_of_two_versions_the_first_is_shown() -> None:
    """Where several entries of a key comply, or none applies, the first one is the evidence."""
    place = {"provider": "gcp", "region": "us-east1"}
    ids = [gcp_key_id(version=version) for version in (1, 2, 3)]
    said = {"by": "acme-security", "on": "2026-11-01", "usable": True}

    def shown(*usable: bool) -> list[tuple[str, int]]:
        keys = [
            a_key(**place, key_id=key_id, **({"usable": said} if well else {})).at("k", line)
            for line, (key_id, well) in enumerate(zip(ids, usable, strict=False), 1)
        ]
        found = judged("CMEK-12", an_organization(keys=keys), context=CONTEXT._replace(kms="none"))
        return [(finding.status, finding.evidence[0][1]) for finding in found]

    assert shown(True, True) == [("pass", 1)]
    assert shown(False, False) == [("not-applicable", 1)]
    assert shown(True, False) == [("pass", 1)]
    assert shown(False, True) == [("pass", 2)]
    assert shown(False, True, True) == [("pass", 2)]


# --- clouds that are left out ---------------------------------------------------------------------


def test_clouds_are_left_out_of_every_key() -> None:
    """One key without facts does not keep the facts of another, and no key is lost."""
    bad = a_key(region="us-west-2", kms=kms_facts(enabled=False))
    context = CONTEXT._replace(kms="none")
    for keys in ([a_key(), bad], [bad, a_key()]):
        found = judged("CMEK-12", an_organization(keys=keys), context=context)
        assert {finding.status for finding in found} == {"not-applicable"}
    two = [an_organization(id=uuid(n), name=f"acme-{n}", keys=[bad]) for n in (1, 2)]
    found = judged("CMEK-06", *two, context=context)
    assert [finding.cause for finding in found] == [f"shared-by:{uuid(n)}" for n in (1, 2)]


def test_keys_that_were_not_recorded_are_left_out_of_nothing() -> None:
    """An organization without its list of keys is judged without the clouds as with them."""
    organization = an_organization(keys=None)
    left_out = judged("CMEK-14", organization, context=CONTEXT._replace(kms="none"))
    assert left_out == judged("CMEK-14", organization)
    assert {finding.status for finding in left_out} == {"inconclusive"}


def test_a_missing_list_is_shown_where_the_organization_was_read() -> None:
    """What a rule needs and was not read is shown by the record of the organization."""
    organization = an_organization(databases=None).at("now.yaml", 6)
    (finding,) = judged("CMEK-01", organization)
    assert finding.evidence == (("now.yaml", 6),)


def test_an_attestation_of_one_version_counts_for_the_key() -> None:
    """Where one entry does not apply and another passes, the key passes."""
    place: dict[str, Any] = {"provider": "gcp", "region": "us-east1"}
    usable = {"usable": True, "by": "acme-security", "on": "2026-11-01"}
    keys = [
        a_key(**place, key_id=gcp_key_id(version=1)),
        a_key(**place, key_id=gcp_key_id(version=2), usable=usable),
    ]
    context = Context(AS_OF, kms="none")
    for order in (keys, keys[::-1]):
        organization = an_organization(keys=order, databases=[])
        found = judged("CMEK-12", organization, context=context)
        assert [finding.status for finding in found] == ["pass"]


def test_a_key_rests_on_the_word_of_all_its_versions() -> None:
    """Where one entry passes by the cloud and another by an attestation, the key needs both."""
    place: dict[str, Any] = {"provider": "gcp", "region": "us-east1"}
    usable = {"usable": True, "by": "acme-security", "on": "2026-11-01"}
    seen = a_key(**place, key_id=gcp_key_id(version=1), kms=kms_facts(region="us-east1"))
    said = a_key(**place, key_id=gcp_key_id(version=2), usable=usable)
    for order in ([seen, said], [said, seen]):
        (finding,) = judged("CMEK-12", an_organization(keys=order, databases=[]))
        assert (finding.status, finding.attested_by) == ("pass", ("acme-security",))


# --- properties -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Provide two earlier records of one of the organizations, and of one that is gone."""
    folder = tmp_path_factory.mktemp("history")
    regions = ["us-east-1", "us-east1"]
    whole = organization_data(
        id=uuid(1),
        keys=[
            {"type": "serverless", "provider": "aws", "region": region, "key_id": aws_key_id()}
            for region in regions
        ],
    )
    gone = organization_data(id=uuid(9), name="acme-gone")
    first = document_data(whole, gone, captured_at="2026-03-01T00:00:00Z")
    none = document_data(whole | {"keys": []}, captured_at="2026-06-01T00:00:00Z")
    files = [write_yaml(folder / "a.yaml", first), write_yaml(folder / "b.yaml", none)]
    return read_history(files)


def by_cause(findings: list[Finding]) -> dict[tuple[str, str, str], Finding]:
    return {(finding.rule, finding.subject.path, finding.cause): finding for finding in findings}


def complying(findings: list[Finding]) -> set[tuple[str, str]]:
    """Return rule and path of each subject that passes."""
    return {
        (finding.rule, finding.subject.path) for finding in findings if finding.status == "pass"
    }


def failing(findings: list[Finding]) -> set[tuple[str, str]]:
    """Return rule and path of each subject that has an open finding."""
    return {(finding.rule, finding.subject.path) for finding in findings if finding.status in OPEN}


@examples(150)
@given(inventory=inventories, kms=st.sampled_from(["recorded", "none"]))
def test_every_cause_has_one_finding(
    history: History, inventory: tuple[Organization, ...], kms: Kms
) -> None:
    """No rule breaks, none finds a cause of a subject twice, and none changes what it judges."""
    before = [each.model_dump() for each in inventory]
    found = list(evaluate(inventory, EVERY, Context(AS_OF, kms=kms, history=history)))
    again = list(evaluate(inventory, EVERY, Context(AS_OF, kms=kms, history=history)))
    twice = Counter((finding.rule, finding.subject.path, finding.cause) for finding in found)
    assert {each: count for each, count in twice.items() if count > 1} == {}
    assert len({each.id for each in found}) == len(found)
    assert {bool(finding.cause) == (finding.status in OPEN) for finding in found} <= {True}
    assert complying(found) & failing(found) == set()
    assert {finding.status for finding in found} <= {
        "pass",
        "fail",
        "inconclusive",
        "not-applicable",
    }
    assert found == again
    assert [each.model_dump() for each in inventory] == before


def unattested(organization: Organization) -> Organization:
    """Return ``organization`` as if nobody had said anything about it."""
    words = dict.fromkeys(("registered", "rotation", "usable"))
    keys, databases = organization.keys, organization.databases
    without: dict[str, Any] = dict.fromkeys(("plan", "azure_preview", "no_databases"))
    without |= {"support_cases": ()}
    without["keys"] = keys and tuple(key.model_copy(update=words).at(*key.location) for key in keys)
    without["databases"] = databases and tuple(
        database.model_copy(update={"application_encryption": None}).at(*database.location)
        for database in databases
    )
    return organization.model_copy(update=without).at(*organization.location)


@examples(300)
@given(inventory=inventories)
def test_a_pass_names_those_without_whose_word_it_would_be_none(
    history: History, inventory: tuple[Organization, ...]
) -> None:
    """What passes on somebody's word alone names who that is, and nothing else does."""
    context = Context(AS_OF, history=history)
    found = list(evaluate(inventory, EVERY, context))
    left = complying(list(evaluate(map(unattested, inventory), EVERY, context)))
    passing = [finding for finding in found if finding.status == "pass"]
    named = {(finding.rule, finding.subject.path) for finding in passing if finding.attested_by}
    assert {finding.attested_by for finding in found} <= {(), ("acme-security",)}
    assert {finding.attested_by for finding in found if finding.status != "pass"} <= {()}
    assert complying(found) - left == named


_BY_CLOUDS = frozenset({"CMEK-05", "CMEK-11", "CMEK-12", "CMEK-17", "CMEK-18", "CMEK-19"})


@examples(100)
@given(inventory=inventories)
def test_leaving_the_clouds_out_changes_only_the_rules_about_them(
    history: History, inventory: tuple[Organization, ...]
) -> None:
    """All other rules find the same, with the same evidence."""
    for number, organization in enumerate(inventory, start=1):
        organization.at("acme.yaml", number)
        for key in organization.keys or ():
            key.at("acme.yaml", number + 10)
    context = Context(AS_OF, history=history)
    whole, bare = (
        [
            finding
            for finding in evaluate(inventory, EVERY, context._replace(kms=kms))
            if finding.rule not in _BY_CLOUDS
        ]
        for kms in get_args(Kms)
    )
    assert whole == bare


@examples(150)
@given(inventory=inventories)
def test_every_finding_says_what_is_to_be_done(
    history: History, inventory: tuple[Organization, ...]
) -> None:
    """What is open has an action, what could not be judged or does not apply has a reason."""
    for finding in evaluate(inventory, EVERY, Context(AS_OF, history=history)):
        assert finding.message
        assert bool(finding.action) == (finding.status in OPEN)
        assert bool(finding.reason) == (finding.status in {"inconclusive", "not-applicable"})
        assert finding.evidence
        assert 0 <= finding.existing <= finding.databases


@examples(150)
@given(inventory=inventories, fact=st.sampled_from(get_args(Fact)))
def test_knowing_less_never_makes_a_pass(
    history: History, inventory: tuple[Organization, ...], fact: Fact
) -> None:
    """One more gap never turns what was open into a pass, nor takes an open subject away."""
    context = Context(AS_OF, history=history)
    one, two = inventory
    poorer = one.model_copy(update={"gaps": (*one.gaps, Gap(fact=fact, reason="refused"))})
    known = list(evaluate(inventory, EVERY, context))
    less = list(evaluate([poorer, two], EVERY, context))
    assert complying(less) & failing(known) == set()
    assert failing(known) - failing(less) == set()


@examples(100)
@given(inventory=inventories)
def test_the_order_of_organizations_does_not_matter(
    history: History, inventory: tuple[Organization, ...]
) -> None:
    """Each subject gets the same status whichever organization is read first."""
    context = Context(AS_OF, history=history)
    one = by_cause(list(evaluate(inventory, EVERY, context)))
    two = by_cause(list(evaluate(inventory[::-1], EVERY, context)))
    assert {key: each.status for key, each in one.items()} == {
        key: each.status for key, each in two.items()
    }


@examples(150)
@given(inventory=inventories)
def test_every_cause_of_a_failure_is_on_its_card(
    history: History, inventory: tuple[Organization, ...]
) -> None:
    """A rule fails by no cause that its card, and with it the page on rules, does not explain."""
    for finding in evaluate(inventory, EVERY, Context(AS_OF, history=history)):
        if finding.status == "fail":
            explained = {code.partition(":")[0] for code in RULES[finding.rule].card.causes}
            assert reason_of(finding.cause) in explained, finding
