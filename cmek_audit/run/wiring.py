"""What a run of pytest on the checks does: it begins an audit, judges, and provides groups."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

import pytest

from checks.engine.outcome import require_judged
from cmek_audit.internal_errors import show_only_places
from cmek_audit.run import terminal
from cmek_audit.run.audit import begin_report, draft_audit
from cmek_audit.run.hooks import AuditHooks
from cmek_audit.run.judging import judge, judge_share, prepare_to_go_on
from cmek_audit.run.option_values import Options
from cmek_audit.run.overwritten_inputs import overwritten_inputs
from cmek_audit.run.pytest_options import (
    given_inputs,
    is_listing,
    option_named,
    option_value,
    read_options,
    used_settings,
    writes_reports,
)
from cmek_audit.run.pytest_reports import QuietReports, redirect, unavailable
from cmek_audit.run.pytest_results import NO_AUDIT
from cmek_audit.run.report_folder import REPLACED, set_aside, staging_of
from cmek_audit.run.terminal_scrubbing import scrub_terminal
from cmek_audit.settings.given import by_their_source
from inventory.errors import CmekAuditError, SettingError
from inventory.text.display import printable
from inventory.text.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.engine.outcome import FindingGroup
    from cmek_audit.run.option_values import Share
    from cmek_audit.run.preparation import Prepared
    from cmek_audit.run.report_folder import ReportFolder
    from inventory.astra.collector import Progress

FOLDER: pytest.StashKey[ReportFolder] = pytest.StashKey()
"""Where a run keeps the report folder in which its audit has begun."""

_LONGEST_LINE = 2_000


# --- before anything is read ----------------------------------------------------------------------


def begin_audit(config: pytest.Config) -> None:
    """Refuse what cannot become an audit, begin it in its folder, and set what pytest shows.

    Raises UsageError; an earlier audit is moved out of the way then, too.
    """
    show_only_places(config, NO_AUDIT)
    try:
        options = read_options(config)
        _refuse_unwritten(config, options)
        if writes_reports(config) and (options.shard is None or options.shard.merges):
            _begin_report(config, options)
    except CmekAuditError as error:
        if writes_reports(config):
            _set_aside_earlier(config)
        raise _usage_error(config, error) from None
    _set_defaults(config)


def _refuse_unwritten(config: pytest.Config, options: Options) -> None:
    """Refuse a report that was asked for, but that nobody writes: its plugin is not loaded."""
    formats = option_named("formats")
    if option_value(config, formats):
        for report in unavailable(config, options):
            expected = f"the plugin {report.plugin} to be loaded, or other formats"
            raise SettingError(f"{formats.flag}: found {report.name}, expected {expected}")


def _begin_report(config: pytest.Config, options: Options) -> None:
    """Begin an audit in its report folder, before any server is asked or any file is read."""
    folder = begin_report(options)
    config.add_cleanup(folder.close)
    config.stash[FOLDER] = folder
    redirect(folder.staging, config, options)


def _set_aside_earlier(config: pytest.Config) -> None:
    """Move an earlier audit to ``previous/``: it must not be taken for one that cannot begin."""
    report_dir = option_value(config, option_named("report-dir"))
    folder = Path(str(report_dir or Options().report_dir))
    if any(overwritten_inputs(given_inputs(config), folder, REPLACED)):
        return
    with suppress(CmekAuditError):
        set_aside(folder)


def _set_defaults(config: pytest.Config) -> None:
    """Set what an audit shows, where the user did not: findings need no traceback."""
    option = config.option
    if getattr(option, "tbstyle", "") == "auto":
        option.tbstyle = "no"
    # pytest's summary of failures takes quadratic time, and repeats what the actions say.
    if getattr(option, "reportchars", "") == "fE":
        option.reportchars = ""


def _usage_error(config: pytest.Config, error: CmekAuditError) -> pytest.UsageError:
    """Return ``error`` as pytest knows it; its last line says that there is no audit."""
    text = by_their_source(str(error), used_settings(config))
    lines = [printable(without_secrets(line), _LONGEST_LINE) for line in text.splitlines()]
    return pytest.UsageError("\n".join([*lines, NO_AUDIT]))


# --- the audit ------------------------------------------------------------------------------------


def start_audit(config: pytest.Config) -> None:
    """Read and judge everything, and register the hooks that make items of it.

    Raises UsageError if a file cannot be used.
    """
    folder = config.stash.get(FOLDER, None)
    try:
        hooks = _judge(config, folder)
    except BaseException as error:
        if folder is not None:
            folder.close()
        if isinstance(error, CmekAuditError):
            raise _usage_error(config, error) from None
        raise
    config.pluginmanager.register(hooks, "cmek-audit")
    if terminal.is_quiet(config) and folder is not None:
        staging = staging_of(Path(read_options(config).report_dir))
        config.pluginmanager.register(QuietReports(staging))


def _judge(config: pytest.Config, folder: ReportFolder | None) -> AuditHooks:
    options = read_options(config)
    _refuse_network(config, options)
    with _progress(config, options) as on_progress:
        prepared = prepare_to_go_on(options, on_progress)
    if options.shard and not options.shard.merges and not is_listing(config):
        _judge_share(config, prepared, options.shard)
    scrub_terminal(config, prepared.setup.tokens)
    if folder is None:
        return AuditHooks(config, judge(prepared))
    draft = draft_audit(prepared, folder)
    return AuditHooks(config, draft.judged, draft)


def _judge_share(config: pytest.Config, prepared: Prepared, share: Share) -> NoReturn:
    """Judge a share of the shards, and end the run: there is nothing to report yet."""
    with TemporaryDirectory() as scratch:
        text = judge_share(prepared, share, Path(scratch))
    # pytest itself prints the text of an exit, as the last line; its reporter would do so before.
    config.pluginmanager.unregister(name="terminalreporter")
    pytest.exit(text, returncode=pytest.ExitCode.OK)


def _refuse_network(config: pytest.Config, options: Options) -> None:
    """Keep a run that writes no report, such as ``--collect-only``, off the network."""
    asking = "--cmek-live" if options.live else f"--cmek-kms={','.join(options.kms)}"
    if (options.live or options.asks_clouds) and not writes_reports(config):
        instead = "look at a recorded audit instead: --cmek-inventory=BUNDLE"
        raise pytest.UsageError(f"{asking}: a run that only looks asks no network; {instead}")


@contextmanager
def _progress(config: pytest.Config, options: Options) -> Iterator[Callable[[Progress], None]]:
    """Show how far an audit is with its reading, past what pytest captures."""
    if not (options.live or options.asks_clouds):
        yield lambda _: None
        return
    from cmek_audit.progress import show_progress  # noqa: PLC0415 (a recorded audit needs none)

    capture = config.pluginmanager.getplugin("capturemanager")
    with (
        capture.global_and_fixture_disabled() if capture else nullcontext(),
        show_progress() as on_progress,
    ):
        yield on_progress


def provide_group(request: pytest.FixtureRequest) -> FindingGroup:
    """Return the findings that an item answers for; fail if they could not be judged."""
    group: FindingGroup = request.param
    request.node.user_properties.extend(group.properties())
    return require_judged(group)
