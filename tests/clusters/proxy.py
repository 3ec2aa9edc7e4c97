"""A proxy on loopback that records every byte between the processes of a cluster."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.clusters.local import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator


class RecordingProxy:
    """Passes connections on to a scheduler.

    Attributes:
        address: the address under which clients and workers find the scheduler.
        seen: what was sent, in both directions.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.removeprefix("tcp://").rpartition(":")
        self._target = (host, int(port))
        self._listening = socket.create_server((LOOPBACK, 0), backlog=64)
        self.address = f"tcp://{LOOPBACK}:{self._listening.getsockname()[1]}"
        self.seen = bytearray()
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._open += (near, far)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(65_536):
                self.seen += piece
                target.sendall(piece)
        except OSError:
            pass
        finally:
            for one in (source, target):
                one.close()

    def close(self) -> None:
        for one in self._open:
            one.close()


@contextmanager
def recording_proxy(target: str) -> Iterator[RecordingProxy]:
    """Pass connections on to ``target``, and record them."""
    proxy = RecordingProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
