"""The files of an audit as resources: each once, with its hash where that is the file's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.formats.oscal.back_matter import CitedFiles, resource_uuid, resources
from tests.reports.everything import record_of_everything
from tests.reports.oscal_reading import property_of
from tests.reports.recording import SOURCE, record

if TYPE_CHECKING:
    from pathlib import Path


def _by_href(found: list[Any]) -> dict[str, Any]:
    return {resource["rlinks"][0]["href"]: resource for resource in found}


def test_files_of_every_kind_are_resources(tmp_path: Path) -> None:
    """Record, sources, settings and cited files are there, with the hashes that the record has."""
    head = record_of_everything(tmp_path / "live", tmp_path).head
    given = {"path": "x.tf", "sha256": "1" * 64}
    head["settings"]["terraform_files"] = [given]
    (bundle,) = head["evidence"]
    cited = [f"{bundle['path']}/exchanges/0001.ndjson.gz", "acme.yaml", "other.yaml"]
    shown = _by_href(list(resources(head, cited)))
    inventory = f"file://{bundle['path']}/inventory.ndjson"
    exchange = f"file://{bundle['path']}/exchanges/0001.ndjson.gz"
    assert {href: "hashes" in resource["rlinks"][0] for href, resource in shown.items()} == {
        "audit.json": False,
        "findings.ndjson": True,
        "population.ndjson": True,
        inventory: True,
        exchange: False,
        "acme.yaml": True,
        "other.yaml": False,
        "waivers.yaml": True,
        "controls.yaml": True,
        "x.tf": True,
    }
    hashes = shown["findings.ndjson"]["rlinks"][0]["hashes"]
    assert hashes == [{"algorithm": "SHA-256", "value": head["findings"]["sha256"]}]
    assert property_of(shown[inventory], "bundle-root") == bundle["root"]
    assert property_of(shown[exchange], "bundle-root") == bundle["root"]
    assert property_of(shown["other.yaml"], "bundle-root") is None
    assert shown["acme.yaml"]["uuid"] == resource_uuid(head["report"], "acme.yaml")


def test_what_is_no_single_file_has_no_hash_of_one(tmp_path: Path) -> None:
    """The hash of Parquet is over several files: a property. A bundle may be unfinished."""
    parquet = SOURCE.model_copy(update={"path": "fleet", "format": "parquet"})
    unfinished = SOURCE.model_copy(update={"path": "ev/", "format": "bundle"})
    shown = _by_href(list(resources(record(tmp_path, sources=[parquet, unfinished]).head, [])))
    assert "hashes" not in shown["fleet"]["rlinks"][0]
    assert property_of(shown["fleet"], "sha256-of-content") == "0" * 64
    assert property_of(shown["ev/inventory.ndjson"], "bundle-root") is None


def test_cited_files_are_remembered_once(tmp_path: Path) -> None:
    """A file that many findings cite is one resource; an empty path is none."""
    head = record(tmp_path).head
    files = CitedFiles(head)
    href = f"#{resource_uuid(head['report'], 'a.yaml')}"
    assert [files.cite(path) for path in ("a.yaml", "", "a.yaml")] == [href, "", href]
    assert list(files) == ["a.yaml"]
