"""A share of the organizations, read in one process by workers in fixed number."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx

from inventory.astra.client import AstraClient, ClientContext
from inventory.astra.config import Configured, Organizations, token_of
from inventory.astra.connections import FreshConnections, route_to
from inventory.astra.fetch import read_organization, unread
from inventory.astra.parsing import FetchedOrganization
from inventory.astra.proxies import proxy_for
from inventory.astra.readings import with_readings
from inventory.astra.recording_transport import RecordingTransport, request_limits
from inventory.evidence.writer import ExchangeWriter, JobWriter, Tally
from inventory.model.gaps import Gap
from inventory.text.secrets import Scrubber, Token, clear_locals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_OBJECTS = 100_000


class WorkerJob(NamedTuple):
    """What one process has to read.

    Attributes:
        wanted: the organizations of this share, and how Astra is asked.
        numbers: the place of each in the whole, from 1.
        staging: the folder in which the bundle grows.
        connections: how many requests may be under way in this process at once.
        until: the time at which the time for all is over, in seconds since 1970.
    """

    wanted: Organizations
    numbers: tuple[int, ...]
    staging: str
    connections: int
    until: float


class JobResult(NamedTuple):
    """One organization is done: its name, and how many requests that took."""

    name: str
    requests: int


def run_job(
    share: WorkerJob, environment: Mapping[str, str], tell: Callable[[JobResult], None]
) -> Tally:
    """Read and write the organizations of ``share``, with tokens from ``environment``.

    Raises LeakError if a secret would be written, and OSError if the disk refuses.
    """
    writer = JobWriter(Path(share.staging))
    try:
        with _less_collecting():
            asyncio.run(_Reading(share, environment, writer, tell).run())
    except BaseException as error:  # noqa: BLE001 (whatever it is, it goes on)
        clear_locals(error)  # answers that are not redacted yet, passwords of proxies
        raise _first(error) from None
    finally:
        writer.close()
    return writer.tally


def _first(error: BaseException) -> BaseException:
    """Return what broke the first of several tasks, or the one."""
    if isinstance(error, BaseExceptionGroup):
        return _first(error.exceptions[0])
    return error.stop if isinstance(error, _StoppedError) else error


class _StoppedError(Exception):
    """An interruption on its way out of a task: raised as such it would leave the others lying."""

    def __init__(self, stop: BaseException) -> None:
        super().__init__()
        self.stop = stop


@contextmanager
def _less_collecting() -> Iterator[None]:
    """Let the cyclic collector look less often: answers are many objects without cycles."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


class _Reading:
    """All organizations of a share, each read by one of the workers."""

    def __init__(
        self,
        share: WorkerJob,
        environment: Mapping[str, str],
        writer: JobWriter,
        tell: Callable[[JobResult], None],
    ) -> None:
        self._share = share
        self._environment = environment
        self._writer = writer
        self._tell = tell
        self._waiting = zip(share.numbers, share.wanted.organizations, strict=True)
        address = share.wanted.address
        self._route = route_to(address, proxy_for(address))

    async def run(self) -> None:
        self._slots = asyncio.Semaphore(self._share.connections)
        self._deadline = self._clock() + self._share.until - time.time()
        workers = min(self._share.connections, len(self._share.numbers))
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    async def _work(self) -> None:
        for number, wanted in self._waiting:
            try:
                await self._one(number, wanted)
            except (KeyboardInterrupt, SystemExit) as stop:
                raise _StoppedError(stop) from None

    async def _one(self, number: int, wanted: Configured) -> None:
        token = token_of(wanted, self._environment)
        writer = self._writer.begin(number, token)
        if token is None:
            read = without_token(wanted)
        else:
            read = await read_organization(self._line(token, writer), wanted)
        self._writer.end(number, with_readings(read, writer.summaries), writer)
        self._tell(JobResult(wanted.name, len(writer.summaries)))

    def _line(self, token: Token, writer: ExchangeWriter) -> AstraClient:
        manners, address = self._share.wanted.manners, self._share.wanted.address
        deadline = min(self._deadline, self._clock() + manners.organization_deadline_seconds)
        transport = RecordingTransport(
            FreshConnections(self._route, token),
            httpx.URL(address),
            writer.write,
            Scrubber([token]),
            request_limits(manners, deadline),
            writer.folder,
        )
        return AstraClient(
            ClientContext(transport, address, manners, self._slots, asyncio.sleep, transport.left)
        )


def without_token(wanted: Configured) -> FetchedOrganization:
    """Return an organization that could not be asked, as there was nothing to ask with."""
    detail = f"the environment variable {wanted.token} holds no token"
    return unread(wanted, Gap(fact="databases", reason="no-token", detail=detail))
