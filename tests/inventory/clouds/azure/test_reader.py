"""Keys in Azure: what is asked, and what the answers show together."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds.azure.reader import is_vault, read_key
from inventory.clouds.config import CloudSettings
from inventory.clouds.recorder import HttpAnswer
from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.evidence.exchange import Failure
from inventory.model.kms import KeyVersion, KmsFacts, KmsGap
from inventory.system.request_policy import RequestPolicy
from tests.clouds.azure_server import (
    CREATED,
    DAY,
    HOST,
    HSM,
    KEY_ID,
    LATEST,
    MIDDLE,
    NAME,
    OLD,
    bundle,
    deleted,
    listed,
    policy,
    refusal,
    three_versions,
)
from tests.hypothesis_profile import examples
from tests.inventory.clouds.scripted import FILE, POLICY, ScriptedTransport, a_client, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from inventory.model.kms import CloudKey

KEY, VERSIONS = f"keys/{NAME}", f"keys/{NAME}/versions"
ROTATION, DELETED = f"keys/{NAME}/rotationpolicy", f"deletedkeys/{NAME}"
NEXT = f"https://{HOST}:443/{VERSIONS}?api-version=7.4&$skiptoken=2&maxresults=25"
READ = "Microsoft.KeyVault/vaults/keys/read"
ROTATION_READ = "Microsoft.KeyVault/vaults/keyrotationpolicies/read"
NOW = int(time.time())

Given: TypeAlias = Sequence[HttpAnswer | Failure]


def shown(body: object, status: int = 200) -> HttpAnswer:
    """Return an answer of a vault in a region."""
    return answer(body, status, x_ms_keyvault_region="eastus2")


def pages(*entries: object, link: object = None) -> list[HttpAnswer]:
    """Return one page of ``entries``, followed by ``link``."""
    return [shown({"value": list(entries), "nextLink": link})]


def bodies() -> dict[str, list[Any]]:
    """Return what a vault answers about a healthy key, by operation."""
    first, second, third = three_versions()
    return {
        KEY: [bundle()],
        VERSIONS: [
            {"value": [first, second], "nextLink": NEXT},
            {"value": [third], "nextLink": None},
        ],
        ROTATION: [policy()],
    }


def cloud(**over: Given) -> ScriptedTransport:
    """Return a vault with a healthy key; ``over`` changes what it answers."""
    script: dict[str, Any] = {
        operation: list(map(shown, answers)) for operation, answers in bodies().items()
    }
    names = {"key": KEY, "versions": VERSIONS, "rotation": ROTATION, "deleted": DELETED}
    names |= {"old": f"{KEY}/{OLD}", "latest": f"{KEY}/{LATEST}"}
    return ScriptedTransport(script | {names[name]: given for name, given in over.items()})


def read(
    transport: ScriptedTransport, key_id: str = KEY_ID, policy: RequestPolicy = POLICY
) -> CloudKey:
    """Read a key, and again from what was recorded, with the same result."""
    key = read_key(a_client(transport, policy=policy), key_id, CloudSettings())
    replayed = ReplayingCloudTransport(transport.exchanges)
    assert read_key(a_client(replayed, policy=policy), key_id, CloudSettings()) == key
    replayed.require_all_used()
    return key


def facts_of(key_id: str = KEY_ID, **over: Given) -> KmsFacts:
    """Return what is read of a key whose vault answers as ``over`` says."""
    return read(cloud(**over), key_id).facts


def gaps(facts: KmsFacts) -> list[tuple[str, str, str]]:
    """Return fact, reason and detail of each gap."""
    return [(gap.fact, gap.reason, gap.detail) for gap in facts.unread]


def day(number: int) -> datetime:
    """Return a day in June 2025."""
    return datetime(2025, 6, number, tzinfo=UTC)


HEALTHY: dict[str, Any] = {
    "enabled": True,
    "suitable": True,
    "region": "eastus2",
    "rotation_enabled": True,
    "state": "enabled",
    "kind": "RSA",
    "owner": HOST,
    "created_at": day(1),
    "rotation_days": 90,
    "rotated_at": day(3),
    "purge_protected": True,
    "recoverable_days": 90,
    "versions": (
        KeyVersion(id=OLD, state="enabled", usable=True, created_at=day(1)),
        KeyVersion(id=MIDDLE, state="enabled", usable=True, created_at=day(2)),
        KeyVersion(id=LATEST, state="enabled", usable=True, created_at=day(3), is_current=True),
    ),
}


def test_facts_of_a_healthy_key() -> None:
    """All that a vault shows of a key is read, each fact with the answer that shows it."""
    transport = cloud()
    key = read(transport)
    observed = transport.exchanges[0].started
    assert key.facts == KmsFacts(observed_at=observed, **HEALTHY)
    assert (key.key_id, key.requests) == (KEY_ID, 4)
    assert key.seen == {
        "key": f"{FILE}:1",
        "versions": f"{FILE}:2",
        "rotation": f"{FILE}:4",
    }
    assert [exchange.address for exchange in transport.exchanges] == [
        f"/azure/{HOST}/{KEY}?api-version=7.4",
        f"/azure/{HOST}/{VERSIONS}?api-version=7.4",
        f"/azure/{HOST}/{VERSIONS}?api-version=7.4&%24skiptoken=2&maxresults=25",
        f"/azure/{HOST}/{ROTATION}?api-version=7.4",
    ]


def test_case_of_an_id_does_not_matter() -> None:
    """Azure compares names without case, in ids and in answers."""
    shouted = f"https://ACME.vault.azure.net/keys/{NAME.upper()}"
    key = bundle(key={"kid": f"{shouted}/{LATEST}"})
    facts = facts_of(shouted, key=[shown(key)])
    assert facts == KmsFacts(observed_at=facts.observed_at, **HEALTHY)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (HOST, True),
        ("a-1.vault.azure.cn", True),
        ("a.vault.usgovcloudapi.net", True),
        (HSM, True),
        ("a.managedhsm.azure.cn", True),
        ("a.managedhsm.usgovcloudapi.net", True),
        ("vault.azure.net", False),
        ("a.b.vault.azure.net", False),
        ("a.vault.azure.net.evil.example", False),
        ("evil.example/.vault.azure.net", False),
        ("a.vault.azure.net:443", False),
        ("user@a.vault.azure.net", False),
        ("a.vault.azure.net\n", False),
        ("a.vault.azure.com", False),
        ("", False),
    ],
)
def test_hosts_of_vaults(host: str, *, expected: bool) -> None:
    """A vault's host is one label before a domain of Microsoft's."""
    assert is_vault(host) is expected


# --- an id with a version -------------------------------------------------------------------------

PINNED = f"{KEY_ID}/{OLD}"


@pytest.mark.parametrize(
    ("old", "latest", "expected"),
    [
        ({}, {}, {"enabled": True, "state": "enabled"}),
        ({"enabled": False}, {}, {"enabled": False, "state": "disabled"}),
        ({}, {"enabled": False}, {"enabled": False, "state": "disabled"}),
        ({"exp": CREATED + DAY}, {}, {"enabled": False, "state": "expired"}),
        ({"enabled": "yes"}, {}, {"enabled": None, "state": None}),
        ({"enabled": "yes"}, {"enabled": False}, {"enabled": False, "state": "disabled"}),
        ({"exp": NOW + 2 * DAY}, {"exp": NOW + DAY}, {"expires_at": NOW + DAY}),
        ({"exp": NOW + DAY}, {}, {"expires_at": NOW + DAY}),
        ({"recoverableDays": 7}, {}, {"recoverable_days": 7}),
        ({"recoveryLevel": "Recoverable+Purgeable"}, {}, {"purge_protected": False}),
        ({"key": {"kty": "EC"}}, {}, {"suitable": False, "kind": "EC"}),
        ({}, {"key": {"key_ops": []}}, {"suitable": False, "kind": "RSA"}),
    ],
)
def test_key_is_as_good_as_its_worse_version(
    old: dict[str, Any], latest: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Whether Astra uses the version in an id or the latest one, both have to serve."""
    facts = facts_of(PINNED, old=[shown(bundle(OLD, **old))], key=[shown(bundle(**latest))])
    found = {name: getattr(facts, name) for name in expected}
    if "expires_at" in expected:
        found["expires_at"] = int(found["expires_at"].timestamp())
    assert found == expected
    assert facts.versions is not None
    assert [version.id for version in facts.versions if version.is_current] == [OLD]


@pytest.mark.parametrize(
    ("reply", "gap"),
    [
        (answer(refusal("KeyNotFound"), 404), ("key", "not-found", "answered 404 KeyNotFound")),
        (shown(bundle(MIDDLE)), ("key", "foreign-key", "kid: found that of another version")),
    ],
)
def test_version_that_is_not_shown(reply: HttpAnswer, gap: tuple[str, str, str]) -> None:
    """Without the version in the id nothing that both have to fulfil is known."""
    facts = facts_of(PINNED, old=[reply])
    assert gaps(facts) == [gap]
    assert (facts.enabled, facts.suitable, facts.purge_protected, facts.state) == (None,) * 4
    worse = facts_of(PINNED, old=[reply], key=[shown(bundle(enabled=False))])
    assert (worse.enabled, worse.state) == (False, "disabled")


def test_version_must_be_listed() -> None:
    """A list without the version in the id is not whole."""
    facts = facts_of(PINNED, old=[shown(bundle(OLD))], versions=pages(listed(LATEST)))
    assert gaps(facts) == [("versions", "cut-short", "the list lacks a version that exists")]


# --- answers about others, and none ---------------------------------------------------------------


@pytest.mark.parametrize(
    "kid",
    [
        f"https://other.vault.azure.net/keys/{NAME}/{LATEST}",
        f"https://{HOST}/keys/other/{LATEST}",
        f"https://{HOST}:8443/keys/{NAME}/{LATEST}",
        f"http://{HOST}/keys/{NAME}/{LATEST}",
        f"https://{HOST}/keys/{NAME}",
        f"https://{HOST}/keys/{NAME}/{LATEST}/more",
        f"https://{HOST}/secrets/{NAME}/{LATEST}",
        f"https://{HOST}@evil.example/keys/{NAME}/{LATEST}",
        f"https://{HOST.replace('k', chr(0x212A))}/keys/astra-cme{chr(0x212A)}/{LATEST}",
    ],
)
def test_answer_about_another_key_is_refused(kid: str) -> None:
    """An answer about anything but the key is none, wherever it comes."""
    other = {"kid": kid, "attributes": listed()["attributes"]}
    facts = facts_of(key=[shown(bundle(key={"kid": kid}))], versions=pages(other))
    detail = "kid: found that of another key"
    assert gaps(facts) == [("key", "foreign-key", detail), ("versions", "foreign-key", detail)]
    assert (facts.enabled, facts.versions, facts.created_at) == (None, None, None)


@pytest.mark.parametrize("found", [f"https://{HOST}/keys/other/rotationpolicy", 7])
def test_policy_of_another_key_is_refused(found: object) -> None:
    """A rotation policy counts only for the key that it names."""
    facts = facts_of(rotation=[shown(policy(id=found))])
    detail = "id: found that of another policy"
    assert gaps(facts) == [("rotation", "foreign-key", detail)]
    assert (facts.rotation_enabled, facts.rotation_days) == (None, None)


def test_policy_that_nobody_set_only_notifies() -> None:
    """The policy of a key without one has no id; one that rotates must have it."""
    notifies = policy(("Notify", {"timeBeforeExpiry": "P30D"}), id=None)
    assert facts_of(rotation=[shown(notifies)]).rotation_enabled is False
    facts = facts_of(rotation=[shown(policy(id=None))])
    detail = "id: found nothing, expected that of the policy"
    assert gaps(facts) == [("rotation", "malformed", detail)]
    assert facts.rotation_enabled is None


ACCESS = {
    "key": f"{READ}, or get in an access policy",
    "versions": f"{READ}, or list in an access policy",
    "rotation": f"{ROTATION_READ}, or getrotationpolicy in an access policy",
}


@pytest.mark.parametrize("fact", ["key", "versions", "rotation"])
def test_refusal_names_the_permission(fact: str) -> None:
    """Each fact that may not be read names its permission; the others are read all the same."""
    refused = answer(refusal("Forbidden", "ForbiddenByRbac"), 403)
    facts = read(cloud(**{fact: [refused]})).facts
    gap = KmsGap.model_validate(
        {
            "fact": fact,
            "reason": "refused",
            "detail": "answered 403 Forbidden ForbiddenByRbac",
            "permission": ACCESS[fact],
        }
    )
    assert facts.unread == (gap,)
    known = {name for name, value in HEALTHY.items() if getattr(facts, name) is not None}
    lost = {
        "key": {"enabled", "suitable", "region", "state", "kind"}
        | {"purge_protected", "recoverable_days"},
        "versions": {"versions", "created_at", "rotated_at"},
        "rotation": {"rotation_enabled", "rotation_days"},
    }
    assert HEALTHY.keys() - known == lost[fact]


def test_managed_hsm_has_permissions_of_its_own() -> None:
    """A Managed HSM has its own roles, so a refusal names its own permission."""
    refused = answer(refusal("Forbidden"), 403)
    script = {name: [refused] for name in (KEY, VERSIONS, ROTATION)}
    facts = read(ScriptedTransport(script), f"https://{HSM}/keys/{NAME}").facts
    hsm = "Microsoft.KeyVault/managedHsm/keys/read/action"
    permissions = [hsm, hsm, f"{hsm}, and that to read rotation policies"]
    assert [gap.permission for gap in facts.unread] == permissions


def test_firewall_is_no_matter_of_permissions() -> None:
    """A vault that does not let this machine in is refused without a permission that is missing."""
    refused = answer(refusal("Forbidden", "ForbiddenByFirewall"), 403)
    facts = facts_of(key=[refused], versions=[refused], rotation=[refused])
    assert [(gap.reason, gap.permission) for gap in facts.unread] == [("refused", "")] * 3


@pytest.mark.parametrize("reason", ["no-credentials", "credentials-expired", "wrong-address"])
def test_what_holds_for_all_requests_is_asked_once(reason: str) -> None:
    """Without a way into the vault one request is sent, and no fact is known."""
    failure = Failure.model_validate({"reason": reason, "detail": "no way in"})
    transport = cloud(key=[failure])
    facts = read(transport).facts
    assert gaps(facts) == [(fact, reason, "no way in") for fact in ("key", "versions", "rotation")]
    assert len(transport.exchanges) == 1


def test_other_failures_hide_no_other_fact() -> None:
    """A key that no answer came about in time still has its versions and its rotation read."""
    failure = Failure(reason="timed-out", detail="no complete answer", again=True)
    transport = cloud(key=[failure])
    facts = read(transport).facts
    assert gaps(facts) == [("key", "timed-out", "no complete answer")]
    assert (facts.rotation_enabled, len(facts.versions or ())) == (True, 3)
    assert transport.asked[KEY] == 3
    assert not any(version.is_current for version in facts.versions or ())


# --- deleted keys ---------------------------------------------------------------------------------

MISSING = answer(refusal("KeyNotFound"), 404)
BEING_DELETED = answer(refusal("Conflict", "ObjectIsBeingDeleted"), 409)


@pytest.mark.parametrize("first", [MISSING, BEING_DELETED])
def test_deleted_key_has_a_last_day(first: HttpAnswer) -> None:
    """A key that is deleted but kept is not enabled, and will be erased on a known day."""
    transport = cloud(key=[first], deleted=[shown(deleted())])
    key = read(transport)
    facts = key.facts
    assert (facts.state, facts.enabled, facts.purge_protected) == ("deleted", False, True)
    assert facts.deletion_at == datetime.fromtimestamp(CREATED + 110 * DAY, UTC)
    assert (facts.kind, facts.region, facts.recoverable_days) == ("RSA", "eastus2", 90)
    gone = "the key is deleted"
    assert gaps(facts) == [("versions", "not-found", gone), ("rotation", "not-found", gone)]
    assert key.seen.keys() == {"deleted-key", "key"}
    assert key.seen["deleted-key"] == transport.exchanges[-1].location()


@pytest.mark.parametrize("date", [None, "soon"])
def test_day_of_erasure_is_never_guessed(date: object) -> None:
    """A deleted key without a day on which it will be erased is deleted all the same."""
    facts = facts_of(key=[MISSING], deleted=[shown(deleted(scheduledPurgeDate=date))])
    assert (facts.state, facts.enabled, facts.deletion_at) == ("deleted", False, None)
    assert [gap.fact for gap in facts.unread if gap.reason == "malformed"] == ["deleted-key"]


def test_key_that_does_not_exist() -> None:
    """A key that is neither there nor deleted is not found, and nothing is known of it."""
    facts = facts_of(key=[MISSING], deleted=[MISSING])
    detail = "answered 404 KeyNotFound"
    facts_missing = ("key", "versions", "rotation")
    assert gaps(facts) == [(fact, "not-found", detail) for fact in facts_missing]
    assert (facts.enabled, facts.state) == (None, None)


def test_deleted_keys_that_may_not_be_read() -> None:
    """If deleted keys may not be read, the key is not found, and the permission is named."""
    facts = facts_of(key=[MISSING], deleted=[answer(refusal("Forbidden", "AccessDenied"), 403)])
    assert [(gap.fact, gap.reason, gap.permission) for gap in facts.unread[:2]] == [
        ("key", "not-found", ""),
        ("deleted-key", "refused", f"{READ}, or get in an access policy"),
    ]
    assert facts.enabled is None


# --- versions -------------------------------------------------------------------------------------


def test_dead_old_version_is_shown() -> None:
    """Each version has its own state: one that is off decrypts no more, one that expired does."""
    entries = [
        listed(OLD, enabled=False),
        listed(MIDDLE, CREATED + DAY, exp=CREATED + 2 * DAY),
        listed(LATEST, CREATED + 2 * DAY),
    ]
    versions = facts_of(versions=pages(*entries)).versions
    assert versions == (
        KeyVersion(id=OLD, state="disabled", usable=False, created_at=day(1)),
        KeyVersion(id=MIDDLE, state="enabled", usable=True, created_at=day(2), expires_at=day(3)),
        KeyVersion(id=LATEST, state="enabled", usable=True, created_at=day(3), is_current=True),
    )


def test_only_version_was_never_rotated() -> None:
    """A key with one version was created with it, and was not rotated since."""
    facts = facts_of(versions=pages(listed(LATEST, CREATED)))
    assert (facts.created_at, facts.rotated_at) == (day(1), None)


def test_creation_is_known_if_all_versions_show_theirs() -> None:
    """An old version without a time may be older than all others, so nobody knows the key's."""
    old = listed(OLD)
    del old["attributes"]["created"]
    facts = facts_of(versions=pages(listed(LATEST), old))
    assert (facts.created_at, facts.rotated_at, facts.unread) == (None, None, ())
    assert len(facts.versions or ()) == 2


ELSEWHERE = "nextLink: found another address"


@pytest.mark.parametrize(
    ("answers", "reason", "detail"),
    [
        (pages(), "cut-short", "the list lacks a version that exists"),
        (pages(listed(OLD)), "cut-short", "the list lacks a version that exists"),
        (pages(listed(), listed()), "malformed", "the list holds a version twice"),
        (pages(listed(), LATEST), "malformed", f"value: found '{LATEST}', expected objects"),
        (
            pages({"kid": f"{KEY_ID}/{LATEST}"}),
            "malformed",
            "attributes: found nothing, expected an object",
        ),
        ([shown({"nextLink": None})], "malformed", "value: found nothing, expected a list"),
        (
            [shown({"value": [listed()]})],
            "malformed",
            "nextLink: found nothing, expected a text or null",
        ),
        (pages(listed(), link=NEXT), "cut-short", "a page of the list leads back to another"),
        (pages(listed(), link=7), "malformed", ELSEWHERE),
        (pages(listed(), link="https://["), "malformed", ELSEWHERE),
        (pages(listed(), link=NEXT.replace(HOST, "evil.example")), "malformed", ELSEWHERE),
        (pages(listed(), link=NEXT.replace("https", "http")), "malformed", ELSEWHERE),
        (pages(listed(), link=NEXT.replace("443", "8443")), "malformed", ELSEWHERE),
        (pages(listed(), link=NEXT.replace(HOST, f"{HOST}@evil.example")), "malformed", ELSEWHERE),
        (pages(listed(), link=NEXT.replace(NAME, "other")), "malformed", ELSEWHERE),
        (pages(listed(), link=NEXT.replace("/versions", "")), "malformed", ELSEWHERE),
        (pages(listed(), link=NEXT.replace("7.4", "7.0")), "malformed", ELSEWHERE),
        (pages(listed(), link=f"{NEXT}&api-version=7.0"), "malformed", ELSEWHERE),
        (pages(listed(), link=f"{NEXT}#part"), "malformed", ELSEWHERE),
        (pages(listed(), link=f"{NEXT}\ud800"), "malformed", ELSEWHERE),
    ],
)
def test_list_that_is_not_whole(answers: Given, reason: str, detail: str) -> None:
    """A list that may lack a version, or leads elsewhere, is no list: nothing of it is used."""
    facts = facts_of(versions=answers)
    assert gaps(facts) == [("versions", reason, detail)]
    assert (facts.versions, facts.created_at, facts.rotated_at) == (None, None, None)
    assert (facts.enabled, facts.rotation_enabled) == (True, True)


def test_list_without_an_end() -> None:
    """A list that always has one more page is given up after as many as are allowed."""
    many = [
        shown({"value": [], "nextLink": NEXT.replace("skiptoken=2", f"skiptoken={number}")})
        for number in range(2_000)
    ]
    transport = cloud(versions=many)
    assert gaps(read(transport).facts) == [
        ("versions", "cut-short", "the list has more than 1000 pages")
    ]
    assert transport.asked[VERSIONS] == 1_000


def test_managed_hsm_may_end_its_list_without_null() -> None:
    """Symmetric keys of a Managed HSM are suitable; its list needs no member for the next page."""
    key = {"kty": "oct-HSM", "kid": f"https://{HSM}/keys/{NAME}/{LATEST}"}
    entry = {"kid": key["kid"], "attributes": listed()["attributes"]}
    script = {
        KEY: [shown(bundle(key=key))],
        VERSIONS: [shown({"value": [entry]})],
        ROTATION: [shown(policy(host=HSM))],
    }
    facts = read(ScriptedTransport(script), f"https://{HSM}/keys/{NAME}").facts
    assert (facts.suitable, facts.kind, facts.owner) == (True, "oct-HSM", HSM)
    assert (len(facts.versions or ()), facts.unread) == (1, ())


# --- damaged answers ------------------------------------------------------------------------------


def test_fact_that_is_impossible_is_left_out() -> None:
    """A number that no fact can have becomes a gap, and the other facts stay."""
    facts = facts_of(key=[shown(bundle(recoverableDays=-1))])
    assert (facts.recoverable_days, facts.purge_protected) == (None, True)
    assert [(gap.fact, gap.reason) for gap in facts.unread] == [("key", "malformed")]


ONCE = RequestPolicy(attempts=1)  # or the next page would answer the attempt after a damaged one
JUNK: tuple[Any, ...] = (None, 0, -1, 1.5, "", "junk", "\ud800", [[]], {}, "2026-01-01", 10**20)
_OPTIONAL = {"created_at", "rotated_at", "recoverable_days", "rotation_days"}


def paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member and entry inside ``value``."""
    inner: Any = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for name, below in inner:
        yield (*path, name)
        yield from paths(below, (*path, name))


@st.composite
def damaged(draw: Callable[..., Any], healthy: dict[str, list[Any]]) -> dict[str, list[HttpAnswer]]:
    """Return the answers of ``healthy`` with one of them damaged in one place."""
    given = copy.deepcopy(healthy)
    places = [(name, at) for name, answers in given.items() for at in range(len(answers))]
    operation, number = draw(st.sampled_from(places))
    body = given[operation][number]
    *above, last = draw(st.sampled_from(list(paths(body))))
    parent = body
    for name in above:
        parent = parent[name]
    how = draw(st.sampled_from(["drop", "replace", "cut"]))
    if how == "drop" and isinstance(parent, dict):
        del parent[last]
    elif how == "replace":
        parent[last] = draw(st.sampled_from(JUNK))
    script = {name: list(map(shown, answers)) for name, answers in given.items()}
    if how == "cut":
        raw = json.dumps(body).encode()
        whole = script[operation][number]
        cut = raw[: draw(st.integers(0, len(raw) - 1))]
        script[operation][number] = whole._replace(body=cut)
    return script


def is_no_better(name: str, found: Any, healthy: Any) -> bool:  # noqa: ANN401 (any fact)
    """Say whether a fact is missing, or no better than that of the answers without damage."""
    if found is None or found == healthy:
        return True
    if name == "versions":
        same = [(version.id, version.usable) for version in healthy]
        return [(version.id, version.usable) for version in found] == same
    return found is False or (name == "recoverable_days" and found < healthy)


@examples(400)
@given(damaged(bodies()))
def test_damage_never_makes_a_key_better(script: dict[str, list[HttpAnswer]]) -> None:
    """However an answer is damaged, nothing is guessed: a fact stays as it is, or is a gap."""
    facts = read(ScriptedTransport(script), policy=ONCE).facts
    for name, healthy in HEALTHY.items():
        found = getattr(facts, name)
        assert name == "state" or is_no_better(name, found, healthy), name
        assert found is not None or name in _OPTIONAL or facts.unread, name


def unhealthy() -> dict[str, list[Any]]:
    """Return what a vault answers about a key in which nothing is as it should be."""
    answers = bodies()
    wrong: Mapping[str, Any] = {"enabled": False, "recoveryLevel": "Recoverable+Purgeable"}
    answers[KEY] = [bundle(key={"key_ops": ["encrypt"]}, **wrong)]
    answers[VERSIONS] = pages_of(listed(OLD, enabled=False), listed(LATEST, enabled=False))
    answers[ROTATION] = [policy(("Notify", {"timeBeforeExpiry": "P30D"}))]
    return answers


def pages_of(*entries: object) -> list[Any]:
    """Return the body of one page of ``entries``."""
    return [{"value": list(entries), "nextLink": None}]


@examples(400)
@given(damaged(unhealthy()))
def test_damage_never_makes_a_bad_key_good(script: dict[str, list[HttpAnswer]]) -> None:
    """However the answers about a bad key are damaged, none of its faults becomes a virtue."""
    facts = read(ScriptedTransport(script), policy=ONCE).facts
    good = (facts.enabled, facts.suitable, facts.purge_protected, facts.rotation_enabled)
    assert True not in good
    assert not any(version.usable for version in facts.versions or ())


@given(st.text(), st.sampled_from([KEY, VERSIONS, ROTATION]))
def test_any_text_is_no_answer(text: str, operation: str) -> None:
    """HTML, or any other text with status 200, is no answer, and is asked for once more."""
    script: dict[str, Any] = {name: list(map(shown, given)) for name, given in bodies().items()}
    script[operation] = [HttpAnswer(200, {}, f"<{text}".encode(errors="replace"))]
    transport = ScriptedTransport(script)
    facts = read(transport).facts
    fact = {KEY: "key", VERSIONS: "versions", ROTATION: "rotation"}[operation]
    detail = "found no complete JSON, expected a JSON object"
    assert gaps(facts) == [(fact, "malformed", detail)]
    assert transport.asked[operation] == 3
