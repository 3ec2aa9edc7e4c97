"""``verify`` of bundles, and how it ends."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from cmek_audit.commands import verify
from cmek_audit.verification.proof import BUNDLES
from inventory.errors import EvidenceError, Problem
from inventory.evidence.manifest import read_manifest
from tests import evidence_files
from tests.cmek_audit.helpers import (
    FIRST,
    bundles,
    command,
    printed_json,
    problems,
    replace,
    reseal,
)
from tests.evidence_files import change_lines, lines_of, write_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# --- one bundle -----------------------------------------------------------------------------------


def test_a_whole_bundle(bundle: Path) -> None:
    """A bundle that is as it was made is proven, and what was checked is reported line by line."""
    manifest = read_manifest(str(bundle))
    done = command("verify", bundle)
    lines = len((bundle / "inventory.ndjson").read_text().splitlines()) - 2
    same = f"2 organizations: the same {lines} lines of inventory"
    assert (done.exit_code, done.stderr) == (0, "")
    assert [
        re.sub(r"[0-9-]{10}T[0-9:]{8}Z", "TIME", line) for line in done.stdout.splitlines()
    ] == [
        f"{bundle}: proven",
        f"  files: {len(manifest.files)}, with the hashes that the manifest lists, and no other",
        f"  replayed: {manifest.requests} requests of {same}",
        f"  recorded: TIME to TIME by {manifest.tool}",
        f"  asked: {manifest.address}, not the vendor's host https://api.astra.datastax.com",
        f"  root: {manifest.root}",
        "  bundle before: none",
        BUNDLES,
        "proven",
    ]


def test_a_whole_bundle_reported_as_json(bundle: Path) -> None:
    """The JSON object says of each path how far it is proven, what was checked, what differs."""
    done = command("verify", bundle, "--json")
    value = printed_json(done)
    assert done.exit_code == 0
    (checked,) = value["checked"]
    assert (value["status"], value["notes"]) == ("proven", [BUNDLES])
    assert {name: each for name, each in checked.items() if name != "lines"} == {
        "path": str(bundle),
        "status": "proven",
        "problems": [],
        "unproven": [],
        "files": [],
        "unchecked": [],
    }
    assert value["complete"] is True
    assert f"root: {read_manifest(str(bundle)).root}" in checked["lines"]


def test_the_bundle_before_is_reported(chain: Path) -> None:
    """A bundle that is not the first says which one it names, and by which root."""
    first, second, _ = bundles(chain)
    root = read_manifest(str(first)).root
    done = command("verify", second)
    assert done.exit_code == 0
    assert f"  bundle before: '{first.name}' with the root {root}" in done.stdout.splitlines()


def _change(bundle: Path) -> str:
    change_lines(
        bundle / evidence_files.FIRST, lambda line: line.replace(b'"status":200', b'"status":201')
    )
    return "exchanges/0001.ndjson.gz: found changed content, expected the SHA-256 "


def _remove(bundle: Path) -> str:
    (bundle / evidence_files.FIRST).unlink()
    return "exchanges/0001.ndjson.gz: found nothing, expected the file that the manifest lists"


def _add(bundle: Path) -> str:
    (bundle / "notes.txt").write_text("harmless")
    return "notes.txt: found a file, expected no file: it is not listed"


def _link(bundle: Path) -> str:
    file = bundle / "inventory.ndjson"
    shutil.copy(file, bundle.parent / "elsewhere")
    file.unlink()
    file.symlink_to(bundle.parent / "elsewhere")
    return "inventory.ndjson: found a link, expected a file"


def _cut(bundle: Path) -> str:
    file = bundle / "manifest.json"
    file.write_text(file.read_text()[:-9])
    return "manifest.json: found no JSON, expected an unchanged manifest"


def _rewrite(bundle: Path) -> str:
    replace(bundle / "manifest.json", '"requests": ', '"requests": 9')
    found = "a root that does not match its content"
    return f"manifest.json: found {found}, expected an unchanged manifest"


def _lose(bundle: Path) -> str:
    (bundle / "manifest.json").unlink()
    return "manifest.json: found No such file or directory, expected a readable manifest"


@pytest.mark.parametrize("damage", [_change, _remove, _add, _link, _cut, _rewrite, _lose])
def test_damage_is_found(damage: Callable[[Path], str], bundle: Path) -> None:
    """Whatever is changed in a bundle ends with 1, and is named."""
    message = damage(bundle)
    done = command("verify", bundle)
    (problem,) = problems(done)
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout.splitlines()[0] == f"{bundle}: differs"
    assert problem.startswith(f"{bundle}/{message}")


def _forge_inventory(bundle: Path) -> None:
    replace(bundle / "inventory.ndjson", f'"name":"{FIRST.name}"', '"name":"acme-other"')


def _forge_answer(bundle: Path) -> None:
    first, second, _, *others = lines_of(bundle / evidence_files.FIRST)
    write_lines(bundle / evidence_files.FIRST, [first, second, second, *others])


@pytest.mark.parametrize("forge", [_forge_inventory, _forge_answer])
def test_forged_evidence_is_found(forge: Callable[[Path], None], bundle: Path) -> None:
    """Evidence whose hashes were made to agree is found out by what its answers tell."""
    forge(bundle)
    reseal(bundle)
    done = command("verify", bundle, "--json")
    value = printed_json(done)
    (checked,) = value["checked"]
    assert (done.exit_code, value["status"], checked["status"]) == (1, "differs", "differs")
    (problem,) = checked["problems"]
    assert problem.startswith(str(bundle))


def test_many_differences_are_counted(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many differences the first fifty are reported, and the others counted."""
    found = [Problem(f"{bundle}/{number}", 0, "", "this", "that") for number in range(60)]

    def damaged(_: str) -> None:
        raise EvidenceError(found)

    monkeypatch.setattr(verify, "replay", damaged)
    wanted = [str(each) for each in found[:50]] + [f"{bundle}: 10 more"]
    assert problems(command("verify", bundle)) == wanted


def test_what_cannot_be_read_is_not_proven(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the system refuses to show is not proven, with the system's word for it."""

    def refused(_: str) -> None:
        raise PermissionError(13, "Permission denied", f"{bundle}/inventory.ndjson")

    monkeypatch.setattr(verify, "replay", refused)
    done = command("verify", bundle)
    assert (done.exit_code, problems(done)) == (5, [])
    assert done.stdout.splitlines() == [
        f"{bundle}: not proven",
        "What is not proven:",
        f"  {bundle}/inventory.ndjson: Permission denied",
        "not proven",
    ]


def test_verifying_asks_nobody(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay opens no connection."""

    def connect(*_: object, **__: object) -> None:
        pytest.fail("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", connect)
    monkeypatch.setattr("httpx.AsyncHTTPTransport.handle_async_request", connect)
    assert command("verify", bundle).exit_code == 0


# --- arguments ------------------------------------------------------------------------------------


def test_several_paths_are_verified_in_order(chain: Path) -> None:
    """Several paths are verified as they are given, and one that differs spoils the whole."""
    first, second, third = bundles(chain)
    _change(second)
    done = command("verify", third, second, first, "--json")
    assert done.exit_code == 1
    assert [(each["path"], each["status"]) for each in printed_json(done)["checked"]] == [
        (str(third), "proven"),
        (str(second), "differs"),
        (str(first), "proven"),
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [("file", "a file"), ("folder", "a folder of something else"), ("none", "nothing")],
)
def test_paths_that_hold_nothing_to_verify(name: str, found: str, tmp_path: Path) -> None:
    """A path without evidence or report ends with 4: nothing of it can be verified."""
    (tmp_path / "file").write_text("{}")
    (tmp_path / "folder").mkdir()
    done = command("verify", tmp_path / name)
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr == (
        f"{tmp_path / name}: found {found}, expected the folder of an evidence bundle, of "
        "several, or of a report, or a package\n"
    )


def test_unusable_paths_are_found_before_anything_is_verified(bundle: Path) -> None:
    """One unusable path stops the whole before its beginning."""
    done = command("verify", bundle, "nowhere")
    assert (done.exit_code, done.stdout) == (4, "")


def test_an_interruption_verifies_nothing(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who interrupts is told that nothing is proven."""

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "replay", interrupted)
    done = command("verify", bundle)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "Interrupted: nothing is proven.\n"


def test_a_quiet_proof_prints_nothing(bundle: Path) -> None:
    """What is proven in full prints nothing; what differs is listed, with the exit code."""
    done = command("verify", bundle, "-q")
    assert (done.exit_code, done.output) == (0, "")
    (bundle / "inventory.ndjson").write_text("{}\n")
    done = command("verify", bundle, "-q")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == "What differs:"
