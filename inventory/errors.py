"""Every error the suite raises.

CmekAuditError
├── InputError            a file given to the audit cannot be used
│   ├── InventoryError    an inventory, a plan or a record of an earlier moment
│   │   └── EvidenceError an evidence bundle is not what its manifest says
│   ├── OrganizationsError   an organizations file
│   ├── WaiverError       a waiver file
│   └── ControlsError     a file of control ids
├── SettingError          an option or its ini twin has an unusable value
├── RecordError           a finished audit record cannot be read back
├── ShardError            a shard of an audit is missing, changed, or of another audit
├── SignatureError        a signature is not that of the key, or of what it must be of
├── PackageError          a package for an auditor is damaged, or would do harm
├── UnansweredError       Astra did not answer a request as documented; becomes a gap
├── ForbiddenRequestError a request that an audit must never send
├── ReplayError           a bundle cannot be replayed as it was recorded
├── ProcessError          a process that was to read a share of the organizations broke
└── LeakError             a secret is in something that was written
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_SHOWN = 50


class Problem(NamedTuple):
    """One thing wrong in one place of a file.

    Attributes:
        file: the file's path, as it was given.
        line: line number, counted from 1; 0 if the file as a whole is meant.
        field: the field's path inside the file, such as ``organizations[0].keys[2].region``.
        found: what the file has there.
        expected: what it should have there.
    """

    file: str
    line: int
    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        """Render as one line, ``file:line: field: found …, expected …``."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        field = f" {self.field}:" if self.field else ""
        return f"{where}:{field} found {self.found}, expected {self.expected}"


class CmekAuditError(Exception):
    """The root of every error that the suite raises on purpose."""


class InputError(CmekAuditError):
    """A file cannot be used; carries every problem that was found, not only the first."""

    def __init__(self, problems: Iterable[Problem], *, total: int | None = None) -> None:
        """Keep ``problems``; ``total`` counts those that were found beyond the ones kept."""
        self.problems = tuple(problems)
        self.total = max(total or 0, len(self.problems))
        super().__init__(self._text())

    def _text(self) -> str:
        shown = [str(problem) for problem in self.problems[:MOST_SHOWN]]
        more = self.total - len(shown)
        count = "1 problem" if self.total == 1 else f"{self.total} problems"
        tail = [f"… and {more} more"] if more else []
        return "\n  ".join([f"{count}, so nothing was done:", *shown, *tail])


class InventoryError(InputError):
    """An inventory, a plan, or a record of an earlier moment cannot be used."""


class EvidenceError(InventoryError):
    """An evidence bundle is not what its manifest says."""


class OrganizationsError(InputError):
    """An organizations file cannot be used."""


class WaiverError(InputError):
    """A waiver file cannot be used."""


class ControlsError(InputError):
    """A file of control ids cannot be used."""


class SettingError(CmekAuditError):
    """An option or its ini twin has a value that cannot be used."""


class RecordError(CmekAuditError):
    """A finished audit record cannot be read back, or is not what it says it is."""


class ShardError(CmekAuditError):
    """A shard of an audit is missing, was changed, or belongs to another audit."""


class SignatureError(CmekAuditError):
    """A signature is not one of the given key, or does not state what one must state."""


class PackageError(CmekAuditError):
    """A package for an auditor is damaged, or would do harm if it was unpacked."""


class UnansweredError(CmekAuditError):
    """Astra did not answer a request as documented.

    Attributes:
        reason: why, as the reason code of a gap.
        detail: what was seen, in words and without secrets.
        again: whether another attempt may help.
        wait: how long Astra asked to wait before that, in seconds; None if it did not.
    """

    def __init__(
        self, reason: str, detail: str, *, again: bool = False, wait: float | None = None
    ) -> None:
        """Keep what was seen."""
        self.reason = reason
        self.detail = detail
        self.again = again
        self.wait = wait
        super().__init__(f"{reason}: {detail}")


def too_large(found: str, setting: str) -> UnansweredError:
    """Return the error for what goes beyond a limit of the organizations file."""
    return UnansweredError("too-large", f"{found}: the limit is {setting}")


class ForbiddenRequestError(CmekAuditError):
    """A request that is not a GET, or goes to another host than the configured one."""


class ReplayError(CmekAuditError):
    """A bundle cannot be replayed as it was recorded."""


class ProcessError(CmekAuditError):
    """A process that was to read a share of the organizations broke."""


class LeakError(CmekAuditError):
    """A secret is in something that was written; the error names the files, never the secret."""

    def __init__(self, files: Iterable[Path]) -> None:
        """Keep the paths of ``files``."""
        self.files = tuple(files)
        names = ", ".join(str(file) for file in self.files[:MOST_SHOWN])
        super().__init__(f"a secret was written, so these files must not be kept: {names}")

    def __reduce__(self) -> tuple[type[LeakError], tuple[tuple[Path, ...]]]:
        """Pickle the paths; by default an exception is rebuilt from its message."""
        return LeakError, (self.files,)
