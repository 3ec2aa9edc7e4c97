"""The commands on the pages run as they are written, in a copy of the examples and offline."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from inventory.astra.collector import collect
from inventory.astra.config import read_organizations
from tests.astra.server import serve
from tests.cmek_audit.helpers import FLEET, ROOT, organizations
from tests.wiring.runs import environment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
EXAMPLES = ROOT / "inventory/examples"

CANNOT_RUN = {
    r"--cmek-live|cmek-audit collect": "asks Astra, with a token",
    r"--cmek-kms=": "asks a cloud, with credentials",
    r"[dD][aA][sS][kK]": "needs a cluster",
    r"pip install|venv \.venv": "installs packages",
    r"^(docker|kubectl|systemctl|git) ": "changes a machine or a repository",
    r"^terraform apply": "changes the cloud",
    r"benchmarks/": "measures for minutes",
    r"tests\.compatibility": "makes environments",
    r"bin/pytest tests": "runs the project's own tests",
    r"^(gh|cosign) ": "is a program of others, which has an account or a key of its own",
    r"_CMEK_AUDIT_COMPLETE": "is for the start-up file of a shell",
    r"--cmek-inventory looks\.yaml": "needs the form that somebody has filled in",
    r"manifest\.json": "is run inside of a bundle, as another test does",
}
"""Patterns of what is not run, each with the reason."""

PROGRAMS = ("jq", "openssl", "unzip", "zcat")
"""Programs of others, without which a command is not run."""

JUDGE = {"audit", "keys", "portal", "merge", "diff"}
"""The commands that end with 1 for what they find; all others have to end with 0."""

TERRAFORM = """\
#!/bin/sh
# Stands in for Terraform, whose provider for Astra no test can fetch.
case "$*" in
    "plan -out=plan.bin") : > plan.bin ;;
    "show -json plan.bin") cat inventory/examples/terraform/plan.json ;;
    "show -json") echo '{"format_version": "1.0", "terraform_version": "1.11.0"}' ;;
    *) exit 64 ;;
esac
"""


class Statement(NamedTuple):
    """A command of a page.

    Attributes:
        text: as the page has it, over one line or several.
        reason: why it is not run; empty if it is.
    """

    text: str
    reason: str

    @property
    def most(self) -> int:
        """Return the greatest exit code with which it does what the page says."""
        words = re.findall(r"(?:cmek-audit|bin/pytest) ?([a-z]*)", self.text)
        return int(any(word in JUDGE or "bin/pytest" in self.text for word in words))


def statements(page: Path) -> list[Statement]:
    """Return the commands of a page in their order, without those of files that it shows."""
    text = re.sub(
        r"<!-- file: .*?<!-- end of file -->", "", page.read_text("utf-8"), flags=re.DOTALL
    )
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [_classified(command) for block in blocks for command in _commands(block)]


def _commands(block: str) -> Iterator[str]:
    """Yield the commands of a block: a line, or as many as belong together."""
    pending = ""
    for line in block.splitlines():
        pending += f"{line}\n"
        if pending.strip() and _is_whole(pending):
            yield pending
            pending = ""
    assert not pending.strip(), f"no end: {pending}"


def _is_whole(text: str) -> bool:
    if text.rstrip().endswith(("\\", "|", "&&")):
        return False
    try:
        shlex.split(text, comments=True)
    except ValueError:  # a quotation that is not closed
        return False
    return True


def _classified(text: str) -> Statement:
    reasons = [reason for pattern, reason in CANNOT_RUN.items() if re.search(pattern, text)]
    reasons += [
        f"needs {name}, which is missing here"
        for name in PROGRAMS
        if re.search(rf"\b{name} ", text) and shutil.which(name) is None
    ]
    return Statement(text, "; ".join(reasons))


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)


def shell(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    shown = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(folder / "step.md"),
    }
    return subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env=environment_of(shown),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the examples, the programs, and what earlier nights left behind."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
    shutil.copytree(EXAMPLES, folder / "inventory/examples")
    shutil.copytree(EXAMPLES / "terraform", folder, dirs_exist_ok=True)
    shutil.copy(ROOT / "docs/plan-without-secrets.jq", folder)
    start = f'#!/bin/sh\nexec "{sys.executable}" -m cmek_audit '
    for name, words in (("cmek-audit", '"$@"'), ("pytest", 'audit "$@"')):
        script(folder / ".venv/bin" / name, f"{start}{words}\n")
        script(folder / "bin" / name, f"{start}{words}\n")
    script(folder / "bin/terraform", TERRAFORM)
    _earlier_nights(folder)
    return folder


def _earlier_nights(folder: Path) -> None:
    """Leave bundles, and reports of earlier audits, where the pages have them."""
    with serve(FLEET) as server:
        wanted = read_organizations(organizations(folder / "bin", server.address))
        for _ in range(2):
            collect(wanted, str(folder / "audit-evidence"), FLEET.environment)
    audits = (
        "cmek-audit audit --cmek-inventory acme-history.yaml --cmek-report-dir last-night",
        "cmek-audit audit --cmek-inventory acme.yaml --cmek-baseline last-night/audit.json",
    )
    for audit in audits:
        done = shell(folder, audit)
        assert done.returncode == 1, done.stderr
    for name in ("audits/2026-11-19", "reports/2026-11-19"):
        shutil.copytree(folder / "last-night", folder / name)
    shutil.copytree(folder / "audit-report", folder / "audits/2026-11-20")


def bundle_named(text: str, folder: Path) -> str:
    """Return ``text`` with the name of a bundle that is there, in the place of the one it shows."""
    *_, last = sorted((folder / "audit-evidence").glob("2*"))
    return re.sub(r"audit-evidence/2026-11-20T02-00-0\dZ", f"audit-evidence/{last.name}", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page(page: Path, prepared: Path, tmp_path: Path) -> None:
    """The commands of a page end with 0, or with 1 where they judge, one after the other."""
    wanted = [statement for statement in statements(page) if not statement.reason]
    if not wanted:
        pytest.skip("no command that can be run")
    folder = shutil.copytree(prepared, tmp_path / "copy")
    codes, lines = folder / "codes", []
    for statement in wanted:
        lines += [bundle_named(statement.text, folder), f'echo "$?" >> {shlex.quote(str(codes))}']
    done = shell(folder, "\n".join(lines))
    ended = list(map(int, codes.read_text().split()))
    assert len(ended) == len(wanted), done.stderr
    codes_of = zip(wanted, ended, strict=True)
    assert [(command.text, code) for command, code in codes_of if code > command.most] == [], (
        done.stderr
    )
    assert "Traceback" not in done.stderr


def test_reasons_are_needed() -> None:
    """Each reason not to run a command is that of one on some page."""
    texts = [statement.text for page in PAGES for statement in statements(page)]
    unused = [
        pattern for pattern in CANNOT_RUN if not any(re.search(pattern, text) for text in texts)
    ]
    assert unused == []


def test_most_commands_run() -> None:
    """The pages have more commands of this suite that run than such that do not."""
    own = [
        statement
        for page in PAGES
        for statement in statements(page)
        if re.search("cmek-audit |bin/pytest", statement.text)
    ]
    assert sum(not statement.reason for statement in own) > len(own) / 2
