"""The first files: what they hold, that they can be read, and that none of them can pass."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from checks.engine.catalogue import load_rules
from checks.engine.waivers import Waiver, read_waivers
from cmek_audit.commands.start.answers import PIPELINES, Answers, Given, answers
from cmek_audit.commands.start.editor_schemas import SCHEMAS
from cmek_audit.commands.start.files import (
    PIPELINE_FILES,
    first_files,
    main_file,
    next_commands,
    notes,
    yaml_text,
)
from inventory.astra.config import read_organizations
from inventory.errors import SettingError
from inventory.inventory import Inventory
from tests.cmek_audit.helpers import ROOT
from tests.hypothesis_profile import examples

NOW = datetime(2026, 11, 28, 20, 0, tzinfo=UTC)
NAMES = ("acme-prod", 'Acme "Test": #1', "no")
CHECK = str(Path(sys.executable).with_name("check-jsonschema"))


def wanted(source: str = "recorded", pipeline: str = "none", *names: str) -> Answers:
    return answers(Given(source, names or NAMES, pipeline), may_ask=False)


def written(folder: Path, given_answers: Answers) -> Path:
    """Write the files of ``given_answers``, and return their folder."""
    for name, text in first_files(given_answers, NOW).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def sample(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("source", ["recorded", "live"])
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_which_files_there_are(source: str, pipeline: str) -> None:
    """There is the file that says what is audited, waivers, their schemas, and one pipeline."""
    kind = {"recorded": "inventory", "live": "organizations"}[source]
    schemas = {f".cmek-audit/{name}.schema.json" for name in (kind, "waivers")}
    pipelines = {PIPELINE_FILES[pipeline]} if pipeline != "none" else set()
    made = first_files(wanted(source, pipeline), NOW)
    assert set(made) == {f"{kind}.yaml", "waivers.yaml"} | schemas | pipelines
    assert main_file(wanted(source)) == f"{kind}.yaml"


def test_an_inventory(tmp_path: Path) -> None:
    """The inventory has each organization by its name, one key and one database, as an example."""
    file = written(tmp_path, wanted()) / "inventory.yaml"
    inventory = Inventory([str(file)])
    assert inventory.is_example
    found = [*inventory.organizations()]
    assert [organization.name for organization in found] == [*NAMES]
    for organization in found:
        assert [len(organization.keys or ()), len(organization.databases or ())] == [1, 1]
        (key,), (database,) = organization.keys or (), organization.databases or ()
        ids = (organization.id, key.key_id, database.id)
        assert all(id_.startswith("REPLACE-WITH-THE-ID-OF-") for id_ in ids if id_)


def test_an_organizations_file(tmp_path: Path) -> None:
    """The organizations file has each organization with the variable of its token, and no token."""
    file = written(tmp_path, wanted("live")) / "organizations.yaml"
    found = read_organizations(str(file)).organizations
    assert [organization.name for organization in found] == [*NAMES]
    assert [organization.token for organization in found] == [
        "ASTRA_TOKEN_ACME_PROD",
        "ASTRA_TOKEN_ACME_TEST_1",
        "ASTRA_TOKEN_NO",
    ]
    assert {str(organization.id)[:8] for organization in found} == {"REPLACE-"}


@pytest.mark.parametrize("source", ["recorded", "live"])
def test_what_is_in_comments_fits(tmp_path: Path, source: str) -> None:
    """The fields that are there as comments can be used by removing the sign of the comment."""
    file = written(tmp_path, wanted(source)) / main_file(wanted(source))
    head, _, body = file.read_text("utf-8").partition("organizations:\n")
    without_signs = re.sub(r"^( +)# ", r"\1", body, flags=re.MULTILINE)
    file.write_text(f"{head}organizations:\n{without_signs}", "utf-8")
    if source == "live":
        (organization, *_) = read_organizations(str(file)).organizations
        assert (organization.owner, len(organization.databases)) == ("platform@acme.example", 1)
        assert organization.keys[0].registered
    else:
        (recorded, *_) = Inventory([str(file)]).organizations()
        (key,) = recorded.keys or ()
        assert recorded.plan
        assert all((key.registered, key.rotation, key.usable))


def test_waivers(tmp_path: Path) -> None:
    """The file of waivers waives nothing; what it shows as a comment is the form of an approval."""
    file = written(tmp_path, wanted()) / "waivers.yaml"
    assert read_waivers([str(file)], [rule.card.id for rule in load_rules()]) == []
    for field in re.findall(r"^#     (\w+): ", file.read_text("utf-8"), re.MULTILINE):
        assert field in Waiver.model_fields


@pytest.mark.parametrize("source", ["recorded", "live"])
def test_editors_find_the_schema(tmp_path: Path, source: str) -> None:
    """The first line of a file names its schema by a path from the file, and the file fits it."""
    folder = written(tmp_path, wanted(source))
    for file in (folder / main_file(wanted(source)), folder / "waivers.yaml"):
        first, *_ = file.read_text("utf-8").splitlines()
        named = folder / first.removeprefix("# yaml-language-server: $schema=")
        assert named.read_bytes() == SCHEMAS[file.stem].path.read_bytes()
        data = yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)
        data[f"cmek-{file.stem}"] = 1
        if "example" in data:
            data["example"] = True
        Draft202012Validator(json.loads(named.read_bytes())).validate(data)


@given(st.text(min_size=1, max_size=40))
@examples(50)
def test_any_name_is_read_back(name: str) -> None:
    """Whatever an organization is called, the name is in the file as it is, or is refused."""
    try:
        given_answers = wanted("live", "none", name)
    except SettingError:
        return
    text = first_files(given_answers, NOW)["organizations.yaml"]
    assert yaml.safe_load(text)["organizations"][0]["name"] == name


@pytest.mark.parametrize(
    ("text", "written_as"),
    [
        ("acme-prod", "acme-prod"),
        ("Yes", '"Yes"'),
        ("2026", '"2026"'),
        ("a: b", '"a: b"'),
        ('say "a\\b"', '"say \\"a\\\\b\\""'),
        ("a\nb\u2028", '"a\\U0000000ab\\U00002028"'),
        ("Größe", '"Größe"'),
    ],
)
def test_texts_in_yaml(text: str, written_as: str) -> None:
    """A text that YAML could take for something else is in double quotes."""
    assert yaml_text(text) == written_as
    assert yaml.safe_load(written_as) == text


# --- pipelines ------------------------------------------------------------------------------------


def test_the_pipeline_of_a_recorded_inventory_on_github() -> None:
    """It is the documented workflow, as it is."""
    made = first_files(wanted("recorded", "github"), NOW)
    assert made[".github/workflows/cmek-audit.yml"] == sample("docs/workflows/recorded.yml")


def test_the_pipeline_of_a_live_audit_on_github() -> None:
    """It is the documented workflow of every night, with the tokens of these organizations."""
    made = first_files(wanted("live", "github"), NOW)[".github/workflows/cmek-audit.yml"]
    nightly = sample("docs/workflows/nightly.yml")
    lines = [line for line in nightly.splitlines() if "secrets.ASTRA_TOKEN" not in line]
    own = [line for line in made.splitlines() if "secrets.ASTRA_TOKEN" not in line]
    assert own == lines
    variables = ["ASTRA_TOKEN_ACME_PROD", "ASTRA_TOKEN_ACME_TEST_1", "ASTRA_TOKEN_NO"]
    tokens = {name: f"${{{{ secrets.{name} }}}}" for name in variables}
    (job,) = yaml.safe_load(made)["jobs"].values()
    assert [step["env"] for step in job["steps"] if step.get("id") == "audit"] == [tokens]


@pytest.mark.parametrize(
    ("source", "inputs"),
    [
        ("live", {"live": "organizations.yaml", "waivers": ["waivers.yaml"]}),
        ("recorded", {"inventory": ["inventory.yaml"], "waivers": ["waivers.yaml"]}),
    ],
)
def test_the_pipeline_on_gitlab(source: str, inputs: dict[str, object]) -> None:
    """It includes the documented component, with the files that are written."""
    made = first_files(wanted(source, "gitlab"), NOW)[".gitlab-ci.yml"]
    documented = yaml.safe_load(sample("docs/samples/gitlab-ci.yml"))["include"][0]
    assert yaml.safe_load(made) == {"include": [documented | {"inputs": inputs}]}


@pytest.mark.parametrize("source", ["recorded", "live"])
@pytest.mark.parametrize(
    ("pipeline", "schema"), [("github", "github-workflows"), ("gitlab", "gitlab-ci")]
)
@pytest.mark.slow
def test_pipelines_fit_their_schemas(
    tmp_path: Path, source: str, pipeline: str, schema: str
) -> None:
    """A pipeline is what its system asks for, and names no file that is not written."""
    folder = written(tmp_path, wanted(source, pipeline))
    file = folder / PIPELINE_FILES[pipeline]
    subprocess.run([CHECK, f"--builtin-schema=vendor.{schema}", "--quiet", str(file)], check=True)
    named = re.findall(
        r"^ +(?:live|inventory|waivers|plan): (.+)$", file.read_text("utf-8"), re.MULTILINE
    )
    files = {name.strip("[]") for name in named}
    assert {name for name in files if not (folder / name).is_file()} == set()
    assert main_file(wanted(source)) in files


# --- what to do next ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "change"),
    [(".", []), ("./", []), ("audit", ["cd audit"]), ("my audit", ["cd 'my audit'"])],
)
def test_the_commands(folder: str, change: list[str]) -> None:
    """The commands go to the folder, if it is another one, and audit what was written."""
    assert next_commands(wanted(), folder) == [
        *change,
        "cmek-audit audit --cmek-inventory=inventory.yaml --cmek-waivers=waivers.yaml",
    ]
    assert next_commands(wanted("live"), folder)[-1] == (
        "cmek-audit audit --cmek-live=organizations.yaml --cmek-history=audit-evidence "
        "--cmek-waivers=waivers.yaml"
    )


@pytest.mark.parametrize(
    ("source", "pipeline", "words"),
    [
        ("recorded", "none", ["REPLACE-… in inventory.yaml"]),
        ("recorded", "github", ["REPLACE-… in inventory.yaml", "replace OWNER"]),
        ("recorded", "gitlab", ["REPLACE-… in inventory.yaml", "In .gitlab-ci.yml, replace OWNER"]),
        ("live", "none", ["REPLACE-… in organizations.yaml", "ASTRA_TOKEN_ACME_PROD, ASTRA"]),
        ("live", "github", ["REPLACE-…", "ASTRA_TOKEN", "replace OWNER", "branch cmek-evidence"]),
        ("live", "gitlab", ["REPLACE-…", "ASTRA_TOKEN", "replace OWNER"]),
    ],
)
def test_the_notes(source: str, pipeline: str, words: list[str]) -> None:
    """The notes name all that is to be done by hand, and nothing else."""
    said = [*notes(wanted(source, pipeline))]
    assert len(said) == len(words)
    assert [word for word, note in zip(words, said, strict=True) if word not in note] == []
