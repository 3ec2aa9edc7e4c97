"""How the auditor's page shows statuses, verdicts, cells and reason codes: by word and by shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.reasons import Reason, reasons, step_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.model.population_summary import GapEntry


class Label(NamedTuple):
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


STATUS = {
    "error": Label("error", "!", "error", "The check itself broke. Nothing is known."),
    "fail": Label("fail", "✕", "fail", "Judged, and it does not comply."),
    "inconclusive": Label(
        "inconclusive", "?", "inconclusive", "A fact is missing, so it could not be judged."
    ),
    "waived": Label("waived", "§", "waived", "Fails, and a valid waiver covers this one cause."),
    "pass": Label("pass", "✓", "pass", "Judged, and it complies."),
    "not-applicable": Label(
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
        "The key is registered for this key scope alone, came before every database here, has the "
        "right id and is usable, and nothing about it is waived. Advisories alone leave it so.",
    ),
    "missing": Label(
        "fail", "✕", "key missing", "Databases here need a key of their own, and there is none."
    ),
    "shared": Label(
        "fail",
        "✕",
        "key shared",
        "One key is registered here and for others: all of these key scopes but one lack theirs.",
    ),
    "failing": Label(
        "fail",
        "✕",
        "key, but a failure",
        "A key is registered, and a finding about it or about a database here fails.",
    ),
    "undetermined": Label(
        "inconclusive", "?", "not known", "Whether a key is needed here, or is there, is not known."
    ),
    "unproven": Label(
        "inconclusive",
        "?",
        "key, not proven",
        "A key is registered, and something about it, a database here or the whole organization "
        "could not be judged.",
    ),
    "waived": Label(
        "waived",
        "§",
        "key, failure waived",
        "A key is registered, and a waiver covers a failure here: it is accepted, not repaired.",
    ),
    "unused": Label("waived", "○", "idle key", "A key is registered, and no database is here."),
    "spare": Label(
        "waived", "◎", "key, use not known", "A key is registered; its databases are not known."
    ),
    "unsupported": Label(
        "not-applicable", "⊘", "not supported", "Astra has no customer keys for this combination."
    ),
    "astra-provided": Label(
        "not-applicable", "△", "Astra's keys", "The databases here are declared to use them."
    ),
    "in-question": Label(
        "inconclusive",
        "?",
        "in question",
        "Neither a database nor a key is listed here, and a finding about it is open or waived.",
    ),
    NO_DATABASE: Label(
        "nothing", "—", "no database", "No database is here, nor is a key recorded."
    ),
}

WAIVER = {
    "active": Label("pass", "✓", "active", "Covers a failure of this audit."),
    "expiring": Label("inconclusive", "!", "expiring", "Covers a failure, for 30 days at most."),
    "expired": Label("fail", "✕", "expired", "Its last day has passed: it covers nothing."),
    "not-yet-valid": Label(
        "inconclusive", "?", "not yet valid", "Its first day is still to come: it covers nothing."
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
    "new": Label("fail", "+", "new", "Open now, and not open in any audit before that is known."),
    "reopened": Label(
        "fail", "↻", "reopened", "Open now, and waived in the baseline, or open in one before it."
    ),
    "worsened": Label(
        "fail",
        "↑",
        "worsened",
        "Its subject is open in both, and worse: it fails now, what was planned is deployed, its "
        "severity is higher, or more could not be read.",
    ),
    "unclear": Label(
        "inconclusive",
        "?",
        "unclear",
        "Its subject failed in the baseline, and could not be judged now.",
    ),
    "unchanged": Label("nothing", "=", "unchanged", "Open in both, and no worse."),
    "fixed": Label(
        "pass",
        "✓",
        "fixed",
        "Open in the baseline, and resolved: its subject does not fail for it any more.",
    ),
    "superseded": Label(
        "inconclusive",
        "⇢",
        "superseded",
        "Open in the baseline; another cause of the same subject came instead.",
    ),
    "waived": Label("waived", "§", "waived", "Open in the baseline; a waiver covers it now."),
    "gone": Label(
        "not-applicable", "○", "gone", "Open in the baseline, and not found now: that is no fix."
    ),
}
WHY = {
    "other-cause": "Another cause of the same subject came instead.",
    "subject-absent": "There is no such subject any more.",
    "partial-run": "Not judged again: this run was partial.",
    "organization-absent": "Not judged again: its organization was not audited.",
    "check-broke": "Not judged again: the check broke.",
    "organization-unread": "Not judged again: not all of its organization could be read.",
    "facts-left-out": "Not judged again: the facts for it were left out.",
    "more-unread": "More of the organization could not be read than before.",
}
KEY_CHANGE = {
    "added": ("Keys added", "Key scopes that had no key, and have one."),
    "replaced": ("Keys replaced", "Only IBM Support can replace a key: look for the case."),
    "removed": ("Keys removed", "Only IBM Support can remove a key: look for the case."),
    "not_read": (
        "Keys not read",
        "One of the two audits could not read all keys here, so no change is known.",
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
    "region-views": "views of single regions",
    "vendor-accounts": "the vendor’s accounts",
}
COUNTED = {
    "serverless-keys": "Keys of Serverless",
    "managed-clusters-keys": "Keys of Managed Clusters",
    "region-views": "Views of single regions",
    "vendor-accounts": "Keys with the vendor’s accounts",
    "databases": "Databases, read again",
    "placements": "Databases in their key scopes",
    "managed": "Databases that Terraform manages",
}
AGREE = {
    True: Label("pass", "✓", "agree"),
    False: Label("fail", "✕", "differ"),
    None: Label("inconclusive", "?", "not known", "Something was not read."),
}
ROLE = {
    "inventory": "present record",
    "plan": "plan",
    "state": "what Terraform believes to exist",
    "history": "earlier record",
}

UNEXPLAINED = Reason(meaning="The finding says why.", who="see the finding", step="See the finding")
"""For a reason code of a record that is not listed here."""


def reason(code: str) -> Reason:
    """Return what a reason code means and who must act."""
    return reasons().get(code, UNEXPLAINED)


def step(code: str, name: str, gaps: Sequence[GapEntry]) -> str:
    """Say what to do about a reason code in the organization ``name``, which has these ``gaps``."""
    facts = [gap["fact"] for gap in gaps if gap["reason"] == code]
    known = reason(code)
    return step_for(known, name, facts) if facts and known.action else known.step


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
