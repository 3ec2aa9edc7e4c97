"""UUIDs of version 5: the same thing has the same one in every document."""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "urn:cmek-audit:oscal"
"""The namespace of properties and of UUIDs; it never changes."""

_SIZE = 16
_ROOT = uuid5(NAMESPACE_URL, NAMESPACE).bytes


def identify(kind: str, *parts: str) -> str:
    """Return the UUID of the thing of this ``kind`` that ``parts`` identify together."""
    # The length before each part keeps parts apart, whatever characters they have. A record may
    # hold halves of surrogate pairs, which ``uuid.uuid5`` refuses.
    name = "".join([f"{len(part)}:{part}" for part in (kind, *parts)])
    digest = sha1(_ROOT + name.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    made = bytearray(digest[:_SIZE])
    made[6], made[8] = made[6] & 0x0F | 0x50, made[8] & 0x3F | 0x80  # version 5, as RFC 9562 has it
    return _spell(made.hex())


def _spell(digits: str) -> str:
    # An object of ``uuid.UUID`` for each would take several times as long.
    parts = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
    return "-".join(parts)


def pack(identity: str) -> bytes:
    """Return a UUID in 16 bytes, a sixth of what its text takes in memory."""
    return bytes.fromhex(identity.replace("-", ""))


def unpack(packed: bytes | bytearray) -> Iterator[str]:
    """Yield the UUIDs that were packed one after the other."""
    for start in range(0, len(packed), _SIZE):
        yield _spell(packed[start : start + _SIZE].hex())
