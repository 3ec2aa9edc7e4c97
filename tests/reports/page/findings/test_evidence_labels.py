"""What a place of evidence is: the thing that the population has there, and the kind of file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.findings.evidence_index import EvidenceIndex
from reports.page.findings.evidence_labels import CitedPopulation, EvidenceItem, EvidenceLabels
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPE = "acme/serverless/aws/us-east-1"
DATABASE = {
    "kind": "database",
    "path": "acme/database/1",
    "organization": "acme",
    "state": "existing",
    "name": "orders",
    "regions": [{"name": "us-east-1", "scope": SCOPE, "state": "existing"}],
    "file": "acme.yaml",
    "line": 7,
}
KEY = {
    "kind": "key",
    "path": "acme/key/serverless/aws/us-east-1/arn",
    "organization": "acme",
    "state": "registered",
    "region": "us-east-1",
    "file": "acme.yaml",
    "line": 3,
    "first_seen": "2026-08-01T02:00:00Z",
}
ORGANIZATION = {"kind": "organization", "path": "acme", "name": "Acme <b>", "file": "f", "line": 1}


def line_of(entry: object) -> bytes:
    """Render a line as the record does."""
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def a_finding(*evidence: object, databases: int = 1, planned: int = 0) -> Any:  # noqa: ANN401 (a record)
    subject = {"kind": "key-scope", "path": SCOPE, "organization": "acme", "region": "us-east-1"}
    existing = databases - planned
    return {
        "subject": subject,
        "databases": databases,
        "existing": existing,
        "evidence": list(evidence),
    }


def read(finding: Any, entries: Iterable[object]) -> CitedPopulation:  # noqa: ANN401 (a record)
    cited = CitedPopulation([finding])
    for entry in entries:
        cited.add(line_of(entry))
    return cited


def items(finding: Any, *entries: object, sources: Any = ()) -> list[EvidenceItem]:  # noqa: ANN401 (records)
    index = EvidenceIndex([], set(), 0)
    return EvidenceLabels(sources, read(finding, entries), index).items(finding)


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        (DATABASE, "database orders"),
        (DATABASE | {"state": "planned"}, "planned database orders"),
        (KEY, "key in us-east-1"),
        (KEY | {"state": "planned"}, "planned key in us-east-1"),
        ({name: value for name, value in KEY.items() if name != "region"}, "key"),
        (ORGANIZATION, "organization Acme &lt;b&gt;"),
    ],
)
def test_a_place_is_labelled_by_what_is_there(entry: dict[str, Any], label: str) -> None:
    """Evidence says whether it is an organization, a key or a database, and which one."""
    finding = a_finding([entry["file"], entry["line"]])
    assert [item.what for item in items(finding, entry)] == [label]


def test_a_place_with_several_things_counts_them() -> None:
    """Where a file has all in one line, what is there is counted and not named."""
    entries = [entry | {"line": 1} for entry in (KEY, DATABASE, DATABASE | {"path": "other"})]
    finding = a_finding(["acme.yaml", 1])
    assert items(finding, *entries)[0].what == "1 key, 2 databases"


def test_an_address_tells_things_in_one_line_apart() -> None:
    """What Terraform manages is found by its address, too, and the address is shown."""
    entries = [
        DATABASE | {"line": 1, "name": name, "address": f"astra_database.{name}"}
        for name in ("a", "b")
    ]
    finding = a_finding(["acme.yaml", 1, "astra_database.b"])
    assert items(finding, *entries) == [
        EvidenceItem(
            "database b",  # type: ignore[arg-type]
            "<code>acme.yaml:1</code> (<code>astra_database.b</code>)",  # type: ignore[arg-type]
            "",
        )
    ]


def test_nothing_is_claimed_of_other_places() -> None:
    """A place that the population does not have is shown without a label."""
    finding = a_finding(["acme.yaml", 8], ["other.yaml", 7])
    assert [item.what for item in items(finding, DATABASE)] == ["", ""]


def test_a_place_says_which_source_it_is_from() -> None:
    """The kind of file and its date come from the sources; a bundle is all in its folder."""
    sources = [
        {"path": "now.yaml", "role": "inventory", "captured_at": "2026-11-20T02:00:00Z"},
        {"path": "plan.json", "role": "plan", "captured_at": None},
        {"path": "ev/2026", "role": "history", "captured_at": "2026-08-01T02:00:00Z"},
    ]
    places = ["now.yaml", "plan.json", "ev/2026/exchanges/0001/0002.json", "ev/20267", "now.yaml2"]
    finding = a_finding(*([place, 1] for place in places))
    assert [item.source for item in items(finding, sources=sources)] == [
        "current record of 2026-11-20",
        "plan",
        "earlier record of 2026-08-01",
        "",
        "",
    ]


def test_databases_are_named_by_the_evidence() -> None:
    """The databases of a finding are those that its evidence cites, if these are all."""
    other = DATABASE | {"path": "acme/database/2", "name": "ledger", "line": 9, "regions": []}
    finding = a_finding(["acme.yaml", 7], ["acme.yaml", 9], ["acme.yaml", 3], databases=2)
    assert read(finding, [DATABASE, other, KEY]).databases_of(finding) == ["orders", "ledger"]


def in_state(state: str, name: str) -> dict[str, Any]:
    """Return a database of that state and name, in the key scope of the tests."""
    regions = [{"name": "us-east-1", "scope": SCOPE, "state": state}]
    return DATABASE | {"name": name, "regions": regions, "state": state}


def test_databases_are_named_by_the_key_scope() -> None:
    """Without such evidence they are those of the key scope, in the states the finding counts."""
    population = [KEY, in_state("existing", "now"), in_state("planned", "next")]
    population.append(in_state("terminated", "gone"))
    place = ["acme.yaml", 3]
    for finding, names in (
        (a_finding(place), ["now"]),
        (a_finding(place, planned=1), ["next"]),
        (a_finding(place, databases=2, planned=1), ["now", "next"]),
    ):
        assert read(finding, population).databases_of(finding) == names


def test_databases_of_a_key_are_those_of_its_scope() -> None:
    """A finding about a key concerns the databases of the key scope for which it is registered."""
    key = a_finding(["acme.yaml", 3])
    key["subject"] |= {"kind": "key", "path": KEY["path"]}
    assert read(key, [KEY, DATABASE]).databases_of(key) == ["orders"]


@pytest.mark.parametrize("databases", [0, 2])
def test_no_database_is_named_if_the_number_differs(databases: int) -> None:
    """A list that is not as long as the number that the finding counts is not its list."""
    finding = a_finding(["acme.yaml", 3], databases=databases)
    assert list(read(finding, [KEY, DATABASE]).databases_of(finding)) == []


def test_names_are_bounded() -> None:
    """Of a scope with very many databases, the first ten names are kept."""
    finding = a_finding(["acme.yaml", 3], databases=5_000)
    many = (DATABASE | {"name": f"d{number}", "line": number} for number in range(5_000))
    assert read(finding, many).databases_of(finding) == [f"d{number}" for number in range(10)]


@examples(100)
@given(st.text(min_size=1), st.integers(1, 10**9), st.text())
def test_any_file_is_found(file: str, line: int, name: str) -> None:
    """A place is found whatever its file and the thing at it are called."""
    entry = DATABASE | {"file": file, "line": line, "name": name}
    finding = a_finding([file, line], databases=1)
    assert read(finding, [entry]).databases_of(finding) == [name]


def test_a_bundle_that_is_not_listed() -> None:
    """Of many bundles in a row the sources list two; what is in another is labelled, too."""
    chain: dict[str, object] = {
        "path": "ev/b",
        "format": "bundle",
        "role": "history",
        "captured_at": None,
    }
    chain |= {"chain": {"first": "ev/a"}}
    found = items(a_finding(["ev/between/i.ndjson", 1], ["else/i.ndjson", 1]), sources=[chain])
    assert [item.source for item in found] == ["earlier record", ""]
