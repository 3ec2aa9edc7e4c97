"""Reads keys from Azure Key Vault and Managed HSM: which requests are sent, and what they show.

Who may use a key is not shown there, so nothing is reported about it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from inventory.clouds.answers import KeyReading, member
from inventory.clouds.azure.answers import (
    RANK,
    Bundle,
    is_by_network,
    kind_facts,
    parse_answer,
    parse_time,
    recovery_facts,
    region_facts,
    rotation_facts,
    suitability_facts,
    validity_facts,
    validity_of,
    worst_of,
)
from inventory.clouds.requests import CloudRequest
from inventory.errors import UnansweredError
from inventory.model.kms import KeyVersion
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inventory.clouds.client import CloudClient
    from inventory.clouds.config import CloudSettings
    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import CloudKey, KmsFact

API_VERSION = "7.4"
_PARAMETER = ("api-version", API_VERSION)
_VAULT = re.compile(
    r"[a-z0-9-]+\.(?:vault|managedhsm)\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)", re.ASCII
)
_KID = re.compile(
    r"https://([a-z0-9.-]+)/keys/([a-z0-9-]+)/([0-9a-f]{32})", re.ASCII | re.IGNORECASE
)
_VAULT_READ = "Microsoft.KeyVault/vaults/keys/read"
_VAULT_ROTATION = "Microsoft.KeyVault/vaults/keyrotationpolicies/read"
_HSM_READ = "Microsoft.KeyVault/managedHsm/keys/read/action"
_PERMISSIONS: Mapping[KmsFact, tuple[str, str]] = {
    "key": (f"{_VAULT_READ}, or get in an access policy", _HSM_READ),
    "versions": (f"{_VAULT_READ}, or list in an access policy", _HSM_READ),
    "rotation": (
        f"{_VAULT_ROTATION}, or getrotationpolicy in an access policy",
        f"{_HSM_READ}, and that to read rotation policies",
    ),
    "deleted-key": (
        f"{_VAULT_READ}, or get in an access policy",
        "Microsoft.KeyVault/managedHsm/keys/deletedKeys/read/action",
    ),
}
"""The permission that reading each fact takes: in a vault, and in a Managed HSM."""

_UNREACHED = frozenset(
    {"no-credentials", "credentials-expired", "wrong-address", "library-missing"}
)
"""Reasons that hold for every request to a vault."""

_PARTS = (validity_facts, kind_facts, suitability_facts, recovery_facts, region_facts)
"""What each answer about a version shows; one part that cannot be read hides no other."""


def is_vault(host: str) -> bool:
    """Say whether ``host`` is one of Azure Key Vault or Managed HSM."""
    return _VAULT.fullmatch(host) is not None


def read_key(client: CloudClient, key_id: str, settings: CloudSettings) -> CloudKey:  # noqa: ARG001 (as in all clouds)
    """Return what Azure shows of a key; what could not be read is a gap.

    Of an id with a version, that version is read as well as the latest one. It is not documented
    which of them Astra uses, so the key is only as good as the worse of the two.
    """
    reading = KeyReading(key_id)
    _KeyReader(client, _parse(key_id), reading).read()
    return reading.finish(client)


class _KeyName(NamedTuple):
    """The parts of a key id, in lower case: Azure compares them without case."""

    host: str
    name: str
    version: str

    @property
    def is_in_hsm(self) -> bool:
        return ".managedhsm." in self.host

    def request(self, *more: str, collection: str = "keys") -> CloudRequest:
        operation = "/".join((collection, self.name, *more))
        return CloudRequest("azure", self.host, operation, (_PARAMETER,))

    def version_of(self, kid: str) -> str:
        """Return the version in the id of an answer; raise UnansweredError for another key."""
        match = _KID.fullmatch(kid)
        if match is None or match[1].lower() != self.host or match[2].lower() != self.name:
            raise UnansweredError("foreign-key", "kid: found that of another key")
        return match[3].lower()


def _parse(key_id: str) -> _KeyName:
    host, _, path = key_id.lower().removeprefix("https://").partition("/")
    _, name, version, *_ = [*path.split("/"), "", ""]
    return _KeyName(host, name, version)


class _Page(NamedTuple):
    """A page of the list of versions, and the request for the next one; None after the last."""

    exchange: Exchange
    versions: list[KeyVersion]
    following: CloudRequest | None


class _KeyReader:
    """Reads one key."""

    def __init__(self, client: CloudClient, key: _KeyName, reading: KeyReading) -> None:
        self._client = client
        self._key = key
        self._reading = reading

    def read(self) -> None:
        self._reading.add(owner=self._key.host)
        try:
            latest = self._bundle()
        except UnansweredError as error:
            self._read_without(error)
            return
        bundles: list[Bundle | None] = [latest]
        if self._key.version:
            bundles.insert(0, self._named_bundle())
        self._add_bundles(bundles)
        self._read_rest(latest.version)

    def _read_rest(self, latest: str) -> None:
        """Read versions and rotation; ``latest`` is the latest version, empty if not known."""
        self._attempt("versions", lambda: self._read_versions(latest))
        self._attempt("rotation", self._read_rotation)

    def _read_without(self, error: UnansweredError) -> None:
        """Read what is left to read of a key that could not be read itself."""
        if error.reason == "not-found":
            self._read_deleted(error)
            return
        self._miss("key", error)
        if error.reason in _UNREACHED:
            self._miss("versions", error)
            self._miss("rotation", error)
            return
        self._read_rest("")

    def _attempt(self, fact: KmsFact, read: Callable[[], None]) -> None:
        try:
            read()
        except UnansweredError as error:
            self._miss(fact, error)

    def _miss(self, fact: KmsFact, error: UnansweredError) -> None:
        """Note a gap, and the permission unless it is the network that is not let in."""
        in_vault, in_hsm = _PERMISSIONS[fact]
        permission = in_hsm if self._key.is_in_hsm else in_vault
        self._reading.miss(fact, error, "" if is_by_network(error) else permission)

    # --- the key itself ---

    def _bundle(self) -> Bundle:
        return self._client.get(self._key.request(), self._parse_bundle)

    def _named_bundle(self) -> Bundle | None:
        """Return the answer about the version that the id names; None, and a gap, without one."""

        def parse(exchange: Exchange) -> Bundle:
            bundle = self._parse_bundle(exchange)
            if bundle.version != self._key.version:
                raise UnansweredError("foreign-key", "kid: found that of another version")
            return bundle

        try:
            return self._client.get(self._key.request(self._key.version), parse)
        except UnansweredError as error:
            self._miss("key", error)
            return None

    def _parse_bundle(self, exchange: Exchange) -> Bundle:
        body = parse_answer(exchange)
        key, attributes = member(body, "key", dict), member(body, "attributes", dict)
        version = self._key.version_of(member(key, "kid", str))
        return Bundle(
            exchange=exchange,
            body=body,
            key=key,
            attributes=attributes,
            version=version,
            is_in_hsm=self._key.is_in_hsm,
        )

    def _add_bundles(self, bundles: Sequence[Bundle | None]) -> None:
        """Add what the answers show together; None is one that is missing."""
        shown = [self._facts_of(bundle) if bundle else {} for bundle in bundles]
        for name in ("enabled", "suitable", "purge_protected"):
            self._reading.add(**{name: worst_of(facts.get(name) for facts in shown)})
        for name in ("expires_at", "recoverable_days"):
            known = (facts[name] for facts in shown if facts.get(name) is not None)
            self._reading.add(**{name: min(known, default=None)})
        worst = min(shown, key=lambda facts: RANK[facts.get("enabled")])
        named = shown[0] or shown[-1]
        self._reading.add(
            state=worst.get("state"), kind=named.get("kind"), region=named.get("region")
        )

    def _facts_of(self, bundle: Bundle) -> dict[str, Any]:
        self._reading.note("key", bundle.exchange)
        facts: dict[str, Any] = {}
        for part in _PARTS:
            try:
                facts |= part(bundle)
            except UnansweredError as error:
                self._miss("key", error)
        return facts

    # --- a key that was not found ---

    def _read_deleted(self, error: UnansweredError) -> None:
        """Read whether a key that was not found is deleted, and can still be recovered."""
        rest = UnansweredError("not-found", error.detail)
        request = self._key.request(collection="deletedkeys")
        try:
            deleted = self._client.get(request, self._parse_bundle)
        except UnansweredError as refusal:
            self._miss("key", error)
            if refusal.reason != "not-found":
                self._miss("deleted-key", refusal)
        else:
            rest = UnansweredError("not-found", "the key is deleted")
            self._add_deleted(deleted)
        self._miss("versions", rest)
        self._miss("rotation", rest)

    def _add_deleted(self, deleted: Bundle) -> None:
        self._reading.note("deleted-key", deleted.exchange)
        self._add_bundles([deleted])
        self._reading.add(state="deleted", enabled=False)

        def read() -> None:
            member(deleted.body, "scheduledPurgeDate", int)
            self._reading.add(deletion_at=parse_time(deleted.body, "scheduledPurgeDate"))

        self._attempt("deleted-key", read)

    # --- versions ---

    def _read_versions(self, latest: str) -> None:
        listed = self._list_versions(self._key.version or latest)
        versions = {version.id: version for version in listed}
        if len(versions) < len(listed):
            raise UnansweredError("malformed", "the list holds a version twice")
        if not listed or {latest, self._key.version} - {""} - versions.keys():
            raise UnansweredError("cut-short", "the list lacks a version that exists")
        created = [version.created_at for version in listed if version.created_at]
        if len(created) == len(listed):
            # The attributes of a key are those of its latest version.
            rotated = max(created) if len(listed) > 1 else None
            self._reading.add(created_at=min(created), rotated_at=rotated)
        self._reading.add(versions=tuple(versions[name] for name in sorted(versions)))

    def _list_versions(self, used: str) -> list[KeyVersion]:
        request = self._key.request("versions")
        seen = {request}
        listed: list[KeyVersion] = []
        for _ in range(self._client.most_pages):
            page = self._client.get(request, lambda exchange: self._parse_page(exchange, used))
            self._reading.note("versions", page.exchange)
            listed += page.versions
            if page.following is None:
                return listed
            if page.following in seen:
                raise UnansweredError("cut-short", "a page of the list leads back to another")
            request = page.following
            seen.add(request)
        raise UnansweredError("cut-short", f"the list has more than {len(seen) - 1} pages")

    def _parse_page(self, exchange: Exchange, used: str) -> _Page:
        body = parse_answer(exchange)
        versions = [
            self._parse_version(entry, exchange, used) for entry in member(body, "value", list)
        ]
        # A vault ends its list with null. What a Managed HSM does is not documented.
        if "nextLink" not in body and not self._key.is_in_hsm:
            raise UnansweredError("malformed", "nextLink: found nothing, expected a text or null")
        return _Page(exchange, versions, self._following(body.get("nextLink")))

    def _parse_version(self, entry: object, exchange: Exchange, used: str) -> KeyVersion:
        if not isinstance(entry, dict):
            detail = f"value: found {describe(entry)}, expected objects"
            raise UnansweredError("malformed", detail)
        version = self._key.version_of(member(entry, "kid", str))
        validity = validity_of(member(entry, "attributes", dict), exchange)
        return KeyVersion(
            id=version,
            state="enabled" if validity.enabled else "disabled",
            usable=validity.enabled,  # what is outside of its time still decrypts, as documented
            created_at=validity.created_at,
            expires_at=validity.expires_at,
            is_current=version == used,
        )

    def _following(self, link: object) -> CloudRequest | None:
        """Return the request for the next page; raise UnansweredError if it is elsewhere."""
        if link in (None, ""):
            return None
        first = self._key.request("versions")
        query = _query_of(link, self._key.host, f"/{first.operation}")
        if [pair for pair in query if pair[0] == _PARAMETER[0]] != [_PARAMETER]:
            raise UnansweredError("malformed", "nextLink: found another address")
        return first._replace(parameters=query)

    # --- rotation ---

    def _read_rotation(self) -> None:
        self._client.get(self._key.request("rotationpolicy"), self._add_rotation)

    def _add_rotation(self, exchange: Exchange) -> None:
        body = parse_answer(exchange)
        own = f"https://{self._key.host}/keys/{self._key.name}/rotationpolicy"
        found = body.get("id")
        if found is not None and (not isinstance(found, str) or found.lower() != own):
            raise UnansweredError("foreign-key", "id: found that of another policy")
        facts = rotation_facts(body)
        # A policy that nobody has set has no id, and only notifies.
        if facts["rotation_enabled"] and found is None:
            raise UnansweredError("malformed", "id: found nothing, expected that of the policy")
        self._reading.note("rotation", exchange)
        self._reading.add(**facts)


def _query_of(link: object, host: str, path: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters of ``link``; none unless it leads to ``path`` on ``host``."""
    try:
        url = urlsplit(link if isinstance(link, str) and link.isascii() else "")
    except ValueError:
        return ()
    is_own = url.scheme == "https" and url.netloc.lower() in {host, f"{host}:443"}
    is_own = is_own and url.path.lower() == path and not url.fragment
    return tuple(parse_qsl(url.query, keep_blank_values=True)) if is_own else ()
