"""What a model refuses, and data that it does not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from inventory.model.base import Entry

BY = {"by": "acme-security", "on": "2026-11-01"}


DATABASE: dict[str, Any] = {
    "id": "00000000-0000-4000-8000-0000000000d1",
    "name": "acme-orders",
    "type": "serverless",
    "provider": "aws",
    "regions": [{"name": "us-east-1"}],
}


def refusal(model: type[Entry], data: object) -> tuple[tuple[int | str, ...], str]:
    """Return where and why the only complaint about ``data`` is made."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    (detail,) = caught.value.errors(include_url=False)
    return detail["loc"], detail["msg"]


def without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}
