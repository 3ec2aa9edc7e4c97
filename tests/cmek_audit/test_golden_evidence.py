"""What ``collect`` and ``verify`` print, to the letter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.astra.faults import ALWAYS, Fault
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
    plain_text = text.replace(str(here), "HERE")
    for pattern, word in _VARYING:
        plain_text = re.sub(pattern, word, plain_text)
    return plain_text


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
