"""Whatever breaks while organizations are read, no stack shows a token or a password."""

from __future__ import annotations

import inspect
import logging
import traceback
from base64 import b64encode
from operator import itemgetter
from pkgutil import resolve_name
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from inventory.astra import (
    attested,
    client,
    collector,
    config,
    connections,
    fetch,
    parse_databases,
    parse_keys,
    parsing,
    readings,
    recording_transport,
    worker,
)
from inventory.astra.config import Organizations
from inventory.astra.replay import replay
from inventory.evidence import exchange, writer
from inventory.system import proxies
from inventory.text import secrets
from tests.astra.faults import Fault
from tests.astra.fleet import Fleet, organizations_data
from tests.astra.matrix import needles, small_fleet
from tests.astra.server import Running, closed_address, serve
from tests.covering import marked, pairwise
from tests.evidence_files import contents_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLEET = Fleet(small_fleet().organizations[:1])
(OWN,) = FLEET.organizations
PASSWORD = "hush-" + "0123456789" * 3
LOGIN = f"me:{PASSWORD}"
SECRETS = [*needles(FLEET), PASSWORD.encode(), b64encode(LOGIN.encode())]
POLICY = {"first_wait_seconds": 0, "attempts": 2, "timeout_seconds": 5}
FIRST = (connections, proxies, worker)
MODULES = (
    *(parsing, fetch, collector, config, connections, parse_databases, exchange),
    *(
        parse_keys,
        client,
        proxies,
        readings,
        writer,
        secrets,
        worker,
        attested,
        recording_transport,
    ),
)
LIBRARIES = (
    "h11.Connection.next_event",
    "h11.Connection.send",
    "asyncio.selector_events._SelectorSocketTransport.write",
    "asyncio.selector_events._SelectorSocketTransport.abort",
    "asyncio.base_events.BaseEventLoop.create_connection",
    "asyncio.base_events.BaseEventLoop.start_tls",
    "httpx.Response.__init__",
    "httpx.Request.__init__",
    "json.decoder.JSONDecoder.decode",
    "pathlib.Path.write_bytes",
    "hashlib.sha256",
    "urllib.request.getproxies",
    "ssl.create_default_context",
)


def functions(module: ModuleType) -> Iterator[str]:
    """Yield the path of each function and method that ``module`` defines."""
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, FunctionType):
            yield f"{module.__name__}.{name}"
        elif inspect.isclass(value):
            own = (inner for inner, what in vars(value).items() if isinstance(what, FunctionType))
            yield from (f"{module.__name__}.{name}.{inner}" for inner in own if inner != "__repr__")


PLACES = [*(place for module in MODULES for place in functions(module)), *LIBRARIES]


BY_PROXY = [*(place for module in FIRST for place in functions(module)), *LIBRARIES]
"""Where it can break before the proxy is asked, or while it is."""


def _module(cell: tuple[str, bool]) -> str:
    """Return the module of our own that the cell breaks; a place in a library is its own."""
    names = [module.__name__ for module in MODULES]
    return next((name for name in names if cell[0].startswith(f"{name}.")), cell[0])


CELLS = [*((place, False) for place in PLACES), *((place, True) for place in BY_PROXY)]
WAITING = "inventory.astra.connections._Pipe.eof_received"
"""Where a break is noticed by the timeout only."""
TYPICAL = pairwise([cell for cell in CELLS if cell[0] != WAITING], _module, itemgetter(1))
"""A place of each module, directly and by the proxy; all others are slow."""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """Serve answers that repeat the token."""
    faults = [Fault("echo-token", database) for database in ("organization", "databases")]
    with serve(FLEET, faults) as running:
        yield running


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the token, and a proxy with a password that refuses all connections."""
    for name, token in FLEET.environment.items():
        monkeypatch.setenv(name, token)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, closed_address().replace("//", f"//{LOGIN}@"))
        monkeypatch.delenv(name.replace("s_", "_").replace("S_", "_"), raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def _collect(server: Running, folder: Path, *, by_proxy: bool = False) -> str:
    address = server.address
    if by_proxy:
        address = f"https://localhost:{address.rpartition(':')[2]}"
    data = organizations_data(FLEET, address, **POLICY)
    return collector.collect(Organizations.model_validate(data), str(folder)).bundle


def _breaks(*_: Any, **__: Any) -> Any:  # noqa: ANN401
    raise RuntimeError("planted")


async def _breaks_later(*_: Any, **__: Any) -> Any:  # noqa: ANN401
    raise RuntimeError("planted")


@pytest.mark.parametrize(("place", "by_proxy"), marked(CELLS, TYPICAL))
def test_no_secret_on_any_stack(
    server: Running,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    place: str,
    by_proxy: bool,  # noqa: FBT001
) -> None:
    """Wherever it breaks, neither the error with all local variables nor a file shows a secret."""
    caplog.set_level(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        is_later = inspect.iscoroutinefunction(resolve_name(place))
        patch.setattr(place, _breaks_later if is_later else _breaks)
        shown = _shown(server, tmp_path, by_proxy=by_proxy)
    written = contents_below(tmp_path).values()
    printed = [shown, caplog.text, *capfd.readouterr()]
    everything = b"\n".join([*written, *(text.encode() for text in printed)])
    assert [secret for secret in SECRETS if secret in everything] == []


def _shown(server: Running, folder: Path, *, by_proxy: bool) -> str:
    """Return the error as pytest shows it, with the local variables of all frames but these."""
    try:
        _collect(server, folder, by_proxy=by_proxy)
    except Exception as error:  # noqa: BLE001
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        info = pytest.ExceptionInfo.from_exception(error)
        return str(
            info.getrepr(showlocals=True, funcargs=True, truncate_locals=False, truncate_args=False)
        )
    return ""


def test_errors_keep_their_places(server: Running, tmp_path: Path) -> None:
    """An error in the middle of the reading keeps its type, its text and where it was raised."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording_transport, "redact_body", _breaks)
        with pytest.raises(RuntimeError, match=r"^planted$") as caught:
            _collect(server, tmp_path)
    named = {entry.name for entry in caught.traceback}
    assert {"collect", "run_job", "handle_async_request", "_breaks"} <= named
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["redact_body", "recorded_response"])
def test_interruption_shows_nothing(server: Running, tmp_path: Path, place: str) -> None:
    """An interruption in the middle of an answer shows nothing of it, and nothing of the token."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording_transport, place, interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            _collect(server, tmp_path)
    whole = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(whole.format()).encode()
    assert [secret for secret in SECRETS if secret in shown] == []
    assert list(tmp_path.iterdir()) == []


def test_token_that_comes_back_is_not_recorded(server: Running, tmp_path: Path) -> None:
    """Without any error, a bundle of answers that repeat the token is made, and holds none."""
    assert replay(_collect(server, tmp_path)).manifest.redactions > 0
