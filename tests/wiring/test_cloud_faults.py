"""Audits of keys in three clouds of which one fails: each kind of fault, and what is judged."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from azure.keyvault.keys._shared import http_challenge_cache

from checks.engine.finding import key_subject
from cmek_audit.run.audit import run_audit
from cmek_audit.run.option_values import parse_options
from inventory.astra.replay import replay
from inventory.model.key import KeyScope
from tests.astra.bodies import VENDOR_ACCOUNTS
from tests.astra.fleet import ATTESTED_BY, ATTESTED_ON
from tests.astra.server import closed_address
from tests.builders import write_yaml
from tests.clouds import aws_server, azure_server, gcp_bodies, gcp_server
from tests.clouds.azure_server import HOST, NAME, refusal
from tests.clouds.three_clouds import (
    AWS,
    AZURE,
    GOOGLE,
    OTHER,
    VENDOR,
    ThreeClouds,
    aws_key,
    restore,
    three_clouds,
)
from tests.reports.recording import RUN
from tests.wiring.runs import waiver_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.astra.fleet import Provider
    from tests.clouds.gcp_server import Fault as GoogleFault

    Break = Callable[[ThreeClouds, pytest.MonkeyPatch], dict[str, Any] | None]

pytestmark = pytest.mark.slow

KEYS: Mapping[Provider, str] = {"aws": AWS, "gcp": GOOGLE, "azure": AZURE}
RULES = ("CMEK-11", "CMEK-12", "CMEK-18", "CMEK-19")
OWN_RUN: Any = {name: RUN[name] for name in RUN if name not in {"started", "ended", "formats"}}
Judged = dict[str, tuple[str, ...]]
"""For each rule what its findings about a key are: status, and cause or kind of evidence."""


@pytest.fixture(scope="module")
def running() -> Iterator[ThreeClouds]:
    """Run all servers, with one key in each cloud."""
    with three_clouds(AWS, GOOGLE, AZURE) as clouds:
        yield clouds


@pytest.fixture
def clouds(
    running: ThreeClouds, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ThreeClouds]:
    """Make every cloud healthy, and let each library find its credentials."""
    restore(running)
    set_environment(monkeypatch, running.credentials(tmp_path))
    http_challenge_cache.clear()
    yield running
    http_challenge_cache.clear()


def set_environment(monkeypatch: pytest.MonkeyPatch, wanted: Mapping[str, str]) -> None:
    """Let the environment be ``wanted``."""
    for name in os.environ.keys() - wanted.keys() - {"PYTEST_CURRENT_TEST"}:
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)


# --- audits ---------------------------------------------------------------------------------------


class Audit(NamedTuple):
    """An audit that was made in this process."""

    exit_code: int
    judged: dict[str, Judged]
    permissions: set[str]
    bundle: str


def attested(**said: object) -> dict[str, Any]:
    return {**said, "by": ATTESTED_BY, "on": ATTESTED_ON, "due": "2099-12-31"}


def organizations(clouds: ThreeClouds, broken: str, **policy: float) -> dict[str, Any]:
    """Return an organizations file that attests what the clouds that are not broken never show."""
    data = clouds.organizations(**policy)
    for key in data["organizations"][0]["keys"]:
        if key["provider"] == "gcp" != broken:
            key["exclusive"] = attested(exclusive=True)
        if key["provider"] == "azure" != broken:
            key["usable"] = attested(usable=True)
    return data


def audited(folder: Path, data: object, *arguments: str, **options: object) -> Audit:
    """Audit live by the organizations file ``data``, asking every cloud."""
    given = {
        "live": write_yaml(folder / "organizations.yaml", data),
        "kms": "auto",
        "evidence_dir": str(folder / "ev"),
        "report_dir": str(folder / "r"),
        "formats": "json",
    }
    done = run_audit(parse_options(given | options), lambda _: OWN_RUN)
    lines = (folder / "r" / "findings.ndjson").read_text().splitlines()
    findings = [finding for finding in map(json.loads, lines) if finding["rule"] in RULES]
    judged: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in findings:
        what = one.get("cause") or one.get("rests_on") or ""
        judged[one["subject"]["key"]][one["rule"]].append(f"{one['status']} {what}".strip())
    return Audit(
        exit_code=done.head["verdict"]["exit_code"],
        judged={
            key: {rule: tuple(sorted(found)) for rule, found in rules.items()}
            for key, rules in judged.items()
        },
        permissions={
            message.partition(" Reading it takes ")[2].partition(" ")[0].rstrip(".,")
            for message in (finding["message"] for finding in findings)
            if " Reading it takes " in message
        },
        bundle=str(next((folder / "ev").iterdir())),
    )


def all_rules(text: str, *, exclusive: str = "") -> Judged:
    """Return what is judged if every rule finds the same."""
    every: Judged = dict.fromkeys(RULES, (text,))
    return every | ({"CMEK-18": (exclusive,)} if exclusive else {})


PASS = "pass cloud"
HEALTHY: Mapping[str, Judged] = {
    AWS: all_rules(PASS),
    GOOGLE: all_rules(PASS, exclusive="pass attested"),
    AZURE: all_rules(PASS, exclusive="not-applicable") | {"CMEK-12": ("pass attested",)},
}
"""What is judged of healthy keys, with people's word for what their clouds never show."""

INHERITED = "inconclusive inherited-access"
INHERITED_BY_ASTRA = f"{INHERITED}:{VENDOR_ACCOUNTS['gcp']}"
NOT_SHOWN = "inconclusive not-recorded:granted_to_astra"
UNATTESTED: Mapping[Provider, Judged] = {
    "aws": HEALTHY[AWS],
    "gcp": HEALTHY[GOOGLE] | {"CMEK-18": (INHERITED,)},
    "azure": HEALTHY[AZURE] | {"CMEK-12": (NOT_SHOWN,)},
}
"""What is judged of healthy keys without people's word."""


# --- faults ---------------------------------------------------------------------------------------


class Fault(NamedTuple):
    """A fault of one cloud.

    Attributes:
        break_it: breaks the cloud; returns what else the organizations file says in the part of a
            cloud or in ``requests``, if anything.
        judged: what is then judged of its key.
        permission: the permission that the findings name.
    """

    break_it: Break
    judged: Judged
    permission: str = ""


def aws_answers(operation: str, reply: aws_server.Reply) -> Break:
    """Return what lets AWS answer an operation always by ``reply``."""

    def break_it(clouds: ThreeClouds, _: pytest.MonkeyPatch) -> None:
        clouds.aws.faults = {operation: (reply,)}

    return break_it


def aws_key_is(**metadata: object) -> Break:
    """Return what gives the key in AWS other metadata."""

    def break_it(clouds: ThreeClouds, _: pytest.MonkeyPatch) -> None:
        clouds.aws.keys[AWS] = aws_key(AWS, VENDOR, **metadata)

    return break_it


def google_answers(fact: str, fault: GoogleFault) -> Break:
    """Return what lets Google Cloud answer about a fact always by ``fault``."""

    def break_it(clouds: ThreeClouds, _: pytest.MonkeyPatch) -> None:
        clouds.gcp.faults[fact] = [fault] * 50

    return break_it


def google_refuses(permission: str) -> Break:
    """Return what takes a permission from whoever asks Google Cloud."""

    def break_it(clouds: ThreeClouds, _: pytest.MonkeyPatch) -> None:
        clouds.gcp.permissions.discard(permission)

    return break_it


def azure_answers(path: str, reply: azure_server.Reply) -> Break:
    """Return what lets a vault answer a path of the key always by ``reply``."""

    def break_it(clouds: ThreeClouds, _: pytest.MonkeyPatch) -> None:
        clouds.azure.bodies[(HOST, f"/keys/{NAME}{path}")] = reply

    return break_it


def azure_key_is_deleted(clouds: ThreeClouds, _: pytest.MonkeyPatch) -> None:
    """Delete the key in Azure, so that it can be recovered for some time."""
    clouds.azure.bodies.clear()
    clouds.azure.bodies[(HOST, f"/deletedkeys/{NAME}")] = azure_server.deleted()


def slowly(provider: Provider) -> Break:
    """Return what lets a cloud hang, and the audit wait no longer than a moment."""
    hangs = {
        "aws": aws_answers("DescribeKey", aws_server.ok({})._replace(pause=7.0)),
        "gcp": google_answers("key", gcp_server.silent),
        "azure": azure_answers("", azure_server.Reply({}, seconds=7.0)),
    }[provider]

    def break_it(clouds: ThreeClouds, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        hangs(clouds, monkeypatch)
        return {"requests": {"timeout_seconds": 2.0}}

    return break_it


def nobody_answers(provider: Provider) -> Break:
    """Return what lets the connections to a cloud be refused."""
    return lambda *_: {provider: {"address": closed_address()}}


def library_is_missing(*names: str) -> Break:
    """Return what keeps a library from being imported."""

    def break_it(_: ThreeClouds, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return break_it


def credentials_are_missing(*names: str) -> Break:
    """Return what takes credentials out of the environment."""

    def break_it(_: ThreeClouds, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in names:
            monkeypatch.delenv(name)

    return break_it


def on(rule: int, *findings: str) -> Judged:
    """Return what one rule finds; a cause alone is one for which it cannot be judged."""
    found = (text if " " in text else f"inconclusive {text}" for text in findings)
    return {f"CMEK-{rule}": tuple(sorted(found))}


def unread(cause: str) -> Judged:
    """Return what is judged if nothing of a key in AWS or Google Cloud can be read."""
    return all_rules(f"inconclusive {cause}")


def unread_in_azure(cause: str) -> Judged:
    """Return what is judged if nothing of a key in Azure can be read."""
    return on(11, cause) | on(12, cause) | on(19, cause)


def partly_unread(cause: str) -> Judged:
    """Return what is judged if a key in Azure cannot be read, but another answer about it can."""
    return on(11, cause) | on(12, cause, NOT_SHOWN) | on(19, cause)


FAULTS: dict[tuple[Provider, str], Fault] = {
    ("aws", "refused key"): Fault(
        aws_answers("DescribeKey", aws_server.error("AccessDeniedException")),
        unread("refused:key"),
        "kms:DescribeKey",
    ),
    ("aws", "refused rotation"): Fault(
        aws_answers("GetKeyRotationStatus", aws_server.error("AccessDeniedException")),
        on(11, "refused:rotation"),
        "kms:GetKeyRotationStatus",
    ),
    ("aws", "refused policy"): Fault(
        aws_answers("GetKeyPolicy", aws_server.error("AccessDeniedException")),
        on(12, "refused:policy") | on(18, "refused:policy"),
        "kms:GetKeyPolicy",
    ),
    ("aws", "refused grants"): Fault(
        aws_answers("ListGrants", aws_server.error("AccessDeniedException")),
        on(18, "refused:grants"),
        "kms:ListGrants",
    ),
    ("aws", "throttled"): Fault(
        aws_answers("DescribeKey", aws_server.error("ThrottlingException")),
        unread("rate-limited:key"),
    ),
    ("aws", "throttled policy"): Fault(
        aws_answers("GetKeyPolicy", aws_server.error("ThrottlingException")),
        on(12, "rate-limited:policy") | on(18, "rate-limited:policy"),
    ),
    ("aws", "HTML"): Fault(aws_answers("DescribeKey", aws_server.html()), unread("malformed:key")),
    ("aws", "HTML as rotation"): Fault(
        aws_answers("GetKeyRotationStatus", aws_server.html()),
        on(11, "malformed:rotation"),
    ),
    ("aws", "HTML as grants"): Fault(
        aws_answers("ListGrants", aws_server.html()), on(18, "malformed:grants")
    ),
    ("aws", "HTML as policy"): Fault(
        aws_answers("GetKeyPolicy", aws_server.html()),
        on(12, "malformed:policy") | on(18, "malformed:policy"),
    ),
    ("aws", "half of the key"): Fault(
        aws_answers("DescribeKey", aws_server.Reply(200, (b'{"KeyMetadata": {"Arn": "',))),
        unread("malformed:key"),
    ),
    ("aws", "half of the grants"): Fault(
        aws_answers("ListGrants", aws_server.Reply(200, (b'{"Grants": [], "Trunc',))),
        on(18, "malformed:grants"),
    ),
    ("aws", "broken off"): Fault(
        aws_answers("DescribeKey", aws_server.Reply(200, (b"{}",), missing=9)),
        unread("unavailable:key"),
    ),
    ("aws", "another account"): Fault(
        aws_key_is(AWSAccountId=OTHER, Arn=AWS.replace("111122223333", OTHER)),
        unread("foreign-key:key"),
    ),
    ("aws", "region off"): Fault(
        aws_answers("DescribeKey", aws_server.error("UnrecognizedClientException")),
        unread("region-disabled:key"),
    ),
    ("aws", "pending deletion"): Fault(
        aws_key_is(
            KeyState="PendingDeletion",
            Enabled=False,
            DeletionDate=aws_server.epoch(aws_server.NEXT),
        ),
        on(11, "fail rotation-off") | on(12, "fail disabled", "fail pending-deletion"),
    ),
    ("aws", "deleted"): Fault(
        aws_answers("DescribeKey", aws_server.error("NotFoundException")),
        unread("not-found:key"),
    ),
    ("aws", "hanging"): Fault(slowly("aws"), unread("timed-out:key")),
    ("aws", "nobody listens"): Fault(nobody_answers("aws"), unread("unavailable:key")),
    ("aws", "library missing"): Fault(library_is_missing("boto3"), unread("library-missing:key")),
    ("aws", "no credentials"): Fault(
        credentials_are_missing("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        unread("no-credentials:key"),
    ),
    ("aws", "expired credentials"): Fault(
        aws_answers("DescribeKey", aws_server.error("ExpiredTokenException")),
        unread("credentials-expired:key"),
    ),
    ("gcp", "refused key"): Fault(
        google_refuses("cloudkms.cryptoKeys.get"),
        unread("refused:key") | on(18, INHERITED),
        "cloudkms.cryptoKeys.get",
    ),
    ("gcp", "refused versions"): Fault(
        google_refuses("cloudkms.cryptoKeyVersions.list"),
        on(12, "refused:versions"),
        "cloudkms.cryptoKeyVersions.list",
    ),
    ("gcp", "refused bindings"): Fault(
        google_refuses("cloudkms.cryptoKeys.getIamPolicy"),
        on(12, INHERITED_BY_ASTRA, "refused:bindings") | on(18, INHERITED, "refused:bindings"),
        "cloudkms.cryptoKeys.getIamPolicy",
    ),
    ("gcp", "throttled"): Fault(
        google_answers(
            "key", gcp_server.answering(429, gcp_bodies.error(429, "RESOURCE_EXHAUSTED"))
        ),
        unread("rate-limited:key"),
    ),
    ("gcp", "HTML"): Fault(google_answers("key", gcp_server.html()), unread("malformed:key")),
    ("gcp", "HTML as bindings"): Fault(
        google_answers("bindings", gcp_server.html()),
        on(12, INHERITED_BY_ASTRA, "malformed:bindings") | on(18, INHERITED, "malformed:bindings"),
    ),
    ("gcp", "half of the key"): Fault(
        google_answers("key", gcp_server.truncated), unread("malformed:key")
    ),
    ("gcp", "half of the versions"): Fault(
        google_answers("versions", gcp_server.truncated), on(12, "malformed:versions")
    ),
    ("gcp", "broken off"): Fault(
        google_answers("key", gcp_server.ending_early), unread("cut-short:key")
    ),
    ("gcp", "another project"): Fault(
        google_answers(
            "key",
            gcp_server.answering(200, gcp_bodies.key(GOOGLE.replace("acme-prod", "acme-test"))),
        ),
        unread("foreign-key:key"),
    ),
    ("gcp", "service off"): Fault(
        google_answers(
            "key",
            gcp_server.answering(
                403, gcp_bodies.error(403, "PERMISSION_DENIED", "SERVICE_DISABLED")
            ),
        ),
        unread("service-disabled:key"),
    ),
    ("gcp", "wrong location"): Fault(
        google_answers("key", gcp_server.answering(404, gcp_bodies.misrouted("us-east1"))),
        unread("wrong-address:key"),
    ),
    ("gcp", "no such key"): Fault(
        google_answers("key", gcp_server.answering(404, gcp_bodies.missing(GOOGLE))),
        unread("not-found:key"),
    ),
    ("gcp", "hanging"): Fault(slowly("gcp"), unread("timed-out:key")),
    ("gcp", "nobody listens"): Fault(nobody_answers("gcp"), unread("unavailable:key")),
    ("gcp", "library missing"): Fault(
        library_is_missing("google.auth"), unread("library-missing:key")
    ),
    ("gcp", "no credentials"): Fault(
        credentials_are_missing("GOOGLE_APPLICATION_CREDENTIALS"), unread("no-credentials:key")
    ),
    ("gcp", "expired credentials"): Fault(
        google_answers("token", gcp_server.answering(400, {"error": "invalid_grant"})),
        unread("credentials-expired:key"),
    ),
    ("azure", "refused key"): Fault(
        azure_answers("", azure_server.Reply(refusal("Forbidden", "ForbiddenByRbac"), 403)),
        partly_unread("refused:key"),
        "Microsoft.KeyVault/vaults/keys/read",
    ),
    ("azure", "refused rotation"): Fault(
        azure_answers(
            "/rotationpolicy", azure_server.Reply(refusal("Forbidden", "AccessDenied"), 403)
        ),
        on(11, "refused:rotation"),
        "Microsoft.KeyVault/vaults/keyrotationpolicies/read",
    ),
    ("azure", "refused versions"): Fault(
        azure_answers("/versions", azure_server.Reply(refusal("Forbidden", "AccessDenied"), 403)),
        on(12, "refused:versions", NOT_SHOWN),
        "Microsoft.KeyVault/vaults/keys/read",
    ),
    ("azure", "firewall"): Fault(
        azure_answers("", azure_server.Reply(refusal("Forbidden", "ForbiddenByFirewall"), 403)),
        partly_unread("refused:key"),
    ),
    ("azure", "throttled"): Fault(
        azure_answers("", azure_server.Reply(refusal("Throttled"), 429)),
        partly_unread("rate-limited:key"),
    ),
    ("azure", "HTML"): Fault(
        azure_answers("", azure_server.Reply(b"<html>Sign in")), partly_unread("malformed:key")
    ),
    ("azure", "HTML as rotation"): Fault(
        azure_answers("/rotationpolicy", azure_server.Reply(b"<html>Sign in")),
        on(11, "malformed:rotation"),
    ),
    ("azure", "half of the key"): Fault(
        azure_answers("", azure_server.Reply(b'{"key": {"kid"')), partly_unread("malformed:key")
    ),
    ("azure", "half of the versions"): Fault(
        azure_answers("/versions", azure_server.Reply(b'{"value": [')),
        on(12, "malformed:versions", NOT_SHOWN),
    ),
    ("azure", "broken off"): Fault(
        azure_answers("", azure_server.Reply(b'{"key"', claims=900)), partly_unread("cut-short:key")
    ),
    ("azure", "another vault"): Fault(
        azure_answers("", azure_server.Reply(azure_server.bundle(host="other.vault.azure.net"))),
        partly_unread("foreign-key:key"),
    ),
    ("azure", "deleted"): Fault(
        azure_key_is_deleted,
        on(11, "not-found:rotation")
        | on(
            12,
            "fail disabled",
            "fail pending-deletion",
            "not-found:versions",
            NOT_SHOWN,
        ),
    ),
    ("azure", "no such key"): Fault(
        azure_answers("", azure_server.KEY_NOT_FOUND), unread_in_azure("not-found:key")
    ),
    ("azure", "hanging"): Fault(slowly("azure"), partly_unread("timed-out:key")),
    ("azure", "nobody listens"): Fault(nobody_answers("azure"), unread_in_azure("unavailable:key")),
    ("azure", "library missing"): Fault(
        library_is_missing("azure.identity"), unread_in_azure("library-missing:key")
    ),
    ("azure", "no credentials"): Fault(
        credentials_are_missing("IDENTITY_ENDPOINT", "IDENTITY_HEADER"),
        unread_in_azure("no-credentials:key"),
    ),
    ("azure", "expired credentials"): Fault(
        azure_answers("", azure_server.Reply(refusal("Unauthorized"), 401)),
        unread_in_azure("credentials-expired:key"),
    ),
}


@pytest.mark.parametrize(("provider", "kind"), FAULTS)
def test_fault_of_one_cloud(
    clouds: ThreeClouds,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    provider: Provider,
    kind: str,
) -> None:
    """A key that its cloud does not show whole passes no rule that needs what is missing.

    Keys of other clouds are judged as ever, a waiver covers nothing that is not known, and the
    record gives the same inventory once more.
    """
    fault = FAULTS[provider, kind]
    data = organizations(clouds, provider)
    for name, more in (fault.break_it(clouds, monkeypatch) or {}).items():
        part = data if name == "requests" else data["clouds"]
        part[name] = part[name] | more
    expected = UNATTESTED[provider] | fault.judged
    done = audited(tmp_path, data, waivers=(waivers_for(clouds, tmp_path, provider, expected),))
    assert done.judged == {**HEALTHY, KEYS[provider]: expected}
    assert (done.exit_code, done.permissions) == (1, set(filter(None, [fault.permission])))
    assert replay(done.bundle).manifest.organizations == 1


def waivers_for(clouds: ThreeClouds, folder: Path, provider: Provider, expected: Judged) -> str:
    """Write waivers for all that cannot be judged of a key, and return their path."""
    (organization,) = clouds.fleet.organizations
    (key,) = (key for key in organization.keys if key.provider == provider)
    scope = KeyScope(organization.id, key.type, key.provider, key.region)
    today = datetime.now(UTC).date()
    days = {"requested_on": today, "approved_on": today, "expires_on": today + timedelta(30)}
    waivers = [
        waiver_data(
            id=f"{rule}/{text.partition(' ')[2]}",
            rule=rule,
            subject=key_subject(scope, key.key_id).path,
            cause=text.partition(" ")[2],
            **{name: str(day) for name, day in days.items()},
        )
        for rule, texts in expected.items()
        for text in texts
        if text.startswith("inconclusive ")
    ]
    return write_yaml(folder / "waivers.yaml", {"cmek-waivers": 1, "waivers": waivers})


def test_healthy_clouds(clouds: ThreeClouds, tmp_path: Path) -> None:
    """With all that the clouds show, and people's word for the rest, the audit is compliant."""
    done = audited(tmp_path, organizations(clouds, ""))
    assert (done.judged, done.exit_code) == (HEALTHY, 0)
