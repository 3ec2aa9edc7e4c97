"""The types of Terraform resources that are read, with their attributes, and similar types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DATABASE, KEY = "astra_database", "astra_customer_key"
"""The types of resources that are read."""

TYPES = frozenset({DATABASE, KEY})

AttributeName = Literal[
    "additional_regions",
    "cloud_provider",
    "id",
    "key_id",
    "name",
    "organization_id",
    "region",
    "regions",
]
"""The attributes that are read; no other can be, as the rest of a plan is dropped."""

_ATTRIBUTES = frozenset(get_args(AttributeName))
_OF_RESOURCES = ("values", "sensitive_values")
_OF_CHANGES = ("before", "after", "before_sensitive", "after_sensitive", "after_unknown")

OTHERS = frozenset(
    f"astra_{name}"
    for name in (
        "access_list",
        "cdc",
        "cdc_v3",
        "enterprise_org",
        "keyspace",
        "pcu_group",
        "pcu_group_association",
        "private_link",
        "private_link_endpoint",
        "role",
        "streaming_namespace",
        "streaming_pulsar_token",
        "streaming_sink",
        "streaming_tenant",
        "streaming_topic",
        "table",
        "token",
    )
)
"""The resources of Astra's provider, version 2, that are neither databases nor keys."""

_KNOWN = OTHERS | {DATABASE, KEY}

TYPE_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")


def is_unknown_astra_type(kind: str, provider: object) -> bool:
    """Say whether a type that is not read may be a database or a key of Astra.

    Terraform names a type after its provider, and a fork of the provider keeps the name.
    """
    is_of_astra = isinstance(provider, str) and provider.endswith("/astra")
    return kind not in _KNOWN and (is_of_astra or kind.startswith("astra_"))


def drop_unread(data: dict[str, Any]) -> dict[str, Any]:
    """Drop what is never read of a resource, and return the rest; all else is returned as it is.

    A plan of 25 MB holds hundreds of thousands of attributes. Whoever decodes it calls this for
    each object as soon as that is decoded, so that they are never all in memory.
    """
    if "mode" not in data or not _is_resource(data):  # nearly all objects end here
        return data
    change = data.get("change")
    # Every key stays, so that a message still counts them, and finds their lines.
    if data["type"] in TYPES:
        _keep_attributes(data, _OF_RESOURCES)
        if isinstance(change, dict):
            _keep_attributes(change, _OF_CHANGES)
    else:
        data.update(dict.fromkeys(data.keys() & {"change", *_OF_RESOURCES}))
    return data


def _is_resource(data: Mapping[str, Any]) -> bool:
    """Say whether an object is a resource, which alone has text under these three names.

    In a configuration, attributes of these names are expressions, and those are objects.
    """
    return all(isinstance(data.get(name), str) for name in ("address", "mode", "type"))


def _keep_attributes(data: dict[str, Any], parts: Iterable[str]) -> None:
    for part in parts:
        if isinstance(values := data.get(part), dict):
            data[part] = {name: values[name] for name in values if name in _ATTRIBUTES}
