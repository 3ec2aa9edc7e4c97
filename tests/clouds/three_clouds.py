"""An organization with keys in AWS, Google Cloud and Azure, and all four servers on loopback."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.astra.bodies import VENDOR_ACCOUNTS
from tests.astra.fleet import (
    Fleet,
    FleetDatabase,
    FleetKey,
    FleetOrganization,
    FleetRegion,
    organizations_data,
    synthetic_uuid,
)
from tests.astra.server import serve
from tests.builders import write_yaml
from tests.clouds import azure_server as vaults
from tests.clouds import gcp_bodies
from tests.clouds.aws_server import GRANT, AwsKeyEntry, AwsServer, a_key, epoch, serving
from tests.clouds.azure_server import AzureServer, azure
from tests.clouds.gcp_server import GoogleServer, google_server, private_key, write_service_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.astra.fleet import Provider
    from tests.astra.server import Running

# --- keys -----------------------------------------------------------------------------------------

OWN, OTHER, SHARED = "111122223333", "222233334444", "333344445555"
ROLE = f"arn:aws:iam::{SHARED}:role/cmek-audit"
EXTERNAL_ID = "sham-external-id"


def _arn(account: str, region: str) -> str:
    return f"arn:aws:kms:{region}:{account}:key/1a2b3c4d-0001-4000-8000-{account}"


AWS = _arn(OWN, "af-south-1")
"""A key in a region that has to be switched on, by the credentials of the environment."""

AWS_BY_PROFILE = _arn(OTHER, "us-west-2")
AWS_BY_ROLE = _arn(SHARED, "eu-west-1")
AWS_PLANNED = _arn(OWN, "us-east-2")
GOOGLE = gcp_bodies.KEY
AZURE = vaults.KEY_ID
ALL = (AWS, AWS_BY_PROFILE, AWS_BY_ROLE, GOOGLE, AZURE)

_PLACES: Mapping[str, tuple[Provider, str]] = {
    AWS: ("aws", "af-south-1"),
    AWS_BY_PROFILE: ("aws", "us-west-2"),
    AWS_BY_ROLE: ("aws", "eu-west-1"),
    GOOGLE: ("gcp", "us-east1"),
    AZURE: ("azure", "eastus2"),
}


def fleet_of(*key_ids: str) -> Fleet:
    """Return one organization with a database by each key."""
    name = "acme-prod"
    databases = tuple(
        FleetDatabase(
            id=synthetic_uuid("database", name, key_id),
            name=f"orders-{number}",
            tier="serverless",
            provider=_PLACES[key_id][0],
            regions=(FleetRegion(_PLACES[key_id][1]),),
        )
        for number, key_id in enumerate(key_ids, 1)
    )
    organization = FleetOrganization(
        id=synthetic_uuid("organization", name),
        name=name,
        token="AstraCS:not-a-real-token:acme-prod",
        keys=tuple(FleetKey("serverless", *_PLACES[key_id], key_id) for key_id in key_ids),
        databases=databases,
    )
    return Fleet((organization,))


# --- what healthy clouds show ---------------------------------------------------------------------

_NOW = datetime.now(UTC).replace(microsecond=0)
_CREATED = datetime(2025, 1, 1, tzinfo=UTC)
_ROTATED, _NEXT = _NOW - timedelta(days=30), _NOW + timedelta(days=60)
VENDOR = VENDOR_ACCOUNTS["aws"].split(":")[4]
MEMBER = f"serviceAccount:astra@{VENDOR_ACCOUNTS['gcp']}.iam.gserviceaccount.com"
_USE = ("Decrypt", "Encrypt", "ReEncrypt*", "GenerateDataKey*", "DescribeKey", "CreateGrant")


def key_policy(account: str, *vendors: str) -> str:
    """Return the policy of a key of ``account`` which ``vendors`` may use."""
    owner = {"AWS": f"arn:aws:iam::{account}:root"}
    statements: list[dict[str, Any]] = [
        {"Sid": "Owner", "Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"}
    ]
    statements += [
        {
            "Sid": "Astra",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{vendor}:root"},
            "Action": [f"kms:{action}" for action in _USE],
            "Resource": "*",
        }
        for vendor in vendors
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def aws_key(arn: str, *vendors: str, **over: object) -> AwsKeyEntry:
    """Return a healthy key in AWS which ``vendors`` may use; ``over`` are of its metadata."""
    entry = a_key(arn, **({"CreationDate": epoch(_CREATED)} | over))
    entry.usage |= {"KeyCreationDate": epoch(_CREATED), "TrackingStartDate": epoch(_CREATED)}
    vendor = {
        "GranteePrincipal": f"arn:aws:iam::{VENDOR}:root",
        "IssuingAccount": f"arn:aws:iam::{VENDOR}:root",
    }
    entry.grants = [GRANT | {"KeyId": arn} | vendor] if vendors else []
    entry.policies = {"default": key_policy(arn.split(":")[4], *vendors)}
    return entry


def _hold_google_key(server: GoogleServer) -> None:
    moments = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (_CREATED, _ROTATED, _NEXT)]
    versions = [
        gcp_bodies.version(number, createTime=moment)
        for number, moment in enumerate(moments[:2], 1)
    ]
    server.keys[GOOGLE] = gcp_bodies.key(
        primary=versions[1], createTime=moments[0], nextRotationTime=moments[2]
    )
    server.versions[GOOGLE] = versions
    server.policies[GOOGLE] = gcp_bodies.policy(gcp_bodies.binding(MEMBER))


def _hold_azure_key(server: AzureServer) -> None:
    created, rotated = int(epoch(_CREATED)), int(epoch(_ROTATED))
    path = f"/keys/{vaults.NAME}"
    latest = vaults.bundle(created=rotated, updated=rotated)
    server.bodies = {
        (vaults.HOST, path): latest,
        (vaults.HOST, f"{path}/versions"): [
            vaults.listed(vaults.OLD, created),
            vaults.listed(vaults.LATEST, rotated),
        ],
        (vaults.HOST, f"{path}/rotationpolicy"): vaults.policy(),
    }


# --- the servers ----------------------------------------------------------------------------------

ACCESS_KEY, PROFILE_KEY = "AKIA" + "SHAMSHAMSHAMSHAM", "AKIA" + "SHAMSHAMPROFILES"
SECRET, PROFILE_SECRET = (
    "sham-secret-of-the-environment-00000",
    "sham-secret-of-the-profile-000000000",
)
SESSION_TOKEN = "sham-session-token-of-the-environment-" + "t" * 60
CLIENT_SECRET = "sham-client-secret-of-an-application"
_private_key = cache(private_key)


class ThreeClouds(NamedTuple):
    """The servers of Astra and of three clouds."""

    fleet: Fleet
    astra: Running
    aws: AwsServer
    gcp: GoogleServer
    azure: AzureServer

    def organizations(self, *ask: str, **policy: float) -> dict[str, Any]:
        """Return an organizations file whose keys only the clouds speak for.

        What people attest is left out, apart from when each key was registered.
        """
        how = {"first_wait_seconds": 0.0, "attempts": 2, "timeout_seconds": 10.0} | policy
        data = organizations_data(self.fleet, self.astra.address, **how)
        for organization in data["organizations"]:
            for key in organization["keys"]:
                del key["rotation"], key["usable"]
        accounts = {
            OTHER: {"profile": "other"},
            SHARED: {"role": ROLE, "external_id": EXTERNAL_ID},
        }
        clouds = {
            "ask": list(ask),
            "aws": {"accounts": accounts, "address": self.aws.address},
            "gcp": {"address": self.gcp.address},
            "azure": {"address": self.azure.address},
        }
        return data | {"clouds": clouds}

    def organizations_file(self, folder: Path, *ask: str, **policy: float) -> str:
        """Write that file, and return its path."""
        return write_yaml(folder / "organizations.yaml", self.organizations(*ask, **policy))

    def credentials(self, folder: Path) -> dict[str, str]:
        """Return an environment in which each library finds its credentials, and no others."""
        home = folder / "home"
        home.mkdir(exist_ok=True)
        profile = f"[other]\naws_access_key_id = {PROFILE_KEY}\n"
        (home / "credentials").write_text(f"{profile}aws_secret_access_key = {PROFILE_SECRET}\n")
        (home / "config").write_text("[profile other]\nregion = us-west-2\n")
        account = write_service_account(
            home / "account.json", _private_key(), f"{self.gcp.address}/token"
        )
        return {
            **without_credentials(folder),
            **self.fleet.environment,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": SESSION_TOKEN,
            "GOOGLE_APPLICATION_CREDENTIALS": str(account),
            "AZURE_TENANT_ID": vaults.TENANT,
            "AZURE_CLIENT_ID": "11112222-0000-4000-8000-000000000000",
            "AZURE_CLIENT_SECRET": CLIENT_SECRET,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "IDENTITY_ENDPOINT": f"{self.azure.address}/identity",
            "IDENTITY_HEADER": "fake-identity-header",
        }


_OF_CLOUDS = ("AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_", "IDENTITY_", "IMDS_", "MSI_", "BOTO")


def without_credentials(folder: Path) -> dict[str, str]:
    """Return an environment in which no library finds credentials, or asks this machine for any."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OF_CLOUDS) and not name.lower().endswith("_proxy")
    }
    return own | {
        "HOME": str(home),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CLOUDSDK_CONFIG": str(home),
        "NO_GCE_CHECK": "true",
        "AZURE_CONFIG_DIR": str(home),
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }


@contextmanager
def three_clouds(*key_ids: str) -> Iterator[ThreeClouds]:
    """Run four servers; the clouds hold a healthy key of each of ``key_ids``, by default of all."""
    fleet = fleet_of(*(key_ids or ALL))
    aws = AwsServer(
        keys={arn: aws_key(arn, VENDOR) for arn in (AWS, AWS_BY_PROFILE, AWS_BY_ROLE)},
        accounts={ACCESS_KEY: OWN, PROFILE_KEY: OTHER},
        roles={ROLE: EXTERNAL_ID},
    )
    with ExitStack() as stack:
        running = ThreeClouds(
            fleet,
            stack.enter_context(serve(fleet)),
            stack.enter_context(serving(aws)),
            stack.enter_context(google_server()),
            stack.enter_context(azure()),
        )
        restore(running)
        yield running


def restore(clouds: ThreeClouds) -> None:
    """Make all clouds healthy, and let them forget what was asked."""
    clouds.aws.keys = {arn: aws_key(arn, VENDOR) for arn in (AWS, AWS_BY_PROFILE, AWS_BY_ROLE)}
    clouds.aws.faults = {}
    clouds.aws.requests.clear()
    clouds.gcp.faults.clear()
    clouds.gcp.seen.clear()
    clouds.gcp.permissions = set(_PERMISSIONS)
    _hold_google_key(clouds.gcp)
    clouds.azure.faults.clear()
    clouds.azure.asked.clear()
    clouds.azure.tenants = {vaults.HOST: vaults.TENANT}
    _hold_azure_key(clouds.azure)


_PERMISSIONS = frozenset(
    {
        "cloudkms.cryptoKeys.get",
        "cloudkms.cryptoKeyVersions.list",
        "cloudkms.cryptoKeys.getIamPolicy",
        "cloudkms.keyRings.getIamPolicy",
    }
)
