"""A small provider of the shape of Astra's, which Terraform starts as a plugin.

Its organizations, databases and keys are in the file that ``ASTRA_STAND_IN`` names. The token
decides whose they are.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import tf.provider
from tf.runner import run_provider
from tf.schema import Attribute, Schema
from tf.types import String

from tests.inventory.terraform.provider.cloud import Cloud
from tests.inventory.terraform.provider.resources import CustomerKey, Database, FirstDatabase

_SETTINGS = ("astra_api_url", "astra_apps_domain", "streaming_api_url")


class AstraProvider:
    """The provider, once for each of its configurations."""

    cloud: Cloud

    def get_model_prefix(self) -> str:
        return "astra_"

    def full_name(self) -> str:
        return "datastax/astra"

    def get_provider_schema(self, diagnostics: object) -> Schema:
        settings = [Attribute(name, String(), optional=True) for name in _SETTINGS]
        return Schema([Attribute("token", String(), optional=True, sensitive=True), *settings])

    def validate_config(self, diagnostics: object, config: object) -> None:
        """Accept whatever the schema accepts."""

    def configure_provider(self, diagnostics: Any, config: dict[str, Any]) -> None:  # noqa: ANN401
        token = config.get("token") or os.environ["ASTRA_API_TOKEN"]
        self.cloud = Cloud(Path(os.environ["ASTRA_STAND_IN"]), token)

    def get_data_sources(self) -> list[type]:
        return []

    def get_functions(self) -> list[type]:
        return []

    def get_resources(self) -> list[type]:
        return [FirstDatabase if "--first" in sys.argv else Database, CustomerKey]

    def new_resource(self, kind: type) -> object:
        return kind(self)


class _Servicer(tf.provider.ProviderServicer):  # type: ignore[misc]
    """What answers Terraform.

    The vendor's library asks Terraform to bear small differences between what was planned and what
    came of it, such as another case.
    """

    def PlanResourceChange(self, request: object, context: object) -> Any:  # noqa: ANN401, N802
        answer = super().PlanResourceChange(request, context)
        answer.legacy_type_system = True
        return answer

    def ApplyResourceChange(self, request: object, context: object) -> Any:  # noqa: ANN401, N802
        answer = super().ApplyResourceChange(request, context)
        answer.legacy_type_system = True
        return answer


if __name__ == "__main__":
    tf.provider.ProviderServicer = _Servicer  # the library offers no other way
    run_provider(AstraProvider(), sys.argv)
