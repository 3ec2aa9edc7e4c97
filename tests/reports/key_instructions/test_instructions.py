"""What registers each missing key: as data, and in parts for people."""

from __future__ import annotations

from typing import Any

from inventory.model.key import KeyScope
from reports.key_instructions.commands import commands
from reports.key_instructions.instructions import (
    Part,
    closing,
    commands_for,
    has_calls,
    has_other_way,
    lay_out_commands,
    parts,
)
from tests.builders import ORGANIZATION

KEY = "astra_customer_key.aws_us_east_1"
LINE = f"depends_on = [{KEY}]"


def _listed(region: str = "us-east-1", kind: str = "serverless", **terraform: list[str]) -> Any:  # noqa: ANN401 (a part of the record)
    none: dict[str, list[str]] = {"databases": [], "creates": [], "holds": []}
    return {
        "organization": ORGANIZATION,
        "name": "acme-prod",
        "type": kind,
        "provider": "aws",
        "region": region,
        "databases": 1,
        "existing": 0,
        "terraform": none | terraform if terraform else None,
    }


def _entry(region: str = "us-east-1", kind: str = "serverless", **terraform: list[str]) -> Any:  # noqa: ANN401 (a dictionary)
    made = commands_for(_listed(region, kind, **terraform))
    assert made is not None
    return made


def test_commands_as_data() -> None:
    """The data holds the key scope, each call, and Terraform's part, in plain lists."""
    made = commands(KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1"))
    assert made is not None
    assert made.terraform is not None
    entry = _entry(databases=["astra_database.a"])
    dependent = {
        "block": 'resource "astra_database" "a"',
        "module": "",
        "line": LINE,
        "databases": ["astra_database.a"],
    }
    assert entry == {
        "organization": ORGANIZATION,
        "name": "acme-prod",
        "type": "serverless",
        "provider": "aws",
        "region": "us-east-1",
        "replace": ["ACCOUNT", "KEY"],
        "accounts": made.accounts,
        "register": made.register,
        "read": made.read,
        "terraform": {**made.terraform._asdict(), "dependents": [dependent]},
    }


def test_without_terraform_the_calls_are_shown() -> None:
    """Where Terraform plans nothing, the parts are calls, and Terraform is another way."""
    entry = _entry()
    assert list(parts(entry)) == [
        Part("Whom the policy of the key has to allow:", entry["accounts"]),
        Part("Register the key. First replace ACCOUNT and KEY:", entry["register"]),
        Part("Read it back:", entry["read"]),
    ]
    assert (has_other_way(entry), has_calls([entry]), list(closing([entry]))) == (True, True, [])
    assert [part.code for part in parts(entry, in_full=True)][3:] == [
        entry["terraform"]["block"],
        f"terraform apply -target={KEY}",
    ]


def test_managed_clusters_have_no_other_way() -> None:
    """Keys of Managed Clusters are registered by calls alone, as Terraform has nothing for them."""
    entry = _entry(kind="managed-clusters")
    assert (entry["terraform"], has_other_way(entry)) == (None, False)
    assert list(parts(entry, in_full=True)) == list(parts(entry))


def test_with_terraform_its_way_is_shown() -> None:
    """Where Terraform plans a database, the parts are the block, what waits, and the key alone."""
    entry = _entry(databases=["astra_database.a", "module.m.astra_database.b"])
    assert list(parts(entry)) == [
        Part(
            "With Terraform: add the key to the root module. Where there are several provider "
            "configurations, name the one of this organization in its provider argument. First "
            "replace ACCOUNT and KEY:",
            entry["terraform"]["block"],
            "hcl",
        ),
        Part('Add to resource "astra_database" "a", for astra_database.a:', LINE, "hcl"),
        Part('Add to module "m", for module.m.astra_database.b:', LINE, "hcl"),
        Part("Register the key, and nothing else:", f"terraform apply -target={KEY}"),
    ]
    assert (has_other_way(entry), has_calls([entry])) == (False, False)
    assert list(parts(entry, in_full=True)) == list(parts(entry))


def test_a_key_of_the_plan_is_named() -> None:
    """A key that the plan creates is no block to add; the module that holds both is named."""
    entry = _entry(
        creates=["module.m.astra_customer_key.k"], databases=["module.m.astra_database.d"]
    )
    assert list(parts(entry)) == [
        Part("With Terraform: the plan creates the key as module.m.astra_customer_key.k."),
        Part(
            'Add to resource "astra_database" "d" of module m, for module.m.astra_database.d:',
            "depends_on = [astra_customer_key.k]",
            "hcl",
        ),
        Part(
            "Register the key, and nothing else:",
            "terraform apply -target=module.m.astra_customer_key.k",
        ),
    ]


def test_long_lists_are_cut() -> None:
    """Of many databases of one block, and of many blocks, some are named and the rest counted."""
    instances = [f"astra_database.a[{number}]" for number in range(1_004)]
    blocks = [f"astra_database.b{number}" for number in range(6)]
    shown = [part.text for part in parts(_entry(databases=[*instances, *blocks, "?"]))]
    named = "astra_database.a[0], astra_database.a[1], astra_database.a[2] and 1,001 more"
    assert shown[1] == f'Add to resource "astra_database" "a", for {named}:'
    assert shown[5:] == [
        'Add to resource "astra_database" "b3", for astra_database.b3:',
        "Do the same in 3 more blocks.",
        "Register the key, and nothing else:",
    ]


def test_an_address_that_is_none_is_still_named() -> None:
    """A database whose address does not say its block is named by that address."""
    shown = [part.text for part in parts(_entry(databases=["?"]))]
    assert shown[1] == "Add to the block of ?:"


def test_what_comes_after_the_keys_stands_once() -> None:
    """After all keys one plan is made and audited; plans of different names are different ones."""
    some = [_entry(f"r{number}", databases=["astra_database.a"]) for number in range(2)]
    named = _entry(databases=["prod#astra_database.a"])
    text = "Plan again, audit that plan, and apply it only if the audit passes:"
    assert list(closing([*some, named, _entry()])) == [
        Part(text, some[0]["terraform"]["check"]),
        Part(text, named["terraform"]["check"]),
    ]


# --- on the page ----------------------------------------------------------------------------------


def _plan(missing: list[dict[str, Any]], *kinds: tuple[str, str]) -> Any:  # noqa: ANN401 (a part of the record)
    steps = [{"type": kind, "provider": "aws", "address": address} for kind, address in kinds]
    return {"lists": {"missing": missing}, "steps": steps}


def test_the_page_shows_the_first_of_each_kind() -> None:
    """Each step gets the first key scopes of its kind, and says how many are left."""
    missing = [_listed("r1"), _listed("r2"), _listed("r3"), _listed("r1", "managed-clusters")]
    serverless, clusters, unknown = lay_out_commands(
        _plan(missing, ("serverless", "/v2/kms"), ("managed-clusters", "/v2"), ("unknown", "")), 2
    )
    assert [entry["region"] for entry, _ in serverless.scopes] == ["r1", "r2"]
    assert (serverless.left, serverless.closing) == (1, [])
    assert [(entry["type"], len(pieces)) for entry, pieces in clusters.scopes] == [
        ("managed-clusters", 3)
    ]
    assert unknown == ([], [], 0)


def test_nothing_is_shown_where_nothing_can_be_registered() -> None:
    """A key scope of an unknown type has no commands, even where its key is known to be missing."""
    listed = _listed(kind="unknown")
    assert commands_for(listed) is None
    assert lay_out_commands(_plan([listed], ("unknown", "")), 2) == [([], [], 0)]
