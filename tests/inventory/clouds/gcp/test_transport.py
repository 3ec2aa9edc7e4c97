"""How requests reach Google Cloud: real ones, over loopback, by the ordinary credentials."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests
import urllib3
from google.auth import exceptions

from inventory.clouds.client import CloudClient, CloudContext
from inventory.clouds.config import CloudSettings
from inventory.clouds.gcp.reader import read_key
from inventory.clouds.gcp.transport import (
    GoogleTransport,
    RecordingAdapter,
    _failure_of,
    open_sessions,
)
from inventory.clouds.recorder import CloudRecorder
from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.clouds.requests import CloudRequest
from inventory.errors import ForbiddenRequestError
from inventory.evidence.exchange import TOO_LATE, Exchange, Failure
from inventory.evidence.exchange_line import parse_line, render_line
from inventory.model.kms import KmsGap
from inventory.system.request_policy import RequestPolicy
from inventory.text.display import describe
from tests.clouds.gcp_bodies import CALLER, KEY, MEMBER, RING, binding, error, key, policy, version
from tests.clouds.gcp_server import (
    Fault,
    GoogleServer,
    answering,
    closed_port,
    closing,
    compressed,
    dripping,
    dripping_body,
    ending_early,
    google_server,
    html,
    huge,
    private_key,
    redirecting,
    setting_cookie,
    silent,
    truncated,
    write_service_account,
)
from tests.inventory.wire import LOOPBACK, certified, listening, relaying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.model.kms import CloudKey

FILE = "exchanges/0001.ndjson.gz"
QUICK = RequestPolicy(attempts=2, first_wait_seconds=0.0, timeout_seconds=5.0)
SHORT = QUICK.model_copy(update={"timeout_seconds": 1.5, "attempts": 1})
POLICY_3 = (("options.requestedPolicyVersion", "3"),)
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def private() -> str:
    """Return a private key, which takes a while to make."""
    return private_key()


@pytest.fixture
def server() -> Iterator[GoogleServer]:
    """Run a server with one healthy key."""
    with google_server() as running:
        running.keys[KEY] = key()
        running.versions[KEY] = [version(1), version(2)]
        running.policies[KEY] = policy(binding(MEMBER))
        yield running


@pytest.fixture(autouse=True)
def account(
    server: GoogleServer, private: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Let Google's library find a service account, and nothing of this machine."""
    for name in ("HOME", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path))
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    for name in ("GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_PROJECT", "NETRC", *proxies):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    path = write_service_account(tmp_path / "account.json", private, f"{server.address}/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


class Audit(NamedTuple):
    """A transport, and what it records."""

    transport: GoogleTransport
    exchanges: list[Exchange]
    settings: CloudSettings
    policy: RequestPolicy

    def read(self, key_id: str = KEY) -> CloudKey:
        """Return what is read of a key."""
        return read_key(self.client(self.transport), key_id, self.settings)

    def client(self, transport: Any) -> CloudClient:  # noqa: ANN401 (any transport)
        """Return a client that sends by ``transport``."""
        return CloudClient(
            CloudContext(
                transport=transport,
                policy=self.policy,
                sleep=lambda _: None,
                seconds_left=lambda: 60.0,
            )
        )

    def outcomes(self) -> list[str]:
        """Return status or reason of each exchange."""
        return [exchange.outcome for exchange in self.exchanges]

    def written(self) -> str:
        """Return everything that would be written of the exchanges."""
        return "".join(render_line(exchange).decode() for exchange in self.exchanges)

    def ask(self, **over: Any) -> CloudRequest:  # noqa: ANN401 (any field)
        """Return a request for the key."""
        host = self.settings.gcp.address or ""
        fields = {"cloud": "gcp", "host": host.partition("//")[2], "operation": f"v1/{KEY}"}
        return CloudRequest(**(fields | over))


def an_audit(address: str, policy_: RequestPolicy = QUICK, **settings: object) -> Audit:
    """Return an audit of keys at ``address``."""
    chosen = CloudSettings.model_validate({"gcp": {"address": address, **settings}})
    exchanges: list[Exchange] = []
    recorder = CloudRecorder(exchanges.append, (), policy_, FILE)
    return Audit(open_sessions(chosen, policy_).transport(recorder), exchanges, chosen, policy_)


# --- all is well ----------------------------------------------------------------------------------


def test_key_is_read_over_http(server: GoogleServer) -> None:
    """A service account gets a token, and four requests with it read the key."""
    audit = an_audit(server.address)
    shown = audit.read()
    assert shown.facts.unread == ()
    assert (shown.facts.enabled, shown.facts.rotation_enabled) == (True, True)
    assert [one.id for one in shown.facts.versions or ()] == ["1", "2"]
    assert [one.members for one in shown.facts.bindings or ()] == [(MEMBER,)]
    assert server.asked() == ["key", "versions", "bindings", "ring-bindings"]
    assert set(server.tokens()) == {"ya29.not-a-real-token-0001"}
    assert [seen.method for seen in server.seen] == ["POST", *["GET"] * 4]


def test_requests_are_recorded_with_their_host_and_no_token(server: GoogleServer) -> None:
    """The record has each request of the key, no request for a token, and no header of either."""
    audit = an_audit(server.address)
    audit.read()
    host = server.address.partition("//")[2]
    assert [exchange.address for exchange in audit.exchanges] == [
        f"/gcp/{host}/v1/{KEY}",
        f"/gcp/{host}/v1/{KEY}/cryptoKeyVersions",
        f"/gcp/{host}/v1/{KEY}:getIamPolicy?options.requestedPolicyVersion=3",
        f"/gcp/{host}/v1/{RING}:getIamPolicy?options.requestedPolicyVersion=3#cryptoKeys/acme-key",
    ]
    assert all(set(one.headers) <= {"content-type", "date"} for one in audit.exchanges)
    assert "ya29" not in audit.written()
    assert "token" not in audit.written().lower()


def test_replay_needs_no_library_and_no_network(server: GoogleServer) -> None:
    """The recorded exchanges give the same key, though the library cannot be imported."""
    server.page_size = 1
    server.faults["versions"] = [answering(503, error(503, "UNAVAILABLE"))]
    server.faults["bindings"] = [html()]
    server.valid.clear()
    audit = an_audit(server.address)
    shown = audit.read()
    lines = [render_line(one).decode() for one in audit.exchanges]
    program = """
import json, sys
for name in ("google", "google.auth", "requests", "urllib3"):
    sys.modules[name] = None
from inventory.clouds.client import CloudClient, CloudContext
from inventory.clouds.config import CloudSettings
from inventory.clouds.gcp.reader import read_key
from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.evidence.exchange_line import parse_line
from inventory.system.request_policy import RequestPolicy
from inventory.text.display import describe
given = json.load(sys.stdin)
lines = enumerate(given["lines"], 1)
exchanges = [parse_line("exchanges/0001.ndjson.gz", at, text.encode()) for at, text in lines]
transport = ReplayingCloudTransport(exchanges)
context = CloudContext(
    transport, RequestPolicy(attempts=2, first_wait_seconds=0.0), lambda _: None, lambda: 60.0
)
settings = CloudSettings.model_validate(given["settings"])
print(read_key(CloudClient(context), given["key"], settings).model_dump_json())
transport.require_all_used()
"""
    given = {"lines": lines, "settings": audit.settings.model_dump(mode="json"), "key": KEY}
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (done.stderr, done.stdout.strip()) == ("", shown.model_dump_json())
    assert audit.outcomes() == ["200", "503", "200", "200", "200", "200", "200"]


def test_keys_of_one_ring_are_replayed_to_the_byte(server: GoogleServer) -> None:
    """Two keys of one key ring, read at the same time, are the same again in a replay."""
    other = f"{RING}/cryptoKeys/other"
    server.keys[other] = key(other)
    server.versions[other] = [version(2, other)]
    server.faults["ring-bindings"] = [answering(503, error(503, "UNAVAILABLE")), None, html()]
    audit = an_audit(server.address)
    with ThreadPoolExecutor(2) as pool:
        shown = list(pool.map(audit.read, (KEY, other)))
    replayed = ReplayingCloudTransport(audit.exchanges)
    for one in reversed(shown):
        assert read_key(audit.client(replayed), one.key_id, audit.settings) == one
    replayed.require_all_used()


# --- credentials ----------------------------------------------------------------------------------


def test_credentials_are_looked_for_when_they_are_needed(
    server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening asks for nothing; the first request asks for one token, which all then share."""
    audit = an_audit(server.address)
    assert server.seen == []
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: audit.read(), range(4)))
    assert len(server.asked()) == 16
    assert set(audit.outcomes()) == {"200"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (None, "DefaultCredentialsError"),
        ("{", "DefaultCredentialsError"),
        ('{"type": "service_account"}', "DefaultCredentialsError"),
        ('{"type": "unheard-of"}', "DefaultCredentialsError"),
    ],
)
def test_missing_credentials_are_a_gap(
    server: GoogleServer, account: Path, content: str | None, kind: str
) -> None:
    """Without usable credentials nothing is sent, and each key has a gap that says so."""
    account.unlink()
    if content is not None:
        account.write_text(content, encoding="utf-8")
    audit = an_audit(server.address)
    gaps = [gap for _ in range(2) for gap in audit.read().facts.unread]
    detail = f"Google's library finds no usable credentials ({kind})"
    assert gaps == [KmsGap(fact="key", reason="no-credentials", detail=detail)] * 2
    assert server.seen == []
    assert str(account) not in audit.written()


@pytest.mark.parametrize(
    ("fault", "reason", "detail", "requests_"),
    [
        (
            answering(400, {"error": "invalid_grant", "error_description": CALLER}),
            "credentials-expired",
            "the credentials give no token (invalid_grant)",
            1,
        ),
        (
            answering(401, {"error": CALLER}),
            "credentials-expired",
            "the credentials give no token (RefreshError)",
            1,
        ),
        (
            html(403),
            "credentials-expired",
            "the credentials give no token (RefreshError)",
            1,
        ),
        (
            redirecting("https://evil.example/token"),
            "wrong-address",
            "the endpoint that renews tokens cannot be asked (TooManyRedirects)",
            1,
        ),
        (
            closing,
            "unavailable",
            "the connection to the endpoint that renews tokens failed (ConnectionError)",
            2,
        ),
    ],
)
def test_token_that_is_not_given_is_a_gap(
    server: GoogleServer, fault: Fault, reason: str, detail: str, requests_: int
) -> None:
    """A refused token is no answer about the key; only what may pass is tried again."""
    server.faults["token"] = [fault] * 9
    audit = an_audit(server.address)
    shown = audit.read()
    gap = KmsGap.model_validate({"fact": "key", "reason": reason, "detail": detail})
    assert (shown.facts.unread, shown.requests) == ((gap,), requests_)
    assert server.asked() == []
    assert CALLER not in audit.written()


def test_endpoint_of_tokens_that_is_busy_is_tried_again(server: GoogleServer) -> None:
    """An endpoint of tokens that is busy is asked again by the library itself."""
    server.faults["token"] = [answering(503, {"error": "temporarily_unavailable"})]
    audit = an_audit(server.address)
    assert audit.read().facts.enabled is True
    assert audit.outcomes() == ["200"] * 4


def test_endpoint_of_tokens_that_is_silent_is_a_gap(server: GoogleServer) -> None:
    """Waiting for a token has an end, too."""
    server.faults["token"] = [silent]
    audit = an_audit(server.address, SHORT)
    detail = "no answer from the endpoint that renews tokens in time"
    assert audit.read().facts.unread == (KmsGap(fact="key", reason="timed-out", detail=detail),)


def test_expired_token_is_renewed_once(server: GoogleServer) -> None:
    """A request that is answered 401 is sent once more with a new token: two exchanges."""
    audit = an_audit(server.address)
    audit.read()
    server.valid.clear()
    audit.exchanges.clear()
    shown = audit.read()
    assert (shown.facts.unread, shown.requests) == ((), 4)
    assert audit.outcomes() == ["401", "200", "200", "200", "200"]
    assert server.tokens()[-5:] == [
        "ya29.not-a-real-token-0001",
        *["ya29.not-a-real-token-0002"] * 4,
    ]
    replayed = ReplayingCloudTransport(audit.exchanges)
    assert read_key(audit.client(replayed), KEY, audit.settings) == shown
    replayed.require_all_used()


@pytest.mark.parametrize(
    ("renewal", "outcomes"),
    [
        (None, ["401", "401"]),
        (answering(400, {"error": "invalid_grant"}), ["401", "credentials-expired"]),
    ],
)
def test_token_that_stays_refused_is_a_gap(
    server: GoogleServer, renewal: Fault | None, outcomes: list[str]
) -> None:
    """After one renewal the credentials are reported as expired, with a new token or without."""
    server.faults["token"] = [None, renewal]
    server.faults["key"] = [answering(401, error(401, "UNAUTHENTICATED"))] * 9
    audit = an_audit(server.address)
    shown = audit.read()
    assert [gap.reason for gap in shown.facts.unread] == ["credentials-expired"]
    assert (audit.outcomes(), shown.requests) == (outcomes, 1)
    replayed = ReplayingCloudTransport(audit.exchanges)
    assert read_key(audit.client(replayed), KEY, audit.settings) == shown
    replayed.require_all_used()


def test_every_token_is_hidden(server: GoogleServer) -> None:
    """A token that an answer repeats is not recorded, neither the first nor a renewed one."""

    def repeating(handler: Any) -> None:  # noqa: ANN401 (a handler)
        token = handler.headers["Authorization"].removeprefix("Bearer ")
        body = {"name": KEY, "labels": {token: [token, f"a{token}b"]}}
        answering(200, body, ("Location", f"https://a/?{token}"))(handler)

    server.faults["key"] = [repeating, answering(401, {}), repeating]
    audit = an_audit(server.address)
    audit.read()
    audit.read()
    assert len(set(server.tokens())) == 2
    assert not any(token in audit.written() for token in server.tokens())
    assert audit.outcomes().count("401") == 1


def test_private_key_is_written_nowhere(server: GoogleServer, private: str) -> None:
    """Nothing of the file of the service account is in what is recorded."""
    audit = an_audit(server.address)
    audit.read()
    lines = private.splitlines()[1:-1]
    assert not any(line in audit.written() for line in lines)
    assert "acme-audit" not in audit.written()


def test_federated_credentials_are_exchanged(
    server: GoogleServer, account: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A token of another party is exchanged for one of Google's; nothing else is asked or said."""
    subject = tmp_path / "subject"
    subject.write_text("not-a-real-subject-token-0123456789", encoding="utf-8")
    pool = "projects/123456789012/locations/global/workloadIdentityPools/acme/providers/ci"
    federated = {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{pool}",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{server.address}/token",
        "credential_source": {"file": str(subject)},
    }
    account.write_text(json.dumps(federated), encoding="utf-8")
    audit = an_audit(server.address)
    caplog.set_level(logging.DEBUG)
    assert audit.read().facts.unread == ()
    assert [one for one in caplog.records if one.name.startswith("google")] == []
    assert "not-a-real" not in caplog.text
    assert [seen.path for seen in server.seen[:2]] == ["/token", f"/v1/{KEY}"]
    assert "subject" not in audit.written()


def test_quota_project_is_named(server: GoogleServer) -> None:
    """Requests count for the project that the organizations file names; the record is without."""
    audit = an_audit(server.address, quota_project="acme-quota")
    audit.read()
    asked = [seen for seen in server.seen if seen.path != "/token"]
    assert {seen.headers.get("x-goog-user-project") for seen in asked} == {"acme-quota"}
    assert "acme-quota" not in audit.written()


def test_smallest_scope_is_asked_for(server: GoogleServer, account: Path) -> None:
    """The token is for Cloud KMS only."""
    sessions = open_sessions(CloudSettings(), QUICK)
    session = sessions.authorized(requests.adapters.HTTPAdapter())
    assert session.credentials.scopes == ["https://www.googleapis.com/auth/cloudkms"]


# --- where requests go ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        {
            "GOOGLE_API_USE_MTLS_ENDPOINT": "always",
            "GOOGLE_API_USE_CLIENT_CERTIFICATE": "true",
            "GOOGLE_CLOUD_UNIVERSE_DOMAIN": "evil.example",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS": "http://evil.example/",
        },
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
        {"ALL_PROXY": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"},
    ],
)
def test_environment_redirects_no_request(
    server: GoogleServer, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Variables that name another endpoint have no effect; a token on loopback meets no proxy."""
    audit = an_audit(server.address)
    audit.read()  # the token, which may come through a proxy
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert audit.read().facts.enabled is True
    assert len(server.asked()) == 8


def test_without_settings_google_itself_is_asked() -> None:
    """The address follows from the key alone, over TLS."""
    recorder = CloudRecorder(lambda _: None, (), QUICK, FILE)
    transport = open_sessions(CloudSettings(), QUICK).transport(recorder)
    request = CloudRequest("gcp", "cloudkms.googleapis.com", f"v1/{KEY}")
    assert transport.url_of(request) == f"https://cloudkms.googleapis.com/v1/{KEY}"


FORBIDDEN = [
    {"host": "evil.example"},
    {"host": "cloudkms.googleapis.com"},
    {"cloud": "aws"},
    {"operation": f"v1/{KEY}/cryptoKeyVersions/1:destroy"},
    {"operation": f"v1/{KEY}/cryptoKeyVersions/1/publicKey"},
    {"operation": f"v1/{KEY}:setIamPolicy"},
    {"operation": "v1/projects/acme-prod/locations/us-east1/keyRings"},
    {"operation": f"v1/{RING}/cryptoKeys"},
    {"operation": f"v1/{RING}/cryptoKeys/."},
    {"operation": ""},
]


@pytest.mark.parametrize("over", FORBIDDEN)
def test_only_what_an_audit_reads_is_asked(server: GoogleServer, over: dict[str, Any]) -> None:
    """Another host, another cloud, another operation: refused before anything is sent."""
    audit = an_audit(server.address)
    with pytest.raises(ForbiddenRequestError):
        audit.transport.send(audit.ask(**over))
    assert (server.asked(), audit.exchanges) == ([], [])


@pytest.mark.parametrize(
    ("method", "how"),
    [
        ("POST", {"json": {}}),
        ("PATCH", {"json": {}}),
        ("DELETE", {}),
        ("GET", {"data": b"a"}),
        ("GET", {"params": {"alt": "media"}}),
        ("GET", {"headers": {"X-HTTP-Method-Override": "DELETE"}}),
    ],
)
def test_library_sends_nothing_that_changes(
    server: GoogleServer, method: str, how: dict[str, Any]
) -> None:
    """By the library's own session nothing leaves but the one request it was made for."""
    audit = an_audit(server.address)
    request = audit.ask()
    url = audit.transport.url_of(request)
    adapter = RecordingAdapter(audit.transport, url, request.address)
    session: Any = audit.transport._sessions.authorized(adapter)
    with session, pytest.raises(ForbiddenRequestError):
        session.request(method, url, **how)
    assert (server.asked(), audit.exchanges) == ([], [])


def test_id_that_names_no_project_is_asked_nowhere(server: GoogleServer) -> None:
    """A segment that would lead elsewhere is a gap, and nothing is sent."""
    audit = an_audit(server.address)
    for project in ("..", ".", "a..b"):
        shown = audit.read(KEY.replace("acme-prod", project))
        assert shown.facts.unread == (
            KmsGap(fact="key", reason="wrong-address", detail="the key id names no project"),
        )
    assert server.seen == []


def test_parameters_arrive_as_they_are(server: GoogleServer) -> None:
    """What a page names as its next one arrives unchanged, whatever characters it has."""
    token = "".join(map(chr, range(33, 127)))
    audit = an_audit(server.address)
    request = audit.ask(
        operation=f"v1/{KEY}:getIamPolicy", parameters=(("pageToken", token), *POLICY_3)
    )
    assert audit.transport.send(request).status == 200
    assert server.seen[-1].query == {"pageToken": token, "options.requestedPolicyVersion": "3"}


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "policy_", "reason", "detail", "requests_"),
    [
        (html(), QUICK, "malformed", "found no complete JSON, expected a JSON object", 2),
        (truncated, QUICK, "malformed", "found no complete JSON, expected a JSON object", 2),
        (ending_early, QUICK, "cut-short", "the answer of {host} ends early", 2),
        (compressed, QUICK, "malformed", "the body is compressed, which was not asked for", 1),
        (redirecting("https://evil.example/"), QUICK, "wrong-address", "answered 302", 1),
        (redirecting("http://[::1"), QUICK, "wrong-address", "answered 302", 1),
        (closing, QUICK, "unavailable", "the connection to {host} failed (ConnectionError)", 2),
        (silent, SHORT, "timed-out", "no complete answer within 1.5 s", 1),
        (dripping, SHORT, "timed-out", "no complete answer within 1.5 s", 1),
        (dripping_body, SHORT, "timed-out", "no complete answer within 1.5 s", 1),
        (
            answering(429, error(429, "RESOURCE_EXHAUSTED")),
            QUICK,
            "rate-limited",
            "answered 429 RESOURCE_EXHAUSTED",
            2,
        ),
        (answering(500, error(500, "INTERNAL")), QUICK, "unavailable", "answered 500 INTERNAL", 2),
        (html(502), QUICK, "unavailable", "answered 502", 2),
        (
            answering(503, error(503, "UNAVAILABLE")),
            QUICK,
            "unavailable",
            "answered 503 UNAVAILABLE",
            2,
        ),
        (html(403), QUICK, "unavailable", "answered 403", 1),
        (html(404), QUICK, "wrong-address", "answered 404", 1),
        (
            answering(403, error(403, "PERMISSION_DENIED", "SERVICE_DISABLED")),
            QUICK,
            "service-disabled",
            "answered 403 PERMISSION_DENIED SERVICE_DISABLED",
            1,
        ),
        (
            answering(200, key(f"{RING}/cryptoKeys/other")),
            QUICK,
            "foreign-key",
            f"the answer is about {describe(f'{RING}/cryptoKeys/other')}",
            1,
        ),
        (
            huge,
            QUICK.model_copy(update={"largest_answer_bytes": 100_000}),
            "too-large",
            "more than 100,000 bytes in one answer: the limit is largest_answer_bytes",
            1,
        ),
    ],
)
def test_fault_is_a_gap(
    server: GoogleServer,
    fault: Fault,
    policy_: RequestPolicy,
    reason: str,
    detail: str,
    requests_: int,
) -> None:
    """Whatever goes wrong on the way has its reason, is recorded, and is replayed."""
    server.faults["key"] = [fault] * 9
    audit = an_audit(server.address, policy_)
    shown = audit.read()
    host = server.address.partition("//")[2]
    fields = {"fact": "key", "reason": reason, "detail": detail.format(host=host)}
    assert shown.facts.unread == (KmsGap.model_validate(fields),)
    assert (shown.requests, server.asked()) == (requests_, ["key"] * requests_)
    assert CALLER not in audit.written()
    written = [parse_line(one.path, one.line, render_line(one)) for one in audit.exchanges]
    replayed = ReplayingCloudTransport(written)
    assert read_key(audit.client(replayed), KEY, audit.settings) == shown
    replayed.require_all_used()


def test_host_that_does_not_answer_is_a_gap(server: GoogleServer) -> None:
    """A host at which nobody listens is unavailable, which may pass."""
    audit = an_audit(f"http://127.0.0.1:{closed_port()}")
    shown = audit.read()
    assert [gap.reason for gap in shown.facts.unread] == ["unavailable"]
    assert audit.outcomes() == ["unavailable"] * 2


def test_certificate_that_is_not_trusted_is_a_gap(server: GoogleServer) -> None:
    """A host that does not speak TLS, or not with a trusted certificate, is not asked again."""
    audit = an_audit(server.address.replace("http:", "https:"))
    shown = audit.read()
    host = server.address.partition("//")[2]
    assert shown.facts.unread == (
        KmsGap(fact="key", reason="unavailable", detail=f"TLS with {host} failed"),
    )
    assert server.asked() == []


@pytest.fixture
def secure(tmp_path: Path, private: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleServer]:
    """Run a server with one key over TLS, which this process trusts."""
    certificate, tls = certified(tmp_path, LOOPBACK)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with google_server(tls) as running:
        running.keys[KEY], running.versions[KEY] = key(), [version(2)]
        path = tmp_path / "secure.json"
        write_service_account(path, private, f"{running.address}/token")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        yield running


@pytest.mark.parametrize("is_proxied", [False, True])
def test_key_is_read_over_tls(
    secure: GoogleServer, monkeypatch: pytest.MonkeyPatch, *, is_proxied: bool
) -> None:
    """Over TLS the certificates and the proxy count that the environment names."""
    heard: list[bytes] = []
    opened = b"HTTP/1.1 200 Connection established\r\n\r\n"
    with listening(relaying(opened, heard, secure.server_port)) as proxy:
        if is_proxied:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{LOOPBACK}:{proxy}")
        shown = an_audit(secure.address).read()
    assert (shown.facts.enabled, shown.facts.unread) == (True, ())
    assert len(heard) == (5 if is_proxied else 0)
    assert not any(b"ya29" in request for request in heard)


def test_password_of_a_netrc_file_is_not_sent(
    secure: GoogleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password for every host, as a .netrc file can have, replaces no token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ada password not-a-real-one\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    audit = an_audit(secure.address)
    assert audit.read().facts.enabled is True
    assert "authorization" not in secure.seen[0].headers


@pytest.mark.parametrize("fault", [silent, dripping, dripping_body])
def test_answer_over_tls_ends_in_time(secure: GoogleServer, fault: Fault) -> None:
    """An answer that never ends is given up over TLS, too."""
    audit = an_audit(secure.address)
    audit.read()  # the token
    secure.faults["key"] = [fault]
    sessions = audit.transport._sessions
    sessions.seconds = 0.3
    assert [gap.reason for gap in audit.read().facts.unread] == []
    assert audit.outcomes()[4:6] == ["timed-out", "200"]


def test_tunnel_that_is_never_open_ends_in_time(
    secure: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that answers byte by byte is given up like any other host."""
    audit = an_audit(secure.address, SHORT)
    audit.read()

    def never_done(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 ")
            while not secure.is_over.wait(0.02):
                connection.sendall(b"a")

    with listening(never_done) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{LOOPBACK}:{proxy}")
        assert [gap.reason for gap in audit.read().facts.unread] == ["timed-out"]


def test_other_facts_survive_a_fault(server: GoogleServer) -> None:
    """A fault in one answer is the gap of that fact alone, and passes with another attempt."""
    server.faults["versions"] = [closing, None]
    server.faults["ring-bindings"] = [html()] * 2
    shown = an_audit(server.address).read().facts
    assert [(gap.fact, gap.reason) for gap in shown.unread] == [("ring-bindings", "malformed")]
    assert (shown.enabled, len(shown.versions or ()), len(shown.bindings or ())) == (True, 2, 1)


def test_key_in_a_location_that_is_not_served_is_no_missing_key(server: GoogleServer) -> None:
    """The answer about a request to the wrong location is not taken for that of a missing key."""
    server.locations = {"global"}
    misrouted = an_audit(server.address).read().facts.unread
    server.locations = {"us-east1"}
    gone = an_audit(server.address).read(f"{KEY}2").facts.unread
    assert [gap.reason for gap in (*misrouted, *gone)] == ["wrong-address", "not-found"]


def test_every_refused_permission_is_named(server: GoogleServer) -> None:
    """Without permissions each fact is refused, with the permission that reading it takes."""
    needed = sorted(server.permissions)
    server.permissions.clear()
    shown = an_audit(server.address).read().facts
    assert {gap.reason for gap in shown.unread} == {"refused"}
    assert sorted(gap.permission for gap in shown.unread) == needed


def test_cookies_are_not_kept(server: GoogleServer) -> None:
    """A cookie of one answer is not sent with the next request, and not recorded."""
    server.faults["key"] = [setting_cookie]
    audit = an_audit(server.address)
    audit.read()
    assert not any("cookie" in seen.headers for seen in server.seen)
    assert "cookie" not in audit.written().lower()


def test_each_request_has_its_connection(server: GoogleServer) -> None:
    """No connection is kept, and no compressed body is asked for."""
    an_audit(server.address).read()
    asked = [seen.headers for seen in server.seen if seen.path != "/token"]
    assert {seen["connection"] for seen in asked} == {"close"}
    assert {seen["accept-encoding"] for seen in asked} == {"identity"}


def test_no_thread_outlives_an_answer(server: GoogleServer) -> None:
    """What watches over the time of an answer ends with it."""
    before = set(threading.enumerate())
    an_audit(server.address).read()
    timers = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    for timer in timers:
        timer.join(5)
    assert not any(timer.is_alive() for timer in set(timers) - before)


def test_request_for_which_no_time_is_left_is_recorded(server: GoogleServer) -> None:
    """A request that is given up is recorded, and not sent."""
    audit = an_audit(server.address)
    assert audit.transport.give_up(audit.ask()).failure == TOO_LATE
    assert (audit.outcomes(), server.seen) == (["timed-out"], [])


# --- what the library may raise -------------------------------------------------------------------


def googles(name: str, *texts: object, **how: object) -> Exception:
    """Return an error of Google's library, by its name."""
    made: Exception = getattr(exceptions, name)(*texts, **how)
    return made


def caused(error_: Exception, cause: Exception) -> Exception:
    """Return an error with a cause, as the library chains them."""
    error_.__cause__ = cause
    return error_


@pytest.mark.parametrize(
    ("raised", "reason", "again"),
    [
        (requests.ConnectTimeout(CALLER), "timed-out", True),
        (urllib3.exceptions.ReadTimeoutError(None, "", CALLER), "timed-out", True),  # type: ignore[arg-type]
        (requests.exceptions.InvalidProxyURL(CALLER), "wrong-address", False),
        (requests.exceptions.ProxyError(CALLER), "unavailable", True),
        (requests.exceptions.SSLError(CALLER), "unavailable", False),
        (OSError(CALLER), "unavailable", False),
        (ZeroDivisionError(CALLER), "unavailable", False),
        (googles("DefaultCredentialsError", CALLER), "no-credentials", False),
        (googles("MutualTLSChannelError", CALLER), "no-credentials", False),
        (googles("ReauthFailError", CALLER), "credentials-expired", False),
        (googles("RefreshError", CALLER), "credentials-expired", False),
        (googles("RefreshError", CALLER, retryable=True), "unavailable", True),
        (googles("TransportError", CALLER), "unavailable", True),
        (
            caused(googles("TransportError", CALLER), requests.ReadTimeout(CALLER)),
            "timed-out",
            True,
        ),
        (
            googles(
                "RefreshError",
                caused(googles("TransportError", CALLER), requests.ConnectionError(CALLER)),
            ),
            "unavailable",
            True,
        ),
    ],
)
def test_error_of_the_library_has_its_reason(
    raised: Exception, reason: str, *, again: bool
) -> None:
    """What the library raises is a failure by its kind; its text may name people, and is lost."""
    failure = _failure_of(raised, "cloudkms.googleapis.com")
    assert (failure.reason, failure.again) == (reason, again)
    assert CALLER not in failure.detail


def test_unexpected_error_of_credentials_stops_nothing(server: GoogleServer, account: Path) -> None:
    """A file that makes the library fail in whatever way is a gap like any other."""
    content = json.loads(account.read_text(encoding="utf-8"))
    account.write_text(json.dumps(content | {"token_uri": 7}), encoding="utf-8")
    audit = an_audit(server.address)
    shown = audit.read()
    assert [gap.fact for gap in shown.facts.unread] == ["key"]
    assert isinstance(audit.exchanges[-1].failure, Failure)
    assert server.seen == []
