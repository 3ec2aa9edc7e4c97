"""The README's pipeline runs as it is written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "inventory" / "examples" / "terraform"
TERRAFORM = f"""#!/bin/sh
# Stands in for Terraform, whose provider for Astra no test can fetch.
case "$*" in
    "plan -out=plan.bin") : > plan.bin ;;
    "show -json plan.bin") test -f plan.bin && cat "{EXAMPLE}/plan.json" ;;
    *) exit 64 ;;
esac
"""


def readme() -> tuple[str, list[str]]:
    """Return the inventory that the README shows, and the commands before a deployment."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.split("\n## Before a deployment\n")[1].split("\n## ")[0]
    (inventory,) = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (block,) = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return inventory, block.splitlines()


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Make the folder that the README speaks of: a configuration, an inventory, an environment."""
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "plan.json").unlink()
    (tmp_path / "acme.yaml").write_text(readme()[0], "utf-8")
    script(tmp_path / "bin" / "terraform", TERRAFORM)
    command = f'#!/bin/sh\nexec "{sys.executable}" -m cmek_audit "$@"\n'
    script(tmp_path / ".venv" / "bin" / "cmek-audit", command)
    return tmp_path


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    command = ["sh", "-c", line]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_commands_before_a_deployment(workplace: Path) -> None:
    """Planning succeeds, the key plan and the audit stop, and each says which keys are missing."""
    made, keys, audit = (run(line, workplace) for line in readme()[1])
    assert (made.returncode, made.stderr) == (0, "")
    assert (keys.returncode, keys.stderr) == (1, "")
    assert audit.returncode == 1, audit.stdout + audit.stderr
    for region in ("eu-west-1", "us-west-2"):
        assert region in keys.stdout
        assert re.search(f"Serverless on AWS, [a-z0-9 -]*{region}", " ".join(audit.stdout.split()))


def test_findings_lead_to_the_configuration(workplace: Path) -> None:
    """The planned databases without a key are found at the file and line that configure them."""
    for line in readme()[1]:
        run(line, workplace)
    lines = (workplace / "main.tf").read_text("utf-8").splitlines()
    wanted = {
        ("main.tf", 1 + lines.index(f'resource "astra_database" "{name}" {{'))
        for name in ("orders", "search")
    }
    findings = (workplace / "audit-report" / "findings.ndjson").read_text("ascii").splitlines()
    failed = [json.loads(finding) for finding in findings if finding.startswith('{"status":"fail"')]
    found = {tuple(each["evidence"][0][:2]) for each in failed if each["rule"] == "CMEK-05"}
    assert found >= wanted
