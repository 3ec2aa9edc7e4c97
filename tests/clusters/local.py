"""Dask clusters on loopback: schedulers and workers that are real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import LocalCluster

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
SECONDS = 30.0


@contextmanager
def local_cluster(folder: Path, **more: Any) -> Iterator[LocalCluster]:  # noqa: ANN401 (Dask's)
    """Start a cluster of two workers, each a process with one thread."""
    settings = {"n_workers": 2, "threads_per_worker": 1, "host": LOOPBACK} | more
    with LocalCluster(  # type: ignore[no-untyped-call]
        processes=True, dashboard_address=f"{LOOPBACK}:0", local_directory=str(folder), **settings
    ) as cluster:
        yield cluster


def kill(pid: int) -> None:
    """Kill a process that a test has started."""
    os.kill(pid, signal.SIGKILL)


class Processes:
    """A scheduler and its workers, each started by Dask's own command, to be ended one by one."""

    def __init__(self, folder: Path, variables: Mapping[str, str], python: str) -> None:
        self.folder = folder
        self.python = python
        self.variables = variables
        self.running: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        file = self.folder / "address.json"
        process = self._start(
            "scheduler",
            "--port=0",
            f"--dashboard-address={LOOPBACK}:0",
            "--no-dashboard",
            f"--scheduler-file={file}",
            code="",
        )
        self.address = wait_for(file)
        return process

    def start_worker(self, code: str = "", **variables: str) -> subprocess.Popen[bytes]:
        """Start a worker that first runs ``code``, with more environment variables."""
        words = ("--nthreads=1", "--no-dashboard", f"--local-directory={self.folder}", "--no-nanny")
        return self._start("worker", self.address, *words, code=code, more=variables)

    def _start(
        self, command: str, *words: str, code: str, more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        run = f"{code}\nfrom distributed.cli.dask_{command} import main; main()"
        with (self.folder / f"{command}-{len(self.running)}.log").open("wb") as log:
            process = subprocess.Popen(
                [self.python, "-c", run, *words, f"--host={LOOPBACK}"],
                cwd=self.folder,
                env={**os.environ, **self.variables, **(more or {})},
                stderr=log,
            )
        self.running.append(process)
        return process

    def logs(self) -> str:
        return "".join(path.read_text("utf-8") for path in sorted(self.folder.glob("*.log")))


def wait_for(file: Path) -> str:
    """Return the address that a scheduler writes into ``file``."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            return str(json.loads(file.read_text("utf-8"))["address"])
        except (OSError, ValueError):
            time.sleep(0.05)
    raise TimeoutError(file)


@contextmanager
def processes(
    folder: Path, *, python: str = sys.executable, **variables: str
) -> Iterator[Processes]:
    """Start a scheduler without workers, and end it with all workers that join it.

    All of them run in ``python``, and get more environment ``variables``.
    """
    cluster = Processes(folder, variables, python)
    try:
        cluster.start_scheduler()
        yield cluster
    finally:
        for process in cluster.running:
            process.kill()
            process.wait()
