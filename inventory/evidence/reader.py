"""Reads the content of a bundle: its exchanges, their index, and its inventory."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from inventory.errors import EvidenceError, Problem
from inventory.evidence.compressed_lines import read_lines
from inventory.evidence.exchange import Exchange, Failure, outcome_of, parse_exchange
from inventory.evidence.exchange_line import LineHead, parse_head, parse_line
from inventory.files.evidence_layout import EXCHANGES, INVENTORY, LINES, exchanges_path
from inventory.files.ndjson import NdjsonReader
from inventory.model.base import Count, Moment, WholeNumber
from inventory.model.sources import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.model.sources import Role
from inventory.evidence.manifest import ListedFile, Manifest, bundle_error, check_bundle

_BODY = b'"body": '


def read_exchanges(folder: str, manifest: Manifest, number: int) -> list[Exchange]:
    """Return the exchanges of the organization at ``number``, from 1, in their recorded order.

    Raises EvidenceError if one of them is not as it was written.
    """
    if manifest.has_lines:
        return [
            parse_line(file.path, line, raw)
            for file in manifest.files
            if file.path == exchanges_path(number)
            for line, raw in enumerate(_lines_of(folder, file), 1)
        ]
    start = f"{EXCHANGES}/{number:04}/"
    return [
        parse_exchange(file.path, (Path(folder) / file.path).read_bytes())
        for file in manifest.files
        if file.path.startswith(start)
    ]


def _lines_of(folder: str, file: ListedFile) -> Iterator[bytes]:
    return read_lines(Path(folder) / file.path, file.content or 0)


class IndexedExchange(NamedTuple):
    """One exchange in the index of a bundle.

    Attributes:
        path: the file inside the bundle that holds it.
        address: the path and parameters of the request.
        outcome: the answer's status, or the reason code if there is none.
        at: when it ended, in UTC.
        sha256: the hash of its line; in version 1 of its file, as the manifest lists it.
        redactions: how many fields were redacted.
        line: its line in the file; 0 in version 1.
    """

    path: str
    address: str
    outcome: str
    at: datetime
    sha256: str
    redactions: int
    line: int = 0


class _ExchangeHead(BaseModel):
    """The fields of an exchange's file of version 1 that the index needs."""

    model_config = ConfigDict(frozen=True)

    address: Annotated[str, Field(pattern=r"^/[!-~]*$")]
    ended: Moment
    status: Annotated[WholeNumber, Field(ge=100, le=999)] | None
    failure: Failure | None
    redactions: dict[str, Count]


def index_exchanges(folder: str, manifest: Manifest) -> Iterator[IndexedExchange]:
    """Yield the index of a bundle's exchanges, in the order of files; no body is parsed.

    Raises EvidenceError if a file cannot be read, or is not an exchange.
    """
    for file in manifest.files:
        if file.path.endswith(LINES):
            yield from _index_lines(folder, file)
        elif file.path.startswith(f"{EXCHANGES}/"):
            yield _index_exchange(folder, file)


def _index_lines(folder: str, file: ListedFile) -> Iterator[IndexedExchange]:
    for line, raw in enumerate(_lines_of(folder, file), 1):
        try:
            head = parse_head(raw)
        except (ValueError, RecursionError):
            problem = Problem(
                f"{folder}/{file.path}", line, "", "unreadable content", "an unchanged exchange"
            )
            raise EvidenceError([problem]) from None
        yield _index(file.path, line, head, hashlib.sha256(raw).hexdigest())


def _index_exchange(folder: str, file: ListedFile) -> IndexedExchange:
    path = Path(folder) / file.path
    try:
        fields = _read_head(path).rstrip(b",\n")
        head = _ExchangeHead.model_validate(json.loads(fields + b"}"))
    except OSError as error:
        raise bundle_error(path, error.strerror or "nothing", "a readable exchange") from None
    except (ValueError, RecursionError):
        raise bundle_error(path, "unreadable content", "an unchanged exchange") from None
    return _index(file.path, 0, head, file.sha256)


def _index(path: str, line: int, head: LineHead | _ExchangeHead, sha256: str) -> IndexedExchange:
    return IndexedExchange(
        path=path,
        address=head.address,
        outcome=outcome_of(head.status, head.failure),
        at=head.ended,
        sha256=sha256,
        redactions=sum(head.redactions.values()),
        line=line,
    )


def _read_head(path: Path) -> bytes:
    """Return the lines above the body, which comes last: it may be thousands of times longer."""
    head = b""
    with path.open("rb") as lines:
        for line in lines:
            if line.startswith(_BODY):
                break
            head += line
    return head


def open_bundle(folder: str, role: Role = "inventory") -> NdjsonReader:
    """Check a bundle, and return a reader of its inventory.

    Of a bundle that serves as history only the inventory is checked, as there may be many.

    Raises EvidenceError if the bundle is damaged.
    """
    manifest = check_bundle(folder, only_inventory=role == "history")
    reader = NdjsonReader(f"{folder}/{INVENTORY}", role, (folder, evidence_of(manifest)))
    if reader.head.clouds_only == bool(manifest.address):
        expected = "a host of Astra that was asked" if manifest.address else "no host of Astra"
        found = "an inventory " + ("of clouds alone" if manifest.address else "of Astra")
        raise bundle_error(Path(folder) / INVENTORY, found, expected)
    return reader


def evidence_of(manifest: Manifest) -> Evidence:
    """Return how a bundle was made, according to its ``manifest``."""
    fields = manifest.model_dump(include=set(Evidence.model_fields) - {"previous", "files"})
    previous = manifest.previous.root if manifest.previous else None
    return Evidence(**fields, previous=previous, files=len(manifest.files))
