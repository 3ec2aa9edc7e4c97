"""Parses key ids: provider, region, and a canonical form that identifies the key."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from inventory.model.vocabulary import Provider

_AWS_KEY = re.compile(
    r"arn:(?P<partition>aws|aws-us-gov|aws-cn):kms:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):"
    r"key/(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})",
    re.ASCII,
)
_AWS_ALIAS = re.compile(
    r"arn:(?P<partition>aws|aws-us-gov|aws-cn):kms:(?P<region>[a-z0-9-]+):[0-9]{12}:alias/[\w/-]+",
    re.ASCII,
)
_GCP_KEY = re.compile(
    r"(?P<key>projects/[a-z0-9.:-]+/locations/(?P<region>[a-z0-9-]+)"
    r"/keyRings/[\w-]+/cryptoKeys/[\w-]+)(?:/cryptoKeyVersions/[0-9]+)?",
    re.ASCII,
)
_AZURE_KEY = re.compile(
    r"(?P<key>https://[a-z0-9-]+\.(?:vault|managedhsm)"
    r"\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)/keys/[a-z0-9-]+)(?:/[0-9a-f]{32})?",
    re.ASCII | re.IGNORECASE,
)

Form = Literal["key", "alias", "unknown"]


class KeyId(NamedTuple):
    """The parts of a key id.

    Attributes:
        form: ``key`` if it always names one key, ``alias`` if its target can change,
            ``unknown`` if it has the form of no provider.
        provider: the provider whose form it has; None if unknown.
        region: the region it names; None where the form holds none (Azure) or is unknown.
        canonical: the id without a key version: two ids with equal canonical forms are one key.
        partition: the AWS partition, ``aws``, ``aws-us-gov`` or ``aws-cn``; None elsewhere.
        multi_region: True for an AWS multi-Region key, which shares material between regions.
    """

    form: Form
    provider: Provider | None
    region: str | None
    canonical: str
    partition: str | None = None
    multi_region: bool = False


@lru_cache(maxsize=8_192)
def parse_key_id(text: str) -> KeyId:
    """Parse ``text``; an id of no known form is ``unknown``, with itself as the canonical form."""
    if match := _AWS_KEY.fullmatch(text):
        mrk = match["id"].startswith("mrk-")
        return KeyId("key", "aws", match["region"], text, match["partition"], mrk)
    if match := _AWS_ALIAS.fullmatch(text):
        return KeyId("alias", "aws", match["region"], text, match["partition"])
    if match := _GCP_KEY.fullmatch(text):
        return KeyId("key", "gcp", match["region"], match["key"])
    if match := _AZURE_KEY.fullmatch(text):
        return KeyId("key", "azure", None, match["key"].lower())
    return KeyId("unknown", None, None, text)


def material_id(text: str) -> str:
    """Return what ids of the same key material share; empty if no other id can name it.

    Replicas of an AWS multi-Region key share account and key, and differ by region. A Google key
    can be named by its project's id or by its project's number.
    """
    parsed = parse_key_id(text)
    if parsed.multi_region:
        *_, account, key = text.split(":")
        return f"{parsed.partition}:{account}:{key}"
    if parsed.provider == "gcp":
        return parsed.canonical.partition("/locations/")[2]
    return ""


def project_of(text: str) -> str:
    """Return the project in the id of a Google key, an id or a number; empty for other ids."""
    return text.split("/")[1] if parse_key_id(text).provider == "gcp" else ""


def canonical(text: str) -> str:
    """Return what all ids of one key share, whatever their version or spelling."""
    return parse_key_id(text).canonical


def owner_of(text: str) -> str:
    """Return the account, the project or the host of the vault in a key id; empty if unknown."""
    parsed = parse_key_id(text)
    if parsed.provider == "aws":
        return text.split(":")[4]
    if parsed.provider == "azure":
        return parsed.canonical.split("/")[2]
    return project_of(text)


def version_of(text: str) -> str:
    """Return the version in the id of a key in Google Cloud or Azure; empty if there is none."""
    parsed = parse_key_id(text)
    if parsed.provider not in {"gcp", "azure"} or len(text) == len(parsed.canonical):
        return ""
    return text.rpartition("/")[2]
