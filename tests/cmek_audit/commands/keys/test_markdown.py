"""The key plan in Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders import organization_data
from tests.cmek_audit.helpers import ROOT, command
from tests.cmek_audit.planning import ACME, COMPLIANT, saved


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_everything_as_it_is_printed(golden: Callable[[str, str], None]) -> None:
    """The plan of the bundled example, with prices, looks so."""
    done = command("keys", *ACME, "--price", "1.00 USD", "-f", "markdown")
    assert (done.exit_code, done.stderr) == (1, "")
    golden("keys-acme-markdown.txt", done.stdout)


def test_headings_without_content_are_left_out(tmp_path: Path) -> None:
    """Without key scopes, doubts or steps there are no headings for them."""
    bare = saved(tmp_path, organization_data(keys=[], databases=[]))
    headings = {
        name: re.findall(
            r"^#+ (?!Customer)(.+)$",
            command("keys", *arguments, "-f", "markdown").stdout,
            re.MULTILINE,
        )
        for name, arguments in (("bare", ("-i", bare)), ("compliant", COMPLIANT))
    }
    assert headings == {"bare": ["What is unknown"], "compliant": ["Key scopes"]}
