"""Two rules as checks of Checkov: each sees one resource, so the keys come from a file beside.

``CMEK_KEYS`` names it: the time of registration of each key, by its scope.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

KEYS: dict[str, str] = json.loads(Path(os.environ["CMEK_KEYS"]).read_bytes())


def _registered(conf: dict[str, Any]) -> str | None:
    return KEYS.get(conf["scope"][0])


class KeyOfScope(BaseResourceCheck):  # type: ignore[misc]
    """The scope of a database has a key."""

    def __init__(self) -> None:
        """Register the check."""
        super().__init__(
            name="The scope has a key",
            id="CMEK_1",
            categories=[CheckCategories.ENCRYPTION],
            supported_resources=["astra_database"],
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """Judge one database."""
        return CheckResult.PASSED if _registered(conf) else CheckResult.FAILED


class KeyBeforeDeployment(BaseResourceCheck):  # type: ignore[misc]
    """The key was registered before the database was deployed."""

    def __init__(self) -> None:
        """Register the check."""
        super().__init__(
            name="The key came first",
            id="CMEK_2",
            categories=[CheckCategories.ENCRYPTION],
            supported_resources=["astra_database"],
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """Judge one database."""
        registered = _registered(conf)
        is_first = registered is not None and registered < conf["added_at"][0]
        return CheckResult.PASSED if is_first else CheckResult.FAILED


keys, order = KeyOfScope(), KeyBeforeDeployment()
