"""The kinds of files that people give by mistake: how to recognize each, and where it belongs.

A kind is described in fixed words, never by the file's content: that may be a secret.
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
    """A kind of file, and how to recognize it.

    Attributes:
        signature: a pattern of their text, or a key of a mapping, with ``=`` and the beginning of
            the key's value where the key alone is ambiguous.
        found: the description of such a file.
        hint: what to do where this option, or one of Terraform's, does not take such files.
        option: the option that takes such files; empty if none does.
        give: what to give as that option.
    """

    signature: str
    found: str
    hint: str = ""
    option: str = ""
    give: str = "give it"


def _bundle_part(signature: str, found: str) -> FileKind:
    """Return the kind of a file inside an evidence bundle, which is read as a whole."""
    give = "give the folder of the bundle"
    return FileKind(signature, found, give, INVENTORIES, give)


def _report_part(signature: str, found: str) -> FileKind:
    """Return the kind of a file of a report other than its record."""
    give = "give the audit.json beside it"
    return FileKind(signature, found, give, REPORTS, give)


SHOW_JSON = "give the output of 'terraform show -json'"
_SAVED = "the plan is saved already, so run the last command only"
BYTE_KINDS = (
    FileKind(r"PK\x03\x04", "a saved Terraform plan", _SAVED, PLANS, SHOW_JSON),
    FileKind(
        r"\x1f\x8b|BZh[1-9]|\xfd7zXZ\x00|\x28\xb5\x2f\xfd", "compressed data", "unpack it first"
    ),
    FileKind(
        r"\xff\xfe|\xfe\xff|\x00[^\x00]\x00|[^\x00]\x00[^\x00]\x00",
        "text in UTF-16",
        'in PowerShell, write UTF-8 with: cmd /c "{show} > {kind}.json", '
        "or with: {show} | Out-File -Encoding utf8 {kind}.json",
    ),
    FileKind(r'(?:\xef\xbb\xbf)?\s*\{"@level"', "the log of 'terraform plan -json'"),
    FileKind(r"[\s\S]*\x00|%PDF-", "binary data"),
    _report_part(r"(?i)\s*<\?xml|\s*<testsuite", "a test report in XML"),
    _report_part(r"(?i)\s*<!doctype html|\s*<html", "an HTML page"),
    _report_part(r"## Customer keys in Astra: ", "the summary of a report"),
)
"""How the bytes of a file begin, read as Latin-1."""

_BEGINNING = 1_024
EMPTY = FileKind("", "an empty file", "check what the command prints to stderr")

WRAPPER = FileKind(
    r"^\[command\]|^::(?:add-mask|debug|error|group|notice|set-output|warning)\b",
    "a line of GitHub's Terraform wrapper",
    "set terraform_wrapper: false for hashicorp/setup-terraform",
)
TEXT_KINDS = (
    FileKind(r'^\{"@level"', "the log of 'terraform plan -json'"),
    FileKind(
        r"^(?:Terraform|OpenTofu) (?:used the selected|will perform the|detected the following)|"
        r"^Initializing (?:modules|provider plugins|the backend)|^No changes\. |"
        r"^Plan: [0-9]+ to |^Changes to Outputs:$|^No state\.|^The state file is |"
        r'^# .{1,1000}:\n(?:data|resource) "|'
        r"^.{1,1000}: (?:Creating|Reading|Refreshing state|Still creating)\.\.\.",
        "Terraform's human-readable output",
    ),
    FileKind(
        r"^(?:│ )?(?:Error|Warning): |^Usage: (?:terraform|tofu) ",
        "an error or a warning from Terraform",
        "resolve it first",
    ),
    FileKind(
        r"^(?:check|data|ephemeral|import|locals|module|moved|output|provider|removed|resource|"
        r"terraform|variable)\b[^\n:={}]{0,1000}\{",
        "a Terraform configuration",
    ),
    FileKind(r'^"?[A-Za-z_][\w-]*"?[ \t]*=(?!=)', "assignments, as in a variables file"),
)
COLOURED = FileKind("", "coloured terminal output")

TERRAFORM_KINDS = (
    FileKind(
        "plan_format_version",
        "a redacted plan from HCP Terraform",
        "its API returns the full plan as json-output",
        PLANS,
    ),
    FileKind("state_format_version", "a redacted state from HCP Terraform", option=STATES),
    FileKind("remote_plan_format", "a saved HCP Terraform plan", _SAVED, PLANS, SHOW_JSON),
    FileKind("encrypted_data", "a file encrypted by OpenTofu", "tofu show -json decrypts it"),
    FileKind("lineage", "a raw Terraform state file", option=STATES, give=SHOW_JSON),
    FileKind(
        "resource_changes",
        "a plan without its format_version",
        "keep that field when you reduce a plan",
        PLANS,
    ),
)
"""Mappings of Terraform, by a key."""

_PLAN_KEYS = frozenset({"planned_values", "resource_changes", "configuration", "prior_state"})
FORMAT_VERSION = "format_version"
TERRAFORM_PLAN = FileKind(FORMAT_VERSION, "a Terraform plan", option=PLANS)
TERRAFORM_STATE = FileKind(FORMAT_VERSION, "a Terraform state", option=STATES)

OWN_FILES = (
    FileKind("cmek-plan", "a plan in YAML", option=PLANS),
    FileKind(
        "kind=inventory", "an inventory in NDJSON", "rename it to end in .ndjson", INVENTORIES
    ),
    FileKind("cmek-inventory", "an inventory", "rename it to end in .yaml or .json", INVENTORIES),
    FileKind("cmek-organizations", "an organizations file", option="--cmek-live"),
    FileKind("cmek-waivers", "waivers", option="--cmek-waivers"),
    FileKind("cmek-controls", "control ids", option="--cmek-controls"),
    FileKind("cmek-summary", "a summary of pruned bundles", option=HISTORIES),
    _bundle_part("cmek-evidence", "the manifest of an evidence bundle"),
    _bundle_part("cmek-exchange", "a recorded answer of Astra"),
    FileKind("schema=cmek-audit-record/", "the record of an audit", option=REPORTS),
    _report_part("subject", "the findings of an audit"),
    FileKind("schema=cmek-keys/", "the output of 'cmek-audit keys'"),
    FileKind("schema=cmek-portal/", "the output of 'cmek-audit portal'"),
    FileKind("same_rules", "the output of 'cmek-audit diff'"),
    _report_part("$schema=https://docs.oasis-open.org/sarif/", "a report in SARIF"),
    _report_part("runs", "a report in SARIF"),
    FileKind("$schema", "a JSON Schema"),
)
"""The suite's own files, by a key."""

HEADLESS = FileKind(
    "organizations", "a plan in YAML without its first line", "add cmek-plan: 1", PLANS
)
_HEAD = re.compile(r"""^[{\s]*["']?(cmek-[a-z]+)["']?[ \t]*:""", re.MULTILINE)

FOLDER_KINDS = (
    FileKind("bundle", "an evidence bundle", option=INVENTORIES),
    FileKind("cmek-inventory.json", "an inventory in Parquet", option=INVENTORIES),
    FileKind("bundles", "a folder of evidence bundles", option=HISTORIES),
    FileKind("audit.json", "a report folder", option=REPORTS),
    FileKind("*.tf*", "a folder with a Terraform configuration", option="--cmek-terraform-source"),
    FileKind("", "a folder"),
)
"""Folders by their contents; the last kind is any other folder."""


def recognize_bytes(raw: bytes) -> FileKind | None:
    """Recognize a file by its first bytes; None if it may be text."""
    content = raw.removeprefix(BOM_UTF8)
    if not content or content.isspace():
        return EMPTY
    text = raw[:_BEGINNING].decode("latin-1")
    return next((kind for kind in BYTE_KINDS if re.match(kind.signature, text)), None)


def recognize_data(data: object) -> FileKind | None:
    """Recognize a file by the keys of its mapping; None if no key is known."""
    if not isinstance(data, dict):
        return None
    if FORMAT_VERSION in data:
        return TERRAFORM_PLAN if data.keys() & _PLAN_KEYS else TERRAFORM_STATE
    return next(
        (kind for kind in (*TERRAFORM_KINDS, *OWN_FILES) if _has(data, kind.signature)), None
    )


def _has(data: dict[Any, Any], signature: str) -> bool:
    key, _, beginning = signature.partition("=")
    return key in data and str(data[key]).startswith(beginning)


def recognize_first_line(text: str) -> FileKind | None:
    """Recognize one of the suite's own files by the JSON object on its first line."""
    kind = recognize_data(parse_json(text.partition("\n")[0]))
    return kind if kind in OWN_FILES else None


def recognize_head(text: str) -> FileKind | None:
    """Recognize one of the suite's own files, whose text cannot be parsed, by its first head."""
    head = _HEAD.search(text)
    return recognize_data({head[1]: 1}) if head else None


def recognize_folder(folder: Path) -> FileKind:
    """Recognize a folder by its contents; one that cannot be listed is any other."""
    bundle, parquet, bundles, report, configuration, other = FOLDER_KINDS
    with suppress(
        OSError, InventoryError
    ):  # whoever reads the folder reports why it cannot be listed
        if is_bundle(folder):
            return bundle
        if (folder / parquet.signature).is_file():
            return parquet
        if (folder / report.signature).is_file():
            return report
        if read_folder(folder).bundles:
            return bundles
        if any(folder.glob(configuration.signature)):
            return configuration
    return other


def parse_json(text: str | bytes) -> object:
    """Return the data of a JSON text; None if the text is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
