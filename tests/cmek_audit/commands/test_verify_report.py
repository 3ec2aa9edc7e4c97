"""``verify`` of report folders."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmek_audit.verification.proof import BUNDLES
from tests.cmek_audit.helpers import command, listed, printed_json, problems, replace
from tests.reports.live import report_on
from tests.wiring.runs import ALL, Run, audit, compliant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cmek_audit.signing.signed import KeyPair


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Audit an inventory in which all is well, the record and its summary only."""
    return audit(tmp_path, compliant(), formats="markdown")


def test_a_report_is_proven_line_by_line(run: Run, tmp_path: Path) -> None:
    """Each part of a report stands on a line with its word and the reason; the last is for all."""
    head = run.head
    count, entries = head["findings"]["count"], head["population_file"]["count"]
    counts = ", ".join(f"{number} {status}" for status, number in head["counts"].items() if number)
    done = command("verify", run.folder)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{run.folder}: proven",
        "  audit.json: proven (judged again from its sources: equal)",
        f"  findings.ndjson: proven (judged again from its sources: the same {count} findings)",
        f"  population.ndjson: proven (read again from its sources: the same {entries} entries)",
        "  summary.md: proven (rendered again from the record: equal)",
        "  run: not proven (only the record says who ran the audit, when and how)",
        f"  {tmp_path}/inventory.yaml: proven (it has the recorded SHA-256)",
        f"  report: {head['report']}",
        f"  verdict: compliant, {counts}, as of 2026-11-21T02:00:00Z",
        "proven",
    ]


def test_a_report_reported_as_json(run: Run) -> None:
    """The JSON object has each part with name, status and reason, and whether it can be proven."""
    done = command("verify", run.folder, "--json")
    value = printed_json(done)
    (checked,) = value["checked"]
    assert (done.exit_code, value["status"], value["notes"]) == (0, "proven", [])
    assert (checked["path"], checked["status"]) == (str(run.folder), "proven")
    assert (checked["problems"], checked["unproven"]) == ([], [])
    assert [(file["name"], file["status"], file["is_provable"]) for file in checked["files"]] == [
        ("audit.json", "proven", True),
        ("findings.ndjson", "proven", True),
        ("population.ndjson", "proven", True),
        ("summary.md", "proven", True),
        ("run", "not-proven", False),
        (f"{run.folder.parent}/inventory.yaml", "proven", True),
    ]
    assert checked["files"][0]["reason"] == "judged again from its sources: equal"


def test_what_is_not_proven_ends_with_5(run: Run) -> None:
    """Without its sources a report is not proven, and every file says why."""
    (run.folder.parent / "inventory.yaml").unlink()
    done = command("verify", run.folder)
    assert (done.exit_code, problems(done)) == (5, [])
    assert done.stdout.splitlines()[-1] == "not proven"
    assert [line.split(" (")[0] for line in listed(done, "What is not proven:")] == [
        f"{run.folder}: {name}: not proven"
        for name in (
            "audit.json",
            "findings.ndjson",
            "population.ndjson",
            "summary.md",
            f"{run.folder.parent}/inventory.yaml",
        )
    ]


def test_what_differs_ends_with_1(run: Run) -> None:
    """A summary that was changed differs, and is named before the last word."""
    replace(run.folder / "summary.md", "Compliant", "compliant")
    done = command("verify", run.folder)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (1, "differs")
    assert problems(done) == [
        f"{run.folder}: summary.md: differs (not the summary that the record renders to)"
    ]


def test_a_damaged_record_differs(run: Run) -> None:
    """A record that cannot be read back differs, and nothing more is said of its report."""
    replace(run.folder / "findings.ndjson", '"status":"pass"', '"status":"fail"')
    done = command("verify", run.folder)
    (problem,) = problems(done)
    assert done.exit_code == 1
    assert problem.startswith(f"{run.folder}/findings.ndjson: changed since: ")


def _spoil(run: Run) -> None:
    (run.folder.parent / "inventory.yaml").unlink()


def _forge(run: Run) -> None:
    replace(run.folder / "summary.md", "Compliant", "compliant")


@pytest.mark.parametrize(
    ("changes", "code"),
    [((_spoil,), 5), ((_forge,), 1), ((_spoil, _forge), 1), ((), 0)],
    ids=["not-proven", "differs", "both", "neither"],
)
def test_the_worst_of_several_paths_decides(
    run: Run, bundle: Path, changes: tuple[Callable[[Run], None], ...], code: int
) -> None:
    """Of several paths one that differs decides, then one that is not proven."""
    for change in changes:
        change(run)
    done = command("verify", bundle, run.folder, bundle)
    assert (done.exit_code, done.stdout.count(f"{bundle}: proven")) == (code, 2)


def test_what_a_bundle_proves_is_said_once(bundle: Path, tmp_path: Path) -> None:
    """However many bundles there are, what a bundle proves, and what it does not, is said once."""
    folder = report_on(tmp_path, str(bundle)).folder
    for paths in ([bundle, bundle], [folder], [folder, bundle]):
        done = command("verify", *paths)
        assert done.stdout.count(BUNDLES) == 1
        assert printed_json(command("verify", *paths, "--json"))["notes"] == [BUNDLES]


def test_a_report_does_not_hide_evidence(bundle: Path) -> None:
    """A bundle into which a record was put is taken for a bundle, and has a file too many."""
    (bundle / "audit.json").write_text("{}")
    assert problems(command("verify", bundle)) == [
        f"{bundle}/audit.json: found a file, expected no file: it is not listed"
    ]


def test_hostile_names_do_no_harm(run: Run) -> None:
    """A file whose name could steer a terminal is named without what steers."""
    (run.folder / "\x1b[2J\u202e.html").write_text("Compliant")
    done = command("verify", run.folder)
    assert done.exit_code == 0
    assert "  ?[2J?.html: not proven (no part of this report: not looked at)" in done.stdout
    assert {"\x1b", "\u202e"} & {*done.stdout} == set()


def test_a_pipe_for_a_record_is_nothing_to_verify(tmp_path: Path) -> None:
    """A folder whose record is a pipe holds no report, and nothing is waited for."""
    os.mkfifo(tmp_path / "audit.json")
    assert command("verify", tmp_path).exit_code == 4


def test_a_whole_report_of_a_real_run(tmp_path: Path) -> None:
    """All that an audit writes is proven, or named as what nothing could prove."""
    run = audit(tmp_path, compliant(), formats=ALL)
    done = command("verify", run.folder, "--json")
    files = printed_json(done)["checked"][0]["files"]
    assert done.exit_code == 0
    assert {file["name"] for file in files} >= {
        name for name in run.left if not name.startswith(".")
    }
    assert [file["name"] for file in files if file["status"] != "proven"] == [
        "results.html",
        "junit.xml",
        "run",
    ]
    assert json.loads((run.folder / "audit.json").read_text())["run"]["formats"] == [
        "json",
        *ALL.split(","),
    ]


# --- signatures and packages ----------------------------------------------------------------------


def test_a_key_is_for_reports_and_packages_alone(signed: Path, bundle: Path, keys: KeyPair) -> None:
    """Evidence is not signed by this key, and nothing is proven by leaving the key out."""
    done = command("verify", bundle, "--key", keys.public)
    assert (done.exit_code, done.stdout) == (4, "")
    expected = "the folder of a report, or a package: nothing else is signed"
    assert done.stderr == f"--key: found {bundle} (evidence), expected {expected}\n"


def test_an_unchecked_signature_is_named_at_the_end(signed: Path) -> None:
    """Without a key the last words say that not all was checked."""
    done = command("verify", signed)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-3:] == [
        "What was not checked:",
        "  the signature of report: no public key is given (--key)",
        "proven, as far as it was checked",
    ]


def test_a_missing_signature_ends_with_1(signed: Path, keys: KeyPair) -> None:
    """Whoever removes a signature does not pass."""
    (signed / "audit.intoto.dsse.json").unlink()
    done = command("verify", signed, "--key", keys.public)
    found = "found no such file or directory, expected a signature by the key of --key"
    assert (done.exit_code, problems(done)) == (
        *(1, [f"report: audit.intoto.dsse.json: differs ({found})"]),
    )


def test_a_key_that_cannot_be_used_ends_with_4(signed: Path, keys: KeyPair) -> None:
    """A file that is no public key is refused before anything is verified."""
    done = command("verify", signed, "--key", keys.private)
    assert (done.exit_code, done.stdout) == (4, "")
    assert "expected an Ed25519 public key in PEM" in done.stderr


def test_without_the_extra_it_is_said_what_to_install(
    signed: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the libraries no signature is verified, and none is taken for good."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    done = command("verify", signed, "--key", keys.public)
    assert (done.exit_code, done.stdout) == (4, "")
    assert "pip install 'cmek-audit[sign]'" in done.stderr


def test_a_package_is_verified_as_it_is(signed: Path, keys: KeyPair) -> None:
    """A package is proven by itself, and a damaged one differs."""
    assert command("package", signed).exit_code == 0
    done = command("verify", "audit-package.zip", "--key", keys.public)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "proven")
    with Path("audit-package.zip").open("r+b") as file:
        file.seek(1_000)
        file.write(bytes(100))
    done = command("verify", "audit-package.zip", "--key", keys.public, "--json")
    value = printed_json(done)
    assert (done.exit_code, value["status"]) == (1, "differs")
    assert value["checked"][0]["problems"][0].startswith("audit-package.zip: ")
