"""A folder of evidence bundles: one collection at a time, all bundles in one chain."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from inventory.errors import EvidenceError, InventoryError, Problem
from inventory.evidence.chain import build_chain, link_of
from inventory.evidence.manifest import Previous, check_bundle, read_head
from inventory.files.evidence_layout import is_bundle, read_folder
from inventory.system.folder_lock import FolderLock, writing_to

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from inventory.evidence.chain import Chain, Link

REMEDY = "find out why, then move what is not part of the chain out of the folder"
"""What to do if no bundle can be added to a chain."""

_LABEL = "the evidence folder"


@contextmanager
def locked_folder(folder: Path) -> Iterator[Path]:
    """Create ``folder`` if it does not exist, and yield it locked against other collections.

    Raises SettingError if another process holds the lock, or if the folder cannot be written to,
    now or later.
    """
    with writing_to(folder, _LABEL):
        _create(folder)
        with FolderLock(folder, _LABEL):
            yield folder


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # what mkdir raises if a file has this name
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def prepare_folder(folder: Path, notify: Callable[[str], None]) -> Chain:
    """Return the chain of ``folder``, which is locked, and to which a bundle is to be added.

    Removes what killed collections left there, and calls ``notify`` before it does.

    Raises InventoryError if the folder holds an unknown file, and EvidenceError if its bundles are
    not one chain, or the last of them is damaged.
    """
    if is_bundle(folder):
        found = "an evidence bundle, or a part of one"
        problem = Problem(folder.as_posix(), 0, "", found, "a folder for evidence bundles")
        raise InventoryError([problem])
    content = read_folder(folder)
    if problems := content.problems():
        raise InventoryError(problems)
    chain = require_chain(folder, content.bundles)
    for path in content.unfinished:  # its collection has ended, else the lock would not be free
        notify(f"Removing {path.as_posix()}, which a killed collection left unfinished.")
        shutil.rmtree(path)
    return chain


def require_chain(folder: Path, bundles: Iterable[Path]) -> Chain:
    """Return the chain of ``bundles``; raise EvidenceError if nothing can be added to it.

    A bundle that followed an older one instead would drop the damaged one from the chain unnoticed.
    """
    links, problems = read_links(bundles)
    chain = build_chain(folder, links)
    problems = problems or list(chain.problems)
    if chain.head and not problems:
        problems = _damage_problems(folder / chain.head.name)
    if problems:
        raise EvidenceError(
            problem._replace(expected=f"{problem.expected}; {REMEDY}") for problem in problems
        )
    return chain


def read_links(bundles: Iterable[Path]) -> tuple[list[Link], list[Problem]]:
    """Return the links of ``bundles``, and the problems of those that cannot be read."""
    links: list[Link] = []
    problems: list[Problem] = []
    for bundle in bundles:
        try:
            links.append(link_of(bundle.name, read_head(str(bundle))))
        except EvidenceError as error:
            problems += error.problems
    return links, problems


def _damage_problems(bundle: Path) -> list[Problem]:
    try:
        check_bundle(str(bundle))
    except EvidenceError as error:
        return list(error.problems)
    return []


def previous_of(chain: Chain) -> Previous | None:
    """Return what the next bundle of ``chain`` has to name as its previous one."""
    return Previous(name=chain.head.name, root=chain.head.root) if chain.head else None


def free_bundle_path(
    folder: Path, started: datetime, chain: Chain, taken: Container[str] = ()
) -> Path:
    """Return an unused path in ``folder``, named after the time.

    The name of a removed bundle stays used as long as the oldest one here refers to it, or if it is
    ``taken``: after the clock was set back, another bundle of that name would look like a forgery
    of it.
    """
    name = started.strftime("%Y-%m-%dT%H-%M-%SZ")
    number = 1
    path = folder / name
    used = chain.earlier.name if chain.earlier else ""
    while path.exists() or path.name == used or path.name in taken:
        number += 1
        path = folder / f"{name}-{number}"
    return path
