"""The GitHub Action: its scripts are run as a runner runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.project.pipelines import ACTION, FAKE, REAL, ROOT, Runner, action_steps, loaded

pytestmark = pytest.mark.slow

INPUTS = set(loaded(ACTION)["inputs"])
EXAMPLES = ROOT / "inventory/examples"


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Return a runner on which the command only notes how it was called."""
    return Runner(tmp_path, FAKE)


# --- the command line -----------------------------------------------------------------------------

WHOLE = {
    "inventory": "a.yaml\n\n  b c.yaml  \n",
    "live": "organizations.yaml\n",
    "evidence-dir": "evidence/bundles",
    "plan": "plan.json",
    "state": "state.json",
    "terraform-source": "infra",
    "terraform-organization": "astra.eu=one\nastra.us=two",
    "history": "evidence",
    "waivers": "w.yaml",
    "baseline": "old/audit.json",
    "fail-on": "high",
    "fail-on-new": "true",
    "allow-inconclusive": "true",
    "report-dir": "out",
    "arguments": "-k\nname or other\n--cmek-as-of=2026-11-20T02:00:00Z",
}


def test_inputs_become_options(runner: Runner) -> None:
    """Each input becomes its option, once for each line that is not blank."""
    assert runner.audit(WHOLE, FAKE_WORD="compliant").code == 0
    assert runner.calls == [
        [
            "audit",
            "--cmek-inventory=a.yaml",
            "--cmek-inventory=b c.yaml",
            "--cmek-live=organizations.yaml",
            "--cmek-evidence-dir=evidence/bundles",
            "--cmek-plan=plan.json",
            "--cmek-state=state.json",
            "--cmek-terraform-source=infra",
            "--cmek-terraform-organization=astra.eu=one",
            "--cmek-terraform-organization=astra.us=two",
            "--cmek-history=evidence",
            "--cmek-waivers=w.yaml",
            "--cmek-baseline=old/audit.json",
            "--cmek-fail-on=high",
            "--cmek-fail-on-new",
            "--cmek-allow-inconclusive",
            "-k",
            "name or other",
            "--cmek-as-of=2026-11-20T02:00:00Z",
            "--cmek-report-dir=out",
        ]
    ]


def test_every_input_is_used() -> None:
    """No input is declared and forgotten, and none is used that is not declared."""
    whole = json.dumps(loaded(ACTION)["runs"])
    assert set(re.findall(r"inputs\.([a-z-]+)", whole)) == INPUTS
    assert set(WHOLE) == INPUTS - {"artifact", "extras", "keep-bundles", "sarif", "python-version"}


def test_absent_inputs_leave_the_options_out(runner: Runner) -> None:
    """With nothing but an inventory, an audit is told of that and of the folder of reports."""
    runner.audit(FAKE_WORD="compliant")
    assert runner.calls == [
        ["audit", "--cmek-inventory=inventory.yaml", "--cmek-report-dir=audit-report"]
    ]


FLAGS = {"fail-on-new", "allow-inconclusive"}
HOSTILE = ("$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "*", "\\", "-n", "'")


@pytest.mark.parametrize("text", HOSTILE)
def test_inputs_are_never_run(runner: Runner, text: str) -> None:
    """Whatever an input holds stays a word: nothing in it is run or expanded."""
    runner.audit(dict.fromkeys(set(WHOLE) - FLAGS, text), FAKE_WORD="compliant")
    assert [path.name for path in runner.folder.rglob("pwned")] == []
    (call,) = runner.calls
    options = [f"--cmek-{name}={text}" for name in WHOLE if name not in {*FLAGS, "arguments"}]
    assert sorted(call) == sorted(["audit", *options, text])


@pytest.mark.parametrize("name", sorted(FLAGS))
def test_flags_are_never_run(runner: Runner, name: str) -> None:
    """An input that is true or false is refused if it is neither, and not run."""
    done = runner.audit({"live": "env", name: HOSTILE[0]})
    assert (done.code, list(runner.folder.iterdir())) == (4, [])


def test_no_script_holds_an_expression() -> None:
    """Inputs reach the scripts by the environment; a script is the same text in each run."""
    runs = [step["run"] for step in action_steps().values() if "run" in step]
    assert len(runs) == 4
    assert [run for run in runs if "${{" in run] == []
    assert [run for run in runs if not run.startswith("set -euo pipefail\n")] == []


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "inventory, live: found neither, expected what to audit"),
        ({"plan": "plan.yaml"}, "inventory, live: found neither, expected what to audit"),
        ({"inventory": " \n\n "}, "inventory, live: found neither, expected what to audit"),
        ({"live": "env", "fail-on-new": "yes"}, "--cmek-fail-on-new: expected true or false"),
        ({"live": "env", "fail-on": "low\nhigh"}, "--cmek-fail-on= expected one line"),
        (
            {"live": "env", "report-dir": "a\nverdict=compliant"},
            "--cmek-report-dir= expected one line",
        ),
    ],
)
def test_unusable_inputs_end_with_four(
    runner: Runner, inputs: dict[str, str], message: str
) -> None:
    """Where it is not clear what to audit or how, nothing is audited."""
    done = runner.audit(inputs, FAKE_WORD="compliant")
    assert (done.code, done.err.strip()) == (4, message)
    report = inputs.get("report-dir", "audit-report").partition("\n")[0]
    assert runner.outputs == {"exit-code": "4", "verdict": "no audit", "report": report}


# --- the end --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "word", "ends", "verdict"),
    [
        ("0", "compliant", 0, "compliant"),
        ("1", "not compliant", 1, "not compliant"),
        ("2", "", 2, "no audit"),
        ("3", "", 3, "no audit"),
        ("4", "compliant", 4, "no audit"),
        ("5", "", 5, "no audit"),
        ("0", "", 3, "no audit"),
        ("1", "", 3, "no audit"),
    ],
)
def test_it_ends_as_the_audit(
    runner: Runner, code: str, word: str, ends: int, verdict: str
) -> None:
    """The exit code is the audit's; without a record it is never 0, and there is no verdict."""
    done = runner.audit(FAKE_CODE=code, FAKE_WORD=word)
    assert (done.code, runner.outputs["verdict"]) == (ends, verdict)
    assert runner.outputs["exit-code"] == str(ends)


def test_an_earlier_record_is_not_taken_for_this_one(runner: Runner) -> None:
    """A record that lay there before is gone, also if the audit writes none."""
    report = runner.folder / "audit-report"
    report.mkdir()
    (report / "audit.json").write_text('{"verdict": {"outcome": "compliant"}}')
    done = runner.audit()
    assert (done.code, runner.outputs["verdict"]) == (3, "no audit")


def test_an_input_that_was_refused_stays(runner: Runner) -> None:
    """A record that lay there stays if the audit is refused: it may be what was given to it."""
    report = runner.folder / "audit-report"
    report.mkdir()
    (report / "audit.json").write_text("{}")
    assert runner.audit(FAKE_CODE="4").code == 4
    assert runner.outputs["verdict"] == "no audit"
    assert (report / "audit.json").read_text() == "{}"


def test_the_runner_obeys_nothing_that_the_audit_prints(runner: Runner) -> None:
    """All that the audit prints stands between a stop and a start that cannot be guessed."""
    token = ""
    for _ in range(2):
        done = runner.audit(FAKE_PRINTS="  ::error::no", FAKE_WORD="compliant")
        first, *between, last = done.out.splitlines()
        assert sorted(between) == ["  ::error::no", "audit"]
        assert (first, done.err) == (f"::stop-commands::{last.strip(':')}", "")
        assert re.fullmatch(r"::[0-9a-f]{32}::", last)
        assert last != token
        token = last


# --- the reports ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["0", "1"])
def test_what_was_found_is_reported(runner: Runner, code: str) -> None:
    """After an audit, whatever it found, its summary and annotations are made of its record."""
    runner.audit(FAKE_CODE=code, FAKE_WORD="compliant")
    done = runner.summarize()
    assert runner.calls[1:] == [
        ["render", "markdown", "--", "audit-report"],
        ["render", "annotations", "--", "audit-report"],
    ]
    assert done.code == 0


@pytest.mark.parametrize("code", ["2", "3", "4", "5"])
def test_no_audit_is_reported(runner: Runner, code: str) -> None:
    """If there is no audit, the summary says so, and nothing else."""
    runner.audit(FAKE_CODE=code)
    assert runner.summarize().code == 0
    shown = f"**No audit** of customer keys: exit code {code}, see the log.\n"
    assert (runner.summary.read_text(), len(runner.calls)) == (shown, 1)


def test_a_broken_installation_is_reported(runner: Runner) -> None:
    """If the audit did not even begin, the summary says so."""
    assert runner.summarize().code == 0
    assert "exit code none" in runner.summary.read_text()


def _condition(name: str) -> str:
    return " ".join(action_steps()[name].get("if", "").split())


def test_reports_are_made_whatever_came_of_the_audit() -> None:
    """Summary, artifact and code scanning follow a failed audit, too, if there was one."""
    shown = """contains(fromJSON('["0", "1"]'), steps.audit.outputs.exit-code)"""
    assert {name: _condition(name) for name in action_steps()} == {
        next(iter(action_steps())): "",
        "Install": "",
        "Sum up old bundles": "inputs.keep-bundles != ''",
        "Audit": "",
        "Summary": "always()",
        "Keep the reports": f"always() && inputs.artifact != '' && {shown}",
        "Send to code scanning": f"always() && inputs.sarif == 'true' && {shown}",
    }
    scanned: dict[str, Any] = action_steps()["Send to code scanning"]["with"]
    assert Path(scanned["sarif_file"]).name == "audit.sarif"


@pytest.mark.parametrize(
    ("inventory", "code", "verdict"),
    [("compliant.yaml", 0, "compliant"), ("acme.yaml", 1, "not compliant")],
)
def test_the_real_command(tmp_path: Path, inventory: str, code: int, verdict: str) -> None:
    """The bundled examples pass the action's gate, or do not, and their reports are rendered."""
    runner = Runner(tmp_path, REAL)
    done = runner.audit({"inventory": str(EXAMPLES / inventory), "report-dir": "out"})
    assert (done.code, runner.outputs["verdict"]) == (code, verdict)
    after = runner.summarize()
    assert after.code == 0
    report = runner.folder / "out"
    assert runner.summary.read_text() == (report / "summary.md").read_text()
    lines = after.out.splitlines()
    assert [line for line in lines if not re.match("::(error|warning|notice) ", line)] == []
    assert any(line.startswith("::error ") for line in lines) is bool(code)
    assert (report / "audit.sarif").is_file()


def test_old_bundles_are_summed_up(tmp_path: Path) -> None:
    """Old bundles are summed up where a live audit puts new ones, before it does."""
    runner = Runner(tmp_path, FAKE)
    titles = list(action_steps())
    assert titles.index("Sum up old bundles") == titles.index("Audit") - 1
    assert action_steps()["Sum up old bundles"]["if"] == "inputs.keep-bundles != ''"
    assert runner.sum_up({"keep-bundles": "90"}).code == 0
    for folder in ("audit-evidence", "kept"):
        (runner.folder / folder).mkdir()
        given = {"evidence-dir": "kept\n"} if folder == "kept" else {}
        assert runner.sum_up({"keep-bundles": "90", **given}).code == 0
        assert runner.calls[-1] == ["prune", "--keep=90", "--", folder]
    assert len(runner.calls) == 2
