"""How much rests on attestations alone, and what the verdict says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reports.aggregation.attested_passes import AttestedPasses
from tests.builders import a_database, a_key, an_organization, kms_facts
from tests.reports.recording import RULE_IDS, a_finding
from tests.reports.recording import record as make

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Finding
    from inventory.model.organization import Organization

REGISTERED = {"at": "2026-01-01T00:00:00Z", "by": "Ada Example", "on": "2026-01-01"}


def placed(database: str, *by: str, organization: str = "acme", **over: Any) -> Finding:  # noqa: ANN401 (fields of any type)
    """Make a finding that the key of a database came first, on the word of ``by``."""
    made = a_finding(over.pop("status", "pass"), "CMEK-05", existing=over.pop("existing", 1))
    subject = made.subject._replace(database=database, organization=organization)
    return made._replace(subject=subject, databases=1, attested_by=by)


def counted(*findings: Finding) -> AttestedPasses:
    counts = AttestedPasses()
    for finding in findings:
        counts.add(finding)
    return counts


def test_a_database_is_counted_once_and_by_its_weakest_region() -> None:
    """A database that rests on an attestation in one of its regions rests on it."""
    counts = counted(placed("a", "Ada"), placed("a"), placed("b"), placed("b", "Bob"), placed("c"))
    assert (counts.databases, counts.people_of_databases) == ((2, 3), 2)


def test_databases_of_several_organizations_are_added_up() -> None:
    """Databases of two organizations are different ones, whatever their ids."""
    counts = counted(placed("a", "Ada"), placed("a", organization="labs"), placed("b", "Ada"))
    assert counts.databases == (2, 3)


@pytest.mark.parametrize(
    "finding", [placed("a", status="fail"), placed("a", status="waived"), placed("a", existing=0)]
)
def test_only_existing_databases_that_pass_are_counted(finding: Finding) -> None:
    """What fails, and what is only planned, makes no part that rests on attestations smaller."""
    assert counted(finding, placed("b", "Ada")).databases == (1, 1)


def test_a_look_at_the_portal_is_more_than_a_statement() -> None:
    """What somebody saw in the portal is direct evidence, and no attestation alone."""
    look = placed("a", "Ada")._replace(rests_on="portal")
    other = a_finding("pass", "CMEK-17")._replace(attested_by=("Ada",), rests_on="portal")
    counts = counted(look, other)
    assert (counts.databases, counts.people_of_all, counts.rules) == ((0, 1), 0, {})


@pytest.mark.parametrize("other", ["ada example", "  Ada\tEXAMPLE ", "\uff21da Example"])
def test_one_person_in_two_spellings_is_one(other: str) -> None:
    """Capitals, blanks and look-alike letters make no second person of the first."""
    assert counted(placed("a", "Ada Example"), placed("b", other)).people_of_databases == 1


# --- the verdict's words --------------------------------------------------------------------------


def _text(tmp_path: Path, *organizations: Organization) -> str:
    return str(make(tmp_path, organizations=organizations).head["verdict"]["text"])


def test_a_compliant_audit_says_how_many_databases_rest_on_one_persons_word(tmp_path: Path) -> None:
    """The verdict counts the databases whose order is attested alone, and who attests it."""
    databases = [a_database(id=f"d{number}", name=f"d{number}") for number in range(36)]
    key = a_key(registered=REGISTERED, kms=kms_facts())
    text = _text(tmp_path, an_organization(keys=[key], databases=databases))
    assert text.startswith(f"Compliant: 9 of {len(RULE_IDS)} rules were evaluated; none failed. ")
    assert (
        " 36 of 36 databases deployed after their key rest on an attestation alone (1 person). "
        in text
    )


def test_the_verdict_names_the_rules_that_pass_on_attestations_alone(tmp_path: Path) -> None:
    """Each rule is named with how many of its passes rest on attestations, of how many."""
    word = {"by": "Bob Example", "on": "2026-11-01"}
    keys = [
        a_key(
            registered=REGISTERED,
            rotation=word | {"automatic": True},
            usable=word | {"usable": True},
        ),
        a_key(region="us-west-2", registered=REGISTERED, kms=kms_facts(region="us-west-2")),
    ]
    text = _text(tmp_path, an_organization(keys=keys))
    assert (
        " 1 of 1 database deployed after its key rests on an attestation alone (1 person). " in text
    )
    assert (
        " Passes of CMEK-08 (1 of 1), CMEK-11 (1 of 2) and CMEK-12 (1 of 2) rest on attestations "
        "alone (2 people). "
    ) in text


def test_a_verdict_that_is_not_compliant_says_so_too(tmp_path: Path) -> None:
    """Whatever else fails, what passes on an attestation alone is reported."""
    keys = [a_key(registered=REGISTERED, kms=kms_facts(enabled=False))]
    text = _text(tmp_path, an_organization(keys=keys, plan=None))
    assert text == (
        "Not compliant: 2 checks failed; 1 is inconclusive. "
        "1 of 1 database deployed after its key rests on an attestation alone (1 person)."
    )
