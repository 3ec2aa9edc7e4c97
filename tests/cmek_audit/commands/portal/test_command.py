"""``cmek-audit portal``: what to look at in the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inventory.inventory import Inventory
from tests.builders import (
    document_data,
    key_data,
    organization_data,
    plan_data,
    planned_data,
    write_yaml,
)
from tests.cmek_audit.helpers import ROOT, command, printed_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Golden = Callable[[str, str], None]

ACME = "inventory/examples/acme.yaml"
REGISTERED = {"by": "acme-it", "on": "2026-11-01", "at": "2026-05-01T00:00:00Z"}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("text", []),
        ("json", ["--json"]),
        ("form", ["--form"]),
        ("organizations", ["--form=organizations"]),
    ],
)
def test_what_is_printed_is_as_written_down(
    name: str, arguments: list[str], golden: Golden
) -> None:
    """The example's looks, for people, for programs, and as both forms."""
    done = command("portal", "--inventory", ACME, *arguments)
    assert (done.exit_code, done.stderr) == (1, "")
    golden(f"portal-{name}.txt", done.stdout)


def test_nothing_open_is_nothing_to_look_at(tmp_path: Path) -> None:
    """Where every order is known, the exit code is 0 and a form says so in a comment."""
    data = organization_data(keys=[key_data(registered=REGISTERED)])
    file = write_yaml(tmp_path / "acme.yaml", document_data(data))
    arguments = ("portal", "-i", file, "--as-of", "2026-11-21T02:00:00Z")
    assert command(*arguments).exit_code == 0
    done = command(*arguments, "--form")
    assert (done.exit_code, done.stdout) == (0, "# There is nothing to look at.\n")


def test_earlier_records_count(tmp_path: Path) -> None:
    """What an earlier record resolves needs no look."""
    file = write_yaml(tmp_path / "acme.yaml", document_data())
    earlier = document_data(captured_at="2026-05-01T00:00:00Z")
    history = write_yaml(tmp_path / "earlier.yaml", earlier)
    arguments = ("portal", "-i", file, "--as-of=2026-11-21T02:00:00Z", "--json")
    assert len(printed_json(command(*arguments))["looks"]) == 1
    found = printed_json(command(*arguments, "--history", history))
    assert (found["looks"], found["exit_code"]) == ([], 0)
    assert found["sources"]["history"] == [history]


def test_plans_are_read_and_nothing_planned_is_looked_at(tmp_path: Path) -> None:
    """A plan adds no look: what does not exist shows nothing."""
    file = write_yaml(tmp_path / "acme.yaml", document_data())
    plan = write_yaml(tmp_path / "plan.yaml", plan_data(planned_data()))
    done = command("portal", "-i", file, "-p", plan, "--json", "--as-of=2026-11-21T02:00:00Z")
    found = printed_json(done)
    assert [look["kind"] for look in found["looks"]] == ["key"]
    assert found["sources"]["plan"] == [plan]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "expected at least one --inventory"),
        (["-i", ACME, "--form", "--json"], "found --form and --json, expected one of them"),
        (["-i", ACME, "--as-of", "today"], "--as-of: found 'today'"),
        (["-i", "gone.yaml"], "gone.yaml"),
        (["-i", ACME, "--form=csv"], "'csv' is not one of 'inventory', 'organizations'"),
    ],
)
def test_unusable_options_are_refused(arguments: list[str], complaint: str) -> None:
    """What cannot be used ends with 4 and prints nothing on stdout."""
    done = command("portal", *arguments)
    assert (done.exit_code, done.stdout) == (4, "")
    assert complaint in done.stderr


def test_a_printed_form_can_be_read(tmp_path: Path) -> None:
    """What the command prints is an inventory once it is filled in, long lines included."""
    name = "x" * 3_000
    data = organization_data(name=name)
    file = write_yaml(tmp_path / "acme.yaml", document_data(data))
    done = command("portal", "-i", file, "--form", "--as-of=2026-11-21T02:00:00Z")
    text = done.stdout
    for blank, value in (("status:", "in-use"), ("by:", "Ada"), ("on:", "2026-11-10")):
        text = text.replace(f"  {blank} #", f"  {blank} {value} #")
    form = tmp_path / "looks.yaml"
    form.write_text(text, "utf-8")
    [organization] = Inventory([file, str(form)]).organizations()
    assert [key.portal is not None for key in organization.keys or ()] == [True]
