"""The pytest hooks of one audit: items from groups, outcomes from findings, reports at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.execution.tally import group_id
from cmek_audit.internal_errors import describe_error
from cmek_audit.run import pytest_results, terminal
from cmek_audit.run.audit import (
    conclude,
    first_page,
    links_from,
    publish,
    publish_without_audit,
)
from cmek_audit.run.preparation import reproducing_options
from cmek_audit.run.provenance import PUBLISHED, describe_run
from cmek_audit.run.pytest_options import is_worker, setting_values
from cmek_audit.run.pytest_reports import custom_paths, print_final_paths
from cmek_audit.run.report_folder import staging_of
from inventory.errors import LeakError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from checks.engine.outcome import FindingGroup
    from cmek_audit.execution.tally import GroupId
    from cmek_audit.run.audit import Draft
    from cmek_audit.run.judging import Judged
    from cmek_audit.run.provenance import Published
    from reports.model.head import Head

_SHOWN_AS = {
    "inconclusive": ("inconclusive", "I", "INCONCLUSIVE"),
    "waived": ("waived", "w", "WAIVED"),
    "fail": ("below the gate", "b", "BELOW-GATE"),
    "not-applicable": ("not applicable", "-", "NOT-APPLICABLE"),
}
"""How pytest shows a status of ours: its category, its letter, and its word."""

_KNOWN = ("known from the baseline", "k", "KNOWN")

_EXITS = (pytest.exit.Exception, KeyboardInterrupt, SystemExit)
"""What ends a run on purpose; pytest knows its exit code."""


class AuditHooks:
    """Hooks that are registered for a run that is an audit, and for no other.

    They hold what only comes to be while pytest runs: which groups it ran to their end, how many
    rows its table was offered, and the head of the record once there is a verdict.
    """

    def __init__(self, config: pytest.Config, judged: Judged, draft: Draft | None = None) -> None:
        """Show ``judged`` in the run of ``config``; ``draft`` is what it writes, if it does."""
        self._config = config
        self._judged = judged
        self._draft = draft
        self._options = judged.setup.options
        self._staging = staging_of(Path(self._options.report_dir))
        self._finished: set[GroupId] = set()
        self._groups = {group_id(group): group for group in judged.all_groups()}
        self._links = links_from(draft) if draft else None
        self._results: Any = None
        self._rows = 0
        self._head: Head | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 (xdist's own)
        """Let every worker judge the same as this process, and ask no server."""
        resolved = reproducing_options(self._judged.setup)
        node.workerinput["cmek"] = setting_values(self._config) | resolved

    def pytest_report_header(self) -> list[str]:
        """Show what is audited, and as of when."""
        return terminal.header(self._judged)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Warn before very many items are made."""
        if not is_worker(self._config):
            terminal.warn_of_items(self._config, self._judged)

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
                for group in self._judged.groups[card.id]
            ],
            indirect=True,
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the group to its report, in a form that a worker can send."""
        report = yield
        callspec = getattr(item, "callspec", None)
        group: FindingGroup | None = callspec.params.get("group") if callspec else None
        if group is not None:
            properties = [*group.properties(), ("key", group.key), ("known", str(group.known))]
            report.cmek = dict(properties)  # type: ignore[attr-defined]
            _show_fact(report, group, item.location)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember which groups were run to their end."""
        properties = getattr(report, "cmek", None)
        if properties and _has_outcome(report):
            self._finished.add((properties["rule"], properties["key"]))

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:  # noqa: ANN401 (pytest's union)
        """Show the audit's own statuses under their own names; none in a quiet run."""
        properties = getattr(report, "cmek", None)
        if not (properties and _has_outcome(report)):
            return None
        shown = _status_shown(report, properties)
        if terminal.is_quiet(self._config):
            kind = "error" if report.failed and report.when == "setup" else report.outcome
            return (shown[0] if shown else kind, "", "")
        return shown

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, object, object]:
        """Reach the verdict before pytest's own reports, and publish when every plugin is done.

        Only then the exit code is known that the record has to state.
        """
        if self._draft is None:
            return (yield)
        outcome, failure = None, self._conclude(self._draft, session, exitstatus)
        try:
            pytest_results.mark_junit(self._config, self._head)
            outcome = yield
        except _EXITS:
            self._discard(self._draft)
            self._show_verdict()
            raise
        except Exception as error:  # noqa: BLE001 (an audit whose reports broke off is none)
            failure = describe_error(error)
        if failure := failure or self._publish(self._draft, session):
            self._give_up(self._draft, session)
        self._show_verdict(failure)
        return outcome

    def _conclude(self, draft: Draft, session: pytest.Session, exitstatus: int) -> str:
        """Reach the verdict, if the run came to its end; return what to show if that fails."""
        if exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            return ""
        if not self._finished:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
            return ""
        try:
            self._head = conclude(draft, self._finished)
        except Exception as error:  # noqa: BLE001 (a verdict that could not be reached is none)
            return describe_error(error)
        session.exitstatus = exitstatus or self._head["verdict"]["exit_code"]
        return ""

    def _publish(self, draft: Draft, session: pytest.Session) -> str:
        """Move all reports to their place; return what to show if that fails."""
        head, others = self._head, list(custom_paths(self._staging, self._config))
        try:
            if head is None:
                publish_without_audit(draft, others)
            else:
                # Another plugin may have changed the exit code; it never gets better than ours.
                session.exitstatus = session.exitstatus or head["verdict"]["exit_code"]
                run = describe_run(self._config, int(session.exitstatus))
                self._head = publish(draft, head, run, others)
        except LeakError as error:
            return f"{error}. It was removed."
        except Exception as error:  # noqa: BLE001 (an audit that could not be written is none)
            return describe_error(error)
        return ""

    def _give_up(self, draft: Draft, session: pytest.Session) -> None:
        """Leave no audit, nor a report elsewhere that states its verdict; end as a crash does."""
        self._discard(draft)
        for report in custom_paths(self._staging, self._config):
            report.unlink(missing_ok=True)
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def _discard(self, draft: Draft) -> None:
        self._head = None
        draft.discard()

    def _show_verdict(self, failure: str = "") -> None:
        if self._head is not None:
            published: Published = {"folder": self._options.report_dir, "head": self._head}
            self._config.stash[PUBLISHED] = published
        terminal.conclude(self._config, self._options, self._head, failure)

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the actions, and the waivers that need attention."""
        print_final_paths(self._staging, self._config)
        if self._head is not None:
            terminal.summarize(terminalreporter, self._head)
            terminal.warn_of_waivers(terminalreporter, self._head)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:  # noqa: ANN401 (pytest-html's own)
        """Name the page of results; its name will begin with the verdict, once there is one."""
        report.title = pytest_results.TITLE
        self._results = report

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Put our columns into the table of results."""
        pytest_results.header(cells)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Fill our columns; drop rows that are too many for a browser."""
        self._rows += 1
        pytest_results.row(report, cells, self._rows, self._group_of(report), self._links)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """Let each fact of a row lead to its finding."""
        pytest_results.details(report, data, self._group_of(report), self._links)

    def _group_of(self, report: pytest.TestReport) -> FindingGroup | None:
        """Return the group that a row shows; None if it is of another test."""
        properties = getattr(report, "cmek", None)
        return self._groups[properties["rule"], properties["key"]] if properties else None

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put verdict and true counts above the table of results."""
        pytest_results.summary(prefix, self._head, first_page(self._options), self._rows)
        self._results.title = pytest_results.title(self._head)


def _show_fact(
    report: pytest.TestReport, group: FindingGroup, place: tuple[str, int | None, str]
) -> None:
    """Begin the message of an outcome with the fact: pytest puts the exception's name before it.

    The place of a skip becomes that of its check: pytest shows a file of this machine.
    """
    if report.skipped and isinstance(report.longrepr, tuple):
        path, line, _ = place
        report.longrepr = (path, (line or 0) + 1, report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None and crash.message.endswith(text := group.text()):
        crash.message = text


def _status_shown(
    report: pytest.TestReport, properties: Mapping[str, str]
) -> tuple[str, str, str] | None:
    """Return how a status of ours is shown; None for one that pytest has, too."""
    status = properties["status"]
    if report.skipped or (status == "inconclusive" and not report.passed):
        is_known = report.skipped and properties["known"] != "0"
        return _KNOWN if is_known else _SHOWN_AS.get(status)
    return None


def _has_outcome(report: pytest.TestReport) -> bool:
    """Return whether the report is the one with the item's outcome.

    A check itself skips only when it is called; what another plugin skips before that was not run.
    """
    return report.when == "call" or (report.when == "setup" and report.failed)
