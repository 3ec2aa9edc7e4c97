"""Runs ``cmek-audit`` as if the system were no POSIX one, as far as another one can act like it.

For the suite's own modules, the modules and functions of POSIX are missing, locks are those of
``msvcrt``, text is written with the line ends of Windows, and files that are open cannot be moved.
Libraries are imported before, as on Windows they have a way of their own.

Run by ``python -m tests.wiring.without_posix ARGUMENTS``.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import importlib
import io
import os
import pkgutil
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("inventory", "checks", "reports", "cmek_audit")
MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios")
MISSING = {
    "os": """
        O_ASYNC O_CLOEXEC O_DIRECTORY O_DSYNC O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW O_NONBLOCK
        O_PATH O_SYNC O_TMPFILE WNOHANG chown chroot ctermid fchdir fchmod fchown fdatasync fork
        forkpty fpathconf fstatvfs getegid geteuid getgid getgroups getloadavg getpgid getpgrp
        getresuid getsid getuid killpg lchown lockf mkfifo mknod nice openpty pathconf
        posix_fadvise posix_fallocate posix_spawn posix_spawnp pread preadv pwrite pwritev readv
        register_at_fork sched_getaffinity sched_setaffinity sched_yield sendfile setegid seteuid
        setgid setpgid setsid setuid statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname wait
        wait3 wait4 waitid writev
    """,
    "signal": """
        SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGIO SIGKILL SIGPIPE SIGPROF SIGQUIT SIGSTOP SIGSYS
        SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGUSR1 SIGUSR2 SIG_BLOCK SIG_SETMASK SIG_UNBLOCK alarm
        getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigtimedwait
        sigwait sigwaitinfo
    """,
}


class Lacking(ModuleType):
    """A module that lacks some names of another one."""

    def __init__(self, whole: ModuleType) -> None:
        super().__init__(whole.__name__)
        missing = set(MISSING[whole.__name__].split())
        vars(self).update(
            {name: value for name, value in vars(whole).items() if name not in missing}
        )


class Locks(ModuleType):
    """``msvcrt``, by what the system has."""

    LK_NBLCK = 2

    def locking(self, file: int, mode: int, length: int) -> None:
        """Lock a file; raise PermissionError, as Windows does, if it is locked."""
        assert (mode, length) == (self.LK_NBLCK, 1)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None


def import_everything() -> None:
    """Import all libraries that the suite uses, and forget the suite's own modules."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(
            importlib.import_module(package).__path__, f"{package}."
        ):
            if module.name.rpartition(".")[2] != "__main__":
                importlib.import_module(module.name)
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]


def take_away() -> None:
    """Let the modules that are imported from now on find no POSIX."""
    sys.modules.update(dict.fromkeys(MODULES))  # type: ignore[arg-type]  # None: no such module
    sys.modules |= {"os": Lacking(os), "signal": Lacking(signal), "msvcrt": Locks("msvcrt")}


def write_other_line_ends() -> None:
    """End lines as Windows does, in text that is written without saying how they end."""
    whole = io.open

    def opened(file: Any, mode: str = "r", *arguments: Any, **more: Any) -> Any:  # noqa: ANN401
        names = ("buffering", "encoding", "errors", "newline")
        given = dict(zip(names, arguments, strict=False)) | more
        if given.get("newline") is None and "b" not in mode and set(mode) & set("wax+"):
            given["newline"] = "\r\n"
        return whole(file, mode, **given)

    io.open = builtins.open = opened


def refuse_to_move_open_files() -> None:
    """Fail where Windows would: open files, and folders with any, are neither moved nor removed.

    Nor does a file or folder get the name of one that exists, except by ``replace`` of files.
    """

    def audited(event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"os.rename", "os.remove", "os.rmdir"}:
            paths = [
                Path(os.fspath(path)) for path in arguments[:2] if isinstance(path, str | Path)
            ]
            for path in paths:
                refuse_if_open(path, event)
            if event == "os.rename" and paths[1].exists() and (is_rename() or paths[1].is_dir()):
                raise FileExistsError(errno.EEXIST, "Windows moves nothing there", str(paths[1]))

    sys.addaudithook(audited)


def is_rename() -> bool:
    """Say whether the caller of the audited function is ``Path.rename``, not ``replace``."""
    return sys._getframe(2).f_code.co_name == "rename"


def refuse_if_open(path: Path, event: str) -> None:
    """Raise PermissionError if ``path``, or what is in it, is open in this process."""
    whole = str(path.absolute())
    for link in os.listdir("/proc/self/fd"):  # noqa: PTH208 (an audited function)
        try:
            target = os.readlink(f"/proc/self/fd/{link}")  # noqa: PTH115 (as above)
        except OSError:
            continue
        if target == whole or target.startswith(f"{whole}/"):
            raise PermissionError(errno.EACCES, f"{event} of what is open on Windows", target)


def main() -> None:
    """Run the command."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import_everything()
    take_away()
    write_other_line_ends()
    refuse_to_move_open_files()
    sys.argv[0] = "cmek-audit"
    importlib.import_module("cmek_audit.cli").main()


if __name__ == "__main__":
    main()
