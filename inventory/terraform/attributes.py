"""The attributes of a Terraform resource: known values, and those that are not shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from inventory.errors import Problem
from inventory.files.documents import FieldPath, field_name
from inventory.files.validation import line_of
from inventory.model.base import is_identifier
from inventory.terraform.resource_types import AttributeName
from inventory.text.display import describe
from inventory.text.secrets import holds_secret
from inventory.text.visible_text import has_surrogate

_LISTS = frozenset({"regions", "additional_regions"})

# What nearly all addresses, names and regions are. A credential has capitals, a slash or "ya29", or
# it is longer: so the search for all its forms is left out.
_HARMLESS = re.compile(r'(?!.*ya29)[a-z0-9_.\[\]" -]{0,56}')

UNKNOWN = "known only after apply"

SENSITIVE = "marked as sensitive"


class AttributeValue(NamedTuple):
    """The known values of one attribute.

    Attributes:
        values: its values; one, or those of a list, without those that are not shown.
        reasons: why values are missing: known only after apply, marked as sensitive, or both.
        is_wrong: whether a value that is shown cannot be used.
    """

    values: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    is_wrong: bool = False

    @property
    def missing(self) -> str:
        """The reasons why values are missing; empty if none are."""
        return " and ".join(self.reasons)


_NOTHING = AttributeValue()


class Attributes:
    """The attributes of one resource, with the marks for unknown and sensitive values."""

    __slots__ = ("_address", "_file", "_lines", "_marks", "_path", "_values", "problems")

    def __init__(
        self,
        values: Mapping[str, Any],
        marks: Sequence[tuple[object, str]],
        location: tuple[str, Mapping[FieldPath, int], FieldPath, str],
    ) -> None:
        """Take ``values``, and ``marks`` shaped like them, each kind with what it means.

        ``location`` is the file, its lines, the path of the values in it, and the resource's
        address.
        """
        self._values = values
        self._marks = [(mark, why) for mark, why in marks if mark]  # most are empty
        self._file, self._lines, self._path, self._address = location
        self.problems: list[Problem] = []

    def read(self, name: AttributeName) -> AttributeValue:
        """Return the known values of the attribute ``name``; note values of a wrong type."""
        marks = [(inner, why) for mark, why in self._marks if (inner := _inner(mark, name))]
        if whole := tuple(why for mark, why in marks if mark is True):
            return AttributeValue(reasons=whole)
        value = self._values.get(name)
        if value is None and not marks:
            return _NOTHING
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
            hidden = [why for mark, why in marks if _has_any(_inner(mark, index))]
            values += [] if hidden else [self._text(item, (name, index))]
            reasons += hidden
        once = tuple(dict.fromkeys(reasons))
        return AttributeValue(tuple(filter(None, values)), once, is_wrong=None in values)

    def _text(self, value: object, where: FieldPath) -> str | None:
        if not isinstance(value, str) or not value:
            self.refuse(where, describe(value) if value != "" else "an empty text", "text")
        elif problem := flaw(value):
            self.refuse(where, problem, "text without secrets")
        elif where != ("name",) and not is_identifier(value):
            self.refuse(where, describe(value), "visible ASCII characters without spaces")
        else:
            return value
        return None

    def refuse(self, where: FieldPath, found: str, expected: str) -> None:
        """Note that the value at ``where`` cannot be used."""
        field = f"{field_name(where)} of {describe(self._address)}"
        line = line_of(self._lines, self._path + where)
        self.problems.append(Problem(self._file, line, field, found, expected))


def flaw(text: str) -> str:
    """Return why ``text`` from a file must not be used; empty if it may."""
    if _HARMLESS.fullmatch(text):
        return ""
    if has_surrogate(text):
        return "an unpaired surrogate"
    return "what looks like a token" if holds_secret(text.encode()) else ""


def _inner(mark: object, part: str | int) -> object:
    """Return the mark of a part: that of the whole if the whole is marked."""
    if mark is True:
        return True
    if isinstance(part, str):
        return mark.get(part, False) if isinstance(mark, dict) else False
    return mark[part] if isinstance(mark, list) and part < len(mark) else False


def _beyond(mark: object, length: int) -> bool:
    """Say whether marks exceed the ``length`` of the list, or are no list themselves.

    Then the list may become longer, or change in an unknown way.
    """
    return _has_any(mark[length:] if isinstance(mark, list) else mark)


def _has_any(mark: object) -> bool:
    """Say whether anything inside is marked."""
    waiting = [mark]
    while waiting:
        part = waiting.pop()
        if part is True:
            return True
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return False
