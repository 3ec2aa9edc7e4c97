"""Whatever other plugins do, the record states how the run ended, and nothing secret is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.wiring.runs import (
    ALL,
    ALL_FILES,
    AS_OF,
    DEFAULT_FILES,
    HTML,
    KEPT,
    RECORD,
    Run,
    audit,
    compliant,
    plugin,
    prefill,
    run,
    saved,
    violating,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

NO_AUDIT = "NO AUDIT: the run did not finish, and no report was written."
OUTSIDE = "pytest reported an error or a failure that is not a finding"
BANNER = f"THE RUN ENDED WITH EXIT CODE 1: {OUTSIDE}."
SECRET = "AstraCS:" + "not-a-real-token:" + "1" * 20

BREAKS = {
    "setup": "import pytest\n"
    "@pytest.hookimpl(tryfirst=True)\n"
    "def pytest_runtest_setup(item):\n"
    "    raise ValueError('of another plugin')\n",
    "teardown": "def pytest_runtest_teardown(item):\n    raise ValueError('of another plugin')\n",
    "session": "import pytest\n"
    "@pytest.hookimpl(trylast=True)\n"
    "def pytest_sessionfinish(session):\n"
    "    session.exitstatus = pytest.ExitCode.TESTS_FAILED\n",
}


def _audit(folder: Path, text: str, *arguments: str, formats: str = ALL) -> Run:
    argument, environment = plugin(folder, text)
    return audit(
        folder, compliant(), argument, *arguments, formats=formats, environment=environment
    )


# --- exit codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", BREAKS)
def test_the_record_states_the_exit_code_of_the_process(tmp_path: Path, where: str) -> None:
    """Where another plugin makes the run fail, record and pages say so beside the verdict."""
    found = _audit(tmp_path, BREAKS[where])
    assert (found.code, found.word, found.head["run"]["exit_code"]) == (1, "compliant", 1)
    assert found.misfits == []
    assert found.out.splitlines()[-2] == f"Exit code 1: {OUTSIDE}."
    assert BANNER in found.out
    assert {name for name in ALL_FILES if BANNER in found.text(name)} == {
        "audit.html",
        "summary.md",
        "audit.sarif",
        "gl-code-quality-report.json",
        "oscal-assessment-results.json",
        "csv",
        "hdf",
    }


def test_no_plugin_makes_a_failure_pass(tmp_path: Path) -> None:
    """Where another plugin calls the run a success, what fails still ends it with 1."""
    argument, environment = plugin(
        tmp_path,
        "import pytest\n"
        "@pytest.hookimpl(trylast=True)\n"
        "def pytest_sessionfinish(session):\n"
        "    session.exitstatus = pytest.ExitCode.OK\n",
    )
    found = audit(tmp_path, violating(), argument, environment=environment)
    assert (found.code, found.word, found.head["run"]["exit_code"]) == (1, "not compliant", 1)


@pytest.mark.parametrize(
    ("which", "word", "left"),
    [("'paid' in item.name", "partial", RECORD), ("True", "", set())],
    ids=["a part", "all"],
)
def test_a_check_that_a_plugin_skips_was_not_run(
    tmp_path: Path, which: str, word: str, left: set[str]
) -> None:
    """A check that another plugin skips is left out: the run is partial, or no audit at all."""
    text = (
        "import pytest\n"
        "def pytest_runtest_setup(item):\n"
        f"    if {which}:\n"
        "        pytest.skip('by another plugin')\n"
    )
    found = _audit(tmp_path, text, formats="json")
    assert (found.code, found.left) == (5, left)
    assert not word or found.word == word


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("    raise ValueError('a secret'.upper())\n", 3),
        ("    raise OSError(28, 'No space left on device', 'junit.xml')\n", 3),
        ("    import pytest\n    pytest.exit('enough', returncode=7)\n", 7),
    ],
    ids=["breaks", "full disk", "leaves"],
)
def test_an_end_that_breaks_off_is_no_audit(tmp_path: Path, text: str, code: int) -> None:
    """If another plugin breaks off the end of the run, no report is left, and it says so."""
    prefill(tmp_path)
    found = _audit(tmp_path, f"def pytest_sessionfinish(session):\n{text}")
    assert (found.code, found.left, found.previous) == (code, KEPT, ALL_FILES)
    assert NO_AUDIT in found.out.splitlines()
    assert "A SECRET" not in found.out
    assert "Compliant" not in found.out.splitlines()[-1]


def test_a_report_elsewhere_of_no_audit_is_removed(tmp_path: Path) -> None:
    """A report of pytest at a place of the user's own does not outlive an audit that broke off."""
    own = tmp_path / "own.xml"
    text = (
        "def pytest_configure(config):\n"
        "    import reports.formats.registry\n"
        "    def encode(text):\n"
        "        raise OSError(28, 'No space left on device')\n"
        "    reports.formats.registry.encode = encode\n"
    )
    found = _audit(tmp_path, text, f"--junit-xml={own}")
    assert (found.code, found.left, own.exists()) == (3, set(), False)
    assert found.out.splitlines()[-2:] == ["The system: No space left on device", NO_AUDIT]


# --- reports that a plugin writes -----------------------------------------------------------------


def test_the_paths_that_are_printed_are_those_of_the_reports(compliant_run: Run) -> None:
    """pytest names its own reports by the places where they are."""
    assert f"generated xml file: {compliant_run.folder}/junit.xml" in compliant_run.out
    assert f"file://{compliant_run.folder}/results.html" in compliant_run.out
    assert ".writing" not in compliant_run.out


@pytest.mark.parametrize(
    ("format", "switched_off", "name"),
    [("results", "-pno:html", "pytest-html"), ("junit", "-pno:junitxml", "junitxml")],
)
def test_a_report_that_nobody_writes_is_refused(
    tmp_path: Path,
    format: str,  # noqa: A002 (the parameter's name)
    switched_off: str,
    name: str,
) -> None:
    """A format that is asked for, and whose plugin is switched off, ends the run with 4."""
    file = saved(tmp_path, compliant())
    options = (f"--cmek-inventory={file}", f"--cmek-report-dir={tmp_path / 'r'}", switched_off)
    found = run(*options, f"--cmek-formats=json,{format}", folder=tmp_path / "r")
    assert (found.code, found.left) == (4, set())
    assert (
        f"--cmek-formats: found {format}, expected the plugin {name} to be loaded, or other "
        "formats" in found.out
    )


def test_a_report_that_nobody_writes_is_named(tmp_path: Path) -> None:
    """Where no format is asked for, a report whose plugin is missing is named at the end."""
    found = run(
        f"--cmek-inventory={saved(tmp_path, compliant())}",
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={tmp_path / 'r'}",
        "-pno:junitxml",
        folder=tmp_path / "r",
    )
    assert (found.code, found.left) == (0, DEFAULT_FILES - {"results.html", "junit.xml"})
    assert "results.html was not written: pytest-html is not loaded." in found.out
    assert "junit.xml was not written: junitxml is not loaded." in found.out


def test_a_run_without_a_terminal_states_its_verdict(tmp_path: Path) -> None:
    """With pytest's own output switched off the verdict is still printed."""
    found = audit(tmp_path, violating(), "-pno:terminal", plugins=HTML)
    assert (found.code, found.left) == (1, RECORD)
    verdict, *others = found.out.splitlines()[-3:]
    assert verdict.startswith("Not compliant: 5 checks failed. ")
    assert others == ["Exit code 1: not compliant.", f"Report: {tmp_path}/r/audit.json"]


# --- internal errors ------------------------------------------------------------------------------

PLACES = {
    "start": "def pytest_sessionstart(session):\n",
    "judging": "def pytest_configure(config):\n"
    "    import checks.check_paid_plan as check\n"
    "    check.judge = lambda estate, context: _break(context)\n"
    "def _break(context):\n",
    "collecting": "def pytest_collection(session):\n",
    "end": "def pytest_sessionfinish(session):\n",
}


@pytest.mark.parametrize("place", PLACES)
def test_an_internal_error_is_shown_by_type_and_place(tmp_path: Path, place: str) -> None:
    """Neither the message nor a variable of an internal error is shown, whatever is asked for."""
    text = f"{PLACES[place]}    secret = {SECRET!r}\n    raise ZeroDivisionError(secret)\n"
    found = _audit(tmp_path, text, "--full-trace", "-l", "-vv", "--tb=long", formats="json")
    assert (found.code, found.left & RECORD) == (3, set())
    assert "Internal error: ZeroDivisionError" in found.out
    assert "acme_plugin.py" in found.out
    assert NO_AUDIT in found.out
    assert found.out.count("not-a-real-token") == found.out.count("secret = ")
