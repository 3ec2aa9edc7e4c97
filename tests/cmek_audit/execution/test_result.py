"""What a shard came to is read back as data: nothing in it is ever called."""

from __future__ import annotations

import os
import pickle
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.execution.result import dump_result, load_result
from cmek_audit.execution.shard_files import read_shard
from cmek_audit.execution.sharded import ShardedAudit
from cmek_audit.run.preparation import prepare
from inventory.system.folder_lock import FolderLock
from reports.record.recorder import HashedLines
from tests.builders import an_organization
from tests.cmek_audit.execution.audits import SERIAL, options_of, save_fleet, sharded
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from cmek_audit.execution.result import ShardResult


class _Calling:
    """What a pickle makes of a call of ``function``."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self._call


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ShardResult:
    folder = tmp_path_factory.mktemp("shards")
    prepared = prepare(options_of(folder, save_fleet(folder, [an_organization()])))
    shards: ShardedAudit = sharded(folder, prepared, 1)
    assert list(shards.judge(SERIAL)) == [1]
    return read_shard(folder, "0" * 64, 1)


def test_a_result_is_read_back(result: ShardResult) -> None:
    """All that a shard came to is there again."""
    again = load_result(dump_result(result))
    assert again.findings == result.findings
    assert again.aggregates.by_rule == result.aggregates.by_rule
    assert again.summaries == result.summaries


@pytest.mark.parametrize(
    "content",
    [
        _Calling(os.system, "true"),
        _Calling(eval, "1"),
        _Calling(getattr, "a", "upper"),
        _Calling(Path, "a"),
        _Calling(HashedLines, "a"),
        _Calling(FolderLock, "a", "b"),
        _Calling(load_result, b""),
        _Calling(pytest.skip, "a"),
    ],
)
def test_what_calls_anything_is_refused(content: _Calling) -> None:
    """A pickle that would call a function, or open a file, is no result of a shard."""
    with pytest.raises(pickle.UnpicklingError):
        load_result(pickle.dumps(content))


@pytest.mark.parametrize("content", [None, (), {"a": 1}, Counter("a"), "text"])
def test_what_is_no_result_is_refused(content: object) -> None:
    """Harmless data of another kind is refused by its type."""
    with pytest.raises(pickle.UnpicklingError, match=type(content).__name__):
        load_result(pickle.dumps(content))


@examples(200)
@given(st.binary(max_size=40))
def test_damaged_bytes_are_refused(raw: bytes) -> None:
    """Whatever the bytes are, nothing but a refusal comes of them."""
    with pytest.raises(pickle.UnpicklingError):
        load_result(raw)


def test_a_cut_result_is_refused(result: ShardResult) -> None:
    """A result that lacks its end is none."""
    with pytest.raises(pickle.UnpicklingError):
        load_result(dump_result(result)[:-10])
