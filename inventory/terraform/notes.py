"""Notes on the limits of a plan or a state that is not wrong; every report shows them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from inventory.terraform.resource_types import DATABASE, TYPE_NAME
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from inventory.terraform.resources import TerraformDocument

NOT_COMPARED = "This state holds no Astra database, so nothing is compared with it."

PARTIAL = (
    "This plan covers only a part of the configuration: it was made with -target, or Terraform "
    "defers changes. Audit the plan with the rest as well."
)

NO_CHANGE = "Applying this plan would change nothing."

EMPTY = (
    "This plan has no database and no customer key of Astra: no astra_database, no "
    "astra_customer_key. If it should have some, check the folder and the workspace it was made in."
)

_MOST_TYPES = 5


def notes_of(terraform: TerraformDocument) -> Iterator[str]:
    """Yield the notes on a plan or a state, a sentence or two each."""
    if terraform.kind == "state":
        if not any(resource.type == DATABASE for resource in terraform.resources):
            yield NOT_COMPARED
        return
    if not terraform.is_complete:
        yield PARTIAL
    if not terraform.is_applyable:
        yield NO_CHANGE
    if not terraform.resources:
        yield EMPTY
    if terraform.unknown_types:
        yield _unread(terraform.unknown_types)


def _unread(unknown_types: Mapping[str, str]) -> str:
    """Describe resources of unknown types; ``unknown_types`` has the type of each address."""
    counts = Counter(unknown_types.values())
    listed = [f"{count:,} {_shown(kind)}" for kind, count in sorted(counts.items())]
    more = f" and {len(listed) - _MOST_TYPES:,} more types" if len(listed) > _MOST_TYPES else ""
    return (
        "This plan has resources of Astra's provider with unknown types. A database or a customer "
        f"key among them is not judged: {', '.join(listed[:_MOST_TYPES])}{more}."
    )


def _shown(kind: str) -> str:
    return kind if TYPE_NAME.fullmatch(kind) else describe(kind)
