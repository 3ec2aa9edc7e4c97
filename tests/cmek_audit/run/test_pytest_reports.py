"""Where pytest writes its own two reports, so that they come and go with the whole audit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cmek_audit.run.option_values import parse_options
from cmek_audit.run.pytest_reports import (
    QuietReports,
    custom_paths,
    print_final_paths,
    redirect,
    unavailable,
)
from cmek_audit.run.pytest_results import STYLE

STAGING = Path("/audits/r/.writing")
BOTH = {"htmlpath": None, "xmlpath": None}


def _config(plugins: tuple[object, ...] = (), **option: object) -> pytest.Config:
    manager = SimpleNamespace(get_plugins=lambda: plugins)
    config: Any = SimpleNamespace(option=SimpleNamespace(**option), pluginmanager=manager)
    return cast("pytest.Config", config)


@pytest.mark.parametrize(
    ("option", "formats", "missing"),
    [
        (BOTH, "results,junit", []),
        ({"xmlpath": None}, "results,junit", ["results"]),
        ({}, "results,junit", ["results", "junit"]),
        ({}, "html", []),
    ],
)
def test_a_report_without_its_plugin_is_unavailable(
    option: Mapping[str, object], formats: str, missing: list[str]
) -> None:
    """The option of a report exists only with its plugin; what nobody asked for is not missed."""
    config = _config()
    vars(config.option).update(option)
    reports = unavailable(config, parse_options({"formats": formats}))
    assert [report.name for report in reports] == missing


def test_reports_are_written_into_the_staging_folder() -> None:
    """Where the user names no place, a report is written beside the audit, in one file."""
    config = _config(htmlpath=None, xmlpath=None)
    redirect(STAGING, config, parse_options({"formats": "results,junit"}))
    assert vars(config.option) == {
        "htmlpath": f"{STAGING}/results.html",
        "xmlpath": f"{STAGING}/junit.xml",
        "self_contained_html": True,
    }
    assert list(custom_paths(STAGING, config)) == []


def test_the_style_of_the_user_prevails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of results gets our style, and after it that of the user.

    pytest-html shows the path of a style in the page: it leads there from the working directory.
    """
    monkeypatch.chdir(tmp_path)
    config = _config(htmlpath=None, css=["mine.css"])
    redirect(STAGING, config, parse_options({}))
    ours, *others = config.option.css
    assert (Path(ours).is_absolute(), Path(ours).read_text("utf-8")) == (False, STYLE.read_text())
    assert others == ["mine.css"]


def test_a_style_on_another_drive_has_its_whole_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no path leads to the style from the working directory, its own is given."""

    def refuse(_: Path) -> str:
        raise ValueError

    monkeypatch.setattr("os.path.relpath", refuse)
    config = _config(htmlpath=None, css=[])
    redirect(STAGING, config, parse_options({}))
    assert config.option.css == [str(STYLE)]


def test_the_place_of_the_user_is_kept() -> None:
    """A report that the user sends elsewhere goes there, and one that nobody asked for nowhere."""
    config = _config(htmlpath=None, xmlpath="mine.xml")
    redirect(STAGING, config, parse_options({"formats": "junit"}))
    assert vars(config.option) == {"htmlpath": None, "xmlpath": "mine.xml"}
    assert list(custom_paths(STAGING, config)) == [Path("mine.xml")]


def test_plugins_print_where_their_report_will_be() -> None:
    """A plugin that prints its path prints the final one; a path of the user stays."""
    staged = SimpleNamespace(logfile=f"{STAGING}/junit.xml")
    page = SimpleNamespace(_report_path=STAGING / "results.html")
    custom = SimpleNamespace(logfile="mine.xml")
    print_final_paths(STAGING, _config((staged, page, custom, SimpleNamespace())))
    assert staged.logfile == "/audits/r/junit.xml"
    assert page._report_path == Path("/audits/r/results.html")
    assert custom.logfile == "mine.xml"


@pytest.mark.parametrize(
    ("attribute", "path", "is_left"),
    [
        ("_report_path", STAGING / "results.html", False),
        ("_report_path", Path("/mine/results.html"), True),
        ("logfile", str(STAGING / "junit.xml"), True),
    ],
)
def test_a_quiet_run_ends_the_plugin_of_results(
    attribute: str, path: object, *, is_left: bool
) -> None:
    """The plugin that would print where the results are is gone when they are written."""
    plugin = SimpleNamespace(**{attribute: path})
    config = _config((plugin,))
    removed: list[object] = []
    cast("Any", config).pluginmanager.unregister = removed.append
    session = cast("pytest.Session", SimpleNamespace(config=config))
    QuietReports(STAGING).pytest_sessionfinish(session)
    assert removed == ([] if is_left else [plugin])
