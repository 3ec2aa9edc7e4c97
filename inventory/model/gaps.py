"""Gaps and readings: what could not be read, and how the rest was read."""

from __future__ import annotations

from typing import Literal

from inventory.model.base import Count, Entry, Located

Fact = Literal[
    "databases", "serverless-keys", "managed-clusters-keys", "region-views", "vendor-accounts"
]
GapReason = Literal[
    "not-recorded",
    "no-token",
    "refused",
    "rate-limited",
    "timed-out",
    "unavailable",
    "wrong-address",
    "wrong-organization",
    "malformed",
    "too-large",
    "cut-short",
    "not-visible",
    "unknown-value",
    "clock-differs",
    "process-lost",
    "not-judged",
]

CloudReason = (
    GapReason
    | Literal[
        "library-missing",
        "no-credentials",
        "credentials-expired",
        "region-disabled",
        "service-disabled",
        "not-found",
        "foreign-key",
        "not-requested",
        "suite-failed",
    ]
)
"""Why a fact about a key could not be read from its cloud."""

CloudFact = Literal["aws-keys", "gcp-keys", "azure-keys"]
"""What is read from a cloud: the keys of an organization that are in it."""


class Gap(Entry):
    """A fact about an organization that could not be read, and why.

    Attributes:
        fact: which list is missing, or not known to be whole.
        reason: a reason code.
        detail: what was observed.
    """

    fact: Fact
    reason: GapReason
    detail: str = ""


class ListPass(Entry):
    """One of several times that the same list was read.

    Attributes:
        entries: how many entries it held.
        page_size: how many entries were asked for at once.
    """

    entries: Count
    page_size: Count


class TerminatedCount(Entry):
    """How many databases only the list of terminated ones holds.

    Attributes:
        entries: how many there were.
        complete: whether that list was read to its end.
    """

    entries: Count
    complete: bool = True


class Reading(Located):
    """How one list, or all single answers of one kind, were read from Astra.

    Attributes:
        fact: what was read; ``identity`` is the token's own organization, and ``aws-keys`` are
            its keys as AWS shows them.
        address: the address asked, with its parameters; braces stand for what varied.
        requests: how many requests it took, including failed ones.
        answers: how many of each status, or of each failure's reason code.
        entries: how many entries the answers held; None if they were not read to their end.
        sha256: hash over the hashes of the recorded answers, in the order of their files.
        passes: each time that the list was read, if it was read several times.
        terminated: what the list of terminated databases added; None if it was not asked for.
        note: what the numbers do not show.
    """

    fact: Fact | CloudFact | Literal["identity"]
    address: str
    requests: Count
    answers: dict[str, Count]
    entries: Count | None = None
    sha256: str = ""
    passes: tuple[ListPass, ...] = ()
    terminated: TerminatedCount | None = None
    note: str = ""

    @property
    def remarks(self) -> str:
        """Return in one line, for people, how the list was read, and the note."""
        return "; ".join(filter(None, (self._passes(), self._terminated(), self.note)))

    def _passes(self) -> str:
        counts = ", ".join(f"{one.entries:,} by pages of {one.page_size}" for one in self.passes)
        return f"read {len(self.passes)} times: {counts}" if counts else ""

    def _terminated(self) -> str:
        if self.terminated is None:
            return ""
        at_least = "" if self.terminated.complete else ", at least"
        return f"terminated: {self.terminated.entries:,}{at_least}"
