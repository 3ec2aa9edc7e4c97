"""Files that nobody wrote with good intent: an inventory, or an error that says where and why."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.errors import InventoryError, Problem
from inventory.history import read_history
from inventory.inventory import Inventory
from tests.builders import (
    document_data,
    key_data,
    ndjson_lines,
    ndjson_text,
    organization_data,
    plan_data,
    planned_data,
)
from tests.hypothesis_profile import examples

ENDINGS = ["yaml", "json", "ndjson"]


def use(raw: bytes, ending: str) -> int:
    """Read ``raw`` in every role; return in how many it was taken."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{ending}"
        path.write_bytes(raw)
        file = str(path)
        return sum(
            (
                taken(file, lambda: list(Inventory([file]).organizations())),
                taken(file, lambda: list(Inventory([file, file]).organizations())),
                taken(file, lambda: list(Inventory([], [file]).organizations())),
                taken(file, lambda: read_history([file]).organizations()),
            )
        )


def taken(file: str, read: Any) -> bool:  # noqa: ANN401 (a function that reads)
    """Say whether ``read`` gives anything; else it has to say where and why."""
    problems: tuple[Problem, ...] = ()
    content: object = None
    try:
        content = read()
    except InventoryError as error:
        problems = error.problems
    for problem in problems:
        assert problem.file == file
        assert problem.line >= 0
        assert problem.found
        assert problem.expected
        assert str(problem).removeprefix(file).isprintable()
    assert bool(content) != bool(problems)
    return bool(content)


def whole(ending: str) -> bytes:
    place = {"type": "serverless", "provider": "aws", "region": "us-east-2"}
    said = {"by": "acme-security", "on": "2026-11-01"}
    organization = organization_data(
        keys=[key_data(rotation=said | {"automatic": True}), key_data(region="us-west-2")],
        region_views=[place | {"key_id": None}],
        support_cases=[place | said | {"ticket": "TS1"}],
        policy={"types": {"classic": {"encryption": "astra-provided", "reason": "a trial"}}},
        gaps=[{"fact": "region-views", "reason": "refused"}],
    )
    if ending == "ndjson":
        return ndjson_text(ndjson_lines(organization)).encode()
    document = document_data(organization)
    text = json.dumps(document) if ending == "json" else yaml.safe_dump(document, sort_keys=False)
    return text.encode()


@pytest.mark.parametrize("ending", ENDINGS)
def test_whole_files(ending: str) -> None:
    """The files that are broken below are inventories and records while they are whole."""
    assert use(whole(ending), ending) == 3


_TOKENS = r"""{ } [ ] : , - " ' \ !! &a *a | > # % @ ? << --- ... ~ null NaN 1e999 \ud800 AstraCS:x
cmek-inventory {"kind":"end"} "kind":"database", é🔑 """
_tokens = st.sampled_from(
    [
        *_TOKENS.encode().split(),
        *(b"\n", b" ", b"\t", b"\0", b"\x1b[31m", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    ]
)


@pytest.mark.parametrize("ending", ENDINGS)
@examples(150)
@given(raw=st.binary(max_size=60) | st.lists(_tokens, max_size=25).map(b"".join))
@example(raw=b"[" * 100_000)
@example(raw=b"- " * 100_000)
@example(raw=b'{"a":' * 100_000)
@example(raw=b"\xff\xfea\x00")
@example(raw=b"a: &a [*a]")
def test_any_bytes(ending: str, raw: bytes) -> None:
    """Any bytes at all are refused with their place; nothing else is raised."""
    assert use(raw, ending) == 0


@pytest.mark.parametrize("ending", ENDINGS)
@examples(120)
@given(data=st.data())
def test_damaged_files(ending: str, data: st.DataObject) -> None:
    """A whole file in which something was cut, doubled or overwritten is read or refused."""
    raw = whole(ending)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 40)))
        raw = (
            raw[:start]
            + data.draw(_tokens | st.just(b"") | st.just(raw[start:end] * 2))
            + raw[end:]
        )
    assert use(raw, ending) in range(4)


_odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["planned", "unknown", "classic", "TERMINATED", "AstraCS:x", "1" * 5000])
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31"])
    | st.sampled_from(["2026-11-01", "\ud800", "\x00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "\ud800", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)


def paths(data: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every part of ``data``."""
    inner = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [path, *(deep for name, part in inner for deep in paths(part, (*path, name)))]


def changed(data: Any, path: tuple[Any, ...], value: object) -> Any:  # noqa: ANN401 (plain data)
    """Return a copy of ``data`` with ``value`` at ``path``."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = changed(data[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize("ending", ENDINGS)
@examples(150)
@given(data=st.data())
def test_odd_values(ending: str, data: st.DataObject) -> None:
    """A whole file in which any value was exchanged for any other is read or refused."""
    if ending == "ndjson":
        tree: Any = ndjson_lines(json.loads(whole("json"))["organizations"][0])
    else:
        tree = data.draw(st.sampled_from([json.loads(whole("json")), plan_data(planned_data())]))
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(paths(tree)[1:]))
        tree = changed(tree, path, data.draw(_odd))
    if ending == "ndjson":
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in tree)
    else:
        text = json.dumps(tree)
    assert use(text.encode(), ending) in range(4)
