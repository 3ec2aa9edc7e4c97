"""One attempt at a job, made by a worker of a cluster: with its own tokens, in its own folder."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from inventory.astra.config import token_of
from inventory.astra.worker import JobResult, WorkerJob, run_job
from inventory.evidence.writer import Tally, make_staging, staged_files
from inventory.system.token_files import read_tokens
from inventory.text.secrets import refuse_leaks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inventory.text.secrets import Secret


class Attempt(NamedTuple):
    """What a worker has to do.

    It holds no token: a worker has its own.

    Attributes:
        job: what to read; where to write is decided by the attempt.
        folder: the folder, shared with the worker, in which each attempt makes its own.
        seconds: how much time was left for all organizations when this was sent. No time of day,
            as clocks differ from machine to machine.
    """

    job: WorkerJob
    folder: str
    seconds: float


class Attempted(NamedTuple):
    """What a worker has written.

    Attributes:
        name: the name of the attempt's folder.
        files: the size of each file in it.
        results: the organizations that are done.
        tally: their totals.
    """

    name: str
    files: Mapping[str, int]
    results: tuple[JobResult, ...]
    tally: Tally


def run_attempt(attempt: Attempt) -> Attempted:
    """Read the organizations of a job, with the tokens that this worker has.

    A cluster may run the same job twice, even at the same time. So the folder has a name that no
    other attempt has, and only that of the returned attempt counts.

    Raises LeakError if a secret would be written, and OSError if the folder is not there. Whoever
    waits for the job no longer removes it: then this fails at the end of an organization.
    """
    folder = Path(attempt.folder) / uuid4().hex
    folder.mkdir()
    try:
        return _run(attempt, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _run(attempt: Attempt, folder: Path) -> Attempted:
    make_staging(folder)
    job = attempt.job._replace(staging=str(folder), until=time.time() + attempt.seconds)
    configs = job.configuration.organizations
    environment = read_tokens({config.token for config in configs})
    tokens: list[Secret] = [
        token for config in configs if (token := token_of(config, environment)) is not None
    ]
    results: list[JobResult] = []
    tally = run_job(job, environment, results.append, tokens.extend)
    files = staged_files(folder)
    # Whoever collects the parts may have no token to search them for.
    refuse_leaks([folder / file for file in files], tokens)
    return Attempted(folder.name, files, tuple(results), tally)
