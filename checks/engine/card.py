"""What a rule says of itself: the card at the head of its file."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from inventory.text.display import describe

Severity = Literal["critical", "high", "medium", "low", "advisory"]
Basis = Literal["required", "recommended", "derived"]

Need = Literal["keys", "databases"]

Role = Literal[
    "key-needed",
    "key-used",
    "key-first",
    "key-id",
    "key-shows-use",
    "key-unchanged",
    "key-views",
    "population",
    "proof",
    "which-key",
]
"""What reports and other rules read from the findings of a rule, as it is no rule's name.

- ``key-needed``: whether a key scope needs a key, and whether one is registered.
- ``key-used``: each registered key, by whether it has a database to encrypt.
- ``key-first``: each database in each region, by whether its key came first.
- ``key-id``: each registered key, by whether its id is that of its key scope.
- ``key-shows-use``: each registered key with existing databases, by whether anything uses it.
- ``key-unchanged``: each key scope whose key changed without an explanation.
- ``key-views``: whether the ways in which Astra shows keys agree.
- ``population``: whether an organization was read in full, and lately.
- ``proof``: it must pass in a key scope before that counts as covered.
- ``which-key``: whether what is registered for a key scope is really its own key.
"""

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "advisory")
"""All severities, the worst first."""

OVERVIEW = "Prepare to use customer-managed encryption keys with Astra Managed Clusters"
"""Title of the vendor's page on how many keys are needed, and when."""

MANAGE = "Manage customer-managed encryption keys in Astra"
"""Title of the vendor's page on viewing, rotating and deleting keys."""


class Quote(BaseModel):
    """A sentence of the vendor's documentation on which a rule rests.

    Attributes:
        sentence: the words, as they are there.
        page: the title of the page.
        heading: the heading above them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentence: str
    page: str
    heading: str


class Card(BaseModel):
    """The identity of a rule and everything a reader needs to judge the rule itself.

    Attributes:
        id: ``CMEK-`` and two digits; stable for ever, never reused.
        check: the name of the check function and of its file.
        title: the compliant state, in one sentence.
        basis: ``required`` or ``recommended`` by the documentation, or ``derived`` from it.
        severity: of a failure; what is only recommended is ``advisory``.
        severity_planned: of a failure that can still be prevented; None if it is the same.
        subject: what one finding is about.
        needs: the lists that must be whole, else the rule is inconclusive for the organization;
            a rule without needs answers for gaps in its own judge.
        causes: what each cause of a failure means, by its code with what it concerns.
        rationale: why the rule matters.
        quotes: the sentences it rests on.
        remediation: what to do about a failure.
        no_subject: what it means if the inventory holds nothing the rule speaks of.
        roles: what else is read from its findings; most rules have none. Not part of the record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    check: str
    title: str
    basis: Basis
    severity: Severity
    severity_planned: Severity | None = None
    subject: str
    needs: tuple[Need, ...] = ()
    causes: dict[str, str]
    rationale: str
    quotes: tuple[Quote, ...]
    remediation: str
    no_subject: str
    roles: Annotated[tuple[Role, ...], Field(exclude=True)] = ()


def rank(severity: Severity) -> int:
    """Return the place of ``severity`` among all, 0 for the worst."""
    return SEVERITIES.index(severity)


def unknown_rule(found: str, rules: Collection[str]) -> tuple[str, str]:
    """Return what was found in place of a rule's id, and what is expected; ``rules`` has them."""
    return describe(found), f"the id of a rule, {min(rules)} to {max(rules)}"
