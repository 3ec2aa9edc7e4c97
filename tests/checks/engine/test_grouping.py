from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine import grouping
from checks.engine.finding import ACROSS, Finding, Status, Subject
from checks.engine.grouping import EVERYWHERE, NO_SUBJECT, Grouping, GroupingSetting, Mode
from checks.engine.identity import LONGEST, escape
from checks.engine.outcome import FindingGroup, Gate
from checks.engine.pass_series import PassSeries
from tests.checks.judging import RULES, a_finding
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from checks.engine.finding import Status

CARDS = [RULES["CMEK-01"].card, RULES["CMEK-02"].card]
MODES: list[Mode] = ["subject", "organization", "rule"]


def grouped(
    *findings: Finding, wanted: GroupingSetting = "subject", names: dict[str, str] | None = None
) -> Grouping:
    grouping_ = Grouping(CARDS, Gate(), wanted)
    for organization, name in (names or {}).items():
        grouping_.name(organization, name)
    for finding in findings:
        grouping_.add(finding)
    return grouping_


def labels(grouping_: Grouping, rule: str = "CMEK-01") -> list[str]:
    return [group.label for group in grouping_.groups()[rule]]


def across() -> Finding:
    """Make a finding that is about no single organization."""
    subject = Subject("key-id", "./key-id/acme", "", key="acme")
    return a_finding()._replace(subject=subject)


FOUND = [
    a_finding("pass", "o1/serverless/aws/us-east-1"),
    a_finding("fail", "o1/serverless/aws/us-west-2"),
    a_finding("fail", "o2/serverless/aws/us-east-1"),
    a_finding("pass", "o2/serverless/aws/us-east-1", rule="CMEK-02"),
]
NAMES = {"o1": "acme-prod", "o2": "acme-test"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (
            "subject",
            [
                "acme-prod/serverless/aws/us-east-1",
                "acme-prod/serverless/aws/us-west-2",
                "acme-test/serverless/aws/us-east-1",
            ],
        ),
        ("organization", ["acme-prod", "acme-test"]),
        ("rule", ["all"]),
    ],
)
def test_each_grouping_has_its_labels(wanted: GroupingSetting, found: list[str]) -> None:
    """Groups are labelled by their subject, their organization's name, or as all."""
    assert labels(grouped(*FOUND, wanted=wanted, names=NAMES)) == found


@pytest.mark.parametrize("wanted", [*MODES, "auto"])
def test_no_finding_is_lost(wanted: GroupingSetting) -> None:
    """However findings are grouped, each is counted once, for its own rule."""
    groups = grouped(*FOUND, wanted=wanted, names=NAMES).groups()
    totals = {rule: sum(each.counts.total() for each in all_) for rule, all_ in groups.items()}
    assert totals == {"CMEK-01": 3, "CMEK-02": 1}


def test_all_causes_of_a_subject_are_one_group() -> None:
    """A subject with several causes is one item, which counts each of its findings."""
    other = FOUND[1]._replace(cause="another-cause")
    groups = grouped(*FOUND, other, names=NAMES).groups()["CMEK-01"]
    assert [(group.label, group.counts.total()) for group in groups] == [
        ("acme-prod/serverless/aws/us-east-1", 1),
        ("acme-prod/serverless/aws/us-west-2", 2),
        ("acme-test/serverless/aws/us-east-1", 1),
    ]


@pytest.mark.parametrize("wanted", MODES)
def test_every_rule_has_a_group(wanted: GroupingSetting) -> None:
    """A rule without any subject has a group all the same, which says so."""
    groups = grouped(wanted=wanted).groups()
    assert {rule: [each.label for each in all_] for rule, all_ in groups.items()} == {
        "CMEK-01": [NO_SUBJECT],
        "CMEK-02": [NO_SUBJECT],
    }
    assert groups["CMEK-01"][0].counts.total() == 0


@pytest.mark.parametrize("wanted", MODES)
def test_a_group_can_be_found_by_its_findings(wanted: GroupingSetting) -> None:
    """The key of a finding is the key of the group that answers for it."""
    grouping_ = grouped(*FOUND, wanted=wanted, names=NAMES)
    keys = {(rule, each.key) for rule, all_ in grouping_.groups().items() for each in all_}
    assert {(finding.rule, grouping_.key(finding)) for finding in FOUND} == keys


def test_groups_of_a_subject_say_what_it_is() -> None:
    """A group of one subject has its organization, type, provider and region; coarser ones less."""
    (group,) = grouped(FOUND[3], names=NAMES).groups()["CMEK-02"]
    assert (group.organization_id, group.organization) == ("o2", "acme-test")
    assert (group.type, group.provider, group.region) == ("serverless", "aws", "us-east-1")
    (group,) = grouped(FOUND[3], wanted="organization", names=NAMES).groups()["CMEK-02"]
    assert (group.organization_id, group.organization) == ("o2", "acme-test")
    assert (group.type, group.provider, group.region) == ("", "", "")
    (group,) = grouped(*FOUND, wanted="rule", names=NAMES).groups()["CMEK-01"]
    assert (group.organization_id, group.organization) == ("", "")
    assert group.organizations == NAMES
    (group,) = grouped(across()).groups()["CMEK-01"]
    assert group.organizations == {"": ACROSS}


def test_the_name_of_a_subject_ends_its_label() -> None:
    """A database is labelled by its name too, escaped."""
    finding = a_finding("pass", "o1/database/d1", name="acme orders")
    assert labels(grouped(finding, names=NAMES)) == ["acme-prod/database/d1/acme.20orders"]


def test_asking_twice_gives_the_same_labels() -> None:
    """The labels of groups do not depend on how often they were asked for."""
    grouping_ = grouped(*FOUND, a_finding("pass", "o1/database/d1", name="orders"), names=NAMES)
    assert labels(grouping_) == labels(grouping_)


def test_organizations_of_equal_name_are_kept_apart() -> None:
    """Where two organizations share a name, their ids stand beside it."""
    names = {"o1": "acme", "o2": "acme", "o3": "acme-x"}
    third = a_finding("pass", "o3/serverless/aws/us-east-1")
    found = [*FOUND[1:3], third]
    assert labels(grouped(*found, wanted="organization", names=names)) == [
        "acme-x",
        "acme.xo1",
        "acme.xo2",
    ]
    assert labels(grouped(*found, wanted="subject", names=names)) == [
        "acme-x/serverless/aws/us-east-1",
        "acme.xo1/serverless/aws/us-west-2",
        "acme.xo2/serverless/aws/us-east-1",
    ]


def test_findings_across_organizations_have_a_label_of_their_own() -> None:
    """A finding about no single organization is labelled as one about all of them."""
    assert labels(grouped(across(), wanted="organization")) == [EVERYWHERE]
    assert labels(grouped(across())) == [f"{EVERYWHERE}/key-id/acme"]


@pytest.mark.parametrize("wanted", ["subject", "organization"])
def test_a_name_cannot_pass_for_another_organization(wanted: GroupingSetting) -> None:
    """A name that reads like another's id, or like all of them, does not make two labels equal."""
    missing = a_finding("fail", "acme-prod")
    named = a_finding("pass", "o1")
    found = labels(grouped(named, missing, wanted=wanted, names={"o1": "acme-prod"}))
    assert len(found) == len(set(found)) == 2
    everywhere = a_finding("error", "")
    found = labels(grouped(named, everywhere, wanted=wanted, names={"o1": EVERYWHERE}))
    assert len(found) == len(set(found)) == 2


IDS = ["o1", "o2", "acme", EVERYWHERE]
TEXTS = st.sampled_from(["acme", "o1", "o2", EVERYWHERE, "acme.xo1", "a/b", "x" * LONGEST])
PATHS = st.sampled_from(["", "/serverless/aws/us-east-1", "/database/d1", "/database/d1/us-east-1"])


@examples(150)
@given(
    st.dictionaries(st.sampled_from(IDS), TEXTS),
    st.lists(st.tuples(st.sampled_from(["", *IDS]), PATHS), unique=True, max_size=8),
    st.sampled_from(MODES),
)
def test_labels_are_unique_sorted_and_short(
    names: dict[str, str], subjects: list[tuple[str, str]], wanted: GroupingSetting
) -> None:
    """Whatever organizations are called, the labels of a rule are unique, sorted and short."""
    findings = [
        a_finding("pass", f"{escape(organization)}{path}", organization=organization)
        for organization, path in subjects
    ]
    found = labels(grouped(*findings, wanted=wanted, names=names))
    assert len(set(found)) == len(found)
    assert found == sorted(found)
    assert max(map(len, found)) <= LONGEST


@pytest.mark.parametrize(
    ("most", "mode"),
    [(6, "subject"), (5, "subject"), (4, "organization"), (3, "organization"), (2, "rule")],
)
def test_auto_is_the_finest_that_is_not_too_fine(
    monkeypatch: pytest.MonkeyPatch, most: int, mode: str
) -> None:
    """By itself a grouping is the finest with at most so many items."""
    monkeypatch.setattr(grouping, "MOST_ITEMS", most)
    findings = [*FOUND, a_finding("pass", "o1/serverless/aws/eu-west-1")]
    grouping_ = grouped(*findings, wanted="auto", names=NAMES)
    assert grouping_.mode == mode


@examples(100)
@given(
    st.lists(
        st.tuples(st.sampled_from(["o1", "o2", "o3"]), st.integers(0, 5), st.integers(1, 2)),
        unique=True,
        max_size=12,
    ),
    st.integers(2, 12),
)
def test_auto_never_makes_more_items_than_allowed(
    subjects: list[tuple[str, int, int]], most: int
) -> None:
    """The items of a grouping by itself, those of empty rules included, are never too many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "MOST_ITEMS", most)
        findings = [a_finding("pass", f"{org}/{n}", rule=f"CMEK-0{r}") for org, n, r in subjects]
        grouping_ = grouped(*findings, wanted="auto")
        items = sum(len(group) for group in grouping_.groups().values())
        finer = {
            "subject": None,
            "organization": grouped(*findings, wanted="subject"),
            "rule": grouped(*findings, wanted="organization"),
        }[grouping_.mode]
        assert items <= most
        assert finer is None or sum(len(group) for group in finer.groups().values()) > most


@pytest.mark.parametrize("wanted", MODES)
def test_a_wanted_grouping_is_taken_however_many_items(
    monkeypatch: pytest.MonkeyPatch, wanted: Mode
) -> None:
    """The limit holds for the grouping by itself only."""
    monkeypatch.setattr(grouping, "MOST_ITEMS", 1)
    grouping_ = grouped(*FOUND, wanted=wanted)
    assert grouping_.mode == wanted


def test_merged_groups_keep_what_stops() -> None:
    """The group of a whole rule stops for a failure in any organization."""
    (group,) = grouped(*FOUND, wanted="rule").groups()["CMEK-01"]
    assert isinstance(group, FindingGroup)
    assert dict(group.counts) == {"pass": 1, "fail": 2}
    assert (group.status, group.severity) == ("fail", "high")


@pytest.mark.parametrize("wanted", ["subject", "organization", "rule", "auto"])
@pytest.mark.parametrize("count", [3, grouping.MOST_ITEMS + 2])
def test_a_series_is_grouped_as_its_passes_one_by_one(wanted: GroupingSetting, count: int) -> None:
    """The groups are the same whether passes come in a series or one by one."""
    subject = Subject("database-region", "", "o1", "serverless", "aws", "us-east-1")
    series = PassSeries(
        pattern=a_finding("pass")._replace(subject=subject, message="", evidence=()),
        before="Deployed ",
        after=".",
        ids=[f"d-{number}" for number in range(count)],
        names=["orders"] * count,
        locations=[("acme.ndjson", 1)] * count,
        times=["2026-01-01T00:00:00Z"] * count,
    )
    together = grouped(*FOUND[:2], wanted=wanted, names=NAMES)
    together.add_series(series)
    apart = grouped(*FOUND[:2], *series.findings(), wanted=wanted, names=NAMES)
    assert together.mode == apart.mode
    assert _shown(together) == _shown(apart)


# --- in parts -------------------------------------------------------------------------------------

_ORGANIZATIONS = st.lists(
    st.lists(
        st.builds(
            lambda status, region, rule: (status, region, rule),
            st.sampled_from(["pass", "fail", "inconclusive"]),
            st.sampled_from(["us-east-1", "us-west-2", "eu-west-1"]),
            st.sampled_from(["CMEK-01", "CMEK-02"]),
        ),
        max_size=4,
    ),
    max_size=4,
)


@examples(100)
@given(
    organizations=_ORGANIZATIONS,
    cut=st.integers(0, 4),
    wanted=st.sampled_from([*MODES, "auto"]),
    most=st.integers(1, 6),
)
def test_parts_of_an_audit_are_grouped_as_the_whole(
    organizations: list[list[tuple[Status, str, str]]],
    cut: int,
    wanted: GroupingSetting,
    most: int,
) -> None:
    """Groups of two parts, merged, are those of all findings, with the same mode and texts."""
    found = [
        [
            a_finding(status, f"o{number}/serverless/aws/{region}", rule=rule)
            for status, region, rule in some
        ]
        for number, some in enumerate(organizations)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "MOST_ITEMS", most)
        whole = _in_turn(found, 0, wanted)
        part = _in_turn(found[:cut], 0, wanted)
        part.merge(_in_turn(found[cut:], cut, wanted))
        assert part.mode == whole.mode
        assert _shown(part) == _shown(whole)


@pytest.mark.parametrize("most", [3, 5, 100])
@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("wanted", [*MODES, "auto"])
def test_two_parts_of_a_fleet_are_grouped_as_the_whole(
    wanted: GroupingSetting, cut: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts that have merged their groups by rule, and such that have not, come to the same."""
    monkeypatch.setattr(grouping, "MOST_ITEMS", most)
    found = [
        [a_finding("fail", f"o{number}/serverless/aws/{region}") for region in ("r1", "r2")]
        for number in range(4)
    ]
    part = _in_turn(found[:cut], 0, wanted)
    part.merge(_in_turn(found[cut:], cut, wanted))
    assert _shown(part) == _shown(_in_turn(found, 0, wanted))


def _in_turn(found: list[list[Finding]], first: int, wanted: GroupingSetting) -> Grouping:
    """Group the findings of organizations that come one after the other."""
    grouping_ = Grouping(CARDS, Gate(), wanted)
    for number, some in enumerate(found, first):
        grouping_.name(f"o{number}", "acme")
        for finding in some:
            grouping_.add(finding)
    return grouping_


def test_a_subject_of_two_parts_is_one_group() -> None:
    """A group that both parts know is merged into one."""
    part = grouped(FOUND[0])
    part.merge(grouped(FOUND[0]))
    assert _shown(part) == _shown(grouped(FOUND[0], FOUND[0]))


def _shown(grouping_: Grouping) -> object:
    return [
        (rule, group.label, group.text(), group.properties(), group.open_in, group.organizations)
        for rule, groups in grouping_.groups().items()
        for group in groups
    ]


_OWNERS = ["o1", "o2", "o3"]
_STATUSES = st.sampled_from(["pass", "fail", "inconclusive", "not-applicable"])
_FOUND_OF_ONE = st.lists(
    st.tuples(_STATUSES, st.sampled_from(["CMEK-01", "CMEK-02"])), min_size=1, max_size=8
)


@examples(200)
@given(
    by_organization=st.lists(_FOUND_OF_ONE, min_size=3, max_size=3),
    across=st.lists(st.tuples(_STATUSES, st.sampled_from(_OWNERS)), max_size=4),
)
def test_groups_of_rules_are_the_same_whenever_they_are_merged(
    by_organization: list[list[tuple[Status, str]]], across: list[tuple[Status, str]]
) -> None:
    """Merging each organization before the next comes names the findings that merging all does.

    Every organization has a finding of the rule that goes across them, as that of completeness has.
    """
    early, late = Grouping(CARDS, Gate(), "rule"), Grouping(CARDS, Gate(), "rule")
    for organization in _OWNERS:
        late.name(organization, organization)
    for organization, found in zip(_OWNERS, by_organization, strict=True):
        early.name(organization, organization)
        for number, (status, rule) in enumerate([("pass", "CMEK-01"), *found]):
            finding = a_finding(status, f"{organization}/{number}", rule=rule)
            early.add(finding)
            late.add(finding)
    for number, (status, organization) in enumerate(across):
        path = f"./database/{number}"
        finding = a_finding(status, path, organization=organization)
        early.add(finding)
        late.add(finding)
    assert _shown(early) == _shown(late)


def test_a_fleet_keeps_no_group_of_each_organization() -> None:
    """Organizations beyond the number of items are merged by rule as soon as they are judged."""
    fleet = Grouping(CARDS, Gate())
    for number in range(grouping.MOST_ITEMS + 10):
        fleet.name(f"o{number}", "acme")
        fleet.add(a_finding("fail", f"o{number}/serverless/aws/us-east-1"))
    assert len(fleet._organizations) <= 2
    (group, *_) = fleet.groups()["CMEK-01"]
    assert (fleet.mode, group.counts["fail"]) == ("rule", grouping.MOST_ITEMS + 10)
