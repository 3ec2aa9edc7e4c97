"""Which hosts are Astra's and the clouds' own: the answers of any other are no evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

ADDRESS = "https://api.astra.datastax.com"
_OWN = re.compile(
    r"https://(?:"
    r"(?:kms(?:-fips)?|vpce-[a-z0-9-]+\.kms)\.[a-z]{2}(?:-[a-z]+)+-[0-9](?:\.vpce)?"
    r"\.amazonaws\.(?:com|com\.cn|eu)"
    r"|cloudkms(?:\.mtls|-[a-z0-9-]+\.p|\.[a-z0-9-]+\.rep)?\.googleapis\.com"
    r"|[a-z0-9-]+\.(?:vault|managedhsm)\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)"
    r")(?::443)?/*",
    re.ASCII | re.IGNORECASE,
)
"""A host of a cloud's key management, such as a private endpoint.

The domains alone would not do: anybody can have a name below ``s3.amazonaws.com``.
"""


def other_hosts(addresses: Iterable[str]) -> list[str]:
    """Return the ``addresses`` that are not Astra's own, sorted, each once.

    An empty one is of evidence for which Astra was not asked.
    """
    return sorted({address for address in addresses if address and not _is_astra(address)})


class HasHosts(Protocol):
    """What says which hosts answered: the evidence of a bundle, read now or from a record."""

    @property
    def address(self) -> str:
        """Return the host of Astra; empty if it was not asked."""

    @property
    def cloud_addresses(self) -> tuple[str, ...]:
        """Return the hosts that were asked in place of a cloud's own."""


def strange_hosts(evidence: Iterable[HasHosts]) -> list[str]:
    """Return the hosts that answered, and are neither Astra's nor a cloud's own."""
    every = list(evidence)
    of_clouds = (address for one in every for address in one.cloud_addresses)
    return [*other_hosts(one.address for one in every), *foreign_hosts(of_clouds)]


def _is_astra(address: str) -> bool:
    """Compare with Astra's address: the host in any case, the default port with or without it."""
    return address.lower().rstrip("/").removesuffix(":443") == ADDRESS


def foreign_hosts(addresses: Iterable[str]) -> list[str]:
    """Return the ``addresses`` that are no host of AWS, Google Cloud or Azure, each once."""
    return sorted({address for address in addresses if not _OWN.fullmatch(address)})
