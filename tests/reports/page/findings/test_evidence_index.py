"""The rows of the evidence index that a page shows."""

from __future__ import annotations

from typing import Any

import pytest

from reports.page.findings.evidence_index import EvidenceIndex


def _bundle(path: str, *exchanges: str, total: int = 0) -> Any:  # noqa: ANN401 (a part of the record)
    rows = [{"path": f"exchanges/{exchange}.json"} for exchange in exchanges]
    return {"path": path, "exchanges": rows, "exchanges_total": total or len(rows)}


LINES: Any = {
    "path": "ev/c",
    "exchanges": [{"path": "exchanges/0001.ndjson.gz", "line": line} for line in (1, 2, 3)],
    "exchanges_total": 3,
}
BUNDLES = [_bundle("ev/a", "0001/0001", "0001/0002", "0002/0001"), _bundle("ev/b", "0001/0001")]


def _anchors(index: EvidenceIndex) -> list[list[str]]:
    return [[row.anchor for row in bundle.rows] for bundle in index.shown]


def test_every_row_has_an_anchor_of_its_own() -> None:
    """Anchors tell the bundle, the organization and the file."""
    reported = [["e-1-0001-0001", "e-1-0001-0002", "e-1-0002-0001"], ["e-2-0001-0001"]]
    assert _anchors(EvidenceIndex(BUNDLES, set(), 10)) == reported


def test_a_file_leads_to_its_row() -> None:
    """An answer leads to its row, the inventory of a bundle to the bundle, all else nowhere."""
    index = EvidenceIndex(BUNDLES, set(), 10)
    files = ("exchanges/0001/0001.json", "inventory.ndjson", "manifest.json")
    assert [index.anchor(f"ev/b/{file}") for file in files] == ["e-2-0001-0001", "b-2", ""]
    assert index.anchor("acme.yaml") == ""


@pytest.mark.parametrize(
    ("cited", "shown"),
    [
        ({"ev/b/exchanges/0001/0001.json"}, [["e-1-0001-0001"], ["e-2-0001-0001"]]),
        ({"ev/a/exchanges/0002/0001.json"}, [["e-1-0001-0001", "e-1-0002-0001"], []]),
        ({"elsewhere"}, [["e-1-0001-0001", "e-1-0001-0002"], []]),
    ],
    ids=["another-bundle", "a-later-file", "none"],
)
def test_cited_rows_come_before_all_others(cited: set[str], shown: list[list[str]]) -> None:
    """Where not all rows fit, those that findings rest on do, in the order of files."""
    index = EvidenceIndex(BUNDLES, cited, 2)
    assert _anchors(index) == shown
    assert sum(bundle.left for bundle in index.shown) == 2


def test_what_is_not_shown_is_no_target() -> None:
    """A row that is left out, or that the record does not list, is counted and leads nowhere."""
    index = EvidenceIndex([_bundle("ev", "0001/0001", "0001/0002", total=9)], set(), 1)
    assert [bundle.left for bundle in index.shown] == [8]
    assert index.anchor("ev/exchanges/0001/0002.json") == ""


def test_a_bundle_given_twice_is_shown_twice() -> None:
    """Of a bundle that is audited twice, findings lead to its first rows, and ids stay unique."""
    index = EvidenceIndex([BUNDLES[1], BUNDLES[1]], set(), 10)
    assert _anchors(index) == [["e-1-0001-0001"], ["e-2-0001-0001"]]
    assert index.anchor("ev/b/exchanges/0001/0001.json") == "e-1-0001-0001"


def test_lines_of_one_file_have_their_own_rows() -> None:
    """Exchanges on the lines of one file have an anchor each, and the cited line comes first."""
    index = EvidenceIndex([LINES], {"ev/c/exchanges/0001.ndjson.gz:3"}, 2)
    rows = [(row.anchor, row.place) for row in index.shown[0].rows]
    assert rows == [
        ("e-1-0001-1", "exchanges/0001.ndjson.gz:1"),
        ("e-1-0001-3", "exchanges/0001.ndjson.gz:3"),
    ]
    assert index.anchor("ev/c/exchanges/0001.ndjson.gz:3") == "e-1-0001-3"
    assert index.anchor("ev/c/exchanges/0001.ndjson.gz:2") == ""


def test_any_line_of_a_file_of_its_own_leads_to_its_row() -> None:
    """In version 1 a file is one exchange, whichever of its lines is meant."""
    index = EvidenceIndex(BUNDLES, set(), 10)
    assert index.anchor("ev/a/exchanges/0001/0002.json:17") == "e-1-0001-0002"
