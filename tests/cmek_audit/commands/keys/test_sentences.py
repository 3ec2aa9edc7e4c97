"""The sentences of the key plan."""

from __future__ import annotations

from typing import Any

import pytest

from cmek_audit.commands.keys import sentences

PLAN = {"planned_failures": 0, "exit_code": 0, "failing": 0, "unproven": 0, "waived": 0}
REGIONS = [f"r{number}" for number in range(42)]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "Exit code 0: no key is missing."),
        (
            {"failing": 2, "waived": 1},
            (
                "Exit code 0: each key scope in use has a registered key. Not all of these keys "
                "are in order: 2 fail, 1 waived. Run an audit to see what to do."
            ),
        ),
        ({"exit_code": 1}, "Exit code 1: a key is missing, or it is unknown whether one is."),
        (
            {"exit_code": 1, "planned_failures": 1},
            (
                "Exit code 1: 1 finding about keys that a plan would register, replace or remove. "
                "Correct the plan before you apply it."
            ),
        ),
    ],
    ids=["fine", "not in order", "missing", "planned wrongly"],
)
def test_the_conclusion(changed: dict[str, Any], sentence: str) -> None:
    """The last sentence explains the exit code, and never claims more than the numbers."""
    assert sentences.conclusion(PLAN | changed) == sentence


@pytest.mark.parametrize(
    ("name", "value", "is_known", "text"),
    [
        ("registered", 0, True, "0"),
        ("registered", 0, False, "not known"),
        ("registered", 1_000, False, "1,000"),
        ("missing", 0, False, "0"),
    ],
)
def test_numbers(name: str, value: int, text: str, *, is_known: bool) -> None:
    """No registered key is a number only if all keys were read."""
    assert sentences.number(name, {name: value, "keys_known": is_known}) == text


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["us-east-1"], "Region: <us-east-1>."),
        (["a", "b"], "Regions: <a>, <b>."),
        (REGIONS, f"Regions: {', '.join(f'<{name}>' for name in REGIONS[:40])} and 2 more."),
    ],
    ids=["one", "two", "many"],
)
def test_regions(names: list[str], sentence: str) -> None:
    """The first forty regions are named, the others counted."""
    assert sentences.regions({"regions": names}, "<{}>".format) == sentence


@pytest.mark.parametrize(
    ("state", "status", "severity", "reason"),
    [
        ("missing", "fail", "high", "CMEK-01 fail, high: No key."),
        ("covered", "fail", "advisory", ""),
        ("covered", "pass", "high", ""),
        ("unused", "inconclusive", "low", "CMEK-01 inconclusive, low: No key."),
    ],
)
def test_reasons(state: str, status: str, severity: str, reason: str) -> None:
    """A key scope in order needs no reason, unless an open finding is more than an advisory."""
    scope = {"state": state, "status": status, "severity": severity}
    assert sentences.reason(scope | {"rule": "CMEK-01", "message": "No key."}) == reason


def test_organizations_of_one_name() -> None:
    """Where two organizations have one name, their ids are part of it."""
    organizations = [
        {"name": name, "organization": identity}
        for name, identity in (("a", 1), ("a", 2), ("b", 3))
    ]
    names = [name for name, _ in sentences.with_names({"organizations": organizations})]
    assert names == ["a (1)", "a (2)", "b"]
