"""The statement that is signed: it comes back as it was, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2 as proto
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement as InTotoStatement

from cmek_audit.signing.statement import (
    PREDICATE,
    Digest,
    Source,
    Statement,
    Subject,
    TestResult,
    is_safe_name,
    parse_statement,
    strict_json,
)
from inventory.errors import SignatureError

DIGESTS = st.binary(min_size=32, max_size=32).map(lambda raw: Digest(sha256=raw.hex()))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = TEXTS.filter(is_safe_name)
RESULTS = st.builds(
    TestResult,
    result=st.sampled_from(["PASSED", "WARNED", "FAILED"]),
    configuration=st.lists(
        st.builds(
            Source,
            name=TEXTS,
            digest=DIGESTS,
            annotations=st.dictionaries(TEXTS, TEXTS, max_size=2),
        ),
        max_size=3,
    ).map(tuple),
    url=st.none() | TEXTS,
    passedTests=st.lists(TEXTS, max_size=3).map(tuple),
    warnedTests=st.lists(TEXTS, max_size=3).map(tuple),
    failedTests=st.lists(TEXTS, max_size=3).map(tuple),
)
STATEMENTS = st.builds(
    Statement,
    subject=st.lists(
        st.builds(Subject, name=NAMES, digest=DIGESTS),
        min_size=1,
        max_size=4,
        unique_by=lambda subject: subject.name,
    ).map(tuple),
    predicate=RESULTS,
)


def a_statement() -> Any:  # noqa: ANN401 (whatever JSON holds)
    digest = {"sha256": "0" * 64}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "audit.json", "digest": digest}],
        "predicateType": PREDICATE,
        "predicate": {
            "result": "PASSED",
            "configuration": [],
            "passedTests": [],
            "warnedTests": [],
            "failedTests": [],
        },
    }


def refusal(statement: object) -> str:
    with pytest.raises(SignatureError) as caught:
        parse_statement(json.dumps(statement).encode())
    return str(caught.value)


@given(STATEMENTS)
def test_a_statement_comes_back_as_it_was(statement: Statement) -> None:
    """What is written is read back whole, whatever texts it holds."""
    payload = statement.payload()
    assert parse_statement(payload) == statement
    assert payload == statement.payload()


@given(STATEMENTS)
def test_the_library_of_in_toto_reads_it(statement: Statement) -> None:
    """in-toto's own library takes it for a statement with a test result."""
    read = json_format.Parse(statement.payload(), statement_pb2.Statement())
    InTotoStatement.copy_from_pb(read).validate()
    for subject in read.subject:
        ResourceDescriptor.copy_from_pb(subject).validate()
    predicate = json.loads(statement.payload())["predicate"]
    result = json_format.ParseDict(predicate, proto.TestResult())
    assert (result.result, tuple(result.failed_tests)) == (
        statement.predicate.result,
        statement.predicate.failed,
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (
            "_type",
            "https://in-toto.io/Statement/v2",
            "found _type 'https://in-toto.io/Statement/v2'",
        ),
        (
            "predicateType",
            "https://slsa.dev/provenance/v1",
            "found predicateType 'https://slsa.dev",
        ),
        ("predicateType", None, "found predicateType nothing"),
        ("subject", [], "found no subject"),
        ("subject", "audit.json", "it states what no audit states: subject"),
        ("predicate", {"result": "PASSED"}, "it states what no audit states: predicate"),
        ("more", 1, "it states what no audit states: more"),
    ],
)
def test_another_statement_is_refused(field: str, value: object, words: str) -> None:
    """Another type, another predicate, no subject or a field that is unknown is refused by name."""
    assert refusal(a_statement() | {field: value}).startswith(words)


@pytest.mark.parametrize("value", [[], "text", None, 1])
def test_what_is_no_mapping_is_no_statement(value: object) -> None:
    """JSON that is no object is refused."""
    assert refusal(value).startswith("it states what no audit states: the whole")


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64])
def test_a_hash_has_one_form(sha256: str) -> None:
    """A digest that is no SHA-256 in small letters is refused."""
    statement = a_statement()
    statement["subject"][0]["digest"] = {"sha256": sha256}
    assert "subject.0.digest.sha256" in refusal(statement)


@pytest.mark.parametrize(
    "name",
    ["", "/audit.json", "../audit.json", "a/../b", "a//b", "./a", "a/", "a\\b", "a\0b", ".."],
)
def test_a_subject_that_leads_elsewhere_is_refused(name: str) -> None:
    """A subject is a file inside of the folder, whatever its name tries."""
    statement = a_statement()
    statement["subject"][0]["name"] = name
    assert not is_safe_name(name)
    assert refusal(statement).endswith("expected a path inside")


def test_a_subject_is_there_once() -> None:
    """A file with two hashes would be proven by either, so it is refused."""
    statement = a_statement()
    statement["subject"] *= 2
    assert refusal(statement) == "found the subject 'audit.json' twice, expected it once"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xc3\xa9"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_readers_take_differently_is_refused(raw: bytes) -> None:
    """A field that is there twice, numbers that are none, and bytes beyond ASCII are refused."""
    with pytest.raises(SignatureError, match="found no strict JSON, expected a text"):
        strict_json(raw, "a text")
