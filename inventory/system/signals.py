"""SIGTERM and SIGHUP handled like Ctrl-C, while there is unfinished work to clean up."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_NAMES = ("SIGTERM", "SIGHUP")
_SIGNALS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
"""Windows has no SIGHUP."""
_REPLACED = (signal.SIG_DFL, signal.default_int_handler)


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, and raise KeyboardInterrupt at the end.

    Afterwards the earlier handlers are back. A signal that other code handles, or that is ignored
    as by nohup, is left alone. Python handles signals in the main thread only, so in other threads
    nothing changes.
    """
    in_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in _SIGNALS if in_main}
    replaced = {number: handler for number, handler in before.items() if handler in _REPLACED}
    received: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        _interrupt(frame)

    for number in replaced:
        signal.signal(number, interrupt)
    try:
        yield
    except BaseException:
        if received:  # an error on the way out of an interruption is a part of it
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
    if received:  # the code inside has swallowed the interruption
        raise KeyboardInterrupt


def _interrupt(frame: FrameType | None) -> None:
    """Do what Ctrl-C would do now.

    While asyncio runs, its handler cancels the tasks one by one: an exception that is raised
    at the current point of the code would break the locks and shields that they hold.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)
