"""Nothing that belongs to a rule is forgotten: each step of CONTRIBUTING's "A new rule"."""

from __future__ import annotations

import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from checks.engine.card import MANAGE, OVERVIEW, SEVERITIES, Role
from checks.engine.catalogue import Rule, rules_of
from checks.engine.context import Context
from checks.engine.controls import read_controls
from checks.engine.evaluation import evaluate
from checks.engine.finding import OPEN
from cmek_audit.docs_pages import rules_page
from inventory.history import read_history
from inventory.inventory import Inventory
from tests.builders import AS_OF
from tests.checks.judging import RULES

ROOT = Path(__file__).parents[2]
TESTS = Path(__file__).parent
EXAMPLE = "inventory/examples/acme"
RULE = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
STEP = 'CONTRIBUTING.md, "A new rule", step'


def module_of(rule: Rule) -> ModuleType:
    return importlib.import_module(f"checks.{rule.source.stem}")


@cache
def statuses_in_example() -> dict[str, set[str]]:
    """Return the statuses of each rule's findings about the example with its history and plan."""
    found: dict[str, set[str]] = {rule: set() for rule in RULES}
    history = read_history([f"{ROOT}/{EXAMPLE}-history.yaml"])
    inventory = Inventory([f"{ROOT}/{EXAMPLE}.yaml"], [f"{ROOT}/{EXAMPLE}-plan.yaml"])
    context = Context(AS_OF, history=history)
    for finding in evaluate(inventory.organizations(), list(RULES.values()), context):
        found[finding.rule].add(finding.status)
    return found


# --- the steps ------------------------------------------------------------------------------------


@RULE
def test_step_1_a_rule_is_named_after_its_file(rule: Rule) -> None:
    """File, check function and card of a rule bear one name, and the file opens with the id."""
    module = module_of(rule)
    found = (
        rule.source.stem,
        inspect.isfunction(getattr(module, rule.card.check, None)),
        (module.__doc__ or "").partition(":")[0],
    )
    expected = (rule.card.check, True, rule.card.id)
    assert found == expected, f"checks/{rule.source.name}: {STEP} 1: name, check function, id"


@RULE
def test_step_2_a_rule_has_a_fixture(rule: Rule) -> None:
    """Each rule has an inventory of subjects that are named by what should become of them."""
    file = TESTS / f"fixtures/{rule.card.check}.yaml"
    assert file.is_file(), f"tests/checks/fixtures/{file.name} is missing: {STEP} 2"


@RULE
def test_step_3_a_rule_has_a_test(rule: Rule) -> None:
    """Each rule has a test file of its name."""
    file = TESTS / f"test_{rule.card.check}.py"
    assert file.is_file(), f"tests/checks/{file.name} is missing: {STEP} 3"


@RULE
def test_step_4_a_rule_gives_evidence_to_a_control(rule: Rule) -> None:
    """The control ids name each rule."""
    assert read_controls().of(rule.card.id), (
        f"checks/controls.yaml names no control for {rule.card.id}: {STEP} 4"
    )


@RULE
def test_step_5_the_example_shows_a_rule(rule: Rule) -> None:
    """The example has a subject that passes each rule, and one that does not."""
    found = statuses_in_example()[rule.card.id]
    assert ("pass" in found, bool(found & OPEN)) == (True, True), (
        f"{EXAMPLE}.yaml needs a subject that passes {rule.card.id} and one that does not, "
        f"found {', '.join(sorted(found)) or 'none'}: {STEP} 5"
    )


def test_step_6_the_page_of_rules_is_current() -> None:
    """The page of rules is the one that the cards make now."""
    page = (ROOT / "docs/rules.md").read_text("utf-8")
    sections = set(re.findall(r"^## (CMEK-[0-9]{2})$", page, re.MULTILINE))
    assert sections == set(RULES), f"docs/rules.md is not current: {STEP} 6"
    assert page == rules_page(), f"docs/rules.md is not current: {STEP} 6"


# --- the card -------------------------------------------------------------------------------------


def test_ids_are_unique() -> None:
    """No two rules have one id, and ids have two digits."""
    files = sorted((ROOT / "checks").glob("check_*.py"))
    assert len(RULES) == len(files)
    assert [rule for rule in RULES if not re.fullmatch(r"CMEK-[0-9]{2}", rule)] == []


@RULE
def test_a_rule_has_a_judge(rule: Rule) -> None:
    """Each rule judges organization by organization, across them, or both."""
    module = module_of(rule)
    assert rule.judge or rule.judge_across
    assert rule.judge == getattr(module, "judge", None)
    assert rule.judge_across == getattr(module, "judge_across", None)


@RULE
def test_a_check_states_its_rule(rule: Rule) -> None:
    """The docstring of the check is the title of the rule, and it is the only check of its file."""
    module = module_of(rule)
    checks = {name: value.__doc__ for name, value in vars(module).items() if "check_" in name[:6]}
    assert checks == {rule.card.check: f"{rule.card.title}."}


@RULE
def test_a_card_leaves_nothing_open(rule: Rule) -> None:
    """Each card says why, by which sentences, what to do, and what it means to have no subject."""
    card = rule.card
    for text in (card.rationale, card.remediation, card.no_subject):
        assert text.endswith(".")
        assert text.strip() == text
    for text in (card.title, card.subject):
        assert text
        assert not text.endswith(".")
    assert card.quotes


@RULE
def test_a_quote_can_be_found(rule: Rule) -> None:
    """A quote is one whole sentence or title, of a known page, below one of its headings."""
    for quote in rule.card.quotes:
        assert quote.page in {OVERVIEW, MANAGE}
        assert quote.heading
        assert 20 <= len(quote.sentence) <= 300
        assert quote.sentence[0].isupper()
        assert "  " not in quote.sentence
        # A title of a link ends without a full stop.
        assert quote.sentence.endswith((".", "keys"))


@RULE
def test_severity_follows_the_basis(rule: Rule) -> None:
    """What is required is at least medium, and what is only recommended is advisory."""
    card = rule.card
    if card.basis == "required":
        assert card.severity in SEVERITIES[:3]
    if card.basis == "recommended":
        assert card.severity == "advisory"
    if card.severity_planned:
        assert SEVERITIES.index(card.severity_planned) < SEVERITIES.index(card.severity)


@pytest.mark.parametrize("role", get_args(Role))
def test_each_role_is_taken(role: Role) -> None:
    """Each role has a rule; only proofs, and what shows which key it is, have several."""
    assert len(rules_of(role)) == 1 or role in {"proof", "which-key"}
    assert rules_of(role)


# --- the controls ---------------------------------------------------------------------------------


def test_controls_name_no_other_rule() -> None:
    """Control ids are of rules that exist."""
    frameworks = read_controls().frameworks
    assert {rule for framework in frameworks for rule in framework.rules} <= set(RULES)


def test_controls_are_named_once() -> None:
    """No framework names a control twice for one rule, and no rule without one."""
    for framework in read_controls().frameworks:
        for controls in framework.rules.values():
            ids = [control.id for control in controls]
            assert ids
            assert len(set(ids)) == len(ids)
