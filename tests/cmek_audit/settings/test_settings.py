"""All settings of a run: variables before the file, and everything that cannot be used at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmek_audit.settings.settings import NO_SETTINGS, read_settings
from inventory.errors import SettingError
from tests.builders import write_text


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_variable_wins_over_the_file(here: Path) -> None:
    """A variable replaces what the file gives; it is not added to it."""
    write_text(here / "cmek-audit.toml", "inventory = ['a.yaml']\nfail-on = 'high'\n")
    settings = read_settings(here, {"CMEK_INVENTORY": "b.yaml"})
    assert settings.file == "cmek-audit.toml"
    assert {name: str(settings.get(name)) for name in ("inventory", "fail-on", "plan")} == {
        "inventory": "inventory=b.yaml from CMEK_INVENTORY",
        "fail-on": "fail-on=high from cmek-audit.toml:2",
        "plan": "None",
    }


def test_the_file_can_be_named(here: Path) -> None:
    """``CMEK_SETTINGS`` names the file, and ``none`` reads none."""
    write_text(here / "cmek-audit.toml", "fail-on = 'high'\n")
    write_text(here / "other.toml", "fail-on = 'low'\n")
    values = {
        name: read_settings(here, {"CMEK_SETTINGS": name}).get("fail-on")
        for name in ("other.toml", "none", "")
    }
    assert {name: given and given.value for name, given in values.items()} == {
        "other.toml": "low",
        "none": None,
        "": "high",
    }
    (problem,) = read_settings(here, {"CMEK_SETTINGS": "gone.toml"}).problems
    assert problem == "gone.toml: found nothing, expected a file of settings"


def test_everything_that_cannot_be_used_is_named_at_once(here: Path) -> None:
    """Each mistake is reported, and what is usable is there all the same."""
    write_text(here / "cmek-audit.toml", "fail-on = 3\nreport-dir = 'r'\nxyz = 1\n")
    settings = read_settings(here, {"CMEK_NO_WAIVERS": "maybe", "CMEK_FOO": "1"})
    assert [problem.partition(": ")[0] for problem in settings.problems] == [
        "CMEK_NO_WAIVERS",
        "cmek-audit.toml:1",
        "cmek-audit.toml:3",
        "CMEK_FOO",
    ]
    assert settings.get("report-dir") is not None
    with pytest.raises(SettingError) as caught:
        settings.refuse_problems()
    assert str(caught.value).splitlines() == list(settings.problems)


def test_a_token_may_be_named_by_the_organizations_file_that_is_set(here: Path) -> None:
    """The organizations file of the settings names variables, which are no mistyped settings."""
    write_text(here / "o.yaml", "organizations:\n- {token: CMEK_ACME}\n")
    write_text(here / "cmek-audit.toml", "live = 'o.yaml'\n")
    assert read_settings(here, {"CMEK_ACME": "x"}).problems == ()


def test_without_settings_nothing_is_set() -> None:
    """An audit that is made once more takes nothing from where that is done."""
    NO_SETTINGS.refuse_problems()
    assert (NO_SETTINGS.file, NO_SETTINGS.get("fail-on")) == ("", None)
