"""CMEK-04: no customer key is planned, expected or registered for Managed Clusters on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import (
    database_subject,
    fails,
    for_database,
    inconclusive,
    key_subject,
    passes,
    planned_key_subject,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.shared.planned_keys import as_planned, planned_keys
from checks.shared.remedies import FIND_TYPE
from checks.shared.verdicts import Verdict, database_location, with_databases_of
from inventory.index.organization_index import has_no_customer_keys
from inventory.model.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.deployments import Deployment
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import SourceLocation
    from inventory.model.key import KeyScope
    from inventory.model.planned_keys import PlannedKey

CARD = Card(
    id="CMEK-04",
    check="check_azure_managed_clusters",
    title="No customer key is planned, expected or registered for Managed Clusters on Azure",
    basis="required",
    severity="high",
    subject="database or key of Managed Clusters on Azure",
    needs=("keys", "databases"),
    causes={
        "key-expected:REGION": "The database is expected to have a customer key there.",
        "key-registered": "A customer key is recorded where there can be none.",
    },
    rationale=(
        "Customer keys do not exist there. Whoever expects one for such a database relies on a "
        "protection that it cannot have."
    ),
    quotes=(
        Quote(
            sentence=(
                "Astra Managed Clusters databases don’t support customer key encryption in "
                "Microsoft Azure regions."
            ),
            page=OVERVIEW,
            heading="Configure customer key encryption",
        ),
    ),
    remediation=(
        "Deploy the database to AWS or Google Cloud, or as Serverless, if it must be encrypted by "
        "a customer key; else declare it astra-provided, with the reason."
    ),
    no_subject="The inventory holds neither a database nor a key of Managed Clusters on Azure.",
)

_MOVE_OR_DECLARE = ActionKind(
    code="move-or-declare",
    sentence=(
        "Move the Managed Clusters of {name} on Azure elsewhere, or declare them astra-provided"
    ),
    purpose="repair",
    who="we",
    steps=(
        "Decide whether the databases must be encrypted by a customer key.",
        (
            "If so, deploy them to AWS or Google Cloud, or as Serverless, and register the key "
            "there first."
        ),
        "If not, declare them astra-provided in the inventory, with the reason.",
    ),
)
_FIND_PURPOSE = ActionKind(
    code="find-key-purpose",
    sentence="Find out what the key {key} was registered for",
    purpose="repair",
    who="we",
    sentence_for_several="Find out what {number} keys were registered for",
    steps=(
        "Ask whoever registered the key which databases it was meant for.",
        "Tell them that Astra has no customer keys for Managed Clusters on Azure.",
        "Ask IBM Support to remove the key, and never while a database or a backup depends on it.",
    ),
)
_REMOVE_FROM_PLAN = ActionKind(
    code="remove-key-from-plan",
    sentence="Remove the key {key} from the plan",
    purpose="repair",
    who="we",
    sentence_for_several="Remove {number} keys from the plan",
    steps=(
        "Remove the key from the plan: Astra has no customer keys for this combination.",
        "Audit the new plan before you apply it: Terraform cannot undo a registration.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each database and each key of that kind, and each that may be of it."""
    for deployments in index.by_database(_there):
        for finding in _judge_database(index, _there(deployments)):
            yield for_database(finding, CARD, deployments[0].database)
    for scope, key_id, place in _keys(index):
        yield with_databases_of(_judge_key(scope, key_id, place), index, [scope])
    for scope, key in planned_keys(index):
        if has_no_customer_keys(scope):
            yield _judge_planned(index, scope, key)


def _there(deployments: tuple[Deployment, ...]) -> list[Deployment]:
    """Return those of ``deployments`` that are of that kind, or may be."""
    return [deployment for deployment in deployments if _may_be_of_the_kind(deployment.scope)]


def _keys(index: OrganizationIndex) -> Iterator[tuple[KeyScope, str, SourceLocation]]:
    """Yield each key that the list, or else the view of one region, shows where there is none."""
    seen: set[tuple[KeyScope, str]] = set()
    listed = [
        (scope, key.key_id, key.location) for scope, keys in index.keys.items() for key in keys
    ]
    shown = [(scope, view.key_id, view.location) for scope, view in index.views()]
    for scope, key_id, place in (*listed, *shown):
        canonical = parse_key_id(key_id).canonical if key_id else ""
        if key_id and has_no_customer_keys(scope) and (scope, canonical) not in seen:
            seen.add((scope, canonical))
            yield scope, key_id, place


def _may_be_of_the_kind(scope: KeyScope) -> bool:
    return has_no_customer_keys(scope) or (scope.provider == "azure" and scope.type == "unknown")


def _judge_database(index: OrganizationIndex, deployments: list[Deployment]) -> Iterator[Finding]:
    """Yield one finding for each region in which a key is expected; one pass if there is none."""
    database = deployments[0].database
    subject, where = database_subject(index.organization.id, database), database_location(database)
    with_key = [deployment for deployment in deployments if deployment.expects_customer_key]
    if not with_key:
        message = (
            f"The database is declared to use Astra's keys: {deployments[0].expectation.reason}"
        )
        yield passes(CARD, subject, message, where)
    elif database.type == "unknown":
        message = (
            f"Tier {database.tier!r} does not show whether this is a Managed Clusters database."
        )
        yield inconclusive(CARD, subject, "unknown-type", message, where, FIND_TYPE)
    else:
        for deployment in with_key:
            verdict, (_, _, provider, region) = _expected(index, deployment), deployment.scope
            there = subject._replace(provider=provider, region=region)
            yield verdict.on_subject(CARD, there, where, is_planned=deployment.is_planned)


def _expected(index: OrganizationIndex, deployment: Deployment) -> Verdict:
    region = deployment.scope.region
    message = (
        f"A customer key is expected in {region}, where Astra supports none: it uses its own keys."
    )
    action = _MOVE_OR_DECLARE.on(name=index.organization.name)
    return Verdict("fail", message, action=action, cause=cause_of("key-expected", region))


def _judge_key(scope: KeyScope, key_id: str, place: SourceLocation) -> Finding:
    message = "The record shows a customer key where Astra supports none."
    action = _FIND_PURPOSE.on(key_id, key=key_id)
    return fails(CARD, key_subject(scope, key_id), "key-registered", message, (place,), action)


def _judge_planned(index: OrganizationIndex, scope: KeyScope, key: PlannedKey) -> Finding:
    message = "The plan registers a customer key where Astra supports none."
    action = _REMOVE_FROM_PLAN.on(key.key_id or key.resource, key=str(key.key_id))
    finding = fails(CARD, planned_key_subject(scope, key), "key-registered", message, (), action)
    return as_planned(finding, CARD, index, key)


def check_azure_managed_clusters(group: FindingGroup) -> None:
    """No customer key is planned, expected or registered for Managed Clusters on Azure."""
    report_outcome(group)
