"""The proxy is the one that the environment names, and nothing shows its password."""

from __future__ import annotations

import contextlib
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import SettingError
from inventory.system.proxies import Proxy, proxy_for

HOST = "https://astra.example.test"
ONE, TWO = Proxy("http", "proxy.test", 1), Proxy("http", "proxy.test", 2)
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("spell", [str.lower, str.upper], ids=["lower", "upper"])
@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://proxy.test:1"}, ONE),
        ({"https_proxy": " http://proxy.test:1 "}, ONE),
        ({"http_proxy": "http://proxy.test:1"}, None),
        ({"all_proxy": "http://proxy.test:2"}, TWO),
        ({"https_proxy": "http://proxy.test:1", "all_proxy": "http://proxy.test:2"}, ONE),
        ({"https_proxy": "http://proxy.test:1", "no_proxy": "astra.example.test"}, None),
        ({"https_proxy": "http://proxy.test:1", "no_proxy": "astra.example.test:443"}, None),
        ({"https_proxy": "http://proxy.test:1", "no_proxy": "astra.example.test:8443"}, ONE),
        ({"https_proxy": "http://proxy.test:1", "no_proxy": ".example.test"}, None),
        ({"https_proxy": "http://proxy.test:1", "no_proxy": "*"}, None),
        ({"all_proxy": "http://proxy.test:1", "no_proxy": "*"}, None),
        ({"https_proxy": "http://proxy.test:1", "no_proxy": "other.test"}, ONE),
    ],
)
def test_proxies(
    monkeypatch: pytest.MonkeyPatch,
    spell: type[str],
    environment: dict[str, str],
    proxy: Proxy | None,
) -> None:
    """The proxy is the one that the environment names for the host, unless it is excepted."""
    for name, value in environment.items():
        monkeypatch.setenv(spell(name), value)
    assert proxy_for(HOST) == proxy


@pytest.mark.parametrize("name", [*VARIABLES[:3], *map(str.upper, VARIABLES[:3])])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_no_proxy_sees_what_stays_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, name: str, host: str
) -> None:
    """What is asked in plain HTTP, on loopback, goes by no proxy: the token would be in it."""
    monkeypatch.setenv(name, "http://proxy.test:1")
    assert proxy_for(f"http://{host}:8000") is None


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("http://proxy.test", ("http", "proxy.test", 80)),
        ("HTTPS://proxy.test/", ("https", "proxy.test", 443)),
        ("http://10.0.0.1:3128", ("http", "10.0.0.1", 3128)),
        ("http://[::1]:3128/", ("http", "::1", 3128)),
    ],
)
def test_addresses_of_proxies(
    monkeypatch: pytest.MonkeyPatch, named: str, expected: tuple[str, str, int]
) -> None:
    """A proxy has a name or a number, a port, and speaks plainly or over TLS."""
    monkeypatch.setenv("HTTPS_PROXY", named)
    proxy = proxy_for("https://[::1]:8443")
    assert proxy == Proxy(*expected)


@pytest.mark.parametrize(
    ("login", "plain"),
    [("me:hush", "me:hush"), ("me", "me:"), ("a%40b:hush%3a%20", "a@b:hush: "), ("é:x@y", "é:x@y")],
)
def test_password(monkeypatch: pytest.MonkeyPatch, login: str, plain: str) -> None:
    """User and password are told to the proxy as they are meant, and shown to nobody."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{login}@proxy.test:1")
    proxy = proxy_for(HOST)
    assert proxy is not None
    assert repr(proxy) == (
        "Proxy(scheme='http', host='proxy.test', port=1, authorization=(hidden))"
    )
    kind, _, encoded = str(proxy.authorization).partition(" ")
    assert (kind, b64decode(encoded).decode()) == ("Basic", plain)


WRONG = (
    "socks5://me:hush@proxy.test:1",
    "me:hush@proxy.test:1",
    "proxy.test:1",
    "http://me:hush@[::bad:1",
    "http://me:hush@[::bad",
    "http://me:hush@proxy.test:65536",
    "http://me:hush@proxy.test:0",
    "http://me:hush@proxy.test:",
    "http://me:hush@proxy.test:-1",
    "http://me:hush@proxy.test:1/path",
    "http://me:hush@proxy.test:1?a=b",
    "http://me:hush @proxy.test:1",
    "http://me:hush@pro xy.test:1",
    "http://me:hush@",
    "http://me:hush@pröxy.test:1",
    "http://me:hush\udcff@proxy.test:1",
    "http://",
    "hush",
)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("proxy", WRONG)
def test_proxies_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
) -> None:
    """What is no address of a proxy is a mistake in a setting, which does not repeat it."""
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(SettingError) as caught:
        proxy_for(HOST)
    assert str(caught.value) == (
        f"{variable}: found no valid proxy address, expected http[s]://HOST:PORT or "
        "http[s]://USER:PASSWORD@HOST:PORT"
    )


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1))
def test_nothing_breaks_it(named: str) -> None:
    """Whatever the environment names is a proxy, none, or a mistake that is reported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", named)
        with contextlib.suppress(SettingError):
            assert isinstance(proxy_for(HOST), Proxy | None)
