"""A stand-in for Astra that is one JSON file, and a log of what was called when.

Terraform starts the provider several times, so that processes share the file, under a lock.
"""

from __future__ import annotations

import fcntl
import json
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATIENCE = 20.0
_PAUSE = 0.01


class RefusedError(Exception):
    """What Astra does not do."""


class Call(NamedTuple):
    """One call that changes something.

    Attributes:
        action: ``create``, ``update`` or ``delete``.
        subject: the name of a database, or the id of a key.
        start: when it began, by a clock that all processes share.
        end: when it was answered; 0 while it runs.
        is_refused: whether it was refused.
    """

    action: str
    subject: str
    start: float
    end: float = 0.0
    is_refused: bool = False

    @property
    def is_of_key(self) -> bool:
        """Say whether it is about a key."""
        return self.subject.startswith("arn:")

    def overlaps(self, other: Call) -> bool:
        """Say whether each of the two began before the other ended."""
        return self.start < other.end and other.start < self.end


class Cloud:
    """The stand-in, as the organization with a certain token sees it.

    Attributes:
        organization: the id of the organization.
    """

    def __init__(self, file: Path, token: str = "") -> None:
        self._file = file
        with self.opened() as data:
            self.organization: str = data["organizations"].get(token, "")

    # --- what the tests prepare and look at -------------------------------------------------------

    @classmethod
    def empty(cls, file: Path, organizations: Mapping[str, str]) -> Cloud:
        """Write an empty one of these organizations, each by its token."""
        data: dict[str, Any] = {"organizations": dict(organizations)}
        data |= {"databases": {}, "keys": [], "log": []}
        data |= {"delay": 0.0, "at_once": 0, "refused": []}
        file.write_text(json.dumps(data), "utf-8")
        return cls(file)

    def set(self, **settings: object) -> None:
        """Set how it behaves.

        ``delay`` is how many seconds each creation takes; ``at_once`` how many creations have to
        run before one of them ends, unless that takes too long; ``refused`` whose creation fails.
        """
        with self.opened() as data:
            data.update(settings)

    def calls(self, action: str = "") -> tuple[Call, ...]:
        """Return the calls in the order in which they began."""
        with self.opened() as data:
            calls = (Call(*values) for values in data["log"])
            return tuple(call for call in calls if action in {"", call.action})

    def names(self) -> list[str]:
        """Return the names of all databases."""
        with self.opened() as data:
            return sorted(database["name"] for database in data["databases"].values())

    def key_ids(self) -> list[str]:
        """Return the ids of all keys, in the order in which they were registered."""
        with self.opened() as data:
            return [key["key_id"] for key in data["keys"]]

    @contextmanager
    def opened(self) -> Iterator[dict[str, Any]]:
        """Lend everything there is, to be read and changed by one process at a time."""
        with self._file.open("r+", encoding="utf-8") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            data = json.load(handle)
            yield data
            handle.seek(0)
            handle.truncate()
            json.dump(data, handle, indent=1)

    # --- what the provider calls ------------------------------------------------------------------

    def create_database(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Create a database and return it as Astra lists it."""
        with self._call("create", wanted["name"]):
            own = {"id": str(uuid.uuid4()), "organization": self.organization, **wanted}
            with self.opened() as data:
                data["databases"][own["id"]] = own
            return own

    def database(self, identity: str) -> dict[str, Any] | None:
        """Return a database; None if there is no such."""
        with self.opened() as data:
            found: dict[str, Any] | None = data["databases"].get(identity)
            return found

    def move_database(self, identity: str, regions: list[str]) -> dict[str, Any]:
        """Give a database other regions, and return it."""
        found = self.database(identity) or {"name": identity}
        with self._call("update", found["name"]), self.opened() as data:
            own: dict[str, Any] = data["databases"][identity]
            own["regions"] = regions
            return own

    def delete_database(self, identity: str) -> None:
        """Delete a database."""
        found = self.database(identity) or {"name": identity}
        with self._call("delete", found["name"]), self.opened() as data:
            del data["databases"][identity]

    def create_key(self, key: Mapping[str, Any]) -> None:
        """Register a key, whichever others there are."""
        with self._call("create", key["key_id"]), self.opened() as data:
            data["keys"].append({"organization": self.organization, **key})

    # --- calls ------------------------------------------------------------------------------------

    @contextmanager
    def _call(self, action: str, subject: str) -> Iterator[None]:
        """Log a call, from before it does anything until it is done or refused."""
        number = self._begin(Call(action, subject, time.monotonic()))
        is_refused = True
        try:
            if action == "create":
                self._take_time(subject)
            yield
            is_refused = False
        finally:
            self._end(number, is_refused=is_refused)

    def _begin(self, call: Call) -> int:
        with self.opened() as data:
            data["log"].append(call)
            return len(data["log"]) - 1

    def _end(self, number: int, *, is_refused: bool) -> None:
        with self.opened() as data:
            call = Call(*data["log"][number])
            data["log"][number] = call._replace(end=time.monotonic(), is_refused=is_refused)

    def _take_time(self, subject: str) -> None:
        """Let a creation last as long as it should; raise RefusedError if it is to fail."""
        with self.opened() as data:
            delay, at_once, refused = data["delay"], data["at_once"], data["refused"]
        time.sleep(delay)
        limit = time.monotonic() + _PATIENCE
        while len(self.calls("create")) < at_once and time.monotonic() < limit:
            time.sleep(_PAUSE)
        if subject in refused:
            raise RefusedError(subject)
