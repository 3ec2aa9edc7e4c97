"""``init``: what it writes and leaves, what it asks, and that its commands end with a report."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cmek_audit.helpers import ROOT, command, printed_json
from tests.wiring.runs import environment_of

if TYPE_CHECKING:
    from pathlib import Path

FILES = [
    "inventory.yaml",
    "waivers.yaml",
    ".cmek-audit/inventory.schema.json",
    ".cmek-audit/waivers.schema.json",
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below ``folder``."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_first_files(tmp_path: Path) -> None:
    """Without a terminal nothing is asked: the defaults are written, and what to run is printed."""
    done = command("init", environment={"COLUMNS": "80"})
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Written:",
        *(f"  {name}" for name in FILES),
        "",
        "Run next:",
        "  cmek-audit audit --cmek-inventory=inventory.yaml --cmek-waivers=waivers.yaml",
        "",
        "The audit ends with 1 until you replace every REPLACE-… in inventory.yaml with",
        "what is true.",
    ]
    assert set(content(tmp_path)) == set(FILES)


def test_another_folder(tmp_path: Path) -> None:
    """A folder that is missing is made; its files are named from the folder you are in."""
    done = command("init", "new/audit", "--source=live", "--organization=acme", "--json")
    assert done.exit_code == 0
    printed = printed_json(done)
    names = [f"new/audit/{name.replace('inventory', 'organizations')}" for name in FILES]
    assert printed["files"] == [{"path": name, "state": "written"} for name in names]
    assert printed["commands"][0] == "cd new/audit"
    assert len(printed["notes"]) == 2
    assert set(content(tmp_path)) == set(names)


def test_what_is_there_stays(tmp_path: Path) -> None:
    """A file that is there already is listed and left, and the exit code is 1."""
    (tmp_path / "waivers.yaml").write_text("mine")
    done = command("init")
    assert (done.exit_code, done.stderr) == (1, "")
    assert "Already there, left as it is:\n  waivers.yaml\n" in done.stdout
    assert (tmp_path / "waivers.yaml").read_text() == "mine"
    assert set(content(tmp_path)) == set(FILES)


def test_a_second_time(tmp_path: Path) -> None:
    """A second run changes nothing, lists what is the same, and leaves what differs."""
    command("init", "--pipeline=github")
    (tmp_path / "inventory.yaml").write_text("mine")
    before = content(tmp_path)
    done = command("init", "--pipeline=github", "--json")
    states = {entry["path"]: entry["state"] for entry in printed_json(done)["files"]}
    assert states == dict.fromkeys(before, "unchanged") | {"inventory.yaml": "left"}
    assert (done.exit_code, content(tmp_path)) == (1, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["file"], "FOLDER: found file (a file), expected a folder\n"),
        (["--organization="], "--organization: found '', expected a name with a visible"),
        (["--source=other"], "'other' is not one of 'recorded', 'live'"),
        (["--pipeline=jenkins"], "'jenkins' is not one of 'none', 'github', 'gitlab'"),
    ],
)
def test_unusable_arguments(tmp_path: Path, arguments: list[str], message: str) -> None:
    """What cannot be used ends with 4, and nothing is written."""
    (tmp_path / "file").write_text("")
    done = command("init", *arguments)
    assert (done.exit_code, done.stdout) == (4, "")
    assert message in done.stderr
    assert set(content(tmp_path)) == {"file"}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """If one of the files cannot be written, the exit code is 4, and none is."""
    (tmp_path / ".github").write_text("")
    done = command("init", "--pipeline=github")
    assert (done.exit_code, done.stdout) == (4, "")
    assert ".github/workflows: Not a directory" in done.stderr
    assert set(content(tmp_path)) == {".github"}


# --- on a terminal --------------------------------------------------------------------------------


def on_a_terminal(folder: Path, typed: str, *arguments: str) -> tuple[int, str]:
    """Run the command with ``typed`` on a terminal; return its exit code and its stderr."""
    controller, terminal = pty.openpty()
    os.write(controller, typed.encode())
    done = subprocess.run(
        [sys.executable, "-m", "cmek_audit", "init", *arguments],
        cwd=folder,
        env=environment_of({"PYTHONPATH": str(ROOT)}),
        stdin=terminal,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    for end in (controller, terminal):
        os.close(end)
    return done.returncode, done.stderr


def test_what_is_asked(tmp_path: Path) -> None:
    """On a terminal each open question is asked once, and the answers decide."""
    code, asked = on_a_terminal(tmp_path, "live\nacme-prod, acme-test\ngitlab\n")
    assert (code, asked.count("?") + asked.count("]: ")) == (0, 3)
    text = (tmp_path / "organizations.yaml").read_text("utf-8")
    assert text.count("name: acme-") == 2
    assert (tmp_path / ".gitlab-ci.yml").is_file()


def test_answers_have_defaults(tmp_path: Path) -> None:
    """An empty answer is the default; what an option says is not asked."""
    code, asked = on_a_terminal(tmp_path, "\n\n", "--pipeline=none")
    assert (code, asked.count("]: ")) == (0, 2)
    assert set(content(tmp_path)) == set(FILES)


def test_a_question_that_is_not_answered(tmp_path: Path) -> None:
    """The end of the input at a question ends with 2, and nothing is written."""
    code, asked = on_a_terminal(tmp_path, "live\n\x04")
    assert (code, asked.endswith("Interrupted.\n")) == (2, True)
    assert content(tmp_path) == {}


# --- the commands that are printed ----------------------------------------------------------------


def run_as_printed(folder: Path, *arguments: str) -> tuple[int, Path]:
    """Run ``init`` and then what it prints, in a shell; return the exit code and the report."""
    printed = printed_json(command("init", *arguments, "--json"))
    script = folder / "bin/cmek-audit"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cmek_audit "$@"\n')
    script.chmod(0o755)
    path = f"{script.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", "\n".join(printed["commands"])],
        cwd=folder,
        env=environment_of({"PYTHONPATH": str(ROOT), "PATH": path}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr.count("\n") <= 1, done.stderr
    return done.returncode, folder / arguments[0] / "audit-report"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "statuses", "banner"),
    [
        ("recorded", {"pass", "fail", "inconclusive", "not-applicable"}, "EXAMPLE, NOT AUDIT"),
        ("live", {"inconclusive"}, "no-token"),
    ],
)
def test_the_printed_commands(tmp_path: Path, source: str, statuses: set[str], banner: str) -> None:
    """In an empty folder the printed commands end with 1 and a report: an example never passes."""
    code, report = run_as_printed(tmp_path, "my audit", f"--source={source}")
    head = json.loads((report / "audit.json").read_bytes())
    assert (code, head["verdict"]["outcome"] != "compliant") == (1, True)
    lines = (report / "findings.ndjson").read_text("utf-8").splitlines()
    findings = [json.loads(line) for line in lines]
    assert {finding["status"] for finding in findings} == statuses
    assert banner in (report / "audit.html").read_text("utf-8")


@pytest.mark.slow
def test_no_gate_lets_the_placeholders_pass(tmp_path: Path) -> None:
    """An inventory of which only the mark of an example was removed fails for its placeholder."""
    command("init")
    file = tmp_path / "inventory.yaml"
    file.write_text(file.read_text("utf-8").replace("example: true", "# example: true"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "cmek_audit", "audit", f"--cmek-inventory={file}"],
        cwd=tmp_path,
        env=environment_of({"PYTHONPATH": str(ROOT), "COLUMNS": "200"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Correct the record of the key REPLACE-WITH-THE-ID-OF-KEY-1" in done.stdout
