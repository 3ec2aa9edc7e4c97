"""The files of one folder of a configuration, with the line of each resource."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Literal, NamedTuple

from inventory.files.documents import read_document, read_text
from inventory.files.json_lines import walk
from inventory.terraform.hcl_blocks import find_resources

Program = Literal["terraform", "opentofu"]

MOST_BYTES = 16 * 1_024 * 1_024
"""Larger files are not read; files that people write are a thousandth of that."""

_ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json")


class SourceFile(NamedTuple):
    """A file of a configuration.

    Attributes:
        path: its path.
        lines: the line of each resource, by its type and name.
        sha256: the hash of its content; empty if it could not be read.
        problem: what went wrong; empty if nothing did.
    """

    path: str
    lines: dict[tuple[str, str], int]
    sha256: str = ""
    problem: str = ""


def list_folder(folder: FilePath) -> list[str]:
    """Return the names of the files that define resources, in order; may raise OSError.

    A file that overrides others defines none. What is hidden and what is a folder is no file of
    the configuration.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
    return sorted(name for name in names if _defines_resources(name))


def files_of(program: Program, names: Sequence[str]) -> list[str]:
    """Return those of ``names`` that a program reads.

    OpenTofu reads ``main.tofu`` instead of ``main.tf``; Terraform knows no such file.
    """
    tofu = [name for name in names if _ending(name).startswith(".tofu")]
    hidden = {
        name.removesuffix(_ending(name)) + _ending(name).replace("tofu", "tf") for name in tofu
    }
    unread = hidden if program == "opentofu" else {*tofu}
    return [name for name in names if name not in unread]


def read_source(path: str) -> SourceFile:
    """Read a file; a failure is stored in ``problem``, never raised."""
    try:
        raw = read_limited(path)
    except (OSError, ValueError) as error:
        return SourceFile(path, {}, problem=unreadable(path, error))
    lines, broken = (_read_json if path.endswith(".json") else _read_language)(path, raw)
    return SourceFile(path, lines, hashlib.sha256(raw).hexdigest(), broken)


def read_limited(path: str) -> bytes:
    """Return the content of a file; raise OSError or ValueError if that is not possible.

    A pipe or a device is not opened: reading from it may never end.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 (a path as text)
        message = "not a regular file"
        raise ValueError(message)
    with FilePath(path).open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        message = f"more than {MOST_BYTES:,} bytes"
        raise ValueError(message)
    return raw


def unreadable(path: str, error: Exception) -> str:
    """Describe why a file or folder could not be read."""
    why = getattr(error, "strerror", None) or str(error)
    return f"{path} could not be read ({why})"


def _defines_resources(name: str) -> bool:
    ending = _ending(name)
    stem = name.removesuffix(ending)
    return bool(ending) and name[0] != "." and not f"_{stem}".endswith("_override")


def _ending(name: str) -> str:
    return next((ending for ending in _ENDINGS if name.endswith(ending)), "")


def _read_language(path: str, raw: bytes) -> tuple[dict[tuple[str, str], int], str]:
    # Terraform accepts any byte in a comment.
    lines, broken = find_resources(raw.decode("utf-8-sig", "surrogateescape"))
    return lines, f"{path}:{broken} could not be parsed" if broken else ""


def _read_json(path: str, raw: bytes) -> tuple[dict[tuple[str, str], int], str]:
    document = read_document(path, raw)
    if document.data is None and document.problems:
        line = document.problems[0].line
        return {}, f"{path}{f':{line}' if line else ''} could not be parsed"
    lines: dict[tuple[str, str], int] = {}
    for names, line, _ in walk(read_text(path, raw)[0]):
        match tuple(name for name in names if isinstance(name, str)):  # each may stand in a list
            case ("resource", kind, resource):
                lines.setdefault((kind, resource), line)
    return lines, ""
