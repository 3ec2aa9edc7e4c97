"""Two rules as tests of frost, each for every database, as its own tests are written.

``CMEK_INPUT`` names a file with the databases, and the times of registration by scope.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

GIVEN: dict[str, Any] = json.loads(Path(os.environ["CMEK_INPUT"]).read_bytes())
EACH = pytest.mark.parametrize("database", GIVEN["databases"], ids=lambda database: database["id"])


@EACH
def test_scope_has_key(database: dict[str, Any]) -> None:
    """The scope of a database has a key."""
    assert database["scope"] in GIVEN["keys"]


@EACH
def test_key_came_first(database: dict[str, Any]) -> None:
    """The key was registered before the database was deployed."""
    assert GIVEN["keys"].get(database["scope"], "9999") < database["added_at"]
