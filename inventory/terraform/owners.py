"""Plans of several provider configurations: whose what they manage is must not be assumed.

Each configuration has a token of its own, and a token is of one organization. So what is of one
configuration is of one organization, and where only one was recorded, it is most likely that one.
Two configurations, in one plan or in two, may be of two organizations, of which only one was
recorded: the databases of the other would be judged by keys that are not theirs, and pass.

One repository with its keys and databases in one configuration therefore needs no option, and
everything else needs a word for each configuration. A plan file counts as another configuration
even if it calls it by the same key: that key is only the name of a block in its own files.
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
    """Raise InventoryError if nothing states whose a configuration is, and it is not the only one.

    Each of these is named, with what it manages and the option that states whose it is.
    """
    every = [configuration for plan in plans for configuration in plan.configurations]
    if len(every) == 1 and every[0].is_one:
        return
    shared = Counter(chain.from_iterable(_keys(plan) for plan in plans))
    refuse([problem for plan in plans for problem in _problems(plan, shared)])


def _keys(plan: RecordedFile) -> set[str]:
    return {configuration.provider for configuration in plan.configurations}


def _problems(plan: RecordedFile, shared: Counter[str]) -> Iterator[Problem]:
    for configuration in plan.configurations:
        if configuration.line:
            expected = _option(plan, configuration, is_shared=shared[configuration.provider] > 1)
            yield Problem(plan.source.path, configuration.line, "", _found(configuration), expected)


def _found(configuration: ProviderConfiguration) -> str:
    databases, keys = configuration.databases, configuration.keys
    numbers = [pluralize(databases, "database")] if databases else []
    numbers += [pluralize(keys, "customer key")] if keys else []
    return f"{' and '.join(numbers)} of {_named(configuration)}; the organization is not stated"


def _named(configuration: ProviderConfiguration) -> str:
    if not configuration.provider:
        return "provider configurations that the plan does not name"
    named = f"the provider configuration {describe(configuration.provider)}"
    if configuration.is_repeated:
        return f"{named} with for_each"
    if configuration.is_mixed:
        return f"{named} with several organizations"
    return f"{named}, one of several"


def _option(plan: RecordedFile, configuration: ProviderConfiguration, *, is_shared: bool) -> str:
    """Return the option that states whose ``configuration`` is, as a shell takes it.

    One that has resources of several organizations is contradicted by any of them, and one that
    has no key cannot be named: only what is said of all that is left is meant for them.
    """
    provider = configuration.provider
    if not provider or configuration.is_mixed:
        return f"{OPTION}=ID"
    if not is_shared:
        return shlex.quote(f"{OPTION}={provider}=ID")
    if name := plan.source.name:
        return shlex.quote(f"{OPTION}={name}#{provider}=ID")
    own = shlex.quote(f"{OPTION}=NAME#{provider}=ID")
    one = shlex.quote(f"{OPTION}={provider}=ID")
    return f"{one} if all plans are of one organization, else {PLAN}=NAME=PATH and {own}"
