"""Bars: numbers of a whole as pieces side by side."""

from hypothesis import given
from hypothesis import strategies as st

from reports.page.bars import WIDTH, Piece, lay_out_bar


def test_a_piece_for_each_number() -> None:
    """A piece is as wide as its share of the whole, and one of zero is left out."""
    assert lay_out_bar({"pass": 1, "fail": 3, "waived": 0}) == [
        Piece("pass", 0, 250),
        Piece("fail", 250, 750),
    ]


def test_nothing_to_show() -> None:
    """A bar of nothing has no pieces."""
    assert lay_out_bar({"pass": 0}) == []


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 10**9), min_size=1, max_size=9)
)
def test_pieces_fill_the_bar(numbers: dict[str, int]) -> None:
    """The pieces fill the bar without a gap, and each can be seen."""
    pieces = lay_out_bar(numbers)
    assert [piece.css for piece in pieces] == [*numbers]
    assert [piece.start for piece in pieces] == [
        sum(piece.width for piece in pieces[:place]) for place in range(len(pieces))
    ]
    assert sum(piece.width for piece in pieces) == WIDTH
    assert min(piece.width for piece in pieces) >= WIDTH // 100
