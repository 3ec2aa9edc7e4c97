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
    """A proxy that opens tunnels by CONNECT.

    Attributes:
        scheme: ``http`` or ``https``: how to connect to it.
        host: its name or IP address.
        port: its port.
        authorization: the value of the ``Proxy-Authorization`` header; None without a password.
    """

    scheme: str
    host: str
    port: int
    authorization: SecretText | None = None


def proxy_for(address: str) -> Proxy | None:
    """Return the proxy that the environment names for ``address``; None if it names none.

    Plain HTTP goes to this machine only: a proxy could not reach it, and would see the token.

    Raises SettingError for anything but the address of a proxy; its text never repeats the value,
    which may hold a password.
    """
    url = httpx.URL(address)
    host = f"[{url.host}]" if ":" in url.host else url.host
    if url.scheme == "http" or urllib.request.proxy_bypass(f"{host}:{url.port or 443}"):
        return None
    for scheme in (url.scheme, "all"):
        if value := _environment_proxy(scheme):
            return _parse_proxy(value, f"{scheme.upper()}_PROXY")
    return None


def _environment_proxy(scheme: str) -> SecretText:
    return SecretText(urllib.request.getproxies().get(scheme, ""))


def _parse_proxy(value: SecretText, variable: str) -> Proxy:
    url = _ADDRESS.fullmatch(value.strip())
    port = int(url["port"] or _PORTS[url["scheme"].lower()]) if url else 0
    if not url or not 0 < port <= _LARGEST_PORT:
        expected = "http[s]://HOST:PORT or http[s]://USER:PASSWORD@HOST:PORT"
        raise SettingError(f"{variable}: found no valid proxy address, expected {expected}")
    login = url["login"]
    return Proxy(
        scheme=url["scheme"].lower(),
        host=url["host"].strip("[]"),
        port=port,
        authorization=None if login is None else _basic_authorization(SecretText(login)),
    )


def _basic_authorization(login: SecretText) -> SecretText:
    """Build a header of user and password, in which a URL percent-encodes what would end them."""
    user, _, password = login.partition(":")
    plain = b":".join(map(unquote_to_bytes, (user, password)))
    return SecretText(f"Basic {b64encode(plain).decode('ascii')}")
