"""What is wrong with a text that is no YAML or no JSON, in plain words."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from inventory.files.documents import read_document
from inventory.files.syntax_errors import yaml_mistake

INDENTED = "YAML, which is indented by spaces alone"
COLUMNS = "YAML: the fields of one entry begin in one column, and its list items in one column"
FIELD = "YAML: one field a line, and quotes around text that holds a colon and a space"
CLOSED = "YAML: each quote and each bracket is closed"
QUOTED = "YAML: it is in quotes"
NO_BREAK = "a non-breaking space (U+00A0)"
OTHERWISE = "a line with different indentation"
COLON = "a colon where no field can begin"

YAML = {
    "\ta: 1": (1, "a tab in the indentation", INDENTED),
    "a:\n  \t- b": (2, "a tab in the indentation", INDENTED),
    "a:\n  b: 1\n c: 2": (3, OTHERWISE, COLUMNS),
    "- a\nb: 1": (2, OTHERWISE, COLUMNS),
    "a: b: c": (1, COLON, FIELD),
    "a: 1\n  b: 2": (2, COLON, FIELD),
    "a:\u00a01\nb: 2": (2, f"{COLON}, near {NO_BREAK}", f"{FIELD}; write ordinary spaces"),
    "a: \u201cx: y\u201d": (
        1,
        f"{COLON}, near a curly quote (U+201C)",
        f"{FIELD}; write straight quotes",
    ),
    "a: @x": (1, "a value that begins with '@'", QUOTED),
    "a: `x": (1, "a value that begins with '`'", QUOTED),
    "a: %x": (1, "a value that begins with '%'", QUOTED),
    "a: *x": (1, "an undefined alias", "YAML: quotes around text that begins with *"),
    "a: 'x": (1, "a quote that is not closed", CLOSED),
    "a: [1,\n 2\n": (3, "a bracket that is not closed", CLOSED),
    "a: {b: 1\n": (2, "a bracket that is not closed", CLOSED),
    "a: 1\nb\nc: 1": (3, "a line without a colon", FIELD),
    'a: "C:\\data"': (
        1,
        "a backslash in double quotes",
        "YAML: single quotes around text with backslashes",
    ),
    "a: 1\n---\nb: 2": (2, "a second document, after ---", "one document in the file"),
    "a: ]": (1, "did not find expected node content", "YAML"),
}

OPEN = "JSON: a quote at its end"
WORD = ("a word without quotes", "JSON: double quotes around text and names of fields")
COMMENT = ("a comment", "JSON, which has no comments")
COMMA = ("a comma after the last entry", "JSON: no comma before a closing bracket")
EARLY = ("truncated JSON", "JSON: each bracket is closed")
OTHER = ("YAML or other text", "JSON, or the ending .yaml for YAML")

JSON = {
    "cmek-inventory: 1\n": (1, *OTHER),
    "---\na: 1\n": (1, *OTHER),
    "# ours\na: 1\n": (1, *OTHER),
    "- a: 1\n": (1, *OTHER),
    '{"a": 1,\n}': (2, *COMMA),
    '{"a": [1, 2,\n]}': (2, *COMMA),
    '{"a": 1, // ours\n"b": 2}': (1, *COMMENT),
    '{\n/* ours */ "a": 1}': (2, *COMMENT),
    '{"a": 1\n# ours\n}': (2, *COMMENT),
    "{'a': 1}": (1, "a single quote", "JSON: double quotes around text"),
    '{"a": \u201cx\u201d}': (1, "a curly quote (U+201C)", "JSON: straight quotes"),
    '{\u00a0"a": 1}': (1, NO_BREAK, "JSON: ordinary spaces"),
    "{a: 1}": (1, *WORD),
    '{"a": True}': (1, *WORD),
    '{"a": yes}': (1, *WORD),
    '{"a": 1 "b": 2}': (1, "no comma", "JSON: a comma between two entries"),
    '{"a" 1}': (1, "no colon", "JSON: a colon after the name of a field"),
    '{"a": 1} {}': (1, "more text after the end", "JSON: one document in the file"),
    '{"a": 1': (1, *EARLY),
    '{"a":\n': (2, *EARLY),
    "": (1, *EARLY),
    '{"a": "x\ny"}': (
        1,
        "a line break or a tab in a text",
        r"JSON: \n or \t, or a quote at the text's end",
    ),
    '{"a": "C:\\data"}': (1, "a backslash", r"JSON: \\ where a backslash is meant"),
    '{"a": "x': (1, "a text that is not closed", OPEN),
    '{"a": +}': (1, "expecting value", "JSON"),
}


@pytest.mark.parametrize(("text", "line", "found", "expected"), [(a, *b) for a, b in YAML.items()])
def test_yaml(text: str, line: int, found: str, expected: str) -> None:
    """What is no YAML is reported with its line, what was found, and what was expected."""
    [problem] = read_document("a.yaml", text.encode()).problems
    assert (problem.line, problem.found, problem.expected) == (line, found, expected)


@pytest.mark.parametrize(("text", "line", "found", "expected"), [(a, *b) for a, b in JSON.items()])
def test_json(text: str, line: int, found: str, expected: str) -> None:
    """What is no JSON is reported with its line, what was found, and what was expected."""
    [problem] = read_document("a.json", text.encode()).problems
    assert (problem.line, problem.found, problem.expected) == (line, found, expected)


def test_an_error_without_a_place() -> None:
    """An error of YAML that names no place is reported all the same."""
    assert yaml_mistake("", yaml.MarkedYAMLError(problem="but found x")) == ("x", "YAML")


SECRET = "hunter2"
SIGNS = [": ", "  ", "- ", "---\n", *"\n\t'\"[]{},*&%\\#\u00a0\u201cab"]
PARTS = st.sampled_from([SECRET, *SIGNS])


@given(st.lists(PARTS, max_size=12), st.sampled_from(["a.yaml", "a.json"]))
def test_nothing_is_repeated(parts: list[str], file: str) -> None:
    """Whatever a broken text holds, no word of it is repeated, and one line says what is wrong."""
    document = read_document(file, "".join(parts).encode())
    broken = [problem for problem in document.problems if document.data is None]
    event("broken" if broken else "read")
    for problem in broken:
        assert SECRET not in str(problem)
        assert str(problem).isprintable()


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """What Python's json refuses is reported as a mistake, whatever it is."""
    raw = text.encode("utf-8", "surrogatepass").replace(b"\0", b"")
    document = read_document("a.json", raw)
    try:
        json.loads(raw.removeprefix(b"\xef\xbb\xbf").decode())
    except ValueError:
        assert document.problems
