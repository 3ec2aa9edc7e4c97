"""A bundle gives back its exchanges, their index, and its inventory."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from inventory.errors import EvidenceError
from inventory.evidence.exchange import Exchange
from inventory.evidence.manifest import read_manifest
from inventory.evidence.reader import index_exchanges, open_bundle, read_exchanges
from tests.builders import ORGANIZATION
from tests.evidence_files import FIRST, lines_of, write_lines
from tests.inventory.live import (
    Astra,
    answer,
    configured,
    listed_key,
    seal,
    write_bundle,
)


def exchanges(folder: str) -> list[Exchange]:
    return read_exchanges(folder, read_manifest(folder), 1)


def test_exchanges_of_an_organization(recorded: str) -> None:
    """The exchanges of an organization are the lines of its file, in their order."""
    read = exchanges(recorded)
    count = len(lines_of(Path(recorded) / FIRST))
    assert [exchange.place for exchange in read] == [f"{FIRST}:{line + 1}" for line in range(count)]
    assert read[0].address == "/v2/currentOrg"
    assert read_exchanges(recorded, read_manifest(recorded), 2) == []


def test_index(recorded: str) -> None:
    """The index says of each exchange what its line says, and the hash of the line."""
    lines = lines_of(Path(recorded) / FIRST)
    index = list(index_exchanges(recorded, read_manifest(recorded)))
    assert [indexed._asdict() for indexed in index] == [
        {
            "path": exchange.path,
            "address": exchange.address,
            "outcome": exchange.outcome,
            "at": exchange.ended,
            "sha256": hashlib.sha256(line).hexdigest(),
            "redactions": sum(exchange.redactions.values()),
            "line": exchange.line,
        }
        for exchange, line in zip(exchanges(recorded), lines, strict=True)
    ]


def test_index_of_odd_statuses(tmp_path: Path) -> None:
    """Every status that can be recorded has its place in the index."""
    odd = Astra(other={"/v2/kms": answer([], 999)})
    folder = write_bundle(tmp_path / "bundle", (configured(), odd))
    assert "999" in {
        index_exchange.outcome for index_exchange in index_exchanges(folder, read_manifest(folder))
    }


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_index_of_what_is_no_exchange(bundle: str, line: bytes) -> None:
    """A line that is no exchange has no place in the index; it is named by its number."""
    file = Path(bundle) / FIRST
    first, *_ = lines_of(file)
    write_lines(file, [first, line])
    seal(bundle)
    with pytest.raises(EvidenceError) as caught:
        list(index_exchanges(bundle, read_manifest(bundle)))
    [problem] = caught.value.problems
    assert (problem.file, problem.line, problem.found) == (str(file), 2, "unreadable content")


def test_index_of_a_file_that_is_gone(bundle: str) -> None:
    """A file that is gone is named."""
    (Path(bundle) / FIRST).unlink()
    with pytest.raises(EvidenceError, match="found No such file or directory"):
        list(index_exchanges(bundle, read_manifest(bundle)))


def test_inventory_of_a_bundle(recorded: str) -> None:
    """A bundle is an inventory whose entries lead to the recorded answers."""
    reader = open_bundle(recorded)
    first, second = reader.organizations()
    assert (first.id, second.id) == (ORGANIZATION, "b")
    (key,) = first.keys or ()
    line = lines_of(Path(key.file))[key.line - 1]
    assert json.loads(line)["body"] == [listed_key()]
    assert {gap.reason for gap in first.gaps} == {"refused"}
    assert {gap.reason for gap in second.gaps} == {"no-token"}


def test_source_of_a_bundle(recorded: str) -> None:
    """The source of an inventory names its bundle, and the previous one."""
    reader = open_bundle(recorded)
    list(reader.organizations())
    evidence = reader.source.evidence
    assert evidence
    manifest = read_manifest(recorded)
    assert (evidence.root, evidence.previous) == (manifest.root, "0" * 64)
    assert (evidence.requests, evidence.files) == (manifest.requests, len(manifest.files))


def test_first_bundle(tmp_path: Path) -> None:
    """The first bundle of a chain has none before it."""
    folder = write_bundle(tmp_path / "bundle", (configured(), Astra()))
    assert read_manifest(folder).previous is None
    reader = open_bundle(folder)
    assert len(list(reader.organizations())) == 1
    assert reader.source.evidence
    assert reader.source.evidence.previous is None


def test_damaged_bundles_are_not_opened(bundle: str) -> None:
    """A damaged bundle is no inventory; as history only its inventory counts."""
    (Path(bundle) / FIRST).unlink()
    with pytest.raises(EvidenceError):
        open_bundle(bundle)
    assert len(list(open_bundle(bundle, "history").organizations())) == 2


@pytest.mark.parametrize("address", ["", "https://astra.example.test"])
def test_bundle_of_clouds_alone_asked_no_host_of_astra(recorded: str, address: str) -> None:
    """A bundle that names a host of Astra holds more than clouds, and one that names none not."""
    path = Path(recorded) / "inventory.ndjson"
    head, _, rest = path.read_text().partition("\n")
    if address:
        path.write_text(head[:-1] + ',"clouds_only":true}\n' + rest)
    seal(recorded, address=address)
    found = "an inventory of clouds alone" if address else "an inventory of Astra"
    with pytest.raises(EvidenceError) as caught:
        open_bundle(recorded)
    assert [problem.found for problem in caught.value.problems] == [found]
