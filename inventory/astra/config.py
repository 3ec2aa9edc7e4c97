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
    PreviewAttestation,
)
from inventory.model.base import Entry, FormatVersion, Identifier, Located, Name, Text, WholeNumber
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
"""What stands for an organizations file where the one variable is all there is."""

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,100}$")]
Number = Annotated[float, Field(strict=True)]
_LOOPBACK = {"127.0.0.1", "[::1]", "localhost"}
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(
    rf"(?P<scheme>https?)://(?P<host>(?!xn--){_LABEL}(?:\.{_LABEL})*|\[::1\])"
    r"(?::(?P<port>[0-9]{1,5}))?/*",
    re.IGNORECASE | re.ASCII,
)
_LARGEST_PORT = 65_535
_SENDABLE = re.compile(r"[A-Za-z0-9._~+/=:-]{12,}")


def other_hosts(addresses: Iterable[str]) -> list[str]:
    """Return those of ``addresses`` that are not Astra's own, each once, in their order."""
    return sorted({address for address in addresses if not _is_astra(address)})


def _is_astra(address: str) -> bool:
    """Compare with Astra's address, whose host may be in capitals and whose port may be named."""
    return address.lower().rstrip("/").removesuffix(":443") == ADDRESS


def _address(value: str) -> str:
    found = _HOST.fullmatch(value)
    if not found or not _is_private(found) or not _is_reachable(found):
        text = "the address of a host, such as https://api.astra.datastax.com, and no more"
        raise PydanticCustomError("address", text)
    return value.rstrip("/")


def _is_private(found: re.Match[str]) -> bool:
    """Say whether nobody on the way can read along."""
    return found["scheme"].lower() == "https" or found["host"].lower() in _LOOPBACK


def _is_reachable(found: re.Match[str]) -> bool:
    """Say whether port and host can be such, of which numbers with dots are only some."""
    is_name = not found["host"].rpartition(".")[2].isdigit()
    return int(found["port"] or 0) <= _LARGEST_PORT and (is_name or _is_number(found["host"]))


def _is_number(host: str) -> bool:
    try:
        return bool(IPv4Address(host))
    except ValueError:
        return False


class RequestPolicy(Entry):
    """How Astra is asked.

    Attributes:
        connections: how many requests may be under way at once.
        connections_per_organization: how many of them for one organization.
        attempts: how often a request is made before it is given up.
        first_wait_seconds: the wait before the second attempt; it doubles with each, with jitter.
        longest_wait_seconds: the longest wait that nobody asked for.
        timeout_seconds: the time of one request, from its first to its last byte.
        organization_deadline_seconds: the time for one organization.
        deadline_seconds: the time for all of them.
        largest_answer_bytes: the largest body that is taken, unpacked.
        largest_answer_values: how many values the largest body may hold.
        most_pages: how many pages one reading of a list may have.
        most_requests: how many requests may be made for one organization.
        most_answer_bytes: how much all answers of one organization may be, unpacked.
        most_evidence_bytes: how much may be written of one organization.
    """

    connections: Annotated[WholeNumber, Field(ge=1, le=1_024)] = 64
    connections_per_organization: Annotated[WholeNumber, Field(ge=1, le=64)] = 4
    attempts: Annotated[WholeNumber, Field(ge=1, le=20)] = 5
    first_wait_seconds: Annotated[Number, Field(ge=0, le=60)] = 0.5
    longest_wait_seconds: Annotated[Number, Field(ge=0, le=600)] = 30.0
    timeout_seconds: Annotated[Number, Field(gt=0, le=3_600)] = 60.0
    organization_deadline_seconds: Annotated[Number, Field(gt=0, le=86_400)] = 600.0
    deadline_seconds: Annotated[Number, Field(gt=0, le=86_400)] = 3_600.0
    largest_answer_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_073_741_824)] = 33_554_432
    largest_answer_values: Annotated[WholeNumber, Field(ge=100, le=100_000_000)] = 250_000
    most_pages: Annotated[WholeNumber, Field(ge=1, le=1_000_000)] = 1_000
    most_requests: Annotated[WholeNumber, Field(ge=1, le=10_000_000)] = 20_000
    most_answer_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_099_511_627_776)] = 1_073_741_824
    most_evidence_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_099_511_627_776)] = (
        1_073_741_824
    )


class KeyStatement(StatedKey):
    """What people say about a key that Astra lists; type, provider, region and key id name it."""


class DatabaseStatement(Located):
    """What people say about a database that Astra lists; the id names it."""

    id: Identifier
    encryption: Encryption | None = None
    reason: Text | None = None
    data: Literal["ordinary", "stringent"] = "ordinary"
    application_encryption: ApplicationEncryption | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_reason(self.encryption, self.reason)
        return self


class Configured(Located):
    """An organization to be read.

    Attributes:
        id: the id that its token must turn out to belong to; None only if nobody configured it.
        name: the name, for people.
        token: the name of the environment variable that holds its token.
        plan: attestation of the plan.
        azure_preview: attestation of the preview for Serverless on Azure.
        no_databases: attestation that the organization has no database yet.
        policy: what is expected of the databases.
        support_cases: changes of keys that IBM Support carried out.
        keys: what people say about its keys.
        databases: what people say about its databases.
    """

    id: Identifier | None
    name: Name
    token: Variable = TOKEN_VARIABLE
    plan: PlanAttestation | None = None
    azure_preview: PreviewAttestation | None = None
    no_databases: Attestation | None = None
    policy: Policy = Policy()
    support_cases: tuple[SupportCase, ...] = ()
    keys: tuple[KeyStatement, ...] = ()
    databases: tuple[DatabaseStatement, ...] = ()


class _Named(Configured):
    """An organization of a file, where its id must stand."""

    id: Identifier


class Organizations(Entry):
    """What is to be read, where, and how.

    Attributes:
        format: the version of the format, 1.
        address: the host of the DevOps API; https, but on loopback.
        manners: how it is asked.
        organizations: at least one.
    """

    format: Annotated[FormatVersion, Field(alias="cmek-organizations")]
    description: str | None = None
    address: Annotated[str, AfterValidator(_address)] = ADDRESS
    manners: RequestPolicy = RequestPolicy()
    organizations: Annotated[tuple[Configured, ...], Field(min_length=1)]


class _File(Organizations):
    """A whole organizations file."""

    organizations: Annotated[tuple[_Named, ...], Field(min_length=1)]


def read_organizations(file: str) -> Organizations:
    """Read an organizations file (.yaml, .yml, .json), or what ``env`` stands for.

    Raises OrganizationsError with all problems at once; a token that stands in it is one.
    """
    if file == ENVIRONMENT:
        bare = Configured(id=None, name=TOKEN_VARIABLE)
        return Organizations.model_validate({"cmek-organizations": 1, "organizations": [bare]})
    try:
        _, document = read_own_document(file, ORGANIZATIONS)
        parsed = parse_document(_File, file, document)
    except InventoryError as error:
        raise OrganizationsError(error.problems, total=error.total) from None
    for index, each in enumerate(parsed.organizations):
        _place(file, document.lines, ("organizations", index), each)
    problems = sorted(_twins(file, parsed))
    if problems:
        raise OrganizationsError(problems)
    return parsed


def _place(file: str, lines: Mapping[FieldPath, int], path: FieldPath, each: Configured) -> None:
    each.at(file, lines[path])
    for name in ("keys", "databases"):
        for inner, entry in enumerate(getattr(each, name)):
            entry.at(file, lines[*path, name, inner])


def _twins(file: str, parsed: Organizations) -> Iterator[Problem]:
    """Find what the file names twice although it exists once."""
    own = "each organization once, with a token of its own"
    all_of_them = parsed.organizations
    yield from _again(file, "id", own, [(str(each.id).lower(), each) for each in all_of_them])
    yield from _again(file, "token", own, [(each.token, each) for each in all_of_them])
    for each in all_of_them:
        keys = [(" ".join(versionless_key_identity(key)), key) for key in each.keys]
        yield from _again(file, "keys", "each key once", keys)
        databases = [(database.id, database) for database in each.databases]
        yield from _again(file, "databases", "each database once", databases)


def _again(
    file: str, field: str, expected: str, named: Iterable[tuple[str, Located]]
) -> Iterator[Problem]:
    seen: set[str] = set()
    for name, entry in named:
        if name in seen:
            yield Problem(file, entry.line, field, f"{describe(name)} a second time", expected)
        seen.add(name)


def token_of(configured: Configured, environment: Mapping[str, str]) -> Token | None:
    """Return the organization's token; None if its variable holds none that can be sent."""
    value = SecretText(environment.get(configured.token, "").strip())
    return Token(configured.token, value) if _SENDABLE.fullmatch(value) else None
