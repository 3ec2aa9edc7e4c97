"""Real runs of Terraform over configurations of Astra, with a small provider of the vendor's shape.

Terraform finds the provider in a folder that mirrors its registry, and asks no other. In place of
Astra there is a file.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.builders import uuid
from tests.inventory.terraform.provider.cloud import Cloud

if TYPE_CHECKING:
    from tests.inventory.terraform.recordings import Scene

ROOT = Path(__file__).parents[3]
TERRAFORM = shutil.which("terraform")
VERSION = "1.11.4"
"""The version by which what is recorded was made."""

AT = "2026-11-20T01:00:00Z"
ORGANIZATIONS = {"astra": uuid(1), "astra.eu": uuid(2)}
_TOKENS = {"sham": uuid(1), "sham-eu": uuid(2)}
_SOURCE = "example.test/datastax/astra"
"""The address of the provider; nothing is asked there, as a folder mirrors it."""

_UNORDERED: dict[str, Callable[[Any], str]] = {
    "child_modules": itemgetter("address"),
    "relevant_attributes": json.dumps,
}
"""The lists that Terraform prints in any order, each with what they are sorted by."""

_VERSIONS = {"2.0.0": "", "1.0.0": "--first"}
_REQUIRED = f"""terraform {{
  required_providers {{
    astra = {{
      source = "{_SOURCE}"
    }}
  }}
}}
"""
Ended = subprocess.CompletedProcess[str]


class Workspace:
    """A folder in which Terraform runs, with an Astra of its own.

    Attributes:
        cloud: what is in place of Astra.
    """

    def __init__(self, folder: Path, mirror: Path) -> None:
        """Take an empty folder, and the folder in which Terraform finds the provider."""
        self._folder = folder / "configuration"
        self._folder.mkdir()
        self._file = folder / "astra.json"
        self._mirror = mirror
        self.cloud = Cloud.empty(self._file, _TOKENS)

    def configure(self, source: Path) -> None:
        """Put a configuration into the folder, and let Terraform find what it needs."""
        for old in [*self._folder.rglob("*.tf"), *self._folder.rglob("*.tf.json")]:
            old.unlink()
        shutil.copytree(source, self._folder, dirs_exist_ok=True)
        for folder in {path.parent for path in self._folder.rglob("*.tf*")}:
            if not any("required_providers" in path.read_text() for path in folder.glob("*.tf*")):
                (folder / "versions.tf").write_text(_REQUIRED)
        self.run("init")

    def run(self, command: str, *arguments: str, may_fail: bool = False) -> Ended:
        """Run a command of Terraform, which has to succeed if nothing else is said."""
        if TERRAFORM is None:
            message = "there is no Terraform here"
            raise RuntimeError(message)
        asks = () if command == "show" else ("-input=false", "-no-color")
        line = [TERRAFORM, command, *asks, *arguments]
        done = subprocess.run(
            line,
            cwd=self._folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0 or may_fail, done.stderr
        return done

    def printed(self, *arguments: str) -> dict[str, Any]:
        """Return what Terraform prints of the state, or of a saved plan."""
        return _normal(self.run("show", "-json", *arguments).stdout)

    def _environment(self) -> dict[str, str]:
        return _environment() | {
            "TF_CLI_CONFIG_FILE": str(self._mirror / "terraform.rc"),
            "TF_DATA_DIR": str(self._folder.parent / "data"),
            "TF_IN_AUTOMATION": "1",
            "HOME": str(self._mirror),  # where the provider keeps its certificate
            "ASTRA_STAND_IN": str(self._file),
            "ASTRA_API_TOKEN": "sham",
        }


def show(scene: Scene, workspace: Workspace) -> dict[str, Any]:
    """Let Terraform plan, or apply, a scene; return what it prints of that."""
    if (scene.folder / "before").exists():
        workspace.configure(scene.folder / "before")
        workspace.run("apply", "-auto-approve")
    if scene.outside is not None:
        scene.outside(workspace.cloud)
    if scene.is_state:
        return workspace.printed()
    workspace.configure(scene.source)
    workspace.run("plan", "-out=saved", *scene.flags, may_fail=scene.name == "errored")
    return workspace.printed("saved")


# --- what Terraform needs -------------------------------------------------------------------------


def write_mirror(folder: Path) -> Path:
    """Write the provider, in both versions, where Terraform finds it; return the folder."""
    for version, argument in _VERSIONS.items():
        place = folder / "mirror" / _SOURCE / version / _platform()
        place.mkdir(parents=True)
        program = place / f"terraform-provider-astra_v{version}"
        words = [sys.executable, "-P", "-m", "tests.inventory.terraform.provider", argument]
        line = f"PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.join(filter(None, words))}"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
    path = json.dumps(str(folder / "mirror"))
    settings = f"provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n"
    (folder / "terraform.rc").write_text(settings)
    return folder


def _platform() -> str:
    assert TERRAFORM is not None
    line = [TERRAFORM, "version", "-json"]
    done = subprocess.run(line, env=_environment(), capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["platform"])


def _environment() -> dict[str, str]:
    """Return the environment without what somebody has set for Terraform, and without a check."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return kept | {"CHECKPOINT_DISABLE": "1"}


# --- what differs from run to run -----------------------------------------------------------------


def _normal(text: str) -> dict[str, Any]:
    """Return what was printed, without what is another one in each run."""
    text = json.dumps(json.loads(text, object_hook=_in_order))
    ids = dict.fromkeys(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
    made = [identity for identity in ids if not identity.startswith("00000000-")]
    for number, identity in enumerate(made, 1):
        text = text.replace(identity, f"00000000-0000-4000-8000-0000000d{number:04x}")
    printed: dict[str, Any] = json.loads(text)
    return printed | ({"timestamp": AT} if "timestamp" in printed else {})


def _in_order(data: dict[str, Any]) -> dict[str, Any]:
    """Sort what Terraform prints in any order."""
    for name, key in _UNORDERED.items():
        if name in data:
            data[name] = sorted(data[name], key=key)
    return data
