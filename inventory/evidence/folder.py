"""A folder that takes evidence bundles: one collection at a time, into one chain."""

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
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from inventory.evidence.chain import Chain, Link

REMEDY = "find out why, then move out of the folder what does not belong to its chain"
"""What to do if no bundle can be added to a chain."""

_NAMED = "the evidence folder"


@contextmanager
def locked_folder(folder: Path) -> Iterator[Path]:
    """Yield ``folder``, which is made if need be, locked against other collections.

    Raises SettingError if another process holds the lock, or if the folder cannot be written to
    then or later.
    """
    with writing_to(folder, _NAMED):
        _make(folder)
        with FolderLock(folder, _NAMED):
            yield folder


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # as the system calls a file in its place
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def prepare(folder: Path, say: Callable[[str], None]) -> Chain:
    """Return the chain to which a bundle is to be added to ``folder``, which is locked.

    Removes what collections that were killed left there, and ``say``s so before it does.

    Raises InventoryError if the folder holds anything strange, and EvidenceError if its bundles are
    no chain, or the last of them is damaged.
    """
    if is_bundle(folder):
        found, expected = (
            "an evidence bundle, or what is left of one",
            "a folder that takes bundles",
        )
        raise InventoryError([Problem(folder.as_posix(), 0, "", found, expected)])
    content = read_folder(folder)
    if problems := content.problems():
        raise InventoryError(problems)
    chain = _chain_of(folder, content.bundles)
    for path in content.unfinished:  # whoever began it has ended, else the lock would not be ours
        say(f"Removing {path.as_posix()}, which a collection that was killed left unfinished.")
        shutil.rmtree(path)
    return chain


def _chain_of(folder: Path, bundles: Iterable[Path]) -> Chain:
    """Return the chain of ``bundles``; raise EvidenceError if nothing can be added to it.

    A bundle that followed an older one instead would leave the damaged one out of the chain.
    """
    links, problems = read_links(bundles)
    chain = build_chain(folder, links)
    problems = problems or list(chain.problems)
    if chain.head and not problems:
        problems = _damage(folder / chain.head.name)
    if problems:
        told = [problem._replace(expected=f"{problem.expected}; {REMEDY}") for problem in problems]
        raise EvidenceError(told)
    return chain


def read_links(bundles: Iterable[Path]) -> tuple[list[Link], list[Problem]]:
    """Return the links that ``bundles`` are, and what is wrong with those that cannot be read."""
    links: list[Link] = []
    problems: list[Problem] = []
    for bundle in bundles:
        try:
            links.append(link_of(bundle.name, read_head(str(bundle))))
        except EvidenceError as error:
            problems += error.problems
    return links, problems


def _damage(bundle: Path) -> list[Problem]:
    try:
        check_bundle(str(bundle))
    except EvidenceError as error:
        return list(error.problems)
    return []


def previous_of(chain: Chain) -> Previous | None:
    """Return what the next bundle of ``chain`` names as the one before it."""
    return Previous(name=chain.head.name, root=chain.head.root) if chain.head else None


def free_place(folder: Path, started: datetime, chain: Chain) -> Path:
    """Return a free name in ``folder``, made of the time.

    A bundle that was removed keeps its name, as the oldest one here names it: after the clock was
    set back, another bundle of that name would look like a forgery of it.
    """
    name = started.strftime("%Y-%m-%dT%H-%M-%SZ")
    number = 1
    place = folder / name
    while place.exists() or (chain.before and chain.before.name == place.name):
        number += 1
        place = folder / f"{name}-{number}"
    return place
