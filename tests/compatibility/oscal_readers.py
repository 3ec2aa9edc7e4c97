"""Readers of OSCAL by others: ``python -m tests.compatibility.oscal_readers``.

Each is installed by pip into an environment that is thrown away, and reads the documents of the
bundled example. They are no dependencies of the tests: one of them needs a certain version of
Jinja2, and the other a newer Python than the suite.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reports.formats.registry import RENDERABLE
from tests.compatibility.environments import ROOT, Environment, make

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {
    RENDERABLE["oscal"].file: "assessment_results:AssessmentResults",
    RENDERABLE["oscal-poam"].file: "poam:PlanOfActionAndMilestones",
}
READ = """
import sys
from importlib import import_module
from pathlib import Path
module, name = sys.argv[2].split(":")
read = getattr(import_module(f"trestle.oscal.{module}"), name).oscal_read(Path(sys.argv[1]))
sys.exit(read is None)
"""
_COUNTS = re.compile(r"^[0-9]+ finding\(s\): (.*)$", re.MULTILINE)


def by_trestle(environment: Environment, file: Path) -> str:
    """Let compliance-trestle read a document into its models."""
    done = environment.run("python", "-c", READ, str(file), FILES[file.name])
    return f"refused: {done.stderr.strip()[-200:]}" if done.returncode else "read"


def by_validator(environment: Environment, file: Path) -> str:
    """Let oscal-validate check a document by NIST's constraints; return what it counts."""
    done = environment.run("oscal-validate", str(file))
    counts = _COUNTS.search(done.stdout)
    return counts[1] if counts else f"no result: {done.stderr.strip()[-200:]}"


READERS: dict[str, tuple[tuple[int, int], Callable[[Environment, Path], str]]] = {
    "compliance-trestle": ((3, 11), by_trestle),
    "oscal-validate": ((3, 12), by_validator),
}
"""The readers, each with the oldest Python that it runs on."""


def main() -> int:
    """Print a line for each reader and document; return 1 if one is refused."""
    refused = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _audit(folder / "r")
        for name, (oldest, check) in READERS.items():
            if sys.version_info[:2] < oldest:
                print(f"| {name} | | needs Python {'.'.join(map(str, oldest))} |")
                continue
            environment = make(folder / "environment", name)
            for file in FILES:
                found = check(environment, folder / "r" / file)
                refused += not found.startswith(("read", "0 ERROR, 0 WARNING"))
                print(f"| {name} {environment.version(name)} | {file} | {found} |")
    return 1 if refused else 0


def _audit(folder: Path) -> None:
    """Audit the bundled example, which is not compliant."""
    words = (f"--cmek-report-dir={folder}", "--cmek-formats=oscal,oscal-poam")
    command = [sys.executable, "-m", "cmek_audit", "audit", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 1:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    sys.exit(main())
