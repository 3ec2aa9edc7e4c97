"""What a judge returns: a finding, its subject, its status."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from checks.engine.identity import PLANNED, cached_escape, escape, finding_id, join, reason_of
from inventory.model.base import SourceLocation
from inventory.model.key_ids import parse_key_id
from inventory.model.vocabulary import PROVIDER_NAMES, TYPE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.engine.actions import Action
    from checks.engine.card import Card, Severity
    from inventory.index.deployments import Deployment
    from inventory.model.base import Located
    from inventory.model.database import Database
    from inventory.model.key import KeyScope
    from inventory.model.planned_keys import PlannedKey, UndeterminedKey
    from inventory.model.terraform_managed import UndeterminedDatabase

Status = Literal["pass", "fail", "inconclusive", "error", "not-applicable", "waived"]
Kind = Literal[
    "organization",
    "key-scope",
    "key",
    "planned-key",
    "key-id",
    "database",
    "database-region",
]
EvidenceKind = Literal["records", "order", "cloud", "portal", "attested"]
RestsOn = Literal["", "records", "order", "cloud", "portal", "attested"]
"""The kind of evidence on which a pass rests.

- ``records``: what Astra, a plan or a file states, compared with itself.
- ``order``: the order of dated times.
- ``cloud``: what the cloud's key management showed.
- ``portal``: a dated look at Astra's portal.
- ``attested``: the word of people alone.

Empty for what is no pass, and for a pass of which a rule states nothing: then it is ``attested`` if
people attest it, and else ``records``.
"""

EVIDENCE_KINDS: tuple[EvidenceKind, ...] = ("portal", "cloud", "order", "records", "attested")
"""The kinds of evidence, the strongest first."""

Change = Literal["", "new", "reopened", "worsened", "unclear", "unchanged"]

STATUSES: tuple[Status, ...] = (
    "error",
    "fail",
    "inconclusive",
    "waived",
    "pass",
    "not-applicable",
)
"""All statuses, in the order in which one of them represents a whole group."""

OPEN: frozenset[Status] = frozenset({"error", "fail", "inconclusive"})
"""The statuses of a finding that somebody has to do something about."""

COMPLYING: frozenset[Status] = frozenset({"pass", "not-applicable"})
"""The statuses of a finding without a cause."""

NOT_COMPLYING = tuple(status for status in STATUSES if status not in COMPLYING)
"""The statuses of a finding with a cause, the worst first."""

ACROSS = "across organizations"
"""The name of a subject's organization if the subject goes across organizations."""

KNOWN: Change = "unchanged"
"""The only change that a gate on what is new lets pass."""


class Subject(NamedTuple):
    """What a finding is about; parts that do not matter are empty.

    Attributes:
        kind: what it is.
        path: the parts joined and escaped: its identity, under which a waiver names it.
        organization: the organization's id; empty if the subject goes across organizations.
        type: the database type.
        provider: the cloud provider.
        region: the region.
        database: the database's id, or ``planned`` and its name if it has none yet.
        key: the key id.
    """

    kind: Kind
    path: str
    organization: str
    type: str = ""
    provider: str = ""
    region: str = ""
    database: str = ""
    key: str = ""


class Finding(NamedTuple):
    """What one rule found about one subject.

    Attributes:
        status: what was found.
        rule: the rule's id.
        severity: of a failure here.
        subject: what it is about.
        cause: why the subject does not comply, as a code with the thing it concerns where there
            can be several; empty if it complies. A subject has one finding for each cause.
        message: the condition that was found, in a sentence.
        reason: why it could not be judged or does not apply, as a code.
        action: what resolves it, in words.
        action_id: the id of that step; findings with the same id are one action.
        name: the subject's name for people, where it has one that is not its identity.
        databases: how many databases it concerns.
        existing: how many of them exist already.
        evidence: where the facts were read: file, line, and an address if Terraform manages it.
        waiver: the id of the waiver that covers it.
        change: what became of it since the baseline; empty if it is not open, or none was given.
        since: the time of the first audit in a row in which it was open; empty likewise.
        audits: in how many audits in a row it is open, this one included; 0 likewise.
        attested_by: of a pass, the people on whose attestation it depends; empty if what was
            observed is enough. The verdict counts them; the record of a finding leaves them out.
        rests_on: of a pass, the kind of evidence on which it rests.
    """

    status: Status
    rule: str
    severity: Severity
    subject: Subject
    cause: str
    message: str
    reason: str = ""
    action: str = ""
    action_id: str = ""
    name: str = ""
    databases: int = 0
    existing: int = 0
    evidence: tuple[SourceLocation, ...] = ()
    waiver: str = ""
    change: Change = ""
    since: str = ""
    audits: int = 0
    attested_by: tuple[str, ...] = ()
    rests_on: RestsOn = ""

    @property
    def id(self) -> str:
        """Return the hash of rule, subject and cause, the same in every run."""
        return finding_id(self.rule, self.subject.path, self.cause)

    @property
    def evidence_kind(self) -> EvidenceKind | None:
        """Return the kind of evidence on which a pass rests; None of what is no pass.

        What depends on the word of people rests on that, whatever else supports it. A look at the
        portal is somebody's word, too, and a kind of its own.
        """
        if self.status != "pass":
            return None
        if self.attested_by and self.rests_on != "portal":
            return "attested"
        return self.rests_on or "records"


def subject_name(organization: str, subject: Subject, name: str) -> str:
    """Name ``subject`` for people: ``acme-prod / orders / Serverless on AWS / us-east-1``.

    ``organization`` is the organization's name, and ``name`` that of the finding. Both are free
    text, and are not escaped.
    """
    parts = [organization or ACROSS]
    if subject.kind in {"database", "database-region"}:
        parts.append(name or subject.database)
    kind = TYPE_NAMES.get(subject.type, subject.type)
    provider = PROVIDER_NAMES.get(subject.provider, subject.provider)
    parts += [" on ".join(filter(None, (kind, provider))), subject.region, subject.key]
    return " / ".join(filter(None, parts))


def organization_subject(organization: str) -> Subject:
    """Return the subject that is an organization, by its id."""
    return Subject("organization", escape(organization), organization)


def scope_subject(scope: KeyScope) -> Subject:
    """Return the subject that is a key scope."""
    return Subject("key-scope", join(*scope), *scope)


@lru_cache(maxsize=1_024)  # nearly every rule on keys asks for the subjects of the same few keys
def key_subject(scope: KeyScope, key_id: str) -> Subject:
    """Return the subject that is a key registered for ``scope``; its versions are one subject."""
    same = parse_key_id(key_id).canonical
    path = join(scope.organization, "key", scope.type, scope.provider, scope.region, same)
    return Subject("key", path, *scope, key=key_id)


def planned_key_subject(scope: KeyScope, key: PlannedKey) -> Subject:
    """Return the subject that is a planned key: that of the key once it is registered.

    One without an id goes by its address.
    """
    if key.key_id:
        return key_subject(scope, key.key_id)._replace(kind="planned-key")
    own = f"planned {key.resource}"
    path = join(scope.organization, "key", scope.type, scope.provider, scope.region, own)
    return Subject("planned-key", path, *scope)


def undetermined_key_subject(organization: str, key: UndeterminedKey) -> Subject:
    """Return the subject that is a planned key whose key scope the plan does not show."""
    path = join(organization, "key", f"planned {key.resource}", "undetermined")
    return Subject("planned-key", path, organization)


def key_id_subject(organization: str, key_id: str) -> Subject:
    """Return the subject that is a key id in an organization, or across all if that is empty."""
    path = f"{escape(organization) or '.'}/{join('key-id', key_id)}"
    return Subject("key-id", path, organization, key=key_id)


def database_id_subject(organization: str, database: str) -> Subject:
    """Return the subject that is a database id across all organizations.

    ``organization`` is the one that a finding about it concerns; it is no part of the identity.
    """
    return Subject("database", f"./{join('database', database)}", organization, database=database)


def database_subject(organization: str, database: Database) -> Subject:
    """Return the subject that is a database in all its regions."""
    own = database.identity
    path = join(organization, "database", own)
    return Subject("database", path, organization, database.type, database.provider, database=own)


def planned_database_subject(organization: str, database: UndeterminedDatabase) -> Subject:
    """Return the subject that is a planned database whose regions the plan does not show."""
    own = f"planned {database.resource or database.name}"
    path = join(organization, "database", own, "undetermined")
    return Subject("database", path, organization, database=own)


def deployment_subject(deployment: Deployment) -> Subject:
    """Return the subject that is a database in one region."""
    own = deployment.database.id or deployment.database.identity
    organization, kind, provider, region = deployment.scope
    path = deployment_path(organization, own, region)
    return Subject("database-region", path, organization, kind, provider, region, own)


def deployment_path(organization: str, database: str, region: str) -> str:
    """Return the path of the subject that is a database in one region."""
    return f"{cached_escape(organization)}/database/{escape(database)}/{cached_escape(region)}"


def locations_of(entries: Iterable[Located]) -> tuple[SourceLocation, ...]:
    """Return where ``entries`` were read."""
    return tuple([entry.location for entry in entries])


def passes(
    card: Card,
    subject: Subject,
    message: str,
    evidence: tuple[SourceLocation, ...],
    *,
    attested_by: tuple[str, ...] = (),
    rests_on: RestsOn = "",
) -> Finding:
    """Find that ``subject`` complies; ``attested_by`` are the people on whose word it depends."""
    return Finding(
        "pass",
        card.id,
        card.severity,
        subject,
        "",
        message,
        evidence=evidence,
        attested_by=attested_by,
        rests_on=rests_on,
    )


def fails(
    card: Card,
    subject: Subject,
    cause: str,
    message: str,
    evidence: tuple[SourceLocation, ...],
    action: Action,
) -> Finding:
    """Find that ``subject`` does not comply for one ``cause``; ``action`` resolves it."""
    return Finding(
        "fail",
        card.id,
        card.severity,
        subject,
        cause,
        message,
        action=action.sentence,
        action_id=action.id_in(subject.organization),
        evidence=evidence,
    )


def inconclusive(
    card: Card,
    subject: Subject,
    cause: str,
    message: str,
    evidence: tuple[SourceLocation, ...],
    action: Action,
) -> Finding:
    """Find that ``subject`` cannot be judged; ``message`` names the fact that is missing."""
    finding = fails(card, subject, cause, message, evidence, action)
    return finding._replace(status="inconclusive", reason=reason_of(cause))


def not_applicable(
    card: Card, subject: Subject, message: str, evidence: tuple[SourceLocation, ...], reason: str
) -> Finding:
    """Find that the rule does not apply to ``subject``, and why."""
    return Finding(
        "not-applicable", card.id, card.severity, subject, "", message, reason, evidence=evidence
    )


def with_databases(finding: Finding, card: Card, databases: int, planned: int) -> Finding:
    """Add how many databases ``finding`` affects, and the severity that follows from that.

    ``planned`` is how many of the ``databases`` do not exist yet.
    """
    severity = card.severity_planned or card.severity if planned else card.severity
    return finding._replace(databases=databases, existing=databases - planned, severity=severity)


def for_database(finding: Finding, card: Card, database: Database) -> Finding:
    """Add to ``finding`` that it affects one ``database``, and that one's name.

    What is only planned has its own causes: its deployment is never a known finding.
    """
    cause = finding.cause
    if database.is_planned and cause and not cause.startswith(PLANNED):
        cause = f"{PLANNED}{cause}"
    named = finding._replace(name=database.name, cause=cause)
    return with_databases(named, card, 1, int(database.is_planned))
