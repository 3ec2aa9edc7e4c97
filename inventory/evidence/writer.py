"""Writes evidence bundles: beside their place, and moved there when they are whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import LeakError
from inventory.evidence.exchange import render
from inventory.evidence.exchange_summary import ExchangeSummary, summarize_exchange
from inventory.evidence.manifest import Previous, root_line
from inventory.files.evidence_layout import (
    EXCHANGES,
    INVENTORY,
    MANIFEST,
    ORGANIZATIONS,
    UNFINISHED,
)
from inventory.files.ndjson_writer import end_line, head_line, organization_lines
from inventory.text.canonical_json import compact_json, format_timestamp
from inventory.text.secrets import holds_secret, refuse_leaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Executor, Future
    from datetime import datetime

    from inventory.evidence.exchange import Exchange
    from inventory.model.organization import Organization
    from inventory.text.secrets import Token

_PARTS = "parts"
_WRITERS = 2
_LISTS = ("keys", "databases", "region_views")


class WrittenBundle(NamedTuple):
    """What a bundle's manifest says beside what the writer counts itself."""

    tool: str
    address: str
    started: datetime
    previous: Previous | None


class Period(NamedTuple):
    """From when to when something lasted, in UTC, by the clock of this machine."""

    started: datetime
    ended: datetime

    def with_other(self, other: Period | None) -> Period:
        """Return the shortest period that holds both."""
        if other is None:
            return self
        return Period(min(self.started, other.started), max(self.ended, other.ended))


def period_of(exchanges: Iterable[Exchange]) -> Period | None:
    """Return when the earliest of ``exchanges`` was begun and the latest was over; None of none."""
    period = None
    for exchange in exchanges:
        period = Period(exchange.started, exchange.ended).with_other(period)
    return period


class ExchangeWriter:
    """Writes the exchanges of one organization.

    Attributes:
        folder: the path inside the bundle.
        briefs: what is kept of each.
        period: when the earliest was begun and the latest was over; None before the first.
    """

    def __init__(self, bundle: Path, folder: str, needles: Sequence[bytes], pool: Executor) -> None:
        """Write into ``folder`` of ``bundle``, and nothing that holds any of ``needles``.

        The files are written by ``pool``: a slow disk must not keep Astra waiting.
        """
        self.folder = folder
        self.summaries: list[ExchangeSummary] = []
        self.period: Period | None = None
        self._bundle = bundle
        self._pool = pool
        self._writing: list[Future[int]] = []
        self._needles = needles
        self._files: list[str] = []
        (bundle / folder).mkdir()

    def write(self, exchange: Exchange) -> None:
        """Write ``exchange``; raise LeakError if a secret stands in it after all."""
        raw = render(exchange)
        path = self._bundle / exchange.path
        if holds_secret(raw, self._needles):
            raise LeakError([path])
        self._writing.append(self._pool.submit(path.write_bytes, raw))
        sha256 = hashlib.sha256(raw).hexdigest()
        self.summaries.append(summarize_exchange(exchange, sha256))
        self.period = Period(exchange.started, exchange.ended).with_other(self.period)
        self._files.append(_listed(exchange.path, len(raw), sha256))

    def listed(self) -> list[str]:
        """Return the manifest's line for each file, in the order of their paths.

        Waits until all of them are written; raises OSError if one was not.
        """
        for each in self._writing:
            each.result()
        return sorted(self._files)


def _listed(path: str, size: int, sha256: str) -> str:
    return compact_json({"path": path, "size": size, "sha256": sha256})


class Tally:
    """What was written of some organizations, added up.

    Attributes:
        counts: organizations, their keys, databases and region views; requests, failures,
            redactions.
        clock: the largest difference seen between Astra's clock and ours, in seconds.
        period: when the earliest exchange was begun and the latest was over.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.counts: Counter[str] = Counter()
        self.clock: float | None = None
        self.period: Period | None = None

    def add(
        self,
        organization: Organization,
        summaries: Iterable[ExchangeSummary],
        period: Period | None,
    ) -> None:
        """Count an organization, and the exchanges of a ``period`` that told of it."""
        self._extend(period)
        self.counts["organizations"] += 1
        for name in _LISTS:
            self.counts[name] += len(getattr(organization, name) or ())
        for brief in summaries:
            self.counts["requests"] += 1
            self.counts["failures"] += brief.is_failure
            self.counts["redactions"] += brief.redactions
            self._see(brief.clock)

    def join(self, other: Tally) -> None:
        """Add what another process has written."""
        self.counts += other.counts
        self._extend(other.period)
        self._see(other.clock)

    def _extend(self, period: Period | None) -> None:
        if period is not None:
            self.period = period.with_other(self.period)

    def _see(self, clock: float | None) -> None:
        if clock is not None:
            self.clock = max(self.clock or 0.0, clock, key=abs)


class JobWriter:
    """Writes some of a bundle's organizations; of one that is done, nothing is kept in memory.

    Attributes:
        tally: what was written.
    """

    def __init__(self, staging: Path) -> None:
        """Write into ``staging``, where a ``BundleWriter`` has begun a bundle."""
        self.tally = Tally()
        self._staging = staging
        self._pool = ThreadPoolExecutor(_WRITERS, "evidence")

    def begin(self, number: int, token: Token | None) -> ExchangeWriter:
        """Begin the organization at ``number``, from 1, whose ``token`` must not be written."""
        needles = [needle.encode() for needle in token.needles()] if token else []
        return ExchangeWriter(self._staging, f"{EXCHANGES}/{number:04}", needles, self._pool)

    def end(self, number: int, organization: Organization, writer: ExchangeWriter) -> None:
        """Write an organization that is done."""
        with self._part(number, "ndjson").open("w", encoding="utf-8", newline="\n") as part:
            part.writelines(organization_lines(organization))
        self._part(number, "files").write_text(",\n".join(writer.listed()), encoding="ascii")
        self.tally.add(organization, writer.summaries, writer.period)

    def _part(self, number: int, ending: str) -> Path:
        return self._staging / _PARTS / f"{number:09}.{ending}"

    def close(self) -> None:
        """Stop writing; what has not been begun will not be."""
        self._pool.shutdown(cancel_futures=True)


class BundleWriter:
    """Begins a bundle beside its place, and puts it together when its shares are written.

    Attributes:
        staging: the folder in which it grows.
        tally: what was written of it; the shares' tallies are to be joined to it.
    """

    def __init__(self, folder: Path, made: WrittenBundle, organizations: bytes) -> None:
        """Begin the bundle ``folder``; ``organizations`` is what is to be read, as JSON."""
        self.staging = folder.parent / f"{UNFINISHED}{folder.name}-{os.getpid()}"
        self.tally = Tally()
        self._folder = folder
        self._made = made
        try:
            (self.staging / _PARTS).mkdir(parents=True)
            (self.staging / EXCHANGES).mkdir()
            (self.staging / ORGANIZATIONS).write_bytes(organizations)
        except BaseException:
            self.discard()
            raise

    def finish(self, ended: datetime, tokens: Sequence[Token]) -> None:
        """Put the bundle together and in its place, where it then survives a loss of power.

        Raises LeakError if a secret stands in it.
        """
        period = self._period(ended)
        self._write_inventory(period)
        self._write_manifest(period)
        shutil.rmtree(self.staging / _PARTS)
        refuse_leaks([self.staging / name for name in (INVENTORY, MANIFEST, ORGANIZATIONS)], tokens)
        # Else a folder that has its new name could hold empty files after a loss of power. One call
        # for the whole system is much cheaper than one for each file: for 10,000 of them 0.1 s were
        # measured where fsync takes 2.3 s.
        os.sync()
        self.staging.rename(self._folder)
        _write_through(self._folder.parent)

    def _period(self, ended: datetime) -> Period:
        """Return when the bundle was made; all exchanges lie in it, also if the clock was set."""
        started = self._made.started
        return Period(started, max(started, ended)).with_other(self.tally.period)

    def _write_inventory(self, period: Period) -> None:
        with (self.staging / INVENTORY).open("w", encoding="utf-8", newline="\n") as whole:
            whole.write(head_line(period.started))
            for part in sorted((self.staging / _PARTS).glob("*.ndjson")):
                whole.write(part.read_text(encoding="utf-8"))
            whole.write(end_line(self.tally.counts))

    def _write_manifest(self, period: Period) -> None:
        digest = hashlib.sha256()
        with (self.staging / MANIFEST).open("wb") as manifest:
            for text in self._manifest(period):
                digest.update(text.encode("ascii"))
                manifest.write(text.encode("ascii"))
            manifest.write(root_line(digest.hexdigest()))

    def _manifest(self, period: Period) -> Iterator[str]:
        tool, address, _, previous = self._made
        fields = {
            "cmek-evidence": 1,
            "tool": tool,
            "address": address,
            "started": format_timestamp(period.started),
            "ended": format_timestamp(period.ended),
            **{name: self.tally.counts[name] for name in ("organizations", "requests")},
            **{name: self.tally.counts[name] for name in ("failures", "redactions")},
            "clock_seconds": self.tally.clock,
            "previous": previous and previous.model_dump(),
        }
        yield "{\n" + "".join(f'"{name}": {compact_json(each)},\n' for name, each in fields.items())
        yield '"files": [\n'
        for part in sorted((self.staging / _PARTS).glob("*.files")):
            if listed := part.read_text(encoding="ascii"):
                yield f"{listed},\n"
        yield ",\n".join(map(self._own, (INVENTORY, ORGANIZATIONS)))
        yield "\n],\n"

    def _own(self, name: str) -> str:
        path = self.staging / name
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return _listed(name, path.stat().st_size, sha256)

    def discard(self) -> None:
        """Remove what was written so far."""
        shutil.rmtree(self.staging, ignore_errors=True)


def _write_through(folder: Path) -> None:
    """Write to the disk which names ``folder`` holds, if its file system can."""
    with suppress(OSError):  # the bundle is whole without it
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
