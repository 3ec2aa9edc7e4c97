"""The command line of ``cmek-audit audit``: the suite's options, and pytest's own besides."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_origin

import typer
from typer.core import TyperCommand
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cmek_audit.run.options import Option

_PREFIX = "--cmek"


class Words(NamedTuple):
    """A command line.

    Attributes:
        given: the words as the user gave them.
        for_pytest: what they are for pytest, which takes a path after a space for a place to run.
    """

    given: tuple[str, ...]
    for_pytest: tuple[str, ...]


class AuditCommand(TyperCommand):
    """A command that takes every option of the suite, and hands on what it does not know.

    What follows ``--`` is handed on as it stands. The context's ``obj`` holds the ``Words``.
    """

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 (typer's own)
        """Return the options of the suite, then those of every command."""
        return [*self._options, *super().get_params(ctx)]

    @cached_property
    def _options(self) -> list[Any]:
        from cmek_audit.run.options import OPTIONS  # noqa: PLC0415 (the help of other commands is quick)

        return _made(OPTIONS)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (as above)
        """Take the suite's options out of ``args``, and leave ``Words`` to the command."""
        end = args.index("--") if "--" in args else len(args)
        given, own, untouched = tuple(args), args[:end], args[end + 1 :]
        super().parse_args(ctx, own)
        unknown = [word for word in ctx.args if word.startswith(_PREFIX)]
        if unknown and not ctx.resilient_parsing:
            ctx.fail(self._mistyped(unknown[0].partition("=")[0]))
        flags = {option.name: option.opts[0] for option in self._options}
        values = {name: ctx.params.pop(name) for name in flags}
        ctx.obj = Words(given, (*_spelled(flags, values), *ctx.args, *untouched))
        return list(ctx.args)

    def _mistyped(self, word: str) -> str:
        known = {option.opts[0].removeprefix(_PREFIX): option.opts[0] for option in self._options}
        near = [
            known[get_close_match]
            for get_close_match in get_close_matches(word.removeprefix(_PREFIX), known)
        ]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        return f"No such option: {word}.{hint}"


def _spelled(flags: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[str]:
    """Spell out the options that were given, each as one word."""
    for name, value in values.items():
        if value is True:
            yield flags[name]
        elif value not in (None, False):
            several = [value] if isinstance(value, str) else value
            yield from (f"{flags[name]}={each}" for each in several)


# --- options, made by typer of a function that would take them ------------------------------------


def _made(options: tuple[Option, ...]) -> list[Any]:
    def take(**_: object) -> None:
        """Take every option."""

    asked = [_asked(option) for option in options]
    take.__signature__ = Signature(asked)  # type: ignore[attr-defined]
    take.__annotations__ = {each.name: each.annotation for each in asked}
    app = typer.Typer(add_completion=False)
    app.command()(take)
    return list(get_command(app).params)


_TYPES = {"paths": list[str] | None, "texts": list[str] | None, "flag": bool}


def _asked(option: Option) -> Parameter:
    told = typer.Option(
        option.flag,
        metavar=option.metavar or None,
        help=option.help,
        show_default=False,
        autocompletion=_completion(option),
    )
    kind = _TYPES.get(option.kind, str | None)
    default = False if option.kind == "flag" else None
    return Parameter(
        option.ini, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, told]
    )


def _completion(option: Option) -> Callable[[str], list[str]] | None:
    """Return what completes a value that is one of a few, or a list of such."""
    from cmek_audit.run.option_values import Options  # noqa: PLC0415 (as above)

    kind = Options.model_fields[option.name.replace("-", "_")].annotation
    listed = get_origin(kind) is tuple
    one = get_args(kind)[0] if listed else kind
    if get_origin(one) is not Literal:
        return None

    def complete(incomplete: str) -> list[str]:
        before = "".join(incomplete.rpartition(",")[:2]) if listed else ""
        return [before + value for value in get_args(one)]

    return complete
