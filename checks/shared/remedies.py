"""Actions that several rules ask for, so that they ask for one and the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind, code_of
from checks.engine.context import scope_label
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.actions import Action
    from inventory.model.key import KeyScope
    from inventory.model.organization import Organization
    from inventory.model.organization_index import Deployment, OrganizationIndex
    from inventory.model.planned_keys import PartiallyShown

FIND_TYPE = ActionKind(
    "state-type",
    "Find out the type of each database with an unknown tier, and state it in the inventory",
).on()

HIDDEN = "Put nonsensitive() around the hidden value, or do not mark it as sensitive"
"""What helps with a value that Terraform hides: it hides it in every plan and every state."""

REVEAL_STATE = ActionKind("reveal-state", f"{HIDDEN}; then audit a new plan or state").on()
_REVEAL = ActionKind("reveal-plan", f"{HIDDEN}; then audit a new plan").on()
_REVEAL_AND_DETERMINE = ActionKind(
    "reveal-and-determine", f"{HIDDEN}; then audit a plan in which the rest is known, too"
).on()
_DETERMINE = ActionKind(
    "determine-plan", "Plan again once the missing values are known, and audit that plan"
).on()

REGISTER_KEY = ActionKind("register-key", "Register a key for {scope}")

_RECREATE_WITH_KEY = ActionKind(
    "recreate-without-key",
    "Recreate {database} once a key for {scope} is registered, and migrate its data",
    "Recreate {databases} without a key ({names}) once one is registered, and migrate {their} data",
)
_RECREATE = ActionKind(
    "recreate-older-than-key",
    "Recreate {database}, deployed before its key, and migrate its data",
    "Recreate {databases} deployed before {their} key ({names}) and migrate {their} data",
)
_FOR_ALL = {kind.code: kind.sentence_for_all for kind in (_RECREATE_WITH_KEY, _RECREATE)}
MOST_NAMES = 3
"""How many databases the sentence of an action names; the others are counted."""

FIND_KEY_IN_USE = ActionKind(
    "find-key-in-use",
    "Find out which key Astra uses for {scope}, and correct the record or ask IBM Support",
)
FIND_SUPPORT_CASE = ActionKind(
    "find-support-case", "Find the support case that changed the key of {scope}"
)
_ATTEST_NO_DATABASE = ActionKind(
    "attest-no-database",
    "Attest that {name} has no database yet, or let the token see its databases",
)
_SEPARATE_SCOPES = ActionKind(
    "separate-scopes", "Give each key scope a key of its own instead of {key}"
)
_RECORD_KEY_ID = ActionKind("record-key-id", "Record the id of the key itself instead of {key}")


def sentence_for_all(action_id: str, sentence: str, databases: int, names: Sequence[str]) -> str:
    """Return what to do about all findings of an action, of which ``sentence`` is the first's.

    ``names`` are those of its ``databases``, as far as they are known.
    """
    template = _FOR_ALL.get(code_of(action_id))
    if not template:
        return sentence
    shown = names[:MOST_NAMES]
    hidden = databases - len(shown)
    more = f" and {hidden:,} more" if hidden > 0 else ""
    return template.format(
        databases=pluralize(databases, "database"),
        names=f"{', '.join(shown)}{more}",
        their="its" if databases == 1 else "their",
    )


def determine(planned: Sequence[PartiallyShown]) -> Action:
    """Return what helps to know what a plan does not show of ``planned`` databases or keys."""
    if not any(planned_part.is_hidden for planned_part in planned):
        return _DETERMINE
    is_later = any(planned_part.is_later for planned_part in planned)
    return _REVEAL_AND_DETERMINE if is_later else _REVEAL


def for_scope(kind: ActionKind, index: OrganizationIndex, scope: KeyScope) -> Action:
    """Return a step for a key scope, whose sentence names that as ``scope``."""
    return kind.on(*scope[1:], scope=scope_label(index.organization, scope))


def missing_key_action(index: OrganizationIndex, deployment: Deployment) -> Action:
    """Return what to do about a database without a key.

    A key that is registered now prevents the failure of what is planned. It does not help what
    exists, which stays on Astra's keys until it is recreated.
    """
    scope = deployment.scope
    if deployment.is_planned:
        return for_scope(REGISTER_KEY, index, scope)
    name, label = deployment.database.name, scope_label(index.organization, scope)
    return _RECREATE_WITH_KEY.on(*scope[1:], database=name, scope=label)


def recreate(deployment: Deployment) -> Action:
    """Return the repair of a database that was deployed before its key."""
    return _RECREATE.on(*deployment.scope[1:], database=deployment.database.name)


def attest_no_database(organization: Organization) -> Action:
    """Return what resolves that Astra lists no database."""
    return _ATTEST_NO_DATABASE.on(name=organization.name)


def separate_scopes(key_id: str) -> Action:
    """Return what to do about a key that serves several key scopes."""
    return _SEPARATE_SCOPES.on(key_id, key=key_id)


def record_key_id(key_id: str) -> Action:
    """Return what to do about an id that may hide which key it is."""
    return _RECORD_KEY_ID.on(key_id, key=key_id)
