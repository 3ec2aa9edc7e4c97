"""Addresses of hosts: which of them a token or a credential may be sent to."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from pydantic_core import PydanticCustomError

_LOOPBACK = {"127.0.0.1", "[::1]", "localhost"}
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(
    rf"(?P<scheme>https?)://(?P<host>(?!xn--){_LABEL}(?:\.{_LABEL})*|\[::1\])"
    r"(?::(?P<port>[0-9]{1,5}))?/*",
    re.IGNORECASE | re.ASCII,
)
_LARGEST_PORT = 65_535


def validate_address(value: str) -> str:
    """Return the address of a host, without the slash at its end.

    Raises PydanticCustomError for anything else, and for plain HTTP to another machine.
    """
    url = _HOST.fullmatch(value)
    if not url or not _is_confidential(url) or not _is_valid_authority(url):
        text = "the address of a host, such as https://api.astra.datastax.com, and nothing after it"
        raise PydanticCustomError("address", text)
    return value.rstrip("/")


def _is_confidential(url: re.Match[str]) -> bool:
    """Say whether nobody between this machine and the host can read the token."""
    return url["scheme"].lower() == "https" or url["host"].lower() in _LOOPBACK


def _is_valid_authority(url: re.Match[str]) -> bool:
    """Say whether the port is in range, and a host that ends in a number is an IPv4 address."""
    is_name = not url["host"].rpartition(".")[2].isdigit()
    return int(url["port"] or 0) <= _LARGEST_PORT and (is_name or _is_ipv4(url["host"]))


def _is_ipv4(host: str) -> bool:
    try:
        return bool(IPv4Address(host))
    except ValueError:
        return False


def is_loopback(address: str) -> bool:
    """Say whether ``address``, which is valid, is one of this machine."""
    url = _HOST.fullmatch(address)
    return url is not None and url["host"].lower() in _LOOPBACK
