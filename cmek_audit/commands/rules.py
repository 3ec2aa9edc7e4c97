"""``cmek-audit rules``: the catalogue, as a list or one rule in full."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from checks.engine.catalogue import load_rules
from checks.engine.controls import read_controls
from cmek_audit.console import wrapped, write_json, write_lines
from cmek_audit.exit_codes import Code
from inventory.errors import SettingError
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.card import Card
    from checks.engine.catalogue import Rule
    from checks.engine.controls import Controls


def run(name: str, *, as_json: bool) -> Code:
    """Print all rules, or the one of this ``name`` in full."""
    rules = load_rules()
    if name:
        rule = _named(name, rules)
        _print_one(rule, read_controls(), as_json=as_json)
    elif as_json:
        controls = read_controls()
        write_json({"rules": [_data(each, controls) for each in rules]})
    else:
        _print_list([each.card for each in rules])
    return Code.DONE


def ids() -> list[tuple[str, str]]:
    """Return the id and the title of each rule, as what completes an argument."""
    return [(load_rule.card.id, load_rule.card.title) for load_rule in load_rules()]


def _named(name: str, rules: Sequence[Rule]) -> Rule:
    """Find a rule by its id or its check, in any case."""
    by_name = {known.lower(): rule for rule in rules for known in (rule.card.id, rule.card.check)}
    if rule := by_name.get(name.lower()):
        return rule
    near = {
        by_name[get_close_match].card.id
        for get_close_match in get_close_matches(name.lower(), by_name, cutoff=0.8)
    }
    hint = f"; did you mean {' or '.join(sorted(near))}?" if near else ""
    known = f"{rules[0].card.id} to {rules[-1].card.id}, or the name of a check"
    raise SettingError(f"RULE: found {describe(name)}, expected {known}{hint}")


def _data(rule: Rule, controls: Controls) -> dict[str, Any]:
    evidence = [
        {"framework": framework, "id": control.id, "strength": control.strength}
        for framework, control in controls.of(rule.card.id)
    ]
    return {**rule.card.model_dump(mode="json"), "controls": evidence, "file": str(rule.source)}


def _print_list(cards: Sequence[Card]) -> None:
    rows = [(card.id, card.basis, card.severity, card.title) for card in cards]
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    for *cells, title in rows:
        padded = [f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)]
        write_lines("  ".join([*padded, title]))


def _print_one(rule: Rule, controls: Controls, *, as_json: bool) -> None:
    if as_json:
        write_json(_data(rule, controls))
    else:
        write_lines("\n".join(_told(rule, controls)))


def _told(rule: Rule, controls: Controls) -> Iterator[str]:
    card = rule.card
    yield from wrapped(f"{card.id}: {card.title}")
    yield from ("", *_facts(card), f"Check:     {rule.source}", "")
    yield from wrapped(card.rationale)
    for quote in card.quotes:
        source = f"{quote.page}: {quote.heading}"
        yield from ("", *wrapped(f"“{quote.sentence}”", "  "), *wrapped(source, "    "))
    yield from ("", "What to do about a failure:", *wrapped(card.remediation, "  "))
    yield from ("", "Evidence for these controls, none of which it satisfies alone:")
    yield from _by_framework(card, controls)


def _facts(card: Card) -> Iterator[str]:
    planned = card.severity_planned
    prevented = f"; {planned} while it can be prevented" if planned else ""
    yield f"Force:     {card.basis}"
    yield f"Severity:  {card.severity}{prevented}"
    yield from wrapped(f"Subject:   {card.subject}", "", " " * 11)


def _by_framework(card: Card, controls: Controls) -> Iterator[str]:
    told: dict[str, list[str]] = {}
    for framework, control in controls.of(card.id):
        told.setdefault(framework, []).append(f"{control.id} ({control.strength})")
    for framework, each in told.items():
        yield from wrapped(f"{framework}: {', '.join(each)}", "  ", "    ")
