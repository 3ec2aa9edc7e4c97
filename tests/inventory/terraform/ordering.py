"""A real run of Terraform in which some resources wait for keys, and the order in which it went.

Terraform knows ``terraform_data`` by itself, so no provider is needed: a key is one named ``key``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.terraform.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "ordered"
RECORDED = FOLDER / "recorded.json"
TERRAFORM = shutil.which("terraform")
_EMPTY = {"version": 4, "serial": 1, "lineage": "empty", "outputs": {}, "resources": []}


class Run(NamedTuple):
    """What Terraform planned and did.

    Attributes:
        configuration: the part of the plan that the order is read from.
        instances: address, module, type and name of each managed instance in the plan.
        events: when each was started and complete: the event and the address, in order.
    """

    configuration: dict[str, Any]
    instances: list[tuple[str, str, str, str]]
    events: list[tuple[str, str]]

    @property
    def keys(self) -> list[Resource]:
        """Return the keys of the plan."""
        return [instance(*place) for place in self.instances if place[-1] == "key"]

    @property
    def others(self) -> list[Resource]:
        """Return everything else in the plan."""
        return [instance(*place) for place in self.instances if place[-1] != "key"]

    def waited(self, address: str, key: str) -> bool | None:
        """Say whether one was started when the key was complete; None if it was not started."""
        if ("start", address) not in self.events:
            return None
        return self.events.index(("start", address)) > self.events.index(("complete", key))


def instance(address: str, module: str, kind: str, name: str) -> Resource:
    """Return a resource of a plan, of which only its place matters."""
    return Resource(address, module, kind, name, 0, frozenset(), None, None)


def at(address: str) -> Resource:
    """Return the instance at ``address``."""
    found = re.fullmatch(r"(?:(module\..+)\.)?(\w+)\.(\w+)(\[.+\])?", address)
    assert found is not None, address
    return instance(address, found[1] or "", found[2], found[3])


def recorded() -> Run:
    """Return the run that was recorded."""
    data = json.loads(RECORDED.read_text("utf-8"))
    pairs = [(str(event), str(address)) for event, address in data["events"]]
    places = [(str(a), str(b), str(c), str(d)) for a, b, c, d in data["instances"]]
    return Run(data["configuration"], places, pairs)


def record(found: Run) -> None:
    """Write down what Terraform planned and did."""
    RECORDED.write_text(json.dumps(found._asdict(), indent=1) + "\n", "utf-8")


def run(folder: Path) -> Run:
    """Let Terraform apply what was before, plan what is after, and apply the plan."""
    (folder / "empty.json").write_text(json.dumps(_EMPTY), "utf-8")
    for name in ("before", "after"):
        shutil.copytree(FOLDER / name, folder, dirs_exist_ok=True)
        _terraform(folder, "init", "-input=false")
        _terraform(folder, "plan", "-input=false", "-out=saved")
        plan = json.loads(_terraform(folder, "show", "-json", "saved"))
        events = _terraform(folder, "apply", "-json", "-parallelism=90", "saved")
    return Run(plan["configuration"], list(_instances(plan)), list(_events(events)))


def _instances(plan: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for change in plan["resource_changes"]:
        if change["mode"] == "managed":
            module = change.get("module_address", "")
            yield change["address"], module, change["type"], change["name"]


def _events(lines: str) -> Iterator[tuple[str, str]]:
    for line in lines.splitlines():
        event = json.loads(line)
        kind = str(event["type"]).removeprefix("apply_")
        if kind in {"start", "complete"}:
            yield kind, event["hook"]["resource"]["addr"]


def _terraform(folder: Path, *arguments: str) -> str:
    assert TERRAFORM is not None
    (folder / "empty.rc").touch()
    settings = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    settings |= {
        "TF_CLI_CONFIG_FILE": str(folder / "empty.rc"),
        "TF_DATA_DIR": str(folder / "data"),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    line = [TERRAFORM, *arguments]
    done = subprocess.run(
        line, cwd=folder, env=settings, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
