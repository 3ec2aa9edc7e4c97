"""Settings in environment variables: ``CMEK_`` and the option's name in capitals."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cmek_audit.run.options import OPTIONS
from cmek_audit.settings.given import Given, value_in_variable
from inventory.errors import SettingError
from inventory.files.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PREFIX = "CMEK_"
FILE_VARIABLE = "CMEK_SETTINGS"
"""The variable that names the settings file; ``none`` for no file."""

_TOKEN = re.compile(r"_(TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIALS?)(_|$)")
"""What a variable has in its name that holds a token or a passphrase."""

_BY_VARIABLE = {option.variable: option for option in OPTIONS}


def read_variables(environment: Mapping[str, str]) -> Iterator[Given | SettingError]:
    """Yield what the variables give, and an error for each that gives nothing usable.

    A variable that is blank counts as not set: pipelines pass on what they were not given so.
    """
    for name, option in _BY_VARIABLE.items():
        text = environment.get(name, "")
        if text.strip():
            try:
                value = value_in_variable(option, text, os.pathsep)
                yield Given(option, value, Path(), source=name, label=name)
            except SettingError as error:
                yield SettingError(f"{name}: {error}")


def unknown_variables(environment: Mapping[str, str], organizations: Iterable[str]) -> list[str]:
    """Return a complaint of each variable that looks like a setting, and is none.

    A variable may hold a token: then its name says so, or one of the files ``organizations`` names
    it.
    """
    unknown = sorted(
        name
        for name in environment
        if name.startswith(PREFIX) and name not in {*_BY_VARIABLE, FILE_VARIABLE}
        if not _TOKEN.search(name)
    )
    texts = [_text_of(path) for path in organizations] if unknown else []
    return [_complaint(name) for name in unknown if not any(_names(text, name) for text in texts)]


def _complaint(name: str) -> str:
    hint = did_you_mean(name, [*_BY_VARIABLE, FILE_VARIABLE], 0.8)
    return (
        f"{name}: found a variable that is no setting, expected {PREFIX} and the name of an "
        f"option, or TOKEN in the name of one that holds a token{hint}"
    )


def _text_of(path: str) -> str:
    """Return what a file holds; nothing if it cannot be read, which another error reports."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ""


def _names(text: str, variable: str) -> bool:
    """Return whether ``text`` has the variable's name as a word, or that of its ``_FILE``."""
    names = {variable, variable.removesuffix("_FILE")}
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)
