"""Parses what Astra answers about keys: the lists, the views of single regions, the accounts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from inventory.astra.parsing import (
    NOT_FOUND,
    OWNERS,
    MalformedEntryError,
    ParsedList,
    build_entry,
    fields_of,
    list_of,
    malformed,
    normalize_field,
    parse_each,
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

    from inventory.astra.endpoints import Scope
    from inventory.evidence.exchange import Exchange


def parse_keys(exchange: Exchange, database_type: str, organization: str) -> ParsedList:
    """Parse a list of keys; all are of the ``database_type`` whose list was requested."""
    fact: Fact = "serverless-keys" if database_type == "serverless" else "managed-clusters-keys"
    parse = partial(_parse_key, database_type, organization)
    parsed = parse_each(fact, parse, _located_entries(exchange))
    unique = {(key.provider, key.region, key.key_id): key for key in parsed.entries}
    notes = ["answered null, read as an empty list"] if exchange.value is None else []
    if repeated := len(parsed.entries) - len(unique):
        notes.append(f"repeated entries: {repeated:,}")
    return ParsedList(list(unique.values()), parsed.gaps, "; ".join(notes))


def _located_entries(exchange: Exchange) -> list[tuple[Any, str]]:
    return [(entry, exchange.location(index)) for index, entry in enumerate(list_of(exchange))]


def _parse_key(
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
    """Parse the view of one region."""
    value = _view_of(exchange)
    parse = partial(_parse_view, scope, organization)
    return parse_each("region-views", parse, [(value, exchange.location())])


def _view_of(exchange: Exchange) -> dict[str, Any]:
    """Return what Astra shows for one region; empty if it shows no key there.

    A 404 with an errors object is one of Astra's undocumented ways to say that there is no key; a
    404 without one is a wrong address.
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


def _parse_view(
    scope: Scope, organization: str, value: dict[str, Any], seen: str
) -> Iterator[RegionView | Gap]:
    database_type, provider, region = scope
    refuse_foreign(fields_of(value), organization)
    filled = {name: part for name, part in value.items() if _has_content(part)}
    blocks = {name: part for name, part in filled.items() if name.lower() in PROVIDERS}
    if not blocks:
        _refuse_unknown(filled)
    if any(canonical_provider(name) != provider for name in blocks):
        detail = f"requested {provider}, got {', '.join(sorted(blocks))}"
        raise MalformedEntryError("malformed", detail)
    key_ids = {_view_key_id(block, region) for block in blocks.values()}
    if len(key_ids) > 1:
        raise MalformedEntryError("malformed", f"{len(key_ids)} keys for {' / '.join(scope)}")
    yield build_entry(
        RegionView,
        type=database_type,
        provider=provider,
        region=region,
        key_id=next(iter(key_ids), None),
        seen=seen,
    )


def _has_content(value: object) -> bool:
    """Say whether a part of a view holds anything: a block of empty fields shows no key."""
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _refuse_unknown(filled: dict[str, Any]) -> None:
    """Refuse a view that has content, but no block of a known provider."""
    unknown = sorted(name for name in filled if normalize_field(name) not in OWNERS)
    for name in unknown:
        if isinstance(filled[name], dict):
            provider_of(name)
    if unknown:
        names = ", ".join(map(describe, unknown[:3]))
        raise MalformedEntryError("malformed", f"a view without a provider: {names}")


def _view_key_id(block: object, region: str) -> str | None:
    """Return the key id in a provider's block; None if it names neither a key nor a region."""
    fields = fields_of(block)
    key_id, shown_region = fields.get("keyid"), fields.get("region")
    if not key_id and not shown_region:
        return None
    if shown_region != region:
        detail = f"requested {region}, got {describe(shown_region)}"
        raise MalformedEntryError("malformed", detail)
    if not isinstance(key_id, str) or not key_id:
        raise MalformedEntryError("malformed", f"no key id for {region}")
    return key_id


def parse_accounts(exchange: Exchange, scope: Scope, organization: str) -> ParsedList:
    """Parse the vendor's accounts for the key of one scope."""
    parse = partial(_parse_account, scope, organization)
    parsed = parse_each("vendor-accounts", parse, _located_entries(exchange))
    if parsed.entries or parsed.gaps:
        return parsed
    detail = f"no account is listed for {' / '.join(scope)}"
    return ParsedList([], [Gap(fact="vendor-accounts", reason="not-visible", detail=detail)])


def _parse_account(
    scope: Scope, organization: str, entry: object, seen: str
) -> Iterator[VendorAccount | Gap]:
    fields = fields_of(entry)
    refuse_foreign(fields, organization)
    database_type, provider, region = scope
    if (named := fields.get("provider")) and provider_of(named) != provider:
        detail = f"requested {provider}, got {describe(named)}"
        raise MalformedEntryError("malformed", detail)
    yield build_entry(
        VendorAccount,
        type=database_type,
        provider=provider,
        region=region,
        account=fields.get("providerid"),
        seen=seen,
    )
