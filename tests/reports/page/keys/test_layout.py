"""The layout of the keys of a page: which are shown, and what is said of each."""

from __future__ import annotations

from typing import Any

import pytest

from reports.page.keys.collector import SMALL, CollectedKeys
from reports.page.keys.layout import (
    MOST_FINDINGS,
    NAMED,
    FindingLink,
    FoldedKeys,
    KeyList,
    KeyView,
    counted,
    lay_out_keys,
)
from reports.page.timeline.lanes import OrganizationLanes
from reports.page.timeline.time_scale import TimeScale
from reports.presentation.labels import CELL, STATUS
from tests.builders import aws_key_id, moment
from tests.reports.page.keys.test_collector import (
    CLOUD,
    PATH,
    a_cell,
    a_finding,
    collect,
    key_line,
    lanes_of,
)

SCALE = TimeScale(moment("2026-01-01T00:00:00Z"), moment("2026-04-11T00:00:00Z"))
"""One percent of it is a day."""


def _listed(collected: CollectedKeys, limit: int = 100, *, all_of_few: bool = True) -> KeyList:
    return lay_out_keys(collected, SCALE, limit, all_of_few=all_of_few)


def view(*args: Any, **over: Any) -> KeyView:  # noqa: ANN401 (as of ``collect``)
    """Lay out the only key of an organization."""
    [organization] = _listed(collect(*args, **over)).organizations
    [shown] = organization.keys
    return shown


# --- one key --------------------------------------------------------------------------------------


def test_a_key_is_shown_with_its_life_and_its_cloud() -> None:
    """Marks, words, users and what was not read are those of its line."""
    gap = {"fact": "grants", "reason": "refused"}
    user = {"via": "policy", "effect": "allow", "who": "a", "what": "b"}
    cloud = CLOUD | {
        "state": "Enabled",
        "created_at": "2026-01-11T00:00:00Z",
        "expires_at": "2026-12-01T00:00:00Z",
        "users": [user],
        "users_total": 4,
        "unread": [gap],
        "dead_versions": [{"id": "1", "state": "DISABLED"}],
        "dead_versions_total": 2,
    }
    shown = view(lanes_of(key_line(first_seen="2026-02-01T00:00:00Z", cloud=cloud)))
    assert shown.row is not None
    assert [(mark.kind, mark.x) for mark in shown.marks] == [("created", 10)]
    assert [words.is_coming for words in shown.life] == [False, True]
    assert (shown.height, shown.words, shown.key_id) == (2, "", aws_key_id())
    assert shown.cloud is not None
    assert (shown.cloud.observed_at, shown.cloud.about) == (
        CLOUD["observed_at"],
        [("State", "Enabled")],
    )
    assert (len(shown.cloud.users or ()), shown.cloud.users_left) == (1, 3)
    assert (len(shown.cloud.dead), shown.cloud.dead_left, len(shown.cloud.unread)) == (1, 1, 1)
    assert shown.summary == (
        "Key: first seen 2026-02-01 00:00:00; created 2026-01-11; expiry 2026-12-01."
    )


def test_what_is_not_known_is_not_nobody() -> None:
    """A key of which no users were read has none to list, and one without facts has no cloud."""
    facts: list[Any] = [CLOUD, CLOUD | {"users": []}, CLOUD | {"granted_to_astra": False}]
    shown = [view(lanes_of(key_line(cloud=cloud))).cloud for cloud in facts]
    assert [(cloud.users, cloud.names_astra) for cloud in shown if cloud] == [
        (None, False),
        ([], False),
        (None, True),
    ]
    assert view(lanes_of(key_line())).cloud is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"state": "planned", "change": "register"}, "planned: a plan would register it"),
        (
            {"state": "planned", "change": "replace", "key_id": ""},
            "planned: a plan would replace it; its id is not known yet",
        ),
    ],
)
def test_a_planned_key_is_no_registered_one(line: dict[str, Any], words: str) -> None:
    """A planned key says what the plan does, and its line shows no registration."""
    shown = view(lanes_of(key_line(**line)))
    assert (shown.words, shown.row, shown.summary) == (words, None, f"Key: {words}.")


def test_a_key_scope_without_a_key_says_so() -> None:
    """Databases without a key are shown with their number and their names."""
    shown = view(lanes_of(databases=("without-key", "astra-provided", "without-key")))
    assert (shown.words, shown.key_id, shown.cloud) == ("no key is recorded", "", None)
    assert (shown.databases, shown.planned, shown.names) == (2, 0, ["d0", "d2"])
    assert (shown.marks, shown.life, shown.passes, shown.height) == ([], [], 0, 0)


def test_what_only_repeats_other_parts_is_bare() -> None:
    """A key of which neither its cloud nor the portal shows anything is left out on paper."""
    look = {"status": "in-use", "by": "it", "on": "2026-03-01", "due": "2027-03-01"}
    bare = lanes_of(key_line(path="p/key/1"), path="p")
    shown: list[Any] = [{"cloud": CLOUD}, {"portal": look}]
    for over in shown:
        listed = _listed(collect(lanes_of(key_line(**over)), bare))
        assert [one.is_bare for one in listed.organizations] == [False, True]
        assert not listed.is_bare
    assert _listed(collect(bare)).is_bare


def test_only_some_databases_are_named() -> None:
    """Of many databases the first are named, and all are counted."""
    shown = view(lanes_of(key_line(), databases=("after",) * 15))
    assert (shown.databases, len(shown.names)) == (15, NAMED)


@pytest.mark.parametrize(
    ("databases", "planned", "words"),
    [
        (0, 0, "no database"),
        (1, 0, "1 database"),
        (1, 1, "1 planned database"),
        (1_200, 200, "1,200 databases, 200 of them planned"),
    ],
)
def test_databases_are_counted_in_words(databases: int, planned: int, words: str) -> None:
    """Existing and planned databases are distinguished."""
    assert counted(databases, planned) == words


def test_a_key_without_a_key_scope_is_shown() -> None:
    """A planned key of which the plan does not show the key scope has none."""
    line: Any = {"kind": "key", "path": "o/key/p", "state": "planned", "change": "register"}
    shown = view(lanes_of(line))
    assert (shown.type, shown.provider, shown.region) == ("", "", "")


# --- labels and findings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "cell", "label"),
    [
        ((), (), STATUS["not-applicable"]._replace(word="not evaluated")),
        (("pass",), (), STATUS["pass"]._replace(word="in order")),
        (("pass",), a_cell("pass", state="covered"), CELL["covered"]),
        (("pass",), a_cell("fail", state="failing"), CELL["failing"]),
        ((), a_cell("not-applicable", state="astra-provided"), CELL["astra-provided"]),
        (("fail",), (), STATUS["fail"]),
        (("fail",), a_cell("pass", state="covered"), STATUS["fail"]),
        (("advisory",), a_cell("pass", state="covered"), CELL["covered"]),
        (("advisory",), (), STATUS["fail"]),
        (("fail",), a_cell("fail", state="missing"), CELL["missing"]),
        (("waived",), a_cell("fail", state="missing"), CELL["missing"]),
        (("inconclusive",), a_cell("waived", state="waived"), STATUS["inconclusive"]),
    ],
)
def test_a_key_looks_no_better_than_the_worst_of_it(
    found: tuple[str, ...],
    cell: Any,  # noqa: ANN401 (a part of the record)
    label: object,
) -> None:
    """The label is that of the worst finding, of the key or of its key scope in coverage."""
    advisory = a_finding("fail", "o/key/1", severity="advisory")
    findings = tuple(
        advisory if status == "advisory" else a_finding(status, "o/key/1") for status in found
    )
    assert view(lanes_of(key_line()), findings=findings, coverage=cell).label == label


def test_the_findings_of_a_key_are_linked() -> None:
    """Its findings are linked, and the worst of its databases, which coverage names, once."""
    cell = a_cell("fail")
    own, across = (
        a_finding("fail", PATH, "key-scope", id="s"),
        a_finding("fail", "./key-id/k", "key-id", id="x", key=aws_key_id(), severity="advisory"),
    )
    shown = view(lanes_of(key_line()), findings=(own, across), coverage=cell)
    fail = STATUS["fail"]
    assert shown.findings == [
        FindingLink(fail, "CMEK-12", "high", "s", "o", "It is so."),
        FindingLink(fail, "CMEK-12", "advisory", "x", "", "It is so."),
        FindingLink(fail, "CMEK-05", "high", "c", "o", "Too late."),
    ]
    known = a_cell("fail", finding="s")
    assert len(view(lanes_of(key_line()), findings=(own,), coverage=known).findings) == 1
    assert view(lanes_of(key_line()), coverage=a_cell("pass", state="covered")).findings == []


def test_many_findings_of_a_key_are_counted() -> None:
    """Of very many findings of one key the worst are linked, and the others counted."""
    findings = tuple(a_finding("fail", "o/key/1", id=f"{n}") for n in range(MOST_FINDINGS + 2))
    shown = view(lanes_of(key_line()), findings=findings)
    assert (len(shown.findings), shown.findings_left) == (MOST_FINDINGS, 2)


# --- which keys are shown -------------------------------------------------------------------------


def _organizations(number: int) -> list[OrganizationLanes]:
    return [lanes_of(key_line(path=f"p{n}/key/1"), path=f"p{n}") for n in range(number)]


def _shown(listed: KeyList) -> list[str]:
    return [organization.id for organization in listed.organizations]


def test_organizations_are_sorted_by_their_worst_keys() -> None:
    """The organization with the worst key comes first, with all of its keys together."""
    first = lanes_of(key_line(1, path="p0/key/1"), key_line(2, path="p0/key/2"), path="p0")
    bad = a_finding("fail", "o/key/1")
    listed = _listed(collect(first, lanes_of(key_line()), findings=(bad,)))
    assert [(one.id, one.name, len(one.keys)) for one in listed.organizations] == [
        ("o", "Org o", 1),
        ("p0", "Org p0", 2),
    ]
    assert (listed.shown, listed.left, listed.folded, listed.kinds) == (3, 0, [], {})


def test_beyond_the_limit_keys_are_counted() -> None:
    """The worst are shown up to a limit; the others are counted by organization."""
    bad = a_finding("fail", "o/key/1")
    other = a_finding("fail", "p0/key/1", severity="low")
    listed = _listed(collect(*_organizations(2), lanes_of(key_line()), findings=(other, bad)), 1)
    assert _shown(listed) == ["o"]
    assert listed.folded == [FoldedKeys("p0", "Org p0", 0, 1), FoldedKeys("p1", "Org p1", 1, 0)]
    assert (listed.shown, listed.left, listed.left_doubtful) == (1, 2, 1)


def test_an_index_shows_what_is_not_in_order() -> None:
    """Of a fleet the keys with findings are shown, unless there are few keys."""
    bad = a_finding("fail", "o/key/1")
    many = collect(*_organizations(SMALL), lanes_of(key_line()), findings=(bad,))
    assert _shown(_listed(many, all_of_few=False)) == ["o"]
    few = collect(*_organizations(2), lanes_of(key_line()), findings=(bad,))
    assert _shown(_listed(few, all_of_few=False)) == ["o", "p0", "p1"]


def test_the_legend_has_what_is_shown() -> None:
    """The legend explains the marks of the keys that are shown, and those of what is to come."""
    cloud = CLOUD | {"created_at": "2026-01-11T00:00:00Z", "deletion_at": "2026-12-01T00:00:00Z"}
    listed = _listed(collect(lanes_of(key_line(cloud=cloud))))
    assert list(listed.kinds) == ["created", "ends"]
    assert listed.ticks == SCALE.ticks()
