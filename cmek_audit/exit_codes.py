"""How a command ends: by an exit code that means what pytest's means."""

from __future__ import annotations

import io
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class ExitCode(IntEnum):
    """The exit codes of every command; pytest uses 5 where no tests were collected."""

    DONE = 0
    NOT_DONE = 1
    INTERRUPTED = 2
    BROKEN = 3
    UNUSABLE = 4
    NOT_PROVEN = 5


def exit_code_of(run: Callable[[], object]) -> int:
    """Return the exit code that ``run`` returns; report on stderr whatever it raises."""
    try:
        code = run()
    except (KeyboardInterrupt, click.Abort):
        return _fail(ExitCode.INTERRUPTED, "Interrupted.")
    except click.UsageError as error:
        message = io.StringIO()
        error.show(message)
        return _fail(ExitCode.UNUSABLE, message.getvalue())
    except Exception as error:  # noqa: BLE001 (whatever it is, it must have an exit code)
        return _report(error)
    # A command that forgets its exit code must not pass for one that succeeded.
    return code if isinstance(code, int) else ExitCode.BROKEN


@contextmanager
def interruptible(consequence: str) -> Iterator[None]:
    """End with 2 if the user interrupts, and print ``consequence``; also a decorator."""
    try:
        yield
    except KeyboardInterrupt:
        code = _fail(ExitCode.INTERRUPTED, f"Interrupted: {consequence}.")
        raise click.exceptions.Exit(code) from None


def _fail(code: ExitCode, text: str) -> ExitCode:
    from cmek_audit.console import write_lines  # noqa: PLC0415 (needs the suite)

    write_lines(text, err=True)
    return code


def _report(error: Exception) -> ExitCode:
    from cmek_audit.internal_errors import describe_error  # noqa: PLC0415 (needs the suite)
    from inventory.errors import CmekAuditError  # noqa: PLC0415 (as above)

    if isinstance(error, CmekAuditError):
        return _fail(ExitCode.UNUSABLE, str(error))
    code = ExitCode.UNUSABLE if isinstance(error, OSError) else ExitCode.BROKEN
    return _fail(code, describe_error(error))
