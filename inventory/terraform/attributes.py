"""The attributes of a Terraform resource: what is told of them, and what is only promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from inventory.errors import Problem
from inventory.files.documents import FieldPath, field_name
from inventory.files.validation import line_of
from inventory.model.base import is_identifier
from inventory.text.display import describe
from inventory.text.secrets import holds_secret
from inventory.text.visible_text import has_half_character

_LISTS = frozenset({"regions", "additional_regions"})

UNKNOWN = "known only after apply"

SENSITIVE = "marked as sensitive"


class AttributeValue(NamedTuple):
    """What is told of one attribute.

    Attributes:
        values: its values; one, or those of a list, without those that are not told.
        reasons: why values are missing: known only after apply, marked as sensitive, or both.
        is_wrong: whether something that is told has a form that cannot be used.
    """

    values: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    is_wrong: bool = False

    @property
    def missing(self) -> str:
        """Say why values are missing; empty if none are."""
        return " and ".join(self.reasons)


class Attributes:
    """The attributes of one resource, with the marks that keep some of them back."""

    def __init__(
        self,
        values: Mapping[str, Any],
        marks: Sequence[tuple[object, str]],
        place: tuple[str, Mapping[FieldPath, int], FieldPath, str],
    ) -> None:
        """Take ``values``, and ``marks`` shaped like them, each kind with what it means.

        ``place`` is the file, its lines, the path of the values in it, and whose they are.
        """
        self._values = values
        self._marks = marks
        self._file, self._lines, self._path, self._address = place
        self.problems: list[Problem] = []

    def read(self, name: str) -> AttributeValue:
        """Return what is told of the attribute ``name``; what has a wrong type is a problem."""
        marks = [(_inner(mark, name), why) for mark, why in self._marks]
        if whole := tuple(why for mark, why in marks if mark is True):
            return AttributeValue(reasons=whole)
        value = self._values.get(name)
        if isinstance(value, list) and name in _LISTS:
            return self._list(name, value, marks)
        if part := tuple(why for mark, why in marks if _has_any(mark)):
            return AttributeValue(reasons=part)
        text = self._text(value, (name,)) if value is not None else ""
        return AttributeValue((text,) if text else (), is_wrong=text is None)

    def _list(
        self, name: str, items: list[Any], marks: Sequence[tuple[object, str]]
    ) -> AttributeValue:
        values: list[str | None] = []
        reasons = [why for mark, why in marks if _beyond(mark, len(items))]
        for index, item in enumerate(items):
            kept_back = [why for mark, why in marks if _has_any(_inner(mark, index))]
            values += [] if kept_back else [self._text(item, (name, index))]
            reasons += kept_back
        once = tuple(dict.fromkeys(reasons))
        return AttributeValue(tuple(filter(None, values)), once, is_wrong=None in values)

    def _text(self, value: object, where: FieldPath) -> str | None:
        if not isinstance(value, str) or not value:
            self.refuse(where, describe(value) if value != "" else "an empty text", "text")
        elif found := flaw(value):
            self.refuse(where, found, "text without secrets")
        elif where != ("name",) and not is_identifier(value):
            self.refuse(where, describe(value), "visible ASCII characters without spaces")
        else:
            return value
        return None

    def refuse(self, where: FieldPath, found: str, expected: str) -> None:
        """Note that what stands at ``where`` cannot be used."""
        field = f"{field_name(where)} of {describe(self._address)}"
        line = line_of(self._lines, self._path + where)
        self.problems.append(Problem(self._file, line, field, found, expected))


def flaw(text: str) -> str:
    """Say why ``text`` must not be taken over from a file; nothing if it may."""
    if has_half_character(text):
        return "half a character"
    return "what looks like a token" if holds_secret(text.encode()) else ""


def _inner(mark: object, part: str | int) -> object:
    """Return the mark of a part: that of the whole if the whole is marked."""
    if mark is True:
        return True
    if isinstance(part, str):
        return mark.get(part, False) if isinstance(mark, dict) else False
    return mark[part] if isinstance(mark, list) and part < len(mark) else False


def _beyond(mark: object, length: int) -> bool:
    """Say whether more parts are marked than there are, or other than by their position."""
    return _has_any(mark[length:] if isinstance(mark, list) else mark)


def _has_any(mark: object) -> bool:
    """Say whether anything inside is marked."""
    waiting = [mark]
    while waiting:
        each = waiting.pop()
        if each is True:
            return True
        waiting += (
            each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        )
    return False
