"""Who may use a key, listed from what its cloud shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.record.key_users import LONGEST, users_of
from tests.builders import kms_facts
from tests.hypothesis_profile import examples

ROOT = "arn:aws:iam::111122223333:root"
ALLOW = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}


def _users(**facts: object) -> Any:  # noqa: ANN401 (rows of the record)
    return users_of(kms_facts(**facts))


def _policy(*statements: object) -> list[tuple[str, str, str, bool]]:
    users = _users(policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    assert {user["via"] for user in users} <= {"policy"}
    return [
        (user["effect"], user["who"], user["what"], user.get("limited", False)) for user in users
    ]


def test_nothing_known_is_not_nobody() -> None:
    """Without facts nothing is listed, and facts that name nobody give an empty list."""
    assert _users() is None
    assert [_users(**{name: ()}) for name in ("granted_to", "grants", "bindings")] == [[], [], []]
    assert _policy() == []


def test_every_source_of_access_is_listed() -> None:
    """What a file states, grants, and bindings of the key and its ring are listed one by one."""
    grant = {"id": "g-1", "grantee": ROOT, "operations": ("Decrypt", "Encrypt")}
    bindings = [
        {"on": "key", "role": "roles/owner", "members": ("user:a", "user:b")},
        {"on": "key-ring", "role": "roles/x", "members": ("allUsers",), "condition": "false"},
    ]
    empty = grant | {"operations": (), "constrained": True}
    assert _users(granted_to=["999988887777"], grants=[grant, empty], bindings=bindings) == [
        {"via": "stated", "effect": "allow", "who": "999988887777", "what": "the use of the key"},
        {"via": "grant", "effect": "allow", "who": ROOT, "what": "Decrypt, Encrypt"},
        {"via": "grant", "effect": "allow", "who": ROOT, "what": "nothing", "limited": True},
        {"via": "key", "effect": "allow", "who": "user:a", "what": "roles/owner"},
        {"via": "key", "effect": "allow", "who": "user:b", "what": "roles/owner"},
        {
            "via": "key-ring",
            "effect": "allow",
            "who": "allUsers",
            "what": "roles/x",
            "limited": True,
        },
    ]


def test_each_principal_of_a_statement_is_listed() -> None:
    """Principals of all kinds are named with what they may do, or may not."""
    mixed = {"AWS": [ROOT, "*"], "Service": "backup.amazonaws.com"}
    assert _policy(
        ALLOW,
        ALLOW | {"Principal": "*", "Effect": "Deny", "Action": ["kms:Decrypt", "kms:Encrypt"]},
        ALLOW | {"Principal": mixed, "Condition": {"Bool": {"a": "b"}}},
        ALLOW | {"Resource": ROOT, "Sid": "other"},
    ) == [
        ("allow", ROOT, "kms:*", False),
        ("deny", "everybody (*)", "kms:Decrypt, kms:Encrypt", False),
        ("allow", ROOT, "kms:*", True),
        ("allow", "*", "kms:*", True),
        ("allow", "Service backup.amazonaws.com", "kms:*", True),
        ("allow", ROOT, "kms:*", True),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        7,
        {},
        ALLOW | {"NotAction": "kms:Decrypt"},
        {**ALLOW, "NotPrincipal": {"AWS": ROOT}},
        ALLOW | {"effect": "Deny"},
        ALLOW | {"Effect": ["Allow"]},
        ALLOW | {"Effect": "allow"},
        ALLOW | {"Principal": ROOT},
        ALLOW | {"Principal": {}},
        ALLOW | {"Principal": {"AWS": []}},
        ALLOW | {"Principal": {"AWS": 111122223333}},
        ALLOW | {"Principal": {"AWS": [ROOT, ""]}},
        ALLOW | {"Action": []},
        ALLOW | {"Action": None},
    ],
    ids=str,
)
def test_a_statement_that_is_not_understood_is_shown_whole(statement: object) -> None:
    """A statement in another form is never left out: it is listed as unclear, as it was written."""
    text = json.dumps(statement, separators=(",", ":"))
    assert _policy(ALLOW, statement) == [
        ("allow", ROOT, "kms:*", False),
        ("unclear", "statement 2 of the key policy", text, False),
    ]


def test_a_single_statement_may_be_no_list() -> None:
    """A policy may hold its only statement as it is."""
    [user] = _users(policy=json.dumps({"Statement": ALLOW}))
    assert user == {"via": "policy", "effect": "allow", "who": ROOT, "what": "kms:*"}


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("", "no JSON that can be listed"),
        ("{", "no JSON that can be listed"),
        ("[" * 100_000, "no JSON that can be listed"),
        ('{"Statement": [], "Statement": []}', "no JSON that can be listed"),
        ("[]", "no list of statements"),
        ("{}", "no list of statements"),
        ('{"Statement": "Allow"}', "no list of statements"),
    ],
    ids=lambda text: text[:20],
)
def test_a_policy_that_is_not_understood_says_so(policy: str, why: str) -> None:
    """A policy that is no JSON, or has a name twice, is one entry that says so."""
    assert _users(policy=policy) == [
        {"via": "policy", "effect": "unclear", "who": "the key policy", "what": why}
    ]


def test_long_texts_are_cut() -> None:
    """A principal or a list of actions of any length leaves a line of a record readable."""
    [(_, who, what, _)] = _policy(
        ALLOW | {"Principal": {"AWS": "a" * 9_000}, "Action": "b" * (LONGEST + 1)}
    )
    assert (who, what) == ("a" * LONGEST + "…", "b" * LONGEST + "…")


@examples(200)
@given(
    statements=st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from([*ALLOW, "NotAction", "Sid", "AWS"]), inner, max_size=5
                )
            ),
            max_leaves=8,
        ),
        max_size=5,
    )
)
def test_no_statement_is_ever_left_out(statements: list[object]) -> None:
    """Whatever a policy holds, each of its statements is listed, once at least."""
    assert len(_policy(*statements)) >= len(statements)
