"""The states of key scopes, and the rules that they follow from."""

from __future__ import annotations

from reports.aggregation.coverage_states import NEEDED, ORDER, PROOFS, STATES, WITH_DATABASES
from reports.presentation.labels import CELL
from tests.reports.everything import schema


def test_the_proof_of_a_key_takes_five_rules() -> None:
    """A key is there, its own, first, the right one and usable: each is the matter of a rule."""
    assert PROOFS == ("CMEK-01", "CMEK-02", "CMEK-05", "CMEK-07", "CMEK-12")
    assert {NEEDED, ORDER} < {*PROOFS}


def test_the_schema_and_the_page_know_every_state() -> None:
    """A state that a cell can have is described, and has a look."""
    cells = schema("audit")["properties"]["coverage"]["items"]["properties"]["cells"]
    assert {*cells["items"]["properties"]["state"]["enum"]} == {*STATES}
    assert {*STATES} < CELL.keys()


def test_a_scope_with_databases_is_in_one_of_the_states() -> None:
    """What needs a key is a part of the states, each of them named once."""
    assert {*WITH_DATABASES} < {*STATES}
    assert len({*STATES}) == len(STATES)
