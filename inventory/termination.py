"""Being told to end is taken like Ctrl-C, while there is something unfinished to be removed."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt; afterwards they end the process as before.

    A signal that somebody else handles or ignores, as nohup does, stays with them. Outside of the
    main thread nothing is changed, as Python handles signals there alone.
    """
    in_main = threading.current_thread() is threading.main_thread()
    own = [each for each in _SIGNALS if in_main and signal.getsignal(each) is signal.SIG_DFL]
    for each in own:
        signal.signal(each, signal.default_int_handler)
    try:
        yield
    finally:
        for each in own:
            signal.signal(each, signal.SIG_DFL)
