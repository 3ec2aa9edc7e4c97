"""Every configuration of Astra of which it is recorded what Terraform printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.builders import uuid

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


# --- what happens without Terraform ---------------------------------------------------------------


def _add_region(cloud: Cloud) -> None:
    """Give each database a further region."""
    with cloud.opened() as data:
        for database in data["databases"].values():
            database["regions"].append("eu-west-1")


def _delete_orders(cloud: Cloud) -> None:
    """Delete one of the databases."""
    with cloud.opened() as data:
        found = [one["id"] for one in data["databases"].values() if one["name"] == "orders"]
        del data["databases"][found[0]]


def _lose_keys(cloud: Cloud) -> None:
    """Remove every key."""
    with cloud.opened() as data:
        data["keys"].clear()


def _have_orders(cloud: Cloud) -> None:
    """Create a database that Terraform does not know yet."""
    own = {"id": uuid(3), "organization": uuid(1), "name": "orders", "cloud_provider": "aws"}
    with cloud.opened() as data:
        data["databases"][uuid(3)] = own | {"regions": ["us-east-1"]}


# --- the scenes -----------------------------------------------------------------------------------

CHANGES = (
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
    Scene("elsewhere"),
)
"""Every kind of change of databases."""

ORDERS = (
    Scene("race"),
    Scene("depends-on"),
    Scene("reference"),
    Scene("region-of-key"),
    Scene("local-value"),
    Scene("intermediate"),
    Scene("precondition"),
    Scene("triggered"),
    Scene("each-literal"),
    Scene("each-key"),
    Scene("module-together"),
    Scene("module-depends-on"),
    Scene("module-input"),
    Scene("module-input-unused"),
    Scene("module-output"),
    Scene("module-output-constant"),
    Scene("module-output-depends-on"),
    Scene("depends-on-module"),
    Scene("key-last"),
)
"""A key and a database, both new, and whatever may order them."""

KEYS = (
    Scene("key-replaced"),
    Scene("key-of-another-region"),
    Scene("second-key"),
    Scene("key-deleted"),
    Scene("key-unknown"),
)
"""What happens to keys beside databases."""

FURTHER = (
    Scene("forgotten"),
    Scene("moved"),
    Scene("imported", outside=_have_orders),
    Scene("sensitive"),
    Scene("two-providers"),
    Scene("shared"),
    Scene("drift", outside=_add_region),
    Scene("drift-refreshed", "drift", ("-refresh-only",), outside=_add_region),
    Scene("drift-deleted", "drift", outside=_delete_orders),
    Scene("drift-key", "drift", outside=_lose_keys),
    Scene("json"),
    Scene("names"),
    Scene("spelled"),
    Scene("respelled"),
)
"""What else a configuration may hold, and what may happen to it."""

ALL = (*CHANGES, *ORDERS, *KEYS, *FURTHER)
