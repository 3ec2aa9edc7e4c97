"""The labels of statuses, verdicts, cells, changes and reason codes: word, shape and meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.reasons import PERMISSIONS, STEPS
from checks.shared.remedies import REVEAL_STATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Label(NamedTuple):
    """The label of one status, state or verdict.

    Attributes:
        css: the class that colours it.
        shape: a character that identifies it without colour.
        word: its text.
        meaning: what that means, in a sentence; may be empty.
    """

    css: str
    shape: str
    word: str
    meaning: str = ""


class ReasonLabel(NamedTuple):
    """What a reason code means.

    Attributes:
        meaning: why a subject was not judged, in a sentence.
        who: who must act; empty if nobody has to.
        step: what to do, where the organization's gaps do not tell it more precisely.
    """

    meaning: str
    who: str = ""
    step: str = ""


STATUS = {
    "error": Label("error", "!", "error", "The check itself broke, so nothing is known."),
    "fail": Label("fail", "✕", "fail", "The subject was evaluated and does not comply."),
    "inconclusive": Label(
        "inconclusive",
        "?",
        "inconclusive",
        "A fact is missing, so the subject could not be evaluated.",
    ),
    "waived": Label(
        "waived", "§", "waived", "The subject fails, and a valid waiver covers this cause."
    ),
    "pass": Label("pass", "✓", "pass", "The subject was evaluated and complies."),
    "not-applicable": Label(
        "not-applicable",
        "\N{EN DASH}",
        "not applicable",
        "The rule does not apply here; the finding says why.",
    ),
}

VERDICT = {
    "broken": STATUS["error"],
    "not compliant": STATUS["fail"],
    "not established": STATUS["inconclusive"],
    "nothing judged": STATUS["inconclusive"],
    "no customer key": STATUS["not-applicable"],
    "partial": STATUS["inconclusive"],
    "compliant": STATUS["pass"],
}

NO_DATABASE = "none"
NOT_KNOWN = "undetermined"
CELL = {
    "covered": Label(
        "pass",
        "✓",
        "covered",
        "The key is registered for this key scope alone and before every database here, has the "
        "right id, is usable, and has no waiver. It may have advisories.",
    ),
    "missing": Label(
        "fail", "✕", "key missing", "Databases here need a key, and none is registered."
    ),
    "shared": Label(
        "fail",
        "✕",
        "key shared",
        "The key is registered here and for other key scopes: all but one of them lack a key.",
    ),
    "failing": Label(
        "fail",
        "✕",
        "key, but a failure",
        "A key is registered, and a finding about it or about a database here fails.",
    ),
    "undetermined": Label(
        "inconclusive",
        "?",
        "not known",
        "It is not known whether a key is needed or registered here.",
    ),
    "unproven": Label(
        "inconclusive",
        "?",
        "key, not proven",
        "A key is registered, and a finding about it, a database here or the organization is "
        "inconclusive.",
    ),
    "waived": Label(
        "waived",
        "§",
        "key, failure waived",
        "A key is registered, and a failure here is waived: it is accepted, not fixed.",
    ),
    "unused": Label(
        "waived", "○", "unused key", "A key is registered, but there is no database here."
    ),
    "spare": Label(
        "waived", "◎", "key, use not known", "A key is registered, but its databases are not known."
    ),
    "unsupported": Label(
        "not-applicable", "⊘", "not supported", "Astra has no customer keys for this combination."
    ),
    "astra-provided": Label(
        "not-applicable",
        "△",
        "Astra's keys",
        "The databases here are declared to use Astra's keys.",
    ),
    "in-question": Label(
        "inconclusive",
        "?",
        "in question",
        "Neither a database nor a key is listed here, and a finding about it is open or waived.",
    ),
    NO_DATABASE: Label("nothing", "—", "no database", "No database and no key is recorded here."),
}

WAIVER = {
    "active": Label("pass", "✓", "active", "Covers a failure of this audit."),
    "expiring": Label(
        "inconclusive", "!", "expiring", "Covers a failure, but expires within 30 days."
    ),
    "expired": Label("fail", "✕", "expired", "Its last day has passed: it covers nothing."),
    "not-yet-valid": Label(
        "inconclusive", "?", "not yet valid", "Its first day has not come: it covers nothing."
    ),
    "unused": Label(
        "not-applicable", "\N{EN DASH}", "unused", "Its subject was found, and does not fail."
    ),
    "unmatched": Label(
        "inconclusive", "?", "matches nothing", "No finding of this audit has its rule and subject."
    ),
    "requested": Label(
        "inconclusive", "…", "awaiting approval", "Nobody has approved it yet: it covers nothing."
    ),
}

CHANGE = {
    "new": Label("fail", "+", "new", "Open now, and in no known earlier audit."),
    "reopened": Label(
        "fail", "↻", "reopened", "Open now; waived in the baseline, or open in an audit before it."
    ),
    "worsened": Label(
        "fail",
        "↑",
        "worsened",
        "Its subject is open in both, and worse now: it fails, a planned database was deployed, "
        "the severity is higher, or more could not be read.",
    ),
    "unclear": Label(
        "inconclusive",
        "?",
        "unclear",
        "Its subject failed in the baseline, and is inconclusive now.",
    ),
    "unchanged": Label("nothing", "=", "unchanged", "Open in both, and no worse."),
    "fixed": Label(
        "pass",
        "✓",
        "fixed",
        "Open in the baseline, and resolved: its subject no longer fails for this cause.",
    ),
    "superseded": Label(
        "inconclusive",
        "⇢",
        "superseded",
        "Open in the baseline; another cause of the same subject has replaced it.",
    ),
    "waived": Label("waived", "§", "waived", "Open in the baseline; a waiver covers it now."),
    "gone": Label(
        "not-applicable", "○", "gone", "Open in the baseline, and not found now: this is not a fix."
    ),
}
WHY = {
    "other-cause": "Another cause of the same subject has replaced it.",
    "subject-absent": "The subject no longer exists.",
    "partial-run": "Not evaluated again: this run was partial.",
    "organization-absent": "Not evaluated again: its organization was not audited.",
    "check-broke": "Not evaluated again: the check broke.",
    "organization-unread": "Not evaluated again: not all of its organization could be read.",
    "facts-left-out": "Not evaluated again: the facts it needs were left out.",
    "more-unread": "More of the organization could not be read than before.",
}
KEY_CHANGE = {
    "added": ("Keys added", "Key scopes that had no key and now have one."),
    "replaced": ("Keys replaced", "Only IBM Support can replace a key: find the support case."),
    "removed": ("Keys removed", "Only IBM Support can remove a key: find the support case."),
    "not_read": (
        "Keys not read",
        "One of the two audits could not read all keys here, so changes are not known.",
    ),
}

TYPE = {
    "serverless": "Serverless",
    "managed-clusters": "Managed Clusters",
    "unknown": "type not known",
}
PROVIDER = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}
KIND = {
    "organization": "organization",
    "key-scope": "key scope",
    "key": "key",
    "planned-key": "planned key",
    "key-id": "key id",
    "database": "database",
    "database-region": "database in a region",
}
FACT = {
    "identity": "the token’s organization",
    "databases": "databases",
    "serverless-keys": "keys of Serverless",
    "managed-clusters-keys": "keys of Managed Clusters",
    "region-views": "regional lookups",
    "vendor-accounts": "the vendor’s accounts",
}
COUNTED = {
    "serverless-keys": "Keys of Serverless",
    "managed-clusters-keys": "Keys of Managed Clusters",
    "region-views": "Regional lookups",
    "vendor-accounts": "Keys with the vendor’s accounts",
    "databases": "Databases, second reading",
    "placements": "Databases in their key scopes",
    "managed": "Databases that Terraform manages",
}
AGREE = {
    True: Label("pass", "✓", "agree"),
    False: Label("fail", "✕", "differ"),
    None: Label("inconclusive", "?", "not known", "Not everything was read."),
}
ROLE = {
    "inventory": "current record",
    "plan": "plan",
    "state": "state of Terraform",
    "history": "earlier record",
}

_RECORDER = "whoever records the inventory"
_ADMIN = "an administrator of the organization"
_ATTESTER = "whoever can attest it"
_OWNER = "the owner of the databases"
_KEYS = "the owner of the key"

_AGAIN = "Record the organization again, in full"
_LOOK = "Look at the recorded answer, and record it again"

REASON = {
    "not-recorded": ReasonLabel(
        "The record does not hold the fact.",
        _RECORDER,
        "Record the fact that each finding names, or have it attested",
    ),
    "no-token": ReasonLabel(
        "There was no token to ask with.", _RECORDER, "Put a token into the variable that is named"
    ),
    "refused": ReasonLabel(
        "Astra refused to tell: the token may not read it.",
        _ADMIN,
        "Give the token the permission that reading takes",
    ),
    "timed-out": ReasonLabel("No answer came in time.", _RECORDER, _AGAIN),
    "malformed": ReasonLabel("The answer could not be understood.", _RECORDER, _LOOK),
    "too-large": ReasonLabel(
        "There was more than the limits of the organizations file allow.",
        _RECORDER,
        "Raise the limit that the gap names, if the organization is as large as that",
    ),
    "cut-short": ReasonLabel("The answer or the file ended early.", _RECORDER, _AGAIN),
    "wrong-organization": ReasonLabel(
        "The answer was about another organization.",
        _RECORDER,
        "Give the organization a token of its own",
    ),
    "rate-limited": ReasonLabel(
        "Astra stopped answering so many requests.", _RECORDER, "Record the organization later"
    ),
    "unavailable": ReasonLabel(
        "Astra did not answer, or answered that it was broken.",
        _RECORDER,
        "Record the organization again when Astra answers",
    ),
    "wrong-address": ReasonLabel(
        "There was nothing at the address asked.",
        _RECORDER,
        "Check the address in the organizations file",
    ),
    "clock-differs": ReasonLabel(
        "Astra's clock and the recorder's differ, so that no order of times can be relied on.",
        _RECORDER,
        "Set the clock of the recording machine, and record again",
    ),
    "not-visible": ReasonLabel(
        "Astra does not show it to the token.",
        _ADMIN,
        "Find out what the token's role may not see",
    ),
    "unknown-value": ReasonLabel(
        "A value was recorded that the suite does not know.", _RECORDER, _LOOK
    ),
    "not-determined": ReasonLabel(
        "A plan does not tell where a database will lie.", _OWNER, "Plan again, and judge that plan"
    ),
    "key-id-not-determined": ReasonLabel(
        "A plan does not show the id of a key.", _OWNER, "Plan again, and judge that plan"
    ),
    "ordered-by-plan": ReasonLabel(
        "A plan registers the key and then creates its databases, and whether the key takes effect "
        "in time is not documented.",
        _OWNER,
        "Apply the key alone first, record again, and plan again",
    ),
    "state-not-shown": ReasonLabel(
        "Terraform's state does not show where a database is.",
        _OWNER,
        REVEAL_STATE,
    ),
    "unknown-type": ReasonLabel(
        "The tier tells no database type.", _OWNER, "Find out the type, and state it"
    ),
    "unknown-key-id": ReasonLabel(
        "The key id has the form of no provider.",
        _RECORDER,
        "Compare the key id with the one in the cloud",
    ),
    "alias": ReasonLabel(
        "An alias names the key, and what it points to can change.",
        _RECORDER,
        "Find out which key the alias names, and record that",
    ),
    "disguised-key": ReasonLabel(
        "The key may be another one under a second name.",
        _KEYS,
        "Find out whether both names mean one key",
    ),
    "rival-keys": ReasonLabel(
        "Several keys are claimed for one key scope.",
        _RECORDER,
        "Find out which of the keys is in use, and record again",
    ),
    "replaced-without-case": ReasonLabel(
        "The key before the present one was replaced, and no support case explains that.",
        _RECORDER,
        "Find the support case, and record it with its ticket and day",
    ),
    "time-not-recorded": ReasonLabel(
        "The record does not say when.", _RECORDER, "Record the time, or have it attested"
    ),
    "impossible-time": ReasonLabel(
        "A recorded time cannot be true.", _RECORDER, "Find out the true time, and correct it"
    ),
    "equal-times": ReasonLabel(
        "Key and database have the same time, which proves no order.",
        _ATTESTER,
        "Attest when the key was registered, to the second",
    ),
    "registration-time-unknown": ReasonLabel(
        "The key may have come before the database or after it.",
        _ATTESTER,
        "Attest when the key was registered, or give an earlier record",
    ),
    "contradiction": ReasonLabel(
        "An attestation contradicts the dated records.",
        _ATTESTER,
        "Correct the attestation, or find out why the record differs",
    ),
    "not-attested": ReasonLabel(
        "Only a person can state it, and nobody has.", _ATTESTER, "Attest it, with name and day"
    ),
    "attestation-not-current": ReasonLabel(
        "It was attested for other days than this one.", _ATTESTER, "Attest it anew"
    ),
    "facts-not-current": ReasonLabel(
        "The cloud's facts are not of this time.", _KEYS, "Record the cloud's facts again"
    ),
    "undecidable-grant": ReasonLabel(
        "Somebody may use the key who may be the vendor or somebody else.",
        _KEYS,
        "Grant the key to the account that Astra names, or have it attested that Astra can use it",
    ),
    "empty": ReasonLabel(
        "A list is empty that should not be, unless somebody attests it.",
        _RECORDER,
        "Let the token see what there is, or attest that there is nothing",
    ),
    "stale": ReasonLabel("The record is older than the audit allows.", _RECORDER, _AGAIN),
    "older-than-baseline": ReasonLabel(
        "The record is older than the one that the baseline audited.", _RECORDER, _AGAIN
    ),
    "views-not-recorded": ReasonLabel(
        "The views of single regions are missing, which the baseline was recorded with.",
        _RECORDER,
        _AGAIN,
    ),
    "unseen": ReasonLabel(
        "A known database is not among those that could be read.", _RECORDER, _AGAIN
    ),
    "region-unseen": ReasonLabel(
        "A region that Terraform's state has is not among those that could be read.",
        _RECORDER,
        _AGAIN,
    ),
    "differ": ReasonLabel("Counts by independent routes differ.", _RECORDER, _AGAIN),
    "check-broke": ReasonLabel(
        "The check itself broke.",
        "the maintainers of the suite",
        "Report this as a defect of the suite",
    ),
    "astra-provided": ReasonLabel("Declared to use Astra's keys, with a reason."),
    "unsupported-combination": ReasonLabel("Astra has no customer keys for this combination."),
    "clouds-left-out": ReasonLabel("The audit was told to leave the clouds' key management out."),
    "no-customer-keys": ReasonLabel("The organization has and needs no customer key."),
    "one-view-only": ReasonLabel("The keys were recorded by one way only, so no two can disagree."),
}

_STEPS: dict[str, str] = {str(code): text for code, text in STEPS.items()}

UNEXPLAINED = ReasonLabel("The finding says why.", "see the finding", "See the finding")
"""For a reason code that stands in no table here."""


def reason(code: str) -> ReasonLabel:
    """Return what a reason code means and who must act."""
    return REASON.get(code, UNEXPLAINED)


def step(code: str, name: str, gaps: Sequence[Mapping[str, Any]]) -> str:
    """Say what to do about a reason code in the organization ``name``, which has these ``gaps``."""
    facts = [gap["fact"] for gap in gaps if gap["reason"] == code]
    if not facts or code not in _STEPS:
        return reason(code).step
    permission = " and ".join(dict.fromkeys(PERMISSIONS[fact] for fact in facts))
    return _STEPS[code].format(name=name, permission=permission)


KEY_NUMBERS = {
    "needed": "needed",
    "registered": "registered",
    "missing": "missing",
    "undetermined": "not known",
    "failing": "failing",
    "unproven": "not proven",
    "waived": "waived",
    "unused": "unused",
}
"""The numbers of the key plan, with their words."""
