"""The canonical form of JSON and times, so that equal data gives equal bytes."""

from __future__ import annotations

import json
from datetime import datetime

compact_json = json.JSONEncoder(separators=(",", ":")).encode
"""Renders JSON in one line of ASCII."""


def format_timestamp(time: datetime) -> str:
    """Render a UTC time to the microsecond."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
