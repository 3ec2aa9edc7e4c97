"""Writes evidence bundles: beside their final path, and moved there when they are complete."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import LeakError
from inventory.evidence.compressed_lines import CompressedLines
from inventory.evidence.exchange_line import render_line
from inventory.evidence.exchange_summary import ExchangeSummary, summarize_exchange
from inventory.evidence.manifest import Previous, root_line
from inventory.files.evidence_layout import (
    EXCHANGES,
    INVENTORY,
    MANIFEST,
    ORGANIZATIONS,
    UNFINISHED,
    exchanges_path,
)
from inventory.files.ndjson_writer import end_line, head_line, organization_lines
from inventory.system.durable_files import sync_everything, sync_folder
from inventory.text.canonical_json import compact_json, format_timestamp
from inventory.text.secrets import holds_secret, refuse_leaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Executor
    from datetime import datetime

    from inventory.evidence.exchange import Exchange
    from inventory.model.organization import Organization
    from inventory.text.secrets import Secret

_PARTS = "parts"
_WRITERS = 2
_LISTS = ("keys", "databases", "region_views")


class BundleInfo(NamedTuple):
    """What a bundle's manifest states beside what the writer counts itself.

    Attributes:
        tool: what makes the bundle.
        address: the host of Astra that is asked; empty if only clouds are.
        started: when it was begun.
        previous: the bundle before; None for the first.
        cloud_addresses: the hosts that are asked in place of a cloud's own.
    """

    tool: str
    address: str
    started: datetime
    previous: Previous | None
    cloud_addresses: tuple[str, ...] = ()


class Period(NamedTuple):
    """When something started and ended, in UTC, by the clock of this machine."""

    started: datetime
    ended: datetime

    def with_other(self, other: Period | None) -> Period:
        """Return the shortest period that contains both."""
        if other is None:
            return self
        return Period(min(self.started, other.started), max(self.ended, other.ended))


def period_of(exchanges: Iterable[Exchange]) -> Period | None:
    """Return when the first of ``exchanges`` started and the last ended; None if there are none."""
    period = None
    for exchange in exchanges:
        period = Period(exchange.started, exchange.ended).with_other(period)
    return period


class ExchangeWriter:
    """Writes the exchanges of one organization.

    Attributes:
        path: their file inside the bundle.
        summaries: a summary of each.
        period: when the first started and the last ended; None if there is none yet.
    """

    def __init__(self, bundle: Path, path: str, needles: Sequence[bytes], pool: Executor) -> None:
        """Write by ``pool`` to the file ``path`` of ``bundle``; nothing that holds ``needles``."""
        self.path = path
        self.summaries: list[ExchangeSummary] = []
        self.period: Period | None = None
        self._file = bundle / path
        self._lines = CompressedLines(self._file, pool)
        self._needles = list(needles)
        self._has_leaks = False

    def hide(self, tokens: Iterable[Secret]) -> None:
        """Write nothing more that holds any of ``tokens``: credentials that were found later."""
        self._needles += [needle.encode() for token in tokens for needle in token.needles()]

    def write(self, exchange: Exchange) -> None:
        """Write ``exchange``; raise LeakError if it holds a secret in spite of the redaction."""
        raw = render_line(exchange)
        if holds_secret(raw, self._needles):
            self._has_leaks = True
            raise LeakError([self._file])
        self._lines.write(raw)
        sha256 = hashlib.sha256(raw).hexdigest()
        self.summaries.append(summarize_exchange(exchange, sha256))
        self.period = Period(exchange.started, exchange.ended).with_other(self.period)

    def holds_secret(self, text: bytes) -> bool:
        """Say whether ``text`` holds a secret: one of these needles, or what looks like one."""
        return holds_secret(text, self._needles)

    def manifest_lines(self) -> list[str]:
        """Return the manifest's line for the file; none if there was no exchange.

        Writes what is left of the file. Raises OSError if that, or anything before it, could not be
        written, and LeakError if an exchange was refused: a vendor's library may have swallowed it.
        """
        if self._has_leaks:
            raise LeakError([self._file])
        written = self._lines.close()
        return [compact_json({"path": self.path, **written._asdict()})] if written else []


class Tally:
    """The totals of what was written of some organizations.

    Attributes:
        counts: organizations, their keys, databases and region views; requests, failures,
            redactions.
        clock: the largest difference seen between Astra's clock and ours, in seconds.
        period: when the first exchange started and the last ended.
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
        """Count an organization, and its exchanges, which lasted for ``period``."""
        self._extend(period)
        self.counts["organizations"] += 1
        for name in _LISTS:
            self.counts[name] += len(getattr(organization, name) or ())
        for summary in summaries:
            self.counts["requests"] += 1
            self.counts["failures"] += summary.is_failure
            self.counts["redactions"] += summary.redactions
            self._note_clock(summary.clock)

    def merge(self, other: Tally) -> None:
        """Add what another process has written."""
        self.counts += other.counts
        self._extend(other.period)
        self._note_clock(other.clock)

    def _extend(self, period: Period | None) -> None:
        if period is not None:
            self.period = period.with_other(self.period)

    def _note_clock(self, clock: float | None) -> None:
        if clock is not None:
            self.clock = max(self.clock or 0.0, clock, key=abs)


def make_staging(staging: Path) -> None:
    """Make the folders into which jobs write, below ``staging``."""
    (staging / _PARTS).mkdir(parents=True)
    (staging / EXCHANGES).mkdir()


def staged_files(staging: Path) -> dict[str, int]:
    """Return the size of each file that jobs have written, by its path below ``staging``."""
    files = (path for path in staging.rglob("*") if path.is_file())
    return {path.relative_to(staging).as_posix(): path.stat().st_size for path in files}


def move_staged(source: Path, staging: Path) -> None:
    """Move what a job has written below ``source`` to ``staging``, on the same file system."""
    for name in (_PARTS, EXCHANGES):
        for path in (source / name).iterdir():
            path.rename(staging / name / path.name)


class JobWriter:
    """Writes some of a bundle's organizations; keeps nothing in memory of one that is done.

    Attributes:
        tally: what was written.
    """

    def __init__(self, staging: Path) -> None:
        """Write into ``staging``, where a ``BundleWriter`` has begun a bundle."""
        self.tally = Tally()
        self._staging = staging
        self._pool = ThreadPoolExecutor(_WRITERS, "evidence")

    def begin(self, number: int, token: Secret | None) -> ExchangeWriter:
        """Begin the organization ``number``, from 1; its ``token`` must not be written."""
        needles = [needle.encode() for needle in token.needles()] if token else []
        return ExchangeWriter(self._staging, exchanges_path(number), needles, self._pool)

    def end(self, number: int, organization: Organization, writer: ExchangeWriter) -> None:
        """Write an organization that is done.

        Raises LeakError if it holds a secret: only this process knows the clouds' credentials.
        """
        with self._part(number, "ndjson").open("w", encoding="utf-8", newline="\n") as part:
            for line in organization_lines(organization):
                if writer.holds_secret(line.encode()):
                    raise LeakError([self._staging / INVENTORY])
                part.write(line)
        self._part(number, "files").write_text(
            ",\n".join(writer.manifest_lines()), encoding="ascii", newline="\n"
        )
        self.tally.add(organization, writer.summaries, writer.period)

    def _part(self, number: int, ending: str) -> Path:
        return self._staging / _PARTS / f"{number:09}.{ending}"

    def close(self) -> None:
        """Stop writing; files that are not begun yet are not written."""
        self._pool.shutdown(cancel_futures=True)


class BundleWriter:
    """Begins a bundle beside its final path, and assembles it when its parts are written.

    Attributes:
        staging: the folder in which it is written.
        tally: the totals; the tallies of the jobs are to be merged into it.
    """

    def __init__(self, folder: Path, info: BundleInfo, organizations: bytes) -> None:
        """Begin the bundle ``folder``; ``organizations`` is the organizations file as JSON."""
        self.staging = folder.parent / f"{UNFINISHED}{folder.name}-{os.getpid()}"
        self.tally = Tally()
        self._folder = folder
        self._info = info
        try:
            make_staging(self.staging)
            (self.staging / ORGANIZATIONS).write_bytes(organizations)
        except BaseException:
            self.discard()
            raise

    def finish(self, ended: datetime, tokens: Sequence[Secret]) -> None:
        """Assemble the bundle and move it to its path, where it survives a loss of power.

        Raises LeakError if a secret is found in it.
        """
        period = self._period(ended)
        self._write_inventory(period)
        self._write_manifest(period)
        shutil.rmtree(self.staging / _PARTS)
        refuse_leaks([self.staging / name for name in (INVENTORY, MANIFEST, ORGANIZATIONS)], tokens)
        # Else a folder that has its new name could hold empty files after a loss of power. One call
        # for the whole system is much cheaper than one for each file: for 10,000 of them 0.1 s were
        # measured where fsync takes 2.3 s.
        sync_everything()
        self.staging.rename(self._folder)
        sync_folder(self._folder.parent)

    def _period(self, ended: datetime) -> Period:
        """Return when the bundle was made: a period of all exchanges, even if the clock was set."""
        started = self._info.started
        return Period(started, max(started, ended)).with_other(self.tally.period)

    def _write_inventory(self, period: Period) -> None:
        with (self.staging / INVENTORY).open("w", encoding="utf-8", newline="\n") as whole:
            whole.write(head_line(period.started, is_of_astra=bool(self._info.address)))
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
        tool, address, _, previous, cloud_addresses = self._info
        fields = {
            "cmek-evidence": 2,
            "tool": tool,
            "address": address,
            **({"cloud_addresses": cloud_addresses} if cloud_addresses else {}),
            "started": format_timestamp(period.started),
            "ended": format_timestamp(period.ended),
            **{name: self.tally.counts[name] for name in ("organizations", "requests")},
            **{name: self.tally.counts[name] for name in ("failures", "redactions")},
            "clock_seconds": self.tally.clock,
            "previous": previous and previous.model_dump(),
        }
        yield "{\n" + "".join(
            f'"{name}": {compact_json(value)},\n' for name, value in fields.items()
        )
        yield '"files": [\n'
        for part in sorted((self.staging / _PARTS).glob("*.files")):
            if lines := part.read_text(encoding="ascii"):
                yield f"{lines},\n"
        yield ",\n".join(map(self._line_of, (INVENTORY, ORGANIZATIONS)))
        yield "\n],\n"

    def _line_of(self, name: str) -> str:
        path = self.staging / name
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return compact_json({"path": name, "size": path.stat().st_size, "sha256": sha256})

    def discard(self) -> None:
        """Remove what was written so far."""
        shutil.rmtree(self.staging, ignore_errors=True)
