"""The project keeps to its own rules."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = {"inventory": set[str](), "checks": {"inventory"}, "reports": {"inventory", "checks"}}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".j2", ".css", ".js", ".txt", ""}


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("floor", sorted(FLOORS))
def test_imports_go_one_way(floor: str) -> None:
    """Inventory knows nothing of checks, checks nothing of reports, and none of the command."""
    imported = set()
    for path in (ROOT / floor).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
    assert imported & {*FLOORS, "cmek_audit", "conftest"} <= FLOORS[floor] | {floor}


def test_no_secrets_hosts_or_foreign_paths_are_kept() -> None:
    """No file holds a registry's host, a path of somebody's machine, or a token's look-alike."""
    registries = (
        "pypi" + r"\.org",
        "python" + "hosted",
        "registry" + r"\.npmjs",
        "deb" + r"\.debian",
    )
    paths = ("/wo" + "rk/", "/ho" + "me/[a-z]", "/ro" + "ot/")
    pattern = re.compile("|".join([*registries, *paths, "Astra" + "CS:[A-Za-z0-9]{20}"]))
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path.suffix in TEXT
        for match in [pattern.search(path.read_text("utf-8", errors="replace"))]
        if match
    }
    assert found == set()


def test_every_folder_of_code_is_explained() -> None:
    """Whoever wants to contribute is told of each folder that holds code."""
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if path.suffix == ".py"}
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert {folder for folder in folders if f"`{folder}" not in text} == set()


def test_constraints_cover_the_dependencies() -> None:
    """Each dependency, of the core and of every extra, has a tested version in the constraints."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = itertools.chain.from_iterable(project["optional-dependencies"].values())
    wanted = [*project["dependencies"], *extras]
    names = {re.split(r"[<>=\[ ]", each)[0].lower() for each in wanted} - {project["name"]}
    lines = (ROOT / "constraints.txt").read_text("utf-8").lower().splitlines()
    assert names <= {line.split("==")[0] for line in lines}


def test_the_lowest_versions_are_those_that_are_asked_for() -> None:
    """The versions to try as the lowest are the bounds of the dependencies, and no others."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {
        re.sub(r"(>=[0-9]+\.[0-9]+)$", r"\1.0", dependency)
        for dependency in project["dependencies"]
    }
    lines = (ROOT / "constraints-lowest.txt").read_text("utf-8").splitlines()
    listed = {line.replace("==", ">=") for line in lines if not line.startswith("#")}
    assert listed == wanted


def test_changelog_knows_the_version() -> None:
    """The changes of the version in pyproject.toml are written down."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert re.search(
        rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )


WRITES_TEXT = re.compile(r"[wax]\+?")


def _writes_text(call: ast.Call) -> bool:
    """Say whether a call opens a file to write text."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
    modes = [value.value for value in given if isinstance(value, ast.Constant)]
    opens = name in {"open", "fdopen", "NamedTemporaryFile", "TemporaryFile"}
    is_text = any(isinstance(mode, str) and WRITES_TEXT.fullmatch(mode) for mode in modes)
    return name == "write_text" or (opens and is_text)


@pytest.mark.parametrize("floor", ["inventory", "checks", "reports", "cmek_audit"])
def test_text_has_the_same_line_ends_on_every_system(floor: str) -> None:
    """Whoever writes text says how its lines end: else a hash would differ on Windows."""
    calls = [
        (path.as_posix(), node)
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == floor
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and _writes_text(node)
    ]
    open_ended = [
        f"{path}:{call.lineno}"
        for path, call in calls
        if "newline" not in {word.arg for word in call.keywords}
    ]
    assert open_ended == []
