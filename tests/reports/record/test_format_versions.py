"""The version of a format, in every kind of file that the suite reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from checks.engine.controls import Controls
from checks.engine.waivers import WaiverDocument
from inventory.astra.config import Organizations
from inventory.evidence.exchange import ExchangeFile
from inventory.evidence.manifest import ListedFile, Manifest
from inventory.files.ndjson_lines import HeadRecord
from inventory.model.gaps import Reading
from inventory.model.organization import InventoryDocument
from inventory.plans import PlanDocument
from reports.comparison.compared_head import ChangesPart
from reports.record.reader import FindingsFile, PopulationFile

if TYPE_CHECKING:
    from pydantic import BaseModel

FORMATS: dict[str, list[type[BaseModel]]] = {
    "cmek-inventory": [InventoryDocument, HeadRecord],
    "cmek-plan": [PlanDocument],
    "cmek-organizations": [Organizations],
    "cmek-evidence": [Manifest],
    "cmek-exchange": [ExchangeFile],
    "cmek-waivers": [WaiverDocument],
    "cmek-controls": [Controls],
}
COUNTS: list[tuple[type[BaseModel], str]] = [
    (ListedFile, "size"),
    (Manifest, "organizations"),
    (Manifest, "requests"),
    (Manifest, "failures"),
    (Manifest, "redactions"),
    (Manifest, "clock_seconds"),
    (ExchangeFile, "status"),
    (ExchangeFile, "json"),
    (Reading, "requests"),
    (Reading, "entries"),
    (FindingsFile, "bytes"),
    (FindingsFile, "count"),
    (PopulationFile, "count"),
    (ChangesPart, "closed_left_out"),
]


def refused(model: type[BaseModel], name: str, value: object) -> dict[str, str]:
    """Return what is said of the field ``name``; nothing if ``value`` is taken."""
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        found = {str(each["loc"][0]): each["msg"] for each in error.errors()}
        return {field: text for field, text in found.items() if field == name}
    return {}


@pytest.mark.parametrize(
    ("name", "model"), [(name, model) for name, models in FORMATS.items() for model in models]
)
@pytest.mark.parametrize("value", [True, 1.0, False, 0, 3, "1", None])
def test_a_version_is_the_number_itself(name: str, model: type[BaseModel], value: object) -> None:
    """Every format's version is a whole number, and nothing that Python takes for equal."""
    assert name in refused(model, name, value)
    assert refused(model, name, 1) == {}


@pytest.mark.parametrize(
    ("name", "model"), [(name, model) for name, models in FORMATS.items() for model in models]
)
def test_only_evidence_has_a_second_version(name: str, model: type[BaseModel]) -> None:
    """A version 2 is known of the manifest of evidence, and of nothing else."""
    assert (refused(model, name, 2) == {}) is (model is Manifest)
    assert (refused(model, name, 2.0) == {}) is False


@pytest.mark.parametrize(("model", "name"), COUNTS)
def test_a_count_is_no_truth(model: type[BaseModel], name: str) -> None:
    """A count is a number, and what is true or false is that: neither stands for the other."""
    wrong: object = 1 if name == "json" else True
    assert name in refused(model, name, wrong)
    assert name in refused(model, name, "1")
