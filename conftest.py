"""Wires inventory, checks and reports to pytest."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.engine.outcome import FindingGroup
    from cmek_audit.run.option_values import Options
    from cmek_audit.run.options import Option
    from cmek_audit.run.report_folder import ReportFolder
    from inventory.astra.collector import Progress

FOLDER: pytest.StashKey[ReportFolder] = pytest.StashKey()
"""Where a run keeps the report folder in which its audit has begun."""

_LONGEST_LINE = 2_000
CHECKS = Path(__file__).resolve().parent / "checks"


# --- options --------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer every option, each with its ini twin."""
    from cmek_audit.run.options import OPTIONS  # noqa: PLC0415 (`pytest tests` does without the suite)

    group = parser.getgroup("cmek", "compliance audit of customer keys in Astra")
    ini_kinds = {"paths": "linelist", "texts": "linelist", "flag": "bool"}
    for option in OPTIONS:
        kwargs: dict[str, Any] = {"action": "store_true"} if option.kind == "flag" else {}
        if option.kind != "flag":
            kwargs = {"action": "append" if option.kind in {"paths", "texts"} else "store"}
            kwargs["metavar"] = option.metavar
        group.addoption(option.flag, default=None, help=option.help, dest=option.ini, **kwargs)
        kind: Any = ini_kinds.get(option.kind, "string")
        parser.addini(option.ini, option.help, type=kind, default=None)
    if not pluginmanager.has_plugin("junitxml"):  # its setting is in pyproject.toml all the same
        parser.addini("junit_family", "the format of junit.xml, which nobody writes in this run")


def _option(name: str) -> Option:
    from cmek_audit.run.options import OPTIONS  # noqa: PLC0415 (as above)

    return next(option for option in OPTIONS if option.name == name)


def _value(config: pytest.Config, option: Option) -> object:
    """Return the value from the command line, else from the ini file, else None.

    A path is in its one spelling, and several are in their one order.
    """
    from inventory.files.named_plans import plans_in_order  # noqa: PLC0415 (as above)
    from inventory.system.paths import normalize_path, sorted_paths  # noqa: PLC0415

    given, start = _given(config, option)
    if option.name == "plan":
        return plans_in_order(given or (), start)
    if option.kind == "paths":
        return sorted_paths(given or (), start)
    is_path = option.kind == "path" and given and given != "env"
    return normalize_path(given, start) if is_path else given


def _given(config: pytest.Config, option: Option) -> tuple[Any, Path]:
    """Return the value as it is given, and where a relative path in it starts."""
    given = config.getoption(option.ini)
    if given is not None:
        return given, Path()
    return config.getini(option.ini), _start(config, option)


def _start(config: pytest.Config, option: Option) -> Path:
    """Return where a relative path starts: where the user is, or, from a file, where that is."""
    told_here = (each.partition("=")[0] for each in config.getoption("override_ini") or ())
    return Path() if option.ini in told_here else config.rootpath


def _options(config: pytest.Config) -> Options:
    from cmek_audit.run.option_values import parse_options  # noqa: PLC0415 (as above)
    from cmek_audit.run.options import OPTIONS  # noqa: PLC0415 (as above)

    values = {option.name.replace("-", "_"): _value(config, option) for option in OPTIONS}
    values |= getattr(config, "workerinput", {}).get("cmek", {})
    return parse_options(
        {name: each for name, each in values.items() if each not in (None, "", ())}
    )


def _is_audit(config: pytest.Config) -> bool:
    """Say whether the arguments lead to the checks, so that this run is an audit."""
    for arg in config.args:
        path = (config.invocation_params.dir / arg.partition("::")[0]).resolve()
        if path == CHECKS or path in CHECKS.parents or CHECKS in path.parents:
            return True
    return False


def _writes(config: pytest.Config) -> bool:
    """Say whether this process is the one that writes the reports."""
    option = config.option
    only_looks = option.collectonly or option.showfixtures or option.show_fixtures_per_test
    return not (only_looks or hasattr(config, "workerinput"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and set what an audit needs where the user did not."""
    for marker in (
        "rule(id): the documented rule that a check judges",
        "severity(level): the severity of a failure",
    ):
        config.addinivalue_line("markers", marker)
    if _is_audit(config) and not hasattr(config, "workerinput"):
        _set_defaults(config)


def _set_defaults(config: pytest.Config) -> None:
    from cmek_audit.run.internal_errors import show_only_places  # noqa: PLC0415
    from cmek_audit.run.pytest_results import NO_AUDIT  # noqa: PLC0415
    from inventory.errors import CmekAuditError  # noqa: PLC0415 (as above)

    show_only_places(config, NO_AUDIT)
    try:
        options = _options(config)
        _refuse_unwritten(config, options)
        if _writes(config):
            _begin(config, options)
    except CmekAuditError as error:
        if _writes(config):
            _set_aside(config)
        raise _unusable(error) from None
    option = config.option
    option.cmek_as_of = option.cmek_as_of or config.getini("cmek_as_of")
    if getattr(option, "tbstyle", "") == "auto":
        option.tbstyle = "no"
    if getattr(option, "reportchars", "") == "fE":
        option.reportchars = ""


def _unusable(error: Exception) -> pytest.UsageError:
    """Return ``error`` as pytest knows it, and say last that there is no audit."""
    from cmek_audit.run.pytest_results import NO_AUDIT  # noqa: PLC0415
    from inventory.text.display import printable  # noqa: PLC0415
    from inventory.text.secrets import without_secrets  # noqa: PLC0415 (as above)

    lines = [printable(without_secrets(line), _LONGEST_LINE) for line in str(error).splitlines()]
    return pytest.UsageError("\n".join([*lines, NO_AUDIT]))


def _refuse_unwritten(config: pytest.Config, options: Options) -> None:
    """Refuse a report that is asked for and that nobody writes, as its plugin is not loaded."""
    from cmek_audit.run.pytest_reports import unavailable  # noqa: PLC0415
    from inventory.errors import SettingError  # noqa: PLC0415 (as above)

    asked = _option("formats")
    if _value(config, asked):
        for report in unavailable(config, options):
            expected = f"the plugin {report.plugin} to be loaded, or other formats"
            raise SettingError(f"{asked.flag}: found {report.name}, expected {expected}")


def _begin(config: pytest.Config, options: Options) -> None:
    """Begin an audit in its report folder, before anything is asked or read."""
    from cmek_audit.run.audit import begin_report  # noqa: PLC0415 (as above)
    from cmek_audit.run.pytest_reports import redirect  # noqa: PLC0415

    folder = begin_report(options)
    config.add_cleanup(folder.close)
    config.stash[FOLDER] = folder
    redirect(folder.staging, config, options)


def _set_aside(config: pytest.Config) -> None:
    """Move an earlier audit to ``previous/``: one that cannot begin must not be taken for it."""
    from cmek_audit.run.option_values import Options  # noqa: PLC0415 (as above)
    from cmek_audit.run.overwritten_inputs import overwritten_inputs  # noqa: PLC0415
    from cmek_audit.run.report_folder import REPLACED, set_aside  # noqa: PLC0415
    from inventory.errors import CmekAuditError  # noqa: PLC0415

    folder = Path(str(_value(config, _option("report-dir")) or Options().report_dir))
    if any(overwritten_inputs(_inputs(config), folder, REPLACED)):
        return
    with suppress(CmekAuditError):
        set_aside(folder)


def _inputs(config: pytest.Config) -> Iterator[Any]:
    """Yield every path that the options may give, whatever else is wrong with these."""
    from cmek_audit.run.options import OPTIONS  # noqa: PLC0415 (as above)
    from cmek_audit.run.overwritten_inputs import GivenPath  # noqa: PLC0415

    for option in OPTIONS:
        value, start = _given(config, option)
        if option.kind in {"path", "paths"} and option.name != "report-dir":
            paths = [value] if option.kind == "path" else [*(value or ())]
            paths += [each.partition("=")[2] for each in paths if option.name == "plan"]
            yield from (GivenPath(option.name, str(start / path)) for path in paths if path)


# --- the audit ------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Read and judge everything before the first item is made of it."""
    config = session.config
    if not _is_audit(config):
        return
    from cmek_audit.run.audit import Audit  # noqa: PLC0415
    from cmek_audit.run.hooks import AuditHooks  # noqa: PLC0415
    from cmek_audit.run.terminal_scrubbing import scrub_terminal  # noqa: PLC0415
    from inventory.errors import CmekAuditError  # noqa: PLC0415 (as above)

    try:
        options = _options(config)
        _refuse_to_ask(config, options)
        with _progress(config, options) as tell:
            folder = config.stash.get(FOLDER, None)
            audit = Audit(options, keep=folder is not None, folder=folder, tell=tell)
    except CmekAuditError as error:
        raise _unusable(error) from None
    scrub_terminal(config, audit.tokens)
    config.pluginmanager.register(AuditHooks(config, audit), "cmek-audit")


@contextmanager
def _progress(config: pytest.Config, options: Options) -> Iterator[Callable[[Progress], None]]:
    """Show how far a live audit is with its reading, past what pytest captures."""
    if not options.live:
        yield lambda _: None
        return
    from cmek_audit.progress import show_progress  # noqa: PLC0415 (a recorded audit needs none)

    capture = config.pluginmanager.getplugin("capturemanager")
    with (
        capture.global_and_fixture_disabled() if capture else nullcontext(),
        show_progress() as tell,
    ):
        yield tell


def _refuse_to_ask(config: pytest.Config, options: Options) -> None:
    """Keep a run that only looks, such as ``--collect-only``, off the network."""
    if options.live and not _writes(config):
        raise pytest.UsageError(
            "--cmek-live: a run that only looks asks no network; look at a recorded audit instead: "
            "--cmek-inventory=BUNDLE"
        )


@pytest.fixture
def group(request: pytest.FixtureRequest) -> FindingGroup:
    """Provide the findings that an item answers for; fail if they could not be judged."""
    from checks.engine.outcome import require_judged  # noqa: PLC0415 (as above)

    group: FindingGroup = request.param
    request.node.user_properties.extend(group.properties())
    return require_judged(group)
