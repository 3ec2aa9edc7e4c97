"""What is signed: a Statement of in-toto, that a test had this result on these files.

The predicate is in-toto's test result, version 0.1. The subjects are the files of the report. The
configuration are the files that were judged, and those by which they were.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inventory.errors import SignatureError
from inventory.evidence.manifest import Sha256
from inventory.text.canonical_json import compact_json
from inventory.text.display import describe
from reports.record.reader import first_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"

Result = Literal["PASSED", "WARNED", "FAILED"]

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


class _Part(BaseModel):
    """A part of a statement; a field that is not named is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Digest(_Part):
    """The hash of a file."""

    sha256: Sha256


class Subject(_Part):
    """A file of the report, by its path relative to the folder."""

    name: str
    digest: Digest


class Source(_Part):
    """A file that was read, by its path as the record has it, and what it was read for."""

    name: str
    digest: Digest
    annotations: dict[str, str]


class TestResult(_Part):
    """The predicate: the result, the files that were read, and the findings.

    Attributes:
        result: ``PASSED`` only if nothing is open, waived or left out.
        configuration: the files that were read, with their hashes.
        url: the address of the run; None without one.
        passed: how many findings of each rule pass, in words.
        warned: the ids of what is waived, or does not stop.
        failed: the ids of what stops, and of all that could not be judged.
    """

    __test__ = False  # pytest takes a class of such a name for a test

    result: Result
    configuration: tuple[Source, ...]
    url: str | None = None
    passed: tuple[str, ...] = Field(alias="passedTests")
    warned: tuple[str, ...] = Field(alias="warnedTests")
    failed: tuple[str, ...] = Field(alias="failedTests")


class Statement(_Part):
    """That the subjects are what a test has written, and the result of the test."""

    type: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")] = (
        "https://in-toto.io/Statement/v1"
    )
    subject: tuple[Subject, ...]
    predicate_type: Annotated[
        Literal["https://in-toto.io/attestation/test-result/v0.1"], Field(alias="predicateType")
    ] = "https://in-toto.io/attestation/test-result/v0.1"
    predicate: TestResult

    def payload(self) -> bytes:
        """Return the bytes that are signed, always the same for the same statement."""
        data = self.model_dump(by_alias=True, exclude_none=True)
        return compact_json(data).encode("ascii")


def parse_statement(payload: bytes) -> Statement:
    """Return the statement that was signed; raise SignatureError if it is no such statement.

    Only what was verified is to be given here.
    """
    data = strict_json(payload, "a statement")
    if isinstance(data, dict):
        _expect(data, "_type", STATEMENT)
        _expect(data, "predicateType", PREDICATE)
    try:
        # Again from the bytes: lists of JSON are no tuples to a strict model.
        statement = Statement.model_validate_json(payload)
    except ValidationError as error:
        raise SignatureError(f"it states what no audit states: {first_problem(error)}") from None
    _check_names([subject.name for subject in statement.subject])
    return statement


def _expect(data: dict[str, object], field: str, expected: str) -> None:
    if data.get(field) != expected:
        found = f"{field} {describe(data.get(field))}"
        raise SignatureError(f"found {found}, expected {expected}")


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise SignatureError("found no subject, expected the files of a report")
    for name in names:
        if not is_safe_name(name):
            raise SignatureError(f"found the subject {describe(name)}, expected a path inside")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SignatureError(f"found the subject {describe(twice)} twice, expected it once")


def is_safe_name(name: str) -> bool:
    """Return whether ``name`` is a relative path that leads nowhere but down."""
    parts = name.split("/")
    return not (_UNSAFE.search(name) or {"", ".", ".."} & set(parts))


def strict_json(raw: bytes, expected: str) -> object:
    """Return the data of a JSON text; raise SignatureError for what readers take differently.

    A field that is there twice is refused, and so are NaN and infinite numbers.
    """
    try:
        return json.loads(raw.decode("ascii"), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise SignatureError(f"found no strict JSON, expected {expected}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "a field is there twice"
        raise ValueError(message)
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
