"""A disk that is full stops a collection, and costs no bundle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inventory.astra.replay import replay
from inventory.files.evidence_layout import read_folder
from tests.cmek_audit.helpers import FLEET, ROOT, command, organizations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.astra.server import Running

pytestmark = pytest.mark.slow

LIMITED = """
import resource, sys
largest = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
from cmek_audit.cli import main
main()
"""


def _mount(place: Path, *words: str) -> bool:
    """Mount something at ``place``; say whether this machine permits it."""
    tool = shutil.which("mount")
    if tool is None:
        return False
    done = subprocess.run([tool, *words, str(place)], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Provide a small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if not _mount(place, "-t", "tmpfs", "-o", "size=16m", "cmek-audit-test"):
        pytest.skip("nothing can be mounted here: files of limited size stand for a full disk")
    yield place
    subprocess.run([shutil.which("umount") or "umount", str(place)], check=True)


def _used(disk: Path) -> int:
    shown = os.statvfs(disk)
    return (shown.f_blocks - shown.f_bfree) * shown.f_frsize


def _collect(file: str, folder: Path, largest: int = -1) -> subprocess.CompletedProcess[str]:
    """Collect in a process of its own, whose files can have ``largest`` bytes; -1: any number."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(largest), "collect", file, "--evidence-dir", folder],
        env=os.environ | FLEET.environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def _assert_refused(
    done: subprocess.CompletedProcess[str], folder: Path, bundle: Path, reason: str
) -> None:
    """See that a collection said why it ended, and left nothing but the ``bundle`` before it."""
    assert (done.returncode, done.stdout) == (4, "")
    assert f"found {folder} ({reason}), expected a folder to write to" in done.stderr
    assert list(folder.iterdir()) == [bundle]
    assert replay(str(bundle)).lines > 0


def test_full_disk(astra: Running, tmp_path: Path, disk: Path) -> None:
    """However little is left on the disk, the folder is named, and earlier bundles stay whole."""
    folder, file = disk / "ev", organizations(tmp_path, astra.address)
    command("collect", file, "--evidence-dir", folder)
    (first,) = read_folder(folder).bundles
    used = _used(disk)
    for part in (0, 0.1, 0.4, 0.7, 0.95):
        assert _mount(disk, "-o", f"remount,size={used + int(part * used)}")
        _assert_refused(_collect(file, folder), folder, first, "No space left on device")
    assert _mount(disk, "-o", f"remount,size={2 * used + 2**16}")
    assert _collect(file, folder).returncode == 0
    assert command("verify", folder).exit_code == 0


def test_files_that_cannot_grow(astra: Running, tmp_path: Path) -> None:
    """Whichever file cannot be written to its end, that is said, and nothing is left behind."""
    folder, file = tmp_path / "ev", organizations(tmp_path, astra.address)
    command("collect", file, "--evidence-dir", folder)
    (first,) = read_folder(folder).bundles
    sizes = [(first / name).stat().st_size for name in ("manifest.json", "inventory.ndjson")]
    for largest in (0, 500, *(size - 1 for size in sizes)):
        _assert_refused(_collect(file, folder, largest), folder, first, "File too large")
