"""The line of each part of a JSON text."""

from __future__ import annotations

import json
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.files.documents import FieldPath, read_document
from inventory.files.json_lines import part_lines, walk
from inventory.files.validation import line_of
from tests.hypothesis_profile import examples

SPACES = ["", "", " ", "\n", "\r\n", "\t", " \n\n "]
SCALARS = ["1", "-1.5e3", "true", "null", '""', '"a"', '"\\"}\\n"', '"é,"', '"[{"', '"\\\\"']
KEYS = ['"a"', '"\\u0061"', '"b"', '"}"', '"\\""', '""', '"a\\\\"']

Found = list[tuple[FieldPath, int, bool]]


def reference(text: str) -> Found:
    """Find path, line and repetition of each part, one token after the other."""
    found: Found = []
    tokens = list(re.finditer(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', text))

    def line(token: re.Match[str]) -> int:
        return text.count("\n", 0, token.start()) + 1

    def value(path: FieldPath) -> None:
        token = tokens.pop(0)
        if token[0] not in "{[":
            return
        names: list[str | int] = []
        while tokens[0][0] not in "}]":
            first = tokens[0]
            name = len(names) if token[0] == "[" else json.loads(tokens.pop(0)[0])
            found.append(((*path, name), line(first), name in names))
            names.append(name)
            if tokens[0][0] == ":":
                tokens.pop(0)
            value((*path, name))
            if tokens[0][0] == ",":
                tokens.pop(0)
        tokens.pop(0)

    value(())
    return found


@st.composite
def texts(draw: st.DrawFn, space: list[str], *, unique: bool) -> str:
    """Write any JSON in any layout."""

    def spaced(*tokens: str) -> str:
        return "".join(f"{draw(st.sampled_from(space))}{token}" for token in tokens)

    def value(depth: int) -> str:
        kind = draw(st.sampled_from(["scalar", "list", "object"] if depth < 4 else ["scalar"]))
        if kind == "scalar":
            return spaced(draw(st.sampled_from(SCALARS)))
        if kind == "list":
            items = [value(depth + 1) for _ in range(draw(st.integers(0, 3)))]
            return spaced("[") + spaced(",").join(items) + spaced("]")
        same = json.loads if unique else None
        keys = draw(st.lists(st.sampled_from(KEYS), max_size=3, unique_by=same))
        pairs = [spaced(key, ":") + value(depth + 1) for key in keys]
        return spaced("{") + spaced(",").join(pairs) + spaced("}")

    return value(0) + spaced("")


@examples(400)
@given(texts(SPACES, unique=True))
def test_each_part_has_its_line(text: str) -> None:
    """The lines are those that a reader of one token after the other finds."""
    expected = {(): 1} | {path: line for path, line, _ in reference(text)}
    lines = part_lines(text, json.loads(text))
    assert dict(lines) == expected
    assert len(lines) == len(expected)
    for path in expected:
        for missing in ((*path, "gone"), (*path, 7), (*path, "gone", 0)):
            assert missing not in lines
            assert line_of(lines, missing) == expected[path]


@examples(200)
@given(texts([" ", "", "\t"], unique=True), st.sampled_from(["", "\n", "\r\n \n"]))
def test_one_line(text: str, end: str) -> None:
    """Each part of a text of one line is on that, and what is not there has no line."""
    lines = part_lines(text + end, json.loads(text))
    paths = {(), *(path for path, _, _ in reference(text))}
    assert dict(lines) == dict.fromkeys(paths, 1)
    assert {missing for path in paths for missing in ((*path, "gone"), (*path, 7))} & {
        *lines
    } == set()
    assert all((*path, name) not in lines for path in paths for name in ("gone", 7))


@examples(400)
@given(texts(SPACES, unique=False))
def test_repeated_keys(text: str) -> None:
    """Each key that its object had before is found, however it is spelled, in the text's order."""
    assert list(walk(text)) == reference(text)
    problems = read_document("a.json", text.encode()).problems
    assert [problem.line for problem in problems] == [
        line for _, line, again in reference(text) if again
    ]


@examples(100)
@given(texts(SPACES, unique=False))
def test_lines_of_repeated_keys(text: str) -> None:
    """A key that is there several times has the line of the last one, whose value counts."""
    document = read_document("a.json", text.encode())
    lines: dict[FieldPath, int] = {(): 1}
    for path, line, again in reference(text):
        if again:
            lines = {part: old for part, old in lines.items() if part[: len(path)] != path}
        lines[path] = line
    assert all(number == lines[path] for path, number in document.lines.items() if "\n" in text)


def test_many_neighbours() -> None:
    """Parts far away from each other are found one after the other, in any order."""
    data = {name: [{"x": [number]} for number in range(3_000)] for name in "ab"}
    text = json.dumps(data, indent=0)
    lines = part_lines(text, data)
    rows = text.splitlines()
    for number in (0, 2_999, 1, 1_500):
        for name in "ba":
            place = lines[name, number, "x", 0]
            assert rows[place - 1] == str(number)
    assert lines["b", 0] > lines["a", 2_999]


@pytest.mark.parametrize("levels", [10, 500])
def test_deep_texts(levels: int) -> None:
    """A text that is nested as deep as it can be read has lines."""
    document = read_document("a.json", ("[\n" * levels + "]" * levels).encode())
    assert document.lines[(0,) * (levels - 1)] == levels


def test_a_text_of_one_line_takes_little_memory() -> None:
    """Reading what Terraform prints on one line takes hardly more memory than its data."""
    data = {"resource_changes": [{"address": f"a.b[{n}]", "x": [n, {}]} for n in range(5_000)]}
    raw = json.dumps(data).encode()

    def peak(*, only_data: bool) -> int:
        tracemalloc.start()
        kept = json.loads(raw) if only_data else read_document("a.json", raw)
        assert kept
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(only_data=False) < 1.2 * peak(only_data=True)
