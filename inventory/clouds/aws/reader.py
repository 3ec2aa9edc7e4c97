"""Reads the keys of AWS by calls that change nothing."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from inventory.clouds.answers import KeyReading, json_object, member
from inventory.clouds.aws.answers import (
    OK,
    READS,
    UNSUPPORTED,
    days_of,
    error_code,
    error_of,
    future,
    key_of,
    malformed,
    next_marker,
    past,
    policy_document,
    statements,
    word_of,
    words,
)
from inventory.errors import UnansweredError
from inventory.model.base import is_identifier
from inventory.model.kms import KeyGrant
from inventory.text.canonical_json import compact_json
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from inventory.clouds.aws.answers import AwsKey
    from inventory.clouds.client import CloudClient
    from inventory.clouds.config import CloudSettings
    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import CloudKey

_Facts = dict[str, object]
_ROTATION_DAYS = range(90, 2_561)
_WAITING_DAYS = range(7, 31)

# --- DescribeKey ----------------------------------------------------------------------------------

_STATES = words(
    "Creating Enabled Disabled PendingDeletion PendingImport PendingReplicaDeletion Unavailable "
    "Updating"
)
_SPECS = words(
    "SYMMETRIC_DEFAULT RSA_2048 RSA_3072 RSA_4096 ECC_NIST_P256 ECC_NIST_P384 ECC_NIST_P521 "
    "ECC_SECG_P256K1 ECC_NIST_EDWARDS25519 HMAC_224 HMAC_256 HMAC_384 HMAC_512 SM2 ML_DSA_44 "
    "ML_DSA_65 ML_DSA_87 ML_KEM_512 ML_KEM_768 ML_KEM_1024"
)
_USAGES = words(
    "ENCRYPT_DECRYPT SIGN_VERIFY GENERATE_VERIFY_MAC KEY_AGREEMENT ENCAPSULATE_DECAPSULATE"
)
_ORIGINS = frozenset({"AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"})
_MANAGERS = frozenset({"CUSTOMER", "AWS"})
_EXPIRATIONS = frozenset({"KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"})
_RIGHT_KIND = ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER")


def _require_identity(metadata: Mapping[str, Any], key: AwsKey) -> None:
    """Raise UnansweredError unless the answer is about ``key``, in its account and region."""
    found = member(metadata, "Arn", str).split(":")
    expected = key.arn.split(":")
    parts = ("", "partition", "", "region", "account", "key")
    for name, one, other in zip(parts, found, expected, strict=False):
        if one != other:
            detail = f"the answer is about another {name or 'resource'}"
            raise UnansweredError("foreign-key", detail)
    if found != expected or member(metadata, "AWSAccountId", str) != key.account:
        raise UnansweredError("foreign-key", "the answer is about another account or key")
    key.require_same(member(metadata, "KeyId", str))


def _state(metadata: Mapping[str, Any], _: Exchange) -> _Facts:
    state = word_of(metadata, "KeyState", _STATES)
    enabled = state == "Enabled"
    if member(metadata, "Enabled", bool) != enabled:
        raise malformed("Enabled", not enabled, f"{describe(enabled)}, as KeyState is {state}")
    return {"state": state, "enabled": enabled}


def _kind(metadata: Mapping[str, Any], _: Exchange) -> _Facts:
    spec = word_of(metadata, "KeySpec", _SPECS)
    usage = word_of(metadata, "KeyUsage", _USAGES)
    origin = word_of(metadata, "Origin", _ORIGINS)
    manager = word_of(metadata, "KeyManager", _MANAGERS)
    words = [spec, usage, origin]
    # Nobody can change the policy of a key that AWS manages, so it serves no other account.
    words += ["managed by AWS"] if manager == "AWS" else []
    words += ["replica, which rotates as its primary key does"] if _is_replica(metadata) else []
    return {"kind": ", ".join(words), "suitable": (spec, usage, manager) == _RIGHT_KIND}


def _is_replica(metadata: Mapping[str, Any]) -> bool:
    regions = metadata.get("MultiRegionConfiguration")
    return isinstance(regions, dict) and regions.get("MultiRegionKeyType") == "REPLICA"


def _created(metadata: Mapping[str, Any], exchange: Exchange) -> _Facts:
    return {"created_at": past(metadata, "CreationDate", exchange)}


def _deletion(metadata: Mapping[str, Any], exchange: Exchange) -> _Facts:
    state = metadata.get("KeyState")
    facts: _Facts = {}
    if state == "PendingDeletion" or metadata.get("DeletionDate") is not None:
        facts["deletion_at"] = future(metadata, "DeletionDate", exchange)
    if state == "PendingReplicaDeletion":
        # Its waiting period begins when the last replica is deleted, so no day is known yet.
        name = "PendingDeletionWindowInDays"
        facts["recoverable_days"] = days_of(metadata, name, _WAITING_DAYS)
    return facts


def _expiry(metadata: Mapping[str, Any], exchange: Exchange) -> _Facts:
    is_imported = member(metadata, "Origin", str) == "EXTERNAL"
    is_awaited = metadata.get("KeyState") == "PendingImport"  # there is no material to expire
    expires = metadata.get("ValidTo") is not None
    if is_imported and not is_awaited:
        model = word_of(metadata, "ExpirationModel", _EXPIRATIONS)
        expires = expires or model == "KEY_MATERIAL_EXPIRES"
    return {"expires_at": future(metadata, "ValidTo", exchange)} if expires else {}


def _regions(metadata: Mapping[str, Any], _: Exchange) -> _Facts:
    is_multi = member(metadata, "MultiRegion", bool)
    if is_multi != member(metadata, "KeyId", str).startswith("mrk-"):
        raise malformed("MultiRegion", is_multi, "what the key's id says")
    if is_multi:
        regions = member(metadata, "MultiRegionConfiguration", dict)
        word_of(regions, "MultiRegionKeyType", ("PRIMARY", "REPLICA"))
    return {"multi_region": is_multi}


_DESCRIPTIONS: tuple[Callable[[Mapping[str, Any], Exchange], _Facts], ...] = (
    _state,
    _kind,
    _created,
    _deletion,
    _expiry,
    _regions,
)
"""What DescribeKey shows; a part that cannot be read leaves the others."""


def _can_rotate(metadata: Mapping[str, Any]) -> bool | None:
    """Say whether AWS can rotate a key of this kind by itself; None if the kind is unknown."""
    try:
        spec, origin = word_of(metadata, "KeySpec", _SPECS), word_of(metadata, "Origin", _ORIGINS)
    except UnansweredError:
        return None
    return (spec, origin) == ("SYMMETRIC_DEFAULT", "AWS_KMS")


# --- grants and aliases ---------------------------------------------------------------------------

_OPERATIONS = words(
    "Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo "
    "Sign Verify GetPublicKey CreateGrant RetireGrant DescribeKey GenerateDataKeyPair "
    "GenerateDataKeyPairWithoutPlaintext GenerateMac VerifyMac DeriveSharedSecret Encapsulate "
    "Decapsulate"
)


def _grant(entry: Mapping[str, Any], exchange: Exchange, key: AwsKey) -> KeyGrant:
    key.require_same(member(entry, "KeyId", str))
    names = member(entry, "Operations", list)
    fields: dict[str, object] = {
        "id": member(entry, "GrantId", str),
        "grantee": member(entry, _grantee(entry), str),
        "operations": [word_of({"Operations": name}, "Operations", _OPERATIONS) for name in names],
        "issued_by": _issuer(entry, key),
        "constrained": _is_constrained(entry),
    }
    if entry.get("CreationDate") is not None:
        fields["created_at"] = past(entry, "CreationDate", exchange)
    try:
        return KeyGrant.model_validate(fields)
    except ValidationError:
        raise UnansweredError("malformed", "Grants: found an id or a grantee of no form") from None


def _grantee(entry: Mapping[str, Any]) -> str:
    """Return which member names the grantee: that of a service, if there is one."""
    service = "GranteeServicePrincipal"
    return service if entry.get(service) is not None else "GranteePrincipal"


def _issuer(entry: Mapping[str, Any], key: AwsKey) -> str | None:
    """Return the account that issued a grant, which is shown as its root user."""
    if entry.get("IssuingAccount") is None:
        return None
    text = member(entry, "IssuingAccount", str)
    account = text.removeprefix(f"arn:{key.partition}:iam::").removesuffix(":root")
    if re.fullmatch("[0-9]{12}", account, re.ASCII) is None:
        raise malformed("IssuingAccount", text, "an account")
    return account


def _is_constrained(entry: Mapping[str, Any]) -> bool:
    return entry.get("Constraints") is not None and bool(member(entry, "Constraints", dict))


def _alias(entry: Mapping[str, Any], key: AwsKey) -> str:
    key.require_same(member(entry, "TargetKeyId", str))
    name = member(entry, "AliasName", str)
    if not (name.startswith("alias/") and is_identifier(name)):
        raise malformed("AliasName", name, "the name of an alias")
    return name


# --- reading --------------------------------------------------------------------------------------


def read_key(client: CloudClient, key_id: str, settings: CloudSettings) -> CloudKey:
    """Return what AWS shows of the key with the ARN ``key_id``; what is missing is a gap."""
    return _Reader(client, key_of(key_id, settings)).read()


class _Reader:
    """Reads one key."""

    def __init__(self, client: CloudClient, key: AwsKey) -> None:
        self._client = client
        self._key = key
        self._reading = KeyReading(key.arn)
        self._metadata: Mapping[str, Any] = {}

    def read(self) -> CloudKey:
        """Describe the key; ask for all else only if the answer is about this key."""
        others = (
            ("GetKeyRotationStatus", self._rotation),
            ("ListKeyRotations", self._rotations),
            ("GetKeyPolicy", self._policy),
            ("ListGrants", self._grants),
            ("ListAliases", self._aliases),
            ("GetKeyLastUsage", self._last_use),
        )
        if self._attempt("DescribeKey", self._describe):
            for operation, read in others:
                self._attempt(operation, read)
        return self._reading.finish(self._client)

    def _attempt(self, operation: str, read: Callable[[], None]) -> bool:
        return self._reading.attempt(READS[operation], f"kms:{operation}", read)

    def _get(
        self, operation: str, *parameters: tuple[str, str], accept: str = ""
    ) -> tuple[Exchange, dict[str, Any]]:
        """Return an answer; an error with the code ``accept`` is one without members."""

        def parse(exchange: Exchange) -> tuple[Exchange, dict[str, Any]]:
            if exchange.status == OK:
                return exchange, json_object(exchange)
            if accept and error_code(exchange) == accept:
                return exchange, {}
            raise error_of(exchange, operation, self._key)

        exchange, body = self._client.get(self._key.request(operation, *parameters), parse)
        self._reading.note(READS[operation], exchange)
        return exchange, body

    def _entries(
        self, operation: str, name: str, accept: str = ""
    ) -> Iterator[tuple[Exchange, dict[str, Any]]]:
        """Yield every entry of a list, with the page that shows it."""
        seen: set[str] = set()
        marker: tuple[tuple[str, str], ...] = ()
        for _ in range(self._client.most_pages):
            exchange, body = self._get(operation, *marker, accept=accept)
            if exchange.status != OK:
                return
            for entry in member(body, name, list):
                yield exchange, member({name: entry}, name, dict)
            following = next_marker(body)
            if following is None:
                return
            if following in seen:
                raise UnansweredError("cut-short", "two pages name the same next page")
            seen.add(following)
            marker = (("Marker", following),)
        found = f"more than {self._client.most_pages:,} pages in one list"
        raise UnansweredError("cut-short", f"{found}: the limit is most_pages")

    def _describe(self) -> None:
        exchange, body = self._get("DescribeKey")
        self._metadata = member(body, "KeyMetadata", dict)
        _require_identity(self._metadata, self._key)
        self._reading.add(owner=self._key.account, region=self._key.region)
        for description in _DESCRIPTIONS:
            self._attempt("DescribeKey", partial(self._add, description, exchange))

    def _add(
        self, description: Callable[[Mapping[str, Any], Exchange], _Facts], exchange: Exchange
    ) -> None:
        self._reading.add(**description(self._metadata, exchange))

    def _rotation(self) -> None:
        operation, can_rotate = "GetKeyRotationStatus", _can_rotate(self._metadata)
        accept = UNSUPPORTED if can_rotate is False else ""
        exchange, body = self._get(operation, accept=accept)
        if exchange.status != OK:
            self._reading.add(rotation_enabled=False)
            return
        self._require_same_if_shown(body)
        enabled = member(body, "KeyRotationEnabled", bool)
        if enabled and can_rotate is False:
            raise malformed("KeyRotationEnabled", enabled, "false, as such a key cannot rotate")
        self._reading.add(rotation_enabled=enabled)
        if enabled:
            self._attempt(operation, partial(self._period, body))
            self._attempt(operation, partial(self._next_rotation, body, exchange))

    def _period(self, body: Mapping[str, Any]) -> None:
        days = days_of(body, "RotationPeriodInDays", _ROTATION_DAYS)
        self._reading.add(rotation_days=days)

    def _next_rotation(self, body: Mapping[str, Any], exchange: Exchange) -> None:
        # A key that is not enabled does not rotate, so AWS may show no day for it.
        name, is_active = "NextRotationDate", self._metadata.get("KeyState") == "Enabled"
        if is_active or body.get(name) is not None:
            self._reading.add(next_rotation_at=future(body, name, exchange))

    def _rotations(self) -> None:
        accept = UNSUPPORTED if _can_rotate(self._metadata) is False else ""
        rotated = []
        for exchange, entry in self._entries("ListKeyRotations", "Rotations", accept):
            self._require_same_if_shown(entry)
            word_of(entry, "RotationType", ("AUTOMATIC", "ON_DEMAND"))
            rotated.append(past(entry, "RotationDate", exchange))
        self._reading.add(rotated_at=max(rotated, default=None))

    def _policy(self) -> None:
        """Read both policies that a key can have: its own, and that of a share by AWS RAM.

        The second allows what the first does not show. Both count, so they become one.
        """
        own, shared = "default", "AWS_RAM"
        document = policy_document(self._get("GetKeyPolicy", ("PolicyName", own))[1], own)
        missing = "NotFoundException"
        exchange, body = self._get("GetKeyPolicy", ("PolicyName", shared), accept=missing)
        if exchange.status == OK:
            both = [*statements(document), *statements(policy_document(body, shared))]
            document = {**document, "Statement": both}
        self._reading.add(policy=compact_json(document))

    def _grants(self) -> None:
        entries = self._entries("ListGrants", "Grants")
        grants = tuple(_grant(entry, exchange, self._key) for exchange, entry in entries)
        self._reading.add(grants=grants)

    def _aliases(self) -> None:
        entries = self._entries("ListAliases", "Aliases")
        self._reading.add(aliases=tuple(_alias(entry, self._key) for _, entry in entries))

    def _last_use(self) -> None:
        exchange, body = self._get("GetKeyLastUsage")
        self._require_same_if_shown(body)
        is_shown = body.get("KeyLastUsage") is not None
        if is_shown and (usage := member(body, "KeyLastUsage", dict)):
            used = past(usage, "Timestamp", exchange)
            self._reading.add(last_used_at=used, never_used=False)
            return
        began = past(body, "TrackingStartDate", exchange)
        if past(body, "KeyCreationDate", exchange) < began:
            detail = f"no use since {began:%Y-%m-%d}, but AWS recorded none of the time before"
            raise UnansweredError("not-recorded", detail)
        self._reading.add(never_used=True)

    def _require_same_if_shown(self, body: Mapping[str, Any]) -> None:
        if body.get("KeyId") is not None:
            self._key.require_same(body["KeyId"])
