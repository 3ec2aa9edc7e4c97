"""The lowest and the newest versions of dependencies: ``python -m tests.compatibility.versions``.

Each set is installed by pip into an environment that is thrown away, and must do what the versions
in ``constraints.txt`` do: audits, the help and the completion of every command, and a live audit
of a server on loopback.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.astra.fleet import healthy_fleet, organizations_data
from tests.astra.server import serve
from tests.builders import write_yaml
from tests.compatibility.environments import INVENTORIES, ROOT, Environment, Outcome, audit, make

if TYPE_CHECKING:
    from subprocess import CompletedProcess

SETS = {
    "tested": ("-c", "constraints.txt"),
    "lowest": ("-c", "constraints-lowest.txt"),
    "newest": ("-U", "--upgrade-strategy=eager"),
}
DEPENDENCIES = tuple(
    line.partition("==")[0]
    for line in (ROOT / "constraints-lowest.txt").read_text("utf-8").splitlines()
    if "==" in line
)
FLEET = healthy_fleet()
_HASH = re.compile(r"\b[0-9a-f]{12,64}\b|\b[0-9]+\.[0-9]+ (?:s|seconds)\b")


def main(names: list[str]) -> int:
    """Try each set, or those of ``names``; print a line for each, and return 1 if one differs."""
    differing = 0
    with tempfile.TemporaryDirectory() as scratch:
        expected: dict[str, Outcome | str] = {}
        for name, words in SETS.items():
            if expected and names and name not in names:
                continue
            environment = make(Path(scratch) / "environment", *words, ".")
            found = _tried(environment, Path(scratch))
            expected = expected or found
            problems = _problems(expected, found)
            versions = ", ".join(
                f"{dependency} {environment.version(dependency)}" for dependency in DEPENDENCIES
            )
            print(f"| {name} | {versions} | {'; '.join(problems) or 'the same'} |", flush=True)
            differing += bool(problems)
    return int(differing > 0)


def _tried(environment: Environment, folder: Path) -> dict[str, Outcome | str]:
    """Return what each audit came to, and what each command said."""
    report = folder / "report"
    audits: dict[str, Outcome | str] = {
        f"{command}, {name}": audit(environment, report, command, *inventory)
        for command in ("pytest", "cmek-audit")
        for name, inventory in INVENTORIES.items()
    }
    return {**audits, **_commands(environment, folder), **_live(environment, folder)}


def _problems(expected: dict[str, Outcome | str], found: dict[str, Outcome | str]) -> list[str]:
    problems = []
    for name, one in expected.items():
        other = found.get(name, "nothing")
        if isinstance(one, Outcome) and isinstance(other, Outcome):
            problems += [f"{name}: {difference}" for difference in one.differences(other)]
        elif one != other:
            problems.append(f"{name}: {other!r}, not {one!r}")
    return problems


def _commands(environment: Environment, folder: Path) -> dict[str, Outcome | str]:
    """Return how each command answers: the helps by their options, as their layout may differ."""
    helped = environment.run("cmek-audit", "--help")
    names = re.findall(r"^ +([a-z]+)(?: |$)", helped.stdout.partition("Commands:")[2], re.MULTILINE)
    shown: dict[str, Outcome | str] = {"--help": f"{helped.returncode} {' '.join(names)}"}
    for name in names:
        done = environment.run("cmek-audit", name, "--help")
        options = sorted(set(re.findall(r"--[a-z][a-z-]+", done.stdout)))
        shown[f"{name} --help"] = f"{done.returncode} {' '.join(options)}"
    for shell in ("bash", "zsh", "fish"):
        more = {"_CMEK_AUDIT_COMPLETE": f"{shell}_complete", "COMP_WORDS": "cmek-audit re"}
        more["COMP_CWORD"] = "re" if shell == "fish" else "1"
        done = environment.run("cmek-audit", more=more)
        shown[f"completion in {shell}"] = f"{done.returncode} {'render' in done.stdout}"
    report = str(folder / "report")
    for words in (
        ("rules", "--json"),
        ("keys", "--inventory=inventory/examples/acme.yaml"),
        ("verify", report),
        ("render", "markdown", report),
        ("diff", report, report),
        ("audit", "--cmek-no-such"),
    ):
        shown[" ".join(words[:1])] = _said(environment.run("cmek-audit", *words))
    return shown


def _live(environment: Environment, folder: Path) -> dict[str, Outcome | str]:
    """Return how recording a fleet on loopback, verifying and judging it ends."""
    bundles = folder / "evidence"
    with serve(FLEET) as running:
        data = organizations_data(FLEET, running.address, first_wait_seconds=0)
        file = write_yaml(folder / "organizations.yaml", data)
        words = ("collect", file, f"--evidence-dir={bundles}")
        collected = environment.run("cmek-audit", *words, more=FLEET.environment)
    verified = environment.run("cmek-audit", "verify", str(bundles))
    made = max(bundles.iterdir(), default=bundles) if bundles.is_dir() else bundles
    judged = audit(environment, folder / "live", "cmek-audit", f"--cmek-inventory={made}")
    word = judged.head["verdict"]["outcome"] if judged.head else "no verdict"
    return {
        "collect": f"{collected.returncode} {collected.stderr[-300:]}".strip(),
        "verify a bundle": f"{verified.returncode}",
        "audit of a bundle": f"{judged.code} {word} {sorted(judged.files)}",
    }


def _said(done: CompletedProcess[str]) -> str:
    """Return exit code and output, without what differs from run to run."""
    return f"{done.returncode} {_HASH.sub('…', done.stdout)} {done.stderr}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
