"""Plans of keys, as the command makes them: by what it is asked, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.model.key_plan import NUMBERS
from tests.builders import document_data, write_yaml
from tests.cmek_audit.helpers import command, printed_json

if TYPE_CHECKING:
    from pathlib import Path

ACME = ("-i", "inventory/examples/acme.yaml", "-p", "inventory/examples/acme-plan.yaml")
COMPLIANT = ("-i", "inventory/examples/compliant.yaml")


def asked(*arguments: object) -> tuple[int, Any]:
    """Return exit code and answer of ``keys``."""
    done = command("keys", *arguments, "-f", "json")
    assert done.stderr == ""
    answer = printed_json(done)
    assert answer["exit_code"] == done.exit_code
    return done.exit_code, answer


def numbers(answer: Any) -> dict[str, int]:  # noqa: ANN401 (an answer, or an organization's part)
    """Return the numbers that are not zero."""
    return {name: answer[name] for name in NUMBERS if answer[name]}


def saved(folder: Path, *organizations: dict[str, Any]) -> str:
    """Write an inventory that is judged as of its own time."""
    return write_yaml(folder / "i.yaml", document_data(*organizations, example=True))
