"""Runs of pytest that start at once: forked from a process that has imported everything already.

Starting Python and importing pytest and the suite takes most of a small audit's time. A process of
its own does that once; each run is a fork of it, with arguments, environment and folder as given,
and everything that differs from a process of its own (modules, warnings, open files) is its own.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
_IMPORTED = (
    "pytest",
    "_pytest.junitxml",
    "_pytest.terminal",
    "cmek_audit.run.audit",
    "cmek_audit.run.hooks",
    "reports.formats.registry",
)


class ForkServer:
    """The process that runs are forked from, started when the first run asks for one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start it, with what must be in the environment from the start."""
        self._socket, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.wiring.forked", str(theirs.fileno())],
            cwd=ROOT,
            env=dict(environment),
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._lines = self._socket.makefile("rw", encoding="utf-8")

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], cwd: Path
    ) -> tuple[int, str]:
        """Run pytest in a fork; return its exit code, and all that it printed."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            request = {"arguments": [*arguments], "environment": {**environment}, "cwd": str(cwd)}
            print(json.dumps(request | {"out": str(out)}), file=self._lines, flush=True)
            code = int(self._lines.readline())
            return code, out.read_text(encoding="utf-8")

    def close(self) -> None:
        """End it."""
        self._lines.close()
        self._socket.close()
        self._process.wait()


def _serve(number: int) -> None:
    for name in _IMPORTED:
        __import__(name)
    with socket.socket(fileno=number) as connection, connection.makefile("rw") as lines:
        for line in lines:
            child = os.fork()
            if not child:
                _run(json.loads(line))
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), file=lines, flush=True)


def _run(request: dict[str, object]) -> NoReturn:
    """Become the run: its folder, its environment, its arguments, and its output in one file."""
    code: object = 1
    try:
        out = os.open(str(request["out"]), os.O_WRONLY | os.O_CREAT)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(str(request["cwd"]))
        environment = request["environment"]
        assert isinstance(environment, dict)
        os.environ.clear()
        os.environ.update(environment)
        more = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
        sys.path[:0] = more
        sys.argv = ["pytest", *request["arguments"]]  # type: ignore[misc]
        runpy.run_module("pytest", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
