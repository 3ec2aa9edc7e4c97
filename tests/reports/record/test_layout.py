"""The form in which the head of a record is written, and the id of a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.record import layout
from reports.record.layout import canonical, canonical_blocks, report_id, without_run
from tests.hypothesis_profile import examples
from tests.reports.recording import RUN, record

if TYPE_CHECKING:
    from pathlib import Path


@examples(50)
@given(run=st.dictionaries(st.text(), st.text() | st.integers()))
def test_the_report_id_does_not_depend_on_the_run(run: dict[str, Any]) -> None:
    """Two runs that found the same have the same report id, whatever differed between them."""
    body = {"counts": {"pass": 1}, "title": "t"}
    assert report_id({**body, "run": run, "report": "earlier"}) == report_id(body)


def test_the_head_is_written_in_ascii() -> None:
    """Whatever stands in a head, its text is ASCII, ends its last line, and reads back the same."""
    data = {"name": "ac\u202eme\x1b\U0001f511\ud800"}
    text = canonical(data)
    assert (text.isascii(), text[-1], json.loads(text)) == (True, "\n", data)


@examples(50)
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    pieces=st.integers(1, 9),
)
def test_blocks_are_the_whole(data: object, pieces: int) -> None:
    """Written block by block, whatever its blocks, a head has the bytes that it has as a whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "_MOST_PIECES", pieces)
        assert b"".join(canonical_blocks(data)) == canonical(data).encode("ascii")


def test_a_head_is_kept_apart_from_its_run(tmp_path: Path) -> None:
    """Without its run a head is what it was before the run ended, and the head is left alone."""
    before = record(tmp_path).head
    head = before | {"run": RUN}
    assert (without_run(head), without_run(before), head["run"]) == (before, before, RUN)
