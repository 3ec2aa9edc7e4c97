"""What changed since a baseline, in whole audits of one night after another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.finding import OPEN, Finding
from reports.comparison import changes as module
from reports.record.decoding import decode_finding
from tests.reports.comparing import (
    FIRST,
    FOURTH,
    SECOND,
    THIRD,
    by_class,
    night,
)
from tests.reports.live import report_on
from tests.reports.samples import (
    COMPLIANT,
    Report,
    attested,
    database,
    key,
    organization,
    save,
    save_inventory,
    waiver,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.comparison.baseline import Key
    from tests.reports.samples import Entry


def _calm(**over: object) -> list[Entry]:
    return [COMPLIANT[0] | over]


def _with(*databases: Entry, **over: object) -> list[Entry]:
    return _calm(databases=[*COMPLIANT[0]["databases"], *databases], **over)


UNPAID = _calm(plan=attested(paid=False))
UNATTESTED = _calm(plan=None)
KEYLESS = _with(database("ledger", "us-west-2"))
PLAN = ("CMEK-08", "calm", "unpaid")
ACCEPTED = waiver("W-1", "CMEK-08", "calm", "unpaid")
UNKNOWN_PLAN = ("CMEK-08", "calm", "not-attested")
SCOPE = ("CMEK-01", "calm/serverless/aws/us-west-2", "without-key")
MISSING = ("CMEK-14", "calm", "organization-missing")
VANISHED = ("CMEK-14", "calm", "vanished:db-ledger")
PLACED = ("CMEK-05", "calm/database/db-ledger/us-west-2", "without-key")
HIDDEN = {"fact": "databases", "reason": "refused", "detail": "403"}


@pytest.mark.parametrize(
    ("old", "new", "classes"),
    [
        (COMPLIANT, COMPLIANT, {}),
        (COMPLIANT, UNPAID, {"new": {PLAN}}),
        (UNPAID, UNPAID, {"unchanged": {PLAN}}),
        (UNPAID, COMPLIANT, {"fixed": {PLAN}}),
        (UNATTESTED, UNPAID, {"worsened": {PLAN}, "superseded": {UNKNOWN_PLAN}}),
        (UNPAID, UNATTESTED, {"unclear": {UNKNOWN_PLAN}, "superseded": {PLAN}}),
        (
            KEYLESS,
            _with(database("ledger", "us-west-2"), database("next", "us-west-2", state="planned")),
            {
                "new": {
                    ("CMEK-05", "calm/database/planned.20next/us-west-2", "planned-without-key"),
                    (*SCOPE[:2], "planned-without-key"),
                },
                "unchanged": {SCOPE, PLACED},
            },
        ),
        (KEYLESS, COMPLIANT, {"gone": {SCOPE, PLACED}, "new": {VANISHED}}),
        (
            KEYLESS,
            [organization("fresh", [key("us-east-2", 1)], [])],
            {"gone": {SCOPE, PLACED}, "new": {MISSING}},
        ),
    ],
    ids=["same", "new", "unchanged", "fixed", "worsened", "unclear", "planned", "gone", "another"],
)
def test_each_class_follows_from_two_inventories(
    tmp_path: Path,
    old: list[Entry],
    new: list[Entry],
    classes: dict[str, set[Key]],
) -> None:
    """Two inventories, audited one after the other, give the findings of each class."""
    made = night(tmp_path, new, SECOND, night(tmp_path, old, FIRST))
    found = by_class(made.head["changes"])
    own = {what: {key for key in keys if "fresh" not in key[1]} for what, keys in found.items()}
    assert {what: keys for what, keys in own.items() if keys} == classes


def test_a_waiver_is_reported_when_it_comes_and_when_it_goes(tmp_path: Path) -> None:
    """A failure under a waiver is waived, and reopened without it."""
    accepted = save(
        tmp_path / "w.json",
        **{"cmek-waivers": 1, "waivers": [ACCEPTED]},
    )
    first = night(tmp_path, UNPAID, FIRST)
    second = night(tmp_path, UNPAID, SECOND, first, waivers=(str(accepted),))
    third = night(tmp_path, UNPAID, THIRD, second)
    assert by_class(second.head["changes"]) == {"waived": {PLAN}}
    assert by_class(third.head["changes"]) == {"reopened": {PLAN}}


def test_what_comes_back_is_reopened(tmp_path: Path) -> None:
    """A finding that was new, then fixed, is reopened, however many nights lie between."""
    first = night(tmp_path, UNPAID, FIRST)
    second = night(tmp_path, COMPLIANT, SECOND, first)
    third = night(tmp_path, COMPLIANT, THIRD, second)
    fourth = night(tmp_path, UNPAID, FOURTH, third)
    assert [by_class(each.head["changes"]) for each in (second, third, fourth)] == [
        {"fixed": {PLAN}},
        {},
        {"reopened": {PLAN}},
    ]
    [finding] = _open(fourth)
    assert [len(each.head["changes"]["closed"]) for each in (second, third, fourth)] == [1, 1, 0]
    assert (finding.since, finding.audits) == (FOURTH, 1)


def test_what_was_gone_and_comes_back_is_reopened(tmp_path: Path) -> None:
    """A finding whose subject was away for a night is no new one when it is back."""
    first = night(tmp_path, KEYLESS, FIRST)
    second = night(tmp_path, COMPLIANT, SECOND, first)
    third = night(tmp_path, KEYLESS, THIRD, second)
    assert by_class(third.head["changes"]) == {
        "reopened": {SCOPE, PLACED},
        "fixed": {VANISHED},
    }


def test_a_waived_finding_that_was_once_closed_is_closed_no_more(tmp_path: Path) -> None:
    """A finding that is open again stands no longer among those that are closed."""
    accepted = save(
        tmp_path / "w.json",
        **{"cmek-waivers": 1, "waivers": [ACCEPTED]},
    )
    first = night(tmp_path, UNPAID, FIRST)
    second = night(tmp_path, UNPAID, SECOND, first, waivers=(str(accepted),))
    third = night(tmp_path, UNPAID, THIRD, second)
    [finding] = _open(third)
    assert second.head["changes"]["closed"] == [finding.id]
    assert third.head["changes"]["closed"] == []


def test_the_age_is_counted_over_the_nights(tmp_path: Path) -> None:
    """An open finding says since when it is open without a break, and in how many audits."""
    first = night(tmp_path, KEYLESS, FIRST)
    second = night(tmp_path, KEYLESS, SECOND, first)
    both = _with(database("ledger", "us-west-2"), plan=attested(paid=False))
    third = night(tmp_path, both, THIRD, second)
    ages = [
        {(finding.since, finding.audits) for finding in _open(made)}
        for made in (first, second, third)
    ]
    assert ages == [{("", 0)}, {(FIRST, 2)}, {(FIRST, 3), (THIRD, 1)}]


def test_closed_ids_are_carried_up_to_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of too many closed findings the oldest are forgotten, and counted for ever."""
    monkeypatch.setattr(module, "MOST_CLOSED", 2)
    first = night(tmp_path, UNPAID, FIRST)
    second = night(tmp_path, KEYLESS, SECOND, first)
    third = night(tmp_path, COMPLIANT, THIRD, second)
    fourth = night(tmp_path, COMPLIANT, FOURTH, third)
    fresh = sorted(finding.id for finding in _open(second))
    shown = [
        (each.head["changes"]["closed"], each.head["changes"]["closed_left_out"])
        for each in (second, third, fourth)
    ]
    assert shown == [([_open(first)[0].id], 0), (fresh, 1), (fresh, 1)]


def test_what_cannot_be_read_is_gone_and_not_judged_again(tmp_path: Path) -> None:
    """An organization of which the databases are refused has fixed nothing."""
    first = night(tmp_path, KEYLESS, FIRST)
    second = night(tmp_path, _calm(databases=None, gaps=[HIDDEN]), SECOND, first)
    changes = second.head["changes"]
    assert by_class(changes)["gone"] == {SCOPE, PLACED}
    assert {each["reason"] for each in changes["lists"]["gone"]} == {"organization-unread"}
    assert (changes["counts"]["fixed"], changes["not_judged_again"]) == (0, 2)


def test_a_vanished_organization_has_fixed_nothing(tmp_path: Path) -> None:
    """An organization that only the baseline holds is missing, and nothing of it was fixed."""
    more = organization("fresh", [key("eu-west-1", 2)], [database("x", "eu-west-1")])
    first = night(tmp_path, [*KEYLESS, more], FIRST)
    second = night(tmp_path, [more], SECOND, first)
    changes = second.head["changes"]
    assert by_class(changes) == {"gone": {SCOPE, PLACED}, "new": {MISSING}}
    assert {each["reason"] for each in changes["lists"]["gone"]} == {"organization-absent"}
    [missing] = [finding for finding in _open(second) if finding.rule == "CMEK-14"]
    assert (missing.status, missing.change) == ("fail", "new")


def test_a_partial_run_tells_what_it_did_not_judge(tmp_path: Path) -> None:
    """A run of one rule compares that rule's findings, and says that all others were left out."""
    both = _with(database("ledger", "us-west-2"), plan=attested(paid=False))
    first = night(tmp_path, both, FIRST)
    second = night(tmp_path, COMPLIANT, SECOND, first, only="CMEK-08")
    changes = second.head["changes"]
    assert by_class(changes) == {"fixed": {PLAN}, "gone": {SCOPE, PLACED}}
    assert {each["reason"] for each in changes["lists"]["gone"]} == {"partial-run"}
    assert changes["keys"] is None


def test_the_same_baseline_gives_the_same_bytes(tmp_path: Path) -> None:
    """Judged again with the same baseline, record and page are the same to the byte."""
    first = night(tmp_path, KEYLESS, FIRST)
    inventory = str(save_inventory(tmp_path / "inventory.json", UNPAID))
    options: dict[str, Any] = {"as_of": SECOND, "baseline": str(first.folder), "fail_on_new": True}
    one = report_on(tmp_path, inventory, **options)
    two = report_on(tmp_path, inventory, report_dir=str(tmp_path / "again"), **options)
    assert (one.head | {"run": 0}, one.lines) == (two.head | {"run": 0}, two.lines)
    assert _lasting(one) == _lasting(two)


def _lasting(report: Report) -> str:
    """Return the page without the section on the run, which may differ."""
    before, _, rest = report.page.partition('<section id="run">')
    return before + rest.partition("</section>")[2]


def _open(report: Report) -> list[Finding]:
    return [finding for finding in _findings(report) if finding.status in OPEN]


def _findings(report: Report) -> Iterator[Finding]:
    return (decode_finding(line, "") for line in report.lines)


def test_what_is_missed_stays_missed(tmp_path: Path) -> None:
    """What vanished is missed in every audit of the chain, by no other evidence than that."""
    more = organization("fresh", [key("eu-west-1", 2)], [database("x", "eu-west-1")])
    first = night(tmp_path, [*KEYLESS, more], FIRST)
    second = night(tmp_path, [COMPLIANT[0]], SECOND, first)
    third = night(tmp_path, [COMPLIANT[0]], THIRD, second)
    gone = {VANISHED, ("CMEK-14", "fresh", "organization-missing")}
    assert by_class(second.head["changes"])["new"] == gone
    assert by_class(third.head["changes"]) == {"unchanged": gone}
