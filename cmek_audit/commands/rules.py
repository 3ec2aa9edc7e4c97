"""``cmek-audit rules``: the catalogue, as a list or one rule in full."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from checks.engine.catalogue import load_rules
from checks.engine.controls import read_controls
from cmek_audit import parameters
from cmek_audit.console import aligned, wrapped, write_json, write_lines
from cmek_audit.exit_codes import ExitCode
from cmek_audit.suggestions import did_you_mean
from inventory.errors import SettingError
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.card import Card
    from checks.engine.catalogue import Rule
    from checks.engine.controls import Controls


def _complete_id(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    cards = (rule.card for rule in load_rules())
    return [
        CompletionItem(card.id, help=card.title) for card in cards if card.id.startswith(incomplete)
    ]


@click.command(context_settings=parameters.SETTINGS)
@click.argument("name", metavar="[RULE]", default="", shell_complete=_complete_id)
@parameters.as_json
def rules(name: str, *, as_json: bool) -> ExitCode:
    """List the rules, or show one in full.

    RULE is a rule's id, such as CMEK-01, or the name of its check. In full, a rule has its reason,
    the sentences of the documentation that it is based on, its severity, what to do about a
    failure, and the control ids that it is evidence for.

    \b
    Exit codes:
      0  shown
      3  internal error
      4  no such rule
    """
    catalogue = load_rules()
    if name:
        rule = _find_rule(name, catalogue)
        _print_one(rule, read_controls(), as_json=as_json)
    elif as_json:
        controls = read_controls()
        write_json({"rules": [_data(rule, controls) for rule in catalogue]})
    else:
        _print_list([rule.card for rule in catalogue])
    return ExitCode.DONE


def _find_rule(name: str, catalogue: Sequence[Rule]) -> Rule:
    """Find a rule by its id or its check, however these are spelled."""
    by_name = {known: rule for rule in catalogue for known in (rule.card.id, rule.card.check)}
    for known, rule in by_name.items():
        if _plain_id(known) == _plain_id(name):
            return rule
    hint = did_you_mean(name, by_name, cutoff=0.8)
    expected = f"{catalogue[0].card.id} to {catalogue[-1].card.id}, or the name of a check"
    raise SettingError(f"RULE: found {describe(name)}, expected {expected}.{hint}")


def _plain_id(name: str) -> str:
    """Return ``name`` in lower case; an id, such as ``CMEK1`` or ``1``, in its one spelling."""
    match = re.fullmatch(r"(?:cmek)?[-_ ]?([0-9]{1,2})", name.strip().lower(), re.ASCII)
    return f"cmek-{int(match[1]):02}" if match else name.strip().lower().replace("-", "_")


def _data(rule: Rule, controls: Controls) -> dict[str, Any]:
    evidence = [
        {"framework": framework, "id": control.id, "strength": control.strength}
        for framework, control in controls.of(rule.card.id)
    ]
    return {**rule.card.model_dump(mode="json"), "controls": evidence, "file": str(rule.source)}


def _print_list(cards: Sequence[Card]) -> None:
    rows = [(card.id, card.basis, card.severity, card.title) for card in cards]
    write_lines("\n".join(aligned(rows)))


def _print_one(rule: Rule, controls: Controls, *, as_json: bool) -> None:
    if as_json:
        write_json(_data(rule, controls))
    else:
        write_lines("\n".join(_page(rule, controls)))


def _page(rule: Rule, controls: Controls) -> Iterator[str]:
    card = rule.card
    yield from wrapped(f"{card.id}: {card.title}")
    yield from ("", *_facts(card), f"Check:     {rule.source}", "")
    yield from wrapped(card.rationale)
    for quote in card.quotes:
        source = f"{quote.page}: {quote.heading}"
        yield from ("", *wrapped(f"“{quote.sentence}”", "  "), *wrapped(source, "    "))
    yield from ("", "What to do about a failure:", *wrapped(card.remediation, "  "))
    yield from ("", "Evidence for these controls, none of which it satisfies alone:")
    yield from _controls_by_framework(card, controls)


def _facts(card: Card) -> Iterator[str]:
    planned = card.severity_planned
    prevented = f"; {planned} while it can be prevented" if planned else ""
    yield f"Basis:     {card.basis}"
    yield f"Severity:  {card.severity}{prevented}"
    yield from wrapped(f"Subject:   {card.subject}", "", " " * 11)


def _controls_by_framework(card: Card, controls: Controls) -> Iterator[str]:
    by_framework: dict[str, list[str]] = {}
    for framework, control in controls.of(card.id):
        by_framework.setdefault(framework, []).append(f"{control.id} ({control.strength})")
    for framework, entries in by_framework.items():
        yield from wrapped(f"{framework}: {', '.join(entries)}", "  ", "    ")
