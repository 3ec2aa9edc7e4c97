"""Files are searched for secrets while they are written, as sharply as when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import LeakError
from inventory.text.searched_files import SearchedFiles
from inventory.text.secrets import SecretSearch, refuse_leaks
from tests.hypothesis_profile import examples
from tests.inventory.live import SECRET, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

BESIDE = "AstraCS:some-other-token"
"""What looks like a token, and is none of those that are known."""


def test_written_content_with_a_secret_leaks(tmp_path: Path) -> None:
    """A file that would hold a secret is named with the others, and never gets its content."""
    files, names = SearchedFiles([TOKEN]), [tmp_path / name for name in "abcd"]
    for path, content in zip(names, ["fine", SECRET, "fine, too", BESIDE], strict=True):
        files.write(path, [content.encode()])
    with pytest.raises(LeakError) as caught:
        files.refuse_leaks([*names, tmp_path / "missing"])
    assert caught.value.files == (names[1], names[3])
    assert [path.read_bytes() for path in names] == [b"fine", b"", b"fine, too", b""]


def test_a_file_that_was_not_watched_is_read(tmp_path: Path) -> None:
    """What another program writes is searched in the end, and so is what one changed since."""
    files, other, changed = SearchedFiles([TOKEN]), tmp_path / "other", tmp_path / "changed"
    other.write_text(SECRET, encoding="utf-8")
    files.write(changed, [b"fine"])
    files.refuse_leaks([changed, tmp_path])
    changed.write_text(f"fine {SECRET}", encoding="utf-8")
    with pytest.raises(LeakError) as caught:
        files.refuse_leaks([changed, other])
    assert caught.value.files == (changed, other)


def test_a_file_that_is_written_again_counts_as_it_is(tmp_path: Path) -> None:
    """What a file held before it was written again is forgotten."""
    files, path = SearchedFiles([TOKEN]), tmp_path / "a"
    files.write(path, [SECRET.encode()])
    files.write(path, [b"fine"])
    files.refuse_leaks([path])
    assert path.read_bytes() == b"fine"


def test_no_block_of_a_file_with_a_secret_is_left(tmp_path: Path) -> None:
    """A secret that two blocks cut leaves the file empty, and what would follow is not made."""
    files, path = SearchedFiles([TOKEN]), tmp_path / "a"
    raw = SECRET.encode()
    blocks = iter([b"fine", raw[:9], raw[9:], b"not made"])
    files.write(path, blocks)
    with pytest.raises(LeakError):
        files.refuse_leaks([path])
    assert [path.read_bytes(), *blocks] == [b"", b"not made"]


@examples(100)
@given(cuts=st.lists(st.integers(0, 5_200), max_size=4), place=st.integers(4_000, 5_000))
def test_a_secret_across_blocks_is_found(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], place: int
) -> None:
    """Wherever what is written is cut into blocks, a secret in it is found as in the whole."""
    text = f"{'x' * place}{SECRET}{'x' * 100}".encode()
    path = tmp_path_factory.mktemp("cut") / "file"
    files = SearchedFiles([TOKEN])
    watch = files.watch(path)
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(text)], strict=True):
        watch(text[begin:end])
    path.write_bytes(text)
    for search in (files.refuse_leaks, lambda found: refuse_leaks(found, [TOKEN])):
        with pytest.raises(LeakError):
            search([path])


def test_search_shows_nothing_of_its_secrets() -> None:
    """Whatever renders the search shows how many texts it looks for, and none of them."""
    search = SecretSearch([TOKEN])
    assert not hasattr(search, "__dict__")
    assert [search.is_in(SECRET.encode()), search.is_in(BESIDE.encode())] == [True, True]
    assert SecretSearch().is_in(b"fine") is False


def test_a_stream_with_a_secret_stays_one_whatever_follows(tmp_path: Path) -> None:
    """What is written after a secret is counted, and makes the file no better."""
    files, path = SearchedFiles([TOKEN]), tmp_path / "file"
    watch = files.watch(path)
    for block in (SECRET.encode(), b"fine"):
        watch(block)
    path.write_bytes(SECRET.encode() + b"fine")
    with pytest.raises(LeakError):
        files.refuse_leaks([path])
