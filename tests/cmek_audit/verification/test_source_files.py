"""The sources of a report: only what is there, regular and the same is proven."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.verification import source_files
from cmek_audit.verification.recorded_head import RecordedHead
from cmek_audit.verification.source_files import name_hosts, prove_sources
from cmek_audit.verification.verify_report import verify_report
from inventory.pruning import prune
from inventory.system.hosts import other_hosts
from reports.record.reader import checked
from tests.builders import document_data, organization_data, write_yaml
from tests.inventory.parquet.parquet_files import write_folder
from tests.inventory.past.nights import name_of, night_at, write_nights
from tests.reports.live import report_on
from tests.reports.samples import COMPLIANT, WAIVERS, Report, audit

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Audit a file with waivers."""
    return audit(tmp_path, COMPLIANT, WAIVERS)


def _proofs(report: Report, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Any:  # noqa: ANN401
    change(report.head)
    head = checked(report.folder, RecordedHead, report.head)
    return [
        (prove_source.name, prove_source.status, prove_source.reason)
        for prove_source in prove_sources(head)
    ]


def test_what_has_the_recorded_hash_is_proven(report: Report, tmp_path: Path) -> None:
    """The inventory and the waivers are proven by their hashes."""
    shown = ("proven", "it has the recorded SHA-256")
    names = ("inventory.json", "waivers.json")
    assert _proofs(report) == [(f"{tmp_path}/{name}", *shown) for name in names]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_text("{}"), "changed since: SHA-256 "),
        (lambda path: path.write_bytes(bytes(1_000_000)), "it has more than "),
        (os.mkfifo, "it cannot be read: no regular file"),
        (lambda path: path.mkdir(), "it cannot be read: no regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it cannot be read: no regular file"),
        (lambda _: None, "missing; verify where the audit was run"),
    ],
    ids=["changed", "larger", "pipe", "folder", "device", "gone"],
)
def test_whatever_else_stands_there_is_not_proven(
    report: Report, tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    """A source that is another, or none, is named with the reason, and nothing is waited for."""
    path = tmp_path / "inventory.json"
    path.unlink()
    make(path)
    [first, _] = _proofs(report)
    assert first[:2] == (str(path), "not-proven")
    assert first[2].startswith(reason)


@pytest.mark.parametrize(
    "path",
    ["/dev/zero", "/proc/self/mem", "a\0b", "\ud800", "", "/"],
    ids=["device", "memory", "nul", "half", "empty", "root"],
)
@pytest.mark.parametrize("format_", ["json", "bundle"])
def test_a_record_may_name_any_path(report: Report, path: str, format_: str) -> None:
    """Whatever path a record names for a source or for waivers, nothing is proven by it."""

    def hostile(head: dict[str, Any]) -> None:
        head["population"]["sources"][0].update(path=path, format=format_)
        head["settings"]["waiver_files"][0]["path"] = path

    assert {status for _, status, _ in _proofs(report, hostile)} == {"not-proven"}


def test_a_file_of_which_no_size_is_known_has_a_limit(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of waivers that is larger than any is not hashed to its end."""
    monkeypatch.setattr(source_files, "_MOST_BYTES", 10)
    assert _proofs(report)[1][1:] == (
        "not-proven",
        "it has more than 10 bytes, which is not what was audited",
    )


@pytest.mark.parametrize("role", ["inventory", "history"])
def test_a_bundle_that_is_none_is_not_there(report: Report, tmp_path: Path, role: str) -> None:
    """A folder that holds nothing of a bundle is none."""
    (tmp_path / "bundle").mkdir()
    shown = {"path": str(tmp_path / "bundle"), "format": "bundle", "role": role}
    found = _proofs(report, lambda head: head["population"]["sources"][0].update(shown))
    assert found[0][1:] == ("not-proven", source_files._GONE)


def test_a_bundle_with_a_pipe_for_its_manifest_differs(report: Report, tmp_path: Path) -> None:
    """A pipe in the place of a manifest is not read, as that may never end."""
    (tmp_path / "bundle").mkdir()
    os.mkfifo(tmp_path / "bundle/manifest.json")
    shown = {"path": str(tmp_path / "bundle"), "format": "bundle"}
    found = _proofs(report, lambda head: head["population"]["sources"][0].update(shown))
    assert found[0][1] == "differs"
    assert found[0][2].endswith("manifest.json: found no regular file, expected a file")


def test_a_bundle_that_cannot_be_read_is_not_proven(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle that the machine refuses to show is named with the reason."""
    from inventory.astra import replay  # noqa: PLC0415

    def refused(_: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(replay, "replay", refused)
    (tmp_path / "manifest.json").write_text("{}")
    shown = {"path": str(tmp_path), "format": "bundle"}
    found = _proofs(report, lambda head: head["population"]["sources"][0].update(shown))
    assert found[0][1:] == ("not-proven", "it cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("address", "is_theirs"),
    [
        ("https://api.astra.datastax.com", True),
        ("https://API.Astra.DataStax.com", True),
        ("http://api.astra.datastax.com", False),
        ("https://api.astra.datastax.com.evil.example", False),
        ("http://127.0.0.1:8080", False),
    ],
)
def test_another_host_is_named(address: str, is_theirs: bool) -> None:  # noqa: FBT001 (a parameter)
    """An address that is not the vendor's is named beside the one that is."""
    other = f"{address}, not the vendor's host https://api.astra.datastax.com"
    assert name_hosts(address) == (address if is_theirs else other)


def test_hosts_of_clouds_are_named_where_they_are_not_theirs() -> None:
    """Where only clouds were asked, that is said; a host in place of a cloud's own is named."""
    own = "https://vpce-0a1b.kms.us-east-2.vpce.amazonaws.com"
    assert name_hosts("", [own]) == "no host of Astra"
    assert name_hosts("", [own, "http://127.0.0.1:8080"]) == (
        "no host of Astra; http://127.0.0.1:8080, not the cloud's own host"
    )


@pytest.mark.parametrize(
    ("address", "is_named"),
    [
        ("https://api.astra.datastax.com", False),
        ("https://API.astra.datastax.com:443", False),
        ("http://127.0.0.1:8080", True),
    ],
)
def test_a_host_is_the_vendors_by_one_test(address: str, *, is_named: bool) -> None:
    """A host is named as another than the vendor's where the banners of reports name it, too."""
    assert (name_hosts(address) != address) is is_named is bool(other_hosts([address]))


def test_parquet_is_proven_by_its_head(tmp_path: Path) -> None:
    """A report on Parquet is proven; if one of the files is changed, it cannot be judged again."""
    folder = write_folder(tmp_path, shards=2)
    report = report_on(tmp_path, folder)
    assert _status_of_record(report.folder) == "proven"
    file = Path(folder) / "part-00001.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    assert _status_of_record(report.folder) == "not-proven"


def _status_of_record(folder: Path) -> str:
    proofs = {proof.name: proof.status for proof in verify_report(str(folder)).proofs}
    return proofs["audit.json"]


# --- many earlier bundles in a row ----------------------------------------------------------------


@pytest.fixture
def nights(tmp_path: Path) -> Path:
    """Return a folder with five nights, and the present in another."""
    write_nights(tmp_path / "ev", [{}] * 5)
    return tmp_path / "ev"


def _report(tmp_path: Path, nights: Path) -> Report:
    at = night_at(9).isoformat()
    document = document_data(organization_data(), captured_at=at)
    present = write_yaml(tmp_path / "now.yaml", document)
    return report_on(tmp_path, present, history=(str(nights),))


def test_bundles_in_a_row_are_proven(tmp_path: Path, nights: Path) -> None:
    """Earlier bundles in a row are found by the first and the last one, and judged again."""
    report = _report(tmp_path, nights)
    verified = verify_report(str(report.folder))
    (proof,) = [proof for proof in verified.proofs if " to " in proof.name]
    assert proof == (
        f"{nights / name_of(0)} to {nights / name_of(4)}",
        "proven",
        "5 records with the recorded roots",
        True,
    )
    assert [proof.status for proof in verified.proofs if proof.stops] == []


def _remove(nights: Path) -> None:
    shutil.rmtree(nights / name_of(2))


def _change(nights: Path) -> None:
    file = nights / name_of(2) / "inventory.ndjson"
    file.write_bytes(file.read_bytes() + b"\n")


def _prune(nights: Path) -> None:
    prune(nights, 2, "cmek-audit 0", lambda _: None)


@pytest.mark.parametrize("change", [_remove, _change, _prune])
def test_a_bundle_between_that_is_another(
    tmp_path: Path, nights: Path, change: Callable[[Path], None]
) -> None:
    """If any bundle of the row is missing or changed, the report is not proven."""
    report = _report(tmp_path, nights)
    change(nights)
    verified = verify_report(str(report.folder))
    (proof,) = [proof for proof in verified.proofs if " to " in proof.name]
    assert (proof.status, proof.reason[:26]) == ("not-proven", "not as they were recorded:")
    assert verified.proofs[0].status == "not-proven"


@pytest.mark.parametrize(
    "chain", [{"sha256": "0" * 64}, {"records": 4}, {"first": "a\0b"}, {"first": "elsewhere"}]
)
def test_a_forged_row(tmp_path: Path, nights: Path, chain: dict[str, object]) -> None:
    """A row that the record states otherwise is not proven."""
    report = _report(tmp_path, nights)
    found = _proofs(report, lambda head: head["population"]["sources"][-1]["chain"].update(chain))
    assert [status for name, status, _ in found if " to " in name] == ["not-proven"]


def test_a_summary_is_proven(tmp_path: Path, nights: Path) -> None:
    """A report that rests on a summary is judged again from it."""
    _prune(nights)
    verified = verify_report(str(_report(tmp_path, nights).folder))
    assert [proof.status for proof in verified.proofs if proof.stops] == []
    (summary,) = nights.glob("summary-*")
    assert (str(summary), "proven") in [proof[:2] for proof in verified.proofs]


# --- only what is in a folder ---------------------------------------------------------------------


def _outside(report: Report, below: Path) -> set[str]:
    head = checked(report.folder, RecordedHead, report.head)
    return {name for name, _, reason, _ in prove_sources(head, below) if "outside of" in reason}


def test_nothing_outside_of_a_folder_is_a_source(
    tmp_path: Path, nights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If sources must be in a folder, whatever else a record names is named and not opened."""
    monkeypatch.chdir(tmp_path)
    report = _report(Path(), Path("ev"))
    assert _outside(report, tmp_path) == set()
    for path in ("/etc/passwd", "../elsewhere", "a\0b"):
        report.head["population"]["sources"][0]["path"] = path
        report.head["settings"]["terraform_source"] = path
        assert _outside(report, tmp_path) == {path}
    report.head["population"]["sources"][0]["path"] = "now.yaml"
    report.head["settings"]["terraform_source"] = None
    report.head["population"]["sources"][-1]["chain"]["first"] = "../ev"
    assert _outside(report, tmp_path) == {"../ev"}
