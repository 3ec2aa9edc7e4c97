"""``cmek-audit collect``: reads organizations live, and says what could not be read."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.reasons import gap_action
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import Code
from cmek_audit.progress import show_progress
from inventory.astra.collector import collect
from inventory.astra.config import read_organizations
from inventory.evidence.manifest import read_manifest
from inventory.evidence.reader import open_bundle
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inventory.evidence.manifest import Manifest
    from inventory.files.ndjson import NdjsonReader
    from inventory.model.gaps import Gap

MOST_SHOWN = 20
MOST_DETAILS = 3


class Unread(NamedTuple):
    """A fact that could not be read: of whom, what and why, and what would settle it."""

    identity: str
    name: str
    gap: Gap
    action: str


def run(file: str, folder: str, *, as_json: bool) -> Code:
    """Record what ``file`` names as a bundle in ``folder``; say what is missing in it."""
    wanted = read_organizations(file)
    with show_progress() as tell:
        bundle = collect(wanted, folder, on_progress=tell).bundle
    if not as_json:
        write_lines(f"Evidence:       {bundle}")
    unread = list(_unread(open_bundle(bundle)))
    manifest = read_manifest(bundle)
    if as_json:
        write_json(_summary(bundle, manifest, unread))
    else:
        _print(manifest, unread)
    return Code.NOT_DONE if unread else Code.DONE


def _unread(reader: NdjsonReader) -> Iterator[Unread]:
    for organization in reader.organizations():
        for gap in organization.missing():
            action = gap_action(gap, organization).sentence
            yield Unread(organization.id, organization.name, gap, action)


def _summary(bundle: str, manifest: Manifest, unread: Iterable[Unread]) -> dict[str, Any]:
    gaps = [
        {"organization": identity, "name": name, **gap.model_dump(), "action": action}
        for identity, name, gap, action in unread
    ]
    return {
        "bundle": bundle,
        "previous": manifest.previous and manifest.previous.model_dump(),
        "root": manifest.root,
        "organizations": manifest.organizations,
        "requests": manifest.requests,
        "failures": manifest.failures,
        "gaps": gaps,
    }


def _print(manifest: Manifest, unread: list[Unread]) -> None:
    before = manifest.previous.name if manifest.previous else "none, it is the first"
    write_lines(f"Bundle before:  {before}")
    write_lines(f"Root:           {manifest.root}")
    write_lines(f"Organizations:  {manifest.organizations:,}")
    failures = f"{manifest.failures:,} of them in vain" if manifest.failures else "all answered"
    write_lines(f"Requests:       {manifest.requests:,}, {failures}")
    if not unread:
        write_lines("Gaps:           none, everything was read")
        return
    by_organization = defaultdict(list)
    for each in unread:
        by_organization[each.identity].append(each)
    write_lines(
        f"Gaps:           {len(unread):,}, in {pluralize(len(by_organization), 'organization')}"
    )
    for own in list(by_organization.values())[:MOST_SHOWN]:
        _print_organization(own)
    if len(by_organization) > MOST_SHOWN:
        more = pluralize(len(by_organization) - MOST_SHOWN, "more organization")
        write_lines(f"\n… and {more}: --json tells of all, and so does the bundle")
    write_lines("\nExit code 1 says that not everything could be read. What was read is kept.")


def _print_organization(unread: list[Unread]) -> None:
    """Print an organization with its gaps, those together that one step would settle."""
    by_step = defaultdict(list)
    for each in unread:
        by_step[each.gap.reason, each.action].append(each.gap)
    write_lines(f"\n{unread[0].name}")
    for (reason, action), gaps in by_step.items():
        write_lines(f"  {reason}: {', '.join(dict.fromkeys(gap.fact for gap in gaps))}")
        details = list(dict.fromkeys(gap.detail for gap in gaps if gap.detail))
        for detail in details[:MOST_DETAILS]:
            write_lines(f"    {detail}")
        if len(details) > MOST_DETAILS:
            write_lines(f"    … and {len(details) - MOST_DETAILS:,} more")
        write_lines(f"    To do: {action}")
