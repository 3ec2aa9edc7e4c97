"""How an organization was read: the requests of each kind, what they cost and what they held."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal

from inventory.evidence.exchange_summary import by_number
from inventory.model.gaps import Fact, Gap, Reading
from inventory.model.organization import Organization

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.astra.parsing import FetchedOrganization, ParsedList
    from inventory.evidence.exchange_summary import ExchangeSummary

Kind = Fact | Literal["identity"]

FARTHEST_CLOCK = 300.0
"""How far Astra's clock may be from ours, in seconds, before the order of times is doubted."""

IDENTITY = "/v2/currentOrg"
LISTS = {"serverless": "/v2/kms", "managed-clusters": "/v2/kms/classic"}
DATABASES = "/v2/databases?include=nonterminated&provider=ALL"
TERMINATED = "/v2/databases?include=terminated&provider=ALL"
_SHOWN: dict[Kind, str] = {
    "identity": IDENTITY,
    "databases": f"{DATABASES}&limit={{limit}}&starting_after={{id}}",
    "serverless-keys": LISTS["serverless"],
    "managed-clusters-keys": LISTS["managed-clusters"],
    "region-views": "/v2/kms[/classic]/provider/{provider}/region/{region}",
    "vendor-accounts": "/v2/kms[/classic]/provider/{provider}/region/{region}/accounts",
}
_LISTED: dict[str, Kind] = {
    IDENTITY: "identity",
    LISTS["serverless"]: "serverless-keys",
    LISTS["managed-clusters"]: "managed-clusters-keys",
}


def kind_of(address: str) -> Kind:
    """Return what a request for ``address`` reads."""
    if address.startswith("/v2/databases?"):
        return "databases"
    single: Kind = "vendor-accounts" if address.endswith("/accounts") else "region-views"
    return _LISTED.get(address, single)


def with_readings(read: FetchedOrganization, summaries: Iterable[ExchangeSummary]) -> Organization:
    """Add how and when an organization was read, and whether Astra's clock agrees with ours."""
    organization, told = read
    in_order = sorted(summaries, key=lambda brief: by_number(brief.path))
    if not in_order:
        return organization
    by_kind: dict[Kind, list[ExchangeSummary]] = defaultdict(list)
    for brief in in_order:
        by_kind[kind_of(brief.address)].append(brief)
    readings = tuple(
        _reading(kind, by_kind[kind], None if kind == "identity" else told.get(kind))
        for kind in _SHOWN
        if kind in by_kind
    )
    update = {
        "readings": readings,
        "captured_at": max(brief.ended for brief in in_order),
        "gaps": (*organization.gaps, *_clock(in_order)),
    }
    return organization.model_copy(update=update)


def _reading(kind: Kind, summaries: list[ExchangeSummary], told: ParsedList | None) -> Reading:
    whole = hashlib.sha256("".join(brief.sha256 for brief in summaries).encode("ascii"))
    return Reading(
        fact=kind,
        address=_SHOWN[kind],
        requests=len(summaries),
        answers=dict(sorted(Counter(brief.outcome for brief in summaries).items())),
        entries=len(told.entries) if told and not told.gaps else None,
        sha256=whole.hexdigest(),
        note=told.note if told else "",
    )


def _clock(summaries: Iterable[ExchangeSummary]) -> list[Gap]:
    told = [brief.clock for brief in summaries if brief.clock is not None]
    worst = max(told, key=abs, default=0.0)
    if abs(worst) <= FARTHEST_CLOCK:
        return []
    which = "ahead of" if worst > 0 else "behind"
    detail = f"Astra's clock is {abs(worst):,.0f} s {which} this machine's"
    return [Gap(fact="databases", reason="clock-differs", detail=detail)]
