"""Reads keys from the clouds, several at the same time; one that fails stops no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from inventory.clouds.client import CloudClient, CloudContext
from inventory.clouds.registry import CLOUDS
from inventory.evidence.exchange import Failure
from inventory.model.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from inventory.clouds.config import CloudSettings
    from inventory.clouds.recorder import CloudRecorder
    from inventory.clouds.registry import CloudSessions
    from inventory.clouds.requests import CloudRequest, CloudTransport
    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import CloudKey
    from inventory.model.vocabulary import Provider
    from inventory.system.request_policy import RequestPolicy


class Reading(NamedTuple):
    """How keys are read.

    Attributes:
        settings: which clouds are asked, and how.
        policy: how requests are sent.
        transports: what sends the requests to each cloud that is asked.
        sleep: waits that many seconds.
        seconds_left: returns how many seconds are left.
    """

    settings: CloudSettings
    policy: RequestPolicy
    transports: Mapping[Provider, CloudTransport]
    sleep: Callable[[float], None]
    seconds_left: Callable[[], float]


def open_clouds(
    settings: CloudSettings, policy: RequestPolicy
) -> dict[Provider, CloudSessions | str]:
    """Return what sends requests to each cloud that is asked, or what is missing to ask it."""
    opened: dict[Provider, CloudSessions | str] = {}
    for provider in settings.ask:
        cloud = CLOUDS[provider]
        opened[provider] = cloud.missing or cloud.load_opener().open_sessions(settings, policy)
    return opened


def transports_of(
    clouds: Mapping[Provider, CloudSessions | str], recorder: CloudRecorder
) -> dict[Provider, CloudTransport]:
    """Return what sends the requests of one organization to each of ``clouds``."""
    return {
        provider: (
            _NoLibrary(opened, recorder) if isinstance(opened, str) else opened.transport(recorder)
        )
        for provider, opened in clouds.items()
    }


class _NoLibrary:
    """Records of each request that its cloud cannot be asked, as a library is missing."""

    def __init__(self, missing: str, recorder: CloudRecorder) -> None:
        self._failure = Failure(reason="library-missing", detail=missing)
        self._recorder = recorder

    def send(self, request: CloudRequest) -> Exchange:
        return self._recorder.failed(request.address, datetime.now(UTC), self._failure)

    def give_up(self, request: CloudRequest) -> Exchange:
        return self._recorder.too_late(request.address)


def read_cloud_keys(key_ids: Iterable[str], reading: Reading) -> tuple[CloudKey, ...]:
    """Return what the clouds show of each key, in the order of ids; versions are one key.

    Ids of no known form, aliases, and keys of clouds that are not asked are left out.
    """
    keys = sorted(_to_ask(key_ids, reading.settings.ask).items())
    with ThreadPoolExecutor(reading.policy.connections_per_organization, "clouds") as pool:
        return tuple(pool.map(lambda key: _read_key(key[1], reading), keys))


def _to_ask(key_ids: Iterable[str], ask: Collection[Provider]) -> dict[str, str]:
    """Return one id of each key that is asked about, by its canonical id."""
    chosen: dict[str, str] = {}
    for key_id in sorted(set(key_ids)):
        parsed = parse_key_id(key_id)
        if parsed.form == "key" and parsed.provider in set(ask):
            chosen.setdefault(parsed.canonical, key_id)
    return chosen


def _read_key(key_id: str, reading: Reading) -> CloudKey:
    provider = parse_key_id(key_id).provider
    cloud = CLOUDS[provider]  # type: ignore[index]  # an id of the form of a key has a provider
    context = CloudContext(
        transport=reading.transports[cloud.provider],
        policy=reading.policy,
        sleep=reading.sleep,
        seconds_left=reading.seconds_left,
    )
    return cloud.load_reader().read_key(CloudClient(context), key_id, reading.settings)
