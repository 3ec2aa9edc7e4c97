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
]


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


class Reading(Located):
    """How one list, or all single answers of one kind, were read from Astra.

    Attributes:
        fact: what was read; ``identity`` is the token's own organization.
        address: the address asked, with its parameters; braces stand for what varied.
        requests: how many requests it took, including failed ones.
        answers: how many of each status, or of each failure's reason code.
        entries: how many entries the answers held; None if they were not read to their end.
        sha256: hash over the hashes of the recorded answers, in the order of their files.
        note: what the numbers do not show.
    """

    fact: Fact | Literal["identity"]
    address: str
    requests: Count
    answers: dict[str, Count]
    entries: Count | None = None
    sha256: str = ""
    note: str = ""
