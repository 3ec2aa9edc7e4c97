"""Strict readers of YAML and JSON: plain data, with the line of every part.

Duplicate keys are refused, YAML's scalars are read like JSON's (``no`` is text, a time is text),
and the expansion of aliases is limited.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import yaml
from yaml.reader import ReaderError

from inventory.errors import Problem
from inventory.files.json_lines import part_lines, walk
from inventory.files.syntax_errors import json_mistake, yaml_mistake
from inventory.text.display import describe

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover (PyYAML built without its C library)
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

FieldPath = tuple[str | int, ...]
Keep = Callable[[dict[str, Any]], dict[str, Any]]
_Tags = dict[tuple[int, bool], str]

MOST_ALIASED = 10_000
MOST_NESTED = 100

UTF_8 = "text saved as UTF-8"
_WIDE = re.compile(rb"\xff\xfe|\xfe\xff|\0[^\0]\0|[^\0]\0[^\0]\0")
_PLAIN = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_BOOLEAN = {"true": True, "True": True, "TRUE": True} | dict.fromkeys(
    ("false", "False", "FALSE"), False
)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_NAME = re.compile(r"[\w-]{1,80}", re.ASCII)


class Document(NamedTuple):
    """A file's content.

    Attributes:
        data: dicts, lists, text, numbers, booleans and None.
        lines: the line of each part, by its path; a mapping's line is that of its first key.
        problems: duplicate keys and the like, found while reading.
    """

    data: Any
    lines: Mapping[FieldPath, int]
    problems: list[Problem]


class _UnreadableTextError(Exception):
    """The text is not a document at all; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_text(file: str, raw: bytes) -> tuple[str, list[Problem]]:
    """Decode ``raw`` as UTF-8, with or without a byte order mark."""
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if _WIDE.match(raw):
        return "", [Problem(file, 0, "", "text in UTF-16", UTF_8)]
    try:
        return raw.decode("utf-8"), []
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return "", [Problem(file, line, "", f"byte 0x{raw[error.start]:02x}", UTF_8)]


def read_document(file: str, raw: bytes, keep: Keep | None = None) -> Document:
    """Read ``raw`` by the ending of ``file``: ``.json`` as JSON, everything else as YAML.

    Of JSON, ``keep`` returns the part to keep of each object, the inner ones first. A part that it
    drops has its line still, but not in the iteration over all lines.

    Never raises. If the text cannot be read, ``problems`` has the reason and ``data`` is None.
    """
    text, problems = read_text(file, raw)
    if problems:
        return Document(None, {}, problems)
    try:
        is_json = file.lower().endswith(".json")
        return _read_json(file, text, keep) if is_json else _read_yaml(file, text)
    except _UnreadableTextError as unreadable:
        return Document(None, {}, [unreadable.problem])


def field_name(path: FieldPath) -> str:
    """Render a path as people write it: ``organizations[0].keys[2].region``."""
    text = ""
    for part in path:
        name = part if _NAME.fullmatch(str(part)) else describe(part)
        text += f"[{part}]" if isinstance(part, int) else f".{name}" if text else str(name)
    return text


def refuse_constant(name: str) -> Any:  # noqa: ANN401 (json wants a function of this shape)
    """Refuse ``NaN`` and ``Infinity``, which Python's json reads although JSON has none."""
    message = f"{name} is not JSON"
    raise ValueError(message)


# --- JSON ---------------------------------------------------------------------------------------


def _read_json(file: str, text: str, keep: Keep | None) -> Document:
    objects = _Objects(keep)
    try:
        data = json.loads(text, object_pairs_hook=objects.build, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        problem = Problem(file, error.lineno, "", *json_mistake(error))
        raise _UnreadableTextError(problem) from None
    except (ValueError, RecursionError) as error:
        problem = Problem(file, 0, "", _json_failure(error), "JSON")
        raise _UnreadableTextError(problem) from None
    # Data keeps only the last of two equal keys, so a second walk finds the lines of both.
    parts = walk(text) if objects.have_duplicates else ()
    problems = [_duplicate(file, line, path) for path, line, is_repeated in parts if is_repeated]
    return Document(data, part_lines(text, data), problems)


class _Objects:
    """Builds the objects of a JSON text, and notes whether any has a duplicate key."""

    def __init__(self, keep: Keep | None) -> None:
        self.have_duplicates = False
        self._keep = keep

    def build(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        data = dict(pairs)
        if len(data) < len(pairs):
            self.have_duplicates = True
        return self._keep(data) if self._keep else data


def _json_failure(error: Exception) -> str:
    return "too deep nesting" if isinstance(error, RecursionError) else str(error).split(";")[0]


def _duplicate(file: str, line: int, path: FieldPath) -> Problem:
    return Problem(file, line, field_name(path), "a duplicate key", "each key once")


# --- YAML ---------------------------------------------------------------------------------------


def _read_yaml(file: str, text: str) -> Document:
    try:
        tags = _read_tags(file, text)
        node = yaml.compose(text, Loader=_Loader)
    except ReaderError as error:
        raise _UnreadableTextError(_unprintable(file, text, error)) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = Problem(file, line, "", *yaml_mistake(text, error))
        raise _UnreadableTextError(problem) from None
    if node is None:
        return Document(None, {(): 1}, [])
    walk = _NodeReader(file, tags)
    return Document(walk.value(node, ()), walk.lines, walk.problems)


def _read_tags(file: str, text: str) -> _Tags:
    """Return the explicit tags, by position and whether the node is a scalar.

    The text is read as flat events first. ``yaml.compose`` recurses in C, so deep nesting would
    overflow the stack and kill the process. The composed nodes no longer say whether a tag was
    explicit either.
    """
    tags: _Tags = {}
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        mark: Any = event.start_mark
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_NESTED:
            line, expected = mark.line + 1, f"at most {MOST_NESTED} levels"
            raise _UnreadableTextError(Problem(file, line, "", "too deep nesting", expected))
        tag = getattr(event, "tag", None)
        if tag is not None:
            tags[mark.index, isinstance(event, yaml.ScalarEvent)] = tag
    return tags


def _unprintable(file: str, text: str, error: ReaderError) -> Problem:
    line = text.encode()[: error.position].count(b"\n") + 1
    return Problem(file, line, "", f"U+{error.character:04X}", "visible characters")


class _NodeReader:
    """Turns the nodes of a YAML document into data."""

    def __init__(self, file: str, tags: _Tags) -> None:
        self.file = file
        self.lines: dict[FieldPath, int] = {}
        self.problems: list[Problem] = []
        self._tags = tags
        self._seen: set[int] = set()
        self._aliased = 0

    def value(self, node: yaml.Node, path: FieldPath) -> Any:  # noqa: ANN401 (whatever the file holds)
        line = node.start_mark.line + 1
        self.lines[path] = line
        self._count(node, line, path)
        self._refuse_tag(node, line, path)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _count(self, node: yaml.Node, line: int, path: FieldPath) -> None:
        # An alias gives the same node again. A few nested aliases can stand for billions of parts,
        # so every repeated visit counts against the limit.
        if id(node) in self._seen:
            self._aliased += 1
        self._seen.add(id(node))
        if self._aliased > MOST_ALIASED or len(path) > MOST_NESTED:
            found = "too many aliases or too deep nesting"
            expected = f"at most {MOST_ALIASED:,} repeated parts and {MOST_NESTED} levels"
            raise _UnreadableTextError(Problem(self.file, line, "", found, expected))

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(line, path, "a list or mapping as key", "text as key")
                continue
            key = str(key_node.value)
            self._refuse_tag(key_node, line, (*path, key))
            if key in data:
                self.problems.append(_duplicate(self.file, line, (*path, key)))
            data[key] = self.value(value_node, (*path, key))
            self.lines[*path, key] = line
        return data

    def _scalar(self, node: yaml.Node) -> Any:  # noqa: ANN401 (as above)
        quoted = getattr(node, "style", None) in {"'", '"', "|", ">"}
        return str(node.value) if quoted else _plain_scalar(str(node.value))

    def _refuse_tag(self, node: yaml.Node, line: int, path: FieldPath) -> None:
        tag = self._tags.get((node.start_mark.index, isinstance(node, yaml.ScalarNode)))
        if tag is not None:
            self._note(line, path, f"the tag {describe(tag)}", "a plain value without a tag")

    def _note(self, line: int, path: FieldPath, found: str, expected: str) -> None:
        self.problems.append(Problem(self.file, line, field_name(path), found, expected))


def _plain_scalar(text: str) -> Any:  # noqa: ANN401 (a scalar of any kind)
    """Read a plain scalar as YAML 1.2's core schema does, so that YAML and JSON agree."""
    if text in _PLAIN:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
