"""What the plan of the keys says in words, in whatever format people read it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from inventory.text.display import pluralize
from reports.aggregation.coverage import STATES
from reports.key_instructions.commands import TOKEN
from reports.key_instructions.instructions import closing, has_calls, has_other_way, parts
from reports.key_instructions.procedure import HOST
from reports.presentation.labels import KEY_NUMBERS, PROVIDER, STATUS, TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cmek_audit.commands.keys.price import Price
    from reports.key_instructions.instructions import KeyCommands, Part

    Answer = Mapping[str, Any]

PRICED = ("needed", "missing", "undetermined")
_FINE = ("covered", "unused", "spare", "unsupported", "astra-provided")
"""The states that need no words beside them, unless something about the key scope is open."""

_MOST_REGIONS = 40
_LONGEST_LINE = 900
"""Longer lines might be cut when they are printed."""

_BAD = ("error", "fail", "inconclusive", "waived")
_KINDS = {
    "missing": "missing",
    "shared": "shared",
    "undetermined": "not known",
    "unsupported": "not supported",
}


def title(answer: Answer) -> str:
    """Say what the answer is about, and of when."""
    example = ", the time of an example" if answer["example"] else ""
    return f"Customer keys as of {answer['as_of']}{example}"


def number(name: str, part: Answer) -> str:
    """Return a number; what counts keys is not known where none was read."""
    known = part["keys_known"] or name not in {"registered", "unused"}
    return f"{part[name]:,}" if known or part[name] else "not known"


def whole(answer: Answer) -> Answer:
    """Return the numbers of all organizations together."""
    return {
        **answer,
        "keys_known": all(organization["keys_known"] for organization in answer["organizations"]),
    }


def remarks(answer: Answer, price: Price | None) -> Iterator[str]:
    """Say what limits the sources and the numbers, and what the keys cost if a price was given."""
    for note in answer["notes"]:
        yield f"Note on {note['source']}: {note['text']}"
    if not answer["sources"]["inventory"]:
        yield (
            "No inventory was given, so nobody knows which keys are registered already: give one "
            "with --inventory."
        )
    if count := answer["unprotected"]:
        runs, has, them = ("runs", "has", "it") if count == 1 else ("run", "have", "them")
        named = pluralize(count, "existing database")
        yield (
            f"{named} {runs} on Astra's keys, because the key was missing or late. No key that is "
            f"registered now encrypts {them}: {them if count == 1 else 'they'} {has} to be "
            "recreated once the key is registered."
        )
    yield from shares(answer)
    if count := answer["astra_provided"]:
        yield f"Beside these, {pluralize(count, 'key scope')} on Astra's own keys, as declared."
    if count := answer["unsupported"]:
        told = pluralize(count, "key scope")
        yield f"Beside these, {told} without any customer keys in Astra: an audit fails by CMEK-04."
    if price is not None:
        for name in PRICED:
            if answer[name] or name == "needed":
                yield f"Price of the keys {KEY_NUMBERS[name]}: {price.words(answer[name])}."


def shares(answer: Answer) -> Iterator[str]:
    """Say which keys are registered for several key scopes, of which all but one lack theirs."""
    for name, organization in zip(names(answer), answer["organizations"], strict=True):
        for shared in organization["shared"]:
            several = ["/".join(scope.values()) for scope in shared["scopes"]]
            yield (
                f"{name}: all but one of {' and '.join(several)} lack a key of their own, as one "
                f"key is registered for all of them: {shared['key']}."
            )


def names(answer: Answer) -> list[str]:
    """Return the name of each organization, with its id where the name is another's, too."""
    shared = Counter(each["name"] for each in answer["organizations"])
    return [
        f"{organization['name']} ({organization['organization']})"
        if shared[organization["name"]] > 1
        else organization["name"]
        for organization in answer["organizations"]
    ]


def scopes(organization: Answer) -> list[Any]:
    """Return the key scopes, those first about which something has to be done."""
    return sorted(organization["scopes"], key=lambda scope: STATES.index(scope["state"]))


def why(scope: Answer) -> str:
    """Say which finding keeps a key scope from being in order; empty if none does."""
    is_bad = scope["status"] in _BAD and scope["severity"] != "advisory"
    if scope["state"] in _FINE and not is_bad:
        return ""
    status = STATUS[scope["status"]].word
    return f"{scope['rule']} {status}, {scope['severity']}: {scope['message']}"


def databases(scope: Answer) -> str:
    """Say how many databases lie in a key scope, and how many keys if these are several."""
    planned = scope["databases"] - scope["existing"]
    told = {"existing": scope["existing"], "planned": planned}
    words = ", ".join(f"{count:,} {state}" for state, count in told.items() if count)
    late = f", {scope['unprotected']:,} on Astra's keys" if scope["unprotected"] else ""
    keys = f", {scope['keys']:,} keys" if scope["keys"] > 1 else ""
    return (words or "no database") + late + keys


def doubts(answer: Answer) -> Iterator[str]:
    """Say why there may be more to plan for; that no inventory was given is a remark already."""
    remarked = () if answer["sources"]["inventory"] else ("not-recorded", "time-not-recorded")
    for name, organization in zip(names(answer), answer["organizations"], strict=True):
        for doubt in organization["doubts"]:
            if doubt["reason"] not in remarked:
                yield f"{name}: {doubt['message']} To do: {doubt['action']}."


def before_steps(answer: Answer) -> Iterator[str]:
    """Say what holds for all steps."""
    if answer["undetermined"]:
        yield "What is not known has to be found out first; then the steps are for what is missing."
    if any(step["address"] for step in answer["steps"]):
        yield f"All addresses lie below {HOST}."
        yield "An audit never registers a key: that is for you to do."
    if has_calls(answer["commands"]):
        yield f"The calls take the organization's token from the environment variable {TOKEN}."


def kind(step: Answer) -> str:
    """Name the key scopes that steps are for, and say how many there are."""
    counts = ", ".join(f"{step[name]:,} {word}" for name, word in _KINDS.items() if step[name])
    database_type = TYPE[step["type"]]
    return (
        f"{database_type[0].upper()}{database_type[1:]} on {PROVIDER[step['provider']]}: {counts}"
    )


def page(step: Answer) -> str:
    """Name the vendor's page, and say where Astra keeps such keys."""
    kept = f" Astra keeps such keys at {step['address']}." if step["address"] else ""
    return f"The vendor's page is “{step['page']}”.{kept}"


def regions(step: Answer, show: Callable[[str], str]) -> str:
    """Name the regions that steps are for, each as ``show`` renders it."""
    named = [show(region) for region in step["regions"][:_MOST_REGIONS]]
    left = len(step["regions"]) - _MOST_REGIONS
    more = f" and {left:,} more" if left > 0 else ""
    return f"Region{'s' if len(step['regions']) > 1 else ''}: {', '.join(named)}{more}."


def ready(answer: Answer, step: Answer, most: int) -> tuple[list[KeyCommands], str]:
    """Return what to paste for at most so many key scopes of a step, and where the rest is.

    What is so long that a line of it would be cut is never shown in part.
    """
    kind = step["type"], step["provider"]
    every = [
        command for command in answer["commands"] if (command["type"], command["provider"]) == kind
    ]
    shown = [each for each in every if _is_short(each)][:most]
    left = len(every) - len(shown)
    others = [pluralize(left, "more key scope")] if left else []
    if any(map(has_other_way, shown)):
        others.append("Terraform")
    return shown, f"For {' and for '.join(others)}: --format json." if others else ""


def _is_short(commands: KeyCommands) -> bool:
    return all(
        len(line) <= _LONGEST_LINE for part in parts(commands) for line in part.code.splitlines()
    )


def place(answer: Answer, commands: KeyCommands) -> str:
    """Name the key scope that is to get its key by ``commands``, among those of its kind."""
    ids = [organization["organization"] for organization in answer["organizations"]]
    name = dict(zip(ids, names(answer), strict=True))[commands["organization"]]
    return f"{name}, {commands['region']}"


def all_parts(answer: Answer, shown: Sequence[KeyCommands]) -> Iterator[tuple[str, list[Part]]]:
    """Yield what to paste under the name of each key scope, and what comes after them all."""
    for commands in shown:
        yield place(answer, commands), list(parts(commands))
    if last := list(closing(shown)):
        yield "After that", last


def conclusion(answer: Answer) -> str:
    """Say what the exit code says; that none is missing is said over keys in order only."""
    if count := answer["planned_failures"]:
        return (
            f"Exit code 1: {pluralize(count, 'finding')} about keys that a plan would register, "
            "replace or remove. Correct the plan before it is applied."
        )
    if answer["exit_code"]:
        return "Exit code 1: a key is missing, or it cannot be said whether one is."
    counts = (("failing", "fail"), ("unproven", "not proven"), ("waived", "waived"))
    told = [f"{answer[name]:,} {word}" for name, word in counts if answer[name]]
    if told:
        return (
            "Exit code 0: each key scope in use has a key registered for it. Not all of these are "
            f"in order: {', '.join(told)}. An audit says what to do."
        )
    return "Exit code 0: no key is missing."
