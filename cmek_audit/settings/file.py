"""The settings file: ``cmek-audit.toml``, or ``[tool.cmek-audit]`` in ``pyproject.toml``."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmek_audit.run.options import OPTIONS
from cmek_audit.settings.given import Given, value_in_toml
from inventory.errors import SettingError
from inventory.files.suggestions import did_you_mean
from inventory.system.paths import normalize_path
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = "cmek-audit.toml"
PROJECT = "pyproject.toml"
TABLE = "tool.cmek-audit"

_REPOSITORY = (".git", ".hg", ".svn", ".jj")
"""What the root of a repository holds; above it are other people's files."""

_LARGEST = 1_048_576
_BY_NAME = {option.name: option for option in OPTIONS}
_PROBE = "cmek-audit-probe"


def find_file(start: Path) -> Path | None:
    """Return the settings file for whoever works in ``start``; None if there is none.

    It is in that folder or in the nearest one above, up to the root of a repository. Raises
    SettingError if it is of another user, or if a folder has two.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        found = [file for file in (folder / OWN, folder / PROJECT) if _is_settings_file(file)]
        if len(found) > 1:
            path = normalize_path(str(found[1]))
            raise SettingError(f"{path}: found [{TABLE}] beside {OWN}, expected one of the two")
        if found:
            _refuse_foreign(found[0], start)
            return found[0]
        if any((folder / name).exists() for name in _REPOSITORY):
            return None
    return None


def _is_settings_file(file: Path) -> bool:
    """Return whether there is such a file; a ``pyproject.toml`` must mention the command, too."""
    if file.name == OWN:
        # A link that leads nowhere is a mistake that reading the file reports.
        return os.path.lexists(file)
    if not file.exists() or b"cmek-audit" not in _read(file):
        return False
    return _table(_parse(file), file) is not None


def _refuse_foreign(file: Path, start: Path) -> None:
    """Raise SettingError if somebody else could have put the file above where the user works.

    Windows does not show whose a file is: there, 0 is the owner of each.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    owner, trusted = file.lstat().st_uid, {0, user, start.stat().st_uid}
    if owner not in trusted:
        raise SettingError(
            f"{normalize_path(str(file))}: found a file of another user ({owner}), expected one of "
            f"yours; CMEK_SETTINGS={file} uses it all the same, and CMEK_SETTINGS=none ignores it"
        )


def read_file(file: Path) -> Iterator[Given | SettingError]:
    """Yield what a settings file gives, and an error for each entry that gives nothing usable.

    Raises SettingError if the whole file cannot be used.
    """
    table = _table(_parse(file), file)
    if table is None:
        expected = f"[{TABLE}] in it, as a table"
        raise SettingError(f"{normalize_path(str(file))}: found no settings, expected {expected}")
    lines = _read(file).decode().splitlines()
    for name, value in table.items():
        yield _given(file, _place(file, lines, name), name, value)


def _given(file: Path, place: str, name: str, value: object) -> Given | SettingError:
    if name not in _BY_NAME:
        plain = name.replace("_", "-").removeprefix("cmek-")
        hint = f"; did you mean {plain!r}?" if plain in _BY_NAME else did_you_mean(plain, _BY_NAME)
        return SettingError(
            f"{place}: found {describe(name)}, expected the name of a setting{hint}"
        )
    option = _BY_NAME[name]
    try:
        found = value_in_toml(option, value)
    except SettingError as error:
        return SettingError(f"{place}: {name}: {error}")
    return Given(option, found, file.absolute().parent, source=place, label=f"{place}: {name}")


# --- the file -------------------------------------------------------------------------------------


def _read(file: Path) -> bytes:
    path = normalize_path(str(file))
    if not file.is_file():
        found = "a folder or a device" if file.exists() else "nothing"
        raise SettingError(f"{path}: found {found}, expected a file of settings")
    try:
        if file.stat().st_size > _LARGEST:
            raise SettingError(f"{path}: found more than 1 MiB, expected a file of settings")
        return file.read_bytes()
    except OSError as error:
        raise SettingError(f"{path}: found {error.strerror}, expected a readable file") from None


def _parse(file: Path) -> dict[str, Any]:
    path = normalize_path(str(file))
    try:
        return tomllib.loads(_read(file).decode())
    except UnicodeDecodeError:
        raise SettingError(f"{path}: found other than UTF-8, expected TOML") from None
    except RecursionError:
        raise SettingError(f"{path}: found too deep a nesting, expected TOML") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line ([0-9]+)", str(error))
        place = f"{path}:{line[1]}" if line else path
        raise SettingError(f"{place}: found no TOML ({error}), expected TOML") from None


def _table(data: dict[str, Any], file: Path) -> dict[str, Any] | None:
    """Return the table of settings of a file; None if it has none."""
    if file.name != PROJECT:
        return data
    tool = data.get("tool")
    table = tool.get("cmek-audit") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        path = normalize_path(str(file))
        raise SettingError(f"{path}: {TABLE}: found {describe(table)}, expected a table")
    return table


def _place(file: Path, lines: list[str], name: str) -> str:
    """Return the path of the file with the line of an entry, as far as that can be found."""
    path = normalize_path(str(file))
    line = next(_lines_of(file, lines, name), 0)
    return f"{path}:{line}" if line else path


def _lines_of(file: Path, lines: list[str], name: str) -> Iterator[int]:
    """Yield the line on which an entry of the table begins.

    TOML's reader keeps no lines. A line that begins with the name is the entry's if all before it
    is complete, and if an entry in its place would be one of the table.
    """
    begins = re.compile(rf"""\s*(["']?){re.escape(name)}\1\s*=""")
    for number, line in enumerate(lines):
        if begins.match(line) and _is_in_table(file, lines[:number]):
            yield number + 1


def _is_in_table(file: Path, lines: list[str]) -> bool:
    try:
        data = tomllib.loads("\n".join([*lines, f"{_PROBE} = true"]))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return _PROBE in (_table(data, file) or {})
