"""Files that are searched for secrets while they are written, so that none is read again for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.errors import LeakError
from inventory.text.secrets import SecretSearch, file_leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from inventory.text.secrets import Secret, StreamSearch


class SearchedFiles:
    """The files that a run writes, each searched for secrets by what is written to it."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        """Search for ``secrets``, and for what looks like a credential."""
        self._search = SecretSearch(secrets)
        self._streams: dict[Path, StreamSearch] = {}

    def watch(self, path: Path) -> Callable[[bytes], None]:
        """Return what is to be called with each block that is written to ``path``, in order."""
        stream = self._streams[path] = self._search.stream()
        return stream.add

    def write(self, path: Path, content: bytes) -> None:
        """Write a whole file, unless ``content`` holds a secret: then the file is left empty."""
        self.watch(path)(content)
        path.write_bytes(b"" if self._streams[path].found else content)

    def refuse_leaks(self, files: Iterable[Path]) -> None:
        """Raise LeakError with those of ``files`` that hold a secret, and must be removed.

        What was not searched while it was written is searched now. A missing file is no leak.
        """
        leaks = [file for file in files if file.is_file() and self._leaks(file)]
        if leaks:
            raise LeakError(leaks)

    def _leaks(self, file: Path) -> bool:
        stream = self._streams.get(file)
        if stream is not None and stream.found:
            return True
        # A file of another size was written by something else since: what was seen is not in it.
        is_known = stream is not None and stream.size == file.stat().st_size
        return not is_known and file_leaks(file, self._search)
