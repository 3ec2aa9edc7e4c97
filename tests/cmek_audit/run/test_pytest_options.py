"""The suite's options as pytest has them: on its command line and in its ini file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cmek_audit.run.options import OPTIONS
from cmek_audit.run.pytest_options import (
    given_inputs,
    is_audit,
    is_worker,
    option_named,
    option_value,
    read_options,
    writes_reports,
)
from inventory.errors import SettingError

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
