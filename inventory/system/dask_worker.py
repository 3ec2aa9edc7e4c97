"""What runs on the workers of a Dask cluster: it checks that they have the same code and folder.

Nothing here needs Dask: workers find these functions by their names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import uuid4

from inventory.errors import ProcessError
from inventory.system.suite_files import suite_hash

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Origin(NamedTuple):
    """The process that sends a task.

    Attributes:
        code: the hash of its code.
        folder: the folder it works in, from which relative paths start.
    """

    code: str
    folder: str


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
    answer.write_text(shared.content, encoding="ascii", newline="\n")
    return answer.name
