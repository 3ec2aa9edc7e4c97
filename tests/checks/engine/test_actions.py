"""Actions: ids that stay the same, whatever their sentences show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.actions import ActionKind, code_of, target_of

REGISTER = ActionKind(
    "register-key",
    "Register a key for {scope}",
    purpose="repair",
    who="we",
    steps=("Register it.",),
)


def test_an_id_is_a_code_and_a_path() -> None:
    """The id names what is done, the organization and what it is done to."""
    action = REGISTER.on("serverless", "aws", "us-east-2", scope="acme / us-east-2")
    assert action.id_in("acme-prod") == "register-key:acme-prod/serverless/aws/us-east-2"
    assert action.sentence == "Register a key for acme / us-east-2"
    assert code_of(action.id_in("acme-prod")) == "register-key"


@pytest.mark.parametrize(
    ("organization", "target", "found"),
    [
        ("acme", (), "register-key:acme"),
        ("", (), "register-key:."),
        ("", ("a/b:c",), "register-key:./a.2fb.3ac"),
        ("a/b", ("c",), "register-key:a.2fb/c"),
    ],
)
def test_parts_never_run_together(organization: str, target: tuple[str, ...], found: str) -> None:
    """Slashes and other characters in a part are escaped; no organization is a full stop."""
    assert REGISTER.on(*target, scope="x").id_in(organization) == found


def test_a_name_is_no_part_of_the_identity() -> None:
    """Two names of one thing give one id, and braces in a name are shown as they are."""
    one, other = (REGISTER.on("aws", scope=name) for name in ("acme", "{scope}"))
    assert one.id_in("acme") == other.id_in("acme")
    assert other.sentence == "Register a key for {scope}"


@given(st.text(), st.lists(st.text(), max_size=4))
def test_what_an_action_is_done_to_is_read_from_its_id(
    organization: str, target: list[str]
) -> None:
    """Whatever the parts hold, the id gives them back."""
    action_id = REGISTER.on(*target, scope="x").id_in(organization)
    assert target_of(action_id) == tuple(target)
