"""Sends requests to AWS by its library, which signs them with the credentials that it finds."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.credentials import CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.loaders import create_loader

from inventory.clouds.aws.answers import READS, is_retryable, reason_of
from inventory.clouds.recorder import HttpAnswer
from inventory.errors import ForbiddenRequestError, UnansweredError
from inventory.evidence.exchange import Failure
from inventory.system.addresses import is_loopback
from inventory.text.secrets import SecretText, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from inventory.clouds.config import AwsAccount, AwsSettings, CloudSettings
    from inventory.clouds.recorder import CloudRecorder
    from inventory.clouds.requests import CloudRequest
    from inventory.evidence.exchange import Exchange
    from inventory.model.gaps import CloudReason
    from inventory.system.request_policy import RequestPolicy

_CHUNK = 65_536
_DIGITS = 18
_LONGEST_CODE = 80
_SHORTEST_SECRET = 12
_SESSION_NAME = "cmek-audit"
_STS_REGIONS = {"aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}

# --- what may leave the machine -------------------------------------------------------------------


def _refuser(allowed: Iterable[str]) -> Callable[..., None]:
    """Return what refuses every operation but ``allowed``, by the library's own API, too."""

    def refuse(model: Any, **_: object) -> None:  # noqa: ANN401 (of the library)
        if model.name not in allowed:
            raise ForbiddenRequestError(f"{model.name}: an audit only reads")

    return refuse


# --- one request ----------------------------------------------------------------------------------


class _Call:
    """One request while it is sent: how much of its answer is read, and the answer."""

    def __init__(self, hide: Callable[[Iterable[str]], None], largest_body: int) -> None:
        self.hide = hide
        self.largest_body = largest_body
        self.answer: HttpAnswer | None = None


class _Body:
    """The body of an answer, as the library reads it again after us."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


class _Client:
    """A client of the library for one region, and what takes each answer as it came.

    The library makes an empty list of an answer that is no JSON: so nothing is read from what it
    returns. Threads share the client; each sends one request at a time.
    """

    def __init__(self, client: Any, credentials: Callable[[], Iterable[str]]) -> None:  # noqa: ANN401
        self._client = client
        self._credentials = credentials
        self._calls = threading.local()
        # What the second hook raises would be taken for a broken connection, so the first refuses.
        client.meta.events.register("before-call.kms", _refuser(READS))
        client.meta.events.register_last("before-send.kms", self._send)

    @property
    def library_client(self) -> Any:  # noqa: ANN401 (of the library)
        """Return the library's own client, which refuses whatever does not read."""
        return self._client

    @property
    def host(self) -> str:
        return urlsplit(self._client.meta.endpoint_url).hostname or ""

    def call(self, operation: str, parameters: Mapping[str, str], call: _Call) -> None:
        """Send a request; its answer, if there is one, is then in ``call``."""
        call.hide(self._credentials())
        self._calls.current = call
        # The events of the library bear the names of operations, its methods do not.
        names = self._client.meta.method_to_api_mapping
        method = next(method for method, name in names.items() if name == operation)
        getattr(self._client, method)(**parameters)

    def _send(self, request: Any, **_: object) -> Any:  # noqa: ANN401 (of the library)
        """Send a signed request in the library's place, and read no more than is recorded."""
        call: _Call = self._calls.current
        call.hide(_sent_secrets(request.headers))
        request.stream_output = True  # else it reads the whole body, whatever its size
        response = self._client._endpoint.http_session.send(request)  # noqa: SLF001 (no other way)
        body = _read(response, call.largest_body)
        call.answer = HttpAnswer(response.status_code, dict(response.headers), body)
        return AWSResponse(response.url, response.status_code, response.headers, _Body(body))


def _sent_secrets(headers: Mapping[str, Any]) -> Iterator[str]:
    token = headers.get("X-Amz-Security-Token")
    if token:
        yield token.decode("ascii") if isinstance(token, bytes) else str(token)


def _read(response: Any, most: int) -> bytes:  # noqa: ANN401 (of the library)
    body = bytearray()
    for chunk in response.raw.stream(_CHUNK):
        body += chunk
        if len(body) >= most:
            response.raw.close()  # read to its end, the connection would serve the next request
            return bytes(body[:most])
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdigit() and len(body) < int(announced[:_DIGITS]):
        # Not every version of the library notices.
        raise UnansweredError("unavailable", "the answer broke off", again=True)
    return bytes(body)


# --- sessions and credentials ---------------------------------------------------------------------


class _Means(NamedTuple):
    """How clients are made: where requests go, how long they may take, what describes the service.

    Attributes:
        settings: whose credentials are used for which account, and an address other than AWS's.
        policy: how long requests may take.
        loader: the library's loader, which reads its large descriptions of AWS once for all.
    """

    settings: AwsSettings
    policy: RequestPolicy
    loader: Any

    def config(self) -> Config:
        """Return how a client sends: once, and to AWS itself, whatever the environment names."""
        return Config(
            connect_timeout=self.policy.timeout_seconds,
            read_timeout=self.policy.timeout_seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=self.policy.connections,
            ignore_configured_endpoint_urls=True,
            use_dualstack_endpoint=False,
            use_fips_endpoint=False,
        )

    @property
    def token_address(self) -> str | None:
        """Return where roles are assumed, if not at AWS's own address.

        A private address of the key management offers nothing else; only a server on this machine
        answers for both.
        """
        address = self.settings.address
        return address if address is not None and is_loopback(address) else None


class _Session:
    """The credentials of one profile, or those that the library finds, and their clients.

    A session of the library is not safe for threads, its clients are.
    """

    def __init__(self, means: _Means, profile: str | None) -> None:
        self._means = means
        self._profile = profile
        self._lock = threading.RLock()
        self._opened: boto3.Session | None = None
        self._clients: dict[str, _Client] = {}

    def client(self, region: str) -> _Client:
        """Return the client for a region."""
        with self._lock:
            if region not in self._clients:
                self._session().get_partition_for_region(region)  # raises for an unknown region
                self._clients[region] = _Client(self._make("kms", region), self.secrets)
            return self._clients[region]

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be written down; new credentials replace those that expire."""
        with self._lock:
            credentials = self._session().get_credentials()
        if credentials is None:
            return ()
        frozen = credentials.get_frozen_credentials()
        return tuple(filter(None, (frozen.access_key, frozen.secret_key, frozen.token)))

    def token_client(self, region: str) -> Any:  # noqa: ANN401 (of the library)
        """Return the client by which a role is assumed."""
        with self._lock:
            if self._session().get_credentials() is None:
                raise NoCredentialsError
            client = self._make("sts", region)
        client.meta.events.register("before-call.sts", _refuser(("AssumeRole",)))
        return client

    def _make(self, service: str, region: str) -> Any:  # noqa: ANN401 (of the library)
        means = self._means
        address = means.settings.address if service == "kms" else means.token_address
        return self._session().client(
            service, region_name=region, endpoint_url=address, config=means.config()
        )

    def _session(self) -> boto3.Session:
        if self._opened is None:
            inner = self._library_session()
            inner.register_component("data_loader", self._means.loader)
            # It counts for the clients, too, by which the library itself gets credentials.
            inner.set_default_client_config(Config(ignore_configured_endpoint_urls=True))
            self._opened = boto3.Session(botocore_session=inner)
        return self._opened

    def _library_session(self) -> Any:  # noqa: ANN401 (of the library)
        return botocore.session.Session(profile=self._profile)


class _RoleSession(_Session):
    """The credentials of a role that the audit's own credentials assume."""

    METHOD = CANONICAL_NAME = "assumed-for-an-account"

    def __init__(self, means: _Means, account: AwsAccount, own: _Session) -> None:
        super().__init__(means, None)
        self._account = account
        self._own = own

    def secrets(self) -> tuple[str, ...]:
        """Return the secrets of both credentials."""
        return (*self._own.secrets(), *super().secrets())

    def load(self) -> Any:  # noqa: ANN401 (of the library)
        """Return the credentials, which are requested when they are needed, and again in time."""
        return DeferredRefreshableCredentials(self._assume, self.METHOD)

    def _library_session(self) -> Any:  # noqa: ANN401 (of the library)
        session = botocore.session.Session()
        session.register_component("credential_provider", CredentialResolver([self]))
        return session

    def _assume(self) -> dict[str, str]:
        role, external_id = str(self._account.role), self._account.external_id
        # Tokens of a region's own address are valid in regions that had to be switched on, too.
        region = _STS_REGIONS.get(role.split(":")[1], "us-east-1")
        extra = {} if external_id is None else {"ExternalId": external_id}
        answer = self._own.token_client(region).assume_role(
            RoleArn=role, RoleSessionName=_SESSION_NAME, **extra
        )
        found = answer["Credentials"]
        return {
            "access_key": SecretText(found["AccessKeyId"]),
            "secret_key": SecretText(found["SecretAccessKey"]),
            "token": SecretText(found["SessionToken"]),
            "expiry_time": found["Expiration"].isoformat(),
        }


class AwsSessions:
    """The sessions of all profiles and roles, each opened when it is first needed."""

    def __init__(self, settings: AwsSettings, policy: RequestPolicy) -> None:
        """Open nothing yet."""
        self.policy = policy
        self._means = _Means(settings, policy, create_loader())
        self._own = _Session(self._means, None)
        self._mapped = {
            account: _RoleSession(self._means, account, self._own)
            if account.role is not None
            else _Session(self._means, account.profile)
            for account in settings.accounts.values()
        }

    def transport(self, recorder: CloudRecorder) -> AwsTransport:
        """Return what sends the requests of one organization, and records them."""
        return AwsTransport(self, recorder)

    def client(self, account: str, region: str) -> _Client:
        """Return the client with the credentials for an account; making one may raise anything."""
        mapped = self._means.settings.accounts.get(account)
        session = self._own if mapped is None else self._mapped[mapped]
        return session.client(region)

    def is_redirected(self) -> bool:
        """Say whether requests go to another host than AWS's, on purpose."""
        return self._means.settings.address is not None


def open_sessions(settings: CloudSettings, policy: RequestPolicy) -> AwsSessions:
    """Return what sends requests to AWS; credentials are looked for when one is sent."""
    # The library logs whole requests, and errors with the name of the caller.
    logging.getLogger("botocore").setLevel(logging.CRITICAL + 1)
    return AwsSessions(settings.aws, policy)


# --- the transport --------------------------------------------------------------------------------


class AwsTransport:
    """Sends the requests of one organization to AWS; what goes wrong is recorded, not raised."""

    def __init__(self, sessions: AwsSessions, recorder: CloudRecorder) -> None:
        """Send by ``sessions``, and record with ``recorder``."""
        self._sessions = sessions
        self._recorder = recorder
        self._hidden: frozenset[str] = frozenset()

    def send(self, request: CloudRequest) -> Exchange:
        """Send ``request``, and return the recorded exchange."""
        _refuse(request)
        started = datetime.now(UTC)
        outcome = self._within_time(request)
        if isinstance(outcome, Failure):
            return self._recorder.failed(request.address, started, outcome)
        return self._recorder.answered(request.address, started, outcome)

    def give_up(self, request: CloudRequest) -> Exchange:
        """Record that no time was left for ``request``."""
        return self._recorder.too_late(request.address)

    def _within_time(self, request: CloudRequest) -> HttpAnswer | Failure:
        """Return what came of ``request``, in the time that one request has.

        A thread of its own sends it. The library's limits hold for each piece of an answer, and
        none of them for a program that gets credentials. The thread that is too late is left to
        end by itself; nothing of it is recorded.
        """
        outcome: SimpleQueue[HttpAnswer | Failure] = SimpleQueue()
        sender = threading.Thread(target=lambda: outcome.put(self._try(request)), daemon=True)
        sender.start()
        seconds = self._sessions.policy.timeout_seconds
        try:
            return outcome.get(timeout=seconds)
        except Empty:
            return Failure(reason="timed-out", detail=f"no answer within {seconds:g} s", again=True)

    def _try(self, request: CloudRequest) -> HttpAnswer | Failure:
        call = _Call(self._hide, self._recorder.largest_body)
        failure = Failure(reason="unavailable", detail="AWS's library sent nothing")
        try:
            client = self._client(request)
            client.call(request.operation, dict(request.parameters), call)
        except Exception as error:  # noqa: BLE001 (whatever it is, the others must not stop)
            failure = _failure_of(error)
        # An error that AWS answers raises, too: what counts is whether there was an answer.
        return call.answer or failure

    def _client(self, request: CloudRequest) -> _Client:
        client = self._sessions.client(request.account, request.host.split(".")[1])
        if client.host != request.host and not self._sessions.is_redirected():
            raise UnansweredError("wrong-address", "the region is not one of the key's partition")
        return client

    def _hide(self, secrets: Iterable[str]) -> None:
        # Emulators take credentials such as "test": hidden, they would be cut out of every word.
        long = {SecretText(secret) for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        if fresh := long - self._hidden:
            self._recorder.hide([Token("credentials of AWS", secret) for secret in sorted(fresh)])
            self._hidden |= fresh


def _refuse(request: CloudRequest) -> None:
    if request.operation not in READS:
        raise ForbiddenRequestError(f"{request.operation}: an audit only reads")


# --- failures -------------------------------------------------------------------------------------

_EXPIRED = "the credentials are to be renewed"
_NO_CREDENTIALS = "AWS's library got no credentials"
_NO_REGION = "AWS's library knows no such region"
_NOT_REACHED = "AWS was not reached"
_FAILURES: Mapping[str, tuple[CloudReason, str, bool]] = {
    "UnauthorizedSSOTokenError": ("credentials-expired", _EXPIRED, False),
    "LoginRefreshRequired": ("credentials-expired", _EXPIRED, False),
    "TokenRetrievalError": ("credentials-expired", _EXPIRED, False),
    "NoCredentialsError": ("no-credentials", _NO_CREDENTIALS, False),
    "PartialCredentialsError": ("no-credentials", _NO_CREDENTIALS, False),
    "CredentialRetrievalError": ("no-credentials", _NO_CREDENTIALS, False),
    "ProfileNotFound": ("no-credentials", "there is no such profile", False),
    "ConfigParseError": ("no-credentials", "the configuration cannot be read", False),
    "InvalidConfigError": ("no-credentials", "the configuration cannot be read", False),
    "SSOError": ("no-credentials", _NO_CREDENTIALS, False),
    "LoginError": ("no-credentials", _NO_CREDENTIALS, False),
    "BaseEndpointResolverError": ("wrong-address", _NO_REGION, False),
    "EndpointProviderError": ("wrong-address", _NO_REGION, False),
    "UnknownRegionError": ("wrong-address", _NO_REGION, False),
    "ReadTimeoutError": ("timed-out", "no answer in time", True),
    "ConnectTimeoutError": ("timed-out", "no connection in time", True),
    "SSLError": ("unavailable", "the connection is not secure", False),
    "ConnectionError": ("unavailable", _NOT_REACHED, True),
    "HTTPClientError": ("unavailable", _NOT_REACHED, True),
    "ProtocolError": ("unavailable", "the answer broke off", True),
}
"""What an exception of the library, or of those that it uses, means, by the name of its class."""


def _failure_of(error: Exception) -> Failure:
    """Return why there is no answer; what the error says is left out, as it may name a caller."""
    if isinstance(error, UnansweredError):
        fields = {"reason": error.reason, "detail": error.detail, "again": error.again}
        return Failure.model_validate(fields)
    if isinstance(error, ClientError):
        return _no_role(error)
    names = [base.__name__ for base in type(error).__mro__]
    known = next((_FAILURES[name] for name in names if name in _FAILURES), None)
    reason, what, again = known or ("unavailable", "AWS's library failed", False)
    return Failure(reason=reason, detail=f"{what} ({names[0]})", again=again)


def _no_role(error: ClientError) -> Failure:
    """Return why a role was not assumed: the only request that is not about a key."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reason = reason_of(code, status)
    is_known = reason in {"credentials-expired", "region-disabled"} or is_retryable(reason)
    shown = code if code.isascii() and code.isalnum() and len(code) <= _LONGEST_CODE else "no code"
    return Failure(
        reason=reason if is_known else "no-credentials",
        detail=f"the role for the account was not assumed: answered {status} {shown}",
        again=is_retryable(reason),
    )
