"""The address under which a request to a cloud is recorded."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds.replay_transport import is_cloud_address
from inventory.clouds.requests import CloudRequest
from tests.builders import aws_key_id, gcp_key_id


@pytest.mark.parametrize(
    ("request_", "address"),
    [
        (
            CloudRequest("aws", "kms.us-east-1.amazonaws.com", "ListGrants", (("KeyId", "a:b/c"),)),
            "/aws/kms.us-east-1.amazonaws.com/ListGrants?KeyId=a%3Ab%2Fc",
        ),
        (
            CloudRequest("gcp", "cloudkms.googleapis.com", f"v1/{gcp_key_id()}:getIamPolicy"),
            f"/gcp/cloudkms.googleapis.com/v1/{gcp_key_id()}:getIamPolicy",
        ),
        (
            CloudRequest("azure", "acme.vault.azure.net", "keys/../a b", (("api-version", "7"),)),
            "/azure/acme.vault.azure.net/keys/%2E%2E/a%20b?api-version=7",
        ),
        (
            CloudRequest(
                "gcp", "cloudkms.googleapis.com", "v1/r", (("a", "3"),), about="cryptoKeys/b#c"
            ),
            "/gcp/cloudkms.googleapis.com/v1/r?a=3#cryptoKeys/b%23c",
        ),
    ],
)
def test_address_names_cloud_host_and_what_is_asked(request_: CloudRequest, address: str) -> None:
    """An address is a path of cloud, host and operation, with the parameters as they are sent."""
    assert request_.address == address
    assert is_cloud_address(address)


@given(
    st.text(max_size=20), st.lists(st.tuples(st.text(max_size=5), st.text(max_size=9)), max_size=3)
)
def test_no_name_leaves_its_place(operation: str, parameters: list[tuple[str, str]]) -> None:
    """Whatever names hold, the address can be written, and they can be read back from it."""
    encodable = "".join((operation, *(part for pair in parameters for part in pair)))
    if encodable.encode("utf-8", "replace").decode() != encodable:
        return
    address = CloudRequest("aws", "kms.a", operation, tuple(parameters)).address
    assert re.fullmatch(r"/[!-~]*", address)
    parts = urlsplit(address)
    assert unquote(parts.path) == f"/aws/kms.a/{operation}"
    assert ".." not in parts.path
    assert parse_qsl(parts.query, keep_blank_values=True) == parameters


def test_requests_to_astra_are_none_to_a_cloud() -> None:
    """An address of Astra is never taken for one of a cloud."""
    assert not is_cloud_address("/v2/kms/provider/aws/region/us-east-1")
    assert not is_cloud_address(f"/v2/{aws_key_id()}")
