"""Every configuration of Astra of which it is recorded what Terraform printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.inventory.terraform.provider.cloud import Cloud

HERE = Path(__file__).parent
SCENES = HERE / "scenes"
RECORDED = HERE / "recorded"


class Scene(NamedTuple):
    """One run of Terraform.

    Attributes:
        name: what it is called.
        within: the folder of its configurations, if it is called otherwise: ``before`` is applied,
            ``after`` is planned.
        flags: further arguments of ``terraform plan``.
        is_state: whether the state is shown, not a plan.
        outside: what is changed between these two without Terraform.
    """

    name: str
    within: str = ""
    flags: tuple[str, ...] = ()
    is_state: bool = False
    outside: Callable[[Cloud], None] | None = None

    @property
    def folder(self) -> Path:
        """Return the folder of its configurations."""
        return SCENES / (self.within or self.name)

    @property
    def source(self) -> Path:
        """Return the folder of the configuration that was planned."""
        return self.folder / ("before" if self.is_state else "after")

    def recorded(self) -> Path:
        """Return the file that holds what Terraform printed of it."""
        return RECORDED / f"{self.name}.json"


ALL = (
    Scene("new"),
    Scene("old"),
    Scene("grown"),
    Scene("target", "grown", ("-target=astra_database.new",)),
    Scene("unrefreshed", "grown", ("-refresh=false",)),
    Scene("destroyed", "grown", ("-destroy",)),
    Scene("refreshed", "grown", ("-refresh-only",)),
    Scene("replaced", flags=("-replace=astra_database.forced",)),
    Scene("gone"),
    Scene("same"),
    Scene("state", is_state=True),
    Scene("errored"),
    Scene("none"),
)
