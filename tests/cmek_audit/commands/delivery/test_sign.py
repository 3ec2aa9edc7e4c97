"""``sign``: signs a report, makes a key, or prints what would be signed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cmek_audit.signing.key_files import PASSPHRASE
from inventory.system.folder_lock import FolderLock
from reports.record.layout import SIGNATURE
from tests.cmek_audit.helpers import command, printed_json
from tests.cmek_audit.signing.signed import payload_of

if TYPE_CHECKING:
    import pytest
    from click.testing import Result

    from tests.cmek_audit.signing.signed import KeyPair


def refusal(done: Result) -> str:
    assert (done.exit_code, done.stdout) == (4, "")
    return done.stderr.strip()


# --- signing --------------------------------------------------------------------------------------


def test_a_report_is_signed_and_verified(signed: Path, keys: KeyPair) -> None:
    """What is signed is said in words, and verify proves it by the public key."""
    (signed / SIGNATURE).unlink()
    done = command("sign", signed, "--key", keys.private)
    assert (done.exit_code, done.stderr) == (0, "")
    first, *others = done.stdout.splitlines()
    assert first.startswith("Signed: 6 files and the hashes of 3 sources, by the key ")
    assert others == ["Result: FAILED", f"Written: report/{SIGNATURE}"]
    assert command("verify", signed, "--key", keys.public).exit_code == 0


def test_what_was_signed_as_json(signed: Path, keys: KeyPair) -> None:
    """The JSON object names the signature, the key, the result and the files."""
    done = command("sign", signed / "audit.json", "--key", keys.private, "--replace", "--json")
    value = printed_json(done)
    assert (done.exit_code, value["signature"], value["result"], value["sources"]) == (
        *(0, f"report/{SIGNATURE}"),
        *("FAILED", 3),
    )
    assert value["files"] == [subject["name"] for subject in payload_of(signed)["subject"]]
    assert len(value["key_id"]) == 64


def test_a_signature_stays_unless_it_is_to_be_replaced(signed: Path, keys: KeyPair) -> None:
    """A report that is signed already is not signed again by mistake."""
    before = (signed / SIGNATURE).read_bytes()
    found = f"found report/{SIGNATURE} (a signature), expected none, or --replace"
    assert refusal(command("sign", signed, "--key", keys.private)) == f"REPORT: {found}"
    assert (signed / SIGNATURE).read_bytes() == before
    assert command("sign", signed, "--key", keys.private, "--replace").exit_code == 0


def test_the_statement_is_printed_for_other_tools(
    signed: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would be signed is printed without a key, and without the libraries that sign."""
    monkeypatch.setitem(sys.modules, "securesystemslib", None)
    done = command("sign", signed, "--statement")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == payload_of(signed)


def test_no_two_runs_write_into_a_report(signed: Path, keys: KeyPair) -> None:
    """A report into which an audit is being written is not signed."""
    with FolderLock(signed, "x"):
        done = command("sign", signed, "--key", keys.private, "--replace")
    assert "which another run is writing to" in refusal(done)


def test_what_cannot_be_signed(signed: Path, keys: KeyPair, tmp_path: Path) -> None:
    """No report, a changed one, and one with something beside it are refused in words."""
    for path, words in (
        (tmp_path / "nowhere", "found no report folder, expected one"),
        (tmp_path, "expected a record"),
        ("inventory.json", "found no report folder, expected one"),
    ):
        assert words in refusal(command("sign", path, "--key", keys.private))
    (signed / "notes.txt").write_text("x")
    done = command("sign", signed, "--key", keys.private, "--replace")
    assert "expected only what an audit writes: move it elsewhere" in refusal(done)


# --- keys -----------------------------------------------------------------------------------------


def test_a_new_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key is made beside its public key, and which is which is said."""
    monkeypatch.chdir(tmp_path)
    done = command("sign", "--new-key", "k.pem", "--json")
    expected = {"private_key": "k.pem", "public_key": "k.pub.pem"}
    assert (done.exit_code, printed_json(done)) == (0, expected)
    assert "it exists" in refusal(command("sign", "--new-key", "k.pem"))
    done = command("sign", "--new-key", "two.pem")
    assert done.stdout.splitlines() == [
        "Private key: two.pem (keep it secret)",
        "Public key: two.pub.pem (give it to whoever verifies)",
    ]


def test_exactly_one_thing_is_done(signed: Path, keys: KeyPair) -> None:
    """Neither nothing nor two things are asked for at once."""
    expected = "expected --key, --new-key or --statement"
    assert refusal(command("sign", signed)) == f"--key: found nothing, {expected}"
    done = command("sign", signed, "--key", keys.private, "--new-key", "k.pem", "--statement")
    assert refusal(done) == f"--key: found --key and --new-key and --statement, {expected}"
    assert not Path("k.pem").exists()


def test_keys_that_cannot_be_used(
    signed: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in the report, and one that is none, are refused before anything is written."""
    before = (signed / SIGNATURE).read_bytes()
    Path("report/k.pem").write_bytes(keys.private.read_bytes())
    done = command("sign", signed, "--key", "report/k.pem", "--replace")
    assert "in the report folder, expected a key that is kept elsewhere" in refusal(done)
    Path("report/k.pem").unlink()
    done = command("sign", signed, "--key", "inventory.json", "--replace")
    assert "a file with the permissions 0644, expected 0600" in refusal(done)
    sham = "a sham passphrase"
    done = command(
        "sign", signed, "--key", keys.private, "--replace", environment={PASSPHRASE: sham}
    )
    assert (PASSPHRASE in refusal(done), sham in done.output) == (True, False)
    monkeypatch.setitem(sys.modules, "securesystemslib", None)
    done = command("sign", signed, "--key", keys.private, "--replace")
    expected = "--key: found no library that signs, expected it: pip install 'cmek-audit[sign]'"
    assert refusal(done) == expected
    assert (signed / SIGNATURE).read_bytes() == before
