"""Actions that several rules ask for, so that they ask for one and the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind, code_of
from checks.engine.context import scope_label
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.actions import Action
    from inventory.index.deployments import Deployment
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.key import KeyScope
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PartiallyShown

FIND_TYPE = ActionKind(
    code="state-type",
    sentence=(
        "Find out the type of each database with an unknown tier, and state it in the inventory"
    ),
    purpose="prove",
    who="we",
    steps=(
        "Look up each database with an unknown tier in the Astra portal.",
        "State its type in the inventory: serverless or managed-clusters.",
        "Run the audit again.",
    ),
).on()

HIDDEN = "Put nonsensitive() around the hidden value, or do not mark it as sensitive"
"""What helps with a value that Terraform hides: it hides it in every plan and every state."""

REVEAL_STATE = ActionKind(
    code="reveal-state",
    sentence=f"{HIDDEN}; then audit a new plan or state",
    purpose="prove",
    who="we",
    steps=(
        "Find the value that Terraform hides: the finding names its address.",
        "Put nonsensitive() around it, or remove the sensitive mark from its variable or output.",
        "Write a new plan or state as JSON, and audit it.",
    ),
).on()
_REVEAL = ActionKind(
    code="reveal-plan",
    sentence=f"{HIDDEN}; then audit a new plan",
    purpose="prove",
    who="we",
    steps=(
        "Find the value that Terraform hides: the finding names its address.",
        "Put nonsensitive() around it, or remove the sensitive mark from its variable or output.",
        "Write a new plan as JSON, and audit it before you apply it.",
    ),
).on()
_REVEAL_AND_DETERMINE = ActionKind(
    code="reveal-and-determine",
    sentence=f"{HIDDEN}; then audit a plan in which the rest is known, too",
    purpose="prove",
    who="we",
    steps=(
        "Put nonsensitive() around each hidden value, or remove its sensitive mark.",
        "Give the other missing values a fixed value, or apply first what they come from.",
        "Write a new plan as JSON, and audit it before you apply it.",
    ),
).on()
_DETERMINE = ActionKind(
    code="determine-plan",
    sentence="Plan again once the missing values are known, and audit that plan",
    purpose="prove",
    who="we",
    steps=(
        "Apply first what the missing values come from, or give them a fixed value.",
        "Write a new plan as JSON, and audit it before you apply it.",
    ),
).on()

REGISTER_KEY = ActionKind(
    code="register-key",
    sentence="Register a key for {scope}",
    purpose="repair",
    who="we",
    sentence_for_several="Register {number} keys for {name}: {scopes}",
    steps=(
        (
            "Have the cloud administrators create a key for exactly this database type, provider "
            "and region, and grant it to Astra."
        ),
        "Register the key in Astra for the same type, provider and region: the key plan shows how.",
        "Re-collect the organization, and check that the key is listed.",
        "Deploy planned databases only after that.",
        "Recreate the databases that exist already: a new key does not encrypt them.",
    ),
)

_RECREATE_WITH_KEY = ActionKind(
    code="recreate-without-key",
    sentence="Recreate {database} once a key for {scope} is registered, and migrate its data",
    purpose="repair",
    who="we",
    sentence_for_all=(
        "Recreate {databases} without a key ({names}) once one is registered, and migrate {their} "
        "data"
    ),
    after="register-key",
    steps=(
        "Register a key for the database's type, provider and region first.",
        "Re-collect the organization, and check that the key is listed.",
        "Create a new database in the same region.",
        "Migrate the data, and switch the applications over.",
        "Terminate the old database once nothing uses it.",
    ),
)
_RECREATE = ActionKind(
    code="recreate-older-than-key",
    sentence="Recreate {database}, deployed before its key, and migrate its data",
    purpose="repair",
    who="we",
    sentence_for_all=(
        "Recreate {databases} deployed before {their} key ({names}) and migrate {their} data"
    ),
    steps=(
        "Check that the registered key is the right one, and usable.",
        (
            "Create a new database in the same region: the registered key encrypts only what is "
            "deployed after it."
        ),
        "Migrate the data, and switch the applications over.",
        "Terminate the old database once nothing uses it.",
    ),
)
_RECREATE_ON_ASTRA_KEYS = ActionKind(
    code="recreate-on-astra-keys",
    sentence="Recreate {database}, which its key does not encrypt, and migrate its data",
    purpose="repair",
    who="we",
    sentence_for_all=(
        "Recreate {databases} that {their} key does not encrypt ({names}) and migrate {their} data"
    ),
    steps=(
        "Check that the registered key is the right one, and usable.",
        (
            "Create a new database in the same region, and look in the Astra portal whether the "
            "key encrypts it."
        ),
        "Migrate the data, and switch the applications over.",
        "Terminate the old database once nothing uses it.",
    ),
)
_FOR_ALL = {
    kind.code: kind.sentence_for_all
    for kind in (_RECREATE_WITH_KEY, _RECREATE, _RECREATE_ON_ASTRA_KEYS)
}
MOST_NAMES = 3
"""How many databases the sentence of an action names; the others are counted."""

FIND_KEY_IN_USE = ActionKind(
    code="find-key-in-use",
    sentence="Find out which key Astra uses for {scope}, and correct the record or ask IBM Support",
    purpose="prove",
    who="we",
    sentence_for_several="Find out which keys Astra uses in {number} key scopes: {scopes}",
    steps=(
        "Look up in the Astra portal which key the region uses.",
        "Correct the record if it lists another key.",
        "Ask IBM Support if the portal does not show it.",
    ),
)
FIND_SUPPORT_CASE = ActionKind(
    code="find-support-case",
    sentence="Find the support case that changed the key of {scope}",
    purpose="prove",
    who="we",
    sentence_for_several="Find the support cases that changed {number} keys: {scopes}",
    steps=(
        "Look for the case with IBM Support that changed the key.",
        "Record it in the inventory with its ticket and the day it took effect.",
        "If there is none, ask IBM Support what happened, and change nothing before they answer.",
    ),
)
_ATTEST_NO_DATABASE = ActionKind(
    code="attest-no-database",
    sentence="Attest that {name} has no database yet, or let the token see its databases",
    purpose="prove",
    who="we",
    steps=(
        "Check in the Astra portal whether the organization has a database.",
        "If it has none, attest that with name and day.",
        "If it has some, give the token the permission to list them, and re-collect.",
    ),
)
_SEPARATE_SCOPES = ActionKind(
    code="separate-scopes",
    sentence="Give each key scope a key of its own instead of {key}",
    purpose="repair",
    who="IBM Support",
    sentence_for_several="Give each key scope a key of its own instead of {number} shared keys",
    steps=(
        "Have the cloud administrators create a key for each further type, provider and region.",
        (
            "Open a case with IBM Support to replace the shared key there: nobody else can change "
            "a registered key."
        ),
        "Record the case with its ticket and day, and re-collect.",
        "Correct a planned key in the plan before it is applied.",
    ),
)
_RECORD_KEY_ID = ActionKind(
    code="record-key-id",
    sentence="Record the id of the key itself instead of {key}",
    purpose="prove",
    who="we",
    sentence_for_several="Record the ids of the keys themselves instead of {number} other names",
    steps=(
        "Look up in the cloud which key the recorded name means.",
        "Record the id of that key in the inventory.",
        "Run the audit again.",
    ),
)


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


def recreate_on_astra_keys(deployment: Deployment) -> Action:
    """Return the repair of a database that is shown not to be encrypted by its key."""
    database = deployment.database.name
    return _RECREATE_ON_ASTRA_KEYS.on(*deployment.scope[1:], database=database)


def attest_no_database(organization: Organization) -> Action:
    """Return what resolves that Astra lists no database."""
    return _ATTEST_NO_DATABASE.on(name=organization.name)


def separate_scopes(key_id: str) -> Action:
    """Return what to do about a key that serves several key scopes."""
    return _SEPARATE_SCOPES.on(key_id, key=key_id)


def record_key_id(key_id: str) -> Action:
    """Return what to do about an id that may hide which key it is."""
    return _RECORD_KEY_ID.on(key_id, key=key_id)
