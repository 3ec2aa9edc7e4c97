"""The verdict: what an audit found, followed by everything that limits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.outcome import Gate
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reports.aggregation.aggregates import Aggregates
    from reports.model.head import Verdict
    from reports.model.outcome import Outcome

VERDICTS: dict[Outcome, str] = {
    "broken": "The audit is incomplete: {found}.",
    "not compliant": "Not compliant: {found}.",
    "not established": "Compliance is not established: {found}.",
    "nothing judged": "Nothing was judged: no rule found a subject that passes or fails.",
    "partial": "Partial run: the checks that ran found nothing that stops. This is not an audit.",
    "no customer key": "No customer key is in use{waived}: {evaluated}.",
    "compliant": "Compliant{waived}: {evaluated}.",
}
"""The verdicts, each with the sentence that it begins with."""

ENDS: dict[Outcome, str] = {
    "broken": "the audit is incomplete",
    "not established": "compliance is not established",
    "nothing judged": "nothing was judged",
    "partial": "a part of the checks is not an audit",
}
"""What the exit code means, where that is not the verdict's own word."""

_PARTIAL = 5
"""The exit code of a partial run in which nothing stops: it must not be a compliant audit's."""

NOT_ASTRA = "This is not evidence about Astra: another host answered."
NOT_CLOUDS = "This is not evidence about keys: another host than the cloud's answered."

_WHOLE = ("compliant", "no customer key")
"""The verdicts over an audit in which nothing above an advisory is open."""

_GATES = {"advisory": Gate("advisory")}
_LEFT_OUT = "clouds-left-out"


def judge(
    tallies: Aggregates,
    gate: Gate,
    rules: Sequence[str],
    *,
    left_out: str = "",
    is_of_astra: bool = True,
    is_of_clouds: bool = True,
) -> Verdict:
    """Return the outcome of the audit by ``rules``, its sentence and its exit code.

    ``left_out`` names what was not run; ``is_of_astra`` is False if another host answered,
    ``is_of_clouds`` if one answered about keys.

    The gate decides what stops, never what is reported: a failure that it lets pass is a failure.
    Advisories alone leave an audit compliant, unless the gate stops for them.
    """
    stops = tallies.stopping(gate).total()
    found = tallies.stopping(_GATES.get(gate.fail_on, Gate()))
    outcome = _outcome(tallies, found, left_out)
    first = VERDICTS[outcome].format(
        found=_found(found), waived=_with_waived(tallies), evaluated=_evaluated(tallies, rules)
    )
    limits = [] if is_of_astra else [NOT_ASTRA]
    limits += [] if is_of_clouds else [NOT_CLOUDS]
    limits += [*_gate(gate, stops, found.total()), *_limits(tallies, outcome, gate)]
    if outcome in _WHOLE:
        limits += _not_evaluated(tallies, rules)
    text = " ".join([first, *limits])
    fails = stops > 0 or outcome == "nothing judged"
    exit_code = 1 if fails else _PARTIAL * bool(left_out)
    return {"outcome": outcome, "text": text, "exit_code": exit_code}


def _outcome(tallies: Aggregates, found: Mapping[str, int], left_out: str) -> Outcome:
    outcomes: tuple[tuple[str, Outcome], ...] = (
        ("error", "broken"),
        ("fail", "not compliant"),
        ("inconclusive", "not established"),
    )
    for status, outcome in outcomes:
        if found[status]:
            return outcome
    if left_out:
        return "partial"
    if not tallies.counts["pass"] + tallies.counts["waived"]:
        return "nothing judged"
    return "compliant" if tallies.has_customer_key else "no customer key"


def _found(found: Mapping[str, int]) -> str:
    """Count what was found: ``12 checks failed; 16 are inconclusive``."""
    verbs = {
        "error": ("broke", "broke"),
        "fail": ("failed", "failed"),
        "inconclusive": ("is inconclusive", "are inconclusive"),
    }
    clauses: list[str] = []
    for status, (one, many) in verbs.items():
        if count := found[status]:
            counted = f"{count:,}" if clauses else pluralize(count, "check")
            clauses.append(f"{counted} {one if count == 1 else many}")
    return "; ".join(clauses)


def _with_waived(tallies: Aggregates) -> str:
    count = tallies.counts["waived"]
    return f", with {pluralize(count, 'failure')} waived" if count else ""


def _evaluated(tallies: Aggregates, rules: Sequence[str]) -> str:
    """Count the rules that were evaluated, and state what did not fail."""
    counts = tallies.by_status()
    evaluated = [rule for rule in rules if counts[rule].keys() - {"not-applicable"}]
    is_all = len(evaluated) == len(rules)
    number = f"all {len(rules):,}" if is_all else f"{len(evaluated):,} of {len(rules):,}"
    advised = " above an advisory" if tallies.counts["fail"] else ""
    none = "nothing else" if tallies.counts["waived"] else "none"
    return f"{number} rules were evaluated; {none} failed{advised}"


def _gate(gate: Gate, stops: int, found: int) -> Iterator[str]:
    """State what the gate lets pass, if it is set to less than what was found."""
    if stops >= found:
        return
    options = [f"--cmek-fail-on {gate.fail_on}"] if gate.fail_on != Gate().fail_on else []
    options += ["--cmek-allow-inconclusive"] if gate.allow_inconclusive else []
    options += ["--cmek-fail-on-new"] if gate.new_only else []
    effect = f"stops this run for {stops:,} of these" if stops else "lets this run pass"
    yield f"The gate ({', '.join(options)}) {effect}."


def _limits(tallies: Aggregates, outcome: str, gate: Gate) -> Iterator[str]:
    """Yield what else a person has to know who reads only the verdict."""
    counts = tallies.counts
    yield from _attested(tallies)
    advisories = sum(
        count
        for (status, _, severity), count in tallies.by_rule.items()
        if status == "fail" and severity == "advisory"
    )
    if advisories and gate.fail_on not in _GATES:
        stop = "failed; it does not stop" if advisories == 1 else "failed; they do not stop"
        yield f"{pluralize(advisories, 'advisory', 'advisories')} {stop} a run."
    if counts["waived"] and outcome not in _WHOLE:
        verb = "is" if counts["waived"] == 1 else "are"
        yield f"{pluralize(counts['waived'], 'failure')} {verb} waived."
    if left_out := tallies.rules_without(_LEFT_OUT):
        keys = pluralize(max(left_out.values()), "key")
        verb = "was" if len(left_out) == 1 else "were"
        yield f"{' and '.join(sorted(left_out))} {verb} not evaluated for {keys} (--cmek-kms none)."
    if count := tallies.declared:
        verb = "is" if count == 1 else "are"
        yield f"{pluralize(count, 'database')} {verb} declared to use Astra's keys."
    if outcome == "compliant" and not tallies.is_any_encrypted:
        yield "No database is shown to be encrypted by a customer key."


def _attested(tallies: Aggregates) -> Iterator[str]:
    """State how much of what passes rests on attestations alone, and of how many people."""
    attested = tallies.attested
    count, total = attested.databases
    if count:
        verb, whose = ("rests", "its") if total == 1 else ("rest", "their")
        of, people = pluralize(total, "database"), _people(attested.people_of_databases)
        which = f"{count:,} of {of} deployed after {whose} key"
        yield f"{which} {verb} on an attestation alone ({people})."
    if attested.rules:
        statuses = tallies.by_status()
        passes = [
            f"{rule} ({attested.rules[rule]:,} of {statuses[rule]['pass']:,})"
            for rule in sorted(attested.rules)
        ]
        people = _people(attested.people)
        yield f"Passes of {_listed(passes)} rest on attestations alone ({people})."


def _people(count: int) -> str:
    return pluralize(count, "person", "people")


def _not_evaluated(tallies: Aggregates, rules: Sequence[str]) -> Iterator[str]:
    """Name the rules that found no subject, and those that apply to none."""
    counts, left_out = tallies.by_status(), tallies.rules_without(_LEFT_OUT)
    without = [rule for rule in rules if not counts[rule]]
    not_applicable = [
        rule for rule in rules if counts[rule].keys() == {"not-applicable"} and rule not in left_out
    ]
    if without:
        yield f"{_listed(without)} found no subject."
    if not_applicable:
        verb = "does" if len(not_applicable) == 1 else "do"
        yield f"{_listed(not_applicable)} {verb} not apply."


def _listed(rules: Sequence[str]) -> str:
    *others, last = rules
    return f"{', '.join(others)} and {last}" if others else last
