"""The requests to Astra, folded per organization."""

from __future__ import annotations

from typing import Any

from reports.page.findings.evidence_index import EvidenceIndex
from reports.page.organization_evidence import Requests, requests_by_organization


def _exchange(folder: str, number: int, outcome: str = "200") -> dict[str, Any]:
    path = f"exchanges/{folder}/{number:04}.json"
    return {"path": path, "outcome": outcome, "at": f"2026-11-20T02:00:0{number}Z"}


def _organization(name: str, line: int, *gaps: str, **answers: int) -> Any:  # noqa: ANN401 (a part of the record)
    counts = {outcome.removeprefix("s"): count for outcome, count in answers.items()}
    reading = {"fact": "databases", "requests": sum(counts.values()), "answers": counts}
    return {
        "id": f"id-{name}",
        "name": name,
        "file": "ev/inventory.ndjson",
        "line": line,
        "gaps": [{"fact": gap} for gap in gaps],
        "readings": [reading] if counts else [],
    }


EXCHANGES = [
    _exchange("0001", 1),
    _exchange("0001", 2),
    _exchange("0002", 1, "403"),
    _exchange("0003", 1),
    _exchange("0003", 2, "unavailable"),
    _exchange("0003", 3),
]
ORGANIZATIONS = [
    # The order of the record is not that of the bundle.
    _organization("second", 20, "databases", s403=1),
    _organization("first", 2, s200=2),
    _organization("third", 30, s200=2, unavailable=1),
]


def _requests(
    organizations: list[Any] = ORGANIZATIONS, held: int = 3, exchanges: int = 10, limit: int = 10
) -> Requests:
    bundle: Any = {"path": "ev", "exchanges": EXCHANGES, "exchanges_total": len(EXCHANGES)}
    index = EvidenceIndex([bundle], set(), exchanges)
    sources: Any = [{"path": "ev", "organizations": held}]
    return requests_by_organization(organizations, sources, index.shown, limit)


def test_answers_are_with_their_organization() -> None:
    """A folder of a bundle is the organization at that place of its inventory; gaps come first."""
    asked = _requests()
    shown = [(group.name, [row.anchor for row in group.rows]) for group in asked.shown]
    assert shown == [
        ("second", ["e-1-0002-0001"]),
        ("third", ["e-1-0003-0001", "e-1-0003-0002", "e-1-0003-0003"]),
        ("first", ["e-1-0001-0001", "e-1-0001-0002"]),
    ]


def test_the_summary_of_an_organization() -> None:
    """Its requests, how many failed, and the first and last answer are in one line."""
    third = _requests().shown[1]
    assert third[:6] == (
        "id-third",
        "third",
        3,
        1,
        "2026-11-20T02:00:01Z",
        "2026-11-20T02:00:03Z",
    )
    assert third.left == 0


def test_all_are_counted() -> None:
    """The numbers over all organizations do not depend on what is shown."""
    for limit in (0, 1, 10):
        asked = _requests(limit=limit, exchanges=0)
        assert (asked.total, asked.requests, asked.failed, asked.troubled) == (3, 6, 2, 2)
        assert len(asked.shown) == min(limit, 3)
        assert asked.left == 3 - len(asked.shown)


def test_nobody_is_named_by_guess() -> None:
    """If the population lacks an organization of the bundle, its folders go by their names."""
    asked = _requests(ORGANIZATIONS[:2])
    names = {group.name for group in asked.shown if group.rows}
    assert names == {"exchanges/0001", "exchanges/0002", "exchanges/0003"}
    assert {group.id for group in asked.shown if group.rows} == {""}


def test_a_row_is_never_left_out() -> None:
    """Beyond the limit an organization keeps the answers that are shown, without its readings."""
    asked = _requests(limit=1)
    assert [len(group.rows) for group in asked.shown] == [1, 3, 2]
    assert [(len(group.readings), group.readings_left) for group in asked.shown] == [
        (1, 0),
        (0, 1),
        (0, 1),
    ]


def test_answers_beyond_the_limit_are_counted() -> None:
    """Each organization has the number of its answers that the page does not show."""
    assert [group.left for group in _requests(exchanges=1).shown] == [1, 3, 1]


def test_a_copied_inventory() -> None:
    """An organization that was read without a bundle at hand is shown with its readings."""
    asked = requests_by_organization(ORGANIZATIONS, [], [], 10)
    assert [group.name for group in asked.shown] == ["second", "third", "first"]
    assert [(group.requests, group.first) for group in asked.shown] == [
        (1, None),
        (3, None),
        (2, None),
    ]
    files = [organization | {"readings": []} for organization in ORGANIZATIONS]
    assert requests_by_organization(files, [], [], 10).total == 0


def test_answers_of_clouds_alone_are_with_their_organization() -> None:
    """A bundle of clouds alone names its organizations: of these only the clouds' answers count."""
    readings = [
        {"fact": "databases", "answers": {}, "requests": 40},
        {"fact": "aws-keys", "answers": {}, "requests": 2},
    ]
    elsewhere = [
        _organization(name, line, "databases") | {"file": "acme.yaml", "readings": readings}
        for line, name in enumerate(("one", "two", "three"), 2)
    ]
    bundle: Any = {"path": "ev", "exchanges": EXCHANGES, "exchanges_total": len(EXCHANGES)}
    index = EvidenceIndex([bundle], set(), 10)
    ids = ["id-three", "id-one", "id-two"]
    sources: Any = [{"path": "ev", "organizations": 3, "clouds_of": ids}]
    asked = requests_by_organization(elsewhere, sources, index.shown, 10)
    assert {group.name: (group.requests, group.gaps) for group in asked.shown} == {
        "three": (2, []),
        "one": (2, []),
        "two": (3, []),
    }
    unknown: Any = [{"path": "ev", "organizations": 3, "clouds_of": [*ids[:2], "id-other"]}]
    by_guess = requests_by_organization(elsewhere, unknown, index.shown, 10)
    assert {group.name for group in by_guess.shown} >= {"exchanges/0001", "exchanges/0003"}


def test_lines_of_a_file_are_those_of_one_organization() -> None:
    """Where an organization's exchanges are lines of one file, its number is in the file's name."""
    lines = [
        {"path": f"exchanges/{at:04}.ndjson.gz", "line": 1, "outcome": "200", "at": "2026-11-20"}
        for at in (1, 2, 3)
    ]
    bundle: Any = {"path": "ev", "exchanges": lines, "exchanges_total": 3}
    index = EvidenceIndex([bundle], set(), 3)
    sources: Any = [{"path": "ev", "organizations": 3}]
    shown = requests_by_organization(ORGANIZATIONS, sources, index.shown, 9).shown
    assert {group.name: [row.place for row in group.rows] for group in shown} == {
        "first": ["exchanges/0001.ndjson.gz:1"],
        "second": ["exchanges/0002.ndjson.gz:1"],
        "third": ["exchanges/0003.ndjson.gz:1"],
    }
