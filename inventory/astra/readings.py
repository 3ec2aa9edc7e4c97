"""How an organization was read: the requests of each kind, their outcomes, and the clocks."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from inventory.astra.endpoints import (
    ADDRESS_TEMPLATES,
    CLOUD_FACTS,
    CLOUD_TEMPLATES,
    AstraFact,
    RequestKind,
    request_kind,
)
from inventory.evidence.exchange_summary import recorded_order
from inventory.model.gaps import Gap, Reading
from inventory.model.key_ids import parse_key_id
from inventory.model.organization import Organization

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from inventory.astra.parsing import FetchedOrganization, ParsedList
    from inventory.evidence.exchange_summary import ExchangeSummary
    from inventory.model.kms import CloudKey
    from inventory.model.vocabulary import Provider

MAX_CLOCK_DIFFERENCE = 300.0
"""From how many seconds between Astra's clock and ours the order of times is in doubt."""


def with_readings(read: FetchedOrganization, summaries: Iterable[ExchangeSummary]) -> Organization:
    """Add how and when an organization was read, and whether Astra's clock agrees with ours.

    It is as old as what Astra answered, whenever the clouds were asked about its keys.
    """
    organization, lists = read
    in_order = sorted(summaries, key=recorded_order)
    if not in_order:
        return organization
    by_kind: dict[RequestKind, list[ExchangeSummary]] = defaultdict(list)
    for summary in in_order:
        by_kind[request_kind(summary.address)].append(summary)
    readings = [
        _summarize_reading(kind, by_kind[kind], None if kind == "identity" else lists.get(kind))
        for kind in ADDRESS_TEMPLATES
        if kind in by_kind
    ]
    readings += _cloud_readings(organization, by_kind)
    of_astra = [summary for summary in in_order if summary.cloud is None]
    update = {
        "readings": tuple(readings),
        "captured_at": max((summary.ended for summary in of_astra), default=None),
        "gaps": (*organization.gaps, *_clock_gaps(of_astra)),
    }
    return organization.model_copy(update=update)


def _cloud_readings(
    organization: Organization, by_kind: Mapping[RequestKind, list[ExchangeSummary]]
) -> Iterator[Reading]:
    """Yield how the keys in each cloud were read."""
    for provider, fact in CLOUD_FACTS.items():
        if fact in by_kind:
            keys = [key for key in organization.cloud_keys or () if _is_in(key, provider)]
            whole = sum(not key.facts.unread for key in keys)
            read = Reading(
                fact=fact,
                address=CLOUD_TEMPLATES[fact],
                requests=len(by_kind[fact]),
                answers=_outcomes(by_kind[fact]),
                entries=len(keys) if whole == len(keys) else None,
                sha256=_digest(by_kind[fact]),
                note="" if whole == len(keys) else f"{whole:,} of {len(keys):,} keys read in full",
            )
            yield read


def _is_in(key: CloudKey, provider: Provider) -> bool:
    return parse_key_id(key.key_id).provider == provider


def _summarize_reading(
    kind: AstraFact, summaries: list[ExchangeSummary], parsed: ParsedList | None
) -> Reading:
    return Reading(
        fact=kind,
        address=ADDRESS_TEMPLATES[kind],
        requests=len(summaries),
        answers=_outcomes(summaries),
        entries=len(parsed.entries) if parsed and not parsed.gaps else None,
        sha256=_digest(summaries),
        passes=parsed.passes if parsed else (),
        terminated=parsed.terminated if parsed else None,
        note=parsed.note if parsed else "",
    )


def _outcomes(summaries: Iterable[ExchangeSummary]) -> dict[str, int]:
    return dict(sorted(Counter(summary.outcome for summary in summaries).items()))


def _digest(summaries: Iterable[ExchangeSummary]) -> str:
    hashes = "".join(summary.sha256 for summary in summaries)
    return hashlib.sha256(hashes.encode("ascii")).hexdigest()


def _clock_gaps(summaries: Iterable[ExchangeSummary]) -> list[Gap]:
    differences = [summary.clock for summary in summaries if summary.clock is not None]
    largest = max(differences, key=abs, default=0.0)
    if abs(largest) <= MAX_CLOCK_DIFFERENCE:
        return []
    direction = "ahead of" if largest > 0 else "behind"
    detail = f"Astra's clock is {abs(largest):,.0f} s {direction} this machine's"
    return [Gap(fact="databases", reason="clock-differs", detail=detail)]
