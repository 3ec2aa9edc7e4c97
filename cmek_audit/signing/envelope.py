"""The envelope (DSSE) in which a signed statement is kept.

All cryptography is that of the libraries. A payload is read only once its signature is verified.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cmek_audit.signing.statement import PAYLOAD_TYPE, strict_json
from inventory.errors import SignatureError
from inventory.text.display import describe

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey

_SHOWN = 12
_CHANGED = "it is not written as a signature is, so it was changed or cut off"


class _Signature(BaseModel):
    """A signature, and a hint by which key it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keyid: str
    sig: str


class _Envelope(BaseModel):
    """An envelope as it is written, with one signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    payload: str
    payload_type: Annotated[str, Field(alias="payloadType")]
    signatures: Annotated[tuple[_Signature, ...], Field(min_length=1, max_length=1)]


def sign_payload(payload: bytes, signer: CryptoSigner, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Return the envelope with ``payload`` and its signature: always the same bytes by one key."""
    from securesystemslib.dsse import Envelope  # noqa: PLC0415 (an extra)

    envelope = Envelope(payload, payload_type, {})
    envelope.sign(signer)
    return _encode(envelope)


def open_envelope(raw: bytes, key: SSlibKey) -> bytes:
    """Return the payload of an envelope that ``key`` has signed; raise SignatureError otherwise."""
    from securesystemslib.exceptions import VerificationError  # noqa: PLC0415 (an extra)

    envelope = _decode(raw)
    # The library looks only at signatures with the id of the key: without this, a foreign key and
    # a signature that does not match would look alike.
    [keyid] = envelope.signatures
    if keyid != key.keyid:
        by = f"key id {describe(keyid[:_SHOWN])}, that of the key is {key.keyid[:_SHOWN]!r}"
        raise SignatureError(f"it was made by another key: {by}")
    try:
        envelope.verify([key], threshold=1)
    except VerificationError:
        raise SignatureError("it does not match: signature or statement was changed") from None
    if envelope.payload_type != PAYLOAD_TYPE:
        found = f"the payload type {describe(envelope.payload_type)}"
        raise SignatureError(f"found {found}, expected {PAYLOAD_TYPE}")
    return envelope.payload


def _encode(envelope: Envelope) -> bytes:
    return (json.dumps(envelope.to_dict(), ensure_ascii=True, indent=1) + "\n").encode("ascii")


def _decode(raw: bytes) -> Envelope:
    """Return an envelope; raise SignatureError unless it is byte for byte as it is written."""
    from securesystemslib.dsse import Envelope  # noqa: PLC0415 (an extra)

    strict_json(raw, "a signature in an envelope (DSSE)")
    try:
        data = _Envelope.model_validate_json(raw)
        envelope = Envelope.from_dict(data.model_dump(by_alias=True))
        is_as_written = _encode(envelope) == raw
    except (ValidationError, ValueError):  # ValueError: what is no Base64
        raise SignatureError(_CHANGED) from None
    if not is_as_written:
        raise SignatureError(_CHANGED)
    return envelope
