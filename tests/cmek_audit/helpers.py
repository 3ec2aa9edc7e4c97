"""The command, run in this process, and evidence for it to work on."""

from __future__ import annotations

import hashlib
import json
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.testing import CliRunner, Result

from cmek_audit.cli import app
from tests.astra.fleet import Fleet, large_fleet, organizations_data
from tests.builders import write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]
FLEET = large_fleet(2, 3)
FIRST, SECOND = FLEET.organizations


def command(*arguments: object, environment: Mapping[str, str | None] | None = None) -> Result:
    """Run the command; tokens are those of ``FLEET`` without an ``environment``."""
    variables = FLEET.environment if environment is None else environment
    absent = dict.fromkeys(FLEET.environment)
    runner = CliRunner(env={**absent, "ASTRA_API_TOKEN": None, **variables})
    return runner.invoke(app, [str(argument) for argument in arguments], prog_name="cmek-audit")


def click_command(name: str) -> click.Command:
    """Import a command."""
    found = app.get_command(click.Context(app), name)
    assert found is not None
    return found


def choices(name: str, parameter: str) -> list[str]:
    """Return the values that a parameter of a command may have."""
    (kind,) = (found.type for found in click_command(name).params if found.name == parameter)
    assert isinstance(kind, click.Choice)
    return [*kind.choices]


def organizations(folder: Path, address: str, fleet: Fleet = FLEET) -> str:
    """Write an organizations file, by which nothing is waited for, and return its path."""
    data = organizations_data(fleet, address, first_wait_seconds=0, attempts=2, timeout_seconds=20)
    return write_yaml(folder / "organizations.yaml", data)


def bundles(folder: Path) -> list[Path]:
    """Return everything in ``folder``, hidden or not, in the order of names."""
    return sorted(folder.iterdir()) if folder.exists() else []


def printed_json(result: Result) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """Return the JSON object that a command printed."""
    return json.loads(result.stdout)


def problems(result: Result) -> list[str]:
    """Return what differs, as ``verify`` repeats it before its last word."""
    return listed(result, "What differs:")


def listed(result: Result, title: str) -> list[str]:
    """Return the indented lines below ``title``; none if it does not stand there."""
    lines = result.stdout.splitlines()
    below = lines[lines.index(title) + 1 :] if title in lines else []
    return [line.strip() for line in takewhile(lambda line: line.startswith("  "), below)]


def reseal(bundle: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """Make a manifest agree with its files again, as somebody would who forges evidence."""
    data = json.loads((bundle / "manifest.json").read_bytes())
    del data["root"]
    for file in data["files"]:
        raw = (bundle / file["path"]).read_bytes()
        file |= {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    change(data)
    body = json.dumps(data)[:-1] + ",\n"
    root = hashlib.sha256(body.encode()).hexdigest()
    (bundle / "manifest.json").write_text(f'{body}"root": "{root}"\n}}\n')


def replace(file: Path, old: str, new: str) -> None:
    """Change the first ``old`` in ``file``, which must be there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
