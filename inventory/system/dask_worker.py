"""What runs on the workers of a Dask cluster: it checks that they have the same code and folder.

Nothing here needs Dask: workers find these functions by their names.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import uuid4

from inventory.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
"""The folder that holds the parts of the suite."""


class Origin(NamedTuple):
    """The process that sends a task.

    Attributes:
        code: the hash of its code.
        folder: the folder it works in, from which relative paths start.
    """

    code: str
    folder: str


_PARTS = ("inventory", "checks", "reports")


@cache
def suite_hash() -> str:
    """Return the hash of the suite's files: processes with the same hash judge and write alike."""
    digest = hashlib.sha256()
    for name, path in sorted(_suite_files(ROOT)):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _suite_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file with its name, which is the same in a checkout and in an installed package.

    An installed package carries the other parts inside it.
    """
    package = root / "cmek_audit" if (root / "cmek_audit").is_dir() else root.parent
    yield from _files("cmek_audit", package)
    for part in _PARTS:
        yield from _files(part, root / part)


def _files(name: str, folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[0] != "suite" and "__pycache__" not in inside.parts:
            yield f"{name}/{inside.as_posix()}", path


def run_checked(origin: Origin, task: Callable[..., T], *args: Any) -> T:  # noqa: ANN401 (of the task)
    """Run ``task`` in the folder of its origin.

    Raises ProcessError if this process has other code: a worker may have joined the cluster after
    all others were checked. Raises OSError if the folder is not there.
    """
    if suite_hash() != origin.code:
        raise ProcessError("a worker of the cluster has other code of cmek-audit")
    # For good: a worker runs one task at a time, and each of them comes with its folder.
    os.chdir(origin.folder)
    return task(*args)


class SharedFolder(NamedTuple):
    """A folder that a worker must share, and what it must find there.

    Attributes:
        folder: its path.
        name: the name of a file in it.
        content: the content of that file.
    """

    folder: str
    name: str
    content: str


def answer_in_folder(shared: SharedFolder) -> str:
    """Write the content of the file into another one beside it, and return the name of that.

    Raises ProcessError if the file has another content, and OSError if it cannot be read, or the
    other one cannot be written.
    """
    folder = Path(shared.folder)
    if (folder / shared.name).read_text(encoding="ascii") != shared.content:
        raise ProcessError("another folder has the same path there")
    answer = folder / f"{shared.name}-{uuid4().hex}"
    answer.write_text(shared.content, encoding="ascii")
    return answer.name
