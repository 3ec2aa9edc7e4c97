"""The GitLab component: its script is run as a runner runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reports.formats.registry import RENDERABLE
from tests.project.pipelines import (
    COMPONENT,
    FAKE,
    REAL,
    ROOT,
    Done,
    component,
    install,
    job_of,
    read,
    shell,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow

PLACE = "/tmp/cmek-audit"
QUALITY = "gl-code-quality-report.json"
BANNERS = ["EXAMPLE, NOT AUDIT EVIDENCE"]


def run(place: Path, command: str = FAKE, program: str = "sh", **given: Any) -> Done:  # noqa: ANN401
    """Run the job's script with the defaults of all inputs but for those ``given``."""
    inputs, _ = component()
    values = {name: each["default"] for name, each in inputs.items()}
    values |= {name.replace("_", "-"): value for name, value in given.items() if name.islower()}
    job = job_of(read(COMPONENT).partition("\n---\n")[2], values)
    more = {name: value for name, value in given.items() if name.isupper()}
    return _shell(job, place, command, program, more)


def _shell(
    job: Mapping[str, Any], place: Path, command: str, program: str, more: Mapping[str, str]
) -> Done:
    bin_folder = install(place, command)
    (script,) = job["script"]
    shown = {name: each["value"] for name, each in job["variables"].items()}
    (place / "work").mkdir(exist_ok=True)
    environment = {**shown, **more, "FAKE_LOG": str(place / "log")}
    script = script.replace(PLACE, str(bin_folder.parent))
    return shell(script, place / "work", environment, program)


def calls(place: Path) -> list[list[str]]:
    return [json.loads(line) for line in (place / "log").read_text().splitlines()]


def test_inputs_become_options(tmp_path: Path) -> None:
    """Each input becomes its option, lists once for each entry."""
    done = run(
        tmp_path,
        inventory=["a.yaml", "b c.yaml"],
        live="organizations.yaml",
        plan=["plan.json"],
        state=["state.json"],
        terraform_source="infra",
        terraform_organization=["astra.eu=one"],
        history=["evidence"],
        waivers=["w.yaml", "$HOME `id`"],
        baseline="old/audit.json",
        fail_on="high",
        fail_on_new=True,
        allow_inconclusive=True,
        arguments=["-k", "name or other"],
        report_dir="out",
        FAKE_WORD="compliant",
    )
    assert (done.code, done.err) == (0, "audit\nrender\n")
    assert calls(tmp_path)[:1] == [
        [
            "audit",
            "--cmek-inventory=a.yaml",
            "--cmek-inventory=b c.yaml",
            "--cmek-live=organizations.yaml",
            "--cmek-evidence-dir=audit-evidence",
            "--cmek-plan=plan.json",
            "--cmek-state=state.json",
            "--cmek-terraform-source=infra",
            "--cmek-terraform-organization=astra.eu=one",
            "--cmek-history=evidence",
            "--cmek-waivers=w.yaml",
            "--cmek-waivers=$HOME `id`",
            "--cmek-baseline=old/audit.json",
            "--cmek-fail-on=high",
            "--cmek-fail-on-new",
            "--cmek-allow-inconclusive",
            "-k",
            "name or other",
            "--cmek-report-dir=out",
        ]
    ]


def test_absent_inputs_leave_the_options_out(tmp_path: Path) -> None:
    """With nothing but an inventory, an audit gets that and the defaults that have a value."""
    run(tmp_path, inventory=["i.yaml"], FAKE_WORD="compliant")
    assert calls(tmp_path)[:1] == [
        [
            "audit",
            "--cmek-inventory=i.yaml",
            "--cmek-evidence-dir=audit-evidence",
            "--cmek-fail-on=low",
            "--cmek-report-dir=audit-report",
        ]
    ]


def test_a_gate_needs_something_to_audit(tmp_path: Path) -> None:
    """Without an inventory and without organizations nothing is audited."""
    done = run(tmp_path, plan=["plan.yaml"])
    assert (done.code, done.err) == (
        4,
        "inventory, live: found neither, expected what to audit\n",
    )
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("code", "word", "ends"),
    [
        ("0", "compliant", 0),
        ("1", "not compliant", 1),
        ("2", "", 2),
        ("4", "", 4),
        ("5", "compliant", 5),
        ("0", "", 3),
        ("1", "", 3),
    ],
)
def test_it_ends_as_the_audit(tmp_path: Path, code: str, word: str, ends: int) -> None:
    """The exit code is the audit's, and never 0 without a record."""
    done = run(tmp_path, live="env", FAKE_CODE=code, FAKE_WORD=word)
    assert done.code == ends


def test_an_earlier_record_is_not_taken_for_this_one(tmp_path: Path) -> None:
    """A record that lay there before is gone, also if the audit writes none."""
    old = tmp_path / "old"
    old.mkdir()
    (old / "audit.json").write_text("{}")
    assert run(tmp_path, live="env", report_dir=str(old)).code == 3
    assert list(old.iterdir()) == []


def test_an_input_that_was_refused_stays(tmp_path: Path) -> None:
    """A record that lay there stays if the audit is refused: it may be what was given to it."""
    old = tmp_path / "old"
    old.mkdir()
    (old / "audit.json").write_text("{}")
    assert run(tmp_path, live="env", report_dir=str(old), FAKE_CODE="4").code == 4
    assert (old / "audit.json").read_text() == "{}"


@pytest.mark.parametrize("program", ["sh", "bash"])
def test_the_real_command(tmp_path: Path, program: str) -> None:
    """The bundled compliant example passes the job's gate, in a simple shell, too."""
    example = str(ROOT / "inventory/examples/compliant.yaml")
    done = run(tmp_path, REAL, program, inventory=[example])
    assert done.code == 0
    assert (tmp_path / "work/audit-report/junit.xml").is_file()
    quality = json.loads((tmp_path / "work" / QUALITY).read_text())
    assert [issue["description"].partition(":")[0] for issue in quality] == BANNERS


@pytest.mark.parametrize(
    ("code", "word", "rendered"),
    [("1", "not compliant", True), ("5", "compliant", True), ("4", "x", False), ("2", "", False)],
)
def test_code_quality_is_that_of_this_audit(
    tmp_path: Path, code: str, word: str, *, rendered: bool
) -> None:
    """The findings are rendered of the record that the audit wrote, and of no other."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / QUALITY).write_text("[]")
    run(tmp_path, live="env", FAKE_CODE=code, FAKE_WORD=word)
    words = ["render", "codequality", "audit-report", f"--output={QUALITY}"]
    assert calls(tmp_path)[1:] == ([words] if rendered else [])
    assert not (tmp_path / "work" / QUALITY).exists()


def test_reports_are_kept_whatever_came_of_the_audit() -> None:
    """Reports and evidence are artifacts of a job that failed, too, and the tests are shown."""
    inputs, job = component()
    report = inputs["report-dir"]["default"]
    artifacts = job["artifacts"]
    assert artifacts["when"] == "always"
    assert set(artifacts["paths"]) == {f"{report}/", f"{inputs['evidence-dir']['default']}/"}
    assert artifacts["reports"] == {"junit": f"{report}/junit.xml", "codequality": QUALITY}
    assert RENDERABLE["codequality"].file == QUALITY
