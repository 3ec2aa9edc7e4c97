from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.context import Context
from inventory.history import History
from tests.builders import (
    AS_OF,
    a_database,
    a_key,
    a_planned_database,
    a_support_case,
    an_organization,
    aws_key_id,
    database_data,
    gcp_key_id,
    key_data,
    organization_data,
)
from tests.checks.judging import causes, earlier, judged, judged_once, of_unknown_type

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Finding

UNREAD = (
    "No key is recorded, and the list of serverless keys may be incomplete: "
    "not-recorded (the record has no such list)."
)


def attested(time: str, on: str = "2026-11-01") -> dict[str, str]:
    return {"at": time, "by": "acme-security", "on": on}


def deployed(time: str | None, **over: object) -> dict[str, Any]:
    region = {"name": "us-east-1"} | ({"added_at": time} if time else {})
    return database_data(regions=[region], **over)


def judge(time: str | None, history: History | None = None, **organization: object) -> Finding:
    whole = an_organization(databases=[deployed(time)], **organization)
    return judged_once("CMEK-05", whole, context=Context(AS_OF, history=history or History()))


def test_the_evidence_of_a_pass_is_every_record_that_bounds_it(tmp_path: Path) -> None:
    """A pass names database, key, last absence and first presence, each with file and line."""
    history = earlier(
        tmp_path,
        on_2026_01_01=organization_data(keys=[]),
        on_2026_03_01=organization_data(),
        on_2026_04_01=organization_data(),
    )
    finding = judge("2026-06-01T00:00:00Z", history)
    assert finding.status == "pass"
    assert finding.message == (
        "Key not yet registered at 2026-01-01T00:00:00Z, first seen 2026-03-01T00:00:00Z; "
        "database deployed 2026-06-01T00:00:00Z."
    )
    files = [file.rpartition("/")[2] for file, *_ in finding.evidence]
    assert files == ["", "", "on_2026_01_01.yaml", "on_2026_03_01.yaml"]


@pytest.mark.parametrize(
    ("time", "status", "message"),
    [
        (
            "2026-05-31T23:59:59Z",
            "fail",
            "Key registered 2026-06-01T00:00:00Z, attested by acme-security",
        ),
        (
            "2026-06-01T02:00:01+02:00",
            "pass",
            "Key registered 2026-06-01T00:00:00Z, attested by acme",
        ),
        ("2026-06-01T02:00:00+02:00", "inconclusive", "Key registered 2026-06-01T00:00:00Z"),
    ],
)
def test_times_are_compared_in_utc_to_the_second(time: str, status: str, message: str) -> None:
    """An attested registration is compared with the deployment whatever zones they are given in."""
    key = a_key(registered=attested("2026-06-01T00:00:00Z"))
    finding = judge(time, keys=[key])
    assert finding.status == status
    assert finding.message.startswith(message)


@pytest.mark.parametrize(
    ("time", "over", "reason"),
    [
        (None, {}, "time-not-recorded"),
        ("2026-07-01T00:00:00Z", {}, "registration-time-unknown"),
        ("2026-11-20T02:00:00Z", {}, "equal-times"),
        ("2026-11-20T02:00:01Z", {}, "impossible-time"),
        (
            "2026-07-01T00:00:00Z",
            {"keys": [key_data(), key_data(key_id=aws_key_id(number=2))]},
            "rival-keys",
        ),
        (
            "2026-07-01T00:00:00Z",
            {"keys": [key_data(registered=attested("2026-11-20T03:00:00Z", "2026-11-20"))]},
            "contradiction",
        ),
        ("2026-07-01T00:00:00Z", {"keys": None}, "not-recorded"),
    ],
)
def test_each_reason_for_not_knowing_has_a_code(
    time: str | None, over: dict[str, Any], reason: str
) -> None:
    """What keeps the order from being known is told by a code, and so is what would settle it."""
    database = deployed(time, created_at=None)
    finding = judged_once("CMEK-05", an_organization(**({"databases": [database]} | over)))
    assert (finding.status, finding.reason) == ("inconclusive", reason)
    assert finding.action


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        (
            [key_data(), key_data(key_id=aws_key_id(number=2))],
            (
                "Find out which key Astra uses for acme-prod / serverless / aws / us-east-1, and "
                "correct the record or ask IBM Support"
            ),
        ),
        (
            [key_data(registered=attested("2026-11-20T03:00:00Z", "2026-11-20"))],
            (
                "Correct the registration time of the key of acme-prod / serverless / aws / "
                "us-east-1, or the records"
            ),
        ),
        (
            [key_data()],
            (
                "Attest when the key of acme-prod / serverless / aws / us-east-1 was registered, "
                "or give dated earlier records"
            ),
        ),
    ],
    ids=["rivals", "contradiction", "unknown"],
)
def test_an_action_is_one_that_helps(keys: list[dict[str, Any]], action: str) -> None:
    """What cannot be judged for its keys is not settled by an attestation of one time."""
    database = deployed("2026-07-01T00:00:00Z", created_at=None)
    finding = judged_once("CMEK-05", an_organization(keys=keys, databases=[database]))
    assert (finding.status, finding.action) == ("inconclusive", action)


def test_the_creation_dates_a_single_region_only() -> None:
    """Without a time of its own a region was added when the database was made, if it is alone."""
    key = a_key(registered=attested("2026-01-01T00:00:00Z"))
    other = a_key(region="us-west-2", registered=attested("2026-01-01T00:00:00Z"))
    alone = a_database(regions=[{"name": "us-east-1"}])
    two = a_database(regions=[{"name": "us-east-1"}, {"name": "us-west-2"}])
    assert judged_once("CMEK-05", an_organization(keys=[key], databases=[alone])).status == "pass"
    both = judged("CMEK-05", an_organization(keys=[key, other], databases=[two]))
    assert [finding.reason for finding in both] == ["time-not-recorded", "time-not-recorded"]


def test_a_planned_region_dates_nothing_and_unsettles_nothing() -> None:
    """The creation dates the only region that exists, whatever regions are planned besides."""
    keys = [
        a_key(region=region, registered=attested("2026-01-01T00:00:00Z"))
        for region in ("us-east-1", "us-west-2")
    ]
    planned = {"name": "us-west-2", "state": "planned"}
    database = a_database(regions=[{"name": "us-east-1"}, planned])
    found = judged("CMEK-05", an_organization(keys=keys, databases=[database]))
    assert [(finding.subject.region, finding.status) for finding in found] == [
        ("us-east-1", "pass"),
        ("us-west-2", "pass"),
    ]
    assert found[0].message.endswith("database deployed 2026-06-01T00:00:00Z.")
    assert found[1].message == "The key is registered; the region is only planned."


def test_the_region_counts_more_than_the_database() -> None:
    """A region added later than the database was made is judged by its own time."""
    key = a_key(registered=attested("2026-05-01T00:00:00Z"))
    database = deployed("2026-06-01T00:00:00Z", created_at="2026-04-01T00:00:00Z")
    organization = an_organization(keys=[key], databases=[database])
    assert judged_once("CMEK-05", organization).status == "pass"


def test_each_region_of_a_database_is_judged_by_itself() -> None:
    """A database may be protected in one region and not in the next."""
    early = a_key(registered=attested("2026-05-01T00:00:00Z"))
    late = a_key(region="us-west-2", registered=attested("2026-07-01T00:00:00Z"))
    database = a_database(regions=["us-east-1", "us-west-2", "eu-west-1"])
    found = judged("CMEK-05", an_organization(keys=[early, late], databases=[database]))
    assert [(finding.subject.region, finding.status) for finding in found] == [
        ("us-east-1", "pass"),
        ("us-west-2", "fail"),
        ("eu-west-1", "fail"),
    ]
    assert {(finding.name, finding.databases, finding.existing) for finding in found} == {
        ("acme-orders", 1, 1)
    }


@pytest.mark.parametrize(
    ("keys", "status", "message"),
    [
        ([key_data()], "pass", "The key is registered; the database is only planned."),
        ([], "fail", "No key is registered, and the database is about to be deployed."),
        (
            None,
            "inconclusive",
            UNREAD,
        ),
    ],
)
def test_a_planned_database_needs_the_key_now(
    keys: list[Any] | None, status: str, message: str
) -> None:
    """What is only planned passes if its key is registered now, and is critical if it is not."""
    organization = an_organization(keys=keys, databases=[a_planned_database()])
    finding = judged_once("CMEK-05", organization)
    assert (finding.status, finding.severity) == (status, "critical")
    assert (finding.databases, finding.existing) == (1, 0)
    assert finding.message == message


def test_what_is_only_planned_has_a_cause_of_its_own() -> None:
    """A planned database without a key has another cause than the same database once it exists."""
    planned = an_organization(keys=[], databases=[a_planned_database()])
    assert causes("CMEK-05", planned) == ["planned-without-key"]
    assert causes("CMEK-05", an_organization(keys=[])) == ["without-key"]
    late = an_organization(keys=[key_data(registered=attested("2026-07-01T00:00:00Z"))])
    assert causes("CMEK-05", late) == ["older-than-key"]


def test_the_key_of_the_other_type_does_not_help() -> None:
    """A key registered in time, yet for the other type, protects nothing."""
    key = a_key(type="managed-clusters", registered=attested("2026-01-01T00:00:00Z"))
    finding = judge("2026-06-01T00:00:00Z", keys=[key])
    assert (finding.status, finding.severity) == ("fail", "high")
    assert finding.message == ("No key is registered: the database runs on Astra's keys.")


@pytest.mark.parametrize(("on", "status"), [("2026-11-21", "pass"), ("2026-11-22", "inconclusive")])
def test_an_attestation_counts_from_its_day_on(on: str, status: str) -> None:
    """A statement made after the day of the audit does not count yet; one of that day does."""
    key = a_key(registered=attested("2026-01-01T00:00:00Z", on))
    assert judge("2026-06-01T00:00:00Z", keys=[key]).status == status


def test_an_undated_record_bounds_nothing() -> None:
    """A key seen in a record without a time may have come at any time."""
    finding = judge("2026-06-01T00:00:00Z", captured_at=None)
    assert (finding.status, finding.reason) == ("inconclusive", "registration-time-unknown")
    assert finding.message.startswith("Key registered at an unknown time;")


def test_an_existing_database_of_the_future_is_impossible() -> None:
    """A deployment later than the audit is doubted, also where the record does not say its time."""
    key = a_key(registered=attested("2026-01-01T00:00:00Z"))
    finding = judge("2026-11-21T02:00:01Z", keys=[key], captured_at=None)
    assert (finding.status, finding.reason) == ("inconclusive", "impossible-time")
    assert finding.message == (
        "Deployed 2026-11-21T02:00:01Z, later than its own record of 2026-11-21T02:00:00Z."
    )
    assert judge("2026-11-21T02:00:00Z", keys=[key], captured_at=None).status == "pass"


def test_a_record_that_did_not_read_the_keys_is_silent(tmp_path: Path) -> None:
    """An earlier record whose keys were refused shows neither absence nor presence."""
    refused = organization_data(keys=[], gaps=[{"fact": "serverless-keys", "reason": "refused"}])
    history = earlier(tmp_path, on_2026_09_01=refused)
    finding = judge("2026-06-01T00:00:00Z", history)
    assert (finding.status, finding.reason) == ("inconclusive", "registration-time-unknown")


def test_an_attestation_that_a_record_contradicts_does_not_count(tmp_path: Path) -> None:
    """A key attested for a day on which a record shows none is inconclusive, not a pass."""
    history = earlier(tmp_path, on_2026_05_01=organization_data(keys=[]))
    key = a_key(registered=attested("2026-04-01T00:00:00Z"))
    finding = judge("2026-06-01T00:00:00Z", history, keys=[key])
    assert (finding.status, finding.reason) == ("inconclusive", "contradiction")
    assert "2026-04-01T00:00:00Z, attested by acme-security" in finding.message


# --- keys that were replaced ----------------------------------------------------------------------


def showing(*numbers: int) -> dict[str, Any]:
    """Record the keys of these numbers; the present one is number 1."""
    return organization_data(
        keys=[key_data(key_id=aws_key_id(number=number)) for number in numbers]
    )


def replaced(tmp_path: Path) -> History:
    """Record no key in March, another key in April and May, and the present one in July."""
    return earlier(
        tmp_path,
        on_2026_03_01=showing(),
        on_2026_04_01=showing(9),
        on_2026_05_01=showing(9),
        on_2026_07_01=showing(1),
    )


CASE = [a_support_case(on="2026-06-10")]
ELSEWHERE = [
    a_support_case(on="2026-06-10", **{field: other})
    for field, other in (("region", "b"), ("provider", "gcp"), ("type", "managed-clusters"))
]
UNKNOWN = "registration-time-unknown"


@pytest.mark.parametrize(
    ("time", "cases", "status", "reason"),
    [
        ("2026-02-15", CASE, "fail", ""),
        ("2026-02-15", [], "fail", ""),
        ("2026-03-15", CASE, "inconclusive", UNKNOWN),
        ("2026-04-01", CASE, "inconclusive", "equal-times"),
        ("2026-04-15", CASE, "pass", ""),
        ("2026-04-15", [], "inconclusive", "replaced-without-case"),
        ("2026-04-15", [a_support_case(on="2026-08-01")], "inconclusive", "replaced-without-case"),
        ("2026-04-15", [a_support_case(region="b")], "inconclusive", "replaced-without-case"),
        ("2026-04-15", [*ELSEWHERE], "inconclusive", "replaced-without-case"),
        ("2026-05-01", CASE, "pass", ""),
        ("2026-06-01", CASE, "inconclusive", UNKNOWN),
        ("2026-06-20", CASE, "inconclusive", UNKNOWN),
        ("2026-07-01", CASE, "inconclusive", "equal-times"),
        ("2026-08-01", CASE, "pass", ""),
        ("2026-08-01", [], "pass", ""),
    ],
)
def test_a_database_rests_on_the_key_of_its_time(
    tmp_path: Path, time: str, cases: list[Any], status: str, reason: str
) -> None:
    """The key that counts is the one that was registered when the database was deployed."""
    finding = judge(f"{time}T00:00:00Z", replaced(tmp_path), support_cases=cases)
    assert (finding.status, finding.reason) == (status, reason)
    assert bool(finding.action) == (status != "pass")


def test_a_pass_by_a_replaced_key_says_so(tmp_path: Path) -> None:
    """A database of the key before passes by the records of that key and by the support case."""
    finding = judge("2026-04-15T00:00:00Z", replaced(tmp_path), support_cases=CASE)
    assert finding.message == (
        "Key not yet registered at 2026-03-01T00:00:00Z, first seen 2026-04-01T00:00:00Z; "
        "database deployed "
        "2026-04-15T00:00:00Z. IBM Support replaced the key after that: TS000000001."
    )
    files = [file.rpartition("/")[2] for file, *_ in finding.evidence]
    days = ["05_01", "07_01", "03_01", "04_01"]
    assert files == ["", "", *(f"on_2026_{day}.yaml" for day in days)]


def test_the_evidence_names_the_records_of_the_key_that_counts(tmp_path: Path) -> None:
    """A support case is evidence for a database of the key before it, and for no later one."""
    case = a_support_case(on="2026-06-10").at("cases.yaml", 1)
    first = a_support_case(on="2026-05-10").at("cases.yaml", 2)
    history = earlier(
        tmp_path,
        on_2026_03_01=showing(8),
        on_2026_05_01=showing(8),
        on_2026_06_01=showing(9),
        on_2026_07_01=showing(1),
    )

    def files(time: str | None) -> list[str]:
        database = deployed(time, created_at=None)
        whole = an_organization(databases=[database], support_cases=[case, first])
        finding = judged_once("CMEK-05", whole, context=Context(AS_OF, history=history))
        return [file.rpartition("/")[2] for file, *_ in finding.evidence if file]

    now = ["on_2026_06_01.yaml", "on_2026_07_01.yaml"]
    before = [*now, "on_2026_05_01.yaml", "cases.yaml"]
    assert files(None) == files("2026-08-01T00:00:00Z") == now
    assert files("2026-06-01T00:00:00Z") == before
    assert files("2026-04-15T00:00:00Z") == [
        *before[:-1],
        "on_2026_03_01.yaml",
        "cases.yaml",
        "cases.yaml",
    ]


@pytest.mark.parametrize(
    ("time", "last", "action"),
    [
        (
            "2026-04-01T00:00:00Z",
            "2026-03-01T00:00:00Z",
            (
                "Give dated records of acme-prod / serverless / aws / us-east-1 from when its "
                "databases were deployed"
            ),
        ),
        (
            "2026-06-01T00:00:00Z",
            "2026-05-01T00:00:00Z",
            (
                "Attest when the key of acme-prod / serverless / aws / us-east-1 was registered, "
                "or give dated earlier records"
            ),
        ),
    ],
)
def test_the_note_names_the_key_before_the_one_that_counts(
    tmp_path: Path, time: str, last: str, action: str
) -> None:
    """Of several keys in a row, the one just before is named; only the last one is attested."""
    history = earlier(
        tmp_path, on_2026_03_01=showing(8), on_2026_05_01=showing(9), on_2026_07_01=showing(1)
    )
    finding = judge(time, history)
    assert (finding.status, finding.reason, finding.action) == ("inconclusive", UNKNOWN, action)
    assert finding.message.endswith(f" The key before it was last seen at {last}.")


def test_an_older_replacement_does_not_matter_to_a_later_database(tmp_path: Path) -> None:
    """A database needs the support cases of the replacements that came after it, and no others."""
    history = earlier(tmp_path, on_2026_03_01=showing(8), on_2026_05_01=showing(9))
    found = judge("2026-05-01T00:00:00Z", history, support_cases=CASE)
    assert (found.status, found.reason) == ("inconclusive", "equal-times")
    history = earlier(
        tmp_path, on_2026_03_01=showing(8), on_2026_05_01=showing(9), on_2026_05_03=showing(9)
    )
    found = judge("2026-05-02T00:00:00Z", history, support_cases=CASE)
    assert found.status == "pass"
    assert found.message.endswith(" IBM Support replaced the key after that: TS000000001.")


def test_a_replacement_without_a_case_asks_for_it(tmp_path: Path) -> None:
    """A database of a key that was replaced without a support case is inconclusive, and says so."""
    finding = judge("2026-04-15T00:00:00Z", replaced(tmp_path))
    assert finding.message == (
        "Key not yet registered at 2026-03-01T00:00:00Z, first seen 2026-04-01T00:00:00Z; "
        "database deployed "
        "2026-04-15T00:00:00Z. The key was replaced after that without a support case."
    )
    assert finding.action == (
        "Find the support case that changed the key of acme-prod / serverless / aws / us-east-1"
    )


@pytest.mark.parametrize(
    ("captured_at", "on", "reason"),
    [
        ("2026-11-20T02:00:00Z", "2026-11-20", ""),
        ("2026-11-20T02:00:00Z", "2026-11-21", "replaced-without-case"),
        (None, "2026-11-21", ""),
        (None, "2026-11-22", "replaced-without-case"),
    ],
)
def test_a_case_explains_a_key_that_was_seen_after_it(
    tmp_path: Path, captured_at: str | None, on: str, reason: str
) -> None:
    """A case later than the record explains nothing; one without a time is of the audit's day."""
    history = earlier(tmp_path, on_2026_03_01=showing(9), on_2026_05_01=showing(9))
    over = {"captured_at": captured_at, "support_cases": [a_support_case(on=on)]}
    finding = judge("2026-04-15T00:00:00Z", history, **over)
    assert (finding.status, finding.reason) == ("inconclusive" if reason else "pass", reason)


def test_the_time_between_two_keys_is_not_known(tmp_path: Path) -> None:
    """A database deployed while keys were replaced is inconclusive, and both bounds are named."""
    finding = judge("2026-06-20T00:00:00Z", replaced(tmp_path), support_cases=CASE)
    assert finding.message == (
        "Key registered 2026-06-10T00:00:00Z or later, first seen 2026-07-01T00:00:00Z; "
        "database deployed 2026-06-20T00:00:00Z. Which came first is unknown. "
        "The key before it was last seen at 2026-05-01T00:00:00Z."
    )
    assert finding.action == (
        "Attest when the key of acme-prod / serverless / aws / us-east-1 was registered, "
        "or give dated earlier records"
    )


@pytest.mark.parametrize(
    ("time", "at", "status", "reason"),
    [
        ("2026-06-20", "2026-06-10T12:00:00Z", "pass", ""),
        ("2026-06-20", "2026-06-10T00:00:00Z", "pass", ""),
        ("2026-06-20", "2026-06-09T23:59:59Z", "inconclusive", "contradiction"),
        ("2026-06-20", "2026-04-15T00:00:00Z", "inconclusive", "contradiction"),
        ("2026-06-20", "2026-07-02T00:00:00Z", "inconclusive", "contradiction"),
        ("2026-06-05", "2026-06-10T12:00:00Z", "inconclusive", UNKNOWN),
        ("2026-04-15", "2026-06-10T12:00:00Z", "pass", ""),
        ("2026-02-15", "2026-06-10T12:00:00Z", "fail", ""),
    ],
)
def test_an_attestation_speaks_of_the_key_that_is_registered_now(
    tmp_path: Path, time: str, at: str, status: str, reason: str
) -> None:
    """An attested time is that of the new key, after the day of the case and the old one's last."""
    key = a_key(registered=attested(at))
    over = {"keys": [key], "support_cases": CASE}
    finding = judge(f"{time}T00:00:00Z", replaced(tmp_path), **over)
    assert (finding.status, finding.reason) == (status, reason)


def test_what_resolves_a_gap_before_an_attested_time(tmp_path: Path) -> None:
    """Where the registration is attested already, only records of that time can resolve it."""
    key = a_key(registered=attested("2026-06-10T12:00:00Z"))
    finding = judge("2026-06-05T00:00:00Z", replaced(tmp_path), keys=[key], support_cases=CASE)
    assert finding.action == (
        "Give dated records of acme-prod / serverless / aws / us-east-1 from when its databases "
        "were deployed"
    )


@pytest.mark.parametrize(
    ("days", "status"),
    [
        (["2026-05-10", "2026-07-10"], "pass"),
        (["2026-07-10"], "inconclusive"),
        (["2026-05-10"], "inconclusive"),
    ],
)
def test_several_replacements_in_a_row(tmp_path: Path, days: list[str], status: str) -> None:
    """A database of the first key passes if each replacement since has its support case."""
    history = earlier(
        tmp_path, on_2026_04_01=showing(8), on_2026_05_01=showing(8), on_2026_06_01=showing(9)
    )
    cases = [a_support_case(on=day, ticket=f"TS-{day}") for day in days]
    finding = judge("2026-04-15T00:00:00Z", history, support_cases=cases)
    assert finding.status == status
    if status == "pass":
        assert finding.message.endswith("after that: TS-2026-07-10, TS-2026-05-10.")


def test_several_keys_claimed_at_once_before(tmp_path: Path) -> None:
    """Where an earlier record claims several keys, none of them dates a database of that time."""
    history = earlier(tmp_path, on_2026_04_01=showing(8), on_2026_05_01=showing(8, 9))
    finding = judge("2026-04-15T00:00:00Z", history, support_cases=CASE)
    assert (finding.status, finding.reason) == ("inconclusive", UNKNOWN)


def test_a_key_that_was_removed_was_not_replaced(tmp_path: Path) -> None:
    """A key after which a record shows none says nothing of the databases of its time."""
    history = earlier(
        tmp_path, on_2026_04_01=showing(9), on_2026_05_01=showing(9), on_2026_06_01=showing()
    )
    for key in (a_key(), a_key(registered=attested("2026-06-10T12:00:00Z"))):
        over = {"keys": [key], "support_cases": CASE}
        finding = judge("2026-04-15T00:00:00Z", history, **over)
        assert (finding.status, finding.reason) == ("inconclusive", UNKNOWN)
        assert finding.message.endswith("The scope had a key before that.")


def test_a_new_version_is_no_new_key(tmp_path: Path) -> None:
    """A record that shows the key by another version shows the key."""
    place = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
    before, now = (key_data(**place, key_id=gcp_key_id(version=each)) for each in (1, 2))
    history = earlier(tmp_path, on_2026_05_01=organization_data(keys=[before]))
    region = {"name": "us-east1", "added_at": "2026-06-01T00:00:00Z"}
    database = database_data(provider="gcp", regions=[region])
    organization = an_organization(keys=[now], databases=[database])
    context = Context(AS_OF, history=history)
    assert judged_once("CMEK-05", organization, context=context).status == "pass"


def in_versions(*registered: str | None) -> list[dict[str, Any]]:
    """Return one Google key in as many versions, each with its attested time of registration."""
    place = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
    return [
        key_data(**place, key_id=gcp_key_id(version=version))
        | ({"registered": attested(time)} if time else {})
        for version, time in enumerate(registered, 1)
    ]


EARLY, LATE = "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z"


@pytest.mark.parametrize(
    ("registered", "status", "reason"),
    [
        ((None, None), "inconclusive", UNKNOWN),
        ((EARLY, None), "pass", ""),
        ((EARLY, EARLY), "pass", ""),
        ((LATE, None), "fail", ""),
        ((EARLY, LATE), "inconclusive", "contradiction"),
    ],
)
def test_versions_of_one_key_are_no_rivals(
    registered: tuple[str | None, ...], status: str, reason: str
) -> None:
    """A key that is listed under two versions is one key, in whatever order they stand."""
    region = {"name": "us-east1", "added_at": "2026-06-01T00:00:00Z"}
    database = database_data(provider="gcp", regions=[region])
    for keys in (in_versions(*registered), in_versions(*registered)[::-1]):
        finding = judged_once("CMEK-05", an_organization(keys=keys, databases=[database]))
        assert (finding.status, finding.reason) == (status, reason)
    if reason == "contradiction":
        assert finding.message == (
            f"Several times of registration are attested for one key: {EARLY}, {LATE}."
        )


def test_one_time_that_two_people_attest_names_one_of_them() -> None:
    """The person that a finding names does not depend on the order of the key's versions."""
    keys = in_versions(EARLY, EARLY)
    keys[0]["registered"] |= {"by": "acme-zoe"}
    region = {"name": "us-east1", "added_at": "2026-06-01T00:00:00Z"}
    database = database_data(provider="gcp", regions=[region])
    for versions in (keys, keys[::-1]):
        finding = judged_once("CMEK-05", an_organization(keys=versions, databases=[database]))
        assert finding.message.startswith(f"Key registered {EARLY}, attested by acme-security;")
        assert finding.attested_by == ("acme-security", "acme-zoe")


@pytest.mark.parametrize(
    ("earliest", "attested_by"),
    [("on_2026_05_31", ()), ("on_2026_06_02", ("acme-security",))],
)
def test_a_record_that_shows_the_order_needs_nobodys_word(
    tmp_path: Path, earliest: str, attested_by: tuple[str, ...]
) -> None:
    """A pass rests on an attestation alone unless a record of before the database has the key."""
    history = earlier(tmp_path, **{earliest: organization_data()})
    key = a_key(registered=attested("2026-05-01T00:00:00Z"))
    finding = judge("2026-06-01T00:00:00Z", history, keys=[key])
    assert (finding.status, finding.attested_by) == ("pass", attested_by)


def test_what_resolves_an_order_that_is_not_known() -> None:
    """An equal or unknown time is resolved by an attestation; a later key by a new database."""
    key = a_key(registered=attested("2026-06-01T00:00:00Z"))
    attest = (
        "Attest when the key of acme-prod / serverless / aws / us-east-1 was registered, "
        "or give dated earlier records"
    )
    finding = judge("2026-06-01T00:00:00Z", keys=[key])
    assert (finding.reason, finding.action) == ("equal-times", attest)
    finding = judge("2026-06-01T00:00:00Z")
    assert (finding.reason, finding.action) == (UNKNOWN, attest)
    assert finding.message == (
        "Key first seen 2026-11-20T02:00:00Z; database deployed 2026-06-01T00:00:00Z. "
        "Which came first is unknown."
    )
    finding = judge("2026-05-01T00:00:00Z", keys=[key])
    assert (finding.status, finding.action) == (
        "fail",
        ("Recreate acme-orders, deployed before its key, and migrate its data"),
    )


def test_what_resolves_a_missing_time() -> None:
    """Of a region without a time, the time of its deployment is to be recorded."""
    finding = judged_once("CMEK-05", an_organization(databases=[deployed(None, created_at=None)]))
    assert (finding.reason, finding.action) == (
        "time-not-recorded",
        "Record when the databases of acme-prod / serverless / aws / us-east-1 were deployed",
    )
    finding = judge("2026-11-20T02:00:01Z")
    assert (finding.reason, finding.action) == (
        "impossible-time",
        "Correct the times of the databases of acme-prod / serverless / aws / us-east-1",
    )


# --- what is to be done ---------------------------------------------------------------------------


def test_databases_of_one_scope_share_what_would_settle_them() -> None:
    """One attestation settles all databases of a scope, so it is one action."""
    databases = [
        deployed("2026-06-01T00:00:00Z", id="a"),
        deployed("2026-07-01T00:00:00Z", id="b"),
    ]
    found = judged("CMEK-05", an_organization(databases=databases))
    (action,) = {finding.action for finding in found}
    assert action == (
        "Attest when the key of acme-prod / serverless / aws / us-east-1 was registered, "
        "or give dated earlier records"
    )


def test_a_missing_key_is_registered_first_or_the_database_recreated() -> None:
    """What is only planned needs its key first; what exists has to be recreated with one."""
    planned = an_organization(keys=[], databases=[a_planned_database()])
    assert judged_once("CMEK-05", planned).action == (
        "Register a key for acme-prod / serverless / aws / us-east-1"
    )
    assert judged_once("CMEK-05", an_organization(keys=[])).action == (
        "Recreate acme-orders once a key for acme-prod / serverless / aws / us-east-1 is "
        "registered, and migrate its data"
    )


def test_where_no_key_can_be_or_the_type_is_unknown_no_order_is_asked_for() -> None:
    """Managed Clusters on Azure are left to their rule; an unknown type is inconclusive."""
    place = {"type": "managed-clusters", "provider": "azure", "regions": ["westeurope"]}
    for database in (a_database(**place), a_planned_database(**place)):
        finding = judged_once("CMEK-05", an_organization(keys=[], databases=[database]))
        assert (finding.status, finding.reason) == ("not-applicable", "unsupported-combination")
    finding = judged_once("CMEK-05", an_organization(databases=[of_unknown_type()]))
    assert (finding.status, finding.reason) == ("inconclusive", "unknown-type")
