"""``settings``: every setting with its value and source, and what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmek_audit.run.options import OPTIONS
from tests.builders import write_text
from tests.cmek_audit.helpers import command, printed_json


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that is the root of a repository."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_settings_all_are_defaults() -> None:
    """Every option is listed, in the order of the table."""
    done = command("settings", "--json")
    data = printed_json(done)
    assert (done.exit_code, data["file"], data["problems"]) == (0, None, [])
    assert [entry["name"] for entry in data["settings"]] == [option.name for option in OPTIONS]
    assert {entry["source"] for entry in data["settings"]} == {"default"}
    values = {entry["name"]: entry["value"] for entry in data["settings"]}
    assert [values[name] for name in ("fail-on", "no-waivers", "plan", "live", "kms")] == [
        "low",
        False,
        [],
        None,
        ["recorded"],
    ]


def test_what_is_set_has_its_source(here: Path) -> None:
    """A variable and a line of the file are named; paths are in their one spelling."""
    write_text(here / "cmek-audit.toml", "inventory = ['./b.yaml', 'a.yaml']\nfail-on = 'high'\n")
    environment = {"CMEK_FAIL_ON": "low", "CMEK_NO_WAIVERS": "yes"}
    done = command("settings", environment=environment)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "Settings file: cmek-audit.toml"
    assert {
        "inventory a.yaml, b.yaml cmek-audit.toml:1",
        "fail-on low CMEK_FAIL_ON",
        "no-waivers yes CMEK_NO_WAIVERS",
        "allow-inconclusive no default",
        "plan not set default",
    } <= set(lines)


def test_what_cannot_be_used_ends_with_4(here: Path) -> None:
    """Each problem is on stderr with its place, and in JSON; the rest is listed all the same."""
    write_text(here / "cmek-audit.toml", "foo = 1\nfail-on = 'hihg'\nformats = ['json', 'pfd']\n")
    environment = {"CMEK_PLAN": "a=b.yaml:a=c.yaml", "CMEK_FAILON": "low"}
    done = command("settings", "--json", environment=environment)
    data = printed_json(done)
    assert (done.exit_code, data["exit_code"]) == (4, 4)
    assert [problem.partition(": found")[0] for problem in data["problems"]] == [
        "cmek-audit.toml:1",
        "CMEK_FAILON",
        "CMEK_PLAN",
        "cmek-audit.toml:2: fail-on",
        "cmek-audit.toml:3: formats",
    ]
    assert done.stderr.splitlines() == data["problems"]
    (plan,) = (entry for entry in data["settings"] if entry["name"] == "plan")
    assert plan["value"] == ["a=b.yaml", "a=c.yaml"]


def test_options_that_need_each_other_may_come_from_two_places(here: Path) -> None:
    """What a run gets on its command line is unknown here, so it is not missed."""
    write_text(here / "cmek-audit.toml", "fail-on-new = true\nshard = '1/2'\n")
    assert command("settings", environment={}).exit_code == 0


def test_a_token_in_a_setting_is_not_shown() -> None:
    """A token that was put into a setting by mistake stays out of the list."""
    secret = "AstraCS:" + "not-a-real-token:" + "1" * 20
    for words in (["settings"], ["settings", "--json"]):
        done = command(*words, environment={"CMEK_LIVE": secret, "CMEK_FRAMEWORK": secret})
        assert done.exit_code == 0
        assert "not-a-real-token" not in done.output
