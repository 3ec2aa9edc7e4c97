"""Which hosts answer for Astra and for the clouds."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inventory.system.hosts import ADDRESS, foreign_hosts, other_hosts, strange_hosts


@pytest.mark.parametrize(
    "address",
    [ADDRESS, f"{ADDRESS}:443", f"{ADDRESS}/", f"{ADDRESS}:443/", ADDRESS.upper()],
)
def test_astra_may_be_written_in_other_ways(address: str) -> None:
    """Capitals, the usual port and a slash at the end make no other host of Astra."""
    assert other_hosts([address]) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8080",
        "http://api.astra.datastax.com",
        f"{ADDRESS}:8443",
        f"{ADDRESS}:443:443",
        f"{ADDRESS}.example",
        f"{ADDRESS}@evil.example",
        "https://api.astra.datastax.com.",
    ],
)
def test_whatever_else_answers_is_not_astra(address: str) -> None:
    """Another host, scheme or port is another, and is named once."""
    assert other_hosts([address, ADDRESS, address]) == [address]


def test_hosts_of_evidence_are_astras_and_the_clouds_own() -> None:
    """Of all hosts that answered, those are named that are neither Astra's nor a cloud's."""
    own = "https://cloudkms.googleapis.com"
    evidence = [
        SimpleNamespace(address=address, cloud_addresses=clouds)
        for address, clouds in [
            (ADDRESS, ()),
            ("", (own, "http://127.0.0.1:2")),
            ("http://127.0.0.1:1", (own,)),
        ]
    ]
    assert strange_hosts(evidence) == ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    assert strange_hosts(evidence[:1]) == []


def test_no_host_is_no_other_host() -> None:
    """Where only clouds were asked, no host of Astra is named, and none is another."""
    assert other_hosts(["", ADDRESS]) == []


OWN_HOSTS = [
    "https://kms.us-east-2.amazonaws.com",
    "https://kms-fips.us-gov-west-1.amazonaws.com",
    "https://kms.cn-north-1.amazonaws.com.cn/",
    "https://vpce-0a1b2c-3d4e.kms.us-east-2.vpce.amazonaws.com:443",
    "https://cloudkms.googleapis.com",
    "https://cloudkms-acme.p.googleapis.com",
    "https://cloudkms.us-east1.rep.googleapis.com",
    "https://ACME.vault.azure.net",
    "https://acme.managedhsm.usgovcloudapi.net",
]
OTHER_HOSTS = [
    "http://127.0.0.1:8080",
    "http://kms.us-east-2.amazonaws.com",
    "https://kms.s3.amazonaws.com",
    "https://kms.us-east-2.amazonaws.com.evil.example",
    "https://evil.example/kms.us-east-2.amazonaws.com",
    "https://acme.s3.us-east-2.amazonaws.com",
    "https://storage.googleapis.com",
    "https://evilcloudkms.googleapis.com",
    "https://evil.example.vault.azure.net",
    "https://kms.us-east-2.amazonaws.com:8443",
]


@pytest.mark.parametrize("address", OWN_HOSTS)
def test_hosts_of_clouds_are_their_own(address: str) -> None:
    """A host of a cloud's key management, a private endpoint too, answers for the cloud."""
    assert foreign_hosts([address]) == []


@pytest.mark.parametrize("address", OTHER_HOSTS)
def test_whatever_else_answers_is_no_cloud(address: str) -> None:
    """Another host, scheme or port is no cloud's, and is named once."""
    assert foreign_hosts([address, OWN_HOSTS[0], address]) == [address]
