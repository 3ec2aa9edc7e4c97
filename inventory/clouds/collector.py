"""Reads keys from the clouds, several at the same time; one that fails stops no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from inventory.clouds.client import CloudClient, CloudContext
from inventory.clouds.registry import CLOUDS
from inventory.errors import CmekAuditError, ForbiddenRequestError
from inventory.evidence.exchange import Failure
from inventory.model.key_ids import parse_key_id
from inventory.model.kms import CloudKey, KmsFacts, KmsGap
from inventory.model.vocabulary import PROVIDER_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from inventory.clouds.config import CloudSettings
    from inventory.clouds.recorder import CloudRecorder
    from inventory.clouds.registry import CloudSessions
    from inventory.clouds.requests import CloudRequest, CloudTransport
    from inventory.evidence.exchange import Exchange
    from inventory.model.organization import Organization
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


# --- transports -----------------------------------------------------------------------------------


def open_clouds(
    settings: CloudSettings, policy: RequestPolicy
) -> dict[Provider, CloudSessions | Failure]:
    """Return what sends requests to each cloud that is asked, or why it cannot be asked."""
    return {provider: _open(provider, settings, policy) for provider in settings.ask}


def _open(
    provider: Provider, settings: CloudSettings, policy: RequestPolicy
) -> CloudSessions | Failure:
    cloud = CLOUDS[provider]
    if cloud.missing:
        return Failure(reason="library-missing", detail=cloud.missing)
    try:
        return cloud.load_opener().open_sessions(settings, policy)
    except ImportError:  # of a library that is there, and is broken or too old
        name = PROVIDER_NAMES[provider]
        return Failure(reason="library-missing", detail=f"the library of {name} cannot be imported")
    except Exception as error:  # noqa: BLE001 (it must not keep Astra, or another cloud, from being read)
        return _defect(error)


def transports_of(
    clouds: Mapping[Provider, CloudSessions | Failure], recorder: CloudRecorder
) -> dict[Provider, CloudTransport]:
    """Return what sends the requests of one organization to each of ``clouds``."""
    return {provider: _transport(opened, recorder) for provider, opened in clouds.items()}


def _transport(opened: CloudSessions | Failure, recorder: CloudRecorder) -> CloudTransport:
    if isinstance(opened, Failure):
        return _Unavailable(opened, recorder)
    try:
        return _Guarded(opened.transport(recorder), recorder)
    except Exception as error:  # noqa: BLE001 (as above)
        return _Unavailable(_defect(error), recorder)


class _Unavailable:
    """Records of each request why its cloud cannot be asked."""

    def __init__(self, failure: Failure, recorder: CloudRecorder) -> None:
        self._failure = failure
        self._recorder = recorder

    def send(self, request: CloudRequest) -> Exchange:
        return self._recorder.failed(request.address, datetime.now(UTC), self._failure)

    def give_up(self, request: CloudRequest) -> Exchange:
        return self._recorder.too_late(request.address)


class _Guarded:
    """Records a transport that breaks as a failed request: the others go on."""

    def __init__(self, transport: CloudTransport, recorder: CloudRecorder) -> None:
        self._transport = transport
        self._recorder = recorder

    def send(self, request: CloudRequest) -> Exchange:
        started = datetime.now(UTC)
        try:
            return self._transport.send(request)
        except ForbiddenRequestError as error:
            return self._recorder.failed(request.address, started, _defect(error))
        except CmekAuditError:  # a secret would have been written: that ends the collection
            raise
        except Exception as error:  # noqa: BLE001 (whatever a library raises)
            return self._recorder.failed(request.address, started, _defect(error))

    def give_up(self, request: CloudRequest) -> Exchange:
        return self._recorder.too_late(request.address)


def _defect(error: Exception) -> Failure:
    """Return the failure of a request that broke this suite; the error's text may hold anything."""
    return Failure(reason="suite-failed", detail=f"a defect of the suite: {type(error).__name__}")


# --- keys -----------------------------------------------------------------------------------------


def with_cloud_keys(
    organization: Organization, further: Iterable[str], reading: Reading
) -> Organization:
    """Return ``organization`` with what the clouds show of its keys, and of ``further`` key ids."""
    key_ids = [*(key.key_id for key in organization.keys or ()), *further]
    return organization.model_copy(update={"cloud_keys": read_cloud_keys(key_ids, reading)})


def read_cloud_keys(key_ids: Iterable[str], reading: Reading) -> tuple[CloudKey, ...]:
    """Return what the clouds show of each key, in the order of ids; versions are one key.

    Ids of no known form, aliases, and keys of clouds that are not asked are left out.
    """
    keys = keys_to_ask(key_ids, reading.settings.ask)
    with ThreadPoolExecutor(reading.policy.connections_per_organization, "clouds") as pool:
        read = pool.map(lambda key_id: _read_key(key_id, reading), keys)
        return tuple(key for key in read if key is not None)


def keys_to_ask(key_ids: Iterable[str], ask: Collection[Provider]) -> list[str]:
    """Return one id of each key that is asked about, in the order of their canonical ids."""
    chosen: dict[str, str] = {}
    for key_id in sorted(set(key_ids)):
        parsed = parse_key_id(key_id)
        if parsed.form == "key" and parsed.provider in set(ask):
            chosen.setdefault(parsed.canonical, key_id)
    return [key_id for _, key_id in sorted(chosen.items())]


def _read_key(key_id: str, reading: Reading) -> CloudKey | None:
    provider = parse_key_id(key_id).provider
    cloud = CLOUDS[provider]  # type: ignore[index]  # an id of the form of a key has a provider
    context = CloudContext(
        transport=reading.transports[cloud.provider],
        policy=reading.policy,
        sleep=reading.sleep,
        seconds_left=reading.seconds_left,
    )
    client = CloudClient(context)
    try:
        return cloud.load_reader().read_key(client, key_id, reading.settings)
    except CmekAuditError:  # a secret would have been written, or a replay found another request
        raise
    except Exception as error:  # noqa: BLE001 (a defect of one reader must not lose other keys)
        return _broken_key(key_id, client, error)


def _broken_key(key_id: str, client: CloudClient, error: Exception) -> CloudKey | None:
    """Return a key of which nothing is known, as reading it broke this suite.

    None if nothing was asked: then there is no time at which it was observed.
    """
    if client.started is None:
        return None
    gap = KmsGap(fact="key", reason="suite-failed", detail=_defect(error).detail)
    facts = KmsFacts(observed_at=client.started, unread=(gap,))
    return CloudKey(key_id=key_id, facts=facts, requests=client.requests)
