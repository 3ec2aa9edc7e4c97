"""How requests are sent: how many, how often, and within which limits."""

from __future__ import annotations

import random
from typing import Annotated

from pydantic import Field

from inventory.model.base import Entry, WholeNumber

Seconds = Annotated[float, Field(strict=True)]


class RequestPolicy(Entry):
    """How requests are sent to Astra and to the clouds, and within which limits.

    Attributes:
        connections: how many requests may be in progress at once.
        connections_per_organization: how many of them for one organization.
        attempts: how often a request is made before it is given up.
        first_wait_seconds: the wait before the second attempt; it doubles with each, with jitter.
        longest_wait_seconds: the longest wait, unless Astra asks for a longer one.
        timeout_seconds: the time of one request, from its first to its last byte.
        organization_deadline_seconds: the time for one organization.
        deadline_seconds: the time for all of them.
        largest_answer_bytes: the largest body that is accepted, after decompression.
        largest_answer_values: how many values the largest body may hold.
        most_pages: how many pages one reading of a list may have, with the empty one at its end.
        most_requests: how many requests may be made for one organization.
        most_answer_bytes: the size of all answers of one organization, after decompression.
        most_evidence_bytes: the size of the evidence of one organization.
    """

    connections: Annotated[WholeNumber, Field(ge=1, le=1_024)] = 64
    connections_per_organization: Annotated[WholeNumber, Field(ge=1, le=64)] = 4
    attempts: Annotated[WholeNumber, Field(ge=1, le=20)] = 5
    first_wait_seconds: Annotated[Seconds, Field(ge=0, le=60)] = 0.5
    longest_wait_seconds: Annotated[Seconds, Field(ge=0, le=600)] = 30.0
    timeout_seconds: Annotated[Seconds, Field(gt=0, le=3_600)] = 60.0
    organization_deadline_seconds: Annotated[Seconds, Field(gt=0, le=86_400)] = 600.0
    deadline_seconds: Annotated[Seconds, Field(gt=0, le=86_400)] = 3_600.0
    largest_answer_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_073_741_824)] = 33_554_432
    largest_answer_values: Annotated[WholeNumber, Field(ge=100, le=100_000_000)] = 250_000
    most_pages: Annotated[WholeNumber, Field(ge=1, le=1_000_000)] = 1_000
    most_requests: Annotated[WholeNumber, Field(ge=1, le=10_000_000)] = 20_000
    most_answer_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_099_511_627_776)] = 1_073_741_824
    most_evidence_bytes: Annotated[WholeNumber, Field(ge=1_024, le=1_099_511_627_776)] = (
        1_073_741_824
    )

    def seconds_before_next(self, attempt: int, requested: float | None) -> float:
        """Return how long to wait after the failed ``attempt``, counted from 1.

        Each wait is twice the one before, with jitter, or as long as the server ``requested``.
        """
        doubled: float = self.first_wait_seconds * 2.0 ** (attempt - 1)
        # The jitter keeps clients from retrying all at the same moment.
        jittered = random.uniform(0.5, 1) * min(self.longest_wait_seconds, doubled)  # noqa: S311 (no secret depends on it)
        return max(requested or 0.0, jittered)
