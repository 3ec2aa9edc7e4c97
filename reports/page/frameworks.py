"""The audit by framework: which evidence each control has, and what that evidence leaves open."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, cast

from checks.engine.controls import STRENGTHS
from inventory.text.display import pluralize
from reports.presentation.labels import Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from checks.engine.controls import Strength
    from checks.engine.finding import Status
    from reports.model.head import ControlInWords, Head, RuleEntry, StatusCounts

STATE = {
    "failing": Label(
        "fail", "✕", "failing evidence", "A finding of a rule that gives evidence fails."
    ),
    "incomplete": Label(
        "inconclusive",
        "?",
        "evidence incomplete",
        "Nothing fails, and something could not be evaluated, was left out or was not run.",
    ),
    "waived": Label(
        "waived", "§", "waived failures", "Nothing else fails, and failures are waived: not fixed."
    ),
    "context": Label(
        "not-applicable", "○", "context only", "What passes only helps to interpret evidence."
    ),
    "supporting": Label(
        "not-applicable",
        "△",
        "supporting evidence only",
        "What passes adds to evidence of another kind, which this audit does not have.",
    ),
    "direct": Label(
        "pass", "✓", "no failing evidence", "All that was evaluated passes, directly in part."
    ),
    "none": Label(
        "nothing", "—", "no subject", "No rule that gives evidence found anything to evaluate."
    ),
}
"""What the findings say about a control, the worst first; never that it is fulfilled."""

TALLY = ("fail", "inconclusive", "waived", "pass")
"""What the numbers of a tally count, in its order."""

TALLY_STATUSES = ("fail", "error,inconclusive", "waived", "pass")
"""The statuses that they count, as the filter of the findings takes them."""

_LEFT_OUT = "clouds-left-out"
_LONGEST_SLUG = 60


class Tally(NamedTuple):
    """Findings by what they say; ``unknown`` are the inconclusive ones and those in error."""

    fail: int
    unknown: int
    waived: int
    passed: int

    @property
    def words(self) -> str:
        """Return the numbers in words; those that are zero are left out."""
        words = zip(TALLY, self, strict=True)
        return ", ".join(f"{count:,} {word}" for word, count in words if count) or "no finding"


class RuleEvidence(NamedTuple):
    """The evidence that one rule gives to a control.

    Attributes:
        rule: the rule's id.
        title: the rule's title.
        strength: how strong its evidence is.
        tally: its findings.
        note: what limits them in words; empty if nothing does.
    """

    rule: str
    title: str
    strength: Strength
    tally: Tally
    note: str


class ControlView(NamedTuple):
    """A control with all its evidence.

    Attributes:
        anchor: the id of its element in the page.
        words: its id, its title and what the evidence leaves open.
        state: what the findings say about it.
        strength: the strength of its strongest rule.
        tally: the findings of all its rules together.
        rules: what each rule gives, the strongest first.
    """

    anchor: str
    words: ControlInWords
    state: Label
    strength: Strength
    tally: Tally
    rules: list[RuleEvidence]


class FrameworkView(NamedTuple):
    """A framework with its controls.

    Attributes:
        anchor: the id of its element in the page.
        name: its name and edition.
        not_shown: what the evidence leaves open for all its controls.
        worst: the worst state of a control.
        summary: how many of the controls have which state, the worst first.
        controls: the controls to which rules give evidence.
    """

    anchor: str
    name: str
    not_shown: str
    worst: Label
    summary: str
    controls: list[ControlView]


def view_frameworks(
    head: Head, counts: Mapping[str, StatusCounts] | None = None
) -> list[FrameworkView]:
    """Return the frameworks that the audit's settings choose.

    ``counts`` are the findings to show by rule and status, such as those of one organization;
    without it, they are those of the whole audit.
    """
    evidence = _evidence(head, counts)
    chosen, anchors = head["settings"]["frameworks"], _Anchors()
    views: list[FrameworkView] = []
    for framework in head["criteria"]["frameworks"]:
        name = framework["name"]
        if not chosen or name in chosen:
            anchor = anchors.take(f"framework-{name}")
            controls = [
                _control(anchors.take(f"control-{name}-{words['id']}"), words, given)
                for words in framework["controls"]
                if (given := list(evidence.get((name, words["id"]), {}).values()))
            ]
            views.append(_framework(anchor, name, framework["not_shown"], controls))
    return views


def _framework(
    anchor: str, name: str, not_shown: str, controls: list[ControlView]
) -> FrameworkView:
    states = Counter(control.state for control in controls)
    present = [state for state in STATE.values() if states[state]]
    return FrameworkView(
        anchor=anchor,
        name=name,
        not_shown=not_shown,
        worst=present[0] if present else STATE["none"],
        summary=_summary(present, states, len(controls)),
        controls=controls,
    )


def _summary(present: Sequence[Label], states: Counter[Label], total: int) -> str:
    """Count controls by their states: ``4 of 9 controls have failing evidence``, and so on."""
    if not present:
        return "no rule gives evidence to it"
    first, *others = (_counted(state, states[state]) for state in present)
    number, _, what = first.partition(" ")
    return "; ".join([f"{number} of {pluralize(total, 'control')} {what}", *others])


def _counted(state: Label, number: int) -> str:
    what = "incomplete evidence" if state == STATE["incomplete"] else state.word
    return f"{number:,} {'has' if number == 1 else 'have'} {what}"


def _control(anchor: str, words: ControlInWords, rules: list[RuleEvidence]) -> ControlView:
    ordered = sorted(rules, key=lambda given: (STRENGTHS.index(given.strength), given.rule))
    tally = Tally(*map(sum, zip(*(given.tally for given in ordered), strict=True)))
    return ControlView(
        anchor=anchor,
        words=words,
        state=STATE[_state(tally, ordered)],
        strength=ordered[0].strength,
        tally=tally,
        rules=ordered,
    )


def _state(tally: Tally, rules: Sequence[RuleEvidence]) -> str:
    """Return the key of the state; what looks worse always comes first."""
    if tally.fail:
        return "failing"
    if tally.unknown or any(given.note for given in rules):
        return "incomplete"
    if tally.waived:
        return "waived"
    passing = (given.strength for given in rules if given.tally.passed)
    return next(passing, "none")


# --- the evidence of each rule --------------------------------------------------------------------


def _evidence(
    head: Head, counts: Mapping[str, StatusCounts] | None
) -> dict[tuple[str, str], dict[str, RuleEvidence]]:
    """Return what each rule gives, by framework and control; a rule counts once for a control."""
    evidence: dict[tuple[str, str], dict[str, RuleEvidence]] = {}
    for rule in head["criteria"]["rules"]:
        tally = _tally(rule["counts"] if counts is None else counts.get(rule["id"], {}))
        note = _note(head, rule, tally)
        for control in rule["controls"]:
            given = RuleEvidence(rule["id"], rule["title"], control["strength"], tally, note)
            given_to = evidence.setdefault((control["framework"], control["id"]), {})
            given_to.setdefault(rule["id"], given)
    return evidence


def _tally(counts: Mapping[Status, int]) -> Tally:
    found = Counter(cast("dict[str, int]", counts))
    return Tally(
        fail=found["fail"],
        unknown=found["inconclusive"] + found["error"],
        waived=found["waived"],
        passed=found["pass"],
    )


def _note(head: Head, rule: RuleEntry, tally: Tally) -> str:
    """Say why the findings of ``rule`` may not be all that it would find; empty if they are."""
    if any(
        entry["rule"] == rule["id"] and entry["reason"] == _LEFT_OUT
        for entry in head["not_evaluated"]
    ):
        return "facts of the clouds were left out"
    if head["settings"]["left_out"]:
        return (
            "this run is partial" if any(tally) else "not run, or no subject: this run is partial"
        )
    return ""


# --- anchors --------------------------------------------------------------------------------------


class _Anchors:
    """Makes ids of elements, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, text: str) -> str:
        """Return a new id made of the letters and digits of ``text``."""
        slug = "-".join(re.findall("[a-z0-9]+", text.lower()))[:_LONGEST_SLUG]
        anchor = next(name for name in _numbered(slug) if name not in self._taken)
        self._taken.add(anchor)
        return anchor


def _numbered(slug: str) -> Iterator[str]:
    """Yield ``slug``, and then the same with numbers behind it, without end."""
    yield slug
    number = 2
    while True:
        yield f"{slug}-{number}"
        number += 1
