"""The yardstick: reads an inventory in NDJSON by pydantic as a stream, and does nothing with it."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter


class Head(BaseModel):
    kind: Literal["inventory"]
    captured_at: AwareDatetime


class Attested(BaseModel):
    by: str
    on: str
    at: datetime | None = None
    paid: bool | None = None
    name: str | None = None
    automatic: bool | None = None
    usable: bool | None = None


class Organization(BaseModel):
    kind: Literal["organization"]
    id: str
    name: str
    plan: Attested


class Key(BaseModel):
    kind: Literal["key"]
    type: str
    provider: str
    region: str
    key_id: str
    registered: Attested
    rotation: Attested
    usable: Attested


class Region(BaseModel):
    name: str
    added_at: AwareDatetime


class Database(BaseModel):
    kind: Literal["database"]
    id: str
    name: str
    type: str
    provider: str
    status: str
    created_at: AwareDatetime
    regions: tuple[Region, ...]


class End(BaseModel):
    kind: Literal["end"]
    organizations: int
    keys: int
    databases: int


Line = Annotated[Head | Organization | Key | Database | End, Field(discriminator="kind")]


def main(path: Path) -> None:
    """Read every line of ``path``."""
    read = TypeAdapter(Line).validate_json
    with path.open("rb") as file:
        for line in file:
            read(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
