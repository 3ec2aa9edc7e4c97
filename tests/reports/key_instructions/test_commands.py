"""The calls that register a key, ready to paste."""

from __future__ import annotations

import json
import shlex
import subprocess
from itertools import product
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model.key import KeyScope
from inventory.model.vocabulary import DatabaseType, Provider
from reports.key_instructions.commands import commands
from reports.key_instructions.procedure import HOST, has_resource, procedure
from tests.builders import ORGANIZATION

if TYPE_CHECKING:
    from pathlib import Path

    from reports.key_instructions.commands import Commands

HOSTILE = (
    "'; touch pwned; '",
    '"; touch pwned; "',
    "$(touch pwned)`touch pwned`",
    "a\ntouch pwned\n",
    "\\\ntouch pwned",
    "\x1b]0;x\x07\x1b[2J\u202etouch pwned\u2066",
    "!!; touch pwned\x7f\x08",
    '${path.root}%{ for x in y }"}}',
    "r --next https://evil.example",
    "..",
)
"""Regions and ids that would do harm if anything took them for more than text."""


def _made(*scope: Any) -> Commands:  # noqa: ANN401 (the parts of a key scope)
    made = commands(KeyScope(*scope))
    assert made is not None
    return made


def _words(call: str) -> list[str]:
    """Split a call as a shell does, which joins lines that end in a backslash."""
    return shlex.split(call.replace(" \\\n", " "))


def test_the_calls_of_a_key_scope() -> None:
    """The calls name the organization's id, the type's address, the provider and the region."""
    made = _made(ORGANIZATION, "serverless", "aws", "us-east-1")
    assert made._replace(terraform=None) == (
        ("ACCOUNT", "KEY"),
        (
            "curl -sS "
            "'https://api.astra.datastax.com/v2/kms/provider/aws/region/us-east-1/accounts' \\\n"
            '  -H "Authorization: Bearer $ASTRA_TOKEN"'
        ),
        (
            "curl -sS -X POST 'https://api.astra.datastax.com/v2/kms' \\\n"
            '  -H "Authorization: Bearer $ASTRA_TOKEN" \\\n'
            "  -H 'Content-Type: application/json' \\\n"
            "  --data '{\n"
            f'    "orgId": "{ORGANIZATION}",\n'
            '    "aws": {\n'
            '      "keyID": "arn:aws:kms:us-east-1:ACCOUNT:key/KEY",\n'
            '      "region": "us-east-1"\n'
            "    }\n"
            "  }'"
        ),
        (
            "curl -sS 'https://api.astra.datastax.com/v2/kms/provider/aws/region/us-east-1' \\\n"
            '  -H "Authorization: Bearer $ASTRA_TOKEN"'
        ),
        None,
    )


BODIES = {
    ("serverless", "aws"): ("/v2/kms", "arn:aws:kms:r-1:ACCOUNT:key/KEY"),
    ("serverless", "gcp"): (
        "/v2/kms",
        "projects/PROJECT/locations/r-1/keyRings/KEY_RING/cryptoKeys/KEY",
    ),
    ("serverless", "azure"): ("/v2/kms", "https://VAULT.vault.azure.net/keys/KEY/VERSION"),
    ("managed-clusters", "aws"): ("/v2/kms/classic", "arn:aws:kms:r-1:ACCOUNT:key/KEY"),
    ("managed-clusters", "gcp"): (
        "/v2/kms/classic",
        "projects/PROJECT/locations/r-1/keyRings/KEY_RING/cryptoKeys/KEY",
    ),
}


@pytest.mark.parametrize("kind", BODIES, ids=" on ".join)
def test_each_kind_has_its_address_and_body(kind: tuple[DatabaseType, Provider]) -> None:
    """A key is sent where its type is kept, under its provider's name, and the id has its form."""
    address, key_id = BODIES[kind]
    made = _made(ORGANIZATION, *kind, "r-1")
    *_, method, url, _, token, _, form, _, data = _words(made.register)
    assert (method, url, form) == ("POST", HOST + address, "Content-Type: application/json")
    assert token == "Authorization: Bearer $ASTRA_TOKEN"
    assert json.loads(data) == {"orgId": ORGANIZATION, kind[1]: {"keyID": key_id, "region": "r-1"}}
    assert all(placeholder in key_id for placeholder in made.replace)
    assert (made.terraform is not None) is has_resource(*kind)


def test_where_nothing_can_be_registered_there_is_no_call() -> None:
    """Without a known type, or a supported combination, there is nothing to paste."""
    kinds = set(product(get_args(DatabaseType), get_args(Provider)))
    assert {kind for kind in kinds if commands(KeyScope(ORGANIZATION, *kind, "r"))} == {
        kind for kind in kinds if procedure(*kind).address
    }


@pytest.mark.parametrize("name", ["what-if", "acme", "", *HOSTILE])
def test_what_is_no_id_of_an_organization_is_to_be_replaced(name: str) -> None:
    """An organization that has only a name is no organization of Astra's: its id is a gap."""
    made = _made(name, "serverless", "aws", "r")
    assert made.replace == ("ACCOUNT", "KEY", "ORGANIZATION_ID")
    assert json.loads(_words(made.register)[-1])["orgId"] == "ORGANIZATION_ID"


# --- hostile text ---------------------------------------------------------------------------------

_ANY = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(HOSTILE)


def _is_harmless(text: str) -> bool:
    """Say whether ``text`` holds printable ASCII and line breaks only."""
    return text.isascii() and text.replace("\n", "").isprintable()


@given(region=_ANY, kind=st.sampled_from(sorted(BODIES)))
def test_no_region_breaks_out_of_a_call(region: str, kind: tuple[Any, Any]) -> None:
    """Whatever a region is called, each call has the same words, and the region arrives whole."""
    address, _ = BODIES[kind]
    made, plain = (_made(ORGANIZATION, *kind, name) for name in (region, "r"))
    for call, usual in zip(made[1:4], plain[1:4], strict=True):
        assert isinstance(call, str)
        assert isinstance(usual, str)
        assert _is_harmless(call)
        assert len(_words(call)) == len(_words(usual))
        assert call.count("\n") == usual.count("\n")
    body = json.loads(_words(made.register)[-1])
    assert body[kind[1]]["region"] == region
    url = _words(made.read)[2]
    start = f"{HOST}{address}/provider/{kind[1]}/region/"
    assert (url[: len(start)], unquote(url[len(start) :])) == (start, region)
    assert "/" not in url[len(start) :]


_STUB = "curl() { printf '%s\\0' \"$@\"; }\n"


@pytest.mark.parametrize("region", HOSTILE)
def test_a_shell_runs_nothing_else(region: str, tmp_path: Path) -> None:
    """A shell that is given the calls runs these alone, and takes the token from its variable."""
    made = _made(ORGANIZATION, "managed-clusters", "gcp", region)
    for call in (made.accounts, made.register, made.read):
        done = subprocess.run(
            ["bash", "-c", _STUB + call],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "ASTRA_TOKEN": "sham"},
            capture_output=True,
            text=True,
            check=True,
        )
        given = [word.replace("$ASTRA_TOKEN", "sham") for word in _words(call)[1:]]
        assert (done.stdout.split("\0")[:-1], done.stderr) == (given, "")
    assert list(tmp_path.iterdir()) == []


def test_half_a_character_does_no_harm() -> None:
    """Text that no encoding takes, as a damaged file may hold, still makes a call."""
    made = _made(ORGANIZATION, "serverless", "aws", "r\ud800")
    assert _words(made.read)[2].endswith("/region/r%3F")
    assert "\\ud800" in made.register
    assert made.terraform is not None
    assert 'region         = "r?"' in made.terraform.block
