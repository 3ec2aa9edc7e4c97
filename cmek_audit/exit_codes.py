"""How a command ends: by an exit code that means what pytest's means."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.core import TyperGroup

from cmek_audit import install_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""Every mistake in the arguments; this class alone has no public name."""


_INTERRUPTED = 130
"""What typer returns if it is interrupted; the shells' word for it."""

_COMPLETING = "_CMEK_AUDIT_COMPLETE"
"""The variable by which a shell asks what a word could go on to be."""


class Code(IntEnum):
    """The exit codes; pytest's own word for 5 is that no tests were collected."""

    DONE = 0
    NOT_DONE = 1
    INTERRUPTED = 2
    BROKEN = 3
    UNUSABLE = 4
    NOT_PROVEN = 5


class Commands(TyperGroup):
    """Commands that return a ``Code``, and say on stderr why they could not."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 (as the base)
        """Run a command, and end the process with its exit code."""
        install_location.enable()
        from cmek_audit.console import take_any_character  # noqa: PLC0415 (needs the suite)

        take_any_character()
        if _COMPLETING in os.environ:
            os.environ["COLUMNS"] = (
                "1000"  # rich would fold, and a shell takes each line for a word
            )
        own = super().main
        sys.exit(_code(lambda: own(*args, **(extra | {"standalone_mode": False}))))


def _code(run: Callable[[], object]) -> int:
    try:
        code = run()
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except _UsageError as error:
        text = io.StringIO()
        error.show(text)
        return _end(Code.UNUSABLE, text.getvalue())
    except Exception as error:  # noqa: BLE001 (whatever it is, the exit code must tell)
        return _failed(error)
    if code == _INTERRUPTED:  # where no command says what that means
        return _end(Code.INTERRUPTED, "Interrupted.")
    return code if isinstance(code, int) else Code.BROKEN


def _end(code: Code, text: str) -> Code:
    from cmek_audit.console import write_lines  # noqa: PLC0415 (needs the suite)

    write_lines(text, err=True)
    return code


def _failed(error: Exception) -> Code:
    from cmek_audit.run.internal_errors import describe_error  # noqa: PLC0415
    from inventory.errors import CmekAuditError  # noqa: PLC0415 (needs the suite)

    if isinstance(error, CmekAuditError):
        return _end(Code.UNUSABLE, str(error))
    code = Code.UNUSABLE if isinstance(error, OSError) else Code.BROKEN
    return _end(code, describe_error(error))


@contextmanager
def interruptible(consequence: str) -> Iterator[None]:
    """Say ``consequence`` if the user interrupts, and end there."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(_end(Code.INTERRUPTED, f"Interrupted: {consequence}.")) from None
