"""The inventory of one audit: the present from one or more files, plans, and states."""

from __future__ import annotations

from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from inventory.cloud_facts import with_records
from inventory.errors import InventoryError, Problem
from inventory.files.merging import merge
from inventory.files.named_plans import parse_plan, plans_in_order
from inventory.inventory_parts import split_organizations, split_stream
from inventory.model.organization import Organization
from inventory.opening import holds_clouds_only, is_stream, open_stream, read_file
from inventory.plans import add_plan, read_plan, read_state, refuse_shared_addresses
from inventory.system.garbage_collection import collector_paused
from inventory.system.paths import sorted_paths
from inventory.terraform.organizations import (
    OPTION,
    UNKNOWN_ORGANIZATION,
    TerraformSettings,
    refuse_unknown_providers,
)
from inventory.terraform.owners import refuse_ambiguous_owners

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from inventory.files.entry_reader import PartRead
    from inventory.files.yaml_json import RecordedFile
    from inventory.inventory_parts import SplitInventory
    from inventory.model.planned_keys import PlannedKey
    from inventory.model.sources import Source


ASSUMED = "The file does not state the organization of its databases and keys. Assumed: {}."


class Inventory:
    """The population of an audit; a single NDJSON file is read as a stream, all else is in memory.

    Attributes:
        is_example: whether every file is a bundled example.
        captured_at: the earliest time at which any file was recorded; None if any has no date.
    """

    def __init__(
        self,
        files: Sequence[str],
        plans: Sequence[str] = (),
        terraform: TerraformSettings = TerraformSettings(),  # noqa: B008 (frozen)
        states: Sequence[str] = (),
    ) -> None:
        """Open ``files`` (.yaml, .yml, .json, .ndjson, bundles), read ``plans`` and ``states``.

        A plan may have a name, as ``NAME=PATH``. A state is what Terraform believes to exist.

        ``terraform`` is what the user states about Terraform's files. The order of the files makes
        no difference, and a file that is given twice is read once.

        Raises InventoryError with the problems of every file that is read at once; those of a
        stream come when ``organizations`` reaches its end.
        """
        files, of_clouds = _apart(sorted_paths(files))
        streams = len(files) == 1 and is_stream(files[0])
        planned, states_read, self._whole, self._of_clouds = _read_all(
            (partial(_read_plan, terraform=terraform), plans_in_order(plans)),
            (partial(read_state, terraform=terraform), sorted_paths(states)),
            (read_file, () if streams else files),
            (read_file, of_clouds),
        )
        refuse_shared_addresses(planned)
        self._plans = [*planned, *states_read]
        refuse_unknown_providers(
            terraform, chain.from_iterable(plan.providers for plan in self._plans)
        )
        refuse_ambiguous_owners(self._plans)
        self._clouds = _by_id(self._of_clouds)
        self._stream = open_stream(files[0]) if streams else None
        self._assumed = ""
        heads = (
            [self._stream.head] if self._stream else [recorded.source for recorded in self._whole]
        )
        self.is_example = bool(heads) and all(head.example for head in heads)
        times = [head.captured_at for head in heads if head.captured_at is not None]
        self.captured_at: datetime | None = None
        if len(times) == len(heads):
            self.captured_at = min(times, default=None)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Describe every file; complete only after the iteration over ``organizations``."""
        present = (
            [self._stream.source] if self._stream else [recorded.source for recorded in self._whole]
        )
        of_clouds = [recorded.source for recorded in self._of_clouds]
        return (*present, *of_clouds, *map(self._with_assumption, self._plans))

    def _with_assumption(self, plan: RecordedFile) -> Source:
        if self._assumed and any(
            organization.id == UNKNOWN_ORGANIZATION for organization in plan.organizations
        ):
            notes = (*plan.source.notes, self._assumed)
            return plan.source.model_copy(update={"notes": notes})
        return plan.source

    def organizations(self) -> Iterator[Organization]:
        """Yield every organization once, in the order of paths; raises InventoryError."""
        planned = {organization.id: organization for organization in self._planned()}
        present = self._present()
        if UNKNOWN_ORGANIZATION in planned:
            # Two organizations are enough to see that there are several; a stream may have many.
            first = list(islice(present, 2))
            self._assign(planned, first)
            present = chain(first, present)
        for organization in present:
            whole = add_plan(organization, planned.pop(organization.id, None))
            yield self._with_clouds(whole)
        yield from map(self._with_clouds, planned.values())

    def _with_clouds(self, organization: Organization) -> Organization:
        return with_records(organization, self._clouds.get(organization.id, ()))

    # --- in parts ---------------------------------------------------------------------------------

    def split(self, jobs: int) -> SplitInventory | None:
        """Return parts for ``jobs`` processes; None if the inventory is to be read as one.

        Raises InventoryError for what is read at once.
        """
        planned = {organization.id: organization for organization in self._planned()}
        if self._stream is None:
            return split_organizations(list(self.organizations()), jobs)
        # Several organizations of which none is stated are refused where all are read in order.
        if UNKNOWN_ORGANIZATION in planned:
            return None
        return split_stream(self._stream, planned, self._clouds, jobs)

    def take(self, split: SplitInventory, read: Sequence[PartRead]) -> None:
        """Take what was read of all parts, in their order; then ``sources`` is complete.

        Raises InventoryError if the parts do not fit together: then all is to be read as one.
        """
        if self._stream and split.file:
            self._stream.take(split.file, read)

    def planned_keys(self, owners: Iterable[str]) -> dict[str, list[PlannedKey]]:
        """Return the keys that the plans would change, by organization.

        ``owners`` are the organizations of the audit: what states no organization is of the only
        one. Raises InventoryError if there are several.
        """
        planned = {organization.id: organization for organization in self._planned()}
        if UNKNOWN_ORGANIZATION in planned:
            present = [Organization(id=owner, name=owner) for owner in owners]
            self._assign(planned, present)
        return {
            identity: list(organization.managed.planned_keys)
            for identity, organization in planned.items()
        }

    def _planned(self) -> list[Organization]:
        return merge(organization for plan in self._plans for organization in plan.organizations)

    def _assign(self, planned: dict[str, Organization], present: list[Organization]) -> None:
        """Assign what states no organization to the only one; raise InventoryError if several."""
        owners = {organization.id for organization in present} | planned.keys() - {
            UNKNOWN_ORGANIZATION
        }
        if len(owners) > 1:
            raise InventoryError(list(_ownerless(self._plans)))
        owner = next(iter(owners), UNKNOWN_ORGANIZATION)
        self._assumed = ASSUMED.format(_owner_label(owner, present))
        assigned = planned.pop(UNKNOWN_ORGANIZATION).model_copy(update={"id": owner, "name": owner})
        known = planned.get(owner)
        planned[owner] = merge([known, assigned])[0] if known else assigned

    def _present(self) -> Iterator[Organization]:
        if self._stream:
            return self._stream.organizations()
        return iter(merge(self._dated()))

    def _dated(self) -> Iterator[Organization]:
        for recorded in self._whole:
            at = recorded.source.captured_at
            for organization in recorded.organizations:
                if organization.captured_at is None:
                    yield organization.model_copy(update={"captured_at": at}).at(
                        organization.file, organization.line
                    )
                else:
                    yield organization


def _apart(files: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the records of organizations and those of clouds alone.

    Raises InventoryError if there are only these: nothing would be judged.
    """
    of_clouds = tuple(file for file in files if holds_clouds_only(file))
    others = tuple(file for file in files if file not in of_clouds)
    if of_clouds and not others:
        found, expected = "a record of clouds alone", "the record of the organizations beside it"
        raise InventoryError([Problem(file, 0, "", found, expected) for file in of_clouds])
    return others, of_clouds


def _by_id(records: Iterable[RecordedFile]) -> dict[str, list[Organization]]:
    by_id: dict[str, list[Organization]] = {}
    for recorded in records:
        for organization in recorded.organizations:
            by_id.setdefault(organization.id, []).append(organization)
    return by_id


def _owner_label(owner: str, present: Iterable[Organization]) -> str:
    """Describe the assumed organization, with its name if that was recorded."""
    if owner == UNKNOWN_ORGANIZATION:
        return "one unnamed organization"
    names = (organization.name for organization in present if organization.name != owner)
    name = next(names, "")
    return f"{f'{name} ({owner})' if name else owner}, the only organization in this audit"


def _ownerless(plans: Sequence[RecordedFile]) -> Iterator[Problem]:
    expected = f"{OPTION}=ID, because this audit has several organizations"
    for plan in plans:
        for organization in plan.organizations:
            if organization.id == UNKNOWN_ORGANIZATION:
                found = "databases without a stated organization"
                yield Problem(plan.source.path, 0, "", found, expected)


def _read_all(
    *kinds: tuple[Callable[[str], RecordedFile], Sequence[str]],
) -> Iterator[list[RecordedFile]]:
    """Read the files of each kind; raise InventoryError with the problems of all of them."""
    problems: list[Problem] = []
    results = [[_collect(read, file, problems) for file in files] for read, files in kinds]
    if problems:
        raise InventoryError(problems)
    return ([recorded for recorded in kind if recorded] for kind in results)


def _read_plan(text: str, terraform: TerraformSettings) -> RecordedFile:
    plan = parse_plan(text)
    return read_plan(plan.path, terraform, plan.name)


def _collect(
    read: Callable[[str], RecordedFile], file: str, problems: list[Problem]
) -> RecordedFile | None:
    try:
        with collector_paused():
            return read(file)
    except InventoryError as error:
        problems += error.problems
        return None
