"""The layout of a timeline: which lanes are shown, and what each shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.timeline.deployments import DeploymentGroup, Order, deployment, rank_of
from reports.page.timeline.lanes import Lane, LaneScope
from reports.page.timeline.layout import (
    ROOM,
    DatabaseMark,
    DatabaseRow,
    FoldedLanes,
    LaneNote,
    LaneView,
    lay_out_timeline,
    place_marks,
    scale_of,
)
from reports.page.timeline.reader import SMALL, CountedOrganization, KeptLane, ReadLanes
from reports.page.timeline.time_scale import TimeScale
from reports.presentation.labels import ORDER
from tests.builders import aws_key_id, moment

AS_OF = "2026-11-20T02:00:00Z"
SCALE = TimeScale(moment("2026-01-01T00:00:00Z"), moment("2026-04-11T00:00:00Z"))
"""One percent of it is a day."""

times = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds the zone)
groups = st.builds(
    lambda code, first, hours, count: DeploymentGroup(
        code, first, first + timedelta(hours=hours), count
    ),
    st.sampled_from(list(ORDER)),
    times,
    st.integers(0, 100),
    st.integers(1, 9),
)


def _at(day: float) -> datetime:
    return SCALE.start + timedelta(days=day)


def _group(code: str, first: float, last: float | None = None, count: int = 1) -> DeploymentGroup:
    return DeploymentGroup(code, _at(first), _at(first if last is None else last), count)


# --- marks ----------------------------------------------------------------------------------------


@given(st.lists(groups, max_size=30))
def test_marks_have_their_room_and_lose_nothing(found: list[DeploymentGroup]) -> None:
    """Whatever the times: marks are on the line, apart, as bad as their worst, and complete."""
    marks = place_marks(found, SCALE)
    assert sum(mark.number for mark in marks) == sum(group.number for group in found)
    assert all(0 <= mark.x <= mark.x + mark.width <= 100.01 for mark in marks)
    assert all(after.x - before.x >= ROOM - 0.01 for before, after in pairwise(marks))
    shown = [mark.label for mark in marks]
    worst = min((group.code for group in found), key=rank_of, default="")
    assert not worst or ORDER[worst] in shown


def test_databases_of_about_the_same_time_are_one_mark() -> None:
    """Close databases share a mark at the first of them, which counts each order."""
    found = [_group("after", 10, count=2), _group("older-than-key", 12), _group("after", 40)]
    assert place_marks(found, SCALE) == [
        DatabaseMark(
            10,
            2,
            ORDER["older-than-key"],
            3,
            "3 databases, deployed 2026-01-11 00:00:00 to 2026-01-13 00:00:00: 1 before its key, "
            "2 after its key",
        ),
        DatabaseMark(
            40, 0, ORDER["after"], 1, "1 database, deployed 2026-02-10 00:00:00: after its key"
        ),
    ]


def test_no_database_has_no_mark() -> None:
    """A key scope without databases has an empty line."""
    assert place_marks([], SCALE) == []


# --- one lane -------------------------------------------------------------------------------------


def a_key_line(**over: object) -> Any:  # noqa: ANN401 (a line of the record)
    """Return the line of a registered key that a record of the audit's time shows."""
    line = {"kind": "key", "state": "registered", "key_id": aws_key_id(), "first_seen": AS_OF}
    return line | over


def a_lane(*databases: tuple[str, str | None, bool], keys: int = 1) -> Lane:
    """Return a lane with databases of these orders, times, and whether they are planned."""
    lane = Lane(LaneScope("serverless", "aws", "us-east-2"))
    for number in range(1, keys + 1):
        lane.add_key(a_key_line(key_id=aws_key_id(number=number)))
    for number, (code, at, is_planned) in enumerate(databases, 1):
        order = Order(code, f"f{number}")
        time = moment(at) if at else None
        lane.databases.add(deployment(f"d{number}", time, order, is_planned=is_planned))
    return lane


def a_reading(*lanes: Lane, is_listed: bool = True) -> ReadLanes:
    """Return what is read of one organization with ``lanes``."""
    kept = [
        KeptLane((lane.rank, number), 0, None, is_listed, lane) for number, lane in enumerate(lanes)
    ]
    doubtful = sum(lane.is_doubtful for lane in lanes)
    counted = CountedOrganization("acme", "acme", len(lanes), doubtful, is_incomplete=False)
    return ReadLanes(sorted(kept, key=lambda lane: lane.rank), [counted], 0)


def view(lane: Lane, *, is_listed: bool = True) -> LaneView:
    """Lay out one lane."""
    [organization] = lay_out_timeline(
        a_reading(lane, is_listed=is_listed), AS_OF, 100
    ).organizations
    [shown] = organization.lanes
    return shown


def test_a_lane_shows_the_worst_of_its_databases() -> None:
    """The label of a lane is that of its worst database, and links to the finding about it."""
    lane = view(
        a_lane(
            ("after", "2026-05-01T00:00:00Z", False),
            ("older-than-key", "2026-06-01T00:00:00Z", False),
            ("unknown", None, False),
        )
    )
    assert (lane.type, lane.provider, lane.region) == ("Serverless", "AWS", "us-east-2")
    assert (lane.label, lane.words, lane.finding) == (
        ORDER["older-than-key"],
        "before its key",
        "f2",
    )
    assert lane.summary == (
        "Key: first seen 2026-11-20 02:00:00. 1 database before its key, 1 database order not "
        "known, 1 database after its key."
    )


def test_what_has_no_place_on_the_line_is_beside_it() -> None:
    """Planned databases, and those of an unknown time, are named by their order."""
    lane = view(
        a_lane(
            ("without-key", None, True),
            ("after", None, True),
            *(("unknown", None, False) for _ in range(5)),
        )
    )
    assert (lane.planned, lane.undated, lane.marks) == (
        [
            LaneNote(ORDER["without-key"], "planned without a key", 1, ["d1"]),
            LaneNote(ORDER["after"], "planned, its key is registered", 1, ["d2"]),
        ],
        [LaneNote(ORDER["unknown"], "order not known", 5, ["d3", "d4", "d5"])],
        [],
    )


def test_the_table_says_the_same() -> None:
    """Each database is a row with its time and its order in words; what is beyond is counted."""
    dated = [("after", f"2026-05-01T00:00:{second:02}Z", False) for second in range(20)]
    lane = view(a_lane(*dated, ("failing", None, True), ("waived", None, False)))
    assert (lane.rows[:3], len(lane.rows), lane.more) == (
        [
            DatabaseRow("d21", "planned", ORDER["failing"], "planned, fails", "f21"),
            DatabaseRow("d22", "time not known", ORDER["waived"], "failure waived", "f22"),
            DatabaseRow("d1", "2026-05-01 00:00:00", ORDER["after"], "after its key", "f1"),
        ],
        20,
        2,
    )


@pytest.mark.parametrize(
    ("lane", "label", "words", "key_words"),
    [
        (a_lane(), "not-applicable", "no database", ""),
        (
            a_lane(keys=5),
            "unknown",
            "key in doubt",
            "5 keys are registered: which of them encrypts is not known",
        ),
        (a_lane(("after", None, True), keys=2), "unknown", "key in doubt", None),
        (a_lane(("without-key", None, True), keys=0), "without-key", "planned without a key", None),
        (
            a_lane(*[("without-key", None, False)] * 2, keys=0),
            "without-key",
            "without a key (2)",
            "no key is recorded",
        ),
    ],
)
def test_a_lane_says_which_keys_it_has(
    lane: Lane, label: str, words: str, key_words: str | None
) -> None:
    """A lane without exactly one key says so, and a doubt about a key is not shown as fine."""
    shown = view(lane)
    assert (shown.label, shown.words) == (ORDER[label], words)
    assert key_words in {None, shown.key_words}


def test_a_doubt_about_a_key_leads_to_no_finding_that_passes() -> None:
    """The words about a key in doubt are no link to the finding about a database."""
    lane = view(a_lane(("after", AS_OF, False), keys=2))
    assert (lane.words, lane.finding) == ("key in doubt", "")


def test_keys_that_are_not_listed_are_not_missing() -> None:
    """Without a population it is not claimed that there is no key."""
    lane = view(a_lane(("after", None, False), keys=0), is_listed=False)
    assert lane.key_words == "the population does not list its keys"


def test_a_lane_without_a_key_scope_is_shown() -> None:
    """What a plan would deploy somewhere unknown is shown without type, provider and region."""
    lane = Lane(LaneScope())
    lane.databases.add(deployment("d", None, Order("unknown"), is_planned=True))
    shown = view(lane)
    assert (shown.type, shown.provider, shown.words) == ("", "", "planned, key not known")


def test_a_lane_shows_the_lives_of_its_keys_and_looks_at_its_databases() -> None:
    """What the cloud and the portal show takes rows of its own, and is part of the words."""
    cloud = {"observed_at": AS_OF, "created_at": "2026-11-10T00:00:00Z", "last_used_at": AS_OF}
    lane = a_lane(("after", "2026-11-12T00:00:00Z", False), keys=0)
    lane.add_key(a_key_line(cloud=cloud))
    lane.add_look({"key": "customer", "by": "it", "on": "2026-11-19", "due": "2027-11-19"})
    shown = view(lane)
    assert (shown.height, shown.kinds) == (3, {"created", "used", "looked"})
    assert shown.summary.endswith(
        "created 2026-11-10 00:00:00; last used 2026-11-20 02:00:00. 1 database after its key. "
        "The portal shows a customer key for 1 database, looked at on 2026-11-19."
    )
    timeline = lay_out_timeline(a_reading(lane), AS_OF, 100)
    assert list(timeline.kinds) == ["created", "used", "looked"]
    assert (view(a_lane()).height, view(a_lane(keys=0)).height) == (1, 1)


# --- the scale ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "start"),
    [
        ("2026-11-01T02:00:00Z", "2026-11-09T18:00:00Z"),
        ("2026-11-15T02:00:00Z", "2026-11-14T23:00:00Z"),
        ("2026-11-20T03:00:00Z", "2026-11-14T23:00:00Z"),
    ],
)
def test_an_old_key_does_not_squeeze_the_databases(created: str, start: str) -> None:
    """The line is at most twice as long as the order of keys and databases needs it."""
    lane = a_lane(("after", "2026-11-15T02:00:00Z", False), keys=0)
    lane.add_key(a_key_line(cloud={"observed_at": AS_OF, "created_at": created}))
    scale = scale_of(a_reading(lane), AS_OF, 100)
    assert scale.end == moment(AS_OF)
    assert abs(scale.start - moment(start)) < timedelta(hours=6)


def test_a_key_alone_makes_the_scale() -> None:
    """Where nothing is known of any order, the life of a key is the whole line."""
    lane = a_lane(keys=0)
    cloud = {"observed_at": AS_OF, "created_at": "2026-11-10T02:00:00Z"}
    lane.add_key(a_key_line(state="planned", change="register", cloud=cloud))
    scale = scale_of(a_reading(lane), AS_OF, 100)
    assert scale.x(moment("2026-11-10T02:00:00Z")) < 5


# --- which lanes are shown ------------------------------------------------------------------------


def test_a_few_lanes_are_all_shown() -> None:
    """Up to a number of lanes, those without a doubt are shown, too, the worst first."""
    lanes = [a_lane(("after", AS_OF, False)) for _ in range(SMALL - 1)]
    shown = lay_out_timeline(a_reading(*lanes, a_lane(("failing", AS_OF, False))), AS_OF, 100)
    [organization] = shown.organizations
    assert (len(organization.lanes), organization.lanes[0].words, shown.folded) == (
        SMALL,
        "fails",
        [],
    )


@pytest.mark.parametrize(
    ("limit", "shown", "folded"), [(100, 3, (40, 0)), (2, 2, (40, 1)), (0, 0, (40, 3))]
)
def test_of_many_lanes_those_with_a_doubt_are_shown(
    limit: int, shown: int, folded: tuple[int, int]
) -> None:
    """Beyond that number, lanes without a doubt are counted, as are those beyond the limit."""
    fine = [a_lane(("after", AS_OF, False)) for _ in range(40)]
    doubtful = [a_lane((code, AS_OF, False)) for code in ("waived", "unknown", "failing")]
    timeline = lay_out_timeline(a_reading(*fine, *doubtful), AS_OF, limit)
    lanes = [lane for organization in timeline.organizations for lane in organization.lanes]
    assert (len(lanes), timeline.folded) == (shown, [FoldedLanes("acme", "acme", *folded)])
    assert (timeline.folded_lanes, timeline.folded_doubtful) == (sum(folded), folded[1])


def test_organizations_are_sorted_by_their_worst_lanes() -> None:
    """The organization with the worst lane comes first, with all of its lanes together."""
    codes = [(0, "after"), (1, "unknown"), (0, "failing"), (1, "after")]
    kept = [
        KeptLane((rank_of(code), number), organization, None, True, a_lane((code, AS_OF, False)))
        for number, (organization, code) in enumerate(codes)
    ]
    counted = [CountedOrganization(name, name, 2, 1, is_incomplete=name == "b") for name in "ab"]
    read = ReadLanes(sorted(kept, key=lambda lane: lane.rank), counted, 3)
    timeline = lay_out_timeline(read, AS_OF, 100)
    assert [
        (organization.name, [lane.words for lane in organization.lanes])
        for organization in timeline.organizations
    ] == [("a", ["fails", "after its key"]), ("b", ["order not known", "after its key"])]
    assert (timeline.incomplete, timeline.terminated) == (["b"], 3)
