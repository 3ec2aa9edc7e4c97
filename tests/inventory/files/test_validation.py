"""What pydantic found wrong, in words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, StrictBool, StringConstraints, ValidationError

from inventory.errors import InventoryError, Problem
from inventory.files.validation import line_of, problems_of
from inventory.files.yaml_json import read_recorded
from inventory.model.base import Day, Entry, FormatVersion, Identifier, Moment, SpelledProvider
from inventory.model.organization import Organization
from tests.builders import document_data, organization_data, write_json


def wrong(model: type[BaseModel], data: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return caught.value


class Sample(BaseModel):
    code: Annotated[str, StringConstraints(pattern="^a+$", max_length=3)] = "a"
    size: Annotated[int, Field(ge=0, strict=True)] = 0
    inner: Annotated[tuple[Annotated[int, Field(strict=True)], ...], Field(min_length=2)] = (1, 2)


class Samples(BaseModel):
    samples: Annotated[tuple[Sample, ...], Field(min_length=1)]


@pytest.mark.parametrize(
    ("data", "field", "found", "expected"),
    [
        ({"code": "b"}, "code", "'b'", "String should match pattern '^a+$'"),
        ({"code": "aaaa"}, "code", "'aaaa'", "at most 3 characters"),
        ({"size": -1}, "size", "-1", "greater than or equal to 0"),
        ({"size": True}, "size", "true", "a whole number"),
        ({"inner": [1]}, "inner", "a list of 1", "at least one"),
    ],
)
def test_any_model(data: object, field: str, found: str, expected: str) -> None:
    """A complaint of any model is reported in words."""
    problems = problems_of(wrong(Sample, data), "a.yaml", {(): 1})
    assert problems == [Problem("a.yaml", 1, field, found, expected)]


def test_list_short_by_its_bad_items() -> None:
    """A list that is too short only because its items are bad is no mistake of its own."""
    problems = problems_of(wrong(Sample, {"inner": ["a"]}), "a.yaml", {})
    assert [problem.field for problem in problems] == ["inner[0]"]


def test_lists_of_thousands_of_mistakes() -> None:
    """Ten times as many mistakes take ten times as much work, lists short by them included."""
    few, many = work_of(100), work_of(1_000)
    assert many <= 11 * few


def work_of(count: int) -> int:
    """Return how many calls it takes to tell what is wrong with ``count`` entries."""
    error = wrong(Samples, {"samples": [{"inner": ["a"]}] * count})
    calls = 0

    def count_call(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        problems = problems_of(error, "a.yaml", {}, model=Samples)
    finally:
        sys.setprofile(before)
    assert len(problems) == count
    return calls


def test_base() -> None:
    """A part of a file is told by its path in the whole file."""
    lines = {(): 1, ("organizations",): 3, ("organizations", 4): 9}
    error = wrong(Organization, {"id": "acme"})
    problems = problems_of(error, "a.yaml", lines, ("organizations", 4))
    assert problems == [Problem("a.yaml", 9, "organizations[4].name", "nothing", "a value")]


def test_line_of() -> None:
    """The line of an absent part is that of what should hold it; 0 if nothing is known."""
    lines = {("a",): 2, ("a", 0): 3}
    assert [line_of(lines, path) for path in [("a", 0, "b"), ("a", 1), ("b",), ()]] == [3, 2, 0, 0]


# --- what may have been meant ---------------------------------------------------------------------


class Part(Entry):
    keys: str = ""
    count: Annotated[int, Field(strict=True)] = 0
    share: Annotated[float, Field(strict=True)] = 0
    is_on: StrictBool = False
    on: Day | None = None
    at: Moment | None = None
    provider: SpelledProvider | None = None
    state: Literal["existing", "planned"] | None = None
    code: Identifier | None = None


class Whole(Entry):
    version: FormatVersion = 1
    regions: str = ""
    part: Part = Part()


FIELDS = "only the documented fields"
YES_OR_NO = "true or false"
TIME = "a time with its zone, as text, such as 2026-11-20T02:00:00Z"
DAY = "a day, as text, such as 2026-11-20"
PROVIDERS = "'aws', 'gcp' or 'azure'"
ASCII = "visible ASCII characters without spaces"


@pytest.mark.parametrize(
    ("name", "value", "found", "expected"),
    [
        ("key", 1, "an unknown field", f"{FIELDS}; did you mean 'keys'?"),
        ("Keys", 1, "an unknown field", f"{FIELDS}; did you mean 'keys'?"),
        ("regions", 1, "an unknown field", FIELDS),
        ("region", 1, "an unknown field", FIELDS),
        ("<<", {}, "a merge key", f"{FIELDS}, each written out"),
        (
            "\u00a0keys",
            1,
            "an unknown field with a non-breaking space (U+00A0)",
            f"{FIELDS}; write ordinary spaces",
        ),
        ("keys", 12, "12", "text, in quotes"),
        ("keys", 1.5, "1.5", "text, in quotes"),
        ("keys", True, "true", "text, in quotes"),
        ("keys", None, "nothing", "text"),
        ("count", "12", "'12'", "a whole number, without quotes"),
        ("count", "1e3", "'1e3'", "a whole number, such as 10"),
        ("count", "0o17", "'0o17'", "a whole number, such as 10"),
        ("count", None, "nothing", "a whole number, such as 10"),
        ("share", "x", "'x'", "a number, such as 10"),
        ("is_on", "true", "'true'", f"{YES_OR_NO}, without quotes"),
        ("is_on", "no", "'no'", f"{YES_OR_NO}; did you mean false?"),
        ("is_on", "On", "'On'", f"{YES_OR_NO}; did you mean true?"),
        ("is_on", 1, "1", YES_OR_NO),
        ("on", "2026-02-30", "'2026-02-30'", "a day that exists, such as 2026-11-20"),
        (
            "on",
            "2026-02-03T04:05:06Z",
            "'2026-02-03T04:05:06Z', a time instead of a day",
            DAY,
        ),
        ("on", 20260203, "20260203", DAY),
        ("at", "2026-08-01", "'2026-08-01', a day without a time", TIME),
        ("at", "2026-08-01 10:00", "'2026-08-01 10:00', a time without its zone", TIME),
        ("at", "yesterday", "'yesterday'", TIME),
        ("at", 1785542400, "1785542400", TIME),
        ("provider", "amazon", "'amazon'", f"{PROVIDERS}; did you mean 'aws'?"),
        ("provider", "Gogle Cloud", "'Gogle Cloud'", f"{PROVIDERS}; did you mean 'gcp'?"),
        ("provider", "ibm-cloud-of-ours", "'ibm-cloud-of-ours'", PROVIDERS),
        ("provider", 7, "7", PROVIDERS),
        ("state", "plan", "'plan'", "'existing' or 'planned'; did you mean 'planned'?"),
        (
            "code",
            "\u201cx\u201d",
            "'\\u201cx\\u201d' with a curly quote (U+201C)",
            f"{ASCII}; write straight quotes",
        ),
        ("code", "a b", "'a b'", ASCII),
    ],
)
def test_what_may_have_been_meant(name: str, value: object, found: str, expected: str) -> None:
    """A mistake is reported with what helps: a word of the same place, quotes, a zone, a day."""
    error = wrong(Whole, {"part": {name: value}})
    [problem] = problems_of(error, "a.yaml", {(): 1}, model=Whole)
    assert (problem.found, problem.expected) == (found, expected)
    [machine] = problems_of(error, "a.yaml", {(): 1})
    assert "did you mean" not in machine.expected


@pytest.mark.parametrize("version", [2, 10**9])
def test_a_newer_version(version: int) -> None:
    """A file of a newer version may be meant for a newer program; nothing else is said of it."""
    error = wrong(Whole, {"version": version, "new": 1, "part": {"keys": 1}})
    may_be = "this file may have been written for a newer version of cmek-audit"
    problem = Problem("a.yaml", 1, "version", str(version), f"1; {may_be}")
    assert problems_of(error, "a.yaml", {(): 1}, model=Whole) == [problem]


@pytest.mark.parametrize("version", ["1", True, 1.0, None, "two"])
def test_no_version(version: object) -> None:
    """A version is a whole number, and what only looks like one is refused."""
    [problem] = problems_of(wrong(Whole, {"version": version}), "a.yaml", {}, model=Whole)
    assert problem.expected == "1, as a whole number without quotes"
    [problem] = problems_of(wrong(Whole, {"version": 0}), "a.yaml", {}, model=Whole)
    assert (problem.found, problem.expected) == ("0", "1")


@pytest.mark.parametrize(
    "over",
    [
        {"plan": "AstraCS:hush-hush"},
        {"id": "AstraCS:hush-hush with spaces"},
        {"AstraCS:hush-hush": "AstraCS:hush-hush"},
        {"plan": {"AstraCS:hush-hush": {"AstraCS:hush-hush": 1}}},
        {"keys": [{"type": "AstraCS:hush-hush", "provider": ["AstraCS:hush-hush"]}]},
        {"databases": [{"created_at": "AstraCS:hush-hush", "tier": "AstraCS:hush-hush"}]},
        {"policy": {"types": {"AstraCS:hush-hush": "AstraCS:hush-hush"}}},
        {"gaps": [{"fact": "AstraCS:hush-hush", "reason": "AstraCS:hush-hush"}]},
        {"id": "AstraCS:hush-hush", "keys": [], "databases": [{}]},
    ],
)
def test_secrets_in_a_file(tmp_path: Path, over: dict[str, object]) -> None:
    """A token that stands in a broken file by mistake is not repeated by the error."""
    file = tmp_path / "a.json"
    with pytest.raises(InventoryError) as caught:
        read_recorded(write_json(file, document_data(organization_data(**over))))
    assert "hush" not in str(caught.value)
