"""``rules``: the catalogue, and how a rule is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.engine.catalogue import load_rules
from checks.engine.controls import read_controls
from tests.cmek_audit.helpers import ROOT, command, told

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = load_rules()
NAMES = [name for rule in RULES for name in (rule.card.id, rule.card.check)]
PLAIN = {"COLUMNS": "80", "NO_COLOR": "1"}


def test_the_list_has_every_rule() -> None:
    """The list has a line for each rule, with id, basis, severity and title."""
    done = command("rules", environment=PLAIN)
    assert (done.exit_code, done.stderr) == (0, "")
    wanted = [[c.id, c.basis, c.severity, c.title] for c in (rule.card for rule in RULES)]
    assert [line.split(maxsplit=3) for line in done.stdout.splitlines()] == wanted


@pytest.mark.parametrize("name", ["CMEK-01", "CMEK-05", "CMEK-06"])
def test_a_rule_is_as_it_was(name: str, golden: Callable[[str, str], None]) -> None:
    """A rule in full says what its card says, folded to the width of the terminal."""
    done = command("rules", name, environment=PLAIN)
    assert (done.exit_code, done.stderr) == (0, "")
    golden(f"rules-{name}.txt", done.stdout.replace(str(ROOT), "SUITE"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.card.id)
@pytest.mark.parametrize("columns", ["20", "80", "300"])
def test_nothing_is_left_out(rule: object, columns: str) -> None:
    """However wide the terminal is, all that the card says is shown, in lines of at most 100."""
    assert isinstance(rule, type(RULES[0]))
    card = rule.card
    done = command("rules", card.id, environment={"COLUMNS": columns})
    text = " ".join(done.stdout.split())
    quoted = {part for quote in card.quotes for part in (quote.sentence, quote.heading, quote.page)}
    said = {card.id, card.title, card.basis, card.severity, card.subject, card.rationale}
    said |= {card.remediation, str(rule.source), card.severity_planned or "", *quoted}
    said |= {f"{each.id} ({each.strength})" for _, each in read_controls().of(card.id)}
    assert {each for each in said if " ".join(each.split()) not in text} == set()
    lines = [line for line in done.stdout.splitlines() if str(rule.source) not in line]
    assert max(map(len, lines)) <= 100


def test_a_rule_as_json() -> None:
    """The JSON object of a rule has all of its card, its controls and its file."""
    rule = RULES[0]
    done = command("rules", rule.card.id, "--json")
    assert done.exit_code == 0
    assert told(done) == {
        **rule.card.model_dump(mode="json"),
        "controls": [
            {"framework": name, "id": control.id, "strength": control.strength}
            for name, control in read_controls().of(rule.card.id)
        ],
        "file": str(ROOT / "checks" / f"{rule.card.check}.py"),
    }


def test_all_rules_as_json() -> None:
    """The JSON object of the list has each rule as it is by itself."""
    all_told = told(command("rules", "--json"))
    assert all_told.keys() == {"rules"}
    assert [each["id"] for each in all_told["rules"]] == [rule.card.id for rule in RULES]
    assert all_told["rules"][4] == told(command("rules", RULES[4].card.id, "--json"))


@pytest.mark.parametrize(
    "name", ["CMEK-03", "cmek-03", RULES[2].card.check, "Check_Every_Region_Of_Database"]
)
def test_a_rule_is_found_by_id_and_by_check(name: str) -> None:
    """A rule is found by its id and by the name of its check, in any case."""
    assert told(command("rules", name, "--json"))["id"] == "CMEK-03"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CMEK-33", "; did you mean CMEK-03 or CMEK-13?"),
        ("cmek01", "; did you mean CMEK-01?"),
        ("check_scope_has_keys", "; did you mean CMEK-01?"),
        ("nothing", ""),
    ],
)
def test_a_rule_that_is_not_there(name: str, hint: str) -> None:
    """An id that no rule has ends with 4, and with those that are near."""
    done = command("rules", name)
    assert (done.exit_code, done.stdout) == (4, "")
    expected = f"expected CMEK-01 to {RULES[-1].card.id}, or the name of a check{hint}"
    assert done.stderr == f"RULE: found '{name}', {expected}\n"


@given(st.text(min_size=1).filter(lambda text: not text.startswith("-")))
@settings(max_examples=50, deadline=None)
def test_any_name_is_answered(name: str) -> None:
    """Whatever is asked for, there is one line of answer that steers no terminal, or a rule."""
    done = command("rules", name)
    known = name.lower() in {each.lower() for each in NAMES}
    assert done.exit_code == (0 if known else 4)
    assert known or (done.stderr[:-1].isprintable() and done.stderr.endswith("\n"))
