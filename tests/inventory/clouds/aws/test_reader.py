"""What AWS shows of a key: facts by strict reading, and gaps instead of guesses."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds.aws import reader as aws
from inventory.clouds.aws.answers import READS
from inventory.clouds.config import CloudSettings
from inventory.clouds.recorder import CloudRecorder
from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.model.kms import KeyGrant, KmsFacts, KmsGap
from inventory.system.request_policy import RequestPolicy
from tests.clouds.aws_server import (
    CREATED,
    GRANT,
    KEY,
    NEXT,
    OWN,
    POLICY,
    ROTATED,
    USED,
    VENDOR,
    VENDOR_KEY_ID,
    AwsServer,
    MemoryTransport,
    Reply,
    a_key,
    epoch,
    error,
    html,
    ok,
)
from tests.hypothesis_profile import examples
from tests.inventory.clouds.scripted import FILE, a_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import CloudKey
    from tests.clouds.aws_server import AwsKeyEntry

MAPPED = CloudSettings.model_validate({"aws": {"accounts": {OWN: {"profile": "acme"}}}})
POLICY_OF_REQUESTS = RequestPolicy(attempts=2, first_wait_seconds=0.0, most_pages=5)
REPLICA = KEY.replace("1a2b3c4d-0001-4000-8000-000000000001", f"mrk-{'1' * 32}")


def asked(
    server: AwsServer,
    arn: str = KEY,
    settings: CloudSettings = MAPPED,
    exchanges: list[Exchange] | None = None,
    **over: str,
) -> CloudKey:
    """Return what the server shows of a key, as it is read from the recorded answers."""
    kept = [] if exchanges is None else exchanges
    recorder = CloudRecorder(kept.append, (), POLICY_OF_REQUESTS, FILE)
    client = a_client(MemoryTransport(server, recorder, **over), policy=POLICY_OF_REQUESTS)
    return aws.read_key(client, arn, settings)


def shown(key: AwsKeyEntry, arn: str = KEY) -> KmsFacts:
    """Return the facts of a key that the server has."""
    return asked(AwsServer({arn: key}), arn).facts


def gaps(facts: KmsFacts) -> dict[str, str]:
    """Return the reason of each gap by its fact; those of one fact are joined."""
    found: dict[str, str] = {}
    for gap in facts.unread:
        found[gap.fact] = " ".join(filter(None, (found.get(gap.fact), gap.reason)))
    return found


def fact_names() -> list[str]:
    """Return the names of what is shown of a key, without when and what is missing."""
    return sorted(KmsFacts.model_fields.keys() - {"observed_at", "unread"})


# --- a healthy key --------------------------------------------------------------------------------


def test_healthy_key_is_shown_whole() -> None:
    """Everything that AWS shows of a healthy key becomes a fact, with the answer that shows it."""
    exchanges: list[Exchange] = []
    server = AwsServer()
    key = asked(server, exchanges=exchanges)
    expected = KmsFacts(
        observed_at=exchanges[0].started,
        enabled=True,
        suitable=True,
        region="us-east-1",
        rotation_enabled=True,
        state="Enabled",
        kind="SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, AWS_KMS",
        owner=OWN,
        created_at=CREATED,
        rotation_days=365,
        next_rotation_at=NEXT,
        rotated_at=ROTATED,
        last_used_at=USED,
        never_used=False,
        multi_region=False,
        policy=json.dumps(POLICY, separators=(",", ":")),
        grants=(
            KeyGrant(
                id=str(GRANT["GrantId"]),
                grantee=str(GRANT["GranteePrincipal"]),
                operations=("Decrypt", "GenerateDataKeyWithoutPlaintext"),
                issued_by=VENDOR,
                created_at=ROTATED,
                constrained=True,
            ),
        ),
        aliases=("alias/acme",),
    )
    assert key.facts == expected
    assert (key.key_id, key.requests, set(key.seen)) == (KEY, 8, set(READS.values()))
    assert server.operations == [
        "DescribeKey",
        "GetKeyRotationStatus",
        "ListKeyRotations",
        "GetKeyPolicy",
        "GetKeyPolicy",
        "ListGrants",
        "ListAliases",
        "GetKeyLastUsage",
    ]
    assert {request.parameters["KeyId"] for request in server.requests} == {KEY}


def test_replay_reads_the_same() -> None:
    """The recorded answers give the same facts again, and each of them is used."""
    exchanges: list[Exchange] = []
    server = AwsServer(page_size=1, faults={"ListGrants": [error("ThrottlingException"), None]})
    server.keys[KEY].grants.append(GRANT | {"GrantId": "second"})
    live = asked(server, exchanges=exchanges)
    replayed = ReplayingCloudTransport(exchanges)
    again = aws.read_key(a_client(replayed, policy=POLICY_OF_REQUESTS), KEY, MAPPED)
    replayed.require_all_used()
    assert again == live
    assert [grant.id for grant in live.facts.grants or ()] == [GRANT["GrantId"], "second"]
    assert live.seen["grants"] == f"{FILE}:7"  # the first page, not the throttled one


# --- states and kinds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [
        *("Creating", "Disabled", "PendingImport", "Unavailable", "Updating"),
    ],
)
def test_key_that_is_not_enabled_cannot_be_used(state: str) -> None:
    """Only the state Enabled is enabled."""
    facts = shown(a_key(KeyState=state, Enabled=False))
    assert (facts.state, facts.enabled, facts.unread) == (state, False, ())


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"KeyState": "Resting"}, "unknown-value"),
        ({"KeyState": None}, "malformed"),
        ({"Enabled": False}, "malformed"),
        ({"Enabled": "true"}, "malformed"),
        ({"KeyState": "Disabled"}, "malformed"),
    ],
)
def test_contradictory_state_is_none(over: dict[str, object], reason: str) -> None:
    """A state that AWS does not document, or that contradicts itself, is no state."""
    facts = shown(a_key(**over))
    assert (facts.state, facts.enabled, gaps(facts)) == (None, None, {"key": reason})
    assert (facts.suitable, facts.created_at) == (True, CREATED)


def test_deletion_has_its_day() -> None:
    """A key that waits for its deletion shows the day; one without a day has a gap."""
    day = NEXT - timedelta(days=300)
    doomed = {"KeyState": "PendingDeletion", "Enabled": False}
    facts = shown(a_key(**doomed, DeletionDate=epoch(day)))
    assert (facts.deletion_at, facts.enabled, facts.unread) == (day, False, ())
    facts = shown(a_key(**doomed))
    assert (facts.deletion_at, facts.state, gaps(facts)) == (
        None,
        "PendingDeletion",
        {"key": "malformed"},
    )
    facts = shown(a_key(DeletionDate=epoch(day)))
    assert (facts.deletion_at, facts.state) == (day, "Enabled")


@pytest.mark.parametrize(
    ("window", "days", "gap"),
    [(7, 7, {}), (30, 30, {}), (6, None, {"key": "malformed"}), (None, None, {"key": "malformed"})],
)
def test_primary_key_waits_for_its_replicas(
    window: object, days: int | None, gap: dict[str, str]
) -> None:
    """A primary key whose replicas still exist shows how long it waits after them, and no day."""
    over = {"PendingDeletionWindowInDays": window}
    facts = shown(a_key(KeyState="PendingReplicaDeletion", Enabled=False, **over))
    assert (facts.recoverable_days, facts.deletion_at, gaps(facts)) == (days, None, gap)


@pytest.mark.parametrize(
    ("over", "suitable", "kind"),
    [
        ({"KeySpec": "RSA_2048"}, False, "RSA_2048, ENCRYPT_DECRYPT, AWS_KMS"),
        (
            {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
            False,
            "HMAC_256, GENERATE_VERIFY_MAC, AWS_KMS",
        ),
        (
            {"Origin": "AWS_CLOUDHSM"},
            True,
            "SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, AWS_CLOUDHSM",
        ),
        (
            {"KeyManager": "AWS"},
            False,
            "SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, AWS_KMS, managed by AWS",
        ),
    ],
)
def test_kind_of_a_key(over: dict[str, object], suitable: bool, kind: str) -> None:  # noqa: FBT001
    """A key of the right kind is symmetric, encrypts, and is managed by its owner."""
    facts = shown(a_key(**over))
    assert (facts.suitable, facts.kind) == (suitable, kind)


@pytest.mark.parametrize("member", ["KeySpec", "KeyUsage", "Origin", "KeyManager"])
@pytest.mark.parametrize(("value", "reason"), [("NEW", "unknown-value"), (None, "malformed")])
def test_unknown_kind_is_none(member: str, value: object, reason: str) -> None:
    """A key of a kind that AWS does not document is neither right nor wrong."""
    facts = shown(a_key(**{member: value}))
    assert (facts.suitable, facts.kind) == (None, None)
    assert reason in gaps(facts)["key"]


@pytest.mark.parametrize(
    ("over", "expires", "gap"),
    [
        ({"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}, False, {}),
        ({"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": epoch(NEXT)}, True, {}),
        ({"ExpirationModel": "KEY_MATERIAL_EXPIRES"}, False, {"key": "malformed"}),
        ({"ExpirationModel": "LATER"}, False, {"key": "unknown-value"}),
        ({}, False, {"key": "malformed"}),
        ({"KeyState": "PendingImport", "Enabled": False}, False, {}),
    ],
)
def test_imported_material_expires(
    over: dict[str, object],
    expires: bool,  # noqa: FBT001
    gap: dict[str, str],
) -> None:
    """Imported key material shows whether and when it expires; without that it is not known."""
    key = a_key(Origin="EXTERNAL", **over)
    key.rotation = {"KeyRotationEnabled": False}
    facts = shown(key)
    assert (facts.expires_at, gaps(facts)) == (NEXT if expires else None, gap)


def test_expiry_of_any_key_is_shown() -> None:
    """A day on which a key expires counts, whatever else AWS shows."""
    assert shown(a_key(ValidTo=epoch(NEXT))).expires_at == NEXT


def test_creation_to_come_is_impossible() -> None:
    """A creation after the answer is no time: the rest of the key is still shown."""
    facts = shown(a_key(CreationDate=epoch(NEXT)))
    assert (facts.created_at, facts.enabled, gaps(facts)) == (None, True, {"key": "malformed"})


# --- replicas -------------------------------------------------------------------------------------


def test_replica_says_where_its_rotation_is_set() -> None:
    """A replica of a multi-Region key rotates as its primary key does, and says so."""
    regions = {"MultiRegionKeyType": "REPLICA", "PrimaryKey": {"Region": "us-west-2"}}
    facts = shown(a_key(REPLICA, MultiRegionConfiguration=regions), REPLICA)
    assert (facts.multi_region, facts.suitable, facts.rotation_enabled) == (True, True, True)
    kind = "SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, AWS_KMS"
    assert facts.kind == f"{kind}, replica, which rotates as its primary key does"
    primary = regions | {"MultiRegionKeyType": "PRIMARY"}
    facts = shown(a_key(REPLICA, MultiRegionConfiguration=primary), REPLICA)
    assert (facts.kind, facts.unread) == (kind, ())


@pytest.mark.parametrize(
    ("arn", "over"),
    [
        (KEY, {"MultiRegion": True}),
        (KEY, {"MultiRegion": None}),
        (REPLICA, {"MultiRegion": False}),
        (REPLICA, {}),
        (REPLICA, {"MultiRegionConfiguration": {"MultiRegionKeyType": "OTHER"}}),
    ],
)
def test_contradictory_regions_are_none(arn: str, over: dict[str, object]) -> None:
    """Whether a key has replicas is known only if its id and the answer agree."""
    facts = shown(a_key(arn, **over), arn)
    assert (facts.multi_region, list(gaps(facts))) == (None, ["key"])


# --- whose key ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "detail"),
    [
        ({"Arn": KEY.replace("arn:aws:", "arn:aws-cn:")}, "another partition"),
        ({"Arn": KEY.replace("us-east-1", "us-west-2")}, "another region"),
        ({"Arn": KEY.replace(OWN, VENDOR)}, "another account"),
        ({"Arn": KEY[:-1] + "2"}, "another key"),
        ({"Arn": KEY.replace("kms", "s3")}, "another resource"),
        ({"Arn": KEY + ":x"}, "another account or key"),
        ({"Arn": "arn:aws"}, "another account or key"),
        ({"AWSAccountId": VENDOR}, "another account or key"),
        ({"KeyId": "1a2b3c4d-0001-4000-8000-000000000002"}, "another key"),
    ],
)
def test_description_of_another_key_is_refused(over: dict[str, object], detail: str) -> None:
    """An answer about another key, account or region shows nothing, and nothing else is asked."""
    server = AwsServer({KEY: a_key(**over)})
    facts = asked(server).facts
    assert {name for name in fact_names() if getattr(facts, name) is not None} == set()
    assert facts.unread == (
        KmsGap(fact="key", reason="foreign-key", detail=f"the answer is about {detail}"),
    )
    assert server.operations == ["DescribeKey"]


@pytest.mark.parametrize("member", ["Arn", "AWSAccountId", "KeyId"])
def test_description_of_no_key_is_refused(member: str) -> None:
    """An answer that does not say which key it is about shows nothing."""
    facts = shown(a_key(**{member: None}))
    assert (facts.enabled, facts.owner, gaps(facts)) == (None, None, {"key": "malformed"})


@pytest.mark.parametrize(
    ("part", "fact"),
    [
        ("rotation", "rotation"),
        ("usage", "last-use"),
        ("rotations", "rotations"),
        ("grants", "grants"),
        ("aliases", "aliases"),
    ],
)
def test_every_answer_is_about_the_key(part: str, fact: str) -> None:
    """An answer of any operation that names another key is refused; the others count."""
    key = a_key()
    other = {"KeyId": KEY.replace("0001", "0002"), "TargetKeyId": "another"}
    holder = getattr(key, part)
    for entry in holder if isinstance(holder, list) else [holder]:
        entry.update(other)
    facts = shown(key)
    assert (facts.enabled, gaps(facts)) == (True, {fact: "foreign-key"})


# --- rotation -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "over",
    [
        {"KeySpec": "RSA_2048"},
        {"Origin": "EXTERNAL", "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"},
        {"Origin": "EXTERNAL_KEY_STORE"},
    ],
)
def test_key_that_cannot_rotate_does_not(over: dict[str, object]) -> None:
    """AWS rotates symmetric keys of its own material only: of others it need not show more."""
    unsupported = [error("UnsupportedOperationException")]
    faults = {"GetKeyRotationStatus": unsupported, "ListKeyRotations": unsupported}
    facts = asked(AwsServer({KEY: a_key(**over)}, faults=faults)).facts
    assert (facts.rotation_enabled, facts.rotated_at, facts.unread) == (False, None, ())


def test_unsupported_rotation_of_a_key_that_can_rotate_is_a_gap() -> None:
    """If a key could rotate, or its kind is unknown, an unsupported operation shows nothing."""
    unsupported = [error("UnsupportedOperationException")]
    faults = {"GetKeyRotationStatus": unsupported, "ListKeyRotations": unsupported}
    for over in ({}, {"Origin": "NEW"}):
        facts = asked(AwsServer({KEY: a_key(**over)}, faults=faults)).facts
        assert facts.rotation_enabled is None
        assert gaps(facts).items() >= {
            ("rotation", "not-recorded"),
            ("rotations", "not-recorded"),
        }


def test_impossible_rotation_is_none() -> None:
    """A key that cannot rotate is not believed to."""
    facts = shown(a_key(Origin="AWS_CLOUDHSM"))
    assert (facts.rotation_enabled, facts.rotation_days) == (None, None)
    assert gaps(facts) == {"rotation": "malformed"}


@pytest.mark.parametrize(
    ("over", "expected", "reasons"),
    [
        ({"KeyRotationEnabled": False}, (False, None, None), {}),
        ({"KeyRotationEnabled": 1}, (None, None, None), {"rotation": "malformed"}),
        ({"RotationPeriodInDays": None}, (True, None, NEXT), {"rotation": "malformed"}),
        ({"RotationPeriodInDays": 60}, (True, None, NEXT), {"rotation": "malformed"}),
        ({"NextRotationDate": None}, (True, 365, None), {"rotation": "malformed"}),
        ({"KeyId": None}, (True, 365, NEXT), {}),
    ],
)
def test_rotation_is_read_by_its_parts(
    over: dict[str, object], expected: tuple[object, ...], reasons: dict[str, str]
) -> None:
    """Whether a key rotates is known also if it is not known when."""
    key = a_key()
    key.rotation |= over
    facts = shown(key)
    found = (facts.rotation_enabled, facts.rotation_days, facts.next_rotation_at)
    assert (found, gaps(facts)) == (expected, reasons)


def test_disabled_key_has_no_next_rotation() -> None:
    """A key that is disabled does not rotate, so it need not have a day for it."""
    key = a_key(KeyState="Disabled", Enabled=False)
    key.rotation |= {"NextRotationDate": None}
    facts = shown(key)
    assert (facts.enabled, facts.rotation_enabled, facts.unread) == (False, True, ())


def test_last_of_the_rotations_counts() -> None:
    """Of all rotations the last one counts; a key without any never rotated."""
    key = a_key()
    key.rotations.insert(0, {"RotationDate": epoch(CREATED), "RotationType": "ON_DEMAND"})
    assert shown(key).rotated_at == ROTATED
    key.rotations = []
    facts = shown(key)
    assert (facts.rotated_at, facts.unread) == (None, ())


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"RotationDate": epoch(ROTATED), "RotationType": "BY_HAND"}, "unknown-value"),
        ({"RotationType": "AUTOMATIC"}, "malformed"),
        ({"RotationDate": epoch(NEXT), "RotationType": "AUTOMATIC"}, "malformed"),
        ("AUTOMATIC", "malformed"),
    ],
)
def test_unreadable_rotation_is_none(entry: object, reason: str) -> None:
    """If one rotation cannot be read, it is not known which was the last."""
    key = a_key()
    key.rotations.append(entry)
    facts = shown(key)
    assert (facts.rotated_at, gaps(facts)) == (None, {"rotations": reason})


# --- policies, grants, aliases --------------------------------------------------------------------


def test_policy_of_a_share_counts_too() -> None:
    """A key that is shared by AWS RAM has a second policy, whose statements count like its own."""
    key = a_key()
    shared = {"Version": "2012-10-17", "Statement": {"Sid": "Share", "Effect": "Allow"}}
    key.policies["AWS_RAM"] = json.dumps(shared)
    both = [*POLICY["Statement"], shared["Statement"]]
    assert json.loads(shown(key).policy or "") == POLICY | {"Statement": both}


@pytest.mark.parametrize(
    ("own", "shared", "reason"),
    [
        ('{"a": 1, "a": 2}', None, "malformed"),
        ("{", None, "malformed"),
        (json.dumps(POLICY), "{", "malformed"),
        (json.dumps(POLICY), '{"Version": "2012-10-17"}', "malformed"),
        ('{"Version": "2012-10-17"}', json.dumps(POLICY), "malformed"),
    ],
)
def test_policy_counts_only_whole(own: str, shared: str | None, reason: str) -> None:
    """Half of who may use a key is not who may use it."""
    key = a_key()
    key.policies = {"default": own} | ({} if shared is None else {"AWS_RAM": shared})
    facts = shown(key)
    assert (facts.policy, gaps(facts)) == (None, {"policy": reason})


def test_refused_policy_of_a_share_is_a_gap() -> None:
    """If the policy of a share may not be read, the own one is not the whole."""
    server = AwsServer(faults={"GetKeyPolicy": [None, error("AccessDeniedException")]})
    facts = asked(server).facts
    assert (facts.policy, gaps(facts)) == (None, {"policy": "refused"})


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({"GranteeServicePrincipal": "ec2.amazonaws.com"}, {"grantee": "ec2.amazonaws.com"}),
        ({"IssuingAccount": VENDOR}, {}),
        ({"IssuingAccount": None}, {"issued_by": None}),
        ({"CreationDate": None}, {"created_at": None}),
        ({"Constraints": None}, {"constrained": False}),
        ({"Constraints": {}}, {"constrained": False}),
        ({"Constraints": {"SourceArn": "arn:aws:s3:::acme"}}, {}),
        ({"Name": None, "RetiringPrincipal": "x"}, {}),
    ],
)
def test_grant_is_read_as_it_is(over: dict[str, object], expected: dict[str, object]) -> None:
    """A grant shows who may do what, since when, by whom, and whether under constraints."""
    healthy = shown(a_key()).grants
    assert healthy is not None
    key = a_key()
    key.grants[0] |= over
    assert shown(key).grants == (healthy[0].model_copy(update=expected),)


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"GrantId": None}, "malformed"),
        ({"GrantId": "a b"}, "malformed"),
        ({"GranteePrincipal": None}, "malformed"),
        ({"GranteePrincipal": "\u202e"}, "malformed"),
        ({"GranteeServicePrincipal": 7}, "malformed"),
        ({"Operations": None}, "malformed"),
        ({"Operations": "Decrypt"}, "malformed"),
        ({"Operations": ["Decrypt", "Erase"]}, "unknown-value"),
        ({"Operations": ["Decrypt", 7]}, "malformed"),
        ({"IssuingAccount": "arn:aws-cn:iam::999988887777:root"}, "malformed"),
        ({"IssuingAccount": "jane"}, "malformed"),
        ({"CreationDate": "yesterday"}, "malformed"),
        ({"Constraints": []}, "malformed"),
    ],
)
def test_unreadable_grant_leaves_no_list(over: dict[str, object], reason: str) -> None:
    """If one grant cannot be read, the grants are not known: never fewer of them."""
    key = a_key()
    key.grants.append(GRANT | over)
    facts = shown(key)
    assert (facts.grants, gaps(facts)) == (None, {"grants": reason})


@pytest.mark.parametrize("name", [None, "", "acme", "alias/a b", "alias/\u202e"])
def test_unreadable_alias_leaves_no_list(name: object) -> None:
    """An alias without a name that could be one is none."""
    key = a_key()
    key.aliases.append({"AliasName": name, "TargetKeyId": KEY.rpartition("/")[2]})
    facts = shown(key)
    assert (facts.aliases, gaps(facts)) == (None, {"aliases": "malformed"})


# --- pages ----------------------------------------------------------------------------------------


def test_every_page_is_read() -> None:
    """A list of several pages is read to its end."""
    key = a_key()
    key.grants = [GRANT | {"GrantId": f"grant-{number}"} for number in range(5)]
    server = AwsServer({KEY: key}, page_size=2)
    found = asked(server).facts.grants or ()
    assert [grant.id for grant in found] == [f"grant-{number}" for number in range(5)]
    markers = [
        request.parameters.get("Marker")
        for request in server.requests
        if request.operation == "ListGrants"
    ]
    assert markers == [None, "2", "4"]


@pytest.mark.parametrize(
    ("pages", "detail"),
    [
        (
            [ok({"Grants": [GRANT], "Truncated": True, "NextMarker": "a"})],
            "two pages name the same next page",
        ),
        (
            [
                ok({"Grants": [GRANT], "Truncated": True, "NextMarker": str(number)})
                for number in range(9)
            ],
            "more than 5 pages in one list: the limit is most_pages",
        ),
        (
            [ok({"Grants": [GRANT], "Truncated": True})],
            "the list goes on, but the answer names no next page",
        ),
        (
            [
                ok({"Grants": [GRANT], "Truncated": True, "NextMarker": "a"}),
                error("InvalidMarkerException"),
            ],
            "answered 400 InvalidMarkerException",
        ),
    ],
)
def test_list_without_its_end_is_none(pages: list[Reply], detail: str) -> None:
    """A list that was not read to its end is cut short, and no part of it counts."""
    facts = asked(AwsServer(faults={"ListGrants": pages})).facts
    assert facts.grants is None
    assert facts.unread == (KmsGap(fact="grants", reason="cut-short", detail=detail),)


# --- the last use ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "used", "never", "reasons"),
    [
        ({}, USED, False, {}),
        ({"KeyLastUsage": {}}, None, True, {}),
        ({"KeyLastUsage": None}, None, True, {}),
        ({"KeyLastUsage": {}, "TrackingStartDate": epoch(CREATED) - 1}, None, True, {}),
        (
            {"KeyLastUsage": {}, "TrackingStartDate": epoch(ROTATED)},
            None,
            None,
            {"last-use": "not-recorded"},
        ),
        (
            {"KeyLastUsage": {}, "TrackingStartDate": None},
            None,
            None,
            {"last-use": "malformed"},
        ),
        (
            {"KeyLastUsage": {}, "KeyCreationDate": None},
            None,
            None,
            {"last-use": "malformed"},
        ),
        ({"KeyLastUsage": {"Operation": "Decrypt"}}, None, None, {"last-use": "malformed"}),
        ({"KeyLastUsage": []}, None, None, {"last-use": "malformed"}),
        ({"KeyLastUsage": {"Timestamp": epoch(NEXT)}}, None, None, {"last-use": "malformed"}),
    ],
)
def test_key_was_never_used_only_if_aws_would_know(
    over: dict[str, object], used: object, never: object, reasons: dict[str, str]
) -> None:
    """A key was never used if AWS records no use, and has recorded since the key was created."""
    key = a_key()
    key.usage |= over
    facts = shown(key)
    assert (facts.last_used_at, facts.never_used, gaps(facts)) == (used, never, reasons)


def test_unrecorded_use_says_since_when() -> None:
    """If AWS began to record uses after the key was created, the gap says when."""
    key = a_key()
    key.usage |= {"KeyLastUsage": {}, "TrackingStartDate": epoch(ROTATED)}
    detail = f"no use since {ROTATED:%Y-%m-%d}, but AWS recorded none of the time before"
    assert shown(key).unread == (KmsGap(fact="last-use", reason="not-recorded", detail=detail),)


# --- accounts and refusals ------------------------------------------------------------------------


def test_other_account_sees_what_aws_shows_across_accounts() -> None:
    """From another account three answers come; of the others it is said what reading them takes."""
    server = AwsServer()
    server.keys[KEY].shared_with = {VENDOR}
    facts = asked(server, settings=CloudSettings(), access_key=VENDOR_KEY_ID).facts
    assert (facts.enabled, facts.rotation_enabled, len(facts.grants or ())) == (True, True, 1)
    detail = (
        f"answered 400 AccessDeniedException: the organizations file maps account {OWN} to no "
        "profile or role, which reading it takes"
    )
    own = ("ListKeyRotations", "GetKeyPolicy", "ListAliases", "GetKeyLastUsage")
    assert facts.unread == tuple(
        KmsGap(
            fact=READS[operation],
            reason="refused",
            detail=detail,
            permission=f"kms:{operation}",
        )
        for operation in own
    )


@pytest.mark.parametrize("operation", READS)
def test_refusal_is_a_gap_with_its_permission(operation: str) -> None:
    """A refused operation leaves its own fact unread, names the permission, and nobody."""
    exchanges: list[Exchange] = []
    server = AwsServer(faults={operation: [error("AccessDeniedException")]})
    facts = asked(server, exchanges=exchanges).facts
    assert [(gap.fact, gap.reason, gap.permission) for gap in facts.unread] == [
        (READS[operation], "refused", f"kms:{operation}")
    ]
    everything = facts.model_dump_json() + "".join(exchange.body for exchange in exchanges)
    assert "jane" not in everything
    assert "203.0.113.7" not in everything
    assert (server.operations == ["DescribeKey"]) == (operation == "DescribeKey")


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize(
    ("reply", "reason", "attempts"),
    [
        (error("NotFoundException"), "not-found", 1),
        (error("InvalidArnException"), "not-found", 1),
        (error("ExpiredTokenException"), "credentials-expired", 1),
        (error("UnrecognizedClientException"), "credentials-expired", 1),
        (error("OptInRequired", 403), "region-disabled", 1),
        (error("ThrottlingException"), "rate-limited", 2),
        (error("KMSInternalException", 500), "unavailable", 2),
        (html(503), "unavailable", 2),
        (html(200), "malformed", 2),
        (html(403), "malformed", 1),
        (html(302), "wrong-address", 1),
        (Reply(200, (b'{"KeyMetadata": {"KeyId": "1a2b',)), "malformed", 2),
        (Reply(200, (b"",)), "malformed", 2),
        (ok([]), "malformed", 2),
        (ok({}), "malformed", 1),
        (ok({"KeyMetadata": [], "Grants": {}, "Rotations": 1, "Aliases": ""}), "malformed", 1),
        (error("KMSInvalidStateException"), "not-recorded", 1),
        (error("BrandNewException"), "unknown-value", 1),
    ],
)
def test_damaged_answer_shows_nothing(
    operation: str, reply: Reply, reason: str, attempts: int
) -> None:
    """Whatever is wrong with an answer: its fact is a gap with a reason, and no fact is made up."""
    server = AwsServer(faults={operation: [reply]})
    facts = asked(server).facts
    assert gaps(facts) == {READS[operation]: reason}
    assert server.operations.count(operation) == attempts
    compared = {name: getattr(facts, name) for name in fact_names()}
    assert [name for name in compared if not is_no_better(name, compared[name])] == []


def test_throttled_answer_is_asked_again() -> None:
    """A request that AWS throttles is sent again, and its answer counts."""
    server = AwsServer(faults={"DescribeKey": [error("ThrottlingException"), None]})
    key = asked(server)
    assert (key.facts.unread, key.requests) == ((), 9)


# --- properties -----------------------------------------------------------------------------------

JUNK: tuple[object, ...] = (
    *(None, True, False, -1, 0, 1e308, 10**30, "", "ZZZ"),
    *([], {}, [None], {"a": 1}, [[]]),
)
UNSEEN = {"Name", "Description", "AliasArn", "Operation", "CustomerMasterKeySpec"}
"""Members that nothing is read from."""

FREE = {
    "Operations",
    "GrantId",
    "GranteePrincipal",
    "Constraints",
    "CreationDate",
    "IssuingAccount",
}
"""Members of a grant for which another answer may be right, too."""


def bodies(server: AwsServer) -> dict[str, Any]:
    """Return the healthy answer to each operation."""
    exchanges: list[Exchange] = []
    asked(server, exchanges=exchanges)
    found: dict[str, Any] = {}
    for exchange in exchanges:
        found.setdefault(exchange.address.split("/")[3].partition("?")[0], exchange.value)
    return found


def members(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside ``value``."""
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    if isinstance(value, list):
        inside = list(enumerate(value))
    return [
        found for name, one in inside for found in ((*path, name), *members(one, (*path, name)))
    ]


def changed(body: object, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:  # noqa: ANN401
    """Return a copy of ``body`` in which ``change`` was made to the value at ``path``."""
    whole = holder = copy.deepcopy(body)
    for step in path[:-1]:
        holder = holder[step]  # type: ignore[index]
    change(holder, path[-1])
    return whole


HEALTHY_BODIES = bodies(AwsServer())
PLACES = [
    (operation, path)
    for operation, body in HEALTHY_BODIES.items()
    for path in members(body)
    if not UNSEEN & set(map(str, path))
]


HEALTHY = shown(a_key())
MISSING = {name for name in fact_names() if getattr(HEALTHY, name) is None}


def is_no_better(name: str, found: object) -> bool:
    """Say whether a fact is as it was, missing, or one that proves less."""
    worse: dict[str, tuple[object, ...]] = {
        "rotation_enabled": (False,),
        "never_used": (True,),
        "aliases": ((),),
    }
    return found in (getattr(HEALTHY, name), None, *worse.get(name, ()))


@examples(1_000)
@given(st.sampled_from(PLACES), st.sampled_from(("drop", *JUNK)))
def test_damaged_member_makes_no_key_better(
    place: tuple[str, tuple[Any, ...]], junk: object
) -> None:
    """Drop or replace any member of any answer: no fact proves more, a lost one is a gap."""
    operation, path = place

    def change(holder: Any, name: Any) -> None:  # noqa: ANN401
        if junk == "drop":
            del holder[name]
        else:
            holder[name] = junk

    body = changed(HEALTHY_BODIES[operation], path, change)
    # The second answer is about the policy of a share, which the key does not have.
    replies = [ok(body), None] if operation == "GetKeyPolicy" else [ok(body)]
    facts = asked(AwsServer(faults={operation: replies})).facts
    # Of grants another list may be the right one; what must not be is a part of the list.
    compared = set(fact_names()) - {"grants"}
    assert {name for name in compared if not is_no_better(name, getattr(facts, name))} == set()
    lost = {name for name in fact_names() if getattr(facts, name) is None} - MISSING
    is_said = facts.rotation_enabled is False or facts.never_used is True or path == ("Rotations",)
    is_said |= path == ("Rotations", 0) and junk == "drop"
    assert lost == set() or READS[operation] in gaps(facts) or is_said
    if not FREE & set(map(str, path)):
        assert facts.grants in (HEALTHY.grants, None, ())


@given(st.sampled_from(sorted(HEALTHY_BODIES)), st.data())
def test_cut_answer_shows_nothing(operation: str, data: st.DataObject) -> None:
    """Cut any answer anywhere: its fact is a gap, and nothing of it counts."""
    whole = json.dumps(HEALTHY_BODIES[operation]).encode()
    end = data.draw(st.integers(0, len(whole) - 1))
    facts = asked(AwsServer(faults={operation: [Reply(200, (whole[:end],))]})).facts
    assert gaps(facts) == {READS[operation]: "malformed"}


@given(st.sampled_from(sorted(READS)), st.binary(max_size=200), st.integers(200, 599))
def test_no_answer_raises(operation: str, body: bytes, status: int) -> None:
    """Whatever comes, the key is read, and the fact is a gap."""
    facts = asked(AwsServer(faults={operation: [Reply(status, (body,))]})).facts
    assert READS[operation] in gaps(facts)
