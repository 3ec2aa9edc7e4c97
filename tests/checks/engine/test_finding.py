from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.actions import ActionKind
from checks.engine.finding import (
    EVIDENCE_KINDS,
    OPEN,
    STATUSES,
    EvidenceKind,
    RestsOn,
    Status,
    Subject,
    database_subject,
    deployment_subject,
    fails,
    for_database,
    inconclusive,
    key_id_subject,
    key_subject,
    locations_of,
    not_applicable,
    organization_subject,
    passes,
    scope_subject,
    subject_name,
    with_databases,
)
from checks.engine.identity import finding_id
from inventory.index.organization_index import index_organization
from inventory.model.key import KeyScope
from tests.builders import (
    DATABASE,
    ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
)
from tests.checks.judging import RULES, a_finding
from tests.hypothesis_profile import examples

CARD = RULES["CMEK-01"].card
LOOK = ActionKind("look", "Look", purpose="prove", who="we", steps=("Look at it.",)).on()
SCOPE = KeyScope("acme/1", "serverless", "aws", "us-east-1")
NO_PASS = [status for status in STATUSES if status != "pass"]
PARTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)


def test_statuses_are_all_there_are() -> None:
    """Each status has its place in the order in which they speak for a group."""
    assert set(STATUSES) == set(get_args(Status))
    assert len(STATUSES) == len(set(STATUSES)) == 6
    assert set(OPEN) == {"error", "fail", "inconclusive"}


def test_kinds_of_evidence_are_all_there_are() -> None:
    """Each kind of evidence has its place in their order, the word of people the last."""
    assert set(EVIDENCE_KINDS) == set(get_args(EvidenceKind)) == set(get_args(RestsOn)) - {""}
    assert (len(EVIDENCE_KINDS), EVIDENCE_KINDS[-1]) == (5, "attested")


@pytest.mark.parametrize(
    ("rests_on", "attested_by", "kind"),
    [
        ("", (), "records"),
        ("", ("Ada",), "attested"),
        ("order", (), "order"),
        ("order", ("Ada",), "attested"),
        ("cloud", (), "cloud"),
        ("cloud", ("Ada",), "attested"),
        ("portal", (), "portal"),
        ("portal", ("Ada",), "portal"),
        ("attested", (), "attested"),
    ],
)
def test_a_pass_rests_on_the_weakest_of_its_evidence(
    rests_on: RestsOn, attested_by: tuple[str, ...], kind: EvidenceKind
) -> None:
    """What depends on somebody's word rests on it; a look at the portal is a kind of its own."""
    passing = a_finding("pass")._replace(rests_on=rests_on, attested_by=attested_by)
    assert passing.evidence_kind == kind
    assert {passing._replace(status=status).evidence_kind for status in NO_PASS} == {None}


def test_a_finding_is_known_by_rule_subject_and_cause() -> None:
    """The id of a finding depends on rule, subject and cause, and on nothing else."""
    one, two = a_finding("fail"), a_finding("waived", severity="low", name="x")
    assert one.id == two.id
    assert one.id == finding_id("CMEK-01", "acme/serverless/aws/us-east-1", "without-key")
    assert a_finding("pass").id == finding_id("CMEK-01", "acme/serverless/aws/us-east-1")
    others = [a_finding(rule="CMEK-02"), a_finding(path="acme"), a_finding("pass")]
    other_cause = one._replace(cause="planned-without-key")
    assert len({one.id, other_cause.id, *(other.id for other in others)}) == 5


def test_subjects_carry_their_parts() -> None:
    """A subject has a path made of its parts, and the parts that matter."""
    assert organization_subject("acme/1")[:3] == ("organization", "acme.2f1", "acme/1")
    assert scope_subject(SCOPE) == (
        "key-scope",
        "acme.2f1/serverless/aws/us-east-1",
        *SCOPE,
        "",
        "",
    )
    assert key_subject(SCOPE, "k:1") == (
        "key",
        "acme.2f1/key/serverless/aws/us-east-1/k.3a1",
        *SCOPE,
        "",
        "k:1",
    )
    assert key_id_subject("acme/1", "k:1")[:3] == ("key-id", "acme.2f1/key-id/k.3a1", "acme/1")
    assert key_id_subject("", "k:1")[:3] == ("key-id", "./key-id/k.3a1", "")


@pytest.mark.parametrize(
    ("subject", "own", "name"),
    [
        (organization_subject("o"), "", "acme"),
        (scope_subject(SCOPE), "", "acme / Serverless on AWS / us-east-1"),
        (key_subject(SCOPE, "k"), "", "acme / Serverless on AWS / us-east-1 / k"),
        (organization_subject("o")._replace(kind="database", database="d"), "", "acme / d"),
        (
            scope_subject(SCOPE)._replace(kind="database-region", database="d"),
            "orders",
            "acme / orders / Serverless on AWS / us-east-1",
        ),
        (
            scope_subject(SCOPE)._replace(type="unknown", provider=""),
            "",
            "acme / type not known / us-east-1",
        ),
        (
            scope_subject(SCOPE)._replace(type="new", provider="other"),
            "",
            "acme / new on other / us-east-1",
        ),
    ],
)
def test_a_subject_has_a_name(subject: Subject, own: str, name: str) -> None:
    """People read organization, database, type, provider, region and key, as far as there are."""
    assert subject_name("acme", subject, own) == name


def test_a_subject_without_organization_goes_across_them() -> None:
    """A key id that several organizations use belongs to none of them."""
    assert subject_name("", key_id_subject("", "k"), "") == "across organizations / k"


def test_databases_are_known_by_id_and_planned_ones_by_name() -> None:
    """A database is one subject as a whole, and one in each of its regions."""
    existing, planned = a_database(), a_planned_database(name="acme/new")
    whole = database_subject("acme", existing)
    assert whole == (
        "database",
        f"acme/database/{DATABASE}",
        "acme",
        "serverless",
        "aws",
        "",
        DATABASE,
        "",
    )
    assert database_subject("acme", planned).path == "acme/database/planned.20acme.2fnew"
    index = index_organization(an_organization(databases=[existing, planned]))
    subjects = [deployment_subject(group[0]) for group in index.by_database(len)]
    assert subjects[0] == (
        "database-region",
        f"{ORGANIZATION}/database/{DATABASE}/us-east-1",
        ORGANIZATION,
        "serverless",
        "aws",
        "us-east-1",
        DATABASE,
        "",
    )
    assert subjects[1].database == "planned acme/new"


@examples(100)
@given(PARTS, PARTS, PARTS)
def test_subjects_of_different_kinds_never_meet(organization: str, region: str, key: str) -> None:
    """Whatever ids and names hold, no two kinds of subject have one path."""
    scope = KeyScope(organization, "serverless", "aws", region)
    database = a_database(id="d").model_copy(update={"id": key})
    paths = [
        organization_subject(organization).path,
        scope_subject(scope).path,
        key_subject(scope, key).path,
        key_id_subject(organization, key).path,
        key_id_subject("", key).path,
        database_subject(organization, database).path,
        f"{database_subject(organization, database).path}/{region.encode().hex()}",
    ]
    assert len(set(paths)) == len(paths)


def test_each_maker_states_its_status() -> None:
    """What a judge says has the card's id and severity, and what its status demands."""
    subject, where = scope_subject(SCOPE), (("f", 1),)
    made = {
        finding.status: finding
        for finding in (
            passes(CARD, subject, "It complies.", where),
            fails(CARD, subject, "bad:x", "It does not.", where, LOOK),
            inconclusive(CARD, subject, "planned-unread:x", "Who knows.", where, LOOK),
            not_applicable(CARD, subject, "Not here.", where, "elsewhere"),
        )
    }
    assert {status: (each.cause, each.reason, each.action) for status, each in made.items()} == {
        "pass": ("", "", ""),
        "fail": ("bad:x", "", "Look"),
        "inconclusive": ("planned-unread:x", "unread", "Look"),
        "not-applicable": ("", "elsewhere", ""),
    }
    for finding in made.values():
        assert finding[1:4] == ("CMEK-01", "high", subject)
        assert (finding.evidence, finding.waiver, finding.databases) == (
            where,
            "",
            0,
        )


@pytest.mark.parametrize(
    ("rule", "planned", "severity"),
    [
        ("CMEK-01", 0, "high"),
        ("CMEK-01", 1, "critical"),
        ("CMEK-03", 1, "high"),
        ("CMEK-09", 1, "advisory"),
    ],
)
def test_planned_databases_make_a_finding_more_severe(
    rule: str, planned: int, severity: str
) -> None:
    """A finding that concerns a planned database has the severity for what can be prevented."""
    card = RULES[rule].card
    finding = with_databases(a_finding(severity=card.severity), card, 5, planned)
    assert (finding.severity, finding.databases, finding.existing) == (severity, 5, 5 - planned)


def test_a_finding_about_a_database_bears_its_name() -> None:
    """A finding about one database has its name and counts it."""
    existing = for_database(a_finding(), CARD, a_database(name="acme orders"))
    assert (existing.name, existing.databases, existing.existing) == ("acme orders", 1, 1)
    planned = for_database(a_finding(), CARD, a_planned_database())
    assert (planned.severity, planned.databases, planned.existing) == ("critical", 1, 0)


def test_evidence_is_where_entries_stand() -> None:
    """Entries are evidence by file and line; those made in memory have neither."""
    assert locations_of([a_key().at("k.yaml", 7), a_database()]) == (("k.yaml", 7), ("", 0))
