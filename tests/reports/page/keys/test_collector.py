"""Which keys a page may show, and what was found of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inventory.model.key_ids import canonical
from reports.page.keys.collector import (
    MOST_ACROSS,
    SMALL,
    CollectedKeys,
    KeyCollector,
    KeyTotals,
    OrganizationKeyCount,
)
from reports.page.timeline.deployments import Order, deployment
from reports.page.timeline.lanes import MOST_LINES, OrganizationLanes
from tests.builders import aws_key_id

SCOPE = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
PATH = "o/serverless/aws/us-east-1"
CLOUD = {"observed_at": "2026-11-20T02:00:00Z"}


def key_line(number: int = 1, **over: object) -> Any:  # noqa: ANN401 (a line of the record)
    """Return the line of a key of the organization ``o``."""
    line = {"kind": "key", "path": f"o/key/{number}", "organization": "o", "state": "registered"}
    return line | SCOPE | {"key_id": aws_key_id(number=number)} | over


def a_finding(status: str, path: str, kind: str = "key", **over: Any) -> bytes:  # noqa: ANN401
    """Return the line of a finding about ``path``."""
    organization = "" if path.startswith(".") else path.partition("/")[0]
    subject = {"kind": kind, "path": path, "organization": organization}
    subject |= {"key": over.pop("key")} if "key" in over else {}
    line = {"status": status, "rule": "CMEK-12", "id": over.pop("id", "f" * 20)}
    line |= {"severity": over.pop("severity", "high"), "subject": subject, "message": "It is so."}
    return json.dumps({**line, **over, "evidence": []}, separators=(",", ":")).encode()


def lanes_of(*lines: object, databases: tuple[str, ...] = (), path: str = "o") -> OrganizationLanes:
    """Return the lanes of an organization with keys, and databases of these orders."""
    first: Any = {"path": path, "name": f"Org {path}"}
    organization = OrganizationLanes(path, first)
    for key in lines:
        organization.add_key(key)  # type: ignore[arg-type]
    for number, code in enumerate(databases):
        region: Any = {"name": "us-east-1", "scope": f"{path}/serverless/aws/us-east-1"}
        region |= {"state": "existing", "encryption": "customer-managed"}
        line: Any = {"kind": "database", "path": f"{path}/database/{number}", "name": f"d{number}"}
        orders = {f"{path}/database/{number}/us-east-1": Order(code)}
        organization.add_database(line | {"state": "existing", "regions": [region]}, orders)
    return organization


def collect(
    *organizations: OrganizationLanes,
    findings: tuple[bytes, ...] = (),
    coverage: Any = (),  # noqa: ANN401 (a block of the record)
    limit: int = 100,
) -> CollectedKeys:
    """Collect the keys of ``organizations``."""
    collector = KeyCollector(coverage, limit)
    assert list(collector.watch(iter(findings))) == list(findings)
    for organization in organizations:
        collector.add(organization)
    return collector.finish()


def _found(collected: CollectedKeys) -> list[tuple[str, list[str], int, bool]]:
    return [
        (
            key.line["path"] if key.line else "",
            [finding["id"] for finding in key.findings],
            key.passes,
            key.is_in_order,
        )
        for key in collected.kept
    ]


def a_cell(status: str, **over: object) -> Any:  # noqa: ANN401 (a part of the record)
    """Return the coverage of the organization ``o``, of one key scope."""
    cell = {**SCOPE, "state": "failing", "status": status, "severity": "high", "finding": "c"}
    cell |= {"rule": "CMEK-05", "message": "Too late."}
    return [{"organization": "o", "cells": [cell | over]}]


def test_each_key_has_its_findings() -> None:
    """A key has what is open or waived of it, of its id, and of its key scope; passes count."""
    findings = (
        a_finding("pass", "o/key/1"),
        a_finding("pass", "o/key/1"),
        a_finding("waived", "o/key/1", id="w"),
        a_finding("fail", "o/key/1", id="f"),
        a_finding("not-applicable", "o/key/1", id="n"),
        a_finding("inconclusive", PATH, "key-scope", id="s"),
        a_finding("fail", "o/key-id/x", "key-id", id="i", key=aws_key_id(number=1)),
        a_finding("fail", "o/database/d/us-east-1", "database-region", id="d"),
        a_finding("fail", "o/key/9", "planned-key", id="p", severity="critical"),
    )
    planned = key_line(9, region="us-west-2", state="planned", change="register")
    collected = collect(lanes_of(key_line(), planned), findings=findings)
    assert _found(collected) == [
        ("o/key/9", ["p"], 0, False),
        ("o/key/1", ["f", "i", "s", "w"], 2, False),
    ]
    assert collected.organizations == [OrganizationKeyCount("o", "Org o", 2, 2)]


def test_findings_across_organizations_are_with_each_key() -> None:
    """A key that organizations share has the finding about that in each of them."""
    shared = a_finding(
        "fail", "./key-id/k", "key-id", id="x", severity="advisory", key=canonical(aws_key_id())
    )
    passing = a_finding("pass", "./key-id/z", "key-id", key=aws_key_id(number=2))
    collected = collect(
        lanes_of(key_line(), key_line(2)),
        lanes_of(key_line(path="p/key/1"), path="p"),
        findings=(passing, shared),
    )
    assert _found(collected) == [
        ("o/key/1", ["x"], 0, True),
        ("o/key/2", [], 0, True),
        ("p/key/1", ["x"], 0, True),
    ]
    undetermined: Any = {"path": "o/key/p", "state": "planned", "change": "register"}
    assert _found(collect(lanes_of(undetermined), findings=(shared,)))[0][1] == []


def test_only_some_findings_across_organizations_are_kept() -> None:
    """A million findings across organizations take no more memory than a thousand."""
    findings = [
        a_finding("fail", f"./key-id/{n}", "key-id", key=aws_key_id(number=n))
        for n in range(MOST_ACROSS + 1)
    ]
    last = lanes_of(key_line(MOST_ACROSS - 1), key_line(MOST_ACROSS, region="us-west-2"))
    kept = collect(last, findings=tuple(findings)).kept
    assert [len(key.findings) for key in kept] == [1, 0]


@pytest.mark.parametrize(
    ("codes", "entries"),
    [
        (("without-key",), 1),
        (("astra-provided", "after"), 1),
        (("astra-provided",), 0),
        (("not-applicable",), 0),
        ((), 0),
    ],
)
def test_a_key_scope_without_a_key_is_shown_if_it_needs_one(
    codes: tuple[str, ...], entries: int
) -> None:
    """Databases that are to use a customer key are shown, also where no key is recorded."""
    collected = collect(lanes_of(databases=codes))
    assert [key.line for key in collected.kept] == [None] * entries
    assert collected.organizations[0].keys == entries


def test_what_is_planned_nowhere_is_no_key_scope() -> None:
    """A planned database of which no region is known makes no entry without a key."""
    organization = lanes_of()
    lane = organization._lane_without_scope()
    lane.databases.add(deployment("d", None, Order("unknown"), is_planned=True))
    assert collect(organization).kept == []


@pytest.mark.parametrize(
    ("cell", "cloud", "is_in_order"),
    [
        (a_cell("fail"), {}, False),
        (a_cell("waived"), {}, False),
        (a_cell("pass"), {}, True),
        ((), {"cloud": CLOUD}, True),
        ((), {"cloud": CLOUD | {"unread": [{}]}}, False),
    ],
)
def test_a_key_is_in_order_only_if_its_databases_are(
    cell: Any,  # noqa: ANN401 (a part of the record)
    cloud: Any,  # noqa: ANN401 (a part of the record)
    *,
    is_in_order: bool,
) -> None:
    """What coverage shows of its key scope, and what its cloud did not show, count for a key."""
    collected = collect(lanes_of(key_line(**cloud)), coverage=cell)
    [key] = collected.kept
    assert key.is_in_order is is_in_order
    assert collected.organizations[0].doubtful == (not is_in_order)


def test_the_worst_keys_come_first() -> None:
    """Open findings come before waived ones, these before facts that were not read."""
    lines = [key_line(n, region=f"r{n}") for n in range(1, 5)]
    lines[2]["cloud"] = CLOUD | {"unread": [{}]}
    findings = a_finding("waived", "o/key/2"), a_finding("fail", "o/key/4", severity="advisory")
    collected = collect(lanes_of(*lines), findings=findings)
    assert [path for path, *_ in _found(collected)] == [f"o/key/{n}" for n in (4, 2, 3, 1)]


def test_what_is_known_of_all_keys_is_counted() -> None:
    """Keys are counted by what their clouds and the portal show, planned ones where it matters."""
    never = CLOUD | {"never_used": True}
    lines = [
        key_line(1, cloud=never | {"unread": [{}]}, portal={}),
        key_line(2, region="r2", cloud=never, state="planned", change="register"),
        key_line(3, region="r3", cloud=CLOUD | {"expires_at": "x", "never_used": False}),
        key_line(4, region="r4", cloud=CLOUD | {"deletion_at": "x"}),
        key_line(5, region="r5"),
    ]
    collected = collect(lanes_of(*lines))
    assert collected.totals == KeyTotals(observed=4, unread=1, looked=1, never_used=1, ending=2)


def test_only_the_worst_are_kept() -> None:
    """Of very many keys the worst are kept, and all are counted, also those of one key scope."""
    many = [lanes_of(key_line(path=f"p{n}/key/1"), path=f"p{n}") for n in range(3 * SMALL)]
    bad = a_finding("fail", "o/key/1", id="bad")
    crowded = lanes_of(*(key_line(n) for n in range(MOST_LINES + 3)), path="c")
    collected = collect(*many, lanes_of(key_line()), crowded, findings=(bad,), limit=1)
    assert (len(collected.kept), _found(collected)[0][1]) == (SMALL, ["bad"])
    assert collected.organizations[-1] == OrganizationKeyCount("c", "Org c", MOST_LINES + 3, 3)
