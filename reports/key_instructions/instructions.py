"""What registers each missing key, ready to paste: as data, and in parts for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from inventory.model.key import KeyScope
from inventory.terraform.scopes import NOTHING, TerraformScope
from inventory.text.display import pluralize
from reports.key_instructions.commands import commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from inventory.model.vocabulary import DatabaseType, Provider
    from reports.key_instructions.terraform import Dependent, TerraformKey
    from reports.model.key_plan import KeyPlan, ListedScope, TerraformAddresses

_MOST_DEPENDENTS = 5
_MOST_ADDRESSES = 3


class DependentBlock(TypedDict):
    """A block that has to wait for the key; its fields are those of ``Dependent``."""

    block: str
    module: str
    line: str
    databases: list[str]


class TerraformSteps(TypedDict):
    """How a key is registered with Terraform; the fields are those of ``TerraformKey``."""

    key: str
    block: str
    dependents: list[DependentBlock]
    apply: str
    check: str


class KeyCommands(TypedDict):
    """What registers the key of one key scope; its fields are those of ``Commands``."""

    organization: str
    name: str
    type: DatabaseType
    provider: Provider
    region: str
    replace: list[str]
    accounts: str
    register: str
    read: str
    terraform: TerraformSteps | None


def scope_of(listed: ListedScope) -> KeyScope:
    """Return the key scope that an entry of the key plan is about."""
    return KeyScope(listed["organization"], listed["type"], listed["provider"], listed["region"])


def commands_for(listed: ListedScope) -> KeyCommands | None:
    """Return what registers the key of a key scope that the key plan lists, as data.

    None where nothing can be registered.
    """
    managed = listed["terraform"]
    made = commands(scope_of(listed), _managed(managed) if managed else NOTHING)
    if made is None:
        return None
    return {
        "organization": listed["organization"],
        "name": listed["name"],
        "type": listed["type"],
        "provider": listed["provider"],
        "region": listed["region"],
        "replace": list(made.replace),
        "accounts": made.accounts,
        "register": made.register,
        "read": made.read,
        "terraform": _terraform(made.terraform) if made.terraform else None,
    }


def _managed(addresses: TerraformAddresses) -> TerraformScope:
    return TerraformScope(
        tuple(addresses["databases"]), tuple(addresses["creates"]), tuple(addresses["holds"])
    )


def _terraform(key: TerraformKey) -> TerraformSteps:
    return {
        "key": key.key,
        "block": key.block,
        "dependents": list(map(_dependent, key.dependents)),
        "apply": key.apply,
        "check": key.check,
    }


def _dependent(dependent: Dependent) -> DependentBlock:
    return {
        "block": dependent.block,
        "module": dependent.module,
        "line": dependent.line,
        "databases": list(dependent.databases),
    }


# --- for people -----------------------------------------------------------------------------------


class Part(NamedTuple):
    """A piece of what registers a key.

    Attributes:
        text: what it is for.
        code: what to paste; empty if nothing is.
        language: the language of the code: ``sh`` or ``hcl``.
    """

    text: str
    code: str = ""
    language: str = "sh"


def has_calls(entries: Iterable[KeyCommands]) -> bool:
    """Say whether calls of Astra's interface are among the parts of ``entries``."""
    return not all(_is_planned(entry["terraform"]) for entry in entries)


def has_other_way(entry: KeyCommands) -> bool:
    """Say whether the parts of ``entry`` leave out that Terraform could do the same."""
    return entry["terraform"] is not None and not _is_planned(entry["terraform"])


def parts(entry: KeyCommands, *, in_full: bool = False) -> Iterator[Part]:
    """Yield what registers one key: with Terraform where that plans something there, else calls.

    ``in_full`` adds Terraform's way where nothing is planned yet.
    """
    terraform = entry["terraform"]
    if terraform and _is_planned(terraform):
        yield from _with_terraform(entry, terraform)
        return
    yield Part("Whom the policy of the key has to allow:", entry["accounts"])
    yield Part(f"Register the key. First replace {_placeholders(entry)}:", entry["register"])
    yield Part("Read it back:", entry["read"])
    if in_full and terraform:
        yield from _with_terraform(entry, terraform, "Or with")


def closing(entries: Sequence[KeyCommands]) -> Iterator[Part]:
    """Yield what comes after the keys of ``entries``, if Terraform plans databases there."""
    every = [entry["terraform"] for entry in entries]
    planned = [terraform for terraform in every if terraform and _is_planned(terraform)]
    for check in dict.fromkeys(terraform["check"] for terraform in planned):
        text = "Plan again, audit that plan, and apply it only if the audit passes:"
        yield Part(text, check)


class Shown(NamedTuple):
    """What is shown of the commands for the key scopes of one kind.

    Attributes:
        scopes: the first key scopes, each with its parts.
        closing: what comes after them all.
        left: how many key scopes are not shown.
    """

    scopes: Sequence[tuple[KeyCommands, list[Part]]]
    closing: list[Part]
    left: int


def lay_out_commands(plan: KeyPlan, most: int) -> list[Shown]:
    """Return what is shown for each step of a key plan, of at most so many key scopes each."""
    kinds: dict[tuple[str, str], list[ListedScope]] = {}
    for listed in plan["lists"]["missing"]:
        kinds.setdefault((listed["type"], listed["provider"]), []).append(listed)
    return [
        _lay_out(kinds.get((step["type"], step["provider"]), []) if step["address"] else [], most)
        for step in plan["steps"]
    ]


def _lay_out(missing: Sequence[ListedScope], most: int) -> Shown:
    entries = [made for listed in missing[:most] if (made := commands_for(listed))]
    scopes = [(entry, list(parts(entry, in_full=True))) for entry in entries]
    return Shown(scopes, list(closing(entries)), len(missing) - len(entries))


def _is_planned(terraform: TerraformSteps | None) -> bool:
    """Say whether a plan of Terraform has the key, or a database that needs it."""
    return terraform is not None and bool(terraform["dependents"] or not terraform["block"])


def _with_terraform(
    entry: KeyCommands, terraform: TerraformSteps, start: str = "With"
) -> Iterator[Part]:
    if terraform["block"]:
        text = (
            f"{start} Terraform: add the key to the root module. Where there are several provider "
            "configurations, name the one of this organization in its provider argument. First "
            f"replace {_placeholders(entry)}:"
        )
        yield Part(text, terraform["block"], "hcl")
    else:
        yield Part(f"{start} Terraform: the plan creates the key as {terraform['key']}.")
    dependents = terraform["dependents"]
    for dependent in dependents[:_MOST_DEPENDENTS]:
        yield Part(_waiting(dependent), dependent["line"], "hcl")
    if (left := len(dependents) - _MOST_DEPENDENTS) > 0:
        yield Part(f"Do the same in {pluralize(left, 'more block')}.")
    yield Part("Register the key, and nothing else:", terraform["apply"])


def _waiting(dependent: DependentBlock) -> str:
    addresses = dependent["databases"]
    named = ", ".join(addresses[:_MOST_ADDRESSES])
    left = len(addresses) - _MOST_ADDRESSES
    more = f" and {left:,} more" if left > 0 else ""
    module = f" of module {dependent['module']}" if dependent["module"] else ""
    block = f"{dependent['block']}{module}, for " if dependent["block"] else "the block of "
    return f"Add to {block}{named}{more}:"


def _placeholders(entry: KeyCommands) -> str:
    *some, last = entry["replace"]
    return f"{', '.join(some)} and {last}"
