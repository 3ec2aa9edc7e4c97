"""Which clouds are asked about keys, by an option: ``auto``, a list, or none of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, cast, get_args

from inventory.errors import SettingError
from inventory.model.vocabulary import Provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inventory.astra.config import Organizations

KmsWord = Literal["auto", "recorded", "none", "aws", "gcp", "azure"]
"""What ``--cmek-kms`` takes: one of the first three, or some of the clouds."""

_CLOUDS: tuple[Provider, ...] = get_args(Provider)
_INSTALL = "pip install 'cmek-audit[{}]'"


def split_words(value: object) -> object:
    """Return the words of a list in their one order, each once; anything else as it is.

    Raises ValueError if a word that excludes others is beside one.
    """
    if not isinstance(value, str):
        return value
    words = dict.fromkeys(filter(None, re.split(r"[\s,]+", value)))
    if len(words) > 1 and not words.keys() <= set(_CLOUDS):
        message = f"one word, or a list of {', '.join(_CLOUDS)}"
        raise ValueError(message)
    return tuple(sorted(words, key=[*get_args(KmsWord), *words].index))


def clouds_to_ask(words: Sequence[str]) -> tuple[Provider, ...]:
    """Return the clouds that ``words`` name; ``auto`` names all."""
    if tuple(words) == ("auto",):
        return _CLOUDS
    return tuple(cloud for cloud in _CLOUDS if cloud in words)


def parse_clouds(text: str, option: str) -> tuple[KmsWord, ...]:
    """Return the words of an option that takes ``auto``, ``none`` or a list of clouds.

    Raises SettingError.
    """
    expected = f"auto, none, or a list of {', '.join(_CLOUDS)}"
    try:
        words = cast("tuple[KmsWord, ...]", split_words(text))
    except ValueError:
        words = ()
    if not words or set(words) - {"auto", "none", *_CLOUDS}:
        raise SettingError(f"{option}: found {text!r}, expected {expected}")
    return words


def complete_clouds(incomplete: str) -> list[str]:
    """Return the values that ``incomplete`` may become: a word, or a list with one more cloud."""
    before = "".join(incomplete.rpartition(",")[:2])
    words = (f"{before}{cloud}" for cloud in _CLOUDS)
    return [word for word in ("auto", "none", *words) if word.startswith(incomplete)]


def require_libraries(clouds: Iterable[Provider], option: str) -> None:
    """Raise SettingError, with the command that installs them, if libraries are missing.

    Only for clouds that somebody named: what ``auto`` cannot ask is a reason code.
    """
    from inventory.clouds.registry import CLOUDS  # noqa: PLC0415 (only if a cloud is asked)

    absent = [cloud for cloud in clouds if CLOUDS[cloud].missing]
    if absent:
        missing = "; ".join(CLOUDS[cloud].missing for cloud in absent)
        raise SettingError(f"{option}: {missing}\n{_INSTALL.format(','.join(absent))}")


def with_clouds(configuration: Organizations, words: Sequence[str], option: str) -> Organizations:
    """Return ``configuration`` with the clouds to ask that the option's ``words`` name.

    Without words, those that the file names stay. Raises SettingError if a library of a cloud that
    is named is missing.
    """
    if words:
        configuration = configuration.asking(clouds_to_ask(words))
    if tuple(words) != ("auto",) and configuration.clouds.ask:
        named = option if words else "clouds.ask of the organizations file"
        require_libraries(configuration.clouds.ask, named)
    return configuration
