"""Compares reading keys of the clouds with bare requests: ``python benchmarks/clouds.py``.

Each cloud is a server on loopback that holds one key, which many organizations have. The bare
arrangement sends as many requests to the same server, each over a connection of its own, and throws
the answers away. A replay reads the same from what was recorded, without a library. All in one run:
only ratios count.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from inventory.clouds.collector import (  # noqa: E402 (the path is set above)
    Reading,
    open_clouds,
    read_cloud_keys,
    transports_of,
)
from inventory.clouds.config import CloudSettings  # noqa: E402
from inventory.clouds.recorder import CloudRecorder  # noqa: E402
from inventory.clouds.replay_transport import ReplayingCloudTransport  # noqa: E402
from inventory.model.vocabulary import PROVIDER_NAMES  # noqa: E402
from inventory.system.request_policy import RequestPolicy  # noqa: E402
from tests.compatibility.clouds import KEYS, clouds  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from inventory.clouds.requests import CloudTransport
    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import CloudKey
    from inventory.model.vocabulary import Provider

POLICY = RequestPolicy(first_wait_seconds=0, attempts=1)
FILE = "exchanges/0001.ndjson.gz"


class Took(NamedTuple):
    """What one cloud took: requests, and seconds by the library, bare, and in a replay."""

    requests: int
    library: float
    bare: float
    replay: float


def main() -> None:
    """Measure each cloud, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organizations", type=int, default=100)
    rounds = parser.parse_args().organizations
    print("| cloud | requests a key | a request | against bare | replay of a key |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, clouds(Path(folder)) as running:
        os.environ.update(running.environment)
        for provider in KEYS:
            settings = CloudSettings.model_validate({"ask": [provider], **running.settings})
            took = _measure(settings, provider, rounds, running.settings[provider]["address"])
            print(_row(provider, took, rounds), flush=True)


def _row(provider: str, took: Took, rounds: int) -> str:
    milliseconds = took.library / took.requests * 1_000
    ratio, replay = took.library / took.bare, took.replay / rounds * 1_000
    count = took.requests / rounds
    return (
        f"| {PROVIDER_NAMES[provider]} | {count:.0f} | {milliseconds:.1f} ms | {ratio:.1f} "
        f"| {replay:.1f} ms |"
    )


def _measure(settings: CloudSettings, provider: Provider, rounds: int, address: str) -> Took:
    opened = open_clouds(settings, POLICY)
    recorded: list[list[Exchange]] = []
    for exchanges in _rounds(1):  # the library is loaded, and credentials are found
        _read(settings, transports_of(opened, _recorder(exchanges)), provider)
    started = time.perf_counter()
    for exchanges in _rounds(rounds):
        recorded.append(exchanges)
        _read(settings, transports_of(opened, _recorder(exchanges)), provider)
    library = time.perf_counter() - started
    requests = sum(map(len, recorded))
    bare = _bare(address, requests)
    started = time.perf_counter()
    for exchanges in recorded:
        _read(settings, {provider: ReplayingCloudTransport(exchanges)}, provider)
    return Took(requests, library, bare, time.perf_counter() - started)


def _rounds(count: int) -> Iterator[list[Exchange]]:
    return ([] for _ in range(count))


def _recorder(exchanges: list[Exchange]) -> CloudRecorder:
    return CloudRecorder(exchanges.append, (), POLICY, FILE)


def _read(
    settings: CloudSettings, transports: Mapping[Provider, CloudTransport], provider: Provider
) -> CloudKey:
    reading = Reading(
        settings=settings,
        policy=POLICY,
        transports=transports,
        sleep=time.sleep,
        seconds_left=lambda: 60.0,
    )
    (key,) = read_cloud_keys([KEYS[provider]], reading)
    if key.facts.enabled is not True:
        sys.exit(f"{provider}: {key.facts.unread}")
    return key


def _bare(address: str, requests: int) -> float:
    url = urlsplit(address)
    started = time.perf_counter()
    for _ in range(requests):
        connection = http.client.HTTPConnection(str(url.hostname), url.port)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
