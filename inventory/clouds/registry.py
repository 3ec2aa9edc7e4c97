"""The clouds that can be asked: who reads the keys of each, and with which library."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from inventory.model.vocabulary import PROVIDER_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inventory.clouds.client import CloudClient
    from inventory.clouds.config import CloudSettings
    from inventory.clouds.recorder import CloudRecorder
    from inventory.clouds.requests import CloudTransport
    from inventory.model.kms import CloudKey
    from inventory.model.vocabulary import Provider
    from inventory.system.request_policy import RequestPolicy


class CloudSessions(Protocol):
    """What is opened once for many organizations: the credentials and connections of one cloud."""

    def transport(self, recorder: CloudRecorder) -> CloudTransport:
        """Return what sends the requests of one organization, and records them."""


class Reader(Protocol):
    """A module that reads the keys of one cloud: which requests it sends, and what they show."""

    def read_key(self, client: CloudClient, key_id: str, settings: CloudSettings) -> CloudKey:
        """Return what the cloud shows of a key; what could not be read is a gap."""


class Opener(Protocol):
    """A module that sends requests to one cloud by the vendor's library."""

    def open_sessions(self, settings: CloudSettings, policy: RequestPolicy) -> CloudSessions:
        """Return what sends requests; finding credentials waits until one is sent."""


class Cloud(NamedTuple):
    """A cloud.

    Attributes:
        provider: its name in inventories.
        reader: the module that reads its keys; it needs no library.
        opener: the module that sends requests; it imports the libraries.
        libraries: the libraries that the extra of the cloud installs, by the names of their
            modules.
    """

    provider: Provider
    reader: str
    opener: str
    libraries: tuple[str, ...]

    @property
    def missing(self) -> str:
        """Return what is missing to ask the cloud, in a sentence; empty if nothing is."""
        absent = [name for name in self.libraries if not _is_installed(name)]
        if not absent:
            return ""
        verb = "is" if len(absent) == 1 else "are"
        names = " and ".join(absent)
        extra = f"cmek-audit[{self.provider}]"
        return f"{PROVIDER_NAMES[self.provider]} needs {names}, which {verb} missing: {extra}"

    def load_reader(self) -> Reader:
        """Import the module that reads keys."""
        return cast("Reader", importlib.import_module(self.reader))

    def load_opener(self) -> Opener:
        """Import the module that sends requests, and with it the vendor's library."""
        return cast("Opener", importlib.import_module(self.opener))


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that should hold it
        return False


CLOUDS: Mapping[Provider, Cloud] = {
    "aws": Cloud(
        "aws", "inventory.clouds.aws.reader", "inventory.clouds.aws.transport", ("boto3",)
    ),
    "gcp": Cloud(
        "gcp",
        "inventory.clouds.gcp.reader",
        "inventory.clouds.gcp.transport",
        ("google.auth", "requests"),
    ),
    "azure": Cloud(
        "azure",
        "inventory.clouds.azure.reader",
        "inventory.clouds.azure.transport",
        ("azure.identity", "azure.keyvault.keys"),
    ),
}
"""Every cloud, by its name in inventories."""
