"""Recorded inventories in NDJSON, read as a stream."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, get_args

import pytest

from inventory.errors import EvidenceError, InventoryError, Problem
from inventory.files import ndjson
from inventory.files.documents import UTF_8
from inventory.files.ndjson import NdjsonReader
from inventory.files.yaml_json import LISTS, read_recorded
from inventory.model.base import NEWER_HINT
from inventory.model.gaps import Fact, Gap
from inventory.model.sources import Evidence, Source
from inventory.opening import read_file
from tests.builders import (
    CAPTURED_AT,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    cloud_key_data,
    database_data,
    document_data,
    key_data,
    ndjson_lines,
    ndjson_text,
    organization_data,
    planned_data,
    uuid,
    write_ndjson,
    write_text,
    write_yaml,
)

EVIDENCE = Evidence(
    root="0" * 64,
    previous=None,
    tool="cmek-audit 0",
    address="astra.example",
    started=CAPTURED_AT,
    ended=CAPTURED_AT,
    requests=1,
    failures=0,
    redactions=0,
    clock_seconds=None,
    files=1,
)
WHOLE = "a complete JSON object on each line"
SECRET = ("what looks like a token", "a file without secrets")
TWICE = ("a duplicate key", "each key once")
FIRST = "kind: inventory on the first line"
NAME = "truncated JSON"
KINDS = (
    "a kind: organization, key, database, region-view, vendor-account, cloud-key, support-case, "
    "reading or end"
)


def rich() -> list[dict[str, Any]]:
    """Return two organizations of which one states something of each kind."""
    place = {"type": "serverless", "provider": "aws", "region": "us-east-2"}
    one = organization_data(
        databases=[database_data(), database_data(id=uuid(7), name="a é"), planned_data()],
        region_views=[place | {"key_id": None}],
        vendor_accounts=[place | {"account": "444455556666"}],
        cloud_keys=[cloud_key_data()],
        support_cases=[place | {"ticket": "TS1", "by": "acme-ops", "on": "2026-11-01"}],
        readings=[{"fact": "identity", "address": "/v2/currentOrg", "requests": 1, "answers": {}}],
        gaps=[{"fact": "region-views", "reason": "refused"}],
    )
    return [one, organization_data(id=OTHER_ORGANIZATION, name="acme-test", databases=[])]


def problems(file: str) -> list[tuple[int, str, str, str]]:
    """Return the problems for which a file is refused, by line, field, found and expected."""
    with pytest.raises(InventoryError) as caught:
        read_file(file)
    assert {problem.file for problem in caught.value.problems} == {file}
    return [
        (problem.line, problem.field, problem.found, problem.expected)
        for problem in caught.value.problems
    ]


def broken(path: Path, *changes: tuple[int, object]) -> list[tuple[int, str, str, str]]:
    """Return the problems of a whole file of which some lines, by number, are replaced.

    The lines are: 1 head, 2 organization, 3 key, 4 database, 5 end.
    """
    lines: list[object] = list(ndjson_lines())
    for number, line in changes:
        lines[number - 1] = line
    text = "".join(
        f"{line}\n" if isinstance(line, str) else ndjson_text([line])  # type: ignore[list-item]
        for line in lines
        if line is not None
    )
    return problems(write_text(path / "a.ndjson", text))


# --- whole files ----------------------------------------------------------------------------------


def test_stream_and_document_tell_the_same(tmp_path: Path) -> None:
    """An inventory is read alike from NDJSON and from YAML."""
    in_yaml = read_recorded(write_yaml(tmp_path / "a.yaml", document_data(*rich())))
    streamed = read_file(write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*rich())))
    dated = [
        organization.model_copy(update={"captured_at": CAPTURED_AT})
        for organization in in_yaml.organizations
    ]
    assert list(streamed.organizations) == [
        dated[0],
        dated[1].model_copy(update={"region_views": None}),
    ]


def test_lines_of_lines(tmp_path: Path) -> None:
    """Every entry has the number of its line, however it was read."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*rich()))
    one, two = read_file(file).organizations
    assert (one.line, two.line) == (2, 12)
    lines = {}
    for name in LISTS:
        assert {entry.file for entry in getattr(one, name)} == {file}
        lines[name] = [entry.line for entry in getattr(one, name)]
    assert lines == {
        "keys": [3],
        "databases": [4, 5, 6],
        "region_views": [7],
        "vendor_accounts": [8],
        "cloud_keys": [9],
        "support_cases": [10],
        "readings": [11],
    }


def test_lines_of_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of lines go on when the file is read some lines at a time."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*rich()))
    whole = read_file(file)
    monkeypatch.setattr(ndjson, "_READ", 1)
    in_pieces = read_file(file)
    assert in_pieces == whole
    assert [organization.line for organization in in_pieces.organizations] == [2, 12]


def test_stream_source(tmp_path: Path) -> None:
    """After the last organization the file is described by its size, hash, time and numbers."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*rich(), example=True))
    raw = Path(file).read_bytes()
    reader = NdjsonReader(file, "history")
    assert reader.head.example
    assert reader.is_whole
    assert [organization.id for organization in reader.organizations()] == [
        ORGANIZATION,
        OTHER_ORGANIZATION,
    ]
    assert reader.source == Source(
        path=file,
        role="history",
        format="ndjson",
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        captured_at=CAPTURED_AT,
        complete=True,
        example=True,
        organizations=2,
        keys=2,
        databases=3,
    )


def test_one_organization_at_a_time(tmp_path: Path) -> None:
    """An organization is given out before a later one is looked at."""
    lines = ndjson_lines(*rich())
    lines[-2]["kind"] = "surprise"
    reader = NdjsonReader(write_ndjson(tmp_path / "a.ndjson", lines))
    organizations = reader.organizations()
    assert next(organizations).id == ORGANIZATION
    with pytest.raises(InventoryError):
        list(organizations)


def test_nothing_after_a_problem(tmp_path: Path) -> None:
    """From the first problem on no organization is given out."""
    lines = ndjson_lines(*rich())
    lines[2]["region"] = ""
    organizations = NdjsonReader(write_ndjson(tmp_path / "a.ndjson", lines)).organizations()
    with pytest.raises(InventoryError):
        next(organizations)


def test_no_time(tmp_path: Path) -> None:
    """A file that does not say when it was recorded is read as undated."""
    recorded = read_file(write_ndjson(tmp_path / "a.ndjson", ndjson_lines(captured_at=None)))
    assert recorded.source.captured_at is None
    assert [organization.captured_at for organization in recorded.organizations] == [None]


def test_carriage_returns(tmp_path: Path) -> None:
    """Lines may end as on Windows."""
    text = ndjson_text(ndjson_lines(*rich()))
    unix = read_file(write_text(tmp_path / "a.ndjson", text))
    windows = read_file(write_text(tmp_path / "b.ndjson", text.replace("\n", "\r\n")))
    assert windows.organizations == unix.organizations


def test_byte_order_mark_of_a_stream(tmp_path: Path) -> None:
    """A byte order mark at the start is no part of the text, and anywhere else an error."""
    text = ndjson_text(ndjson_lines())
    marked = read_file(write_text(tmp_path / "a.ndjson", f"\ufeff{text}"))
    plain = read_file(write_text(tmp_path / "b.ndjson", text))
    assert marked.organizations == plain.organizations
    found = broken(tmp_path, (3, "\ufeff{}"))
    assert found[0] == (3, "", "an invisible character (U+FEFF)", WHOLE)


# --- files that are cut short ---------------------------------------------------------------------


def test_every_truncation(tmp_path: Path) -> None:
    """A file cut anywhere before its end is an error, or every organization of it has gaps."""
    raw = ndjson_text(ndjson_lines(*rich())).encode()
    file = tmp_path / "a.ndjson"
    outcomes = set()
    for size in range(len(raw) - 1):
        file.write_bytes(raw[:size])
        try:
            recorded = read_file(str(file))
        except InventoryError as error:
            outcomes.add("error" if error.problems else "an error without a reason")
        else:
            assert not recorded.source.complete
            for organization in recorded.organizations:
                assert {gap.fact for gap in organization.gaps} == set(get_args(Fact))
            outcomes.add("gaps")
    assert outcomes == {"error", "gaps"}


def test_without_end_record(tmp_path: Path) -> None:
    """Without its end record all that a file holds is given out, with gaps that say why."""
    recorded = read_file(write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*rich())[:-1]))
    assert not recorded.source.complete
    detail = "the file ended without its end record"
    one, two = recorded.organizations
    gaps = {
        Gap.model_validate({"fact": fact, "reason": "cut-short", "detail": detail})
        for fact in get_args(Fact)
    }
    assert set(two.gaps) == gaps
    assert set(one.gaps) == gaps | {Gap(fact="region-views", reason="refused")}
    assert len(one.databases or ()) == 3


def test_last_line_without_newline(tmp_path: Path) -> None:
    """The last line needs no newline."""
    text = ndjson_text(ndjson_lines()).rstrip("\n")
    assert read_file(write_text(tmp_path / "a.ndjson", text)).source.complete


@pytest.mark.parametrize("count", ["organizations", "keys", "databases", "region_views"])
@pytest.mark.parametrize("more", [1, 1000])
def test_counts_that_disagree(tmp_path: Path, count: str, more: int) -> None:
    """An end record that counts otherwise than the lines is an error."""
    end = ndjson_lines()[-1]
    kind = count.replace("_", "-").removesuffix("s")
    expected = f"{end[count] + more:,}, as the end record says"
    assert broken(tmp_path, (5, end | {count: end[count] + more})) == [
        (5, count, f"{end[count]} {kind} lines", expected)
    ]


def test_lost_line(tmp_path: Path) -> None:
    """A line that was lost from the middle is missed by the end record."""
    found = broken(tmp_path, (4, None))
    assert found == [(4, "databases", "0 database lines", "1, as the end record says")]


NEWER = f"1; {NEWER_HINT}"
NUMBER = "a whole number, such as 10"


@pytest.mark.parametrize(
    ("end", "field", "found", "expected"),
    [
        ({"kind": "end"}, "organizations", "nothing", "a value"),
        ({"organizations": "1"}, "organizations", "'1'", "a whole number, without quotes"),
        ({"organizations": True}, "organizations", "true", NUMBER),
        ({"keys": -1}, "keys", "-1", "greater than or equal to 0"),
        ({"lines": 4}, "lines", "an unknown field", "only the documented fields"),
    ],
)
def test_broken_end_record(
    tmp_path: Path, end: dict[str, object], field: str, found: str, expected: str
) -> None:
    """An end record that does not count is an error."""
    whole = ndjson_lines()[-1]
    record = end if "kind" in end else whole | end
    assert (5, field, found, expected) in broken(tmp_path, (5, record))


def test_lines_after_the_end(tmp_path: Path) -> None:
    """Nothing may follow the end record, be it a database or another end record."""
    end = ndjson_lines()[-1]
    after = "a line after the end record"
    database = {"kind": "database"} | database_data(id=uuid(8))
    text = ndjson_text([*ndjson_lines(), database, end])
    assert problems(write_text(tmp_path / "a.ndjson", text)) == [
        (6, "", after, "the end record last"),
        (7, "", after, "the end record last"),
    ]


def test_end_in_the_middle(tmp_path: Path) -> None:
    """An end record before the end is an error, even if a second one ends the file."""
    lines = ndjson_lines(*rich())
    lines.insert(8, lines[-1])
    found = problems(write_ndjson(tmp_path / "a.ndjson", lines))
    after = (10, "", "a line after the end record", "the end record last")
    assert found[0] == after
    assert (9, "", *after[2:]) not in found


# --- lines that cannot be used --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "field", "found", "expected"),
    [
        ("", "", "an empty line", WHOLE),
        ("  ", "", "an empty line", WHOLE),
        ("# a", "", "YAML or other text", WHOLE),
        ("{", "", NAME, WHOLE),
        ("[]", "", "an empty list", "a JSON object on each line"),
        ("null", "", "nothing", "a JSON object on each line"),
        ("[" * 100_000, "", "too deep nesting", "a JSON object"),
        ('{"kind": NaN}', "", "nan is not json", WHOLE),
        ("{}", "kind", "nothing", KINDS),
        ('{"kind": "keys"}', "kind", "'keys'", f"{KINDS}; did you mean 'key'?"),
        ('{"kind": ["key"]}', "kind", "a list of 1", KINDS),
        ('{"kind": "inventory"}', "kind", "'inventory'", KINDS),
        ('{"kind": "key", "a": 1, "a": 2}', "a", *TWICE),
        ('{"kind": "key", "b": {"a": 1, "\\u0061": 2}}', "a", *TWICE),
        ('{"AstraCS:hush": 1, "AstraCS:hush": 2}', "", *SECRET),
    ],
)  # fmt: skip
def test_broken_lines(tmp_path: Path, line: str, field: str, found: str, expected: str) -> None:
    """A line that is no object of a known kind, with each key once, is an error."""
    assert broken(tmp_path, (3, line))[0] == (3, field, found, expected)


def test_invalid_utf8_in_a_line(tmp_path: Path) -> None:
    """A line that is no UTF-8 is an error."""
    raw = ndjson_text(ndjson_lines()).encode().replace(b"acme-orders", b"acme-\xff")
    file = tmp_path / "a.ndjson"
    file.write_bytes(raw)
    assert problems(str(file))[0] == (4, "", "byte 0xff", UTF_8)


def test_mistakes_in_entries(tmp_path: Path) -> None:
    """Every mistake in an organization, a key and a database is reported at once."""
    organization = {"kind": "organization", "id": "acme"}
    key = {"kind": "key"} | key_data(type="astra")
    database = {"kind": "database"} | database_data(regions=[])
    assert (
        broken(tmp_path, (2, organization), (3, key), (4, database))
        == [
            (3, "type", "'astra'", "'serverless' or 'managed-clusters'"),
            (4, "regions", "an empty list", "at least one"),
            (2, "name", "nothing", "a value"),
            (5, "keys", "1 key lines", "1"),
        ][:3]
    )


@pytest.mark.parametrize("field", LISTS)
def test_lists_in_an_organization_line(tmp_path: Path, field: str) -> None:
    """An organization's line holds none of what has lines of its own."""
    organization = {"kind": "organization", "id": "acme", "name": "acme", field: []}
    assert broken(tmp_path, (2, organization)) == [
        (2, field, "this field in an organization line", "separate lines")
    ]


@pytest.mark.parametrize("number", [2, 3])
def test_entries_before_an_organization(tmp_path: Path, number: int) -> None:
    """A key or a database before any organization is an error."""
    lines = ndjson_lines()
    organization = lines.pop(1)
    lines.insert(number, organization)
    kinds = [line["kind"] for line in lines]
    assert problems(write_ndjson(tmp_path / "a.ndjson", lines)) == [
        (line, "kind", f"kind {kinds[line - 1]}", "an organization line before it")
        for line in range(2, number + 1)
    ]


def test_organization_twice(tmp_path: Path) -> None:
    """An organization whose lines stand in two places is an error."""
    one, two = rich()
    found = problems(write_ndjson(tmp_path / "a.ndjson", ndjson_lines(one, two, one)))
    shown = f"a duplicate organization '{ORGANIZATION}'"
    assert found == [(14, "", shown, "all its lines together")]


def test_twins_in_a_stream(tmp_path: Path) -> None:
    """A database or a key that one organization lists twice is an error."""
    organization = organization_data(
        keys=[key_data(), key_data()], databases=[database_data(), database_data(name="other")]
    )
    found = problems(write_ndjson(tmp_path / "a.ndjson", ndjson_lines(organization)))
    assert [(line, expected) for line, _, _, expected in found] == [
        (6, "each database once, first on line 5"),
        (4, "each key once, first on line 3"),
    ]


def test_no_organization(tmp_path: Path) -> None:
    """A file without any organization is an error, whatever its end record says."""
    head, end = ndjson_lines()[0], dict.fromkeys(["organizations", "keys", "databases"], 0)
    for lines in ([head], [head, {"kind": "end"} | end]):
        found = problems(write_ndjson(tmp_path / "a.ndjson", lines))
        assert found == [(len(lines), "", "no organization", "at least one")]


# --- the head -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "line", "field", "found", "expected"),
    [
        ("", 1, "", "an empty line", "the head line"),
        ("{", 1, "", NAME, WHOLE),
        ("{}", 1, "kind", "a different kind of line", FIRST),
        ('{"kind": "organization"}', 1, "kind", "a different kind of line", FIRST),
        ('{"kind": "inventory"}', 1, "cmek-inventory", "nothing", "a value"),
        ('{"kind": "inventory", "cmek-inventory": 2}', 1, "cmek-inventory", "2", NEWER),
        ('{"kind": "inventory", "format": 1}', 1, "cmek-inventory", "nothing", "a value"),
    ],
)  # fmt: skip
def test_broken_head(
    tmp_path: Path, head: str, line: int, field: str, found: str, expected: str
) -> None:
    """A file whose first line is no head is an error."""
    assert broken(tmp_path, (1, head))[0] == (line, field, found, expected)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    """A file that is missing, and a folder that is no bundle, are errors."""
    missing = str(tmp_path / "a.ndjson")
    assert problems(missing) == [(0, "", "No such file or directory", "a readable file")]
    with pytest.raises(EvidenceError) as caught:
        read_file(str(tmp_path))
    found, expected = "No such file or directory", "a readable manifest"
    assert caught.value.problems == (Problem(f"{tmp_path}/manifest.json", 0, "", found, expected),)


def test_empty_stream(tmp_path: Path) -> None:
    """An empty file is an error."""
    file = write_text(tmp_path / "a.ndjson", "")
    assert problems(file) == [(0, "", "an empty file", "an inventory in NDJSON")]
    write_text(tmp_path / "a.ndjson", "\n" + ndjson_text(ndjson_lines()))
    assert problems(file) == [(1, "", "an empty line", "the head line")]


@pytest.mark.parametrize(
    "last", ["[" * 70_000, '{"kind": "end"} ' + " " * 70_000 + "x", "1" * 9000]
)
def test_last_line_without_sense(tmp_path: Path, last: str) -> None:
    """A last line that is no end record leaves the file cut short, and is an error itself."""
    reader = NdjsonReader(write_text(tmp_path / "a.ndjson", ndjson_text(ndjson_lines()) + last))
    assert not reader.is_whole
    with pytest.raises(InventoryError):
        list(reader.organizations())


@pytest.mark.parametrize("count", [3, 20])
def test_entries_of_evidence_are_where_they_were_seen(tmp_path: Path, count: int) -> None:
    """What was seen in a recorded answer has its place; all else has its line of the inventory."""
    answers = "exchanges/0001.ndjson.gz"
    listed = [database_data(id=uuid(at), seen=f"{answers}:{at + 1}") for at in range(count)]
    unseen = [database_data(id=uuid(100 + at)) for at in range(count)]
    organization = organization_data(keys=[key_data()], databases=[*listed, *unseen])
    file = write_ndjson(tmp_path / "inventory.ndjson", ndjson_lines(organization))
    (read,) = NdjsonReader(file, bundle=("night", EVIDENCE)).organizations()
    assert [database.location for database in read.databases or ()] == [
        *((f"night/{answers}", at + 1) for at in range(count)),
        *((file, 4 + count + at) for at in range(count)),
    ]
