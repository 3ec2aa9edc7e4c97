"""Tokens and other secrets, and how they are kept out of everything that is written."""

from __future__ import annotations

import json
import os
import re
import traceback
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from inventory.errors import LeakError
from inventory.text.literals import LiteralSearch
from inventory.text.secret_forms import MARKS, hide_forms, holds_encoded_form, holds_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

HIDDEN = "(hidden)"
_NOT_WRITTEN = "a token is not written down"
_SHORTEST = 12
_SHORTEST_VALUE = 8
_BEGIN = (
    r"(?=[A-Za-z0-9._~+/=:-]|\\u00|%(?!28))"  # an already hidden token begins with a parenthesis
)
_LOOKALIKE = re.compile(rf"AstraCS:{_BEGIN}[^\s\"'<>]*", re.IGNORECASE)
_ESCAPE = re.compile(r"(?<!\\)\\++(?:u00|x)([0-7][0-9a-fA-F])")
_ENTITY = re.compile(r"&#(?:0{0,9}([0-9]{2,3})|[xX]0{0,9}([0-7][0-9a-fA-F]));?|&colon;")
_DEEPEST = 4
_PARAMETERS = ("X-Amz-", "X-Goog-", "sig", "token", "Expires")
_SIGNED = re.compile(
    r"https?://(?:(?!https?://)[^\s\"'<>\\])*?"  # one address at a time, or it takes quadratic time
    rf"[?&](?:{'|'.join(_PARAMETERS)})[^\s\"'<>\\]*",
    re.IGNORECASE,
)
_SIGNS = tuple(parameter.lower() for parameter in _PARAMETERS)
_LITERALS = (b"AstraCS", b"QXN0cmFDUz")
_SUSPICIOUS = re.compile(
    rb"AstraCS(?::|%3[aA]|\\u003[aA]|&#58;|&#x3[aA];|&colon;)"
    + _BEGIN.encode("ascii")
    + rb"|QXN0cmFDUz"
)
_CHUNK = 262_144
_OVERLAP = 4_096


class SecretText(str):
    """A text that is never shown: a traceback with local variables renders them by their repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show nothing of the text."""
        return HIDDEN

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> SecretBytes:
        """Return it as bytes that are never shown either."""
        return SecretBytes(super().encode(encoding, errors))

    def __reduce__(self) -> Any:  # noqa: ANN401 (as the base)
        """Allow pickling only for a process that is being started."""
        _require_spawning()
        return SecretText, (str(self),)


class SecretBytes(bytes):
    """Bytes that are never shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show nothing of the bytes."""
        return HIDDEN

    def __reduce__(self) -> Any:  # noqa: ANN401 (as the base)
        """Refuse pickling: no process needs them."""
        raise TypeError(_NOT_WRITTEN)


def _require_spawning() -> None:
    """Raise TypeError unless the pickle goes to a process that is being started."""
    from multiprocessing.context import get_spawning_popen  # noqa: PLC0415 (few runs need it)

    if get_spawning_popen() is None:
        raise TypeError(_NOT_WRITTEN)


class TokenVariables(Mapping[str, str]):
    """Environment variables that hold tokens; their repr shows only the names."""

    def __init__(self, names: Iterable[str], environment: Mapping[str, str] | None = None) -> None:
        """Take the variables ``names`` of ``environment``, by default the process's own."""
        variables = os.environ if environment is None else environment
        self._values = {
            name: SecretText(variables[name]) for name in sorted(names) if name in variables
        }

    def __getitem__(self, name: str) -> SecretText:
        """Return the value of the variable ``name``."""
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the variables."""
        return len(self._values)

    def __repr__(self) -> str:
        """Show the names."""
        return f"TokenVariables({', '.join(self)})"


def clear_locals(error: BaseException) -> None:
    """Clear the local variables of all frames that ``error`` refers to; the locations stay.

    The frames that read an answer hold it before it is redacted, and a report of the error may show
    them.
    """
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        linked = waiting.pop()
        if linked is None or id(linked) in seen:
            continue
        seen.add(id(linked))
        traceback.clear_frames(linked.__traceback__)
        waiting += (linked.__cause__, linked.__context__)
        if isinstance(linked, BaseExceptionGroup):
            waiting += linked.exceptions


class Secret:
    """A secret of whatever kind; its repr shows only what it is called."""

    __slots__ = ("_name", "_value")

    def __init__(self, name: str, value: str) -> None:
        """Keep ``value``; ``name`` is what people may read, such as where it came from."""
        self._name = name
        self._value = SecretText(value)

    def __repr__(self) -> str:
        """Show where the secret came from, never the secret."""
        return f"{type(self).__name__}({self._name})"

    def __reduce__(self) -> Any:  # noqa: ANN401 (as the base)
        """Refuse pickling: a secret could reach a file or another process by it."""
        raise TypeError(_NOT_WRITTEN)

    def needles(self) -> tuple[SecretText, ...]:
        """Return the texts that reveal the secret: itself, each of its long lines, and encoded.

        A value so short that harmless texts hold it has none.
        """
        parts = dict.fromkeys((self._value.strip(), *map(str.strip, self._value.splitlines())))
        long = [SecretText(part) for part in parts if len(part) >= _SHORTEST_VALUE]
        return tuple(dict.fromkeys(needle for part in long for needle in _needles_of(part)))


class Token(Secret):
    """A token of Astra; its repr shows only the name of the variable that held it."""

    __slots__ = ()

    def authorization(self) -> SecretText:
        """Return the value of the header that a request needs."""
        return SecretText(f"Bearer {self._value}")

    def needles(self) -> tuple[SecretText, ...]:
        """Return the texts that reveal the token: itself, its secret part, and both encoded."""
        last = SecretText(self._value.rpartition(":")[2])
        bare = last if len(last) >= _SHORTEST else self._value
        plain = (self._value, bare, SecretText(quote(bare, safe="")))
        return tuple(dict.fromkeys((*plain, *_in_base64(self._value), *_in_base64(bare))))


def _needles_of(text: SecretText) -> Iterator[SecretText]:
    """Yield ``text`` as it is, as JSON and addresses write it, and in Base64."""
    yield text
    in_json = json.dumps(text)[1:-1]
    plain = (in_json, in_json.replace("/", "\\/"), quote(text, safe=""), quote(text))
    yield from map(SecretText, plain)
    yield from _in_base64(text)


def _in_base64(text: str) -> Iterator[SecretText]:
    """Yield the base64 of ``text`` at each of the three offsets within an encoded whole.

    Base64 turns three bytes into four characters, so the encoding of a part depends on its offset.
    The characters that also depend on the neighbouring bytes are cut off.
    """
    for before, first in enumerate((0, 2, 3)):
        encoded = SecretText(b64encode(b"\0" * before + text.encode()).decode("ascii"))
        stable = SecretText(encoded[first : (before + len(text)) * 8 // 6])
        yield from (stable, SecretText(stable.translate(_URL_SAFE)))


_URL_SAFE = str.maketrans("+/", "-_")
_ENCODED = tuple(dict.fromkeys(_in_base64("AstraCS:")))


class Scrubber:
    """Hides secrets in texts, and what looks like a secret or gives the same access."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        """Hide ``secrets``; what looks like one is hidden anyway."""
        needles = {needle for secret in secrets for needle in secret.needles()}
        # The longest first: hiding a part of a longer one would leave the rest of it.
        self._needles = sorted(needles, key=lambda needle: (-len(needle), needle))

    def __repr__(self) -> str:
        """Show the number of needles only."""
        return f"Scrubber({len(self._needles)} needles)"

    def is_clean(self, text: str) -> bool:
        """Say whether ``text`` holds nothing to hide, however it is escaped."""
        layers = list(_layers(text))
        return len(layers) <= _DEEPEST and all(map(self._is_plain, layers))

    def _is_plain(self, text: str) -> bool:
        low = text.lower()
        return not (
            ("astracs:" in low and _LOOKALIKE.search(text))
            or ("AstraCS" in text and holds_secret(text.encode(errors="replace")))
            or (_has_signs(low) and _SIGNED.search(text))
            or any(prefix in text for prefix in _ENCODED)
            or any(needle in text for needle in self._needles)
            or holds_form(text.encode("ascii", "replace"))
            or holds_encoded_form(text)
        )

    def scrub(self, text: str) -> str:
        """Hide what is secret in ``text``; hide all of it if a secret is escaped."""
        clean = text
        for needle in self._needles:
            clean = clean.replace(needle, HIDDEN)
        clean = _SIGNED.sub(HIDDEN, _LOOKALIKE.sub(f"AstraCS:{HIDDEN}", clean))
        clean = hide_forms(clean, HIDDEN)
        return clean if self.is_clean(clean) else f"{HIDDEN}: a text that hides a secret"


def _has_signs(low: str) -> bool:
    """Say whether a parameter of a signed address is in ``low``, which is in lower case.

    A quick test before the slow pattern: addresses are frequent, such parameters are rare.
    """
    for mark in "?&":
        at = low.find(mark)
        while at >= 0:
            if low.startswith(_SIGNS, at + 1):
                return True
            at = low.find(mark, at + 1)
    return False


def _layers(text: str) -> Iterator[str]:
    """Yield ``text`` itself, and without one, two … layers of escapes."""
    yield text
    for _ in range(_DEEPEST):
        plain = _unescaped(text)
        if plain == text:
            return
        yield plain
        text = plain


def _unescaped(text: str) -> str:
    """Undo the escapes of JSON, of URLs and of HTML."""
    if "\\" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if "%" in text:
        text = unquote(text)
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    decimal, hexadecimal = entity.groups()
    return chr(int(decimal or hexadecimal or "3A", 10 if decimal else 16))


def without_secrets(text: str) -> str:
    """Hide whatever looks like a credential, or like a signed URL."""
    return Scrubber().scrub(text)


def refuse_leaks(files: Iterable[Path], secrets: Iterable[Secret] = ()) -> None:
    """Search written files for secrets; raise LeakError with those that must be removed.

    A missing file is no leak. What looks like a credential counts as one.
    """
    search = SecretSearch(secrets)
    leaks = [file for file in files if file.is_file() and file_leaks(file, search)]
    if leaks:
        raise LeakError(leaks)


def file_leaks(file: Path, search: SecretSearch) -> bool:
    """Return whether ``search`` finds a secret in ``file``."""
    stream = search.stream()
    with file.open("rb") as handle:
        return any(map(stream.found_with, iter(lambda: handle.read(_CHUNK), b"")))


class SecretSearch:
    """Searches bytes for known secrets, and for what looks like a credential."""

    __slots__ = ("_needles",)

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        """Search for ``secrets``, and for what looks like one."""
        self._needles = LiteralSearch(
            needle.encode() for secret in secrets for needle in secret.needles()
        )

    def is_in(self, block: bytes) -> bool:
        """Return whether ``block`` holds a secret."""
        return self._needles.is_in(block) or holds_secret(block)

    def stream(self) -> StreamSearch:
        """Return a search of bytes that come in blocks."""
        return StreamSearch(self)


class StreamSearch:
    """Searches bytes that come block by block, of which two may cut a secret.

    Attributes:
        found: whether a secret was in any block so far.
        size: how many bytes came so far.
    """

    def __init__(self, search: SecretSearch) -> None:
        """Search by ``search``."""
        self.found = False
        self.size = 0
        self._search = search
        self._tail = b""

    def add(self, block: bytes) -> None:
        """Search ``block``, which follows the one before."""
        self.size += len(block)
        if self.found:
            return
        joined = self._tail + block
        self.found = self._search.is_in(joined)
        self._tail = joined[-_OVERLAP:]

    def found_with(self, block: bytes) -> bool:
        """Search ``block``; return whether a secret was in any block so far."""
        self.add(block)
        return self.found


@cache
def _marks() -> LiteralSearch:
    return LiteralSearch((*_LITERALS, *MARKS))


def holds_secret(block: bytes, needles: Iterable[bytes] = ()) -> bool:
    """Say whether ``block`` holds what looks like a credential, or any of ``needles``."""
    if _marks().is_in(block) and (_SUSPICIOUS.search(block) or holds_form(block)):
        return True
    return any(needle in block for needle in needles)


def lines_with_secret(block: bytes, first: int = 1) -> Iterator[int]:
    """Yield the number of each line of ``block`` that holds what looks like a credential."""
    if holds_secret(block):
        for number, line in enumerate(block.split(b"\n"), first):
            if holds_secret(line):
                yield number
