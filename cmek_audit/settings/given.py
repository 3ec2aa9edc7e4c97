"""A value of an option with its source, and how a file, a variable and pytest write it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import SettingError
from inventory.files.named_plans import plans_in_order
from inventory.system.paths import normalize_path, sorted_paths
from inventory.text.display import describe, pluralize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cmek_audit.run.options import Option

Value = str | bool | tuple[str, ...]
"""What an option may be: a text, a flag, or several texts or paths."""

_LONGEST = 200


class Given(NamedTuple):
    """A value that somebody gave to an option.

    Attributes:
        option: the option.
        value: the value, as it was given.
        base: the folder from which a relative path in it starts.
        source: who gave it, such as ``cmek-audit.toml:3`` or ``CMEK_FAIL_ON``.
        label: how an error names the option, so that a correction can be made.
    """

    option: Option
    value: Value
    base: Path
    source: str
    label: str

    @property
    def spelled(self) -> Value:
        """Return the value as every report shows it: paths in their one spelling and one order.

        Raises SettingError if two plans have one name.
        """
        return in_one_spelling(self.option, self.value, self.base)

    def __str__(self) -> str:
        """Render as ``fail-on=high from CMEK_FAIL_ON``."""
        shown = _shown(self.value)
        return f"{self.option.name}{f'={shown}' if shown else ''} from {self.source}"


def by_their_source(text: str, used: Iterable[Given]) -> str:
    """Return errors with each option that was not typed named by where it is set."""
    lines = text.splitlines()
    for given in used:
        start = f"{given.option.flag}: "
        lines = [
            f"{given.label}: {line.removeprefix(start)}" if line.startswith(start) else line
            for line in lines
        ]
    return "\n".join(lines)


def in_one_spelling(option: Option, value: Value, base: Path) -> Value:
    """Return ``value`` with its paths in their one spelling, and several of them in one order."""
    if isinstance(value, bool):
        return value
    if option.name == "plan":
        return plans_in_order(value, base)
    if option.kind == "paths":
        return sorted_paths(value, base)
    is_path = option.kind == "path" and isinstance(value, str) and value != "env"
    return normalize_path(str(value), base) if is_path else value


def _shown(value: Value) -> str:
    if value is True:
        return ""
    if value is False:
        return "false"
    texts = value if isinstance(value, tuple) else (value,)
    if len(texts) != 1:
        return f"({pluralize(len(texts), 'value')})"
    return texts[0] if len(texts[0]) <= _LONGEST else describe(texts[0])


# --- in TOML --------------------------------------------------------------------------------------

_ARRAY = 'an array of texts, such as ["{}"]'
_TEXT = 'a text in quotes, such as "{}"'
_EXAMPLES = {
    "live": "organizations.yaml",
    "terraform-organization": "astra.eu=ID",
    "terraform-source": "infrastructure",
    "framework": "SOC 2",
    "formats": "html",
    "kms": "aws",
    "as-of": "2026-11-20T02:00:00Z",
    "max-age": "24h",
    "fail-on": "high",
    "group": "rule",
    "executor": "processes",
    "baseline": "baseline/audit.json",
    "shard": "2/8",
}


def value_in_toml(option: Option, value: object) -> Value:
    """Return the ``value`` of a settings file; raise SettingError with what is expected."""
    return _READERS[option.kind](option, value)


def _texts(option: Option, value: object) -> Value:
    expected = _ARRAY.format(_example(option))
    if not isinstance(value, list):
        raise _wrong(value, expected)
    for item in value:
        if not _is_text(item):
            raise _wrong(item, f"{expected}, each usable")
    return tuple(value)


def _text(option: Option, value: object) -> Value:
    if isinstance(value, str) and _is_text(value):
        return value
    raise _wrong(value, _TEXT.format(_example(option)))


def _words(option: Option, value: object) -> Value:
    """Take a list in one text, or an array of its words."""
    if isinstance(value, list) and value:
        return ",".join(_texts(option, value))  # type: ignore[arg-type] # texts are no flag
    if isinstance(value, str) and _is_text(value):
        return value
    raise _wrong(value, _ARRAY.format(_example(option)))


def _number(option: Option, value: object) -> Value:
    """Take a number, or a text as the command line takes it; what it may be is checked later."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and _is_text(value):
        return value
    raise _wrong(value, f"a number: {option.metavar}")


def _flag(_: Option, value: object) -> Value:
    if isinstance(value, bool):
        return value
    raise _wrong(value, "true or false")


def _is_text(value: object) -> bool:
    """Return whether ``value`` is a text that an option could have on a command line."""
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _wrong(value: object, expected: str) -> SettingError:
    return SettingError(f"found {describe(value)}, expected {expected}")


def _example(option: Option) -> str:
    ending = {"paths": f"{option.name}.yaml", "path": option.name}.get(option.kind, "…")
    return _EXAMPLES.get(option.name, ending)


_READERS: dict[str, Callable[[Option, object], Value]] = {
    "paths": _texts,
    "texts": _texts,
    "path": _text,
    "text": _text,
    "words": _words,
    "number": _number,
    "flag": _flag,
}


# --- in a variable --------------------------------------------------------------------------------

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


def value_in_variable(option: Option, text: str, separator: str) -> Value:
    """Return the value that a variable's ``text`` gives, which is not blank.

    Several paths are separated by ``separator``, or one is on each line if there are several lines.
    Several texts are on lines of their own, as a text may hold the separator. Raises SettingError
    if a flag is neither yes nor no, or if there is nothing but separators.
    """
    if option.kind == "flag":
        return _yes_or_no(text)
    if option.kind in {"paths", "texts"}:
        by_line = option.kind == "texts" or "\n" in text
        parts = _parts(text.splitlines() if by_line else text.split(separator))
        if not parts:
            raise _wrong(text, f"at least one value beside {separator!r}")
        return parts
    return text.strip()


def _yes_or_no(text: str) -> bool:
    word = text.strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise _wrong(text, "1, true, yes or on, or else 0, false, no or off")


def _parts(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for text in texts if (part := text.strip()))
