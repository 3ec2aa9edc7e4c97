"""The parts of the page, laid out from a record."""

from __future__ import annotations

import json
import re

import pytest

from checks.engine.finding import OPEN
from reports.page.assets import TEMPLATES
from reports.page.organizations.links import links_of
from reports.page.parts import parts_of
from reports.presentation.selection import PageLimits
from tests.reports.samples import VIOLATIONS, Report, audit


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


@pytest.fixture(scope="module")
def parts(violations: Report) -> dict[str, object]:
    return parts_of(
        violations.head,
        iter(violations.lines),
        violations.population,
        limits=PageLimits(),
        links=links_of(violations.head, 100),
    )


def test_every_part_is_shown(parts: dict[str, object]) -> None:
    """Some template uses each part: what no template shows is not laid out."""
    source = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES.glob("*.j2"))
    assert [name for name in parts if not re.search(rf"\b{name}\b", source)] == []


def test_parts_agree_on_what_is_shown(violations: Report, parts: dict[str, object]) -> None:
    """The findings to which other parts may link are those of the record, read once."""
    findings = [json.loads(line) for line in violations.lines]
    assert set(parts["shown"]) == {finding["id"] for finding in findings}  # type: ignore[call-overload]
    assert parts["open_total"] == sum(finding["status"] in OPEN for finding in findings)
