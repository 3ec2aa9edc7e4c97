"""The block of the record that tells of evidence: bundles, and the index of what they hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.context import utc
from inventory.errors import EvidenceError
from inventory.evidence.manifest import ListedFile, read_manifest
from inventory.evidence.reader import IndexedExchange, index_exchanges, read_exchanges
from inventory.inventory import Inventory
from reports.record import evidence
from reports.record.evidence import describe_evidence
from tests.astra.faults import Fault
from tests.evidence_files import FIRST, lines_of, write_lines
from tests.reports.live import recorded
from tests.reports.recording import SOURCE

if TYPE_CHECKING:
    from inventory.evidence.manifest import Manifest
    from inventory.model.sources import Source


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Record a bundle with answers, refusals and broken connections."""
    faults = (Fault("403-errors", "databases"), Fault("reset-at-once", "accounts"))
    return recorded(tmp_path_factory.mktemp("bundle"), *faults).bundle


def _source(bundle: str) -> Source:
    inventory = Inventory([bundle])
    list(inventory.organizations())
    [source] = inventory.sources
    return source


def _indexed(bundle: str, content: bytes) -> list[IndexedExchange]:
    """Index a manifest of one file that holds ``content`` as its only line."""
    manifest = read_manifest(bundle)
    path = Path(bundle) / "exchanges/0009.ndjson.gz"
    write_lines(path, [content + b"\n"])
    sizes = {"size": path.stat().st_size, "content": len(content) + 1}
    file = ListedFile(path="exchanges/0009.ndjson.gz", sha256="0" * 64, **sizes)
    return list(index_exchanges(bundle, manifest.model_copy(update={"files": (file,)})))


# --- the index ------------------------------------------------------------------------------------


def test_the_index_says_what_the_exchanges_say(bundle: str) -> None:
    """Each recorded answer has its row, with the words that the whole file gives."""
    manifest = read_manifest(bundle)
    hashes = [hashlib.sha256(line).hexdigest() for line in lines_of(Path(bundle) / FIRST)]
    assert list(index_exchanges(bundle, manifest)) == [
        IndexedExchange(
            read_exchange.path,
            read_exchange.address,
            read_exchange.outcome,
            read_exchange.ended,
            hashes[read_exchange.line - 1],
            sum(read_exchange.redactions.values()),
            read_exchange.line,
        )
        for read_exchange in read_exchanges(bundle, manifest, 1)
    ]


def test_the_index_tells_answers_from_silence(bundle: str) -> None:
    """An outcome is a status, or the reason code of there being no answer."""
    outcomes = {
        index_exchange.outcome for index_exchange in index_exchanges(bundle, read_manifest(bundle))
    }
    assert outcomes == {"200", "403", "unavailable"}


def test_redacted_fields_are_counted(tmp_path: Path) -> None:
    """The index counts the redacted fields, and its sum is that of the manifest."""
    manifest = read_manifest(made := recorded(tmp_path).bundle)
    counts = [index_exchange.redactions for index_exchange in index_exchanges(made, manifest)]
    assert (sum(counts), max(counts) > 0) == (manifest.redactions, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"[]",
        b"[" * 100_000,
        b'{\n"address": "/v2/kms"\n}',
        b'{"address":"no path","ended":"2026-11-21T00:00:00Z","status":200,"failure":null}',
    ],
    ids=["empty", "text", "list", "deep", "fields", "address"],
)
def test_a_line_that_is_no_exchange_is_refused(tmp_path: Path, content: bytes) -> None:
    """A line of a listed file that is no exchange is an error that names it."""
    made = recorded(tmp_path).bundle
    with pytest.raises(
        EvidenceError, match=r"exchanges/0009\.ndjson\.gz:1: found unreadable content"
    ):
        _indexed(made, content)


def test_an_exchange_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """An exchange that vanished after the bundle was read is an error that names it."""
    made = recorded(tmp_path).bundle
    manifest: Manifest = read_manifest(made)
    (Path(made) / FIRST).unlink()
    with pytest.raises(EvidenceError, match=r"0001\.ndjson\.gz: found No such file"):
        list(index_exchanges(made, manifest))


# --- the block ------------------------------------------------------------------------------------


def test_a_bundle_is_described_by_its_manifest(bundle: str) -> None:
    """Root, host, times, counts and the clocks' difference are those of the manifest."""
    shown: Any = describe_evidence([_source(bundle)])[0]
    manifest = json.loads((Path(bundle) / "manifest.json").read_text())
    same = {"root", "tool", "address", "started", "ended", "requests", "failures"}
    same |= {"redactions", "clock_seconds", "previous"}
    assert {name: shown[name] for name in same} == {name: manifest[name] for name in same}
    assert (shown["path"], shown["files"]) == (bundle, len(manifest["files"]))


def test_first_and_last_answer_are_reported(bundle: str) -> None:
    """The first and the last answer are the earliest and the latest of all rows."""
    shown: Any = describe_evidence([_source(bundle)])[0]
    times = sorted(
        index_exchange.at for index_exchange in index_exchanges(bundle, read_manifest(bundle))
    )
    assert (shown["first_answer"], shown["last_answer"]) == (utc(times[0]), utc(times[-1]))
    assert shown["exchanges_total"] == len(times) == shown["requests"]


def test_a_long_index_is_cut_and_counted(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit exchanges are counted only, and the times are still those of all."""
    [whole] = describe_evidence([_source(bundle)])
    monkeypatch.setattr(evidence, "MOST_LISTED", 2)
    [cut] = describe_evidence([_source(bundle)])
    assert cut == whole | {"exchanges": whole["exchanges"][:2]}


def test_nothing_asked_is_nothing_answered(tmp_path: Path) -> None:
    """A bundle of an organization without a token has no answer, first or last."""
    from inventory.astra.collector import collect  # noqa: PLC0415
    from inventory.astra.config import read_organizations  # noqa: PLC0415

    file = str(recorded(tmp_path).organizations)
    made = collect(read_organizations(file), str(tmp_path / "none"), {})
    shown: Any = describe_evidence([_source(made.bundle)])[0]
    names = ("first_answer", "last_answer", "exchanges", "exchanges_total")
    assert [shown[name] for name in names] == [None, None, [], 0]


def test_only_the_present_is_evidence(bundle: str) -> None:
    """Files, plans and earlier bundles are sources, and no evidence of this audit."""
    earlier = _source(bundle).model_copy(update={"role": "history"})
    assert describe_evidence([SOURCE, earlier]) == []


def test_a_bundle_that_was_exchanged_is_refused(tmp_path: Path) -> None:
    """A bundle that is no longer the one that was judged is an error, not evidence."""
    one, two = (recorded(tmp_path, evidence=name).bundle for name in ("one", "two"))
    source = _source(one).model_copy(update={"path": two})
    with pytest.raises(EvidenceError, match="found another bundle"):
        describe_evidence([source])


def test_the_chain_is_reported(tmp_path: Path) -> None:
    """The second bundle of a folder names the root of the first."""
    first, second = (recorded(tmp_path).bundle for _ in range(2))
    shown: Any = describe_evidence([_source(first), _source(second)])
    assert [each["previous"] for each in shown] == [None, shown[0]["root"]]
