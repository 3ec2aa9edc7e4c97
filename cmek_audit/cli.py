"""The command ``cmek-audit``: one command a file, each imported only when it is asked for."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from cmek_audit.exits import Commands, interruptible

app = typer.Typer(
    name="cmek-audit",
    cls=Commands,
    help="Audit customer-managed encryption keys in DataStax/IBM Astra.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def main() -> None:
    """Run the command; being told to end is taken like Ctrl-C, so that nothing is left behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app(prog_name="cmek-audit")


@app.command()
def collect(
    organizations: Annotated[
        str,
        typer.Argument(
            metavar="ORGANIZATIONS.yaml",
            help="Which organizations to read. 'env' stands for one, with its token in "
            "ASTRA_API_TOKEN.",
        ),
    ] = "env",
    evidence_dir: Annotated[
        str, typer.Option(metavar="DIR", help="The folder that takes the bundle.")
    ] = "audit-evidence",
    *,
    json: Json = False,
) -> int:
    """Read organizations live, and record every answer.

    They go into a new evidence bundle, which names the one before it. Tokens come from the
    environment, under the names that the organizations file gives; they are never written down.
    Nothing is ever changed in Astra.

    \b
    Exit codes:
      0  everything was read
      1  something could not be read; the bundle holds the rest, and says what is missing
      2  interrupted; nothing unfinished is left behind
      3  internal error
      4  unusable input or option
    """
    with interruptible("nothing unfinished is left behind"):
        from cmek_audit.collect import run

        return run(organizations, evidence_dir, as_json=json)


@app.command()
def verify(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH", help="Evidence bundles, folders of bundles, or report folders."
        ),
    ],
    *,
    json: Json = False,
) -> int:
    """Prove that evidence, or a report, is as it was made.

    A bundle is hashed, and its answers are replayed without a network to the same inventory. In a
    folder of bundles, each must name the one before and its root. A report is judged again.
    Whether the keys comply is another question: see the report's verdict.

    \b
    Exit codes:
      0  verified
      1  something differs or is damaged
      2  interrupted; nothing is verified
      3  internal error
      4  unusable argument
    """
    with interruptible("nothing is verified"):
        from cmek_audit.verify import run

        return run(paths, as_json=json)
