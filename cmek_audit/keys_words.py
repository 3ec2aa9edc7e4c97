"""What the plan of the keys says in words, in whatever format people read it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.registering import HOST
from inventory.wording import counted
from reports.looks import KEY_NUMBERS, PROVIDER, TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cmek_audit.price import Price

    Answer = Mapping[str, Any]

PRICED = ("needed", "missing", "undetermined")
_STATES = ("missing", "undetermined", "covered", "idle", "spare", "not-supported", "astra-provided")
_KINDS = {"missing": "missing", "undetermined": "not known", "not_supported": "not supported"}


def title(answer: Answer) -> str:
    """Say what the answer is about, and of when."""
    example = ", the time of an example" if answer["example"] else ""
    return f"Customer keys as of {answer['as_of']}{example}"


def number(name: str, part: Answer) -> str:
    """Return a number; what counts keys is not known where none was read."""
    known = part["keys_known"] or name not in {"registered", "idle"}
    return f"{part[name]:,}" if known or part[name] else "not known"


def whole(answer: Answer) -> Answer:
    """Return the numbers of all organizations together."""
    return {**answer, "keys_known": all(each["keys_known"] for each in answer["organizations"])}


def remarks(answer: Answer, price: Price | None) -> Iterator[str]:
    """Say what the numbers leave out, and what the keys cost if a price was given."""
    if not answer["sources"]["inventory"]:
        yield (
            "No inventory was given, so nobody knows which keys are registered already: give one "
            "with --inventory."
        )
    if count := answer["astra_provided"]:
        yield f"Beside these, {counted(count, 'key scope')} on Astra's own keys, as declared."
    if count := answer["not_supported"]:
        told = counted(count, "key scope")
        yield f"Beside these, {told} without any customer keys in Astra: an audit fails by CMEK-04."
    if price is not None:
        for name in PRICED:
            if answer[name] or name == "needed":
                yield f"Price of the keys {KEY_NUMBERS[name]}: {price.words(answer[name])}."


def names(answer: Answer) -> list[str]:
    """Return the name of each organization, with its id where the name is another's, too."""
    shared = Counter(each["name"] for each in answer["organizations"])
    return [
        f"{each['name']} ({each['organization']})" if shared[each["name"]] > 1 else each["name"]
        for each in answer["organizations"]
    ]


def scopes(organization: Answer) -> list[Any]:
    """Return the key scopes, those first about which something has to be done."""
    return sorted(organization["scopes"], key=lambda scope: _STATES.index(scope["state"]))


def databases(scope: Answer) -> str:
    """Say how many databases lie in a key scope, and how many keys if these are several."""
    planned = scope["databases"] - scope["existing"]
    told = {"existing": scope["existing"], "planned": planned}
    words = ", ".join(f"{count:,} {state}" for state, count in told.items() if count)
    keys = f", {scope['keys']:,} keys" if scope["keys"] > 1 else ""
    return (words or "no database") + keys


def doubts(answer: Answer) -> Iterator[str]:
    """Say why there may be more to plan for; that no inventory was given is a remark already."""
    for name, organization in zip(names(answer), answer["organizations"], strict=True):
        for doubt in organization["doubts"]:
            if answer["sources"]["inventory"] or doubt["reason"] != "not-recorded":
                yield f"{name}: {doubt['says']} To do: {doubt['action']}."


def before_steps(answer: Answer) -> Iterator[str]:
    """Say what holds for all steps."""
    if answer["undetermined"]:
        yield "What is not known has to be settled first; then the steps are for what is missing."
    if any(step["address"] for step in answer["steps"]):
        yield f"All addresses lie below {HOST}."


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


def conclusion(answer: Answer) -> str:
    """Say what the exit code says."""
    if answer["exit_code"]:
        return "Exit code 1 says that a key is missing, or that it cannot be said whether one is."
    return "No key is missing."
