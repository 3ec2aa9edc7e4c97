"""Plans as they are given: paths, and names where there are some."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import SettingError
from inventory.files.named_plans import NamedPlan, parse_plan, plans_in_order

FAR = "/nowhere/else"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plan.json", NamedPlan("plan.json")),
        ("./x/../plan.json", NamedPlan("plan.json")),
        ("prod=plan.json", NamedPlan("plan.json", "prod")),
        ("eu-west_1.2=./plan.json", NamedPlan("plan.json", "eu-west_1.2")),
        ("prod=a=b.json", NamedPlan("a=b.json", "prod")),
        (f"prod={FAR}/a=b.json", NamedPlan(f"{FAR}/a=b.json", "prod")),
        ("./a=b.json", NamedPlan("a=b.json")),
        ("x/a=b.json", NamedPlan("x/a=b.json")),
        (f"{FAR}/a=b.json", NamedPlan(f"{FAR}/a=b.json")),
        ("", NamedPlan("")),
    ],
)
def test_plans_with_and_without_names(text: str, expected: NamedPlan) -> None:
    """What stands in front of the first = is a name, unless it is a path."""
    assert parse_plan(text) == expected
    assert parse_plan(str(expected)) == expected


def test_a_path_begins_where_it_is_reported_to() -> None:
    """A relative path begins at the folder that is given, with a name and without."""
    start = Path(FAR)
    assert parse_plan("plan.json", start) == NamedPlan(f"{FAR}/plan.json")
    assert parse_plan("prod=plan.json", start) == NamedPlan(f"{FAR}/plan.json", "prod")


@pytest.mark.parametrize(
    "text", ["=plan.json", "prod=", "=", "a b=plan.json", "-a=p.json", "é=p.json", f"{'a' * 65}=p"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    """A name of other characters, of none or of too many, and a name without a path are refused."""
    with pytest.raises(SettingError, match=r"^--cmek-plan: found .+, expected PATH or NAME=PATH"):
        parse_plan(text)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], ()),
        (["b.json", "a.json", "./b.json"], ("a.json", "b.json")),
        (["prod=b.json", "test=a.json", "prod=x/../b.json"], ("test=a.json", "prod=b.json")),
        (["prod=b.json", "./a=b.json"], ("./a=b.json", "prod=b.json")),
    ],
)
def test_plans_have_one_order(texts: list[str], expected: tuple[str, ...]) -> None:
    """Plans come in the order of their paths, each once."""
    assert plans_in_order(texts) == plans_in_order(texts[::-1]) == expected


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            ["prod=b.json", "prod=a.json"],
            "found prod=a.json and prod=b.json, expected another name for each plan",
        ),
        (["prod=a.json", "a.json"], "found a.json and prod=a.json, expected each plan once"),
        (["x=a.json", "y=./a.json"], "found x=a.json and y=a.json, expected each plan once"),
    ],
)
def test_names_and_plans_belong_together(texts: list[str], said: str) -> None:
    """One name for two plans, and two names for one plan, are refused in any order."""
    for given_texts in (texts, texts[::-1]):
        with pytest.raises(SettingError) as caught:
            plans_in_order(given_texts)
        assert str(caught.value) == f"--cmek-plan: {said}"


@given(st.text("ab=./-", max_size=8))
def test_what_is_written_is_read_again(text: str) -> None:
    """A plan is written so that it is read as the same."""
    try:
        plan = parse_plan(text)
    except SettingError:
        return
    assert parse_plan(str(plan)) == plan
