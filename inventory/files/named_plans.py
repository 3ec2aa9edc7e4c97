"""Plans as the command line gives them: a path, and a name where two plans share addresses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import SettingError
from inventory.system.paths import normalize_path
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterable

OPTION = "--cmek-plan"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_EXPECTED = (
    "PATH or NAME=PATH, with a name of at most 64 letters, digits, dots, dashes and underscores "
    "that begins with a letter or a digit; a path with = in it is written as ./PATH"
)


class NamedPlan(NamedTuple):
    """A plan to read.

    Attributes:
        path: the path of its file.
        name: the prefix of its addresses, distinct from other plans; may be empty.
    """

    path: str
    name: str = ""

    def __str__(self) -> str:
        """Return the text that ``parse_plan`` reads as the same plan."""
        is_clear = self.name or "=" not in self.path.partition("/")[0]
        return f"{self.name}={self.path}" if self.name else f"{'' if is_clear else './'}{self.path}"


def parse_plan(text: str, start: Path = Path()) -> NamedPlan:
    """Read ``PATH`` or ``NAME=PATH``; raise SettingError if it is neither.

    Text before the first ``=`` is a name, unless it has a slash: then all of it is a path.
    Whether a file exists makes no difference. A relative path begins at ``start``.
    """
    name, sign, path = text.partition("=")
    if not sign or "/" in name:
        return NamedPlan(normalize_path(text, start))
    if not path or not _NAME.fullmatch(name):
        raise SettingError(f"{OPTION}: found {describe(text)}, expected {_EXPECTED}")
    return NamedPlan(normalize_path(path, start), name)


def plans_in_order(texts: Iterable[str], start: Path = Path()) -> tuple[str, ...]:
    """Return each plan once, in the order of paths.

    Raises SettingError if two have one name, or if one is given under two.
    """
    plans = sorted({parse_plan(text, start) for text in texts})
    names: dict[str, NamedPlan] = {}
    paths: dict[str, NamedPlan] = {}
    for plan in plans:
        if plan.name and names.setdefault(plan.name, plan) != plan:
            found, expected = f"{names[plan.name]} and {plan}", "another name for each plan"
            raise SettingError(f"{OPTION}: found {found}, expected {expected}")
        if paths.setdefault(plan.path, plan) != plan:
            found, expected = f"{paths[plan.path]} and {plan}", "each plan once"
            raise SettingError(f"{OPTION}: found {found}, expected {expected}")
    return tuple(map(str, plans))
