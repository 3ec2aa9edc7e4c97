"""The verdict as a code."""

from __future__ import annotations

from typing import Literal

Outcome = Literal[
    "broken",
    "not compliant",
    "not established",
    "nothing judged",
    "no customer key",
    "partial",
    "compliant",
]
"""The verdict as a code; the gate has no say in it."""
