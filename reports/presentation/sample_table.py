"""The sample as a work paper: its population, how it was drawn, and one row for each member.

Page and command show the same. The texts are not escaped yet.
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import STATUSES
from checks.engine.identity import unescape
from inventory.text.display import pluralize
from reports.presentation.labels import PROVIDER, TYPE
from reports.presentation.sample import Conclusion, Conclusions, draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from reports.model.head import Head
    from reports.presentation.sample import Draw, Drawn, Kind

POPULATIONS: dict[Kind, str] = {
    "databases": "existing and planned databases",
    "keys": "registered and planned customer keys",
    "passes": "findings that pass",
}
"""What is numbered, for each kind of sample."""

PURPOSES: dict[Kind, str] = {
    "databases": "Perform again, from the evidence, what the suite concluded about databases.",
    "keys": "Perform again, from the evidence, what the suite concluded about customer keys.",
    "passes": "Perform again, from the evidence, checks that passed.",
}
UNKNOWN = "not known"


class SampledRow(NamedTuple):
    """One member of the sample, in words.

    Attributes:
        draw: its place in the order of drawing, from 1.
        number: its number in the population.
        organization: the name of its organization.
        organization_id: the id of that.
        name: its name: of a database, of a planned key, or the subject of a finding.
        id: its id: of a database, of a key, or of a finding.
        type: its database type.
        provider: its cloud provider.
        regions: its regions, each with what is known of it.
        scopes: the paths of its key scopes.
        keys: the keys of these key scopes.
        state: existing or planned, registered or planned, or the status of a finding.
        location: where the evidence for it is recorded.
        note: what else the record holds of it; may be empty.
        conclusions: what the suite concluded about it.
    """

    draw: int
    number: int
    organization: str
    organization_id: str
    name: str
    id: str
    type: str
    provider: str
    regions: tuple[str, ...]
    scopes: tuple[str, ...]
    keys: tuple[str, ...]
    state: str
    location: str
    note: str
    conclusions: tuple[Conclusion, ...]

    @property
    def place(self) -> str:
        """Return the file and line of the location, without what is counted after them."""
        file, _, line = self.location.rpartition(":")
        return f"{file}:{line.partition(' ')[0]}"

    def by_status(self) -> list[tuple[str, list[Conclusion]]]:
        """Group the conclusions by their status, the worst first."""
        ordered = sorted(self.conclusions, key=_worst_first)
        return [(status, list(group)) for status, group in groupby(ordered, attrgetter("status"))]


def _worst_first(conclusion: Conclusion) -> int:
    return STATUSES.index(conclusion.status)


class Sample(NamedTuple):
    """A sample, and what it takes to draw it again.

    Attributes:
        kind: what was drawn.
        seed: the report's id.
        size: how many were asked for.
        total: how many members the population has.
        terminated: how many terminated databases were left out of it.
        draws: how many draws it took, with those that brought a number again.
        file: the file of the record whose lines were numbered.
        sha256: the hash of that file.
        expected: how many members the head counts.
        unread: how many organizations were not read in full.
        rows: the sample, in the order of drawing.
    """

    kind: Kind
    seed: str
    size: int
    total: int
    terminated: int
    draws: int
    file: str
    sha256: str
    expected: int
    unread: int
    rows: list[SampledRow]

    @property
    def population(self) -> str:
        """Return what was numbered, and how many there are."""
        return f"{POPULATIONS[self.kind]}: {self.total:,}"

    @property
    def is_whole(self) -> bool:
        """Say whether every member that the head counts was numbered."""
        return self.total == self.expected


def take_sample(
    head: Head,
    lines: Iterable[bytes],
    population: Iterable[bytes],
    size: int,
    kind: Kind = "databases",
) -> Sample:
    """Draw a sample from a record: its head, and the lines of findings and population.

    Of passes, what is drawn is what was concluded, and the findings are only drawn from; of all
    else, they are read once for what was concluded.
    """
    drawn = draw_from(head, lines if kind == "passes" else population, size, kind)
    conclusions = Conclusions(drawn.members)
    if kind != "passes":
        for line in lines:
            conclusions.add(line)
    return describe_sample(head, drawn, conclusions, size, kind)


def draw_from(head: Head, lines: Iterable[bytes], size: int, kind: Kind = "databases") -> Draw:
    """Draw from the ``lines`` that have what is drawn: those of the population, or the findings.

    They are read again if the head does not count them right.
    """
    return draw(lines, head["report"], size, expected=_expected(head, kind), kind=kind)


def describe_sample(
    head: Head, drawn: Draw, conclusions: Conclusions, size: int, kind: Kind = "databases"
) -> Sample:
    """Return what was ``drawn`` in words, once ``conclusions`` have seen all findings."""
    file = head["findings"] if kind == "passes" else head["population_file"]
    names = {entry["id"]: entry["name"] for entry in head["population"]["organizations"]}
    rows = [
        _row(place, member, names, conclusions.about(place - 1))
        for place, member in enumerate(drawn.members, 1)
    ]
    return Sample(
        kind=kind,
        seed=head["report"],
        size=size,
        total=drawn.total,
        terminated=drawn.terminated,
        draws=drawn.draws,
        file=file["file"],
        sha256=file["sha256"],
        expected=_expected(head, kind),
        unread=sum(bool(entry["gaps"]) for entry in head["population"]["organizations"]),
        rows=rows,
    )


def _expected(head: Head, kind: Kind) -> int:
    """Return how many members the head counts."""
    totals = head["population"]["totals"]
    counts = {
        "databases": totals["existing"] + totals["planned"],
        "keys": totals["keys"] + totals["planned_keys"],
        "passes": head["counts"]["pass"],
    }
    return counts[kind]


# --- how to draw it again -------------------------------------------------------------------------


_HASH = "HASH is the SHA-256 of the text SEED:DRAW, in hexadecimal, and DRAW is 1, 2, 3 and so on."


def describe_method(sample: Sample) -> tuple[str, ...]:
    """Explain in sentences how the sample was drawn."""
    left_out = (
        f" Left out as out of scope: {pluralize(sample.terminated, 'terminated database')}."
        if sample.terminated
        else ""
    )
    numbered = f"All {POPULATIONS[sample.kind]} are numbered from 1 in the order of {sample.file}."
    again = sample.draws - len(sample.rows)
    skipped = f" Skipped: {pluralize(again, 'draw')}." if again else ""
    formula = f"Each draw brings the remainder of HASH divided by {sample.total}, plus 1"
    return (
        f"{numbered}{left_out}",
        f"{formula}. {_HASH} A number that was drawn before is skipped.{skipped}",
        "The seed is the report’s id. A larger sample begins with all of a smaller one.",
        *_limits(sample),
    )


def _limits(sample: Sample) -> Iterator[str]:
    """Yield what keeps the numbers from being the whole population."""
    if sample.unread:
        yield (
            f"{pluralize(sample.unread, 'organization was', 'organizations were')} not read in "
            "full: what is unknown there has no number and cannot be drawn."
        )
    if not sample.is_whole:
        yield (
            f"The head of the record counts {sample.expected:,}, and {sample.total:,} were "
            "numbered: the sample is not one of the whole population."
        )


def command_to_reproduce(sample: Sample) -> str:
    """Return the shell command that prints the numbers of the sample, in the order of drawing."""
    # A hash is longer than a number of the shell, so its digits are divided one after the other.
    return (
        f"for draw in $(seq {sample.draws}); do n=0; "
        f"for digit in $(printf %s {sample.seed}:$draw | sha256sum | cut -c1-64 | fold -w1); "
        f"do n=$(((n * 16 + 0x$digit) % {sample.total})); done; "
        "echo $((n + 1)); done | awk '!seen[$0]++'"
    )


def command_to_list(sample: Sample) -> str:
    """Return the shell command that prints the lines of the population, each after its number."""
    choices = {
        "databases": 'select(.kind == "database" and .state != "terminated")',
        "keys": 'select(.kind == "key")',
        "passes": 'select(.status == "pass")',
    }
    return f"jq -c '{choices[sample.kind]}' {sample.file} | cat -n"


# --- rows -----------------------------------------------------------------------------------------


def _row(
    draw: int, member: Drawn, names: Mapping[str, str], conclusions: list[Conclusion]
) -> SampledRow:
    line = member.line
    if "kind" not in line:
        return _row_of_finding(draw, member, names)
    is_key = line["kind"] == "key"
    regions, scopes = _places_of_key(line) if is_key else _places_of_database(line)
    own = line.get("key_id", UNKNOWN) if is_key else line.get("id", "none yet")
    return SampledRow(
        draw=draw,
        number=member.number,
        organization=names.get(line["organization"], line["organization"]),
        organization_id=line["organization"],
        name=line.get("name", ""),
        id=own,
        type=TYPE[line.get("type", "unknown")],
        provider=_provider(line),
        regions=regions,
        scopes=scopes,
        keys=tuple(_key(key) for key in member.keys),
        state=line["state"],
        location=_location((line["file"], line["line"])),
        note=_note(line),
        conclusions=tuple(conclusions),
    )


def _row_of_finding(draw: int, member: Drawn, names: Mapping[str, str]) -> SampledRow:
    line, subject = member.line, member.line["subject"]
    owner = subject["organization"]
    places = [_location(place) for place in line["evidence"][:1]]
    more = len(line["evidence"]) - len(places)
    return SampledRow(
        draw=draw,
        number=member.number,
        organization=names.get(owner, owner) or "across organizations",
        organization_id=owner,
        name=subject["path"],
        id=line["id"],
        type=TYPE[subject["type"]] if "type" in subject else "",
        provider=_provider(subject) if "type" in subject else "",
        regions=(subject["region"],) if "region" in subject else (),
        scopes=(),
        keys=(subject["key"],) if "key" in subject else (),
        state=line["status"],
        location=f"{places[0] if places else 'no file'}{f' and {more:,} more' if more else ''}",
        note=line["message"],
        conclusions=(Conclusion(line["rule"], line["status"], (line["id"],), 1),),
    )


def _places_of_database(line: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    regions = line.get("regions", ())
    described = tuple(map(_region, regions))
    return described, tuple(dict.fromkeys(region["scope"] for region in regions))


def _region(region: Mapping[str, Any]) -> str:
    added = f", added {region.get('added_at', 'at a time not known')}"
    return (
        f"{region['name']}: {region['state']}{added if region['state'] == 'existing' else ''}, "
        f"{region['encryption']} keys expected"
    )


def _places_of_key(line: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the region and the key scope of a key; the plan may not show them."""
    if "region" not in line:
        return (), ()
    owner, _, rest = line["path"].partition("/key/")
    return (line["region"],), (f"{owner}/{rest.rpartition('/')[0]}",)


def _provider(line: Mapping[str, Any]) -> str:
    return PROVIDER.get(line.get("provider", ""), UNKNOWN)


def _key(key: Mapping[str, Any]) -> str:
    own = key.get("key_id") or unescape(key["path"].rpartition("/")[2])
    return f"{own} ({_dated(key)})"


def _dated(line: Mapping[str, Any]) -> str:
    """Return the state of a key, and the times that the record holds of its registration."""
    stated = f"stated as registered {line['registered']}" if "registered" in line else ""
    seen = f"first seen {line['first_seen']}" if "first_seen" in line else ""
    return ", ".join(filter(None, (line["state"], stated, seen)))


def _note(line: Mapping[str, Any]) -> str:
    """Return what the record holds of a line of the population that has no column."""
    parts = [
        f"created {line['created_at']}" if "created_at" in line else "",
        _dated(line) if line["kind"] == "key" else "",
        f"the plan would {line['change']} it" if "change" in line else "",
        f"missing from the plan: {line['missing']}" if "missing" in line else "",
    ]
    return "; ".join(filter(None, parts))


def _location(place: Any) -> str:  # noqa: ANN401 (file, line, and maybe an address)
    file, line, *_ = place
    return f"{file}:{line}"
