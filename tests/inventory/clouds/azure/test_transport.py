"""Requests to Azure by Microsoft's library: what leaves, what is recorded, and what is replayed."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.keyvault.keys._shared import http_challenge_cache

from inventory.clouds.azure.reader import read_key
from inventory.clouds.azure.transport import AzureSessions, AzureTransport, open_sessions
from inventory.clouds.config import AzureSettings, CloudSettings
from inventory.clouds.recorder import CloudRecorder
from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.clouds.requests import CloudRequest
from inventory.errors import ForbiddenRequestError
from inventory.evidence.exchange import TOO_LATE
from inventory.evidence.exchange_line import render_line
from inventory.model.kms import KmsFacts
from inventory.system.request_policy import RequestPolicy
from inventory.text.secrets import HIDDEN
from tests.clouds.azure_server import (
    CALLER,
    HOST,
    IDENTITY,
    KEY_ID,
    KEY_NOT_FOUND,
    LATEST,
    NAME,
    OLD,
    OTHER_TENANT,
    TENANT,
    AzureServer,
    Reply,
    azure,
    bundle,
    deleted,
    marker,
    refusal,
    three_versions,
    token_of,
)
from tests.inventory.clouds.azure.test_reader import HEALTHY
from tests.inventory.clouds.scripted import FILE, a_client
from tests.inventory.wire import LOOPBACK, Talk, certified, heard, listening, saying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import CloudKey

ROOT = Path(__file__).resolve().parents[4]
POLICY = RequestPolicy(attempts=2, first_wait_seconds=0.0, timeout_seconds=5.0)
IMPATIENT = POLICY.model_copy(update={"timeout_seconds": 1.5})
KEY = CloudRequest("azure", HOST, f"keys/{NAME}", (("api-version", "7.4"),))
KEY_PATH, VERSIONS_PATH = f"/keys/{NAME}", f"/keys/{NAME}/versions"
OTHER = "other.vault.azure.net"


class Credential:
    """A credential of any tenant.

    Attributes:
        asked: the scope and the tenant of each token that was asked for.
        error: what is raised instead of a token.
        seconds: for how long a token is valid.
        claims: what was claimed when a token was asked for last.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.seconds = 3_600
        self.claims: str | None = None

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ANN401 (as the library)
        """Return a token that the vaults of the tenant take."""
        self.asked.append((scopes[0], options["tenant_id"]))
        self.claims = options["claims"]
        if self.error:
            raise self.error
        return AccessToken(token_of(options["tenant_id"]), int(time.time()) + self.seconds)


@pytest.fixture(autouse=True)
def no_challenge_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Forget challenges, which the library keeps for the whole process, and all credentials."""
    http_challenge_cache.clear()
    for name in os.environ:
        if name.startswith(("AZURE_", "IDENTITY_", "IMDS_", "MSI_")) or name.lower().endswith(
            "_proxy"
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))
    yield
    http_challenge_cache.clear()


@pytest.fixture
def server() -> Iterator[AzureServer]:
    """Provide vaults on loopback."""
    with azure() as running:
        yield running


class Live:
    """The transport of one organization, and what it recorded."""

    def __init__(
        self,
        address: str | None = None,
        *,
        policy: RequestPolicy = POLICY,
        credential: Credential | None = None,
        sessions: Any = None,  # noqa: ANN401 (any that opens a transport)
    ) -> None:
        self.exchanges: list[Exchange] = []
        self.waits: list[float] = []
        self.policy = policy
        self.credential = credential or Credential()
        settings = AzureSettings(address=address)
        sessions = sessions or AzureSessions(settings, policy, lambda: self.credential)
        recorder = CloudRecorder(self.exchanges.append, (), policy, FILE)
        self.transport: AzureTransport = sessions.transport(recorder)

    def read(self, key_id: str = KEY_ID) -> CloudKey:
        """Read a key live, and once more from what was recorded, with the same result."""
        first = len(self.exchanges)
        client = a_client(self.transport, policy=self.policy, sleep=self.waits.append)
        key = read_key(client, key_id, CloudSettings())
        replayed = ReplayingCloudTransport(self.exchanges[first:])
        assert read_key(a_client(replayed, policy=self.policy), key_id, CloudSettings()) == key
        replayed.require_all_used()
        return key

    def written(self) -> str:
        """Return all that would be written of the exchanges."""
        return b"".join(map(render_line, self.exchanges)).decode()


def reasons(key: CloudKey) -> set[tuple[str, str]]:
    """Return fact and reason of each gap."""
    return {(gap.fact, gap.reason) for gap in key.facts.unread}


# --- a healthy round ------------------------------------------------------------------------------


def test_healthy_key_is_read_over_http(server: AzureServer) -> None:
    """A key is read by five requests; the first of them is answered by a challenge."""
    live = Live(server.address)
    key = live.read()
    assert key.facts == KmsFacts(observed_at=key.facts.observed_at, **HEALTHY)
    first = f"/azure/{HOST}{KEY_PATH}?api-version=7.4"
    following = f"%24skiptoken={quote(marker(2))}&maxresults=25"
    assert [(exchange.address, exchange.status) for exchange in live.exchanges] == [
        (first, 401),
        (first, 200),
        (f"/azure/{HOST}{VERSIONS_PATH}?api-version=7.4", 200),
        (f"/azure/{HOST}{VERSIONS_PATH}?api-version=7.4&{following}", 200),
        (f"/azure/{HOST}{KEY_PATH}/rotationpolicy?api-version=7.4", 200),
    ]
    assert [(asked.method, asked.host, asked.is_authorized) for asked in server.asked] == [
        ("GET", HOST, number > 0) for number in range(5)
    ]
    assert live.credential.asked == [("https://vault.azure.net/.default", TENANT)]
    assert not any(asked.has_cookie for asked in server.asked)


def test_organizations_share_credentials_but_no_record(server: AzureServer) -> None:
    """The second organization needs no challenge and no new token; each has its own exchanges."""
    credential = Credential()
    sessions = AzureSessions(AzureSettings(address=server.address), POLICY, lambda: credential)
    first, second = (Live(sessions=sessions) for _ in range(2))
    assert first.read().facts.enabled
    assert second.read().facts.enabled
    assert ([len(first.exchanges), len(second.exchanges)], len(credential.asked)) == ([5, 4], 1)


def test_threads_share_a_transport(server: AzureServer) -> None:
    """Several keys are read at the same time, each answer being that of its own request."""
    server.page_size = 10
    names = [f"key-{number}" for number in range(12)]
    for name in names:
        for path, body in list(server.bodies.items()):
            if path[1].startswith(KEY_PATH):
                renamed = json.loads(json.dumps(body).replace(f"/{NAME}", f"/{name}"))
                server.bodies[(HOST, path[1].replace(NAME, name))] = renamed
    live = Live(server.address)

    def read(name: str) -> CloudKey:
        client = a_client(live.transport, policy=POLICY)
        return read_key(client, KEY_ID.replace(NAME, name), CloudSettings())

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(read, names))
    assert {(key.facts.enabled, key.facts.unread) for key in keys} == {(True, ())}
    replayed = ReplayingCloudTransport(live.exchanges)
    for name, key in zip(names, keys, strict=True):
        again = read_key(a_client(replayed), KEY_ID.replace(NAME, name), CloudSettings())
        assert again == key
    replayed.require_all_used()


def test_each_vault_gets_a_token_of_its_tenant(server: AzureServer) -> None:
    """Vaults of several tenants are read, each with a token of its own tenant."""
    server.tenants[OTHER] = OTHER_TENANT
    for (_, path), body in list(server.bodies.items()):
        server.bodies[(OTHER, path)] = json.loads(json.dumps(body).replace(HOST, OTHER))
    live = Live(server.address)
    keys = [live.read(), live.read(KEY_ID.replace(HOST, OTHER))]
    assert [key.facts.owner for key in keys] == [HOST, OTHER]
    assert [key.facts.unread for key in keys] == [(), ()]
    assert [tenant for _, tenant in live.credential.asked] == [TENANT, OTHER_TENANT]


def test_vault_that_moved_to_another_tenant(server: AzureServer) -> None:
    """A challenge that is known from before is replaced when the vault has another tenant."""
    live = Live(server.address)
    live.read()
    server.tenants[HOST] = OTHER_TENANT
    assert live.read().facts.unread == ()
    assert [tenant for _, tenant in live.credential.asked] == [TENANT, OTHER_TENANT]
    assert [exchange.status for exchange in live.exchanges[5:7]] == [401, 200]


def test_deleted_key_is_found(server: AzureServer) -> None:
    """A key that is gone is looked for among the deleted ones."""
    server.bodies[(HOST, KEY_PATH)] = KEY_NOT_FOUND
    server.bodies[(HOST, f"/deletedkeys/{NAME}")] = deleted()
    facts = Live(server.address).read().facts
    assert (facts.state, facts.enabled, facts.deletion_at is None) == ("deleted", False, False)


def test_named_version_is_read(server: AzureServer) -> None:
    """Of an id with a version, that version is asked about as well."""
    server.bodies[(HOST, f"{KEY_PATH}/{OLD}")] = bundle(OLD, enabled=False)
    live = Live(server.address)
    assert live.read(f"{KEY_ID}/{OLD}").facts.enabled is False
    assert f"/azure/{HOST}{KEY_PATH}/{OLD}?api-version=7.4" in {
        exchange.address for exchange in live.exchanges
    }


# --- faults ---------------------------------------------------------------------------------------

EVIL = "https://evil.example/keys"
FAULTS: dict[str, tuple[Reply, str, int]] = {
    "throttled": (Reply(refusal("Throttled"), 429, {"Retry-After": "7"}), "rate-limited", 2),
    "server error": (Reply(b"<html>", 500), "unavailable", 2),
    "out of service": (Reply(refusal("ServiceUnavailable"), 503), "unavailable", 2),
    "not allowed": (Reply(refusal("Forbidden", "ForbiddenByRbac"), 403), "refused", 1),
    "not in the access policy": (Reply(refusal("Forbidden", "AccessDenied"), 403), "refused", 1),
    "firewall": (Reply(refusal("Forbidden", "ForbiddenByFirewall"), 403), "refused", 1),
    "HTML": (Reply(b"<html>Sign in", headers={"Content-Type": "text/html"}), "malformed", 2),
    "half of JSON": (Reply(json.dumps(bundle()).encode()[:90]), "malformed", 2),
    "cut": (Reply(json.dumps(bundle()).encode()[:90], claims=400), "cut-short", 2),
    "redirect": (Reply(b"", 302, {"Location": EVIL}), "wrong-address", 1),
    "permanent redirect": (Reply(b"", 308, {"Location": EVIL}), "wrong-address", 1),
    "unauthorized": (Reply(refusal("Unauthorized"), 401), "credentials-expired", 1),
    "compressed": (Reply(b"x", headers={"Content-Encoding": "gzip"}), "malformed", 1),
    "bad request": (Reply(refusal("BadParameter"), 400), "malformed", 1),
    "conflict": (Reply(refusal("Conflict", "ObjectIsBeingDeleted"), 409), "not-found", 2),
    "another key": (Reply(bundle(host=OTHER)), "foreign-key", 1),
    "slow": (Reply(bundle(), seconds=5.0), "timed-out", 2),
    "dripping": (Reply(bundle(), drip=0.05), "timed-out", 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_has_its_reason(server: AzureServer, name: str) -> None:
    """Each kind of fault has its reason code, is retried if that may help, and names nobody."""
    reply, reason, attempts = FAULTS[name]
    server.faults[KEY_PATH] = [reply] * 5
    live = Live(server.address, policy=IMPATIENT if reason == "timed-out" else POLICY)
    key = live.read()
    assert ("key", reason) in reasons(key)
    facts = key.facts
    assert (facts.enabled, facts.suitable, facts.state, facts.region) == (None,) * 4
    sent = [asked for asked in server.asked if asked.path == f"{KEY_PATH}?api-version=7.4"]
    assert len([asked for asked in sent if asked.is_authorized]) == attempts
    assert {asked.host for asked in server.asked} == {HOST}
    written = live.written() + key.model_dump_json()
    assert not [part for part in CALLER.split(";") if part.partition("=")[2] in written]


def test_throttling_is_waited_for(server: AzureServer) -> None:
    """A vault that asks to wait is asked again after that time."""
    server.faults[KEY_PATH] = [Reply(refusal("Throttled"), 429, {"Retry-After": "7"})]
    live = Live(server.address)
    assert (live.read().facts.unread, live.waits) == ((), [7.0])


def test_faults_of_other_facts_hide_nothing(server: AzureServer) -> None:
    """A key whose versions and policy cannot be read has its other facts."""
    server.faults[VERSIONS_PATH] = [Reply(b"<html>")] * 2
    server.faults[f"{KEY_PATH}/rotationpolicy"] = [Reply(refusal("Forbidden"), 403)]
    key = Live(server.address).read()
    assert reasons(key) == {("versions", "malformed"), ("rotation", "refused")}
    assert (key.facts.enabled, key.facts.versions, key.facts.rotation_enabled) == (True, None, None)


def test_large_answer_is_not_read(server: AzureServer) -> None:
    """Of an answer beyond the limit no more is read than needed to know that."""
    server.bodies[(HOST, KEY_PATH)] = bundle(filler="x" * 3_000)
    live = Live(server.address, policy=POLICY.model_copy(update={"largest_answer_bytes": 2_000}))
    assert ("key", "too-large") in reasons(live.read())


def test_list_that_leads_elsewhere_is_not_followed(server: AzureServer) -> None:
    """The next page of a list is asked for at its own vault only."""
    server.faults[VERSIONS_PATH] = [
        Reply({"value": three_versions(), "nextLink": f"{EVIL}/{NAME}/versions?api-version=7.4"})
    ]
    key = Live(server.address).read()
    assert reasons(key) == {("versions", "malformed")}
    assert {asked.host for asked in server.asked} == {HOST}


def failure_of(address: str | None, policy: RequestPolicy = POLICY) -> tuple[str, str, bool]:
    """Return why a request to ``address`` has no answer: reason, detail, whether to try again."""
    failure = Live(address, policy=policy).transport.send(KEY).failure
    assert failure is not None
    return failure.reason, failure.detail, failure.again


def closing(connection: socket.socket) -> None:
    """Hear a request, and end the connection without an answer."""
    heard(connection)


def body_without_end(connection: socket.socket) -> None:
    """Answer with a body that ends with the connection, and let it drip."""
    heard(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"1")
        time.sleep(0.05)


def silent(connection: socket.socket) -> None:
    """Accept a connection, and say nothing until the client gives up."""
    while connection.recv(65_536):
        pass


TWO_LENGTHS = b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n12345"


def head_by_drops(connection: socket.socket) -> None:
    """Answer so slowly that the head of the answer never ends."""
    heard(connection)
    for _ in range(100):
        connection.sendall(b"HTTP/1.1 200 OK\r\nA: b\r\n"[:1])
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("talk", "patience", "reason", "detail"),
    [
        (closing, POLICY, "unavailable", "no answer: the connection was closed"),
        (saying(b"no HTTP\r\n\r\n"), POLICY, "malformed", "the answer is not HTTP/1.1"),
        (saying(TWO_LENGTHS), POLICY, "unavailable", "no answer: InvalidHeader"),
        (head_by_drops, IMPATIENT, "timed-out", "no complete answer within 1.5 s"),
        (body_without_end, IMPATIENT, "timed-out", "no complete answer within 1.5 s"),
        (silent, IMPATIENT, "timed-out", "no complete answer within 1.5 s"),
    ],
)
def test_connection_that_fails(
    talk: Talk, patience: RequestPolicy, reason: str, detail: str
) -> None:
    """A connection that breaks, or takes longer than it may, is reported in words."""
    with listening(talk) as port:
        found = failure_of(f"http://{LOOPBACK}:{port}", patience)
    assert found == (reason, detail, True)


def closed_port() -> int:
    """Return a port of this machine to which nobody listens."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def test_connection_that_is_refused() -> None:
    """A vault to which no connection can be made is not available."""
    detail = f"no answer: the connection to {HOST} failed"
    assert failure_of(f"http://{LOOPBACK}:{closed_port()}") == ("unavailable", detail, True)


def test_proxy_that_does_not_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment is used, and named if it is what fails."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{LOOPBACK}:{closed_port()}")
    detail = f"no answer: the proxy does not connect to {HOST}"
    for address in (None, "https://elsewhere.example"):
        assert failure_of(address) == ("unavailable", detail, True)


def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault whose name nobody knows, as it was deleted, is reported as that."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    detail = f"no answer: the name {HOST} does not resolve"
    assert failure_of("https://elsewhere.example") == ("unavailable", detail, True)


def test_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    """A server without a trusted certificate gets no request, and is not tried again."""
    _, tls = certified(tmp_path, LOOPBACK)
    with listening(saying(b""), tls) as port:
        found = failure_of(f"https://{LOOPBACK}:{port}")
    detail = f"no answer: the certificate of {HOST} is not trusted"
    assert found == ("unavailable", detail, False)


def test_handshake_that_does_not_end() -> None:
    """A server that never begins to speak TLS is given up when the time is over."""
    with listening(silent) as port:
        found = failure_of(f"https://{LOOPBACK}:{port}", IMPATIENT)
    assert found == ("timed-out", "no complete answer within 1.5 s", True)


def test_slow_answer_over_tls_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS, too, an answer that comes in drops is given up when its time is over."""
    certificate, tls = certified(tmp_path, LOOPBACK)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with listening(head_by_drops, tls) as port:
        found = failure_of(f"https://{LOOPBACK}:{port}", IMPATIENT)
    assert found == ("timed-out", "no complete answer within 1.5 s", True)


def test_tunnel_that_is_never_open_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that answers byte by byte is given up when the time is over, like a vault."""

    def never_done(connection: socket.socket) -> None:
        heard(connection)
        for _ in range(1_000):
            connection.sendall(b"H")
            time.sleep(0.02)

    started = time.monotonic()
    with listening(never_done) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{LOOPBACK}:{proxy}")
        found = failure_of("https://elsewhere.example", IMPATIENT)
    assert found == ("timed-out", "no complete answer within 1.5 s", True)
    assert time.monotonic() - started < 10


# --- what leaves this machine ---------------------------------------------------------------------


CALLS: dict[str, Callable[[Any], object]] = {
    "create": lambda client: client.create_rsa_key(NAME),
    "delete": lambda client: client.begin_delete_key(NAME),
    "disable": lambda client: client.update_key_properties(NAME, LATEST, enabled=False),
    "rotate": lambda client: client.rotate_key(NAME),
    "purge": lambda client: client.purge_deleted_key(NAME),
    "recover": lambda client: client.begin_recover_deleted_key(NAME),
    "back up": lambda client: client.backup_key(NAME),
    "wrap": lambda client: client.get_cryptography_client(NAME).wrap_key("RSA-OAEP", b"x" * 16),
    "read another": lambda client: client.get_key("another"),
    "list": lambda client: list(client.list_properties_of_keys()),
}


@pytest.mark.parametrize("name", CALLS)
def test_nothing_but_the_own_request_leaves(server: AzureServer, name: str) -> None:
    """Whatever the library is asked to do beside the audit's own request is refused unsent."""
    live = Live(server.address)
    client = live.transport.client(HOST)
    with pytest.raises(ForbiddenRequestError), live.transport._adapter.allowing(KEY):
        CALLS[name](client)
    with pytest.raises(ForbiddenRequestError):
        CALLS[name](client)
    assert server.asked == []


def test_own_request_goes_to_its_own_vault(server: AzureServer) -> None:
    """What is allowed for one vault is refused for another, before a token is asked for."""
    live = Live(server.address)
    with pytest.raises(ForbiddenRequestError), live.transport._adapter.allowing(KEY):
        live.transport.client(OTHER).get_key(NAME)
    assert (server.asked, live.credential.asked) == ([], [])


@pytest.mark.parametrize(
    "key_id",
    [
        f"https://evil.example/keys/{NAME}",
        f"https://{HOST}.evil.example/keys/{NAME}",
        f"https://{HOST}@evil.example/keys/{NAME}",
        f"https://{HOST}:8443/keys/{NAME}",
        f"https://{HOST}/keys/..",
        f"https://{HOST}/keys/a%2Fb",
        f"https://{HOST}",
        "no-id",
    ],
)
def test_other_addresses_are_not_asked(server: AzureServer, key_id: str) -> None:
    """A key id that leads to no vault of Azure is not asked about, and no token is fetched."""
    live = Live(server.address)
    assert ("key", "wrong-address") in reasons(live.read(key_id))
    assert (server.asked, live.credential.asked) == ([], [])


def test_no_time_left_is_recorded(server: AzureServer) -> None:
    """A request for which no time is left is recorded, and not sent."""
    live = Live(server.address)
    assert live.transport.give_up(KEY).failure == TOO_LATE
    assert (server.asked, len(live.exchanges)) == ([], 1)


def test_password_file_does_not_replace_the_token(
    server: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password for the vault in a .netrc file is not sent."""
    path = tmp_path / "netrc"
    path.write_text(f"machine {HOST} login ada password fake-password-of-netrc\n")
    monkeypatch.setenv("NETRC", str(path))
    assert Live(server.address).read().facts.unread == ()
    assert not any(asked.has_password for asked in server.asked)


# --- tokens ---------------------------------------------------------------------------------------


def test_token_is_never_recorded(server: AzureServer) -> None:
    """A vault that sends the token back has it recorded as hidden, in bodies and headers."""
    token = token_of(TENANT)
    headers = {"x-ms-request-id": token}
    server.bodies[(HOST, KEY_PATH)] = Reply(bundle() | {"echo": [token, token[6:]]}, 200, headers)
    live = Live(server.address)
    assert live.read().facts.enabled
    assert token not in live.written()
    assert live.exchanges[1].headers["x-ms-request-id"] == HIDDEN


def test_secrets_of_the_environment_are_hidden(
    server: AzureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets that Microsoft's library takes from the environment are never recorded."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "fake-client-secret-of-acme")
    monkeypatch.setenv("AZURE_PASSWORD", "short")
    echo = {"echo": "fake-client-secret-of-acme in short"}
    server.bodies[(HOST, KEY_PATH)] = bundle() | echo
    live = Live(server.address)
    assert live.read().facts.enabled
    assert live.exchanges[1].value["echo"] == f"{HIDDEN} in short"


def test_challenge_for_another_service_gets_no_token(server: AzureServer) -> None:
    """A vault that asks for a token for another service gets none."""
    server.resource = "https://graph.example"
    live = Live(server.address)
    key = live.read()
    assert reasons(key) == {(fact, "wrong-address") for fact in ("key", "versions", "rotation")}
    assert {gap.detail for gap in key.facts.unread} == {
        "the vault asks for a token for another service"
    }
    assert live.credential.asked == []


def test_challenge_without_a_tenant_is_an_answer(server: AzureServer) -> None:
    """A 401 without a challenge is the answer: the credentials are not taken."""
    server.bodies[(HOST, KEY_PATH)] = Reply(b"", 401)
    assert ("key", "credentials-expired") in reasons(Live(server.address).read())


def test_token_that_was_revoked_is_replaced(server: AzureServer) -> None:
    """A vault that takes a token no more says what the next one must claim, and gets it."""
    live = Live(server.address)
    live.read()
    claims = b64encode(b'{"access_token": {"nbf": {"essential": true}}}').decode()
    challenge = f'Bearer authorization="https://login.example", claims="{claims}"'
    revoked = Reply(refusal("Unauthorized"), 401, {"WWW-Authenticate": challenge})
    server.faults[KEY_PATH] = [revoked]
    assert live.read().facts.unread == ()
    assert [exchange.status for exchange in live.exchanges[5:7]] == [401, 200]
    assert [tenant for _, tenant in live.credential.asked] == [TENANT, TENANT]
    assert live.credential.claims == '{"access_token": {"nbf": {"essential": true}}}'
    assert live.read().facts.unread == ()
    assert len(live.credential.asked) == 2


def test_token_is_renewed_before_it_ends(server: AzureServer) -> None:
    """A token that ends soon is replaced, and one that does not is used again."""
    live = Live(server.address)
    live.credential.seconds = 60
    live.read()
    assert len(live.credential.asked) > 1
    asked = len(live.credential.asked)
    live.credential.seconds = 3_600
    live.read()
    live.read()
    assert len(live.credential.asked) == asked + 1


AADSTS = f"AADSTS7000222: The provided client secret keys for app {CALLER} are expired."


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (
            ClientAuthenticationError(AADSTS),
            "credentials-expired",
            "Azure refuses the credentials (AADSTS7000222)",
        ),
        (
            ClientAuthenticationError(
                f"The current credential is not configured to acquire tokens for tenant {TENANT}"
            ),
            "no-credentials",
            "the vault is in a tenant that the organizations file does not name",
        ),
        (
            ClientAuthenticationError(f"no credentials of {CALLER}"),
            "no-credentials",
            "no token: ClientAuthenticationError",
        ),
        (RuntimeError(CALLER), "no-credentials", "no token: RuntimeError"),
    ],
)
def test_token_that_cannot_be_had(
    server: AzureServer, error: Exception, reason: str, detail: str
) -> None:
    """Why there is no token is reported by a code, asked for once, and names nobody."""
    live = Live(server.address)
    live.credential.error = error
    key = live.read()
    assert {(gap.fact, gap.reason, gap.detail) for gap in key.facts.unread} == {
        (fact, reason, detail) for fact in ("key", "versions", "rotation")
    }
    live.read()
    assert len(live.credential.asked) == 1
    assert CALLER not in live.written() + key.model_dump_json()


def test_library_that_breaks_stops_nothing(server: AzureServer) -> None:
    """An error of the library that nobody foresaw is a failure with its type, and no text."""
    live = Live(server.address)
    live.transport.client = broken  # type: ignore[method-assign]
    failure = live.transport.send(KEY).failure
    assert failure is not None
    assert (failure.reason, failure.detail) == ("unavailable", "no answer: LookupError")
    live.transport.client = without_request  # type: ignore[method-assign]
    failure = live.transport.send(KEY).failure
    assert failure is not None
    assert failure.detail == "no answer: no request was sent"


def broken(host: str) -> Any:  # noqa: ANN401
    raise LookupError(CALLER)


def without_request(host: str) -> Any:  # noqa: ANN401
    class Silent:
        def send_request(self, *_: object, **__: object) -> None:
            """Send nothing."""

    return Silent()


# --- the credentials that Microsoft's library finds -----------------------------------------------


def ordinary(server: AzureServer) -> Live:
    """Return a transport with the ordinary credentials."""
    settings = CloudSettings.model_validate(
        {"azure": {"address": server.address, "tenants": ["tenant-of-a-partner"]}}
    )
    return Live(sessions=open_sessions(settings, POLICY))


@pytest.fixture
def identity(server: AzureServer, monkeypatch: pytest.MonkeyPatch) -> AzureServer:
    """Let this machine have a managed identity, whose tokens come from the server."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.address}/identity")
    monkeypatch.setenv("IDENTITY_HEADER", "fake-identity-header")
    return server


@pytest.fixture(autouse=True)
def levels_are_restored() -> Iterator[None]:
    """Restore the levels of the loggers that are silenced."""
    loggers = [logging.getLogger(name) for name in ("azure", "msal")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_managed_identity_is_found(identity: AzureServer) -> None:
    """The library's own chain finds a managed identity; what it asks for is not recorded."""
    live = ordinary(identity)
    assert live.read().facts.unread == ()
    asked = [request.path.partition("?")[0] for request in identity.asked]
    assert asked.count("/identity") == 1
    assert IDENTITY not in live.written()
    assert not any("identity" in exchange.address for exchange in live.exchanges)


def test_no_credentials_at_all(server: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing but the challenge is recorded, and that there are none."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    live = ordinary(server)
    assert {gap.reason for gap in live.read().facts.unread} == {"no-credentials"}
    assert [exchange.outcome for exchange in live.exchanges] == ["401", "no-credentials"]


def test_credentials_that_are_configured_wrongly(
    server: AzureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that the library refuses is a failure like any other."""
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "http://login.example")
    key = ordinary(server).read()
    assert {gap.detail for gap in key.facts.unread} == {"no token: ValueError"}


def test_expired_credentials_are_reported_without_names(
    identity: AzureServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The library logs nothing of what names tenants, and only Microsoft's code is reported."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "prod")  # no program of this machine is asked
    identity.identity = Reply({"statusCode": 400, "message": AADSTS}, 400)
    live = ordinary(identity)
    key = live.read()
    assert {(gap.reason, gap.detail) for gap in key.facts.unread} == {
        ("credentials-expired", "Azure refuses the credentials (AADSTS7000222)")
    }
    shown = caplog.text + "".join(capfd.readouterr()) + live.written() + key.model_dump_json()
    assert "AADSTS7000222: " not in shown
    assert not [part for part in CALLER.split(";") if part.partition("=")[2] in shown]


# --- replay ---------------------------------------------------------------------------------------

REPLAY = """
import sys
for name in ("azure", "azure.core", "azure.identity", "azure.keyvault", "msal", "requests"):
    sys.modules[name] = None  # an import of it fails
from pathlib import Path
from inventory.clouds.client import CloudClient, CloudContext
from inventory.clouds.config import CloudSettings
from inventory.clouds.registry import CLOUDS
from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.evidence.exchange_line import parse_line
from inventory.system.request_policy import RequestPolicy
folder, key_id = sys.argv[1:]
exchanges = [
    parse_line("exchanges/0001.ndjson.gz", int(path.name), path.read_bytes())
    for path in sorted(Path(folder).iterdir())
]
transport = ReplayingCloudTransport(exchanges)
context = CloudContext(transport, RequestPolicy(attempts=2), lambda _: None, lambda: 60.0)
key = CLOUDS["azure"].load_reader().read_key(CloudClient(context), key_id, CloudSettings())
transport.require_all_used()
print(key.model_dump_json())
"""


def test_replay_needs_no_library(server: AzureServer, tmp_path: Path) -> None:
    """What was recorded is read again, with the same result, where the library is missing."""
    server.faults[KEY_PATH] = [Reply(b"<html>")]
    server.faults[f"{KEY_PATH}/rotationpolicy"] = [Reply(refusal("Forbidden"), 403)]
    live = Live(server.address)
    key = live.read()
    for exchange in live.exchanges:
        (tmp_path / f"{exchange.line:04}").write_bytes(render_line(exchange))
    command = [sys.executable, "-c", REPLAY, str(tmp_path), KEY_ID]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.stdout.strip(), ended.stderr) == (key.model_dump_json(), "")
