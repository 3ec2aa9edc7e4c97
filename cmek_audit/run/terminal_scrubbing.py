"""Keeps tokens out of what pytest and its plugins print on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from inventory.text.secrets import Scrubber

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from inventory.text.secrets import Secret


class ScrubbedStream:
    """A stream of text that blanks what is secret, and leaves all else to the inner stream."""

    def __init__(self, inner: TextIO, scrubber: Scrubber) -> None:
        """Write to ``inner`` what ``scrubber`` lets through."""
        self._inner = inner
        self._scrubber = scrubber

    def write(self, text: str) -> int:
        """Write ``text`` line by line, without secrets."""
        for line in text.splitlines(keepends=True):
            self._inner.write(self._scrubber.scrub(line))
        return len(text)

    def __getattr__(self, name: str) -> object:
        """Return what the inner stream has by this name."""
        return getattr(self._inner, name)


def scrub_terminal(config: pytest.Config, tokens: Iterable[Secret]) -> None:
    """Blank ``tokens``, and what looks like one, in all that is printed from now on.

    pytest has no public way to that: its writer keeps the stream as ``_file``. A version that does
    not do so prints unscrubbed what the suite itself has scrubbed already.
    """
    if config.pluginmanager.has_plugin("terminalreporter"):
        writer: Any = config.get_terminal_writer()
        if hasattr(writer, "_file"):
            writer._file = ScrubbedStream(writer._file, Scrubber(tokens))  # noqa: SLF001 (see above)
