"""Azure Key Vault on loopback: vaults of several tenants, pages of versions, and faults."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64decode, b64encode
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST = "acme.vault.azure.net"
HSM = "acme.managedhsm.azure.net"
NAME = "astra-cmek"
KEY_ID = f"https://{HOST}/keys/{NAME}"
OLD, MIDDLE, LATEST = "1" * 32, "2" * 32, "3" * 32
TENANT, OTHER_TENANT = "tenant-of-acme", "tenant-of-somebody-else"
IDENTITY = "fake-azure-token-of-a-managed-identity"
CREATED = 1_748_736_000  # 2025-06-01
DAY = 86_400
CALLER = (
    "appid=11112222-aaaa;oid=33334444-bbbb;iss=https://sts.example/tenant-of-acme/;ip=192.0.2.7"
)


def attributes(created: int = CREATED, **over: object) -> dict[str, Any]:
    """Return the attributes of a version; None leaves one out."""
    fields = {
        "enabled": True,
        "created": created,
        "updated": created,
        "recoveryLevel": "Recoverable",
        "recoverableDays": 90,
    }
    return {name: value for name, value in (fields | over).items() if value is not None}


def bundle(version: str = LATEST, *, host: str = HOST, **over: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what a vault shows of a version; ``over`` changes its attributes, or its key."""
    key: dict[str, Any] = {
        "kid": f"https://{host}/keys/{NAME}/{version}",
        "kty": "RSA",
        "n": "AQAB",
        "e": "AQAB",
    }
    key |= {"key_ops": ["encrypt", "decrypt", "wrapKey", "unwrapKey"]}
    key |= over.pop("key", {})
    return {"key": key, "attributes": attributes(CREATED + 2 * DAY) | over}


def listed(version: str = LATEST, created: int = CREATED, **over: object) -> dict[str, Any]:
    """Return a version as a list shows it."""
    kid = f"https://{HOST}/keys/{NAME}/{version}"
    return {"kid": kid, "attributes": attributes(created, **over)}


def three_versions() -> list[dict[str, Any]]:
    """Return three versions, each a day younger than the one before."""
    return [
        listed(version, CREATED + number * DAY)
        for number, version in enumerate((OLD, MIDDLE, LATEST))
    ]


def policy(
    *actions: tuple[str, dict[str, Any]], host: str = HOST, **over: object
) -> dict[str, Any]:
    """Return a rotation policy of ``actions``, each a type and its trigger; by default P90D."""
    chosen = actions or (("Rotate", {"timeAfterCreate": "P90D"}),)
    return {
        "id": f"https://{host}/keys/{NAME}/rotationpolicy",
        "lifetimeActions": [{"action": {"type": kind}, "trigger": when} for kind, when in chosen],
        "attributes": {"expiryTime": None, "created": CREATED, "updated": CREATED},
    } | over


def deleted(**over: object) -> dict[str, Any]:
    """Return what a vault shows of a deleted key."""
    fields = {
        "recoveryId": f"https://{HOST}/deletedkeys/{NAME}",
        "deletedDate": CREATED + 20 * DAY,
        "scheduledPurgeDate": CREATED + 110 * DAY,
    }
    return bundle() | fields | over


def refusal(code: str, inner: str = "") -> dict[str, Any]:
    """Return the body of an error: its message names the caller."""
    error: dict[str, Any] = {"code": code, "message": f"The caller {CALLER} may not do that."}
    return {"error": error | ({"innererror": {"code": inner}} if inner else {})}


class Reply(NamedTuple):
    """What the server answers.

    Attributes:
        body: the body; anything but bytes is written as JSON.
        status: the status.
        headers: further headers.
        seconds: how long it waits before it answers.
        drip: how many seconds it waits after each byte of the body.
        claims: how long it says the body is; by default as long as it is.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = {}
    seconds: float = 0.0
    drip: float = 0.0
    claims: int | None = None

    @property
    def raw(self) -> bytes:
        """Return the body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


KEY_NOT_FOUND = Reply(refusal("KeyNotFound"), 404)


class Asked(NamedTuple):
    """A request that arrived."""

    method: str
    host: str
    path: str
    is_authorized: bool
    has_cookie: bool
    has_password: bool


class AzureServer(ThreadingHTTPServer):
    """Answers as vaults do: only to a token of their tenant, which they name in a challenge.

    Attributes:
        tenants: the tenant of each vault.
        bodies: what is at each path of each vault; what is not there is not found.
        faults: what is answered before that, by path, each once.
        page_size: how many versions are on a page.
        asked: all requests that arrived.
        resource: for which service a challenge asks a token.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tenants = {HOST: TENANT}
        self.bodies: dict[tuple[str, str], Any] = {
            (HOST, f"/keys/{NAME}"): bundle(),
            (HOST, f"/keys/{NAME}/{OLD}"): bundle(OLD),
            (HOST, f"/keys/{NAME}/versions"): three_versions(),
            (HOST, f"/keys/{NAME}/rotationpolicy"): policy(),
        }
        self.faults: dict[str, list[Reply]] = {}
        self.page_size = 2
        self.asked: list[Asked] = []
        self.resource = "https://vault.azure.net"
        self.identity = Reply(
            {"access_token": IDENTITY, "expires_on": str(int(time.time()) + 3600)}
        )

    @property
    def address(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def reply(self, host: str, target: str, token: str) -> Reply:
        """Return the answer to a request."""
        url = urlsplit(target)
        if url.path == "/identity":
            return self.identity
        tenant = self.tenants.get(host, "")
        if not tenant or token not in {token_of(tenant), IDENTITY}:
            login = f"https://login.microsoftonline.com/{tenant}"
            challenge = f'Bearer authorization="{login}", resource="{self.resource}"'
            return Reply(refusal("Unauthorized"), 401, {"WWW-Authenticate": challenge})
        if self.faults.get(url.path):
            return self.faults[url.path].pop(0)
        body = self.bodies.get((host, url.path), KEY_NOT_FOUND)
        if isinstance(body, Reply):
            return body
        return Reply(self._page(host, target, body) if isinstance(body, list) else body)

    def _page(self, host: str, target: str, entries: list[Any]) -> dict[str, Any]:
        url = urlsplit(target)
        asked = parse_qs(url.query)
        first = _read_marker(asked["$skiptoken"][0]) if "$skiptoken" in asked else 0
        end = first + self.page_size
        query = f"api-version={asked['api-version'][0]}&$skiptoken={marker(end)}&maxresults=25"
        link = f"https://{host}:443{url.path}?{query}"
        return {"value": entries[first:end], "nextLink": link if end < len(entries) else None}


def marker(first: int) -> str:
    """Return what a link to the page from the entry ``first`` on has, as Azure writes it."""
    return b64encode(
        json.dumps({"NextMarker": f"2!{first}", "TargetLocation": 0}).encode()
    ).decode()


def _read_marker(text: str) -> int:
    return int(json.loads(b64decode(text))["NextMarker"][2:])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AzureServer

    def _answer(self) -> None:
        host, token = self.headers["Host"], self.headers.get("Authorization", "")
        token = token.removeprefix("Bearer ")
        cookie, is_basic = bool(self.headers.get("Cookie")), token.startswith("Basic ")
        asked = Asked(self.command, host, self.path, bool(token), cookie, is_basic)
        self.server.asked.append(asked)
        reply = self.server.reply(host, self.path, token)
        with suppress(OSError):  # a client that has waited long enough is gone
            self._send(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 (as the base)

    def _send(self, reply: Reply) -> None:
        time.sleep(reply.seconds)
        raw = reply.raw
        own = {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(raw) if reply.claims is None else reply.claims),
            "Set-Cookie": "session=1",
            "x-ms-keyvault-region": "eastus2",
            "x-ms-request-id": "00000000-0000-4000-8000-000000000001",
        }
        self.send_response(reply.status)
        for name, value in (own | dict(reply.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        for at in range(0, len(raw), 1 if reply.drip else len(raw) or 1):
            self.wfile.write(raw[at : at + 1] if reply.drip else raw)
            time.sleep(reply.drip)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the base)
        """Write no log."""


def token_of(tenant: str) -> str:
    """Return the token that a vault of ``tenant`` takes."""
    return f"fake-azure-token-of-{tenant}"


@contextmanager
def azure() -> Iterator[AzureServer]:
    """Run a server of one vault with one key of three versions."""
    with AzureServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
