"""How the auditor's page shows statuses, verdicts, cells and reason codes: by word and by shape."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """How one status, state or verdict looks.

    Attributes:
        css: the class that colours it.
        shape: a character that tells it apart without colour.
        word: what is said.
        meaning: what that means, in a sentence; may be empty.
    """

    css: str
    shape: str
    word: str
    meaning: str = ""


class Reason(NamedTuple):
    """What a reason code means.

    Attributes:
        meaning: why a subject was not judged, in a sentence.
        who: who must act; empty if nobody has to.
    """

    meaning: str
    who: str = ""


STATUS = {
    "error": Look("error", "!", "error", "The check itself broke. Nothing is known."),
    "fail": Look("fail", "✕", "fail", "Judged, and it does not comply."),
    "inconclusive": Look(
        "inconclusive", "?", "inconclusive", "A fact is missing, so it could not be judged."
    ),
    "waived": Look("waived", "§", "waived", "Fails, and a valid waiver covers exactly this."),
    "pass": Look("pass", "✓", "pass", "Judged, and it complies."),
    "not-applicable": Look(
        "not-applicable",
        "\N{EN DASH}",
        "not applicable",
        "The rule has nothing to say here, and why.",
    ),
}

VERDICT = {
    "broken": STATUS["error"],
    "not compliant": STATUS["fail"],
    "not established": STATUS["inconclusive"],
    "nothing judged": STATUS["inconclusive"],
    "partial": STATUS["inconclusive"],
    "compliant": STATUS["pass"],
}

NO_DATABASE = "none"
NOT_KNOWN = "undetermined"
CELL = {
    "covered": Look("pass", "✓", "key registered", "Databases lie here, and so does a key."),
    "missing": Look("fail", "✕", "key missing", "Databases here need a key, and there is none."),
    "undetermined": Look(
        "inconclusive", "?", "not known", "Whether a key is needed here, or is there, is not known."
    ),
    "idle": Look("waived", "○", "idle key", "A key is registered, and no database lies here."),
    "spare": Look(
        "waived", "◎", "key, use not known", "A key is registered; its databases are not known."
    ),
    "not-supported": Look(
        "not-applicable", "⊘", "not supported", "Astra has no customer keys for this combination."
    ),
    "astra-provided": Look(
        "not-applicable", "△", "Astra's keys", "The databases here are declared to use them."
    ),
    NO_DATABASE: Look(
        "nothing", "—", "no database", "No database lies here, nor is a key recorded."
    ),
}

WAIVER = {
    "active": Look("pass", "✓", "active", "Covers a failure of this audit."),
    "expiring": Look("inconclusive", "!", "expiring", "Covers a failure, for 30 days at most."),
    "expired": Look("fail", "✕", "expired", "Its last day has passed: it covers nothing."),
    "not-yet-valid": Look(
        "inconclusive", "?", "not yet valid", "Its first day is still to come: it covers nothing."
    ),
    "unused": Look(
        "not-applicable", "\N{EN DASH}", "unused", "Its subject was found, and does not fail."
    ),
    "unmatched": Look(
        "inconclusive", "?", "matches nothing", "No finding of this audit has its rule and subject."
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
    "key-id": "key id",
    "database": "database",
    "database-region": "database in a region",
}
ROLE = {"inventory": "present record", "plan": "plan", "history": "earlier record"}

_RECORDER = "whoever records the inventory"
_ADMIN = "an administrator of the organization"
_ATTESTER = "whoever can attest it"
_OWNER = "the owner of the databases"
_KEYS = "the owner of the key"

REASON = {
    "not-recorded": Reason("The record does not hold the fact.", _RECORDER),
    "refused": Reason("Astra refused to tell: the token may not read it.", _ADMIN),
    "timed-out": Reason("No answer came in time.", _RECORDER),
    "malformed": Reason("The answer could not be understood.", _RECORDER),
    "cut-short": Reason("The answer or the file ended early.", _RECORDER),
    "wrong-organization": Reason("The answer was about another organization.", _RECORDER),
    "rate-limited": Reason("Astra stopped answering so many requests.", _RECORDER),
    "not-visible": Reason("The token does not see it.", _ADMIN),
    "unknown-value": Reason("A value was recorded that the suite does not know.", _RECORDER),
    "unknown-type": Reason("The tier tells no database type.", _OWNER),
    "unknown-key-id": Reason("The key id has the form of no provider.", _RECORDER),
    "alias": Reason("An alias names the key, and what it points to can change.", _RECORDER),
    "disguised-key": Reason("The key may be another one under a second name.", _KEYS),
    "rival-keys": Reason("Several keys are claimed for one key scope.", _RECORDER),
    "time-not-recorded": Reason("The record does not say when.", _RECORDER),
    "impossible-time": Reason("A recorded time cannot be true.", _RECORDER),
    "equal-times": Reason("Key and database have the same time, which proves no order.", _ATTESTER),
    "registration-time-unknown": Reason(
        "The key may have come before the database or after it.", _ATTESTER
    ),
    "contradiction": Reason("An attestation contradicts the dated records.", _ATTESTER),
    "not-attested": Reason("Only a person can state it, and nobody has.", _ATTESTER),
    "attestation-not-current": Reason("It was attested for other days than this one.", _ATTESTER),
    "facts-not-current": Reason("The cloud's facts are not of this time.", _KEYS),
    "empty": Reason("Neither a key nor a database is recorded.", _RECORDER),
    "stale": Reason("The record is older than the audit allows.", _RECORDER),
    "check-broke": Reason("The check itself broke.", "the maintainers of the suite"),
    "astra-provided": Reason("Declared to use Astra's keys, with a reason."),
    "unsupported-combination": Reason("Astra has no customer keys for this combination."),
    "clouds-left-out": Reason("The audit was told to leave the clouds' key management out."),
    "no-customer-keys": Reason("The organization has and needs no customer key."),
    "one-view-only": Reason("The keys were recorded by one way only, so no two can disagree."),
}

UNEXPLAINED = Reason("The finding says why.", "see the finding")
"""For a reason code that stands in no table here."""


def reason(code: str) -> Reason:
    """Return what a reason code means and who must act."""
    return REASON.get(code, UNEXPLAINED)
