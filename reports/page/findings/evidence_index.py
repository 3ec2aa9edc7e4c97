"""From a finding to the recorded answer: the rows of the evidence index that a page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.files.evidence_layout import INVENTORY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reports.model.population_summary import BundleEntry, ExchangeEntry


class EvidenceRow(NamedTuple):
    """One recorded answer, and the anchor under which the page shows it."""

    anchor: str
    exchange: ExchangeEntry


class ShownEvidence(NamedTuple):
    """A bundle, its anchor, those of its answers that the page shows, and how many more it has."""

    anchor: str
    bundle: BundleEntry
    rows: list[EvidenceRow]
    left: int


class EvidenceIndex:
    """The evidence index of a page.

    Attributes:
        shown: every bundle with the rows that are shown of it.
    """

    def __init__(self, bundles: Sequence[BundleEntry], cited: Collection[str], limit: int) -> None:
        """Take at most ``limit`` rows: first those of the files that are ``cited``."""
        self.shown: list[ShownEvidence] = []
        self._anchors: dict[str, str] = {}
        listed = _listed(bundles, cited, limit)
        for number, bundle in enumerate(bundles, 1):
            rows = list(self._take(number, bundle, listed))
            anchor = f"b-{number}"
            self._anchors.setdefault(f"{bundle['path']}/{INVENTORY}", anchor)
            left = bundle["exchanges_total"] - len(rows)
            self.shown.append(ShownEvidence(anchor, bundle, rows, left))

    def _take(
        self, number: int, bundle: BundleEntry, listed: Collection[str]
    ) -> Iterator[EvidenceRow]:
        for exchange in bundle["exchanges"]:
            file = f"{bundle['path']}/{exchange['path']}"
            if file in listed:
                anchor = _anchor(number, exchange["path"])
                self._anchors.setdefault(file, anchor)
                yield EvidenceRow(anchor, exchange)

    def anchor(self, file: str) -> str:
        """Return the anchor of what the page shows of ``file``; empty if it shows nothing."""
        return self._anchors.get(file, "")


def _anchor(number: int, path: str) -> str:
    """Return the anchor of ``exchanges/0001/0004.json``, such as ``e-1-0001-0004``."""
    _, organization, name = path.removesuffix(".json").split("/")
    return f"e-{number}-{organization}-{name}"


def _listed(bundles: Sequence[BundleEntry], cited: Collection[str], limit: int) -> set[str]:
    # The sort is stable: the cited files come first, and the others keep the order of the record.
    files = [
        f"{bundle['path']}/{exchange['path']}"
        for bundle in bundles
        for exchange in bundle["exchanges"]
    ]
    return set(sorted(files, key=lambda file: file not in cited)[:limit])
