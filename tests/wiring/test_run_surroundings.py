"""An audit is the same whatever else the interpreter and pytest are reported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.wiring.runs import ALL, Run, audit, plugin

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow

WARNS = """\
import warnings
import pytest

def pytest_configure():
    warnings.warn("acme is deprecated", pytest.PytestDeprecationWarning)

def pytest_collection_modifyitems():
    warnings.warn("acme is deprecated", DeprecationWarning)

def pytest_runtest_setup():
    warnings.warn("acme is deprecated", ResourceWarning)

def pytest_sessionfinish():
    warnings.warn("acme is deprecated", UserWarning)
"""
MARKS = """\
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker("acme_slow")
"""
REPEATS_IDS = """\
def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("acme")
    metafunc.parametrize("acme", [1], ids=["same"])
"""


def _outcome(run: Run) -> tuple[int, dict[str, Any], str]:
    """Return the exit code, the head without what differs from run to run, and the findings."""
    head = {name: value for name, value in run.head.items() if name != "run"}
    return run.code, head, run.text("findings.ndjson")


@pytest.mark.parametrize("text", [WARNS, MARKS, REPEATS_IDS], ids=["warns", "marks", "parameters"])
def test_a_plugin_of_somebody_else_does_not_end_an_audit(
    text: str, compliant_run: Run, mixed_run: Run, tmp_path: Path
) -> None:
    """Warnings, unknown markers and parameters of other plugins change no verdict and no code."""
    option, environment = plugin(tmp_path, text)
    environment |= {"PYTHONWARNINGS": ""}
    _compare(tmp_path, compliant_run, mixed_run, environment, option)


@pytest.mark.parametrize("level", ["1", "2"])
def test_an_optimized_interpreter_finds_the_same(
    level: str, compliant_run: Run, mixed_run: Run, tmp_path: Path
) -> None:
    """Without assert statements, and without docstrings, the audit finds and says the same."""
    _compare(tmp_path, compliant_run, mixed_run, {"PYTHONOPTIMIZE": level})


def _compare(
    folder: Path, good: Run, bad: Run, environment: Mapping[str, str], *arguments: str
) -> None:
    """Audit again, in other surroundings and in another folder, and compare."""
    again = {name: folder / name for name in ("compliant", "mixed")}
    for place in again.values():
        place.mkdir()
    found = audit(
        again["compliant"], _source(good), *arguments, formats=ALL, environment=environment
    )
    assert _outcome(found) == _outcome(good)
    asked = (*_waivers(bad), *arguments)
    found = audit(again["mixed"], _source(bad), *asked, formats=ALL, environment=environment)
    assert _outcome(found) == _outcome(bad)


def _source(run: Run) -> str:
    return str(run.head["population"]["sources"][0]["path"])


def _waivers(run: Run) -> list[str]:
    return [
        f"--cmek-waivers={waiver_file['path']}"
        for waiver_file in run.head["settings"]["waiver_files"]
    ]
