"""Which keys were added, replaced or removed between two audits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.finding import Finding, key_subject, organization_subject
from inventory.model.key import KeyScope
from reports.comparison import key_changes
from reports.comparison.key_changes import KEYS, Seen, compare_keys
from tests.builders import aws_key_id, gcp_key_id
from tests.reports.comparing import FIRST, SECOND, night
from tests.reports.samples import COMPLIANT, database, key, organization

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.reports.samples import Entry

SCOPE = KeyScope("acme", "serverless", "aws", "us-east-1")
ONE, TWO = aws_key_id(number=1), aws_key_id(number=2)
UNREAD = frozenset({"serverless-keys"})
Shown = Any


def _seen(*ids: str, unread: Iterable[str] | None = (), scope: KeyScope = SCOPE) -> Seen:
    """Return what an audit saw; if ``unread`` is None, the organization was not in it."""
    seen = Seen()
    if unread is not None:
        seen.add_organization("acme", "acme-prod", unread)
    for each in ids:
        seen.add(Finding("pass", KEYS, "high", key_subject(scope, each), "", "It is so."))
    return seen


def _found(shown: Shown) -> dict[str, tuple[list[str], list[str]]]:
    """Return the keys before and after, by what became of them."""
    assert shown["counts"] == {what: len(scopes) for what, scopes in shown["lists"].items()}
    return {
        what: (scope["before"], scope["after"])
        for what, scopes in shown["lists"].items()
        for scope in scopes
    }


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ([], [ONE], "added"),
        ([ONE], [], "removed"),
        ([ONE], [TWO], "replaced"),
        ([ONE], [ONE, TWO], "replaced"),
        ([ONE, TWO], [ONE], "replaced"),
        ([ONE], [ONE], ""),
        ([ONE, TWO], [TWO, ONE], ""),
        ([], [], ""),
    ],
)
def test_what_became_of_the_keys_of_a_scope(before: list[str], after: list[str], what: str) -> None:
    """A scope gains a key, loses it, has others in its place, or has the same."""
    shown = compare_keys(_seen(*before), _seen(*after))
    assert _found(shown) == ({what: (before, after)} if what else {})


def test_a_new_version_is_the_same_key() -> None:
    """A key of which another version was recorded was not replaced."""
    scope = KeyScope("acme", "serverless", "gcp", "us-east1")
    old, new = (_seen(gcp_key_id(version=each), scope=scope) for each in (1, 2))
    assert _found(compare_keys(old, new)) == {}


@pytest.mark.parametrize(
    ("before", "was", "after", "now", "what"),
    [
        ([ONE], (), [], UNREAD, "not_read"),
        ([ONE], (), [TWO], UNREAD, "not_read"),
        ([ONE], (), [], None, "not_read"),
        ([], UNREAD, [ONE], (), "not_read"),
        ([TWO], UNREAD, [ONE], (), "not_read"),
        ([], None, [ONE], (), "not_read"),
        ([], (), [ONE], UNREAD, "added"),
        ([ONE], UNREAD, [], (), "removed"),
        ([ONE], (), [ONE, TWO], UNREAD, "replaced"),
        ([ONE], (), [ONE], UNREAD, ""),
        ([ONE], (), [], {"managed-clusters-keys"}, "removed"),
    ],
)
def test_what_was_not_read_is_not_called_a_change(
    before: list[str],
    was: Iterable[str] | None,
    after: list[str],
    now: Iterable[str] | None,
    what: str,
) -> None:
    """A key that one audit may have missed was neither added nor removed as far as is known."""
    shown = compare_keys(_seen(*before, unread=was), _seen(*after, unread=now))
    assert _found(shown) == ({what: (before, after)} if what else {})


def test_keys_are_not_known_if_their_check_broke() -> None:
    """Where the check broke that names the keys, none is called removed."""
    now = _seen()
    now.add(
        Finding("error", KEYS, "high", organization_subject("acme"), "check-broke", "It broke.")
    )
    assert set(_found(compare_keys(_seen(ONE), now))) == {"not_read"}


def test_another_check_that_broke_hides_no_key() -> None:
    """Where another check broke, a key that is not there any more was removed."""
    now = _seen()
    now.add(
        Finding(
            "error", "CMEK-01", "high", organization_subject("acme"), "check-broke", "It broke."
        )
    )
    assert set(_found(compare_keys(_seen(ONE), now))) == {"removed"}


def test_a_scope_is_named_for_people() -> None:
    """The scope of a change is reported in full, with the organization's name."""
    [scope] = compare_keys(_seen(), _seen(ONE))["lists"]["added"]
    assert scope == {
        "organization": "acme",
        "name": "acme-prod",
        "type": "serverless",
        "provider": "aws",
        "region": "us-east-1",
        "before": [],
        "after": [ONE],
    }


def test_too_many_scopes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number key scopes are counted, and not named."""
    monkeypatch.setattr(key_changes, "MOST_SCOPES", 1)
    now = _seen(ONE)
    scope = SCOPE._replace(region="us-west-2")
    now.add(
        Finding("fail", KEYS, "high", key_subject(scope, aws_key_id("us-west-2")), "x", "It is so.")
    )
    shown = compare_keys(_seen(), now)
    assert (shown["counts"]["added"], len(shown["lists"]["added"])) == (2, 1)


def test_two_audits_tell_which_keys_changed(tmp_path: Path) -> None:
    """From two inventories follows, region by region, what became of their keys."""
    first = night(tmp_path, _organization(key("us-east-2", 1), key("us-west-2", 2)), FIRST)
    second = night(tmp_path, _organization(key("us-east-2", 3), key("eu-west-1", 4)), SECOND, first)
    shown = second.head["changes"]["keys"]["lists"]
    assert {what: [scope["region"] for scope in scopes] for what, scopes in shown.items()} == {
        "added": ["eu-west-1"],
        "replaced": ["us-east-2"],
        "removed": ["us-west-2"],
        "not_read": [],
    }


def test_refused_keys_are_not_removed(tmp_path: Path) -> None:
    """An organization of which the keys are refused has lost none of them."""
    gap = {"fact": "serverless-keys", "reason": "refused", "detail": "403"}
    hidden = COMPLIANT[0] | {"keys": [], "gaps": [gap]}
    second = night(tmp_path, [hidden], SECOND, night(tmp_path, COMPLIANT, FIRST))
    assert second.head["changes"]["keys"]["counts"] == {
        "added": 0,
        "replaced": 0,
        "removed": 0,
        "not_read": 1,
    }


def _organization(*keys: Entry) -> list[Entry]:
    return [organization("calm", list(keys), [database("orders", "us-east-2")])]
