"""A finding, read back from its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from inventory.errors import RecordError
from reports.record.decoding import decode_finding
from reports.record.encoding import encode_finding
from tests.hypothesis_profile import examples
from tests.reports.recording import a_finding, findings

if TYPE_CHECKING:
    from checks.engine.finding import Finding

LINE = encode_finding(a_finding(change="new", since="2026-11-20T02:00:00Z", audits=1)).encode()


@examples(200)
@given(finding=findings())
def test_what_is_written_is_read_back(finding: Finding) -> None:
    """Each finding that a judge can give is read back as it was, but for its evidence."""
    assert decode_finding(encode_finding(finding).encode(), "") == finding._replace(evidence=())


def test_a_pass_of_an_earlier_version_is_read_back() -> None:
    """A line that does not say on what a pass rests is a finding all the same."""
    line = encode_finding(a_finding("pass")).replace(',"rests_on":"records"', "")
    assert decode_finding(line.encode(), "") == a_finding("pass")


def test_a_name_that_is_no_valid_unicode_is_read_back() -> None:
    """A lone surrogate, which JSON can hold, is no reason to break."""
    finding = a_finding(name="acme-\ud800")
    assert decode_finding(encode_finding(finding).encode(), "") == finding


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"fail"', b'"failed"', "status: input should be 'pass', 'fail', "),
        (b'"high"', b'"grave"', "severity: input should be "),
        (b'"key-scope"', b'"scope"', "subject.kind: input should be "),
        (b'"rule":"CMEK-01"', b'"rule":"CMEK-02"', "id: not the hash of rule, subject and cause"),
        (b"/us-east-1", b"/us-east-2", "id: not the hash of rule, subject and cause"),
        (b'"change":"new"', b'"change":"old"', "change: input should be "),
        (b'"since":"2026', b'"since":"26', "since: string should match "),
        (b'"audits":1', b'"audits":"1"', "audits: input should be a valid integer"),
        (b'"audits":1', b'"audits":-1', "audits: input should be greater than or equal to 0"),
        (b'"message":"It is so."', b'"message":"","rests_on":"hope"', "rests_on: input should be "),
        (b'"message":', b'"said":', "message: field required"),
        (LINE, b"[]", "the whole: input should be a valid dict"),
        (LINE, b"{", "found no JSON"),
        (LINE, b"\xff", "found no JSON"),
        (LINE, b"[" * 100_000, "found no JSON"),
    ],
)
def test_what_is_no_finding_is_refused(old: bytes, new: bytes, words: str) -> None:
    """A line that no audit writes is an error that says where it stands, and what is wrong."""
    assert old in LINE
    with pytest.raises(RecordError, match=f"^f:7: no finding of the format cmek-.+/2: {words}"):
        decode_finding(LINE.replace(old, new), "f:7")
