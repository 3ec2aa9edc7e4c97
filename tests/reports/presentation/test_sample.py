"""A sample that anybody draws again, and what was concluded about it."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import RecordError
from reports.presentation.sample import (
    KINDS,
    Conclusion,
    Conclusions,
    Draw,
    Drawn,
    Kind,
    draw,
    draw_numbers,
)
from reports.record import stored_lines
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SEEDS = st.text("0123456789abcdef", min_size=64, max_size=64)
SIZES = st.integers(0, 40)
ORGANIZATION = {"kind": "organization", "path": "o", "id": "o", "name": "O"}


def _line(**fields: object) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _database(name: str, *scopes: str, state: str = "existing", owner: str = "o") -> bytes:
    return _line(
        kind="database",
        path=f"{owner}/database/{name}",
        organization=owner,
        state=state,
        name=name,
        regions=[{"name": scope, "scope": f"{owner}/serverless/aws/{scope}"} for scope in scopes],
    )


def _key(scope: str, own: str, owner: str = "o") -> bytes:
    path = f"{owner}/key/serverless/aws/{scope}/{own}"
    return _line(kind="key", path=path, organization=owner, state="registered")


def _finding(rule: str, status: str, kind: str, path: str, number: int = 0) -> bytes:
    identity = f"{rule}-{number}"
    subject = {"kind": kind, "path": path, "organization": "o"}
    return _line(status=status, rule=rule, id=identity, severity="high", subject=subject)


def _draw(lines: Iterable[bytes], seed: str = "seed", size: int = 25, **more: Any) -> Draw:  # noqa: ANN401 (a kind)
    """Draw from lines of which it is not known before how many members they have."""
    return draw(lines, seed, size, **{"expected": 0, **more})


def _numbers(total: int, seed: str, size: int) -> list[int]:
    lines = [_database(f"d{number}") for number in range(1, total + 1)]
    drawn = _draw(lines, seed, size).members
    assert [member.line["name"] for member in drawn] == [f"d{member.number}" for member in drawn]
    return [member.number for member in drawn]


def _by_hand(total: int, seed: str, size: int) -> list[int]:
    """Draw as the documentation says it."""
    numbers: list[int] = []
    draws = 0
    while len(numbers) < min(size, total):
        draws += 1
        number = int(sha256(f"{seed}:{draws}".encode()).hexdigest(), 16) % total + 1
        numbers += [number] if number not in numbers else []
    return numbers


# --- drawing --------------------------------------------------------------------------------------


@given(st.integers(0, 60), SEEDS, SIZES)
def test_a_sample_is_part_of_the_population(total: int, seed: str, size: int) -> None:
    """The numbers are distinct and within range, as many as asked for, or all there are."""
    numbers = _numbers(total, seed, size)
    assert len(set(numbers)) == len(numbers) == min(total, size)
    assert set(numbers) <= set(range(1, total + 1))


@given(st.integers(0, 60), SEEDS, SIZES)
def test_anybody_draws_the_same(total: int, seed: str, size: int) -> None:
    """The sample is the documented one: each draw's SHA-256 with the seed, modulo the total."""
    assert _numbers(total, seed, size) == _by_hand(total, seed, size)


@given(st.integers(0, 60), SEEDS, SIZES, SIZES)
def test_a_larger_sample_begins_with_the_smaller(
    total: int, seed: str, size: int, more: int
) -> None:
    """Who draws more keeps what was drawn before."""
    assert _numbers(total, seed, size + more)[:size] == _numbers(total, seed, size)


def test_another_seed_draws_another_sample() -> None:
    """Each of a hundred seeds has a sample of its own."""
    assert len({tuple(_numbers(60, f"seed {number}", 10)) for number in range(100)}) == 100


def test_every_number_is_drawn_alike() -> None:
    """Over many seeds, every number is drawn about as often as any other."""
    counts = [0] * 20
    for seed in range(1_000):
        for number in draw_numbers(str(seed), 20, 5):
            counts[number - 1] += 1
    assert min(counts) > 190
    assert max(counts) < 310


def test_draws_that_bring_a_number_again_are_counted() -> None:
    """A sample says how many draws it took: whoever draws it again needs as many hashes."""
    assert draw_numbers("seed", 3, 3) == {number: at for at, number in _first_draws(3)}
    assert _draw([_database(name) for name in "abc"]).draws == [*_first_draws(3)][-1][0]
    assert _draw([]).draws == 0


def _first_draws(total: int) -> Iterator[tuple[int, int]]:
    """Yield which draws bring each number for the first time."""
    seen: set[int] = set()
    for at in range(1, 100):
        number = int(sha256(f"seed:{at}".encode()).hexdigest(), 16) % total + 1
        if number not in seen:
            yield at, number
        seen.add(number)


# --- the population -------------------------------------------------------------------------------


def test_terminated_databases_are_out_of_scope() -> None:
    """A terminated database has no number, and is counted; its name cannot hide the state."""
    lines = [
        _line(**ORGANIZATION),
        _database("a"),
        _database("gone", state="terminated"),
        _database('x","state":"terminated'),
        _key("r", "k"),
        _database("b", state="planned"),
    ]
    drawn = _draw(lines)
    assert (drawn.total, drawn.terminated) == (3, 1)
    assert {member.number: member.line["name"] for member in drawn.members} == {
        1: "a",
        2: 'x","state":"terminated',
        3: "b",
    }


def test_keys_and_passes_can_be_drawn() -> None:
    """Keys are numbered in the population, and passes among the findings."""
    keys = _draw([_line(**ORGANIZATION), _key("r", "k"), _database("a")], kind="keys")
    assert [member.line["path"] for member in keys.members] == ["o/key/serverless/aws/r/k"]
    findings = [_finding("CMEK-01", "fail", "key", "p"), _finding("CMEK-02", "pass", "key", "q")]
    passes = _draw(findings, kind="passes")
    assert [(member.number, member.line["rule"]) for member in passes.members] == [(1, "CMEK-02")]


def test_a_database_has_the_keys_of_its_scopes() -> None:
    """Keys of other key scopes and of other organizations are not among them."""
    lines = [
        _line(**ORGANIZATION | {"path": "other"}),
        _key("r", "theirs", "other"),
        _line(**ORGANIZATION),
        _key("r", "k1"),
        _key("r2", "k2"),
        _key("r3", "k3"),
        _database("a", "r", "r3"),
        _database("b"),
    ]
    first, second = sorted(_draw(lines).members)
    assert [key["path"].rpartition("/")[2] for key in first.keys] == ["k1", "k3"]
    assert second.keys == ()


POPULATION = st.lists(
    st.one_of(
        st.just(_line(**ORGANIZATION)),
        st.builds(_key, st.sampled_from(["r", "r2"]), st.sampled_from("kl")),
        st.builds(
            _database,
            st.sampled_from(["a", 'x","state":"terminated', '\n{"kind":"database",', "ä"]),
            st.sampled_from(["r", "r2"]),
            state=st.sampled_from(["existing", "existing", "planned", "terminated"]),
        ),
        st.builds(
            _finding,
            st.just("CMEK-01"),
            st.sampled_from(["pass", "fail"]),
            st.just("key"),
            st.just("o"),
        ),
    ),
    max_size=40,
)


def _members(lines: Iterable[bytes], kind: Kind) -> list[dict[str, Any]]:
    """Return the members of a population, by parsing each line."""
    entries = [json.loads(line) for line in lines]
    if kind == "passes":
        return [entry for entry in entries if entry.get("status") == "pass"]
    wanted = kind.removesuffix("s")
    return [
        entry for entry in entries if entry.get("kind") == wanted and entry["state"] != "terminated"
    ]


def _outside(mixed: list[range], lines: list[bytes], kind: Kind) -> list[bytes]:
    """Return the lines outside of ``mixed`` that are no members; each range has whole lines."""
    ends = [*accumulate(map(len, lines), initial=0)]
    assert {place for part in mixed for place in (part.start, part.stop)} <= {*ends}
    outside = [
        line
        for line, start in zip(lines, ends, strict=False)
        if not any(start in part for part in mixed)
    ]
    return [line for line in outside if not _members([line], kind)]


@examples(200)
@given(POPULATION, st.sampled_from(KINDS), st.integers(0, 20), st.integers(0, 40), st.data())
def test_groups_of_lines_are_numbered_as_each_line(
    lines: list[bytes], kind: Kind, size: int, expected: int, data: st.DataObject
) -> None:
    """However lines are read together, and whatever was expected, the numbers are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_lines, "_MOST_TOGETHER", data.draw(st.integers(1, 50)))
        drawn = _draw(lines, size=size, kind=kind, expected=expected)
    members = _members(lines, kind)
    assert drawn.total == len(members)
    assert _outside(drawn.mixed, lines, kind) == []
    assert [(one.number, one.line) for one in drawn.members] == [
        (number, members[number - 1]) for number in _by_hand(len(members), "seed", size)
    ]


def test_lines_are_read_once_if_there_are_as_many_as_expected() -> None:
    """Where the expected number is right, lines that can be read only once are enough."""
    lines = [_database(name) for name in "abcdef"]
    assert _draw(iter(lines), expected=6) == _draw(lines)


def test_a_population_that_changes_is_no_sample() -> None:
    """Lines that are others when they are read again are an error, never another sample."""
    lines = [_database(name) for name in "abcdef"]
    with pytest.raises(RecordError, match=r"first 6 and then 0 databases in the same lines"):
        _draw(iter(lines), expected=7)


# --- what was concluded ---------------------------------------------------------------------------


def _about(findings: list[bytes], *population: bytes, **more: Any) -> list[list[Conclusion]]:  # noqa: ANN401 (a kind)
    drawn = sorted(_draw([_line(**ORGANIZATION), *population], **more).members)
    conclusions = Conclusions(drawn)
    for line in findings:
        conclusions.add(line)
    return [conclusions.about(place) for place in range(len(drawn))]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("database", "o/database/a"),
        ("database", "./database/a"),
        ("database-region", "o/database/a/r"),
        ("key-scope", "o/serverless/aws/r"),
        ("key", "o/key/serverless/aws/r/k"),
        ("key-id", "o/key-id/k"),
        ("key-id", "./key-id/k"),
    ],
)
def test_what_concerns_a_database(kind: str, path: str) -> None:
    """A finding about the database, its regions, its key scopes and their keys is about it."""
    found = _about([_finding("CMEK-01", "pass", kind, path)], _key("r", "k"), _database("a", "r"))
    assert found == [[Conclusion("CMEK-01", "pass", ("CMEK-01-0",), 1)]]


@pytest.mark.parametrize(
    "path",
    [
        "o/database/b",
        "o/database/ab/r",
        "o/serverless/aws/r2",
        "o/key/serverless/aws/r2/k",
        "o/key-id/k2",
        "other/database/a",
        "other",
    ],
)
def test_what_does_not_concern_a_database(path: str) -> None:
    """Neighbours with similar paths are not about it."""
    finding = _finding("CMEK-01", "fail", "database", path)
    assert _about([finding], _key("r", "k"), _database("a", "r")) == [[]]


def test_an_organization_that_does_not_comply_concerns_all_its_databases() -> None:
    """A finding about the organization is shown unless it passes or does not apply."""
    statuses = ("pass", "not-applicable", "fail", "inconclusive", "error", "waived")
    findings = [_finding("CMEK-08", status, "organization", "o") for status in statuses]
    found = _about(findings, _database("a"), _database("b"))
    assert [[conclusion.status for conclusion in each] for each in found] == [
        ["error", "fail", "inconclusive", "waived"]
    ] * 2


def test_conclusions_are_by_rule_and_bounded() -> None:
    """Findings of one rule and status are together; beyond five ids they are counted."""
    findings = [_finding("CMEK-02", "pass", "database", "o/database/a")]
    findings += [
        _finding("CMEK-01", "fail", "database-region", f"o/database/a/r{number}", number)
        for number in range(7)
    ]
    ids = tuple(f"CMEK-01-{number}" for number in range(5))
    assert _about(findings, _database("a")) == [
        [Conclusion("CMEK-01", "fail", ids, 7), Conclusion("CMEK-02", "pass", ("CMEK-02-0",), 1)]
    ]


def test_what_concerns_a_key() -> None:
    """A finding about a key, its key scope or its id is about it; one about a database is not."""
    findings = [
        _finding("CMEK-07", "pass", "key", "o/key/serverless/aws/r/k"),
        _finding("CMEK-01", "pass", "key-scope", "o/serverless/aws/r"),
        _finding("CMEK-06", "fail", "key-id", "./key-id/k"),
        _finding("CMEK-05", "fail", "database-region", "o/database/a/r"),
    ]
    (found,) = _about(findings, _key("r", "k"), _database("a", "r"), kind="keys")
    assert [conclusion.rule for conclusion in found] == ["CMEK-01", "CMEK-06", "CMEK-07"]


def test_a_pass_is_its_own_conclusion() -> None:
    """Nothing is looked for about a finding that was drawn."""
    drawn = [Drawn(1, json.loads(_finding("CMEK-01", "pass", "organization", "o")))]
    conclusions = Conclusions(drawn)
    conclusions.add(_finding("CMEK-01", "fail", "organization", "o"))
    assert conclusions.about(0) == []
