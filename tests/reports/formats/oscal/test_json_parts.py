"""JSON in parts: the same as of a whole, but for what is empty."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from reports.formats.oscal.identifiers import NAMESPACE, identify, pack
from reports.formats.oscal.json_parts import (
    array,
    filled,
    member,
    nested,
    object_of,
    properties,
    references,
    whole,
)

_OBJECTS = st.lists(st.dictionaries(st.text(max_size=2), st.integers(), max_size=2), max_size=4)


@given(st.dictionaries(st.text(max_size=3), _OBJECTS, max_size=4))
def test_parts_are_the_whole(data: dict[str, list[dict[str, int]]]) -> None:
    """An object of arrays is read back without those that are empty."""
    parts = object_of(*(array(name, map(whole, items)) for name, items in data.items()))
    assert json.loads("".join(parts)) == {name: items for name, items in data.items() if items}


def test_members_that_are_empty_are_left_out() -> None:
    """No member is empty, whether it is a value, an array or an object."""
    inner = nested("inner", object_of(member("a", "x"), member("b", "")))
    none = nested("none", object_of(array("items", [])))
    only = object_of(member("zero", []), none, inner, member("last", {"é": 1}))
    assert "".join(only) == '{"inner":{"a":"x"},"last":{"\\u00e9":1}}'
    assert "".join(object_of()) == "{}"


def test_an_item_may_have_parts_of_its_own() -> None:
    """An item of an array is written part by part, too."""
    items = [object_of(array("b", [whole({"c": 1}), whole({"c": 2})]))] * 1
    parts = list(array("a", items))
    assert len(parts) > 2
    assert "".join(parts) == '"a":[{"b":[{"c":1},{"c":2}]}]'


def test_properties_are_in_our_namespace() -> None:
    """A property has the project's namespace; one without a value is left out, and zero is one."""
    assert properties({"a": "x", "b": "", "c": None, "d": 0}) == [
        {"name": "a", "ns": NAMESPACE, "value": "x"},
        {"name": "d", "ns": NAMESPACE, "value": "0"},
    ]
    assert filled({"a": [], "b": "", "c": None, "d": "x"}) == {"d": "x"}


def test_references_are_written_many_at_once() -> None:
    """References to thousands of things are few parts, in their order."""
    uuids = [identify("x", str(number)) for number in range(2_001)]
    items = list(references("risk-uuid", b"".join(map(pack, uuids))))
    assert len(items) == 3
    read = json.loads("{" + "".join(array("a", items)) + "}")
    assert read == {"a": [{"risk-uuid": uuid} for uuid in uuids]}
    assert list(references("risk-uuid", b"")) == []
