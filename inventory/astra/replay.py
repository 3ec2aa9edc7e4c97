"""Says again what a bundle recorded: the same client, no network, the same inventory."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from inventory.astra.client import AstraClient, ClientContext
from inventory.astra.config import Organizations
from inventory.astra.fetch import read_organization
from inventory.astra.parsing import FetchedOrganization
from inventory.astra.readings import with_readings
from inventory.astra.replay_transport import ReplayingTransport
from inventory.astra.worker import without_token
from inventory.errors import EvidenceError, ReplayError
from inventory.evidence.manifest import Manifest, check_bundle
from inventory.evidence.reader import read_exchanges
from inventory.evidence.writer import Period, Tally, period_of
from inventory.files.evidence_layout import INVENTORY, MANIFEST, ORGANIZATIONS
from inventory.files.ndjson_writer import end_line, head_line, organization_lines
from inventory.files.validation import problems_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.astra.config import Configured
    from inventory.model.organization import Organization

_COUNTS = ("requests", "failures", "redactions")


class Replayed(NamedTuple):
    """What a replay found: the bundle's manifest, and how many lines of inventory it gave anew."""

    manifest: Manifest
    lines: int


def replay(folder: str) -> Replayed:
    """Check the bundle ``folder``, and read its organizations again from its exchanges alone.

    Raises EvidenceError if a file is missing, changed or not listed, and ReplayError if the
    exchanges do not give the recorded inventory, to the byte.
    """
    manifest = check_bundle(folder)
    wanted = read_wanted(folder)
    path = Path(folder) / INVENTORY
    tally = Tally()
    count = 0
    with path.open("rb") as recorded:
        for line in _lines(folder, manifest, wanted, tally):
            count += 1
            if recorded.readline() != line.encode():
                raise ReplayError(f"{path}:{count}: the exchanges tell something else")
        if recorded.read(1):
            raise ReplayError(f"{path}:{count + 1}: the exchanges tell less")
    _compare(folder, manifest, tally, wanted)
    return Replayed(manifest, count - 2)


def _compare(folder: str, manifest: Manifest, tally: Tally, wanted: Organizations) -> None:
    """Raise ReplayError if the manifest states other than the exchanges and organizations do."""
    recorded = manifest.model_dump()
    told: dict[str, object] = {name: tally.counts[name] for name in ("organizations", *_COUNTS)}
    told |= {"clock_seconds": tally.clock, "address": wanted.address}
    odd = [name for name, value in told.items() if recorded[name] != value]
    if len(manifest.files) != tally.counts["requests"] + len((INVENTORY, ORGANIZATIONS)):
        odd.append("files")
    odd += _odd_times(manifest, tally.period)
    if odd:
        raise ReplayError(f"{folder}/{MANIFEST}: the exchanges tell other {', '.join(odd)}")


def _odd_times(manifest: Manifest, period: Period | None) -> list[str]:
    """Return which time of the manifest cannot be right: all exchanges lie between the two."""
    first, last = period or Period(manifest.started, manifest.started)
    is_odd = {"started": manifest.started > first, "ended": manifest.ended < last}
    return [name for name, odd in is_odd.items() if odd]


def read_wanted(folder: str) -> Organizations:
    """Return which organizations the bundle was to hold; raise EvidenceError if it does not say."""
    path = Path(folder) / ORGANIZATIONS
    try:
        return Organizations.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise EvidenceError(problems_of(error, str(path), {(): 1})) from None


def _lines(folder: str, manifest: Manifest, wanted: Organizations, tally: Tally) -> Iterator[str]:
    yield head_line(manifest.started)
    for number, each in enumerate(wanted.organizations, 1):
        exchanges = read_exchanges(folder, manifest, number)
        transport = ReplayingTransport(exchanges)
        organization = asyncio.run(_again(transport, each, wanted))
        tally.add(organization, transport.summaries, period_of(exchanges))
        yield from organization_lines(organization)
    yield end_line(tally.counts)


async def _again(
    transport: ReplayingTransport, each: Configured, wanted: Organizations
) -> Organization:
    read = without_token(each) if not transport.summaries else await _read(transport, each, wanted)
    transport.settle()
    return with_readings(read, transport.summaries)


async def _read(
    transport: ReplayingTransport, each: Configured, wanted: Organizations
) -> FetchedOrganization:
    slots = asyncio.Semaphore(wanted.manners.connections)
    ways = ClientContext(
        transport, wanted.address, wanted.manners, slots, _no_sleep, lambda: math.inf
    )
    return await read_organization(AstraClient(ways), each)


async def _no_sleep(seconds: float) -> None:
    """Wait for nothing: what was waited for has been recorded."""
