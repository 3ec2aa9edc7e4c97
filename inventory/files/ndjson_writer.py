"""Writes an organization as lines of NDJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.files.yaml_json import LISTS
from inventory.text.canonical_json import compact_json, format_timestamp

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from inventory.model.base import Entry
    from inventory.model.organization import Organization

_KINDS = {
    "keys": "key",
    "databases": "database",
    "region_views": "region-view",
    "vendor_accounts": "vendor-account",
    "cloud_keys": "cloud-key",
    "support_cases": "support-case",
    "readings": "reading",
}


def head_line(captured_at: datetime, *, is_of_astra: bool = True) -> str:
    """Return the first line of a file whose content is of ``captured_at`` or later.

    A file that is not of Astra holds what the clouds show of keys, and nothing else.
    """
    head: dict[str, object] = {"kind": "inventory", "cmek-inventory": 1}
    head |= {"captured_at": format_timestamp(captured_at)}
    head |= {} if is_of_astra else {"clouds_only": True}
    return f"{compact_json(head)}\n"


def end_line(counts: Counter[str]) -> str:
    """Return the last line of a file, with how many of each kind came before."""
    fields = ("organizations", "keys", "databases", "region_views")
    return f"{compact_json({'kind': 'end'} | {name: counts[name] for name in fields})}\n"


def organization_lines(
    organization: Organization, *, as_stated: bool = False, without: Iterable[str] = ()
) -> Iterator[str]:
    """Yield the lines of an organization: its own, then one for each entry.

    By default, they lack what equals the default; ``as_stated``, they have every stated field. Its
    own line is written ``without`` some fields.
    """
    yield _line("organization", organization, as_stated=as_stated, exclude={*LISTS, *without})
    for name in LISTS:
        for entry in getattr(organization, name) or ():
            yield _line(_KINDS[name], entry, as_stated=as_stated)


def _line(kind: str, entry: Entry, *, as_stated: bool, exclude: set[str] | None = None) -> str:
    text = entry.model_dump_json(
        exclude_unset=as_stated, exclude_defaults=not as_stated, exclude=exclude
    )
    return f'{{"kind":"{kind}",{text[1:]}\n'
