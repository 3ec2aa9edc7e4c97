"""``cmek-audit audit``: runs pytest on the suite's checks, from wherever the user is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cmek_audit import install_location
from cmek_audit.commands.audit_options import AuditCommand
from cmek_audit.exit_codes import interruptible

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from cmek_audit.commands.audit_options import CommandLine


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
    return run_checks(command_line.for_pytest, ("cmek-audit", "audit", *command_line.given))


def run_checks(
    arguments: Iterable[str], command: tuple[str, ...], *, has_settings: bool = True
) -> int:
    """Run pytest on the suite's checks with ``arguments``; the record names the ``command``.

    Without settings, neither variables nor a settings file add to the arguments.
    """
    import pytest  # noqa: PLC0415 (help needs no pytest)

    root = install_location.folder()
    settings = ("-c", root / "pyproject.toml", "--rootdir", root)
    wiring = ("--noconftest", "-p", "cmek_audit.plugin")
    words = [*map(str, (*settings, *wiring, root / "checks")), *arguments]
    return pytest.main(words, [_GivenCommand(command, has_settings=has_settings)])


class _GivenCommand:
    """A pytest plugin that gives a run what it cannot know from its arguments."""

    def __init__(self, command: tuple[str, ...], *, has_settings: bool) -> None:
        self._command = command
        self._has_settings = has_settings

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
