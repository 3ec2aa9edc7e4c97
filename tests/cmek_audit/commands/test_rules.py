"""``rules``: the catalogue, and how a rule is found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.catalogue import load_rules
from checks.engine.controls import read_controls
from tests.cmek_audit.helpers import ROOT, command, printed_json
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = load_rules()
NAMES = [name for rule in RULES for name in (rule.card.id, rule.card.check)]
PLAIN = {"COLUMNS": "80", "NO_COLOR": "1"}


def test_the_list_has_every_rule() -> None:
    """The list has a line for each rule, with id, basis, severity and title."""
    done = command("rules", environment=PLAIN)
    assert (done.exit_code, done.stderr) == (0, "")
    rows = [[c.id, c.basis, c.severity, c.title] for c in (rule.card for rule in RULES)]
    assert [line.split(maxsplit=3) for line in done.stdout.splitlines()] == rows


def test_a_rule_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    """A rule in full says what its card says, folded to the width of the terminal."""
    done = command("rules", "CMEK-05", environment=PLAIN)
    assert (done.exit_code, done.stderr) == (0, "")
    golden("rules-CMEK-05.txt", done.stdout.replace(str(ROOT), "SUITE"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.card.id)
@pytest.mark.parametrize("columns", ["20", "80", "300"])
def test_nothing_is_left_out(rule: object, columns: str) -> None:
    """However wide the terminal is, all that the card says is shown, in lines of at most 100."""
    assert isinstance(rule, type(RULES[0]))
    card = rule.card
    done = command("rules", card.id, environment={"COLUMNS": columns})
    text = " ".join(done.stdout.split())
    quoted = {part for quote in card.quotes for part in (quote.sentence, quote.heading, quote.page)}
    stated = {card.id, card.title, card.basis, card.severity, card.subject, card.rationale}
    stated |= {card.remediation, str(rule.source), card.severity_planned or "", *quoted}
    stated |= {f"{control.id} ({control.strength})" for _, control in read_controls().of(card.id)}
    assert {words for words in stated if " ".join(words.split()) not in text} == set()
    lines = [line for line in done.stdout.splitlines() if str(rule.source) not in line]
    assert max(map(len, lines)) <= 100


def test_a_rule_as_json() -> None:
    """The JSON object of a rule has all of its card, its controls and its file."""
    rule = RULES[0]
    done = command("rules", rule.card.id, "--json")
    assert done.exit_code == 0
    assert printed_json(done) == {
        **rule.card.model_dump(mode="json"),
        "controls": [
            {"framework": name, "id": control.id, "strength": control.strength}
            for name, control in read_controls().of(rule.card.id)
        ],
        "file": str(ROOT / "checks" / f"{rule.card.check}.py"),
    }


def test_all_rules_as_json() -> None:
    """The JSON object of the list has each rule as it is by itself."""
    all_shown = printed_json(command("rules", "--json"))
    assert all_shown.keys() == {"rules"}
    assert [rule["id"] for rule in all_shown["rules"]] == [rule.card.id for rule in RULES]
    assert all_shown["rules"][4] == printed_json(command("rules", RULES[4].card.id, "--json"))


@pytest.mark.parametrize(
    "name",
    [
        *("CMEK-03", "cmek-03", "cmek-3", "CMEK3", "cmek03", "3", " CMEK_03 "),
        *(RULES[2].card.check, "Check_Every_Region_Of_Database"),
    ],
)
def test_a_rule_is_found_by_id_and_by_check(name: str) -> None:
    """A rule is found by its id and by the name of its check, however these are spelled."""
    assert printed_json(command("rules", name, "--json"))["id"] == "CMEK-03"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CMEK-33", " Did you mean CMEK-03 or CMEK-13?"),
        ("cmk-01", " Did you mean CMEK-01?"),
        ("check_scope_has_keys", " Did you mean check_scope_has_key?"),
        ("nothing", ""),
    ],
)
def test_a_rule_that_is_not_there(name: str, hint: str) -> None:
    """An id that no rule has ends with 4, and with those that are near."""
    done = command("rules", name)
    assert (done.exit_code, done.stdout) == (4, "")
    expected = f"expected CMEK-01 to {RULES[-1].card.id}, or the name of a check.{hint}"
    assert done.stderr == f"RULE: found '{name}', {expected}\n"


@given(st.text(min_size=1).filter(lambda text: not text.startswith("-")))
@examples(50)
def test_any_name_is_answered(name: str) -> None:
    """Whatever is asked for, there is one line of answer that steers no terminal, or a rule."""
    done = command("rules", name)
    number = re.fullmatch(r"\s*(?:cmek)?[-_ ]?([0-9]{1,2})\s*", name.lower(), re.ASCII)
    plain = {known.lower() for known in NAMES}
    is_known = name.strip().lower().replace("-", "_") in {
        known.replace("-", "_") for known in plain
    }
    is_known = is_known or bool(number and f"cmek-{int(number[1]):02}" in plain)
    assert done.exit_code == (0 if is_known else 4)
    assert is_known or (done.stderr[:-1].isprintable() and done.stderr.endswith("\n"))
