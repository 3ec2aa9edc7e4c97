"""The filter of the findings: the values it offers, and the address of a filtered view."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from checks.engine.card import SEVERITIES
from checks.engine.finding import OPEN, STATUSES
from reports.presentation import labels
from reports.presentation.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from reports.model.finding_record import FindingRecord, SubjectRecord
    from reports.model.head import RuleEntry

ADDRESS = "#findings?"
"""What the address of a filtered view begins with."""

_NAME = 60
"""How many characters of a name the filter shows."""


class FilterOption(NamedTuple):
    """A value of the filter, its words, and for a framework the rules that give evidence to it."""

    value: str
    word: str
    rules: str = ""


class FilterField(NamedTuple):
    """A field of the filter.

    Attributes:
        name: its name in the address.
        title: its name for people.
        options: the values that occur among the findings of the page.
        left: how many more values there are, for which there is no room.
    """

    name: str
    title: str
    options: list[FilterOption]
    left: int = 0


def findings_link(**fields: str) -> str:
    """Return a link to those findings that have all these values, such as ``rule="CMEK-05"``.

    The fields are those of the filter and ``q`` for a text. For status, severity and rule, a value
    may be several with commas between.
    """
    return ADDRESS + urlencode({field: plain(value) for field, value in fields.items()}, safe=",")


def filter_fields(
    findings: Sequence[FindingRecord],
    rules: Iterable[RuleEntry],
    organization_name: Callable[[str], str],
    most: int,
) -> list[FilterField]:
    """Return the fields with the values that occur in ``findings``, at most ``most`` names each."""
    found = {finding["rule"] for finding in findings}
    present = [rule for rule in rules if rule["id"] in found]
    subjects = [finding["subject"] for finding in findings]
    organizations = _organizations(subjects, organization_name)
    regions = sorted({subject["region"] for subject in subjects if "region" in subject})
    types = {subject.get("type") for subject in subjects}
    providers = {subject.get("provider") for subject in subjects}
    titled = [FilterOption(rule["id"], f"{rule['id']} {rule['title']}") for rule in present]
    return [
        FilterField("status", "Status", _statuses({finding["status"] for finding in findings})),
        FilterField("severity", "Severity", _severities(findings)),
        FilterField("rule", "Rule", titled),
        _names("organization", "Organization", organizations, most),
        FilterField("type", "Type", _labelled(labels.TYPE, types)),
        FilterField("provider", "Provider", _labelled(labels.PROVIDER, providers)),
        _names("region", "Region", [_named(region, region) for region in regions], most),
        FilterField("framework", "Framework", _frameworks(present)),
    ]


def _statuses(found: Collection[str]) -> list[FilterOption]:
    """Return the statuses that occur, and before them those of the open findings together."""
    present = [status for status in STATUSES if status in found]
    opened = [status for status in present if status in OPEN]
    single = [FilterOption(status, labels.STATUS[status].word) for status in present]
    together = FilterOption(",".join(opened), f"open ({', '.join(opened)})")
    return [together, *single] if len(opened) > 1 else single


def _severities(findings: Sequence[FindingRecord]) -> list[FilterOption]:
    found = {finding["severity"] for finding in findings}
    return [FilterOption(severity, severity) for severity in SEVERITIES if severity in found]


def _labelled(known: Mapping[str, str], found: Collection[str | None]) -> list[FilterOption]:
    return [FilterOption(value, word) for value, word in known.items() if value in found]


def _names(field: str, title: str, options: list[FilterOption], most: int) -> FilterField:
    """Return a field of names: the first ones, in the order of the alphabet."""
    kept = sorted(options[:most], key=lambda option: option.word.casefold())
    return FilterField(field, title, kept, max(0, len(options) - most))


def _named(value: str, word: str) -> FilterOption:
    return FilterOption(plain(value), plain(word, _NAME))


def _organizations(
    subjects: Sequence[SubjectRecord], naming: Callable[[str], str]
) -> list[FilterOption]:
    """Return the organizations by name; those of the same name have their id beside it."""
    found = dict.fromkeys(subject["organization"] for subject in subjects)
    options = [_named(organization, naming(organization)) for organization in found if organization]
    alike = Counter(option.word for option in options)
    return [
        option._replace(word=f"{option.word} ({plain(option.value, _NAME)})")
        if alike[option.word] > 1
        else option
        for option in options
    ]


def _frameworks(rules: Iterable[RuleEntry]) -> list[FilterOption]:
    of_framework: dict[str, dict[str, None]] = {}
    for rule in rules:
        for control in rule["controls"]:
            of_framework.setdefault(control["framework"], {})[rule["id"]] = None
    return [
        FilterOption(plain(framework), plain(framework, _NAME), " ".join(ids))
        for framework, ids in of_framework.items()
    ]
