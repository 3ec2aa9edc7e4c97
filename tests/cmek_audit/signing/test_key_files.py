"""Key files: which are taken, and which are refused in words."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cmek_audit.signing.envelope import open_envelope, sign_payload
from cmek_audit.signing.key_files import (
    PASSPHRASE,
    make_key,
    public_path,
    read_public_key,
    read_signing_key,
    refuse_key_inside,
)
from inventory.errors import SettingError
from inventory.system import token_files
from tests.cmek_audit.signing.signed import KeyPair, new_keys

if TYPE_CHECKING:
    from collections.abc import Callable

SHAM = "sham passphrase of a test"
PRIVATE = "an Ed25519 private key in PEM (PKCS #8)"
PUBLIC = "an Ed25519 public key in PEM"


def private(path: Path, content: bytes, mode: int = 0o600) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def refusal(read: Callable[[str, str], object], path: str) -> str:
    with pytest.raises(SettingError) as caught:
        read(path, "--key")
    return str(caught.value).replace(str(Path(path).parent), "HERE")


# --- keys that can be used ------------------------------------------------------------------------


def test_a_new_key_signs_and_its_public_key_verifies(tmp_path: Path) -> None:
    """A new key is read back, and its public key opens what it has signed."""
    pair = new_keys(tmp_path)
    envelope = sign_payload(b"{}", read_signing_key(str(pair.private), "--key"))
    assert open_envelope(envelope, read_public_key(str(pair.public), "--key")) == b"{}"


def test_a_new_private_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else can read a new private key, whatever the mask of the process."""
    before = os.umask(0)
    try:
        pair = new_keys(tmp_path)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(file.stat().st_mode) for file in pair]
    assert modes == [0o600, 0o644]
    assert pair.public == tmp_path / "key.pub.pem" == public_path(str(pair.private))


def test_an_existing_file_is_never_overwritten(tmp_path: Path, keys: KeyPair) -> None:
    """A key that exists stays, and so does a public key; nothing is made then."""
    for existing in ("key.pem", "key.pub.pem"):
        folder = tmp_path / existing
        folder.mkdir()
        (folder / existing).write_bytes(keys.public.read_bytes())
        with pytest.raises(SettingError, match=r"\(it exists\), expected a new file"):
            make_key(str(folder / "key.pem"), "--new-key")
        assert [file.name for file in folder.iterdir()] == [existing]


def test_a_new_key_needs_a_folder(tmp_path: Path) -> None:
    """A key that cannot be written is refused, with the reason of the system."""
    with pytest.raises(SettingError) as caught:
        make_key(str(tmp_path / "nowhere" / "key.pem"), "--new-key")
    found = f"{tmp_path}/nowhere/key.pem (No such file or directory)"
    assert str(caught.value) == f"--new-key: found {found}, expected a file to write to"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the program openssl is missing here")
def test_keys_of_openssl_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented commands of OpenSSL make a key with a passphrase that is taken."""
    key, public = tmp_path / "key.pem", tmp_path / "public.pem"
    environment = os.environ | {"SHAM": SHAM}
    for words in (
        ["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "env:SHAM", "-out", str(key)],
        ["pkey", "-in", str(key), "-passin", "env:SHAM", "-pubout", "-out", str(public)],
    ):
        subprocess.run(["openssl", *words], env=environment, check=True, capture_output=True)
    key.chmod(0o600)
    monkeypatch.setenv(PASSPHRASE, SHAM)
    signer = read_signing_key(str(key), "--key")
    assert signer.public_key.keyid == read_public_key(str(public), "--key").keyid


def test_a_key_may_be_a_mounted_link_that_a_group_can_read(tmp_path: Path, keys: KeyPair) -> None:
    """Secret stores mount files by links, for a group: such a key is taken."""
    private(tmp_path / "mounted", keys.private.read_bytes(), 0o440)
    (tmp_path / "key.pem").symlink_to("mounted")
    read_signing_key(str(tmp_path / "key.pem"), "--key")


# --- passphrases ----------------------------------------------------------------------------------


def test_a_passphrase_comes_from_the_environment_or_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is encrypted and read by the passphrase in a variable, or in the file of one."""
    monkeypatch.setenv(PASSPHRASE, SHAM)
    pair = new_keys(tmp_path)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in pair.private.read_bytes()
    read_signing_key(str(pair.private), "--key")
    monkeypatch.delenv(PASSPHRASE)
    monkeypatch.setenv(f"{PASSPHRASE}_FILE", private(tmp_path / "file", SHAM.encode()))
    read_signing_key(str(pair.private), "--key")


def test_a_missing_or_wrong_passphrase_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its passphrase, or with another, a key is refused; no passphrase is shown."""
    monkeypatch.setenv(PASSPHRASE, SHAM)
    path = str(new_keys(tmp_path).private)
    monkeypatch.setenv(PASSPHRASE, "another sham passphrase")
    expected = f"{PRIVATE}, and its passphrase in {PASSPHRASE}"
    found = "--key: found HERE/key.pem"
    cause = "another passphrase, or no such key"
    assert refusal(read_signing_key, path) == f"{found} ({cause}), expected {expected}"
    monkeypatch.delenv(PASSPHRASE)
    expected = f"it in {PASSPHRASE}"
    assert refusal(read_signing_key, path) == f"{found} with a passphrase, expected {expected}"


def test_a_needless_passphrase_is_no_secret_kept(
    keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A passphrase for a key that has none is refused, as somebody takes the key for encrypted."""
    monkeypatch.setenv(PASSPHRASE, SHAM)
    expected = f"found HERE/key.pem without a passphrase, expected one with it, or no {PASSPHRASE}"
    assert refusal(read_signing_key, str(keys.private)) == f"--key: {expected}"


# --- keys that cannot be used ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o644, 0o666])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, keys: KeyPair, mode: int) -> None:
    """A private key that everybody can read, or a group can write, is not used."""
    path = private(tmp_path / "key.pem", keys.private.read_bytes(), mode)
    found = f"HERE/key.pem, a file with the permissions {mode:04o}"
    expected = "expected 0600, or 0640 for a group"
    assert refusal(read_signing_key, path) == f"--key: found {found}, {expected}"


def test_a_system_without_permissions_refuses_no_key(
    tmp_path: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows shows every file as one that all may use: there, that refuses none."""
    monkeypatch.setattr(token_files, "_HAS_PERMISSIONS", False)
    path = private(tmp_path / "key.pem", keys.private.read_bytes(), 0o666)
    assert read_signing_key(path, "--key").public_key == read_public_key(str(keys.public), "--key")


def _other_keys() -> dict[str, bytes]:
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "of RSA": rsa.generate_private_key(65_537, 2_048).private_bytes(*form),
        "of ECDSA": ec.generate_private_key(ec.SECP256R1()).private_bytes(*form),
    }


@pytest.mark.parametrize(("name", "content"), _other_keys().items())
def test_another_kind_of_key_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    """Only Ed25519 signs reports."""
    path = private(tmp_path / "key.pem", content)
    found = "HERE/key.pem (a key of another kind)"
    assert refusal(read_signing_key, path) == f"--key: found {found}, expected {PRIVATE}"


@pytest.mark.parametrize("content", [b"", b"no key", b"\0" * 100, b"-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no key is refused, as a private and as a public one."""
    path = private(tmp_path / "key.pem", content)
    found = "--key: found HERE/key.pem (no such key)"
    assert refusal(read_signing_key, path) == f"{found}, expected {PRIVATE}"
    if b"PRIVATE" not in content:
        assert refusal(read_public_key, path) == f"{found}, expected {PUBLIC}"


def test_a_public_key_does_not_sign(keys: KeyPair) -> None:
    """A public key in the place of the private one is refused."""
    path = str(keys.public)
    keys.public.chmod(0o600)
    expected = f"--key: found HERE/key.pub.pem (no such key), expected {PRIVATE}"
    assert refusal(read_signing_key, path) == expected


def test_a_private_key_does_not_verify(keys: KeyPair) -> None:
    """A private key in the place of the public one is refused: it is not to be handed around."""
    expected = f"found HERE/key.pem (a private key), expected {PUBLIC}: keep the private one"
    assert refusal(read_public_key, str(keys.private)) == f"--key: {expected}"


def test_another_kind_of_public_key_is_refused(tmp_path: Path) -> None:
    """Only Ed25519 verifies reports."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    content = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(content)
    found = "HERE/key.pem (a key of another kind)"
    path = str(tmp_path / "key.pem")
    assert refusal(read_public_key, path) == f"--key: found {found}, expected {PUBLIC}"


def test_a_missing_or_endless_file_is_refused(tmp_path: Path) -> None:
    """A key that is not there, is a folder, a pipe or too large is refused, with the reason."""
    os.mkfifo(tmp_path / "pipe")
    private(tmp_path / "large", b"x" * 70_000)
    for name, reason in (
        ("missing", "No such file or directory"),
        ("pipe", "no regular file"),
        (".", "no regular file"),
        ("large", "too large"),
    ):
        with pytest.raises(SettingError) as caught:
            read_signing_key(f"{tmp_path}/{name}", "--key")
        expected = f"--key: found {tmp_path}/{name} ({reason}), expected {PRIVATE}"
        assert str(caught.value) == expected


def test_a_key_in_the_report_is_refused(tmp_path: Path, keys: KeyPair) -> None:
    """A private key inside of the report folder would be handed over, so it is refused."""
    inside = tmp_path / "report" / "key.pem"
    with pytest.raises(SettingError, match="in the report folder, expected a key"):
        refuse_key_inside(str(inside), tmp_path / "report", "--key")
    refuse_key_inside(str(keys.private), tmp_path / "report", "--key")
