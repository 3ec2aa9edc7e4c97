"""What would settle each gap: complete over reasons and facts, and alike wherever it is said."""

from __future__ import annotations

from string import Formatter
from typing import get_args

import pytest

from checks.engine.reasons import PERMISSIONS, STEPS, gap_action
from inventory.model.gaps import Fact, Gap, GapReason
from reports.presentation.labels import REASON
from tests.builders import an_organization
from tests.checks.judging import RULES, judged

REASONS: tuple[GapReason, ...] = get_args(GapReason)
FACTS: tuple[Fact, ...] = get_args(Fact)


def test_every_reason_has_a_step() -> None:
    """Exactly the reasons that a gap can have say what to do, what they mean, and who acts."""
    assert set(STEPS) == set(REASONS)
    assert set(REASONS) - set(REASON) == set()
    assert [reason for reason in REASONS if not REASON[reason].who] == []


def test_every_fact_has_a_permission() -> None:
    """Exactly the facts that can be missing name the permission that it takes to read them."""
    assert set(PERMISSIONS) == set(FACTS)
    assert {permission.partition(" ")[0] for permission in PERMISSIONS.values()} == {
        "org-db-view",
        "org-cmk-read",
    }


@pytest.mark.parametrize("reason", REASONS)
def test_a_step_names_the_organization(reason: GapReason) -> None:
    """A step says of whom it speaks, and has no other blanks than that and the permission."""
    blanks = {blank for _, blank, _, _ in Formatter().parse(STEPS[reason]) if blank}
    optional = {"permission"} if reason == "refused" else set()
    needless = {"name"} if reason == "clock-differs" else set()
    assert blanks | needless == {"name"} | optional


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("reason", REASONS)
def test_a_step_is_a_whole_sentence(fact: Fact, reason: GapReason) -> None:
    """What settles a gap reads as an order, with every blank filled and without its full stop."""
    gap = Gap(fact=fact, reason=reason)
    text = gap_action(gap, an_organization(name="acme-{name}"))
    assert text[0].isupper()
    assert text[-1].isalnum()
    assert text.replace("acme-{name}", "").count("{") == 0


def test_a_refusal_names_what_the_fact_takes() -> None:
    """Who is refused a fact is told the permission for that fact, and no other."""
    told = {
        fact: {
            word
            for word in ("org-db-view", "org-cmk-read")
            if word in gap_action(Gap(fact=fact, reason="refused"), an_organization())
        }
        for fact in FACTS
    }
    keys: dict[Fact, set[str]] = {fact: {"org-cmk-read"} for fact in FACTS[1:]}
    assert told == keys | {"databases": {"org-db-view"}}


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("reason", REASONS)
def test_all_rules_ask_for_the_same_step(fact: Fact, reason: GapReason) -> None:
    """However many rules a gap keeps from judging, what they ask for is one action."""
    organization = an_organization(gaps=[{"fact": fact, "reason": reason}])
    asked = {
        each.action
        for rule in RULES
        for each in judged(rule, organization)
        if each.reason == reason and each.subject.kind == "organization"
    }
    assert asked == {gap_action(organization.gaps[0], organization)}
