"""The files that are made for a package are made again: people read them, and no key signs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.packages import layout
from cmek_audit.packages.package_check import check_package
from cmek_audit.run.option_values import parse_options
from cmek_audit.signing.key_files import read_public_key
from tests.cmek_audit.helpers import command
from tests.cmek_audit.packages.zips import repacked
from tests.reports.live import recorded, report_on
from tests.reports.samples import AS_OF, COMPLIANT, run_rules, save_inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from cmek_audit.verification.checked import Checked
    from tests.cmek_audit.signing.signed import KeyPair

PACKAGE = Path("audit-package.zip")
BEFORE = "2026-11-20T12:00:00Z"
MADE = ("README.txt", "index.html", "index.csv", "work-paper.csv", "sources.json")


@pytest.fixture
def package(signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pack a signed report, and go to a folder with nothing but the package."""
    assert command("package", signed).exit_code == 0
    shutil.copy(PACKAGE, tmp_path)
    monkeypatch.chdir(tmp_path)
    return PACKAGE


def check(keys: KeyPair | None = None) -> Checked:
    return check_package(str(PACKAGE), read_public_key(str(keys.public), "--key") if keys else None)


def relist(change: Callable[[Any], object]) -> Callable[[dict[str, bytes]], None]:
    """Return what changes the list of sources, and writes it as the command does."""

    def changed(files: dict[str, bytes]) -> None:
        listed = json.loads(files[layout.LISTED])
        change(listed)
        files[layout.LISTED] = (json.dumps(listed, indent=1) + "\n").encode()

    return changed


@pytest.mark.parametrize("name", MADE[:4])
@pytest.mark.parametrize("content", [b"compliant", None], ids=["changed", "removed"])
def test_a_made_file_of_another_content_differs(
    package: Path, keys: KeyPair, name: str, content: bytes | None
) -> None:
    """Whoever changes what people read first is found, though hashes and signature are right."""
    repacked(package, lambda files: files.pop(name))
    if content is not None:
        repacked(package, lambda files: files.update({name: content}))
    why = "made again from the report: another content" if content else "missing: every package has"
    [problem] = check(keys).problems
    assert problem.startswith(f"audit-package.zip: {name}: differs ({why}")


def test_one_byte_more_counts(package: Path) -> None:
    """A file that only begins as it is made is another one."""
    repacked(package, lambda files: files.update({"README.txt": files["README.txt"] + b"\n"}))
    assert "README.txt: differs" in check().problems[0]


def test_files_of_another_version_are_not_proven(package: Path, keys: KeyPair) -> None:
    """Another version may write another index: then nothing is proven of it, either way."""
    repacked(package, relist(lambda listed: listed.update(packed_by="cmek-audit 0.0.1")))
    repacked(package, lambda files: files.update({"index.html": b"x"}))
    checked = check(keys)
    assert (checked.status, checked.problems) == ("not-proven", [])
    assert "packed by cmek-audit 0.0.1, here is cmek-audit" in "\n".join(checked.unproven)


@pytest.mark.parametrize("content", [None, b"{}", b"\xff"], ids=["missing", "other", "no-text"])
def test_without_the_list_of_sources_a_package_differs(
    package: Path, content: bytes | None
) -> None:
    """The list is part of every package."""
    repacked(package, lambda files: files.pop(layout.LISTED))
    if content is not None:
        repacked(package, lambda files: files.update({layout.LISTED: content}))
    expected = "sources.json: differs (missing, or not the list of sources of a package)"
    assert check().problems == [f"audit-package.zip: {expected}"]


LISTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "place": (
        lambda sources: sources[0].update(place="sources/waivers.json"),
        "inventory.json: differs (sources.json lists it at another place",
    ),
    "note": (
        lambda sources: sources[0].update(note="missing"),
        "inventory.json: differs (sources.json lists it at another place",
    ),
    "role": (
        lambda sources: sources[1].update(role="inventory"),
        "waivers.json: differs (sources.json lists it as inventory, and the record as waivers)",
    ),
    "fewer": (
        lambda sources: sources.pop(),
        "waivers.json: differs (the record names it as a source, and sources.json does not)",
    ),
    "more": (
        lambda sources: sources.append(
            {"path": "evil.json", "role": "inventory", "place": "sources/evil.json", "note": ""}
        ),
        "evil.json: differs (sources.json lists it as a source, and the record does not name it)",
    ),
    "twice": (
        lambda sources: sources.append(sources[0]),
        "inventory.json: differs (sources.json lists it twice)",
    ),
    "gone": (
        lambda sources: sources.append(
            {"path": "a", "role": "history", "place": "sources/a", "note": ""}
        ),
        "sources/a: differs (removed: sources.json lists it)",
    ),
}


@pytest.mark.parametrize(("change", "words"), LISTS.values(), ids=LISTS)
def test_the_list_must_fit_record_and_files(
    package: Path, keys: KeyPair, change: Callable[[Any], object], words: str
) -> None:
    """A list that shows other sources than the record is found."""
    repacked(package, relist(lambda listed: change(listed["sources"])))
    assert words in "\n".join(check(keys).problems)


@pytest.mark.parametrize(
    "name",
    [
        *("notes.txt", "sources/b.json", "other-sources/001-a/b"),
        *("report/.hidden.html", "report/previous/audit.html"),
    ],
)
def test_a_file_that_is_no_source_differs(package: Path, keys: KeyPair, name: str) -> None:
    """A file that somebody adds beside the report is named, wherever it is put."""
    repacked(package, lambda files: files.update({name: b"x"}))
    expected = f"{name}: differs (added: it is no part of the report, and no source)"
    assert check(keys).problems == [f"audit-package.zip: {expected}"]


# --- what is as it should be ----------------------------------------------------------------------


def statuses(checked: Checked) -> dict[str, str]:
    return {proof.name: proof.status for proof in checked.files if proof.name in MADE}


def test_bundles_of_a_chain_and_earlier_records_are_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What belongs to a named source is one: bundles of its chain, and the lines of a record."""
    monkeypatch.chdir(tmp_path)
    first, second = recorded(Path()), recorded(Path())
    report_on(Path(), second.bundle, history=(first.bundle,))
    assert command("package", "report").exit_code == 0
    assert statuses(check()) == dict.fromkeys(MADE, "proven")


def test_an_earlier_record_is_a_source_with_all_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The findings of a baseline are in the package beside its head."""
    monkeypatch.chdir(tmp_path)
    path = save_inventory(Path("inventory.json"), COMPLIANT)
    values: dict[str, Any] = {"inventory": (str(path),), "as_of": AS_OF}
    run_rules(parse_options(values | {"report_dir": "base", "as_of": BEFORE}))
    run_rules(parse_options(values | {"report_dir": "r", "baseline": "base/audit.json"}))
    assert command("package", "r").exit_code == 0
    checked = check()
    assert (checked.status, checked.problems) == ("proven", [])


def test_made_files_are_proven_no_further_than_the_record(package: Path, keys: KeyPair) -> None:
    """An index that renders a record which is not proven is not proven either."""
    repacked(package, lambda files: files.update({"sources/inventory.json": b"{}"}))
    assert statuses(check(keys)) == dict.fromkeys(MADE, "not-proven")


def test_of_a_damaged_record_nothing_is_made(package: Path, keys: KeyPair) -> None:
    """The proofs of the report say that its record cannot be used; no made file is proven."""
    repacked(package, lambda files: files.update({"report/findings.ndjson": b""}))
    checked = check(keys)
    assert (checked.status, statuses(checked)) == ("differs", {layout.LISTED: "not-proven"})


@pytest.mark.parametrize("path", ["\ud800", "\0", "a/../../b", "=1", "\u202e"])
def test_a_list_that_breaks_what_is_made_proves_nothing(
    package: Path, keys: KeyPair, path: str
) -> None:
    """Whatever paths a list has, a forged index beside it is not accepted."""
    source = {"path": path, "role": "history", "place": "", "note": "missing"}
    repacked(package, relist(lambda listed: listed["sources"].append(source)))
    repacked(package, lambda files: files.update({"index.html": b"compliant"}))
    checked = check(keys)
    assert checked.status in {"differs", "not-proven"}
    assert layout.LISTED in "\n".join([*checked.problems, *checked.unproven])
