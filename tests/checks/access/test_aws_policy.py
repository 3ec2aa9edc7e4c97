"""Key policies, taken apart: nothing in them is dropped."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.access.answers import Clause
from checks.access.aws_policy import (
    Condition,
    Principal,
    Statement,
    matches_action,
    matches_key,
    matches_pattern,
    parse_policy,
)
from tests.checks.access.policies import policy_of, root, statement
from tests.hypothesis_profile import examples

KEY = "arn:aws:kms:us-east-1:111122223333:key/1a2b3c4d-0001-4000-8000-000000000001"


def parsed(**over: object) -> Statement:
    """Parse a policy of one statement."""
    (found,) = parse_policy(policy_of([statement(**over)]))
    return found


def test_a_statement_has_all_its_parts() -> None:
    """A statement is taken apart into effect, principals, actions, resources and conditions."""
    data = {
        "Sid": "Vendor",
        "Effect": "Deny",
        "NotPrincipal": {"AWS": root(), "Service": ["ec2.amazonaws.com"]},
        "NotAction": ["kms:Decrypt", "kms:List*"],
        "NotResource": KEY,
        "Condition": {"Bool": {"aws:SecureTransport": False}, "Null": {"A": "true"}},
    }
    (found,) = parse_policy(policy_of([data]))
    assert found == Statement(
        "statement 1 (Vendor)",
        "Vendor",
        json.dumps(data, separators=(",", ":")),
        "Deny",
        False,
        (Principal("AWS", root()), Principal("Service", "ec2.amazonaws.com")),
        ("kms:Decrypt", "kms:List*"),
        (KEY,),
        (
            Condition("Bool", "aws:securetransport", ("false",)),
            Condition("Null", "a", ("true",)),
        ),
        frozenset({"NotPrincipal", "NotAction", "NotResource"}),
    )


def test_a_policy_may_have_one_statement_without_a_list() -> None:
    """A single statement may go without its list, and a policy without a version."""
    text = json.dumps({"Id": "key-policy", "Statement": statement()})
    (found,) = parse_policy(text)
    assert (found.effect, found.label) == ("Allow", "statement 1")


def test_statements_are_named_by_what_only_they_have() -> None:
    """A statement goes by its own name, and by its place if others have it or it has none."""
    sids = ["Vendor", "", "Twice", "Twice", "#2"]
    found = parse_policy(policy_of([statement(Sid=sid) for sid in sids]))
    assert [(one.code, one.label) for one in found] == [
        ("Vendor", "statement 1 (Vendor)"),
        ("#2", "statement 2"),
        ("#3", "statement 3 (Twice)"),
        ("#4", "statement 4 (Twice)"),
        ("#5", "statement 5 (#2)"),
    ]
    assert found[0].clause == Clause("Vendor", "statement 1 (Vendor)", found[0].text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"*"',
        "{",
        "{}",
        '{"Statement": [], "Statement": []}',
        '{"Statement": [], "Else": 1}',
        '{"Version": 2012, "Statement": []}',
        '{"Version": "2031-01-01", "Statement": []}',
        '{"Statement": ' + "[" * 100_000,
        '{"Statement": ' + "9" * 5_000 + "}",
    ],
    ids=range(12),
)
def test_what_is_no_policy_is_one_odd_statement(text: str) -> None:
    """Text that is not understood may allow anything and deny anything, and is quoted."""
    (found,) = parse_policy(text)
    assert found == Statement("the policy", "policy", text)
    assert (found.may("Allow"), found.may("Deny")) == (True, True)


@pytest.mark.parametrize(
    "over",
    [
        {"Effect": "deny"},
        {"Effect": None},
        {"Effect": ["Deny"]},
        {"Sid": 1},
        {"Until": "2027"},
        {"effect": "Deny"},
        {"NotAction": "kms:*"},
        {"NotPrincipal": "*"},
        {"NotResource": "*"},
        {"Action": []},
        {"Action": ""},
        {"Action": ["kms:Decrypt", 1]},
        {"Action": "Decrypt"},
        {"Action": "kms:${aws:username}"},
        {"Action": {"kms": "*"}},
        {"Resource": None},
        {"Resource": [""]},
        {"Principal": root()},
        {"Principal": []},
        {"Principal": {}},
        {"Principal": {"aws": root()}},
        {"Principal": {"AWS": 999988887777}},
        {"Principal": {"AWS": [[root()]]}},
        {"Principal": {"AWS": []}},
        {"Condition": None},
        {"Condition": []},
        {"Condition": {"Bool": {}}},
        {"Condition": {"Bool": "true"}},
        {"Condition": {"Bool": {"a": 1}}},
        {"Condition": {"Bool": {"a": []}}},
        {"Condition": {"Bool": {"a": None}}},
    ],
    ids=str,
)
def test_a_statement_that_is_not_understood_is_odd(over: dict[str, object]) -> None:
    """A statement with one odd part is odd as a whole, and keeps its text."""
    found = parsed(**over)
    assert (found.is_odd, found.principals, found.actions) == (True, (), ())
    assert json.loads(found.text) == statement(**over)


@pytest.mark.parametrize("name", ["Principal", "Action", "Resource", "Effect"])
def test_every_element_is_needed(name: str) -> None:
    """A statement of a key policy without one of its elements is odd."""
    data = statement()
    del data[name]
    (found,) = parse_policy(policy_of([data]))
    assert found.is_odd


def test_an_effect_counts_if_all_elements_are_known() -> None:
    """An odd statement keeps its effect unless another element may change that."""
    for over, effect in (
        ({"Effect": "Deny", "Action": []}, "Deny"),
        ({"Action": []}, "Allow"),
        ({"Effect": "Deny", "NotAction": "kms:*"}, "Deny"),
        ({"Effect": "Deny", "effect": "Allow"}, None),
        ({"Effect": "deny"}, None),
    ):
        found = parsed(**over)
        assert (found.is_odd, found.effect) == (True, effect)
        assert found.may("Deny") is (effect != "Allow")


@pytest.mark.parametrize("item", [None, 1, "Deny", [], [statement()]])
def test_an_item_that_is_no_statement_is_odd(item: object) -> None:
    """What is listed among statements and is none is odd, and not left out."""
    one, two = parse_policy(policy_of([statement(), item]))
    assert (one.is_odd, two.is_odd, two.label) == (False, True, "statement 2")


@pytest.mark.parametrize(
    "text",
    [
        '{"Effect":"Deny","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}',
        '{"Effect":"Allow","Principal":{"AWS":"1","AWS":"2"},"Action":"*","Resource":"*"}',
        (
            '{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",'
            '"Condition":{"Bool":{"a":"true","a":"false"}}}'
        ),
    ],
)
def test_a_key_twice_is_odd(text: str) -> None:
    """Of a key that is there twice nobody knows which counts, at whatever depth."""
    (found,) = parse_policy(f'{{"Statement": {text}}}')
    (within,) = parse_policy(f'{{"Statement": [{text}]}}')
    assert (found.is_odd, within.is_odd) == (True, True)


def test_a_key_twice_in_a_list_is_odd() -> None:
    """Also an object in a list is looked into."""
    text = '{"Statement": [{"Effect": "Allow", "Action": [{"a": 1, "a": 2}]}]}'
    assert [one.is_odd for one in parse_policy(text)] == [True]


@examples(200)
@given(
    text=st.text()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["Deny", "Allow", "*", "AWS"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["Statement", "Effect", "Principal", "Action", "Resource", "Condition"]
                ),
                inner,
                max_size=6,
            )
        ),
    ).map(json.dumps)
)
def test_any_text_is_taken_apart(text: str) -> None:
    """Whatever a policy is, it has as many statements as it lists, or is one odd statement."""
    found = parse_policy(text)
    try:
        listed = json.loads(text)["Statement"]
        expected = len(listed) if isinstance(listed, list) else 1
    except (ValueError, TypeError, KeyError):
        expected = 1
    assert len(found) in {1, expected}


# --- what a statement says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "match"),
    [
        ({"Action": "kms:Decrypt"}, "yes"),
        ({"Action": "KMS:decrypt"}, "yes"),
        ({"Action": ["kms:Encrypt", "kms:De*"]}, "yes"),
        ({"Action": "*"}, "yes"),
        ({"Action": "s3:Decrypt"}, "no"),
        ({"Action": "kms:Decryp"}, "no"),
        ({"Action": "kms:Decrypt?"}, "no"),
    ],
)
def test_actions_are_patterns_without_case(over: dict[str, object], match: str) -> None:
    """An action is matched by its service and name, in any case, with stars and question marks."""
    assert matches_action(parsed(**over), "Decrypt") == match
    negated = statement() | {"NotAction": over["Action"]}
    del negated["Action"]
    (found,) = parse_policy(policy_of([negated]))
    assert matches_action(found, "Decrypt") == {"yes": "no", "no": "yes"}[match]


@pytest.mark.parametrize(
    ("resource", "match", "unknown"),
    [
        ("*", "yes", "yes"),
        (KEY, "yes", "maybe"),
        ([f"{KEY}0", "arn:aws:kms:*:111122223333:key/*"], "yes", "maybe"),
        (f"{KEY}0", "no", "maybe"),
        ("arn:aws:kms:us-east-1:111122223333:alias/acme", "no", "maybe"),
        ("arn:aws:kms:us-east-1:${aws:PrincipalAccount}:key/*", "maybe", "maybe"),
        ("1a2b3c4d-0001-4000-8000-000000000001", "maybe", "maybe"),
    ],
)
def test_a_star_is_the_key_itself(resource: object, match: str, unknown: str) -> None:
    """A resource is the key if its ARN fits; of a key whose ARN is not known only a star is."""
    found = parsed(Resource=resource)
    assert (matches_key(found, KEY), matches_key(found, "")) == (match, unknown)
    negated = statement() | {"NotResource": resource}
    del negated["Resource"]
    (left_out,) = parse_policy(policy_of([negated]))
    assert matches_key(left_out, KEY) == "maybe"


@examples(300)
@given(pattern=st.text("ab*?", max_size=8), text=st.text("ab*?", max_size=8))
def test_patterns_have_stars_and_question_marks(pattern: str, text: str) -> None:
    """A star is any number of characters and a question mark is one, as in a regular expression."""
    parts = {"*": ".*", "?": "."}
    regex = "".join(parts.get(character, character) for character in pattern)
    assert matches_pattern(pattern, text) is (re.fullmatch(regex, text) is not None)


def test_a_hostile_pattern_takes_no_time() -> None:
    """Many stars do not make a comparison slow."""
    assert not matches_pattern("*a" * 1_000 + "b", "a" * 2_000)
