"""A run of pytest that signs its report, and one that cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cmek_audit.signing.key_files import PASSPHRASE, make_key, read_public_key
from cmek_audit.verification.signature_proofs import prove_signature
from reports.record.layout import SIGNATURE
from tests.wiring.runs import HTML, XDIST, audit, compliant, prefill, violating

if TYPE_CHECKING:
    from pathlib import Path

NO_AUDIT = "NO AUDIT: the run did not finish, and no report was written."


@pytest.fixture
def key(tmp_path: Path) -> str:
    make_key(str(tmp_path / "key.pem"), "--new-key")
    return f"--cmek-sign-key={tmp_path / 'key.pem'}"


def statuses(tmp_path: Path) -> list[tuple[str, str]]:
    public = read_public_key(str(tmp_path / "key.pub.pem"), "--key")
    return [(proof.name, proof.status) for proof in prove_signature(tmp_path / "r", public)]


def test_what_pytest_writes_is_signed_too(tmp_path: Path, key: str) -> None:
    """The reports of pytest's plugins are among the files that are signed."""
    done = audit(tmp_path, violating(), key, formats="html,results,junit")
    assert done.code == 1
    assert {"junit.xml", "results.html", SIGNATURE} <= done.left
    assert statuses(tmp_path) == [(SIGNATURE, "proven")]


def test_workers_sign_nothing(tmp_path: Path, key: str) -> None:
    """With xdist only the main process signs."""
    done = audit(tmp_path, compliant(), key, "-n2", plugins=XDIST)
    assert done.code == 0
    assert statuses(tmp_path) == [(SIGNATURE, "proven")]


def test_a_key_that_cannot_be_used_ends_with_4(tmp_path: Path, key: str) -> None:
    """Without its passphrase no audit begins, and the one before is not taken for it."""
    prefill(tmp_path)
    done = audit(tmp_path, compliant(), key, environment={PASSPHRASE: "sham passphrase"})
    assert done.code == 4
    assert "--cmek-sign-key: found" in done.out
    assert PASSPHRASE in done.out
    assert "sham passphrase" not in done.out
    assert done.out.rstrip().endswith(NO_AUDIT)
    assert done.left == {"notes.txt", "previous"}


def test_what_only_looks_needs_no_key(tmp_path: Path) -> None:
    """A run that only lists the checks reads no key, and writes nothing."""
    done = audit(tmp_path, compliant(), "--cmek-sign-key=nowhere.pem", "--collect-only")
    assert (done.code, done.left) == (0, set())


def test_a_run_that_is_no_audit_is_not_signed(tmp_path: Path, key: str) -> None:
    """Where nothing was selected there is no report, and no signature."""
    done = audit(tmp_path, compliant(), key, "-knothing", formats="results", plugins=HTML)
    assert done.code == 5
    assert SIGNATURE not in done.left
