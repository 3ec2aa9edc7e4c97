"""Sends requests to Google Cloud KMS, with the credentials that Google's library finds.

Each request has a session and a connection of its own. What a policy is about is not in it, so an
answer must not be taken for that of another request, as it could be over a connection that is kept.
"""

from __future__ import annotations

import io
import logging
import re
import threading
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import google.auth
import requests
import urllib3
from google.auth import exceptions
from google.auth.transport.requests import AuthorizedSession
from google.auth.transport.requests import Request as AuthRequest
from requests.adapters import HTTPAdapter

from inventory.clouds.deadline import Deadline, ended_by
from inventory.clouds.gcp.reader import HOST, host_of
from inventory.clouds.recorder import HttpAnswer
from inventory.errors import ForbiddenRequestError
from inventory.evidence.exchange import Failure
from inventory.text.secrets import SecretText, Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import PreparedRequest, Response

    from inventory.clouds.config import CloudSettings
    from inventory.clouds.recorder import CloudRecorder
    from inventory.clouds.requests import CloudRequest
    from inventory.evidence.exchange import Exchange
    from inventory.system.request_policy import RequestPolicy

SCOPE = "https://www.googleapis.com/auth/cloudkms"
"""The smallest scope with which Cloud KMS answers; there is none that only reads."""

_KEY_RING = r"v1/projects/[^/]+/locations/[^/]+/keyRings/[^/:]+"
_READING = re.compile(
    rf"{_KEY_RING}(?:/cryptoKeys/[^/:]+(?:/cryptoKeyVersions|:getIamPolicy)?|:getIamPolicy)"
)
"""What an audit asks for: a key, its versions, and the policies of key and key ring."""

_DOTS = re.compile(r"\.\.|/\./")
_PIECE = 65_536
_CODE = re.compile(r"[a-z_]{1,40}")
_TOKENS = "the endpoint that renews tokens"


def open_sessions(settings: CloudSettings, policy: RequestPolicy) -> GoogleSessions:
    """Return what sends requests to Google Cloud; credentials are looked for when one is sent."""
    return GoogleSessions(settings, policy)


class GoogleSessions:
    """The credentials for Google Cloud, which all organizations share.

    Attributes:
        host: the host that is asked.
        address: its address.
        seconds: how long one answer may take.
    """

    def __init__(self, settings: CloudSettings, policy: RequestPolicy) -> None:
        """Send to the host of ``settings`` only."""
        self.host = host_of(settings.gcp)
        self.address = (settings.gcp.address or f"https://{HOST}").lower()
        self.seconds = policy.timeout_seconds
        self._quota_project = settings.gcp.quota_project
        self._lock = threading.Lock()
        self._credentials: Any = None
        self._missing: exceptions.DefaultCredentialsError | None = None
        self._auth_request = _TokenRequest()
        # It would log requests for tokens, and advise people on what does not concern them.
        logging.getLogger("google.auth").setLevel(logging.ERROR)

    def transport(self, recorder: CloudRecorder) -> GoogleTransport:
        """Return what sends the requests of one organization."""
        return GoogleTransport(self, recorder)

    def authorized(self, adapter: HTTPAdapter) -> AuthorizedSession:
        """Return a session that sends by ``adapter``, and renews its token at most once.

        Raises what Google's library raises if there are no credentials.
        """
        session = AuthorizedSession(  # type: ignore[no-untyped-call]
            self._find_credentials(), max_refresh_attempts=1, auth_request=self._auth_request
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)
        session.headers.update({"Connection": "close", "Accept-Encoding": "identity"})
        session.auth = _keep_authorization
        # Plain HTTP goes to this machine only: no proxy may see the token.
        session.trust_env = self.address.startswith("https:")
        return session

    def _find_credentials(self) -> Any:  # noqa: ANN401 (the library's own classes)
        """Find the credentials once: without any, the library searches the network for seconds."""
        with self._lock:
            if self._missing is not None:
                raise self._missing
            if self._credentials is None:
                try:
                    self._credentials, _ = google.auth.default(
                        scopes=[SCOPE],
                        request=partial(self._auth_request, timeout=self.seconds),  # type: ignore[arg-type]
                        quota_project_id=self._quota_project,
                    )
                except exceptions.DefaultCredentialsError as error:
                    self._missing = error.with_traceback(None)
                    raise
            return self._credentials


class _TokenRequest:
    """Sends what the library needs to get a token: that is secret, and never recorded."""

    def __init__(self) -> None:
        session = requests.Session()
        session.auth = _keep_authorization
        session.max_redirects = 0
        self._send: Any = AuthRequest(session)

    def __call__(self, url: str, *args: Any, **how: Any) -> Any:  # noqa: ANN401 (as the library's)
        # Of federated credentials it also asks for the name of their project, which nobody needs.
        if str(urlsplit(url).hostname).startswith("cloudresourcemanager."):
            return _NoAnswer()
        return self._send(url, *args, **how)


class _NoAnswer(NamedTuple):
    """What the library takes for an answer that there is nothing."""

    status: int = 404
    data: bytes = b"{}"


def _keep_authorization(request: PreparedRequest) -> PreparedRequest:
    """Keep ``requests`` from replacing a token by a password of a ``.netrc`` file."""
    return request


class GoogleTransport:
    """Sends the requests of one organization, and records what comes of each."""

    def __init__(self, sessions: GoogleSessions, recorder: CloudRecorder) -> None:
        """Send by ``sessions``, and record by ``recorder``."""
        self._sessions = sessions
        self._recorder = recorder
        self._hidden: set[SecretText] = set()

    def send(self, request: CloudRequest) -> Exchange:
        """Return the last exchange: one with an expired token is followed by another one.

        Raises ForbiddenRequestError for a request that an audit does not send.
        """
        self._refuse_forbidden(request)
        started = datetime.now(UTC)
        if _DOTS.search(request.operation):  # such a segment would ask for something else
            detail = "the key id names no project"
            failure = Failure(reason="wrong-address", detail=detail)
            return self._recorder.failed(request.address, started, failure)
        adapter = RecordingAdapter(self, self.url_of(request), request.address)
        try:
            with self._sessions.authorized(adapter) as session:
                session.get(adapter.url, timeout=self._sessions.seconds, allow_redirects=False)
        except _UnansweredRequestError:
            pass  # that is recorded already
        except ForbiddenRequestError as error:
            # Without the frames on which it was raised: they hold the request with its token.
            raise ForbiddenRequestError(str(error)) from None
        except Exception as error:  # noqa: BLE001 (whatever a credential raises is no answer)
            failure = _failure_of(error, self._sessions.host)
            return self._recorder.failed(request.address, started, failure)
        return adapter.last()

    def give_up(self, request: CloudRequest) -> Exchange:
        """Return the exchange of a request for which no time is left."""
        return self._recorder.too_late(request.address)

    def url_of(self, request: CloudRequest) -> str:
        """Return where ``request`` goes: what is recorded, without what is never sent."""
        recorded, _, _ = request.address.partition("#")
        return f"{self._sessions.address}/{recorded.split('/', 3)[3]}"

    def _refuse_forbidden(self, request: CloudRequest) -> None:
        if (request.cloud, request.host) != ("gcp", self._sessions.host):
            raise ForbiddenRequestError(f"{request.host}: keys are read at {self._sessions.host}")
        if not _READING.fullmatch(request.operation):
            raise ForbiddenRequestError(f"{request.operation}: an audit does not ask for it")

    def hide(self, authorization: str | bytes | None) -> None:
        """Hide the token of a request, before it is sent."""
        text = authorization.decode() if isinstance(authorization, bytes) else authorization or ""
        token = SecretText(text.rpartition(" ")[2])
        if token and token not in self._hidden:
            self._recorder.hide([Token("Google Cloud access token", token)])
            self._hidden.add(token)  # only now, as another thread sends what is hidden already

    def exchange(
        self, adapter: RecordingAdapter, request: PreparedRequest, how: Mapping[str, Any]
    ) -> Exchange:
        """Send ``request`` by ``adapter``, and record the answer, or why there is none."""
        self.hide(request.headers.get("Authorization"))
        started, address = datetime.now(UTC), adapter.address
        deadline = Deadline(self._sessions.seconds)
        try:
            with deadline:
                answer = adapter.answer(request, deadline, self._recorder.largest_body, how)
        except Exception as error:  # noqa: BLE001 (no failure of the library's stops an audit)
            failure = _failure_of(error, self._sessions.host)
            if deadline.is_over or failure.reason == "timed-out":
                failure = _late(self._sessions.seconds)
            return self._recorder.failed(address, started, failure)
        if deadline.is_over:  # the end of a connection that was closed looks like that of a body
            return self._recorder.failed(address, started, _late(self._sessions.seconds))
        return self._recorder.answered(address, started, answer)


class _UnansweredRequestError(Exception):
    """A request has no answer, which is recorded already."""


class RecordingAdapter(HTTPAdapter):
    """Sends one request, maybe a second time with a new token, and nothing else.

    Attributes:
        url: where the request goes.
        address: the address under which it is recorded.
    """

    _deadline: Deadline

    def __init__(self, transport: GoogleTransport, url: str, address: str) -> None:
        """Record by ``transport``."""
        super().__init__(max_retries=0)
        self.url = url
        self.address = address
        self._transport = transport
        self._exchanges: list[Exchange] = []

    def last(self) -> Exchange:
        """Return the last exchange."""
        return self._exchanges[-1]

    def send(self, request: PreparedRequest, *_: Any, **how: Any) -> Response:  # noqa: ANN401 (as the base)
        """Send ``request``; of the answer only the status is returned, which is what matters."""
        self._refuse_forbidden(request)
        exchange = self._transport.exchange(self, request, how)
        self._exchanges.append(exchange)
        if exchange.status is None:
            raise _UnansweredRequestError
        return _bare_response(request, exchange.status)

    def _refuse_forbidden(self, request: PreparedRequest) -> None:
        if request.method != "GET" or request.body or "X-HTTP-Method-Override" in request.headers:
            raise ForbiddenRequestError(f"{request.method}: an audit only reads")
        if request.url != self.url:
            raise ForbiddenRequestError(f"an audit asks for {self.url} here, and nothing else")

    def answer(
        self, request: PreparedRequest, deadline: Deadline, most: int, how: Mapping[str, Any]
    ) -> HttpAnswer:
        """Return the answer with at most ``most`` bytes of its body."""
        self._deadline = deadline
        response = super().send(request, **{**how, "stream": True})
        with response:
            encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
            if encoding != "identity":  # a small body could become a huge one
                raise _CompressedError
            body = bytearray()
            for piece in response.raw.stream(_PIECE, decode_content=False):
                body += piece
                if len(body) >= most:
                    break
        return HttpAnswer(response.status_code, dict(response.headers), bytes(body[:most]))

    def get_connection_with_tls_context(self, *args: Any, **how: Any) -> Any:  # noqa: ANN401 (as the base)
        """Return the connections, each of which the deadline ends."""
        pool: Any = super().get_connection_with_tls_context(*args, **how)
        pool.ConnectionCls = ended_by(lambda: self._deadline, pool.ConnectionCls)
        return pool


class _CompressedError(Exception):
    """A body is compressed, though that was not asked for."""


def _bare_response(request: PreparedRequest, status: int) -> Response:
    """Return a response with nothing to follow, to keep or to read."""
    response = requests.Response()
    response.status_code = status
    response.request, response.url = request, str(request.url)
    response.raw = io.BytesIO()
    return response


def _late(seconds: float) -> Failure:
    detail = f"no complete answer within {seconds:g} s"
    return Failure(reason="timed-out", detail=detail, again=True)


def _failure_of(error: Exception, host: str) -> Failure:
    """Return why there is no answer, by the kind of ``error``; its text may name the caller."""
    if isinstance(error, exceptions.DefaultCredentialsError):
        detail = f"Google's library finds no usable credentials ({type(error).__name__})"
        return Failure(reason="no-credentials", detail=detail)
    if isinstance(error, exceptions.GoogleAuthError):
        return _failure_of_credentials(error)
    if isinstance(error, _CompressedError):
        return Failure(reason="malformed", detail="the body is compressed, which was not asked for")
    return _failure_of_network(error, host)


def _failure_of_credentials(error: exceptions.GoogleAuthError) -> Failure:
    """Return why there is no token: refused, or not to be had now."""
    cause = error.__cause__ or next(iter(error.args), None)
    if isinstance(cause, exceptions.TransportError):
        cause = cause.__cause__
    if isinstance(cause, requests.RequestException):
        return _failure_of_network(cause, _TOKENS)
    if isinstance(error, exceptions.TransportError) or error.retryable:
        detail = f"no answer from {_TOKENS} ({type(error).__name__})"
        return Failure(reason="unavailable", detail=detail, again=True)
    if isinstance(error, exceptions.RefreshError):
        detail = f"the credentials give no token ({_refusal_of(error)})"
        return Failure(reason="credentials-expired", detail=detail)
    detail = f"Google's library cannot use the credentials ({type(error).__name__})"
    return Failure(reason="no-credentials", detail=detail)


def _refusal_of(error: exceptions.RefreshError) -> str:
    """Return the code with which a token was refused, such as ``invalid_grant``."""
    answers = [argument for argument in error.args if isinstance(argument, dict)]
    codes = [str(answer.get("error")) for answer in answers]
    return next(filter(_CODE.fullmatch, codes), type(error).__name__)


def _failure_of_network(error: BaseException, peer: str) -> Failure:
    """Return why ``peer`` gave no answer, and whether another attempt may help."""
    kind = type(error).__name__
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return Failure(reason="timed-out", detail=f"no answer from {peer} in time", again=True)
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return Failure(reason="unavailable", detail=f"TLS with {peer} failed")
    if isinstance(error, requests.TooManyRedirects | requests.exceptions.InvalidURL):
        return Failure(reason="wrong-address", detail=f"{peer} cannot be asked ({kind})")
    if isinstance(error, urllib3.exceptions.ProtocolError):
        detail = f"the answer of {peer} ends early"
        return Failure(reason="cut-short", detail=detail, again=True)
    if isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError):
        detail = f"the connection to {peer} failed ({kind})"
        return Failure(reason="unavailable", detail=detail, again=True)
    return Failure(reason="unavailable", detail=f"{peer} cannot be asked ({kind})")
