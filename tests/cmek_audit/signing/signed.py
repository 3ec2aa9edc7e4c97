"""Keys, and what is signed with them."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any, NamedTuple

from cmek_audit.signing.envelope import sign_payload
from cmek_audit.signing.key_files import make_key, read_signing_key
from cmek_audit.signing.signer import sign_report
from reports.record.layout import SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cmek_audit.signing.statement import Statement


class KeyPair(NamedTuple):
    """The files of a private and of its public key."""

    private: Path
    public: Path


def new_keys(folder: Path, name: str = "key.pem") -> KeyPair:
    private = folder / name
    return KeyPair(private, make_key(str(private), "--new-key"))


def sign(report: Path, keys: KeyPair) -> Statement:
    return sign_report(report, read_signing_key(str(keys.private), "--key"))


def payload_of(report: Path) -> Any:  # noqa: ANN401 (a statement, maybe a forged one)
    """Return the statement in the signature of ``report``, whoever signed it."""
    return json.loads(b64decode(json.loads((report / SIGNATURE).read_bytes())["payload"]))


def forge(report: Path, keys: KeyPair, change: Callable[[Any], object], **more: str) -> None:
    """Change the statement on ``report``, and sign it again: so does who has the key."""
    statement = payload_of(report)
    change(statement)
    put(report, keys, json.dumps(statement).encode(), **more)


def put(report: Path, keys: KeyPair, payload: bytes, **more: str) -> None:
    """Sign any ``payload`` in the place of the statement on ``report``."""
    signer = read_signing_key(str(keys.private), "--key")
    (report / SIGNATURE).write_bytes(sign_payload(payload, signer, **more))
