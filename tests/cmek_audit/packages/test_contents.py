"""What goes into a package: what was audited, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.packages.contents import Contents, gather
from cmek_audit.run.option_values import parse_options
from inventory.errors import RecordError
from reports.record.layout import canonical, report_id
from tests.builders import document_data, organization_data, write_yaml
from tests.cmek_audit.verification.verified import rewrite
from tests.inventory.parquet.parquet_files import write_folder
from tests.inventory.past.nights import name_of, night_at, write_nights
from tests.reports.live import recorded, report_on
from tests.reports.samples import AS_OF, COMPLIANT, audit, run_rules, save_inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.reports.live import Recorded


def places(contents: Contents) -> dict[str, str]:
    """Return for each source where it is, or why it is not there."""
    return {source.path: source.place or source.note for source in contents.sources}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path()


@pytest.fixture
def bundles(here: Path) -> list[Recorded]:
    return [recorded(here), recorded(here)]


def test_report_signature_and_sources_are_packed(signed: Path) -> None:
    """Every file of the report, its signature and its sources are packed, under their paths."""
    contents = gather(signed)
    assert places(contents) == {
        "inventory.json": "sources/inventory.json",
        "waivers.json": "sources/waivers.json",
    }
    assert set(contents.files) == {
        *(f"report/{entry.name}" for entry in signed.iterdir()),
        *("sources/inventory.json", "sources/waivers.json"),
    }
    assert (contents.is_signed, contents.missing, contents.others) == (True, (), ())


def test_what_is_beside_the_report_is_named_and_not_packed(signed: Path) -> None:
    """Nothing is handed over by mistake, such as notes or the audit before."""
    (signed / "notes.txt").write_text("x")
    (signed / "previous").mkdir()
    (signed / "previous" / "audit.json").write_text("{}")
    contents = gather(signed)
    assert contents.others == ("notes.txt",)
    assert not [name for name in contents.files if "notes" in name or "previous" in name]


def test_a_source_that_is_not_the_one_audited_is_not_packed(signed: Path) -> None:
    """What was changed or is missing is listed with the reason, and not packed."""
    Path("inventory.json").write_text("{}")
    Path("waivers.json").unlink()
    contents = gather(signed)
    notes = places(contents)
    assert notes["inventory.json"].startswith("changed since: SHA-256 ")
    assert notes["waivers.json"].startswith("missing")
    assert [name for name in contents.files if name.startswith("sources")] == []
    assert len(contents.missing) == 2


def test_a_changed_record_is_not_packed(signed: Path) -> None:
    """A report that is not as it was written is refused."""
    (signed / "population.ndjson").write_bytes(b"")
    with pytest.raises(RecordError, match="changed since"):
        gather(signed)


def test_a_source_outside_has_a_number(
    here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A source with an absolute path is packed under its number and the rest of its name."""
    elsewhere = tmp_path_factory.mktemp("else where")
    path = save_inventory(elsewhere / "an inventory; of-today.json", COMPLIANT)
    values: dict[str, Any] = {"inventory": (str(path),), "as_of": AS_OF, "report_dir": "r"}
    run_rules(parse_options(values))
    assert places(gather(Path("r"))) == {str(path): "other-sources/001-an-inventory-of-today.json"}


def test_bundles_are_packed_whole(here: Path, bundles: list[Recorded]) -> None:
    """Of an evidence bundle every file is packed, of the present and of the history."""
    first, second = bundles
    report_on(here, second.bundle, history=(first.bundle,))
    contents = gather(Path("report"))
    for bundle in (first.bundle, second.bundle):
        files = {file for file in Path(bundle).rglob("*") if file.is_file()}
        assert {f"sources/{file}" for file in files} <= set(contents.files)
        assert len(files) >= 4
    assert places(contents) == {made.bundle: f"sources/{made.bundle}" for made in bundles}


def test_a_bundle_that_is_not_the_one_audited_is_not_packed(
    here: Path, bundles: list[Recorded]
) -> None:
    """A bundle that was changed, exchanged or removed is listed with the reason."""
    first, second = bundles
    report_on(here, second.bundle)
    manifest = Path(second.bundle, "manifest.json")
    shutil.copytree(second.bundle, "kept")
    Path(second.bundle, "organizations.json").write_text("{}")
    assert "changed content" in places(gather(Path("report")))[second.bundle]
    shutil.rmtree(second.bundle)
    shutil.copytree(first.bundle, second.bundle)
    expected = "another bundle than the one that was audited"
    assert places(gather(Path("report"))) == {second.bundle: expected}
    manifest.unlink()
    assert places(gather(Path("report"))) == {second.bundle: "missing"}


def test_a_long_chain_is_packed_with_what_is_between(here: Path) -> None:
    """Of many nights in a row the record lists two, and all are packed, unless one is missing."""
    write_nights(Path("ev"), [{}] * 5)
    document = document_data(organization_data(), captured_at=night_at(9).isoformat())
    report = report_on(here, write_yaml(Path("now.yaml"), document), history=("ev",))
    assert len(report.head["population"]["sources"]) == 3
    contents = gather(Path("report"))
    nights = [f"ev/{name_of(number)}" for number in range(5)]
    assert places(contents) == {path: f"sources/{path}" for path in ("now.yaml", *nights)}
    assert f"sources/{nights[2]}/manifest.json" in contents.files
    shutil.rmtree(nights[2])
    assert [source.path for source in gather(Path("report")).missing] == [nights[4]]


def test_an_earlier_report_is_packed_with_its_lines(here: Path) -> None:
    """A baseline is of use only with the lines beside its head, if they are those of that head."""
    earlier = audit(here, COMPLIANT)
    earlier.folder.rename("earlier")
    path = save_inventory(Path("inventory.json"), COMPLIANT)
    values: dict[str, Any] = {"inventory": (str(path),), "report_dir": "report"}
    values |= {"as_of": "2026-11-21T06:00:00Z", "baseline": "earlier/audit.json"}
    run_rules(parse_options(values))
    names = {f"earlier/{name}" for name in ("audit.json", "findings.ndjson", "population.ndjson")}
    assert names <= set(places(gather(Path("report"))))
    lines = [f"earlier/{name}" for name in ("findings.ndjson", "population.ndjson")]
    with Path(lines[0]).open("ab") as file:
        file.write(b"{}\n")
    contents = gather(Path("report"))
    assert not [name for name in contents.files if name.endswith(tuple(lines))]
    assert [source.path for source in contents.missing] == lines
    Path(lines[0]).unlink()
    assert "No such file" in places(gather(Path("report")))[lines[0]]
    Path("earlier/audit.json").write_text("{}")
    assert [source.path for source in gather(Path("report")).missing][1:] == lines


def test_a_bundle_without_a_root_is_known_by_its_inventory(
    here: Path, bundles: list[Recorded]
) -> None:
    """A record that names no root of a bundle does not have any bundle at that path packed."""
    first, second = bundles
    report = report_on(here, second.bundle)
    rewrite(report, lambda head: head["population"]["sources"][0].update(evidence=None))
    assert places(gather(Path("report"))) == {second.bundle: f"sources/{second.bundle}"}
    shutil.rmtree(second.bundle)
    shutil.copytree(first.bundle, second.bundle)
    assert gather(Path("report")).missing


def test_nothing_but_files_is_packed(here: Path, bundles: list[Recorded]) -> None:
    """A pipe or a link in a folder of sources is neither followed nor waited for."""
    present = bundles[-1].bundle
    report_on(here, present)
    os.mkfifo(Path(present, "pipe"))
    Path(present, "link").symlink_to("/etc/hosts")
    contents = gather(Path("report"))
    assert not [name for name in contents.files if name.endswith(("pipe", "link"))]
    assert contents.missing


def test_parquet_is_packed_whole_or_not_at_all(here: Path) -> None:
    """Of a folder of Parquet all files are packed; if one of them was changed, none is."""
    folder = write_folder(here, shards=2)
    report_on(here, folder)
    contents = gather(Path("report"))
    assert len([name for name in contents.files if name.startswith(f"sources/{folder}/")]) == 3
    os.mkfifo(Path(folder, "pipe"))
    assert gather(Path("report")).files == contents.files
    Path(folder, "pipe").unlink()
    file = Path(folder, "part-00001.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    [missing] = gather(Path("report")).missing
    assert "part-00001.parquet" in missing.note


def _rewrite(report: Path, change: Callable[[Any], object]) -> None:
    """Change the head of a record, and make its hash right again."""
    head = json.loads((report / "audit.json").read_bytes())
    change(head)
    head["report"] = report_id(head)
    (report / "audit.json").write_text(canonical(head))


def test_what_was_judged_by_is_packed(signed: Path) -> None:
    """Control ids and files of a Terraform configuration are packed like waivers."""
    files = {"controls.yaml": b"a", "main.tf": b"b"}
    named = {}
    for name, content in files.items():
        Path(name).write_bytes(content)
        named[name] = {"path": name, "sha256": hashlib.sha256(content).hexdigest()}

    def judged_by(head: Any) -> None:  # noqa: ANN401 (whatever JSON holds)
        head["settings"]["controls_file"] = named["controls.yaml"]
        head["settings"]["terraform_files"] = [named["main.tf"]]

    _rewrite(signed, judged_by)
    assert places(gather(signed)) == {
        name: f"sources/{name}" for name in ("inventory.json", "waivers.json", *files)
    }


@pytest.mark.parametrize("path", ["a\0b", "x" * 5_000, "/proc/self/mem", "../../etc/passwd"])
@pytest.mark.parametrize("kind", ["json", "bundle"])
def test_a_record_may_name_any_path(signed: Path, path: str, kind: str) -> None:
    """Whatever path a record names, what is there is not packed for what was audited."""
    _rewrite(signed, lambda head: head["population"]["sources"][0].update(path=path, format=kind))
    contents = gather(signed)
    assert [source.path for source in contents.missing] == [path]
    assert len([name for name in contents.files if not name.startswith("report/")]) == 1
