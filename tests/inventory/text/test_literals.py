"""Many literals are searched for at once, and found exactly where ``in`` finds one of them."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.text import literals
from inventory.text.literals import LiteralSearch
from tests.hypothesis_profile import examples

LITERALS = st.lists(st.binary(min_size=1, max_size=6), max_size=6)
FEW_BYTES = st.lists(st.sampled_from([b"a", b"b", b"\xc3", b"\xa9", b"\n", b"*"])).map(b"".join)


@examples(200)
@given(
    searched=LITERALS | st.lists(FEW_BYTES.filter(bool), max_size=60), block=st.binary() | FEW_BYTES
)
def test_same_as_in(searched: list[bytes], block: bytes) -> None:
    """Any bytes are found in any bytes: such as are no text, and such as mean more in patterns."""
    assert LiteralSearch(searched).is_in(block) == any(literal in block for literal in searched)


@examples(100)
@given(place=st.integers(0, 40), size=st.integers(1, 12))
def test_found_across_pieces(place: int, size: int) -> None:
    """A literal is found wherever it begins, however the block is cut into pieces."""
    literal = bytes(range(65, 65 + size))
    block = b"." * place + literal + b"." * 20
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(literals, "_PIECE", 7)
        assert LiteralSearch([b"-", literal]).is_in(block)
        assert not LiteralSearch([b"-", literal + b"!"]).is_in(block)


def test_large_block() -> None:
    """In a block of several pieces the last bytes are found, and what is not there is not."""
    block = b"." * 1_000_000 + b"needle"
    found = [LiteralSearch([literal]).is_in(block) for literal in (b"needle", b"needles")]
    assert found == [True, False]


def test_shows_no_literal() -> None:
    """Neither its repr nor a copy nor a pickle of it shows what is searched for."""
    search = LiteralSearch([b"not-a-real-secret", b"nor-this-one"])
    assert repr(search) == "LiteralSearch(2 literals)"
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"^what is searched for is not written down$"):
            write(search)
