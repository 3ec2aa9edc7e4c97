"""The calls that register one customer key, and the same with Terraform, ready to paste.

Everything is printable ASCII: other characters of a region or an id are escaped for the shell, for
JSON and for Terraform. Nothing is a secret, and an audit sends none of it.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from inventory.terraform.scopes import NOTHING
from reports.key_instructions.procedure import ADDRESSES, HOST, has_resource, one_address, procedure
from reports.key_instructions.terraform import terraform_key

if TYPE_CHECKING:
    from inventory.model.key import KeyScope
    from inventory.model.vocabulary import Provider
    from inventory.terraform.scopes import TerraformScope
    from reports.key_instructions.terraform import TerraformKey

TOKEN = "ASTRA_TOKEN"  # noqa: S105 (the name of a variable)
"""The environment variable from which the calls take the organization's token."""

_UNKNOWN_ORGANIZATION = "ORGANIZATION_ID"
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The shape of an organization's id in Astra; a made-up id has another one."""

_KEY_IDS: dict[Provider, str] = {
    "aws": "arn:aws:kms:{region}:ACCOUNT:key/KEY",
    "gcp": "projects/PROJECT/locations/{region}/keyRings/KEY_RING/cryptoKeys/KEY",
    "azure": "https://VAULT.vault.azure.net/keys/KEY/VERSION",
}
"""The shapes of key ids, with placeholders in capital letters."""

_PLACEHOLDER = re.compile(r"\b[A-Z_]{2,}\b")


class Commands(NamedTuple):
    """The commands that register the key of one key scope.

    Attributes:
        replace: the placeholders that have to be replaced first.
        accounts: the call that lists whom the key's policy must allow.
        register: the call that registers the key.
        read: the call that shows which key is registered.
        terraform: the same with Terraform; None where it has no resource for such a key, or where
            its state holds one, so that applying would do nothing.
    """

    replace: tuple[str, ...]
    accounts: str
    register: str
    read: str
    terraform: TerraformKey | None


def commands(scope: KeyScope, managed: TerraformScope = NOTHING) -> Commands | None:
    """Return what registers the key of ``scope``; None if no key can be registered.

    ``managed`` is what Terraform manages there.
    """
    database_type, provider, region = scope.type, scope.provider, scope.region
    if not procedure(database_type, provider).address:
        return None
    address, key_id = ADDRESSES[database_type], _KEY_IDS[provider].format(region=region)
    organization = scope.organization if _ID.fullmatch(scope.organization) else ""
    body = {
        "orgId": organization or _UNKNOWN_ORGANIZATION,
        provider: {"keyID": key_id, "region": region},
    }
    one = one_address(address, provider, region)
    return Commands(
        replace=(
            *_PLACEHOLDER.findall(_KEY_IDS[provider]),
            *(() if organization else (_UNKNOWN_ORGANIZATION,)),
        ),
        accounts=_call("", f"{one}/accounts"),
        register=_call("-X POST ", address, "-H 'Content-Type: application/json'", _data(body)),
        read=_call("", one),
        terraform=(
            terraform_key(scope, key_id, managed) if has_resource(database_type, provider) else None
        ),
    )


def _call(method: str, address: str, *more: str) -> str:
    """Return a call of Astra's interface, with long arguments on lines of their own."""
    url = f"curl -sS {method}{_quote(HOST + address)}"
    return " \\\n  ".join([url, f'-H "Authorization: Bearer ${TOKEN}"', *more])


def _data(body: object) -> str:
    """Return the option with a body in ASCII."""
    # JSON leaves DEL as it is, the one invisible ASCII character that it does not escape. Line
    # breaks are between the parts of the body only, so indenting them changes no value.
    escaped = json.dumps(body, indent=2).replace("\x7f", "\\u007f").replace("\n", "\n  ")
    return f"--data {_quote(escaped)}"


def _quote(text: str) -> str:
    """Quote ``text`` for a shell, even if that is not necessary."""
    quoted = shlex.quote(text)
    return quoted if quoted.startswith("'") else f"'{quoted}'"
