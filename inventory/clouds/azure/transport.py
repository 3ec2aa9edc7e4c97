"""Sends requests to Azure Key Vault by Microsoft's library, with the credentials that it finds."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.identity import DefaultAzureCredential
from azure.keyvault.keys import KeyClient
from requests.adapters import HTTPAdapter
from requests.exceptions import ProxyError
from requests.utils import get_environ_proxies

from inventory.clouds.azure.reader import API_VERSION, is_vault
from inventory.clouds.deadline import Deadline, ended_by
from inventory.clouds.recorder import HttpAnswer
from inventory.errors import ForbiddenRequestError
from inventory.evidence.exchange import Failure
from inventory.text.display import describe
from inventory.text.secrets import SecretText, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inventory.clouds.config import AzureSettings, CloudSettings
    from inventory.clouds.recorder import CloudRecorder
    from inventory.clouds.requests import CloudRequest
    from inventory.evidence.exchange import Exchange
    from inventory.model.gaps import CloudReason
    from inventory.system.request_policy import RequestPolicy

_UNAUTHORIZED = 401
_CHUNK = 65_536
_RENEWED_SECONDS = 300
_TOKEN_RETRIES = 2

_OPERATION = re.compile(r"(?:deleted)?keys/[a-z0-9-]+(?:/[a-z0-9]+)?", re.ASCII)
_REFUSAL = re.compile(r"\bAADSTS[0-9]{4,9}\b", re.ASCII)
_OTHER_TENANT = "not configured to acquire tokens for tenant"


class Credential(Protocol):
    """What returns tokens: a credential of Microsoft's library, or one that acts like it."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ANN401
        """Return a token for ``scopes``."""


def open_sessions(settings: CloudSettings, policy: RequestPolicy) -> AzureSessions:
    """Return what sends requests; credentials are looked for when the first token is needed."""
    # What the library logs of a failure names tenants and clients, and goes to the terminal.
    for name in ("azure", "msal"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def find() -> Credential:
        return DefaultAzureCredential(
            additionally_allowed_tenants=list(settings.azure.tenants),
            connection_timeout=policy.timeout_seconds,
            read_timeout=policy.timeout_seconds,
            retry_total=_TOKEN_RETRIES,
        )

    return AzureSessions(settings.azure, policy, find)


class AzureSessions:
    """The credentials for Azure, which all organizations share."""

    def __init__(
        self, settings: AzureSettings, policy: RequestPolicy, find: Callable[[], Credential]
    ) -> None:
        """Send requests with the credential that ``find`` returns; it is called once."""
        self._settings = settings
        self._policy = policy
        self._tokens = _Tokens(find)

    def transport(self, recorder: CloudRecorder) -> AzureTransport:
        """Return what sends the requests of one organization, and records them."""
        return AzureTransport(
            _RecordingAdapter(recorder, self._policy, self._settings), self._tokens
        )


class AzureTransport:
    """Sends the requests of one organization; threads share it."""

    def __init__(self, adapter: _RecordingAdapter, tokens: _Tokens) -> None:
        """Send by ``adapter``, with ``tokens``."""
        self._adapter = adapter
        self._tokens = tokens
        self._session = _session(adapter)

    def send(self, request: CloudRequest) -> Exchange:
        """Return the exchange that answers ``request``; an earlier one may be a challenge."""
        recorder, started = self._adapter.recorder, datetime.now(UTC)
        if not is_vault(request.host) or not _OPERATION.fullmatch(request.operation):
            detail = f"found {describe(request.host)}, expected a key in Azure Key Vault"
            failure = Failure(reason="wrong-address", detail=detail)
            return recorder.failed(request.address, started, failure)
        with self._adapter.allowing(request) as allowed:
            error = self._send(request)
        last = allowed.exchange
        # After a challenge the library needs a token: an error then is not about the challenge.
        if last is not None and (error is None or last.status != _UNAUTHORIZED):
            return last
        return recorder.failed(request.address, started, error or _NOT_SENT)

    def _send(self, request: CloudRequest) -> Failure | None:
        """Send ``request``; return why the library failed, if it did."""
        try:
            self.client(request.host).send_request(
                HttpRequest("GET", _url_of(request)), stream=True
            )
        except _NoTokenError as error:
            return error.failure
        except ValueError:  # the library compares the vault with what the challenge is for
            detail = "the vault asks for a token for another service"
            return Failure(reason="wrong-address", detail=detail)
        except Exception as error:  # noqa: BLE001 (the library raises many)
            return Failure(reason="unavailable", detail=f"no answer: {type(error).__name__}")
        return None

    def client(self, host: str) -> KeyClient:
        """Return the library's client for one vault; a new one each time, as it is not shared.

        It costs a tenth of a millisecond. Threads that share one take each other's token away.
        """
        return KeyClient(
            f"https://{host}",
            self._tokens,
            api_version=API_VERSION,
            transport=RequestsTransport(session=self._session, session_owner=False),
            permit_redirects=False,
            retry_total=0,
            verify_challenge_resource=True,
        )

    def give_up(self, request: CloudRequest) -> Exchange:
        """Return the exchange of a request for which no time is left: it is not sent."""
        return self._adapter.recorder.too_late(request.address)


_NOT_SENT = Failure(reason="unavailable", detail="no answer: no request was sent")


def _url_of(request: CloudRequest) -> str:
    """Return the URL of a request: as it is recorded, without the name of the cloud."""
    return f"https://{request.address.removeprefix('/azure/')}"


# --- tokens ---------------------------------------------------------------------------------------


class _NoTokenError(Exception):
    """There is no token for a vault."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.detail)


class _Tokens:
    """Gets tokens from one credential; one that cannot be had is asked for once, too.

    Some credentials start a program for each token, or wait for a service that does not exist.
    """

    def __init__(self, find: Callable[[], Credential]) -> None:
        self._find = find
        self._credential: Credential | None = None
        self._known: dict[tuple[str, ...], AccessToken | Failure] = {}
        self._lock = threading.Lock()

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        **options: Any,  # noqa: ANN401 (the library's own)
    ) -> AccessToken:
        """Return a token; raise _NoTokenError if there is none."""
        name = (*scopes, tenant_id or "")
        with self._lock:
            known = self._known.get(name)
            # Claims say that the token before is not taken any more.
            if known is None or claims or _ends_soon(known):
                known = self._ask(*scopes, claims=claims, tenant_id=tenant_id, **options)
                self._known[name] = known
        if isinstance(known, Failure):
            raise _NoTokenError(known)
        return known

    def _ask(self, *scopes: str, **options: Any) -> AccessToken | Failure:  # noqa: ANN401
        try:
            self._credential = self._credential or self._find()
            token = self._credential.get_token(*scopes, **options)
        except Exception as error:  # noqa: BLE001 (every kind of credential raises its own)
            return _token_failure(error)
        return token


def _ends_soon(token: AccessToken | Failure) -> bool:
    return isinstance(token, AccessToken) and token.expires_on - time.time() < _RENEWED_SECONDS


def _token_failure(error: Exception) -> Failure:
    """Return why there is no token: by Microsoft's code, never by the text, which has names."""
    text = str(error)
    if refusal := _REFUSAL.search(text):
        detail = f"Azure refuses the credentials ({refusal[0]})"
        return Failure(reason="credentials-expired", detail=detail)
    if _OTHER_TENANT in text:
        detail = "the vault is in a tenant that the organizations file does not name"
        return Failure(reason="no-credentials", detail=detail)
    return Failure(reason="no-credentials", detail=f"no token: {type(error).__name__}")


# --- connections ----------------------------------------------------------------------------------


class _Allowed:
    """The one request that a thread may send, and the last exchange of it.

    Attributes:
        request: the request.
        deadline: the time of the answer that the thread waits for.
        exchange: the last exchange.
    """

    deadline: Deadline

    def __init__(self, request: CloudRequest) -> None:
        self.request = request
        self.exchange: Exchange | None = None


class _RecordedError(requests.RequestException):
    """There is no answer, which is recorded already."""


def _session(adapter: HTTPAdapter) -> requests.Session:
    session = requests.Session()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Without this, a password for the host in a .netrc file would replace the token.
    session.auth = lambda request: request
    return session


class _RecordingAdapter(HTTPAdapter):
    """Sends nothing but the request that is allowed, and records its answer or why there is none.

    Each request has a connection of its own, so that no answer is taken for that of another.
    """

    def __init__(
        self, recorder: CloudRecorder, policy: RequestPolicy, settings: AzureSettings
    ) -> None:
        super().__init__(max_retries=0)
        self.recorder = recorder
        self._seconds = policy.timeout_seconds
        self._address = settings.address
        self._threads = threading.local()
        self._hidden: set[str] = set()

    @contextmanager
    def allowing(self, request: CloudRequest) -> Iterator[_Allowed]:
        """Let this thread send ``request``, as often as the library has to."""
        self._threads.allowed = allowed = _Allowed(request)
        try:
            yield allowed
        finally:
            self._threads.allowed = None

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
        """Return the response, whose body is read and recorded; raise if there is none."""
        allowed = self._require_allowed(request)
        how |= self._prepare(request) | {"stream": True, "timeout": self._seconds}
        started = datetime.now(UTC)
        allowed.deadline = deadline = Deadline(self._seconds)
        try:
            with deadline:
                response = super().send(request, **how)
                body = _read(response, self.recorder.largest_body)
            deadline.require_time()  # what was read until then may be half of an answer
        except Exception as error:  # noqa: BLE001 (three libraries raise many)
            failure = self._failure(error, allowed.request.host, is_late=deadline.is_over)
            allowed.exchange = self.recorder.failed(allowed.request.address, started, failure)
        else:
            answer = HttpAnswer(response.status_code, response.headers, body)
            allowed.exchange = self.recorder.answered(allowed.request.address, started, answer)
        if allowed.exchange.failure:
            raise _RecordedError
        return response

    def get_connection_with_tls_context(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        """Return a pool whose connections end with the time of the request that opens them."""
        pool = super().get_connection_with_tls_context(*args, **more)
        if not hasattr(pool.ConnectionCls, "serves_once"):
            kind = _serving_once(pool.ConnectionCls)
            pool.ConnectionCls = ended_by(lambda: self._threads.allowed.deadline, kind)
        return pool

    def _require_allowed(self, request: requests.PreparedRequest) -> _Allowed:
        if request.method != "GET":
            raise ForbiddenRequestError(f"{request.method}: an audit only reads")
        allowed: _Allowed | None = getattr(self._threads, "allowed", None)
        expected = urlsplit(_url_of(allowed.request)) if allowed else None
        if allowed is None or urlsplit(str(request.url))[:3] != (expected or ())[:3]:
            raise ForbiddenRequestError("an audit sends no other requests than its own")
        return allowed

    def _prepare(self, request: requests.PreparedRequest) -> dict[str, Any]:
        """Hide the token, and lead the request to another address if there is one."""
        request.headers.update({"Accept-Encoding": "identity", "Connection": "close"})
        token = str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
        if token and token not in self._hidden:
            self._hidden.add(SecretText(token))
            self.recorder.hide([Token("token for Azure", token)])
        if self._address is None:
            return {}
        url = urlsplit(str(request.url))
        request.headers["Host"] = url.netloc
        request.url = f"{self._address}{url.path}?{url.query}"
        return {"proxies": get_environ_proxies(request.url)}

    def _failure(self, error: Exception, host: str, *, is_late: bool) -> Failure:
        causes = list(_causes(error))
        if is_late or any(isinstance(cause, requests.Timeout | TimeoutError) for cause in causes):
            detail = f"no complete answer within {self._seconds:g} s"
            return Failure(reason="timed-out", detail=detail, again=True)
        for kinds, reason, text, again in _FAILURES:
            if any(isinstance(cause, kinds) for cause in causes):
                return Failure(reason=reason, detail=text.format(host=host), again=again)
        detail = f"no answer: {type(error).__name__}"
        return Failure(reason="unavailable", detail=detail, again=True)


class _CompressedError(Exception):
    """A body is compressed, though that was not asked for."""


_FAILURES: tuple[tuple[tuple[type[Exception], ...], CloudReason, str, bool], ...] = (
    ((_CompressedError,), "malformed", "the body is compressed, though not asked for", False),
    (
        (ssl.SSLCertVerificationError,),
        "unavailable",
        "no answer: the certificate of {host} is not trusted",
        False,
    ),
    ((ProxyError,), "unavailable", "no answer: the proxy does not connect to {host}", True),
    ((socket.gaierror,), "unavailable", "no answer: the name {host} does not resolve", True),
    ((RemoteDisconnected,), "unavailable", "no answer: the connection was closed", True),
    ((IncompleteRead,), "cut-short", "the answer ended early", True),
    ((HTTPException,), "malformed", "the answer is not HTTP/1.1", True),
    (
        (ConnectionError, requests.ConnectionError, ssl.SSLError),
        "unavailable",
        "no answer: the connection to {host} failed",
        True,
    ),
)
"""What is reported of each kind of error, the most special one first."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and all that it was raised from: libraries keep those in several places."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [*cause.args, getattr(cause, "reason", None)]
            waiting += [cause.__cause__, cause.__context__]


def _serving_once(kind: Any) -> Any:  # noqa: ANN401 (urllib3's)
    """Return a class of connections like ``kind``, each of which serves one request."""

    class Once(kind):  # type: ignore[misc]
        serves_once = True
        is_connected = False  # so one from the pool is closed, and opened again

    return Once


def _read(response: requests.Response, most: int) -> bytes:
    """Return the body, at most ``most`` bytes of it, and close the connection."""
    with response:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise _CompressedError
        body = bytearray()
        while len(body) < most:
            piece = response.raw.read(min(_CHUNK, most - len(body)), decode_content=False)
            if not piece:
                break
            body += piece
        return bytes(body)
