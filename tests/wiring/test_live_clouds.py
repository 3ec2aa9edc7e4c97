"""Whole audits of keys in three clouds, by the command itself and over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.astra.bodies import VENDOR_ACCOUNTS
from tests.builders import (
    ORGANIZATION,
    document_data,
    organization_data,
    write_json,
    write_text,
    write_yaml,
)
from tests.clouds import aws_server, azure_server, gcp_bodies, gcp_server
from tests.clouds.three_clouds import (
    ACCESS_KEY,
    AWS,
    AWS_BY_PROFILE,
    AWS_BY_ROLE,
    AWS_PLANNED,
    AZURE,
    CLIENT_SECRET,
    GOOGLE,
    PROFILE_KEY,
    PROFILE_SECRET,
    SECRET,
    SESSION_TOKEN,
    VENDOR,
    ThreeClouds,
    aws_key,
    key_policy,
    three_clouds,
    without_credentials,
)
from tests.inventory.terraform.documents import change, key_attributes, plan
from tests.wiring.runs import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.clouds.gcp_server import Handler

pytestmark = pytest.mark.slow

LIBRARIES = ("boto3", "botocore", "google", "google.auth", "azure", "msal", "requests")
IN_THREE_CLOUDS = ("CMEK-11", "CMEK-12", "CMEK-18", "CMEK-19")
CHECKOUT = Path(__file__).resolve().parents[2]


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    folder: Path

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Return the findings."""
        lines = (self.folder / "r" / "findings.ndjson").read_text().splitlines()
        return [json.loads(line) for line in lines]

    @property
    def head(self) -> dict[str, Any]:
        """Return the head of the record."""
        head: dict[str, Any] = json.loads((self.folder / "r" / "audit.json").read_bytes())
        return head

    def of_clouds(self) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """Return of each key and rule on facts status, and cause or kind of evidence."""
        found: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for one in self.findings:
            if one["rule"] in IN_THREE_CLOUDS:
                what = one["status"], one.get("cause") or one.get("rests_on") or ""
                found.setdefault((one["rule"], one["subject"]["key"]), set()).add(what)
        return found


def command(folder: Path, environment: Mapping[str, str], *arguments: str, first: str = "") -> Done:
    """Run the command in a process of its own, after the code ``first``; it works in ``folder``."""
    code = f"import sys\n{first}\nfrom cmek_audit.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Done(done.returncode, done.stdout + done.stderr, folder)


def audit(
    clouds: ThreeClouds, folder: Path, *arguments: str, formats: str = "json", first: str = ""
) -> Done:
    """Audit live, asking all clouds with credentials of every kind."""
    live = clouds.organizations_file(folder)
    given = ("--cmek-live", live, "--cmek-kms", "auto", "--cmek-evidence-dir=ev")
    report = ("--cmek-report-dir=r", f"--cmek-formats={formats}")
    environment = clouds.credentials(folder)
    return command(folder, environment, "audit", *given, *report, *arguments, first=first)


def bundle_of(folder: Path) -> Path:
    """Return the only bundle that was recorded."""
    (bundle,) = (folder / "ev").iterdir()
    return bundle


# --- a healthy organization, and its replay -------------------------------------------------------


class Healthy(NamedTuple):
    """An audit of healthy keys, and with which credentials AWS was asked in each region."""

    done: Done
    callers: set[tuple[str, str]]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    """Audit an organization with five healthy keys; then the servers are gone."""
    folder = tmp_path_factory.mktemp("healthy")
    with three_clouds() as clouds:
        done = audit(clouds, folder)
        asked = {(one.region, one.access_key[:4]) for one in clouds.aws.requests}
        return Healthy(done, asked | {(one.service, one.access_key) for one in clouds.aws.requests})


def test_healthy_keys_pass_on_facts(healthy: Healthy) -> None:
    """Keys of three clouds pass on what these show; what no cloud shows is inconclusive."""
    passes = {("pass", "cloud")}
    shown = {(rule, key): passes for rule in IN_THREE_CLOUDS for key in HELD}
    open_ = {
        ("CMEK-12", AZURE): {("inconclusive", "not-recorded:granted_to_astra")},
        ("CMEK-18", GOOGLE): {("inconclusive", "inherited-access")},
        ("CMEK-18", AZURE): {("not-applicable", "")},
    }
    assert healthy.done.of_clouds() == shown | open_
    assert healthy.done.code == 1, healthy.done.out


HELD = (AWS, AWS_BY_PROFILE, AWS_BY_ROLE, GOOGLE, AZURE)


def test_each_account_is_asked_with_its_own_credentials(healthy: Healthy) -> None:
    """A key is read by the environment's credentials, by a profile, or by a role."""
    assert healthy.callers >= {
        ("kms", ACCESS_KEY),
        ("kms", PROFILE_KEY),
        ("sts", ACCESS_KEY),
        ("af-south-1", "AKIA"),
        ("us-west-2", "AKIA"),
        ("eu-west-1", "ASIA"),
    }


def test_audit_is_repeated_without_library_and_credentials(
    healthy: Healthy, tmp_path: Path
) -> None:
    """The record gives the same findings, byte for byte, where no library can be imported."""
    folder = healthy.done.folder
    blocked = f"for name in {LIBRARIES!r}: sys.modules[name] = None"
    bare = without_credentials(tmp_path)
    bundle = str(bundle_of(folder).relative_to(folder))
    proven = command(folder, bare, "verify", bundle, "r", first=blocked)
    assert proven.code == 0, proven.out
    again = command(
        folder,
        bare,
        "audit",
        f"--cmek-inventory={bundle}",
        f"--cmek-as-of={healthy.done.head['settings']['as_of']}",
        f"--cmek-report-dir={tmp_path / 'r'}",
        "--cmek-formats=json",
        first=blocked,
    )
    assert again.code == healthy.done.code, again.out
    repeated = (tmp_path / "r" / "findings.ndjson").read_bytes()
    assert repeated == (folder / "r" / "findings.ndjson").read_bytes()


# --- secrets --------------------------------------------------------------------------------------

PERSONAL = (
    *("jane.doe@example.com", "203.0.113.7", aws_server.CALLER),
    *gcp_bodies.CALLER.split(";"),
    *(part.partition("=")[2] for part in azure_server.CALLER.split(";")),
)
"""Who asks, and from where, as the clouds' messages name them."""

STATIC = (
    *(ACCESS_KEY, SECRET, SESSION_TOKEN, PROFILE_KEY, PROFILE_SECRET, CLIENT_SECRET),
    *(aws_server.ROLE_SECRET, aws_server.SESSION_TOKEN, azure_server.IDENTITY),
    "fake-identity-header",
)
SENT_TO_AWS = (
    *(ACCESS_KEY, SECRET, SESSION_TOKEN, PROFILE_KEY, PROFILE_SECRET),
    *(aws_server.ROLE_SECRET, aws_server.SESSION_TOKEN),
)
"""The credentials by which AWS was asked, and that it can therefore repeat."""

_OF_KEYS = {AWS: SECRET, AWS_BY_PROFILE: PROFILE_SECRET, AWS_BY_ROLE: aws_server.ROLE_SECRET}


def written_by(done: Done) -> dict[str, bytes]:
    """Return all that a command printed and wrote, by the name of the file."""
    files = [file for file in done.folder.rglob("*") if file.is_file()]
    own = [
        file for file in files if not {"home", "theirs"} & set(file.relative_to(done.folder).parts)
    ]
    return {str(file): file.read_bytes() for file in own} | {"terminal": done.out.encode()}


def secrets_of(clouds: ThreeClouds, folder: Path) -> set[str]:
    """Return every credential of an audit that has ended, and who used it."""
    account = json.loads((folder / "home" / "account.json").read_text())
    lines = account["private_key"].splitlines()
    roles = {one.access_key for one in clouds.aws.requests if one.access_key.startswith("ASIA")}
    assert roles
    assert clouds.gcp.valid
    key_lines = {line for line in lines if not line.startswith("-----")}
    return {*STATIC, *PERSONAL, *roles, *clouds.gcp.valid, *key_lines, account["client_email"]}


def leaks(clouds: ThreeClouds, done: Done) -> list[tuple[str, str]]:
    """Return each credential and name that was printed or written, and where."""
    every = written_by(done).items()
    wanted = secrets_of(clouds, done.folder)
    return [(name, text) for name, raw in every for text in wanted if text.encode() in raw]


def pieces(done: Done) -> list[tuple[str, str]]:
    """Return of which long credential the beginning was printed or written, and where."""
    beginnings = {text[:_BEGINNING] for text in STATIC if len(text) > _BEGINNING}
    every = written_by(done).items()
    return [(name, text) for name, raw in every for text in beginnings if text.encode() in raw]


_BEGINNING = 26


def repeat_in_answers(clouds: ThreeClouds) -> None:
    """Let every cloud repeat credentials in bodies and headers of right answers."""
    text = " ".join(SENT_TO_AWS)
    for arn, secret in _OF_KEYS.items():
        key = clouds.aws.keys[arn] = aws_key(arn, VENDOR, Description=text)
        key.aliases[0] |= {"AliasName": f"alias/{secret}"}
        key.policies["default"] = key_policy(arn.split(":")[4], VENDOR).replace("Astra", secret)
    shown = aws_server.ok({"KeyMetadata": clouds.aws.keys[AWS].metadata})
    headers = (("x-amzn-requestid", SESSION_TOKEN), ("Date", SECRET), ("x-amz-id-2", text))
    clouds.aws.faults = {"DescribeKey": (shown._replace(headers=headers), None)}
    clouds.gcp.faults["key"] = [repeat_token] * 5
    path = f"/keys/{azure_server.NAME}"
    body = clouds.azure.bodies[azure_server.HOST, path] | {"tags": {"repeated": text}}
    headers_of_vault = {"x-ms-request-id": azure_server.IDENTITY, "x-ms-client-request-id": text}
    clouds.azure.bodies[azure_server.HOST, path] = azure_server.Reply(
        body, headers=headers_of_vault
    )


def repeat_token(handler: Handler) -> None:
    """Answer rightly, with the caller's token in the body and in headers."""
    right, token = handler.right_answer(), handler.seen.headers["authorization"]
    body = json.loads(right.body) | {"labels": {"repeated": token}, "etag": token}
    again = (("x-goog-request-id", token), ("Date", token), ("Server", token))
    handler.reply(gcp_server.reply(200, body, *again))


def repeat_in_errors(clouds: ThreeClouds) -> None:
    """Let every cloud repeat credentials, and name the caller, in errors and pages of gateways."""
    text = " ".join((*SENT_TO_AWS, azure_server.IDENTITY, CLIENT_SECRET, *PERSONAL))
    refused = {"__type": "AccessDeniedException", "code": text, "message": text}
    page = aws_server.Reply(200, (f"<html>{text}</html>".encode(),), (("x-amzn-errortype", text),))
    clouds.aws.faults = {
        "GetKeyRotationStatus": (aws_server.Reply(400, (json.dumps(refused).encode(),)),),
        "ListGrants": (page,),
        "ListAliases": (aws_server.error("AccessDeniedException"),),
    }
    clouds.gcp.faults["versions"] = [repeat_in_error] * 5
    clouds.gcp.permissions.discard("cloudkms.cryptoKeys.getIamPolicy")
    clouds.gcp.faults["ring-bindings"] = [gcp_server.html(403)] * 5
    error = {
        "error": {"code": azure_server.IDENTITY, "message": text, "innererror": {"code": text}}
    }
    vault, path = azure_server.HOST, f"/keys/{azure_server.NAME}"
    clouds.azure.bodies[vault, f"{path}/versions"] = azure_server.Reply(error, 403)
    clouds.azure.bodies[vault, f"{path}/rotationpolicy"] = azure_server.Reply(
        f"<html>{text}".encode(), 200
    )


def repeat_in_error(handler: Handler) -> None:
    """Refuse, and repeat the caller's token and name in each part of the error."""
    text = f"{handler.seen.headers['authorization']} of {gcp_bodies.CALLER}"
    body = gcp_bodies.error(403, text, text, message=text)
    handler.reply(gcp_server.reply(403, body, ("Server", text)))


@pytest.mark.parametrize("repeat", [repeat_in_answers, repeat_in_errors])
def test_credentials_and_callers_are_nowhere(
    tmp_path: Path, repeat: Callable[[ThreeClouds], None]
) -> None:
    """No credential is printed or written, in whatever form clouds repeat it; nor is who asked."""
    with three_clouds() as clouds:
        repeat(clouds)
        done = audit(clouds, tmp_path, "-v", "-rA", "--showlocals", formats=ALL)
        assert (leaks(clouds, done), pieces(done)) == ([], [])
    assert done.code == 1, done.out
    assert {"audit.json", "junit.xml", "results.html", "audit.sarif"} <= {
        Path(name).name for name in written_by(done)
    }


CANARY = "canary-that-is-no-secret"
FAILING = """
import json, pathlib, pytest
SECRETS = json.loads(pathlib.Path(__file__).with_name("secrets.json").read_text())

@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    if "check_key_rotation" not in item.nodeid:
        return
    for_ever = [*SECRETS]
    joined = " ".join(for_ever)
    print(joined)
    raise RuntimeError(joined)
"""


def test_traceback_with_locals_shows_no_credential(tmp_path: Path) -> None:
    """A plugin that breaks with credentials in its variables gets none of them shown, or kept.

    What pytest has written of them by then is removed, and there is no audit.
    """
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    with three_clouds() as clouds:
        tokens = [f"ya29.not-a-real-token-{number:04}" for number in range(1, 9)]
        every = [CANARY, *SENT_TO_AWS, azure_server.IDENTITY, *tokens]
        write_json(theirs / "secrets.json", every)
        write_text(theirs / "acme_plugin.py", FAILING)
        first = f"sys.path.insert(0, {str(theirs)!r})"
        words = ("-p", "acme_plugin", "--showlocals", "-v", "-rA", "--tb=long")
        done = audit(clouds, tmp_path, *words, formats=ALL, first=first)
        assert leaks(clouds, done) == []
    shown = {Path(name).name for name, raw in written_by(done).items() if CANARY.encode() in raw}
    assert shown == {"terminal"}
    assert "a secret was written, so these files must not be kept: r/junit.xml" in done.out
    assert not (tmp_path / "r" / "audit.json").exists()


BREAKING = {
    "a request": "import botocore.auth as a\na.SigV4Auth.add_auth",
    "a record": "import inventory.clouds.recorder as r\nr.CloudRecorder.answered",
    "a reader": "import inventory.clouds.aws.reader as r\nr.read_key",
    "an audit": "import cmek_audit.run.preparation as p\np._context",
}


@pytest.mark.parametrize("place", BREAKING)
def test_defect_shows_no_credential(tmp_path: Path, place: str) -> None:
    """Wherever the suite or a library breaks, no variable that is shown holds a credential."""
    raising = (
        "def broken(*given, **more):\n"
        "    import os\n"
        "    text = ' '.join(map(str, (os.environ.get('AWS_SECRET_ACCESS_KEY'), given, more)))\n"
        "    raise RuntimeError(text)\n"
    )
    with three_clouds() as clouds:
        words = ("--showlocals", "--full-trace", "-rA", "-v")
        done = audit(
            clouds, tmp_path, *words, formats=ALL, first=f"{raising}{BREAKING[place]} = broken"
        )
        clouds.aws.requests.append(aws_server.Request("", {}, "ASIA-none", "", ""))
        clouds.gcp.valid.add("ya29.not-a-real-token-0000")
        assert (leaks(clouds, done), pieces(done)) == ([], [])
    assert done.code == (3 if place == "an audit" else 1), done.out


# --- planned keys ---------------------------------------------------------------------------------


def yaml_plan(folder: Path) -> str:
    """Write a plan that registers the key in a scope of its own."""
    key = {"type": "serverless", "provider": "aws", "region": "us-east-2", "key_id": AWS_PLANNED}
    organizations = [{"id": ORGANIZATION, "keys": [key]}]
    return write_yaml(folder / "plan.yaml", {"cmek-plan": 1, "organizations": organizations})


def terraform_plan(folder: Path) -> str:
    """Write a plan of Terraform that does the same."""
    after = key_attributes(region="us-east-2", key_id=AWS_PLANNED, organization_id=ORGANIZATION)
    return write_json(folder / "plan.json", plan(change("astra_customer_key.orders", after=after)))


@pytest.mark.parametrize("write_plan", [yaml_plan, terraform_plan])
@pytest.mark.parametrize("is_granted", [False, True])
def test_planned_key_is_judged_before_deployment(
    tmp_path: Path, write_plan: Callable[[Path], str], *, is_granted: bool
) -> None:
    """A planned key fails as long as it is not granted to the account that Astra names."""
    scope = {"type": "serverless", "provider": "aws", "region": "us-east-2"}
    accounts = [scope | {"account": VENDOR_ACCOUNTS["aws"]}]
    nothing_yet = {"by": "acme-security", "on": "2026-11-01"}
    planned_only: dict[str, Any] = {"keys": [], "databases": [], "no_databases": nothing_yet}
    planned_only["vendor_accounts"] = accounts
    inventory = document_data(organization_data(**planned_only))
    with three_clouds() as clouds:
        clouds.aws.keys[AWS_PLANNED] = aws_key(AWS_PLANNED, *([VENDOR] if is_granted else []))
        done = command(
            tmp_path,
            clouds.credentials(tmp_path),
            "audit",
            f"--cmek-inventory={write_yaml(tmp_path / 'inventory.yaml', inventory)}",
            f"--cmek-plan={write_plan(tmp_path)}",
            f"--cmek-clouds={clouds.organizations_file(tmp_path)}",
            "--cmek-kms=aws",
            *("--cmek-evidence-dir=ev", "--cmek-report-dir=r", "--cmek-formats=json"),
        )
    denied = {("fail", f"planned-not-granted:{VENDOR_ACCOUNTS['aws']}")}
    shown = {(rule, AWS_PLANNED): {("pass", "cloud")} for rule in IN_THREE_CLOUDS}
    if not is_granted:
        shown["CMEK-12", AWS_PLANNED] = denied
    judged = {what: found for what, found in done.of_clouds().items() if what[1] == AWS_PLANNED}
    assert judged == shown, done.out
    assert done.code == (0 if is_granted else 1), done.out


def test_planned_key_is_judged_live(tmp_path: Path) -> None:
    """A live audit asks Astra for the accounts that a key needs before it is registered."""
    with three_clouds(AWS) as clouds:
        clouds.aws.keys[AWS_PLANNED] = aws_key(AWS_PLANNED)
        organization = clouds.fleet.organizations[0].id
        key = {"type": "serverless", "provider": "aws", "region": "us-east-2"}
        keys = [{"id": organization, "keys": [key | {"key_id": AWS_PLANNED}]}]
        planned = write_yaml(tmp_path / "plan.yaml", {"cmek-plan": 1, "organizations": keys})
        done = audit(clouds, tmp_path, f"--cmek-plan={planned}")
        asked = [request.target for request in clouds.astra.requests]
    assert "/v2/kms/provider/aws/region/us-east-2/accounts" in asked
    denied = {("fail", f"planned-not-granted:{VENDOR_ACCOUNTS['aws']}")}
    assert done.of_clouds()["CMEK-12", AWS_PLANNED] == denied
    assert done.of_clouds()["CMEK-12", AWS] == {("pass", "cloud")}
    assert (done.code, command(tmp_path, {}, "verify", "r").code) == (1, 0)


# --- what is imported -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("audit", "--cmek-kms=none"), ("audit",), ("collect", "--kms=none")]
)
def test_run_without_clouds_imports_no_library(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Neither an audit nor a collection that asks no cloud imports a library of one."""
    print_loaded = (
        "import atexit\n"
        f"atexit.register(lambda: print('LOADED', [n for n in {LIBRARIES!r} if n in sys.modules]))"
    )
    with three_clouds() as clouds:
        file = clouds.organizations_file(tmp_path)
        given = {
            "audit": (f"--cmek-live={file}", "--cmek-evidence-dir=ev", "--cmek-report-dir=r"),
            "collect": (file, "--evidence-dir=ev"),
        }[words[0]]
        environment = clouds.credentials(tmp_path)
        done = command(tmp_path, environment, *words, *given, first=print_loaded)
        assert clouds.aws.requests == []
    assert "LOADED []" in done.out
    assert bundle_of(tmp_path).is_dir(), done.out
