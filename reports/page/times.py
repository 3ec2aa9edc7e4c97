"""Times, lengths of time and differences of clocks, as the auditor's page shows them."""

from __future__ import annotations

from inventory.text.display import pluralize


def short_time(text: str | None) -> str:
    """Shorten a UTC time for people; the page says once that all times are UTC."""
    if not text:
        return "not stated"
    day, _, clock = text.removesuffix("Z").partition("T")
    return f"{day} {clock[:8]}".rstrip()


def age(seconds: int) -> str:
    """Render a length of time in days, or in hours if it is not of whole days."""
    days, rest = divmod(seconds, 86_400)
    return pluralize(seconds // 3_600, "hour") if rest else pluralize(days, "day")


def clock_difference(seconds: float | None) -> str:
    """Render by how many ``seconds`` Astra's clock was ahead of the recorder's."""
    if seconds is None:
        return "not stated"
    if not seconds:
        return "none"
    side = "ahead of" if seconds > 0 else "behind"
    return f"Astra’s clock was {abs(seconds):,.1f} s {side} the recorder’s"
