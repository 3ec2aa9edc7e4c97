"""The page of keys in the clouds: its policies only read, and it explains every finding."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.engine.reasons import reasons
from inventory.clouds.aws import answers as aws
from inventory.clouds.azure import reader as azure
from inventory.clouds.config import CloudSettings
from inventory.clouds.gcp import reader as gcp
from tests.checks.judging import RULES

PAGE = (Path(__file__).parents[2] / "docs/cloud-keys.md").read_text(encoding="utf-8")
ASKED = {f"kms:{operation}" for operation in aws.READS}
ACROSS_ACCOUNTS = ASKED - {f"kms:{operation}" for operation in aws._OWN_ACCOUNT}
OF_ONE_KEY = ASKED - {"kms:ListAliases"}
"""A list of aliases is about no key: AWS takes no resource for it."""


def section(heading: str) -> str:
    """Return what is below a heading, up to the next one of its rank or a higher one."""
    _, text = re.split(rf"^#+ (?={re.escape(heading)}\n)", PAGE, flags=re.MULTILINE)
    return re.split(r"^## |^### ", text, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(language: str, text: str = PAGE) -> list[Any]:
    """Return what each block of code in that language holds."""
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [json.loads(block) if language == "json" else yaml.safe_load(block) for block in found]


def actions(statement: dict[str, Any]) -> set[str]:
    allowed = statement["Action"]
    return {allowed} if isinstance(allowed, str) else set(allowed)


def test_the_policies_for_aws_only_read() -> None:
    """Each statement allows exactly what is asked there, and no more."""
    *policies, statement = blocks("json", section("AWS"))
    statements = [each for policy in policies for each in policy["Statement"]]
    assert {each["Effect"] for each in (*statements, statement)} == {"Allow"}
    allowed = {each["Sid"]: actions(each) for each in (*statements, statement)}
    assert allowed == {
        "AssumeTheRolesInTheAccountsOfTheKeys": {"sts:AssumeRole"},
        "ReadWhatOtherAccountsShow": ACROSS_ACCOUNTS,
        "ReadKeys": OF_ONE_KEY,
        "ListAliases": {"kms:ListAliases"},
        "LetTheAuditIn": {"sts:AssumeRole"},
        "LetTheAuditReadTheKey": OF_ONE_KEY,
    }
    # A policy of a role has no principal; a trust policy and a policy of a key have one role.
    assert [each["Sid"] for each in (*statements, statement) if "Principal" in each] == [
        *("LetTheAuditIn", "LetTheAuditReadTheKey"),
    ]


def test_nobody_is_trusted_without_the_external_id() -> None:
    """The trust policy names one role, and the external id of the organizations file."""
    [trust] = [
        each
        for policy in blocks("json", section("AWS"))[:-1]
        for each in policy["Statement"]
        if each["Sid"] == "LetTheAuditIn"
    ]
    [settings] = blocks("yaml", section("Which keys, and with which credentials"))
    account = settings["clouds"]["aws"]["accounts"]["222233334444"]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": account["external_id"]}}
    assert trust["Principal"] == {"AWS": "arn:aws:iam::111122223333:role/cmek-audit"}


def test_the_role_for_google_only_reads() -> None:
    """The custom role holds the permissions that the reader names, and no other."""
    [role] = blocks("yaml", section("Google Cloud"))
    assert set(role["includedPermissions"]) == set(
        re.findall(r'"(cloudkms\.[A-Za-z]+\.[A-Za-z]+)"', inspect.getsource(gcp))
    ) - {gcp.HOST}


def test_the_role_for_azure_only_reads() -> None:
    """The custom role has no action of management, and reads keys only."""
    [role] = blocks("json", section("Azure"))
    assert role["Actions"] == []
    named = {in_vault for in_vault, _ in azure._PERMISSIONS.values()}
    assert set(role["DataActions"]) == {permission.partition(", or ")[0] for permission in named}
    shown = {each.partition(", or ")[2].removesuffix(" in an access policy") for each in named}
    assert shown <= set(re.findall(r"`([a-z]+)`", section("Azure")))


def test_the_organizations_file_is_one() -> None:
    """The example can be read, and has a profile, a role, a project and a tenant."""
    [example] = blocks("yaml", section("Which keys, and with which credentials"))
    settings = CloudSettings.model_validate(example["clouds"])
    assert set(settings.aws.accounts) == {"111122223333", "222233334444"}
    assert settings.gcp.quota_project == "acme-audit"
    assert len(settings.azure.tenants) == 1


@pytest.mark.parametrize("rule", ["CMEK-11", "CMEK-12", "CMEK-17", "CMEK-18", "CMEK-19"])
def test_every_cause_is_explained(rule: str) -> None:
    """The page explains each cause that a rule on the keys themselves can find."""
    [heading] = re.findall(rf"^### ({rule}: .+)$", PAGE, re.MULTILINE)
    explained = set(re.findall(r"`([a-z-]+)`", section(heading)))
    causes = RULES[rule].card.causes if rule in RULES else {}
    assert {cause.partition(":")[0] for cause in causes} <= explained


def test_every_reason_of_the_page_exists() -> None:
    """The reasons that the page explains are codes of findings."""
    codes = re.findall(r"^\| (`.+?) \|", section("When a cloud did not answer"), re.MULTILINE)
    named = {code for cell in codes for code in re.findall(r"`([a-z-]+)`", cell)}
    assert named
    assert named <= set(reasons())
