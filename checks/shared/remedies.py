"""What several rules say is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.context import scope_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inventory.model.organization import Organization
    from inventory.model.organization_index import Deployment, OrganizationIndex
    from inventory.model.planned_keys import PartiallyShown

FIND_TYPE = "Find out the type of the databases of unknown tier, and state it"

DETERMINE = "Plan again once what the plan does not tell is known, and judge that plan"

REVEAL = "Put nonsensitive() around the value that is hidden, or do not mark it as sensitive"
"""What helps with a value that Terraform hides: it does so in every plan, and in every state."""

REVEAL_STATE = f"{REVEAL}; judge a new plan or state"
"""What helps with a value that a state hides."""


def determine(planned: Sequence[PartiallyShown]) -> str:
    """Return what helps to know of ``planned`` databases or keys what a plan does not show."""
    if not any(each.is_hidden for each in planned):
        return DETERMINE
    if any(each.is_later for each in planned):
        return f"{REVEAL}; judge a plan in which the rest is known, too"
    return f"{REVEAL}; judge a new plan"


def missing_key_action(index: OrganizationIndex, deployment: Deployment) -> str:
    """Return what to do about a database without a key.

    A key that is registered now prevents the failure of what is planned. It does not help what
    exists, which stays on Astra's keys until it is recreated.
    """
    named = scope_label(index.organization, deployment.scope)
    if deployment.is_planned:
        return f"Register a key for {named}"
    return f"Recreate the databases of {named} once its key is registered"


def rival_keys_action(named: str) -> str:
    """Return what to do about several keys that are claimed for the scope ``named``."""
    return f"Find out which key Astra uses for {named}, and correct the record or ask IBM Support"


def attest_none(organization: Organization) -> str:
    """Say what would settle that Astra lists no database."""
    return f"Attest that {organization.name} has no database yet, or let the token see them"
