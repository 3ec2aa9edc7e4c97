"""The verdict: what an audit found, in words that say in the same breath what limits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.outcome import Gate
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reports.aggregation.aggregates import Aggregates
    from reports.model.head import Outcome, Verdict

VERDICTS: dict[Outcome, str] = {
    "broken": "The audit is incomplete: {found}.",
    "not compliant": "Not compliant: {found}.",
    "not established": "Compliance is not established: {found}.",
    "nothing judged": "Nothing was judged: no rule found anything to say yes or no to.",
    "partial": "Partial run: what was run found nothing that stops. This is no audit.",
    "no customer key": "No customer key is in use{waived}: {evaluated}.",
    "compliant": "Compliant{waived}: {evaluated}.",
}
"""The verdicts, each with the sentence that it begins with."""

ENDS: dict[Outcome, str] = {
    "broken": "the audit is incomplete",
    "not established": "compliance is not established",
    "nothing judged": "nothing was judged",
    "partial": "a part of the checks is no audit",
}
"""What the exit code says, where that is not the verdict's own word."""

_PARTIAL = 5
"""The exit code of a partial run in which nothing stops: it is none of a compliant audit."""

NOT_ASTRA = "This is no evidence about Astra: another host answered."

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
) -> Verdict:
    """Say in words what the audit by ``rules`` found, and which exit code that is.

    ``left_out`` names what was not run; ``is_of_astra`` is False if another host answered.

    The gate decides what stops, never what is said: a failure that it lets pass is a failure.
    Advisories alone leave an audit compliant, unless the gate stops for them.
    """
    stops = tallies.stopping(gate).total()
    found = tallies.stopping(_GATES.get(gate.fail_on, Gate()))
    word = _word(tallies, found, left_out)
    first = VERDICTS[word].format(
        found=_found(found), waived=_waived_as_well(tallies), evaluated=_evaluated(tallies, rules)
    )
    limits = [] if is_of_astra else [NOT_ASTRA]
    limits += [*_gate(gate, stops, found.total()), *_limits(tallies, word, gate)]
    if word in _WHOLE:
        limits += _not_evaluated(tallies, rules)
    text = " ".join([first, *limits])
    is_bad = stops > 0 or word == "nothing judged"
    return {"outcome": word, "text": text, "exit_code": 1 if is_bad else _PARTIAL * bool(left_out)}


def _word(tallies: Aggregates, found: Mapping[str, int], left_out: str) -> Outcome:
    words: tuple[tuple[str, Outcome], ...] = (
        ("error", "broken"),
        ("fail", "not compliant"),
        ("inconclusive", "not established"),
    )
    for status, word in words:
        if found[status]:
            return word
    if left_out:
        return "partial"
    if not tallies.counts["pass"] + tallies.counts["waived"]:
        return "nothing judged"
    return "compliant" if tallies.has_customer_key else "no customer key"


def _found(found: Mapping[str, int]) -> str:
    """Count what was found: ``12 findings fail; 16 are inconclusive``."""
    told = [pluralize(found["error"], "check broke", "checks broke")] if found["error"] else []
    verbs = {"fail": ("fails", "fail"), "inconclusive": ("is inconclusive", "are inconclusive")}
    noun = True
    for status, (one, many) in verbs.items():
        if count := found[status]:
            thing = pluralize(count, "finding") if noun else f"{count:,}"
            told.append(f"{thing} {one if count == 1 else many}")
            noun = False
    return "; ".join(told)


def _waived_as_well(tallies: Aggregates) -> str:
    count = tallies.counts["waived"]
    return f", with {pluralize(count, 'failure')} waived" if count else ""


def _evaluated(tallies: Aggregates, rules: Sequence[str]) -> str:
    """Say how many rules were evaluated, and that none failed, as far as that is so."""
    counts = tallies.by_status()
    evaluated = [rule for rule in rules if counts[rule].keys() - {"not-applicable"}]
    whole = len(evaluated) == len(rules)
    number = f"all {len(rules):,}" if whole else f"{len(evaluated):,} of {len(rules):,}"
    advised = " above an advisory" if tallies.counts["fail"] else ""
    none = "nothing else" if tallies.counts["waived"] else "none"
    return f"{number} rules were evaluated; {none} failed{advised}"


def _gate(gate: Gate, stops: int, found: int) -> Iterator[str]:
    """Say what the gate lets pass, where it is set to less than what was found."""
    if stops >= found:
        return
    options = [f"--cmek-fail-on {gate.fail_on}"] if gate.fail_on != Gate().fail_on else []
    options += ["--cmek-allow-inconclusive"] if gate.allow_inconclusive else []
    options += ["--cmek-fail-on-new"] if gate.new_only else []
    does = f"stops this run for {stops:,} of these" if stops else "lets this run pass"
    yield f"The gate ({', '.join(options)}) {does}."


def _limits(tallies: Aggregates, word: str, gate: Gate) -> Iterator[str]:
    """Say what else a reader has to know who reads nothing but the verdict."""
    counts = tallies.counts
    yield from _attested(tallies)
    advisories = sum(
        count
        for (status, _, severity), count in tallies.by_rule.items()
        if status == "fail" and severity == "advisory"
    )
    if advisories and gate.fail_on not in _GATES:
        verbs = "fails; it does not stop" if advisories == 1 else "fail; they do not stop"
        yield f"{pluralize(advisories, 'advisory', 'advisories')} {verbs} a run."
    if counts["waived"] and word not in _WHOLE:
        verb = "is" if counts["waived"] == 1 else "are"
        yield f"{pluralize(counts['waived'], 'failure')} {verb} waived."
    if left_out := tallies.rules_without(_LEFT_OUT):
        keys = pluralize(max(left_out.values()), "key")
        verb = "was" if len(left_out) == 1 else "were"
        yield f"{' and '.join(sorted(left_out))} {verb} not evaluated for {keys}: clouds left out."
    if count := tallies.declared:
        verb = "is" if count == 1 else "are"
        yield f"{pluralize(count, 'database')} {verb} declared to use Astra's keys."
    if word == "compliant" and not tallies.is_any_encrypted:
        yield "No database is shown to be encrypted by a customer key."


def _attested(tallies: Aggregates) -> Iterator[str]:
    """Say how much of what passes rests on attestations alone, and on how many people's."""
    attested = tallies.attested
    count, every = attested.databases
    if count:
        verb, whose = ("rests", "its") if every == 1 else ("rest", "their")
        of, people = pluralize(every, "database"), _people(attested.people_of_databases)
        which = f"{count:,} of {of} deployed after {whose} key"
        yield f"{which} {verb} on an attestation alone ({people})."
    if attested.rules:
        statuses = tallies.by_status()
        told = [
            f"{rule} ({attested.rules[rule]:,} of {statuses[rule]['pass']:,})"
            for rule in sorted(attested.rules)
        ]
        yield f"Passes of {_listed(told)} rest on attestations alone ({_people(attested.people)})."


def _people(count: int) -> str:
    return pluralize(count, "person", "people")


def _not_evaluated(tallies: Aggregates, rules: Sequence[str]) -> Iterator[str]:
    """Name the rules that found no subject, and those that apply to none."""
    counts, left_out = tallies.by_status(), tallies.rules_without(_LEFT_OUT)
    without = [rule for rule in rules if not counts[rule]]
    aside = [rule for rule in rules if counts[rule].keys() == {"not-applicable"}]
    aside = [rule for rule in aside if rule not in left_out]
    if without:
        yield f"{_listed(without)} found no subject."
    if aside:
        yield f"{_listed(aside)} {'does' if len(aside) == 1 else 'do'} not apply."


def _listed(rules: Sequence[str]) -> str:
    *others, last = rules
    return f"{', '.join(others)} and {last}" if others else last
