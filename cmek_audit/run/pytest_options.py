"""The suite's options as pytest has them: by command line, variable, file, ini file, or xdist."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run.options import OPTIONS
from inventory.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.run.option_values import Options
    from cmek_audit.run.options import Option
    from cmek_audit.run.overwritten_inputs import GivenPath
    from cmek_audit.settings.given import Given, Value
    from cmek_audit.settings.settings import Settings

_INI_TYPES = {"paths": "linelist", "texts": "linelist", "flag": "bool"}
_NOT_GIVEN: tuple[object, ...] = (None, "", (), [])

COMMAND_LINE = "the command line"
"""The source of what the command line gives, by ``-o`` too."""

SETTINGS = pytest.StashKey["Settings"]()
"""Where a run keeps its settings; whoever puts ``NO_SETTINGS`` there makes it ignore all."""

_USED = pytest.StashKey[tuple["Given", ...]]()


def add_options(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer every option, each with its ini twin."""
    group = parser.getgroup("cmek", "compliance audit of customer keys in Astra")
    for option in OPTIONS:
        kwargs: dict[str, Any] = {"action": "store_true"} if option.kind == "flag" else {}
        if option.kind != "flag":
            kwargs = {"action": "append" if option.kind in {"paths", "texts"} else "store"}
            kwargs["metavar"] = option.metavar
        group.addoption(option.flag, default=None, help=option.help, dest=option.ini, **kwargs)
        ini_type: Any = _INI_TYPES.get(option.kind, "string")
        parser.addini(option.ini, option.help, type=ini_type, default=None)
    # The suite's settings name junit_family, and unknown settings end a run.
    if not pluginmanager.has_plugin("junitxml"):
        parser.addini("junit_family", "the format of junit.xml, which nobody writes in this run")


def is_audit(config: pytest.Config, checks: Path) -> bool:
    """Return whether the arguments lead to the folder ``checks``, so that this run is an audit."""
    for arg in config.args:
        path = (config.invocation_params.dir / arg.partition("::")[0]).resolve()
        if path == checks or path in checks.parents or checks in path.parents:
            return True
    return False


def is_worker(config: pytest.Config) -> bool:
    """Return whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")


def writes_reports(config: pytest.Config) -> bool:
    """Return whether this process is the one that writes the reports."""
    return not (is_listing(config) or is_worker(config))


def is_listing(config: pytest.Config) -> bool:
    """Return whether this run only lists what there is."""
    option = config.option
    return bool(option.collectonly or option.showfixtures or option.show_fixtures_per_test)


def read_options(config: pytest.Config) -> Options:
    """Return the checked options; a worker takes what its main process resolved.

    Raises SettingError that names each unusable option.
    """
    from cmek_audit.run.option_values import parse_options  # noqa: PLC0415 (only an audit needs it)

    given = (_given(config, option) for option in OPTIONS)
    config.stash[_USED] = tuple(one for one in given if one and one.source != COMMAND_LINE)
    _settings(config).refuse_problems()
    _refuse_contradictions(config)
    values = {option.field: option_value(config, option) for option in OPTIONS}
    values |= getattr(config, "workerinput", {}).get("cmek", {})
    return parse_options({name: value for name, value in values.items() if value not in _NOT_GIVEN})


def option_named(name: str) -> Option:
    """Return the option of that name."""
    return next(option for option in OPTIONS if option.name == name)


def option_value(config: pytest.Config, option: Option) -> object:
    """Return the value from the command line, else from a variable, else from a file, else None.

    A path is in its one spelling, and several are in their one order.
    """
    given = _given(config, option)
    return given.spelled if given else () if option.kind == "paths" else None


def used_settings(config: pytest.Config) -> tuple[Given, ...]:
    """Return what an audit takes from variables and files; its options must have been read."""
    return config.stash.get(_USED, ())


def setting_values(config: pytest.Config) -> dict[str, object]:
    """Return the values of the settings by field name, for processes that read no settings."""
    return {given.option.field: given.spelled for given in used_settings(config)}


def given_inputs(config: pytest.Config) -> Iterator[GivenPath]:
    """Yield every path that the options may give, even if other options are unusable."""
    from cmek_audit.run.overwritten_inputs import GivenPath  # noqa: PLC0415 (as above)

    for option in OPTIONS:
        given = _given(config, option)
        if given and option.kind in {"path", "paths"} and option.name != "report-dir":
            value = given.value
            paths = list(value) if isinstance(value, tuple) else [str(value)]
            # A plan may have a name. As what looks like one may be part of the path, take both.
            paths += [path.partition("=")[2] for path in paths if option.name == "plan"]
            yield from (GivenPath(option.name, str(given.base / path)) for path in paths if path)


# --- who gives a value ----------------------------------------------------------------------------


def _settings(config: pytest.Config) -> Settings:
    """Return the settings of the run, which are read once; a worker has those it is given."""
    from cmek_audit.settings.settings import NO_SETTINGS, read_settings  # noqa: PLC0415 (as above)

    if is_worker(config):
        return NO_SETTINGS
    if SETTINGS not in config.stash:
        config.stash[SETTINGS] = read_settings(config.invocation_params.dir, os.environ)
    return config.stash[SETTINGS]


def _given(config: pytest.Config, option: Option) -> Given | None:
    """Return the value that counts for an option, with who gives it; None if nobody does."""
    settings = _settings(config)
    return (
        _on_command_line(config, option)
        or settings.variables.get(option.name)
        or settings.in_file.get(option.name)
        or _in_ini_file(config, option)
    )


def _on_command_line(config: pytest.Config, option: Option) -> Given | None:
    """Return what the command line gives, by the option or by ``-o``."""
    value = config.getoption(option.ini)
    if value in _NOT_GIVEN and _is_overridden(config, option):
        value = config.getini(option.ini)
    return _as_given(option, value, COMMAND_LINE, option.flag, Path())


def _in_ini_file(config: pytest.Config, option: Option) -> Given | None:
    """Return what the ini file gives; a relative path starts there."""
    if _is_overridden(config, option):
        return None
    file = str(config.inipath or config.rootpath)
    source = f"{option.ini} in {file}"
    label = f"{file}: {option.ini}"
    return _as_given(option, config.getini(option.ini), source, label, config.rootpath)


def _as_given(option: Option, value: object, source: str, label: str, base: Path) -> Given | None:
    from cmek_audit.settings.given import Given  # noqa: PLC0415 (as above)

    if value in _NOT_GIVEN:
        return None
    known: Value = value if isinstance(value, bool) else str(value)
    if isinstance(value, list | tuple):
        known = tuple(map(str, value))
    return Given(option, known, base, source=source, label=label)


def _is_overridden(config: pytest.Config, option: Option) -> bool:
    """Return whether ``-o`` gives a setting of the ini file."""
    given = (setting.partition("=")[0] for setting in config.getoption("override_ini") or ())
    return option.ini in given


def _refuse_contradictions(config: pytest.Config) -> None:
    """Raise SettingError if the settings file and the ini file give different values."""
    in_file, problems = _settings(config).in_file, []
    for given in in_file.values():
        other = _in_ini_file(config, given.option)
        if other and other.spelled != given.spelled:
            found = f"another value in {other.source}"
            problems.append(f"{given.label}: found {found}, expected one of the two, or one value")
    if problems:
        raise SettingError("\n".join(problems))
