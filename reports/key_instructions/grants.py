"""What lets Astra use a key, ready to review: statements of a key policy, bindings of a role.

Nothing is printed that gives more rights than the vendor documents, and nobody but the accounts
that Astra names. Everything that is to be pasted is printable ASCII.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from inventory.model.key_ids import parse_key_id
from reports.key_instructions.instructions import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from inventory.model.key import KeyScope
    from inventory.model.vocabulary import DatabaseType, Provider

USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
"""What Astra needs of an AWS key, as far as is known: how AWS's own console shares a key."""

GRANT = "kms:CreateGrant"
FOR_AWS_RESOURCES = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
"""Under which condition alone a key may be granted further: to AWS services that store data."""

ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
"""What a service account needs of a key in Google Cloud."""

_AWS_ACCOUNT = re.compile("[0-9]{12}")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_SERVICE_ACCOUNT = re.compile(
    r"(?:serviceAccount:)?(?P<email>[a-z0-9-]{1,63}@[a-z0-9.-]{1,120}\.gserviceaccount\.com)"
)
_GOOGLE_KEY = re.compile(
    "projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/keyRings/(?P<ring>[^/]+)"
    "/cryptoKeys/(?P<name>[^/]+)"
)
_PLACEHOLDER = re.compile(r"(?<= )(?:PROJECT|LOCATION|KEY_RING|KEY)(?=\s)")
_LOCATION = re.compile("[a-z0-9-]{1,40}")


class KeyGrants(TypedDict):
    """What lets Astra use the key of one key scope.

    Attributes:
        organization: the organization's id.
        name: its name.
        type: the database type.
        provider: the cloud provider.
        region: the region.
        key: the key's id; empty if none is registered.
        accounts: the accounts that Astra names there.
        statement: what to paste: a list of statements of a policy, or commands; empty if nothing.
        language: the language of that: ``json`` or ``sh``; empty if there is none.
        look_up: what has to be looked up, in sentences.
    """

    organization: str
    name: str
    type: DatabaseType
    provider: Provider
    region: str
    key: str
    accounts: list[str]
    statement: str
    language: str
    look_up: list[str]


class _Made(NamedTuple):
    """What to paste, its language, and what to look up; the fields are those of ``KeyGrants``."""

    statement: str = ""
    language: str = ""
    look_up: tuple[str, ...] = ()


def grants_for(scope: KeyScope, name: str, key: str, accounts: Sequence[str]) -> KeyGrants:
    """Return what lets the ``accounts`` of Astra use ``key``, which is empty if it is missing."""
    named = list(dict.fromkeys(accounts))
    made = _MAKERS[scope.provider](scope, key, named) if named else _Made(look_up=(NONE_NAMED,))
    return {
        "organization": scope.organization,
        "name": name,
        "type": scope.type,
        "provider": scope.provider,
        "region": scope.region,
        "key": key,
        "accounts": named,
        "statement": made.statement,
        "language": made.language,
        "look_up": list(made.look_up),
    }


NONE_NAMED = (
    "No account of Astra is in the evidence, so there is nothing to grant yet. The call that ends "
    "in /accounts lists the accounts, cmek-audit collect records them for each registered key, and "
    "the Astra portal shows them as Cloud Provider ID where a key is added."
)
"""What is said of a key of which no account of Astra is known."""


# --- AWS ------------------------------------------------------------------------------------------


def statements(partition: str, accounts: Sequence[str]) -> list[dict[str, Any]]:
    """Return the statements of a key policy that let ``accounts`` use the key."""
    principal = {"AWS": [f"arn:{partition}:iam::{account}:root" for account in accounts]}
    return [
        {
            "Sid": "AllowAstraToUseTheKey",
            "Effect": "Allow",
            "Principal": principal,
            "Action": list(USE),
            "Resource": "*",
        },
        {
            "Sid": "AllowAstraToGrantTheKeyToAWSServices",
            "Effect": "Allow",
            "Principal": principal,
            "Action": GRANT,
            "Resource": "*",
            "Condition": FOR_AWS_RESOURCES,
        },
    ]


def _for_aws(scope: KeyScope, key: str, accounts: Sequence[str]) -> _Made:
    own = [account for account in accounts if _AWS_ACCOUNT.fullmatch(account)]
    look_up = tuple(
        f"Astra names {account}, which is no number of an AWS account: ask which one it means."
        for account in accounts
        if account not in own
    )
    if not own:
        return _Made(look_up=look_up)
    partition = parse_key_id(key).partition or _partition_of(scope.region)
    return _Made(json.dumps(statements(partition, own), indent=2), "json", look_up)


def _partition_of(region: str) -> str:
    return next(
        (name for begin, name in _PARTITIONS.items() if region.startswith(begin)),
        "aws",
    )


# --- Google Cloud ---------------------------------------------------------------------------------


def _for_google(scope: KeyScope, key: str, accounts: Sequence[str]) -> _Made:
    members = {account: _SERVICE_ACCOUNT.fullmatch(account) for account in accounts}
    look_up = tuple(
        f"Astra names {account}, which is no service account: look up which service account of it "
        f"uses the key, and give that one the role {ROLE} on the key alone."
        for account, match in members.items()
        if match is None
    )
    commands = [_binding(scope, key, match["email"]) for match in members.values() if match]
    return _Made("\n".join(commands), "sh" if commands else "", look_up)


def _binding(scope: KeyScope, key: str, email: str) -> str:
    """Return the command that gives a service account the role on one key."""
    named = _GOOGLE_KEY.match(key)
    location = scope.region if _LOCATION.fullmatch(scope.region) else "LOCATION"
    where: Mapping[str, str] = (
        named.groupdict()
        if named
        else {"project": "PROJECT", "location": location, "ring": "KEY_RING", "name": "KEY"}
    )
    return " \\\n  ".join(
        (
            f"gcloud kms keys add-iam-policy-binding {shlex.quote(where['name'])}",
            f"--keyring {shlex.quote(where['ring'])} --location {shlex.quote(where['location'])}",
            f"--project {shlex.quote(where['project'])}",
            f"--member {shlex.quote(f'serviceAccount:{email}')}",
            f"--role {ROLE}",
        )
    )


# --- Azure ----------------------------------------------------------------------------------------


def _for_azure(_scope: KeyScope, _key: str, accounts: Sequence[str]) -> _Made:
    return _Made(
        look_up=tuple(
            f"Astra names {account}. Which role that needs on a key in Azure is not published: "
            "follow the vendor's page, and give it the right to get, wrap and unwrap with this "
            "key alone."
            for account in accounts
        )
    )


_MAKERS: Mapping[Provider, Callable[[KeyScope, str, Sequence[str]], _Made]] = {
    "aws": _for_aws,
    "gcp": _for_google,
    "azure": _for_azure,
}


# --- for people -----------------------------------------------------------------------------------

_TEXTS = {
    "json": (
        "Review these statements, and add them to those of the key's policy. Do not replace the "
        "policy, or you may lose the key's administration:"
    ),
    "sh": "Review, and give the role on this key alone:",
}


def grant_parts(grants: KeyGrants) -> Iterator[Part]:
    """Yield what lets Astra use the key of one key scope."""
    if grants["statement"]:
        placeholders = dict.fromkeys(_PLACEHOLDER.findall(grants["statement"]))
        first = f"First replace {', '.join(placeholders)}. " if placeholders else ""
        text = f"{first}{_TEXTS[grants['language']]}"
        yield Part(text, grants["statement"], grants["language"])
    for sentence in grants["look_up"]:
        yield Part(sentence)
