"""A small key management of AWS on loopback: accounts, regions, states, pages, and faults."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

from inventory.clouds.recorder import HttpAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from inventory.clouds.recorder import CloudRecorder
    from inventory.clouds.requests import CloudRequest
    from inventory.evidence.exchange import Exchange

OWN = "111122223333"
VENDOR = "999988887777"
KEY = f"arn:aws:kms:us-east-1:{OWN}:key/1a2b3c4d-0001-4000-8000-000000000001"
OWN_KEY_ID = "AKIA" + "SHAMSHAMSHAMSHAM"
VENDOR_KEY_ID = "AKIA" + "SHAMVENDORSHAMSH"
CALLER = "arn:aws:sts::111122223333:assumed-role/audit/jane.doe@example.com"
_ACROSS = {"DescribeKey", "GetKeyRotationStatus", "ListGrants"}
_CREDENTIAL = re.compile(r"Credential=([^/]+)/[0-9]{8}/([^/]+)/([^/]+)/")
_NOW = datetime.now(UTC).replace(microsecond=0)
CREATED = _NOW - timedelta(days=400)
ROTATED = _NOW - timedelta(days=35)
NEXT = _NOW + timedelta(days=330)
USED = _NOW - timedelta(hours=3)


def epoch(moment: datetime) -> float:
    """Return a time as AWS writes it."""
    return moment.timestamp()


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Owner",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OWN}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
GRANT = {
    "KeyId": KEY,
    "GrantId": "0" * 63 + "1",
    "Name": "volume",
    "CreationDate": epoch(ROTATED),
    "GranteePrincipal": f"arn:aws:iam::{VENDOR}:role/storage",
    "IssuingAccount": f"arn:aws:iam::{VENDOR}:root",
    "Operations": ["Decrypt", "GenerateDataKeyWithoutPlaintext"],
    "Constraints": {"EncryptionContextSubset": {"aws:ebs:id": "vol-1"}},
}


@dataclass
class AwsKeyEntry:
    """A key, as each operation shows it."""

    metadata: dict[str, Any]
    rotation: dict[str, Any]
    rotations: list[Any]
    grants: list[Any]
    aliases: list[Any]
    usage: dict[str, Any]
    policies: dict[str, str]
    shared_with: set[str] = field(default_factory=set)


def a_key(arn: str = KEY, /, **over: object) -> AwsKeyEntry:
    """Return a healthy key; ``over`` are members of its metadata."""
    account, key_id = arn.split(":")[4], arn.rpartition("/")[2]
    metadata = {
        "AWSAccountId": account,
        "KeyId": key_id,
        "Arn": arn,
        "CreationDate": epoch(CREATED),
        "Enabled": True,
        "Description": "databases of acme",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": key_id.startswith("mrk-"),
    }
    alias = {"AliasName": "alias/acme", "AliasArn": "", "TargetKeyId": key_id}
    return AwsKeyEntry(
        metadata=metadata | over,
        rotation={
            "KeyId": arn,
            "KeyRotationEnabled": True,
            "RotationPeriodInDays": 365,
            "NextRotationDate": epoch(NEXT),
        },
        rotations=[{"KeyId": key_id, "RotationDate": epoch(ROTATED), "RotationType": "AUTOMATIC"}],
        grants=[GRANT | {"KeyId": arn}],
        aliases=[alias],
        usage={
            "KeyId": key_id,
            "KeyCreationDate": epoch(CREATED),
            "TrackingStartDate": epoch(CREATED),
            "KeyLastUsage": {"Operation": "Decrypt", "Timestamp": epoch(USED)},
        },
        policies={"default": json.dumps(POLICY, indent=2)},
    )


class Reply(NamedTuple):
    """What the server says: status, headers, the body in pieces, and the pause before each.

    ``missing`` bytes are announced and do not come; one that breaks off announces nothing.
    """

    status: int
    pieces: tuple[bytes, ...]
    headers: tuple[tuple[str, str], ...] = ()
    pause: float = 0.0
    missing: int = 0
    breaks_off: bool = False


def ok(value: object) -> Reply:
    """Return an answer with ``value`` as JSON."""
    return Reply(200, (json.dumps(value).encode(),))


def error(code: str, status: int = 400, **headers: str) -> Reply:
    """Return an error as AWS words it: with the name of the caller."""
    body = {"__type": code, "message": f"User: {CALLER} from 203.0.113.7: {code}"}
    spelled = tuple((name.replace("_", "-"), text) for name, text in headers.items())
    return Reply(status, (json.dumps(body).encode(),), spelled)


def html(status: int = 200) -> Reply:
    """Return a page as something between us and AWS says it."""
    return Reply(status, (b"<html><body>Sign in</body></html>",), (("Content-Type", "text/html"),))


class Request(NamedTuple):
    """A request as it arrived."""

    operation: str
    parameters: dict[str, Any]
    access_key: str
    region: str
    service: str


@dataclass
class AwsServer:
    """The keys, who may read them, and what goes wrong.

    ``faults`` are the replies to an operation, in their order; the last one is repeated, and None
    is the ordinary one.
    """

    keys: dict[str, AwsKeyEntry] = field(default_factory=lambda: {KEY: a_key()})
    accounts: dict[str, str] = field(
        default_factory=lambda: {OWN_KEY_ID: OWN, VENDOR_KEY_ID: VENDOR}
    )
    roles: dict[str, str | None] = field(default_factory=dict)
    faults: Mapping[str, Sequence[Reply | None]] = field(default_factory=dict)
    page_size: int = 100
    session_seconds: float = 3_600
    requests: list[Request] = field(default_factory=list)
    address: str = ""

    @property
    def operations(self) -> list[str]:
        """Return what was asked, in its order."""
        return [request.operation for request in self.requests]

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request."""
        asked = self.operations.count(request.operation)
        self.requests.append(request)
        replies = self.faults.get(request.operation, (None,))
        fault = replies[min(asked, len(replies) - 1)]
        if fault is not None:
            return fault
        if request.service == "sts":
            return self._assume(request)
        caller = self.accounts.get(request.access_key)
        if caller is None:
            return error("UnrecognizedClientException")
        return self._answer(request, caller)

    def _answer(self, request: Request, caller: str) -> Reply:
        arn = request.parameters.get("KeyId", "")
        key = self.keys.get(arn)
        if key is None or arn.split(":")[3] != request.region:
            return error("NotFoundException")
        is_own = arn.split(":")[4] == caller
        is_shared = caller in key.shared_with and request.operation in _ACROSS
        if not is_own and not is_shared:
            return error("AccessDeniedException")
        return self._show(request, key)

    def _show(self, request: Request, key: AwsKeyEntry) -> Reply:
        lists = {
            "ListKeyRotations": ("Rotations", key.rotations),
            "ListGrants": ("Grants", key.grants),
            "ListAliases": ("Aliases", key.aliases),
        }
        if request.operation in lists:
            return self._page(request, *lists[request.operation])
        name = request.parameters.get("PolicyName", "")
        shown = {
            "DescribeKey": {"KeyMetadata": key.metadata},
            "GetKeyRotationStatus": key.rotation,
            "GetKeyLastUsage": key.usage,
            "GetKeyPolicy": {"Policy": key.policies.get(name), "PolicyName": name},
        }[request.operation]
        is_missing = request.operation == "GetKeyPolicy" and name not in key.policies
        return error("NotFoundException") if is_missing else ok(shown)

    def _page(self, request: Request, name: str, entries: list[Any]) -> Reply:
        begin = int(request.parameters.get("Marker", "0"))
        end = begin + self.page_size
        goes_on = end < len(entries)
        following = {"NextMarker": str(end)} if goes_on else {}
        return ok({name: entries[begin:end], "Truncated": goes_on} | following)

    def _assume(self, request: Request) -> Reply:
        role = request.parameters["RoleArn"]
        if role not in self.roles or self.roles[role] != request.parameters.get("ExternalId"):
            return token_error("AccessDenied")
        access_key = f"ASIA{len(self.requests):016}"
        self.accounts[access_key] = role.split(":")[4]
        expires = datetime.now(UTC) + timedelta(seconds=self.session_seconds)
        return Reply(200, (_ROLE.format(access_key, f"{expires:%Y-%m-%dT%H:%M:%SZ}").encode(),))


SESSION_TOKEN = "sham-session-token-" + "s" * 80
ROLE_SECRET = "sham-secret-of-the-role-" + "r" * 16
_ROLE = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>{{0}}</AccessKeyId><SecretAccessKey>{ROLE_SECRET}</SecretAccessKey>
<SessionToken>{SESSION_TOKEN}</SessionToken><Expiration>{{1}}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""


def token_error(code: str, status: int = 403) -> Reply:
    """Return an error to the assumption of a role, which names the caller, too."""
    words = f"<Code>{code}</Code><Message>User: {CALLER}</Message>"
    return Reply(status, (f"<ErrorResponse><Error>{words}</Error></ErrorResponse>".encode(),))


class MemoryTransport:
    """Answers as the server does, without a network; records as a transport does."""

    def __init__(
        self, server: AwsServer, recorder: CloudRecorder, access_key: str = OWN_KEY_ID
    ) -> None:
        """Let ``server`` answer to the credentials with ``access_key``."""
        self._server = server
        self._recorder = recorder
        self._access_key = access_key

    def send(self, request: CloudRequest) -> Exchange:
        """Return the exchange of the server's reply."""
        region = request.host.split(".")[1]
        parameters = dict(request.parameters)
        asked = Request(request.operation, parameters, self._access_key, region, "kms")
        reply, started = self._server.answer(asked), datetime.now(UTC)
        answer = HttpAnswer(reply.status, dict(reply.headers), b"".join(reply.pieces))
        return self._recorder.answered(request.address, started, answer)

    def give_up(self, request: CloudRequest) -> Exchange:
        """Return the exchange of a request that is not sent."""
        return self._recorder.too_late(request.address)


@contextmanager
def serving(server: AwsServer) -> Iterator[AwsServer]:
    """Let ``server`` answer at a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # head and body go out together

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._say(server.answer(_parsed(dict(self.headers), body.decode())))

        def do_GET(self) -> None:
            server.requests.append(Request("GET", {}, "", "", ""))
            self._say(html(404))

        def _say(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            if not reply.breaks_off:
                length = sum(map(len, reply.pieces)) + reply.missing
                self.send_header("Content-Length", str(length))
            self.end_headers()
            with suppress(OSError):  # the client may be gone
                for piece in reply.pieces:
                    time.sleep(reply.pause)
                    self.wfile.write(piece)
                    self.wfile.flush()
            self.close_connection = bool(reply.missing) or reply.breaks_off

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.block_on_close = False
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        server.address = f"http://127.0.0.1:{http.server_port}"
        yield server
        http.shutdown()
        thread.join(5)


def _parsed(headers: dict[str, str], body: str) -> Request:
    found = _CREDENTIAL.search(headers.get("Authorization", ""))
    access_key, region, service = found.groups() if found else ("", "", "")
    target = headers.get("X-Amz-Target")
    if target is None:
        parameters = {name: values[0] for name, values in parse_qs(body).items()}
        return Request(parameters["Action"], parameters, access_key, region, service)
    return Request(target.rpartition(".")[2], json.loads(body), access_key, region, service)
