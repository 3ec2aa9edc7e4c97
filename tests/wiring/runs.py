"""Real runs of the suite, each a process of its own, and what they leave behind."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from jsonschema import Draft202012Validator

from reports.formats import registry
from tests.builders import (
    ORGANIZATION,
    aws_key_id,
    database_data,
    document_data,
    key_data,
    organization_data,
    planned_data,
    uuid,
    write_text,
    write_yaml,
)
from tests.wiring.forked import ForkServer

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2026-11-21T02:00:00Z"
RECORD = {"audit.json", "findings.ndjson", "population.ndjson"}
RENDERED = {row.file for row in registry.RENDERED if row.is_default}
ALWAYS = tuple(row for row in registry.FORMATS if row.place and not row.no_file)
"""The formats of which every audit that asks for them leaves something."""

ALL_FILES = {*RECORD, *(row.place for row in ALWAYS)}
"""What an audit leaves that writes all of these; a format of several files leaves a folder."""

INSIDE = {
    "organizations": "acme.0123456789ab.html",
    "csv": "findings.csv",
    "hdf": "acme.0123456789ab.json",
}
"""A file of each folder, as an audit names it."""

DEFAULT_FILES = {
    *RECORD,
    *(row.file for row in registry.FORMATS if row.name in registry.DEFAULT),
}
FORMER = "of an earlier audit"
KEPT = {"notes.txt", "previous"}
"""What is in a report folder that was filled, once an audit has begun and left nothing."""

PARTIAL = "PARTIAL RUN, NOT AUDIT EVIDENCE"
EXAMPLE = "EXAMPLE, NOT AUDIT EVIDENCE"

HTML = ("pytest_metadata", "pytest_html")
XDIST = ("xdist",)
READ_AT_START = (
    *("PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONHASHSEED"),
    *("LC_ALL", "LC_CTYPE", "LANG"),
)
"""Variables that Python reads when it starts, so that a fork would not heed another value."""

_CI = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILD_URL", "CI_JOB_URL")


class Run(NamedTuple):
    """A run that has ended: its exit code, all it printed, and its report folder."""

    code: int
    out: str
    folder: Path

    @property
    def left(self) -> set[str]:
        """Return the names of all files and folders in the report folder."""
        return {entry.name for entry in self.folder.iterdir()} if self.folder.exists() else set()

    @property
    def previous(self) -> set[str]:
        """Return the names of the files of the audit before, if they are as it left them."""
        folder = self.folder / "previous"
        return {entry.name for entry in folder.iterdir() if _text(entry) == FORMER}

    @property
    def head(self) -> dict[str, Any]:
        head: dict[str, Any] = json.loads((self.folder / "audit.json").read_text())
        return head

    @property
    def misfits(self) -> list[str]:
        """Return what of the head does not fit the published schema."""
        schema = json.loads(
            (ROOT / "reports" / "record" / "schemas" / "audit.schema.json").read_bytes()
        )
        return [error.message for error in Draft202012Validator(schema).iter_errors(self.head)]

    @property
    def word(self) -> str:
        return str(self.head["verdict"]["outcome"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text("findings.ndjson").splitlines()]

    def text(self, name: str) -> str:
        return _text(self.folder / name)

    @property
    def junit(self) -> ET.Element:
        suite = ET.fromstring(self.text("junit.xml")).find("testsuite")
        assert suite is not None
        return suite


def run(
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    plugins: tuple[str, ...] = (),
) -> Run:
    """Run pytest, from the project's root if not told otherwise; its reports are in ``folder``.

    No plugins are loaded but those named: most runs need none, and start sooner without. A run is
    a fork of a process that has imported the suite, unless the environment speaks to Python itself,
    or the run is in another suite: its checks are not those that were imported.
    """
    words = ["-p", "no:cacheprovider", *(f"-p{name}.plugin" for name in plugins), *arguments]
    given = environment_of({"PYTHONWARNINGS": "error", **(environment or {})})
    is_usual = all(given.get(name) == _usual().get(name) for name in READ_AT_START)
    if is_usual and not (cwd != ROOT and (cwd / "checks").is_dir()):
        return Run(*_forks().run(words, given, cwd), folder)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=cwd,
        env=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Run(done.returncode, done.stdout + done.stderr, folder)


@cache
def _forks() -> ForkServer:
    """Start what runs are forked from; it ends with this process."""
    server = ForkServer(_usual())
    atexit.register(server.close)
    return server


def _usual() -> dict[str, str]:
    """Return the environment of most runs, in which every warning is an error."""
    return environment_of({"PYTHONWARNINGS": "error"})


def environment_of(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a run: this one without a CI's marks, and ``more``."""
    shown = {name: value for name, value in os.environ.items() if name not in _CI}
    shown |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return shown | {"COLUMNS": "200"} | dict(more)


def audit(
    folder: Path,
    inventory: object,
    *arguments: str,
    formats: str = "json",
    environment: Mapping[str, str] | None = None,
    plugins: tuple[str, ...] = (),
) -> Run:
    """Audit ``inventory``, a path or its data, as of ``AS_OF``; reports go to ``folder``/r."""
    return run(
        f"--cmek-inventory={saved(folder, inventory)}",
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={folder / 'r'}",
        f"--cmek-formats={formats}",
        *arguments,
        folder=folder / "r",
        environment=environment,
        plugins=(*(HTML if "results" in formats else ()), *plugins),
    )


ALL = ",".join(row.name for row in ALWAYS if row.kind != "record")


def saved(folder: Path, data: object, name: str = "inventory") -> str:
    """Write ``data`` as YAML, if it is no path yet, and return the path."""
    return data if isinstance(data, str) else write_yaml(folder / f"{name}.yaml", data)


def _text(path: Path) -> str:
    """Return the text of a file, or those of all files in a folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)


def plugin(folder: Path, text: str) -> tuple[str, dict[str, str]]:
    """Write a plugin of pytest; return the argument that loads it, and where it is found."""
    write_text(folder / "acme_plugin.py", text)
    return "-pacme_plugin", {"PYTHONPATH": str(folder)}


def prefill(folder: Path) -> None:
    """Put a file of each name that an audit writes into the report folder, and one that is ours."""
    (folder / "r").mkdir()
    for name in (*ALL_FILES, "notes.txt"):
        file = folder / "r" / name / INSIDE.get(name, "")
        file.parent.mkdir(exist_ok=True)
        write_text(file, FORMER)


# --- inventories, named by their verdict ----------------------------------------------------------


def whole_key(**over: object) -> dict[str, Any]:
    """Return a key of which everything is known, and all of it good."""
    good = {
        "registered": {"at": "2026-05-01T00:00:00Z", "by": "acme-security", "on": "2026-05-01"},
        "rotation": {"automatic": True, "by": "acme-security", "on": "2026-11-01"},
        "usable": {"usable": True, "by": "acme-security", "on": "2026-11-01"},
    }
    return {name: value for name, value in (key_data(**good) | over).items() if value is not None}


def compliant(**over: object) -> dict[str, Any]:
    """Return an inventory in which nothing is wrong and nothing unknown."""
    return document_data(organization_data(keys=[whole_key()]) | over)


def violating() -> dict[str, Any]:
    """Return one in which keys are missing, for an existing and for a planned database."""
    databases = [
        database_data(regions=["us-east-1", "us-east-2"]),
        planned_data(regions=["us-east-2"]),
    ]
    return compliant(databases=databases)


def unsettled() -> dict[str, Any]:
    """Return one in which nothing is wrong, but when the key was registered is not known."""
    return compliant(keys=[whole_key(registered=None)])


def advisory() -> dict[str, Any]:
    """Return one in which only an advisory rule fails: a key that no database uses."""
    unused = whole_key(region="us-west-2", key_id=aws_key_id("us-west-2", 2))
    return compliant(keys=[whole_key(), unused])


def unpaid() -> dict[str, Any]:
    """Return one in which a single finding fails, of medium severity: the plan is not paid."""
    return compliant(plan={"paid": False, "by": "acme-security", "on": "2026-11-01"})


def mixed() -> dict[str, Any]:
    """Return one with findings of every status, the waived one being that of ``unpaid``."""
    return compliant(
        plan=unpaid()["organizations"][0]["plan"],
        keys=[
            whole_key(registered=None),
            whole_key(region="us-west-2", key_id=aws_key_id("us-west-2", 2)),
        ],
        databases=[
            database_data(regions=["us-east-1", "us-east-2"]),
            planned_data(regions=["us-east-2"]),
            database_data(
                id=uuid(3),
                name="acme-scratch",
                regions=["eu-west-1"],
                encryption="astra-provided",
                reason="holds nothing but test data",
            ),
        ],
    )


def waiver_data(**over: object) -> dict[str, Any]:
    """Return a waiver for the plan of ``unpaid``."""
    return {
        "id": "W-1",
        "rule": "CMEK-08",
        "subject": ORGANIZATION,
        "cause": "unpaid",
        "reason": "the contract is being signed",
        "requested_by": "acme-platform",
        "approved_by": "acme-security",
        "requested_on": "2026-11-01",
        "approved_on": "2026-11-02",
        "expires_on": "2027-03-01",
        "compensating_control": "none",
        "ticket": "ACME-17",
    } | over


def waivers(folder: Path, **over: object) -> str:
    """Write a waiver for the plan of ``unpaid``, and return the option that takes it."""
    data = {"cmek-waivers": 1, "waivers": [waiver_data(**over)]}
    return f"--cmek-waivers={write_yaml(folder / 'waivers.yaml', data)}"
