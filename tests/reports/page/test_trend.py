"""The chart of the last audits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from reports.formats.html import render
from reports.page.trend import BASELINE, Trend, TrendColumn, TrendPiece, lay_out_trend, trend_of
from tests.reports.comparing import FIRST, PROTECTION, SECOND, entry, every_change
from tests.reports.recording import RUN, record
from tests.reports.samples import Page

if TYPE_CHECKING:
    from pathlib import Path

    from reports.model.protection import Protection


def numbers(protected: int, unproven: int, unprotected: int) -> Protection:
    return {
        "protected": protected,
        "unprotected": unprotected,
        "unproven": unproven,
        "astra_provided": 0,
        "waived": 0,
    }


def page(tmp_path: Path, *earlier: Any, **more: Any) -> Page:  # noqa: ANN401 (parts of a head)
    """Render the page of an audit without findings that lists ``earlier`` audits."""
    made = record(tmp_path)
    head: Any = {**made.head, "run": RUN, "trend": list(earlier), **more}
    return Page(render(head, made.findings.splitlines(keepends=True)))


def test_nothing_is_drawn_without_an_earlier_audit() -> None:
    """One audit is no trend, so there is no column."""
    assert lay_out_trend([], entry(), None) == Trend((), 150, "", "", "")


def test_columns_of_audits() -> None:
    """A column has its protected databases below, those without proof above, the others on top."""
    first, second = entry(FIRST), entry(SECOND, protection=numbers(18, 9, 9))
    trend = lay_out_trend([first], second, None)
    assert trend.columns == (
        TrendColumn(4, first, (), None),
        TrendColumn(
            30,
            second,
            (
                TrendPiece("pass", BASELINE - 36, 36),
                TrendPiece("inconclusive", BASELINE - 54, 18),
                TrendPiece("fail", BASELINE - 72, 18),
            ),
            36,
        ),
    )
    assert trend.label == (
        "Databases proven to be encrypted with customer keys in 2 audits from 2026-11-20 to "
        "2026-11-21: not recorded, 18 of 36"
    )
    assert trend.caution == ""


def test_audits_of_different_size() -> None:
    """If the audits are not of equally many organizations or databases, the page says so."""
    small = entry(FIRST, protection=numbers(1, 0, 0))
    large = entry(SECOND, organizations=2, protection=numbers(1, 0, 1_000))
    trend = lay_out_trend([small], large, None)
    assert trend.caution == (
        "The audits are of 1 to 2 organizations and 1 to 1,001 databases, "
        "so compare them with care."
    )


_counts = st.integers(0, 10**6)
_protection = st.builds(numbers, _counts, _counts, _counts)


@given(protections=st.lists(st.none() | _protection, min_size=2, max_size=12))
def test_what_is_not_protected_is_always_seen(protections: list[Protection | None]) -> None:
    """Every state of any database has a piece inside of the chart, and no other has one."""
    first, *others = [entry(protection=protection) for protection in protections]
    for column in lay_out_trend([first, *others[:-1]], others[-1], None).columns:
        states = column.entry["protection"]
        named = ("protected", "pass"), ("unproven", "inconclusive"), ("unprotected", "fail")
        expected = [css for name, css in named if states and states[name]]  # type: ignore[literal-required]
        assert [piece.css for piece in column.pieces] == expected
        assert all(piece.y >= 0 and piece.height >= 3 for piece in column.pieces)
        bottoms = [piece.y + piece.height for piece in column.pieces]
        assert bottoms == [BASELINE, *(piece.y for piece in column.pieces)][: len(bottoms)]


def test_changes_since_the_baseline() -> None:
    """What became of the findings is said with every class that has any, for better and worse."""
    assert lay_out_trend([], entry(), every_change()).changes == (
        "Since 2026-11-20: findings 1 new, 1 reopened, 1 worsened, 1 unclear, 1 unchanged, "
        "1 fixed, 1 superseded, 1 waived, 1 gone."
    )


def test_the_page_shows_the_trend_twice(tmp_path: Path) -> None:
    """The page has the chart with its words, and the same audits as a table."""
    shown = page(
        tmp_path, entry(FIRST), entry(SECOND, "b", protection=PROTECTION), protection=PROTECTION
    )
    labels = [attrs["aria-label"] for tag, attrs in shown.tags if tag == "svg"]
    assert labels[-1].endswith(": not recorded, 4 of 14, 4 of 14")
    assert "The last 3 audits as a table" in shown.text
    assert "2026-11-21 03:00:00 bbbbbbbbbbbb not compliant 1 4 4 6 0 1 1" in shown.text
    assert "2026-11-20 03:00:00 aaaaaaaaaaaa not compliant 1 not recorded 1" in shown.text
    assert [attrs["class"] for tag, attrs in shown.tags if tag == "rect"][-7:] == [
        "unrecorded",
        *("pass", "inconclusive", "fail") * 2,
    ]


def test_a_page_without_a_trend(tmp_path: Path) -> None:
    """Without any earlier audit the page says how to get a trend."""
    assert "No earlier audit was given, so there is no trend." in page(tmp_path).text


def test_a_record_of_an_older_version_has_no_trend(tmp_path: Path) -> None:
    """A record that lists no earlier audits is shown without any."""
    head = record(tmp_path).head
    del head["trend"]
    assert trend_of(head).columns == ()
