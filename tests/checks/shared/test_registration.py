from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from checks.shared.registration import Claim, Registration, bound, compare, locate, trace
from inventory.history import Observation
from tests.builders import a_support_case, aws_key_id, moment
from tests.hypothesis_profile import examples

HOURS = 12
START = moment("2026-06-01T00:00:00Z")


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def absent(hour: float, line: int = 1) -> Observation:
    return Observation(at(hour), (), "earlier.yaml", line)


def present(hour: float, line: int = 1) -> Observation:
    return Observation(at(hour), (aws_key_id(),), "earlier.yaml", line)


def possible(seen: list[Observation], now: int | None, exact: int | None) -> list[float]:
    """Try every half hour at which the key may have been registered, by the words of the design.

    An absence puts the registration after it; a presence that no absence follows puts it no later;
    an attested time is the registration. Times before and after all that was seen stand for all
    that lies there.
    """
    last = max((observation.at for observation in seen if not observation.key_ids), default=None)
    found = []
    for half in range(-1, 2 * HOURS + 2):
        registered = at(half / 2)
        if exact is not None and registered != at(exact):
            continue
        if now is not None and registered > at(now):
            continue
        if last is not None and registered <= last:
            continue
        seen_later = [
            observation.at
            for observation in seen
            if observation.key_ids and (last is None or observation.at > last)
        ]
        if any(registered > time for time in seen_later):
            continue
        found.append(half / 2)
    return found


hours = st.integers(0, HOURS)
records = st.lists(
    st.builds(lambda hour, there: present(hour) if there else absent(hour), hours, st.booleans()),
    max_size=5,
    unique_by=lambda each: each.at,
).map(sorted)


@st.composite
def histories(
    draw: st.DrawFn, *, attested: bool
) -> tuple[list[Observation], int | None, int | None]:
    """Draw earlier records, the time of the present one, and perhaps an attested time."""
    seen = draw(records)
    now = draw(st.none() | st.just(HOURS))
    return seen, now, draw(hours) if attested else None


@examples(300)
@given(histories(attested=False), hours)
def test_the_answer_is_before_exactly_if_every_possible_moment_is(
    facts: tuple[list[Observation], int | None, int | None], deployed: int
) -> None:
    """A key came before the database if and only if each moment at which it may have come did."""
    order = compare(bound(facts[0], at(facts[1]) if facts[1] else None, None), at(deployed))
    moments = possible(*facts)
    assume(moments)
    assert (order == "before") == all(moment < deployed for moment in moments)


@examples(300)
@given(histories(attested=False), hours)
def test_the_answer_is_after_only_if_every_possible_moment_is(
    facts: tuple[list[Observation], int | None, int | None], deployed: int
) -> None:
    """A key that may have come before the database, or with it, is never said to come after."""
    registration = bound(facts[0], at(facts[1]) if facts[1] else None, None)
    moments = possible(*facts)
    if compare(registration, at(deployed)) == "after":
        assert all(moment > deployed for moment in moments)
        assert not registration.returned
    elif moments and all(moment > deployed for moment in moments) and not registration.returned:
        assert registration.after == at(deployed)


@examples(300)
@given(histories(attested=True), hours)
def test_an_attested_moment_decides_unless_records_contradict_it(
    facts: tuple[list[Observation], int | None, int | None], deployed: int
) -> None:
    """An attested time that the records allow is the registration; any other contradicts them."""
    seen, now, exact = facts
    assert exact is not None
    registration = bound(seen, at(now) if now else None, at(exact))
    assert registration.is_contradictory == (not possible(*facts))
    expected = "equal" if exact == deployed else "before" if exact < deployed else "after"
    assert compare(registration, at(deployed)) == expected


@examples(200)
@given(records, hours, hours)
def test_more_records_never_turn_before_into_after(
    seen: list[Observation], hour: int, deployed: int
) -> None:
    """One more record of the key's presence narrows the interval and contradicts no answer."""
    assume(all(observation.at != at(hour) for observation in seen))
    known = compare(bound(seen, at(HOURS), None), at(deployed))
    more = compare(bound(sorted([*seen, present(hour)]), at(HOURS), None), at(deployed))
    assert (known, more) not in {("before", "after"), ("after", "before")}


@pytest.mark.parametrize(
    ("after", "by", "deployed", "order"),
    [
        (None, None, 5, "undecided"),
        (None, 4, 5, "before"),
        (None, 5, 5, "equal"),
        (None, 6, 5, "undecided"),
        (4, None, 5, "undecided"),
        (5, None, 5, "equal"),
        (6, None, 5, "after"),
        (2, 4, 5, "before"),
        (2, 5, 5, "equal"),
        (2, 8, 5, "undecided"),
        (5, 8, 5, "equal"),
        (6, 8, 5, "after"),
    ],
)
def test_each_place_of_the_deployment_has_its_answer(
    after: int | None, by: int | None, deployed: int, order: str
) -> None:
    """The deployment lies before, at, inside or after the interval; at its ends is no answer."""
    registration = Registration(
        None if after is None else at(after), None if by is None else at(by)
    )
    assert compare(registration, at(deployed)) == order


@pytest.mark.parametrize(
    ("known", "order"),
    [
        ({"created": 6}, "after"),
        ({"created": 5}, "equal"),
        ({"created": 4}, "undecided"),
        ({"created": 6, "may_replace": True}, "undecided"),
        ({"created": 6, "returned": True}, "undecided"),
        ({"created": 5, "after": 6}, "after"),
        ({"created": 6, "by": 8}, "after"),
        ({"used": 4}, "undecided"),
        ({"used": 5}, "undecided"),
        ({"used": 6}, "undecided"),
        ({"used": 4, "by": 8}, "undecided"),
        ({"used": 8, "by": 4}, "before"),
        ({"used": 4, "created": 2, "after": 1}, "undecided"),
        ({"exact": 4, "created": 6}, "before"),
        ({"exact": 6, "used": 4}, "after"),
    ],
)
def test_what_the_cloud_shows_narrows_the_interval(known: dict[str, Any], order: str) -> None:
    """A key comes after its creation; a use by the vendor may be that of another organization.

    A key that may have replaced another one does not show that there was none before.
    """
    names = ("after", "by", "exact", "created", "used")
    times: dict[str, Any] = {name: at(known[name]) if name in known else None for name in names}
    flags = {name: known[name] for name in ("may_replace", "returned") if name in known}
    assert compare(Registration(**times, **flags), at(5)) == order


def test_a_key_that_came_back_is_not_known_to_be_younger() -> None:
    """A scope that had a key before its last absence may have encrypted an older database."""
    registration = bound([present(1), absent(4)], at(HOURS), None)
    assert registration.returned
    assert compare(registration, at(3)) == "undecided"
    assert compare(bound([absent(4)], at(HOURS), None), at(3)) == "after"


def test_a_key_that_came_back_can_still_come_before() -> None:
    """A database deployed after the key was seen again is known to be younger than it."""
    registration = bound([present(1), absent(4), present(6)], at(HOURS), None)
    assert registration.returned
    assert compare(registration, at(7)) == "before"


def test_a_first_presence_after_the_absence_is_no_return() -> None:
    """A key that was seen only after its absence had not been there before."""
    assert not bound([absent(1), present(4)], at(HOURS), None).returned
    assert not bound([present(4)], at(HOURS), None).returned
    assert not bound([], at(HOURS), None).returned


def test_records_of_one_time_that_disagree_prove_no_presence() -> None:
    """Of two records of the same time, the one without the key keeps the other from counting."""
    registration = bound([absent(3), present(3)], at(HOURS), None)
    assert registration[:2] == (at(3), at(HOURS))
    assert registration.returned
    assert compare(registration, at(5)) == "undecided"


def test_the_interval_is_as_narrow_as_the_records_allow() -> None:
    """The last absence and the first presence after it bound the registration, and are named."""
    seen = [present(1, 11), absent(2, 12), absent(3, 13), present(5, 15), present(7, 17)]
    assert bound(seen, at(HOURS), None) == Registration(
        at(3), at(5), None, returned=True, evidence=(("earlier.yaml", 13), ("earlier.yaml", 15))
    )


def test_without_earlier_records_only_the_present_bounds() -> None:
    """A key that only the present record shows was registered by then."""
    assert bound([], at(HOURS), None) == Registration(None, at(HOURS))
    assert bound([], None, None) == Registration(None, None)


@pytest.mark.parametrize(
    ("after", "by", "exact", "contradictory"),
    [
        (None, None, 5, False),
        (4, 6, 5, False),
        (5, 6, 5, True),
        (6, 8, 5, True),
        (4, 5, 5, False),
        (2, 4, 5, True),
        (4, 6, None, False),
        (6, 4, None, False),
    ],
)
def test_an_attestation_contradicts_what_lies_outside_the_interval(
    after: int | None, by: int | None, exact: int | None, *, contradictory: bool
) -> None:
    """A key attested for a time at which it was absent, or after it was seen, contradicts."""
    moments = [None if hour is None else at(hour) for hour in (after, by, exact)]
    registration = Registration(moments[0], moments[1], moments[2])
    assert registration.is_contradictory is contradictory


# --- one key after another ------------------------------------------------------------------------

IDS = [aws_key_id(number=number) for number in range(1, 4)]
claims = st.lists(st.sampled_from(IDS), max_size=2, unique=True).map(sorted).map(tuple)
records_of_keys = st.lists(
    st.builds(lambda hour, keys: Observation(at(hour), keys, "earlier.yaml", 1), hours, claims),
    max_size=6,
    unique_by=lambda each: each.at,
).map(sorted)


@examples(500)
@given(records_of_keys, st.none() | hours, st.none() | st.just(HOURS), st.integers(0, HOURS * 2))
def test_each_order_rests_on_dated_evidence_of_the_key(
    seen: list[Observation], exact: int | None, now: int | None, half: int
) -> None:
    """Before is said of a key that was seen before and after, after only if none was seen."""
    deployed = at(half / 2)
    claim = Claim(
        key=IDS[0],
        present_at=None if now is None else at(now),
        by=at(HOURS),
        exact=None if exact is None else at(exact),
    )
    periods = trace(claim, seen, [])
    assume(not periods[0].registration.is_contradictory)
    order, index = locate(periods, deployed)
    earlier_ids = [observation.key_ids for observation in seen if observation.at < deployed]
    assert not (
        order == "after"
        and any(observation.key_ids for observation in seen if observation.at <= deployed)
    )
    if order == "before" and index:
        until = periods[index].until
        assert until is not None
        [key] = next(observation.key_ids for observation in seen if observation.at == until)
        by = periods[index].registration.by
        assert by is not None
        assert by < deployed <= until
        assert all(
            key in observation.key_ids for observation in seen if by <= observation.at <= until
        )
    elif order == "before":
        attested = exact is not None and at(exact) < deployed
        there = any(IDS[0] in each for each in earlier_ids)
        assert attested or there or (now is not None and at(now) < deployed)
        assert all(
            IDS[0] in observation.key_ids for observation in seen if observation.at >= deployed
        )


def test_keys_that_change_every_night_are_followed_back() -> None:
    """However often keys were replaced, the way back does not run out of room."""
    seen = [
        Observation(at(hour), (IDS[hour % 2],), "earlier.yaml", hour) for hour in range(1, 1_200)
    ]
    periods = trace(Claim(IDS[0], None, at(1_200)), seen, [])
    assert len(periods) == 1_200
    assert locate(periods, at(1)) == ("equal", 1_199)


def test_the_first_case_between_two_keys_counts() -> None:
    """A key came with the first case after the key before it, but never before that was seen."""
    seen = [present(0)._replace(key_ids=(IDS[1],)), present(100)._replace(key_ids=(IDS[0],))]
    cases = [a_support_case(on=f"2026-06-0{day}") for day in (1, 3, 2, 6)]
    for known, since in ((cases[1:], at(24)), (cases, None), (cases[3:], None)):
        own, replaced = trace(Claim(IDS[0], None, at(200)), seen, known)
        assert own.registration.since == since
        assert replaced.cases == tuple(known[:-1])
        assert replaced.until == at(0)


def test_an_attested_time_does_not_prove_that_there_was_no_key_before() -> None:
    """A key that came after the deployment leaves it open, if the scope had had one before."""
    seen = [Observation(at(1), (IDS[0],), "earlier.yaml", 1), absent(3)]
    periods = trace(Claim(IDS[1], at(9), at(9), at(6)), seen, [])
    assert locate(periods, at(5)) == ("undecided", 0)
    periods = trace(Claim(IDS[1], at(9), at(9), at(6)), seen[1:], [])
    assert locate(periods, at(5)) == ("after", 0)


def test_each_replacement_looks_through_all_cases() -> None:
    """A case explains a replacement whichever of several it is, and whatever holds the cases."""
    days = [START + timedelta(days=day) for day in (1, 3, 5)]
    seen = [Observation(day, (key,), "earlier.yaml", 1) for day, key in zip(days, IDS, strict=True)]
    cases = [a_support_case(on=f"2026-06-0{day}", ticket=f"TS-{day}") for day in (3, 5)]
    periods = trace(Claim(IDS[2], days[2], days[2]), seen, iter(cases))
    assert [[case.ticket for case in period.cases] for period in periods] == [
        [],
        ["TS-5"],
        ["TS-3"],
    ]
