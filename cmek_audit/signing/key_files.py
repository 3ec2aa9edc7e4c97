"""Key files: private and public keys of Ed25519 in PEM, read, checked and made."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from cmek_audit.signing.library import require_library
from inventory.errors import SettingError
from inventory.system.token_files import foreign_permissions, read_tokens
from inventory.text.secrets import SecretBytes
from reports.record.stored_lines import open_regular

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption
    from securesystemslib.signer import CryptoSigner, SSlibKey

PASSPHRASE = "CMEK_SIGN_PASSPHRASE"  # noqa: S105 (the name of a variable)
"""The variable that holds the passphrase of a private key, or with ``_FILE`` names its file."""

_MOST_BYTES = 65_536
_PRIVATE = "an Ed25519 private key in PEM (PKCS #8)"
_PUBLIC = "an Ed25519 public key in PEM"


def read_signing_key(path: str, option: str) -> CryptoSigner:
    """Return what signs with the private key in the file ``path``.

    The passphrase of an encrypted key comes from the environment, and from nowhere else. Raises
    SettingError about ``option`` if the key cannot be used, or if others may read its file.
    """
    require_library(option)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 (an extra)
        Ed25519PrivateKey,
    )
    from securesystemslib.signer import CryptoSigner  # noqa: PLC0415 (an extra)

    key = _parse_private(_read_private(path, option), _passphrase(), f"{option}: found {path}")
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingError(f"{option}: found {path} (a key of another kind), expected {_PRIVATE}")
    return CryptoSigner(key)


def read_public_key(path: str, option: str) -> SSlibKey:
    """Return the public key in the file ``path``; raise SettingError about ``option`` without one.

    Its ``keyid`` is the one that a signature by its private key carries.
    """
    require_library(option)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 (an extra)
        Ed25519PublicKey,
    )
    from securesystemslib.signer import SSlibKey  # noqa: PLC0415 (an extra)

    key = _parse_public(_read(path, option, _PUBLIC), f"{option}: found {path}")
    if not isinstance(key, Ed25519PublicKey):
        raise SettingError(f"{option}: found {path} (a key of another kind), expected {_PUBLIC}")
    return SSlibKey.from_crypto(key)


def make_key(path: str, option: str) -> Path:
    """Make a private key in the new file ``path``, and return that of its public key beside it.

    The private key is encrypted if the environment holds a passphrase. Raises SettingError about
    ``option`` if one of the files exists or cannot be written.
    """
    require_library(option)
    from cryptography.hazmat.primitives import serialization as forms  # noqa: PLC0415 (an extra)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 (an extra)
        Ed25519PrivateKey,
    )

    key, private, public = Ed25519PrivateKey.generate(), Path(path), public_path(path)
    _refuse_existing((private, public), option)
    pem, pkcs8 = forms.Encoding.PEM, forms.PrivateFormat.PKCS8
    secret = SecretBytes(key.private_bytes(pem, pkcs8, _encryption()))
    shared = key.public_key().public_bytes(pem, forms.PublicFormat.SubjectPublicKeyInfo)
    _write_new(private, secret, 0o600, option)
    _write_new(public, shared, 0o644, option)
    return public


def public_path(path: str) -> Path:
    """Return the path of the public key beside the private key ``path``."""
    return Path(path).with_suffix(".pub.pem")


def refuse_key_inside(path: str, folder: Path, option: str) -> None:
    """Raise SettingError about ``option`` if the private key is in a report's ``folder``.

    There it would be handed over with the report.
    """
    if Path(path).resolve().is_relative_to(folder.resolve()):
        raise SettingError(
            f"{option}: found {path}, in the report folder, expected a key that is kept elsewhere"
        )


# --- private keys ---------------------------------------------------------------------------------


def _read_private(path: str, option: str) -> SecretBytes:
    return SecretBytes(_read(path, option, _PRIVATE, is_secret=True))


def _read(path: str, option: str, expected: str, *, is_secret: bool = False) -> bytes:
    """Read a key file; others must not be allowed to use one that ``is_secret``."""
    try:
        # Opened before it is looked at: the file that is read is the one that was looked at.
        with open_regular(path) as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = SecretBytes(file.read(_MOST_BYTES + 1))
    except OSError as error:
        raise SettingError(
            f"{option}: found {path} ({error.strerror}), expected {expected}"
        ) from None
    if is_secret and foreign_permissions(mode):
        found = f"{path}, a file with the permissions {mode:04o}"
        raise SettingError(f"{option}: found {found}, expected 0600, or 0640 for a group")
    if len(raw) > _MOST_BYTES:
        raise SettingError(f"{option}: found {path} (too large), expected {expected}")
    return raw


def _passphrase() -> str | None:
    return read_tokens([PASSPHRASE]).get(PASSPHRASE) or None


def _parse_private(raw: SecretBytes, passphrase: str | None, found: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 (an extra)
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 (an extra)
        load_pem_private_key,
    )

    try:
        return load_pem_private_key(bytes(raw), bytes(passphrase.encode()) if passphrase else None)
    except TypeError:
        # By this type of error the library shows that a passphrase is missing, or is not needed.
        found += " without a passphrase" if passphrase else " with a passphrase"
        expected = f"one with it, or no {PASSPHRASE}" if passphrase else f"it in {PASSPHRASE}"
    except (ValueError, UnsupportedAlgorithm):
        found += " (another passphrase, or no such key)" if passphrase else " (no such key)"
        expected = f"{_PRIVATE}, and its passphrase in {PASSPHRASE}" if passphrase else _PRIVATE
    raise SettingError(f"{found}, expected {expected}")


def _encryption() -> KeySerializationEncryption:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 (an extra)
        BestAvailableEncryption,
        NoEncryption,
    )

    passphrase = _passphrase()
    return BestAvailableEncryption(bytes(passphrase.encode())) if passphrase else NoEncryption()


# --- public keys and new files --------------------------------------------------------------------


def _parse_public(raw: bytes, found: str) -> PublicKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 (an extra)
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 (an extra)
        load_pem_public_key,
    )

    if b"PRIVATE KEY" in raw:
        raise SettingError(f"{found} (a private key), expected {_PUBLIC}: keep the private one")
    try:
        return load_pem_public_key(bytes(raw))
    except (ValueError, UnsupportedAlgorithm):
        raise SettingError(f"{found} (no such key), expected {_PUBLIC}") from None


def _refuse_existing(files: tuple[Path, ...], option: str) -> None:
    for file in files:
        if os.path.lexists(file):
            raise SettingError(f"{option}: found {file} (it exists), expected a new file")


def _write_new(path: Path, content: bytes, mode: int, option: str) -> None:
    """Write a file that does not exist yet; it never has more permissions than ``mode``."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        found = f"{path} ({error.strerror})"
        raise SettingError(f"{option}: found {found}, expected a file to write to") from None
