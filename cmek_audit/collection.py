"""What an audit records before it judges: what Astra and the clouds show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cmek_audit.clouds_option import clouds_to_ask, with_clouds
from inventory.errors import SettingError
from inventory.files.yaml_json import scope_fields
from inventory.history_files import check_folders
from inventory.inventory import Inventory
from inventory.system.paths import sorted_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cmek_audit.run.option_values import Options
    from inventory.astra.collector import Progress
    from inventory.astra.config import OrganizationConfig, Organizations
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey
    from inventory.model.vocabulary import Provider
    from inventory.terraform.organizations import TerraformSettings
    from inventory.text.secrets import Secret

_OPTION = "--cmek-kms"


class Recorded(NamedTuple):
    """What was recorded for an audit.

    Attributes:
        options: the options of an audit of what was recorded.
        tokens: the secrets that were used for it, which must never be written or printed.
        is_new: whether anything was recorded.
    """

    options: Options
    tokens: tuple[Secret, ...] = ()
    is_new: bool = False


def record(
    options: Options, terraform: TerraformSettings, on_progress: Callable[[Progress], None]
) -> Recorded:
    """Record what ``options`` ask for; from there on, it is an inventory like any other.

    A live audit reads organizations from Astra, and their keys from the clouds that it asks. A
    recorded one that asks clouds records what these show of its keys. Raises SettingError if a
    library is missing, and InputError if a file cannot be used.
    """
    if not (options.live or options.asks_clouds):
        return Recorded(options)
    from inventory.astra.collector import collect  # noqa: PLC0415 (a recorded audit needs no HTTP)

    # A mistake in the history must not show only after an hour of collecting.
    check_folders(options.history)
    configuration = _live(options, terraform) if options.live else _of_clouds(options, terraform)
    collected = collect(
        configuration,
        options.evidence_dir,
        on_progress=on_progress,
        executor=options.read_on,
    )
    files = sorted_paths((*options.inventory, collected.bundle))
    recorded = options.model_copy(update={"inventory": files})
    return Recorded(recorded, collected.tokens, is_new=True)


# --- live audits ----------------------------------------------------------------------------------


def _live(options: Options, terraform: TerraformSettings) -> Organizations:
    """Return what a live audit reads, with the keys of its plans to ask the clouds about."""
    from inventory.astra.config import read_organizations  # noqa: PLC0415 (as above)

    configuration = read_organizations(str(options.live))
    if not configuration.astra:
        found, expected = "astra: false", "a file by which Astra is read"
        raise SettingError(f"--cmek-live: {options.live}: found {found}, expected {expected}")
    words = () if options.kms == ("recorded",) else options.kms
    configuration = with_clouds(configuration, words, _OPTION)
    if not (configuration.clouds.ask and options.plan):
        return configuration
    # Read before anything is asked, so that a mistake in a plan shows at once.
    owners = [config.id for config in configuration.organizations if config.id]
    planned = Inventory((), options.plan, terraform, options.state).planned_keys(owners)
    with_plans = [
        _with_planned(config, planned, configuration) for config in configuration.organizations
    ]
    return configuration.model_copy(update={"organizations": tuple(with_plans)})


def _with_planned(
    config: OrganizationConfig,
    planned: dict[str, list[PlannedKey]],
    configuration: Organizations,
) -> OrganizationConfig:
    """Add the keys that plans name for an organization, and their key scopes.

    The one organization of a token has no id yet: every plan may be about it.
    """
    from inventory.astra.config import PlannedScope  # noqa: PLC0415 (as above)
    from inventory.clouds.collector import keys_to_ask  # noqa: PLC0415 (only if a cloud is asked)

    by_owner = planned.values() if config.id is None else [planned.get(config.id, [])]
    keys = [key for some in by_owner for key in some]
    ids = [*config.cloud_keys, *(key.key_id for key in keys if key.key_id)]
    scopes = {scope_fields(one) for one in (*config.planned_scopes, *keys)}
    to_ask = {
        "cloud_keys": tuple(keys_to_ask(ids, configuration.clouds.ask)),
        "planned_scopes": tuple(
            PlannedScope(type=kind, provider=provider, region=region)
            for kind, provider, region in sorted(scopes)
        ),
    }
    return config.model_copy(update=to_ask)


# --- clouds alone ---------------------------------------------------------------------------------


def _of_clouds(options: Options, terraform: TerraformSettings) -> Organizations:
    """Return what a recorded audit asks the clouds: about each key of its files."""
    from inventory.astra.config import (  # noqa: PLC0415 (as above)
        ENVIRONMENT,
        read_organizations,
    )

    if not options.inventory:
        found = f"{_OPTION}: found {','.join(options.kms)} without an inventory"
        raise SettingError(f"{found}, expected --cmek-inventory or --cmek-live, as well")
    given = read_organizations(options.clouds or ENVIRONMENT)
    asking = with_clouds(given, options.kms, _OPTION)
    inventory = Inventory(options.inventory, options.plan, terraform, options.state)
    if inventory.is_example:
        found = "bundled examples, whose keys are made up"
        raise SettingError(f"{_OPTION}: found {found}, expected an inventory of your own")
    configs = tuple(_configs(inventory.organizations(), clouds_to_ask(options.kms)))
    return asking.model_copy(update={"astra": False, "organizations": configs})


def _configs(
    organizations: Iterable[Organization], clouds: tuple[Provider, ...]
) -> Iterator[OrganizationConfig]:
    from inventory.astra.config import OrganizationConfig  # noqa: PLC0415 (as above)
    from inventory.clouds.collector import keys_to_ask  # noqa: PLC0415 (as above)

    for organization in organizations:
        ids = [key.key_id for key in organization.keys or ()]
        ids += [key.key_id for key in organization.managed.planned_keys if key.key_id]
        to_ask = tuple(keys_to_ask(ids, clouds))
        yield OrganizationConfig(id=organization.id, name=organization.name, cloud_keys=to_ask)
