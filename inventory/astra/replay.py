"""Replays a bundle: the same client, without a network, must give the same inventory."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from inventory.astra.client import AstraClient, ClientContext
from inventory.astra.config import Organizations
from inventory.astra.fetch import fetch_organization
from inventory.astra.readings import with_readings
from inventory.astra.replay_transport import ReplayingTransport
from inventory.astra.worker import organization_of_clouds, organization_without_token
from inventory.errors import EvidenceError, ReplayError
from inventory.evidence.exchange_line import hash_of
from inventory.evidence.exchange_summary import cloud_of, summarize_exchange
from inventory.evidence.manifest import Manifest, check_bundle
from inventory.evidence.reader import read_exchanges
from inventory.evidence.writer import Period, Tally, period_of
from inventory.files.evidence_layout import INVENTORY, MANIFEST, ORGANIZATIONS
from inventory.files.ndjson_writer import end_line, head_line, organization_lines
from inventory.files.validation import problems_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.astra.config import OrganizationConfig
    from inventory.astra.parsing import FetchedOrganization
    from inventory.evidence.exchange import Exchange
    from inventory.evidence.exchange_summary import ExchangeSummary

_COUNTS = ("requests", "failures", "redactions")


class Replayed(NamedTuple):
    """The result of a replay: the bundle's manifest, and how many lines of inventory were equal."""

    manifest: Manifest
    lines: int


def replay(folder: str) -> Replayed:
    """Check the bundle ``folder``, and read its organizations again, from its exchanges only.

    Raises EvidenceError if a file is missing, changed or not listed, and ReplayError if the
    exchanges do not give the recorded inventory, to the byte.
    """
    manifest = check_bundle(folder)
    configuration = read_configuration(folder)
    path = Path(folder) / INVENTORY
    tally = Tally()
    count = 0
    with path.open("rb") as recorded:
        for line in _lines(folder, manifest, configuration, tally):
            count += 1
            if recorded.readline() != line.encode():
                raise ReplayError(f"{path}:{count}: the exchanges give another line")
        if recorded.read(1):
            raise ReplayError(f"{path}:{count + 1}: the exchanges give no such line")
    _check_manifest(folder, manifest, tally, configuration)
    return Replayed(manifest, count - 2)


def _check_manifest(
    folder: str, manifest: Manifest, tally: Tally, configuration: Organizations
) -> None:
    """Raise ReplayError if the manifest differs from the exchanges and the configuration."""
    recorded = manifest.model_dump()
    actual: dict[str, object] = {name: tally.counts[name] for name in ("organizations", *_COUNTS)}
    actual |= {
        "clock_seconds": tally.clock,
        "address": configuration.asked_address,
        "cloud_addresses": configuration.clouds.addresses,
    }
    different = [name for name, value in actual.items() if recorded[name] != value]
    files = tally.counts["with_exchanges" if manifest.has_lines else "requests"]
    if len(manifest.files) != files + len((INVENTORY, ORGANIZATIONS)):
        different.append("files")
    different += _wrong_times(manifest, tally.period)
    if different:
        fields = ", ".join(different)
        raise ReplayError(f"{folder}/{MANIFEST}: the exchanges give a different {fields}")


def _wrong_times(manifest: Manifest, period: Period | None) -> list[str]:
    """Return which times of the manifest are wrong: all exchanges must be between the two."""
    first, last = period or Period(manifest.started, manifest.started)
    is_wrong = {"started": manifest.started > first, "ended": manifest.ended < last}
    return [name for name, wrong in is_wrong.items() if wrong]


def read_configuration(folder: str) -> Organizations:
    """Return the organizations file of a bundle; raise EvidenceError if it cannot be read."""
    path = Path(folder) / ORGANIZATIONS
    try:
        return Organizations.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise EvidenceError(problems_of(error, str(path), {(): 1})) from None


def _lines(
    folder: str, manifest: Manifest, configuration: Organizations, tally: Tally
) -> Iterator[str]:
    """Yield the lines of the inventory that the exchanges give, and add them up in ``tally``."""
    yield head_line(manifest.started, is_of_astra=configuration.astra)
    for number, config in enumerate(configuration.organizations, 1):
        exchanges = read_exchanges(folder, manifest, number)
        of_clouds = [exchange for exchange in exchanges if cloud_of(exchange.address)]
        transport = ReplayingTransport(
            exchange for exchange in exchanges if not cloud_of(exchange.address)
        )
        fetched = asyncio.run(_replay_astra(transport, config, configuration))
        fetched = _replay_clouds(of_clouds, fetched, config, configuration)
        summaries = [*transport.summaries, *map(_summarize, of_clouds)]
        organization = with_readings(fetched, summaries)
        tally.add(organization, summaries, period_of(exchanges))
        tally.counts["with_exchanges"] += bool(exchanges)
        yield from organization_lines(organization)
    yield end_line(tally.counts)


def _summarize(exchange: Exchange) -> ExchangeSummary:
    return summarize_exchange(exchange, hash_of(exchange))


async def _replay_astra(
    transport: ReplayingTransport, config: OrganizationConfig, configuration: Organizations
) -> FetchedOrganization:
    if not configuration.astra:
        fetched = organization_of_clouds(config)
    elif transport.summaries:
        fetched = await _fetch_recorded(transport, config, configuration)
    else:  # not even its identity was requested, so there was no token
        fetched = organization_without_token(config)
    transport.require_all_used()
    return fetched


def _replay_clouds(
    recorded: list[Exchange],
    fetched: FetchedOrganization,
    config: OrganizationConfig,
    configuration: Organizations,
) -> FetchedOrganization:
    """Add what the clouds showed of the keys, as recorded; without library and credentials."""
    settings = configuration.clouds
    if not (settings.ask or recorded):
        return fetched
    from inventory.clouds.collector import Reading, with_cloud_keys  # noqa: PLC0415 (few need it)
    from inventory.clouds.replay_transport import ReplayingCloudTransport  # noqa: PLC0415

    transport = ReplayingCloudTransport(recorded)
    reading = Reading(
        settings=settings,
        policy=configuration.requests,
        transports=dict.fromkeys(settings.ask, transport),
        sleep=lambda _: None,
        seconds_left=lambda: math.inf,
    )
    organization = with_cloud_keys(fetched.organization, config.cloud_keys, reading)
    transport.require_all_used()
    return fetched._replace(organization=organization)


async def _fetch_recorded(
    transport: ReplayingTransport, config: OrganizationConfig, configuration: Organizations
) -> FetchedOrganization:
    context = ClientContext(
        transport=transport,
        address=configuration.address,
        policy=configuration.requests,
        slots=asyncio.Semaphore(configuration.requests.connections),
        sleep=_no_sleep,
        seconds_left=lambda: math.inf,
    )
    return await fetch_organization(AstraClient(context), config)


async def _no_sleep(seconds: float) -> None:
    """Return at once: the answers after each wait are recorded."""
