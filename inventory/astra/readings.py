"""How an organization was read: the requests of each kind, their outcomes, and the clocks."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from inventory.evidence.exchange_summary import file_number
from inventory.model.gaps import Gap, Reading
from inventory.model.organization import Organization

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.astra.parsing import FetchedOrganization, ParsedList
    from inventory.evidence.exchange_summary import ExchangeSummary
from inventory.astra.endpoints import ADDRESS_TEMPLATES, RequestKind, request_kind

MAX_CLOCK_DIFFERENCE = 300.0
"""From how many seconds between Astra's clock and ours the order of times is in doubt."""


def with_readings(read: FetchedOrganization, summaries: Iterable[ExchangeSummary]) -> Organization:
    """Add how and when an organization was read, and whether Astra's clock agrees with ours."""
    organization, lists = read
    in_order = sorted(summaries, key=lambda summary: file_number(summary.path))
    if not in_order:
        return organization
    by_kind: dict[RequestKind, list[ExchangeSummary]] = defaultdict(list)
    for summary in in_order:
        by_kind[request_kind(summary.address)].append(summary)
    readings = tuple(
        _summarize_reading(kind, by_kind[kind], None if kind == "identity" else lists.get(kind))
        for kind in ADDRESS_TEMPLATES
        if kind in by_kind
    )
    update = {
        "readings": readings,
        "captured_at": max(summary.ended for summary in in_order),
        "gaps": (*organization.gaps, *_clock_gaps(in_order)),
    }
    return organization.model_copy(update=update)


def _summarize_reading(
    kind: RequestKind, summaries: list[ExchangeSummary], parsed: ParsedList | None
) -> Reading:
    digest = hashlib.sha256("".join(summary.sha256 for summary in summaries).encode("ascii"))
    return Reading(
        fact=kind,
        address=ADDRESS_TEMPLATES[kind],
        requests=len(summaries),
        answers=dict(sorted(Counter(summary.outcome for summary in summaries).items())),
        entries=len(parsed.entries) if parsed and not parsed.gaps else None,
        sha256=digest.hexdigest(),
        passes=parsed.passes if parsed else (),
        terminated=parsed.terminated if parsed else None,
        note=parsed.note if parsed else "",
    )


def _clock_gaps(summaries: Iterable[ExchangeSummary]) -> list[Gap]:
    differences = [summary.clock for summary in summaries if summary.clock is not None]
    largest = max(differences, key=abs, default=0.0)
    if abs(largest) <= MAX_CLOCK_DIFFERENCE:
        return []
    direction = "ahead of" if largest > 0 else "behind"
    detail = f"Astra's clock is {abs(largest):,.0f} s {direction} this machine's"
    return [Gap(fact="databases", reason="clock-differs", detail=detail)]
