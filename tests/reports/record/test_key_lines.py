"""The registered keys in ``population.ndjson``, and what dates their registration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.engine.context import Context
from inventory.model.key_ids import canonical
from reports.record.key_lines import registered_keys
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    a_key,
    a_support_case,
    an_organization,
    aws_key_id,
)
from tests.checks.judging import earlier

if TYPE_CHECKING:
    from pathlib import Path

    from inventory.history import History

TIMES = (
    "registered",
    "attested_by",
    "attested_on",
    "first_seen",
    "not_before",
    "since",
    "seen_again",
    "contradiction",
    "replaced",
    "expiries",
)


def _dated(history: History | None = None, **organization: object) -> list[dict[str, Any]]:
    """Return what the lines of an organization's keys show of times."""
    context = Context(AS_OF, history=history) if history else Context(AS_OF)
    lines: Any = registered_keys(an_organization(**organization), context)
    return [{name: line[name] for name in TIMES if name in line} for line in lines]


def _record(*numbers: int) -> dict[str, Any]:
    """Return an earlier record that shows these keys in the scope of ``a_key``."""
    scope = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    keys = [scope | {"key_id": aws_key_id(number=number)} for number in numbers]
    return {"id": ORGANIZATION, "name": "acme-prod", "keys": keys, "databases": []}


def test_a_key_of_one_record_was_registered_by_then() -> None:
    """Without earlier records the present one shows the key first; without a time nothing does."""
    assert (_dated(keys=[a_key()]), _dated(keys=[a_key()], captured_at=None)) == (
        [{"first_seen": "2026-11-20T02:00:00Z"}],
        [{}],
    )


def test_a_key_is_dated_by_who_attests_it() -> None:
    """An attested time has its witness and the day; a contradicted one says why it is not one."""
    registered = {"at": "2026-11-20T03:00:00Z", "by": "it", "on": "2026-11-20"}
    assert _dated(keys=[a_key(registered=registered)]) == [
        {
            "registered": "2026-11-20T03:00:00Z",
            "attested_by": "it",
            "attested_on": "2026-11-20",
            "first_seen": "2026-11-20T02:00:00Z",
            "contradiction": "The registration at 2026-11-20T03:00:00Z, attested by it, "
            "contradicts the dated records.",
        }
    ]


def test_an_attested_time_that_does_not_count_says_why() -> None:
    """One that is dated after the audit does not count, nor does that of one of several keys."""
    late = a_key(registered={"at": "2026-05-01T00:00:00Z", "by": "it", "on": "2027-01-01"})
    rival = a_key(key_id=aws_key_id(number=2))
    why = [
        line.get("contradiction") for keys in ([late], [late, rival]) for line in _dated(keys=keys)
    ]
    assert why == [
        "The attestation is dated after the audit.",
        "Several keys are claimed for the key scope.",
        None,
    ]


def test_earlier_records_bound_the_registration(tmp_path: Path) -> None:
    """The last record without the key and the first one with it are named."""
    history = earlier(tmp_path, on_2026_08_01=_record(), on_2026_09_01=_record(1))
    assert _dated(history, keys=[a_key()]) == [
        {"first_seen": "2026-09-01T00:00:00Z", "not_before": "2026-08-01T00:00:00Z"}
    ]


def test_a_key_that_came_back_is_not_dated_by_its_first_record(tmp_path: Path) -> None:
    """A key that was seen, was absent, and is there again has both times."""
    history = earlier(tmp_path, on_2026_08_01=_record(1), on_2026_09_01=_record())
    assert _dated(history, keys=[a_key()]) == [
        {
            "first_seen": "2026-08-01T00:00:00Z",
            "not_before": "2026-09-01T00:00:00Z",
            "seen_again": "2026-11-20T02:00:00Z",
        }
    ]


def test_a_key_names_those_that_it_replaced(tmp_path: Path) -> None:
    """Each earlier key of the scope is listed, with its records and its support cases."""
    history = earlier(
        tmp_path,
        on_2026_06_01=_record(2, 3),
        on_2026_07_01=_record(2),
        on_2026_07_15=_record(2),
    )
    case = a_support_case(on="2026-08-01", ticket="TS1")
    assert _dated(history, keys=[a_key()], support_cases=[case]) == [
        {
            "first_seen": "2026-11-20T02:00:00Z",
            "not_before": "2026-07-15T00:00:00Z",
            "since": "2026-08-01T00:00:00Z",
            "replaced": [
                {
                    "cases": ["TS1"],
                    "key_id": canonical(aws_key_id(number=2)),
                    "first_seen": "2026-06-01T00:00:00Z",
                    "last_seen": "2026-07-15T00:00:00Z",
                }
            ],
        }
    ]


def test_several_keys_at_once_have_no_name(tmp_path: Path) -> None:
    """A key that replaced several claimed ones names none of them, and no case."""
    history = earlier(tmp_path, on_2026_06_01=_record(2, 3))
    [line] = _dated(history, keys=[a_key()])
    assert line["replaced"] == [{"cases": [], "last_seen": "2026-06-01T00:00:00Z"}]


def test_rivals_are_not_dated_beyond_their_records(tmp_path: Path) -> None:
    """Of several keys of one scope only the first record of each is known."""
    history = earlier(tmp_path, on_2026_06_01=_record(2))
    rival = a_key(key_id=aws_key_id(number=2))
    assert _dated(history, keys=[a_key(), rival]) == [
        {"first_seen": "2026-11-20T02:00:00Z"},
        {"first_seen": "2026-06-01T00:00:00Z"},
    ]


def test_attestations_have_their_last_day() -> None:
    """What is attested of a key is listed with the day until which it counts."""
    said = {"by": "it", "on": "2026-10-01"}
    key = a_key(
        rotation={"automatic": True, **said},
        usable={"usable": True, "due": "2026-12-31", **said},
        portal={"status": "in-use", "due": "2026-11-30", **said},
    )
    [line] = _dated(keys=[key])
    assert line["expiries"] == [
        {"what": "its rotation", "due": "2027-10-01"},
        {"what": "that it is usable", "due": "2026-12-31"},
        {"what": "what the portal showed of it", "due": "2026-11-30"},
    ]
