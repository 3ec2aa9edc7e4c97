"""Internal errors, shown by type and place only: messages and variables could hold a secret."""

from __future__ import annotations

import sys
from traceback import format_tb
from typing import TYPE_CHECKING

from inventory.text.secrets import without_secrets

if TYPE_CHECKING:
    import pytest


def describe_error(error: BaseException) -> str:
    """Return the lines that show where ``error`` was raised, and of which type it is.

    What the system refuses, such as a full disk, is no internal error: its own words say it.
    """
    if isinstance(error, OSError) and error.strerror:
        return without_secrets(f"{error.filename or 'The system'}: {error.strerror}")
    places = "".join(format_tb(error.__traceback__))
    named = f"Internal error: {type(error).__name__}, a mistake of cmek-audit: please report it."
    return f"{places}{named}\nIts message is left out, as it could hold a secret."


def show_only_places(config: pytest.Config, end: str) -> None:
    """Let pytest show any internal error of this run by type and place only, and ``end`` last.

    Its own way is to show messages, and with ``--full-trace -l`` every variable on the stack.
    """

    def notify(excinfo: pytest.ExceptionInfo[BaseException], *_: object) -> None:
        text = f"{describe_error(excinfo.value)}\n{end}"
        if not any(config.hook.pytest_internalerror(excrepr=text, excinfo=excinfo)):
            sys.stderr.write(f"{text}\n")

    config.notify_exception = notify  # type: ignore[method-assign, assignment]
