"""Real runs of Terraform over configurations of Astra, without Astra's provider.

Terraform knows ``terraform_data`` by itself. Each resource of Astra is planned as one of these, its
attributes as the ``input``, and what Terraform prints is turned back: attributes and marks alike.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from tests.builders import uuid

HERE = Path(__file__).parent
SCENES = HERE / "scenes"
RECORDED = HERE / "recorded"
TERRAFORM = shutil.which("terraform")
VERSION = "1.11.4"
"""The version by which what is recorded was made."""

AT = "2026-11-20T01:00:00Z"
ORGANIZATIONS = {"astra": uuid(1), "astra.eu": uuid(2)}
_OURS = r"astra_database|astra_customer_key"
_FORCES = {
    "astra_database": ("name", "cloud_provider"),
    "astra_customer_key": ("cloud_provider", "region", "key_id"),
}
"""The attributes that cannot be changed without making a resource anew."""


class Scene(NamedTuple):
    """One run of Terraform.

    Attributes:
        name: what it is called.
        folder: the folder of its configurations: ``before`` is applied, ``after`` is planned.
        flags: further arguments of ``terraform plan``.
        is_state: whether the state is shown, not a plan.
    """

    name: str
    folder: str
    flags: tuple[str, ...] = ()
    is_state: bool = False

    @property
    def source(self) -> Path:
        """Return the folder of the configuration that was planned."""
        return SCENES / self.folder / ("before" if self.is_state else "after")

    def recorded(self, *, raw: bool = False) -> Path:
        """Return the file that holds what Terraform printed of it, turned back or not."""
        return RECORDED / f"{self.name}{'.raw' if raw else ''}.json"


ALL = (
    Scene("new", "new"),
    Scene("grown", "grown"),
    Scene("target", "grown", ("-target=astra_database.new",)),
    Scene("unrefreshed", "grown", ("-refresh=false",)),
    Scene("destroyed", "grown", ("-destroy",)),
    Scene("refreshed", "grown", ("-refresh-only",)),
    Scene("replaced", "replaced", ("-replace=astra_database.forced",)),
    Scene("gone", "gone"),
    Scene("same", "same"),
    Scene("state", "state", is_state=True),
    Scene("errored", "errored"),
    Scene("none", "none"),
    Scene("shared", "shared"),
)


def show(scene: Scene, folder: Path) -> dict[str, Any]:
    """Let Terraform plan, or apply, a scene in ``folder``; return what it prints of that."""
    if (SCENES / scene.folder / "before").exists():
        _configure(SCENES / scene.folder / "before", folder)
        _run(folder, "apply", "-auto-approve")
    if scene.is_state:
        return _printed(folder)
    _configure(scene.source, folder)
    flags = [re.sub(rf"({_OURS})\.", r"terraform_data.\1--", each) for each in scene.flags]
    _run(folder, "plan", "-out=saved", *flags, may_fail=scene.name == "errored")
    return _printed(folder, "saved")


def _printed(folder: Path, *arguments: str) -> dict[str, Any]:
    text = _run(folder, "show", "-json", *arguments)
    ids = dict.fromkeys(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
    made = [each for each in ids if not each.startswith("00000000-")]
    for number, each in enumerate(made, 1):
        text = text.replace(each, f"00000000-0000-4000-8000-0000000d{number:04x}")
    printed: dict[str, Any] = json.loads(text, object_hook=_in_order)
    return printed | ({"timestamp": AT} if "timestamp" in printed else {})


def _in_order(data: dict[str, Any]) -> dict[str, Any]:
    """Sort child modules, which Terraform prints in any order."""
    inner = sorted(data.get("child_modules", ()), key=lambda each: str(each["address"]))
    return data | {"child_modules": inner} if inner else data


def _configure(source: Path, folder: Path) -> None:
    """Put a configuration into ``folder`` as one that Terraform can plan by itself."""
    for old in folder.rglob("*.tf"):
        old.unlink()
    for file in source.rglob("*.tf"):
        path = folder / file.relative_to(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(runnable(file.read_text("utf-8")), "utf-8")
    _run(folder, "init")


def _run(folder: Path, command: str, *arguments: str, may_fail: bool = False) -> str:
    if TERRAFORM is None:
        message = "there is no Terraform here"
        raise RuntimeError(message)
    (folder / "empty.rc").touch()
    told = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    told |= {
        "TF_CLI_CONFIG_FILE": str(folder / "empty.rc"),
        "TF_DATA_DIR": str(folder / "data"),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    asks = () if command == "show" else ("-input=false", "-no-color")
    line = [TERRAFORM, command, *asks, *arguments]
    done = subprocess.run(
        line, cwd=folder, env=told, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0 or may_fail, done.stderr
    return done.stdout


# --- there ----------------------------------------------------------------------------------------


def runnable(text: str) -> str:
    """Turn each resource of Astra into a ``terraform_data``."""
    block = rf'^resource "({_OURS})" "([\w-]+)" {{\n(.+?)^}}'
    text = re.sub(block, _block, text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(rf"\b({_OURS})\.", r"terraform_data.\1--", text)
    source = 'terraform = { source = "terraform.io/builtin/terraform" }'
    text = text.replace('astra = { source = "datastax/astra" }', source)
    text = text.replace("{ astra = astra.", "{ terraform = terraform.")
    return text.replace('provider "astra"', 'provider "terraform"').replace(
        "= astra.", "= terraform."
    )


def _block(found: re.Match[str]) -> str:
    kind, name, body = found.groups()
    own = re.findall(r"^  lifecycle {\n(?:    .*\n)*  }$", body, re.MULTILINE)
    own += re.findall(r"^  (?:count|for_each|provider) .+$", body, re.MULTILINE)
    for each in own:
        body = body.replace(f"{each}\n", "")
    values = dict(re.findall(r"^  (\w+) += (.+)$", body, re.MULTILINE))
    forces = ", ".join(f"{each} = {values[each]}" for each in _FORCES[kind])
    head = f'resource "terraform_data" "{kind}--{name}" {{'
    return "\n".join(
        [head, *own, f"triggers_replace = {{ {forces} }}", f"input = {{\n{body}}}\n}}"]
    )


# --- and back -------------------------------------------------------------------------------------


def turned_back(printed: dict[str, Any]) -> dict[str, Any]:
    """Turn what Terraform printed into what it would print of resources of Astra."""
    text = re.sub(rf"terraform_data\.({_OURS})--", r"\1.", json.dumps(printed))
    data: dict[str, Any] = json.loads(text)
    configuration = data.get("configuration", {})
    keys = {}
    for each in _everything(configuration.get("root_module", {})):
        if kind := _kind(each):
            each["provider_config_key"] = each["provider_config_key"].replace("terraform", "astra")
            keys[each["address"]] = each["provider_config_key"]
            _rename(each, kind)
    providers = configuration.get("provider_config", {})
    for name in [each for each in providers if keys]:
        astra = {**providers[name], "name": "astra", "full_name": "example.test/datastax/astra"}
        providers[name.replace("terraform", "astra")] = astra
    for each in data.get("resource_changes", []):
        if kind := _kind(each):
            owner = ORGANIZATIONS.get(keys.get(each["address"], ""), ORGANIZATIONS["astra"])
            _rename(each, kind)
            _turn_change(each["change"], owner)
    for part in (data, data.get("prior_state", {})):
        _turn_values(part.get("values", {}).get("root_module", {}), keys)
    _turn_values(data.get("planned_values", {}).get("root_module", {}), keys)
    return data


def _everything(module: dict[str, Any]) -> list[dict[str, Any]]:
    calls = [each["module"] for each in module.get("module_calls", {}).values()]
    inner = [*calls, *module.get("child_modules", [])]
    return [*module.get("resources", []), *(each for one in inner for each in _everything(one))]


def _kind(resource: dict[str, Any]) -> str:
    kind, dashes, _ = str(resource["name"]).partition("--")
    return kind if dashes else ""


def _rename(resource: dict[str, Any], kind: str) -> None:
    resource |= {"type": kind, "name": resource["name"].partition("--")[2]}
    if "provider_name" in resource:
        resource["provider_name"] = "example.test/datastax/astra"


def _turn_values(module: dict[str, Any], keys: dict[str, str]) -> None:
    for each in _everything(module):
        if kind := _kind(each):
            owner = ORGANIZATIONS.get(keys.get(each["address"], ""), ORGANIZATIONS["astra"])
            _rename(each, kind)
            if "values" in each:  # what is to be forgotten has none
                each["values"] = _attributes(each["values"], owner)
            each["sensitive_values"] = _mark(each["sensitive_values"])


def _turn_change(change: dict[str, Any], owner: str) -> None:
    for side in ("before", "after"):
        change[side] = _attributes(change[side], owner)
    for mark in ("before_sensitive", "after_sensitive", "after_unknown"):
        change[mark] = _mark(change[mark])
    change.pop("replace_paths", None)


def _attributes(values: dict[str, Any] | None, owner: str) -> dict[str, Any] | None:
    """Return the attributes; of what exists already, also those that Astra tells."""
    if values is None:
        return None
    told = {"id": values["id"], "organization_id": owner} if values.get("id") else {}
    return {**values["input"], **told}


def _mark(mark: Any) -> Any:  # noqa: ANN401 (a mark is true, false, or shaped like the values)
    if not isinstance(mark, dict):
        return mark
    inner = mark.get("input", {})
    own = {"id": True, "organization_id": True} if mark.get("id") else {}
    return {**inner, **own} if isinstance(inner, dict) else inner
