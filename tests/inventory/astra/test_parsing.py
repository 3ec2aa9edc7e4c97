"""What all answers have in common: an id, a list, entries that are read one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.astra.parsing import (
    MalformedEntryError,
    ParsedList,
    build_entry,
    fields_of,
    list_of,
    organization_id,
    parse_each,
    truncate_gaps,
)
from inventory.errors import UnansweredError
from inventory.model.gaps import Gap
from inventory.model.key import CustomerKey
from tests.builders import ORGANIZATION
from tests.inventory.live import an_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


def said(caught: pytest.ExceptionInfo[UnansweredError]) -> tuple[str, str]:
    return caught.value.reason, caught.value.detail


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["id", "name", "errors"])
    return st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)


# --- the organization -----------------------------------------------------------------------------


def test_organization_id() -> None:
    """The token's organization is named by its id, whatever else the answer holds."""
    assert organization_id(an_exchange({"id": ORGANIZATION, "name": "Acme"})) == ORGANIZATION


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "nothing"),
        ([], "an empty list"),
        ({}, "an empty mapping"),
        ({"name": "Acme"}, "a mapping of 1"),
        ({"id": ""}, "a mapping of 1"),
        ({"id": None}, "a mapping of 1"),
        ({"id": 7}, "a mapping of 1"),
        ({"id": "two words"}, "a mapping of 1"),
        ({"id": "\ud800"}, "a mapping of 1"),
        ({"id": "x" * 2049}, "a mapping of 1"),
        ("text", "'text'"),
    ],
)
def test_no_organization_id(value: object, found: str) -> None:
    """An answer without an id that can be one is malformed, and may be asked for again."""
    with pytest.raises(UnansweredError) as caught:
        organization_id(an_exchange(value))
    assert said(caught) == ("malformed", f"found {found}, expected an object with an id")
    assert caught.value.again


# --- lists ----------------------------------------------------------------------------------------


def test_null_is_an_empty_list() -> None:
    """``null`` is an empty list, and a list is itself."""
    assert list_of(an_exchange(None)) == []
    assert list_of(an_exchange([1])) == [1]


@pytest.mark.parametrize(
    ("over", "found"),
    [
        ({"value": {}}, "an empty mapping"),
        ({"value": {"errors": []}}, "a mapping of 1"),
        ({"value": "[]"}, "'[]'"),
        ({"value": 0}, "0"),
        ({"value": False}, "false"),
        ({"text": "[]"}, "no JSON"),
    ],
)
def test_what_is_no_list(over: dict[str, Any], found: str) -> None:
    """Whatever is neither a list nor ``null`` is malformed, be it ever so empty."""
    with pytest.raises(UnansweredError) as caught:
        list_of(an_exchange(**over))
    assert said(caught) == ("malformed", f"found {found}, expected a list")


# --- keys -----------------------------------------------------------------------------------------


def refuse(entry: object, seen: str) -> Iterator[object]:
    """Yield what is even; refuse what is odd."""
    if not isinstance(entry, int) or entry % 2:
        raise MalformedEntryError("malformed", f"{entry} at {seen}")
    yield entry


def test_entries_are_parsed_one_by_one() -> None:
    """An entry that cannot be read becomes a gap with its location, and hides no other."""
    parsed = parse_each("databases", refuse, [(2, "a:1"), (3, "a:2"), (4, "a:3")])
    gap = Gap(fact="databases", reason="malformed", detail="3 at a:2 (a:2)")
    assert parsed == ParsedList([2, 4], [gap])


def test_many_gaps_are_cut() -> None:
    """Of many gaps of one list the first twenty are kept, with the number of the others."""
    gaps = parse_each("databases", refuse, [(1, "a")] * 50).gaps
    assert len(gaps) == 21
    assert gaps[-1].detail == "30 more in this list"
    assert truncate_gaps("databases", gaps[:20]) == gaps[:20]


# --- entries --------------------------------------------------------------------------------------


def test_spellings_of_a_field_are_one() -> None:
    """A field has one name in all of its spellings; an entry may use only one of them."""
    assert fields_of({"KeyID": 1, "cloud_provider": 2}) == {"keyid": 1, "cloudprovider": 2}
    with pytest.raises(MalformedEntryError, match=r"^an entry has a field in two spellings$"):
        fields_of({"keyID": 1, "key_id": 2})
    with pytest.raises(MalformedEntryError, match=r"^found a list of 1, expected an object$"):
        fields_of([1])


def test_an_entry_that_a_model_refuses() -> None:
    """An entry says of its first wrong field what was found and what was expected."""
    fields = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    with pytest.raises(MalformedEntryError, match=r"^key_id: found nothing, expected "):
        build_entry(CustomerKey, **fields, key_id=None)
    with pytest.raises(MalformedEntryError, match=r"^region: found half a character, expected"):
        build_entry(CustomerKey, **(fields | {"region": "\ud800"}), key_id="a")


@given(st.recursive(st.none() | st.integers() | st.text(), nested, max_leaves=8))
def test_no_organization_breaks_it(value: object) -> None:
    """Whatever Astra answers about the organization, it is an id, or it is malformed."""
    try:
        assert organization_id(an_exchange(value))
    except UnansweredError as error:
        assert error.reason == "malformed"  # noqa: PT017
