"""Small plans and states as ``terraform show -json`` prints them, and short words for what is read.

They are plain data; what is left out of them is what Terraform leaves out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.errors import InventoryError, Problem
from inventory.inventory import Inventory
from inventory.plans import read_plan, read_state
from inventory.terraform.addresses import module_names, module_of
from inventory.terraform.organizations import TerraformSettings
from tests.builders import ORGANIZATION, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inventory.files.yaml_json import RecordedFile
    from inventory.model.organization import Organization

AT = "2026-11-20T01:00:00Z"
ADDRESS = "astra_database.orders"
ALIKE = "Astra" + "CS:" + "sham" * 8
"""What looks like a token."""


def attributes(**over: object) -> dict[str, Any]:
    """Return the attributes of a database that does not exist yet."""
    shown = {"name": "orders", "cloud_provider": "aws", "regions": ["us-east-1"]} | over
    return {name: value for name, value in shown.items() if value is not None}


def existing(identity: str = "d1", **over: object) -> dict[str, Any]:
    """Return the attributes of a database that exists."""
    return attributes(**{"id": identity, "organization_id": ORGANIZATION} | over)


def key_attributes(**over: object) -> dict[str, Any]:
    """Return the attributes of a key; its id looks like none."""
    return {"cloud_provider": "aws", "region": "us-east-1", "key_id": "sham"} | over


def resource(address: str = ADDRESS, **over: object) -> dict[str, Any]:
    """Return what every resource of a plan or a state says about itself."""
    module, _, rest = address.rpartition(".astra_")
    kind, _, name = (f"astra_{rest}" if module else address).partition(".")
    shown: dict[str, Any] = {"address": address, "mode": "managed", "type": kind}
    shown |= {"name": re.sub(r"\[.*", "", name)} | ({"module_address": module} if module else {})
    return shown | over


def change(
    address: str = ADDRESS,
    actions: str = "create",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **marks: object,
) -> dict[str, Any]:
    """Return a change; ``actions`` are words, and what is created has attributes if none given."""
    words = actions.split()
    if after is None and "create" in words:
        after = key_attributes() if "astra_customer_key" in address else attributes()
    return resource(address) | {
        "change": {
            "actions": words,
            "before": before,
            "after": after,
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {},
            **marks,
        }
    }


def plan(*changes: Mapping[str, Any], **over: object) -> dict[str, Any]:
    """Return a plan; its planned values are those after the changes, all of one provider."""
    planned = [_planned(change) for change in changes if (change.get("change") or {}).get("after")]
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": list(changes),
        "configuration": configuration(dict.fromkeys(item["address"] for item in planned)),
        "timestamp": AT,
        "applyable": True,
        "complete": True,
        "errored": False,
    } | over


def _planned(shown: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in shown.items() if name != "change"}
    return own | {"values": shown["change"]["after"], "sensitive_values": {}}


def state(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state."""
    values = {"root_module": {"resources": list(resources)}}
    return {"format_version": "1.0", "terraform_version": "1.11.4", "values": values}


def held(
    address: str = ADDRESS, values: Mapping[str, Any] | None = None, **over: object
) -> dict[str, Any]:
    """Return a resource of a state."""
    own = existing() if values is None else values
    return resource(address) | {"values": own, "sensitive_values": {}} | over


def configuration(
    providers: Mapping[str, str | None], blocks: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the configuration of resources by their addresses, each with its provider's key.

    None is ``astra``. The block of a provider may hold expressions.
    """
    root: dict[str, Any] = {}
    named = dict.fromkeys(key or "astra" for key in providers.values())
    for address, key in providers.items():
        module = root
        for name in module_names(module_of(address)) or ():
            calls = module.setdefault("module_calls", {})
            module = calls.setdefault(name, {"source": f"./{name}", "module": {}})["module"]
        own = {name: resource(address)[name] for name in ("type", "name")}
        module.setdefault("resources", []).append(own | {"provider_config_key": key or "astra"})
    shown = {key: {"name": "astra", **(blocks or {}).get(key, {})} for key in named}
    return {"provider_config": shown, "root_module": root}


def configured(*modules: str, provider: str = "astra", kind: str = "database") -> dict[str, Any]:
    """Return the configuration of ``astra_database.orders``, in a module of modules."""
    one = {"type": f"astra_{kind}", "name": "orders", "provider_config_key": provider}
    root: dict[str, Any] = {"resources": [one]}
    for name in reversed(modules):
        root = {"module_calls": {name: {"source": f"./{name}", "module": root}}}
    return {"provider_config": {provider: {"name": "astra"}}, "root_module": root}


# --- what is read ---------------------------------------------------------------------------------


class Read(NamedTuple):
    """What a plan or a state comes to, in short.

    Attributes:
        planned: address, provider and region of each planned database.
        grown: the ids of databases that exist and get further regions.
        undetermined: address and reason of each database of which it is not told where it lies.
        existing: address and id of each database in the state.
        keys: address, provider and region of each key, and whether it is created.
    """

    planned: set[tuple[str, str, str]]
    grown: set[str]
    undetermined: set[tuple[str, str]]
    existing: set[tuple[str, str]]
    keys: set[tuple[str, str, str, bool]]


def in_short(*organizations: Organization) -> Read:
    """Return what ``organizations`` hold by Terraform."""
    databases = [database for one in organizations for database in one.databases or ()]
    managed = [one.managed for one in organizations]
    return Read(
        {
            (database.resource, database.provider, at.name)
            for database in databases
            for at in database.regions
        },
        {database.id for database in databases if database.id is not None},
        {(database.resource, database.missing) for one in managed for database in one.undetermined},
        {(database.resource, database.id) for one in managed for database in one.databases},
        {
            (key.resource, key.provider, key.region, is_created)
            for one in managed
            for is_created, keys in ((False, one.keys), (True, one.planned_keys))
            for key in keys
            if not is_created or getattr(key, "change", "") == "register"
        },
    )


def read(folder: Path, data: object, terraform: TerraformSettings | None = None) -> Read:
    """Write ``data`` as JSON, and return what is read of it."""
    return in_short(*recorded(write_json(folder / "plan.json", data), terraform).organizations)


def recorded(file: str, terraform: TerraformSettings | None = None) -> RecordedFile:
    """Return what is read of ``file``: of a state as one, of all else as a plan."""
    read_either = read_state if is_state(file) else read_plan
    return read_either(file, terraform or TerraformSettings())


def is_state(file: str) -> bool:
    """Say whether ``file`` holds a state that is not empty."""
    data = json.loads(Path(file).read_bytes())
    return data.get("values") is not None and "planned_values" not in data


def problems(
    folder: Path, data: object, terraform: TerraformSettings | None = None
) -> list[tuple[str, str, str]]:
    """Return field, what was found and what was expected of each problem, in order."""
    return [
        (problem.field, problem.found, problem.expected)
        for problem in located(folder, data, terraform)
    ]


def located(
    folder: Path, data: object, terraform: TerraformSettings | None = None
) -> tuple[Problem, ...]:
    """Return each problem of ``data``, written as JSON and given as what it is."""
    file = write_json(folder / "plan.json", data)
    try:
        Inventory([], **given(file), terraform=terraform or TerraformSettings())
    except InventoryError as error:
        return error.problems
    return ()


def given(*files: str) -> dict[str, list[str]]:
    """Return by which argument of an inventory each of ``files`` is given."""
    states = [file for file in files if is_state(file)]
    return {"states": states, "plans": [file for file in files if file not in states]}
