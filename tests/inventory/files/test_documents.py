"""Reading YAML and JSON as plain data."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import Problem
from inventory.files.documents import (
    MOST_ALIASED,
    MOST_NESTED,
    UTF_8,
    field_name,
    read_document,
    read_text,
)
from tests.hypothesis_profile import examples


def read(text: str | bytes, file: str = "a.yaml") -> Any:  # noqa: ANN401 (what the text holds)
    """Return the data of a text that has no problem."""
    document = read_document(file, text.encode() if isinstance(text, str) else text)
    assert document.problems == []
    return document.data


def refused(text: str | bytes, file: str = "a.yaml") -> Problem:
    """Return the one problem of a text that cannot be read at all."""
    document = read_document(file, text.encode() if isinstance(text, str) else text)
    assert document.data is None
    assert document.lines == {}
    (problem,) = document.problems
    return problem


# --- scalars --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "on",
        "off",
        "NO",
        "y",
        "N",
        "1_000",
        "0x1F",
        "0o17",
        "017",
        "1:30",
        "1e3",
        ".5",
        ".inf",
        ".nan",
        "=",
        "tRUE",
        "2026-11-20",
        "2026-11-20T02:00:00Z",
        "2026-11-20T02:00:00",
    ],
)
def test_surprising_scalars(text: str) -> None:
    """What YAML 1.1 turns into booleans, odd numbers or times stays the text that it is."""
    assert read(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1.50", 1.5),
        ("9" * 18, int("9" * 18)),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_core_scalars(text: str, value: object) -> None:
    """A plain scalar of YAML 1.2's core schema has its value; a boundless number stays text."""
    data = read(f"a: {text}")
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


@pytest.mark.parametrize("text", ["'no'", '"null"', "'1'", '"true"', "''", "|\n  7\n", ">-\n  ~"])
def test_quoted_scalars(text: str) -> None:
    """A scalar in quotes, or in a block, is text."""
    assert isinstance(read(f"a: {text}")["a"], str)


# --- YAML and JSON --------------------------------------------------------------------------------

_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdefg_-", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@examples(150)
@given(data=_plain, indent=st.sampled_from([None, 2]))
def test_yaml_and_json_agree(data: object, indent: int | None) -> None:
    """Data written as YAML and as JSON is read as the same data, and JSON is read as YAML too."""
    as_yaml = yaml.safe_dump(data, allow_unicode=True, sort_keys=False).encode()
    as_json = json.dumps(data, indent=indent).encode()
    assert read(as_yaml) == data
    assert read(as_json, "a.json") == data


@examples(150)
@given(data=_plain)
def test_lines_of_yaml_and_json_agree(data: object) -> None:
    """A text that is both JSON and YAML gives each of its parts the same line in both."""
    raw = json.dumps(data, indent=1, ensure_ascii=False).encode()
    in_json, in_yaml = read_document("a.json", raw), read_document("a.yaml", raw)
    assert in_json.lines == in_yaml.lines
    assert in_json.data == in_yaml.data


def test_ending_in_capitals() -> None:
    """A file named .JSON is read as JSON, by which YAML's comments are no part of it."""
    assert refused("{} # a comment", "A.JSON").found == "a comment"
    assert read("{} # a comment", "A.YAML") == {}


# --- lines ----------------------------------------------------------------------------------------


def test_lines_of_yaml() -> None:
    """Every part of a YAML file has its line; a value under a key has the line of the key."""
    text = "# head\na:\n  - b: 1\n    c:\n      - x\n\n  - - y\n    - z\nd: >\n  long\n"
    assert read_document("a.yaml", text.encode()).lines == {
        (): 2,
        ("a",): 2,
        ("a", 0): 3,
        ("a", 0, "b"): 3,
        ("a", 0, "c"): 4,
        ("a", 0, "c", 0): 5,
        ("a", 1): 7,
        ("a", 1, 0): 7,
        ("a", 1, 1): 8,
        ("d",): 9,
    }


def test_lines_of_json() -> None:
    """Every part of a JSON file has its line, whatever its strings hold."""
    text = '{\n"a":\n[{"b": "}],\\"\\n{["},\n  [null,\n  -1.5e3, true]], "": {}\n}'
    document = read_document("a.json", text.encode())
    assert document.data == {"a": [{"b": '}],"\n{['}, [None, -1500.0, True]], "": {}}
    assert document.lines == {
        (): 1,
        ("a",): 2,
        ("a", 0): 3,
        ("a", 0, "b"): 3,
        ("a", 1): 4,
        ("a", 1, 0): 4,
        ("a", 1, 1): 5,
        ("a", 1, 2): 5,
        ("",): 5,
    }


def test_nothing_but_comments() -> None:
    """A YAML file of nothing but comments holds nothing."""
    assert read_document("a.yaml", b"# nothing\n") == (None, {(): 1}, [])


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_duplicate_keys(file: str) -> None:
    """A key that stands twice in one mapping is a problem, wherever it is and however spelled."""
    raw = b'{"a": {"b": 1,\n "\\u0062": 2}, "c": [{"d": {}}, {"d": 1,\n"e": 2, "d": 3}],\n"a": 4}'
    twice = "a duplicate key"
    assert set(read_document(file, raw).problems) == {
        Problem(file, 2, "a.b", twice, "each key once"),
        Problem(file, 3, "c[1].d", twice, "each key once"),
        Problem(file, 4, "a", twice, "each key once"),
    }


def test_keys_that_are_no_text() -> None:
    """A list or a mapping as key is a problem."""
    problems = read_document("a.yaml", b"x:\n  ? [a]\n  : b\n  ? {c: d}\n  : e\n").problems
    assert problems == [
        Problem("a.yaml", line, "x", "a list or mapping as key", "text as key") for line in (2, 4)
    ]


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("!!str", "null", None),
        ("!!binary", "aGk=", "aGk="),
        ("!!set", "{b}", {"b": None}),
        ("!!omap", "[b: 1]", [{"b": 1}]),
        ("!!python/object/apply:os.system", "[ls]", ["ls"]),
        ("!!python/name:os.system", "''", ""),
        ("!own", "b", "b"),
    ],
)
def test_tags(tag: str, text: str, value: object) -> None:
    """A tag is a problem and has no effect."""
    document = read_document("a.yaml", f"- a: {tag} {text}".encode())
    assert document.data == [{"a": value}]
    shown = repr(tag.replace("!!", "tag:yaml.org,2002:"))
    expected = "a plain value without a tag"
    assert document.problems == [Problem("a.yaml", 1, "[0].a", f"the tag {shown}", expected)]


def test_tags_of_keys_and_documents() -> None:
    """A tag is a problem also before a key and before the whole document."""
    found = {problem.field for problem in read_document("a.yaml", b"--- !x\n!y a: 1\n").problems}
    assert found == {"", "a"}


def test_secret_in_tag_or_key() -> None:
    """A token that stands where a tag or a key should be is not repeated."""
    text = b"!AstraCS:secret a: 1\nAstraCS:secret: 1\n'AstraCS:secret': 2\n"
    problems = read_document("a.yaml", text).problems
    assert len(problems) == 2
    assert "secret" not in "".join(map(str, problems))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "{" * 100_000, "? " * 100_000, "[\n" * 100_000]
)
def test_deep_yaml(text: str) -> None:
    """YAML nested without end is refused while it is still text, not by a dead process."""
    problem = refused(text)
    assert problem.found == "too deep nesting"
    assert problem.expected == f"at most {MOST_NESTED} levels"
    assert problem.line == (MOST_NESTED + 1 if "\n" in text else 1)


def test_deepest_yaml() -> None:
    """YAML nested as deep as allowed is read."""
    assert read("[" * MOST_NESTED + "]" * MOST_NESTED)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_deep_json(text: str) -> None:
    """JSON nested without end is refused."""
    assert refused(text, "a.json") == Problem("a.json", 0, "", "too deep nesting", "JSON")


def test_alias_bomb() -> None:
    """Aliases that multiply without end are refused, small as the file is."""
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for one, two in zip("abcdefg", "bcdefgh", strict=True):
        bomb += f"{two}: &{two} [{', '.join([f'*{one}'] * 9)}]\n"
    assert refused(bomb).found == "too many aliases or too deep nesting"


def test_alias_within_itself() -> None:
    """An alias to what it stands in is refused."""
    assert refused("a: &a\n  b: *a\n").found == "too many aliases or too deep nesting"


def test_few_aliases() -> None:
    """Aliases up to the limit are read as if each stood there in full."""
    text = "a: &a {b: 1}\nc:\n" + "- *a\n" * (MOST_ALIASED // 2)
    assert read(text)["c"] == [{"b": 1}] * (MOST_ALIASED // 2)
    assert refused(text + "- *a\n").found == "too many aliases or too deep nesting"


@pytest.mark.parametrize("merge", ["<<: *a", "<<: {b: 1}"])
def test_merge_keys(merge: str) -> None:
    """YAML's merge key is a key as any other, and merges nothing."""
    assert read(f"a: &a {{b: 1}}\nc:\n  {merge}\n") == {"a": {"b": 1}, "c": {"<<": {"b": 1}}}


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("a: b\n\tc: d", 2, "a tab in the indentation"),
        ("a: 'x\n\n", 3, "a quote that is not closed"),
        ("%YAML 9.9\n---\na: b", 1, "incompatible YAML document"),
        ('a: "\\ud800"', 1, "invalid Unicode character escape code"),
    ],
)
def test_broken_yaml(text: str, line: int, found: str) -> None:
    """A text that is no YAML is refused with its line, and with what is wrong there."""
    problem = refused(text)
    assert (problem.line, problem.found) == (line, found)
    assert problem.expected.startswith("YAML")


@pytest.mark.parametrize(("character", "name"), [("\x00", "U+0000"), ("\x1b", "U+001B")])
def test_control_characters(character: str, name: str) -> None:
    """A control character is refused with its line; in JSON by the parser's words."""
    problem = Problem("a.yaml", 3, "", name, "visible characters")
    assert refused(f"é: é\n\nb: {character}") == problem
    assert refused(f'{{\n"a": "{character}"}}', "a.json").line == 2


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ('{"a": 1,\n}', 2, "a comma after the last entry"),
        ('{"a": 1}\n{}', 2, "more text after the end"),
        ("{'a': 1}", 1, "a single quote"),
        ("\ncmek-inventory: 1", 2, "YAML or other text"),
        ('{"a": NaN}', 0, "NaN is not JSON"),
        ('{"a": -Infinity}', 0, "-Infinity is not JSON"),
        ("9" * 5000, 0, "Exceeds the limit (4300 digits) for integer string conversion"),
    ],
)
def test_broken_json(text: str, line: int, found: str) -> None:
    """A text that is no JSON is refused, with its line where the parser knows it."""
    problem = refused(text, "a.json")
    assert problem.line == line
    assert problem.expected.startswith("JSON")
    assert problem.found.startswith(found)


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_byte_order_mark(file: str) -> None:
    """A byte order mark at the start is no part of the text."""
    assert read(b'\xef\xbb\xbf{"a": 1}', file) == {"a": 1}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_invalid_utf8(mark: bytes) -> None:
    """Bytes that are no UTF-8 are refused, naming the line and the first such byte."""
    problem = Problem("a.yaml", 3, "", "byte 0xff", UTF_8)
    assert refused(mark + "a: é\n\nb: ".encode() + b"\xffx") == problem
    assert read_text("a.yaml", mark + b"\xff\n") == ("", [problem._replace(line=1)])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_utf16(encoding: str, file: str) -> None:
    """A text in UTF-16 is refused by that name, with a mark at its start or without."""
    assert refused("a: 1".encode(encoding), file) == Problem(file, 0, "", "text in UTF-16", UTF_8)


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_line_ends_of_windows(file: str) -> None:
    """Lines may end as in Windows; they are counted as any others."""
    document = read_document(file, b'{"a":\r\n[1,\r\n2]}\r\n')
    assert document.data == {"a": [1, 2]}
    assert document.lines["a", 1] == 3
    assert refused('{"a":\r\n[1,\r\n', file).line in {3, 4}


# --- names of fields ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), ""),
        (("organizations", 0, "keys", 2, "region"), "organizations[0].keys[2].region"),
        ((0, 1, "cmek-inventory"), "[0][1].cmek-inventory"),
        (("a", "b c\x1b[31m"), "a.'b c\\x1b[31m'"),
        (("AstraCS:secret",), "'AstraCS:(hidden)'"),
        (("",), "''"),
        (("a", "é"), "a.'\\xe9'"),
    ],
)
def test_field_name(path: tuple[str | int, ...], name: str) -> None:
    """A path is written as people write it; names that could mislead or tell secrets are not."""
    assert field_name(path) == name


def test_long_field_name() -> None:
    """The name of a boundless key is cut."""
    assert len(field_name(("x" * 10_000,))) < 120


def test_parts_that_nobody_keeps() -> None:
    """Of each object of JSON only what is kept is in the data; a duplicate key is found still."""
    raw = b'[{"a": 1, "b": {"a": 2, "c": 3}},\n {"b": 4, "b": 5}]'
    document = read_document(
        "a.json", raw, lambda data: {name: data[name] for name in data.keys() & {"a", "b"}}
    )
    assert document.data == [{"a": 1, "b": {"a": 2}}, {"b": 5}]
    assert document.problems == [Problem("a.json", 2, "[1].b", "a duplicate key", "each key once")]
    assert document.lines[1, "b"] == 2
