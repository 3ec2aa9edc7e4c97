"""Settings in files and variables: what counts, what is shown, and who must not depend on them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from cmek_audit.commands.audit_options import QUIET
from tests.builders import write_text
from tests.cmek_audit.helpers import command
from tests.wiring.runs import (
    AS_OF,
    FORMER,
    KEPT,
    ROOT,
    XDIST,
    Run,
    compliant,
    prefill,
    run,
    saved,
    unsettled,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CHECKS = str(ROOT / "checks")
BASE = "inventory = ['inventory.yaml']\nreport-dir = 'r'\nformats = ['json']\n"


def _run(folder: Path, *arguments: str, settings: str = BASE, **environment: str) -> Run:
    """Audit in ``folder``, whose settings file names inventory and report folder."""
    (folder / ".git").mkdir(exist_ok=True)
    write_text(folder / "cmek-audit.toml", settings)
    words = [CHECKS, f"--cmek-as-of={AS_OF}", *arguments]
    return run(*words, folder=folder / "r", cwd=folder, environment=environment)


def _shown(found: Run) -> list[str]:
    """Return the settings that the terminal shows before the verdict."""
    lines = found.out.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("Settings: "))
    end = next(number for number, line in enumerate(lines[begin:]) if line[:1] not in {"S", " "})
    return [line.removeprefix("Settings:").strip() for line in lines[begin : begin + end]]


def test_a_settings_file_does_what_options_do(tmp_path: Path) -> None:
    """A run without options audits what the file names, and shows and records that it did."""
    saved(tmp_path, unsettled())
    found = _run(tmp_path, settings=f"{BASE}allow-inconclusive = true\n")
    assert (found.code, found.misfits) == (0, [])
    assert found.head["settings"]["allow_inconclusive"] is True
    assert _shown(found) == [
        "inventory=inventory.yaml from cmek-audit.toml:1",
        "allow-inconclusive from cmek-audit.toml:4",
        "report-dir=r from cmek-audit.toml:2",
        "formats=json from cmek-audit.toml:3",
    ]
    assert found.head["run"]["settings"][:2] == [
        {"option": "inventory", "value": ["inventory.yaml"], "source": "cmek-audit.toml:1"},
        {"option": "allow-inconclusive", "value": True, "source": "cmek-audit.toml:4"},
    ]


def test_the_page_shows_what_was_set(tmp_path: Path) -> None:
    """The section on the run lists each setting with its source, in harmless characters."""
    saved(tmp_path, unsettled(), "a<b>")
    settings = (
        "inventory = ['a<b>.yaml']\nreport-dir = 'r'\nformats = ['html']\nno-waivers = true\n"
    )
    page = _run(tmp_path, settings=settings).text("audit.html")
    assert "<code>inventory=a&lt;b&gt;.yaml from cmek-audit.toml:1</code>" in page
    assert "<code>no-waivers=yes from cmek-audit.toml:4</code>" in page
    assert "a<b>.yaml" not in page


def test_an_option_wins_over_a_variable_and_that_over_the_file(tmp_path: Path) -> None:
    """Each option counts by itself; what the command line gives is not shown as a setting."""
    saved(tmp_path, compliant())
    settings = f"{BASE}fail-on = 'critical'\nmax-age = '5d'\ngroup = 'rule'\n"
    variables = {"CMEK_FAIL_ON": "high", "CMEK_MAX_AGE": "6d", "CMEK_GROUP": "organization"}
    found = _run(tmp_path, "--cmek-fail-on=medium", settings=settings, **variables)
    recorded = found.head["settings"]
    assert (recorded["fail_on"], recorded["max_age_seconds"]) == ("medium", 6 * 86_400)
    assert recorded["grouping"] == "organization"
    sources = {entry["option"]: entry["source"] for entry in found.head["run"]["settings"]}
    assert sources == {
        "inventory": "cmek-audit.toml:1",
        "report-dir": "cmek-audit.toml:2",
        "formats": "cmek-audit.toml:3",
        "max-age": "CMEK_MAX_AGE",
        "group": "CMEK_GROUP",
    }


def test_a_variable_can_take_back_a_flag_of_the_file(tmp_path: Path) -> None:
    """``false`` in a variable is a value, not an absent one."""
    saved(tmp_path, unsettled())
    settings = f"{BASE}allow-inconclusive = true\n"
    found = _run(tmp_path, settings=settings, CMEK_ALLOW_INCONCLUSIVE="false")
    assert (found.code, found.head["settings"]["allow_inconclusive"]) == (1, False)


def test_a_relative_path_starts_at_its_file_or_where_one_is(tmp_path: Path) -> None:
    """A file's paths start at the file, those of a variable in the working directory."""
    below = tmp_path / "below"
    below.mkdir()
    (tmp_path / ".git").mkdir()
    saved(tmp_path, compliant())
    write_text(tmp_path / "cmek-audit.toml", "inventory = ['inventory.yaml']\n")
    variables = {"CMEK_REPORT_DIR": "r", "CMEK_FORMATS": "json"}
    words = [CHECKS, f"--cmek-as-of={AS_OF}"]
    found = run(*words, folder=below / "r", cwd=below, environment=variables)
    [source] = found.head["population"]["sources"]
    assert (found.code, source["path"]) == (0, str(tmp_path / "inventory.yaml"))


@pytest.mark.parametrize(
    ("settings", "variables", "message"),
    [
        (
            "fail-on = 'hihg'",
            {},
            (
                "cmek-audit.toml:4: fail-on: found 'hihg', expected 'critical', 'high', 'medium', "
                "'low' or 'advisory'; did you mean 'high'?"
            ),
        ),
        ("fail_on = 'high'", {}, "cmek-audit.toml:4: found 'fail_on', expected the name of a"),
        ("fail-on = 3", {}, "cmek-audit.toml:4: fail-on: found 3, expected a text in quotes"),
        ("fail-on = high", {}, "cmek-audit.toml:4: found no TOML ("),
        ("fail-on-new = true", {}, "cmek-audit.toml:4: fail-on-new: found no --cmek-baseline"),
        ("framework = ['X']", {}, "cmek-audit.toml:4: framework: found 'X', expected one of"),
        ("", {"CMEK_FAIL_ON": "none"}, "CMEK_FAIL_ON: found 'none', expected 'critical'"),
        ("", {"CMEK_FAILON": "low"}, "CMEK_FAILON: found a variable that is no setting"),
        ("", {"CMEK_NO_WAIVERS": "perhaps"}, "CMEK_NO_WAIVERS: found 'perhaps', expected 1, true"),
        ("", {"CMEK_SETTINGS": "gone.toml"}, "gone.toml: found nothing, expected a file of"),
    ],
)
def test_a_setting_that_cannot_be_used_leaves_no_audit(
    tmp_path: Path, settings: str, variables: dict[str, str], message: str
) -> None:
    """The run ends with 4, names the place, and an earlier audit is not taken for its own."""
    saved(tmp_path, compliant())
    prefill(tmp_path)
    more = ["--cmek-report-dir=r"] if "CMEK_SETTINGS" in variables or " high" in settings else []
    found = _run(tmp_path, *more, settings=f"{BASE}{settings}\n", **variables)
    assert (found.code, found.left) == (4, KEPT)
    assert f"ERROR: {message}" in found.out
    assert (tmp_path / "r" / "previous" / "audit.json").read_text() == FORMER


def test_settings_file_and_ini_file_must_agree(tmp_path: Path) -> None:
    """Two files that give one option different values are an error that names both."""
    saved(tmp_path, compliant())
    ini = (
        "[pytest]\npython_files = check_*.py\npython_functions = check_*\ncmek_fail_on = low\n"
        "cmek_inventory = inventory.yaml\n"
    )
    words = ("-c", write_text(tmp_path / "pytest.ini", ini))
    found = _run(tmp_path, *words, settings=f"{BASE}fail-on = 'high'\n")
    assert found.code == 4
    assert (
        "cmek-audit.toml:4: fail-on: found another value in cmek_fail_on in "
        f"{tmp_path / 'pytest.ini'}, expected one of the two, or one value"
    ) in found.out
    found = _run(tmp_path, *words, settings=f"{BASE}fail-on = 'low'\n")
    assert found.code == 0


def test_workers_judge_by_the_settings_of_the_run(tmp_path: Path) -> None:
    """Processes of xdist take what the run has resolved, and record the same."""
    saved(tmp_path, unsettled())
    settings = f"{BASE}allow-inconclusive = true\n"
    alone = _run(tmp_path, settings=settings)
    (tmp_path / ".git").mkdir(exist_ok=True)
    words = [CHECKS, f"--cmek-as-of={AS_OF}", "-n2"]
    found = run(*words, folder=tmp_path / "r", cwd=tmp_path, plugins=XDIST)
    assert (found.code, alone.code) == (0, 0)
    assert found.head["report"] == alone.head["report"]


def test_nothing_above_the_repository_weakens_an_audit(tmp_path: Path) -> None:
    """A file above the root of the repository is of somebody else."""
    repository = tmp_path / "repository"
    repository.mkdir()
    saved(repository, unsettled())
    write_text(tmp_path / "cmek-audit.toml", "allow-inconclusive = true\n")
    found = _run(repository)
    assert found.code == 1
    assert json.loads((repository / "r" / "audit.json").read_text())["run"]["settings"][0] == {
        "option": "inventory",
        "value": ["inventory.yaml"],
        "source": "cmek-audit.toml:1",
    }


# --- what does not depend on settings -------------------------------------------------------------

WEAKENING = {"CMEK_ALLOW_INCONCLUSIVE": "1", "CMEK_FAIL_ON": "critical", "CMEK_NO_WAIVERS": "1"}


def test_a_report_is_verified_by_what_it_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit that is made once more takes no setting of the place where that is done."""
    saved(tmp_path, unsettled())
    assert _run(tmp_path).code == 1
    write_text(tmp_path / "cmek-audit.toml", "allow-inconclusive = true\nbroken")
    monkeypatch.chdir(tmp_path)
    done = command("verify", "r", environment=WEAKENING)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "proven")


def test_shards_are_merged_by_their_own_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge has the verdict of its shards, wherever it is run; it takes where reports go."""
    saved(tmp_path, unsettled())
    shared = ("--cmek-shard-dir=s", "--cmek-shard=1/1", "--cmek-group=rule")
    assert _run(tmp_path, *shared).code == 0
    settings = "allow-inconclusive = true\nfail-on = 'critical'\nformats = ['json']\n"
    write_text(tmp_path / "cmek-audit.toml", f"{settings}report-dir = 'merged'\n")
    monkeypatch.chdir(tmp_path)
    found = {name: None for name in os.environ if name.startswith("PYTEST_")}
    quiet = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": None}
    done = command("merge", "s", "-q", environment=found | quiet | WEAKENING)
    merged = Run(done.exit_code, done.output, tmp_path / "merged")
    assert (merged.code, merged.head["settings"]["allow_inconclusive"]) == (1, False)
    assert merged.head["settings"]["fail_on"] == "low"
    assert merged.head["run"]["settings"] == []


# --- quiet runs -----------------------------------------------------------------------------------


def test_a_quiet_audit_shows_its_verdict_alone(tmp_path: Path) -> None:
    """No progress, no actions and no counts; what limits the verdict stays, and the exit code."""
    saved(tmp_path, unsettled())
    found = _run(tmp_path, "--cmek-allow-inconclusive", *QUIET)
    assert (found.code, found.head["verdict"]["outcome"]) == (0, "not established")
    lines = found.out.strip().splitlines()
    assert lines[0] == "Settings: inventory=inventory.yaml from cmek-audit.toml:1"
    assert found.head["verdict"]["text"] in lines
    assert lines[-1] == "Report: r/audit.json"
    assert [line for line in lines if line.startswith(("Items", "Findings"))] == []
    found = _run(tmp_path, *QUIET)
    assert found.code == 1
    assert "\nExit code 1: compliance is not established.\n" in found.out


def test_a_quiet_audit_shows_its_errors(tmp_path: Path) -> None:
    """An audit that cannot be made says so, and why."""
    found = _run(tmp_path, *QUIET)
    assert found.code == 4
    assert "inventory.yaml" in found.out
    assert "NO AUDIT" in found.out
