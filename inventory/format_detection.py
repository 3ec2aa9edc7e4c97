"""What was given where a plan or a state of Terraform is meant, and what to run instead."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Wanted(NamedTuple):
    """What an option takes of Terraform.

    Attributes:
        kind: a plan or a state.
        option: the name of the option.
        command: what prints it.
    """

    kind: Literal["plan", "state"]
    option: str
    command: str

    @property
    def printed(self) -> str:
        """Say what is expected, and what to run for it."""
        return f"a {self.kind}, as this prints it: {self.command}"


PLAN = Wanted(
    "plan",
    "--cmek-plan",
    "terraform plan -out=plan.bin && terraform show -json plan.bin > plan.json",
)
STATE = Wanted("state", "--cmek-state", "terraform show -json > state.json")


def mistaken(wanted: Wanted) -> tuple[str, str]:
    """Say what was found, and what is expected, where the other kind was given."""
    if wanted.kind == "plan":
        return "a state, which plans nothing", f"{wanted.printed}; a state goes to {STATE.option}"
    return "a plan, which is no state", f"{wanted.printed}; a plan goes to {PLAN.option}"
