"""A group of commands, each imported only when it is asked for."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from cmek_audit import install_location
from cmek_audit.exit_codes import exit_code_of
from cmek_audit.suggestions import did_you_mean
from cmek_audit.version_option import version_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
_JOINT = "\ue000"
"""What takes the place of a hyphen while lines are wrapped: a character for private use."""


class LazyCommand(NamedTuple):
    """Where a command is defined.

    Attributes:
        module: the module that defines it, under the command's name.
        summary: the first sentence of its help, known without importing the module.
    """

    module: str
    summary: str


class _HelpFormatter(click.HelpFormatter):
    """Wraps no line at a hyphen, so that what help names can be copied.

    click wraps by textwrap, which takes the hyphen of ``oscal-poam`` for the end of a word.
    """

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and what explains them."""
        super().write_dl([(name, _join(text)) for name, text in rows], col_max, col_spacing)

    def write_text(self, text: str) -> None:
        """Write a text, indented and wrapped, with its paragraphs."""
        indent = " " * self.current_indent
        wrapped = click.wrap_text(_join(text), self.width, indent, indent, preserve_paragraphs=True)
        self.write(f"{wrapped}\n")

    def write(self, string: str) -> None:
        """Write a string that is wrapped already."""
        super().write(string.replace(_JOINT, "-"))


def _join(text: str) -> str:
    return _HYPHEN.sub(_JOINT, text)


class _Context(click.Context):
    formatter_class = _HelpFormatter


class CommandGroup(click.Group):
    """Commands that return their exit code, which ends the process.

    click's own group imports every command to list them. Here the list comes from a table.
    """

    context_class = _Context

    def __init__(self, *, lazy: Mapping[str, LazyCommand], **settings: Any) -> None:  # noqa: ANN401 (click's)
        """Offer the ``lazy`` commands, by name and in their order."""
        super().__init__(**settings)
        self._lazy = lazy
        # The commands inherit it.
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])
        self.params.append(version_option())

    def main(self, *args: Any, **settings: Any) -> Any:  # noqa: ANN401 (as the base)
        """Run a command, and end the process with its exit code."""
        install_location.enable()
        from cmek_audit.console import accept_any_character  # noqa: PLC0415 (needs the suite)

        accept_any_character()
        run = super().main
        sys.exit(exit_code_of(lambda: run(*args, **(settings | {"standalone_mode": False}))))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (as the base)
        """Return the names of all commands."""
        return [*self._lazy]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 (as the base)
        cmd_name: str,
    ) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        if cmd_name not in self._lazy:
            return None
        command: click.Command = getattr(import_module(self._lazy[cmd_name].module), cmd_name)
        command.context_class = _Context
        if not any(parameter.name == "version" for parameter in command.params):
            command.params.append(version_option())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` begin with; suggest similar names if there is none."""
        name = args[0]
        if name not in self._lazy and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"No such command {name!r}.{did_you_mean(name, self._lazy)}")
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 (as the base)
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands with their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in self._lazy.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, or an option of the group."""
        names = [
            CompletionItem(name, help=command.summary)
            for name, command in self._lazy.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
