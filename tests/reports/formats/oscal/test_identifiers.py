"""UUIDs: of version 5, the same for the same thing, and different for all others."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reports.formats.oscal.identifiers import NAMESPACE, identify, pack, unpack

_PARTS = st.lists(st.text(max_size=5), max_size=3)


def test_a_thing_has_the_same_uuid_for_ever() -> None:
    """The UUID of a thing is fixed: documents of other nights refer to it."""
    assert NAMESPACE == "urn:cmek-audit:oscal"
    assert identify("risk", "0123456789abcdef0123") == "39ff8f66-d41e-561f-8e3b-35a0b247cbad"


@given(_PARTS, _PARTS)
def test_different_things_have_different_uuids(one: list[str], other: list[str]) -> None:
    """Parts never run together: only what is the same part by part has the same UUID."""
    assert (identify("a", *one) == identify("a", *other)) is (one == other)


@given(st.lists(st.text(st.characters(), max_size=3), min_size=1, max_size=3))
def test_uuids_are_of_version_five(parts: list[str]) -> None:
    """Any text, with halves of surrogate pairs, too, gives a UUID that OSCAL takes."""
    made = UUID(identify(*parts, "\ud800"))
    assert (made.version, made.variant) == (5, "specified in RFC 4122")


@given(st.lists(st.text(max_size=3)))
def test_packed_uuids_are_read_back(names: list[str]) -> None:
    """UUIDs that are packed one after the other are read back in their order."""
    uuids = [identify("x", name) for name in names]
    packed = b"".join(map(pack, uuids))
    assert len(packed) == 16 * len(names)
    assert list(unpack(bytearray(packed))) == uuids
