"""What is printed on the terminal holds no token."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from cmek_audit.run.terminal_scrubbing import ScrubbedStream
from inventory.text.secrets import Scrubber, Token
from tests.wiring.runs import audit, compliant, plugin

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "AstraCS:" + "not-a-real-token:" + "1" * 20


def test_a_token_is_blanked_and_all_else_is_written() -> None:
    """Lines without a token are written as they are, with their ends."""
    inner = io.StringIO()
    stream = ScrubbedStream(inner, Scrubber([Token("ASTRA_API_TOKEN", SECRET)]))
    text = f"one\r\ntwo {'1' * 20} three\nfour"
    assert stream.write(text) == len(text)
    assert inner.getvalue() == "one\r\ntwo (hidden) three\nfour"


def test_all_else_is_the_streams_own() -> None:
    """The stream answers as the one that it stands for."""
    inner = io.StringIO()
    stream = ScrubbedStream(inner, Scrubber())
    assert (stream.isatty(), stream.encoding) == (False, inner.encoding)  # type: ignore[operator]


def test_what_another_plugin_prints_is_scrubbed(tmp_path: Path) -> None:
    """A token that another plugin prints at the end of an audit is not shown."""
    argument, environment = plugin(
        tmp_path,
        "def pytest_terminal_summary(terminalreporter):\n"
        f"    terminalreporter.write_line('asked with ' + {SECRET!r})\n",
    )
    found = audit(tmp_path, compliant(), argument, environment=environment)
    assert (found.code, "asked with AstraCS:(hidden)" in found.out) == (0, True)
    assert SECRET not in found.out
