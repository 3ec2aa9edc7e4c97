"""Suggestions for mistyped words, only from the words that are valid at that position."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from inventory.model.vocabulary import PROVIDERS, TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KEY = "[key]"
_CLOSE = 0.6
_SHORTEST_BEGINNING = 3
_LONGEST = 100
"""Comparing longer words costs more than it helps."""


def did_you_mean(word: str, known: Iterable[str], close: float = _CLOSE) -> str:
    """Return ``; did you mean …?`` with the nearest word of ``known``, or an empty text.

    ``close`` is the least similarity of two words, from 0 to 1.
    """
    near = nearest(word, {known_word: known_word for known_word in known}, close)
    return f"; did you mean {near!r}?" if near else ""


def nearest(word: str, spellings: Mapping[str, str], close: float = _CLOSE) -> str:
    """Return the meaning of the spelling nearest to ``word``; empty if none is near.

    That is a similar one, or else the only one with this beginning. It is never ``word`` itself,
    which is known to be wrong.
    """
    plain = _plain(word)
    by_plain = {_plain(known): meaning for known, meaning in spellings.items() if meaning != word}
    if not by_plain or not plain or len(plain) > _LONGEST:
        return ""
    if near := get_close_matches(plain, by_plain, 1, close):
        return by_plain[near[0]]
    is_long = len(plain) >= _SHORTEST_BEGINNING
    completions = {
        meaning for known, meaning in by_plain.items() if is_long and known.startswith(plain)
    }
    return completions.pop() if len(completions) == 1 else ""


def _plain(word: str) -> str:
    """Return ``word`` without what differs between ways to write a name: case, dashes, spaces."""
    return word.strip().casefold().replace("-", "_").replace(" ", "_")


def fields_at(model: type[BaseModel], path: Sequence[str | int]) -> tuple[str, ...]:
    """Return the fields of the entry at ``path`` inside ``model``; none if there is no entry.

    The names are those in a file, not those of Python.
    """
    kind = _kind_at(model, path)
    return tuple(_fields(kind)) if _is_entry(kind) else ()


def values_at(model: type[BaseModel], path: Sequence[str | int]) -> dict[str, str]:
    """Return each accepted spelling at ``path``, with the word that it means.

    There are none where something other than a choice of words is expected. The key of a mapping
    is at ``[key]`` after itself, as in pydantic's locations.
    """
    *around, last = ("", *path)
    kind = _bare(_key_of(model, around[1:-1])) if last == KEY else _kind_at(model, path)
    words = (
        [choice for choice in get_args(kind) if isinstance(choice, str)] if _is_choice(kind) else []
    )
    spelled = {spelling: word for spelling, word in (TYPES | PROVIDERS).items() if word in words}
    return dict(zip(words, words, strict=True)) | spelled


def _key_of(model: type[BaseModel], path: Sequence[str | int]) -> Any:  # noqa: ANN401 (any type)
    return next(iter(get_args(_kind_at(model, path))), None)


def _kind_at(model: type[BaseModel], path: Sequence[str | int]) -> Any:  # noqa: ANN401 (as above)
    kind: Any = model
    for part in path:
        kind = _bare(_inside(kind, part))
    return kind


def _inside(kind: Any, part: str | int) -> Any:  # noqa: ANN401 (as above)
    """Return the type of a part: a field of an entry, an item of a list, a value of a mapping."""
    if _is_entry(kind):
        return _fields(kind).get(str(part))
    arguments = [argument for argument in get_args(kind) if argument is not ...]
    return arguments[-1] if arguments else None


def _bare(kind: Any) -> Any:  # noqa: ANN401 (as above)
    """Return a type without its annotations, and without None as an alternative."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    others = [argument for argument in get_args(kind) if argument is not type(None)]
    is_optional = len(others) < len(get_args(kind))
    return _bare(others[0]) if is_optional else kind


def _is_entry(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_choice(kind: object) -> bool:
    return get_origin(kind) is Literal


def _fields(kind: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
