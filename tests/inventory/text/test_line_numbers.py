"""The line of a position in a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inventory.text.line_numbers import _BLOCK, LineNumbers


@given(st.text("a\n\r\u2028", max_size=40), st.sampled_from([0, 1, 3]), st.data())
def test_every_position_has_its_line(text: str, times: int, data: st.DataObject) -> None:
    """A line ends with a newline and nothing else, however long the text is."""
    whole = text + "a\n" * (times * _BLOCK // 4) + text
    position = data.draw(st.integers(0, len(whole)))
    assert LineNumbers(whole).at(position) == whole[:position].count("\n") + 1
