"""JSON that is written part by part: an array may be larger than memory, and none is empty."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from inventory.text.canonical_json import compact_json
from reports.formats.oscal.identifiers import NAMESPACE, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Json = dict[str, object]

_TOGETHER = 1_000


def filled(fields: Mapping[str, object]) -> Json:
    """Return ``fields`` without the empty ones, which OSCAL refuses."""
    return {name: field for name, field in fields.items() if field}


def properties(fields: Mapping[str, object]) -> list[Json]:
    """Return a property in the project's namespace for each of ``fields`` that is not empty.

    Values are text that ``texts.value`` returned, or numbers.
    """
    return [
        {"name": name, "ns": NAMESPACE, "value": str(field)}
        for name, field in fields.items()
        if field not in {"", None}
    ]


def whole(data: Mapping[str, object]) -> tuple[str]:
    """Return an object as one part."""
    return (compact_json(data),)


def member(name: str, data: object) -> Iterator[str]:
    """Yield a member of an object, unless it is empty."""
    if data:
        yield f"{compact_json(name)}:{compact_json(data)}"


def nested(name: str, parts: Iterable[str]) -> Iterator[str]:
    """Yield a member that is an object, of which the ``parts`` are given; nothing if it is empty.

    It is empty if its second part, after the opening brace, closes it.
    """
    left = iter(parts)
    first, second = next(left), next(left)
    if second != "}":
        yield f"{compact_json(name)}:{first}{second}"
        yield from left


def array(name: str, items: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield a member that is an array of ``items``, each in parts; nothing if there are none."""
    before = f"{compact_json(name)}:["
    is_empty = True
    for item in items:
        parts = iter(item)
        yield f"{before}{next(parts)}"
        yield from parts
        before, is_empty = ",", False
    if not is_empty:
        yield "]"


def references(field: str, packed: bytes | bytearray) -> Iterator[tuple[str]]:
    """Yield objects with a ``field`` that is a UUID, many in one part; they are ``packed``."""
    uuids = unpack(packed)
    while some := list(islice(uuids, _TOGETHER)):
        yield (",".join([f'{{"{field}":"{uuid}"}}' for uuid in some]),)


def object_of(*members: Iterable[str]) -> Iterator[str]:
    """Yield an object of ``members``, some of which may be empty."""
    yield "{"
    is_first = True
    for parts in members:
        begins = True
        for part in parts:
            yield f",{part}" if begins and not is_first else part
            begins = is_first = False
    yield "}"
