"""What verifying needs of a head: it is checked before anything is done with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.verification.recorded_head import RecordedHead
from inventory.errors import RecordError
from reports.record.reader import checked
from tests.reports.samples import COMPLIANT, audit

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def head(tmp_path: Path) -> dict[str, Any]:
    report = audit(tmp_path, COMPLIANT)
    read: dict[str, Any] = json.loads((report.folder / "audit.json").read_bytes())
    return read


def _checked(head: dict[str, Any]) -> RecordedHead:
    return checked(Path("audit.json"), RecordedHead, head)


def test_the_head_of_an_audit_is_read(head: dict[str, Any]) -> None:
    """What an audit writes is what verifying reads; files that are no bundle are none."""
    read = _checked(head)
    assert read.report == head["report"]
    assert read.settings.mode == "recorded"
    assert [source.path for source in read.population.sources] == [
        source["path"] for source in head["population"]["sources"]
    ]
    assert read.bundles == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head.update(report="short"),
        lambda head: head["settings"].update(max_age_seconds=-1),
        lambda head: head["settings"].update(rotation_days=0),
        lambda head: head["settings"].update(mode="dreamt"),
        lambda head: head["settings"].update(example="yes"),
        lambda head: head["criteria"].pop("hash"),
        lambda head: head["population"]["sources"][0].update(size=-1),
    ],
    ids=["report", "max-age", "rotation", "mode", "example", "hash", "size"],
)
def test_a_head_that_no_audit_writes_is_refused(
    head: dict[str, Any], change: Callable[[dict[str, Any]], object]
) -> None:
    """A field of another type, or of an impossible value, is an error that names the file."""
    change(head)
    with pytest.raises(RecordError, match=r"^audit\.json: "):
        _checked(head)
