"""Compares findings a second of the processor with other tools: ``python benchmarks/others.py``.

Two rules, a key in the scope of each database and a key registered before the deployment, are
written for each tool as well as it can, and judge the same databases; all but this suite judge
nothing else. With ``--install``, each tool that is missing is installed into a virtual environment
of its own, in the folder for temporary files: none of them is a dependency. A tool that is missing
is left out.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fleet import write_fleet
from measuring import ROOT, Cost, left_out, middle, noise, ratio, run, run_python, take_turns
from suite import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLACE = Path(tempfile.gettempdir()) / "cmek-audit-others"
RULES = ROOT / "benchmarks" / "rules_of_others"
FAILING = 10
"""One of so many organizations fails."""

TURNS = 3
FINDINGS_A_DATABASE = 2


class Inputs(NamedTuple):
    """The same databases, as each tool reads them.

    Attributes:
        databases: how many there are.
        fleet: their inventory in NDJSON.
        scopes: JSON with the databases, and with each key's time by its scope.
        keys: the times alone.
        plan: the databases as resources of a plan.
        out: where findings go.
    """

    databases: int
    fleet: Path
    scopes: Path
    keys: Path
    plan: Path
    out: Path


class Tool(NamedTuple):
    """A tool, and how it judges.

    Attributes:
        name: its name, for people.
        package: what is installed, with the version; empty for what is there.
        thousands: how many thousands of databases it judges: enough for some seconds.
        judge: judges them with the Python of its environment.
        failed: a pattern of each finding that fails, in what it writes; empty for this suite.
        lacks: what it does not do, in words.
    """

    name: str
    package: str
    thousands: int
    judge: Callable[[str, Inputs], Cost]
    failed: str
    lacks: str

    @property
    def python(self) -> Path:
        """Return the Python of its environment."""
        return PLACE / self.package.partition("==")[0] / "bin" / "python"


# --- the tools ------------------------------------------------------------------------------------


def _script(name: str, given: str) -> Callable[[str, Inputs], Cost]:
    def judge(python: str, inputs: Inputs) -> Cost:
        return run(python, RULES / name, getattr(inputs, given), inputs.out)

    return judge


def _checkov(python: str, inputs: Inputs) -> Cost:
    checkov = Path(python).with_name("checkov")
    words = ("--file", inputs.plan, "--external-checks-dir", RULES / "checkov", "--quiet")
    only = ("--framework", "terraform_plan", "--check", "CMEK_1,CMEK_2", "--output", "json")
    to = ("--output-file-path", inputs.out.parent, "--skip-download")
    return run(python, checkov, *words, *only, *to, CMEK_KEYS=str(inputs.keys))


def _frost(python: str, inputs: Inputs) -> Cost:
    words = ("-q", "--tb=no", "-p", "no:cacheprovider", f"--json={inputs.out}")
    tests = RULES / "frost" / "test_astra_keys.py"
    frost = Path(python).with_name("frost")
    return run(python, frost, "test", *words, tests, CMEK_INPUT=str(inputs.scopes))


def _suite(*options: str) -> Callable[[str, Inputs], Cost]:
    return lambda _, inputs: audit(inputs.fleet, inputs.out.parent / "report", *options)


LESS = "no places, evidence, gaps, waivers or record"
IN_JSON = '"passed": ?false'
TOOLS = (
    Tool("this suite, all rules and reports", "", 100, _suite(), "", ""),
    Tool("this suite, all rules, record alone", "", 100, _suite("--cmek-formats=json"), "", ""),
    Tool("a bare script", "", 100, _script("bare.py", "fleet"), IN_JSON, LESS),
    Tool("DuckDB, SQL", "duckdb==2.0.1", 100, _script("duckdb_sql.py", "fleet"), IN_JSON, LESS),
    Tool(
        "regorus, Rego",
        "gordon-to-regorus==0.13.0",
        100,
        _script("rego.py", "scopes"),
        IN_JSON,
        f"{LESS}; input and findings are in memory",
    ),
    Tool(
        "frost",
        "frost==0.4.7",
        2,
        _frost,
        r'"call": \{[^}]*"failed"',
        "no intervals, gaps or record; exemptions by a file; a test a finding",
    ),
    Tool(
        "Checkov",
        "checkov==3.3.30",
        1,
        _checkov,
        '"result": "FAILED"',
        "no intervals or gaps; skips by comments; a check sees one resource, not its key",
    ),
)


# --- the databases --------------------------------------------------------------------------------


def inputs_in(folder: Path, databases: int) -> Inputs:
    """Return the paths of the files in ``folder``."""
    names = ("fleet.ndjson", "scopes.json", "keys.json", "plan.json", "results_json.json")
    return Inputs(databases, *(folder / name for name in names))


def write_inputs(folder: Path, databases: int) -> None:
    """Write the same databases as each tool reads them."""
    folder.mkdir()
    inputs = inputs_in(folder, databases)
    write_fleet(inputs.fleet, databases // 1_000, 1_000, failing=FAILING)
    scopes = _scopes(inputs.fleet)
    inputs.scopes.write_text(json.dumps(scopes), "ascii")
    inputs.keys.write_text(json.dumps(scopes["keys"]), "ascii")
    inputs.plan.write_text(json.dumps(_plan(scopes["databases"])), "ascii")


def _scopes(fleet: Path) -> dict[str, Any]:
    keys, databases, owner = {}, [], ""
    for line in map(json.loads, fleet.read_text("ascii").splitlines()):
        if line["kind"] == "organization":
            owner = line["id"]
        elif line["kind"] == "key":
            keys[_scope(owner, line, line["region"])] = line["registered"]["at"]
        elif line["kind"] == "database":
            (region,) = line["regions"]
            scope = _scope(owner, line, region["name"])
            databases.append({"id": line["id"], "scope": scope, "added_at": region["added_at"]})
    return {"keys": keys, "databases": databases}


def _scope(owner: str, line: Mapping[str, str], region: str) -> str:
    return f"{owner}/{line['type']}/{line['provider']}/{region}"


def _plan(databases: list[dict[str, str]]) -> dict[str, Any]:
    resources = [
        {
            "address": f"astra_database.d{number}",
            "mode": "managed",
            "type": "astra_database",
            "name": f"d{number}",
            "values": database,
            "change": {"actions": ["create"], "before": None, "after": database},
        }
        for number, database in enumerate(databases)
    ]
    configured = [
        {name: item[name] for name in ("address", "mode", "type", "name")} for item in resources
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": resources,
        "configuration": {"root_module": {"resources": configured}},
    }


# --- the comparison -------------------------------------------------------------------------------


def install(tool: Tool) -> None:
    """Install a tool into an environment of its own, if it is missing."""
    if tool.package and not tool.python.exists():
        venv.create(tool.python.parents[1], with_pip=True)
        command = [str(tool.python), "-m", "pip", "install", "--quiet", tool.package, "setuptools"]
        if subprocess.run(command, check=False).returncode:
            left_out(tool.name, f"{tool.package} could not be installed")


def compare(tool: Tool, inputs: Inputs, base: list[float]) -> list[float]:
    """Print the line of a tool; return its findings a second, of each turn."""
    python = str(tool.python) if tool.package else sys.executable
    (costs,) = take_turns(TURNS, lambda: tool.judge(python, inputs))
    findings = _checked_findings(tool, inputs)
    speeds = [findings / cost.processor for cost in costs]
    cost, against = middle(costs), ratio(speeds, base or speeds)
    print(
        f"| {tool.name} | {tool.package.partition('==')[2]} | {inputs.databases:,} | {findings:,} "
        f"| {cost.processor:.2f} s | {cost.mebibytes:.0f} MiB | {findings / cost.processor:,.0f} "
        f"| {against} | {tool.lacks} |",
        flush=True,
    )
    return speeds


def _checked_findings(tool: Tool, inputs: Inputs) -> int:
    """Return how many findings a tool wrote; end if those that fail are not as many as they are."""
    if not tool.failed:
        with (inputs.out.parent / "report" / "findings.ndjson").open("rb") as findings:
            return sum(1 for _ in findings)
    failed = len(re.findall(tool.failed, inputs.out.read_text("utf-8")))
    expected = -(-inputs.databases // (1_000 * FAILING)) * 1_000
    if failed != expected:
        raise SystemExit(f"{tool.name}: {failed:,} findings fail, expected {expected:,}")
    return inputs.databases * FINDINGS_A_DATABASE


def main() -> None:
    """Print the table."""
    print(
        "| tool | version | databases | findings | processor | memory | findings a second "
        "| against this suite | what it does not do |\n|---|---|---|---|---|---|---|---|---|"
    )
    base: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        for tool in TOOLS:
            if "--install" in sys.argv:
                install(tool)
            if tool.package and not tool.python.exists():
                left_out(tool.name, "it is not installed; --install installs it")
                continue
            folder, databases = Path(name) / str(tool.thousands), tool.thousands * 1_000
            if not folder.exists():  # by another process: what it holds would count as theirs
                run_python(__file__, "--write", folder, databases)
            speeds = compare(tool, inputs_in(folder, databases), base)
            base = base or speeds
    noise()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--write", folder, databases]:
            write_inputs(Path(folder), int(databases))
        case _:
            main()
