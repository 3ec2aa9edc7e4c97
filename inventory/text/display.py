"""Displays values in messages: short, visible, and without secrets."""

from __future__ import annotations

from inventory.text.deceptive_text import cut_at, deceptive_positions
from inventory.text.secrets import without_secrets

_SHOWN = 80
_LONGEST = 10_000


def describe(value: object) -> str:
    """Describe a value in a few words, without repeating a secret in it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list | tuple):
        kind = "mapping" if isinstance(value, dict) else "list"
        return f"a {kind} of {len(value)}" if value else f"an empty {kind}"
    if (
        isinstance(value, str) and len(value) > _LONGEST
    ):  # searching it for secrets would take too long
        return f"a text of {len(value):,} characters"
    text = without_secrets(str(value))
    text = ascii(text) if isinstance(value, str) else text
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


def pluralize(number: int, one: str, many: str = "") -> str:
    """Render a number with what it counts: ``1 key``, ``2,000 keys``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def printable(text: str, width: int = 1_000) -> str:
    """Replace characters that control a terminal or deceive a reader, and cut to ``width``."""
    deceptive = deceptive_positions(text)
    clean = text
    if deceptive:
        clean = "".join("?" if at in deceptive else text[at] for at in range(len(text)))
    return clean if len(clean) <= width else f"{clean[: cut_at(clean, width - 1)]}…"
