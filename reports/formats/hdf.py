"""The findings for Heimdall, ``hdf/ORGANIZATION.json``: one file for each organization."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import chain, groupby
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.card import rank
from checks.engine.finding import ACROSS, COMPLYING, STATUSES
from inventory.text.canonical_json import compact_json
from inventory.text.display import pluralize
from reports.model import project_address
from reports.page.organizations.links import page_name
from reports.presentation import labels
from reports.presentation.banners import banners
from reports.presentation.messages import TITLE, SubjectNames, step
from reports.presentation.sanitize import plain
from reports.presentation.selection import shown_frameworks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from checks.engine.card import Severity
    from checks.engine.finding import Status
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, RuleEntry

    Json = dict[str, object]
    Late = Mapping[str, list[bytes]]

RESULT: Mapping[Status, str] = {
    "error": "error",
    "fail": "failed",
    # Not skipped: a control with a pass and a skipped result counts as passed.
    "inconclusive": "failed",
    "waived": "skipped",
    "pass": "passed",
    "not-applicable": "skipped",
}
"""The statuses of results. Of a control, an error counts first, then a failure, then a pass."""

IMPACT: Mapping[Severity, float] = {
    "critical": 0.9,
    "high": 0.7,
    "medium": 0.5,
    "low": 0.3,
    # Not 0: a control without impact counts as not applicable, even if it fails.
    "advisory": 0.1,
}

ACROSS_FILE = "across-organizations.json"
"""The file of what goes across organizations; the name of any other file has a hash in it."""

_BEGINS = {"inconclusive": "Could not be judged: ", "error": "Check broke: "}
_NIST = re.compile(r"NIST SP 800-53 r([0-9]+)")
_PLACE = re.compile(rb'\{"status":"[a-z-]+","rule":"([^"]+)".*?,"organization":("(?:[^"\\]|\\.)*")')
_LONGEST = 1_000


def render_files(head: Head, lines: Iterable[bytes]) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield file name and parts of each organization's results, in the order of the findings.

    The lines are read twice from their beginning, however many organizations there are. What is
    left of the parts of a file is lost once the next file is taken.
    """
    evaluation = _Evaluation(head)
    late = _late(lines, evaluation.ranks)
    left = dict.fromkeys(entry["id"] for entry in head["population"]["organizations"])
    for owner, own in groupby(_in_order(lines, evaluation.ranks), key=_owner_of):
        organization = json.loads(owner)
        left.pop(organization, None)
        yield evaluation.file(organization, own, late.get(owner, {}))
    for organization in left:
        yield evaluation.file(organization, (), {})


def render_organization(
    head: Head,
    lines: Iterable[bytes],
    organization: str,
    *,
    population: Iterable[bytes],  # noqa: ARG001 (every format takes it)
) -> str:
    """Render the results of one ``organization`` of an audit, by its id; as ``render_files``."""
    evaluation = _Evaluation(head)
    owner = json.dumps(organization).encode("ascii")
    late = _late(lines, evaluation.ranks).get(owner, {})
    own = (placed for placed in _in_order(lines, evaluation.ranks) if placed.owner == owner)
    return "".join(evaluation.file(organization, own, late)[1])


# --- the order of the lines -----------------------------------------------------------------------


class _Placed(NamedTuple):
    """The line of a finding, with the id of its organization, as JSON, and that of its rule."""

    owner: bytes
    rule: str
    line: bytes


def _owner_of(placed: _Placed) -> bytes:
    return placed.owner


def _rule_of(placed: _Placed) -> str:
    return placed.rule


def _placed(lines: Iterable[bytes], ranks: Mapping[str, int]) -> Iterator[tuple[bool, _Placed]]:
    """Yield each line, and whether it is late: after others of its organization, or a later rule.

    Findings come by organization, and in each by rule. Only those across organizations come last,
    and may be about any of these.
    """
    ended: set[bytes] = set()
    owner, reached = None, 0
    for line in lines:
        placed = _place(line)
        rank_of_rule = ranks[placed.rule]
        is_next = placed.owner != owner and placed.owner not in ended
        if is_next:
            ended |= {owner} if owner else set()
            owner, reached = placed.owner, rank_of_rule
        is_late = placed.owner != owner or rank_of_rule < reached
        reached = reached if is_late else rank_of_rule
        yield is_late, placed


def _place(line: bytes) -> _Placed:
    """Return the line with its organization and its rule, which is many times faster than JSON."""
    match = _PLACE.match(line)
    if match is None:
        raise ValueError("no finding as an audit writes it")
    return _Placed(match[2], match[1].decode("ascii"), line)


def _in_order(lines: Iterable[bytes], ranks: Mapping[str, int]) -> Iterator[_Placed]:
    return (placed for is_late, placed in _placed(lines, ranks) if not is_late)


def _late(lines: Iterable[bytes], ranks: Mapping[str, int]) -> Mapping[bytes, Late]:
    """Return the late lines by organization and rule; all others are read as they are written."""
    late: dict[bytes, dict[str, list[bytes]]] = {}
    for is_late, placed in _placed(lines, ranks):
        if is_late:
            late.setdefault(placed.owner, {}).setdefault(placed.rule, []).append(placed.line)
    return late


# --- a file ---------------------------------------------------------------------------------------


class _Evaluation:
    """Renders the files of one audit.

    Attributes:
        ranks: the places of the rules in their order.
    """

    def __init__(self, head: Head) -> None:
        self._head = head
        self._rules = head["criteria"]["rules"]
        self.ranks = {rule["id"]: place for place, rule in enumerate(self._rules)}
        self._names = SubjectNames(head)
        self._waivers = {waiver["id"]: waiver for waiver in head["waivers"]}
        # Of a fleet, each of these is in thousands of files, and takes a look at the whole head.
        self._limits = [plain(text, _LONGEST) for text in banners(head)]
        frameworks = shown_frameworks(head)
        self._cards = {
            rule["id"]: compact_json(_card(rule, frameworks, head)) for rule in self._rules
        }

    def file(
        self, organization: str, own: Iterable[_Placed], late: Late
    ) -> tuple[str, Iterator[str]]:
        """Return name and parts of the file of an organization; empty for what goes across."""
        name = self._names.organization(organization)
        file = page_name(organization, name, "json") if organization else ACROSS_FILE
        controls = self._by_rule(own, late, has_all=bool(organization))
        return file, self._parts(plain(name) or ACROSS, controls)

    def _by_rule(
        self, own: Iterable[_Placed], late: Late, *, has_all: bool
    ) -> Iterator[tuple[RuleEntry, Iterator[bytes]]]:
        """Yield each rule with its lines, which are read at once; with ``has_all`` those of none.

        What goes across organizations is what few rules look for: others have nothing to show.
        """
        groups = groupby(own, key=_rule_of)
        group = next(groups, None)
        for rule in self._rules:
            is_here = group is not None and group[0] == rule["id"]
            lines = (placed.line for placed in group[1]) if group and is_here else iter(())
            if is_here or has_all or rule["id"] in late:
                yield rule, chain(lines, late.get(rule["id"], ()))
            if is_here:
                group = next(groups, None)

    def _parts(
        self, name: str, controls: Iterable[tuple[RuleEntry, Iterator[bytes]]]
    ) -> Iterator[str]:
        # Inside a text a quotation mark follows a backslash, so no text can look like this field.
        before, field, after = compact_json(self._document(name)).partition('"controls":[')
        yield from (before, field)
        for place, (rule, lines) in enumerate(controls):
            yield "," if place else ""
            yield from self._control(rule, lines)
        yield from (after, "\n")

    def _document(self, name: str) -> Json:
        """Return the whole around the controls; what limits the audit is in the title, too."""
        head, tool = self._head, self._head["tool"]
        marks = [text.partition(":")[0] for text in self._limits]
        verdict = plain(head["verdict"]["text"], _LONGEST)
        profile = {
            "name": tool["name"],
            "version": tool["version"],
            "title": " / ".join([*marks, f"{TITLE}: {name}"]),
            "summary": " ".join([*self._limits, f"The whole audit: {verdict}"]),
            "sha256": head["criteria"]["hash"],
            "status": "loaded",
            "supports": [],
            "attributes": [
                {"name": "report", "options": {"value": head["report"]}},
                {"name": "as_of", "options": {"value": head["settings"]["as_of"]}},
                {"name": "verdict", "options": {"value": head["verdict"]["outcome"]}},
            ],
            "groups": [],
            "controls": [],
        }
        # Heimdall shows the release above all results, and the title two clicks away.
        release = ", ".join([tool["version"], *marks])
        return {
            "platform": {"name": tool["name"], "release": release, "target_id": name},
            "version": tool["version"],
            "statistics": {},
            "profiles": [profile],
        }

    # --- a control --------------------------------------------------------------------------------

    def _control(self, rule: RuleEntry, lines: Iterable[bytes]) -> Iterator[str]:
        """Yield the control of a rule; its impact comes last, as its findings decide on that."""
        yield f'{self._cards[rule["id"]][:-1]},"results":['
        counts: Counter[Status] = Counter()
        severities: set[Severity] = set()
        for line in lines:
            finding: FindingRecord = json.loads(line)
            yield f"{',' if counts else ''}{compact_json(self._result(finding))}"
            counts[finding["status"]] += 1
            if finding["status"] not in COMPLYING:
                severities.add(finding["severity"])
        if not counts:
            yield compact_json(self._nothing(rule))
        severity = min(severities or {rule["severity"]}, key=rank)
        yield f"],{compact_json(_summary(rule, severity, counts))[1:]}"

    def _result(self, finding: FindingRecord) -> Json:
        """Return the result of a finding; words are in the field that readers show for it."""
        result = RESULT[finding["status"]]
        text = self._text(finding)
        subject = finding["subject"]
        return {
            "status": result,
            "code_desc": plain(self._names.subject(finding), _LONGEST),
            "skip_message" if result == "skipped" else "message": plain(text, _LONGEST),
            "start_time": self._head["settings"]["as_of"],
            "resource": labels.KIND[subject["kind"]],
            "resource_id": subject["path"],
        }

    def _text(self, finding: FindingRecord) -> str:
        begin = _BEGINS.get(finding["status"], "") or self._waived(finding)
        places = [f", see {file}:{line}" for file, line, *_ in finding["evidence"][:1]]
        end = f"Finding {finding['id']}{''.join(places)}."
        return " ".join(filter(None, (f"{begin}{finding['message']}", step(finding), end)))

    def _waived(self, finding: FindingRecord) -> str:
        """Return by what a finding is waived; empty if it is not."""
        if "waiver" not in finding:
            return ""
        waiver = self._waivers.get(finding["waiver"])
        until = f" until {waiver['expires_on']}" if waiver else ""
        return f"Fails, and is waived by {finding['waiver']}{until}: "

    def _nothing(self, rule: RuleEntry) -> Json:
        """Return the result of a rule that found nothing here: without one it counts as broken."""
        left_out = self._head["settings"]["left_out"]
        why = f"Partial run: {left_out}." if left_out else "No subject in this organization."
        return {
            "status": "skipped",
            "code_desc": rule["check"],
            "skip_message": plain(why, _LONGEST),
            "start_time": self._head["settings"]["as_of"],
        }


def _card(rule: RuleEntry, frameworks: frozenset[str], head: Head) -> Json:
    """Return the begin of a control, which is the same for every organization."""
    pages = dict.fromkeys(f"{quote['page']}: {quote['heading']}" for quote in rule["quotes"])
    return {
        "id": rule["id"],
        "title": plain(rule["title"]),
        "tags": {"check": rule["check"], "basis": rule["basis"], **_tags(rule, frameworks)},
        "refs": [*({"ref": plain(page)} for page in pages), *_links(rule, head)],
        "source_location": {},
    }


def _links(rule: RuleEntry, head: Head) -> Iterator[Json]:
    """Yield the address at which the rule is explained, if the project has one."""
    if address := project_address.rule_address(rule["id"], head["tool"]["version"]):
        yield {"url": address}


def _tags(rule: RuleEntry, frameworks: frozenset[str]) -> dict[str, list[str]]:
    """Return the controls to which a rule gives direct evidence, by framework.

    Of others it shows too little to fill their place on a map of all controls.
    """
    tags: dict[str, list[str]] = {}
    for control in rule["controls"]:
        if control["strength"] == "direct" and control["framework"] in frameworks:
            nist = _NIST.fullmatch(control["framework"])
            name = "nist" if nist else plain(control["framework"])
            own = tags.setdefault(name, [f"Rev_{nist[1]}"] if nist else [])
            own.append(plain(control["id"]))
    return tags


def _summary(rule: RuleEntry, severity: Severity, counts: Counter[Status]) -> Json:
    """Return the end of a control: its impact, and its texts with the counts of its findings."""
    counted = ", ".join(f"{counts[status]:,} {status}" for status in STATUSES if counts[status])
    total = pluralize(counts.total(), "finding")
    return {
        "impact": IMPACT[severity],
        "desc": plain(rule["rationale"], _LONGEST),
        "descriptions": [
            {"label": "findings", "data": f"{total}: {counted}." if counted else f"{total}."},
            {"label": "check", "data": plain(rule["title"], _LONGEST)},
            {"label": "fix", "data": plain(rule["remediation"], _LONGEST)},
        ],
    }
