"""Which keys are shown with what lets Astra use them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cmek_audit.commands.keys.grants import TITLE, lay_out_grants
from inventory.model.key import KeyScope
from reports.key_instructions.grants import NONE_NAMED, KeyGrants, grants_for
from tests.builders import aws_key_id, database_data, key_data, organization_data
from tests.cmek_audit.helpers import command
from tests.cmek_audit.planning import asked, saved

if TYPE_CHECKING:
    from pathlib import Path

VENDOR = {"type": "serverless", "provider": "aws", "region": "us-east-1", "account": "999988887777"}
OTHERS = ["arn:aws:iam::111122223333:root"]


def organization(**over: object) -> dict[str, Any]:
    """Return an organization whose one key is granted to others only."""
    facts = {"observed_at": "2026-11-20T02:00:00Z", "enabled": True, "granted_to": OTHERS}
    keys = [key_data(kms=facts)]
    return organization_data(keys=keys, vendor_accounts=[VENDOR]) | over


def grants(folder: Path, data: dict[str, Any]) -> list[KeyGrants]:
    answer = asked("-i", saved(folder, data))[1]
    found: list[KeyGrants] = answer["grants"]
    return found


def test_a_key_that_is_not_granted(tmp_path: Path) -> None:
    """A registered key that Astra's account may not use is shown with the account that lacks it."""
    [entry] = grants(tmp_path, organization())
    assert (entry["key"], entry["accounts"], entry["name"]) == (
        *(aws_key_id(), ["999988887777"], "acme-prod"),
    )
    assert len(json.loads(entry["statement"])) == 2


def test_a_key_that_is_missing(tmp_path: Path) -> None:
    """A missing key is shown with the accounts of its own key scope, if there are any."""
    other = VENDOR | {"region": "us-west-2", "account": "999988886666"}
    databases = [database_data(regions=["us-east-1", "eu-west-1"])]
    data = organization(keys=[], databases=databases, vendor_accounts=[VENDOR, other])
    found = {entry["region"]: entry["accounts"] for entry in grants(tmp_path, data)}
    assert found == {"us-east-1": ["999988887777"], "eu-west-1": []}


def test_a_key_that_is_granted_needs_nothing(tmp_path: Path) -> None:
    """A key whose grant no rule doubts is not listed."""
    word = {"usable": True, "by": "acme-security", "on": "2026-11-01"}
    data = organization(keys=[key_data(usable=word)])
    assert grants(tmp_path, data) == []
    done = command("keys", "-i", saved(tmp_path, data))
    assert TITLE not in done.stdout


def test_it_is_printed_for_people(tmp_path: Path) -> None:
    """Both formats have the statements whole, and say where missing accounts are found."""
    databases = [database_data(regions=["us-east-1", "eu-west-1"])]
    file = saved(tmp_path, organization(databases=databases))
    for name in ("table", "markdown"):
        text = command("keys", "-i", file, "-f", name).stdout
        assert TITLE in text
        assert '"arn:aws:iam::999988887777:root"' in text
        assert "For 1 key: No account of Astra is in the evidence" in " ".join(text.split())


def entry(number: int, *accounts: str) -> KeyGrants:
    scope = KeyScope("acme", "serverless", "aws", f"us-east-{number}")
    return grants_for(scope, "acme", "", accounts)


def test_no_more_are_shown_than_fit() -> None:
    """The first are shown, and of the others it is said how many there are."""
    some = [*(entry(number, "999988887777") for number in range(5)), entry(6), entry(7)]
    shown = lay_out_grants(some, 2)
    assert [title for title, _ in shown.sections] == [
        "acme, serverless/aws/us-east-0: the key to come",
        "acme, serverless/aws/us-east-1: the key to come",
    ]
    assert shown.remarks == ["For 3 more keys: --format json.", f"For 2 keys: {NONE_NAMED}"]
    assert lay_out_grants([], 2) == ([], [])
