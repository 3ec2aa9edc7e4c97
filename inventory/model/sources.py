"""The sources of an inventory: one record for each file that was read."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from inventory.model.base import Entry, Moment

FileFormat = Literal[
    "yaml",
    "json",
    "ndjson",
    "bundle",
    "parquet",
    "summary",
    "terraform-plan",
    "terraform-state",
]
Role = Literal["inventory", "plan", "state", "history"]

FORMATS: dict[str, FileFormat] = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".ndjson": "ndjson",
}
"""The format for each ending of a recorded inventory's name."""


CLOUDS_ONLY = "It holds what the clouds show of keys, and nothing else."
"""The note on a record of clouds alone."""


class Evidence(Entry):
    """How an evidence bundle was made, according to its manifest.

    Attributes:
        root: the bundle's root.
        previous: the root of the bundle before; None for the first.
        tool: what made it.
        address: the host of Astra that was asked; empty if only clouds were asked.
        cloud_addresses: the hosts that were asked in place of a cloud's own.
        started: when the first organization was begun (UTC).
        ended: when the last one was done (UTC).
        requests: how many requests were made or abandoned.
        failures: how many of them got no answer, or one of status 400 or more.
        redactions: how many fields were redacted in all answers.
        clock_seconds: the largest difference seen between Astra's clock and the recorder's.
        files: how many files the manifest lists.
    """

    root: str
    previous: str | None
    tool: str
    address: str
    cloud_addresses: tuple[str, ...] = ()
    started: Moment
    ended: Moment
    requests: int
    failures: int
    redactions: int
    clock_seconds: float | None
    files: int


class SourceChain(Entry):
    """Records in a row, each of which names the one before it; they are known by two of them.

    Attributes:
        first: the path of the first of them.
        records: how many they are, with the first and the last.
        sha256: hash over their roots in order, one a line.
    """

    first: str
    records: int
    sha256: str


class Source(Entry):
    """One file, or one evidence bundle, that was read.

    Attributes:
        path: the path, as it was given.
        role: the present (``inventory``), what is intended (``plan``), what Terraform believes to
            exist (``state``) or an earlier moment (``history``).
        format: ``yaml``, ``json``, ``ndjson``, ``bundle`` or ``parquet``; a ``summary`` of bundles;
            or a plan or state of Terraform.
        size: length in bytes; of a bundle, that of its inventory; of Parquet, that of all files.
        sha256: hash of the bytes, in hexadecimal; of a bundle, that of its inventory; of Parquet,
            that of the head, which holds those of the files.
        captured_at: when its content was true (UTC); None if it has no date.
        complete: False if it does not end with its end record.
        example: True for a bundled example.
        organizations: how many it holds.
        keys: how many customer keys it holds; of a plan, how many it would change.
        databases: how many databases it holds.
        evidence: of a bundle, how it was made.
        name: the name given to a plan; may be empty.
        notes: assumptions about it and its limits, a sentence or two each.
        clouds_of: of a record of clouds alone, the ids of the organizations whose keys these are,
            in its order; empty for any other.
        chain: of the last of many bundles in a row, those up to it; of a summary, those that it
            covers; None for any other.
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
    evidence: Evidence | None = None
    name: str = ""
    notes: tuple[str, ...] = ()
    clouds_of: tuple[str, ...] = ()
    chain: SourceChain | None = None
