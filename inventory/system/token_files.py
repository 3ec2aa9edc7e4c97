"""Tokens that are files, as secret stores mount them: ``NAME_FILE`` names the file of ``NAME``."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from inventory.errors import SettingError
from inventory.text.secrets import SecretText, TokenVariables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SUFFIX = "_FILE"

_FOREIGN = stat.S_IRWXO | stat.S_IWGRP
"""What others may not be allowed to do; a group may read, as that is how stores mount secrets."""

_HAS_PERMISSIONS = os.name == "posix"
"""Windows shows no such permissions: who may read a file is in its list of access rights there."""

_LARGEST = 65_536


def read_tokens(
    names: Iterable[str], environment: Mapping[str, str] | None = None
) -> TokenVariables:
    """Return what the variables ``names`` of ``environment`` hold, or the files named for them.

    By default that is the environment of this process. A variable without a value and without a
    file is left out, and so is one whose file is missing. Raises SettingError if a variable and its
    file are both given, or if others than the file's owner and group may use it; Windows does not
    show the latter.
    """
    every = set(names)
    # Nothing but this is on the stack, if it breaks: the environment itself would show its values.
    known = TokenVariables({*every, *(f"{name}{SUFFIX}" for name in every)}, environment)
    from_files = {
        name: text
        for name in sorted(every)
        if known.get(f"{name}{SUFFIX}") and (text := _read(name, known)) is not None
    }
    return TokenVariables(every, {**known, **from_files})


def foreign_permissions(mode: int) -> int:
    """Return which permissions in the ``mode`` of a file let others use a secret in it.

    A group may read it. On Windows there are none to see: then it is 0.
    """
    return mode & _FOREIGN if _HAS_PERMISSIONS else 0


def _read(name: str, known: Mapping[str, str]) -> SecretText | None:
    """Return the content of the file that is named for the variable ``name``; None without one."""
    variable = f"{name}{SUFFIX}"
    if known.get(name):
        raise SettingError(f"{variable}: found {name} beside it, expected one of the two")
    try:
        return _content(Path(known[variable]), variable)
    except (OSError, ValueError):  # ValueError: a path with a NUL, or no text
        return None


def _content(path: Path, variable: str) -> SecretText | None:
    # Opened before it is looked at: the file that is read is the one that was looked at.
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            return None
        if foreign_permissions(mode):
            found = f"a file with the permissions {stat.S_IMODE(mode):04o}"
            raise SettingError(f"{variable}: found {found}, expected 0400, or 0440 for a group")
        return SecretText(file.read(_LARGEST).decode("ascii").strip())
