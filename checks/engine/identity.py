"""Names that are safe in a node id, and ids that stay the same in every run."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LONGEST = 200
"""The greatest length of a node id's parameter, in characters."""

_ID_SIZE = 10  # bytes, two digits each
_PLAIN = re.compile(r"[A-Za-z0-9_-]*").fullmatch
_ESCAPE = re.compile(rb"\.([0-9a-f]{2})")
_UNSAFE = re.compile(rb"[^A-Za-z0-9_-]")


def escape(text: str) -> str:
    """Reduce ``text`` to ``[A-Za-z0-9._-]``; every other byte of its UTF-8 becomes ``.hh``.

    Different texts stay different, and ``unescape`` gives the text back. A slash is escaped, so
    that it can separate the parts of a path.
    """
    if _PLAIN(text):
        return text
    raw = text.encode("utf-8", "surrogatepass")
    return _UNSAFE.sub(lambda byte: b".%02x" % ord(byte[0]), raw).decode("ascii")


def escape_all(texts: Sequence[str]) -> Sequence[str]:
    """Escape each of ``texts``; one look at all of them shows if none needs it."""
    return texts if _PLAIN("".join(texts)) else list(map(escape, texts))


cached_escape = lru_cache(maxsize=4_096)(escape)
"""``escape`` for what comes again and again: regions, organizations."""


def unescape(text: str) -> str:
    """Return the text that ``escape`` made ``text`` of."""
    raw = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), text.encode("ascii"))
    return raw.decode("utf-8", "surrogatepass")


def join(*parts: str) -> str:
    """Join the escaped parts into a path, ``acme-prod/serverless/aws/us-east-2``."""
    return "/".join(map(escape, parts))


def owner_of(path: str) -> str:
    """Return the first part of ``path``, the escaped id of the organization."""
    return path.partition("/")[0]


def shorten(path: str) -> str:
    """Cut a path that is too long for a node id, and keep it unique by a hash after ``.x``."""
    if len(path) <= LONGEST:
        return path
    digest = hashlib.sha256(path.encode("ascii")).hexdigest()[:20]
    return f"{path[: LONGEST - 22]}.x{digest}"


PLANNED = "planned-"
"""What a cause begins with if the failure can still be prevented."""

_THING = "".join(chr(code) for code in range(ord("!"), ord("~") + 1) if chr(code) not in "%,")


def cause_of(code: str, *things: str) -> str:
    """Return the cause ``code``, with the things it concerns: ``vanished:DATABASE``.

    Things keep their visible ASCII characters, so that people recognize them; all else, the
    percent sign and the comma that separates them are percent-encoded. So different things stay
    different, and a cause holds no white space.
    """
    return f"{code}:{','.join(quote(thing, _THING) for thing in things)}" if things else code


def things_of(cause: str) -> tuple[str, ...]:
    """Return the things that ``cause`` concerns, as ``cause_of`` was given them."""
    things = cause.partition(":")[2]
    return tuple(map(unquote, things.split(","))) if things else ()


def reason_of(cause: str) -> str:
    """Return the code of ``cause``, without the things it concerns and whether it is planned."""
    return cause.removeprefix(PLANNED).partition(":")[0]


def finding_id(rule: str, path: str, cause: str = "") -> str:
    """Return the id of ``rule``'s finding about the subject ``path``: 20 hexadecimal digits.

    ``cause`` is why the subject does not comply; empty if it does. None of the three holds a
    space, so different findings have different texts to hash.
    """
    text = f"{rule} {path} {cause}" if cause else f"{rule} {path}"
    return hashlib.blake2b(text.encode(), digest_size=_ID_SIZE).hexdigest()


def finding_ids(rule: str, begin: str, ends: Iterable[str]) -> Iterator[str]:
    """Yield the ids of ``rule``'s findings without a cause about subjects whose paths begin alike.

    As ``finding_id`` of the ``begin`` with each of the ``ends``: what they share is hashed once.
    """
    shared = hashlib.blake2b(f"{rule} {begin}".encode(), digest_size=_ID_SIZE)
    for end in ends:
        own = shared.copy()
        own.update(end.encode())
        yield own.hexdigest()
