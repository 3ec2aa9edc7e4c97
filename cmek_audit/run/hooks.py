"""The pytest hooks of one audit: items from groups, outcomes from findings, reports at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run import pytest_results, terminal
from cmek_audit.run.internal_errors import describe_error
from cmek_audit.run.provenance import describe_run
from cmek_audit.run.pytest_reports import custom_paths, print_final_paths
from cmek_audit.run.report_folder import staging_of
from inventory.errors import LeakError

if TYPE_CHECKING:
    from collections.abc import Generator

    from checks.engine.outcome import FindingGroup
    from cmek_audit.run.audit import Audit

_SHOWN_AS = {
    "inconclusive": ("inconclusive", "I", "INCONCLUSIVE"),
    "waived": ("waived", "w", "WAIVED"),
    "fail": ("below the gate", "b", "BELOW-GATE"),
    "not-applicable": ("not applicable", "-", "NOT-APPLICABLE"),
}
_LEAVING = (pytest.exit.Exception, KeyboardInterrupt, SystemExit)
"""What ends a run on purpose; pytest knows its exit code."""

_KNOWN = ("known from the baseline", "k", "KNOWN")


class AuditHooks:
    """Hooks that are registered for a run that is an audit, and for no other."""

    def __init__(self, config: pytest.Config, audit: Audit) -> None:
        """Serve ``audit`` in the run that ``config`` describes."""
        self._config = config
        self._audit = audit
        self._groups = audit.grouping.groups()
        self._settled: set[tuple[str, str]] = set()
        self._staging = staging_of(Path(audit.options.report_dir))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 (xdist's own)
        """Give every worker what was settled here: it judges the same, and asks nobody."""
        node.workerinput["cmek"] = self._audit.settled()

    def pytest_report_header(self) -> list[str]:
        """Say what is audited, and as of when."""
        return terminal.header(self._audit)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each check its groups, with its rule's id and severity as markers."""
        card = getattr(metafunc.module, "CARD", None)
        if card is None or metafunc.function.__name__ != card.check:
            return
        rule = pytest.mark.rule(id=card.id)
        metafunc.parametrize(
            "group",
            [
                pytest.param(
                    group, id=group.label, marks=(rule, pytest.mark.severity(level=group.severity))
                )
                for group in self._groups[card.id]
            ],
            indirect=True,
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report carry which group it is about, in what any process can send.

        A skip is told to have happened in its check, not in a file of some machine.
        """
        report = yield
        callspec = getattr(item, "callspec", None)
        group: FindingGroup | None = callspec.params.get("group") if callspec else None
        if group is not None:
            carried = dict([*group.properties(), ("key", group.key), ("known", str(group.known))])
            report.cmek = carried  # type: ignore[attr-defined]
            if report.skipped and isinstance(report.longrepr, tuple):
                path, line, _ = item.location
                report.longrepr = (path, (line or 0) + 1, report.longrepr[2])
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember which groups were run to their end."""
        carried = getattr(report, "cmek", None)
        if carried and _speaks(report):
            self._settled.add((carried["rule"], carried["key"]))

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:  # noqa: ANN401 (pytest's union)
        """Show the design's own statuses by their own words."""
        carried = getattr(report, "cmek", None)
        if carried and _speaks(report) and not report.passed:
            status = carried["status"]
            if report.skipped or status == "inconclusive":
                is_known = report.skipped and carried["known"] != "0"
                return _KNOWN if is_known else _SHOWN_AS.get(status)
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, object, object]:
        """Reach the verdict before pytest's own reports, and write all when every plugin is done.

        Only then the exit code is known that the record has to state.
        """
        if not self._audit.keep:
            return (yield)
        outcome, failure = None, self._conclude(session, exitstatus)
        try:
            pytest_results.mark_junit(self._config, self._audit.head)
            outcome = yield
        except _LEAVING:
            self._audit.discard()
            terminal.conclude(self._config, self._audit)
            raise
        except Exception as error:  # noqa: BLE001 (an audit whose reports broke off is none)
            failure = describe_error(error)
        if failure := failure or self._publish(session):
            self._give_up(session)
        terminal.conclude(self._config, self._audit, failure)
        return outcome

    def _conclude(self, session: pytest.Session, exitstatus: int) -> str:
        """Reach the verdict, if the run came to its end; return what to say if that breaks."""
        if exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            return ""
        if not self._settled:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
            return ""
        try:
            head = self._audit.conclude(self._settled)
        except Exception as error:  # noqa: BLE001 (a verdict that could not be reached is none)
            return describe_error(error)
        session.exitstatus = exitstatus or head["verdict"]["exit_code"]
        return ""

    def _publish(self, session: pytest.Session) -> str:
        """Move all reports to their place; return what to say if that is not possible."""
        head, others = self._audit.head, list(custom_paths(self._staging, self._config))
        try:
            if head is None:
                self._audit.publish_none(others)
            else:
                session.exitstatus = session.exitstatus or head["verdict"]["exit_code"]
                self._audit.publish(describe_run(self._config, int(session.exitstatus)), others)
        except LeakError as error:
            return f"{error}. It was removed."
        except Exception as error:  # noqa: BLE001 (an audit that could not be written is none)
            return describe_error(error)
        return ""

    def _give_up(self, session: pytest.Session) -> None:
        """Leave no audit, nor a report elsewhere that states its verdict; end as a crash does."""
        self._audit.discard()
        for report in custom_paths(self._staging, self._config):
            report.unlink(missing_ok=True)
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the actions, and the waivers that ask for somebody."""
        print_final_paths(self._staging, self._config)
        if self._audit.head is not None:
            terminal.summarize(terminalreporter, self._audit.head)
            terminal.warn_of_waivers(terminalreporter, self._audit.head)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:  # noqa: ANN401 (pytest-html's own)
        """Name the page of results."""
        report.title = pytest_results.TITLE

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Put our columns into the table of results."""
        pytest_results.header(cells)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Fill our columns; drop rows that a browser would choke on."""
        pytest_results.row(report, cells, self._audit)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put verdict and true counts above the table of results."""
        pytest_results.summary(prefix, self._audit)


def _speaks(report: pytest.TestReport) -> bool:
    """Say whether the report is the one that tells the item's outcome.

    A check itself skips only when it is called; what another plugin skips before that was not run.
    """
    return report.when == "call" or (report.when == "setup" and report.failed)
