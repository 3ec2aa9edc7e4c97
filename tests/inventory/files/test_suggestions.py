"""What a mistyped word may have meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.files.suggestions import did_you_mean, fields_at, nearest, values_at
from inventory.model.organization import InventoryDocument

DATABASE = ("organizations", 0, "databases", 3)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("regoins", "regions"),
        ("Regions", "regions"),
        ("key-id", "key_id"),
        ("KEY ID", "key_id"),
        ("reg", "regions"),
        ("re", ""),
        ("", ""),
        ("x" * 101, ""),
        ("something", ""),
    ],
)
def test_the_nearest_word(word: str, meant: str) -> None:
    """A word that differs by a letter, by case, by dashes or by its end is found."""
    assert nearest(word, {"regions": "regions", "key_id": "key_id"}) == meant
    assert did_you_mean(word, ["regions", "key_id"]) == (
        f"; did you mean {meant!r}?" if meant else ""
    )


@given(st.text(max_size=6), st.lists(st.text(max_size=6), max_size=4))
def test_what_was_found_is_never_suggested(word: str, known: list[str]) -> None:
    """A suggestion is a word of its place, and never the one that was found wrong."""
    near = nearest(word, {spelling: spelling for spelling in [*known, word]})
    assert near in {*known, ""}
    assert near != word or not near


def test_fields_of_a_place() -> None:
    """The fields of an entry are those that a file may hold there, and no others."""
    assert "cmek-inventory" in fields_at(InventoryDocument, ())
    assert "organizations" in fields_at(InventoryDocument, ())
    assert set(fields_at(InventoryDocument, (*DATABASE, "regions", 0))) == {
        "name",
        "added_at",
        "provider",
        "state",
        "encryption",
        "reason",
        "portal",
    }
    policy = ("organizations", 0, "policy", "types", "serverless")
    assert set(fields_at(InventoryDocument, policy)) == {"encryption", "reason"}
    for path in (("nothing",), ("nothing", 0, "x"), (*DATABASE, "name")):
        assert fields_at(InventoryDocument, path) == ()


def test_words_of_a_place() -> None:
    """Where a choice of words is expected, all their spellings are known; elsewhere none."""
    assert values_at(InventoryDocument, (*DATABASE, "provider"))["google cloud"] == "gcp"
    assert set(values_at(InventoryDocument, (*DATABASE, "state"))) == {"existing", "planned"}
    assert values_at(InventoryDocument, (*DATABASE, "encryption")) == {
        "customer-managed": "customer-managed",
        "astra-provided": "astra-provided",
    }
    types = ("organizations", 0, "policy", "types", "servrless")
    assert values_at(InventoryDocument, (*types, "[key]"))["classic"] == "managed-clusters"
    assert values_at(InventoryDocument, (*DATABASE, "name", "x", "[key]")) == {}
    for path in ((), (*DATABASE, "name"), ("cmek-inventory",)):
        assert values_at(InventoryDocument, path) == {}
