"""Files of every kind, given to every option: each is read, or named for what it is."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from checks.engine.controls import read_controls
from checks.engine.waivers import read_waivers
from inventory.astra.config import read_organizations
from inventory.errors import CmekAuditError, InputError
from inventory.files.format_detection import (
    CONTROLS,
    INVENTORY,
    ORGANIZATIONS,
    PLAN,
    REPORT,
    STATE,
    STREAM,
    WAIVERS,
    ExpectedFile,
)
from inventory.history import read_history
from inventory.opening import read_file
from inventory.plans import read_plan, read_state
from inventory.schema import schema_text
from inventory.terraform.organizations import TerraformSettings
from reports.comparison.baseline import read_baseline
from tests.builders import document_data, ndjson_lines, ndjson_text, plan_data
from tests.cmek_audit.helpers import command
from tests.inventory.live import Astra, configured, listed_key, write_bundle
from tests.inventory.terraform.documents import change, held, plan, state
from tests.reports.samples import COMPLIANT, audit

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "hunter2-acme"
RECORDED = (
    Path(__file__).parents[1]
    / "inventory/evidence/version_1/2026-11-20T02-00-00Z/exchanges/0001/0001.json"
)
RULES = ["CMEK-01"]

OPTIONS: dict[str, tuple[ExpectedFile, Callable[[str], object]]] = {
    "--cmek-inventory": (INVENTORY, read_file),
    "--cmek-history": (INVENTORY, lambda file: read_history([file])),
    "--cmek-plan": (PLAN, read_plan),
    "--cmek-state": (STATE, partial(read_state, terraform=TerraformSettings())),
    "--cmek-live": (ORGANIZATIONS, read_organizations),
    "--cmek-waivers": (WAIVERS, lambda file: read_waivers([file], RULES)),
    "--cmek-controls": (CONTROLS, lambda file: read_controls(Path(file), RULES)),
    "--cmek-baseline": (REPORT, read_baseline),
}

PRESENT = {"--cmek-inventory", "--cmek-history"}
SHOWN = "give the output of 'terraform show -json'"
BESIDE = "give the audit.json beside it"
BUNDLE = "give the folder of the bundle"
KINDS: dict[str, tuple[str, str]] = {
    "inventory.yaml": ("an inventory", "give it as --cmek-inventory"),
    "inventory.json": ("an inventory", "give it as --cmek-inventory"),
    "inventory.txt": ("an inventory", "give it as --cmek-inventory"),
    "inventory.ndjson": ("an inventory in NDJSON", "give it as --cmek-inventory"),
    "plan.yaml": ("a plan in YAML", "give it as --cmek-plan"),
    "plan.json": ("a Terraform plan", "give it as --cmek-plan"),
    "plan.out": ("a Terraform plan", "give it as --cmek-plan"),
    "plan.bin": ("a saved Terraform plan", f"{SHOWN} as --cmek-plan"),
    "state.json": ("a Terraform state", "give it as --cmek-state"),
    "terraform.tfstate": ("a raw Terraform state file", f"{SHOWN} as --cmek-state"),
    "main.tf": ("a Terraform configuration", ""),
    "printed.txt": ("Terraform's human-readable output", ""),
    "organizations.yaml": ("an organizations file", "give it as --cmek-live"),
    "broken-organizations.yaml": ("an organizations file", "give it as --cmek-live"),
    "waivers.yaml": ("waivers", "give it as --cmek-waivers"),
    "controls.yaml": ("control ids", "give it as --cmek-controls"),
    "report": ("a report folder", "give it as --cmek-baseline"),
    "report/audit.json": ("the record of an audit", "give it as --cmek-baseline"),
    "report/findings.ndjson": ("the findings of an audit", f"{BESIDE} as --cmek-baseline"),
    "report/audit.sarif": ("a report in SARIF", f"{BESIDE} as --cmek-baseline"),
    "report/junit.xml": ("a test report in XML", f"{BESIDE} as --cmek-baseline"),
    "report/audit.html": ("an HTML page", f"{BESIDE} as --cmek-baseline"),
    "report/summary.md": ("the summary of a report", f"{BESIDE} as --cmek-baseline"),
    "bundles": ("a folder of evidence bundles", "give it as --cmek-history"),
    "bundles/one": ("an evidence bundle", "give it as --cmek-inventory"),
    "bundles/one/manifest.json": (
        "the manifest of an evidence bundle",
        f"{BUNDLE} as --cmek-inventory",
    ),
    "bundles/one/exchanges/0001.ndjson.gz": ("compressed data", ""),
    "exchange.json": (
        "a recorded answer of Astra",
        f"{BUNDLE} as --cmek-inventory",
    ),
    "terraform": (
        "a folder with a Terraform configuration",
        "give it as --cmek-terraform-source",
    ),
    "folder": ("a folder", ""),
    "keys.json": ("the output of 'cmek-audit keys'", ""),
    "portal.json": ("the output of 'cmek-audit portal'", ""),
    "diff.json": ("the output of 'cmek-audit diff'", ""),
    "schema.json": ("a JSON Schema", ""),
    "empty.yaml": ("an empty file", ""),
    "empty.ndjson": ("an empty file", ""),
    "picture.yaml": ("binary data", ""),
    "inventory.yaml.gz": ("compressed data", ""),
    "wide.json": ("text in UTF-16", ""),
}
"""Each file or folder with what it is, and where it belongs."""

TAKEN = {
    **dict.fromkeys(
        ("inventory.yaml", "inventory.json", "inventory.ndjson", "bundles/one"), PRESENT
    ),
    "bundles": {"--cmek-history"},
    "plan.yaml": {"--cmek-plan"},
    "plan.json": {"--cmek-plan"},
    "state.json": {"--cmek-state"},
    "organizations.yaml": {"--cmek-live"},
    "waivers.yaml": {"--cmek-waivers"},
    "controls.yaml": {"--cmek-controls"},
    "report": {"--cmek-baseline", "--cmek-history"},
    "report/audit.json": {"--cmek-baseline", "--cmek-history"},
}
"""What an option reads."""

OWN_WORDS: dict[tuple[str, str], str] = {
    ("inventory.txt", "--cmek-inventory"): "the ending '.txt'",
    ("inventory.txt", "--cmek-history"): "the ending '.txt'",
    ("plan.out", "--cmek-plan"): "the ending '.out'",
    ("plan.out", "--cmek-state"): "the ending '.out'",
    ("plan.json", "--cmek-state"): "a plan, not a state",
    ("state.json", "--cmek-plan"): "a state, not a plan",
    ("broken-organizations.yaml", "--cmek-live"): "a bracket that is not closed",
    ("folder", "--cmek-inventory"): "No such file or directory",
    ("folder", "--cmek-baseline"): "No such file or directory",
    ("folder", "--cmek-history"): "",
}
"""What is said of a file that the option would take if it were as it should be."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a file of each kind."""
    place = tmp_path_factory.mktemp("kinds")
    audit(place, COMPLIANT).folder.rename(place / "report")
    wanted = configured(), Astra(serverless=[listed_key()])
    (place / "bundles").mkdir()
    write_bundle(place / "bundles/one", wanted)
    for name in ("folder", "terraform"):
        (place / name).mkdir()
    for name, raw in _contents(place).items():
        (place / name).write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return place


def _contents(place: Path) -> dict[str, str | bytes]:
    inventory = document_data(captured_at="2026-11-20T02:00:00Z")
    planned = plan(change(), variables={"password": {"value": SECRET}})
    configuration = f'resource "astra_database" "x" {{\n  name = "{SECRET}"\n}}\n'
    id_and_name = {"id": "00000000-0000-4000-8000-000000000001", "name": "acme"}
    organizations = {"cmek-organizations": 1, "organizations": [id_and_name]}
    lines = ndjson_lines()
    lines[0] |= {"captured_at": "2026-11-20T02:00:00Z"}
    report = place / "report"
    written = {
        "audit.sarif": json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": []}),
        "junit.xml": f'<?xml version="1.0"?><testsuites name="{SECRET}"/>',
        "audit.html": f"<!DOCTYPE html>\n<p>{SECRET}",
        "summary.md": f"## Customer keys in Astra: compliant {SECRET}",
    }
    for name, text in written.items():
        (report / name).write_text(text)
    return {
        "inventory.yaml": yaml.safe_dump(inventory),
        "inventory.json": json.dumps(inventory),
        "inventory.txt": yaml.safe_dump(inventory),
        "inventory.ndjson": ndjson_text(lines),
        "plan.yaml": yaml.safe_dump(plan_data()),
        "plan.json": json.dumps(planned),
        "plan.out": json.dumps(planned),
        "plan.bin": _zipped(),
        "state.json": json.dumps(state(held())),
        "terraform.tfstate": json.dumps({"version": 4, "lineage": SECRET}, indent=1),
        "main.tf": configuration,
        "terraform/main.tf": configuration,
        "printed.txt": f"No changes. {SECRET}\n",
        "organizations.yaml": yaml.safe_dump(organizations, sort_keys=False),
        "broken-organizations.yaml": f"cmek-organizations: 1\norganizations: [{SECRET}",
        "waivers.yaml": "cmek-waivers: 1\nwaivers: []\n",
        "controls.yaml": "cmek-controls: 1\nframeworks: []\n",
        "keys.json": json.dumps({"schema": "cmek-keys/1", "x": SECRET}),
        "portal.json": json.dumps({"schema": "cmek-portal/1", "x": SECRET}),
        "diff.json": json.dumps({"old": SECRET, "new": {}, "same_rules": True}),
        "exchange.json": RECORDED.read_bytes(),
        "schema.json": schema_text("schema.json"),
        "empty.yaml": " \n",
        "empty.ndjson": "",
        "picture.yaml": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + SECRET.encode(),
        "inventory.yaml.gz": gzip.compress(SECRET.encode()),
        "wide.json": json.dumps(inventory).encode("utf-16"),
    }


SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def _zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as saved:
        saved.writestr("tfplan", b"\x00\xff")
    return file.getvalue()


def said(read: Callable[[str], object], file: str) -> list[str]:
    """Return what is said of a file, without its path; nothing if it is read."""
    try:
        read(file)
    except InputError as error:
        return [str(problem).removeprefix(file) for problem in error.problems]
    except CmekAuditError as error:
        return [str(error).removeprefix(file)]
    return []


def printed(wanted: ExpectedFile, name: str) -> str:
    """Return what is expected of a file of that name: some inventories are read as streams."""
    return STREAM.label if wanted is INVENTORY and name.endswith(".ndjson") else wanted.expectation


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", KINDS)
def test_every_file_for_every_option(folder: Path, name: str, option: str) -> None:
    """A file is read, or one line names what it is, what is expected, and the option for it."""
    wanted, read = OPTIONS[option]
    lines = said(read, str(folder / name))
    if option in TAKEN.get(name, set()):
        assert lines == []
        return
    assert SECRET not in "".join(lines)
    if (name, option) in OWN_WORDS:
        assert OWN_WORDS[name, option] in "".join(lines)
        return
    [line] = lines
    found, belongs = KINDS[name]
    place, _, rest = line.partition(" ")
    assert place in {":", ":1:"}
    beginning = f"found {found}, expected {printed(wanted, name)}"
    assert rest.startswith(beginning)
    assert is_hint(rest.removeprefix(beginning), belongs, option, wanted)


def is_hint(hint: str, belongs: str, option: str, wanted: ExpectedFile) -> bool:
    """Say whether a hint leads where the file belongs, or helps where that is the same option."""
    give, _, own = belongs.rpartition(" as ")
    is_own = own == option or (own == "--cmek-inventory" and option in PRESENT)
    if not own or (is_own and wanted.show):
        return not hint or bool(wanted.show)
    if is_own:
        return hint in {f"; {give}", "; rename it to end in .ndjson"}
    return hint == f"; {belongs}"


# --- commands -------------------------------------------------------------------------------------

WHY = ("--reason", "a", "--control", "b", "--ticket", "c", "--requested-by", "d")
COMMANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "keys, a plan as inventory": (("keys", "-i", "plan.json"), "give it as --plan"),
    "keys, an inventory as plan": (("keys", "-p", "inventory.yaml"), "give it as --inventory"),
    "keys, waivers as inventory": (("keys", "-i", "waivers.yaml"), "give it as --cmek-waivers"),
    "diff": (("diff", "inventory.yaml", "report"), "give it as --cmek-inventory"),
    "diff, a later one": (("diff", "report", "plan.json"), "give it as --cmek-plan"),
    "render": (("render", "html", "bundles/one"), "give it as --cmek-inventory"),
    "waive": (
        ("waive", "0123abcd", "report/findings.ndjson", *WHY),
        BESIDE,
    ),
    "collect": (("collect", "inventory.yaml"), "give it as --cmek-inventory"),
}


@pytest.mark.parametrize(("arguments", "belongs"), COMMANDS.values(), ids=COMMANDS)
def test_commands(
    folder: Path, arguments: tuple[str, ...], belongs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command ends with 4 and names what it was given, with the option that takes it."""
    monkeypatch.chdir(folder)
    done = command(*arguments)
    assert (done.exit_code, done.stdout) == (4, "")
    assert "found " in done.stderr
    assert done.stderr.rstrip().endswith(f"; {belongs}")


def test_a_record_of_a_newer_version(folder: Path, tmp_path: Path) -> None:
    """A record of a version that is not known yet may be meant for a newer program."""
    head: dict[str, Any] = json.loads((folder / "report/audit.json").read_bytes())
    head["schema"] = "cmek-audit-record/3"
    (tmp_path / "audit.json").write_text(json.dumps(head))
    found = "found 'cmek-audit-record/3', expected 'cmek-audit-record/2'"
    may_be = "this file may have been written for a newer version of cmek-audit"
    assert said(read_baseline, str(tmp_path / "audit.json")) == [f": schema: {found}; {may_be}"]
