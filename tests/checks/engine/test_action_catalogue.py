"""The catalogue of steps: each kind that a rule asks for is in it, and says what to do."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given

from checks.engine.action_catalogue import action_kinds, collect_kinds
from checks.engine.actions import ActionKind, KindPurpose, Who, code_of, target_of
from checks.engine.catalogue import load_rules
from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import OPEN
from checks.engine.reasons import reasons
from inventory.history import read_history
from inventory.inventory import Inventory
from tests.builders import AS_OF
from tests.checks.strategies import inventories
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.model.organization import Organization

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "inventory/examples"
FIXTURES = [
    path
    for path in sorted((ROOT / "tests/checks/fixtures").glob("check_*.yaml"))
    if path.name.count(".") == 1
]
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


def _unresolved(organizations: Iterable[Organization], context: Context) -> set[str]:
    """Return each action for which the catalogue has no kind, or a title with no key scope."""
    found = evaluate(organizations, load_rules(), context)
    asked = {finding.action_id for finding in found if finding.status in OPEN}
    return {action_id for action_id in asked if not _is_resolved(action_id)}


def _is_resolved(action_id: str) -> bool:
    kind = action_kinds().get(code_of(action_id))
    return kind is not None and (
        "{scopes}" not in kind.sentence_for_several or len(target_of(action_id)) == 3
    )


def test_every_action_of_the_example_has_its_kind() -> None:
    """What the example with its history and plan asks for is in the catalogue."""
    inventory = Inventory([f"{EXAMPLES}/acme.yaml"], [f"{EXAMPLES}/acme-plan.yaml"])
    history = read_history([f"{EXAMPLES}/acme-history.yaml"])
    assert _unresolved(inventory.organizations(), Context(AS_OF, history=history)) == set()


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)
def test_every_action_of_a_fixture_has_its_kind(file: Path) -> None:
    """What the subjects of each rule ask for is in the catalogue."""
    assert _unresolved(Inventory([str(file)]).organizations(), Context(AS_OF)) == set()


@examples(50)
@given(inventory=inventories)
def test_every_action_has_its_kind(inventory: tuple[Organization, ...]) -> None:
    """Whatever an inventory holds, what its findings ask for is in the catalogue."""
    assert _unresolved(inventory, Context(AS_OF)) == set()
