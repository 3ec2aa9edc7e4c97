"""What both documents say of an audit: what it is, what it found, and whether it is evidence."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.finding import STATUSES
from reports.formats.oscal.document import (
    OSCAL_VERSION,
    audit_facts,
    describe,
    document_uuid,
    metadata,
    why_no_evidence,
)
from tests.reports.oscal_reading import property_of
from tests.reports.recording import RUN, SOURCE, a_finding, record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def head(tmp_path: Path) -> Any:  # noqa: ANN401 (tests change it as they like)
    return deepcopy(record(tmp_path, [a_finding()]).head)


def test_metadata_name_the_audit(head: Any) -> None:  # noqa: ANN401 (as above)
    """The version of a document is the id of the audit, and its time that of judgement."""
    shown = metadata(head, "assessment results")
    assert shown["title"] == "Customer keys in Astra: assessment results"
    assert (shown["version"], shown["oscal-version"]) == (head["report"], OSCAL_VERSION)
    assert shown["last-modified"] == "2026-11-21T02:00:00Z"
    assert metadata(head | {"run": RUN}, "assessment results") == shown
    assert shown.keys().isdisjoint({"parties", "roles"})
    assert "relative to the folder in which it was run" in str(shown["remarks"])


@pytest.mark.parametrize(
    ("change", "banner"),
    [
        ({"example": True}, "EXAMPLE, NOT AUDIT EVIDENCE"),
        ({"left_out": "all"}, "PARTIAL RUN, NOT AUDIT EVIDENCE"),
    ],
    ids=["example", "partial"],
)
def test_what_is_no_evidence_says_so_first(head: Any, change: Any, banner: str) -> None:  # noqa: ANN401 (as above)
    """The title of a document that is no evidence begins with that, and a property says it."""
    head["settings"] |= change
    assert str(metadata(head, "x")["title"]).startswith(f"{banner}: Customer keys")
    assert why_no_evidence(head).startswith(banner)
    assert audit_facts(head)["evidence"] == "no"
    assert describe(head).startswith(banner)


@pytest.mark.parametrize("name", ["address", "cloud_addresses"])
def test_answers_of_another_host_are_no_evidence(head: Any, name: str) -> None:  # noqa: ANN401 (as above)
    """An audit of another host than Astra's, or the cloud's, is no evidence."""
    astra = {"address": "https://api.astra.datastax.com", "cloud_addresses": []}
    address: Any = "http://127.0.0.1:1" if name == "address" else ["http://127.0.0.1:1"]
    head["population"]["sources"][0]["evidence"] = astra
    assert why_no_evidence(head) == ""
    head["population"]["sources"][0]["evidence"] = astra | {name: address}
    assert "NOT AUDIT EVIDENCE" in why_no_evidence(head)


def test_the_numbers_of_an_audit_are_properties(head: Any) -> None:  # noqa: ANN401 (as above)
    """Statuses, databases and kinds of evidence are numbers, also where they are zero."""
    facts = audit_facts(head)
    assert {status: facts[f"findings-{status}"] for status in STATUSES} == head["counts"]
    assert (facts["verdict"], facts["evidence"]) == ("not compliant", "yes")
    assert facts["databases-unprotected"] == head["protection"]["unprotected"]
    assert facts["passes-resting-on-attested"] == 0
    assert property_of(metadata(head, "x"), "findings-pass") == "0"
    del head["evidence_kinds"], head["protection"]
    earlier = audit_facts(head)
    assert earlier.keys().isdisjoint({"passes-resting-on-attested", "databases-unprotected"})


def test_verdict_and_notes_are_described(tmp_path: Path) -> None:
    """The verdict is in the description, with the first notes on the sources and how many more."""
    noted = SOURCE.model_copy(update={"notes": tuple(f"Note {number}." for number in range(14))})
    shown = describe(record(tmp_path, [a_finding()], sources=[noted]).head).split("\n\n")
    assert shown[0].startswith("Not compliant: ")
    assert shown[1] == "`acme.yaml`: Note 0."
    assert shown[-1] == "2 more notes are in `audit.json`."


def test_documents_of_an_audit_differ(head: Any) -> None:  # noqa: ANN401 (as above)
    """Each document of an audit has a UUID of its own, the same in every rendering."""
    assert document_uuid(head, "a") == document_uuid(head, "a") != document_uuid(head, "b")
