"""A package checked: the same proofs as of its report, and nothing but what is in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.packages.package_check import check_package
from cmek_audit.run.option_values import parse_options
from cmek_audit.signing.key_files import read_public_key
from cmek_audit.verification.report_check import check_report
from reports.record.layout import SIGNATURE
from tests.cmek_audit.helpers import command
from tests.cmek_audit.packages.zips import plain_zip, repacked, summed
from tests.cmek_audit.signing.signed import sign
from tests.reports.live import recorded, report_on
from tests.reports.samples import AS_OF, COMPLIANT, run_rules, save_inventory

if TYPE_CHECKING:
    from cmek_audit.verification.checked import Checked
    from tests.cmek_audit.packages.zips import Change
    from tests.cmek_audit.signing.signed import KeyPair

PACKAGE = Path("audit-package.zip")


@pytest.fixture
def package(signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pack a signed report, and go to an empty folder with nothing but the package."""
    assert command("package", signed).exit_code == 0
    auditor = tmp_path / "auditor"
    auditor.mkdir()
    shutil.copy(PACKAGE, auditor)
    shutil.rmtree(tmp_path / "w")
    monkeypatch.chdir(auditor)
    return PACKAGE


def check(package: Path, keys: KeyPair | None = None) -> Checked:
    return check_package(str(package), read_public_key(str(keys.public), "--key") if keys else None)


# --- the same proofs ------------------------------------------------------------------------------


def test_a_package_has_the_proofs_of_its_report(
    signed: Path, keys: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was proven where the audit was run is proven of the package, in the same words."""
    at_home = check_report(str(signed), read_public_key(str(keys.public), "--key"))
    assert command("package", signed).exit_code == 0
    monkeypatch.chdir(tmp_path)
    checked = check_package("w/audit-package.zip", read_public_key(str(keys.public), "--key"))
    of_report = len(at_home.files)
    assert checked.files[:of_report] == at_home.files
    assert [proof.status for proof in checked.files[of_report:]] == ["proven"] * 5
    assert checked.lines[1:] == at_home.lines
    assert checked.status == at_home.status
    assert Path.cwd() == tmp_path


def test_bundles_are_replayed_from_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live audit is judged again from the evidence in the package, without a network."""
    monkeypatch.chdir(tmp_path)
    first, second = recorded(Path()), recorded(Path())
    report_on(Path(), second.bundle, history=(first.bundle,))
    assert command("package", "report").exit_code == 0
    shutil.rmtree("ev")
    checked = check(PACKAGE)
    assert checked.problems == []
    statuses = {proof.name: proof.status for proof in checked.files}
    assert statuses["audit.json"] == statuses[second.bundle] == "proven"
    assert checked.note


def test_an_unchecked_signature_is_named_of_the_package(package: Path) -> None:
    """Without a key the signature of a package is listed as unchecked, by its own name."""
    expected = "the signature of audit-package.zip: no public key is given (--key)"
    assert check(package).unchecked == (expected,)


# --- what is found --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda files: files.update({"report/summary.md": b"compliant"}),
            "summary.md: differs (changed since it was signed",
        ),
        (lambda files: files.pop("report/summary.md"), "summary.md: differs (removed"),
        (
            lambda files: files.update({"report/notes.txt": b"x"}),
            "notes.txt: differs (added: the signature is not of it)",
        ),
        (
            lambda files: files.pop(f"report/{SIGNATURE}"),
            f"{SIGNATURE}: differs (found no such file or directory",
        ),
        (lambda files: files.pop("report/audit.json"), "found no report/audit.json"),
        (
            lambda files: files.update({"report/findings.ndjson": b""}),
            "findings.ndjson: changed since: SHA-256",
        ),
    ],
    ids=["changed", "removed", "added", "unsigned", "no-record", "findings"],
)
def test_who_packs_again_is_found_by_the_signature(
    package: Path, keys: KeyPair, change: Change, words: str
) -> None:
    """Hashes that were made right again help nobody: the signature is of the files before."""
    repacked(package, change)
    checked = check(package, keys)
    assert checked.status == "differs"
    assert words in "\n".join(checked.problems)
    assert all(line.startswith("audit-package.zip") for line in checked.problems)


def test_a_source_of_another_content_is_not_proven(package: Path, keys: KeyPair) -> None:
    """A source that was exchanged in the package proves nothing of the report."""
    repacked(package, lambda files: files.update({"sources/inventory.json": b"{}"}))
    checked = check(package, keys)
    assert checked.status == "not-proven"
    assert "inventory.json: not proven (changed since" in "\n".join(checked.unproven)


def test_a_change_without_new_hashes_is_found_at_once(package: Path) -> None:
    """Without the right hashes nothing in a package is even read."""
    repacked(package, lambda files: files.update({"index.html": b"x"}), seal=False)
    [problem] = check(package).problems
    assert problem.startswith("audit-package.zip: index.html: changed since it was packed")


@pytest.mark.parametrize("seed", range(3))
def test_any_byte_of_any_file_in_a_package_counts(package: Path, keys: KeyPair, seed: int) -> None:
    """Whichever bit of a file of the report is changed, the package is not accepted."""
    random = Random(seed)
    whole = package.read_bytes()

    def flip(files: dict[str, bytes]) -> None:
        name = random.choice([name for name in files if name.startswith("report/")])
        place = random.randrange(len(files[name]))
        flipped = bytes([files[name][place] ^ (1 << random.randrange(8))])
        files[name] = files[name][:place] + flipped + files[name][place + 1 :]

    repacked(package, flip)
    assert check(package, keys).status == "differs"
    package.write_bytes(whole)


def test_a_harmful_package_is_refused(tmp_path: Path) -> None:
    """A package that would write outside of its folder differs, and nothing is written."""
    path = plain_zip(tmp_path / "p.zip", summed({"../evil": b"x"}))
    checked = check_package(path)
    assert checked.status == "differs"
    assert checked.problems == [
        f"{path}: found '../evil' (a name that could lead out of the folder), expected a file"
    ]


# --- nothing but what is in it --------------------------------------------------------------------


def test_a_source_outside_of_the_package_is_not_read(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that names a file of this machine is not judged from that file."""
    monkeypatch.chdir(tmp_path)
    path = save_inventory(tmp_path_factory.mktemp("elsewhere") / "inventory.json", COMPLIANT)
    values: dict[str, Any] = {"inventory": (str(path),), "as_of": AS_OF, "report_dir": "r"}
    run_rules(parse_options(values))
    assert command("package", "r").exit_code == 0
    checked = check(PACKAGE)
    assert (checked.status, checked.problems) == ("not-proven", [])
    assert f"{path}: not proven (the record names it by a path outside" in "\n".join(
        checked.unproven
    )


def test_the_bundled_example_is_not_proven_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example is part of the suite, and no source in a package is judged in its place."""
    monkeypatch.chdir(Path(__file__).parents[3])
    run_rules(parse_options({"report_dir": str(tmp_path / "r")}))
    done = command("package", tmp_path / "r", "--output", tmp_path / "p.zip")
    assert done.exit_code == 0
    checked = check_package(str(tmp_path / "p.zip"))
    assert (checked.status, checked.problems) == ("not-proven", [])
    assert "it is of the bundled example" in "\n".join(checked.unproven)


def test_a_package_without_sources_is_not_proven(signed: Path, keys: KeyPair) -> None:
    """Where every source is missing, the signature holds and nothing is judged again."""
    Path("inventory.json").unlink()
    Path("waivers.json").unlink()
    sign(signed, keys)
    assert command("package", signed).exit_code == 1
    checked = check(PACKAGE, keys)
    assert (checked.status, checked.problems) == ("not-proven", [])
    assert next(proof for proof in checked.files if proof.name == SIGNATURE).status == "proven"
