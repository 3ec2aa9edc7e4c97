"""Where an inventory came from: one record per file that was read."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from inventory.models import Entry

FileFormat = Literal["yaml", "json", "ndjson"]
Role = Literal["inventory", "plan", "history"]


class Source(Entry):
    """One file that was read.

    Attributes:
        path: the path, as it was given.
        role: the present (``inventory``), what is intended (``plan``) or an earlier moment.
        format: ``yaml``, ``json`` or ``ndjson``.
        size: length in bytes.
        sha256: hash of the bytes, in hexadecimal.
        captured_at: when its content was true (UTC); None if it does not say.
        complete: False if it ended before its end record, or other than by it.
        example: True for a bundled example.
        organizations: how many it holds.
        keys: how many customer keys it holds.
        databases: how many databases it holds.
    """

    path: str
    role: Role
    format: FileFormat
    size: int
    sha256: str
    captured_at: datetime | None = None
    complete: bool = True
    example: bool = False
    organizations: int = 0
    keys: int = 0
    databases: int = 0
