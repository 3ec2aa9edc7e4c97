"""All settings of a run: variables before the file, each with its source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cmek_audit.settings.file import find_file, read_file
from cmek_audit.settings.given import Given
from cmek_audit.settings.variables import FILE_VARIABLE, read_variables, unknown_variables
from inventory.errors import SettingError
from inventory.system.paths import normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Settings(NamedTuple):
    """What is set beside the command line.

    Attributes:
        file: the settings file; empty if there is none.
        variables: what variables give, by the option's name.
        in_file: what the file gives, by the option's name.
        problems: what cannot be used; everything else is there all the same.
    """

    file: str
    variables: Mapping[str, Given]
    in_file: Mapping[str, Given]
    problems: tuple[str, ...] = ()

    def get(self, name: str) -> Given | None:
        """Return what is set for an option: by a variable, else by the file, else None."""
        return self.variables.get(name) or self.in_file.get(name)

    def refuse_problems(self) -> None:
        """Raise SettingError that names everything that cannot be used."""
        if self.problems:
            raise SettingError("\n".join(self.problems))


NO_SETTINGS = Settings("", {}, {})
"""For what must not depend on where it runs, such as an audit that is made once more."""


def read_settings(start: Path, environment: Mapping[str, str]) -> Settings:
    """Read variables, and the settings file of whoever works in ``start``.

    Raises nothing: what cannot be used is among the ``problems``.
    """
    found, problems = _collect(read_variables(environment))
    file = ""
    in_file: dict[str, Given] = {}
    try:
        path = _file(start, environment)
        if path is not None:
            file = normalize_path(str(path))
            in_file, more = _collect(read_file(path))
            problems += more
    except SettingError as error:
        problems.append(str(error))
    settings = Settings(file, found, in_file)
    organizations = filter(None, map(settings.get, ("live", "clouds")))
    problems += unknown_variables(environment, [str(given.spelled) for given in organizations])
    return settings._replace(problems=tuple(problems))


def _collect(given: Iterable[Given | SettingError]) -> tuple[dict[str, Given], list[str]]:
    """Return what is usable by the option's name, and what the rest lacks."""
    usable: dict[str, Given] = {}
    problems = []
    for one in given:
        if isinstance(one, Given):
            usable[one.option.name] = one
        else:
            problems.append(str(one))
    return usable, problems


def _file(start: Path, environment: Mapping[str, str]) -> Path | None:
    named = environment.get(FILE_VARIABLE, "").strip()
    if named:
        return None if named == "none" else start / named
    return find_file(start)
