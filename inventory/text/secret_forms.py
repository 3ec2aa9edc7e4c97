"""The forms by which a credential of a cloud is recognised, whoever it belongs to."""

from __future__ import annotations

import re
from binascii import a2b_base64
from functools import cache
from typing import NamedTuple

from inventory.text.literals import LiteralSearch

_WORD = "[A-Za-z0-9_-]"
_BLANK = r"(?:[\s+]|%20|\\[nrt])"
_EQUALS = r"(?:=|%3[Dd]|\\u003[Dd]|&#(?:61|x3[Dd]);)"

_ENCODED = re.compile("[A-Za-z0-9+/]{20}")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OTHERS = bytes(set(range(256)) - set(_ALPHABET + b"-_"))
_AS_BASE64 = bytes.maketrans(b"-_" + _OTHERS, b"+/" + b" " * len(_OTHERS))
_SHORTEST_RUN = 16
"""The shortest piece of Base64 that is decoded: twelve bytes, and every form has more."""
# An A is six zeros: so whatever ends with a piece is followed by a zero.
_BETWEEN = b"AAAA"


class SecretForm(NamedTuple):
    """One form.

    Every pattern takes linear time, also for a text made to be slow: it begins with a literal, and
    what can fail after it is bounded.

    Attributes:
        marker: what is in each of them, and in few other texts. A search for it is fast.
        pattern: what is enough to recognise it; begins with the marker.
        whole: what is to be hidden, where that is more.
        marks: longer literals, one of which is in each, where ordinary texts hold the marker.
    """

    marker: str
    pattern: str
    whole: str = ""
    marks: tuple[str, ...] = ()


def _access_key(prefix: str) -> SecretForm:
    """Return the form of an id of an access key: a word of its own, as in no longer name.

    A letter before it may be the end of an encoded character.
    """
    own_word = f"(?:(?<![A-Z]{prefix})|(?<=%[0-9A-F][A-F]{prefix}))"
    return SecretForm(prefix, f"{prefix}{own_word}[A-Z0-9]{{16}}(?![A-Z0-9])")


def _secret_key(marker: str) -> SecretForm:
    """Return the form of a secret access key: it is recognised by its name only."""
    between = "(?:[^A-Za-z0-9]|&quot;|%[0-9A-Fa-f]{2}){1,8}"
    return SecretForm(marker, rf"{marker}{between}[A-Za-z0-9/+]{{40}}(?![A-Za-z0-9/+])")


AMAZON = (
    _access_key("AKIA"),
    _access_key("ASIA"),
    SecretForm("IQoJb3JpZ2lu", r"IQoJb3JpZ2lu[A-Za-z0-9+/=_%\\-]{16,}+"),
    SecretForm("oGZXIvYXdz", r"oGZXIvYXdz[A-Za-z0-9+/=_%\\-]{16,}+"),
    SecretForm(
        "AWS4-",
        rf"AWS4-(?:HMAC|ECDSA-P256)-SHA256{_BLANK}{{1,4}}Credential{_EQUALS}[A-Za-z0-9]"
        r"(?:[^\s\"'<>,]|,\s{0,4}(?:SignedHeaders|Signature)=)*+",
    ),
    SecretForm(
        "Signature",
        rf"Signature{_EQUALS}[0-9A-Fa-f]{{32,}}+",
        marks=("Signature=", "Signature%3", "Signature\\u003", "Signature&#"),
    ),
    _secret_key("SecretAccessKey"),
    _secret_key("secret_access_key"),
    _secret_key("SECRET_ACCESS_KEY"),
)
"""Ids of access keys, session tokens, signed headers and addresses, secret keys by their name."""

GOOGLE = (
    SecretForm("ya29.", r"ya29\.[A-Za-z0-9_-]{10,}+[A-Za-z0-9_.-]*+"),
    SecretForm("1//0", "1//0[A-Za-z0-9_-]{20,}+"),
    SecretForm("AIza", "AIza[A-Za-z0-9_-]{35,}+"),
    SecretForm(
        "private_key",
        r'private_key\\{0,8}"\s{0,9}:\s{0,9}\\{0,8}"(?!\(hidden|\\{0,8}")(?:[^"\\]|\\.)++',
    ),
)
"""Access tokens, refresh tokens, API keys, the field with the key of a service account."""

AZURE = (
    SecretForm(
        "Q~",
        r"Q~(?<=[A-Za-z0-9_.~-]{3}[0-9]Q~)[A-Za-z0-9_.~-]{31,}+",
        r"[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,}+",
    ),
)
"""Client secrets."""

COMMON = (
    SecretForm(
        ".eyJ",
        rf"\.eyJ(?<={_WORD}{{10}}\.eyJ){_WORD}{{10}}",
        rf"(?<!{_WORD}){_WORD}{{10,}}+\.eyJ{_WORD}{{10,}}+(?:\.{_WORD}*+)*+",
    ),
    SecretForm(
        "PRIVATE",
        rf"PRIVATE{_BLANK}KEY(?:{_BLANK}BLOCK)?-----",
        rf"-----BEGIN(?:{_BLANK}[A-Z0-9]{{1,16}}){{0,3}}{_BLANK}PRIVATE{_BLANK}KEY"
        r"(?s:.*?-----END[^-]{0,64}-----|.*)",
    ),
)
"""Signed tokens (JWT), private keys (PEM)."""

FORMS = AMAZON + GOOGLE + AZURE + COMMON

MARKS = tuple(mark.encode("ascii") for form in FORMS for mark in form.marks or (form.marker,))
"""What is searched for first: a text with none of these holds no credential."""

_IN_BYTES = tuple((form.marker.encode("ascii"), form.pattern.encode("ascii")) for form in FORMS)


@cache
def _marks() -> LiteralSearch:
    return LiteralSearch(MARKS)


def holds_form(block: bytes) -> bool:
    """Say whether ``block`` holds a credential in any of the forms."""
    return _marks().is_in(block) and any(
        marker in block and re.search(pattern, block) for marker, pattern in _IN_BYTES
    )


def holds_encoded_form(text: str) -> bool:
    """Say whether ``text`` holds Base64 of a credential in any of the forms."""
    if not _ENCODED.search(text):
        return False
    # Texts repeat the same names and ids many times: each piece is decoded once.
    pieces = set(text.encode("ascii", "replace").translate(_AS_BASE64).split())
    block = _BETWEEN.join([b"", *[piece for piece in pieces if len(piece) >= _SHORTEST_RUN], b""])
    # Four letters are three bytes: one of four beginnings fits, wherever the secret begins.
    return any(holds_form(_decoded(b"A" * before + block)) for before in range(4))


def _decoded(block: bytes) -> bytes:
    return a2b_base64(block + b"A" * (-len(block) % 4))


def hide_forms(text: str, instead: str) -> str:
    """Return ``text`` with ``instead`` in the place of each credential."""
    for form in FORMS:
        if form.marker in text:
            text = re.sub(form.whole or form.pattern, instead, text)
    return text
