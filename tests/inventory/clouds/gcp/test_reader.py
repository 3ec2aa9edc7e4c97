"""Keys of Google Cloud: what their answers show, and what no answer ever shows by mistake."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds.config import CloudSettings, GoogleSettings
from inventory.clouds.gcp.reader import HOST, host_of, read_key
from inventory.clouds.recorder import HttpAnswer
from inventory.evidence.exchange import Failure
from inventory.model.kms import KeyVersion, KmsFacts, KmsGap, RoleBinding
from inventory.system.request_policy import RequestPolicy
from inventory.text.display import describe
from tests.builders import moment
from tests.clouds.gcp_bodies import (
    CALLER,
    ENCRYPTER,
    KEY,
    MEMBER,
    RING,
    binding,
    denied,
    error,
    key,
    misrouted,
    missing,
    page,
    policy,
    version,
)
from tests.hypothesis_profile import examples
from tests.inventory.clouds.scripted import POLICY, ScriptedTransport, a_client, answer

if TYPE_CHECKING:
    from inventory.model.kms import CloudKey

ASKED = {
    "key": f"v1/{KEY}",
    "versions": f"v1/{KEY}/cryptoKeyVersions",
    "bindings": f"v1/{KEY}:getIamPolicy",
    "ring-bindings": f"v1/{RING}:getIamPolicy",
}
HEALTHY: dict[str, Any] = {
    "key": key(),
    "versions": page(version(1), version(2)),
    "bindings": policy(binding(MEMBER)),
    "ring-bindings": policy(),
}
SICK: dict[str, Any] = {
    "key": key(
        primary=version(2, state="DISABLED"),
        purpose="ASYMMETRIC_DECRYPT",
        versionTemplate={"protectionLevel": "EXTERNAL", "algorithm": "A"},
        importOnly=True,
    ),
    "versions": page(version(1, state="DESTROYED"), version(2, state="DISABLED")),
    "bindings": policy(binding("allUsers")),
    "ring-bindings": policy(binding("allAuthenticatedUsers")),
}
FIRST = moment("2024-01-10T08:00:00.123456Z")
SECOND = moment("2024-02-10T08:00:00.123456Z")
NEXT = moment("2027-02-10T08:00:00Z")


def a_cloud(**over: Any) -> ScriptedTransport:  # noqa: ANN401 (any answers)
    """Return a cloud with a healthy key; ``over`` replaces answers, ``_`` means a dash."""
    bodies = HEALTHY | {name.replace("_", "-"): given for name, given in over.items()}
    script = {ASKED[name]: _answers(given) for name, given in bodies.items()}
    return ScriptedTransport(script)


def _answers(given: object) -> list[HttpAnswer | Failure]:
    several = given if isinstance(given, list) else [given]
    return [one if isinstance(one, HttpAnswer | Failure) else answer(one) for one in several]


def read(cloud: ScriptedTransport, key_id: str = KEY, policy_: RequestPolicy = POLICY) -> CloudKey:
    """Return what is read of a key."""
    return read_key(a_client(cloud, policy=policy_), key_id, CloudSettings())


def facts(**over: Any) -> KmsFacts:  # noqa: ANN401 (any answers)
    """Return the facts of a key."""
    return read(a_cloud(**over)).facts


def gaps(**over: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 (any answers)
    """Return fact, reason and detail of what could not be read of a key."""
    return [(gap.fact, gap.reason, gap.detail) for gap in facts(**over).unread]


def differing(**over: Any) -> dict[str, object]:  # noqa: ANN401 (any answers)
    """Return by which facts a key differs from the healthy one."""
    mine, healthy = (one.model_dump(exclude={"observed_at"}) for one in (facts(**over), facts()))
    return {name: value for name, value in mine.items() if value != healthy[name]}


# --- a key that is as it should be ----------------------------------------------------------------


def test_healthy_key_shows_all_facts() -> None:
    """Four answers show a key: what it is, its versions, and who has a role on key and ring."""
    cloud = a_cloud()
    shown = read(cloud)
    assert shown.facts == KmsFacts(
        observed_at=cloud.exchanges[0].started,
        enabled=True,
        suitable=True,
        region="us-east1",
        rotation_enabled=True,
        state="ENABLED",
        kind="ENCRYPT_DECRYPT, SOFTWARE",
        owner="acme-prod",
        created_at=FIRST,
        rotation_days=90,
        next_rotation_at=NEXT,
        rotated_at=SECOND,
        recoverable_days=30,
        versions=(
            KeyVersion(id="1", state="ENABLED", usable=True, created_at=FIRST),
            KeyVersion(id="2", state="ENABLED", usable=True, created_at=SECOND, is_current=True),
        ),
        bindings=(RoleBinding(on="key", role=ENCRYPTER, members=(MEMBER,)),),
    )
    assert (shown.key_id, shown.requests) == (KEY, 4)
    assert shown.seen == {
        "key": "exchanges/0001.ndjson.gz:1",
        "rotation": "exchanges/0001.ndjson.gz:1",
        "versions": "exchanges/0001.ndjson.gz:2",
        "bindings": "exchanges/0001.ndjson.gz:3",
        "ring-bindings": "exchanges/0001.ndjson.gz:4",
    }


def test_addresses_are_recorded_with_the_vendors_host() -> None:
    """What is recorded names the host and all parameters; the policy of a ring also its key."""
    cloud = a_cloud()
    read(cloud)
    assert [exchange.address for exchange in cloud.exchanges] == [
        f"/gcp/cloudkms.googleapis.com/v1/{KEY}",
        f"/gcp/cloudkms.googleapis.com/v1/{KEY}/cryptoKeyVersions",
        f"/gcp/cloudkms.googleapis.com/v1/{KEY}:getIamPolicy?options.requestedPolicyVersion=3",
        (
            f"/gcp/cloudkms.googleapis.com/v1/{RING}:getIamPolicy"
            "?options.requestedPolicyVersion=3#cryptoKeys/acme-key"
        ),
    ]


@pytest.mark.parametrize(
    ("address", "host"),
    [(None, HOST), ("https://KMS.example:8443", "kms.example:8443"), ("http://[::1]:1", "[::1]:1")],
)
def test_another_host_is_recorded_as_such(address: str | None, host: str) -> None:
    """A host other than Google's own is asked on purpose only, and is what is recorded."""
    assert host_of(GoogleSettings(address=address)) == host


def test_version_in_the_id_is_left_out() -> None:
    """An id that names a version is asked about as the key, and reported under its own id."""
    pinned = read(a_cloud(), f"{KEY}/cryptoKeyVersions/1")
    assert pinned.key_id == f"{KEY}/cryptoKeyVersions/1"
    without = {"observed_at"}
    assert pinned.facts.model_dump(exclude=without) == facts().model_dump(exclude=without)


# --- what a key is --------------------------------------------------------------------------------

OTHER = f"{RING}/cryptoKeys/other"
OFF = {"rotation_enabled": False}
OUTSIDE = {"protectionLevel": "EXTERNAL_VPC"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (key(purpose="MAC"), {"suitable": False, "kind": "MAC, SOFTWARE"} | OFF),
        (
            key(purpose="RAW_ENCRYPT_DECRYPT"),
            {"suitable": False, "kind": "RAW_ENCRYPT_DECRYPT, SOFTWARE"} | OFF,
        ),
        (key(versionTemplate=OUTSIDE), {"kind": "ENCRYPT_DECRYPT, EXTERNAL_VPC"} | OFF),
        (
            key(versionTemplate={"protectionLevel": "HSM_SINGLE_TENANT"}),
            {"kind": "ENCRYPT_DECRYPT, HSM_SINGLE_TENANT"},
        ),
        (key(importOnly=True), {"kind": "ENCRYPT_DECRYPT, SOFTWARE, import only"} | OFF),
        (key(importOnly=False), {}),
        (
            key(rotationPeriod=None, nextRotationTime=None),
            {"rotation_days": None, "next_rotation_at": None} | OFF,
        ),
        (key(nextRotationTime=None), {"next_rotation_at": None} | OFF),
        (key(rotationPeriod=None), {"rotation_days": None} | OFF),
        (key(rotationPeriod="86400s"), {"rotation_days": 1}),
        (key(rotationPeriod="7776000.000000001s"), {"rotation_days": 91}),
        (key(destroyScheduledDuration="172799s"), {"recoverable_days": 1}),
        (key(destroyScheduledDuration=None), {"recoverable_days": None}),
        (
            key(primary=version(2, state="DISABLED")),
            {"enabled": False, "state": "DISABLED"},
        ),
        (
            key(
                primary=version(2, state="DESTROY_SCHEDULED", destroyTime="2027-01-02T03:04:05Z"),
            ),
            {
                "enabled": False,
                "state": "DESTROY_SCHEDULED",
                "deletion_at": moment("2027-01-02T03:04:05Z"),
            },
        ),
        (key(labels={"a": "b"}, cryptoKeyBackend="x"), {}),
    ],
)
def test_key_is_what_its_answer_says(body: dict[str, Any], expected: dict[str, object]) -> None:
    """Each member of the answer decides its facts and no other; none of these is a gap."""
    assert differing(key=body) == expected


def test_key_without_a_primary_version_encrypts_nothing() -> None:
    """A key without a primary version cannot be used; no version is the current one."""
    shown = facts(key=key(primary=None))
    assert (shown.enabled, shown.state, shown.rotated_at) == (False, "no primary version", None)
    assert [one.is_current for one in shown.versions or ()] == [False, False]
    assert shown.unread == ()


@pytest.mark.parametrize("location", ["global", "us", "eur4"])
def test_location_is_the_keys_own(location: str) -> None:
    """A location that is no region is reported as it is."""
    name = KEY.replace("us-east1", location)
    ring = name.partition("/cryptoKeys/")[0]
    bodies = {
        name: key(name),
        f"{name}/cryptoKeyVersions": page(version(1, name), version(2, name)),
        f"{name}:getIamPolicy": policy(),
        f"{ring}:getIamPolicy": policy(),
    }
    cloud = ScriptedTransport({f"v1/{asked}": [answer(body)] for asked, body in bodies.items()})
    shown = read(cloud, name)
    assert (shown.facts.region, shown.facts.unread) == (location, ())


@pytest.mark.parametrize(
    ("body", "gap"),
    [
        (key(purpose=1), ("key", "unknown-value", "purpose: found 1, which is unknown")),
        (
            key(purpose="CRYPTO_KEY_PURPOSE_UNSPECIFIED"),
            (
                "key",
                "unknown-value",
                "purpose: found 'CRYPTO_KEY_PURPOSE_UNSPECIFIED', which is unknown",
            ),
        ),
        (key(purpose=None), ("key", "malformed", "purpose: found nothing, expected a text")),
        (
            key(versionTemplate=None),
            ("key", "malformed", "versionTemplate: found nothing, expected an object"),
        ),
        (
            key(versionTemplate={"protectionLevel": 3}),
            ("key", "unknown-value", "protectionLevel: found 3, which is unknown"),
        ),
        (
            key(importOnly="true"),
            ("key", "malformed", "importOnly: found 'true', expected true or false"),
        ),
        (
            key(primary=version(2, state="ALIVE")),
            ("key", "unknown-value", "state: found 'ALIVE', which is unknown"),
        ),
        (key(primary=[]), ("key", "malformed", "primary: found an empty list, expected an object")),
        (
            key(primary=version(2, f"{KEY}2")),
            (
                "key",
                "foreign-key",
                f"the answer is about {describe(f'{KEY}2/cryptoKeyVersions/2')}",
            ),
        ),
        (
            key(primary=version(2) | {"name": f"{KEY}/cryptoKeyVersions/two"}),
            (
                "key",
                "malformed",
                (
                    f"name: found {describe(f'{KEY}/cryptoKeyVersions/two')}, "
                    "expected the number of a version"
                ),
            ),
        ),
        (
            key(primary=version(2, state="DESTROY_SCHEDULED")),
            ("key", "malformed", "destroyTime: found nothing, expected a text"),
        ),
        (
            key(createTime="2024-02-30T00:00:00Z"),
            (
                "key",
                "malformed",
                "createTime: found '2024-02-30T00:00:00Z', expected a time with its zone",
            ),
        ),
        (
            key(createTime="9024-02-20T00:00:00Z"),
            (
                "key",
                "malformed",
                "createTime: found 9024-02-20T00:00:00Z, which is later than the answer",
            ),
        ),
        (
            key(destroyScheduledDuration="30d"),
            (
                "key",
                "malformed",
                "destroyScheduledDuration: found '30d', expected a duration such as 7776000s",
            ),
        ),
        (
            key(rotationPeriod="3600s"),
            (
                "rotation",
                "malformed",
                "rotationPeriod: found '3600s', expected a duration such as 7776000s",
            ),
        ),
        (
            key(nextRotationTime=1_800_000_000),
            ("rotation", "malformed", "nextRotationTime: found 1800000000, expected a text"),
        ),
    ],
)
def test_member_that_cannot_be_read_is_a_gap(
    body: dict[str, Any], gap: tuple[str, str, str]
) -> None:
    """An unknown word, a number for a word, a wrong type, an impossible time: none is guessed."""
    assert gap in gaps(key=body)


def test_kind_that_is_unknown_rotates_perhaps() -> None:
    """A schedule of a key whose kind could not be read is no rotation."""
    shown = facts(key=key(versionTemplate={"protectionLevel": "SAND"}))
    assert (shown.suitable, shown.kind, shown.rotation_enabled) == (True, None, None)
    assert [gap.fact for gap in shown.unread] == ["key", "rotation"]


@pytest.mark.parametrize("allowed", [{}, {"allowedAccessReasons": ["CUSTOMER_INITIATED_ACCESS"]}])
def test_key_that_asks_for_a_reason_may_refuse(allowed: dict[str, object]) -> None:
    """A key with a policy on the reasons of its use may refuse; one that is dead is dead."""
    limited = facts(key=key(keyAccessJustificationsPolicy=allowed))
    assert (limited.enabled, limited.state) == (None, "ENABLED")
    assert [(gap.fact, gap.reason) for gap in limited.unread] == [("key", "unknown-value")]
    dead = version(2, state="DISABLED")
    shown = facts(key=key(keyAccessJustificationsPolicy=allowed, primary=dead))
    assert (shown.enabled, shown.unread) == (False, ())


# --- times ----------------------------------------------------------------------------------------


@given(
    st.datetimes(datetime(2010, 1, 1), datetime(2024, 1, 1)),  # noqa: DTZ001 (zones follow)
    st.integers(0, 9),
    st.integers(-14 * 60, 14 * 60),
)
def test_time_is_read_to_the_microsecond(time: datetime, digits: int, minutes: int) -> None:
    """A time with up to nine digits after the second, and any zone, is read as it is."""
    zone = timezone(timedelta(minutes=minutes))
    local = time.replace(tzinfo=zone)
    if local < datetime(2010, 1, 1, tzinfo=UTC):
        return
    nanoseconds = f"{local.microsecond * 1000 + 999:09}"[:digits]
    text = f"{local:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{nanoseconds}{local.isoformat()[-6:]}"
    kept = int(f"{nanoseconds:0<6}"[:6]) if digits else 0
    assert facts(key=key(createTime=text)).created_at == local.replace(microsecond=kept)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-10",
        "2024-01-10T08:00:00",
        "2024-01-10 08:00:00Z",
        "20240110T080000Z",
        "2024-W02-3T08:00:00Z",
        "2024-01-10T08:00:00.1234567891Z",
        "2024-01-10T08:00:60Z",
        "1999-01-10T08:00:00Z",
        "",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    """Only the one form of the documentation is a time."""
    shown = facts(key=key(createTime=text))
    assert shown.created_at is None
    assert [(gap.fact, gap.reason) for gap in shown.unread] == [("key", "malformed")]


# --- whose key it is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "gap"),
    [
        (f"{KEY}2", ("foreign-key", f"the answer is about '{KEY}2'")),
        (
            KEY.replace("acme-prod", "acme-test"),
            ("foreign-key", f"the answer is about '{KEY.replace('acme-prod', 'acme-test')}'"),
        ),
        (KEY.replace("projects", "folders"), None),
        ("acme-key", None),
        (
            KEY.replace("acme-prod", "123456789012"),
            (
                "unknown-value",
                (
                    "the key id names the project acme-prod, the answer '123456789012': "
                    "whether these are one is not shown"
                ),
            ),
        ),
    ],
)
def test_answer_about_another_key_is_refused(name: str, gap: tuple[str, str] | None) -> None:
    """Facts of another key are no facts of this one, and then nothing else is asked.

    A project that is named by its number may be the right one; only another service shows that.
    """
    cloud = a_cloud(key=key(name))
    shown = read(cloud).facts
    expected = gap or ("foreign-key", f"the answer is about '{name}'")
    assert [(one.fact, one.reason, one.detail) for one in shown.unread] == [("key", *expected)]
    assert set(cloud.asked) == {ASKED["key"]}
    assert shown.model_dump(exclude_unset=True).keys() == {"observed_at", "unread"}


# --- versions -------------------------------------------------------------------------------------


def test_versions_of_all_pages_are_read() -> None:
    """A list of several pages is read to its end, whatever the tokens are."""
    pages = [
        page(version(1), total=3, nextPageToken="a/b+c=="),
        page(version(2), total=3, nextPageToken="d"),
        page(version(3, state="PENDING_GENERATION"), total=3, nextPageToken=""),
    ]
    cloud = a_cloud(versions=pages)
    shown = read(cloud)
    assert [one.id for one in shown.facts.versions or ()] == ["1", "2", "3"]
    assert [one.usable for one in shown.facts.versions or ()] == [True, True, False]
    assert (shown.requests, shown.facts.unread) == (6, ())
    asked = [exchange.address.partition("?")[2] for exchange in cloud.exchanges[1:4]]
    assert asked == ["", "pageToken=a%2Fb%2Bc%3D%3D", "pageToken=d"]
    assert shown.seen["versions"] == "exchanges/0001.ndjson.gz:2"


@pytest.mark.parametrize(
    ("body", "gap"),
    [
        (page(version(2), total=2), ("cut-short", "found 1 entries, expected 2")),
        (page(version(1)), ("cut-short", "the primary version 2 is missing")),
        (
            page(version(2), nextPageToken="a"),
            ("cut-short", "a page names itself, or an earlier one, as next"),
        ),
        (page(version(2), version(2)), ("malformed", "a version is listed twice")),
        (page(version(2), totalSize="1"), ("malformed", "totalSize: found '1', expected a number")),
        ({"totalSize": 2}, ("malformed", "cryptoKeyVersions: found nothing, expected a list")),
        ({}, ("malformed", "cryptoKeyVersions: found nothing, expected a list")),
        (page("2"), ("malformed", "found '2', expected a version")),
        (page(version(2, state=None)), ("malformed", "state: found nothing, expected a text")),
        (page(version(2, state=1)), ("unknown-value", "state: found 1, which is unknown")),
        (
            page(version(2), nextPageToken=2),
            ("malformed", "nextPageToken: found 2, expected a text"),
        ),
        (
            page(version(2), nextPageToken="\ud800"),
            ("malformed", "nextPageToken: found a text that no address can hold"),
        ),
        (
            page(version(2, OTHER)),
            ("foreign-key", f"the answer is about {describe(f'{OTHER}/cryptoKeyVersions/2')}"),
        ),
    ],
)
def test_list_that_is_not_whole_is_none(body: dict[str, Any], gap: tuple[str, str]) -> None:
    """A list of versions that is cut, foreign or not understood shows no version."""
    shown = facts(versions=body)
    assert (shown.versions, shown.rotated_at) == (None, None)
    assert [(one.fact, one.reason, one.detail) for one in shown.unread] == [("versions", *gap)]


def test_pages_end() -> None:
    """A list with more pages than the policy allows is cut short."""
    pages = [page(version(number), total=9, nextPageToken=str(number)) for number in (1, 2, 3)]
    cloud = a_cloud(versions=pages)
    shown = read(cloud, policy_=POLICY.model_copy(update={"most_pages": 2}))
    assert shown.facts.versions is None
    assert shown.facts.unread == (
        KmsGap(fact="versions", reason="cut-short", detail="more than 2 pages"),
    )


def test_dead_version_keeps_its_state_without_its_time() -> None:
    """A version that will be destroyed is reported though the time of that is missing."""
    dead = version(1, state="DESTROY_SCHEDULED", createTime="soon")
    shown = facts(versions=page(dead, version(2)))
    assert shown.versions is not None
    assert shown.versions[0] == KeyVersion(id="1", state="DESTROY_SCHEDULED", usable=False)
    assert [(one.fact, one.detail) for one in shown.unread] == [
        ("versions", "createTime: found 'soon', expected a time with its zone")
    ]


def test_versions_show_when_they_end() -> None:
    """A version has the time at which it will be destroyed; a destroyed one is listed, too."""
    doomed = version(1, state="DESTROY_SCHEDULED", destroyTime="2027-01-02T03:04:05Z")
    gone = version(2, state="DESTROYED", destroyEventTime="2024-03-01T00:00:00Z")
    shown = facts(key=key(primary=version(3)), versions=page(doomed, gone, version(3)))
    assert shown.versions is not None
    assert [(one.state, one.usable, one.destroy_at) for one in shown.versions] == [
        ("DESTROY_SCHEDULED", False, moment("2027-01-02T03:04:05Z")),
        ("DESTROYED", False, None),
        ("ENABLED", True, None),
    ]


@pytest.mark.parametrize(
    ("primary", "versions", "rotated_at"),
    [
        (1, [version(1)], None),
        (1, [version(1), version(2)], None),
        (2, [version(1), version(2), version(3, state="GENERATION_FAILED")], SECOND),
        (2, [version(1, createTime=None), version(2)], None),
        (2, [version(1), version(2, createTime=None)], None),
    ],
)
def test_key_rotated_when_its_current_version_was_made(
    primary: int, versions: list[object], rotated_at: datetime | None
) -> None:
    """The last rotation made the current version; a newer one that is not in use is none."""
    shown = facts(key=key(primary=primary), versions=page(*versions))
    assert shown.rotated_at == rotated_at


# --- who has a role -------------------------------------------------------------------------------


def test_bindings_of_key_and_ring_are_listed() -> None:
    """Each binding says on what it is, and under which condition it holds."""
    condition = {"title": "t", "expression": "request.time < timestamp('2027-01-01T00:00:00Z')"}
    shown = facts(
        bindings=policy(
            binding(MEMBER, "group:a@acme.example"),
            binding(MEMBER, role="organizations/1/roles/Own", condition=condition),
            version=3,
        ),
        ring_bindings=policy(binding("allUsers", role="roles/viewer")),
    )
    assert shown.bindings == (
        RoleBinding(on="key", role=ENCRYPTER, members=(MEMBER, "group:a@acme.example")),
        RoleBinding(
            on="key",
            role="organizations/1/roles/Own",
            members=(MEMBER,),
            condition="request.time < timestamp('2027-01-01T00:00:00Z')",
        ),
        RoleBinding(on="key-ring", role="roles/viewer", members=("allUsers",)),
    )
    assert shown.unread == ()


def test_empty_policies_are_no_gap() -> None:
    """A key and a ring without policies have no binding, which is known then."""
    shown = facts(bindings=policy(), ring_bindings=policy(version=1))
    assert (shown.bindings, shown.unread) == ((), ())


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        ({}, "malformed", "etag: found nothing, expected a text"),
        ({"etag": ""}, "malformed", "etag: found an empty text, expected one"),
        (policy(version=2), "unknown-value", "version: found 2, which is unknown"),
        (policy(version="1"), "malformed", "version: found '1', expected a number"),
        (policy(bindings=None), "malformed", "bindings: found nothing, expected a list"),
        (policy("a"), "malformed", "bindings[0]: expected an object"),
        (policy(binding()), "malformed", "bindings[0].members: expected a list"),
        (policy(binding(MEMBER, 7)), "malformed", "bindings[0].members[1]: expected text"),
        (
            policy(binding(MEMBER, "")),
            "malformed",
            "bindings[0].members[1]: expected text, not blank",
        ),
        (policy({"members": [MEMBER]}), "malformed", "bindings[0].role: expected text"),
        (
            policy(binding(MEMBER), binding(MEMBER, role="a b")),
            "malformed",
            "bindings[1].role: expected visible ASCII characters without spaces",
        ),
        (
            policy(binding(MEMBER, condition={"title": "a"})),
            "malformed",
            "bindings[0].condition: expected an object with an expression",
        ),
        (
            policy(binding(MEMBER, condition=None)),
            "malformed",
            "bindings[0].condition: expected an object with an expression",
        ),
    ],
)
@pytest.mark.parametrize("fact", ["bindings", "ring-bindings"])
def test_policy_that_is_not_understood_shows_nobody(
    fact: str, body: dict[str, Any], reason: str, detail: str
) -> None:
    """A policy counts as a whole: what one binding hides could be the public."""
    other = "ring-bindings" if fact == "bindings" else "bindings"
    cloud = {fact: body, other: policy(binding("allUsers"))}
    shown = facts(**cloud)
    assert shown.unread == (
        KmsGap.model_validate({"fact": fact, "reason": reason, "detail": detail}),
    )
    assert [one.members for one in shown.bindings or ()] == [("allUsers",)]


def test_who_is_in_a_binding_is_not_repeated() -> None:
    """A binding that cannot be read names nobody in the gap."""
    cloud = facts(bindings=policy(binding(f"user:{CALLER}", [CALLER]), CALLER))
    assert "ada" not in repr(cloud.unread)
    assert cloud.unread[0].fact == "bindings"


# --- errors ---------------------------------------------------------------------------------------

ERRORS: list[tuple[HttpAnswer, str, str, int]] = [
    (answer(error(400, "INVALID_ARGUMENT"), 400), "malformed", "answered 400 INVALID_ARGUMENT", 1),
    (
        answer(error(400, "INVALID_ARGUMENT", "CONSUMER_INVALID"), 400),
        "service-disabled",
        "answered 400 INVALID_ARGUMENT CONSUMER_INVALID",
        1,
    ),
    (
        answer(error(401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"), 401),
        "credentials-expired",
        "answered 401 UNAUTHENTICATED ACCESS_TOKEN_EXPIRED",
        1,
    ),
    (
        answer(error(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), 403),
        "service-disabled",
        "answered 403 PERMISSION_DENIED SERVICE_DISABLED",
        1,
    ),
    (
        answer(error(403, "PERMISSION_DENIED", "USER_PROJECT_DENIED"), 403),
        "service-disabled",
        "answered 403 PERMISSION_DENIED USER_PROJECT_DENIED",
        1,
    ),
    (
        answer(error(403, "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), 403),
        "rate-limited",
        "answered 403 PERMISSION_DENIED RATE_LIMIT_EXCEEDED",
        3,
    ),
    (HttpAnswer(403, {}, b"<html>blocked</html>"), "unavailable", "answered 403", 1),
    (answer(missing(KEY), 404), "not-found", "answered 404 NOT_FOUND", 1),
    (answer(misrouted("us-east1"), 404), "wrong-address", "answered 404 NOT_FOUND", 1),
    (HttpAnswer(404, {}, b"<html>nothing</html>"), "wrong-address", "answered 404", 1),
    (answer({"error": "a"}, 404), "wrong-address", "answered 404", 1),
    (answer(error(409, "ABORTED"), 409), "malformed", "answered 409 ABORTED", 1),
    (
        answer(error(429, "RESOURCE_EXHAUSTED"), 429),
        "rate-limited",
        "answered 429 RESOURCE_EXHAUSTED",
        3,
    ),
    (answer(error(500, "INTERNAL"), 500), "unavailable", "answered 500 INTERNAL", 3),
    (HttpAnswer(502, {}, b"<html>"), "unavailable", "answered 502", 3),
    (answer(error(503, "UNAVAILABLE"), 503), "unavailable", "answered 503 UNAVAILABLE", 3),
    (
        answer(error(504, "DEADLINE_EXCEEDED"), 504),
        "timed-out",
        "answered 504 DEADLINE_EXCEEDED",
        3,
    ),
    (
        HttpAnswer(302, {"Location": "https://evil.example"}, b""),
        "wrong-address",
        "answered 302",
        1,
    ),
    (
        HttpAnswer(200, {}, b"<html>"),
        "malformed",
        "found no complete JSON, expected a JSON object",
        3,
    ),
    (answer([]), "malformed", "found an empty list, expected a JSON object", 3),
    (HttpAnswer(204, {}, b""), "malformed", "answered 204", 1),
]


@pytest.mark.parametrize(("wrong", "reason", "detail", "attempts"), ERRORS)
def test_error_about_the_key_is_its_gap(
    wrong: HttpAnswer, reason: str, detail: str, attempts: int
) -> None:
    """Each error has its reason; what may pass is asked again, and nothing else is asked then."""
    cloud = a_cloud(key=wrong)
    shown = read(cloud)
    assert shown.facts.unread == (
        KmsGap.model_validate({"fact": "key", "reason": reason, "detail": detail}),
    )
    assert dict(cloud.asked) == {ASKED["key"]: attempts}
    assert shown.facts.model_dump(exclude_unset=True).keys() == {"observed_at", "unread"}


@pytest.mark.parametrize(("wrong", "reason", "detail", "attempts"), ERRORS)
@pytest.mark.parametrize("fact", ["versions", "bindings", "ring-bindings"])
def test_error_about_one_fact_leaves_the_others(
    fact: str, wrong: HttpAnswer, reason: str, detail: str, attempts: int
) -> None:
    """What one call does not show is missing alone."""
    cloud = a_cloud(**{fact: wrong})
    shown = read(cloud).facts
    assert shown.unread == (
        KmsGap.model_validate({"fact": fact, "reason": reason, "detail": detail}),
    )
    assert cloud.asked[ASKED[fact]] == attempts
    assert (shown.enabled, shown.rotation_enabled) == (True, True)
    assert (shown.versions is None) == (fact == "versions")


def test_retry_waits_as_long_as_google_asks() -> None:
    """A limit of requests is waited for as long as the answer says."""
    waits: list[float] = []
    limited = answer(error(429, "RESOURCE_EXHAUSTED"), 429, Retry_After="7")
    client = a_client(a_cloud(key=[limited, key()]), sleep=waits.append)
    assert read_key(client, KEY, CloudSettings()).facts == facts().model_copy(
        update={"observed_at": client.started}
    )
    assert waits == [7.0]


def test_every_missing_permission_is_reported_at_once() -> None:
    """Where reading the key is refused, the rest is asked for: all that is missing is reported."""
    refusals = {name: answer(denied(name, KEY), 403) for name in ASKED}
    shown = facts(**refusals)
    assert [(gap.fact, gap.reason, gap.permission) for gap in shown.unread] == [
        ("key", "refused", "cloudkms.cryptoKeys.get"),
        ("versions", "refused", "cloudkms.cryptoKeyVersions.list"),
        ("bindings", "refused", "cloudkms.cryptoKeys.getIamPolicy"),
        ("ring-bindings", "refused", "cloudkms.keyRings.getIamPolicy"),
    ]
    assert shown.model_dump(exclude_unset=True).keys() == {"observed_at", "unread"}


def test_refused_key_still_shows_what_may_be_read() -> None:
    """Versions and bindings that may be read are facts though the key itself may not be."""
    shown = facts(key=answer(denied("cloudkms.cryptoKeys.get", KEY), 403))
    assert [gap.fact for gap in shown.unread] == ["key"]
    assert [one.is_current for one in shown.versions or ()] == [False, False]
    assert (len(shown.bindings or ()), shown.owner, shown.rotated_at) == (1, None, None)


def test_error_names_nobody() -> None:
    """Nothing of the message of an error is recorded or reported: it names who asked."""
    cloud = a_cloud(**{name: answer(denied(name, KEY), 403) for name in ASKED})
    shown = read(cloud)
    assert CALLER not in f"{shown}{cloud.exchanges}"


# --- whatever comes -------------------------------------------------------------------------------

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every member and entry inside ``value``."""
    items: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [found for at, inner in items for found in ((*path, at), *places(inner, (*path, at)))]


@st.composite
def damaged(draw: st.DrawFn, bodies: dict[str, Any]) -> dict[str, HttpAnswer]:
    """Return the answers with one of them damaged: a member dropped or replaced, or it is cut."""
    what = draw(st.sampled_from(sorted(bodies)))
    body = copy.deepcopy(bodies[what])
    raw = json.dumps(body)
    if draw(st.booleans()):
        path = draw(st.sampled_from(places(body)))
        parent = body
        for step in path[:-1]:
            parent = parent[step]
        # An entry that is missing, or all bindings, is another policy, and none that is damaged.
        if draw(st.booleans()) or isinstance(parent, list) or path == ("bindings",):
            parent[path[-1]] = draw(JUNK.filter(lambda junk: junk != []))
        else:
            del parent[path[-1]]
        raw = json.dumps(body)
    else:
        raw = raw[: draw(st.integers(0, len(raw) - 1))]
    answers = {name: answer(given) for name, given in bodies.items()}
    return answers | {what: HttpAnswer(200, {}, raw.encode())}


@given(damaged(HEALTHY))
@examples(400)
def test_damage_is_a_worse_fact_or_a_gap(answers: dict[str, HttpAnswer]) -> None:
    """Whatever is damaged in the answers about a healthy key: no fact goes missing silently."""
    shown, healthy = facts(**answers), facts()
    for name in ("enabled", "suitable", "rotation_enabled", "versions", "bindings", "created_at"):
        if getattr(shown, name) is None:
            assert shown.unread
    for name in ("region", "owner", "rotation_days", "recoverable_days"):
        assert getattr(shown, name) in {None, getattr(healthy, name)}


@given(damaged(SICK))
@examples(400)
def test_damage_makes_no_key_better(answers: dict[str, HttpAnswer]) -> None:
    """Whatever is damaged in the answers about a bad key: no fact is better for it."""
    shown = facts(**answers)
    assert not any((shown.enabled, shown.suitable, shown.rotation_enabled))
    assert not any(one.usable for one in shown.versions or ())
    is_whole = not shown.gap("bindings", "ring-bindings", "key")
    assert not is_whole or len(shown.bindings or ()) == 2


@given(JUNK, st.sampled_from(sorted(ASKED)), st.integers(200, 599))
@examples(300)
def test_any_answer_can_be_read(value: object, what: str, status: int) -> None:
    """No answer whatsoever breaks the reading of a key."""
    shown = facts(**{what: answer(value, status)})
    assert shown.gap("key", "versions", "bindings", "ring-bindings") is not None
