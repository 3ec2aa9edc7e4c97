"""What Astra's answers tell of keys: the lists, the views of single regions, the accounts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from inventory.astra.parsing import (
    NOT_FOUND,
    OWNERS,
    MalformedEntryError,
    ParsedList,
    Scope,
    build_entry,
    fields_of,
    list_of,
    malformed,
    parse_each,
    plain,
    provider_of,
    refuse_foreign,
)
from inventory.errors import UnansweredError
from inventory.model.gaps import Fact, Gap
from inventory.model.key import CustomerKey, RegionView, VendorAccount
from inventory.model.vocabulary import PROVIDERS, canonical_provider
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.evidence.exchange import Exchange


def parse_keys(exchange: Exchange, database_type: str, organization: str) -> ParsedList:
    """Read a list of keys, all of the ``database_type`` for which it was asked."""
    fact: Fact = "serverless-keys" if database_type == "serverless" else "managed-clusters-keys"
    entries = [(entry, exchange.seen(place)) for place, entry in enumerate(list_of(exchange))]
    told = parse_each(fact, partial(_key, database_type, organization), entries)
    unique = {(key.provider, key.region, key.key_id): key for key in told.entries}
    notes = ["answered null, taken for an empty list"] if exchange.value is None else []
    if twice := len(told.entries) - len(unique):
        notes.append(f"entries that stood there before: {twice:,}")
    return ParsedList(list(unique.values()), told.gaps, "; ".join(notes))


def _key(
    database_type: str, organization: str, entry: object, seen: str
) -> Iterator[CustomerKey | Gap]:
    fields = fields_of(entry)
    refuse_foreign(fields, organization)
    yield build_entry(
        CustomerKey,
        type=database_type,
        provider=provider_of(fields.get("cloudprovider")),
        region=fields.get("region"),
        key_id=fields.get("keyid"),
        seen=seen,
    )


def parse_view(exchange: Exchange, scope: Scope, organization: str) -> ParsedList:
    """Read the view of one region."""
    value = _shown(exchange)
    return parse_each(
        "region-views", partial(_view, scope, organization), [(value, exchange.seen())]
    )


def _shown(exchange: Exchange) -> dict[str, Any]:
    """Return what Astra shows for one region; nothing, if it shows no key there.

    A 404 with an errors object is one of the undocumented ways of saying so; one without is a
    wrong address.
    """
    value = exchange.value
    if exchange.status == NOT_FOUND:
        if isinstance(value, dict) and isinstance(value.get("errors"), list):
            return {}
        raise UnansweredError("wrong-address", "answered 404, as an unknown address does")
    if (value is None and exchange.text is None) or value in ([], {}):
        return {}
    if not isinstance(value, dict) or "errors" in value:
        raise malformed(exchange, "an object with a key")
    return value


def _view(
    scope: Scope, organization: str, value: dict[str, Any], seen: str
) -> Iterator[RegionView | Gap]:
    database_type, provider, region = scope
    refuse_foreign(fields_of(value), organization)
    telling = {name: each for name, each in value.items() if _tells(each)}
    blocks = {name: each for name, each in telling.items() if name.lower() in PROVIDERS}
    if not blocks:
        _refuse_unknown(telling)
    if any(canonical_provider(name) != provider for name in blocks):
        raise MalformedEntryError(
            "malformed", f"asked for {provider}, shown {', '.join(sorted(blocks))}"
        )
    shown = {_shown_key(block, region) for block in blocks.values()}
    if len(shown) > 1:
        raise MalformedEntryError("malformed", f"{len(shown)} keys shown for {' / '.join(scope)}")
    yield build_entry(
        RegionView,
        type=database_type,
        provider=provider,
        region=region,
        key_id=next(iter(shown), None),
        seen=seen,
    )


def _tells(value: object) -> bool:
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _refuse_unknown(telling: dict[str, Any]) -> None:
    """Refuse a view that tells something, in which no known provider has a part."""
    odd = sorted(name for name in telling if plain(name) not in OWNERS)
    for name in odd:
        if isinstance(telling[name], dict):
            provider_of(name)
    if odd:
        named = ", ".join(map(describe, odd[:3]))
        raise MalformedEntryError("malformed", f"shown without a provider: {named}")


def _shown_key(block: object, region: str) -> str | None:
    """Return the key id in a provider's part of a view; None if it names neither key nor place."""
    fields = fields_of(block)
    key_id, told = fields.get("keyid"), fields.get("region")
    if not key_id and not told:
        return None
    if told != region:
        raise MalformedEntryError("malformed", f"asked for {region}, shown {describe(told)}")
    if not isinstance(key_id, str) or not key_id:
        raise MalformedEntryError("malformed", f"shown without a key id: {region}")
    return key_id


def parse_accounts(exchange: Exchange, scope: Scope, organization: str) -> ParsedList:
    """Read the vendor's accounts for the key of one scope."""
    entries = [(entry, exchange.seen(place)) for place, entry in enumerate(list_of(exchange))]
    told = parse_each("vendor-accounts", partial(_account, scope, organization), entries)
    if told.entries or told.gaps:
        return told
    detail = f"no account is named for {' / '.join(scope)}"
    return ParsedList([], [Gap(fact="vendor-accounts", reason="not-visible", detail=detail)])


def _account(
    scope: Scope, organization: str, entry: object, seen: str
) -> Iterator[VendorAccount | Gap]:
    fields = fields_of(entry)
    refuse_foreign(fields, organization)
    database_type, provider, region = scope
    if (told := fields.get("provider")) and provider_of(told) != provider:
        raise MalformedEntryError("malformed", f"asked for {provider}, named {describe(told)}")
    yield build_entry(
        VendorAccount,
        type=database_type,
        provider=provider,
        region=region,
        account=fields.get("providerid"),
        seen=seen,
    )
