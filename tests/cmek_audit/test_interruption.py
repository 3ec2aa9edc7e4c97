"""A real process, on a terminal of its own, interrupted while it collects."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.astra.faults import ALWAYS, Fault
from tests.cmek_audit.helpers import FLEET, ROOT, SECOND, organizations

if TYPE_CHECKING:
    from pathlib import Path

    from tests.astra.server import Running

pytestmark = pytest.mark.slow

CODE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job would lack
from cmek_audit.cli import main
main()
"""


def _start(folder: Path, terminal: int, *words: str) -> subprocess.Popen[bytes]:
    reported = {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *words],
        cwd=folder,
        env=os.environ | FLEET.environment | reported,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )


def _read(terminal: int, until: bytes = b"") -> bytes:
    """Return what is shown until ``until``, or the end, is seen."""
    shown = b""
    while not until or until not in shown:
        try:
            shown += os.read(terminal, 65_536)
        except OSError:  # that is how a terminal says that nobody writes to it any more
            break
    return shown


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing_behind(
    sent: signal.Signals, astra: Running, tmp_path: Path
) -> None:
    """Interrupted in the middle, the command ends with 2, one line, no bundle and no remains."""
    astra.faults = (Fault("stall-headers", "organization", ALWAYS, SECOND.id),)
    shown_here, terminal = pty.openpty()
    process = _start(tmp_path, terminal, "collect", organizations(tmp_path, astra.address))
    os.close(terminal)
    before = _read(shown_here, b"1/2 organizations")
    process.send_signal(sent)
    after = _read(shown_here)
    out, _ = process.communicate(timeout=30)
    os.close(shown_here)
    assert b"1/2 organizations" in before
    assert (process.returncode, out) == (2, b"")
    said = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", after).splitlines()
    assert said[-1] == b"Interrupted: nothing unfinished is left behind."
    assert [line for line in said[:-1] if line and not line.startswith(b"Reading ")] == []
    assert list((tmp_path / "audit-evidence").iterdir()) == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_audit_is_none(sent: signal.Signals, astra: Running, tmp_path: Path) -> None:
    """Interrupted while it reads, an audit ends with 2, and leaves neither bundle nor report."""
    astra.faults = (Fault("stall-headers", "organization", ALWAYS, SECOND.id),)
    shown_here, terminal = pty.openpty()
    file = organizations(tmp_path, astra.address)
    process = _start(tmp_path, terminal, "audit", "-q", "--cmek-live", file)
    os.close(terminal)
    _read(shown_here, b"1/2 organizations")
    process.send_signal(sent)
    _read(shown_here)
    out, _ = process.communicate(timeout=30)
    os.close(shown_here)
    assert (process.returncode, b"KeyboardInterrupt" in out) == (2, True)
    assert {path.name for path in tmp_path.rglob("*")} == {
        "organizations.yaml",
        "audit-evidence",
        "audit-report",
    }
