"""An organization is written as lines that are read back as they were."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from inventory.files.ndjson import NdjsonReader
from inventory.files.ndjson_writer import end_line, head_line, organization_lines
from inventory.model.organization import Organization
from tests.builders import CAPTURED_AT, a_database, a_key, a_support_case, a_view, an_organization

SEEN = "exchanges/0001/0001.json:14"
PLACE = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
ACCOUNT = PLACE | {"account": "vendor", "seen": SEEN}
READING = {"fact": "identity", "address": "/v2/currentOrg", "requests": 1, "answers": {"200": 1}}


def full() -> Organization:
    """Return an organization with an entry of each kind."""
    return an_organization(
        name="acme \u00fc\u2028\x00",
        keys=[a_key(seen=SEEN)],
        databases=[a_database(seen=SEEN), a_database(id="other")],
        region_views=[a_view(seen=SEEN), a_view(region="us-east-2", key_id=None)],
        vendor_accounts=[ACCOUNT],
        support_cases=[a_support_case()],
        readings=[READING],
        gaps=[{"fact": "region-views", "reason": "refused", "detail": "403"}],
    )


def written(path: Path, *organizations: Organization) -> str:
    counts: Counter[str] = Counter(organizations=len(organizations))
    for organization in organizations:
        for name in ("keys", "databases", "region_views"):
            counts[name] += len(getattr(organization, name) or ())
    lines = [line for organization in organizations for line in organization_lines(organization)]
    text = "".join([head_line(CAPTURED_AT), *lines, end_line(counts)])
    path.write_text(text, encoding="utf-8", newline="\n")
    return str(path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """An organization with entries of every kind is read back from its lines as it was."""
    file = written(tmp_path / "a.ndjson", full())
    reader = NdjsonReader(file)
    (organization,) = reader.organizations()
    assert organization == full()
    assert (reader.source.complete, reader.source.captured_at) == (True, CAPTURED_AT)
    counted = (reader.source.organizations, reader.source.keys, reader.source.databases)
    assert counted == (1, 1, 2)


def test_every_entry_has_a_line(tmp_path: Path) -> None:
    """First stands the organization, then each of its entries in a line of its own."""
    kinds = [json.loads(line)["kind"] for line in organization_lines(full())]
    entries = ["key", "database", "database", "region-view", "region-view", "vendor-account"]
    assert kinds == ["organization", *entries, "support-case", "reading"]
    assert all(
        line.endswith("}\n") and line.count("\n") == 1 for line in organization_lines(full())
    )


def test_lists_that_were_not_read() -> None:
    """An organization without lists is one line."""
    bare = Organization(id="a", name="b")
    assert list(organization_lines(bare)) == ['{"kind":"organization","id":"a","name":"b"}\n']


def test_first_and_last_line() -> None:
    """The first line dates the file; the last one counts what came before it."""
    counts = Counter(organizations=2, keys=3, databases=4, region_views=5, requests=6)
    assert head_line(CAPTURED_AT) == (
        '{"kind":"inventory","cmek-inventory":1,"captured_at":"2026-11-20T02:00:00.000000Z"}\n'
    )
    assert end_line(counts) == (
        '{"kind":"end","organizations":2,"keys":3,"databases":4,"region_views":5}\n'
    )
    assert '"keys":0' in end_line(Counter())
