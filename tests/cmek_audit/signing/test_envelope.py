"""The envelope: whatever is changed in it, it is not accepted."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from cmek_audit.signing.envelope import open_envelope, sign_payload
from inventory.errors import SignatureError

SIGNER = CryptoSigner.generate_ed25519()
OTHER = CryptoSigner.generate_ed25519()
PAYLOAD = b'{"a":1,"b":"text"}'
ENVELOPE = sign_payload(PAYLOAD, SIGNER)
CHANGED = "it is not written as a signature is, so it was changed or cut off"


def refusal(raw: bytes) -> str:
    with pytest.raises(SignatureError) as caught:
        open_envelope(raw, SIGNER.public_key)
    return str(caught.value)


def changed(change: Any) -> bytes:  # noqa: ANN401 (a function on whatever JSON holds)
    data = json.loads(ENVELOPE)
    change(data)
    return (json.dumps(data, indent=1) + "\n").encode()


@given(st.binary(max_size=500))
def test_what_is_signed_comes_back(payload: bytes) -> None:
    """Any payload comes back as it was signed, and one key always signs alike."""
    envelope = sign_payload(payload, SIGNER)
    assert open_envelope(envelope, SIGNER.public_key) == payload
    assert envelope == sign_payload(payload, SIGNER)


def test_the_library_accepts_it_as_it_is() -> None:
    """securesystemslib verifies what is written, by the key's own id."""
    envelope = Envelope.from_dict(json.loads(ENVELOPE))
    assert [*envelope.verify([SIGNER.public_key], 1)] == [SIGNER.public_key.keyid]


def test_no_byte_may_be_changed() -> None:
    """Each byte counts, in payload and signature, in names, and between them."""
    for place, byte in enumerate(ENVELOPE):
        for other in {byte ^ 1, byte ^ 0x20, 0x20, 0x0A} - {byte}:
            assert refusal(ENVELOPE[:place] + bytes([other]) + ENVELOPE[place + 1 :])


@given(st.integers(0, len(ENVELOPE) - 1), st.binary(min_size=1, max_size=5))
def test_nothing_may_be_cut_off_or_put_in(place: int, more: bytes) -> None:
    """A part of an envelope is none, and neither is one with more in it."""
    assert refusal(ENVELOPE[:place])
    assert refusal(ENVELOPE[:place] + more + ENVELOPE[place:])
    assert refusal(ENVELOPE + more)


@given(st.binary(max_size=200))
def test_no_other_bytes_are_accepted(raw: bytes) -> None:
    """Whatever else is in the place of a signature is refused."""
    assert refusal(raw)


def test_another_key_is_named() -> None:
    """A signature by another key is none, and both keys are named by their ids."""
    theirs, ours = (signer.public_key.keyid[:12] for signer in (OTHER, SIGNER))
    ids = f"key id {theirs!r}, that of the key is {ours!r}"
    assert refusal(sign_payload(PAYLOAD, OTHER)) == f"it was made by another key: {ids}"


def test_the_id_of_the_key_proves_nothing() -> None:
    """A signature by another key that takes the id of the right one does not match."""
    foreign = json.loads(sign_payload(PAYLOAD, OTHER))
    foreign["signatures"][0]["keyid"] = SIGNER.public_key.keyid
    raw = (json.dumps(foreign, indent=1) + "\n").encode()
    assert refusal(raw) == "it does not match: signature or statement was changed"


def test_a_changed_payload_does_not_match() -> None:
    """A payload that was not signed is not read, however well it is written."""
    raw = changed(lambda data: data.update(payload=b64encode(b"{}").decode()))
    assert refusal(raw) == "it does not match: signature or statement was changed"


def test_another_payload_type_is_refused() -> None:
    """What was signed as something else is no statement, even if the key is right."""
    raw = sign_payload(PAYLOAD, SIGNER, "text/plain")
    assert (
        refusal(raw) == "found the payload type 'text/plain', expected application/vnd.in-toto+json"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(more=1),
        lambda data: data.pop("payload"),
        lambda data: data.update(signatures=[]),
        lambda data: data.update(signatures=data["signatures"] * 2),
        lambda data: data.update(signatures="none"),
        lambda data: data["signatures"][0].pop("keyid"),
        lambda data: data["signatures"][0].update(more=1),
        lambda data: data["signatures"][0].update(sig="no Base64!"),
        lambda data: data.update(payload="="),
    ],
    ids=["more", "less", "unsigned", "twice", "text", "keyid", "more-of-it", "sig", "payload"],
)
def test_an_envelope_of_another_form_is_refused(change: Any) -> None:  # noqa: ANN401 (a function)
    """Fields more or less, no signature, several of them, and what is no Base64 are refused."""
    assert refusal(changed(change)) == CHANGED


def test_an_envelope_has_one_form() -> None:
    """The same content in other words is another file than the one that was written."""
    assert refusal(json.dumps(json.loads(ENVELOPE)).encode()) == CHANGED
