"""Files that are searched for secrets while they are written, so that none is read again for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import LeakError
from inventory.text.secrets import SecretSearch, file_leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from inventory.text.secrets import Secret, StreamSearch


class _Searched(NamedTuple):
    """A file that was searched as a whole: whether it holds a secret, and its size in bytes."""

    found: bool
    size: int


class SearchedFiles:
    """The files that a run writes, each searched for secrets by what is written to it."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        """Search for ``secrets``, and for what looks like a credential."""
        self._search = SecretSearch(secrets)
        self._seen: dict[Path, StreamSearch | _Searched] = {}

    def watch(self, path: Path) -> Callable[[bytes], None]:
        """Return what is to be called with each block that is written to ``path``, in order."""
        stream = self._seen[path] = self._search.stream()
        return stream.add

    def write(self, path: Path, blocks: Iterable[bytes]) -> None:
        """Write a whole file, unless a secret is in its ``blocks``: then the file is left empty."""
        stream = self._search.stream()
        with path.open("wb") as file:
            for block in blocks:
                if stream.found_with(block):
                    file.truncate(0)
                    break
                file.write(block)
        # Not the stream, which keeps the end of what it saw: there may be very many pages.
        self._seen[path] = _Searched(stream.found, stream.size)

    def refuse_leaks(self, files: Iterable[Path]) -> None:
        """Raise LeakError with those of ``files`` that hold a secret, and must be removed.

        What was not searched while it was written is searched now. A missing file is no leak.
        """
        leaks = [file for file in files if file.is_file() and self._leaks(file)]
        if leaks:
            raise LeakError(leaks)

    def _leaks(self, file: Path) -> bool:
        seen = self._seen.get(file)
        if seen is not None and seen.found:
            return True
        # A file of another size was written by something else since: what was seen is not in it.
        is_known = seen is not None and seen.size == file.stat().st_size
        return not is_known and file_leaks(file, self._search)
