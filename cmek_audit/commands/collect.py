"""``cmek-audit collect``: reads organizations from Astra, and lists what could not be read."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from checks.engine.reasons import gap_action
from cmek_audit import parameters
from cmek_audit.clouds_option import complete_clouds, parse_clouds, with_clouds
from cmek_audit.commands.collected_keys import CollectedKeys
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from cmek_audit.progress import show_progress
from inventory.astra.collector import collect as collect_bundle
from inventory.astra.config import read_organizations
from inventory.conversion import convert
from inventory.errors import SettingError
from inventory.evidence.manifest import read_manifest
from inventory.evidence.reader import open_bundle
from inventory.parquet.database_engine import INSTALL, is_installed
from inventory.system.executors import parse_executor
from inventory.text.display import describe, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inventory.evidence.manifest import Manifest
    from inventory.files.ndjson import NdjsonReader
    from inventory.model.gaps import Gap
    from inventory.system.executors import ExecutorSetting

MOST_SHOWN = 20
MOST_DETAILS = 3


class Unread(NamedTuple):
    """A fact that could not be read.

    Attributes:
        organization: the id of the organization.
        name: its name.
        gap: which fact it is, and why it could not be read.
        action: what to do about it.
    """

    organization: str
    name: str
    gap: Gap
    action: str


UNSET = ("", "recorded")
"""Words for the clouds that the organizations file names; the latter is that of an audit."""


class CollectRequest(NamedTuple):
    """What to collect.

    Attributes:
        file: the organizations file; ``env`` for the one organization of a token.
        kms_label: how an error names the option that follows.
        kms: the clouds to ask; empty for those of the file.
        evidence_dir: the folder for the bundle.
        executor: where organizations are read; None for what is worth while.
        format_name: ``parquet`` to write the inventory as Parquet, too.
        as_json: whether to print one JSON object.
        quiet: whether to print only what could not be read.
    """

    file: str
    kms_label: str
    kms: str
    evidence_dir: str
    executor: ExecutorSetting | None
    format_name: str
    as_json: bool
    quiet: bool

    @property
    def is_shown(self) -> bool:
        """Return whether everything is printed as text."""
        return not (self.as_json or self.quiet)

    @property
    def writes_parquet(self) -> bool:
        """Return whether the inventory is written as Parquet, too."""
        return self.format_name == "parquet"


@click.command(context_settings=parameters.SETTINGS)
@click.argument("organizations", metavar="[ORGANIZATIONS.yaml]", default="")
@click.option(
    "--live",
    cls=parameters.SettingOption,
    metavar="ORGANIZATIONS",
    default="env",
    help="The same as the argument, as an audit has it.",
)
@parameters.evidence_dir
@click.option(
    "--kms",
    cls=parameters.SettingOption,
    metavar="[auto|none|aws,gcp,azure]",
    default="",
    show_default="as the file says",
    shell_complete=lambda _, __, incomplete: complete_clouds(incomplete),
    help="The clouds to ask about each key; auto asks all.",
)
@click.option(
    "--executor",
    cls=parameters.SettingOption,
    metavar="WHERE",
    callback=lambda context, _, value: _executor(context, value),
    show_default="processes, as many as are worth their start",
    help="Where organizations are read: serial, processes, or dask=ADDRESS.",
)
@click.option(
    "--format",
    "format_name",
    type=parameters.Word(["ndjson", "parquet"]),
    default="ndjson",
    help="Parquet: write the inventory as Parquet, too, below DIR-parquet.",
)
@parameters.quiet
@parameters.as_json
@interruptible("nothing unfinished is left behind")
@click.pass_context
def collect(context: click.Context, /, organizations: str, live: str, **values: Any) -> ExitCode:  # noqa: ANN401 (as click passes them)
    """Read organizations from Astra and record every answer.

    ORGANIZATIONS.yaml lists the organizations to read. Without it, or with "env", that is the one
    organization of the token in ASTRA_API_TOKEN.

    The answers go into a new evidence bundle, which names the bundle before it. Tokens come from
    the environment, from the variables that the organizations file names. They are never written
    to a file. Nothing is changed in Astra, or in a cloud.

    With --kms, the clouds are asked about each key, too, by requests that only read, with the
    credentials that each vendor's library finds.

    With --executor=dask=ADDRESS, the workers of the Dask cluster whose scheduler has this address
    read organizations. They take tokens from their own environment, and share the folder.

    With --format parquet, the inventory is written as Parquet, too, into a folder of the bundle's
    name in DIR-parquet. The bundle stays as it is: it is the evidence.

    \b
    Exit codes:
      0  everything was read
      1  something could not be read; the bundle holds the rest and lists what is missing
      2  interrupted; nothing unfinished is left behind
      3  internal error
      4  unusable input or option
    """
    if values["format_name"] == "parquet" and not is_installed():
        raise SettingError(f"--format: found parquet without DuckDB, expected it: {INSTALL}")
    if organizations and context.get_parameter_source("live") is ParameterSource.COMMANDLINE:
        raise SettingError("--live: found ORGANIZATIONS.yaml beside it, expected one of the two")
    file = organizations or live
    return _collect(CollectRequest(file, parameters.label_of(context, "kms"), **values))


def _collect(request: CollectRequest) -> ExitCode:
    words = parse_clouds(request.kms, request.kms_label) if request.kms not in UNSET else ()
    requested = with_clouds(read_organizations(request.file), words, request.kms_label)
    with show_progress(is_quiet=request.quiet) as on_progress:
        bundle = collect_bundle(
            requested, request.evidence_dir, on_progress=on_progress, executor=request.executor
        ).bundle
    if request.is_shown:
        # Before it is read again: whoever interrupts that knows where the bundle is.
        write_lines(f"Evidence:       {bundle}")
    folder = _write_parquet(bundle, request.evidence_dir) if request.writes_parquet else None
    keys = CollectedKeys(requested.clouds.ask)
    unread = list(_unread(open_bundle(bundle), keys))
    is_whole = not (unread or keys.unread)
    if request.as_json:
        write_json(_summary(bundle, read_manifest(bundle), unread, keys))
    elif request.is_shown or not is_whole:
        write_lines("" if request.is_shown else f"Evidence:       {bundle}")
        write_lines(f"Parquet:        {folder}" if folder else "")
        _print(read_manifest(bundle), unread, keys)
    return ExitCode.DONE if is_whole else ExitCode.NOT_DONE


def _executor(context: click.Context, value: str | None) -> ExecutorSetting | None:
    """Return the executor that is named; raise UsageError if there is no such one."""
    setting = parse_executor(value) if value else None
    if value and not setting:
        expected = "serial, processes, or dask= with the address of a scheduler"
        label = parameters.label_of(context, "executor")
        raise click.UsageError(f"{label}: found {describe(value)}, expected {expected}")
    return setting


def _write_parquet(bundle: str, evidence_dir: str) -> str:
    """Write the bundle's inventory as Parquet, outside of the folder of bundles; return where."""
    folder = Path(f"{evidence_dir.rstrip('/')}-parquet") / Path(bundle).name
    folder.parent.mkdir(parents=True, exist_ok=True)
    convert(bundle, str(folder))
    return folder.as_posix()


def _unread(reader: NdjsonReader, keys: CollectedKeys) -> Iterator[Unread]:
    """Yield what could not be read from Astra; what the clouds show is added to ``keys``."""
    for organization in reader.organizations():
        keys.add(organization)
        if reader.head.clouds_only:
            continue
        for gap in organization.missing():
            action = gap_action(gap, organization).sentence
            yield Unread(organization.id, organization.name, gap, action)


def _summary(
    bundle: str, manifest: Manifest, unread: Iterable[Unread], keys: CollectedKeys
) -> dict[str, Any]:
    gaps = [
        {
            "organization": fact.organization,
            "name": fact.name,
            **fact.gap.model_dump(),
            "action": fact.action,
        }
        for fact in unread
    ]
    return {
        "bundle": bundle,
        "previous": manifest.previous and manifest.previous.model_dump(),
        "root": manifest.root,
        "organizations": manifest.organizations,
        "requests": manifest.requests,
        "failures": manifest.failures,
        "gaps": gaps,
        "clouds": keys.counts(),
        "cloud_gaps": [unread_key.as_json() for unread_key in keys.unread],
    }


def _print(manifest: Manifest, unread: list[Unread], keys: CollectedKeys) -> None:
    previous = manifest.previous.name if manifest.previous else "none, this is the first"
    failures = f"{manifest.failures:,} of them failed" if manifest.failures else "all answered"
    write_lines(f"Bundle before:  {previous}")
    write_lines(f"Root:           {manifest.root}")
    write_lines(f"Organizations:  {manifest.organizations:,}")
    write_lines(f"Requests:       {manifest.requests:,}, {failures}")
    for line in keys.lines():
        write_lines(line)
    if not (unread or keys.unread):
        write_lines("Gaps:           none, everything was read")
        return
    if unread:
        _print_gaps(unread)
    if keys.unread:
        facts = pluralize(len(keys.unread), "fact")
        write_lines(f"Keys:           {facts} could not be read from the clouds")
    for line in keys.gap_lines():
        write_lines(line)
    write_lines("\nExit code 1: not everything could be read. What was read is kept.")


def _print_gaps(unread: list[Unread]) -> None:
    by_organization = defaultdict(list)
    for fact in unread:
        by_organization[fact.organization].append(fact)
    count = pluralize(len(by_organization), "organization")
    write_lines(f"Gaps:           {len(unread):,}, in {count}")
    for facts in list(by_organization.values())[:MOST_SHOWN]:
        _print_organization(facts)
    if len(by_organization) > MOST_SHOWN:
        more = pluralize(len(by_organization) - MOST_SHOWN, "more organization")
        write_lines(f"\n… and {more}: --json lists all of them, and so does the bundle")


def _print_organization(unread: list[Unread]) -> None:
    """Print an organization with its gaps, those together that have one action."""
    by_action = defaultdict(list)
    for fact in unread:
        by_action[fact.gap.reason, fact.action].append(fact.gap)
    write_lines(f"\n{unread[0].name}")
    for (reason, action), gaps in by_action.items():
        write_lines(f"  {reason}: {', '.join(dict.fromkeys(gap.fact for gap in gaps))}")
        details = list(dict.fromkeys(gap.detail for gap in gaps if gap.detail))
        for detail in details[:MOST_DETAILS]:
            write_lines(f"    {detail}")
        if len(details) > MOST_DETAILS:
            write_lines(f"    … and {len(details) - MOST_DETAILS:,} more")
        write_lines(f"    To do: {action}")
