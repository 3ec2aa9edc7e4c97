"""Audits beside other plugins of pytest, each alone: ``python -m tests.compatibility.plugins``.

Every plugin is installed by pip into an environment that is thrown away. An audit beside it is
compared with one without it: exit code, record, findings, files, and the terminal's last lines.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.compatibility.environments import INVENTORIES, Environment, Outcome, audit, make

CONSTRAINTS = ("-c", "constraints.txt")
COMMANDS = ("cmek-audit", "pytest")


class Plugin(NamedTuple):
    """A package with a plugin, and the words that switch it on; a word may hold ``{folder}``."""

    package: str
    words: tuple[str, ...] = ()


PLUGINS = (
    Plugin("allure-pytest", ("--alluredir={folder}/allure",)),
    Plugin("anyio"),
    Plugin("pytest-asyncio", ("--asyncio-mode=auto",)),
    Plugin("pytest-bdd", ("--gherkin-terminal-reporter",)),
    Plugin("pytest-benchmark", ("--benchmark-only",)),
    Plugin("pytest-clarity", ("-vv",)),
    Plugin("pytest-cov", ("--cov=checks", "--cov-report=")),
    Plugin("pytest-django"),
    Plugin("pytest-forked", ("--forked",)),
    Plugin("pytest-instafail", ("--instafail",)),
    Plugin("pytest-json-report", ("--json-report", "--json-report-file={folder}/report.json")),
    Plugin("pytest-metadata", ("--metadata", "acme", "1")),
    Plugin("pytest-mock"),
    Plugin("pytest-order", ("--order-dependencies",)),
    Plugin("pytest-parallel", ("--workers=2",)),
    Plugin("pytest-randomly", ("--randomly-seed=1",)),
    Plugin("pytest-repeat", ("--count=2",)),
    Plugin("pytest-rerunfailures", ("--reruns=2",)),
    Plugin("pytest-sugar", ("--force-sugar",)),
    Plugin("pytest-timeout", ("--timeout=60",)),
    Plugin("pytest-xdist", ("-n", "2")),
)


def main(names: list[str]) -> None:
    """Try each plugin, or those of ``names``, and print a line of the table for each."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        environment = make(folder / "environment", *CONSTRAINTS, ".")
        shutil.copytree(environment.folder, folder / "whole", symlinks=True)
        expected = _audits(environment, folder / "report")
        for plugin in PLUGINS:
            if not names or plugin.package in names:
                shutil.rmtree(environment.folder)
                shutil.copytree(folder / "whole", environment.folder, symlinks=True)
                _try(plugin, environment, folder, expected)


def _try(
    plugin: Plugin, environment: Environment, folder: Path, expected: dict[str, Outcome]
) -> None:
    if problem := environment.install(*CONSTRAINTS, plugin.package):
        print(f"| {plugin.package} | | | cannot be installed: {problem} |", flush=True)
        return
    version = environment.version(plugin.package)
    for words in dict.fromkeys(((), plugin.words)):
        shown = [word.format(folder=folder) for word in words]
        found = _audits(environment, folder / "report", *shown)
        differing = [
            f"{name}: {difference}"
            for name in found
            for difference in expected[name].differences(found[name])
        ]
        how = f"`{' '.join(words)}`" if words else ""
        said = "; ".join(differing) or "the same"
        print(f"| {plugin.package} | {version} | {how} | {said} |", flush=True)


def _audits(environment: Environment, folder: Path, *words: str) -> dict[str, Outcome]:
    return {
        f"{command}, {name}": audit(environment, folder, command, *inventory, *words)
        for command in COMMANDS
        for name, inventory in INVENTORIES.items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])
