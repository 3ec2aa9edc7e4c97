"""Inventories converted into NDJSON and Parquet, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from inventory.conversion import convert
from inventory.errors import InventoryError, SettingError
from inventory.model.organization import Organization
from inventory.opening import is_parquet, read_file
from tests.builders import (
    cloud_key_data,
    database_data,
    document_data,
    key_data,
    ndjson_lines,
    organization_data,
    write_json,
    write_ndjson,
    write_text,
)

EXAMPLES = Path(__file__).parents[2] / "inventory/examples"


def content(file: str) -> list[Any]:
    """Return all that an inventory states, without the time that a file states for all."""
    recorded = read_file(file)
    return [facts(organization) | {"captured_at": None} for organization in recorded.organizations]


def facts(organization: Organization) -> dict[str, Any]:
    """Return what an organization states; a missing list and an empty one with a gap are alike."""
    stated = organization.model_dump(mode="json")
    for name in ("keys", "databases"):
        stated[name] = stated[name] or []
    return stated | {"gaps": [gap.model_dump() for gap in organization.missing()]}


@pytest.mark.parametrize("name", ["acme", "acme-history", "clouds", "compliant"])
def test_there_and_back(tmp_path: Path, name: str) -> None:
    """An inventory in YAML says the same in NDJSON and Parquet; NDJSON comes back byte for byte."""
    source, stream = str(EXAMPLES / f"{name}.yaml"), tmp_path / "a.ndjson"
    counts = convert(source, str(stream))
    assert convert(str(stream), str(tmp_path / "parquet"), shards=2) == counts
    assert convert(str(tmp_path / "parquet"), str(tmp_path / "b.ndjson")) == counts
    assert stream.read_bytes() == (tmp_path / "b.ndjson").read_bytes()
    assert content(source) == content(str(stream)) == content(str(tmp_path / "parquet"))


HOSTILE = '"}],{"kind":"end"}\\\n\r\t\x7f é ü 漢 \N{PILE OF POO} *?[a]/../;--\''


def test_hostile_texts(tmp_path: Path) -> None:
    """Whatever a name or a note holds, it comes back as it was."""
    organization = organization_data(
        name=HOSTILE,
        plan={"paid": True, "by": HOSTILE, "on": "2026-11-01", "note": HOSTILE},
        databases=[
            database_data(name=HOSTILE, tier="serverless", status=HOSTILE),
            database_data(id="x", regions=[{"name": "r", "reason": HOSTILE, "added_at": None}]),
        ],
        keys=[key_data(), key_data(region="r", registered=None)],
    )
    source = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(organization))
    convert(source, str(tmp_path / "new"))
    convert(str(tmp_path / "new"), str(tmp_path / "b.ndjson"))
    expected = read_file(source).organizations
    assert read_file(str(tmp_path / "new")).organizations == expected
    assert read_file(str(tmp_path / "b.ndjson")).organizations == expected


def test_what_is_stated_stays_stated(tmp_path: Path) -> None:
    """A stated default is still stated, so that other files must not contradict it."""
    organization = organization_data(databases=[database_data(status="ACTIVE", data="ordinary")])
    source = write_json(tmp_path / "a.json", document_data(organization))
    convert(source, str(tmp_path / "new"))
    (read,) = read_file(str(tmp_path / "new")).organizations
    assert read.databases is not None
    assert {"status", "data"} < read.databases[0].stated()


def test_missing_lists_become_gaps(tmp_path: Path) -> None:
    """What was not recorded is a gap afterwards, never an empty list without one."""
    organization = organization_data()
    del organization["keys"], organization["databases"]
    source = write_json(tmp_path / "a.json", document_data(organization))
    convert(source, str(tmp_path / "a.ndjson"))
    (before,) = read_file(source).organizations
    (after,) = read_file(str(tmp_path / "a.ndjson")).organizations
    assert (after.gaps, after.databases) == (before.missing(), ())
    assert len(after.gaps) == 3


@pytest.mark.parametrize("field", ["region_views", "vendor_accounts", "cloud_keys"])
def test_empty_lists_without_a_trace_are_refused(tmp_path: Path, field: str) -> None:
    """An empty list that would come back as a missing one is an error; nothing is left behind."""
    source = write_json(tmp_path / "a.json", document_data(organization_data(**{field: []})))
    with pytest.raises(InventoryError, match=f"{field}: found an empty list"):
        convert(source, str(tmp_path / "a.ndjson"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_clouds_alone_stay_clouds_alone(tmp_path: Path) -> None:
    """A record of clouds alone is one in the other formats, too."""
    organization = {"id": "o", "name": "o", "cloud_keys": [cloud_key_data()]}
    lines = ndjson_lines(organization, clouds_only=True)
    source = write_ndjson(tmp_path / "a.ndjson", lines)
    convert(source, str(tmp_path / "new"))
    before, after = read_file(source).source, read_file(str(tmp_path / "new")).source
    assert (after.clouds_of, after.notes) == (before.clouds_of, before.notes)
    assert after.clouds_of == ("o",)


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    """What lacks its end cannot become whole by a conversion."""
    source = write_ndjson(tmp_path / "a.ndjson", ndjson_lines()[:-1])
    with pytest.raises(InventoryError, match="without its end record"):
        convert(source, str(tmp_path / "new"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.ndjson"]


def test_a_mistake_leaves_nothing_behind(tmp_path: Path) -> None:
    """If the inventory turns out to be wrong, no part of the output is there."""
    lines = ndjson_lines(organization_data(databases=[database_data(), database_data()]))
    source = write_ndjson(tmp_path / "a.ndjson", lines)
    for target in ("new", "b.ndjson"):
        with pytest.raises(InventoryError, match="a duplicate database"):
            convert(source, str(tmp_path / target))
    assert [path.name for path in tmp_path.iterdir()] == ["a.ndjson"]


@pytest.mark.parametrize("target", ["new", "new.ndjson"])
def test_nothing_is_overwritten(tmp_path: Path, target: str) -> None:
    """An existing file or folder is never written to."""
    source = write_ndjson(tmp_path / "a.ndjson", ndjson_lines())
    write_text(tmp_path / target, "mine")
    with pytest.raises(SettingError, match="exists already"):
        convert(source, str(tmp_path / target))
    assert (tmp_path / target).read_text() == "mine"


def test_other_endings_are_refused(tmp_path: Path) -> None:
    """The output is NDJSON by its ending, or a folder; there is no conversion into YAML."""
    source = write_ndjson(tmp_path / "a.ndjson", ndjson_lines())
    with pytest.raises(SettingError, match="found the ending"):
        convert(source, str(tmp_path / "a.yaml"))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A missing folder around the output is an error that names the output."""
    source = write_ndjson(tmp_path / "a.ndjson", ndjson_lines())
    with pytest.raises(SettingError, match="No such file or directory"):
        convert(source, str(tmp_path / "none" / "b.ndjson"))


def test_shards_hold_organizations_in_order(tmp_path: Path) -> None:
    """However many files there are, the organizations come back in their order."""
    organizations = [
        organization_data(
            id=f"o{at}", name=f"o{at}", keys=[], databases=[database_data()] * (at == 3)
        )
        for at in range(20)
    ]
    source = write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*organizations))
    for shards in (1, 4, 50):
        folder = tmp_path / f"in{shards}"
        convert(source, str(folder), shards)
        assert is_parquet(str(folder))
        assert len(list(folder.glob("*.parquet"))) == min(shards, 20)
        assert read_file(str(folder)).organizations == read_file(source).organizations


def test_parquet_without_duckdb_is_refused_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where DuckDB is missing, the message names the target and what to install."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    target = tmp_path / "out"
    with pytest.raises(SettingError) as caught:
        convert(str(EXAMPLES / "acme.yaml"), str(target))
    expected = "found no DuckDB to write Parquet, expected it: pip install 'cmek-audit[parquet]'"
    assert str(caught.value) == f"{target}: {expected}"
    assert list(tmp_path.iterdir()) == []
