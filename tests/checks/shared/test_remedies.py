"""Steps that several rules ask for have one id and one sentence."""

from __future__ import annotations

import pytest

from checks.shared.remedies import (
    MOST_NAMES,
    attest_no_database,
    determine,
    missing_key_action,
    recreate,
    sentence_for_all,
)
from inventory.index.organization_index import index_organization
from inventory.model.planned_keys import PartiallyShown
from tests.builders import ORGANIZATION, a_database, a_planned_database, an_organization

OLDER = f"recreate-older-than-key:{ORGANIZATION}/serverless/aws/us-east-1"


@pytest.mark.parametrize(
    ("databases", "names", "shown"),
    [
        (1, ["orders"], "1 database deployed before its key (orders) and migrate its data"),
        (2, ["a", "b"], "2 databases deployed before their key (a, b) and migrate their data"),
        (
            5,
            ["a", "b", "c", "d"],
            "5 databases deployed before their key (a, b, c and 2 more) and migrate their data",
        ),
    ],
    ids=["one", "two", "many"],
)
def test_a_repair_counts_and_names_its_databases(
    databases: int, names: list[str], shown: str
) -> None:
    """The sentence of a repair names up to three databases, and counts the others."""
    assert MOST_NAMES == 3
    assert sentence_for_all(OLDER, "Recreate it", databases, names) == f"Recreate {shown}"


def test_other_steps_keep_their_sentence() -> None:
    """A step that is the same for one finding and for many keeps its sentence."""
    assert sentence_for_all("register-key:x", "Register a key", 7, ["a"]) == "Register a key"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([PartiallyShown(is_later=True)], "determine-plan"),
        ([PartiallyShown(is_hidden=True)], "reveal-plan"),
        (
            [PartiallyShown(is_later=True), PartiallyShown(is_hidden=True)],
            "reveal-and-determine",
        ),
    ],
    ids=["later", "hidden", "both"],
)
def test_what_a_plan_hides_is_revealed_first(parts: list[PartiallyShown], code: str) -> None:
    """What is known later needs another plan; what is marked as sensitive is in none."""
    assert determine(parts).id_in(ORGANIZATION) == f"{code}:{ORGANIZATION}"


def test_a_key_helps_what_is_planned_and_not_what_exists() -> None:
    """A planned database asks for a key; an existing one has to be recreated after it."""
    organization = an_organization(databases=[a_database(), a_planned_database()])
    existing, planned = (group[0] for group in index_organization(organization).by_database(len))
    index = index_organization(organization)
    codes = [missing_key_action(index, each).kind.code for each in (existing, planned)]
    assert codes == ["recreate-without-key", "register-key"]
    assert recreate(existing).kind.code == "recreate-older-than-key"


def test_an_empty_list_is_attested_by_name() -> None:
    """What resolves an empty list names the organization."""
    organization = an_organization(name="acme-prod")
    assert attest_no_database(organization).sentence == (
        "Attest that acme-prod has no database yet, or let the token see its databases"
    )
