"""What was found by checking one bundle, report or package."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import MOST_SHOWN, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cmek_audit.verification.proof import Proof, Status


class Checked(NamedTuple):
    """The result of one check.

    Attributes:
        path: what was checked.
        lines: what was found, as sentences.
        problems: what differs from what was recorded.
        unproven: what could be proven, and was not.
        files: what is proven of each file of a report; of a bundle all files are proven, or none.
        note: what the proof does not show; empty if there is nothing to note.
        unchecked: what was not looked at, as sentences.
    """

    path: str
    lines: list[str]
    problems: list[str]
    unproven: list[str] = []  # noqa: RUF012 (never changed)
    files: tuple[Proof, ...] = ()
    note: str = ""
    unchecked: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Return how far the whole is proven."""
        if self.problems:
            return "differs"
        return "not-proven" if self.unproven else "proven"


def differences(path: str, error: Exception) -> list[str]:
    """Return what ``error`` says about ``path``, as problems that name it."""
    texts = [str(error)]
    if isinstance(error, InputError):
        more = error.total - MOST_SHOWN
        texts = [*map(str, error.problems[:MOST_SHOWN]), *([f"{more:,} more"] if more > 0 else [])]
    return [text if text.startswith(path) else f"{path}: {text}" for text in texts]


def stopping(path: str, proofs: Iterable[Proof], status: Status) -> Iterator[str]:
    """Yield what of ``path`` has this status, and keeps the whole from being proven."""
    for proof in proofs:
        if proof.stops and proof.status == status:
            yield f"{path}: {proof}"
