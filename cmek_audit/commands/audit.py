"""``cmek-audit audit``: runs pytest on the suite's checks, from wherever the user is."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING

import click

from cmek_audit import install_location
from cmek_audit.commands.audit_options import AuditCommand
from cmek_audit.console import write_json
from cmek_audit.exit_codes import interruptible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

    from cmek_audit.commands.audit_options import CommandLine
    from cmek_audit.run.provenance import Published


@click.command(
    cls=AuditCommand,
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "help_option_names": ["--help"],  # -h is read by the command itself
    },
    options_metavar="[OPTIONS] [PYTEST OPTIONS]",
)
@click.pass_obj
@interruptible("there is no audit")
def audit(command_line: CommandLine) -> int:
    """Judge an inventory by all rules and write the reports.

    The audit is a pytest run of the suite's checks. Options that are not listed here go to pytest,
    such as -k EXPRESSION, -x and -v. So does everything after --: "audit -- --help" lists pytest's
    options. Without an inventory the bundled example is audited. The exit code is the gate.

    Each option can be set by a variable, such as CMEK_FAIL_ON, and in a file, cmek-audit.toml or
    [tool.cmek-audit] in pyproject.toml. "cmek-audit settings" lists what is set.

    \b
    Exit codes:
      0  compliant, or the gate lets it pass
      1  not compliant, or compliance is not established
      2  interrupted; there is no audit
      3  internal error
      4  unusable input or option
      5  nothing, or only a part of the checks, was selected
    """
    command = ("cmek-audit", "audit", *command_line.given)
    return run_checks(command_line.for_pytest, command, as_json=command_line.as_json)


def run_checks(
    arguments: Iterable[str],
    command: tuple[str, ...],
    *,
    has_settings: bool = True,
    as_json: bool = False,
) -> int:
    """Run pytest on the suite's checks with ``arguments``; the record names the ``command``.

    Without settings, neither variables nor a settings file add to the arguments. As JSON, what the
    run prints goes to stderr, and stdout gets one object: how it ended, and where the report is.
    """
    import pytest  # noqa: PLC0415 (help needs no pytest)

    root = install_location.folder()
    settings = ("-c", root / "pyproject.toml", "--rootdir", root)
    wiring = ("--noconftest", "-p", "cmek_audit.plugin")
    words = [*map(str, (*settings, *wiring, root / "checks")), *arguments]
    given = _GivenCommand(command, has_settings=has_settings)
    with _stdout_to_stderr() if as_json else nullcontext():
        exit_code = int(pytest.main(words, [given]))
    if as_json:
        write_json(_result(exit_code, given.published))
    return exit_code


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Let stderr have what goes to stdout: of this process, and of what writes to its file."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def _result(exit_code: int, published: Published | None) -> dict[str, object]:
    """Return how a run ended; without an audit there is no verdict and no report."""
    if published is None:
        return {"exit_code": exit_code, "verdict": None, "report": None}
    head = published["head"]
    return {
        "exit_code": exit_code,
        "verdict": head["verdict"]["outcome"],
        "text": head["verdict"]["text"],
        "as_of": head["settings"]["as_of"],
        "counts": head["counts"],
        "report": head["report"],
        "report_dir": published["folder"],
    }


class _GivenCommand:
    """A pytest plugin that gives a run what it cannot know from its arguments.

    Attributes:
        published: what the run has published; None without an audit.
    """

    def __init__(self, command: tuple[str, ...], *, has_settings: bool) -> None:
        self._command = command
        self._has_settings = has_settings
        self.published: Published | None = None

    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        """Leave the command line where the record looks for it, as the user typed it.

        This is before the audit reads its options.
        """
        from cmek_audit.run.provenance import COMMAND  # noqa: PLC0415 (needs pytest)
        from cmek_audit.run.pytest_options import SETTINGS  # noqa: PLC0415 (as above)
        from cmek_audit.settings.settings import NO_SETTINGS  # noqa: PLC0415 (as above)

        early_config.stash[COMMAND] = self._command
        if not self._has_settings:
            early_config.stash[SETTINGS] = NO_SETTINGS

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Keep what the run has published, before its configuration is gone."""
        from cmek_audit.run.provenance import PUBLISHED  # noqa: PLC0415 (needs pytest)

        self.published = config.stash.get(PUBLISHED, None)
