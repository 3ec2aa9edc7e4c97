"""Files that are given by mistake where a plan or a state is meant: what is found, what to run."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from inventory.errors import InventoryError
from inventory.files.documents import UTF_8
from inventory.files.format_detection import PLAN, STATE, ExpectedFile
from inventory.plans import read_plan, read_state
from inventory.terraform.organizations import TerraformSettings
from tests.builders import plan_data, write_json, write_text
from tests.hypothesis_profile import examples
from tests.inventory.terraform.documents import change, held, plan, state
from tests.inventory.terraform.running import TERRAFORM

SECRET = "hunter2-acme"
WHOLE = json.dumps(plan(change(), variables={"password": {"value": SECRET}}))
PRETTY = json.dumps(json.loads(WHOLE), indent=2, sort_keys=True)
HUMAN = f"""
Terraform used the selected providers to generate the following execution
plan. Resource actions are indicated with the following symbols:
  \x1b[32m+\x1b[0m create

Terraform will perform the following actions:

\x1b[1m  # astra_database.orders\x1b[0m will be created
\x1b[0m  \x1b[32m+\x1b[0m\x1b[0m resource "astra_database" "orders" {{
      \x1b[32m+\x1b[0m\x1b[0m name     = "{SECRET}"
    }}

\x1b[1mPlan:\x1b[0m 1 to add, 0 to change, 0 to destroy.
"""
PLAIN = HUMAN.replace("\x1b[32m", "").replace("\x1b[1m", "").replace("\x1b[0m", "")
SHOWN_STATE = (
    f'# astra_database.orders:\nresource "astra_database" "x" {{\n  name = "{SECRET}"\n}}\n'
)
NOTHING = "\x1b[0m\x1b[1m\x1b[32mNo changes.\x1b[0m\x1b[1m Your infrastructure matches.\x1b[0m\n"
ERROR = f"\x1b[31m╷\x1b[0m\n\x1b[31m│\x1b[0m \x1b[1m\x1b[31mError: \x1b[0mno plan {SECRET}\n"
WARNING = f"\nWarning: Value for undeclared variable {SECRET}\n\n"
LOG = f'{{"@level":"info","type":"version"}}\n{{"@level":"info","@message":"{SECRET}"}}\n'
WRAPPED = f"[command]/opt/terraform-bin show -json plan.bin\n{WHOLE}\n\n::debug::stdout: {WHOLE}\n"
CONFIGURATION = f'# The shop.\nresource "astra_database" "orders" {{\n  name = "{SECRET}"\n}}\n'
VARIABLES = f'# Ours.\n\nastra_token = "{SECRET}"\nregions     = ["us-east-1"]\n'


class Mistake(NamedTuple):
    """A file that is given by mistake.

    Attributes:
        raw: what it holds, in text or bytes.
        found: what it is said to be.
        hint: what is said beside what to run.
        line: the line that is named; 0 for none.
        kind: what it holds, so that its option is named where the other is meant.
        name: what it is called.
    """

    raw: str | bytes
    found: str
    hint: str = ""
    line: int = 0
    kind: str = ""
    name: str = "plan.json"


def zipped() -> bytes:
    """Return what looks like a plan that ``-out`` saved."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as saved:
        saved.writestr("tfplan", b"\x00\xff")
    return file.getvalue()


SAVED = ("a saved Terraform plan", "the plan is saved already, so run the last command only")
COMPRESSED = ("compressed data", "unpack it first")
PEOPLE = ("Terraform's human-readable output",)
LOGGED = ("the log of 'terraform plan -json'",)
EMPTY = ("an empty file", "check what the command prints to stderr")
WRAPPER = (
    "a line of GitHub's Terraform wrapper",
    "set terraform_wrapper: false for hashicorp/setup-terraform",
)
ALONE = "redirect only stdout, without 2>&1"
CUT = ("truncated JSON", "check its exit code and the free disk space")
SECOND = ("another JSON document after the first", "use one file for each")
FAILED = ("an error or a warning from Terraform", "resolve it first")
ASSIGNED = ("assignments, as in a variables file",)
CONFIGURED = ("a Terraform configuration",)

MISTAKES = {
    "saved": Mistake(zipped(), *SAVED, kind="plan"),
    "saved, as plan.bin": Mistake(zipped(), *SAVED, kind="plan", name="plan.bin"),
    "saved, as tfplan": Mistake(zipped(), *SAVED, kind="plan", name="tfplan"),
    "saved by HCP": Mistake(
        f'{{"remote_plan_format": 1, "run_id": "{SECRET}", "hostname": "example.test"}}',
        "a saved HCP Terraform plan",
        SAVED[1],
        1,
        "plan",
    ),
    "gzip": Mistake(gzip.compress(WHOLE.encode()), *COMPRESSED),
    "gzip, as plan.json.gz": Mistake(gzip.compress(b"{}"), *COMPRESSED, name="plan.json.gz"),
    "bzip2": Mistake(bz2.compress(WHOLE.encode()), *COMPRESSED),
    "xz": Mistake(lzma.compress(WHOLE.encode()), *COMPRESSED),
    "zstandard": Mistake(b"\x28\xb5\x2f\xfd\x00\x00", *COMPRESSED),
    "human": Mistake(HUMAN, *PEOPLE),
    "human without colours": Mistake(PLAIN, *PEOPLE),
    "human, as plan.out": Mistake(HUMAN, *PEOPLE, name="plan.out"),
    "human, in YAML": Mistake(PLAIN, *PEOPLE, name="plan.yaml"),
    "human, YAML takes it for text": Mistake("No changes. All is well.\n", *PEOPLE, name="p.yaml"),
    "human, of a state": Mistake(SHOWN_STATE, *PEOPLE),
    "human, without a state": Mistake("No state.\n", *PEOPLE),
    "human, nothing to do": Mistake(NOTHING, *PEOPLE),
    "human, refreshing": Mistake("astra_database.x: Refreshing state... [id=7]\n", *PEOPLE),
    "human, of init": Mistake("Initializing the backend...\n", *PEOPLE),
    "colours": Mistake(f"\x1b[31m{SECRET}\x1b[0m", "coloured terminal output"),
    "log": Mistake(LOG, *LOGGED),
    "log of one line": Mistake(LOG.partition("\n")[0], *LOGGED),
    "log after a mark": Mistake(f"\ufeff\n{LOG}", *LOGGED),
    "log after a line": Mistake(f"Running {SECRET}\n{LOG}", *LOGGED),
    "error": Mistake(ERROR, *FAILED),
    "warning": Mistake(WARNING, *FAILED),
    "usage": Mistake("Usage: terraform [global options] show\n", *FAILED),
    "wrapper": Mistake(WRAPPED, *WRAPPER, line=1),
    "wrapper behind": Mistake(f"{PRETTY}\n::debug::exit 0\n", *WRAPPER, PRETTY.count("\n") + 2),
    "warning before": Mistake(f"{WARNING}{WHOLE}", "other text before the JSON", ALONE, 2),
    "warning behind": Mistake(f"{WHOLE}\n{WARNING}", "other text after the JSON", ALONE, 3),
    "two documents": Mistake(f"{WHOLE}\n\n{WHOLE}", *SECOND, 3),
    "two on a line": Mistake(f"{WHOLE}{PRETTY}", *SECOND, 1),
    "cut in a text": Mistake(PRETTY[: PRETTY.index(SECRET) + 3], *CUT, line=0),
    "cut behind a brace": Mistake(PRETTY[:-2], *CUT, line=PRETTY.count("\n")),
    "cut in a word": Mistake(WHOLE[: WHOLE.index("true") + 2], *CUT, 1),
    "cut at once": Mistake('{"', *CUT, 1),
    "cut, in YAML": Mistake(WHOLE[:-9], *CUT, 1, name="plan.yaml"),
    "empty": Mistake("", *EMPTY),
    "blank": Mistake(" \n\t\n", *EMPTY),
    "only a mark": Mistake(b"\xef\xbb\xbf\n", *EMPTY),
    "empty, as plan.bin": Mistake("", *EMPTY, name="plan.bin"),
    "configuration": Mistake(CONFIGURATION, *CONFIGURED),
    "configuration, as main.tf": Mistake(CONFIGURATION, *CONFIGURED, name="main.tf"),
    "variables": Mistake(VARIABLES, *ASSIGNED),
    "variables, in YAML": Mistake(f'token = "{SECRET}"', *ASSIGNED, name="x.yaml"),
    "variables, as a.tfvars": Mistake(VARIABLES, *ASSIGNED, name="a.tfvars"),
    "redacted plan": Mistake(
        f'{{"plan_format_version": "1.2", "resource_changes": [], "x": "{SECRET}"}}',
        "a redacted plan from HCP Terraform",
        "its API returns the full plan as json-output",
        1,
        "plan",
    ),
    "redacted state": Mistake(
        '{"state_format_version": "1.0", "root": {}}',
        "a redacted state from HCP Terraform",
        line=1,
        kind="state",
    ),
    "encrypted": Mistake(
        f'{{"lineage": "x", "encrypted_data": "{SECRET}"}}',
        "a file encrypted by OpenTofu",
        "tofu show -json decrypts it",
        1,
    ),
    "raw state": Mistake(
        f'{{"version": 4, "terraform_version": "1.11.4", "lineage": "{SECRET}"}}',
        "a raw Terraform state file",
        line=1,
        kind="state",
    ),
    "raw state without a version": Mistake(
        f'{{"version": 4, "lineage": "{SECRET}"}}',
        "a raw Terraform state file",
        line=1,
        kind="state",
    ),
    "raw state, as terraform.tfstate": Mistake(
        f'{{"version": 4, "lineage": "{SECRET}"}}',
        "a raw Terraform state file",
        kind="state",
        name="terraform.tfstate",
    ),
    "a plan that lost its version": Mistake(
        json.dumps({name: value for name, value in plan().items() if name != "format_version"}),
        "a plan without its format_version",
        "keep that field when you reduce a plan",
        1,
        "plan",
    ),
    "waivers": Mistake("cmek-waivers: 1", "waivers", "give it as --cmek-waivers", 1, name="w.yaml"),
    "control ids": Mistake('{"cmek-controls": 1}', "control ids", "give it as --cmek-controls", 1),
    "organizations": Mistake(
        '{"cmek-organizations": 1, "organizations": []}',
        "an organizations file",
        "give it as --cmek-live",
        1,
    ),
}


def shown(file: str, wanted: ExpectedFile = PLAN) -> list[str]:
    """Return every problem as it is shown, without the file's path."""
    with pytest.raises(InventoryError) as caught:
        read_plan(file) if wanted == PLAN else read_state(file, TerraformSettings())
    return [str(problem).removeprefix(file) for problem in caught.value.problems]


def outcome(file: str, wanted: ExpectedFile) -> str:
    """Return why a file is refused; nothing if it is read."""
    try:
        read_plan(file) if wanted == PLAN else read_state(file, TerraformSettings())
    except InventoryError as error:
        return str(error)
    return ""


def written(folder: Path, name: str, raw: str | bytes) -> str:
    """Write a file, and return its path."""
    (folder / name).write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return str(folder / name)


@pytest.mark.parametrize("wanted", [PLAN, STATE], ids=lambda wanted: wanted.kind)
@pytest.mark.parametrize("name", MISTAKES)
def test_what_it_is_and_what_to_run(tmp_path: Path, name: str, wanted: ExpectedFile) -> None:
    """A file that is given by mistake is named, with what to run, and never repeated."""
    raw, found, hint, line, kind, file = MISTAKES[name]
    line = line or (0 if name != "cut in a text" else str(raw).count("\n") + 1)
    if kind not in {"", wanted.kind}:
        printed = "give the output of 'terraform show -json'"
        give = printed if re.search("raw|saved", found) else "give it"
        hint = f"{give} as --cmek-{kind}"
    [problem] = shown(written(tmp_path, file, raw), wanted)
    place = f":{line}:" if line else ":"
    run = f"a {wanted.kind}, as printed by: {wanted.command}"
    assert problem == f"{place} found {found}, expected {run}{'; ' if hint else ''}{hint}"
    assert SECRET not in problem


COMMANDS = {
    PLAN: "terraform plan -out=plan.bin && terraform show -json plan.bin > plan.json",
    STATE: "terraform show -json > state.json",
}


@pytest.mark.parametrize("wanted", COMMANDS, ids=lambda wanted: wanted.kind)
def test_what_to_run(wanted: ExpectedFile) -> None:
    """The command prints what the option of that name takes."""
    assert wanted.command == COMMANDS[wanted]
    assert wanted.option == f"--cmek-{wanted.kind}"


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "marked"])
@pytest.mark.parametrize("wanted", [PLAN, STATE], ids=lambda wanted: wanted.kind)
def test_text_in_utf_16(tmp_path: Path, encoding: str, mark: str, wanted: ExpectedFile) -> None:
    """A file that PowerShell wrote in UTF-16 is refused by that name, with what writes UTF-8."""
    [problem] = shown(written(tmp_path, "plan.json", (mark + WHOLE).encode(encoding)), wanted)
    show, kind = wanted.show, wanted.kind
    assert problem == (
        f": found text in UTF-16, expected {wanted.expectation}; in PowerShell, write UTF-8 with: "
        f'cmd /c "{show} > {kind}.json", or with: {show} | Out-File -Encoding utf8 {kind}.json'
    )


def test_text_with_a_byte_order_mark(tmp_path: Path) -> None:
    """A plan that begins with the mark of UTF-8 is read as any other."""
    file = written(tmp_path, "plan.json", b"\xef\xbb\xbf" + WHOLE.encode())
    assert read_plan(file).source.databases == 1


def test_text_in_another_encoding(tmp_path: Path) -> None:
    """A byte that UTF-8 does not have is named with its line, and what to run."""
    raw = f'{{\n"a": "\x82{SECRET}"}}'.encode("latin-1")
    file = written(tmp_path, "plan.json", raw)
    assert shown(file) == [f":2: found byte 0x82, expected {UTF_8}: {PLAN.expectation}"]


# --- JSON and YAML --------------------------------------------------------------------------------


def test_damage_inside(tmp_path: Path) -> None:
    """A line of something else in the middle of the JSON is named by its place."""
    text = PRETTY.replace("\n", f"\nWarning {SECRET}\n", 1)
    file = written(tmp_path, "plan.json", text)
    found = "a word without quotes"
    assert shown(file) == [f":2: found {found}, expected JSON: {PLAN.expectation}"]


@pytest.mark.parametrize("value", ["[" * 100_000, "1" * 5_000, "NaN"], ids=["deep", "long", "nan"])
def test_json_that_python_does_not_read(tmp_path: Path, value: str) -> None:
    """JSON that cannot be read for another reason than its form is said to be that."""
    [problem] = shown(written(tmp_path, "plan.json", f'{{"format_version": {value}}}'))
    assert problem.endswith(f", expected JSON: {PLAN.expectation}")
    [problem] = shown(written(tmp_path, "plan.out", f'{{"format_version": {value}}}'))
    assert problem.startswith(": found the ending '.out', expected .yaml")


OTHER = f"a plan in YAML, which begins with cmek-plan: 1, or {PLAN.expectation}"
NEITHER = f": found neither cmek-plan nor format_version, expected {OTHER}"
STARRED = "expected YAML: quotes around text that begins with *"
HEADLESS = "a plan in YAML without its first line"
GOES = "give it as --cmek-inventory"
UNKNOWN = {
    "nothing": ("plan.json", "{}", f":1{NEITHER}"),
    "another tool's": ("plan.json", f'{{"a": 1,\n"Token": "{SECRET}"}}', f":1{NEITHER}"),
    "keys twice": ("plan.json", f'{{"{SECRET}": 1, "{SECRET}": 2}}', f":1{NEITHER}"),
    "a list": ("plan.json", f'["{SECRET}"]', f":1: found a list, expected {OTHER}"),
    "text": ("plan.json", f'"{SECRET}"', f":1: found no mapping, expected {OTHER}"),
    "null": ("plan.json", "null", f":1: found no mapping, expected {OTHER}"),
    "a comment": ("plan.yaml", f"# {SECRET}\n", f":1: found no mapping, expected {OTHER}"),
    "a tag": ("plan.yaml", f"a: !{SECRET} b\n", f":1{NEITHER}"),
    "an alias": ("plan.yaml", f"a: *{SECRET}\n", f":1: found an undefined alias, {STARRED}"),
    "a broken plan": (
        "plan.yaml",
        f"cmek-plan: 1\n\tx: {SECRET}",
        ":2: found a tab in the indentation, expected YAML, which is indented by spaces alone",
    ),
    "a wrong head": (
        "plan.yaml",
        "cmek-plans: 1\norganizations: []\n",
        f":1: found {HEADLESS}, expected {PLAN.expectation}; add cmek-plan: 1",
    ),
    "an inventory": (
        "plan.yaml",
        f"cmek-inventory: 1\norganizations: [{{id: {SECRET}}}]\n",
        f":1: found an inventory, expected {PLAN.expectation}; {GOES}",
    ),
}


@pytest.mark.parametrize(("name", "text", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_says_nothing_of_what_it_is(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    """A file of any other kind is refused with what was found, and what a plan is."""
    [problem] = shown(written(tmp_path, name, text))
    assert problem == message
    assert SECRET not in problem


def test_what_is_no_state(tmp_path: Path) -> None:
    """Where a state is meant, a plan in YAML is sent to its option, and others are refused."""
    file = write_json(tmp_path / "a.json", plan_data())
    expected = f"{STATE.expectation}; give it as --cmek-plan"
    assert shown(file, STATE) == [f":1: found a plan in YAML, expected {expected}"]
    file = write_text(tmp_path / "b.yaml", "organizations: []")
    assert shown(file, STATE) == [f":1: found {HEADLESS}, expected {expected}"]
    file = write_text(tmp_path / "c.json", "[]")
    assert shown(file, STATE) == [f":1: found a list, expected {STATE.expectation}"]


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    """A plan in which something stands twice is refused: one of both would be lost."""
    text = WHOLE.replace('{"format', '{"resource_changes": [], "format', 1)
    found = "found a duplicate key, expected each key once"
    assert shown(write_text(tmp_path / "plan.json", text)) == [f":1: resource_changes: {found}"]


def test_a_plan_in_yaml(tmp_path: Path) -> None:
    """JSON is YAML, so that a Terraform plan may end in .yaml."""
    assert read_plan(write_text(tmp_path / "plan.yaml", WHOLE)).source.format == "terraform-plan"


# --- endings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plan", "saved.tfplan", "plan.out", "plan.jsonx"])
def test_files_with_other_endings(tmp_path: Path, name: str) -> None:
    """A plan whose ending says no format is refused by its ending."""
    expected = f".yaml, .yml or .json, such as written by: {PLAN.command}"
    file = write_text(tmp_path / name, WHOLE)
    assert shown(file) == [f": found the ending {Path(name).suffix!r}, expected {expected}"]


def test_what_is_not_there(tmp_path: Path) -> None:
    """A file that is missing is said to be, whatever its ending is."""
    for name in ("plan.json", "plan.bin"):
        message = [": found No such file or directory, expected a readable file"]
        assert shown(str(tmp_path / name)) == message


def test_what_is_no_file(tmp_path: Path) -> None:
    """A pipe or a folder of another ending is refused without being read: it may never end."""
    os.mkfifo(tmp_path / "pipe")
    [problem] = shown(str(tmp_path / "pipe"))
    assert problem.startswith(": found the ending '', expected .yaml, .yml or .json")
    (tmp_path / "plan.json").mkdir()
    for path in (tmp_path, tmp_path / "plan.json"):
        assert shown(str(path)) == [f": found a folder, expected {PLAN.expectation}"]


# --- whatever it is -------------------------------------------------------------------------------

RAW = [
    mistake.raw.encode() if isinstance(mistake.raw, str) else mistake.raw
    for mistake in (*MISTAKES.values(), Mistake(WHOLE, ""), Mistake(PRETTY, ""))
]


@examples(300)
@given(st.data())
def test_nothing_is_repeated(data: st.DataObject) -> None:
    """Mistakes of all kinds, cut and joined anyhow, are refused or read, and never repeated."""
    parts = data.draw(st.lists(st.sampled_from(RAW), min_size=1, max_size=3))
    raw = b"\n".join(part[: data.draw(st.integers(0, len(part)))] for part in parts)
    name = data.draw(st.sampled_from(["plan.json", "plan.yaml", "plan.bin"]))
    with tempfile.TemporaryDirectory() as folder:
        file = written(Path(folder), name, raw)
        for wanted in (PLAN, STATE):
            message = outcome(file, wanted)
            event("refused" if message else "read")
            assert SECRET not in message
            assert message.replace("\n", "").isprintable()


@examples(200)
@given(st.integers(1, len(PRETTY) - 1), st.sampled_from([WHOLE, PRETTY]))
def test_every_plan_that_was_cut_short(length: int, text: str) -> None:
    """Wherever a plan ends too early, it is said to."""
    with tempfile.TemporaryDirectory() as folder:
        [problem] = shown(written(Path(folder), "plan.json", text[: min(length, len(text) - 1)]))
    assert CUT[0] in problem or "found a comma after the last entry" in problem


# --- Terraform itself -----------------------------------------------------------------------------

OWN = f"""
variable "password" {{
  default = "{SECRET}"
}}
resource "terraform_data" "orders" {{
  input = var.password
}}
"""


@pytest.mark.skipif(TERRAFORM is None, reason="there is no Terraform here")
def test_what_terraform_prints(tmp_path: Path) -> None:
    """What the commands of Terraform print is recognized, and its plan and state are read."""
    write_text(tmp_path / "main.tf", OWN)
    (tmp_path / "empty.rc").touch()
    environment = {"TF_CLI_CONFIG_FILE": str(tmp_path / "empty.rc"), "CHECKPOINT_DISABLE": "1"}

    def run(*arguments: str) -> bytes:
        command: list[Any] = [TERRAFORM, *arguments]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=60,
        )
        return done.stdout

    def found(raw: bytes) -> str:
        [problem] = shown(written(tmp_path, "plan.json", raw))
        assert SECRET not in problem
        return problem.partition("found ")[2].partition(", expected")[0]

    assert found(run("show")) == PEOPLE[0]
    assert found(run("show", "-json")) == "a state, not a plan"
    assert found(run("init")) == PEOPLE[0]
    assert found(run("plan", "-out=plan.bin")) == PEOPLE[0]
    assert found((tmp_path / "plan.bin").read_bytes()) == SAVED[0]
    assert found(run("show", "plan.bin")) == PEOPLE[0]
    assert found(run("plan", "-json")) == LOGGED[0]
    assert found(run("show", "-json", "nowhere.bin")) == FAILED[0]
    assert read_plan(written(tmp_path, "plan.json", run("show", "-json", "plan.bin")))
    assert found(run("apply", "-no-color", "-auto-approve")) == PEOPLE[0]
    assert found(run("plan")) == PEOPLE[0]
    assert found(run("show")) == PEOPLE[0]
    assert found(run("state", "pull")) == "a raw Terraform state file"
    assert found(run("show", "-json")) == "a state, not a plan"
    assert read_state(written(tmp_path, "state.json", run("show", "-json")), TerraformSettings())


def test_a_state_is_read(tmp_path: Path) -> None:
    """What is what is wanted is read."""
    file = write_json(tmp_path / "state.json", state(held()))
    assert read_state(file, TerraformSettings()).source.role == "state"
