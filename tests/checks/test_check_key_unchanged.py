from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.context import Context, KnownOrganization
from inventory.history import Observation
from inventory.model.key import KeyScope, SupportCase
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    a_support_case,
    an_organization,
    aws_key_id,
    key_data,
    moment,
    organization_data,
)
from tests.checks.judging import causes, earlier, judged, judged_once

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Finding
    from inventory.history import History

OLD = organization_data(keys=[key_data(key_id=aws_key_id(number=9))])

SAME = "The key is the same in 2 records from 2026-06-01T00:00:00Z to 2026-11-20T02:00:00Z."


def judge(history: History, **organization: object) -> Finding:
    return judged_once(
        "CMEK-10", an_organization(**organization), context=Context(AS_OF, history=history)
    )


def test_a_replacement_names_the_two_records(tmp_path: Path) -> None:
    """A key that changed without a case fails, between the times of two records."""
    finding = judge(earlier(tmp_path, on_2026_06_01=OLD))
    assert (finding.status, finding.severity) == ("fail", "high")
    assert finding.message == (
        "The key was replaced between 2026-06-01T00:00:00Z and 2026-11-20T02:00:00Z "
        "without a support case."
    )
    assert finding.action == (
        "Find the support case that changed the key of acme-prod / serverless / aws / us-east-1"
    )
    assert len(finding.evidence) == 2


def test_a_disappearance_is_reported_from_a_replacement(tmp_path: Path) -> None:
    """A key that is gone without a case fails as disappeared."""
    finding = judge(earlier(tmp_path, on_2026_06_01=OLD), keys=[])
    assert finding.message.startswith("The key disappeared between 2026-06-01T00:00:00Z and")


@pytest.mark.parametrize(
    ("on", "status"),
    [
        ("2026-05-31", "fail"),
        ("2026-06-01", "pass"),
        ("2026-06-02", "pass"),
        ("2026-11-20", "pass"),
        ("2026-11-21", "fail"),
    ],
)
def test_the_days_of_both_records_count(tmp_path: Path, on: str, status: str) -> None:
    """A case explains a change from the day of the one record to the day of the other."""
    history = earlier(tmp_path, on_2026_06_01=OLD)
    assert judge(history, support_cases=[a_support_case(on=on)]).status == status


@pytest.mark.parametrize(
    "other", [{"type": "managed-clusters"}, {"provider": "gcp"}, {"region": "us-west-2"}]
)
def test_a_case_counts_for_its_own_scope(tmp_path: Path, other: dict[str, str]) -> None:
    """A case for another type, provider or region explains nothing here."""
    history = earlier(tmp_path, on_2026_06_01=OLD)
    assert judge(history, support_cases=[a_support_case(**other)]).status == "fail"


def test_only_the_cases_that_explain_are_named(tmp_path: Path) -> None:
    """A pass after a change names the tickets that explain it, and no others, with their places."""
    cases = [
        a_support_case(ticket="TS000000001", on="2026-08-01"),
        a_support_case(ticket="TS000000002", on="2025-08-01"),
    ]
    finding = judge(earlier(tmp_path, on_2026_06_01=OLD), support_cases=cases)
    assert finding.message == "Each change is explained by a support case: TS000000001."
    assert len(finding.evidence) == 3


def test_each_change_needs_a_case(tmp_path: Path) -> None:
    """Of two changes, one without a case is enough to fail, and that one is named."""
    history = earlier(
        tmp_path,
        on_2026_01_01=organization_data(keys=[key_data(key_id=aws_key_id(number=8))]),
        on_2026_06_01=OLD,
    )
    late = a_support_case(on="2026-08-01")
    finding = judge(history, support_cases=[late])
    assert "between 2026-01-01T00:00:00Z and 2026-06-01T00:00:00Z" in finding.message
    early = a_support_case(on="2026-02-01", ticket="TS000000002")
    assert judge(history, support_cases=[late, early]).message == (
        "Each change is explained by a support case: TS000000002, TS000000001."
    )


def test_a_further_replacement_is_another_cause(tmp_path: Path) -> None:
    """A key that goes again has another cause, also once the first record is left out."""
    new = organization_data(keys=[key_data(key_id=aws_key_id(number=8))])
    records = {"on_2026_01_01": OLD, "on_2026_02_01": new, "on_2026_03_01": OLD}
    context = Context(AS_OF, history=earlier(tmp_path, **records))
    found = [finding.cause for finding in judged("CMEK-10", an_organization(), context=context)]
    old, other = aws_key_id(number=9), aws_key_id(number=8)
    assert found == [
        f"replaced:{old},2026-01-01T00:00:00Z",
        f"replaced:{other},2026-02-01T00:00:00Z",
        f"replaced:{old},2026-03-01T00:00:00Z",
    ]
    del records["on_2026_01_01"]
    context = Context(AS_OF, history=earlier(tmp_path, **records))
    assert [it.cause for it in judged("CMEK-10", an_organization(), context=context)] == found[1:]


def test_a_key_that_came_back_had_disappeared(tmp_path: Path) -> None:
    """The same key in the first and the last record does not hide that it was gone between."""
    history = earlier(
        tmp_path,
        on_2026_01_01=organization_data(),
        on_2026_06_01=organization_data(keys=[]),
    )
    finding = judge(history)
    assert finding.status == "fail"
    assert finding.message.startswith("The key disappeared between 2026-01-01T00:00:00Z and")


def test_a_key_beside_the_old_one_is_no_change(tmp_path: Path) -> None:
    """A second key claimed for the scope is left to the rule about rival keys."""
    history = earlier(tmp_path, on_2026_06_01=organization_data())
    keys = [a_key(), a_key(key_id=aws_key_id(number=2))]
    assert judge(history, keys=keys).message == (SAME)


def test_one_of_two_old_keys_gone_is_a_change(tmp_path: Path) -> None:
    """A scope that had two keys and has one of them now has lost a key."""
    both = [key_data(), key_data(key_id=aws_key_id(number=2))]
    history = earlier(tmp_path, on_2026_06_01=organization_data(keys=both))
    assert judge(history).status == "fail"


def test_a_key_is_the_same_since_its_first_record(tmp_path: Path) -> None:
    """A pass tells since when the key is known, not since when there are records."""
    history = earlier(
        tmp_path,
        on_2026_01_01=organization_data(keys=[]),
        on_2026_06_01=organization_data(),
    )
    assert judge(history).message == (SAME)


def test_a_record_that_was_refused_is_no_disappearance(tmp_path: Path) -> None:
    """A record between, whose keys were not read, is silent."""
    refused = organization_data(keys=[], gaps=[{"fact": "serverless-keys", "reason": "refused"}])
    history = earlier(tmp_path, on_2026_01_01=organization_data(), on_2026_06_01=refused)
    assert judge(history).status == "pass"


@pytest.mark.parametrize(
    ("keys", "fact", "status"),
    [
        ([], "serverless-keys", "inconclusive"),
        ([], "managed-clusters-keys", "fail"),
        ([key_data()], "serverless-keys", "pass"),
    ],
)
def test_unread_keys_are_no_disappearance(
    tmp_path: Path, keys: list[Any], fact: str, status: str
) -> None:
    """A key that is not listed now, while the list may not be whole, is inconclusive."""
    history = earlier(tmp_path, on_2026_06_01=organization_data())
    gaps = [{"fact": fact, "reason": "timed-out"}]
    finding = judge(history, keys=keys, gaps=gaps)
    assert finding.status == status
    if status == "inconclusive":
        assert (
            finding.message == "The present list of serverless keys may be incomplete: timed-out."
        )
        assert finding.action == "Re-collect the serverless keys of acme-prod in full"


def test_the_present_stands_as_evidence_where_it_was_read(tmp_path: Path) -> None:
    """The last piece of evidence is the key's own place, or the organization's if it is gone."""
    history = earlier(tmp_path, on_2026_06_01=organization_data())
    context = Context(AS_OF, history=history)
    with_key = an_organization(keys=[a_key().at("keys.yaml", 7)]).at("now.yaml", 3)
    without = an_organization(keys=[]).at("now.yaml", 3)
    places = [
        judged_once("CMEK-10", each, context=context).evidence[-1] for each in (with_key, without)
    ]
    assert places == [("keys.yaml", 7), ("now.yaml", 3)]


def test_an_undated_record_is_taken_for_one_of_now(tmp_path: Path) -> None:
    """Without a time of its own, the present record counts as of the day of the audit."""
    history = earlier(tmp_path, on_2026_06_01=OLD)
    cases: list[SupportCase] = [a_support_case(on="2026-11-21")]
    finding = judge(history, captured_at=None, support_cases=cases)
    assert finding.status == "pass"


def test_without_history_there_is_no_subject(tmp_path: Path) -> None:
    """Without earlier records, and for scopes that none of them saw with a key, nothing is said."""
    assert judged("CMEK-10", an_organization()) == []
    history = earlier(tmp_path, on_2026_06_01=organization_data(keys=[]))
    context = Context(AS_OF, history=history)
    assert judged("CMEK-10", an_organization(), context=context) == []


def test_an_alias_may_hide_a_change(tmp_path: Path) -> None:
    """An alias that is the same in all records proves nothing about the key behind it."""
    alias = "arn:aws:kms:us-east-1:111122223333:alias/astra"
    before = organization_data(keys=[key_data(key_id=alias)])
    finding = judge(earlier(tmp_path, on_2026_06_01=before), keys=[key_data(key_id=alias)])
    assert (finding.status, finding.reason) == ("inconclusive", "alias")
    assert finding.message == (
        "An alias is the same in two records in a row; the key behind it may have changed."
    )
    assert finding.action == (
        "Record the id of the key itself for acme-prod / serverless / aws / us-east-1"
    )
    assert len(finding.evidence) == 2


ALIAS = key_data(key_id="arn:aws:kms:us-east-1:111122223333:alias/astra")


@pytest.mark.parametrize(
    ("before", "now"),
    [(key_data(key_id=aws_key_id(number=9)), ALIAS), (ALIAS, key_data())],
    ids=["to the alias", "from the alias"],
)
def test_a_case_does_not_explain_what_an_alias_may_hide(
    tmp_path: Path, before: dict[str, str], now: dict[str, str]
) -> None:
    """A case explains the change to or from an alias, not one of the key behind the alias."""
    records = {
        "on_2026_01_01": organization_data(keys=[before]),
        "on_2026_03_01": organization_data(keys=[ALIAS]),
        "on_2026_06_01": organization_data(keys=[now]),
    }
    context = Context(AS_OF, history=earlier(tmp_path, **records))
    change = "2026-02-01" if now is ALIAS else "2026-05-01"
    over = {"keys": [now], "support_cases": [a_support_case(on=change)]}
    assert causes("CMEK-10", an_organization(**over), context=context) == ["alias"]
    over |= {"support_cases": []}
    found = judged("CMEK-10", an_organization(**over), context=context)
    assert [(finding.status, finding.cause.partition(":")[0]) for finding in found] == [
        ("fail", "replaced"),
        ("inconclusive", "alias"),
    ]


def test_an_alias_in_one_record_hides_nothing(tmp_path: Path) -> None:
    """An alias that a support case replaced before the next record leaves the scope explained."""
    history = earlier(tmp_path, on_2026_06_01=organization_data(keys=[ALIAS]))
    assert judge(history, support_cases=[a_support_case(on="2026-08-01")]).status == "pass"


# --- the baseline ---------------------------------------------------------------------------------

SCOPE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
BASELINE = ("baseline.json", 1)


def known(at: str | None, *numbers: int) -> dict[str, KnownOrganization]:
    captured_at = moment(at) if at else None
    ids = tuple(aws_key_id(number=number) for number in numbers)
    seen = (Observation(captured_at, ids, *BASELINE),) if captured_at and ids else ()
    keys = {SCOPE: seen} if seen else {}
    return {ORGANIZATION: KnownOrganization("acme-prod", BASELINE, {}, keys, captured_at)}


def test_the_baseline_is_a_record_like_any_other(tmp_path: Path) -> None:
    """A key that only the baseline knew has been replaced since its record was made."""
    context = Context(AS_OF, baseline=known("2026-06-01", 9))
    finding = judged_once("CMEK-10", an_organization(), context=context)
    assert finding.cause == f"replaced:{aws_key_id(number=9)},2026-06-01T00:00:00Z"
    assert finding.message.startswith(
        "The key was replaced between 2026-06-01T00:00:00Z and 2026-11"
    )
    assert finding.evidence == (BASELINE, ("", 0))


@pytest.mark.parametrize(
    "at", [None, "2026-11-20T02:00:00Z", "2026-11-20T02:00:01Z"], ids=["undated", "equal", "later"]
)
def test_a_baseline_that_is_not_earlier_shows_no_change(at: str | None) -> None:
    """A baseline without a time, or not older than the record, is compared with nothing."""
    context = Context(AS_OF, baseline=known(at, 9))
    assert judged("CMEK-10", an_organization(), context=context) == []


def test_the_baseline_takes_its_place_among_the_records(tmp_path: Path) -> None:
    """A change is named between the two records around it, the baseline's among them."""
    old = organization_data(keys=[key_data(key_id=aws_key_id(number=9))])
    history = earlier(tmp_path, on_2026_03_01=old, on_2026_07_01=organization_data())
    context = Context(AS_OF, history=history, baseline=known("2026-05-01", 9))
    finding = judged_once("CMEK-10", an_organization(), context=context)
    assert finding.message == (
        "The key was replaced between 2026-05-01T00:00:00Z and 2026-07-01T00:00:00Z "
        "without a support case."
    )
    for baseline in (known("2026-03-01", 8), known("2026-05-01")):
        context = Context(AS_OF, history=history, baseline=baseline)
        finding = judged_once("CMEK-10", an_organization(), context=context)
        assert finding.cause == f"replaced:{aws_key_id(number=9)},2026-03-01T00:00:00Z"
        assert "between 2026-03-01T00:00:00Z and 2026-07-01T00:00:00Z" in finding.message
        assert len(finding.evidence) == 3


def test_an_undated_baseline_does_not_disturb_the_records(tmp_path: Path) -> None:
    """A baseline without a time is left out beside records that have one."""
    history = earlier(tmp_path, on_2026_06_01=organization_data())
    context = Context(AS_OF, history=history, baseline=known(None, 9))
    finding = judged_once("CMEK-10", an_organization(), context=context)
    assert finding.message == SAME


def test_scopes_are_judged_in_their_order() -> None:
    """The order of the findings does not depend on how the scopes were found."""
    regions = [f"region-{number}" for number in range(9)]
    keys = {
        KeyScope(ORGANIZATION, "serverless", "aws", region): (
            Observation(moment("2026-06-01"), (aws_key_id(region),), *BASELINE),
        )
        for region in reversed(regions)
    }
    baseline = KnownOrganization("acme-prod", BASELINE, {}, keys, moment("2026-06-01"))
    context = Context(AS_OF, baseline={ORGANIZATION: baseline})
    found = judged("CMEK-10", an_organization(keys=[]), context=context)
    assert [finding.subject.region for finding in found] == regions


# --- causes ---------------------------------------------------------------------------------------


def holding(*numbers: int) -> dict[str, Any]:
    """Record the keys of these numbers; the present one is number 1."""
    return organization_data(
        keys=[key_data(key_id=aws_key_id(number=number)) for number in numbers]
    )


def test_each_key_that_went_is_a_cause_each_time(tmp_path: Path) -> None:
    """Several keys that go are as many causes, and one that goes again is a further one."""
    history = earlier(
        tmp_path,
        on_2026_01_01=holding(9, 6, 8, 5, 7),
        on_2026_02_01=holding(),
        on_2026_03_01=holding(9),
    )
    context = Context(AS_OF, history=history)
    assert causes("CMEK-10", an_organization(), context=context) == [
        *(f"disappeared:{aws_key_id(number=n)},2026-01-01T00:00:00Z" for n in (5, 6, 7, 8, 9)),
        f"replaced:{aws_key_id(number=9)},2026-03-01T00:00:00Z",
    ]


def test_a_finding_counts_the_databases_of_its_scope(tmp_path: Path) -> None:
    """A change concerns the databases of the key's scope, planned ones among them."""
    databases = [a_database(), a_planned_database()]
    finding = judge(earlier(tmp_path, on_2026_06_01=OLD), databases=databases)
    assert (finding.databases, finding.existing) == (2, 1)


def test_a_case_without_a_change_explains_nothing(tmp_path: Path) -> None:
    """A case in whose time the key stayed is not said to explain a change."""
    finding = judge(
        earlier(tmp_path, on_2026_06_01=organization_data()), support_cases=[a_support_case()]
    )
    assert finding.message == SAME


# --- keys that were not read ----------------------------------------------------------------------

UNREAD = [{"fact": "serverless-keys", "reason": "refused"}]


def test_a_change_before_an_unread_list_is_found(tmp_path: Path) -> None:
    """What changed between two records fails, also where the keys of now were not read."""
    history = earlier(tmp_path, on_2026_01_01=holding(8), on_2026_06_01=holding(9))
    organization = an_organization(keys=[], gaps=UNREAD)
    found = judged("CMEK-10", organization, context=Context(AS_OF, history=history))
    changed, unread = found[-2:]
    assert changed.cause == f"replaced:{aws_key_id(number=8)},2026-01-01T00:00:00Z"
    assert (
        changed.evidence
        == unread.evidence
        == tuple((str(tmp_path / f"on_2026_{month}_01.yaml"), 12) for month in ("01", "06"))
    )
    assert (unread.status, unread.cause) == ("inconclusive", "refused:serverless-keys")


def unread_now(tmp_path: Path, keys: list[Any], **records: dict[str, Any]) -> list[str]:
    """Return the causes about the scope where the list of keys may not be whole now."""
    cases = [a_support_case(on="2026-03-01")]
    organization = an_organization(keys=keys, gaps=UNREAD, support_cases=cases)
    context = Context(AS_OF, history=earlier(tmp_path, **records))
    found = judged("CMEK-10", organization, context=context)
    return [finding.cause for finding in found if finding.subject.kind == "key-scope"]


def test_a_list_that_may_not_be_whole_never_passes_without_the_key(tmp_path: Path) -> None:
    """What an unread list does not show is inconclusive; what it shows is judged."""
    refused = ["refused:serverless-keys"]
    gone = {"on_2026_01_01": holding(9), "on_2026_06_01": holding()}
    changed = {"on_2026_01_01": holding(9), "on_2026_06_01": holding(1)}
    other = [key_data(key_id=aws_key_id(number=2))]
    assert unread_now(tmp_path, [], **gone) == refused
    assert unread_now(tmp_path, other, **changed) == refused
    assert unread_now(tmp_path, [key_data()], **changed) == [""]
