"""Nothing that belongs to a rule is forgotten."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from checks.engine.card import MANAGE, OVERVIEW, SEVERITIES
from checks.engine.catalogue import Rule
from checks.engine.controls import read_controls
from tests.checks.judging import RULES

FIXTURES = Path(__file__).parent / "fixtures"
CHECKS = {
    "CMEK-01": ("check_scope_has_key", "required", "high", "critical"),
    "CMEK-02": ("check_key_serves_one_scope", "required", "high", "critical"),
    "CMEK-03": ("check_every_region_of_database", "required", "high", None),
    "CMEK-04": ("check_azure_managed_clusters", "required", "high", None),
    "CMEK-05": ("check_key_before_deployment", "required", "high", "critical"),
    "CMEK-06": ("check_organization_has_own_keys", "recommended", "advisory", None),
    "CMEK-07": ("check_key_id_matches_scope", "derived", "high", "critical"),
    "CMEK-08": ("check_paid_plan", "required", "medium", None),
    "CMEK-09": ("check_key_is_used", "derived", "advisory", None),
    "CMEK-10": ("check_key_unchanged", "derived", "high", "critical"),
    "CMEK-11": ("check_key_rotation", "derived", "medium", None),
    "CMEK-12": ("check_key_is_usable", "derived", "high", None),
    "CMEK-13": ("check_key_views_agree", "derived", "high", None),
    "CMEK-14": ("check_population_complete", "derived", "critical", None),
    "CMEK-15": ("check_stringent_data", "recommended", "advisory", None),
    "CMEK-16": ("check_serverless_azure_preview", "derived", "advisory", None),
}
EACH = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))


def module_of(rule: Rule) -> ModuleType:
    return importlib.import_module(f"checks.{rule.source.stem}")


def test_the_rules_are_the_sixteen() -> None:
    """There are exactly the sixteen rules, with the check, force and severity that they are for."""
    found = {
        rule.card.id: (
            rule.card.check,
            rule.card.basis,
            rule.card.severity,
            rule.card.severity_planned,
        )
        for rule in RULES.values()
    }
    assert found == CHECKS


@EACH
def test_a_rule_is_named_after_its_file(rule: Rule) -> None:
    """File, check function and card of a rule bear one name."""
    assert rule.source.stem == rule.card.check
    assert inspect.isfunction(getattr(module_of(rule), rule.card.check))


@EACH
def test_a_rule_has_a_judge(rule: Rule) -> None:
    """Each rule judges organization by organization, across them, or both."""
    module = module_of(rule)
    assert rule.judge or rule.judge_across
    assert rule.judge == getattr(module, "judge", None)
    assert rule.judge_across == getattr(module, "judge_across", None)


@EACH
def test_a_check_states_its_rule(rule: Rule) -> None:
    """The docstring of the check is the title of the rule; the file opens with its id."""
    module = module_of(rule)
    assert getattr(module, rule.card.check).__doc__ == f"{rule.card.title}."
    assert (module.__doc__ or "").startswith(f"{rule.card.id}: ")


@EACH
def test_a_check_is_the_only_one_of_its_file(rule: Rule) -> None:
    """A file holds one check, so that pytest collects one for each rule."""
    module = module_of(rule)
    checks = {name for name in vars(module) if name.startswith("check_")}
    assert checks == {rule.card.check}


@EACH
def test_a_rule_has_examples(rule: Rule) -> None:
    """Each rule has an inventory of examples."""
    assert (FIXTURES / f"{rule.card.check}.yaml").is_file()


@EACH
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


@EACH
def test_a_quote_can_be_found(rule: Rule) -> None:
    """A quote is one whole sentence or title, of a known page, below one of its headings."""
    for quote in rule.card.quotes:
        assert quote.page in {OVERVIEW, MANAGE}
        assert quote.heading
        assert 20 <= len(quote.sentence) <= 300
        assert quote.sentence[0].isupper()
        assert "  " not in quote.sentence
        # The sentence of CMEK-16 is the title of a link, which ends without a full stop.
        assert quote.sentence.endswith("." if rule.card.id != "CMEK-16" else "keys")


@EACH
def test_severity_follows_force(rule: Rule) -> None:
    """What is required is at least medium, and what is only recommended is advisory."""
    card = rule.card
    if card.basis == "required":
        assert card.severity in SEVERITIES[:3]
    if card.basis == "recommended":
        assert card.severity == "advisory"
    if card.severity_planned:
        assert SEVERITIES.index(card.severity_planned) < SEVERITIES.index(card.severity)


def test_every_rule_gives_evidence_to_a_control() -> None:
    """The control ids name each rule, and no other."""
    frameworks = read_controls().frameworks
    assert {rule for framework in frameworks for rule in framework.rules} == set(RULES)


def test_controls_stand_once() -> None:
    """No framework names a control twice for one rule, and no rule without one."""
    for framework in read_controls().frameworks:
        for controls in framework.rules.values():
            ids = [control.id for control in controls]
            assert ids
            assert len(set(ids)) == len(ids)
