"""What files look like that people give by mistake: how each is recognized, and where it belongs.

What a file looks like is said in fixed words, and never by what is in it: that may be a secret.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from inventory.errors import InventoryError
from inventory.files.evidence_layout import is_bundle, read_folder

PLANS, STATES, INVENTORIES = "--cmek-plan", "--cmek-state", "--cmek-inventory"
HISTORIES, REPORTS = "--cmek-history", "--cmek-baseline"


class FileKind(NamedTuple):
    """How the files of one kind look.

    Attributes:
        signature: what stands in them: a pattern, or a key of a mapping, with ``=`` and how its value
            begins where the key alone says too little.
        found: what they are, in words.
        hint: what to do where this option, or one of Terraform's, takes no such file.
        option: the option that takes them; empty if none does.
        give: what to give as that option.
    """

    signature: str
    found: str
    hint: str = ""
    option: str = ""
    give: str = "give it"


def _bundle_part(signature: str, found: str) -> FileKind:
    """Return the look of a part of an evidence bundle, which is read as a whole."""
    give = "give the folder of the bundle"
    return FileKind(signature, found, give, INVENTORIES, give)


def _report_part(signature: str, found: str) -> FileKind:
    """Return the look of a part of a report, which is not what an audit is read from."""
    give = "give the audit.json beside it"
    return FileKind(signature, found, give, REPORTS, give)


SHOW_JSON = "give what 'terraform show -json' prints of it"
_SAVED = "it is saved already, so the last command is enough"
BYTE_KINDS = (
    FileKind(r"PK\x03\x04", "a plan as Terraform saves it", _SAVED, PLANS, SHOW_JSON),
    FileKind(
        r"\x1f\x8b|BZh[1-9]|\xfd7zXZ\x00|\x28\xb5\x2f\xfd", "compressed data", "unpack it first"
    ),
    FileKind(
        r"\xff\xfe|\xfe\xff|\x00[^\x00]\x00|[^\x00]\x00[^\x00]\x00",
        "text in UTF-16",
        'PowerShell writes UTF-8 by: cmd /c "{show} > {kind}.json", '
        "or by: {show} | Out-File -Encoding utf8 {kind}.json",
    ),
    FileKind(r'(?:\xef\xbb\xbf)?\s*\{"@level"', "the log that 'terraform plan -json' prints"),
    FileKind(r"[\s\S]*\x00|%PDF-", "binary data"),
    _report_part(r"(?i)\s*<\?xml|\s*<testsuite", "a report of tests in XML"),
    _report_part(r"(?i)\s*<!doctype html|\s*<html", "a page in HTML"),
    _report_part(r"## Customer keys in Astra: ", "the summary of a report"),
)
"""How the bytes of a file begin, read as Latin-1."""

_BEGINNING = 1_024
EMPTY = FileKind("", "an empty file", "see what it prints to stderr")

WRAPPER = FileKind(
    r"^\[command\]|^::(?:add-mask|debug|error|group|notice|set-output|warning)\b",
    "a line of GitHub's wrapper of Terraform",
    "set terraform_wrapper: false for hashicorp/setup-terraform",
)
TEXT_KINDS = (
    FileKind(r'^\{"@level"', "the log that 'terraform plan -json' prints"),
    FileKind(
        r"^(?:Terraform|OpenTofu) (?:used the selected|will perform the|detected the following)|"
        r"^Initializing (?:modules|provider plugins|the backend)|^No changes\. |"
        r"^Plan: [0-9]+ to |^Changes to Outputs:$|^No state\.|^The state file is |"
        r'^# .{1,1000}:\n(?:data|resource) "|'
        r"^.{1,1000}: (?:Creating|Reading|Refreshing state|Still creating)\.\.\.",
        "the text that Terraform prints for people",
    ),
    FileKind(
        r"^(?:│ )?(?:Error|Warning): |^Usage: (?:terraform|tofu) ",
        "an error or a warning of Terraform",
        "see to that first",
    ),
    FileKind(
        r"^(?:check|data|ephemeral|import|locals|module|moved|output|provider|removed|resource|"
        r"terraform|variable)\b[^\n:={}]{0,1000}\{",
        "a configuration of Terraform",
    ),
    FileKind(r'^"?[A-Za-z_][\w-]*"?[ \t]*=(?!=)', "assignments, as in a file of variables"),
)
COLOURED = FileKind("", "text with colours, as for people")

TERRAFORM_KINDS = (
    FileKind(
        "plan_format_version",
        "the redacted plan of HCP Terraform",
        "its API returns the whole one as json-output",
        PLANS,
    ),
    FileKind("state_format_version", "the redacted state of HCP Terraform", option=STATES),
    FileKind(
        "remote_plan_format", "a plan of HCP Terraform as it is saved", _SAVED, PLANS, SHOW_JSON
    ),
    FileKind("encrypted_data", "what OpenTofu has encrypted", "tofu show -json decrypts it"),
    FileKind("lineage", "a state as Terraform keeps it", option=STATES, give=SHOW_JSON),
    FileKind(
        "resource_changes",
        "a plan without its format_version",
        "what cuts it down has to leave that",
        PLANS,
    ),
)
"""Keys of a mapping that say that it is of Terraform."""

_PLAN_KEYS = frozenset({"planned_values", "resource_changes", "configuration", "prior_state"})
FORMAT_VERSION = "format_version"
TERRAFORM_PLAN = FileKind(FORMAT_VERSION, "a plan of Terraform", option=PLANS)
TERRAFORM_STATE = FileKind(FORMAT_VERSION, "a state of Terraform", option=STATES)

OWN_FILES = (
    FileKind("cmek-plan", "a plan in YAML", option=PLANS),
    FileKind(
        "kind=inventory", "an inventory in NDJSON", "let its name end in .ndjson", INVENTORIES
    ),
    FileKind("cmek-inventory", "an inventory", "let its name end in .yaml or .json", INVENTORIES),
    FileKind("cmek-organizations", "an organizations file", option="--cmek-live"),
    FileKind("cmek-waivers", "waivers", option="--cmek-waivers"),
    FileKind("cmek-controls", "control ids", option="--cmek-controls"),
    _bundle_part("cmek-evidence", "the manifest of an evidence bundle"),
    _bundle_part("cmek-exchange", "a recorded answer of Astra"),
    FileKind("schema=cmek-audit-record/", "the record of an audit", option=REPORTS),
    _report_part("subject", "the findings of an audit"),
    FileKind("schema=cmek-keys/", "what 'cmek-audit keys' printed"),
    FileKind("same_rules", "what 'cmek-audit diff' printed"),
    _report_part("$schema=https://docs.oasis-open.org/sarif/", "a report in SARIF"),
    _report_part("runs", "a report in SARIF"),
    FileKind("$schema", "a JSON Schema"),
)
"""Keys of a mapping that say which of the suite's own files it is."""

HEADLESS = FileKind(
    "organizations", "a plan in YAML without its head", "that is cmek-plan: 1", PLANS
)
_HEAD = re.compile(r"""^[{\s]*["']?(cmek-[a-z]+)["']?[ \t]*:""", re.MULTILINE)

FOLDER_KINDS = (
    FileKind("bundle", "an evidence bundle", option=INVENTORIES),
    FileKind("bundles", "a folder of evidence bundles", option=HISTORIES),
    FileKind("audit.json", "a report folder", option=REPORTS),
    FileKind("*.tf*", "a folder of Terraform's configuration", option="--cmek-terraform-source"),
    FileKind("", "a folder"),
)
"""What folders hold; the last one is any other."""


def recognize_bytes(raw: bytes) -> FileKind | None:
    """Return what a file is by how it begins; None if it may be text."""
    content = raw.removeprefix(BOM_UTF8)
    if not content or content.isspace():
        return EMPTY
    text = raw[:_BEGINNING].decode("latin-1")
    return next((look for look in BYTE_KINDS if re.match(look.signature, text)), None)


def recognize_data(data: object) -> FileKind | None:
    """Return what a file is by the keys of the mapping that it holds; None if they say nothing."""
    if not isinstance(data, dict):
        return None
    if FORMAT_VERSION in data:
        return TERRAFORM_PLAN if data.keys() & _PLAN_KEYS else TERRAFORM_STATE
    return next(
        (look for look in (*TERRAFORM_KINDS, *OWN_FILES) if _has(data, look.signature)), None
    )


def _has(data: dict[Any, Any], sign: str) -> bool:
    key, _, beginning = sign.partition("=")
    return key in data and str(data[key]).startswith(beginning)


def recognize_first_line(text: str) -> FileKind | None:
    """Return which of ours a text is whose first line is an object in JSON; None if it is none."""
    look = recognize_data(parse_json(text.partition("\n")[0]))
    return look if look in OWN_FILES else None


def recognize_head(text: str) -> FileKind | None:
    """Return which of the suite's own files a text is that cannot be read, by its first head."""
    found = _HEAD.search(text)
    return recognize_data({found[1]: 1}) if found else None


def recognize_folder(folder: Path) -> FileKind:
    """Return what a folder is."""
    bundle, bundles, report, configuration, other = FOLDER_KINDS
    with suppress(OSError, InventoryError):  # who reads it says why it cannot be listed
        if is_bundle(folder):
            return bundle
        if (folder / report.signature).is_file():
            return report
        if read_folder(folder).bundles:
            return bundles
        if any(folder.glob(configuration.signature)):
            return configuration
    return other


def parse_json(text: str | bytes) -> object:
    """Return what a JSON text holds; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
