"""The built wheel: one package, with the suite inside, that works where the source is gone."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import chdir
from pathlib import Path

import pytest
from hatchling.build import build_wheel

from checks.engine.catalogue import load_rules
from cmek_audit import install_location
from cmek_audit.commands.start.editor_schemas import SCHEMAS
from inventory.system.dask_cluster import open_cluster
from inventory.system.dask_worker import run_checked
from tests.clusters.local import processes
from tests.cmek_audit.helpers import ROOT
from tests.wiring.runs import DEFAULT_FILES, EXAMPLE, HTML, RECORD, Run, environment_of, run

pytestmark = pytest.mark.slow

SUITE = "cmek_audit/suite/"
INSIDE = {
    "cmek_audit": "",
    "checks": SUITE,
    "inventory": SUITE,
    "reports": SUITE,
    "conftest.py": SUITE,
    "pyproject.toml": SUITE,
    "docs/samples": SUITE,
    "docs/workflows": SUITE,
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of a copy that is gone then, without a network or an environment."""
    folder, copy = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("copy")
    for name in _kept("."):
        place = copy / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, place)
    with chdir(copy):
        wheel = folder / build_wheel(str(folder))
    shutil.rmtree(copy)
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let pip install the wheel, and nothing else, into a folder of its own."""
    folder = tmp_path_factory.mktemp("site-packages")
    words = ("install", "-q", "--no-index", "--no-deps", "--no-compile", "--no-cache-dir")
    command = [sys.executable, "-m", "pip", *words, "--target", str(folder), str(wheel)]
    subprocess.run(command, check=True, cwd=folder)
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
    (shown,) = installed.glob("*.dist-info/entry_points.txt")
    assert shown.read_text().split() == [
        "[console_scripts]",
        "cmek-audit",
        "=",
        "cmek_audit.cli:main",
    ]


def _python(
    installed: Path, *arguments: str, cwd: Path, **more: str
) -> subprocess.CompletedProcess[str]:
    shown = {"PYTHONPATH": str(installed), "NO_COLOR": "1", "COLUMNS": "80"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment_of(shown | more),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_suite_is_the_one_that_is_used(installed: Path, tmp_path: Path) -> None:
    """What is installed uses the suite that it carries, also where others have its names."""
    (tmp_path / "checks.py").write_text("raise SystemExit('a stranger was imported')")
    code = (
        "from cmek_audit import install_location as suite; suite.enable(); "
        "import checks, inventory, reports; "
        "print(*(each.__file__ for each in (suite, checks, inventory, reports)), sep='\\n')"
    )
    done = _python(installed, "-c", code, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        str(installed / "cmek_audit/install_location.py"),
        *(
            str(installed / SUITE / name / "__init__.py")
            for name in ("checks", "inventory", "reports")
        ),
    ]


def test_what_is_installed_verifies(installed: Path, bundle: Path, tmp_path: Path) -> None:
    """The installed command verifies evidence, in a folder that has nothing of the project."""
    done = _python(installed, "-m", "cmek_audit", "verify", str(bundle), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "proven"


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
    assert (done.code, done.word, done.left) == (
        0,
        "compliant",
        {"audit.json", "findings.ndjson", "population.ndjson"},
    )


def test_workers_find_what_is_installed(installed: Path, tmp_path: Path) -> None:
    """Workers of a cluster on which the package is installed run tasks of the same suite."""
    others = f"[one for one in sys.path if one != {str(ROOT)!r}]"
    with processes(tmp_path) as cluster:
        cluster.start_worker(f"import sys; sys.path[:] = {others}", PYTHONPATH=str(installed))
        with open_cluster(cluster.address) as executor:
            place = executor.submit(inspect.getfile, run_checked).result(timeout=60)
    assert place == str(installed / SUITE / "inventory/system/dask_worker.py")


# --- the installed command ------------------------------------------------------------------------


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_an_installation_is_one_package(installed: Path) -> None:
    """An installation brings the package, what describes it, and the command."""
    names = {path.name.partition("-0.")[0] for path in installed.iterdir()}
    assert names == {"cmek_audit", "bin"}
    assert {path.name for path in (installed / "bin").iterdir()} == {"cmek-audit"}


def test_what_is_installed_tells_of_itself(installed: Path, tmp_path: Path) -> None:
    """The installed command, by its own name, tells its version and its rules."""
    start = str(installed / "bin" / "cmek-audit")
    version = _python(installed, start, "--version", cwd=tmp_path)
    assert version.stdout == f"cmek-audit {install_location.version()}\n"
    rules = _python(installed, start, "rules", cwd=tmp_path)
    assert (rules.returncode, len(rules.stdout.splitlines())) == (0, len(load_rules()))
    one = _python(installed, start, "rules", "CMEK-01", cwd=tmp_path)
    assert f"Check:     {installed}/{SUITE}checks/check_scope_has_key.py\n" in one.stdout


def test_what_is_installed_begins_an_audit(installed: Path, tmp_path: Path) -> None:
    """The installed command prints each schema, and writes the first files with their pipeline."""
    for name, schema in SCHEMAS.items():
        printed = _python(installed, "-m", "cmek_audit", "schema", name, cwd=tmp_path)
        assert printed.stdout == (ROOT / schema.file).read_text("utf-8")
    words = ("init", "--source=live", "--pipeline=github")
    done = _python(installed, "-m", "cmek_audit", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    kept = {name for name in _files(tmp_path) if (tmp_path / name).is_file()}
    assert kept == {
        "organizations.yaml",
        "waivers.yaml",
        ".github/workflows/cmek-audit.yml",
        ".cmek-audit/organizations.schema.json",
        ".cmek-audit/waivers.schema.json",
    }


def test_the_installed_command_audits_the_example(installed: Path, tmp_path: Path) -> None:
    """Without an inventory it audits the bundled example, and leaves all reports where it is."""
    before = _files(installed)
    plugins = [word for name in HTML for word in ("-p", f"{name}.plugin")]
    done = _python(installed, "-m", "cmek_audit", "audit", "-q", *plugins, cwd=tmp_path)
    reports = Run(done.returncode, done.stdout, tmp_path / "audit-report")
    assert (done.returncode, done.stderr) == (1, "")
    assert "results.html" not in done.stdout  # -q
    assert {path.name for path in tmp_path.iterdir()} == {"audit-report"}
    assert (reports.word, reports.left) == ("not compliant", DEFAULT_FILES)
    assert EXAMPLE in reports.text("audit.html")
    assert _files(installed) == before


def test_the_installed_command_audits_a_file(installed: Path, tmp_path: Path) -> None:
    """What complies ends with 0, shared among processes too, and by nothing of a checkout."""
    example = installed / SUITE / "inventory" / "examples" / "compliant.yaml"
    shutil.copyfile(example, tmp_path / "is.yaml")
    asked = ("audit", "--cmek-inventory", "is.yaml", "--cmek-formats", "json")
    done = _python(installed, "-m", "cmek_audit", *asked, "-pxdist.plugin", "-n2", cwd=tmp_path)
    reports = Run(done.returncode, done.stdout, tmp_path / "audit-report")
    assert (done.returncode, done.stderr, reports.left) == (0, "", RECORD)
    assert reports.head["run"]["command"][:3] == ["cmek-audit", "audit", "--cmek-inventory"]
    assert (reports.head["run"]["commit"], str(ROOT) in done.stdout) == ("", False)
    assert re.search(rf"^rootdir: {installed}/cmek_audit/suite$", done.stdout, re.MULTILINE)


def test_an_installed_audit_takes_the_settings_of_its_user(installed: Path, tmp_path: Path) -> None:
    """The ``pyproject.toml`` of the user counts, and not the one that the wheel carries."""
    (tmp_path / ".git").mkdir()
    settings = "[tool.cmek-audit]\nreport-dir = 'mine'\nformats = ['json']\n"
    (tmp_path / "pyproject.toml").write_text(settings)
    done = _python(installed, "-m", "cmek_audit", "audit", "-q", cwd=tmp_path)
    assert "Settings: report-dir=mine from pyproject.toml:2" in done.stdout
    assert (tmp_path / "mine" / "audit.json").is_file()
    listed = _python(installed, "-m", "cmek_audit", "settings", cwd=tmp_path)
    assert (listed.returncode, listed.stdout.splitlines()[0]) == (
        0,
        "Settings file: pyproject.toml",
    )
