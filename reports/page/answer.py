"""The answer at the top of the page: the verdict, and how many databases are protected."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.card import SEVERITIES
from inventory.text.display import pluralize
from reports.page.coverage_list import by_outcome, protection_bar
from reports.presentation.banners import hosts_of
from reports.presentation.evidence_text import rests_on
from reports.presentation.labels import VERDICT, Label
from reports.presentation.organization_status import EMPTY, state_of
from reports.presentation.protection_text import answer as sentence_of
from reports.presentation.protection_text import recorded_protection

if TYPE_CHECKING:
    from reports.model.head import Head
    from reports.model.protection import Protection
    from reports.page.bars import Piece
    from reports.page.organizations.links import OnlyOrganization

WORDS = (
    Label("pass", "✓", "protected"),
    Label("fail", "✕", "not protected"),
    Label("waived", "§", "not protected, accepted by a waiver"),
    Label("inconclusive", "?", "not proven"),
    Label("not-applicable", "△", "Astra’s keys, approved"),
)
"""The words for the numbers of databases."""

_ALWAYS = ("pass", "fail", "inconclusive")
"""The numbers that are shown also if they are zero, by the class that colours them."""


class Answer(NamedTuple):
    """The answer.

    Attributes:
        label: the verdict's label.
        lead: the verdict in a word or two.
        rest: the rest of the verdict, a sentence or more; may be empty.
        sentence: how many databases are protected.
        rests_on: on which kinds of evidence that rests, in a sentence; may be empty.
        bar: the same as a bar; empty without a database.
        numbers: the same as numbers, each with its label; those that matter.
        facts: what was audited, in a line each: title and value, still to be escaped.
    """

    label: Label
    lead: str
    rest: str
    sentence: str
    rests_on: str
    bar: list[Piece]
    numbers: list[tuple[Label, int]]
    facts: list[tuple[str, str]]


def answer(head: Head, only: OnlyOrganization | None = None) -> Answer:
    """Return the answer that the record with this ``head`` gives.

    The answer about ``only`` one organization names the verdict of the whole audit.
    """
    label, lead, rest = _verdict(head) if only is None else _verdict_of(head, only)
    protection = recorded_protection(head)
    return Answer(
        label=label,
        lead=lead,
        rest=rest,
        sentence=sentence_of(head),
        rests_on=rests_on(head),
        bar=protection_bar(protection) if protection else [],
        numbers=_numbers(protection) if protection else [],
        facts=_facts(head),
    )


def _verdict(head: Head) -> tuple[Label, str, str]:
    lead, _, rest = head["verdict"]["text"].partition(": ")
    return VERDICT[head["verdict"]["outcome"]], lead, rest


def _verdict_of(head: Head, only: OnlyOrganization) -> tuple[Label, str, str]:
    """Return what the only organization of ``head`` comes to, by its findings and databases."""
    label = state_of(head["coverage"][0]) if head["coverage"] else EMPTY
    whole = (
        f"This page is about one of {pluralize(only.organizations, 'organization')}. "
        f"The whole audit: {only.verdict.lower()}."
    )
    return label, label.word.capitalize(), f"{label.meaning} {whole}"


def _numbers(protection: Protection) -> list[tuple[Label, int]]:
    counts = by_outcome(protection)
    return [
        (label, counts[label.css]) for label in WORDS if counts[label.css] or label.css in _ALWAYS
    ]


def _facts(head: Head) -> list[tuple[str, str]]:
    totals = head["population"]["totals"]
    planned = f", {totals['planned']:,} planned" if totals["planned"] else ""
    keys = f", {totals['planned_keys']:,} planned" if totals["planned_keys"] else ""
    return [
        ("Organizations", f"{totals['organizations']:,}"),
        ("Databases", f"{totals['existing']:,} existing{planned}"),
        ("Customer keys", f"{totals['keys']:,} registered{keys}"),
        ("Open findings", _open(head)),
        ("Waivers", _waivers(head)),
        ("Answers from", _host(head)),
        ("Report", head["report"][:12]),
    ]


def _open(head: Head) -> str:
    counts = [
        f"{head['open'][severity]:,} {severity}"
        for severity in SEVERITIES
        if head["open"][severity]
    ]
    return ", ".join(counts) or "none"


def _waivers(head: Head) -> str:
    """Count the waivers that cover a failure, and say when the next of them expires."""
    covering = [
        waiver["expires_on"]
        for waiver in head["waivers"]
        if waiver["state"] in {"active", "expiring"}
    ]
    if not covering:
        return "none in force"
    left = (
        date.fromisoformat(min(covering)) - date.fromisoformat(head["settings"]["as_of"][:10])
    ).days
    when = f"in {pluralize(left, 'day')}" if left else "today"
    return f"{len(covering):,} in force, the next expires {when}"


def _host(head: Head) -> str:
    if hosts := hosts_of(head):
        return hosts[0]
    bundles = [source["evidence"] for source in head["population"]["sources"]]
    asked = (bundle["address"] for bundle in bundles if bundle and bundle["address"])
    return next(asked, "recorded files")
