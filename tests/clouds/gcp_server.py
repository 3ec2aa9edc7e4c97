"""A server on loopback that answers as Google Cloud KMS does, and misbehaves on demand.

It also gives tokens to service accounts, so that the ordinary chain of credentials runs.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.clouds.gcp_bodies import CALLER, denied, error, misrouted, missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOPBACK = "127.0.0.1"
PERMISSIONS = {
    "key": "cloudkms.cryptoKeys.get",
    "versions": "cloudkms.cryptoKeyVersions.list",
    "bindings": "cloudkms.cryptoKeys.getIamPolicy",
    "ring-bindings": "cloudkms.keyRings.getIamPolicy",
}


class Seen(NamedTuple):
    """A request that arrived: its method, path, query, and headers by lower-case name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


Fault = Callable[["Handler"], None]
"""What happens instead of the right answer."""


def reply(status: int, value: object, *headers: tuple[str, str]) -> Reply:
    """Return an answer with ``value`` as JSON."""
    return Reply(
        status, json.dumps(value).encode(), (("Content-Type", "application/json"), *headers)
    )


def _named(name: str, answer: Reply) -> Fault:
    def fault(handler: Handler) -> None:
        handler.reply(answer)

    fault.__name__ = name  # what a parametrized test is called by
    return fault


def answering(status: int, value: object, *headers: tuple[str, str]) -> Fault:
    """Answer this, whatever was asked."""
    return _named(f"answering {status} {value}"[:80], reply(status, value, *headers))


def html(status: int = 200) -> Fault:
    """Answer a page, as a gateway does."""
    page = f"<html>Dear {CALLER}, sign in.</html>".encode()
    return _named(f"html {status}", Reply(status, page, (("Content-Type", "text/html"),)))


def truncated(handler: Handler) -> None:
    """Answer half of the right JSON, as if it were whole."""
    right = handler.right_answer()
    handler.reply(right._replace(body=right.body[: len(right.body) // 2]))


def ending_early(handler: Handler) -> None:
    """Announce the right answer, send half of it, and close the connection."""
    right = handler.right_answer()
    handler.start(right)
    handler.wfile.write(right.body[: len(right.body) // 2])


def compressed(handler: Handler) -> None:
    """Say that the right answer is compressed."""
    right = handler.right_answer()
    handler.reply(right._replace(headers=(*right.headers, ("Content-Encoding", "gzip"))))


def redirecting(location: str) -> Fault:
    """Send the client elsewhere."""
    return _named(f"redirecting {location}", Reply(302, b"", (("Location", location),)))


def setting_cookie(handler: Handler) -> None:
    """Give the right answer with a cookie."""
    right = handler.right_answer()
    handler.reply(right._replace(headers=(*right.headers, ("Set-Cookie", "a=b"))))


def closing(handler: Handler) -> None:
    """Close the connection without a word."""
    with suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)


def dripping(handler: Handler) -> None:
    """Send a header that never ends, byte by byte: each byte comes in time."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Padding: ")
        while not handler.server.is_over.wait(0.02):
            handler.wfile.write(b"a")


def dripping_body(handler: Handler) -> None:
    """Send a body that ends with the connection, byte by byte."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while not handler.server.is_over.wait(0.02):
            handler.wfile.write(b" ")


def silent(handler: Handler) -> None:
    """Answer nothing."""
    handler.server.is_over.wait(10)


def huge(handler: Handler) -> None:
    """Answer more than anybody wants to hold."""
    with suppress(OSError):
        handler.reply(Reply(200, b'{"a": "' + b"a" * 3_000_000 + b'"}'))


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server: GoogleServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen = Seen(self.command, parts.path, query, headers)
        self.server.seen.append(self.seen)
        faults = self.server.faults[self.server.what(parts.path)]
        fault = faults.pop(0) if faults else None
        self.close_connection = True
        if fault:
            fault(self)
        else:
            self.reply(self.right_answer())

    def do_DELETE(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self.body = self.rfile.read(length)
        self.do_GET()

    def right_answer(self) -> Reply:
        return self.server.right_answer(self.seen)

    def start(self, answer: Reply) -> None:
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Length", str(len(answer.body)))):
            self.send_header(name, value)
        self.end_headers()

    def reply(self, answer: Reply) -> None:
        self.start(answer)
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the base)
        pass


class GoogleServer(ThreadingHTTPServer):
    """Cloud KMS with the keys that a test gives it, and an endpoint that gives tokens.

    Attributes:
        keys: each key, by its name.
        versions: the versions of each key.
        policies: the policy of each key and key ring that has one.
        permissions: what the caller may do.
        faults: what happens to the next requests of each kind; None is the right answer.
        seen: every request that arrived.
        page_size: how many versions a page holds.
        locations: where the host serves keys; all if there are none.
        lifetime: for how many seconds a token is said to be valid.
        valid: the tokens that are accepted.
    """

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__((LOOPBACK, 0), Handler)
        self._scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.keys: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.permissions = set(PERMISSIONS.values())
        self.faults: defaultdict[str, list[Fault | None]] = defaultdict(list)
        self.seen: list[Seen] = []
        self.page_size = 100
        self.locations: set[str] = set()
        self.lifetime = 3_600
        self.valid: set[str] = set()
        self.is_over = threading.Event()
        self._issued = 0

    @property
    def address(self) -> str:
        return f"{self._scheme}://{LOOPBACK}:{self.server_port}"

    def what(self, path: str) -> str:
        """Return what a path asks for: ``token``, or the fact of a key."""
        if path == "/token":
            return "token"
        if path.endswith(":getIamPolicy"):
            return "bindings" if "/cryptoKeys/" in path else "ring-bindings"
        return "versions" if path.endswith("/cryptoKeyVersions") else "key"

    def asked(self) -> list[str]:
        """Return what was asked of Cloud KMS, in order."""
        return [self.what(seen.path) for seen in self.seen if seen.path != "/token"]

    def tokens(self) -> list[str]:
        """Return the tokens that arrived, in order."""
        arrived = [seen for seen in self.seen if seen.path != "/token"]
        return [seen.headers.get("authorization", "").removeprefix("Bearer ") for seen in arrived]

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that broke off."""

    def right_answer(self, seen: Seen) -> Reply:
        """Return what the documented interface answers."""
        what = self.what(seen.path)
        if what == "token":
            return self._issue()
        if seen.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return reply(401, error(401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"))
        resource = seen.path.removeprefix("/v1/").partition(":getIamPolicy")[0]
        location = resource.split("/")[3]
        if self.locations and location not in self.locations:
            return reply(404, misrouted(location))
        if PERMISSIONS[what] not in self.permissions:
            return reply(403, denied(PERMISSIONS[what], resource))
        return self._resource(what, resource, seen.query)

    def _resource(self, what: str, resource: str, query: dict[str, str]) -> Reply:
        if what in {"bindings", "ring-bindings"}:
            if query.get("options.requestedPolicyVersion") != "3":
                return reply(400, error(400, "INVALID_ARGUMENT"))
            return reply(200, self.policies.get(resource, {"etag": "ACAB"}))
        name = resource.removesuffix("/cryptoKeyVersions")
        if name not in self.keys:
            return reply(404, missing(name))
        return reply(200, self._page(name, query) if what == "versions" else self.keys[name])

    def _page(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        first = int(query.get("pageToken", "0").removeprefix("page/"))
        versions, last = self.versions[name], first + self.page_size
        body: dict[str, Any] = {"cryptoKeyVersions": versions[first:last]}
        body["totalSize"] = len(versions)
        return body | ({"nextPageToken": f"page/{last}"} if last < len(versions) else {})

    def _issue(self) -> Reply:
        self._issued += 1
        token = f"ya29.not-a-real-token-{self._issued:04}"
        self.valid.add(token)
        return reply(
            200, {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}
        )


@contextmanager
def google_server(tls: ssl.SSLContext | None = None) -> Iterator[GoogleServer]:
    """Run a server; it ends with the block."""
    with GoogleServer(tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.is_over.set()
        server.shutdown()
        thread.join(5)


def private_key() -> str:
    """Return a new private key, which belongs to nobody."""
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def write_service_account(path: Path, private: str, token_uri: str) -> Path:
    """Write the file of a service account that gets its tokens at ``token_uri``."""
    account = {
        "type": "service_account",
        "project_id": "acme-audit",
        "private_key_id": "0" * 40,
        "private_key": private,
        "client_email": "cmek-audit@acme-audit.iam.gserviceaccount.com",
        "client_id": "1" * 21,
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(account), encoding="utf-8")
    return path


def closed_port() -> int:
    """Return a port of loopback at which nobody answers."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
    return port


def wait_until(is_so: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until something is so; return whether it is."""
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    return is_so()
