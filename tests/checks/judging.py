"""What the tests of the rules have in common: judging by one rule, and naming what was judged."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.engine.catalogue import load_rules
from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import Finding, Subject
from inventory.history import read_history
from inventory.model.database import Database
from tests.builders import AS_OF, database_data, document_data, write_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from checks.engine.card import Severity
    from checks.engine.catalogue import Rule
    from checks.engine.finding import Status
    from inventory.history import History
    from inventory.model.organization import Organization

RULES: dict[str, Rule] = {rule.card.id: rule for rule in load_rules()}
CONTEXT = Context(AS_OF)


def of_unknown_type(**over: object) -> Database:
    """Make an existing database in aws/us-east-1 whose tier tells no type."""
    data = database_data(tier="developer", **over)
    del data["type"]
    return Database.model_validate(data)


def judged(rule: str, *organizations: Organization, context: Context = CONTEXT) -> list[Finding]:
    """Return every finding of one rule about ``organizations``, told by its id."""
    return list(evaluate(organizations, [RULES[rule]], context))


def judged_once(rule: str, *organizations: Organization, context: Context = CONTEXT) -> Finding:
    """Return the only finding of one rule about ``organizations``."""
    (finding,) = judged(rule, *organizations, context=context)
    return finding


def statuses(rule: str, *organizations: Organization, context: Context = CONTEXT) -> list[Status]:
    """Return the statuses of all findings of one rule, sorted."""
    return sorted(finding.status for finding in judged(rule, *organizations, context=context))


def causes(rule: str, *organizations: Organization, context: Context = CONTEXT) -> list[str]:
    """Return the causes of all findings of one rule, in their order."""
    return [finding.cause for finding in judged(rule, *organizations, context=context)]


def counts(findings: list[Finding]) -> dict[Status, int]:
    """Return how many findings there are of each status."""
    return dict(Counter(finding.status for finding in findings))


def earlier(folder: Path, **records: Mapping[str, Any]) -> History:
    """Write each of ``records`` by its day, ``on_2026_06_01``, and read them back as history."""
    files = []
    for name, organization in records.items():
        day = name.removeprefix("on_").replace("_", "-")
        document = document_data(organization, captured_at=f"{day}T00:00:00Z")
        files.append(write_yaml(folder / f"{name}.yaml", document))
    return read_history(files)


def a_finding(
    status: Status = "fail",
    path: str = "acme/serverless/aws/us-east-1",
    *,
    rule: str = "CMEK-01",
    severity: Severity = "high",
    name: str = "",
    organization: str | None = None,
) -> Finding:
    """Make a finding about a key scope, of the organization with which ``path`` begins.

    One that complies has no cause.
    """
    owner = path.partition("/")[0] if organization is None else organization
    subject = Subject("key-scope", path, owner, "serverless", "aws", "us-east-1")
    cause = "" if status in {"pass", "not-applicable"} else "without-key"
    return Finding(status, rule, severity, subject, cause, f"It is {status}.", name=name)
