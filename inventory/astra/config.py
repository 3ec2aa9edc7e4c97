"""The organizations file: which organizations to read live, and what people attest about them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from inventory.errors import InventoryError, OrganizationsError, Problem
from inventory.files.documents import FieldPath
from inventory.files.format_detection import ORGANIZATIONS
from inventory.files.yaml_json import parse_document, read_own_document, versionless_key_identity
from inventory.model.attestations import (
    ApplicationEncryption,
    Attestation,
    PlanAttestation,
    PortalRegion,
    PreviewAttestation,
)
from inventory.model.base import (
    Entry,
    FormatVersion,
    Identifier,
    Located,
    Name,
    Owner,
    Text,
    WholeNumber,
)
from inventory.model.database import Encryption, require_reason
from inventory.model.key import StatedKey, SupportCase
from inventory.model.organization import Policy
from inventory.text.display import describe
from inventory.text.secrets import SecretText, Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ADDRESS = "https://api.astra.datastax.com"
TOKEN_VARIABLE = "ASTRA_API_TOKEN"  # noqa: S105 (the name of a variable)
ENVIRONMENT = "env"
"""The name to give instead of a file to read the organization of that one variable's token."""

VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,100}$")]
Seconds = Annotated[float, Field(strict=True)]
_LOOPBACK = {"127.0.0.1", "[::1]", "localhost"}
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(
    rf"(?P<scheme>https?)://(?P<host>(?!xn--){_LABEL}(?:\.{_LABEL})*|\[::1\])"
    r"(?::(?P<port>[0-9]{1,5}))?/*",
    re.IGNORECASE | re.ASCII,
)
_LARGEST_PORT = 65_535
# What an Authorization header can carry as it is; anything shorter could be found by chance where
# the token is searched for in the evidence.
_SENDABLE = re.compile(r"[A-Za-z0-9._~+/=:-]{12,}")


def other_hosts(addresses: Iterable[str]) -> list[str]:
    """Return the ``addresses`` that are not Astra's own, sorted, each once."""
    return sorted({address for address in addresses if not _is_astra(address)})


def _is_astra(address: str) -> bool:
    """Compare with Astra's address: the host in any case, the default port with or without it."""
    return address.lower().rstrip("/").removesuffix(":443") == ADDRESS


def _validate_address(value: str) -> str:
    url = _HOST.fullmatch(value)
    if not url or not _is_confidential(url) or not _is_valid_authority(url):
        text = "the address of a host, such as https://api.astra.datastax.com, and nothing after it"
        raise PydanticCustomError("address", text)
    return value.rstrip("/")


def _is_confidential(url: re.Match[str]) -> bool:
    """Say whether nobody between this machine and the host can read the token."""
    return url["scheme"].lower() == "https" or url["host"].lower() in _LOOPBACK


def _is_valid_authority(url: re.Match[str]) -> bool:
    """Say whether the port is in range, and a host that ends in a number is an IPv4 address."""
    is_name = not url["host"].rpartition(".")[2].isdigit()
    return int(url["port"] or 0) <= _LARGEST_PORT and (is_name or _is_ipv4(url["host"]))


def _is_ipv4(host: str) -> bool:
    try:
        return bool(IPv4Address(host))
    except ValueError:
        return False


class RequestPolicy(Entry):
    """How requests are sent to Astra: how many, how often, and within which limits.

    Attributes:
        connections: how many requests may be in progress at once.
        connections_per_organization: how many of them for one organization.
        attempts: how often a request is made before it is given up.
        first_wait_seconds: the wait before the second attempt; it doubles with each, with jitter.
        longest_wait_seconds: the longest wait, unless Astra asks for a longer one.
        timeout_seconds: the time of one request, from its first to its last byte.
        organization_deadline_seconds: the time for one organization.
        deadline_seconds: the time for all of them.
        largest_answer_bytes: the largest body that is accepted, after decompression.
        largest_answer_values: how many values the largest body may hold.
        most_pages: how many pages one reading of a list may have, with the empty one at its end.
        most_requests: how many requests may be made for one organization.
        most_answer_bytes: the size of all answers of one organization, after decompression.
        most_evidence_bytes: the size of the evidence of one organization.
    """

    connections: Annotated[WholeNumber, Field(ge=1, le=1_024)] = 64
    connections_per_organization: Annotated[WholeNumber, Field(ge=1, le=64)] = 4
    attempts: Annotated[WholeNumber, Field(ge=1, le=20)] = 5
    first_wait_seconds: Annotated[Seconds, Field(ge=0, le=60)] = 0.5
    longest_wait_seconds: Annotated[Seconds, Field(ge=0, le=600)] = 30.0
    timeout_seconds: Annotated[Seconds, Field(gt=0, le=3_600)] = 60.0
    organization_deadline_seconds: Annotated[Seconds, Field(gt=0, le=86_400)] = 600.0
    deadline_seconds: Annotated[Seconds, Field(gt=0, le=86_400)] = 3_600.0
    largest_answer_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_073_741_824)] = 33_554_432
    largest_answer_values: Annotated[WholeNumber, Field(ge=100, le=100_000_000)] = 250_000
    most_pages: Annotated[WholeNumber, Field(ge=1, le=1_000_000)] = 1_000
    most_requests: Annotated[WholeNumber, Field(ge=1, le=10_000_000)] = 20_000
    most_answer_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_099_511_627_776)] = 1_073_741_824
    most_evidence_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_099_511_627_776)] = (
        1_073_741_824
    )


class KeyStatement(StatedKey):
    """What people state about a key; type, provider, region and key id identify it."""


class RegionStatement(Entry):
    """What people state about a region of a database; the name identifies it."""

    name: Identifier
    portal: PortalRegion


class DatabaseStatement(Located):
    """What people state about a database; the id identifies it."""

    id: Identifier
    encryption: Encryption | None = None
    reason: Text | None = None
    data: Literal["ordinary", "stringent"] = "ordinary"
    application_encryption: ApplicationEncryption | None = None
    regions: tuple[RegionStatement, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_reason(self.encryption, self.reason)
        if len({region.name for region in self.regions}) < len(self.regions):
            raise PydanticCustomError("regions", "each region at most once")
        return self


class OrganizationConfig(Located):
    """An organization to read.

    Attributes:
        id: the organization to which the token must belong; None only without a file.
        name: the name, for people.
        token: the name of the environment variable that holds its token.
        owner: the team or the address that answers for it; None if that is not stated.
        plan: attestation of the plan.
        azure_preview: attestation of the preview for Serverless on Azure.
        no_databases: attestation that the organization has no database yet.
        policy: what is expected of the databases.
        support_cases: changes of keys that IBM Support carried out.
        keys: what people state about its keys.
        databases: what people state about its databases.
    """

    id: Identifier | None
    name: Name
    token: VariableName = TOKEN_VARIABLE
    owner: Owner | None = None
    plan: PlanAttestation | None = None
    azure_preview: PreviewAttestation | None = None
    no_databases: Attestation | None = None
    policy: Policy = Policy()
    support_cases: tuple[SupportCase, ...] = ()
    keys: tuple[KeyStatement, ...] = ()
    databases: tuple[DatabaseStatement, ...] = ()


class _IdentifiedOrganization(OrganizationConfig):
    """An organization of a file, which must give its id."""

    id: Identifier


class Organizations(Entry):
    """Which organizations to read, from where, and how.

    Attributes:
        format: the version of the format, 1.
        address: the host of the DevOps API; https, except on loopback.
        requests: how requests are sent to it.
        organizations: at least one.
    """

    format: Annotated[FormatVersion, Field(alias="cmek-organizations")]
    description: str | None = None
    address: Annotated[str, AfterValidator(_validate_address)] = ADDRESS
    requests: RequestPolicy = RequestPolicy()
    organizations: Annotated[tuple[OrganizationConfig, ...], Field(min_length=1)]


class _OrganizationsFile(Organizations):
    """A whole organizations file."""

    organizations: Annotated[tuple[_IdentifiedOrganization, ...], Field(min_length=1)]


def read_organizations(file: str) -> Organizations:
    """Read an organizations file (.yaml, .yml, .json), or build the one that ``env`` means.

    Raises OrganizationsError with all problems at once; a token in the file is one of them.
    """
    if file == ENVIRONMENT:
        bare = OrganizationConfig(id=None, name=TOKEN_VARIABLE)
        return Organizations.model_validate({"cmek-organizations": 1, "organizations": [bare]})
    try:
        _, document = read_own_document(file, ORGANIZATIONS)
        parsed = parse_document(_OrganizationsFile, file, document)
    except InventoryError as error:
        raise OrganizationsError(error.problems, total=error.total) from None
    for index, organization in enumerate(parsed.organizations):
        _set_locations(file, document.lines, ("organizations", index), organization)
    problems = sorted(_find_duplicates(file, parsed))
    if problems:
        raise OrganizationsError(problems)
    return parsed


def _set_locations(
    file: str, lines: Mapping[FieldPath, int], path: FieldPath, organization: OrganizationConfig
) -> None:
    organization.at(file, lines[path])
    for field in ("keys", "databases"):
        for index, statement in enumerate(getattr(organization, field)):
            statement.at(file, lines[*path, field, index])


def _find_duplicates(file: str, parsed: Organizations) -> Iterator[Problem]:
    """Yield a problem for everything that the file names twice although it exists once."""
    expected = "each organization once, with a token of its own"
    every = parsed.organizations
    # Ids that differ only in case belong to the same organization, as in `fetch`.
    ids = [(str(organization.id).lower(), organization) for organization in every]
    tokens = [(organization.token, organization) for organization in every]
    yield from _report_duplicates(file, "id", expected, ids)
    yield from _report_duplicates(file, "token", expected, tokens)
    for organization in every:
        keys = [(" ".join(versionless_key_identity(key)), key) for key in organization.keys]
        yield from _report_duplicates(file, "keys", "each key once", keys)
        databases = [(database.id, database) for database in organization.databases]
        yield from _report_duplicates(file, "databases", "each database once", databases)


def _report_duplicates(
    file: str, field: str, expected: str, entries: Iterable[tuple[str, Located]]
) -> Iterator[Problem]:
    seen: set[str] = set()
    for identity, entry in entries:
        if identity in seen:
            yield Problem(file, entry.line, field, f"{describe(identity)} a second time", expected)
        seen.add(identity)


def token_of(organization: OrganizationConfig, environment: Mapping[str, str]) -> Token | None:
    """Return the organization's token; None if its variable holds none that can be sent."""
    value = SecretText(environment.get(organization.token, "").strip())
    return Token(organization.token, value) if _SENDABLE.fullmatch(value) else None
