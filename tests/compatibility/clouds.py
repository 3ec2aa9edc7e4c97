"""Each cloud with its own library only: ``python -m tests.compatibility.clouds``.

An environment that is thrown away is made for the core and for each extra. In each of them one
audit asks all three clouds, which are servers on loopback. The cloud of the extra must answer, and
the others must be named as what needs a library. In the last one, the core, the evidence of all
three is replayed and judged.
"""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.clouds.registry import CLOUDS
from inventory.model.key_ids import parse_key_id
from inventory.opening import read_file
from tests.builders import document_data, key_data, organization_data, write_yaml
from tests.clouds import azure_server, gcp_bodies
from tests.clouds.aws_server import KEY, OWN_KEY_ID, AwsServer, serving
from tests.clouds.gcp_server import google_server, private_key, write_service_account
from tests.clouds.google_keys import hold_keys
from tests.compatibility.environments import ROOT, Environment, make

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from inventory.model.vocabulary import Provider

SETS = ("aws", "gcp", "azure", "aws,gcp,azure", "")
KEYS: Mapping[Provider, str] = {"aws": KEY, "gcp": gcp_bodies.KEY, "azure": azure_server.KEY_ID}
REGIONS: Mapping[Provider, str] = {"aws": "us-east-1", "gcp": "us-east1", "azure": "eastus"}


class Clouds(NamedTuple):
    """Three clouds on loopback: what an organizations file says, and what the environment holds."""

    settings: dict[str, Any]
    environment: Mapping[str, str]


def main() -> int:
    """Try each set; print a line for each, and return 1 if one is not as it should be."""
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch, clouds(Path(scratch)) as running:
        folder = Path(scratch)
        files = _write_files(folder, running)
        for extras in SETS:
            environment = make(folder / "environment", *_words(extras))
            problems = _asked(environment, folder / "asked", files, running, extras)
            if not extras:
                problems += _replayed(environment, folder)
            shown = "; ".join(problems) or "as it should be"
            print(f"| {extras or 'core'} | {_size(environment)} | {shown} |", flush=True)
            wrong += bool(problems)
            if extras == SETS[3]:
                (folder / "asked").rename(folder / "whole")
    return int(wrong > 0)


def _words(extras: str) -> tuple[str, ...]:
    return ("-c", "constraints.txt", f".[{extras}]" if extras else ".")


@contextmanager
def clouds(folder: Path) -> Iterator[Clouds]:
    """Run three clouds, each with one healthy key."""
    with serving(AwsServer()) as aws, google_server() as google, azure_server.azure() as azure:
        hold_keys(google, [KEYS["gcp"]])
        settings = {"aws": aws.address, "gcp": google.address, "azure": azure.address}
        account = write_service_account(
            folder / "account.json", private_key(), f"{google.address}/token"
        )
        environment = {
            "HOME": str(folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": OWN_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": "not-a-real-secret-of-acme",
            "GOOGLE_APPLICATION_CREDENTIALS": str(account),
            "NO_GCE_CHECK": "true",
            "IDENTITY_ENDPOINT": f"{azure.address}/identity",
            "IDENTITY_HEADER": "not-a-real-header",
        }
        addresses = {name: {"address": address} for name, address in settings.items()}
        yield Clouds(addresses, environment)


def _write_files(folder: Path, running: Clouds) -> tuple[str, str]:
    """Write an inventory of three keys, and the file that says how the clouds are asked."""
    keys = [
        key_data(provider=cloud, region=REGIONS[cloud], key_id=key_id)
        for cloud, key_id in KEYS.items()
    ]
    inventory = document_data(organization_data(keys=keys))
    how = {
        "cmek-organizations": 1,
        "organizations": [{"id": "acme", "name": "acme"}],
        "requests": {"first_wait_seconds": 0, "attempts": 1},
        "clouds": running.settings,
    }
    return (
        write_yaml(folder / "inventory.yaml", inventory),
        write_yaml(folder / "clouds.yaml", how),
    )


def _asked(
    environment: Environment, folder: Path, files: tuple[str, str], running: Clouds, extras: str
) -> list[str]:
    """Ask all clouds in ``environment``; return what is not as it should be."""
    inventory, how = files
    done = environment.run(
        "cmek-audit",
        "audit",
        f"--cmek-inventory={inventory}",
        f"--cmek-clouds={how}",
        "--cmek-kms=auto",
        f"--cmek-evidence-dir={folder}",
        f"--cmek-report-dir={folder.parent / 'report'}",
        more=running.environment,
    )
    bundles = sorted(folder.glob("2*"))
    if not bundles:
        return [f"no evidence: {done.stdout[-500:]}{done.stderr[-500:]}"]
    return list(_wrong_keys(str(bundles[-1]), extras.split(",")))


def _wrong_keys(bundle: str, extras: list[str]) -> Iterator[str]:
    """Yield each key of which the bundle does not hold what the libraries allow."""
    (organization,) = read_file(bundle).organizations
    shown = {parse_key_id(key.key_id).provider: key.facts for key in organization.cloud_keys or ()}
    for cloud in CLOUDS:
        facts = shown.get(cloud)
        gap = facts.gap("key") if facts else None
        found = "nothing" if facts is None else (gap.reason if gap else str(facts.enabled))
        expected = "True" if cloud in extras else "library-missing"
        if found != expected:
            yield f"{cloud}: {found}, expected {expected}"


def _replayed(environment: Environment, folder: Path) -> list[str]:
    """Verify the evidence of all three clouds without any library, and without credentials."""
    done = environment.run("cmek-audit", "verify", str(folder / "whole"))
    return [f"verify: {done.returncode} {done.stdout[-500:]}"] if done.returncode else []


def _size(environment: Environment) -> str:
    """Return how many distributions there are, and how large they are."""
    listed = environment.run("python", "-m", "pip", "list", "--format=json", check=True)
    size = sum(path.stat().st_size for path in environment.folder.rglob("*") if path.is_file())
    return f"{len(json.loads(listed.stdout))} distributions, {size / 1e6:.0f} MB"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
