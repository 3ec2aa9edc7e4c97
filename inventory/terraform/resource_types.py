"""The types of Terraform resources that are read, and those that may be similar."""

from __future__ import annotations

import re

DATABASE, KEY = "astra_database", "astra_customer_key"
"""The types of resources that are read."""

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
