"""``cmek-audit keys``: lists the customer keys that are needed, registered, missing and unused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from checks.engine.catalogue import load_rules, rules_of
from checks.engine.context import Context, utc
from checks.engine.evaluation import evaluate
from checks.engine.finding import OPEN
from cmek_audit import parameters
from cmek_audit.commands.keys import markdown, table
from cmek_audit.commands.keys.grants import UngrantedKeys
from cmek_audit.commands.keys.price import read_price
from cmek_audit.commands.keys.sentences import PRICED
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from inventory.errors import SettingError
from inventory.files.named_plans import plans_in_order
from inventory.hypothetical import (
    group_by_organization,
    parse_hypothetical_databases,
    with_hypothetical_databases,
)
from inventory.inventory import Inventory
from inventory.system.hosts import foreign_hosts, other_hosts
from inventory.system.paths import sorted_paths
from inventory.terraform.organizations import parse_organizations
from reports.aggregation.aggregates import Aggregates
from reports.aggregation.coverage_states import COMPLETE, NEEDED, UNUSED, WITH_DATABASES
from reports.key_instructions.instructions import commands_for
from reports.presentation.source_notes import SourceNote, notes_on
from reports.record.population import describe_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from checks.engine.finding import Finding
    from cmek_audit.commands.keys.price import Price
    from inventory.model.organization import Organization
    from reports.model.key_plan import CoverageCell

SCHEMA = "cmek-keys/1"
_DOUBTS = frozenset({NEEDED, UNUSED, COMPLETE})
"""The rules by which there may be more keys to plan for than is known."""

_WHICH_KEY = frozenset(rules_of("which-key"))
"""The rules that say whether what is registered for a key scope is really its own key."""

_FAILING = frozenset({"fail", "waived"})


class KeysRequest(NamedTuple):
    """What to plan keys for.

    Attributes:
        inventory: what exists: recorded inventories and evidence bundles.
        plan: what is planned: plans in YAML, and plans of Terraform.
        add: what might be planned, as ``[ORGANIZATION/]TYPE/PROVIDER/REGION[,REGION…]``.
        state: what Terraform believes to exist: its states.
        terraform_organization: who owns the resources of Terraform, if its files do not say so.
        price: what one key costs in a month; empty if that is not to be shown.
    """

    inventory: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    terraform_organization: tuple[str, ...] = ()
    price: str = ""


@click.command(context_settings=parameters.SETTINGS)
@parameters.inventory
@parameters.plan
@parameters.state
@click.option(
    "--add",
    "-a",
    metavar="[ORGANIZATION/]TYPE/PROVIDER/REGION[,REGION…]",
    multiple=True,
    help="What you might deploy, such as serverless/aws/us-east-2,ap-south-1. Repeatable.",
)
@parameters.terraform_organization
@click.option(
    "--price",
    metavar="AMOUNT",
    default="",
    show_default=False,
    help="What one key costs a month, such as '1.00 USD'.",
)
@click.option(
    "--format",
    "-f",
    "format_name",
    type=parameters.Word(["table", "json", "markdown"]),
    default="table",
    help="How to print it.",
)
@parameters.as_json
@interruptible("no plan was made")
@click.pass_context
def keys(context: click.Context, /, format_name: str, *, as_json: bool, **values: Any) -> ExitCode:  # noqa: ANN401 (as click passes them)
    """List the keys that are needed, registered, missing and unused.

    The list is made from inventories, plans and --add, in any combination. You need one key for
    each combination of organization, database type, provider and region. For each missing key you
    get the steps to create and register it. Take them before the database is deployed.

    \b
    Exit codes:
      0  no key is missing
      1  a key is missing or planned wrongly, or whether one is missing is unknown
      2  interrupted
      3  internal error
      4  unusable input or option
    """
    format_name = parameters.choose_format(context, format_name, as_json=as_json)
    request = KeysRequest(**values)
    if not (request.inventory or request.plan or request.add):
        expected = "at least one --inventory, --plan or --add"
        raise SettingError(f"found nothing to plan keys for, expected {expected}")
    price = read_price(request.price)
    with parameters.own_option_names():
        key_plan = _key_plan(request, price)
    _PRINTERS[format_name](key_plan, price)
    return ExitCode.NOT_DONE if key_plan["exit_code"] else ExitCode.DONE


_PRINTERS: dict[str, Callable[[dict[str, Any], Price | None], None]] = {
    "table": lambda key_plan, price: write_lines(table.render(key_plan, price)),
    "json": lambda key_plan, _: write_json(key_plan),
    "markdown": lambda key_plan, price: write_lines(markdown.render(key_plan, price)),
}


# --- the key plan ---------------------------------------------------------------------------------


def _key_plan(request: KeysRequest, price: Price | None) -> dict[str, Any]:
    inventory = _inventory(request)
    example = inventory.captured_at if inventory.is_example else None
    as_of = example or datetime.now(UTC).replace(microsecond=0)
    judged = _Judged()
    organizations = _organizations(request, inventory)
    for finding in evaluate(organizations, load_rules(), Context(as_of), judged.on_organization):
        judged.add(finding)
    plan: dict[str, Any] = dict(judged.tallies.key_plan(judged.tallies.coverage(judged.names)))
    lists = plan.pop("lists")
    parts = judged.organizations(plan, lists["shared"])
    is_open = (
        plan["missing"]
        or plan["undetermined"]
        or judged.doubts
        or judged.planned_failures
        or judged.is_in_doubt(parts)
    )
    return {
        "schema": SCHEMA,
        "as_of": utc(as_of),
        "example": inventory.is_example,
        "exit_code": int(bool(is_open)),
        "sources": {
            "inventory": list(sorted_paths(request.inventory)),
            "plan": list(plans_in_order(request.plan)),
            "state": list(sorted_paths(request.state)),
            "add": list(request.add),
        },
        "notes": [note._asdict() for note in _notes(inventory)],
        **plan,
        "planned_failures": judged.planned_failures,
        "commands": [
            commands for missing in lists["missing"] if (commands := commands_for(missing))
        ],
        "grants": list(judged.ungranted.grants(lists["missing"], judged.names)),
        "organizations": parts,
        "price": None if price is None else _priced(price, plan),
    }


def _notes(inventory: Inventory) -> list[SourceNote]:
    """Return what limits the sources; complete only once all organizations were judged."""
    others = [
        SourceNote(source.path, f"{host} answered, which is not {whom}")
        for source in inventory.sources
        if source.evidence
        for whom, hosts in (
            ("Astra", other_hosts([source.evidence.address])),
            ("the cloud itself", foreign_hosts(source.evidence.cloud_addresses)),
        )
        for host in hosts
    ]
    return [*others, *notes_on(map(describe_source, inventory.sources))]


def _inventory(request: KeysRequest) -> Inventory:
    terraform = parse_organizations(request.terraform_organization)
    return Inventory(request.inventory, request.plan, terraform, request.state)


def _organizations(request: KeysRequest, inventory: Inventory) -> Iterator[Organization]:
    """Yield all organizations, with the databases that ``--add`` asks about."""
    hypothetical = parse_hypothetical_databases(request.add)
    if not hypothetical:
        return inventory.organizations()
    # Which organization a name of --add means is known only once all have been read.
    names = {
        organization.id: organization.name for organization in _inventory(request).organizations()
    }
    return with_hypothetical_databases(
        inventory.organizations(), group_by_organization(hypothetical, names)
    )


def _priced(price: Price, plan: dict[str, Any]) -> dict[str, str]:
    sums = {name: price.of(plan[name]) for name in PRICED}
    return {"each": str(price.amount), "currency": price.currency, **sums}


class _Judged:
    """What was judged, organization by organization.

    Attributes:
        tallies: the findings, added up.
        names: each organization's name by its id.
        doubts: by organization, the findings that say that there may be more than was judged.
        planned_failures: how many findings say that a plan would change keys wrongly, or may.
        ungranted: the keys that lack a grant to Astra.
    """

    def __init__(self) -> None:
        self.tallies = Aggregates()
        self.names: dict[str, str] = {}
        self.doubts: dict[str, list[Finding]] = {}
        self.planned_failures = 0
        self.ungranted = UngrantedKeys()
        self._wrong: set[tuple[str, ...]] = set()

    def on_organization(self, organization: Organization) -> None:
        self.names[organization.id] = organization.name
        self.tallies.add_organization(organization)
        self.ungranted.on_organization(organization)

    def add(self, finding: Finding) -> None:
        """Count ``finding``, and keep it if it casts doubt on the numbers or on a key."""
        subject, status = finding.subject, finding.status
        self.tallies.add(finding)
        self.ungranted.add(finding)
        if subject.kind == "planned-key" and finding.severity != "advisory":
            self.planned_failures += status in OPEN
        if subject.region:
            if status in _FAILING and finding.rule in _WHICH_KEY:
                place = subject.organization, subject.type, subject.provider, subject.region
                self._wrong.add(place)
        elif finding.rule in _DOUBTS and status not in {"pass", "not-applicable"}:
            self.doubts.setdefault(subject.organization, []).append(finding)

    def is_in_doubt(self, organizations: Sequence[dict[str, Any]]) -> bool:
        """Return whether a key scope in use may lack its own key although one is registered.

        That key is of another place, or it competes with another one.
        """
        return any(
            (organization["organization"], scope["type"], scope["provider"], scope["region"])
            in self._wrong
            for organization in organizations
            for scope in organization["scopes"]
            if scope["state"] in WITH_DATABASES
        )

    def organizations(
        self, plan: dict[str, Any], shared: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return each organization's part of ``plan``, with its doubts and all its key scopes."""
        rows = zip(plan["organizations"], self.tallies.coverage(self.names), strict=True)
        return [
            {
                **part,
                "doubts": self._doubts(row["organization"]),
                "shared": _shared(row["organization"], shared),
                "scopes": _scopes(row["cells"]),
            }
            for part, row in rows
        ]

    def _doubts(self, organization: str) -> list[dict[str, str]]:
        findings = _without_repetition(self.doubts.get(organization, []))
        return [_doubt(finding) for finding in findings]


def _without_repetition(doubts: Sequence[Finding]) -> list[Finding]:
    """Leave out what the rule on completeness explains better, for the whole organization."""
    is_explained = any(
        doubt.rule == COMPLETE and doubt.status == "inconclusive" for doubt in doubts
    )
    return [
        doubt
        for doubt in doubts
        if doubt.rule == COMPLETE
        or not (
            is_explained and doubt.subject.kind == "organization" and doubt.status == "inconclusive"
        )
    ]


def _doubt(finding: Finding) -> dict[str, str]:
    return {name: getattr(finding, name) for name in ("rule", "reason", "message", "action")}


def _shared(organization: str, shared: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the keys that several key scopes of ``organization`` share."""
    return [
        {"key": key["key"], "scopes": key["scopes"]}
        for key in shared
        if key["organization"] == organization
    ]


def _scopes(cells: list[CoverageCell]) -> list[dict[str, Any]]:
    """Return what is known of each key scope, without the finding's id: no record has it."""
    return [{name: value for name, value in cell.items() if name != "finding"} for cell in cells]
