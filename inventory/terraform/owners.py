"""Plans with several provider configurations: their organization must not be assumed.

Each configuration has a token of its own, and a token belongs to one organization. So all resources
of one configuration belong to one organization, and if only one was recorded, most likely to that.
Two configurations, in one plan or in two, may belong to two organizations of which only one was
recorded. Then the databases of the other would be judged by keys that are not theirs, and pass.

Therefore a repository with its keys and databases in one configuration needs no option. Everything
else needs an option for each configuration. The same key in another plan file counts as another
configuration: the key is only the name of a block in that plan's own files.
"""

from __future__ import annotations

import shlex
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from inventory.errors import Problem
from inventory.files.named_plans import OPTION as PLAN
from inventory.files.yaml_json import refuse
from inventory.terraform.organizations import OPTION
from inventory.text.display import describe, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inventory.files.yaml_json import RecordedFile
    from inventory.model.terraform_managed import ProviderConfiguration


def refuse_ambiguous_owners(plans: Sequence[RecordedFile]) -> None:
    """Raise InventoryError if a configuration without a stated organization is not the only one.

    A problem names each of them, with what it manages and the option that states its organization.
    """
    configurations = [configuration for plan in plans for configuration in plan.configurations]
    if len(configurations) == 1 and configurations[0].is_one:
        return
    shared = Counter(chain.from_iterable(_keys(plan) for plan in plans))
    refuse([problem for plan in plans for problem in _problems(plan, shared)])


def _keys(plan: RecordedFile) -> set[str]:
    return {configuration.provider for configuration in plan.configurations}


def _problems(plan: RecordedFile, shared: Counter[str]) -> Iterator[Problem]:
    for configuration in plan.configurations:
        if configuration.line:
            expected = _option(plan, configuration, is_shared=shared[configuration.provider] > 1)
            yield Problem(
                plan.source.path, configuration.line, "", _description(configuration), expected
            )


def _description(configuration: ProviderConfiguration) -> str:
    databases, keys = configuration.databases, configuration.keys
    numbers = [pluralize(databases, "database")] if databases else []
    numbers += [pluralize(keys, "customer key")] if keys else []
    return f"{' and '.join(numbers)} of {_label(configuration)}; the organization is not stated"


def _label(configuration: ProviderConfiguration) -> str:
    if not configuration.provider:
        return "provider configurations that the plan does not name"
    label = f"the provider configuration {describe(configuration.provider)}"
    if configuration.is_repeated:
        return f"{label} with for_each"
    if configuration.is_mixed:
        return f"{label} with several organizations"
    return f"{label}, one of several"


def _option(plan: RecordedFile, configuration: ProviderConfiguration, *, is_shared: bool) -> str:
    """Return the option that states the organization of ``configuration``, quoted for a shell.

    A configuration with resources of several organizations would contradict any of them, and one
    without a key cannot be named: only the general option fits these.
    """
    provider = configuration.provider
    if not provider or configuration.is_mixed:
        return f"{OPTION}=ID"
    if not is_shared:
        return shlex.quote(f"{OPTION}={provider}=ID")
    if name := plan.source.name:
        return shlex.quote(f"{OPTION}={name}#{provider}=ID")
    named = shlex.quote(f"{OPTION}=NAME#{provider}=ID")
    one = shlex.quote(f"{OPTION}={provider}=ID")
    return f"{one} if all plans are of one organization, else {PLAN}=NAME=PATH and {named}"
