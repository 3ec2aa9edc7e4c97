"""The organizations file: which organizations to read live, and what people attest about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from inventory.clouds.config import CloudSettings
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
    SpelledProvider,
    SpelledType,
    Text,
)
from inventory.model.database import Encryption, require_reason
from inventory.model.key import StatedKey, SupportCase
from inventory.model.key_ids import canonical, parse_key_id
from inventory.model.organization import Policy
from inventory.system.addresses import validate_address
from inventory.system.hosts import ADDRESS
from inventory.system.request_policy import RequestPolicy
from inventory.text.display import describe
from inventory.text.secrets import SecretText, Token

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from inventory.model.vocabulary import Provider

TOKEN_VARIABLE = "ASTRA_API_TOKEN"  # noqa: S105 (the name of a variable)
ENVIRONMENT = "env"
"""The name to give instead of a file to read the organization of that one variable's token."""

VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,100}$")]
# What an Authorization header can carry as it is; anything shorter could be found by chance where
# the token is searched for in the evidence.
_SENDABLE = re.compile(r"[A-Za-z0-9._~+/=:-]{12,}")


def _require_key(key_id: str) -> str:
    """Return the id of a key that a cloud can be asked about."""
    if parse_key_id(key_id).form != "key":
        expected = "the ARN, resource name or identifier of a key, not of an alias"
        raise PydanticCustomError("cloud_keys", expected)
    return key_id


CloudKeyId = Annotated[Identifier, AfterValidator(_require_key)]


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


class PlannedScope(Entry):
    """A key scope for which a plan would register a key."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier


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
        cloud_keys: the ids of keys about which the clouds are asked beside those that are
            registered, such as those that a plan would register.
        planned_scopes: the key scopes of plans: Astra is asked to which accounts a key for them
            must be granted, as for the scopes that have a key.
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
    cloud_keys: tuple[CloudKeyId, ...] = ()
    planned_scopes: tuple[PlannedScope, ...] = ()


class IdentifiedOrganization(OrganizationConfig):
    """An organization of a file, which must give its id.

    Attributes:
        id: the organization to which the token must belong, as Astra shows it.
    """

    id: Identifier


class Organizations(Entry):
    """Which organizations to read, from where, and how.

    Attributes:
        format: the version of the format, 1.
        address: the host of the DevOps API; https, except on loopback.
        astra: False if Astra is not asked, only the clouds about ``cloud_keys``.
        requests: how requests are sent to Astra and to the clouds.
        clouds: which clouds are asked about keys, and how.
        organizations: at least one.
    """

    format: Annotated[FormatVersion, Field(alias="cmek-organizations")]
    description: str | None = None
    address: Annotated[str, AfterValidator(validate_address)] = ADDRESS
    astra: StrictBool = True
    requests: RequestPolicy = RequestPolicy()
    clouds: CloudSettings = CloudSettings()
    organizations: Annotated[tuple[OrganizationConfig, ...], Field(min_length=1)]

    @property
    def asked_address(self) -> str:
        """Return the host of Astra that is asked; empty if it is not asked."""
        return self.address if self.astra else ""

    def asking(self, clouds: tuple[Provider, ...]) -> Self:
        """Return the same, with other ``clouds`` to ask."""
        return self.model_copy(update={"clouds": self.clouds.model_copy(update={"ask": clouds})})


class OrganizationsFile(Organizations):
    """A file of the organizations to read from Astra, and of what people attest about them."""

    organizations: Annotated[tuple[IdentifiedOrganization, ...], Field(min_length=1)]


def read_organizations(file: str) -> Organizations:
    """Read an organizations file (.yaml, .yml, .json), or build the one that ``env`` means.

    Raises OrganizationsError with all problems at once; a token in the file is one of them.
    """
    if file == ENVIRONMENT:
        bare = OrganizationConfig(id=None, name=TOKEN_VARIABLE)
        return Organizations.model_validate({"cmek-organizations": 1, "organizations": [bare]})
    try:
        _, document = read_own_document(file, ORGANIZATIONS)
        parsed = parse_document(OrganizationsFile, file, document)
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
        cloud_keys = [(canonical(key_id), organization) for key_id in organization.cloud_keys]
        yield from _report_duplicates(file, "cloud_keys", "each key once", cloud_keys)


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
