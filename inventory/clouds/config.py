"""What an organizations file says about the clouds: which to ask, and with which credentials.

It names profiles, roles and tenants. Credentials come from where each vendor's library looks for
them, and never from a file of ours.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from inventory.model.base import Entry, Identifier, Text
from inventory.model.vocabulary import Provider
from inventory.system.addresses import validate_address

AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
RoleArn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", max_length=600
    ),
]
Address = Annotated[str, AfterValidator(validate_address)]


class AwsAccount(Entry):
    """How to read the keys of one account of AWS: by a profile, or by a role in that account.

    Attributes:
        profile: a profile of the configuration of AWS's tools.
        role: a role that the audit's own credentials assume.
        external_id: what the role asks for, if it does.
    """

    profile: Text | None = None
    role: RoleArn | None = None
    external_id: Identifier | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.profile is None) == (self.role is None):
            raise PydanticCustomError("profile", "a profile or a role, and not both")
        if self.external_id is not None and self.role is None:
            raise PydanticCustomError("external_id", "a role with external_id")
        return self


class AwsSettings(Entry):
    """How keys in AWS are read.

    Attributes:
        accounts: how to read the keys of each account; those of others are read with the
            credentials that AWS's library finds.
        address: a host other than AWS's own, such as a private endpoint.
    """

    accounts: dict[AccountNumber, AwsAccount] = Field(default_factory=dict)
    address: Address | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        for number, account in self.accounts.items():
            if account.role is not None and account.role.split(":")[4] != number:
                raise PydanticCustomError("role", "a role in the account that it is given for")
        return self


class GoogleSettings(Entry):
    """How keys in Google Cloud are read.

    Attributes:
        quota_project: the project whose quota the requests use.
        address: a host other than Google's own.
    """

    quota_project: Identifier | None = None
    address: Address | None = None


class AzureSettings(Entry):
    """How keys in Azure are read.

    Attributes:
        tenants: the tenants beside the credential's own whose vaults may be read.
        address: a host other than the vaults' own.
    """

    tenants: tuple[Identifier, ...] = ()
    address: Address | None = None


class CloudSettings(Entry):
    """Which clouds are asked about keys, and how.

    Attributes:
        ask: the clouds to ask; the option ``--kms`` of the collection replaces it.
        aws: how keys in AWS are read.
        gcp: how keys in Google Cloud are read.
        azure: how keys in Azure are read.
    """

    ask: tuple[Provider, ...] = ()
    aws: AwsSettings = AwsSettings()
    gcp: GoogleSettings = GoogleSettings()
    azure: AzureSettings = AzureSettings()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the hosts that are asked in place of the own ones of the clouds to ask."""
        given = (getattr(self, provider).address for provider in self.ask)
        return tuple(sorted({address for address in given if address is not None}))
