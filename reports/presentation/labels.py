"""The labels of statuses, verdicts, cells, changes and reason codes: word, shape and meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.reasons import Reason, reasons, step_for
from inventory.model.vocabulary import PROVIDER_NAMES, TYPE_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.model.population_summary import GapEntry


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

RESTS_ON = {
    "portal": Label("nothing", "◉", "portal", "A dated look at Astra's portal."),
    "cloud": Label("nothing", "▣", "cloud", "What the cloud's key management showed."),
    "order": Label("nothing", "→", "order of times", "The order of dated times."),
    "records": Label(
        "nothing", "≡", "records", "What Astra, a plan or a file states, compared with itself."
    ),
    "attested": Label("nothing", "“", "people alone", "The word of people alone."),
}
"""The kinds of evidence on which a pass rests, the strongest first."""

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

PURPOSE = {
    "prevent": Label("prevent", "▲", "prevent", "what is planned and can still be put right"),
    "repair": Label("repair", "◆", "repair", "what does not comply"),
    "prove": Label("prove", "?", "prove", "what cannot be judged yet"),
}
"""What an action is for; the meaning continues the word."""

WHO = {
    "we": "we, the team of the organization",
    "cloud administrators": "the cloud's administrators",
    "IBM Support": "IBM Support, asked by us",
}
"""Who must act."""

TYPE = TYPE_NAMES
PROVIDER = PROVIDER_NAMES
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
    "aws-keys": "keys in AWS",
    "gcp-keys": "keys in Google Cloud",
    "azure-keys": "keys in Azure",
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

ORDER = {
    "broken": Label("error", "!", "check broke", "The check of it broke, so nothing is known."),
    "older-than-key": Label(
        "fail", "✕", "before its key", "The database was deployed before its key was registered."
    ),
    "without-key": Label("fail", "✕", "without a key", "No key is registered for its key scope."),
    "failing": Label("fail", "✕", "fails", "It does not comply; the finding says why."),
    "unknown": Label(
        "inconclusive", "?", "order not known", "It is not known whether it or its key came first."
    ),
    "not-judged": Label(
        "inconclusive", "?", "not evaluated", "No finding of this audit is about its order."
    ),
    "waived": Label(
        "waived", "§", "failure waived", "It fails, and a valid waiver covers this cause."
    ),
    "after": Label("pass", "✓", "after its key", "Its key was registered before it was deployed."),
    "astra-provided": Label(
        "not-applicable", "△", "Astra’s keys", "It is declared to use Astra’s keys."
    ),
    "not-applicable": Label(
        "not-applicable", "\N{EN DASH}", "not applicable", "The finding says why there is no order."
    ),
}
"""Which came first, the key or a database, as a timeline shows it; the worst first."""

PLANNED_ORDER = {
    "older-than-key": "planned, fails",
    "without-key": "planned without a key",
    "failing": "planned, fails",
    "unknown": "planned, key not known",
    "waived": "planned, failure waived",
    "after": "planned, its key is registered",
    "astra-provided": "planned with Astra’s keys",
}
"""The words of ``ORDER`` for a database that is only planned, where they differ."""
