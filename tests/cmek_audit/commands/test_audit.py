"""``audit``: what it takes from where it is run, what it leaves there, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from checks.engine.catalogue import load_rules
from tests.builders import write_text, write_yaml
from tests.cmek_audit.helpers import FLEET, ROOT, command, organizations
from tests.wiring.runs import AS_OF, RECORD, Run, compliant, environment_of, unpaid, violating

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from tests.astra.server import Running

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "inventory" / "examples" / "compliant.yaml"
ALONE = {
    **dict.fromkeys([name for name in os.environ if name not in environment_of({})]),
    "PYTEST_CURRENT_TEST": None,
    "PYTEST_ADDOPTS": None,
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "COLUMNS": "100",
    "NO_COLOR": "1",
}
"""What keeps an audit in this process apart from the tests that run it."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder that has nothing of the project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def audit(*arguments: object, **environment: str) -> Result:
    """Audit in this process, as of a fixed time."""
    return command("audit", f"--cmek-as-of={AS_OF}", *arguments, environment=ALONE | environment)


def left(here: Path, name: str = "audit-report") -> Run:
    return Run(0, "", here / name)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("--cmek-inventry=x", "No such option '--cmek-inventry'. Did you mean --cmek-inventory?"),
        ("--cmek-xyz", "No such option '--cmek-xyz'."),
        ("--cmek-plan", "Option '--cmek-plan' requires an argument."),
        ("--cmek-no-waivers=1", "Option '--cmek-no-waivers' does not take a value."),
    ],
)
def test_mistyped_options(asked: str, message: str, here: Path) -> None:
    """A mistake in an option of the suite ends with 4 before anything is run."""
    done = audit(asked)
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.splitlines()[-1] == f"Error: {message}"
    assert left(here).left == set()


def test_a_compliant_inventory(here: Path, golden: Callable[[str, str], None]) -> None:
    """The bundled compliant example ends with 0; the report lies where the audit was run."""
    done = audit("--cmek-inventory", EXAMPLE, "--cmek-formats", "html,junit")
    assert (done.exit_code, done.stderr) == (0, "")
    assert left(here).left == {*RECORD, "audit.html", "junit.xml"}
    assert {path.name for path in here.iterdir()} == {"audit-report"}
    golden("audit-compliant.txt", _plain(done.stdout, here))


def _plain(text: str, here: Path) -> str:
    """Leave out what differs from machine to machine, and from run to run."""
    text = re.sub(r"(?m)^(checks/check_\w+\.py) (\S+) +\[", r"\1 \2 [", text)
    text = text.replace(str(here), "HERE").replace(str(ROOT), "SUITE")
    text = re.sub(r"(?m)^[-=]+ (.+?) [-=]+$", r"--- \1 ---", text)
    text = re.sub(r"in [0-9.]+s\b", "in TIME", text)
    return re.sub(r"(?m)^(platform|plugins:) .*\n", "", text)


def test_one_that_is_not_compliant(here: Path) -> None:
    """Failures end with 1, and the record says so."""
    file = write_yaml(here / "is.yaml", violating())
    done = audit("--cmek-inventory", "is.yaml", "--cmek-formats=json", "-q")
    assert (done.exit_code, left(here).word) == (1, "not compliant")
    assert done.stdout.splitlines()[-2:] == [
        "Exit code 1: not compliant.",
        "Report: audit-report/audit.json",
    ]
    assert file == str(here / "is.yaml")


def test_options_reach_the_audit(here: Path) -> None:
    """Options are taken as by pytest: a gate lets pass what is milder, reports go elsewhere."""
    write_yaml(here / "is.yaml", unpaid())
    asked = ("--cmek-inventory", "is.yaml", "--cmek-formats", "json", "--cmek-report-dir", "r")
    assert audit(*asked).exit_code == 1
    assert audit(*asked, "--cmek-fail-on", "high").exit_code == 0
    assert left(here, "r").left == {*RECORD, "previous"}


def test_nothing_selected() -> None:
    """An audit of nothing ends with 5, and there is no report."""
    done = audit("-k", "nothing", "--cmek-formats=json", "-q")
    assert done.exit_code == 5
    assert done.stdout.splitlines()[-1].startswith("NO AUDIT: ")


@pytest.mark.parametrize("code", [*map(int, pytest.ExitCode)][:6])
def test_exit_codes_are_those_of_pytest(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However pytest ends, the command ends so."""
    monkeypatch.setattr(pytest, "main", lambda *_: pytest.ExitCode(code))
    assert audit().exit_code == code


def test_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted before pytest could take care, the command says that there is no audit."""

    def main(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(pytest, "main", main)
    done = audit()
    assert (done.exit_code, done.stderr) == (2, "Interrupted: there is no audit.\n")


@pytest.mark.parametrize(
    "stray", ["is.yaml", "test_mine.py", str(ROOT / "checks/check_paid_plan.py"), "nowhere"]
)
def test_a_file_without_its_option(stray: str, here: Path) -> None:
    """A path that no option takes is refused: it would be run, or audited, or neither."""
    write_yaml(here / "is.yaml", compliant())
    write_text(here / "test_mine.py", "raise SystemExit('a stranger was run')")
    done = audit("--cmek-formats=json", stray)
    assert (done.exit_code, done.stdout) == (4, "")
    expected = (
        f"ERROR: {stray!r} is no option: an audit takes its files by options, such as "
        "--cmek-inventory=FILE, and its rules are selected by -k and -m"
    )
    assert done.stderr.strip() == expected
    assert left(here).left == set()


def test_an_option_that_nobody_knows() -> None:
    """What pytest does not know either is reported under the name of this command."""
    done = audit("--vault=is.yaml")
    assert (done.exit_code, done.stdout) == (4, "")
    lines = done.stderr.splitlines()
    assert lines[:2] == [
        "ERROR: usage: cmek-audit audit [options] [file_or_dir] [file_or_dir] [...]",
        "cmek-audit audit: error: unrecognized arguments: --vault=is.yaml",
    ]


def test_an_inventory_that_is_not_there(here: Path) -> None:
    """A file that cannot be read ends with 4, and is named as it was given."""
    done = audit("--cmek-inventory", "none.yaml")
    assert done.exit_code == 4
    assert "none.yaml: found No such file or directory" in done.stderr
    assert left(here).left == set()


def test_help_is_that_of_the_command() -> None:
    """``--help`` shows the options of the suite; after ``--`` it is pytest's."""
    assert audit("-q", "--help").stdout.startswith("Usage: cmek-audit audit [OPTIONS]")
    done = audit("--", "--help")
    assert (done.exit_code, done.stdout.split(" [")[0]) == (0, "usage: cmek-audit audit")
    assert "--collect-only" in done.stdout


def test_looking_only(here: Path) -> None:
    """``--collect-only`` lists what would be judged, and writes nothing."""
    done = audit("--collect-only", "-q")
    listed = [line for line in done.stdout.splitlines() if "::" in line]
    assert (done.exit_code, len({line.split("::")[0] for line in listed})) == (0, len(load_rules()))
    assert list(here.iterdir()) == []


# --- what the record says -------------------------------------------------------------------------


def test_the_record_names_the_command(here: Path) -> None:
    """The record holds the command line as it was given, without tokens."""
    token = "Astra" + "CS:not-a-real-token"
    given = ["--cmek-inventory", str(EXAMPLE), "-k", f"not {token}", "--cmek-formats=json"]
    assert audit(*given).exit_code == 0
    command = left(here).head["run"]["command"]
    assert command[:5] == ["cmek-audit", "audit", f"--cmek-as-of={AS_OF}", *given[:2]]
    assert (command[5], command[7:]) == (given[2], given[4:])
    assert token not in json.dumps(command)


def test_findings_are_those_of_plain_pytest(here: Path) -> None:
    """The command and plain pytest find the very same."""
    write_yaml(here / "is.yaml", violating())
    asked = ["--cmek-inventory=is.yaml", "--cmek-formats=json", f"--cmek-as-of={AS_OF}"]
    audit(*asked, "--cmek-report-dir=ours")
    plain = ["-c", str(ROOT / "pyproject.toml"), str(ROOT / "checks"), "--cmek-report-dir=plain"]
    _process(here, "pytest", *asked, *plain)
    ours, theirs = (left(here, name).text("findings.ndjson") for name in ("ours", "plain"))
    assert ours == theirs != ""


# --- where it is run ------------------------------------------------------------------------------


def _process(here: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    shown = environment_of({"PYTHONPATH": str(ROOT), **environment})
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=here,
        env=shown,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_a_stranger_left_here_is_not_taken(here: Path) -> None:
    """Files of pytest's, and folders of the suite's names, where the user is are not taken."""
    for name in ("conftest.py", "checks/__init__.py", "checks/check_mine.py"):
        (here / name).parent.mkdir(exist_ok=True)
        write_text(here / name, "raise SystemExit('a stranger was imported')")
    write_text(here / "pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    write_text(here / "tox.ini", "[pytest]\ncmek_fail_on = critical\n")
    write_text(here / "pyproject.toml", "[tool.pytest]\ncmek_inventory = ['none.yaml']\n")
    write_yaml(here / "is.yaml", unpaid())
    asked = ("--cmek-inventory", "is.yaml", "--cmek-formats=json", f"--cmek-as-of={AS_OF}")
    done = _process(here, "cmek_audit", "audit", *asked)
    assert (done.returncode, done.stderr) == (1, "")
    assert left(here).word == "not compliant"


def test_ini_twins_on_the_command_line_start_where_the_user_is(here: Path) -> None:
    """A path told by ``-o`` starts where the audit is run, as those of options do."""
    write_yaml(here / "is.yaml", compliant())
    shown = ("-o", "cmek_inventory=is.yaml", "-o", "cmek_report_dir=r", "-o", "cmek_formats=json")
    assert audit(*shown).exit_code == 0
    assert left(here, "r").left == RECORD
    (source,) = left(here, "r").head["population"]["sources"]
    assert source["path"] == "is.yaml"


def test_a_shared_run_finds_the_same(here: Path) -> None:
    """Shared among processes the audit finds the very same."""
    write_yaml(here / "is.yaml", violating())
    asked = ("cmek_audit", "audit", "--cmek-inventory=is.yaml", "--cmek-formats=json")
    alone = _process(here, *asked, f"--cmek-as-of={AS_OF}", "--cmek-report-dir=alone")
    shared = _process(
        here,
        *asked,
        f"--cmek-as-of={AS_OF}",
        "--cmek-report-dir=shared",
        "-p",
        "xdist.plugin",
        "-n2",
    )
    assert (alone.returncode, shared.returncode) == (1, 1)
    texts = [left(here, name).text("findings.ndjson") for name in ("alone", "shared")]
    assert texts[0] == texts[1] != ""


def test_a_live_audit(here: Path, astra: Running) -> None:
    """A live audit leaves its evidence where it is run, as ``collect`` does."""
    organizations(here, astra.address)
    asked = ("--cmek-live", "organizations.yaml", "--cmek-formats", "json", "-q")
    done = command("audit", *asked, environment=ALONE | FLEET.environment)
    assert done.exit_code in {0, 1}
    assert {path.name for path in here.iterdir()} == {
        "organizations.yaml",
        "audit-evidence",
        "audit-report",
    }
    assert left(here).head["run"]["command"] == ["cmek-audit", "audit", *asked]


# --- as JSON --------------------------------------------------------------------------------------


def _as_json(*arguments: object) -> tuple[int, object, str]:
    """Audit in a process of its own, as what pytest prints goes to its files."""
    words = ["-m", "cmek_audit", "audit", f"--cmek-as-of={AS_OF}", "--json", *map(str, arguments)]
    done = subprocess.run(
        [sys.executable, *words],
        env=environment_of({"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_json_is_all_that_an_audit_prints(here: Path) -> None:
    """With ``--json`` stdout has one object, the verdict; stderr has what the run prints."""
    code, printed, shown = _as_json(f"--inventory={EXAMPLE}", "-q")
    head = left(here).head
    assert printed == {
        "exit_code": 0,
        "verdict": "compliant",
        "text": head["verdict"]["text"],
        "as_of": head["settings"]["as_of"],
        "counts": head["counts"],
        "report": head["report"],
        "report_dir": "audit-report",
    }
    assert (code, head["verdict"]["text"] in shown) == (0, True)


def test_json_of_no_audit_has_no_verdict() -> None:
    """Where there is no audit, the object says so, and stderr why."""
    code, printed, shown = _as_json("--inventory=nowhere.yaml")
    assert (code, printed) == (4, {"exit_code": 4, "verdict": None, "report": None})
    assert "nowhere.yaml: found No such file or directory" in shown


# --- tests beside the checks ----------------------------------------------------------------------

ASYNC_TEST = """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_mine():
    pass
"""


@pytest.mark.parametrize(("options", "code"), [((), 1), (("-p", "anyio"), 0)], ids=["off", "on"])
def test_async_tests_of_a_user(options: tuple[str, ...], code: int, here: Path) -> None:
    """The suite's settings turn anyio's plugin off; a test that needs it fails until it is on."""
    write_text(here / "test_mine.py", ASYNC_TEST)
    settings = ("-c", str(ROOT / "pyproject.toml"), *options)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, "test_mine.py"],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, " 1 passed in " in done.stdout) == (code, code == 0)
