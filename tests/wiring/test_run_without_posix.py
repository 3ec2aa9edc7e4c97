"""The command where the system is no POSIX one, as far as Linux can act like it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.astra.matrix import small_fleet
from tests.astra.server import serve
from tests.evidence_files import contents_below
from tests.wiring.live import configured, organizations, places
from tests.wiring.runs import ALL, AS_OF, ROOT, environment_of, mixed, saved

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow

PYTESTS_OWN = {"junit.xml", "results.html"}
CONSOLES = [
    {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"},
    {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONUTF8": "0", "LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
]
"""Consoles that lack most characters, and where text has another encoding than UTF-8."""
STRANGE = "Ακμή 暗号 🔑"


def command(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a module of the project with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment_of({"PYTHONPATH": str(ROOT), **(environment or {})}),
        capture_output=True,
        check=False,
        timeout=240,
    )


def elsewhere(*arguments: str, code: int, environment: Mapping[str, str] | None = None) -> bytes:
    """Run the command without POSIX; return what it prints, and require its exit code."""
    done = command("tests.wiring.without_posix", *arguments, environment=environment)
    assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
    return done.stdout


FORMATS = ALL.replace(",xlsx", "")
"""All but the workbook: the library writes its parts with the line ends of the system."""


def options(inventory: str, folder: Path) -> list[str]:
    """Return the options of an audit that writes every format to ``folder``."""
    return [
        "audit",
        f"--cmek-inventory={inventory}",
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={folder}",
        f"--cmek-formats={FORMATS}",
        *("-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin"),
    ]


def lasting(folder: Path) -> dict[str, Any]:
    """Return what may not differ: each file but those of pytest, the head without its run."""
    written = {
        path: text for path, text in contents_below(folder).items() if "previous" not in path
    }
    found: dict[str, Any] = {path: written[path] for path in written.keys() - PYTESTS_OWN}
    del found["audit.html"]  # has the block of the run, and is proven by verifying
    head = json.loads(found.pop("audit.json"))
    for name in ("run", "report"):
        del head[name]
    return found | {"head": head}


def named() -> dict[str, Any]:
    """Return an inventory whose names no old console can print, nor any file be called by."""
    data = mixed()
    for organization, name in zip(data["organizations"], [f"CON: {STRANGE}.", "NUL"], strict=False):
        organization["name"] = name
    return data


def test_recorded_audit_is_the_same(tmp_path: Path) -> None:
    """Files, verdict and exit code of audits are the same; they are verified on either system."""
    inventory = saved(tmp_path, named())
    here, there = tmp_path / "here", tmp_path / "there"
    expected = command("cmek_audit", *options(inventory, here)).returncode
    for _ in range(2):  # the second one moves the first one away
        elsewhere(*options(inventory, there), code=expected)
    assert lasting(there) == lasting(here)
    assert (there / "previous" / "audit.json").is_file()
    assert b"proven" in elsewhere("verify", str(here), code=0)
    assert command("cmek_audit", "verify", str(there)).returncode == 0


def test_live_audit_leaves_evidence_that_replays(tmp_path: Path) -> None:
    """What is collected there is whole, and is replayed to the same inventory here."""
    fleet = small_fleet()
    with serve(fleet) as server:
        file = configured(tmp_path, organizations(fleet, server))
        words = [*places(tmp_path), "--cmek-formats=json"]
        elsewhere("audit", f"--cmek-live={file}", *words, code=0, environment=fleet.environment)
    [bundle] = [path for path in (tmp_path / "ev").iterdir() if path.name != ".lock"]
    assert command("cmek_audit", "verify", str(bundle)).returncode == 0
    assert b"\r" not in (bundle / "inventory.ndjson").read_bytes()


HOLDER = """
import sys
from tests.wiring.without_posix import take_away
import tests.wiring.live
for name in [name for name in sys.modules if name.startswith("inventory")]:
    del sys.modules[name]
take_away()
from pathlib import Path
from inventory.errors import SettingError
from inventory.system.folder_lock import FolderLock
folder = Path(sys.argv[1])
with FolderLock(folder, "--here"):
    try:
        FolderLock(folder, "--there")
    except SettingError as error:
        print(error)
FolderLock(folder, "--here").release()
print([path.name for path in folder.iterdir()])
"""


def test_folder_is_locked(tmp_path: Path) -> None:
    """Two runs do not write to one folder at a time, and the lock leaves nothing behind."""
    done = subprocess.run(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT,
        env=environment_of({"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        check=True,
    )
    refused = (
        f"--there: found {tmp_path}, which another run is writing to, expected a folder of its own"
    )
    assert done.stdout.splitlines() == [refused, "[]"]


@pytest.mark.parametrize("console", CONSOLES, ids=lambda given: "-".join(given.values()))
def test_console_that_lacks_characters_changes_no_file(
    tmp_path: Path, console: Mapping[str, str]
) -> None:
    """What a console cannot print stops no command, and is written to files as it is."""
    inventory = saved(tmp_path, named())
    usual, there = tmp_path / "usual", tmp_path / "there"
    expected = command("cmek_audit", *options(inventory, usual))
    found = command("cmek_audit", *options(inventory, there), environment=console)
    assert (found.returncode, found.stderr) == (expected.returncode, expected.stderr)
    assert lasting(there) == lasting(usual)
    assert STRANGE.encode() in (there / "summary.md").read_bytes()
    for words in (["verify", str(there)], ["keys", "--cmek-inventory", inventory]):
        codes = [command("cmek_audit", *words, environment=how).returncode for how in ({}, console)]
        assert codes[0] == codes[1]


def test_what_is_taken_away_is_missed(tmp_path: Path) -> None:
    """The stand-in for the other system refuses what that system would refuse."""
    program = """
from pathlib import Path
from tests.wiring import without_posix
without_posix.refuse_to_move_open_files()
without_posix.write_other_line_ends()
folder = Path("folder")
folder.mkdir()
Path("other").mkdir()
(folder / "text").write_text("a\\n", encoding="ascii")
print((folder / "text").read_bytes())
with (folder / "text").open("rb"):
    for move in (lambda: folder.rename("moved"), (folder / "text").unlink):
        try:
            move()
        except PermissionError:
            print("refused")
for move in (folder.rename, folder.replace):
    try:
        move("other")
    except FileExistsError:
        print("refused")
folder.rename("moved")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment_of({"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["b'a\\r\\n'", *["refused"] * 4]
