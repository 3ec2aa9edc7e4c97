"""Keys are read from the clouds that are asked; one that fails stops no other."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds.collector import (
    Reading,
    keys_to_ask,
    open_clouds,
    read_cloud_keys,
    transports_of,
    with_cloud_keys,
)
from inventory.clouds.config import CloudSettings
from inventory.clouds.recorder import CloudRecorder
from inventory.clouds.registry import CLOUDS, Cloud
from inventory.clouds.requests import CloudRequest
from inventory.errors import ForbiddenRequestError, LeakError, ReplayError
from inventory.evidence.exchange import TOO_LATE, Exchange, Failure
from inventory.model.kms import CloudKey, KmsFacts, KmsGap
from tests.builders import a_key, an_organization, aws_key_id
from tests.clouds.gcp_bodies import KEY, RING, key, page, policy, version
from tests.hypothesis_profile import examples
from tests.inventory.clouds.scripted import FILE, POLICY, ScriptedTransport, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from inventory.model.vocabulary import Provider

AWS = aws_key_id("us-east-2")
AZURE = "https://acme.vault.azure.net/keys/one"
REQUEST = CloudRequest("gcp", "cloudkms.googleapis.com", f"v1/{KEY}")
DEFECT = "a defect of the suite: ZeroDivisionError"


def a_recorder(exchanges: list[Exchange]) -> CloudRecorder:
    return CloudRecorder(exchanges.append, (), POLICY, FILE)


def settings(*ask: str) -> CloudSettings:
    return CloudSettings.model_validate({"ask": ask})


def reading(transport: Any, *ask: str) -> Reading:  # noqa: ANN401 (any transport)
    return Reading(
        settings=settings(*ask),
        policy=POLICY,
        transports=dict.fromkeys(settings(*ask).ask, transport),
        sleep=lambda _: None,
        seconds_left=lambda: 60.0,
    )


def a_cloud(*names: str) -> ScriptedTransport:
    """Return Google Cloud with a healthy key of each name."""
    script = {f"v1/{RING}:getIamPolicy": [answer(policy())]}
    for name in names:
        script |= {
            f"v1/{name}": [answer(key(name))],
            f"v1/{name}/cryptoKeyVersions": [answer(page(version(1, name), version(2, name)))],
            f"v1/{name}:getIamPolicy": [answer(policy())],
        }
    return ScriptedTransport(script)


def registered(monkeypatch: pytest.MonkeyPatch, **members: object) -> None:
    """Let a module of the test read Google Cloud and send requests to it."""
    module = ModuleType("acme_cloud")
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, "acme_cloud", module)
    cloud = Cloud("gcp", "acme_cloud", "acme_cloud", ("json",))
    monkeypatch.setitem(CLOUDS, "gcp", cloud)


def breaks(*_: object) -> Any:  # noqa: ANN401 (never returns)
    return 1 / 0


# --- which keys -----------------------------------------------------------------------------------


def test_each_key_is_asked_about_once() -> None:
    """Versions and spellings of one key are one; aliases and other clouds' keys are left out."""
    ids = [f"{KEY}/cryptoKeyVersions/2", KEY, AWS, AWS, AZURE, AZURE.upper(), "acme"]
    ids += ["arn:aws:kms:us-east-2:111122223333:alias/acme"]
    assert keys_to_ask(ids, ("gcp", "aws")) == [AWS, KEY]
    azure: tuple[Provider, ...] = ("azure",)
    assert keys_to_ask(ids, azure) == [AZURE.upper()]
    assert keys_to_ask(ids, ()) == []


@given(st.lists(st.sampled_from([KEY, f"{RING}/cryptoKeys/two", AWS, AZURE]) | st.text()))
@examples(50)
def test_order_of_ids_makes_no_difference(ids: list[str]) -> None:
    """Whatever the order of ids, and however often each comes, the same keys are asked about."""
    assert keys_to_ask(ids, ("aws", "gcp", "azure")) == keys_to_ask(
        [*reversed(ids), *ids], ("azure", "aws", "gcp")
    )


def test_keys_come_in_the_order_of_their_ids() -> None:
    """Keys that are read at the same time come in one order."""
    names = [f"{RING}/cryptoKeys/k{number}" for number in range(8)]
    read = read_cloud_keys(reversed(names), reading(a_cloud(*names), "gcp"))
    assert [cloud_key.key_id for cloud_key in read] == names
    assert {cloud_key.facts.enabled for cloud_key in read} == {True}


def test_registered_and_further_keys_are_added_to_an_organization() -> None:
    """An organization gets what is shown of its own keys, and of others that are named."""
    other = f"{RING}/cryptoKeys/other"
    organization = an_organization(keys=[a_key(provider="gcp", key_id=KEY), a_key()])
    read = with_cloud_keys(organization, [other], reading(a_cloud(KEY, other), "gcp"))
    assert [cloud_key.key_id for cloud_key in read.cloud_keys or ()] == [KEY, other]
    unread = an_organization(keys=None)
    assert with_cloud_keys(unread, [], reading(a_cloud(), "gcp")).cloud_keys == ()


# --- what cannot be opened ------------------------------------------------------------------------


def test_missing_library_is_recorded_of_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library, each request to a cloud has a reason that names the extra."""
    cloud = Cloud("gcp", "inventory.clouds.gcp.reader", "", ("no_such_module",))
    monkeypatch.setitem(CLOUDS, "gcp", cloud)
    exchanges: list[Exchange] = []
    transports = transports_of(open_clouds(settings("gcp"), POLICY), a_recorder(exchanges))
    given = reading(transports["gcp"], "gcp")
    (read,) = read_cloud_keys([KEY, AWS], given)
    detail = "Google Cloud needs no_such_module, which is missing: cmek-audit[gcp]"
    assert read.facts.unread == (KmsGap(fact="key", reason="library-missing", detail=detail),)
    assert [exchange.outcome for exchange in exchanges] == ["library-missing"]
    late = transports["gcp"].give_up(REQUEST)
    assert (late.failure, exchanges[-1]) == (TOO_LATE, late)


def test_broken_library_is_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is there and cannot be imported is reported as missing."""
    cloud = Cloud("gcp", "", "no.such.module.of.ours", ("json",))
    monkeypatch.setitem(CLOUDS, "gcp", cloud)
    assert open_clouds(settings("gcp"), POLICY) == {
        "gcp": Failure(
            reason="library-missing", detail="the library of Google Cloud cannot be imported"
        )
    }


def test_cloud_that_cannot_be_opened_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect while a cloud is opened is its reason, without what the error says."""
    registered(monkeypatch, open_sessions=breaks)
    opened = open_clouds(settings("gcp", "aws"), POLICY)
    assert opened["gcp"] == Failure(reason="suite-failed", detail=DEFECT)
    assert list(opened) == ["gcp", "aws"]


class Sessions:
    """Sessions whose transport is made by a function."""

    def __init__(self, transport: Callable[..., object]) -> None:
        self.transport = transport


class Broken:
    """A transport that raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send(self, request: CloudRequest) -> Exchange:
        raise self._error

    def give_up(self, request: CloudRequest) -> Exchange:
        raise self._error


def transport_of(sessions: Any, exchanges: list[Exchange]) -> Any:  # noqa: ANN401 (any sessions)
    return transports_of({"gcp": sessions}, a_recorder(exchanges))["gcp"]


def test_transport_that_cannot_be_made_is_a_reason() -> None:
    """A defect while a transport is made is the reason of each of its requests."""
    exchanges: list[Exchange] = []
    transport = transport_of(Sessions(breaks), exchanges)
    assert transport.send(REQUEST).failure == Failure(reason="suite-failed", detail=DEFECT)
    assert transport.give_up(REQUEST).failure == TOO_LATE
    assert [exchange.address for exchange in exchanges] == [REQUEST.address] * 2


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("secret"), ForbiddenRequestError("secret"), OSError(2, "secret")]
)
def test_transport_that_breaks_is_recorded(error: Exception) -> None:
    """Whatever a transport raises is recorded by its type; its text may hold anything."""
    exchanges: list[Exchange] = []
    transport = transport_of(Sessions(lambda _: Broken(error)), exchanges)
    detail = f"a defect of the suite: {type(error).__name__}"
    assert transport.send(REQUEST).failure == Failure(reason="suite-failed", detail=detail)
    assert transport.give_up(REQUEST).failure == TOO_LATE
    assert "secret" not in str(exchanges)


def test_secret_that_would_be_written_ends_everything() -> None:
    """That evidence would hold a secret is never taken for a failed request."""
    transport = transport_of(Sessions(lambda _: Broken(LeakError([]))), [])
    with pytest.raises(LeakError):
        transport.send(REQUEST)


# --- readers that break ---------------------------------------------------------------------------


def test_reader_that_breaks_loses_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of a reader is a gap of that key, with what was asked; others are read."""
    two = f"{RING}/cryptoKeys/two"

    def read_key(client: Any, key_id: str, _: CloudSettings) -> CloudKey:  # noqa: ANN401 (a client)
        exchange = client.get(CloudRequest("gcp", "h", f"v1/{key_id}"), lambda given: given)
        if key_id == KEY:
            breaks()
        return CloudKey(key_id=key_id, facts=KmsFacts(observed_at=exchange.started, enabled=True))

    registered(monkeypatch, read_key=read_key)
    broken, whole = read_cloud_keys([KEY, two], reading(a_cloud(KEY, two), "gcp"))
    assert broken.facts.unread == (KmsGap(fact="key", reason="suite-failed", detail=DEFECT),)
    assert (broken.requests, broken.facts.enabled, whole.facts.enabled) == (1, None, True)


def test_reader_that_breaks_before_it_asks_leaves_the_key_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key about which nothing was asked was observed at no time, so nothing is known of it."""
    registered(monkeypatch, read_key=breaks)
    assert read_cloud_keys([KEY], reading(a_cloud(), "gcp")) == ()


def test_replay_that_differs_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay that finds another request says so; it is no gap of a key."""
    registered(monkeypatch, read_key=lambda *_: raised(ReplayError("requested, not recorded")))
    with pytest.raises(ReplayError):
        read_cloud_keys([KEY], reading(a_cloud(), "gcp"))


def raised(error: Exception) -> Any:  # noqa: ANN401 (never returns)
    raise error


def test_several_keys_are_read_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many keys are read at once as an organization may have requests, and no more."""
    together = threading.Barrier(POLICY.connections_per_organization, timeout=5)
    names = [f"{RING}/cryptoKeys/k{number}" for number in range(together.parties)]

    def read_key(client: Any, key_id: str, _: CloudSettings) -> CloudKey:  # noqa: ANN401 (a client)
        exchange = client.get(CloudRequest("gcp", "h", f"v1/{key_id}"), lambda given: given)
        together.wait()
        return CloudKey(key_id=key_id, facts=KmsFacts(observed_at=exchange.started))

    registered(monkeypatch, read_key=read_key)
    assert len(read_cloud_keys(names, reading(a_cloud(*names), "gcp"))) == len(names)
