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
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    options_metavar="[OPTIONS] [PYTEST OPTIONS]",
)
@click.pass_obj
@interruptible("there is no audit")
def audit(command_line: CommandLine) -> int:
    """Judge an inventory by all rules and write the reports.

    The audit is a pytest run of the suite's checks. Options that are not listed here go to pytest,
    such as -k EXPRESSION, -x and -q. So does everything after --: "audit -- --help" lists pytest's
    options. Without an inventory the bundled example is audited. The exit code is the gate.

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


def run_checks(arguments: Iterable[str], command: tuple[str, ...]) -> int:
    """Run pytest on the suite's checks with ``arguments``; the record names the ``command``."""
    import pytest  # noqa: PLC0415 (help needs no pytest)

    root = install_location.folder()
    settings = ("-c", root / "pyproject.toml", "--rootdir", root)
    wiring = ("--noconftest", "-p", "cmek_audit.plugin")
    words = [*map(str, (*settings, *wiring, root / "checks")), *arguments]
    return pytest.main(words, [_GivenCommand(command)])


class _GivenCommand:
    """A pytest plugin that gives the record the command line as the user typed it."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command

    def pytest_configure(self, config: pytest.Config) -> None:
        """Leave the command line where the record looks for it."""
        from cmek_audit.run.provenance import COMMAND  # noqa: PLC0415 (needs pytest)

        config.stash[COMMAND] = self._command
