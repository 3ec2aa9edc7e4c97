"""Requests to AWS over real HTTP: which credentials and host, what is recorded, what goes wrong."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import LoginRefreshRequired, NoRegionError, UnauthorizedSSOTokenError

from inventory.clouds.aws import reader as aws
from inventory.clouds.aws import transport as aws_transport
from inventory.clouds.aws.transport import open_sessions
from inventory.clouds.config import CloudSettings
from inventory.clouds.recorder import CloudRecorder
from inventory.clouds.requests import CloudRequest
from inventory.errors import ForbiddenRequestError
from inventory.evidence.exchange import Failure
from inventory.evidence.exchange_line import render_line
from inventory.model.kms import KmsGap
from inventory.system.request_policy import RequestPolicy
from inventory.text.secrets import HIDDEN
from tests.clouds.aws_server import (
    GRANT,
    KEY,
    OWN,
    OWN_KEY_ID,
    ROLE_SECRET,
    SESSION_TOKEN,
    VENDOR,
    VENDOR_KEY_ID,
    AwsServer,
    MemoryTransport,
    Reply,
    a_key,
    error,
    html,
    ok,
    serving,
    token_error,
)
from tests.inventory.clouds.scripted import FILE, a_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import CloudKey

ROOT = Path(__file__).parents[4]
SECRET = "sham-secret-access-key-" + "x" * 17
TOKEN = "sham-session-token-of-the-environment-" + "y" * 40
ROLE = f"arn:aws:iam::{OWN}:role/audit"
QUICK = RequestPolicy(attempts=2, first_wait_seconds=0.0, timeout_seconds=20.0)
IMPATIENT = QUICK.model_copy(update={"timeout_seconds": 2.0})
DESCRIBE = CloudRequest("aws", "kms.us-east-1.amazonaws.com", "DescribeKey", (("KeyId", KEY),), OWN)


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library see nothing of this machine, and sham credentials of one account."""
    for name in [name for name in os.environ if name.startswith("AWS_") or "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    files = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
    for variable, name in files.items():
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", OWN_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """Return a key management with one key, at a port of loopback."""
    with serving(AwsServer()) as running:
        yield running


class Asking:
    """Asks AWS as an audit does, and keeps what is recorded."""

    def __init__(
        self, address: str | None, policy: RequestPolicy = QUICK, **accounts: object
    ) -> None:
        mapped = {name.removeprefix("of_"): value for name, value in accounts.items()}
        self.settings = CloudSettings.model_validate(
            {"aws": {"address": address, "accounts": mapped}}
        )
        self.policy = policy
        self.exchanges: list[Exchange] = []
        self.sessions = open_sessions(self.settings, policy)
        recorder = CloudRecorder(self.exchanges.append, (), policy, FILE)
        self.transport = self.sessions.transport(recorder)

    def key(self, arn: str = KEY) -> CloudKey:
        """Return what AWS shows of a key."""
        return aws.read_key(a_client(self.transport, policy=self.policy), arn, self.settings)

    def failure(self, request: CloudRequest = DESCRIBE) -> tuple[str, str, bool]:
        """Return why one request has no answer."""
        failure = self.transport.send(request).failure
        assert failure is not None
        return failure.reason, failure.detail, failure.again

    @property
    def evidence(self) -> str:
        """Return everything that is recorded."""
        return b"".join(map(render_line, self.exchanges)).decode()


# --- what comes back ------------------------------------------------------------------------------


def test_key_is_read_over_the_wire(server: AwsServer) -> None:
    """What is read over HTTP, signed by the library, is what the server shows."""
    asking = Asking(server.address)
    live = asking.key()
    recorder = CloudRecorder(lambda _: None, (), QUICK, FILE)
    expected = aws.read_key(a_client(MemoryTransport(server, recorder)), KEY, asking.settings)
    assert live.facts.model_copy(update={"observed_at": None}) == expected.facts.model_copy(
        update={"observed_at": None}
    )
    assert live.facts.unread == ()
    assert {request.access_key for request in server.requests[:8]} == {OWN_KEY_ID}
    assert {request.region for request in server.requests} == {"us-east-1"}
    assert [exchange.address.split("?")[0] for exchange in asking.exchanges[:2]] == [
        "/aws/kms.us-east-1.amazonaws.com/DescribeKey",
        "/aws/kms.us-east-1.amazonaws.com/GetKeyRotationStatus",
    ]


def test_every_page_and_attempt_is_one_exchange(server: AwsServer) -> None:
    """Pages and failed attempts are exchanges of their own; the library repeats nothing itself."""
    server.page_size = 1
    server.keys[KEY].grants = [GRANT | {"GrantId": f"grant-{number}"} for number in range(3)]
    server.faults = {"ListGrants": [error("ThrottlingException"), None]}
    asking = Asking(server.address)
    assert len(asking.key().facts.grants or ()) == 3
    assert len(asking.exchanges) == len(server.requests) == 11
    grants = [exchange for exchange in asking.exchanges if "ListGrants" in exchange.address]
    assert [(exchange.status, "Marker" in exchange.address) for exchange in grants] == [
        (400, False),
        (200, False),
        (200, True),
        (200, True),
    ]


def test_replay_needs_neither_library_nor_credentials(server: AwsServer, tmp_path: Path) -> None:
    """In a process that has no library of AWS, the recorded answers give the same key."""
    server.faults = {"ListGrants": [error("KMSInternalException", 500), None]}
    asking = Asking(server.address)
    live = asking.key()
    for number, exchange in enumerate(asking.exchanges):
        (tmp_path / f"{number:02}").write_bytes(render_line(exchange))
    done = subprocess.run(
        [sys.executable, "-I", "-c", _REPLAY, str(ROOT), str(tmp_path), KEY],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == json.loads(live.model_dump_json())


_REPLAY = """
import sys
from pathlib import Path

root, folder, key_id = sys.argv[1:]
sys.path.insert(0, root)
for name in ("boto3", "botocore", "inventory.clouds.aws.transport"):
    sys.modules[name] = None
from inventory.clouds.aws import reader as aws
from inventory.clouds.client import CloudClient, CloudContext
from inventory.clouds.config import CloudSettings
from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.evidence.exchange_line import parse_line
from inventory.system.request_policy import RequestPolicy

files = sorted(file for file in Path(folder).iterdir() if file.name.isdigit())
exchanges = [
    parse_line("exchanges/0001.ndjson.gz", number, file.read_bytes())
    for number, file in enumerate(files, 1)
]
transport = ReplayingCloudTransport(exchanges)
policy = RequestPolicy(attempts=2)
context = CloudContext(transport, policy, lambda _: None, lambda: 60.0)
key = aws.read_key(CloudClient(context), key_id, CloudSettings())
transport.require_all_used()
print(key.model_dump_json())
"""


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("disable_key", {"KeyId": KEY}),
        ("schedule_key_deletion", {"KeyId": KEY}),
        ("enable_key_rotation", {"KeyId": KEY}),
        ("put_key_policy", {"KeyId": KEY, "Policy": "{}"}),
        ("decrypt", {"CiphertextBlob": b"x"}),
        ("list_keys", {}),
    ],
)
def test_only_reading_calls_leave_the_machine(
    server: AwsServer, method: str, parameters: dict[str, Any]
) -> None:
    """The library's own client refuses every call but the seven that read a key."""
    client = Asking(server.address).sessions.client(OWN, "us-east-1").library_client
    with pytest.raises(ForbiddenRequestError, match="an audit only reads"):
        getattr(client, method)(**parameters)
    assert server.requests == []


def test_only_roles_are_assumed_elsewhere(server: AwsServer) -> None:
    """The client that assumes roles can do nothing else."""
    asking = Asking(server.address)
    client = asking.sessions._own.token_client("us-east-1")
    with pytest.raises(ForbiddenRequestError, match="GetCallerIdentity: an audit only reads"):
        client.get_caller_identity()
    assert server.requests == []


def test_other_operation_is_refused_before_it_is_recorded(server: AwsServer) -> None:
    """A request for another operation is a mistake of ours, and raises."""
    asking = Asking(server.address)
    with pytest.raises(ForbiddenRequestError, match="DisableKey: an audit only reads"):
        asking.transport.send(DESCRIBE._replace(operation="DisableKey"))
    assert (asking.exchanges, server.requests) == ([], [])


def test_redirect_is_not_followed(server: AwsServer) -> None:
    """An answer that names another address is a wrong address, and nothing is sent there."""
    elsewhere = (("Location", f"{server.address}/elsewhere"),)
    server.faults = {"DescribeKey": [Reply(302, (b"",), elsewhere)]}
    facts = Asking(server.address).key().facts
    assert [(gap.fact, gap.reason) for gap in facts.unread] == [("key", "wrong-address")]
    assert server.operations == ["DescribeKey"]


@pytest.mark.parametrize(
    "variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS", "AWS_USE_FIPS_ENDPOINT"]
)
def test_environment_sends_the_audit_nowhere_else(
    server: AwsServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Variables that name another address of AWS do not count: the key id says who is asked."""
    monkeypatch.setenv(variable, "true" if variable.endswith("FIPS_ENDPOINT") else server.address)
    client = Asking(None).sessions.client(OWN, "us-east-1")
    assert client.host == "kms.us-east-1.amazonaws.com"
    token_client = Asking(None).sessions._own.token_client("us-east-1")
    assert token_client.meta.endpoint_url == "https://sts.us-east-1.amazonaws.com"


def test_profile_sends_the_audit_nowhere_else(server: AwsServer, tmp_path: Path) -> None:
    """A profile that names another address gives its credentials only."""
    (tmp_path / "config").write_text(
        f"[profile acme]\nregion = eu-west-1\nendpoint_url = {server.address}\n"
        f"aws_access_key_id = {OWN_KEY_ID}\naws_secret_access_key = {SECRET}\n"
    )
    client = Asking(None, of_111122223333={"profile": "acme"}).sessions.client(OWN, "us-east-1")
    assert client.host == "kms.us-east-1.amazonaws.com"


def test_own_address_of_aws_is_not_assumed_to_assume_roles() -> None:
    """A private address of the key management is none for roles; loopback is one for both."""
    private = Asking("https://vpce-0a1b.kms.us-east-1.vpce.amazonaws.com")
    assert private.sessions._own.token_client("us-east-1").meta.endpoint_url == (
        "https://sts.us-east-1.amazonaws.com"
    )
    assert private.sessions.client(OWN, "us-east-1").host.startswith("vpce-0a1b")


@pytest.mark.parametrize(
    ("region", "partition", "detail"),
    [
        ("mars-1", "aws", "AWS's library knows no such region (UnknownRegionError)"),
        ("-us-east-", "aws", "AWS's library knows no such region (UnknownRegionError)"),
        ("cn-north-1", "aws", "the region is not one of the key's partition"),
        ("us-east-1", "aws-cn", "the region is not one of the key's partition"),
    ],
)
def test_region_of_no_partition_is_not_asked(region: str, partition: str, detail: str) -> None:
    """A key id with a region that there is not, or not in its partition, is not asked about."""
    arn = KEY.replace("us-east-1", region).replace("arn:aws:", f"arn:{partition}:")
    facts = Asking(None).key(arn).facts
    assert facts.unread == (KmsGap(fact="key", reason="wrong-address", detail=detail),)


# --- accounts, profiles, roles --------------------------------------------------------------------


def profiles(folder: Path) -> None:
    """Write a profile for each of two accounts."""
    (folder / "credentials").write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n"
            for name, key in (("acme", OWN_KEY_ID), ("vendor", VENDOR_KEY_ID))
        )
    )


def test_each_account_has_its_credentials(server: AwsServer, tmp_path: Path) -> None:
    """Each account is read with its own profile, and others with what the library finds."""
    profiles(tmp_path)
    other = KEY.replace(OWN, VENDOR)
    server.keys[other] = a_key(other)
    asking = Asking(server.address, of_999988887777={"profile": "vendor"})
    assert [asking.key(arn).facts.unread for arn in (KEY, other)] == [(), ()]
    used = {(request.parameters["KeyId"], request.access_key) for request in server.requests}
    assert used == {(KEY, OWN_KEY_ID), (other, VENDOR_KEY_ID)}


def test_other_account_is_refused_what_is_not_shared(server: AwsServer, tmp_path: Path) -> None:
    """With credentials of another account, what AWS shows across accounts is read; not the rest."""
    profiles(tmp_path)
    server.keys[KEY].shared_with = {VENDOR}
    facts = Asking(server.address, of_111122223333={"profile": "vendor"}).key().facts
    assert (facts.enabled, len(facts.grants or ())) == (True, 1)
    assert {(gap.fact, gap.reason, gap.permission) for gap in facts.unread} == {
        ("rotations", "refused", "kms:ListKeyRotations"),
        ("policy", "refused", "kms:GetKeyPolicy"),
        ("aliases", "refused", "kms:ListAliases"),
        ("last-use", "refused", "kms:GetKeyLastUsage"),
    }


@pytest.mark.parametrize("external_id", [None, "agreed-with-acme"])
def test_role_is_assumed_for_its_account(server: AwsServer, external_id: str | None) -> None:
    """A role is assumed once, with the id that it asks for, and its credentials read the key."""
    server.roles = {ROLE: external_id}
    account = {"role": ROLE} | ({"external_id": external_id} if external_id else {})
    asking = Asking(server.address, of_111122223333=account)
    server.accounts[OWN_KEY_ID] = VENDOR  # the audit's own account is another one
    assert asking.key().facts.unread == ()
    assert server.operations.count("AssumeRole") == 1
    assumption = server.requests[0]
    assert (assumption.access_key, assumption.region) == (OWN_KEY_ID, "us-east-1")
    assert assumption.parameters["RoleSessionName"] == "cmek-audit"
    assert {request.access_key[:4] for request in server.requests[1:]} == {"ASIA"}
    assert all("/aws/kms." in exchange.address for exchange in asking.exchanges)


def test_role_is_assumed_again_before_it_expires(server: AwsServer) -> None:
    """Credentials that end within minutes are renewed in time."""
    server.roles, server.session_seconds = {ROLE: None}, 60
    assert Asking(server.address, of_111122223333={"role": ROLE}).key().facts.unread == ()
    assert server.operations.count("AssumeRole") > 1


@pytest.mark.parametrize(
    ("reply", "reason", "detail"),
    [
        (
            token_error("AccessDenied"),
            "no-credentials",
            "the role for the account was not assumed: answered 403 AccessDenied",
        ),
        (
            token_error("ExpiredToken"),
            "credentials-expired",
            "the role for the account was not assumed: answered 403 ExpiredToken",
        ),
        (
            token_error("RegionDisabledException"),
            "region-disabled",
            "the role for the account was not assumed: answered 403 RegionDisabledException",
        ),
        (
            token_error("Throttling", 400),
            "rate-limited",
            "the role for the account was not assumed: answered 400 Throttling",
        ),
        (
            token_error("jane.doe@example.com"),
            "no-credentials",
            "the role for the account was not assumed: answered 403 no code",
        ),
        (
            Reply(200, (b"<html",)),
            "unavailable",
            "AWS's library failed (ResponseParserError)",
        ),
        (
            Reply(200, (b"<AssumeRoleResponse/>",)),
            "unavailable",
            "AWS's library failed (KeyError)",
        ),
    ],
)
def test_role_that_is_not_assumed_is_a_reason(
    server: AwsServer, reply: Reply, reason: str, detail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its role an account is not read; nothing printed or recorded names the caller."""
    server.faults = {"AssumeRole": [reply]}
    asking = Asking(server.address, of_111122223333={"role": ROLE})
    found = asking.failure()
    assert found == (reason, detail, reason == "rate-limited")
    assert set(server.operations) == {"AssumeRole"}
    printed = capsys.readouterr()
    assert "jane" not in asking.evidence + printed.out + printed.err


# --- credentials ----------------------------------------------------------------------------------


def test_no_credentials(server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is sent; for a role that is to be assumed neither."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    expected = (
        "no-credentials",
        "AWS's library got no credentials (NoCredentialsError)",
        False,
    )
    assert Asking(server.address).failure() == expected
    assert Asking(server.address, of_111122223333={"role": ROLE}).failure() == expected
    assert server.requests == []


SIGN_ON = "sso_start_url = https://sso.example.com\nsso_region = us-east-1\n"


@pytest.mark.parametrize(
    ("config", "detail"),
    [
        ("", "there is no such profile (ProfileNotFound)"),
        ("[profile acme]\nregion\n", "the configuration cannot be read (ConfigParseError)"),
        (
            "[profile acme]\naws_access_key_id = x\n",
            "AWS's library got no credentials (PartialCredentialsError)",
        ),
        (
            "[profile acme]\ncredential_process = false\n",
            "AWS's library got no credentials (CredentialRetrievalError)",
        ),
        (
            f"[profile acme]\n{SIGN_ON}sso_account_id = {OWN}\nsso_role_name = audit\n",
            "AWS's library got no credentials (SSOTokenLoadError)",
        ),
        (
            "[profile acme]\nrole_arn = x\nsource_profile = missing\n",
            "the configuration cannot be read (InvalidConfigError)",
        ),
    ],
)
def test_profile_that_gives_no_credentials(
    server: AwsServer, tmp_path: Path, config: str, detail: str
) -> None:
    """Whatever is wrong with a profile is a reason; the texts of its files are not repeated."""
    (tmp_path / "config").write_text(config)
    asking = Asking(server.address, of_111122223333={"profile": "acme"})
    assert asking.failure() == ("no-credentials", detail, False)
    assert server.requests == []


@pytest.mark.parametrize(
    ("failure", "reason", "detail"),
    [
        (
            UnauthorizedSSOTokenError(),
            "credentials-expired",
            "the credentials are to be renewed (UnauthorizedSSOTokenError)",
        ),
        (
            LoginRefreshRequired(),
            "credentials-expired",
            "the credentials are to be renewed (LoginRefreshRequired)",
        ),
        (NoRegionError(), "wrong-address", "AWS's library knows no such region (NoRegionError)"),
        (ZeroDivisionError("jane"), "unavailable", "AWS's library failed (ZeroDivisionError)"),
    ],
)
def test_failure_is_named_by_its_type(failure: Exception, reason: str, detail: str) -> None:
    """What the library raises has a reason by its type; its text is never repeated."""
    assert aws_transport._failure_of(failure) == Failure(reason=reason, detail=detail)


def test_expired_and_unknown_credentials(server: AwsServer) -> None:
    """Credentials that AWS no longer accepts, or never did, are a reason of their own."""
    server.accounts = {}
    facts = Asking(server.address).key().facts
    assert [(gap.fact, gap.reason, gap.detail) for gap in facts.unread] == [
        ("key", "credentials-expired", "answered 400 UnrecognizedClientException")
    ]


def test_credentials_are_hidden_wherever_they_come_back(
    server: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that repeats a credential is recorded without it, in a header, too."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    server.keys[KEY].metadata["Description"] = f"{OWN_KEY_ID} {SECRET} {TOKEN}"
    echo = Reply(200, (f"{SECRET} {TOKEN}".encode(),), (("x-amzn-RequestId", TOKEN),))
    server.faults = {"ListAliases": [echo]}
    asking = Asking(server.address)
    asking.key()
    assert len(server.requests) == 9
    for secret in (OWN_KEY_ID, SECRET, TOKEN):
        assert secret not in asking.evidence
    assert HIDDEN in asking.evidence


def test_credentials_of_a_role_are_hidden(server: AwsServer) -> None:
    """The credentials that AWS gives for a role are hidden like the audit's own."""
    server.roles = {ROLE: None}
    server.keys[KEY].metadata["Description"] = f"{ROLE_SECRET} {SESSION_TOKEN} {SECRET}"
    asking = Asking(server.address, of_111122223333={"role": ROLE})
    assert asking.key().facts.enabled is True
    for secret in (ROLE_SECRET, SESSION_TOKEN, SECRET):
        assert secret not in asking.evidence


def test_short_values_are_no_secrets(server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials such as ``test``, which emulators take, are not looked for in every word."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "acme")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "alias")
    server.accounts["acme"] = OWN
    assert Asking(server.address).key().facts.aliases == ("alias/acme",)


def test_library_logs_nothing(server: AwsServer, caplog: pytest.LogCaptureFixture) -> None:
    """The library's log, which holds signed requests and the names of callers, is off."""
    caplog.set_level(logging.DEBUG)
    server.faults = {"AssumeRole": [token_error("AccessDenied")]}
    Asking(server.address, of_111122223333={"role": ROLE}).failure()
    Asking(server.address).key()
    assert [record.name for record in caplog.records if record.name.startswith("boto")] == []
    assert "Credential=" not in caplog.text
    assert "jane" not in caplog.text


# --- time, size, damage ---------------------------------------------------------------------------


def test_slow_answer_is_given_up(server: AwsServer) -> None:
    """An answer that comes byte by byte is given up in the time of one request, and tried again."""
    drops = tuple(bytes([byte]) for byte in b'{"KeyMetadata": {}}' * 20)
    server.faults = {"DescribeKey": [Reply(200, drops, pause=0.05), None]}
    asking = Asking(server.address, IMPATIENT)
    assert asking.key().facts.unread == ()
    assert asking.exchanges[0].failure is not None
    assert asking.exchanges[0].failure.model_dump() == {
        "reason": "timed-out",
        "detail": "no answer within 2 s",
        "again": True,
    }
    seconds = asking.exchanges[0].ended - asking.exchanges[0].started
    assert 1.9 < seconds.total_seconds() < 15


def test_program_that_hangs_stops_no_other(server: AwsServer, tmp_path: Path) -> None:
    """A program that should give credentials, and does not end, costs the time of a request."""
    (tmp_path / "config").write_text("[profile acme]\ncredential_process = sleep 6\n")
    asking = Asking(server.address, IMPATIENT, of_111122223333={"profile": "acme"})
    assert asking.failure() == ("timed-out", "no answer within 2 s", True)
    assert asking.transport.send(DESCRIBE._replace(account=VENDOR)).status == 200


def test_silent_server_is_given_up(server: AwsServer) -> None:
    """A server that never answers is given up; the reason is the same whoever notices first."""
    server.faults = {"DescribeKey": [Reply(200, (b"{}",), pause=6.0)]}
    reason, _, again = Asking(server.address, IMPATIENT).failure()
    assert (reason, again) == ("timed-out", True)


def test_large_answer_is_not_read(server: AwsServer) -> None:
    """Of an answer that is too large no more is read than it takes to know that."""
    server.faults = {"DescribeKey": [Reply(200, (b'{"a": "', b"x" * 4_000_000, b'"}'))]}
    small = QUICK.model_copy(update={"largest_answer_bytes": 2_048})
    asking = Asking(server.address, small)
    reason, detail, again = asking.failure()
    assert (reason, again) == ("too-large", False)
    assert detail == "more than 2,048 bytes in one answer: the limit is largest_answer_bytes"
    assert asking.transport.send(DESCRIBE._replace(operation="ListGrants")).status == 200


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (html(), "malformed"),
        (Reply(200, (b'{"KeyMetadata": {"KeyId":',)), "malformed"),
        (error("KMSInternalException", 500), "unavailable"),
        (html(503), "unavailable"),
        (error("InvalidArnException"), "not-found"),
        (error("OptInRequired", 403), "region-disabled"),
    ],
)
def test_damaged_answer_is_no_answer(server: AwsServer, reply: Reply, reason: str) -> None:
    """What the library would take for an empty answer, or an error, is recorded as it came."""
    server.faults = {"DescribeKey": [reply]}
    asking = Asking(server.address)
    facts = asking.key().facts
    assert [(gap.fact, gap.reason) for gap in facts.unread] == [("key", reason)]
    assert {exchange.status for exchange in asking.exchanges} == {reply.status}


def test_answer_that_breaks_off_is_tried_again(server: AwsServer) -> None:
    """An answer that is shorter than announced is no answer; another attempt may help."""
    server.faults = {"DescribeKey": [ok({"KeyMetadata": {}})._replace(missing=10)]}
    reason, detail, again = Asking(server.address).failure()
    assert (reason, detail.partition(" (")[0], again) == (
        "unavailable",
        "the answer broke off",
        True,
    )


def test_broken_connection_is_tried_again(server: AwsServer) -> None:
    """An answer that breaks off amid its pieces is no answer; another attempt may help."""
    chunked = (("Transfer-Encoding", "chunked"),)
    broken = Reply(200, (b'ff\r\n{"KeyMetadata"',), chunked, breaks_off=True)
    server.faults = {"DescribeKey": [broken]}
    assert Asking(server.address).failure() == (
        "unavailable",
        "the answer broke off (ProtocolError)",
        True,
    )


def test_nobody_at_the_address(server: AwsServer) -> None:
    """Where nobody listens, AWS was not reached; another attempt may help."""
    with serving(AwsServer()) as gone:
        address = gone.address
    assert Asking(address).failure() == (
        "unavailable",
        "AWS was not reached (EndpointConnectionError)",
        True,
    )


def test_no_secure_connection(server: AwsServer) -> None:
    """A server that does not speak TLS gets no credentials, and is not asked again."""
    reason, detail, again = Asking(server.address.replace("http:", "https:")).failure()
    assert (reason, detail, again) == (
        "unavailable",
        "the connection is not secure (SSLError)",
        False,
    )
    assert server.requests == []


def test_unknown_failure_is_named_by_its_type(
    server: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the library raises and we do not know is recorded by its type, never by its text."""
    monkeypatch.setenv("AWS_RETRY_MODE", "jane.doe@example.com")
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "jane.doe@example.com")
    assert Asking(server.address).failure() == (
        "unavailable",
        "AWS's library failed (InvalidDefaultsMode)",
        False,
    )


def test_request_that_the_library_does_not_send() -> None:
    """Parameters that the library refuses to send are recorded as a failure."""
    request = DESCRIBE._replace(parameters=(("KeyId", ""),))
    assert Asking(None).failure(request) == (
        "unavailable",
        "AWS's library failed (ParamValidationError)",
        False,
    )


def test_no_time_left_is_recorded(server: AwsServer) -> None:
    """A request for which no time is left is recorded, and not sent."""
    exchange = Asking(server.address).transport.give_up(DESCRIBE)
    assert exchange.failure is not None
    assert exchange.failure.reason == "timed-out"
    assert server.requests == []


# --- threads --------------------------------------------------------------------------------------


def test_threads_share_clients(server: AwsServer) -> None:
    """Several keys are read at the same time, each with its own answers; one client a region."""
    arns = [KEY[:-2] + f"{number:02}" for number in range(12)]
    server.keys = {arn: a_key(arn) for arn in arns}
    asking = Asking(server.address)
    with ThreadPoolExecutor(6) as pool:
        keys = list(pool.map(asking.key, arns))
    assert [(key.key_id, key.facts.enabled, key.facts.unread) for key in keys] == [
        (arn, True, ()) for arn in arns
    ]
    assert list(asking.sessions._own._clients) == ["us-east-1"]


def test_organizations_share_sessions_and_not_their_records(server: AwsServer) -> None:
    """Each organization records its own exchanges, though the clients are the same."""
    asking = Asking(server.address)
    others: list[Exchange] = []
    other = asking.sessions.transport(CloudRecorder(others.append, (), QUICK, FILE))
    both = threading.Barrier(2)

    def send(transport: aws_transport.AwsTransport) -> None:
        both.wait()
        for _ in range(5):
            transport.send(DESCRIBE)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, (asking.transport, other)))
    assert (len(asking.exchanges), len(others)) == (5, 5)


# --- moto -----------------------------------------------------------------------------------------


def test_healthy_round_against_moto() -> None:
    """Another server that answers as AWS does shows a healthy key in the same way."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (slow to import)

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        address = "http://{}:{}".format(*moto.get_host_and_port())
        kms: Any = boto3.client("kms", "us-east-1", endpoint_url=address)
        made = kms.create_key(KeyUsage="ENCRYPT_DECRYPT", KeySpec="SYMMETRIC_DEFAULT")
        arn = made["KeyMetadata"]["Arn"]
        kms.enable_key_rotation(KeyId=arn)
        kms.create_alias(AliasName="alias/acme", TargetKeyId=arn)
        kms.create_grant(
            KeyId=arn, GranteePrincipal=f"arn:aws:iam::{VENDOR}:root", Operations=["Decrypt"]
        )
        asking = Asking(address)
        facts = asking.key(arn).facts
    finally:
        moto.stop()
    assert (facts.enabled, facts.suitable, facts.state) == (True, True, "Enabled")
    assert (facts.rotation_enabled, facts.aliases) == (True, ("alias/acme",))
    assert [grant.operations for grant in facts.grants or ()] == [("Decrypt",)]
    assert json.loads(facts.policy or "")["Statement"]
    reasons = {gap.fact: gap.reason for gap in facts.unread}
    assert reasons["last-use"] == "unavailable"  # moto does not know it, and answers with a page
