"""How what was found is shown: short, visible, and without secrets."""

from __future__ import annotations

import re

from inventory.secrets import without_secrets

_SHOWN = 80
_UNSAFE = re.compile(
    r"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027"
    r"\u3040-\u3098\u309b-\u3163\u3165-\u9fff]"
)


def describe(value: object) -> str:
    """Say in a few words what was found; a secret that stands there is not repeated."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list | tuple):
        kind = "mapping" if isinstance(value, dict) else "list"
        return f"a {kind} of {len(value)}" if value else f"an empty {kind}"
    text = without_secrets(str(value))
    text = ascii(text) if isinstance(value, str) else text
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


def counted(number: int, one: str, many: str = "") -> str:
    """Render a number with what it counts: ``1 key``, ``2,000 keys``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def safe(text: str, width: int = 1_000) -> str:
    """Replace what could steer a terminal or turn its text around, and cut to ``width``."""
    clean = _UNSAFE.sub("?", text)
    return clean if len(clean) <= width else f"{clean[: width - 1]}…"
