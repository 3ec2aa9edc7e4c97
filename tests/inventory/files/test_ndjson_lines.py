"""Single lines of an inventory in NDJSON, and databases read in one step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inventory.errors import InventoryError, Problem
from inventory.files.ndjson_lines import BadLineError, parse_line, read_database
from inventory.model.database import Database, DatabaseRegion
from inventory.model.organization import Organization
from inventory.opening import read_file
from tests.builders import (
    CAPTURED_AT,
    database_data,
    ndjson_lines,
    ndjson_text,
    organization_data,
    write_ndjson,
)
from tests.hypothesis_profile import examples


def problems(file: str) -> list[tuple[int, str, str, str]]:
    """Return the problems for which a file is refused, by line, field, found and expected."""
    with pytest.raises(InventoryError) as caught:
        read_file(file)
    assert {problem.file for problem in caught.value.problems} == {file}
    return [
        (problem.line, problem.field, problem.found, problem.expected)
        for problem in caught.value.problems
    ]


def slowly(raw: bytes) -> Database | None:
    """Read a database's line by way of plain data, in which no key stands twice."""
    try:
        data = parse_line(raw)
        assert data.pop("kind", None) == "database"
        return Database.model_validate(data)
    except (BadLineError, ValidationError, AssertionError):
        return None


def as_line(database: dict[str, Any]) -> bytes:
    return ndjson_text([{"kind": "database"} | database]).encode()


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"regions": ["us-east-1", "us-east-2"]},
        {"tier": "serverless"},
        {"type": "Classic", "provider": "GCP"},
        {"state": "planned", "id": None, "created_at": None, "regions": [{"name": "us-east-1"}]},
        {"encryption": "astra-provided", "reason": "public"},
        {"status": "TERMINATED"},
    ],
)
def test_databases_in_one_step(over: dict[str, Any]) -> None:
    """A database's line as the machine writes it is read in one step."""
    raw = as_line(database_data(**over))
    assert read_database(raw) is not None
    assert read_database(raw) == slowly(raw)


DISGUISES = [
    b'"name":"b",',
    b'"name" :"b",',
    b'"name"\t:"b",',
    b'"name"\r:"b",',
    b'"n\\u0061me":"b",',
    b'"name":":b",',
    b'"name"\x00:"b",',
]


@pytest.mark.parametrize("twice", DISGUISES)
@pytest.mark.parametrize("at", [b'"id"', b'"provider"', b'"created_at"', b'"name":"us'])
def test_key_twice_in_a_database(tmp_path: Path, twice: bytes, at: bytes) -> None:
    """A key that stands twice in a database's line is an error, however it is disguised."""
    lines = [ndjson_text([line]).encode() for line in ndjson_lines()]
    lines[3] = lines[3].replace(at, twice + at)
    assert read_database(lines[3]) is None
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"".join(lines))
    ((line, *_), *_) = problems(str(file))
    assert line == 4


class Pairs(list[tuple[str, Any]]):
    """A JSON object in which a key may stand more than once."""


_WORDS = ("serverless", "aws", "Classic", "planned", "TERMINATED", "2026-06-01T00:00:00Z")
_names = st.sampled_from(
    sorted({*Database.model_fields, *DatabaseRegion.model_fields, "kind", "x"})
)
_scalars = st.sampled_from(
    [None, True, 1, 1.5, "", ":", '":', '"a":1', "é", "\\", "a b", "\ud800", *_WORDS]
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.lists(st.tuples(_names, inner), max_size=3).map(Pairs)
    ),
    max_leaves=4,
)
_spaces = st.sampled_from([""] * 8 + [" ", "\t", "\r", "\n", "\x0b", "\x00"])
_pieces = st.sampled_from([b"", b" ", b'"', b"\\", b",", b":", b"}", b"\xff", b"\r", b"0"])


def written(value: object, draw: st.DrawFn) -> str:
    if isinstance(value, Pairs):
        colon = [f"{draw(_spaces)}:{draw(_spaces)}" for _ in value]
        names = [json.dumps(name) + sign for (name, _), sign in zip(value, colon, strict=True)]
        inner = [name + written(pair[1], draw) for name, pair in zip(names, value, strict=True)]
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(item, draw) for item in value) + "]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


@st.composite
def _lines(draw: st.DrawFn) -> bytes:
    """Draw a database's line in which something was replaced, added, repeated or broken."""
    regions = [Pairs(region.items()) for region in database_data(regions=["a", "b"])["regions"]]
    data = {"kind": "database"} | database_data() | {"regions": regions}
    pairs = Pairs(data.items())
    for _ in range(draw(st.integers(0, 3))):
        target = draw(st.sampled_from([pairs, *regions]))
        index = draw(st.integers(0, len(target)))
        target[index : index + draw(st.integers(0, 1))] = [(draw(_names), draw(_values))]
    text = written(pairs, draw).encode(errors="surrogatepass")
    if draw(st.booleans()):
        index = draw(st.integers(0, len(text)))
        text = text[:index] + draw(_pieces) + text[index + draw(st.integers(0, 1)) :]
    return text + draw(st.sampled_from([b"", b"\n", b"\r\n"]))


@examples(600)
@given(_lines())
def test_one_step_or_two(raw: bytes) -> None:
    """What is read in one step is what is read by way of plain data, else it is left to that."""
    quick = read_database(raw)
    if quick is not None:
        assert quick == slowly(raw)
        assert quick.stated() == (slowly(raw) or quick).stated()


def test_model_of_an_assembled_organization(tmp_path: Path) -> None:
    """An organization that was put together from lines is what its model makes of all at once."""
    (organization,) = read_file(write_ndjson(tmp_path / "a.ndjson", ndjson_lines())).organizations
    data = organization_data() | {"captured_at": CAPTURED_AT}
    assert organization == Organization.model_validate(data)


def test_locations_of_problems(tmp_path: Path) -> None:
    """A problem of a stream reads as any other."""
    file = write_ndjson(tmp_path / "a.ndjson", [*ndjson_lines()[:3], {"kind": "database"}])
    with pytest.raises(InventoryError) as caught:
        read_file(file)
    assert Problem(file, 4, "name", "nothing", "a value") in caught.value.problems
