"""One process's job: some of the organizations, read by a fixed number of concurrent workers."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx

from inventory.astra.client import AstraClient, ClientContext
from inventory.astra.config import OrganizationConfig, Organizations, token_of
from inventory.astra.connections import FreshConnections, route_to
from inventory.astra.fetch import fetch_organization, unread_organization
from inventory.astra.parsing import FetchedOrganization
from inventory.astra.readings import with_readings
from inventory.astra.recording_transport import RecordingTransport, request_limits
from inventory.evidence.exchange import TOO_LATE, Failure
from inventory.evidence.writer import ExchangeWriter, JobWriter, Tally
from inventory.model.gaps import Gap
from inventory.model.organization import Organization
from inventory.system.proxies import proxy_for
from inventory.text.secrets import Scrubber, Secret, Token, clear_locals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from inventory.clouds.recorder import CloudRecorder
    from inventory.clouds.registry import CloudSessions
    from inventory.model.vocabulary import Provider

_COLLECTOR_THRESHOLD = 100_000


class WorkerJob(NamedTuple):
    """What one process has to read.

    Attributes:
        configuration: the organizations of this job, and how requests are sent.
        numbers: the number of each in the whole file, from 1.
        staging: the folder in which the bundle is written.
        connections: how many requests may be in progress in this process at once.
        until: the time at which the time for all of them ends, in seconds since 1970.
        failure: why no request is sent for them; it is recorded instead. None if they are read.
    """

    configuration: Organizations
    numbers: tuple[int, ...]
    staging: str
    connections: int
    until: float
    failure: Failure | None = None


class JobResult(NamedTuple):
    """An organization that is done: its name, and how many requests it took."""

    name: str
    requests: int


def run_job(
    job: WorkerJob,
    environment: Mapping[str, str],
    on_done: Callable[[JobResult], None],
    on_hidden: Callable[[tuple[Secret, ...]], object] = lambda _: None,
) -> Tally:
    """Read and write the organizations of ``job``, with tokens from ``environment``.

    ``on_hidden`` gets the credentials of the clouds that were found on the way. Raises LeakError if
    a secret would be written, and OSError if a file cannot be written.
    """
    writer = JobWriter(Path(job.staging))
    try:
        with _rare_garbage_collection():
            asyncio.run(_JobRunner(job, environment, writer, on_done, on_hidden).run())
    except BaseException as error:  # noqa: BLE001 (it is raised again)
        clear_locals(error)  # they hold answers that are not redacted yet, and passwords of proxies
        raise _root_error(error) from None
    finally:
        writer.close()
    return writer.tally


def record_unread(
    jobs: Iterable[WorkerJob], failure: Failure, on_done: Callable[[JobResult], None]
) -> Tally:
    """Write the organizations of ``jobs``; for the ``failure``, nothing could be read of them."""
    tally = Tally()
    for job in jobs:
        tally.merge(run_job(job._replace(failure=failure), {}, on_done))
    return tally


def _root_error(error: BaseException) -> BaseException:
    """Return the error of the first task that failed, or the one error that there is."""
    if isinstance(error, BaseExceptionGroup):
        return _root_error(error.exceptions[0])
    return error.stop if isinstance(error, _StoppedError) else error


class _StoppedError(Exception):
    """Carries an interruption out of a task.

    Raised as it is, it would leave the event loop at once, and the other tasks unfinished.
    """

    def __init__(self, stop: BaseException) -> None:
        super().__init__()
        self.stop = stop


@contextmanager
def _rare_garbage_collection() -> Iterator[None]:
    """Let the cyclic garbage collector run less often: answers are many objects without cycles."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_COLLECTOR_THRESHOLD, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


class _JobRunner:
    """Reads all organizations of a job, each by one of the workers."""

    def __init__(
        self,
        job: WorkerJob,
        environment: Mapping[str, str],
        writer: JobWriter,
        on_done: Callable[[JobResult], None],
        on_hidden: Callable[[tuple[Secret, ...]], object],
    ) -> None:
        self._job = job
        self._environment = environment
        self._writer = writer
        self._on_done = on_done
        self._on_hidden = on_hidden
        self._clouds: Mapping[Provider, CloudSessions | Failure] = {}
        self._waiting = zip(job.numbers, job.configuration.organizations, strict=True)
        address = job.configuration.address
        self._route = route_to(address, proxy_for(address))

    async def run(self) -> None:
        self._slots = asyncio.Semaphore(self._job.connections)
        # Processes share the wall clock, but each event loop has a clock of its own.
        self._deadline = self._clock() + self._job.until - time.time()
        self._clouds = _open_clouds(self._job)
        workers = min(self._job.connections, len(self._job.numbers))
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    async def _work(self) -> None:
        for number, config in self._waiting:  # shared: each worker takes the next organization
            try:
                await self._collect(number, config)
            except (KeyboardInterrupt, SystemExit) as stop:
                raise _StoppedError(stop) from None

    async def _collect(self, number: int, config: OrganizationConfig) -> None:
        policy = self._job.configuration.requests
        deadline = min(self._deadline, self._clock() + policy.organization_deadline_seconds)
        failure = self._job.failure
        token = None if failure else token_of(config, self._environment)
        writer = self._writer.begin(number, token)
        if not self._job.configuration.astra:
            fetched = organization_of_clouds(config)
        elif token is None and not failure:
            fetched = organization_without_token(config)
        else:
            fetched = await fetch_organization(self._client(token, writer, deadline), config)
        if self._clouds:
            fetched = await self._ask_clouds(fetched, config, writer, deadline)
        self._writer.end(number, with_readings(fetched, writer.summaries), writer)
        self._on_done(JobResult(config.name, len(writer.summaries)))

    async def _ask_clouds(
        self,
        fetched: FetchedOrganization,
        config: OrganizationConfig,
        writer: ExchangeWriter,
        deadline: float,
    ) -> FetchedOrganization:
        """Add what the clouds show of the organization's keys, in the time that is left for it.

        Libraries of the clouds block, so a thread waits for them. When this task is cancelled, no
        time is left, and the thread ends after the request that it has sent.
        """
        from inventory.clouds.collector import (  # noqa: PLC0415 (only if a cloud is asked)
            Reading,
            transports_of,
            with_cloud_keys,
        )

        configuration, stopped = self._job.configuration, threading.Event()
        clock = asyncio.get_running_loop().time

        def sleep(seconds: float) -> None:
            stopped.wait(seconds)

        reading = Reading(
            settings=configuration.clouds,
            policy=configuration.requests,
            transports=transports_of(self._clouds, self._recorder(config, writer)),
            sleep=sleep,
            seconds_left=lambda: 0.0 if stopped.is_set() else deadline - clock(),
        )
        organization, further = fetched.organization, config.cloud_keys
        try:
            read = await asyncio.to_thread(with_cloud_keys, organization, further, reading)
        finally:
            stopped.set()
        return fetched._replace(organization=read)

    def _recorder(self, config: OrganizationConfig, writer: ExchangeWriter) -> CloudRecorder:
        """Return what records the exchanges with clouds after those with Astra."""
        from inventory.clouds.recorder import CloudRecorder  # noqa: PLC0415 (as above)

        def hide(tokens: tuple[Secret, ...]) -> None:
            writer.hide(tokens)
            self._on_hidden(tokens)

        token = None if self._job.failure else token_of(config, self._environment)
        return CloudRecorder(
            record=writer.write,
            tokens=[token] if token else [],
            policy=self._job.configuration.requests,
            file=writer.path,
            count=len(writer.summaries),
            on_hidden=hide,
        )

    def _client(self, token: Token | None, writer: ExchangeWriter, deadline: float) -> AstraClient:
        policy, address = self._job.configuration.requests, self._job.configuration.address
        transport = RecordingTransport(
            FreshConnections(self._route, token) if token else _NoConnections(self._job.failure),
            httpx.URL(address),
            writer.write,
            Scrubber([token] if token else []),
            request_limits(policy, deadline),
            writer.path,
        )
        return AstraClient(
            ClientContext(
                transport=transport,
                address=address,
                policy=policy,
                slots=self._slots,
                sleep=asyncio.sleep,
                seconds_left=transport.seconds_left,
            )
        )


class _NoConnections(httpx.AsyncBaseTransport):
    """Sends no request: each of them fails for the reason why the job sends none."""

    def __init__(self, failure: Failure | None) -> None:
        self._failure = failure

    async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
        raise (self._failure or TOO_LATE).error()


def _open_clouds(job: WorkerJob) -> Mapping[Provider, CloudSessions | Failure]:
    """Return what sends requests to the clouds that are asked, for all organizations of the job."""
    configuration = job.configuration
    if not configuration.clouds.ask:
        return {}
    if job.failure:
        return dict.fromkeys(configuration.clouds.ask, job.failure)
    from inventory.clouds.collector import open_clouds  # noqa: PLC0415 (it leads to the libraries)

    return open_clouds(configuration.clouds, configuration.requests)


def organization_of_clouds(config: OrganizationConfig) -> FetchedOrganization:
    """Return an organization of which only the clouds are asked: nothing of it is recorded."""
    return FetchedOrganization(Organization(id=config.id or "", name=config.name), {})


def organization_without_token(config: OrganizationConfig) -> FetchedOrganization:
    """Return an organization to which no request could be sent."""
    detail = f"the environment variable {config.token} holds no token"
    return unread_organization(config, Gap(fact="databases", reason="no-token", detail=detail))
