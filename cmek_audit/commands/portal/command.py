"""``cmek-audit portal``: lists what to look at in Astra's portal, as a form to fill in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from checks.engine.context import Context, utc
from cmek_audit import parameters
from cmek_audit.commands.portal import form, text
from cmek_audit.commands.portal.needed import WHERE, find_needed
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from cmek_audit.run.option_values import parse_options
from inventory.errors import SettingError
from inventory.files.named_plans import plans_in_order
from inventory.history import read_history
from inventory.inventory import Inventory
from inventory.system.paths import sorted_paths
from inventory.terraform.organizations import parse_organizations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmek_audit.commands.portal.needed import Look, Needed

SCHEMA = "cmek-portal/1"
_LONGEST = 100_000
"""Longer than any line of a form, in characters: a line that is cut could not be read back."""


class PortalRequest(NamedTuple):
    """For what to find looks, as an audit takes it.

    Attributes:
        inventory: what exists: recorded inventories and evidence bundles.
        plan: what is planned: plans in YAML, and plans of Terraform.
        state: what Terraform believes to exist: its states.
        terraform_organization: who owns the resources of Terraform, if its files do not say so.
        history: earlier records.
        as_of: the time of judgement; empty for now, or for an example's own time.
    """

    inventory: tuple[str, ...]
    plan: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    terraform_organization: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    as_of: str = ""


@click.command(context_settings=parameters.SETTINGS)
@parameters.inventory
@parameters.plan
@parameters.state
@parameters.terraform_organization
@click.option(
    "--history",
    cls=parameters.SettingOption,
    metavar="PATH",
    multiple=True,
    help="Earlier records: see --history of audit.",
)
@click.option(
    "--as-of",
    cls=parameters.SettingOption,
    metavar="TIME",
    default="",
    show_default=False,
    help="The time of judgement: see --as-of of audit.",
)
@click.option(
    "--form",
    "form_name",
    type=parameters.Word(["inventory", "organizations"]),
    is_flag=False,
    flag_value="inventory",
    help="Print a form to fill in: an inventory, or parts for an organizations file.",
)
@parameters.as_json
@interruptible("nothing was listed")
def portal(form_name: str | None, *, as_json: bool, **values: Any) -> ExitCode:  # noqa: ANN401 (as click passes them)
    """List what to look at in the Astra portal.

    The portal shows what no interface does: for Serverless, whether a key is in use, and which key
    encrypts a database. This lists the fewest looks that would resolve what an audit finds
    inconclusive about the order of keys and databases, and about the use of keys. With --form you
    get it as a file to fill in and to give to the audit.

    \b
    Exit codes:
      0  there is nothing to look at
      1  there is something to look at, or something inconclusive that no look resolves
      2  interrupted; nothing was listed
      3  internal error
      4  unusable input or option
    """
    request = PortalRequest(**values)
    if not request.inventory:
        raise SettingError("found nothing to look up, expected at least one --inventory")
    if form_name and as_json:
        raise SettingError("found --form and --json, expected one of them")
    with parameters.own_option_names():
        inventory = _inventory(request)
        context = _context(request, inventory)
        needed = find_needed(inventory.organizations(), context)
    if form_name:
        _print_form(form_name, needed.entries, example=inventory.is_example)
    else:
        found = _as_json(request, context, needed, example=inventory.is_example)
        write_json(found) if as_json else write_lines(text.render(found))
    return ExitCode.NOT_DONE if needed.open else ExitCode.DONE


def _inventory(request: PortalRequest) -> Inventory:
    terraform = parse_organizations(request.terraform_organization)
    return Inventory(request.inventory, request.plan, terraform, request.state)


def _context(request: PortalRequest, inventory: Inventory) -> Context:
    """Return what the rules judge by: as an audit of the same files would."""
    options = parse_options({"as_of": request.as_of or None})
    example = inventory.captured_at if inventory.is_example else None
    as_of = options.as_of or example or datetime.now(UTC).replace(microsecond=0)
    return Context(as_of, history=read_history(list(request.history)))


def _print_form(name: str, entries: Sequence[Look], *, example: bool) -> None:
    if not entries:
        write_lines("# There is nothing to look at.")
    elif name == "inventory":
        write_lines("\n".join(form.inventory_form(entries, example=example)), width=_LONGEST)
    else:
        write_lines("\n".join(form.organizations_form(entries)), width=_LONGEST)


def _as_json(
    request: PortalRequest, context: Context, needed: Needed, *, example: bool
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "as_of": utc(context.as_of),
        "example": example,
        "exit_code": int(bool(needed.open)),
        "sources": {
            "inventory": list(sorted_paths(request.inventory)),
            "plan": list(plans_in_order(request.plan)),
            "state": list(sorted_paths(request.state)),
            "history": list(sorted_paths(request.history)),
        },
        "looks": [_look(look) for look in needed.entries],
        "left": [
            {"reason": reason, "findings": count} for reason, count in sorted(needed.left.items())
        ],
    }


def _look(look: Look) -> dict[str, Any]:
    database = look.database
    return {
        "kind": look.kind,
        "where": list(WHERE[look.kind]),
        "organization": look.organization.id,
        "organization_name": look.organization.name,
        "type": look.scope.type,
        "provider": look.scope.provider,
        "region": look.scope.region,
        "key_id": look.key.key_id if look.key else "",
        "database": database.id if database else "",
        "database_name": database.name if database else "",
        "databases": look.databases,
        "shows_use": look.shows_use,
        "is_only_one": look.is_only_one,
        "only_if_in_use": look.only_if_in_use,
        "is_younger": look.is_younger,
    }
