"""What a cloud shows of a key, in words."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from inventory.model.gaps import CloudReason
from inventory.model.kms import KmsFact
from reports.model.cloud_record import KeyUser
from reports.page.keys.facts import (
    EFFECT,
    FACT,
    VIA,
    LifeWords,
    UnreadWords,
    UserWords,
    about,
    dead_versions,
    life_words,
    unread,
    users,
)
from reports.presentation import labels
from tests.builders import moment

END = moment("2026-11-20T00:00:00Z")


def _cloud(**facts: object) -> Any:  # noqa: ANN401 (a part of the record)
    return {"observed_at": "2026-11-19T00:00:00Z", **facts}


def _reasons(union: object) -> set[str]:
    parts = get_args(union)
    return {one for part in parts for one in ({part} if isinstance(part, str) else _reasons(part))}


def test_every_code_has_its_words() -> None:
    """Each fact, source and effect of the record has words, and each reason a meaning."""
    hints = get_type_hints(KeyUser)
    assert set(FACT) == set(get_args(KmsFact))
    assert set(VIA) == set(get_args(hints["via"]))
    assert set(EFFECT) == set(get_args(hints["effect"]))
    unexplained = {reason for reason in _reasons(CloudReason) if not labels.reason(reason).meaning}
    assert unexplained == set()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []),
        (
            {"state": "Enabled\u202e", "enabled": True},
            [("State", "Enabled(U+202E), can be used")],
        ),
        ({"enabled": False}, [("State", "cannot be used")]),
        (
            {"kind": "RSA_2048", "suitable": False, "symmetric": False},
            [("Kind", "RSA_2048, not of the kind that wraps keys")],
        ),
        ({"symmetric": False}, [("Kind", "not symmetric")]),
        (
            {"suitable": True, "symmetric": False, "multi_region": True},
            [("Kind", "suitable, can have replicas in other regions")],
        ),
        ({"owner": "1111", "region": "eu-west-1"}, [("Held by", "1111"), ("In", "eu-west-1")]),
        ({"rotation_enabled": True, "rotation_days": 1}, [("Rotation", "on, every 1 day")]),
        ({"rotation_enabled": False, "rotation_days": 90}, [("Rotation", "off, every 90 days")]),
        (
            {"recoverable_days": 0, "purge_protected": False},
            [("Recovery", "0 days, can be erased at once")],
        ),
        ({"purge_protected": True}, [("Recovery", "cannot be erased before")]),
        ({"versions": 2}, [("Versions", "2, all alive")]),
        (
            {"versions": 1_200, "dead_versions_total": 3},
            [("Versions", "1,200, 3 of them not alive, or to be destroyed")],
        ),
        ({"granted_to_astra": True}, [("Granted to Astra", "yes, as a file states")]),
        ({"granted_to_astra": False}, [("Granted to Astra", "no")]),
    ],
    ids=str,
)
def test_a_key_is_described_by_what_is_known(facts: Any, expected: list[tuple[str, str]]) -> None:  # noqa: ANN401
    """What is known of a key has a title each, and nothing is said of what is not known."""
    assert about(_cloud(**facts)) == expected


def test_a_life_is_told_in_words() -> None:
    """Each mark of the line has its words, and so has what no line can show."""
    grants = {"number": 2}
    cloud = _cloud(
        created_at="2026-01-01T00:00:00Z",
        expires_at="2026-12-01T00:00:00Z",
        never_used=True,
        vendor_grants=grants,
    )
    key: Any = {"key_id": "k", "cloud": cloud}
    assert life_words(key, END) == [
        LifeWords("created", "created 2026-01-01", is_coming=False),
        LifeWords("ends", "expiry 2026-12-01", is_coming=True),
        LifeWords("used", "never used since it was created", is_coming=False),
        LifeWords("granted", "2 grants by the vendor’s account, of unknown time", is_coming=False),
    ]
    bare: Any = {"key_id": "k", "cloud": _cloud(never_used=False)}
    assert life_words(bare, END) == life_words({"key_id": "k"}, END) == []  # type: ignore[typeddict-item]


def test_versions_that_are_not_alive_are_named() -> None:
    """Each has its state and its times; what the record leaves out is counted."""
    versions = [
        {"id": "1", "state": "DISABLED", "created_at": "2026-01-01T00:00:00Z"},
        {"id": "2", "state": "x", "destroy_at": "2026-12-01T00:00:00Z"},
    ]
    assert dead_versions(_cloud(dead_versions=versions, dead_versions_total=5)) == (
        [
            "1: DISABLED, created 2026-01-01 00:00:00",
            "2: x, to be destroyed 2026-12-01 00:00:00",
        ],
        3,
    )
    assert dead_versions(_cloud()) == ([], 0)


def test_users_are_named_as_the_cloud_names_them() -> None:
    """Principals stay as they are: the page escapes them."""
    named = [
        {"via": "policy", "effect": "deny", "who": "<b>", "what": "kms:*", "limited": True},
        {"via": "grant", "effect": "allow", "who": "a", "what": "Decrypt"},
    ]
    assert users(_cloud(users=named)) == [
        UserWords("may not", "<b>", "kms:*", "key policy", is_limited=True),
        UserWords("may", "a", "Decrypt", "grant", is_limited=False),
    ]
    assert users(_cloud()) == []


def test_what_was_not_read_says_why() -> None:
    """A reason is one of the cloud, not of Astra, and the missing permission is named."""
    gaps = [
        {"fact": "grants", "reason": "refused", "permission": "kms:ListGrants", "detail": "403"},
        {"fact": "policy", "reason": "library-missing"},
    ]
    assert list(unread(_cloud(unread=gaps))) == [
        UnreadWords(
            "its grants",
            "refused",
            "The cloud refused: these credentials may not read it.",
            "kms:ListGrants",
            "403",
        ),
        UnreadWords(
            "its key policy",
            "library-missing",
            labels.reason("library-missing").meaning,
            "",
            "",
        ),
    ]
