"""The suite's options as pytest has them: on its command line, in its ini file, from xdist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmek_audit.run.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from cmek_audit.run.option_values import Options
    from cmek_audit.run.options import Option
    from cmek_audit.run.overwritten_inputs import GivenPath

_INI_TYPES = {"paths": "linelist", "texts": "linelist", "flag": "bool"}
_NOT_GIVEN = (None, "", ())


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

    values = {option.name.replace("-", "_"): option_value(config, option) for option in OPTIONS}
    values |= getattr(config, "workerinput", {}).get("cmek", {})
    return parse_options({name: value for name, value in values.items() if value not in _NOT_GIVEN})


def option_named(name: str) -> Option:
    """Return the option of that name."""
    return next(option for option in OPTIONS if option.name == name)


def option_value(config: pytest.Config, option: Option) -> object:
    """Return the value from the command line, else from the ini file, else None.

    A path is in its one spelling, and several are in their one order.
    """
    from inventory.files.named_plans import plans_in_order  # noqa: PLC0415 (as above)
    from inventory.system.paths import normalize_path, sorted_paths  # noqa: PLC0415 (as above)

    value, base = _given_value(config, option)
    if option.name == "plan":
        return plans_in_order(value or (), base)
    if option.kind == "paths":
        return sorted_paths(value or (), base)
    is_path = option.kind == "path" and value and value != "env"
    return normalize_path(value, base) if is_path else value


def given_inputs(config: pytest.Config) -> Iterator[GivenPath]:
    """Yield every path that the options may give, even if other options are unusable."""
    from cmek_audit.run.overwritten_inputs import GivenPath  # noqa: PLC0415 (as above)

    for option in OPTIONS:
        value, base = _given_value(config, option)
        if option.kind in {"path", "paths"} and option.name != "report-dir":
            paths = [value] if option.kind == "path" else [*(value or ())]
            # A plan may have a name. As what looks like one may be part of the path, take both.
            paths += [path.partition("=")[2] for path in paths if option.name == "plan"]
            yield from (GivenPath(option.name, str(base / path)) for path in paths if path)


def _given_value(config: pytest.Config, option: Option) -> tuple[Any, Path]:
    """Return the value as it is given, and the folder from which a relative path in it starts."""
    value = config.getoption(option.ini)
    if value is not None:
        return value, Path()
    return config.getini(option.ini), _ini_folder(config, option)


def _ini_folder(config: pytest.Config, option: Option) -> Path:
    """Return where a relative path of an ini setting starts: at the ini file.

    If ``-o`` gives the setting, it starts where the user is, as on the command line.
    """
    overridden = (setting.partition("=")[0] for setting in config.getoption("override_ini") or ())
    return Path() if option.ini in overridden else config.rootpath
