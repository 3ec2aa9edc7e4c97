"""The folder in which shards are kept, so that an interrupted audit goes on, and parts can meet.

Its plan says of which audit they are: by the hash of all that this audit is made of.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from cmek_audit.execution.shard_files import UNFINISHED, check_shard, discard_shard, shard_folder
from inventory.errors import ShardError
from inventory.evidence.manifest import Sha256
from inventory.model.base import FormatVersion, Moment
from inventory.system.folder_lock import FolderLock, writing_to
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

OPTION = "--cmek-shard-dir"
PLAN = "shards.json"
MOST_AGE = timedelta(hours=24)
"""How old the time of judgement may be with which an audit goes on that names none."""

_Positive = Annotated[int, Field(strict=True, ge=1)]


class ShardPlan(BaseModel):
    """Of which audit the shards in a folder are, and how it was divided.

    Attributes:
        format: the version of the format, 1.
        audit: the hash of all that the audit is made of.
        as_of: its time of judgement.
        divided_for: for how many processes, or shares, it was divided.
        shards: how many shards there are.
        shares: among how many runs they are shared, each with its ``I/N``; 0 if one run judges all.
        options: the options of the audit, by name, with which it can be put together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    format: Annotated[FormatVersion, Field(alias="cmek-shards")] = 1
    audit: Sha256
    as_of: Moment
    divided_for: _Positive
    shards: _Positive
    shares: Annotated[int, Field(strict=True, ge=0)]
    options: dict[str, JsonValue]

    def share_of(self, number: int) -> int:
        """Return which run judges the shard of that number, counted from 1."""
        return 1 + (number - 1) * max(1, self.shares) // self.shards


def fingerprint(facts: Sequence[object]) -> str:
    """Return the hash of all that an audit is made of."""
    return hashlib.sha256(json.dumps(facts, default=str, sort_keys=True).encode()).hexdigest()


class KeptShards:
    """A folder of shards, which may not exist yet."""

    def __init__(self, path: str) -> None:
        """Look at the folder ``path``; nothing is read or written yet."""
        self.folder = Path(path)

    def plan(self) -> ShardPlan | None:
        """Return the plan; None if there is none. Raises ShardError if it cannot be used."""
        file = self.folder / PLAN
        try:
            return ShardPlan.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ShardError(f"{file}: found {error.strerror}, expected a plan of shards") from None
        except ValidationError:
            found = "found another content, expected a plan of shards of this version"
            raise ShardError(f"{file}: {found}") from None

    def as_of(self, now: datetime) -> datetime | None:
        """Return the time of judgement with which an audit goes on; None if there is none, or old.

        An audit of today must not be judged as of a day on which its facts were fresh.
        """
        plan = self.plan()
        if plan is None or not timedelta(0) <= now - plan.as_of <= MOST_AGE:
            return None
        return plan.as_of

    def begin(self, plan: ShardPlan) -> ShardPlan:
        """Write ``plan``, unless another run was first; return the one that is there then.

        Raises SettingError if the folder cannot be written to.
        """
        with writing_to(self.folder, OPTION):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=self.folder)
            try:
                with os.fdopen(handle, "w", encoding="ascii", newline="\n") as file:
                    file.write(plan.model_dump_json(by_alias=True))
                # A link is made only if there is no file of that name: so the first run wins.
                with suppress(FileExistsError):
                    os.link(name, self.folder / PLAN)
            finally:
                Path(name).unlink()
        return self.plan() or plan

    def start_over(self) -> None:
        """Remove the plan and every shard, finished or not; anything else stays."""
        with writing_to(self.folder, OPTION):
            (self.folder / PLAN).unlink(missing_ok=True)
            self._remove("shard-*")
        self.remove_unfinished()

    def remove_unfinished(self) -> None:
        """Remove what killed processes left; nobody else may be writing here."""
        with writing_to(self.folder, OPTION):
            self._remove(f"{UNFINISHED}*")

    def _remove(self, pattern: str) -> None:
        for place in self.folder.glob(pattern):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder for this run alone; raise SettingError if another one has it."""
        with writing_to(self.folder, OPTION):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FolderLock(self.folder, OPTION)
        with lock:
            yield

    def finished(self, plan: ShardPlan, numbers: Iterable[int]) -> set[int]:
        """Return which of the shards with ``numbers`` are finished.

        What is not as it was written is removed, so that it is judged again.
        """
        found = set()
        for number in numbers:
            if shard_folder(self.folder, number).exists():
                try:
                    check_shard(self.folder, plan.audit, number)
                except ShardError:
                    discard_shard(self.folder, number)
                else:
                    found.add(number)
        return found

    def require_all(self, plan: ShardPlan) -> set[int]:
        """Return all shards; raise ShardError that names each one that cannot be used."""
        wrong = [*self._unusable(plan), *self._strangers(plan)]
        if wrong:
            count = pluralize(len(wrong), "shard")
            raise ShardError(
                "\n  ".join([f"{count} cannot be used, so nothing was merged:", *wrong])
            )
        return set(range(1, plan.shards + 1))

    def _unusable(self, plan: ShardPlan) -> Iterator[str]:
        for number in range(1, plan.shards + 1):
            try:
                check_shard(self.folder, plan.audit, number)
            except ShardError as error:
                share = f" (of {plan.share_of(number)}/{plan.shares})" if plan.shares else ""
                yield f"{error}{share}"

    def _strangers(self, plan: ShardPlan) -> Iterator[str]:
        known = {shard_folder(self.folder, number) for number in range(1, plan.shards + 1)}
        for place in sorted(set(self.folder.glob("shard-*")) - known):
            yield f"{place}: found a shard too many, expected {plan.shards}"
