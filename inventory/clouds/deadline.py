"""Ends a connection of ``urllib3`` when the time of one answer is over.

A timeout of the library's ends a single read: an answer that comes byte by byte never ends.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Deadline:
    """The time of one answer: a context in which the watched connection ends when it is over.

    Attributes:
        is_over: whether the time is over.
    """

    def __init__(self, seconds: float) -> None:
        """End after ``seconds`` from the begin of the context."""
        self.is_over = False
        self._socket: Any = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        """Begin."""
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        """Let the connection be."""
        self._timer.cancel()

    def watch(self, connected: Any) -> None:  # noqa: ANN401 (a socket, or what has one)
        """End ``connected`` when the time is over: at once, if it is over already."""
        # TLS in the TLS of a proxy is no socket, but has the one of the proxy.
        self._socket = getattr(connected, "socket", connected)
        if self.is_over:
            self._close()

    def require_time(self) -> None:
        """Raise TimeoutError if the time is over."""
        if self.is_over:
            raise TimeoutError("the time of one answer is over")

    def _end(self) -> None:
        self.is_over = True
        self._close()

    def _close(self) -> None:
        # Of a socket with TLS the plain part: closing TLS in order would wait for the other side,
        # and drop what is still being read. It may be closed already, or there may be none yet.
        with suppress(OSError, TypeError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def ended_by(deadline: Callable[[], Deadline], kind: Any) -> Any:  # noqa: ANN401 (classes of urllib3)
    """Return the class of connections ``kind``, with connections that end in time.

    ``deadline`` returns the deadline of the thread that opens one.
    """

    class Ended(kind):  # type: ignore[misc]
        def _new_conn(self) -> Any:  # noqa: ANN401 (as the base)
            connected = super()._new_conn()
            deadline().watch(connected)
            return connected

        def _tunnel(self) -> None:
            deadline().watch(self.sock)  # the proxy may speak TLS
            super()._tunnel()
            # A proxy's answer that the deadline cuts looks complete. TLS would then begin on a
            # connection that has ended, and Python 3.11 does not close what breaks at that point.
            deadline().require_time()

        def connect(self) -> None:
            super().connect()
            deadline().watch(self.sock)

    return Ended
