"""Plans and states without what can be a secret: the same cut as that of the documents, in Python.

The documents give it as a program of jq, which is not everywhere.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PROGRAM = Path(__file__).parents[3] / "docs/plan-without-secrets.jq"
JQ = shutil.which("jq")

READ = (
    *("name", "cloud_provider", "regions", "region", "additional_regions", "id"),
    *("organization_id", "key_id"),
)
_IDENTITY = ("address", "module_address", "mode", "type", "name", "provider_name", "deposed")
_CONFIGURED = ("address", "mode", "type", "name", "provider_config_key", "depends_on")
_HEAD = (*("format_version", "terraform_version", "timestamp", "complete", "applyable", "errored"),)


def by_jq(text: str) -> str:
    """Cut the JSON of a plan or a state down by the program of the documents."""
    assert JQ is not None
    command = [JQ, "-f", str(PROGRAM)]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cut(data: dict[str, Any]) -> dict[str, Any]:
    """Cut a plan or a state down."""
    parts: dict[str, Callable[[Any], Any]] = {
        "planned_values": lambda values: _below(values, _identity),
        "resource_changes": _changes,
        "resource_drift": _changes,
        "deferred_changes": _deferred,
        "prior_state": _prior,
        "configuration": _configuration,
        "values": lambda values: _below(values, _held),
    }
    return _only(data, _HEAD) | _parts(data, **parts)


def _only(data: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in names}


def _parts(data: dict[str, Any], **made: Callable[[Any], Any]) -> dict[str, Any]:
    """Make each part that ``data`` has."""
    return {
        name: None if data[name] is None else make(data[name])
        for name, make in made.items()
        if name in data
    }


# --- attributes -----------------------------------------------------------------------------------


def _attributes(values: Any, marks: Any) -> Any:  # noqa: ANN401 (any JSON)
    if not isinstance(values, dict):
        return values
    own = {name: marks.get(name) if isinstance(marks, dict) else marks for name in values}
    return {name: _hide(value, own[name]) for name, value in _only(values, READ).items()}


def _hide(value: Any, mark: Any) -> Any:  # noqa: ANN401 (any JSON)
    if mark is True:
        return None
    if isinstance(value, list):
        if not isinstance(mark, list):
            return value
        longer = [*mark, *[None] * len(value)]
        return [_hide(item, longer[index]) for index, item in enumerate(value)]
    return None if _has_true(mark) else value


def _has_true(mark: object) -> bool:
    inner = [*mark.values()] if isinstance(mark, dict) else mark
    return mark is True or (isinstance(inner, list) and any(map(_has_true, inner)))


def _marks(mark: Any) -> Any:  # noqa: ANN401 (any JSON)
    return _only(mark, READ) if isinstance(mark, dict) else mark


# --- resources ------------------------------------------------------------------------------------


def _is_read(resource: dict[str, Any]) -> bool:
    kinds = {"astra_database", "astra_customer_key"}
    return resource.get("mode") == "managed" and resource.get("type") in kinds


def _is_of_astra(resource: dict[str, Any]) -> bool:
    provider = str(resource.get("provider_name") or "")
    return resource["type"].startswith("astra_") or provider.endswith("/astra")


def _identity(resource: dict[str, Any]) -> dict[str, Any]:
    return _only(resource, _IDENTITY)


def _change(resource: dict[str, Any]) -> dict[str, Any]:
    if not _is_read(resource):
        return _identity(resource)
    change = resource["change"]
    sides = {
        side: _attributes(change.get(side), change.get(f"{side}_sensitive"))
        for side in ("before", "after")
    }
    names = ("after_unknown", "before_sensitive", "after_sensitive")
    marks = {name: _marks(change.get(name)) for name in names}
    return _identity(resource) | {"change": {"actions": change.get("actions"), **sides, **marks}}


def _changes(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_change(resource) for resource in resources if _is_of_astra(resource)]


def _deferred(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        _only(deferred, ["reason"]) | {"resource_change": _change(deferred["resource_change"])}
        for deferred in resources
        if _is_of_astra(deferred["resource_change"])
    ]


def _held(resource: dict[str, Any]) -> dict[str, Any]:
    if not _is_read(resource):
        return _identity(resource)
    marks = resource.get("sensitive_values")
    values = _attributes(resource.get("values"), marks)
    return _identity(resource) | {"values": values, "sensitive_values": _marks(marks)}


def _prior(state: dict[str, Any]) -> dict[str, Any]:
    values = _parts(state, values=lambda values: _below(values, _held))
    return _only(state, ["format_version"]) | values


def _below(values: dict[str, Any], make: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    def module(data: dict[str, Any]) -> dict[str, Any]:
        return _only(data, ["address"]) | _parts(
            data,
            resources=lambda items: [make(one) for one in items if _is_of_astra(one)],
            child_modules=lambda items: [module(one) for one in items],
        )

    return _parts(values, root_module=module)


# --- configuration --------------------------------------------------------------------------------


def _configuration(data: dict[str, Any]) -> dict[str, Any]:
    return _parts(
        data,
        provider_config=lambda providers: {
            name: _only(provider, ["name", "full_name", "alias", "module_address"])
            | _parts(provider, expressions=_references)
            for name, provider in providers.items()
        },
        root_module=_module,
    )


def _module(data: dict[str, Any]) -> dict[str, Any]:
    return _parts(
        data,
        resources=lambda resources: [_configured(resource) for resource in resources],
        outputs=lambda outputs: {
            name: _only(output, ["depends_on"]) | _parts(output, expression=_references)
            for name, output in outputs.items()
        },
        module_calls=lambda calls: {name: _call(call) for name, call in calls.items()},
    )


def _configured(resource: dict[str, Any]) -> dict[str, Any]:
    return _only(resource, _CONFIGURED) | _parts(
        resource,
        expressions=_references,
        count_expression=_references,
        for_each_expression=_references,
        provisioners=_references,
    )


def _call(call: dict[str, Any]) -> dict[str, Any]:
    is_local = re.match(r"\.\.?/", str(call.get("source")))
    own = _only(call, ["depends_on", *(["source"] if is_local else [])])
    return own | _parts(
        call,
        expressions=_references,
        count_expression=_references,
        for_each_expression=_references,
        module=_module,
    )


def _references(expression: Any) -> Any:  # noqa: ANN401 (any JSON)
    """Return the form of an expression, and nothing in it but what it refers to."""
    if isinstance(expression, list):
        return [_references(part) for part in expression]
    if not isinstance(expression, dict):
        return None
    return {
        name: inner if name == "references" and _is_texts(inner) else _references(inner)
        for name, inner in expression.items()
        if name != "constant_value"
    }


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def cut_text(text: str) -> str:
    """Cut the JSON of a plan or a state down."""
    return json.dumps(cut(json.loads(text)), indent=2) + "\n"
