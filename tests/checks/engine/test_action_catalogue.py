"""The catalogue of steps: each kind that a rule asks for is in it, and says what to do."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from checks.engine.action_catalogue import action_kinds, collect_kinds
from checks.engine.actions import ActionKind, KindPurpose, Who
from checks.engine.reasons import reasons

ROOT = Path(__file__).parents[3]
KINDS = list(action_kinds().values())
VALUES = {
    "number": "2",
    "name": "acme",
    "scopes": "Serverless on AWS, us-east-2",
    "databases": "2 databases",
    "names": "orders and catalog",
    "their": "their",
}


def _written() -> set[str]:
    """Return the code of each kind that is written anywhere in the rules."""
    found = set()
    for path in (ROOT / "checks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ActionKind":
                codes = [word.value for word in node.keywords if word.arg == "code"]
                found |= {code.value for code in codes if isinstance(code, ast.Constant)}
    return {str(code) for code in found}


def test_every_kind_that_is_written_is_listed() -> None:
    """The catalogue holds what the modules and the reason codes define, and nothing else."""
    of_gaps = {reason.action.code for reason in reasons().values() if reason.action}
    assert set(action_kinds()) == _written() | of_gaps


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_kind_says_what_for_who_and_how(kind: ActionKind) -> None:
    """Each kind has a purpose, somebody who acts, and steps that are whole sentences."""
    assert kind.purpose in get_args(KindPurpose)
    assert kind.who in get_args(Who)
    assert kind.steps
    assert [step for step in kind.steps if not (step[0].isupper() and step.endswith("."))] == []
    assert not kind.sentence.endswith(".")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_title_takes_no_other_values(kind: ActionKind) -> None:
    """What is said of several actions, or of all databases, needs only what every action has."""
    for template in (kind.sentence_for_several, kind.sentence_for_all):
        assert "{" not in template.format_map(VALUES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_what_comes_first_is_a_kind(kind: ActionKind) -> None:
    """What a kind waits for is another kind, which waits for nothing."""
    assert not kind.after or action_kinds()[kind.after].after == ""


def test_a_new_key_is_never_said_to_encrypt_what_exists() -> None:
    """Whoever registers a key reads that existing databases must be recreated."""
    assert "Recreate the databases that exist already" in action_kinds()["register-key"].steps[-1]


def test_a_code_has_one_meaning() -> None:
    """Two kinds with one code are refused, and one that is seen twice is one."""
    one = KINDS[0]
    assert collect_kinds([one, one]) == {one.code: one}
    with pytest.raises(ValueError, match=f"two kinds of steps have the code '{one.code}'"):
        collect_kinds([one, one._replace(sentence="Something else")])
