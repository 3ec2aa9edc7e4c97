"""The built wheel: one package, with the suite inside, that works where the source is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from contextlib import chdir
from pathlib import Path

import pytest
from hatchling.build import build_wheel

from tests.cmek_audit.commands import ROOT
from tests.wiring.runs import run

SUITE = "cmek_audit/suite/"
INSIDE = {
    "cmek_audit": "",
    "checks": SUITE,
    "inventory": SUITE,
    "reports": SUITE,
    "conftest.py": SUITE,
    "pyproject.toml": SUITE,
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, without a network and without an environment of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    with chdir(ROOT):
        return folder / build_wheel(str(folder))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel, as an installation does."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder)
    return folder


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as content:
        return set(content.namelist())


def _kept(top: str) -> set[str]:
    command = ["git", "ls-files", "-co", "--exclude-standard", top]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


def test_the_wheel_spills_nothing(wheel: Path) -> None:
    """Nothing lands in site-packages but the one package and what describes it."""
    tops = {name.partition("/")[0] for name in _names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cmek_audit"}
    assert len(tops) == 2


def test_the_wheel_carries_the_whole_suite(wheel: Path) -> None:
    """The package holds its own files and every file of the suite, and no other."""
    wanted = {folder + name for top, folder in INSIDE.items() for name in _kept(top)}
    packed = {name for name in _names(wheel) if ".dist-info/" not in name}
    assert packed == wanted


def test_the_wheel_offers_the_command(installed: Path) -> None:
    """The command is known by its name."""
    (told,) = installed.glob("*.dist-info/entry_points.txt")
    assert told.read_text().split() == [
        "[console_scripts]",
        "cmek-audit",
        "=",
        "cmek_audit.cli:main",
    ]


def _python(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    told = {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_suite_is_the_one_that_is_used(installed: Path, tmp_path: Path) -> None:
    """What is installed uses the suite that it carries, also where others have its names."""
    (tmp_path / "checks.py").write_text("raise SystemExit('a stranger was imported')")
    code = (
        "from cmek_audit import suite; suite.enable(); import checks, inventory, reports; "
        "print(*(each.__file__ for each in (suite, checks, inventory, reports)), sep='\\n')"
    )
    done = _python(installed, "-c", code, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        str(installed / "cmek_audit/suite.py"),
        *(
            str(installed / SUITE / name / "__init__.py")
            for name in ("checks", "inventory", "reports")
        ),
    ]


def test_what_is_installed_verifies(installed: Path, bundle: Path, tmp_path: Path) -> None:
    """The installed command verifies evidence, in a folder that has nothing of the project."""
    done = _python(installed, "-m", "cmek_audit", "verify", str(bundle), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "verified"


def test_what_is_installed_audits(installed: Path, tmp_path: Path) -> None:
    """pytest runs the checks of an installed suite, with the settings that it carries."""
    suite = installed / SUITE
    done = run(
        f"--cmek-inventory={suite / 'inventory/examples/compliant.yaml'}",
        f"--cmek-report-dir={tmp_path / 'r'}",
        "--cmek-formats=json",
        folder=tmp_path / "r",
        cwd=suite,
    )
    assert (done.code, done.word, done.left) == (0, "compliant", {"audit.json", "findings.ndjson"})
