"""What an organizations file may say about the clouds."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from inventory.clouds.config import CloudSettings

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/audit/cmek"


def refusals(**settings: Any) -> list[str]:  # noqa: ANN401 (any settings)
    """Return what is expected where the settings are refused."""
    with pytest.raises(ValidationError) as caught:
        CloudSettings.model_validate(settings)
    return [error["msg"] for error in caught.value.errors()]


def test_accounts_have_a_profile_or_a_role() -> None:
    """An account is read by a profile or by a role in it, with or without an external id."""
    accounts = {
        ACCOUNT: {"role": ROLE, "external_id": "acme"},
        "444455556666": {"profile": "acme-audit"},
    }
    settings = CloudSettings.model_validate({"ask": ["aws"], "aws": {"accounts": accounts}})
    assert settings.aws.accounts[ACCOUNT].role == ROLE
    assert settings.aws.accounts["444455556666"].profile == "acme-audit"


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ({}, "a profile or a role, and not both"),
        ({"profile": "a", "role": ROLE}, "a profile or a role, and not both"),
        ({"profile": "a", "external_id": "b"}, "a role with external_id"),
        (
            {"role": ROLE.replace(ACCOUNT, "444455556666")},
            "a role in the account that it is given for",
        ),
    ],
)
def test_account_that_cannot_be_read_is_refused(account: dict[str, str], expected: str) -> None:
    """An account without a way to read it, or with the role of another account, is refused."""
    assert refusals(aws={"accounts": {ACCOUNT: account}}) == [expected]


@pytest.mark.parametrize("number", ["1", "11112222333a", "arn:aws:iam::111122223333:root"])
def test_account_is_a_number(number: str) -> None:
    """An account of AWS is named by its twelve digits."""
    assert refusals(aws={"accounts": {number: {"profile": "a"}}})


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
@pytest.mark.parametrize(
    "address", ["http://kms.example", "kms.example", "https://a/b", "file:///a"]
)
def test_credentials_go_to_nobody_who_can_read_them(cloud: str, address: str) -> None:
    """Another host is reached over https, or is this machine."""
    assert refusals(**{cloud: {"address": address}})
    for safe in ("https://kms.example:8443", "http://127.0.0.1:1", "http://[::1]:1"):
        assert CloudSettings.model_validate({cloud: {"address": safe}})


def test_no_cloud_is_asked_by_default() -> None:
    """Without settings no cloud is asked."""
    assert CloudSettings().ask == ()


def test_addresses_are_those_of_clouds_that_are_asked() -> None:
    """Only a host that is asked in place of a cloud's own counts."""
    settings = CloudSettings.model_validate(
        {
            "ask": ["gcp", "aws"],
            "gcp": {"address": "http://127.0.0.1:8080"},
            "azure": {"address": "http://127.0.0.1:9090"},
        }
    )
    assert settings.addresses == ("http://127.0.0.1:8080",)
