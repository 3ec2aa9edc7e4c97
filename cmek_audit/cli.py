"""The command ``cmek-audit``: one command a file, each imported only when it is asked for."""

from __future__ import annotations

import signal
from typing import Annotated, Literal

import typer

from cmek_audit.commands.audit_options import AuditCommand
from cmek_audit.exit_codes import Commands, interruptible
from cmek_audit.install_location import version

app = typer.Typer(
    name="cmek-audit",
    cls=Commands,
    help="Audit customer-managed encryption keys in DataStax/IBM Astra.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DiffFormat = Literal["text", "json", "markdown"]
KeysFormat = Literal["table", "json", "yaml", "markdown"]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def main() -> None:
    """Run the command; being told to end is taken like Ctrl-C, so that nothing is left behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app(prog_name="cmek-audit")


def _show_version(asked: bool) -> None:  # noqa: FBT001 (typer's call)
    if asked:
        typer.echo(f"cmek-audit {version()}")
        raise typer.Exit


@app.callback()
def offer(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Offer the commands."""


def _complete_rule() -> list[tuple[str, str]]:
    from cmek_audit.commands.rules import ids

    return ids()


def _complete_format(incomplete: str) -> list[str]:
    from reports.formats.registry import RENDERABLE

    return [name for name in RENDERABLE if name.startswith(incomplete)]


@app.command(
    cls=AuditCommand,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    options_metavar="[OPTIONS] [PYTEST OPTIONS]",
)
def audit(context: typer.Context) -> int:
    """Audit: judge an inventory by all rules, and write the reports.

    This is pytest on the suite's checks. Options that are not listed here go on to it, such as
    -k EXPRESSION, -x and -q; so does all that follows --, and "audit -- --help" lists them.
    Without an inventory the bundled example is audited. The exit code is the gate.

    \b
    Exit codes:
      0  compliant, or the gate lets it pass
      1  not compliant, or compliance is not established
      2  interrupted; there is no audit
      3  internal error
      4  unusable input or option
      5  nothing, or only a part of the checks, was selected
    """
    with interruptible("there is no audit"):
        from cmek_audit.commands.audit import run

        return run(context.obj)


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
        from cmek_audit.commands.collect import run

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
    """Prove evidence and reports: make them again and compare.

    A bundle is hashed, and its answers are replayed without a network to the same inventory. In a
    folder of bundles, each must name the one before and its root. A report is judged again from
    its sources and rendered again. Each file is proven, not proven, or differs; the worst decides.
    Whether the keys comply is another question: see the report's verdict.

    \b
    Exit codes:
      0  proven: all that can be proven was made again, and is equal
      1  something differs or is damaged
      2  interrupted; nothing is proven
      3  internal error
      4  unusable argument
      5  not proven: a source, or the suite that made the report, is not here
    """
    with interruptible("nothing is proven"):
        from cmek_audit.commands.verify import run

        return run(paths, as_json=json)


@app.command()
def keys(  # noqa: PLR0913 (one for each option)
    *,
    inventory: Annotated[
        list[str] | None,
        typer.Option("--inventory", "-i", metavar="PATH", help="What is: as --cmek-inventory."),
    ] = None,
    plan: Annotated[
        list[str] | None,
        typer.Option(
            "--plan",
            "-p",
            metavar="[NAME=]PATH",
            help="What is planned: as --cmek-plan.",
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            "-s",
            metavar="PATH",
            help="What Terraform believes to exist: as --cmek-state.",
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            "-a",
            metavar="SCOPES",
            help="What if: [ORGANIZATION/]TYPE/PROVIDER/REGION[,REGION…], such as "
            "serverless/aws/us-east-2,ap-south-1. Repeatable.",
        ),
    ] = None,
    terraform_organization: Annotated[
        list[str] | None,
        typer.Option(metavar="[[NAME#]PROVIDER=]ID", help="As --cmek-terraform-organization."),
    ] = None,
    price: Annotated[
        str,
        typer.Option(metavar="AMOUNT", help="What one key costs in a month, such as '1.00 USD'."),
    ] = "",
    format: Annotated[  # noqa: A002 (the option's name)
        KeysFormat, typer.Option("--format", "-f", help="How to print it.")
    ] = "table",
) -> int:
    """Tell which keys are needed, registered, missing and idle.

    From inventories, plans and what-if, in any mix. One key is needed for each combination of
    organization, database type, provider and region. For each missing key it says the steps by
    which it is created and registered: do them before the database is deployed.

    \b
    Exit codes:
      0  no key is missing
      1  a key is missing or planned wrongly, or it cannot be said whether one is
      2  interrupted
      3  internal error
      4  unusable input or option
    """
    with interruptible("no plan was made"):
        from cmek_audit.commands.keys.command import KeysRequest, run

        wanted = KeysRequest(
            inventory=tuple(inventory or ()),
            plan=tuple(plan or ()),
            add=tuple(add or ()),
            state=tuple(state or ()),
            terraform_organization=tuple(terraform_organization or ()),
            price=price,
        )
        return run(wanted, format)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A report folder, or its audit.json.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A later one.")],
    format: Annotated[  # noqa: A002 (the option's name)
        DiffFormat, typer.Option("--format", "-f", help="How to print it.")
    ] = "text",
) -> int:
    """Compare two audits: what is new, reopened, fixed or gone.

    And what is unchanged. Findings are the same if their ids are, and ids are the same in every
    run. Keys that were added, replaced or removed are listed, too.

    \b
    Exit codes:
      0  nothing is new, reopened, worsened or unclear
      1  something is
      2  interrupted
      3  internal error
      4  unusable reports
    """
    with interruptible("nothing was compared"):
        from cmek_audit.commands.diff import run

        return run(old, new, format)


@app.command()
def render(
    format: Annotated[  # noqa: A002 (what it is)
        str,
        typer.Argument(
            help="Which report to make; a wrong one is answered with those that exist.",
            autocompletion=_complete_format,
        ),
    ],
    report: Annotated[
        str, typer.Argument(metavar="REPORT", help="A report folder, or its audit.json.")
    ] = "audit-report",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")
    ] = "-",
) -> int:
    """Make a report of any format from the record of an audit.

    The record is audit.json with findings.ndjson beside it; it is checked before it is used, and
    nothing is judged again.

    \b
    Exit codes:
      0  made
      2  interrupted; nothing unfinished is left behind
      3  internal error
      4  no record, a changed one, or a file that cannot be written
    """
    with interruptible("nothing unfinished is left behind"):
        from cmek_audit.commands.render import run

        return run(format, report, output)


@app.command()
def rules(
    rule: Annotated[
        str,
        typer.Argument(
            metavar="RULE",
            help="A rule's id, such as CMEK-01, or the name of its check.",
            autocompletion=_complete_rule,
        ),
    ] = "",
    *,
    json: Json = False,
) -> int:
    """List the rules, or show one in full.

    In full: why it matters, the sentences of the documentation it rests on, its severity, what to
    do about a failure, and the control ids it is evidence for.

    \b
    Exit codes:
      0  shown
      3  internal error
      4  no such rule
    """
    with interruptible("nothing was changed"):
        from cmek_audit.commands.rules import run

        return run(rule, as_json=json)


@app.command()
def waive(  # noqa: PLR0913 (one for each option)
    finding: Annotated[
        str, typer.Argument(metavar="FINDING", help="The finding's id, or enough of its beginning.")
    ],
    report: Annotated[
        str, typer.Argument(metavar="REPORT", help="A report folder, or its audit.json.")
    ] = "audit-report",
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why the failure is accepted.")],
    control: Annotated[str, typer.Option(metavar="TEXT", help="What protects instead.")],
    ticket: Annotated[str, typer.Option(metavar="TEXT", help="Where it is discussed.")],
    requested_by: Annotated[str, typer.Option(metavar="NAME", help="Who asks for it.")],
    days: Annotated[
        int, typer.Option(metavar="N", min=1, max=365, help="For how many days from today.")
    ] = 90,
    into: Annotated[
        str, typer.Option(metavar="FILE", help="The file of waivers to add it to; - prints it.")
    ] = "-",
) -> int:
    """Ask for a waiver of one finding that fails.

    Writes a well-formed request. It covers nothing until somebody else adds approved_by and
    approved_on to it.

    \b
    Exit codes:
      0  written
      2  interrupted; nothing was changed
      3  internal error
      4  no such finding, none that fails, or a file that cannot take it
    """
    with interruptible("nothing was changed"):
        from cmek_audit.commands.waive import Request, run

        return run(Request(finding, report, reason, control, ticket, requested_by, days), into)
