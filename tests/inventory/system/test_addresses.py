"""Addresses to which a secret may be sent."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from inventory.system.addresses import is_loopback, validate_address


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("https://api.astra.datastax.com/", False),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:1", True),
        ("http://LOCALHOST", True),
        ("https://127.0.0.1.example", False),
    ],
)
def test_address_of_a_host_is_accepted(address: str, *, is_here: bool) -> None:
    """A host over https, or this machine, is accepted, without the slash at the end."""
    assert validate_address(address) == address.rstrip("/")
    assert is_loopback(validate_address(address)) is is_here


@pytest.mark.parametrize(
    "address",
    ["http://example.com", "https://a/b", "https://a:70000", "https://1.2.3", "a", "https://xn--a"],
)
def test_other_addresses_are_refused(address: str) -> None:
    """Plain http to another machine, a path, and what is no host are refused."""
    with pytest.raises(PydanticCustomError):
        validate_address(address)
    assert not is_loopback("https://a/b")
