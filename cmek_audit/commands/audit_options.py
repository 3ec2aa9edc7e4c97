"""The command line of ``cmek-audit audit``: the suite's options, and those of pytest."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from cmek_audit.run.options import OPTIONS
from cmek_audit.suggestions import did_you_mean
from cmek_audit.version_option import version_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cmek_audit.run.options import Option

_PREFIX = "--cmek"
_LETTERS = {"-h": "--help", "-V": "--version", "-q": "--quiet", "-qq": "--quiet"}
_TAKING = {
    name for option in OPTIONS if option.metavar for name in (option.flag, option.plain_flag)
}
"""The options that take a value."""

_LISTING = frozenset({"--collect-only", "--co"})

QUIET = ("-qq", "-oconsole_output_style=classic")
"""By which words of pytest's an audit shows no more than its verdict."""


class CommandLine(NamedTuple):
    """A command line.

    Attributes:
        given: the arguments as the user gave them.
        for_pytest: the arguments for pytest, which takes a path after a space for a test to run.
        as_json: whether to print one JSON object.
    """

    given: tuple[str, ...]
    for_pytest: tuple[str, ...]
    as_json: bool = False


class AuditCommand(click.Command):
    """A command that takes every option of the suite, and passes on what it does not know.

    What follows ``--`` is passed on unchanged. The context's ``obj`` holds the ``CommandLine``.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 (click's)
        """Offer the options of the suite in the order of their table."""
        super().__init__(**settings)
        self.params = [*map(_SuiteOption, OPTIONS), _json(), _quiet(), version_option(is_long=True)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the suite's options out of ``args``, and keep the ``CommandLine``."""
        end = args.index("--") if "--" in args else len(args)
        given, parsed, untouched = tuple(args), args[:end], args[end + 1 :]
        # click would look for its own letters in words that are pytest's, such as -khidden.
        super().parse_args(ctx, list(_with_long_names(parsed)))
        if not ctx.resilient_parsing:
            _refuse_mistyped(ctx)
        # pytest parses the options again, and click would pass them on to the command's function.
        values = {option: ctx.params.pop(option.ini) for option in OPTIONS}
        quiet = _quiet_words(ctx.args) if ctx.params.pop("quiet") else ()
        for_pytest = (*_spelled(values), *quiet, *ctx.args, *untouched)
        ctx.obj = CommandLine(given, for_pytest, as_json=ctx.params.pop("as_json"))
        return list(ctx.args)


class _SuiteOption(click.Option):
    """An option of the suite, made of its row in the table."""

    def __init__(self, option: Option) -> None:
        super().__init__(
            [option.plain_flag, option.flag, option.ini],
            metavar=option.metavar or None,
            help=option.help,
            is_flag=True if option.kind == "flag" else None,  # False would make values optional
            multiple=option.kind in {"paths", "texts"},
        )
        self._option = option

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 (as the base)
        incomplete: str,
    ) -> list[CompletionItem]:
        """Complete the path of a file, or a value that is one of a few."""
        if self._option.kind in {"path", "paths"}:
            return [CompletionItem(incomplete, type="file")]
        choices, is_list = _choices(self._option.name)
        # Only the last item of a list is still to be completed.
        before = "".join(incomplete.rpartition(",")[:2]) if is_list else ""
        values = (f"{before}{choice}" for choice in choices)
        return [CompletionItem(value) for value in values if value.startswith(incomplete)]


@cache
def _choices(name: str) -> tuple[tuple[str, ...], bool]:
    """Return the values that an option may have, if these are few, and whether it takes a list."""
    from cmek_audit.run.option_values import Options  # noqa: PLC0415 (help needs no models)

    annotation = Options.model_fields[name.replace("-", "_")].annotation
    is_list = get_origin(annotation) is tuple
    item = get_args(annotation)[0] if is_list else annotation
    return (get_args(item) if get_origin(item) is Literal else ()), is_list


def _json() -> click.Option:
    return click.Option(
        ["--json", "as_json"],
        is_flag=True,
        help="Print the verdict as one JSON object; what the run prints goes to stderr.",
    )


def _quiet() -> click.Option:
    return click.Option(
        ["--quiet"],
        is_flag=True,
        help="Print only the verdict, and what limits it; also -q. The exit code stays.",
    )


def _quiet_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return how pytest is made quiet: a run that only lists keeps the list."""
    return ("-q",) if _LISTING.intersection(words) else QUIET


def _with_long_names(words: Iterable[str]) -> Iterator[str]:
    """Yield ``words`` with long names for letters, but not where a word is the value of another."""
    before = ""
    for word in words:
        is_value = before in _TAKING
        yield word if is_value else _LETTERS.get(word, word)
        before = "" if is_value else word


def _refuse_mistyped(context: click.Context) -> None:
    """End with a usage error if a word that is left for pytest is meant for the suite."""
    for word in context.args:
        name = word.partition("=")[0]
        if name.startswith(_PREFIX):
            # All of these begin alike, so two must have more in common than words elsewhere.
            hint = did_you_mean(name, (option.flag for option in OPTIONS), cutoff=0.8)
            context.fail(f"No such option {name!r}.{hint}")
        # What is only a little like an option of the suite may be one of a plugin of pytest.
        hint = did_you_mean(name, (option.plain_flag for option in OPTIONS), cutoff=0.85)
        if hint and name.startswith("--"):
            context.fail(f"No such option {name!r}.{hint} An option of pytest goes after --.")


def _spelled(values: Mapping[Option, Any]) -> Iterator[str]:
    """Yield the options that were given, each as one word."""
    for option, value in values.items():
        if value is True:
            yield option.flag
        elif isinstance(value, str):
            yield f"{option.flag}={value}"
        else:
            yield from (f"{option.flag}={item}" for item in value or ())
