"""How one customer key is registered with Terraform, before the databases that it encrypts.

Everything is printable ASCII: other characters of a region are escaped, and none is evaluated.
"""

from __future__ import annotations

import re
import shlex
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from inventory.terraform.addresses import module_names
from reports.key_instructions.procedure import RESOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.model.key import KeyScope
    from inventory.terraform.scopes import TerraformScope

_REGION = re.compile(r"[a-z0-9]{1,30}(?:-[a-z0-9]{1,30}){0,4}")
_LONGEST_NAME = 40
_UNSAFE_IN_HCL = re.compile(r"[^ !#&-\[\]-~]")
_WORD = r"[A-Za-z_][A-Za-z0-9_-]*"
_INSTANCE = r'(?:\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\])?'
_RESOURCE = re.compile(
    r"(?:(?P<plan>[A-Za-z0-9][A-Za-z0-9._-]{0,63})#)?"
    rf"(?P<modules>(?:module\.{_WORD}{_INSTANCE}\.)*)"
    rf"(?P<type>{_WORD})\.(?P<name>{_WORD}){_INSTANCE}"
)


class Dependent(NamedTuple):
    """Where a plan configures databases that must wait for the key.

    Attributes:
        block: the block that gets the line; empty if the address does not show it.
        module: the module that holds the block, by its names; empty for the root.
        line: the line that makes it wait.
        databases: the addresses of the databases.
    """

    block: str
    module: str
    line: str
    databases: tuple[str, ...]


class TerraformKey(NamedTuple):
    """How a key is registered with Terraform.

    Attributes:
        key: the address of its resource.
        block: the resource; empty if the plan has it already.
        dependents: what must wait for it.
        apply: the command that registers the key and nothing else.
        check: the commands by which everything else is planned, audited and then applied.
    """

    key: str
    block: str
    dependents: tuple[Dependent, ...]
    apply: str
    check: str


class _Address(NamedTuple):
    """The parts of a resource's address.

    Attributes:
        plan: the name of the plan that has it; empty if it has none.
        modules: the names of the modules around it, without their instances.
        type: the resource's type.
        name: its name, without its instance.
    """

    plan: str
    modules: tuple[str, ...]
    type: str
    name: str

    def seen_from(self, depth: int) -> str:
        """Return the reference to it in the module at ``depth``, which leads to it."""
        if len(self.modules) > depth:
            return f"module.{self.modules[depth]}"
        return f"{self.type}.{self.name}"

    def block_at(self, depth: int) -> str:
        """Return the head of the block in the module at ``depth`` that holds it."""
        if len(self.modules) > depth:
            return f'module "{self.modules[depth]}"'
        return f'resource "{self.type}" "{self.name}"'


def _parse(address: str) -> _Address | None:
    """Return the parts of ``address``; None if it is no address whose words are in ASCII."""
    match = _RESOURCE.fullmatch(address)
    modules = module_names(match["modules"].rstrip(".")) if match else None
    if match is None or modules is None:
        return None
    return _Address(match["plan"] or "", modules, match["type"], match["name"])


def terraform_key(scope: KeyScope, key_id: str, managed: TerraformScope) -> TerraformKey | None:
    """Return how the key ``key_id`` of ``scope`` is registered with Terraform.

    ``managed`` is what Terraform manages there: a key that a plan creates needs no other block.
    None if a state has one, as applying would do nothing, or if an address cannot be parsed.
    """
    if managed.creates:
        key = managed.creates[0]
        parsed = _parse(key) if key.isascii() and key.isprintable() else None
        return parsed and _ordered(key, parsed, "", managed)
    if managed.holds:
        return None
    parsed = _Address("", (), RESOURCE, _name(scope))
    return _ordered(f"{RESOURCE}.{parsed.name}", parsed, _block(scope, key_id), managed)


def _ordered(key: str, parsed: _Address, block: str, managed: TerraformScope) -> TerraformKey:
    target = key.partition("#")[2] if parsed.plan else key
    databases = [(address, _parse(address)) for address in managed.databases]
    plans = [parsed.plan, *(database.plan for _, database in databases if database)]
    return TerraformKey(
        key=key,
        block=block,
        dependents=tuple(_dependents(parsed, databases)),
        apply=f"terraform apply {shlex.quote(f'-target={target}')}",
        check=_check(next(filter(None, plans), "")),
    )


def _dependents(key: _Address, databases: Iterable[tuple[str, _Address | None]]) -> list[Dependent]:
    """Return where databases must wait for the key; those of another plan cannot."""
    by_block: dict[tuple[str, str, str], list[str]] = {}
    for address, parsed in databases:
        if parsed is None or not key.plan or parsed.plan == key.plan:
            by_block.setdefault(_dependency(key, parsed), []).append(address)
    return [Dependent(*block, tuple(addresses)) for block, addresses in by_block.items()]


def _dependency(key: _Address, database: _Address | None) -> tuple[str, str, str]:
    """Return block, module and line by which a database waits for the key.

    They are in the innermost module that contains both: a reference cannot leave its module.
    """
    depth = 0
    if database:
        pairs = zip(key.modules, database.modules, strict=False)
        is_same = [of_key == of_database for of_key, of_database in pairs]
        depth = (*is_same, False).index(False)
    line = f"depends_on = [{key.seen_from(depth)}]"
    return database.block_at(depth) if database else "", ".".join(key.modules[:depth]), line


def _check(plan: str) -> str:
    """Return the commands after the key: what is applied is what was audited, or nothing."""
    given = f"{plan}=plan.json" if plan else "plan.json"
    audit = f"cmek-audit audit --cmek-live=organizations.yaml --cmek-plan={given}"
    return "\n".join(
        [
            "terraform plan -out=plan.bin",
            "terraform show -json plan.bin > plan.json",
            f"{audit} \\\n  && terraform apply plan.bin",
        ]
    )


def _name(scope: KeyScope) -> str:
    """Return a name for the resource that is unique for its provider and region."""
    region = scope.region
    if _REGION.fullmatch(region):
        return f"{scope.provider}_{region.replace('-', '_')}"
    # Two strange regions may be spelled alike in ASCII: the digest keeps their names apart.
    ascii_name = re.sub(r"[^a-z0-9]+", "_", region.lower())[:_LONGEST_NAME].strip("_")
    digest = sha256(region.encode("utf-8", "backslashreplace")).hexdigest()[:12]
    return f"{scope.provider}_{ascii_name}_{digest}"


def _block(scope: KeyScope, key_id: str) -> str:
    return "\n".join(
        [
            f'resource "{RESOURCE}" "{_name(scope)}" {{',
            f'  cloud_provider = "{scope.provider}"',
            f"  region         = {_hcl(scope.region)}",
            f"  key_id         = {_hcl(key_id)}",
            "}",
        ]
    )


def _hcl(text: str) -> str:
    r"""Render ``text`` as a literal of Terraform's language, in which nothing is evaluated.

    What begins an escape or a template is written by its number: ``\u0024`` is never ``${``.
    """
    return f'"{_UNSAFE_IN_HCL.sub(lambda match: _numbered(match[0]), text)}"'


def _numbered(character: str) -> str:
    number = ord(character)
    if 0xD800 <= number <= 0xDFFF:  # noqa: PLR2004 (half a character, which no literal can hold)
        return "?"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004
