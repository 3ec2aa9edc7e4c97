"""The suite's options as pytest has them: on its command line and in its ini file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cmek_audit.run.options import OPTIONS
from cmek_audit.run.pytest_options import (
    SETTINGS,
    given_inputs,
    is_audit,
    is_worker,
    option_named,
    option_value,
    read_options,
    setting_values,
    used_settings,
    writes_reports,
)
from cmek_audit.settings.settings import read_settings
from inventory.errors import SettingError
from tests.builders import write_text

CHECKS = Path(__file__).resolve().parents[3] / "checks"
LOOKS = ("collectonly", "showfixtures", "show_fixtures_per_test")


def _config(
    line: Mapping[str, object] | None = None,
    ini: Mapping[str, object] | None = None,
    *,
    args: tuple[str, ...] = (),
    overridden: tuple[str, ...] = (),
    look: str = "",
) -> pytest.Config:
    """Return a configuration with these options on the command line and in the ini file."""
    names = {option.name: option.ini for option in OPTIONS}
    on_line = {names[name]: value for name, value in (line or {}).items()}
    in_ini = {names[name]: value for name, value in (ini or {}).items()}
    config: Any = SimpleNamespace(
        getoption={**on_line, "override_ini": overridden}.get,
        getini=in_ini.get,
        rootpath=Path("/project"),
        inipath=Path("/project/pytest.ini"),
        stash=pytest.Stash(),
        args=args,
        invocation_params=SimpleNamespace(dir=CHECKS.parent),
        option=SimpleNamespace(**{name: name == look for name in LOOKS}),
    )
    return cast("pytest.Config", config)


def _value(config: pytest.Config, name: str) -> object:
    return option_value(config, option_named(name))


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (("checks",), True),
        ((str(CHECKS),), True),
        ((".",), True),
        (("checks/check_scope_has_key.py::check_scope_has_key",), True),
        (("tests", "checks"), True),
        (("tests",), False),
        (("checks_of_mine",), False),
        ((), False),
    ],
)
def test_a_run_that_leads_to_the_checks_is_an_audit(args: tuple[str, ...], *, found: bool) -> None:
    """Any argument that is the folder of the checks, holds it, or is in it makes an audit."""
    assert is_audit(_config(args=args), CHECKS) is found


@pytest.mark.parametrize("look", LOOKS)
def test_a_run_that_only_looks_writes_nothing(look: str) -> None:
    """A run that runs no check has nothing to report."""
    assert writes_reports(_config())
    assert not writes_reports(_config(look=look))


def test_a_worker_writes_nothing() -> None:
    """Only the main process writes, and it hands the workers what it resolved."""
    config = _config({"fail-on": "high"})
    resolved = {"inventory": ["/a.yaml"], "fail_on_new": False}
    config.workerinput = {"cmek": resolved}  # type: ignore[attr-defined]
    assert is_worker(config)
    assert not writes_reports(config)
    options = read_options(config)
    assert (options.inventory, options.fail_on) == (("/a.yaml",), "high")


def test_the_command_line_wins_over_the_ini_file() -> None:
    """A value of the command line replaces that of the ini file; it is not added to it."""
    config = _config({"report-dir": "mine"}, {"report-dir": "theirs", "fail-on": "high"})
    assert (_value(config, "report-dir"), _value(config, "fail-on")) == ("mine", "high")


def test_a_path_in_the_ini_file_begins_there() -> None:
    """A relative path begins where it is written: at the ini file, or where the user is."""
    ini = {"inventory": ["b.yaml", "a.yaml"], "plan": ["x=p.json"]}
    assert _value(_config(ini=ini), "inventory") == ("/project/a.yaml", "/project/b.yaml")
    assert _value(_config(ini=ini), "plan") == ("x=/project/p.json",)
    assert _value(_config({"inventory": ["b.yaml"]}), "inventory") == ("b.yaml",)
    overridden = _config(ini={"report-dir": "r"}, overridden=("cmek_report_dir=r",))
    assert _value(overridden, "report-dir") == "r"


def test_the_organization_of_the_token_is_no_path() -> None:
    """``env`` names the environment, wherever it is written."""
    assert _value(_config(ini={"live": "env"}), "live") == "env"


def test_unusable_options_are_named_all_at_once() -> None:
    """Whoever has mistyped two options learns of both."""
    with pytest.raises(SettingError) as caught:
        read_options(_config({"fail-on": "severe", "group": "town"}))
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "--cmek-fail-on",
        "--cmek-group",
    ]


def test_inputs_are_found_even_if_other_options_are_unusable() -> None:
    """Every path that may be an input is named, of a plan also without its name."""
    config = _config({"plan": ["a=b.json"], "fail-on": "severe", "report-dir": "r"}, {"live": "o"})
    assert [(given.option, given.path) for given in given_inputs(config)] == [
        ("live", "/project/o"),
        ("plan", "a=b.json"),
        ("plan", "b.json"),
    ]


# --- settings -------------------------------------------------------------------------------------


def _with_settings(config: pytest.Config, folder: Path, text: str, **variables: str) -> None:
    """Let the run of ``config`` have these settings."""
    file = write_text(folder / "s.toml", text)
    config.stash[SETTINGS] = read_settings(folder, {"CMEK_SETTINGS": file, **variables})


def test_who_gives_a_value_decides(tmp_path: Path) -> None:
    """The command line is before a variable, that before the file, and that before the default."""
    config = _config({"fail-on": "low"}, {"jobs": "4"})
    settings = "fail-on = 'high'\nmax-age = '5d'\ngroup = 'rule'\n"
    _with_settings(config, tmp_path, settings, CMEK_FAIL_ON="medium", CMEK_GROUP="organization")
    options = read_options(config)
    assert (options.fail_on, options.group, options.jobs) == ("low", "organization", 4)
    assert [str(given) for given in used_settings(config)] == [
        f"max-age=5d from {tmp_path}/s.toml:2",
        "group=organization from CMEK_GROUP",
        "jobs=4 from cmek_jobs in /project/pytest.ini",
    ]
    assert setting_values(config) == {"max_age": "5d", "group": "organization", "jobs": "4"}


def test_settings_file_and_ini_file_must_not_contradict(tmp_path: Path) -> None:
    """Each option to which they give different values is named; the same value is none."""
    config = _config(ini={"fail-on": "low", "group": "rule", "jobs": "4"})
    _with_settings(config, tmp_path, "fail-on = 'high'\ngroup = 'auto'\njobs = 4\n")
    with pytest.raises(SettingError) as caught:
        read_options(config)
    assert [line.partition(", expected")[0] for line in str(caught.value).splitlines()] == [
        f"{tmp_path}/s.toml:1: fail-on: found another value in cmek_fail_on in /project/pytest.ini",
        f"{tmp_path}/s.toml:2: group: found another value in cmek_group in /project/pytest.ini",
    ]
    typed = _config(ini={"fail-on": "low"}, overridden=("cmek_fail_on=low",))
    _with_settings(typed, tmp_path, "fail-on = 'high'\n")
    assert read_options(typed).fail_on == "low"


def test_a_worker_reads_no_settings(tmp_path: Path) -> None:
    """A process of xdist has the values of the run, and none of the place where it is."""
    config = _config()
    config.workerinput = {"cmek": {"fail_on": "high"}}  # type: ignore[attr-defined]
    _with_settings(config, tmp_path, "allow-inconclusive = true\n")
    options = read_options(config)
    assert (options.fail_on, options.allow_inconclusive) == ("high", False)


def test_settings_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    """What is wrong in settings ends a run even where the command line gives the option."""
    config = _config({"fail-on": "low"})
    _with_settings(config, tmp_path, "fail-on = 3\n")
    with pytest.raises(SettingError, match="fail-on: found 3, expected a text"):
        read_options(config)
