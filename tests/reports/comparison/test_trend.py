"""The earlier audits that a record lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import RecordError
from reports.comparison.baseline import read_baseline
from reports.comparison.trend import AuditKind, EarlierAudit, build_trend, read_earlier
from reports.model.trend import MOST_EARLIER
from reports.record.layout import HEAD
from tests.builders import an_organization, moment
from tests.reports.comparing import FIRST, PROTECTION, SECOND, THIRD, entry, stored, write_head
from tests.reports.recording import a_finding

if TYPE_CHECKING:
    from pathlib import Path

    from reports.model.trend import TrendEntry

ACME = AuditKind(is_example=False, is_of_astra=True, organizations={"acme"})


def earlier(*entries: TrendEntry, kind: AuditKind = ACME) -> EarlierAudit:
    return EarlierAudit("audit.json", "0" * 64, kind, entries)


def head_of(folder: Path) -> Any:  # noqa: ANN401 (JSON)
    head = json.loads((folder / HEAD).read_bytes())
    return {name: value for name, value in head.items() if name not in {"report", "run"}}


# --- what is read ---------------------------------------------------------------------------------


def test_an_audit_in_numbers(tmp_path: Path) -> None:
    """A record gives its time, its verdict, and how many findings there are."""
    folder = stored(tmp_path, [a_finding()], [an_organization(id="acme")])
    audit = read_earlier(folder)
    head = json.loads((folder / HEAD).read_bytes())
    copied = {name: head[name] for name in ("counts", "protection")}
    expected = entry(outcome=head["verdict"]["outcome"], **copied)
    assert audit.entries == ({**expected, "report": head["report"]},)
    assert (audit.path, audit.kind) == ((folder / HEAD).as_posix(), ACME)
    assert read_baseline(folder).earlier == audit


def test_a_record_passes_its_own_trend_on(tmp_path: Path) -> None:
    """A record gives the audits that it lists, and its own with the databases it counts."""
    head = head_of(stored(tmp_path))
    head |= {"trend": [entry("2026-10-01T00:00:00Z", protection=PROTECTION)]}
    write_head(tmp_path, head | {"protection": PROTECTION})
    first, own = read_earlier(tmp_path).entries
    assert first == head["trend"][0]
    assert (own["as_of"], own["protection"]) == (FIRST, PROTECTION)


def test_a_record_of_an_older_version(tmp_path: Path) -> None:
    """A record that lists no trend and counts no databases gives its findings alone."""
    head = head_of(stored(tmp_path))
    del head["trend"], head["protection"], head["settings"]["history_files"]
    write_head(tmp_path, head)
    [own] = read_earlier(tmp_path).entries
    assert own["protection"] is None


def test_a_partial_run_is_not_listed(tmp_path: Path) -> None:
    """What was left out of an audit would look like what was fixed."""
    assert read_earlier(stored(tmp_path, left_out="3 of 16 groups")).entries == ()


def test_a_changed_record_is_refused(tmp_path: Path) -> None:
    """A record that was changed since is named, and never left out."""
    head = stored(tmp_path) / HEAD
    head.write_text(head.read_text().replace('"fail": 0', '"fail": 1'))
    with pytest.raises(RecordError, match="changed since"):
        read_earlier(tmp_path)


def test_a_record_that_no_audit_writes_is_refused(tmp_path: Path) -> None:
    """Numbers that are none are refused by their name, however right the hashes are."""
    head = head_of(stored(tmp_path))
    write_head(tmp_path, head | {"protection": {**PROTECTION, "protected": -1}})
    with pytest.raises(RecordError, match=r"protection\.protected"):
        read_earlier(tmp_path)


# --- what is listed -------------------------------------------------------------------------------


def test_audits_before_this_one_are_listed_in_order() -> None:
    """Audits are listed by their time; one of the same time, or a later one, is none before."""
    audits = [earlier(entry(as_of)) for as_of in (THIRD, SECOND, FIRST)]
    assert build_trend(audits, moment(THIRD), ACME) == [entry(FIRST), entry(SECOND)]


def test_parts_of_a_second_are_in_order() -> None:
    """Times are compared as times: as text, a part of a second would come before its second."""
    whole, part = entry("2026-11-20T03:00:00Z"), entry("2026-11-20T03:00:00.500000Z")
    assert build_trend([earlier(part, whole)], moment(SECOND), ACME) == [whole, part]


@pytest.mark.parametrize(
    ("other", "current", "is_listed"),
    [
        (ACME, ACME, True),
        (ACME, ACME._replace(organizations={"acme", "labs"}), True),
        (ACME, ACME._replace(organizations={"labs"}), False),
        (ACME, ACME._replace(organizations=set()), False),
        (ACME._replace(is_example=True), ACME, False),
        (ACME, ACME._replace(is_example=True), False),
        (ACME._replace(is_example=True), ACME._replace(is_example=True), True),
        (ACME._replace(is_of_astra=False), ACME, False),
        (ACME, ACME._replace(is_of_astra=False), True),
        (ACME._replace(is_of_astra=False), ACME._replace(is_of_astra=False), True),
    ],
)
def test_only_audits_of_the_same_kind_are_listed(
    other: AuditKind, current: AuditKind, *, is_listed: bool
) -> None:
    """An example, answers of another host, and other organizations are no trend of this audit."""
    trend = build_trend([earlier(entry(), kind=other)], moment(SECOND), current)
    assert trend == ([entry()] if is_listed else [])


_audits = st.lists(
    st.lists(
        st.builds(entry, st.dates().map(lambda day: f"{day}T03:00:00Z"), st.sampled_from("abc")),
        max_size=20,
    ).map(lambda entries: earlier(*entries)),
    max_size=5,
)


@given(audits=_audits, data=st.data())
def test_the_order_of_the_records_makes_no_difference(
    audits: list[EarlierAudit], data: st.DataObject
) -> None:
    """However records are given, and how often, the trend is the latest audits, each once."""
    other = data.draw(st.permutations(audits)) + audits
    trend = build_trend(audits, moment(SECOND), ACME)
    assert build_trend(other, moment(SECOND), ACME) == trend
    distinct = {
        (listed["as_of"], listed["report"])
        for audit in audits
        for listed in audit.entries
        if moment(listed["as_of"]) < moment(SECOND)
    }
    latest = sorted(distinct)[-MOST_EARLIER:]
    assert [(listed["as_of"], listed["report"]) for listed in trend] == latest
