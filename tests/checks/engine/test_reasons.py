"""Reason codes: complete over reasons and facts, and the same wherever they are shown."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, get_args

import pytest

from checks.engine.reasons import _action, gap_action, load_reasons, read_reasons, reasons, step_for
from inventory.errors import InventoryError
from inventory.model.gaps import Fact, Gap, GapReason
from reports.presentation import labels
from tests.builders import an_organization, write_yaml
from tests.checks.judging import RULES, judged

if TYPE_CHECKING:
    from pathlib import Path

REASONS: tuple[GapReason, ...] = get_args(GapReason)
FACTS: tuple[Fact, ...] = get_args(Fact)


def sentence_of(reason: str) -> str:
    """Return the sentence of what to do about a gap."""
    action = reasons()[reason].action
    assert action is not None
    return action.sentence


def test_every_reason_of_a_gap_has_a_step() -> None:
    """Exactly the reasons that a gap can have say what to do about one, and who has to."""
    assert {code for code, reason in reasons().items() if reason.action} == set(REASONS)
    assert [code for code in REASONS if not reasons()[code].who] == []


def test_whoever_has_to_act_is_reported_what_to_do() -> None:
    """A code names a step exactly if it names who has to act."""
    assert [code for code, each in reasons().items() if bool(each.who) is not bool(each.step)] == []
    assert [code for code, each in reasons().items() if not each.meaning.endswith(".")] == []


def test_reports_show_the_same_codes() -> None:
    """Reports take meanings and steps from here, and explain a code of another version."""
    assert {code: labels.reason(code) for code in reasons()} == reasons()
    assert labels.reason("of-another-version") == labels.UNEXPLAINED


def test_every_fact_has_a_permission() -> None:
    """Exactly the facts that can be missing name the permission that it takes to read them."""
    permissions = load_reasons().permissions
    assert set(permissions) == set(FACTS)
    assert {permission.partition(" ")[0] for permission in permissions.values()} == {
        "org-db-view",
        "org-cmk-read",
    }


@pytest.mark.parametrize("reason", REASONS)
def test_a_step_names_the_organization(reason: GapReason) -> None:
    """A step names its organization, and has no other blanks than that and the permission."""
    blanks = {blank for _, blank, _, _ in Formatter().parse(sentence_of(reason)) if blank}
    assert blanks == {"name"} | ({"permission"} if reason == "refused" else set())


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("reason", REASONS)
def test_a_step_is_a_whole_sentence(fact: Fact, reason: GapReason) -> None:
    """What resolves a gap reads as an order, with every blank filled and without its full stop."""
    gap = Gap(fact=fact, reason=reason)
    text = gap_action(gap, an_organization(name="acme-{name}")).sentence
    assert text[0].isupper()
    assert not text.endswith(".")
    assert text.replace("acme-{name}", "").count("{") == 0
    assert step_for(reasons()[reason], "acme-{name}", [fact]) == text


def test_a_refusal_names_what_the_fact_takes() -> None:
    """Who is refused a fact sees the permission for that fact, and no other, also in the id."""
    found = {
        fact: gap_action(Gap(fact=fact, reason="refused"), an_organization()).id_in("acme")
        for fact in FACTS
    }
    keys = dict.fromkeys(FACTS[1:], "grant-permission:acme/org-cmk-read")
    assert found == keys | {"databases": "grant-permission:acme/org-db-view"}


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("reason", REASONS)
def test_all_rules_ask_for_the_same_step(fact: Fact, reason: GapReason) -> None:
    """However many rules a gap keeps from judging, what they ask for is one action."""
    organization = an_organization(gaps=[{"fact": fact, "reason": reason}])
    found = {
        (finding.action, finding.action_id)
        for rule in RULES
        for finding in judged(rule, organization)
        if finding.reason == reason and finding.subject.kind == "organization"
    }
    action = gap_action(organization.gaps[0], organization)
    assert found == {(action.sentence, action.id_in(organization.id))}


def test_another_file_is_refused_with_its_problem(tmp_path: Path) -> None:
    """A file of another shape is refused, with field, finding and expectation."""
    data = {"cmek-reasons": 1, "permissions": {}, "reasons": {"stale": {"who": "me"}}}
    with pytest.raises(InventoryError, match=r"reasons\.stale\.meaning: found nothing"):
        read_reasons(write_yaml_path(tmp_path, data))


def write_yaml_path(folder: Path, data: object) -> Path:
    write_yaml(folder / "reasons.yaml", data)
    return folder / "reasons.yaml"


def test_a_code_that_no_gap_has_gives_no_step() -> None:
    """A code without a step for a gap gives the general one."""
    assert step_for(reasons()["stale"], "acme", ["databases"]) == reasons()["stale"].step


def test_codes_are_read_once() -> None:
    """The bundled file is read when a code is first asked for, and kept."""
    assert load_reasons() is load_reasons()


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    """A file that cannot be parsed is refused with its line."""
    file = tmp_path / "reasons.yaml"
    file.write_text("reasons: [\n")
    with pytest.raises(InventoryError) as caught:
        read_reasons(file)
    assert [problem.file for problem in caught.value.problems] == [str(file)]


def test_a_reason_without_an_action_gives_none() -> None:
    """A code for which nobody has to act is a mistake where an action is asked for."""
    code = next(code for code, reason in reasons().items() if reason.action is None)
    with pytest.raises(ValueError, match=f"no gap has the reason '{code}'"):
        _action(code, an_organization())
