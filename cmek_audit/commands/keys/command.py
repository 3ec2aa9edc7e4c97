"""``cmek-audit keys``: tells which customer keys are needed, registered, missing and idle."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
import yaml

from checks.engine.catalogue import load_rules, rules_of
from checks.engine.context import Context, utc
from checks.engine.evaluation import evaluate
from checks.engine.finding import OPEN
from cmek_audit.commands.keys import markdown, table
from cmek_audit.commands.keys.price import read_price
from cmek_audit.commands.keys.sentences import PRICED
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import Code
from inventory.astra.config import other_hosts
from inventory.errors import CmekAuditError, SettingError
from inventory.files.named_plans import plans_in_order
from inventory.hypothetical import (
    group_by_organization,
    parse_hypothetical_databases,
    with_hypothetical_databases,
)
from inventory.inventory import Inventory
from inventory.system.paths import sorted_paths
from inventory.terraform.organizations import parse_organizations
from reports.aggregation.aggregates import Aggregates
from reports.aggregation.coverage import COMPLETE, NEEDED, UNUSED, WITH_DATABASES
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
    """What is to be planned for.

    Attributes:
        inventory: what is: recorded inventories and evidence bundles.
        plan: what is planned: plans in YAML, and plans of Terraform.
        add: what might be, as ``[ORGANIZATION/]TYPE/PROVIDER/REGION[,REGION…]``.
        state: what Terraform believes to exist: its states.
        terraform_organization: whose the resources of Terraform are, if its files do not tell.
        price: what one key costs in a month; empty if nobody asks.
    """

    inventory: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    terraform_organization: tuple[str, ...] = ()
    price: str = ""


def run(wanted: KeysRequest, how: str) -> Code:
    """Print the plan of the keys for what is ``wanted``; ``how`` names a format."""
    if not (wanted.inventory or wanted.plan or wanted.add):
        expected = "at least one --inventory, --plan or --add"
        raise SettingError(f"found nothing to plan keys for, expected {expected}")
    price = read_price(wanted.price)
    with _own_options():
        answer = _answer(wanted, price)
    _PRINT[how](answer, price)
    return Code.NOT_DONE if answer["exit_code"] else Code.DONE


_OWN = re.compile("--cmek-(?=(?:inventory|plan|state|terraform-organization)\\b)")
"""How an audit's options begin that this command has, too."""


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it stands, so that it can be copied."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


@contextmanager
def _own_options() -> Iterator[None]:
    """Name options as this command calls them, so that what is asked for can be pasted."""
    try:
        yield
    except CmekAuditError as error:
        raise SettingError(_OWN.sub("--", str(error))) from None


def _say_yaml(answer: dict[str, Any]) -> None:
    typer.echo(yaml.dump(answer, Dumper=_Dumper, sort_keys=False, width=100), nl=False)


_PRINT: dict[str, Callable[[dict[str, Any], Price | None], None]] = {
    "table": lambda answer, price: write_lines(table.render(answer, price)),
    "json": lambda answer, _: write_json(answer),
    "yaml": lambda answer, _: _say_yaml(answer),
    "markdown": lambda answer, price: write_lines(markdown.render(answer, price)),
}


# --- the answer -----------------------------------------------------------------------------------


def _answer(wanted: KeysRequest, price: Price | None) -> dict[str, Any]:
    inventory = _inventory(wanted)
    example = inventory.captured_at if inventory.is_example else None
    as_of = example or datetime.now(UTC).replace(microsecond=0)
    judged = _Judged()
    organizations = _organizations(wanted, inventory)
    for finding in evaluate(organizations, load_rules(), Context(as_of), judged.meet):
        judged.add(finding)
    plan: dict[str, Any] = dict(judged.tallies.key_plan(judged.names))
    lists = plan.pop("lists")
    told = judged.organizations(plan, lists["shared"])
    is_open = (
        plan["missing"]
        or plan["undetermined"]
        or judged.doubts
        or judged.planned_failures
        or judged.is_in_doubt(told)
    )
    return {
        "schema": SCHEMA,
        "as_of": utc(as_of),
        "example": inventory.is_example,
        "exit_code": int(bool(is_open)),
        "sources": {
            "inventory": list(sorted_paths(wanted.inventory)),
            "plan": list(plans_in_order(wanted.plan)),
            "state": list(sorted_paths(wanted.state)),
            "add": list(wanted.add),
        },
        "notes": [note._asdict() for note in _notes(inventory)],
        **plan,
        "planned_failures": judged.planned_failures,
        "commands": [made for each in lists["missing"] if (made := commands_for(each))],
        "organizations": told,
        "price": None if price is None else _priced(price, plan),
    }


def _notes(inventory: Inventory) -> list[SourceNote]:
    """Return what was assumed of the sources or limits them; known once all were judged."""
    others = [
        SourceNote(source.path, f"{source.evidence.address} answered, which is not Astra")
        for source in inventory.sources
        if source.evidence and other_hosts([source.evidence.address])
    ]
    return [*others, *notes_on(map(describe_source, inventory.sources))]


def _inventory(wanted: KeysRequest) -> Inventory:
    terraform = parse_organizations(wanted.terraform_organization)
    return Inventory(wanted.inventory, wanted.plan, terraform, wanted.state)


def _organizations(wanted: KeysRequest, inventory: Inventory) -> Iterator[Organization]:
    """Yield all organizations with what might be; for its owners, all are read beforehand."""
    what_ifs = parse_hypothetical_databases(wanted.add)
    if not what_ifs:
        return inventory.organizations()
    names = {
        organization.id: organization.name for organization in _inventory(wanted).organizations()
    }
    return with_hypothetical_databases(
        inventory.organizations(), group_by_organization(what_ifs, names)
    )


def _priced(price: Price, plan: dict[str, Any]) -> dict[str, str]:
    told = {name: price.of(plan[name]) for name in PRICED}
    return {"each": str(price.amount), "currency": price.currency, **told}


class _Judged:
    """What was judged, organization by organization.

    Attributes:
        tallies: the findings, added up.
        names: each organization's name by its id.
        doubts: by organization, the findings that say that there may be more than was judged.
        planned_failures: how many findings say that a plan would change keys wrongly, or may.
    """

    def __init__(self) -> None:
        self.tallies = Aggregates()
        self.names: dict[str, str] = {}
        self.doubts: dict[str, list[Finding]] = {}
        self.planned_failures = 0
        self._wrong: set[tuple[str, ...]] = set()

    def meet(self, organization: Organization) -> None:
        self.names[organization.id] = organization.name
        self.tallies.add_organization(organization)

    def add(self, finding: Finding) -> None:
        """Count ``finding``, and keep what it says against the plan.

        It may say that there is more than was judged, or that a key is not the one it should be.
        """
        subject, status = finding.subject, finding.status
        self.tallies.add(finding)
        if subject.kind == "planned-key" and finding.severity != "advisory":
            self.planned_failures += status in OPEN
        if subject.region:
            if status in _FAILING and finding.rule in _WHICH_KEY:
                place = subject.organization, subject.type, subject.provider, subject.region
                self._wrong.add(place)
        elif finding.rule in _DOUBTS and status not in {"pass", "not-applicable"}:
            self.doubts.setdefault(subject.organization, []).append(finding)

    def is_in_doubt(self, organizations: Sequence[dict[str, Any]]) -> bool:
        """Say whether a key scope needs a key of which it is not known that it has it.

        One has a registered key, and that is of another place, or a rival of another key.
        """
        return any(
            (own["organization"], scope["type"], scope["provider"], scope["region"]) in self._wrong
            for own in organizations
            for scope in own["scopes"]
            if scope["state"] in WITH_DATABASES
        )

    def organizations(
        self, plan: dict[str, Any], shared: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return each organization's part of ``plan``, with its doubts and all its key scopes."""
        rows = zip(plan["organizations"], self.tallies.coverage(self.names), strict=True)
        return [
            {
                **own,
                "doubts": self._doubts(row["organization"]),
                "shared": _shared(row["organization"], shared),
                "scopes": _scopes(row["cells"]),
            }
            for own, row in rows
        ]

    def _doubts(self, organization: str) -> list[dict[str, str]]:
        return [_doubt(each) for each in _without_repetition(self.doubts.get(organization, []))]


def _without_repetition(doubts: Sequence[Finding]) -> list[Finding]:
    """Leave out what the rule on completeness says of the whole organization, and better."""
    told = any(each.rule == COMPLETE and each.status == "inconclusive" for each in doubts)
    return [
        doubt
        for doubt in doubts
        if doubt.rule == COMPLETE
        or not (told and doubt.subject.kind == "organization" and doubt.status == "inconclusive")
    ]


def _doubt(finding: Finding) -> dict[str, str]:
    return {name: getattr(finding, name) for name in ("rule", "reason", "message", "action")}


def _shared(organization: str, shared: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the keys that several key scopes of ``organization`` share."""
    return [
        {"key": each["key"], "scopes": each["scopes"]}
        for each in shared
        if each["organization"] == organization
    ]


def _scopes(cells: list[CoverageCell]) -> list[dict[str, Any]]:
    """Return what is known of each key scope, but for the finding: there is no record of it."""
    return [{name: value for name, value in cell.items() if name != "finding"} for cell in cells]
