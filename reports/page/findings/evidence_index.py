"""From a finding to the recorded answer: the rows of the evidence index that a page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.files.evidence_layout import INVENTORY, LINES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reports.model.population_summary import BundleEntry, ExchangeEntry


class EvidenceRow(NamedTuple):
    """One recorded answer, and the anchor under which the page shows it."""

    anchor: str
    exchange: ExchangeEntry

    @property
    def place(self) -> str:
        """Return the file of the answer in its bundle, with its line."""
        return place_of(self.exchange)


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
        """Take at most ``limit`` rows: first those that are ``cited``, each as a file and a place.

        A place is a file with a line: ``exchanges/0001.ndjson.gz:7``.
        """
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
            place = f"{bundle['path']}/{place_of(exchange)}"
            if place in listed:
                anchor = _anchor(number, exchange)
                self._anchors.setdefault(place, anchor)
                yield EvidenceRow(anchor, exchange)

    def anchor(self, place: str) -> str:
        """Return the anchor of what the page shows of a ``place``, or of its file; else nothing."""
        return self._anchors.get(place) or self._anchors.get(place.rpartition(":")[0], "")


def place_of(exchange: ExchangeEntry) -> str:
    """Return the file of an exchange in its bundle, with its line if it has no file of its own."""
    return f"{exchange['path']}:{exchange['line']}" if "line" in exchange else exchange["path"]


def _anchor(number: int, exchange: ExchangeEntry) -> str:
    """Return the anchor of line 4 of ``exchanges/0001.ndjson.gz``: ``e-1-0001-4``.

    That of ``exchanges/0001/0004.json`` is ``e-1-0001-0004``.
    """
    path = place_of(exchange).replace(f"{LINES}:", "/").removesuffix(".json")
    _, organization, name = path.split("/")
    return f"e-{number}-{organization}-{name}"


def _listed(bundles: Sequence[BundleEntry], cited: Collection[str], limit: int) -> set[str]:
    # The sort is stable: the cited ones come first, and the others keep the order of the record.
    places = [
        f"{bundle['path']}/{place_of(exchange)}"
        for bundle in bundles
        for exchange in bundle["exchanges"]
    ]
    return set(sorted(places, key=lambda place: place not in cited)[:limit])
