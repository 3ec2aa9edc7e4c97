"""Being told to end is taken like Ctrl-C, while there is something unfinished to be removed."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_REPLACED = (signal.SIG_DFL, signal.default_int_handler)


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, and raise KeyboardInterrupt at the end.

    Afterwards they are handled as before. A signal that somebody else handles or ignores, as nohup
    does, stays with them. Outside of the main thread nothing is changed, as Python handles signals
    there alone.
    """
    in_main = threading.current_thread() is threading.main_thread()
    before = {each: signal.getsignal(each) for each in _SIGNALS if in_main}
    own = {each: handler for each, handler in before.items() if handler in _REPLACED}
    told: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        told.append(number)
        _interrupt(frame)

    for each in own:
        signal.signal(each, interrupt)
    try:
        yield
    except BaseException:
        if told:  # whatever an interruption breaks on its way out is an interruption
            raise KeyboardInterrupt from None
        raise
    finally:
        for each, handler in own.items():
            signal.signal(each, handler)
    if told:  # somebody has swallowed it
        raise KeyboardInterrupt


def _interrupt(frame: FrameType | None) -> None:
    """Do what Ctrl-C would do now.

    While asyncio runs, its handler cancels the tasks one by one: an exception that is raised
    wherever they are just now would break the locks and shields that they hold.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)
