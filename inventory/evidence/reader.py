"""The content of a bundle: its exchanges, their index, and its inventory."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from inventory.evidence.exchange import Exchange, Failure, outcome_of, parse
from inventory.files.evidence_layout import EXCHANGES, INVENTORY
from inventory.files.ndjson import NdjsonReader
from inventory.model.base import Count, Moment, WholeNumber
from inventory.model.sources import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.model.sources import Role
from inventory.evidence.manifest import File, Manifest, _broken, check_bundle

_BODY = b'"body": '


def read_exchanges(folder: str, manifest: Manifest, number: int) -> list[Exchange]:
    """Return the exchanges of the organization at ``number``, from 1, in the order of files."""
    start = f"{EXCHANGES}/{number:04}/"
    return [
        parse(file.path, (Path(folder) / file.path).read_bytes())
        for file in manifest.files
        if file.path.startswith(start)
    ]


class IndexedExchange(NamedTuple):
    """What the index of a bundle says of one exchange.

    Attributes:
        path: its file inside the bundle.
        address: what was asked.
        outcome: the answer's status, or the reason code of there being none.
        at: when it was over, in UTC.
        sha256: the hash of its file, as the manifest says.
        redactions: how many fields were redacted.
    """

    path: str
    address: str
    outcome: str
    at: datetime
    sha256: str
    redactions: int


class _Outline(BaseModel):
    """The lines of an exchange's file that the index needs."""

    model_config = ConfigDict(frozen=True)

    address: Annotated[str, Field(pattern=r"^/[!-~]*$")]
    ended: Moment
    status: Annotated[WholeNumber, Field(ge=100, le=999)] | None
    failure: Failure | None
    redactions: dict[str, Count]


def index_exchanges(folder: str, manifest: Manifest) -> Iterator[IndexedExchange]:
    """Yield what is to be said of each exchange, in the order of files; no body is read.

    Raises EvidenceError if a file cannot be read, or is no exchange.
    """
    for file in manifest.files:
        if file.path.startswith(f"{EXCHANGES}/"):
            yield _indexed(folder, file)


def _indexed(folder: str, file: File) -> IndexedExchange:
    path = Path(folder) / file.path
    try:
        head = _above_body(path).rstrip(b",\n")
        told = _Outline.model_validate(json.loads(head + b"}"))
    except OSError as error:
        raise _broken(path, error.strerror or "nothing", "a readable exchange") from None
    except (ValueError, RecursionError):
        raise _broken(path, "something else", "an exchange as it was written") from None
    outcome = outcome_of(told.status, told.failure)
    count = sum(told.redactions.values())
    return IndexedExchange(file.path, told.address, outcome, told.ended, file.sha256, count)


def _above_body(path: Path) -> bytes:
    above = b""
    with path.open("rb") as lines:
        for line in lines:
            if line.startswith(_BODY):
                break
            above += line
    return above


def open_bundle(folder: str, role: Role = "inventory") -> NdjsonReader:
    """Return what reads the inventory of a bundle, once the bundle is found to be whole.

    Of one that serves as history only the inventory is looked at, as there may be many.
    """
    manifest = check_bundle(folder, only_inventory=role == "history")
    return NdjsonReader(f"{folder}/{INVENTORY}", role, (folder, _evidence(manifest)))


def _evidence(manifest: Manifest) -> Evidence:
    told = manifest.model_dump(include=set(Evidence.model_fields) - {"previous", "files"})
    previous = manifest.previous.root if manifest.previous else None
    return Evidence(**told, previous=previous, files=len(manifest.files))
