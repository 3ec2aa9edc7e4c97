"""The base of all entries of an inventory: frozen models, locations, types of fields."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from inventory.model.vocabulary import (
    PROVIDERS,
    TYPES,
    Provider,
    any_case_schema,
    canonical_provider,
    canonical_type,
)
from inventory.text.visible_text import VISIBLE, VISIBLE_NARROW

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_IDENTIFIER = re.compile(r"[!-~]{1,2048}")
NEWER_VERSION = "newer_version"
"""The type of the validation error for a version that this program does not know yet."""

NEWER_HINT = "this file may have been written for a newer version of cmek-audit"
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)


def _moment(value: object) -> datetime:
    """Parse a time with its zone, and convert it to UTC.

    A number is refused: it could be seconds or milliseconds.
    """
    time = value
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            time = None
    if not isinstance(time, datetime) or time.tzinfo is None:
        text = "a time with its zone, as text, such as 2026-11-20T02:00:00Z"
        raise PydanticCustomError("moment", text, {"flaw": _flaw_of_moment(value, time)})
    try:
        utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "a time between the years 1 and 9999") from None
    if utc < _EARLIEST:
        raise PydanticCustomError("moment", "a time after 2010, as Astra did not exist before")
    return utc


def _flaw_of_moment(value: object, time: object) -> str:
    """Describe what a time lacks; empty if the value is not a time."""
    if not isinstance(time, datetime):
        return ""
    is_day = isinstance(value, str) and not re.search("[T: ]", value)
    return ", a day without a time" if is_day else ", a time without its zone"


def is_identifier(text: str) -> bool:
    """Say whether ``text`` can be an ``Identifier``."""
    return _IDENTIFIER.fullmatch(text) is not None


def read_moment(value: object) -> datetime | None:
    """Return the time in ``value`` (UTC); None if it is not one."""
    try:
        return _moment(value)
    except PydanticCustomError:
        return None


def _version(value: object, newest: int = 1) -> object:
    """Refuse a newer one; also ``true`` and ``1.0``, which are equal to 1 in Python."""
    known = " or ".join(map(str, range(1, newest + 1)))
    if isinstance(value, int) and value > newest:
        raise PydanticCustomError(NEWER_VERSION, f"{known}; {NEWER_HINT}")
    if type(value) is not int:
        raise PydanticCustomError("version", f"{known}, as a whole number without quotes")
    return value


def _day(value: object) -> object:
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    flaw = ", a time instead of a day" if read_moment(value) else ""
    raise PydanticCustomError("day", "a day, as text, such as 2026-11-20", {"flaw": flaw})


Identifier = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=2048)]
FormatVersion = Annotated[Literal[1], BeforeValidator(_version)]
"""The version of a file's format."""

EvidenceVersion = Annotated[Literal[1, 2], BeforeValidator(partial(_version, newest=2))]
"""The version of the format of evidence: 1 with a file for each exchange, 2 with a line."""

WholeNumber = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]
Name = Annotated[
    str,
    StringConstraints(min_length=1, pattern=VISIBLE),
    WithJsonSchema({"type": "string", "minLength": 1, "pattern": VISIBLE_NARROW}),
]
Owner = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=VISIBLE),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": VISIBLE_NARROW}),
]
"""A team, a person or an address, for people."""

Text = Annotated[
    str,
    StringConstraints(pattern=VISIBLE),
    WithJsonSchema({"type": "string", "pattern": VISIBLE_NARROW}),
]
Moment = Annotated[
    datetime,
    PlainValidator(_moment, json_schema_input_type=datetime),
    PlainSerializer(lambda time: f"{time.isoformat()[:-6]}Z", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[date, BeforeValidator(_day)]
SpelledType = Annotated[
    Literal["serverless", "managed-clusters"],
    BeforeValidator(canonical_type),
    WithJsonSchema(any_case_schema(TYPES)),
]
SpelledProvider = Annotated[
    Provider,
    BeforeValidator(canonical_provider),
    WithJsonSchema(any_case_schema(PROVIDERS)),
]

SEEN = r"^exchanges/[0-9]{4,9}(?:\.ndjson\.gz|/[0-9]{4,9}\.json):[1-9][0-9]{0,8}$"

Seen = Annotated[str, StringConstraints(pattern=SEEN)]
"""The position of an entry in the recorded answers of an evidence bundle: file and line."""

SourceLocation = tuple[str, int] | tuple[str, int, str]
"""A file's path and a line in it; for what Terraform manages, its address as well."""

NO_LOCATION: SourceLocation = ("", 0)
"""The location of what was made in memory."""


class Entry(BaseModel):
    """A piece of an inventory; immutable, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Located(Entry):
    """An entry with the location where it was read.

    Attributes:
        location: the path of its file, as it was given, and its line, counted from 1; an empty path
            and 0 if it was made in memory. For what Terraform manages, also its address.
    """

    location: ClassVar[SourceLocation] = NO_LOCATION

    def at(self, file: str, line: int, address: str = "") -> Self:
        """Set the location; only for the reader that has just made the entry."""
        # The model is frozen, and the location is no field: it takes no part in equality and dumps.
        self.__dict__["location"] = (file, line, address) if address else (file, line)
        return self

    @property
    def file(self) -> str:
        """Return the path of the entry's file."""
        return self.location[0]

    @property
    def line(self) -> int:
        """Return the entry's line."""
        return self.location[1]

    @property
    def resource(self) -> str:
        """Return the address by which Terraform manages it; empty if it does not."""
        return "".join(self.location[2:])

    def stated(self) -> set[str]:
        """Return the fields that its file states, which another file must not contradict."""
        return self.model_fields_set
