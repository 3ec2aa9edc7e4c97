"""One moment in one file or in several: the verdicts are the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from checks.engine.catalogue import load_rules
from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from inventory.history import read_history
from inventory.inventory import Inventory
from tests.builders import (
    AS_OF,
    a_support_case,
    aws_key_id,
    database_data,
    document_data,
    gcp_key_id,
    key_data,
    organization_data,
    uuid,
    write_json,
)
from tests.hypothesis_profile import examples

RULES = load_rules()
TIMES = ["2026-05-01T00:00:00Z", "2026-08-01T00:00:00Z", "2026-11-20T02:00:00Z"]
"""Two earlier moments, and the present."""

EARLY, LATE = (
    {"registered": {"at": f"2026-0{month}-01T00:00:00Z", "by": "a", "on": "2026-11-01"}}
    for month in (5, 7)
)
GOOGLE = {"provider": "gcp", "region": "us-east1"}
KEYS = [
    *(key_data(key_id=aws_key_id(number=number)) for number in (1, 2)),
    key_data(region="us-east-2"),
    key_data(**GOOGLE, key_id=gcp_key_id(version=1)) | EARLY,
    key_data(**GOOGLE, key_id=gcp_key_id(version=2)) | LATE,
    key_data(**GOOGLE, key_id=gcp_key_id(version=3)),
]
DATABASES = [
    database_data(id=uuid(1), name="one"),
    database_data(id=uuid(2), name="two", regions=["us-east-2"], status="PARKED"),
    database_data(id=uuid(3), name="three", provider="gcp", regions=["us-east1"]),
]
GAPS = [{"fact": "serverless-keys", "reason": "refused"}]
CASE = a_support_case(on="2026-07-01").model_dump(mode="json", exclude_none=True)


def some(entries: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(entries), unique_by=str, max_size=len(entries))


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what was recorded of an organization at one moment."""
    return organization_data(
        keys=draw(some(KEYS) | st.none()),
        databases=draw(some(DATABASES) | st.none()),
        gaps=draw(some(GAPS)),
        support_cases=draw(some([CASE])),
    )


@st.composite
def parts(draw: st.DrawFn, whole: dict[str, Any]) -> list[dict[str, Any]]:
    """Spread what was recorded over two files; rival keys of a scope stay together.

    The lists that a file lacks are those of the other, and what stands in both stands there once.
    """
    files = [dict(whole, gaps=[]), dict(whole, gaps=[])]
    files[draw(st.integers(0, 1))]["gaps"] = whole["gaps"]
    for name in ("keys", "databases", "support_cases"):
        entries = whole[name] or []
        where = {entry["region"] if name == "keys" else str(entry): 2 for entry in entries}
        where = {place: draw(st.integers(0, 2)) for place in sorted(where)}
        for index, file in enumerate(files):
            file[name] = [
                entry
                for entry in entries
                if where[entry["region"] if name == "keys" else str(entry)] in {index, 2}
            ]
        lacks = draw(st.sampled_from([None, 0, 1])) if whole[name] is not None else None
        if whole[name] is None:
            files[0][name] = files[1][name] = None
        elif lacks is not None and not files[lacks][name] and name != "support_cases":
            files[lacks][name] = None
    return draw(st.permutations([*files, draw(st.sampled_from(files))]))


def verdict(moments: list[list[dict[str, Any]]]) -> list[tuple[str, str, str, str]]:
    """Judge the last of ``moments``, each given as the parts of its files."""
    with tempfile.TemporaryDirectory() as folder:
        files = [
            [
                write_json(
                    Path(folder) / f"{number}-{index}.json", document_data(part, captured_at=at)
                )
                for index, part in enumerate(organizations)
            ]
            for number, (at, organizations) in enumerate(zip(TIMES, moments, strict=True))
        ]
        history = read_history([file for early in files[:-1] for file in early])
        present = list(Inventory(files[-1]).organizations())
    found = evaluate(present, RULES, Context(AS_OF, history=history))
    return sorted((finding.rule, finding.id, finding.status, finding.severity) for finding in found)


@examples(80)
@given(st.data(), st.lists(records(), min_size=3, max_size=3))
def test_several_files_of_one_moment_are_as_one(
    data: st.DataObject, wholes: list[dict[str, Any]]
) -> None:
    """Spreading the present or an earlier moment over files, or giving a file twice, is no news."""
    spread = [data.draw(parts(whole)) for whole in wholes]
    assert verdict(spread) == verdict([[whole] for whole in wholes])


@st.composite
def reordered(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    lists = {name: whole[name] for name in ("keys", "databases", "gaps") if whole[name]}
    return whole | {name: draw(st.permutations(entries)) for name, entries in lists.items()}


@examples(60)
@given(st.data(), st.lists(records(), min_size=3, max_size=3))
def test_the_order_of_entries_does_not_matter(
    data: st.DataObject, wholes: list[dict[str, Any]]
) -> None:
    """In whatever order keys and databases stand in a file, the verdicts are the same."""
    other = [data.draw(reordered(whole)) for whole in wholes]
    assert verdict([[whole] for whole in other]) == verdict([[whole] for whole in wholes])
