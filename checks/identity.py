"""Names that are safe in a node id, and ids that stay the same in every run."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

LONGEST = 200
"""The greatest length of a node id's parameter, in characters."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]*").fullmatch
_ESCAPE = re.compile(rb"\.([0-9a-f]{2})")
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def escape(text: str) -> str:
    """Reduce ``text`` to ``[A-Za-z0-9._-]``; every other byte of its UTF-8 becomes ``.hh``.

    Different texts stay different, and ``unescape`` gives the text back. A slash is escaped, so
    that it can separate the parts of a path.
    """
    if _PLAIN(text):
        return text
    raw = text.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _SAFE else f".{byte:02x}" for byte in raw)


known = lru_cache(maxsize=4_096)(escape)
"""``escape`` for what comes again and again: regions, organizations."""


def unescape(text: str) -> str:
    """Return the text that ``escape`` made ``text`` of."""
    raw = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), text.encode("ascii"))
    return raw.decode("utf-8", "surrogatepass")


def join(*parts: str) -> str:
    """Join the escaped parts into a path, ``acme-prod/serverless/aws/us-east-2``."""
    return "/".join(map(escape, parts))


def shorten(path: str) -> str:
    """Cut a path that is too long for a node id, and keep it unique by a hash after ``.x``."""
    if len(path) <= LONGEST:
        return path
    digest = hashlib.sha256(path.encode("ascii")).hexdigest()[:20]
    return f"{path[: LONGEST - 22]}.x{digest}"


def finding_id(rule: str, path: str) -> str:
    """Return the id of ``rule``'s finding about the subject ``path``: 20 hexadecimal digits."""
    return hashlib.blake2b(f"{rule} {path}".encode(), digest_size=10).hexdigest()
