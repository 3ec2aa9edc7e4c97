"""Key ids, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model.key_ids import (
    KeyId,
    canonical,
    material_id,
    owner_of,
    parse_key_id,
    project_of,
    version_of,
)
from tests.builders import aws_key_id, azure_key_id, gcp_key_id
from tests.hypothesis_profile import examples

UUID = "00000000-0000-4000-8000-000000000001"
UUID_HEX = UUID.replace("-", "")
MRK = "mrk-" + "0123456789abcdef" * 2
VERSION = "0123456789abcdef" * 2
RING = "projects/acme-prod/locations/us-east1/keyRings/acme-ring/cryptoKeys/acme-key"
VAULT = "https://acme-vault.vault.azure.net/keys/acme-key"


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "us-east-2"), ("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")],
)
def test_aws_keys(partition: str, region: str) -> None:
    """An ARN of a key tells its partition and region, and is its own canonical form."""
    text = f"arn:{partition}:kms:{region}:111122223333:key/{UUID}"
    assert parse_key_id(text) == KeyId("key", "aws", region, text, partition, multi_region=False)


def test_aws_multi_region_keys() -> None:
    """An AWS multi-Region key says so, and is another key in each region."""
    one, two = (
        f"arn:aws:kms:{region}:111122223333:key/{MRK}" for region in ("us-east-1", "us-east-2")
    )
    assert parse_key_id(one) == KeyId("key", "aws", "us-east-1", one, "aws", multi_region=True)
    assert parse_key_id(one).canonical != parse_key_id(two).canonical


def test_aws_aliases() -> None:
    """An ARN of an alias has a region, but names no key for ever."""
    text = "arn:aws:kms:us-east-1:111122223333:alias/acme/orders_1"
    assert parse_key_id(text) == KeyId("alias", "aws", "us-east-1", text, "aws")


@pytest.mark.parametrize("location", ["us-east1", "global", "us", "europe-west4"])
def test_google_keys(location: str) -> None:
    """A Google resource name tells its location."""
    text = gcp_key_id(location)
    assert parse_key_id(text) == KeyId("key", "gcp", location, text)


def test_google_domain_projects() -> None:
    """A Google project may belong to a domain."""
    text = RING.replace("acme-prod", "acme.example:acme-prod")
    assert parse_key_id(text) == KeyId("key", "gcp", "us-east1", text)


@pytest.mark.parametrize(
    "host",
    [
        "acme.vault.azure.net",
        "acme.vault.azure.cn",
        "acme.vault.usgovcloudapi.net",
        "acme.managedhsm.azure.net",
    ],
)
def test_azure_keys(host: str) -> None:
    """An Azure identifier of a vault's or a managed HSM's key holds no region."""
    text = f"https://{host}/keys/acme-key"
    assert parse_key_id(text) == KeyId("key", "azure", None, text)


def test_azure_case() -> None:
    """Azure identifiers differ not by case."""
    assert parse_key_id(VAULT.replace("acme-", "ACME-")).canonical == VAULT


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (f"{RING}/cryptoKeyVersions/7", RING),
        (f"{VAULT}/{VERSION}", VAULT),
        (f"{VAULT}/{VERSION.upper()}", VAULT),
    ],
)
def test_versions(text: str, canonical: str) -> None:
    """The version of a key is no part of its canonical form."""
    assert parse_key_id(text).canonical == canonical
    assert parse_key_id(canonical).canonical == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme-key",
        UUID,
        "alias/acme",
        f"arn:aws:kms:us-east-1:1111222233:key/{UUID}",
        f"arn:aws-iso:kms:us-iso-east-1:111122223333:key/{UUID}",
        f"arn:aws:kms:us-east-1:111122223333:key/{UUID.upper()}X",
        f"arn:aws:kms::111122223333:key/{UUID}",
        f"arn:aws:s3:us-east-1:111122223333:key/{UUID}",
        f" {aws_key_id()}",
        f"{aws_key_id()}\n",
        f"arn:aws:kms:us-east-1:١١١١٢٢٢٢٣٣٣٣:key/{UUID}",
        "arn:aws:kms:us-east-1:111122223333:alias/é",
        "arn:aws:kms:us-east-1:111122223333:alias/",
        "projects/acme-prod/locations/us-east1/keyRings/acme-ring",
        f"{RING}/cryptoKeyVersions/",
        f"{RING}/cryptoKeyVersions/latest",
        RING.replace("acme-ring", "ácme"),
        "http://acme-vault.vault.azure.net/keys/acme-key",
        "https://acme-vault.vault.azure.net.example/keys/acme-key",
        "https://acme.example/keys/acme-key",
        "https://acme-vault.vault.azure.net/secrets/acme-key",
        VAULT.replace("key", "\u212aey"),
        f"{VAULT}/latest",
    ],
)
def test_other_texts(text: str) -> None:
    """A text of no known form is unknown and stands for itself."""
    assert parse_key_id(text) == KeyId("unknown", None, None, text)


_valid = [aws_key_id(), gcp_key_id(version=3), azure_key_id(version=VERSION)]


@examples(200)
@given(
    st.text(max_size=60)
    | st.tuples(st.sampled_from(_valid), st.integers(0, 120), st.text(max_size=3)).map(
        lambda made: made[0][: made[1]] + made[2] + made[0][made[1] + len(made[2]) :]
    )
)
def test_any_text(text: str) -> None:
    """Any text can be taken apart, and a canonical form is its own canonical form."""
    parsed = parse_key_id(text)
    assert parse_key_id(parsed.canonical).canonical == parsed.canonical
    assert (parsed.provider is None) == (parsed.form == "unknown")
    assert (parsed.partition is not None) == (parsed.provider == "aws")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (gcp_key_id(version=1), gcp_key_id(version=2)),
        (gcp_key_id(), gcp_key_id(version=2)),
        (azure_key_id(), azure_key_id(version=VERSION)),
        (VAULT, VAULT.replace("acme", "ACME")),
    ],
)
def test_two_ids_of_one_key(one: str, two: str) -> None:
    """Ids that differ in version or case only have the same canonical form."""
    assert canonical(one) == canonical(two)
    assert canonical(one) != canonical(aws_key_id())


@pytest.mark.parametrize("odd", ["x{}", " {}", "{} ", "{}:x", "{}\n", "{}.example.com"])
def test_more_than_an_alias_is_no_alias(odd: str) -> None:
    """An ARN with something before or after it has the form of no provider."""
    text = odd.format("arn:aws:kms:us-east-1:111122223333:alias/acme")
    assert parse_key_id(text) == KeyId("unknown", None, None, text)


@pytest.mark.parametrize(
    ("text", "common"),
    [
        (f"arn:aws:kms:us-east-1:111122223333:key/{MRK}", f"aws:111122223333:key/{MRK}"),
        (f"arn:aws-cn:kms:cn-north-1:111122223333:key/{MRK}", f"aws-cn:111122223333:key/{MRK}"),
        (aws_key_id(), ""),
        ("arn:aws:kms:us-east-1:111122223333:alias/acme", ""),
        (gcp_key_id(), "us-east1/keyRings/acme-ring/cryptoKeys/acme-key"),
        (gcp_key_id(version=2), "us-east1/keyRings/acme-ring/cryptoKeys/acme-key"),
        (azure_key_id(), ""),
        ("not-a-key", ""),
    ],
)
def test_ids_of_one_material_are_kin(text: str, common: str) -> None:
    """Only multi-Region keys of AWS and keys of Google can be one material under several ids."""
    assert material_id(text) == common


@pytest.mark.parametrize(
    ("text", "project"),
    [
        (gcp_key_id(), "acme-prod"),
        (gcp_key_id(version=2), "acme-prod"),
        (gcp_key_id().replace("acme-prod", "123456789"), "123456789"),
        (aws_key_id(), ""),
        (azure_key_id(), ""),
        ("projects/acme-prod", ""),
    ],
)
def test_a_key_of_google_names_its_project(text: str, project: str) -> None:
    """The project is the part of a Google key's id after the first slash; others have none."""
    assert project_of(text) == project


@pytest.mark.parametrize(
    ("key_id", "owner", "version"),
    [
        (aws_key_id(), "111122223333", ""),
        ("arn:aws:kms:us-east-1:111122223333:alias/acme", "111122223333", ""),
        (gcp_key_id(), "acme-prod", ""),
        (gcp_key_id(version=7), "acme-prod", "7"),
        (azure_key_id(), "acme-vault.vault.azure.net", ""),
        (azure_key_id("Acme", UUID_HEX), "acme-vault.vault.azure.net", UUID_HEX),
        ("acme", "", ""),
    ],
)
def test_a_key_id_names_owner_and_version(key_id: str, owner: str, version: str) -> None:
    """A key id names the account, project or vault of the key, and maybe one of its versions."""
    assert (owner_of(key_id), version_of(key_id)) == (owner, version)
