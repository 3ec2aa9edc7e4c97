"""The sentences of the key plan, in whatever format people read it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.engine.finding import NOT_COMPLYING
from inventory.text.display import pluralize
from reports.aggregation.coverage_states import STATES
from reports.key_instructions.commands import TOKEN
from reports.key_instructions.instructions import closing, has_calls, has_other_way, parts
from reports.key_instructions.procedure import HOST
from reports.presentation.labels import KEY_NUMBERS, PROVIDER, STATUS, TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cmek_audit.commands.keys.price import Price
    from reports.key_instructions.instructions import KeyCommands, Part

    Data = Mapping[str, Any]
    """The key plan as ``--format json`` prints it, or a part of it."""

PRICED = ("needed", "missing", "undetermined")
_FINE = ("covered", "unused", "spare", "unsupported", "astra-provided")
"""The states that need no reason beside them, unless a finding about the key scope is open."""

_MOST_REGIONS = 40
_LONGEST_LINE = 900
"""Longer lines might be cut when they are printed."""

_STEP_COUNTS = {
    "missing": "missing",
    "shared": "shared",
    "undetermined": "not known",
    "unsupported": "not supported",
}


def title(plan: Data) -> str:
    """Return the title, with the time of the key plan."""
    example = ", the time of an example" if plan["example"] else ""
    return f"Customer keys as of {plan['as_of']}{example}"


def number(name: str, part: Data) -> str:
    """Return a number; how many keys are registered is not known if not all were read."""
    is_known = part["keys_known"] or name not in {"registered", "unused"}
    return f"{part[name]:,}" if is_known or part[name] else "not known"


def total(plan: Data) -> Data:
    """Return the numbers of all organizations together."""
    is_known = all(organization["keys_known"] for organization in plan["organizations"])
    return {**plan, "keys_known": is_known}


def remarks(plan: Data, price: Price | None) -> Iterator[str]:
    """Yield what limits the sources and the numbers, and what the keys cost if you gave a price."""
    yield from (f"Note on {note['source']}: {note['text']}" for note in plan["notes"])
    if not plan["sources"]["inventory"]:
        yield (
            "You gave no inventory, so it is unknown which keys are registered already. Give one "
            "with --inventory."
        )
    yield from _unprotected(plan["unprotected"])
    yield from _shared_keys(plan)
    if count := plan["astra_provided"]:
        yield f"In addition, {pluralize(count, 'key scope')} on Astra's own keys, as declared."
    if count := plan["unsupported"]:
        scopes = pluralize(count, "key scope")
        yield f"In addition, {scopes} for which Astra has no customer keys: CMEK-04 fails an audit."
    if price is not None:
        for name in PRICED:
            if plan[name] or name == "needed":
                yield f"Price of the keys {KEY_NUMBERS[name]}: {price.describe(plan[name])}."


def _unprotected(count: int) -> Iterator[str]:
    if count:
        databases = pluralize(count, "existing database")
        runs, it = ("runs", "it") if count == 1 else ("run", "them")
        yield (
            f"{databases} {runs} on Astra's keys, because the key was missing, late or unused. A "
            f"key that you register now does not encrypt {it}. Register the key, then recreate "
            f"{it}."
        )


def _shared_keys(plan: Data) -> Iterator[str]:
    """Yield which keys are registered for several key scopes: all but one lack their own."""
    for name, organization in with_names(plan):
        for shared in organization["shared"]:
            scopes = " and ".join("/".join(scope.values()) for scope in shared["scopes"])
            yield (
                f"{name}: one key is registered for {scopes}. All but one of these lack a key of "
                f"their own. The key is {shared['key']}."
            )


def with_names(plan: Data) -> list[tuple[str, Data]]:
    """Return each organization under its name, with its id where two have the same name."""
    organizations = plan["organizations"]
    uses = Counter(organization["name"] for organization in organizations)
    return [
        (
            f"{organization['name']} ({organization['organization']})"
            if uses[organization["name"]] > 1
            else organization["name"],
            organization,
        )
        for organization in organizations
    ]


def sorted_scopes(organization: Data) -> list[Any]:
    """Return the key scopes, first those that need action."""
    return sorted(organization["scopes"], key=lambda scope: STATES.index(scope["state"]))


def reason(scope: Data) -> str:
    """Return which finding keeps a key scope from being in order; empty if none does."""
    is_bad = scope["status"] in NOT_COMPLYING and scope["severity"] != "advisory"
    if scope["state"] in _FINE and not is_bad:
        return ""
    status = STATUS[scope["status"]].word
    return f"{scope['rule']} {status}, {scope['severity']}: {scope['message']}"


def databases(scope: Data) -> str:
    """Return how many databases a key scope has, and how many keys if it has several."""
    planned = scope["databases"] - scope["existing"]
    counts = {"existing": scope["existing"], "planned": planned}
    listed = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    late = f", {scope['unprotected']:,} on Astra's keys" if scope["unprotected"] else ""
    keys = f", {scope['keys']:,} keys" if scope["keys"] > 1 else ""
    return (listed or "no database") + late + keys


def doubts(plan: Data) -> Iterator[str]:
    """Yield why you may need more keys; a missing inventory is among the remarks already."""
    remarked = () if plan["sources"]["inventory"] else ("not-recorded", "time-not-recorded")
    for name, organization in with_names(plan):
        for doubt in organization["doubts"]:
            if doubt["reason"] not in remarked:
                yield f"{name}: {doubt['message']} To do: {doubt['action']}."


def before_steps(plan: Data) -> Iterator[str]:
    """Yield what applies to all steps."""
    if plan["undetermined"]:
        yield "First find out what is not known. The steps below are for the keys that are missing."
    if any(step["address"] for step in plan["steps"]):
        yield f"All addresses are paths of {HOST}."
        yield "An audit never registers a key: you do that."
    if has_calls(plan["commands"]):
        yield f"The calls take the organization's token from the environment variable {TOKEN}."


def step_title(step: Data) -> str:
    """Return which key scopes steps are for, and how many there are."""
    counts = (f"{step[name]:,} {word}" for name, word in _STEP_COUNTS.items() if step[name])
    database_type = TYPE[step["type"]]
    kind = f"{database_type[0].upper()}{database_type[1:]} on {PROVIDER[step['provider']]}"
    return f"{kind}: {', '.join(counts)}"


def page(step: Data) -> str:
    """Return where the vendor describes the steps, and where Astra keeps such keys."""
    address = f" Astra keeps such keys at {step['address']}." if step["address"] else ""
    return f"The vendor's page is “{step['page']}”.{address}"


def regions(step: Data, render: Callable[[str], str]) -> str:
    """Return the regions that steps are for, each as ``render`` shows it."""
    shown = [render(region) for region in step["regions"][:_MOST_REGIONS]]
    hidden = len(step["regions"]) - _MOST_REGIONS
    more = f" and {hidden:,} more" if hidden > 0 else ""
    return f"Region{'s' if len(step['regions']) > 1 else ''}: {', '.join(shown)}{more}."


def shown_commands(plan: Data, step: Data, most: int) -> tuple[list[KeyCommands], str]:
    """Return what to paste for at most so many key scopes of a step, and where the rest is.

    Commands with a line so long that it would be cut are left out as a whole.
    """
    kind = step["type"], step["provider"]
    every = [
        command for command in plan["commands"] if (command["type"], command["provider"]) == kind
    ]
    shown = [command for command in every if _is_short(command)][:most]
    hidden = len(every) - len(shown)
    others = [pluralize(hidden, "more key scope")] if hidden else []
    if any(map(has_other_way, shown)):
        others.append("Terraform")
    return shown, f"For {' and for '.join(others)}: --format json." if others else ""


def _is_short(command: KeyCommands) -> bool:
    return all(
        len(line) <= _LONGEST_LINE for part in parts(command) for line in part.code.splitlines()
    )


def paste_sections(plan: Data, shown: Sequence[KeyCommands]) -> Iterator[tuple[str, list[Part]]]:
    """Yield what to paste under the name of each key scope, and what comes after them all."""
    names = {organization["organization"]: name for name, organization in with_names(plan)}
    for command in shown:
        yield f"{names[command['organization']]}, {command['region']}", list(parts(command))
    if last := list(closing(shown)):
        yield "After that", last


def conclusion(plan: Data) -> str:
    """Return what the exit code means. It never claims more than the findings allow."""
    if count := plan["planned_failures"]:
        return (
            f"Exit code 1: {pluralize(count, 'finding')} about keys that a plan would register, "
            "replace or remove. Correct the plan before you apply it."
        )
    if plan["exit_code"]:
        return "Exit code 1: a key is missing, or it is unknown whether one is."
    labels = (("failing", "fail"), ("unproven", "not proven"), ("waived", "waived"))
    counts = [f"{plan[name]:,} {label}" for name, label in labels if plan[name]]
    if counts:
        return (
            "Exit code 0: each key scope in use has a registered key. Not all of these keys are in "
            f"order: {', '.join(counts)}. Run an audit to see what to do."
        )
    return "Exit code 0: no key is missing."
