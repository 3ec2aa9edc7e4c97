"""The filter of the findings: it offers the values that occur, and its address can be written."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from hypothesis import given
from hypothesis import strategies as st

from reports.page.findings.filter_options import (
    ADDRESS,
    FilterField,
    FilterOption,
    filter_fields,
    findings_link,
)
from reports.presentation.sanitize import plain
from tests.hypothesis_profile import examples

NIST = {"framework": "NIST", "id": "SC-12", "strength": "direct"}
RULES: Any = [
    {"id": "CMEK-01", "title": "Each has a key", "controls": [NIST, NIST | {"id": "SC-28"}]},
    {"id": "CMEK-02", "title": "One each", "controls": [NIST, NIST | {"framework": "SOC 2"}]},
    {"id": "CMEK-03", "title": "Unused here", "controls": [NIST | {"framework": "HIPAA"}]},
]


def a_finding(status: str, rule: str, severity: str = "high", **subject: str) -> Any:  # noqa: ANN401 (a record)
    subject = {"organization": "o1", **subject}
    return {"status": status, "rule": rule, "severity": severity, "subject": subject}


def fields(*findings: Any, most: int = 10, **names: str) -> dict[str, FilterField]:  # noqa: ANN401 (records)
    found = filter_fields(findings, RULES, lambda identity: names.get(identity, identity), most)
    return {field.name: field for field in found}


def test_only_values_that_occur_are_offered() -> None:
    """Each field offers the values of the findings, in the order that its readers know."""
    place = {"type": "serverless", "provider": "gcp", "region": "us-east1"}
    made = fields(
        a_finding("pass", "CMEK-02", "low"),
        a_finding("fail", "CMEK-01", "critical", **place),
        o1="acme",
    )
    assert {name: field.options for name, field in made.items()} == {
        "status": [FilterOption("fail", "fail"), FilterOption("pass", "pass")],
        "severity": [FilterOption("critical", "critical"), FilterOption("low", "low")],
        "rule": [
            FilterOption("CMEK-01", "CMEK-01 Each has a key"),
            FilterOption("CMEK-02", "CMEK-02 One each"),
        ],
        "organization": [FilterOption("o1", "acme")],
        "type": [FilterOption("serverless", "Serverless")],
        "provider": [FilterOption("gcp", "Google Cloud")],
        "region": [FilterOption("us-east1", "us-east1")],
        "framework": [
            FilterOption("NIST", "NIST", "CMEK-01 CMEK-02"),
            FilterOption("SOC 2", "SOC 2", "CMEK-02"),
        ],
    }


def test_open_findings_can_be_chosen_together() -> None:
    """Where findings are open in more than one way, one choice takes all of them."""
    made = fields(a_finding("inconclusive", "CMEK-01"), a_finding("fail", "CMEK-01"))
    assert made["status"].options[0] == FilterOption(
        "fail,inconclusive", "open (fail, inconclusive)"
    )


def test_names_without_room_are_counted() -> None:
    """The most urgent organizations are offered, by the alphabet; the others are counted."""
    findings = [a_finding("fail", "CMEK-01", organization=name) for name in ("c", "b", "a", "c")]
    field = fields(*findings, most=2)["organization"]
    assert [option.word for option in field.options] == ["b", "c"]
    assert field.left == 1


def test_organizations_of_one_name_have_their_id() -> None:
    """Two organizations with the same name can be distinguished; subjects across all are none."""
    findings = [a_finding("fail", "CMEK-01", organization=name) for name in ("a", "b", "", "c")]
    field = fields(*findings, a="acme", b="acme", c="labs")["organization"]
    assert [option.word for option in field.options] == ["acme (a)", "acme (b)", "labs"]


def test_hostile_names_are_offered_in_plain_text() -> None:
    """Characters that cannot be seen are named, and a long name is cut."""
    field = fields(a_finding("fail", "CMEK-01", region="a\u202e" + "b" * 100))["region"]
    [option] = field.options
    assert option.value == f"a(U+202E){'b' * 100}"
    assert option.word == f"a(U+202E){'b' * 58}… (102 characters)"


def test_a_link_names_its_fields() -> None:
    """A link to filtered findings is short and readable where its values are."""
    link = findings_link(status="fail,inconclusive", rule="CMEK-05", q="my orders")
    assert link == "#findings?status=fail,inconclusive&rule=CMEK-05&q=my+orders"


@examples(100)
@given(st.text(min_size=1))
def test_any_value_comes_back_from_a_link(organization: str) -> None:
    """Whatever an organization is called, a link holds the value that the filter offers."""
    link = findings_link(organization=organization)
    assert parse_qs(link.removeprefix(ADDRESS), errors="surrogatepass") == {
        "organization": [plain(organization)]
    }
