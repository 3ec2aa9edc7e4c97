"""The rooms of the code: how many modules each holds, which way the imports go, who tests what."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("inventory", "checks", "reports", "cmek_audit")
MOST_MODULES = 15

FLOORS = (
    {"inventory.errors"},
    {"inventory.text"},
    {"inventory.model"},
    {"inventory.system"},
    {"inventory.database_lines"},
    {"inventory.index"},
    {"inventory.files"},
    {"inventory.terraform", "inventory.evidence", "inventory.parquet"},
    {"inventory.past"},
    {"inventory.clouds"},
    {"inventory.clouds.aws", "inventory.clouds.gcp", "inventory.clouds.azure"},
    {"inventory.astra"},
    {"inventory.astra.cluster"},
    {"inventory.astra.collector"},
    {"inventory"},
    {"checks.engine"},
    {"checks.shared"},
    {"checks.access"},
    {"checks"},
    {"reports.model"},
    {"reports.key_instructions"},
    {"reports.aggregation"},
    {"reports.record"},
    {"reports.presentation"},
    {"reports.comparison"},
    {"reports.tables"},
    {"reports.page.times"},
    {"reports.page.findings", "reports.page.timeline"},
    {"reports.page.organizations", "reports.page.keys"},
    {"reports.page.reading"},
    {"reports.page"},
    {"reports.formats.oscal"},
    {"reports.formats"},
    {"cmek_audit.run.options"},
    {"cmek_audit.settings"},
    {
        "cmek_audit.clouds_option",
        "cmek_audit.console",
        "cmek_audit.exit_codes",
        "cmek_audit.install_location",
        "cmek_audit.internal_errors",
        "cmek_audit.parameters",
        "cmek_audit.progress",
        "cmek_audit.suggestions",
        "cmek_audit.version_option",
    },
    {"cmek_audit.execution"},
    {"cmek_audit.collection", "cmek_audit.run", "cmek_audit.signing"},
    {"cmek_audit.verification"},
    {"cmek_audit.packages"},
    {"cmek_audit.commands.keys", "cmek_audit.commands.portal", "cmek_audit.commands.start"},
    {"cmek_audit.commands"},
    {"cmek_audit.commands.delivery"},
    {"cmek_audit"},
    {"conftest"},
)
"""The rooms from the ground up: an import leads to the same room or to a lower floor.

A few modules have a floor of their own: they lie in a room of which others need only them.
"""

UNTESTED = frozenset({"cmek_audit.__main__"})
"""Modules without a test file of their name, each for a reason: three lines that start ``main``."""


@cache
def modules() -> dict[str, Path]:
    """Return the file of every module of the suite, by its dotted name."""
    paths = [path for part in PARTS for path in (ROOT / part).rglob("*.py")]
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {"conftest": ROOT / "conftest.py"} | {
        name.removesuffix(".__init__"): path for name, path in named.items()
    }


@cache
def imports() -> dict[str, frozenset[str]]:
    """Return what each module imports of the suite, for its types and inside functions, too."""
    return {name: frozenset(_imported(path) - {name}) for name, path in modules().items()}


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules() else node.module for name in whole}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & modules().keys()


def room(module: str) -> str:
    """Return the folder of a module, as a dotted name."""
    path = modules()[module]
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def floor(module: str) -> int:
    """Return how high a module lies: by its own name, else by its room's."""
    for number, rooms in enumerate(FLOORS):
        if module in rooms and modules()[module].name != "__init__.py":
            return number
    return next(number for number, rooms in enumerate(FLOORS) if room(module) in rooms)


def test_every_room_has_a_floor() -> None:
    """The floors name exactly the rooms that exist, and single modules that exist."""
    named = {name for rooms in FLOORS for name in rooms}
    rooms = {room(module) for module in modules() if "." in module} - {"reports"}
    assert named - rooms <= modules().keys()
    assert rooms - named == set()


@pytest.mark.parametrize("folder", sorted({room(module) for module in modules()} - {""}))
def test_no_room_is_crowded(folder: str) -> None:
    """A room holds at most fifteen modules; the rules, one a file, are not counted."""
    held = [name for name in modules() if room(name) == folder and name != folder]
    shared = [name for name in held if not name.startswith("checks.check_")]
    assert len(shared) <= MOST_MODULES, f"split {folder}: {shared}"


def test_imports_lead_downwards() -> None:
    """No module imports one of a higher floor, not even for its types."""
    upwards = {
        f"{name} imports {other}"
        for name, others in imports().items()
        for other in others
        if floor(other) > floor(name)
    }
    assert upwards == set()


def test_rooms_of_one_floor_know_nothing_of_each_other() -> None:
    """Rooms that share a floor do not import each other, in whatever direction."""
    beside = {
        f"{name} imports {other}"
        for name, others in imports().items()
        for other in others
        if floor(other) == floor(name)
        and room(other) != room(name)
        and len(FLOORS[floor(name)]) > 1
    }
    assert {each for each in beside if "cmek_audit" not in each} == set()


def test_no_modules_import_each_other() -> None:
    """Imports make no circle, not even for types."""
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))


def test_rules_read_no_file_and_know_no_pytest() -> None:
    """What judges opens no file, and only the one module that answers to pytest imports it.

    One module reads the suite's own code, for the hash over what judges.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, path in modules().items():
        if not name.startswith("checks"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names} & {"pytest"}
            elif isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                called = node.func.id if isinstance(node.func, ast.Name) else called
                found[name] |= {called} & {"open", "read_text", "read_bytes", "write_text"}
    assert {name: what for name, what in found.items() if what} == {
        "checks.engine.import_closure": {"read_bytes"},
        "checks.engine.outcome": {"pytest"},
    }


def test_every_module_has_tests_of_its_name() -> None:
    """The tests mirror the rooms: ``a/b/c.py`` is tested by ``tests/a/b/test_c.py``."""
    holes = []
    for name, path in modules().items():
        if path.name == "__init__.py" or name in UNTESTED | {"conftest"}:
            continue
        mirror = ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}")
        holes += [str(mirror.relative_to(ROOT))] if not mirror.exists() else []
    assert holes == []


def test_the_picture_shows_every_room() -> None:
    """The page on the architecture names each room, and no other."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    shown = {line.split("`")[1].strip("/") for line in page.splitlines() if line.startswith("| `")}
    rooms = {room(name).replace(".", "/") for name in modules() if room(name)}
    assert shown == rooms - {"reports"}
