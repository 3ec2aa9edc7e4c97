"""The organization of each resource in a Terraform file, by the plan itself or by the user."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.errors import InventoryError, Problem, SettingError
from inventory.model.base import is_identifier
from inventory.model.terraform_managed import ProviderConfiguration
from inventory.terraform.addresses import module_names
from inventory.terraform.attributes import flaw
from inventory.text.display import describe

if TYPE_CHECKING:
    from inventory.terraform.resources import Resource, TerraformDocument
    from inventory.terraform.source import SourceTree

UNKNOWN_ORGANIZATION = "organization-not-told"
"""The id that stands in for the organization of resources that state none."""

OPTION = "--cmek-terraform-organization"

_KEY = re.compile(r"[\w.:-]{1,1000}")
"""A provider's key as Terraform writes it, such as ``module.shop.module.db:astra.eu``."""

_LEAVING = frozenset({"delete", "forget"})


class TerraformSettings(NamedTuple):
    """What the user states about Terraform's files.

    Attributes:
        organization: the id of the organization whose token the configuration uses; may be empty.
        by_provider: the same by the key of each provider, such as ``astra.eu``; with the name of
            a plan in front, such as ``prod#astra.eu``, for that plan alone.
        source: the folder of the configuration; None if it is not given.
    """

    organization: str = ""
    by_provider: Mapping[str, str] = {}
    source: SourceTree | None = None

    def for_plan(self, name: str) -> TerraformSettings:
        """Return what is stated about the plan ``name``, by the plain keys of its providers."""
        general = {key: owner for key, owner in self.by_provider.items() if "#" not in key}
        named = {
            key.removeprefix(f"{name}#"): owner
            for key, owner in self.by_provider.items()
            if name and key.startswith(f"{name}#")
        }
        return self._replace(by_provider=general | named)


def parse_organizations(texts: Sequence[str]) -> TerraformSettings:
    """Parse ``ID``, ``PROVIDER=ID`` and ``NAME#PROVIDER=ID``.

    Raises SettingError if one cannot be parsed, or if two contradict each other.
    """
    owners: dict[str, str] = {}
    for text in texts:
        provider, has_provider, identity = text.rpartition("=")
        if flaw(text) or not is_identifier(identity) or (has_provider and not provider):
            expected = "an organization's id, PROVIDER=ID or NAME#PROVIDER=ID"
            raise SettingError(f"{OPTION}: found {describe(text)}, expected {expected}")
        if owners.setdefault(provider, identity) != identity:
            found = f"{describe(text)} and {describe(owners[provider])}"
            raise SettingError(f"{OPTION}: found {found}, expected one of them")
    return TerraformSettings(owners.pop("", ""), owners)


def refuse_unknown_providers(terraform: TerraformSettings, providers: Iterable[str]) -> None:
    """Raise SettingError if the user names a provider that is not one of ``providers``."""
    known = sorted({*providers})
    if unknown := sorted(terraform.by_provider.keys() - known):
        found = f"the provider {describe(unknown[0])}"
        expected = f"one of {', '.join(map(describe, known))}" if known else "a plan that names it"
        raise SettingError(f"{OPTION}: found {found}, expected {expected}")


class OwnerResolver:
    """Resolves the organization of each resource of a file.

    Attributes:
        file: the file's path, as it was given.
        providers: the keys of the providers that it configures.
    """

    def __init__(self, document: TerraformDocument, terraform: TerraformSettings) -> None:
        """Collect the organizations in ``document``, by the provider of their resources."""
        self.file = document.file
        self._terraform = terraform
        self._resources = document.resources
        self._providers = dict(_providers(document.configuration))
        configured = document.configuration.get("provider_config")
        self.providers = frozenset({*self._providers.values(), *_provider_keys(configured)})
        self._repeated = frozenset(_repeated(configured))
        self._known: dict[str, set[str]] = defaultdict(set)
        for resource in document.resources:
            if owner := _stated_owner(resource):
                self._known[self._provider(resource)].add(owner)

    def of(self, resource: Resource) -> str:
        """Return the id of the organization; ``UNKNOWN_ORGANIZATION`` if nothing states it.

        Raises InventoryError if plan and user contradict each other.
        """
        provider = self._provider(resource)
        given = self._terraform.by_provider.get(provider, "")
        stated = _stated_owner(resource) or self._sole_owner(provider)
        if given and stated and given != stated:
            found = f"the organization {describe(stated)} of {describe(resource.address)}"
            expected = f"{describe(given)}, as {OPTION} says"
            raise InventoryError([Problem(self.file, resource.line, "", found, expected)])
        return stated or given or self._terraform.organization or UNKNOWN_ORGANIZATION

    def configurations(self) -> tuple[ProviderConfiguration, ...]:
        """Return each configuration by which the file manages databases or keys, by its key.

        A resource is left out if the plan removes it, it names its organization, and it has no
        configuration any more: whoever removes a database removes its block.
        """
        by_address: dict[str, list[Resource]] = defaultdict(list)
        for resource in self._resources:
            by_address[resource.address].append(resource)
        managed: dict[str, list[list[Resource]]] = defaultdict(list)
        for resources in by_address.values():
            provider = self._provider(resources[0])
            if provider or not _is_leaving(resources):
                managed[provider].append(resources)
        return tuple(starmap(self._configuration, sorted(managed.items())))

    def _configuration(self, provider: str, managed: list[list[Resource]]) -> ProviderConfiguration:
        keys = sum(resources[0].type == "astra_customer_key" for resources in managed)
        lines = [
            resource.line
            for resources in managed
            for resource in resources
            if self.of(resource) == UNKNOWN_ORGANIZATION
        ]
        return ProviderConfiguration(
            provider,
            databases=len(managed) - keys,
            keys=keys,
            line=min(lines, default=0),
            is_mixed=len(self._known[provider]) > 1,
            is_repeated=provider in self._repeated,
        )

    def _sole_owner(self, provider: str) -> str:
        """Return the organization that resources of ``provider`` name, if there can be only one."""
        known = self._known[provider] if provider else set[str]()
        return next(iter(known)) if len(known) == 1 and provider not in self._repeated else ""

    def _provider(self, resource: Resource) -> str:
        configured = module_names(resource.module), resource.type, resource.name
        return self._providers.get(configured, "")


def _is_leaving(resources: Iterable[Resource]) -> bool:
    """Say whether a resource names its organization, and the plan removes it."""
    actions = frozenset[str]().union(*(resource.actions for resource in resources))
    return bool(actions) and actions <= _LEAVING and any(map(_stated_owner, resources))


def _stated_owner(resource: Resource) -> str:
    """Return the organization that the resource itself states; empty if it states none."""
    for side in (resource.before, resource.after):
        if side and (owner := side.read("organization_id")).values:
            return owner.values[0]
    return ""


def _providers(configuration: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, str, str], str]]:
    """Yield the key of the provider of each configured resource; malformed parts are left out."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), configuration.get("root_module"))]
    while waiting:
        names, module = waiting.pop()
        if not isinstance(module, dict):
            continue
        for resource in _listed(module.get("resources")):
            key = resource.get("provider_config_key")
            if isinstance(key, str) and _KEY.fullmatch(key):
                yield (names, str(resource.get("type")), str(resource.get("name"))), key
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, dict) else ():
            if isinstance(call, dict):
                waiting.append(((*names, name), call.get("module")))


def _provider_keys(value: object) -> Iterable[str]:
    return map(str, value) if isinstance(value, dict) else ()


def _repeated(configured: object) -> Iterator[str]:
    """Yield the keys of the configurations that have ``for_each``, as OpenTofu allows.

    The plan shows neither ``for_each`` itself nor the instance that a resource uses. It is visible
    only where a setting such as the token differs by instance: by a reference to ``each.key``.
    """
    for key, block in configured.items() if isinstance(configured, dict) else ():
        if any(reference.startswith("each.") for reference in _references(block)):
            yield str(key)


def _references(data: object) -> Iterator[str]:
    """Yield the references of all expressions, however deep."""
    waiting = [data]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            listed = inner.get("references")
            yield from map(str, listed if isinstance(listed, list) else ())
            waiting += inner.values()
        elif isinstance(inner, list):
            waiting += inner


def _listed(value: object) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]
