"""What ``collect`` and ``verify`` print, to the letter; and that no command lacks such a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from typer.main import get_command

from cmek_audit.cli import app
from tests.astra.faults import ALWAYS, Fault
from tests.cmek_audit.conftest import GOLDEN
from tests.cmek_audit.helpers import FIRST, command, organizations, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.astra.server import Running

_VARYING = (
    (r"[0-9a-f]{64}", "HASH"),
    (r"[0-9-]{10}T[0-9:.]{8,15}Z", "TIME"),
    (r"[0-9-]{10}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z(?:-[0-9]+)?", "BUNDLE"),
    (r"http://127\.0\.0\.1:[0-9]+", "ADDRESS"),
    (r"by cmek-audit(?:, not installed| [0-9.]+)", "by cmek-audit VERSION"),
)


def plain(text: str, here: Path) -> str:
    """Return ``text`` without what differs from run to run."""
    told = text.replace(str(here), "HERE")
    for pattern, word in _VARYING:
        told = re.sub(pattern, word, told)
    return told


def test_what_collect_prints(
    astra: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: Callable[[str, str], None],
) -> None:
    """A collection prints where the evidence is, its counts, and each gap with its step."""
    monkeypatch.chdir(tmp_path)
    file = organizations(tmp_path, astra.address)
    golden("collect-whole.txt", plain(command("collect", file).stdout, tmp_path))
    astra.faults = (Fault("403-errors", "serverless-keys", ALWAYS, FIRST.id),)
    golden("collect-gaps.txt", plain(command("collect", file).stdout, tmp_path))


def test_what_verify_prints(chain: Path, golden: Callable[[str, str], None]) -> None:
    """A verification prints what was checked of each bundle and the chain, or what differs."""
    golden("verify-whole.txt", plain(command("verify", chain).stdout, chain.parent))
    replace(min(chain.iterdir()) / "inventory.ndjson", '"name":"', '"name":"x')
    golden("verify-damaged.txt", plain(command("verify", chain).stdout, chain.parent))


def test_each_command_has_its_output_on_file() -> None:
    """There is a file of what each command prints, beside that of its help."""
    commands = set(cast("Any", get_command(app)).commands)
    files = {file.name.removesuffix(".txt") for file in GOLDEN.glob("*.txt")}
    helped = {name.removeprefix("help-") for name in files if name.startswith("help-")}
    shown = {name.partition("-")[0] for name in files - {"help"} if not name.startswith("help-")}
    assert helped == shown == commands
