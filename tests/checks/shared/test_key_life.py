"""The life of a key: deletion, expiry and versions, to the second and by day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from checks.shared.key_life import Fault, expiry_of, faults_of_life, notes_on_life
from tests.builders import AS_OF, aws_key_id, azure_key_id, gcp_key_id, kms_facts

KEY = gcp_key_id()
NAME = f"{KEY}/cryptoKeyVersions/"


def a_version(number: int = 1, **over: object) -> dict[str, Any]:
    """Return a version of the key that is older than the current one, and usable."""
    return {"id": f"{NAME}{number}", "state": "ENABLED", "usable": True} | over


def faults(key_id: str = KEY, *, has_data: bool = True, **facts: object) -> list[Fault]:
    """Return what threatens the data of a key."""
    return list(faults_of_life(kms_facts(**facts), key_id, AS_OF, has_data=has_data))


def notes(key_id: str = KEY, **facts: object) -> list[str]:
    """Return what is noted of a key that complies."""
    return list(notes_on_life(kms_facts(**facts), key_id, AS_OF))


def test_a_key_without_dates_and_versions_has_no_faults() -> None:
    """A key of which the cloud shows no end and no version is neither wrong nor noted."""
    assert (faults(), notes()) == ([], [])


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (timedelta(days=10), "The key will be deleted on 2026-12-01"),
        (timedelta(), "The key was to be deleted on 2026-11-21"),
        (timedelta(days=-1), "The key was to be deleted on 2026-11-20"),
    ],
)
def test_a_deletion_names_its_day(after: timedelta, text: str) -> None:
    """A key that will be deleted fails with its day, and critically while databases use it."""
    for has_data, severity in ((True, "critical"), (False, None)):
        (fault,) = faults(has_data=has_data, deletion_at=AS_OF + after)
        assert (fault.cause, fault.text, fault.severity) == ("pending-deletion", text, severity)
        assert fault.action is not None
        assert fault.action.sentence == f"Cancel the deletion of the key {KEY}, or recover it"


@pytest.mark.parametrize(
    ("after", "cause", "severity", "note"),
    [
        (timedelta(seconds=-1), "expired", "critical", True),
        (timedelta(), "expired", "critical", True),
        (timedelta(seconds=1), "expires-soon", None, True),
        (timedelta(days=30), "expires-soon", None, True),
        (timedelta(days=30, seconds=1), "", None, True),
        (timedelta(days=90), "", None, True),
        (timedelta(days=90, seconds=1), "", None, False),
    ],
)
def test_an_expiry_is_known_ahead(
    after: timedelta, cause: str, severity: str | None, *, note: bool
) -> None:
    """A key that expires within thirty days fails, and within ninety it is noted."""
    end = AS_OF + after
    found = faults(expires_at=end)
    assert [(one.cause, one.severity) for one in found] == ([(cause, severity)] if cause else [])
    word = "expired" if cause == "expired" else "expires"
    assert [one.text for one in found] == [f"The key {word} on {end.date()}"] * bool(cause)
    assert notes(expires_at=end) == ([f"It expires on {end.date()}."] if note else [])
    assert [one.severity for one in faults(expires_at=end, has_data=False)] == [None] * bool(cause)


def test_the_first_end_counts() -> None:
    """A key ends with its current version or the registered one, and not with an older one."""
    ends = {number: AS_OF + timedelta(days=number) for number in (1, 2, 3)}
    old, registered, current = (a_version(number, expires_at=ends[number]) for number in (1, 2, 3))
    current["is_current"] = True
    facts = kms_facts(versions=[old, registered, current], expires_at=AS_OF + timedelta(days=9))
    assert expiry_of(facts, KEY) == ends[3]
    assert expiry_of(facts, gcp_key_id(version=2)) == ends[2]
    assert expiry_of(kms_facts(versions=[old]), KEY) is None


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ({"state": "DISABLED", "usable": False}, "DISABLED"),
        ({"state": "DESTROYED", "usable": False}, "DESTROYED"),
        (
            {"state": "DESTROY_SCHEDULED", "usable": False, "destroy_at": "2026-12-01T00:00:00Z"},
            "DESTROY_SCHEDULED, and is destroyed on 2026-12-01",
        ),
        (
            {"destroy_at": "2026-12-01T00:00:00Z"},
            "ENABLED, and is destroyed on 2026-12-01",
        ),
    ],
)
def test_a_dead_version_is_a_fault_while_databases_use_the_key(
    over: dict[str, Any], text: str
) -> None:
    """An older version that cannot decrypt is named, and is a note if no database uses the key."""
    versions = [a_version(1, **over), a_version(2, is_current=True)]
    (fault,) = faults(versions=versions)
    assert (fault.cause, fault.text) == (
        "dead-version:1",
        f"Version 1 of the key is {text}",
    )
    assert fault.action is not None
    assert fault.action.sentence == f"Enable or restore version 1 of the key {KEY}"
    assert faults(versions=versions, has_data=False) == []
    assert notes(versions=versions) == [
        "Versions that cannot decrypt: 1; no database uses the key."
    ]


@pytest.mark.parametrize("is_current", [False, True])
@pytest.mark.parametrize(
    "state", ["PENDING_GENERATION", "GENERATION_FAILED", "PENDING_IMPORT", "IMPORT_FAILED"]
)
def test_a_version_that_never_was_loses_nothing(state: str, *, is_current: bool) -> None:
    """A version that never encrypted anything is no fault, unless it is the current one."""
    version = a_version(state=state, usable=False, is_current=is_current)
    assert [fault.cause for fault in faults(versions=[version])] == ["dead-version:1"] * is_current


def test_the_registered_version_is_needed_in_any_case() -> None:
    """The version that the key id names must live and be there, whoever uses the key."""
    registered = gcp_key_id(version=1)
    dead = [a_version(1, state="DISABLED", usable=False), a_version(2, is_current=True)]
    assert [one.cause for one in faults(registered, has_data=False, versions=dead)] == [
        "dead-version:1"
    ]
    (missing,) = faults(gcp_key_id(version=7), has_data=False, versions=dead)
    assert (missing.cause, missing.text) == (
        "dead-version:7",
        "The key has no version 7, which its id names",
    )
    assert faults(registered, versions=[a_version(1)]) == []


def test_what_a_reader_should_know_is_noted() -> None:
    """A registered version, and replicas in other regions, are notes."""
    version = "0123456789abcdef" * 2
    assert notes(gcp_key_id(version=3)) == [
        "The registered id names version 3, so that a rotation changes nothing."
    ]
    assert notes(azure_key_id(version=version)) == [
        f"The registered id names version {version}, so that a rotation changes nothing."
    ]
    assert notes(aws_key_id(), multi_region=True) == [
        "It is a multi-Region key: replicas in other regions can decrypt, too."
    ]
