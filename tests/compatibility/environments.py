"""Throw-away environments, and what an audit comes to in one of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2026-11-21T02:00:00Z"
INVENTORIES = {
    "compliant": ("--cmek-inventory=inventory/examples/compliant.yaml",),
    "not compliant": (),  # the bundled example
}
_NOT_HANDED_ON = re.compile(r"(PYTEST|PYTHON|VIRTUAL_ENV|GITHUB_|GITLAB_|JENKINS_|CI$|CI_|BUILD_)")
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


class Environment(NamedTuple):
    """A virtual environment: the folder that holds it."""

    folder: Path

    def run(
        self, *command: str, more: Mapping[str, str] | None = None, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in the project's root."""
        shown = {name: each for name, each in os.environ.items() if not _NOT_HANDED_ON.match(name)}
        shown |= {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", **(more or {})}
        return subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            cwd=ROOT,
            env=shown,
            capture_output=True,
            text=True,
            check=check,
            timeout=300,
        )

    def install(self, *words: str) -> str:
        """Install by pip; return why that is not possible, or nothing."""
        done = self.run("python", "-m", "pip", "install", "-q", *words)
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        return (errors or [done.stderr])[0] if done.returncode else ""

    def version(self, package: str) -> str:
        """Return the version of an installed package."""
        code = f"from importlib.metadata import version; print(version({package!r}))"
        return self.run("python", "-c", code, check=True).stdout.strip()


def make(folder: Path, *words: str) -> Environment:
    """Make an environment in ``folder``, and install there what pip's ``words`` say."""
    venv.create(folder, clear=True, with_pip=True)
    made = Environment(folder)
    if problem := made.install("--disable-pip-version-check", *words):
        sys.exit(problem)
    return made


class Outcome(NamedTuple):
    """What an audit left behind, without what differs from run to run.

    Attributes:
        code: the exit code.
        files: the names of the files in the report folder.
        head: the record's head, without the block of the run; None if there is none.
        findings: the record's findings.
        junit: what the JUnit file says of the whole: its verdict, banners and numbers.
        last_lines: what the terminal shows at the end, from the numbers of findings on.
        mentions: which files for people hold the text of the verdict.
    """

    code: int
    files: frozenset[str]
    head: dict[str, Any] | None
    findings: str
    junit: Mapping[str, str]
    last_lines: tuple[str, ...]
    mentions: frozenset[str]

    def differences(self, other: Outcome) -> list[str]:
        """Name what is not the same in ``other``, with its value where that is short."""
        pairs = zip(self._fields, self, other, strict=True)
        return [
            name if name in {"head", "findings"} else f"{name}: {_difference(mine, theirs)}"
            for name, mine, theirs in pairs
            if mine != theirs
        ]


def _difference(mine: object, theirs: object) -> str:
    if isinstance(mine, frozenset) and isinstance(theirs, frozenset):
        return f"missing {sorted(mine - theirs)}, more {sorted(theirs - mine)}"
    if isinstance(mine, dict) and isinstance(theirs, dict):
        names = sorted(name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name))
        return ", ".join(f"{name} {theirs.get(name)!r}, not {mine.get(name)!r}" for name in names)
    return f"{theirs!r}, not {mine!r}"


def audit(
    environment: Environment, folder: Path, command: str, *arguments: str, **more: str
) -> Outcome:
    """Audit by ``command``, which is ``cmek-audit`` or ``pytest``, with reports in ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    first = ("cmek-audit", "audit") if command == "cmek-audit" else ("python", "-m", "pytest")
    options = (f"--cmek-report-dir={folder}", f"--cmek-as-of={AS_OF}")
    checks = () if command == "cmek-audit" else ("checks",)
    done = environment.run(*first, *checks, *options, *arguments, more=more)
    return _outcome(done, folder)


def _outcome(done: subprocess.CompletedProcess[str], folder: Path) -> Outcome:
    files = folder.iterdir() if folder.is_dir() else ()
    texts = {file.name: file.read_text("utf-8") for file in files if file.is_file()}
    head = json.loads(texts["audit.json"]) if "audit.json" in texts else None
    if head:
        del head["run"]
    verdict = head["verdict"]["text"] if head else "no verdict"
    names = frozenset(name for name, text in texts.items() if verdict.partition(":")[0] in text)
    return Outcome(
        done.returncode,
        frozenset(texts),
        head,
        texts.get("findings.ndjson", ""),
        _junit(texts.get("junit.xml", "")),
        _last_lines(_COLORS.sub("", done.stdout or done.stderr)),
        names,
    )


def _junit(text: str) -> dict[str, str]:
    suite = ET.fromstring(text).find("testsuite") if text else None
    if suite is None:
        return {}
    properties = suite.iterfind("properties/property")
    shown = {prop.get("name", ""): prop.get("value", "") for prop in properties}
    numbers = ("tests", "failures", "errors", "skipped")
    return {name: suite.get(name, "") for name in numbers} | {
        name: shown.get(name, "") for name in ("verdict", "banner", "findings", "report")
    }


def _last_lines(text: str) -> tuple[str, ...]:
    lines = [line.rstrip() for line in text.splitlines()]
    starts = [number for number, line in enumerate(lines) if line.startswith("Checks: ")]
    return tuple(lines[starts[-1] :] if starts else lines[-3:])
