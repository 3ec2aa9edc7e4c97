"""CMEK-07: a key id belongs to the provider and region it is registered for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import MANAGE, OVERVIEW, Card, Quote
from checks.engine.finding import fails, key_subject, passes
from checks.engine.outcome import report_outcome
from checks.shared.planned_keys import as_planned, planned_keys, undetermined_keys, without_id
from checks.shared.verdicts import with_databases_of
from inventory.model.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.actions import Action
    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import SourceLocation
    from inventory.model.key import KeyScope
    from inventory.model.key_ids import KeyId
    from inventory.model.planned_keys import PlannedKey

CARD = Card(
    id="CMEK-07",
    check="check_key_id_matches_scope",
    title="A key id belongs to the provider and region it is registered for",
    basis="derived",
    severity="high",
    severity_planned="critical",
    subject="key, registered or planned",
    needs=("keys",),
    causes={
        "unknown-form": "The id has the form of no provider.",
        "other-provider": "The id is one of another provider.",
        "other-region": "The id names another region.",
        "other-partition": "The id names a partition that does not have the region.",
        "alias": "The id names an alias, not a key.",
    },
    rationale=(
        "A key belongs to one provider, and mostly to one region, and its id shows which. An id "
        "that contradicts its registration cannot be the key that encrypts there."
    ),
    quotes=(
        Quote(
            sentence=(
                "The keyID is the registered key’s ARN (for AWS) or resource name (for GCP)."
            ),
            page=MANAGE,
            heading="Get encryption keys for one region with the DevOps API",
        ),
        Quote(
            sentence=(
                "In Astra, customer keys are associated with a specific cloud provider and region, "
                "and then the same key encrypts all databases that are deployed to that key’s "
                "cloud provider and region."
            ),
            page=OVERVIEW,
            heading="Determine how many keys you need",
        ),
    ),
    remediation=(
        "Compare the record with what Astra shows for that region. If Astra really holds this id, "
        "open a case with IBM Support: a registered key can be replaced in no other way. Correct a "
        "plan before it is applied: Terraform cannot undo a registration."
    ),
    no_subject="The audit holds no customer key, registered or planned.",
    roles=("key-id", "proof", "which-key"),
)

_CORRECT_OR_REPLACE = ActionKind(
    code="correct-or-replace-key",
    sentence="Correct the record of the key {key}, or have IBM Support replace it",
    purpose="repair",
    who="IBM Support",
    sentence_for_several=(
        "Correct the records of {number} keys, or have IBM Support replace the keys"
    ),
    steps=(
        "Compare the record with what Astra shows for that region.",
        "Correct the record if it differs.",
        "Open a case with IBM Support to replace the key if Astra really holds this id.",
        "Record the case with its ticket and day.",
    ),
)
_CORRECT_PLAN = ActionKind(
    code="correct-planned-key",
    sentence="Correct the id of the planned key {key}",
    purpose="repair",
    who="we",
    sentence_for_several="Correct the ids of {number} planned keys",
    steps=(
        "Look up in the cloud the id of the key for that provider and region.",
        "Put it into the plan.",
        "Audit the new plan before you apply it: Terraform cannot undo a registration.",
    ),
)

_PARTITIONS = (("us-gov-", "aws-us-gov"), ("cn-", "aws-cn"), ("", "aws"))


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by its id alone."""
    for scope, keys in index.keys.items():
        for key in keys:
            action = _CORRECT_OR_REPLACE.on(key.key_id, key=key.key_id)
            for finding in _judge_key(scope, key.key_id, key.location, action):
                yield with_databases_of(finding, index, [scope])
    yield from undetermined_keys(CARD, index)
    for scope, planned in planned_keys(index):
        yield from _judge_planned(index, scope, planned)


def _judge_planned(index: OrganizationIndex, scope: KeyScope, key: PlannedKey) -> Iterator[Finding]:
    if key.key_id is None:
        yield without_id(CARD, index, key)
        return
    planned = key.resource or key.key_id
    action = _CORRECT_PLAN.on(planned, key=planned)
    for finding in _judge_key(scope, key.key_id, key.location, action):
        yield as_planned(finding, CARD, index, key)


def _judge_key(
    scope: KeyScope, key_id: str, place: SourceLocation, action: Action
) -> Iterator[Finding]:
    subject, where = key_subject(scope, key_id), (place,)
    parsed = parse_key_id(key_id)
    mismatches = list(_mismatches(parsed, scope))
    for cause, message in mismatches:
        yield fails(CARD, subject, cause, message, where, action)
    if not mismatches:
        message = f"The id names {scope.provider} and {scope.region}."
        if parsed.region is None:
            message = "The id has the form of an Azure key identifier, which holds no region."
        yield passes(CARD, subject, message, where)


def _mismatches(parsed: KeyId, scope: KeyScope) -> Iterator[tuple[str, str]]:
    """Yield cause and sentence of each mismatch between an id and ``scope``."""
    if parsed.form == "unknown":
        yield "unknown-form", "The id has the form of no provider's key."
    elif parsed.provider != scope.provider:
        message = f"The id is one of {parsed.provider}, but the key is for {scope.provider}."
        yield "other-provider", message
    else:
        if parsed.form == "alias":
            yield "alias", "The id is an alias, not the ARN of a key."
        if parsed.region not in {None, scope.region}:
            message = f"The id names the region {parsed.region}, but the key is for {scope.region}."
            yield "other-region", message
        if parsed.partition not in {None, _partition(scope.region)}:
            message = f"The partition {parsed.partition} has no region {scope.region}."
            yield "other-partition", message


def _partition(region: str) -> str:
    return next(name for prefix, name in _PARTITIONS if region.startswith(prefix))


def check_key_id_matches_scope(group: FindingGroup) -> None:
    """A key id belongs to the provider and region it is registered for."""
    report_outcome(group)
