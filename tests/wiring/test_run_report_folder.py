"""Whatever becomes of a run, its report folder holds a whole audit or none, and the one before."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from inventory.errors import RecordError
from reports.record.reader import read_record
from tests.wiring.runs import (
    ALL,
    ALL_FILES,
    AS_OF,
    HTML,
    RECORD,
    ROOT,
    Run,
    audit,
    compliant,
    environment_of,
    plugin,
    saved,
    violating,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow

NO_AUDIT = "NO AUDIT: the run did not finish, and no report was written."
MOVES = 2 * len(ALL_FILES) + 1
"""How often a run moves a file: those of the earlier audit, its folder, and its own."""

KILLS_AT = """
import os, signal
from pathlib import Path

moves = 0
replace = Path.replace

def killing(self, target):
    global moves
    moves += 1
    if moves == {move}:
        os.kill(os.getpid(), signal.{signal})
    return replace(self, target)

Path.replace = killing
"""


def _id(folder: Path) -> str:
    """Return the id of the whole audit in ``folder``, and nothing if there is none."""
    try:
        return str(read_record(folder).head["report"])
    except RecordError:
        return ""


def _start(
    folder: Path, *options: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    loaded = [f"-p{name}.plugin" for name in HTML]
    file = saved(folder, compliant())
    given = [f"--cmek-inventory={file}", f"--cmek-as-of={AS_OF}", f"--cmek-formats={ALL}"]
    command = [sys.executable, "-m", "pytest", *loaded, *given, *options]
    return subprocess.Popen(
        [*command, f"--cmek-report-dir={folder / 'r'}"],
        cwd=ROOT,
        env=environment_of(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _next(folder: Path) -> Run:
    return audit(folder, compliant(), formats=ALL)


# --- kills ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize("move", [1, 2, len(ALL_FILES), len(ALL_FILES) + 1, MOVES - 1, MOVES])
def test_a_kill_between_two_moves_loses_no_audit(tmp_path: Path, move: int, kind: str) -> None:
    """A run that is killed while it moves files leaves the last whole audit for the next one."""
    first = _id(audit(tmp_path, violating(), formats=ALL).folder)
    argument, environment = plugin(tmp_path, KILLS_AT.format(move=move, signal=kind))
    with _start(tmp_path, argument, environment=environment) as killed:
        killed.communicate(timeout=120)
    assert killed.returncode == -signal.Signals[kind]
    assert _id(tmp_path / "r") in {"", first}
    after = _next(tmp_path)
    assert (after.code, _id(after.folder / "previous")) == (0, first)
    assert {entry.name for entry in after.folder.iterdir()} == {*ALL_FILES, "previous"}


def test_kills_at_any_moment_lose_no_audit(tmp_path: Path) -> None:
    """Whenever a run is killed, the last whole audit is in the folder or in ``previous/``."""
    known = {_id(_next(tmp_path).folder)}
    random = Random(20261121)
    for _ in range(6):
        with _start(tmp_path) as killed:
            time.sleep(random.uniform(0, 2.5))
            killed.send_signal(random.choice([signal.SIGKILL, signal.SIGTERM]))
            killed.communicate(timeout=120)
        after = _next(tmp_path)
        assert (after.code, _id(after.folder) in known) == (0, True)
        assert _id(after.folder / "previous") in known


# --- full disks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [10_000, 30_000, 60_000, 10_000_000])
def test_a_full_disk_leaves_a_whole_audit_or_none(tmp_path: Path, size: int) -> None:
    """A run whose files cannot grow ends with 3, a sentence and no report; or all of it is there.

    A limit on the size of files makes the system refuse a write in the midst of it.
    """
    first = _id(audit(tmp_path, violating(), formats=ALL).folder)
    file = saved(tmp_path, compliant())
    loaded = [f"-p{name}.plugin" for name in HTML]
    options = [f"--cmek-inventory={file}", f"--cmek-as-of={AS_OF}", f"--cmek-formats={ALL}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *loaded, *options, f"--cmek-report-dir={tmp_path / 'r'}"],
        cwd=ROOT,
        env=environment_of({}),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    left = {entry.name for entry in (tmp_path / "r").iterdir()}
    if size == 10_000_000:
        assert (done.returncode, left) == (0, {*ALL_FILES, "previous"})
    else:
        assert (done.returncode, left) == (3, {"previous"})
        assert NO_AUDIT in done.stdout.splitlines()
        assert "File too large" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
    assert _id(tmp_path / "r" / "previous") == first


# --- two at once ----------------------------------------------------------------------------------


def test_the_second_of_two_audits_at_once_is_refused(tmp_path: Path) -> None:
    """Of two runs into one folder at once, one writes its audit, and the other ends with 4."""
    reading, writing = os.pipe()
    argument, environment = plugin(
        tmp_path,
        f"import os\ndef pytest_collection_finish(session):\n    os.read({reading}, 1)\n",
    )
    loaded = ["-m", "pytest", argument, f"--cmek-inventory={saved(tmp_path, compliant())}"]
    options = [
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={tmp_path / 'r'}",
        "--cmek-formats=json",
    ]
    with subprocess.Popen(
        [sys.executable, *loaded, *options, "--cmek-formats=json"],
        cwd=ROOT,
        env=environment_of(environment),
        pass_fds=(reading,),
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        while not (tmp_path / "r" / ".writing" / "findings.ndjson").exists():
            assert first.poll() is None
            time.sleep(0.01)
        second = audit(tmp_path, violating())
        os.write(writing, b".")
        first.communicate(timeout=60)
    os.close(reading)
    os.close(writing)
    assert (first.returncode, second.code) == (0, 4)
    assert "which another run is writing to" in second.out
    assert (_id(tmp_path / "r") != "", second.word) == (True, "compliant")


def test_a_report_with_nothing_to_show_is_named(tmp_path: Path) -> None:
    """A plan of action in which nothing is open is no file, and the run says so at its end."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    calm = audit(tmp_path / "a", compliant(), formats="oscal,oscal-poam")
    assert (calm.code, calm.left) == (0, RECORD | {"oscal-assessment-results.json"})
    why = "nothing is open, and OSCAL has no plan without an item"
    assert f"oscal-poam.json was not written: {why}." in calm.out
    failing = audit(tmp_path / "b", violating(), formats="oscal-poam")
    assert (failing.code, failing.left) == (1, RECORD | {"oscal-poam.json"})
    assert "was not written" not in failing.out
