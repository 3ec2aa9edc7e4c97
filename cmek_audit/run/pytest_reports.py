"""Where pytest writes its own two reports, so that they come and go with the whole audit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from cmek_audit.run.pytest_results import STYLE
from reports.formats.registry import BY_PYTEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.run.option_values import Options


class PytestReport(NamedTuple):
    """A report that a plugin of pytest writes.

    Attributes:
        name: its name among the formats.
        file: the file's name in the report folder.
        destination: the option of pytest that holds its path; it exists only with the plugin.
        plugin: the plugin's name.
        path_of_plugin: the attribute by which the plugin knows the path, and prints it.
    """

    name: str
    file: str
    destination: str
    plugin: str
    path_of_plugin: str

    @property
    def place(self) -> str:
        """Return the file's name, as formats have it."""
        return self.file


_PLUGINS = {
    "results": ("htmlpath", "pytest-html", "_report_path"),
    "junit": ("xmlpath", "junitxml", "logfile"),
}
PYTEST_REPORTS = tuple(
    PytestReport(row.name, row.file, *_PLUGINS[row.name]) for row in BY_PYTEST.values()
)


def unavailable(config: pytest.Config, options: Options) -> list[PytestReport]:
    """Return the reports that were asked for, and whose plugin is not loaded."""
    return [
        report
        for report in PYTEST_REPORTS
        if report.name in options.formats and not hasattr(config.option, report.destination)
    ]


def redirect(staging: Path, config: pytest.Config, options: Options) -> None:
    """Let pytest write the reports into ``staging``, unless the user names another place."""
    for report in PYTEST_REPORTS:
        is_free = getattr(config.option, report.destination, "") is None
        if is_free and report.name in options.formats:
            setattr(config.option, report.destination, str(staging / report.file))
            config.option.self_contained_html = True
    if hasattr(config.option, "css"):
        # The user's own style comes later, and prevails. pytest-html writes the path of a style
        # into the page, so it is one that shows nothing of where the suite is installed.
        config.option.css = [_relative(STYLE), *config.option.css]


def _relative(file: Path) -> str:
    """Return the path of ``file`` from the working directory; as it is on another drive."""
    try:
        return os.path.relpath(file)
    except ValueError:
        return str(file)


def print_final_paths(staging: Path, config: pytest.Config) -> None:
    """Let the plugins print where their reports will be, not where they were written."""
    for plugin, report in _writing_into(staging, config):
        path = getattr(plugin, report.path_of_plugin)
        setattr(plugin, report.path_of_plugin, type(path)(staging.parent.absolute() / report.file))


class QuietReports:
    """A plugin for a quiet run, in which pytest-html prints no path of its report.

    It has to be registered after pytest-html, which writes when a session finishes. Only after that
    the plugins print what they have to show. The plugin of JUnit prints nothing in a quiet run.
    """

    def __init__(self, staging: Path) -> None:
        """Take the report in ``staging`` for the one that is written."""
        self._staging = staging

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Unregister pytest-html, which is done."""
        for plugin, report in [*_writing_into(self._staging, session.config)]:
            if report.name == "results":
                session.config.pluginmanager.unregister(plugin)


def _writing_into(staging: Path, config: pytest.Config) -> Iterator[tuple[object, PytestReport]]:
    """Yield each plugin whose report is in ``staging``, with that report."""
    for plugin in config.pluginmanager.get_plugins():
        for report in PYTEST_REPORTS:
            path = getattr(plugin, report.path_of_plugin, None)
            if isinstance(path, str | Path) and Path(path) == (staging / report.file).absolute():
                yield plugin, report


def custom_paths(staging: Path, config: pytest.Config) -> Iterator[Path]:
    """Yield the paths of reports to which the user gave a place of their own."""
    for report in PYTEST_REPORTS:
        path = getattr(config.option, report.destination, None)
        if path and Path(path).parent != staging:
            yield Path(path)
