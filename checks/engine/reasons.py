"""What would settle a gap: who has to do what, by its reason and its fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.identity import cause_of

if TYPE_CHECKING:
    from inventory.model.gaps import Fact, Gap, GapReason
    from inventory.model.organization import Organization

_READ_KEYS = 'org-cmk-read ("Read CMK Key")'
PERMISSIONS: dict[Fact, str] = {
    "databases": 'org-db-view ("View DB")',
    "serverless-keys": _READ_KEYS,
    "managed-clusters-keys": _READ_KEYS,
    "region-views": _READ_KEYS,
    "vendor-accounts": _READ_KEYS,
}
"""The permission that reading each fact takes, as far as is known."""

_AGAIN = "Record {name} again, in full"
STEPS: dict[GapReason, str] = {
    "not-recorded": _AGAIN,
    "no-token": "Put the token of {name} into the variable that the organizations file names",
    "refused": (
        "Give the token of {name} the permission {permission}, and this machine a place on the "
        "organization's IP access list if it has one"
    ),
    "rate-limited": "Record {name} again later, or with fewer connections",
    "timed-out": "Record {name} again, with a later deadline if need be",
    "unavailable": "Record {name} again when Astra answers",
    "wrong-address": "Check the address in the organizations file, and record {name} again",
    "wrong-organization": "Give {name} a token of its own: this one is of another organization",
    "malformed": "Look at the recorded answer about {name}, and record it again",
    "too-large": (
        "Raise the limit that the gap names in the organizations file, if {name} is as large as "
        "that, and record it again"
    ),
    "cut-short": _AGAIN,
    "not-visible": (
        "Find out why Astra does not list all of {name} to this token, whose role may be scoped"
    ),
    "unknown-value": "Look at the recorded answer about {name}: it holds what the suite knows not",
    "clock-differs": "Set the clock of the recording machine, and record {name} again",
}
"""What to do about each reason, in words."""


def recollect_action(organization: Organization) -> str:
    """Say that a new record would settle it."""
    return _AGAIN.format(name=organization.name)


def cause_of_gap(gap: Gap) -> str:
    """Return the cause of a finding that ``gap`` keeps from being judged: ``refused:databases``."""
    return cause_of(gap.reason, gap.fact)


def gap_action(gap: Gap, organization: Organization) -> str:
    """Say what would settle ``gap``; alike for all rules, so that they give one action."""
    return STEPS[gap.reason].format(name=organization.name, permission=PERMISSIONS[gap.fact])
