"""Whose the resources of a Terraform file are: the plan may tell, or the user does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.entries import is_identifier
from inventory.errors import InventoryError, Problem, SettingError
from inventory.terraform_addresses import module_names
from inventory.terraform_values import flaw
from inventory.wording import describe

if TYPE_CHECKING:
    from inventory.terraform_documents import Resource, TerraformDocument
    from inventory.terraform_source import SourceTree

NOT_TOLD = "organization-not-told"
"""The id of the organization to which resources belong of which nobody tells whose they are."""


OPTION = "--cmek-terraform-organization"


class Terraform(NamedTuple):
    """What the user tells about Terraform's files.

    Attributes:
        organization: the id of the organization whose token the configuration uses; may be empty.
        by_provider: the same by the key of each provider, such as ``astra.eu``.
        source: the folder of the configuration; None if it is not given.
    """

    organization: str = ""
    by_provider: Mapping[str, str] = {}
    source: SourceTree | None = None


def parse_organizations(texts: Sequence[str]) -> Terraform:
    """Read ``ID`` and ``PROVIDER=ID``; raise SettingError if two say different things."""
    told: dict[str, str] = {}
    for text in texts:
        provider, has_provider, identity = text.rpartition("=")
        if flaw(text) or not is_identifier(identity) or (has_provider and not provider):
            expected = "an organization's id, or PROVIDER=ID"
            raise SettingError(f"{OPTION}: found {describe(text)}, expected {expected}")
        if told.setdefault(provider, identity) != identity:
            found = f"{describe(text)} beside {describe(told[provider])}"
            raise SettingError(f"{OPTION}: found {found}, expected one of them")
    return Terraform(told.pop("", ""), told)


def refuse_unknown(terraform: Terraform, providers: Iterable[str]) -> None:
    """Raise SettingError if the user names a provider that is none of ``providers``."""
    known = sorted({*providers})
    if unknown := sorted(terraform.by_provider.keys() - known):
        found = f"the provider {describe(unknown[0])}"
        expected = f"one of {', '.join(map(describe, known))}" if known else "a plan that names it"
        raise SettingError(f"{OPTION}: found {found}, expected {expected}")


class Owners:
    """Tells to which organization each resource of a file belongs.

    Attributes:
        file: the file's path, as it was given.
        providers: the keys of the providers that it configures.
    """

    def __init__(self, told: TerraformDocument, terraform: Terraform) -> None:
        """Gather what the file tells: a provider's organization is that of all its resources."""
        self.file = told.file
        self._terraform = terraform
        self._providers = dict(_providers(told.configuration))
        configured = told.configuration.get("provider_config")
        self.providers = frozenset({*self._providers.values(), *_named(configured)})
        self._known: dict[str, set[str]] = defaultdict(set)
        for resource in told.resources:
            if owner := _own(resource):
                self._known[self._provider(resource)].add(owner)

    def of(self, resource: Resource) -> str:
        """Return the id of the organization; ``NOT_TOLD`` if nobody tells.

        Raises InventoryError if plan and user contradict each other, or if nobody tells while the
        plan does tell the organization of another provider: it may be another one.
        """
        provider = self._provider(resource)
        known = self._known[provider] if provider else set()
        plain = next(iter(known)) if len(known) == 1 else ""
        given = self._terraform.by_provider.get(provider, "")
        told = _own(resource) or plain
        if given and told and given != told:
            found = f"the organization {describe(told)} of {describe(resource.address)}"
            expected = f"{describe(given)}, as {OPTION} says"
            raise InventoryError([Problem(self.file, resource.line, "", found, expected)])
        owner = told or given or self._terraform.organization
        if not owner and provider and any(map(self._known.get, self.providers)):
            found = f"{describe(resource.address)}, of which it does not tell whose it is"
            expected = f"{OPTION}={provider}=ID, as it tells that of others only"
            raise InventoryError([Problem(self.file, resource.line, "", found, expected)])
        return owner or NOT_TOLD

    def _provider(self, resource: Resource) -> str:
        place = module_names(resource.module), resource.type, resource.name
        return self._providers.get(place, "")


def _own(resource: Resource) -> str:
    """Return the organization that the resource itself names; empty if it names none."""
    for side in (resource.before, resource.after):
        if side and (told := side.told("organization_id")).values:
            return told.values[0]
    return ""


def _providers(configuration: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, str, str], str]]:
    """Yield the key of the provider of each configured resource; what has no form is left out."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), configuration.get("root_module"))]
    while waiting:
        names, module = waiting.pop()
        if not isinstance(module, dict):
            continue
        for each in _listed(module.get("resources")):
            key = each.get("provider_config_key")
            if isinstance(key, str):
                yield (names, str(each.get("type")), str(each.get("name"))), key
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, dict) else ():
            if isinstance(call, dict):
                waiting.append(((*names, name), call.get("module")))


def _named(value: object) -> Iterable[str]:
    return map(str, value) if isinstance(value, dict) else ()


def _listed(value: object) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else []
    return [each for each in items if isinstance(each, dict)]
