"""What the package says of itself is complete, and true."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from trove_classifiers import classifiers

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("cmek_audit", "checks", "inventory", "reports")
NO_STATEMENT = {"distributed", "pytest-html"}
"""What no statement imports: one is imported by its name in a text, the other is a plugin."""

SHARED = {
    "azure": {"azure-core", "azure-identity", "azure-keyvault-keys"},
    "google": {"google-auth"},
}
"""Packages of several distributions: those that are meant."""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """Return the project's table in ``pyproject.toml``."""
    data: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return dict(data["project"])


def _imports(file: Path) -> Iterator[str]:
    """Yield the top-level name of each import of a module, wherever in it that is."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _imported() -> set[str]:
    """Return the distributions of which the shipped code imports anything."""
    files = chain.from_iterable((ROOT / name).rglob("*.py") for name in PACKAGES)
    names = set(chain.from_iterable(map(_imports, [*files, ROOT / "conftest.py"])))
    foreign = names - set(sys.stdlib_module_names) - set(PACKAGES)
    found = packages_distributions()
    return {
        _normalized(distribution)
        for name in foreign
        for distribution in SHARED.get(name, found.get(name, [f"nobody's {name}"]))
    }


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared(requirements: list[str]) -> set[str]:
    return {_normalized(re.split(r"[<>=\[ ]", requirement)[0]) for requirement in requirements}


def test_every_imported_package_is_declared(project: dict[str, Any]) -> None:
    """Nothing is imported that comes only because another package needs it, or the reverse."""
    extras = project["optional-dependencies"]
    shipped = [extras[name] for name in extras if name not in {"test", "docs"}]
    declared = _declared([*project["dependencies"], *chain.from_iterable(shipped)])
    assert _imported() == declared - NO_STATEMENT


def test_the_package_says_who_made_it_and_for_whom(project: dict[str, Any]) -> None:
    """Whoever finds the package sees its author, license, state and audience."""
    assert project["authors"]
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])
    assert (ROOT / project["readme"]).is_file()
    kinds = {classifier.partition(" :: ")[0] for classifier in project["classifiers"]}
    assert kinds >= {"Development Status", "Environment", "Intended Audience", "Topic", "Typing"}
    assert project["keywords"] == sorted(set(project["keywords"]))


def test_every_classifier_is_a_known_one(project: dict[str, Any]) -> None:
    """An index refuses a package with a classifier that it does not know."""
    assert set(project["classifiers"]) <= classifiers
    assert project["classifiers"] == sorted(project["classifiers"], key=_by_version)


def _by_version(classifier: str) -> list[tuple[int, str]]:
    """Return a key by which Python 3.9 comes before Python 3.11."""
    return [
        (len(part), part) if part[0].isdigit() else (0, part) for part in classifier.split(" :: ")
    ]


def test_the_types_are_shipped() -> None:
    """Type checkers of others read the types of the package, as its classifier promises."""
    assert (ROOT / "cmek_audit/py.typed").read_bytes() == b""


def test_examples_name_the_tag_of_the_version(project: dict[str, Any]) -> None:
    """Whoever copies an example of a pipeline gets the version that the docs are of."""
    places = chain(ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), ROOT.glob("docs/workflows/*"))
    named = {
        (file.name, tag)
        for file in places
        for tag in re.findall(r"cmek-audit@v?([0-9][0-9.]*[0-9])", file.read_text("utf-8"))
    }
    assert {tag for _, tag in named} == {project["version"]}
    assert f"`v{project['version']}`" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert f"### {project['version']}\n" in (ROOT / "docs/upgrading.md").read_text("utf-8")
