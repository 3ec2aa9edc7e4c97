"""What limits a plan or a state of Terraform without being wrong, for everybody to see."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from inventory.terraform.resource_types import DATABASE
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from inventory.terraform.resources import TerraformDocument
from inventory.terraform.resource_types import TYPE_NAME

NOT_COMPARED = "It is a state without a database of Astra, so nothing is compared with it."

PARTIAL = (
    "It holds a part of the configuration only: it was made with -target, or Terraform defers "
    "changes. Judge the plan that brings the rest, too."
)

NO_CHANGE = "Applying it would change nothing."

EMPTY = (
    "It has no database and no customer key of Astra: no astra_database, no astra_customer_key. If "
    "it should have, check the folder and the workspace in which it was made."
)

_MOST_TYPES = 5


def notes_of(told: TerraformDocument) -> Iterator[str]:
    """Yield what is to be known of a plan or a state, a sentence or two each."""
    if told.kind == "state":
        if not any(resource.type == DATABASE for resource in told.resources):
            yield NOT_COMPARED
        return
    if not told.is_complete:
        yield PARTIAL
    if not told.is_applyable:
        yield NO_CHANGE
    if not told.resources:
        yield EMPTY
    if told.look_alikes:
        yield _unread(told.look_alikes)


def _unread(look_alikes: Mapping[str, str]) -> str:
    """Name the types of ``look_alikes``, which are types by their addresses."""
    counts = Counter(look_alikes.values())
    named = [f"{count:,} {_shown(kind)}" for kind, count in sorted(counts.items())]
    more = f" and {len(named) - _MOST_TYPES:,} more types" if len(named) > _MOST_TYPES else ""
    return (
        "It has resources of Astra's provider that are not known here, so that a database or a "
        f"customer key among them is not judged: {', '.join(named[:_MOST_TYPES])}{more}."
    )


def _shown(kind: str) -> str:
    return kind if TYPE_NAME.fullmatch(kind) else describe(kind)
