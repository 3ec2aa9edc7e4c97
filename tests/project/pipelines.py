"""The pipelines' files, and their scripts run as a runner would run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests.wiring.runs import environment_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
ACTION = "action.yml"
COMPONENT = "templates/cmek-audit.yml"
NIGHTLY = "docs/workflows/nightly.yml"
PULL_REQUEST = "docs/workflows/pull-request.yml"
RECORDED = "docs/workflows/recorded.yml"
PAGE = "docs/pipelines.md"
HOOKS = ".pre-commit-hooks.yaml"

FAKE = """\
#!{python}
import json, os, sys
with open(os.environ["FAKE_LOG"], "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
print(os.environ.get("FAKE_PRINTS", ""))
print(sys.argv[1], file=sys.stderr)
folder = [each.partition("=")[2] for each in sys.argv if each.startswith("--cmek-report-dir=")]
word = os.environ.get("FAKE_WORD", "")
if sys.argv[1] == "audit" and word:
    os.makedirs(folder[-1], exist_ok=True)
    with open(folder[-1] + "/audit.json", "w") as file:
        json.dump({{"verdict": {{"outcome": word}}}}, file)
sys.exit(int(os.environ.get("FAKE_CODE", "0")) if sys.argv[1] == "audit" else 0)
"""
REAL = """\
#!/bin/sh
PYTHONPATH="{root}" exec "{python}" -m cmek_audit "$@"
"""


class Done(NamedTuple):
    """A script that has ended: its exit code, and what it printed where."""

    code: int
    out: str
    err: str


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def loaded(name: str) -> Any:  # noqa: ANN401 (whatever the file holds)
    return yaml.safe_load(read(name))


def action_steps() -> dict[str, dict[str, Any]]:
    """Return the action's steps by name, or by what they use."""
    return {step.get("name") or step["uses"]: step for step in loaded(ACTION)["runs"]["steps"]}


def job_steps(name: str) -> dict[str, dict[str, Any]]:
    """Return the steps of a workflow's one job, likewise."""
    (job,) = loaded(name)["jobs"].values()
    return {step.get("name") or step["uses"]: step for step in job["steps"]}


def component() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs of the GitLab component, and its one job with their defaults put in."""
    head, _, body = read(COMPONENT).partition("\n---\n")
    inputs = yaml.safe_load(head)["spec"]["inputs"]
    return inputs, job_of(body, {name: each["default"] for name, each in inputs.items()})


def job_of(body: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put ``values`` in as GitLab does, text into text, and return the one job."""
    text = re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda match: _text(values[match[1]]), body)
    ((_, job),) = yaml.safe_load(text).items()
    made: dict[str, Any] = job
    return made


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def scripts() -> Iterator[tuple[str, str, str]]:
    """Yield each script: the file, the step's name, and the text."""
    for name in (ACTION, NIGHTLY, PULL_REQUEST):
        steps = action_steps() if name == ACTION else job_steps(name)
        yield from ((name, title, step["run"]) for title, step in steps.items() if "run" in step)


def install(place: Path, text: str) -> Path:
    """Put a stand-in for the installed command into ``place``/cmek-audit, as a venv has it."""
    folder = place / "cmek-audit/bin"
    folder.mkdir(parents=True)
    (folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "cmek-audit").write_text(text.format(python=sys.executable, root=ROOT))
    for file in folder.iterdir():
        file.chmod(0o755)
    return folder


def shell(script: str, folder: Path, environment: Mapping[str, str], program: str = "bash") -> Done:
    """Run a script in ``folder``, as a runner does."""
    shown = environment_of(environment)
    done = subprocess.run(
        [program, "-e", "-c", script],
        cwd=folder,
        env={name: value for name, value in shown.items() if not name.startswith("GIT_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)


class Runner:
    """A made-up runner, with one folder for everything.

    Attributes:
        folder: the workspace.
        summary: the file of the job's summary.
    """

    def __init__(self, place: Path, command: str) -> None:
        self.folder = place / "workspace"
        self.folder.mkdir(exist_ok=True)
        install(place, command)
        self._log, self._output = place / "log", place / "output"
        self.summary = place / "summary.md"
        self._environment = {
            "RUNNER_TEMP": str(place),
            "GITHUB_OUTPUT": str(self._output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "FAKE_LOG": str(self._log),
        }

    def audit(self, inputs: Mapping[str, str] | None = None, **environment: str) -> Done:
        """Run the step that audits, with the inputs' defaults but for ``inputs``."""
        inputs_of = loaded(ACTION)["inputs"]
        values = {name: each.get("default", "") for name, each in inputs_of.items()}
        given = values | ({"inventory": "inventory.yaml"} if inputs is None else dict(inputs))
        return self._run("Audit", given, environment)

    def sum_up(self, inputs: Mapping[str, str]) -> Done:
        """Run the step before it, which sums up old bundles."""
        return self._run("Sum up old bundles", {"evidence-dir": ""} | dict(inputs), {})

    def summarize(self) -> Done:
        """Run the step after it, with what the audit told."""
        return self._run("Summary", {}, {})

    def _run(self, name: str, inputs: Mapping[str, str], more: Mapping[str, str]) -> Done:
        step = action_steps()[name]
        shown = {key: self._value(text, inputs) for key, text in step["env"].items()}
        return shell(step["run"], self.folder, self._environment | shown | dict(more))

    def _value(self, text: str, inputs: Mapping[str, str]) -> str:
        """Return the value of the one expression that ``text`` is."""
        (kind, name) = re.fullmatch(
            r"\$\{\{ (inputs|steps\.audit\.outputs)\.([a-z-]+) \}\}", text
        ).groups()  # type: ignore[union-attr]
        return inputs[name] if kind == "inputs" else self.outputs.get(name, "")

    @property
    def outputs(self) -> dict[str, str]:
        """Return what a step told its runner; the last word counts."""
        lines = self._output.read_text().splitlines() if self._output.exists() else []
        return dict(line.split("=", 1) for line in lines)

    @property
    def calls(self) -> list[list[str]]:
        """Return the words of each call of the command."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder``, and return what it printed."""
    named = ("-c", "user.name=acme", "-c", "user.email=acme@acme.example")
    done = subprocess.run(
        ["git", *named, *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
