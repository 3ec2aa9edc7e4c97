"""The proxy that the environment names, and its password, which is shown nowhere."""

from __future__ import annotations

import re
import urllib.request
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import httpx

from inventory.errors import SettingError
from inventory.text.secrets import SecretText

_LARGEST_PORT = 65_535
_HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]"
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?:(?P<login>[^\s/?#\ud800-\udfff]*)@)?(?P<host>{_HOST})"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.IGNORECASE | re.ASCII,
)
_PORTS = {"http": 80, "https": 443}


class Proxy(NamedTuple):
    """A proxy that makes tunnels.

    Attributes:
        scheme: ``http`` or ``https``: how it is spoken to.
        host: its name or number.
        port: its port.
        authorization: the value of the header by which it knows us; None if it asks for none.
    """

    scheme: str
    host: str
    port: int
    authorization: SecretText | None = None


def proxy_for(address: str) -> Proxy | None:
    """Return the proxy that the environment names for ``address``; None if it names none.

    Plain HTTP goes to this machine only, so a proxy would see the token and could not help.

    Raises SettingError, without repeating it, for what is no address of a proxy.
    """
    url = httpx.URL(address)
    host = f"[{url.host}]" if ":" in url.host else url.host
    if url.scheme == "http" or urllib.request.proxy_bypass(f"{host}:{url.port or 443}"):
        return None
    for scheme in (url.scheme, "all"):
        if named := _named(scheme):
            return _parsed(named, f"{scheme.upper()}_PROXY")
    return None


def _named(scheme: str) -> SecretText:
    return SecretText(urllib.request.getproxies().get(scheme, ""))


def _parsed(named: SecretText, variable: str) -> Proxy:
    found = _ADDRESS.fullmatch(named.strip())
    port = int(found["port"] or _PORTS[found["scheme"].lower()]) if found else 0
    if not found or not 0 < port <= _LARGEST_PORT:
        expected = "http[s]://HOST:PORT or http[s]://USER:PASSWORD@HOST:PORT"
        raise SettingError(f"{variable}: found what is no address of a proxy, expected {expected}")
    login = found["login"]
    return Proxy(
        found["scheme"].lower(),
        found["host"].strip("[]"),
        port,
        None if login is None else _basic(SecretText(login)),
    )


def _basic(login: SecretText) -> SecretText:
    """Return user and password, in which a URL escapes what would end them, as a header."""
    user, _, password = login.partition(":")
    plain = b":".join(map(unquote_to_bytes, (user, password)))
    return SecretText(f"Basic {b64encode(plain).decode('ascii')}")
