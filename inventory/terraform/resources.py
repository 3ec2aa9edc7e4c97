"""The relevant resources in the output of ``terraform show -json``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from inventory.errors import Problem
from inventory.files.documents import Document, FieldPath, field_name
from inventory.files.format_detection import ExpectedFile, plan_state_mixup, raw_state_mixup
from inventory.files.validation import line_of
from inventory.files.yaml_json import refuse
from inventory.model.base import NEWER_HINT, read_moment
from inventory.terraform.addresses import module_of
from inventory.terraform.attributes import SENSITIVE, UNKNOWN, Attributes, flaw
from inventory.terraform.resource_types import KEY, TYPES, is_unknown_astra_type
from inventory.text.display import describe

_ACTIONS = frozenset({"no-op", "create", "read", "update", "delete", "forget"})
_OF_PLANS = frozenset({"resource_changes", "planned_values", "configuration"})
_READ = frozenset(
    {"deferred_changes", "planned_values", "prior_state", "resource_changes", "resource_drift"}
    | {"values"}
)
_OF_EMPTY_STATES = frozenset({"format_version", "terraform_version", "checks"})
_VERSION = re.compile(r"[01]\.[0-9]{1,4}")
_VERSIONS = "a version 0.x or 1.x"
_NEWER = re.compile(r"[1-9][0-9]{0,3}\.[0-9]{1,4}")


class Resource(NamedTuple):
    """One instance of a resource.

    Attributes:
        address: its full address, such as ``module.app["eu"].astra_database.orders[0]``.
        module: the address of its module; empty for the root.
        type: ``astra_database`` or ``astra_customer_key``.
        name: its name in the configuration.
        line: its line in the file.
        actions: the planned actions; empty in a state.
        before: its attributes now; None if it does not exist.
        after: its attributes after apply; None if it is deleted.
        is_deferred: whether the plan defers it to a later plan.
        provider: the full name of its provider; may be empty.
    """

    address: str
    module: str
    type: str
    name: str
    line: int
    actions: frozenset[str]
    before: Attributes | None
    after: Attributes | None
    is_deferred: bool = False
    provider: str = ""

    @property
    def creates(self) -> bool:
        """Say whether it is created or recreated."""
        return "create" in self.actions

    @property
    def is_deleted(self) -> bool:
        """Say whether it is deleted, also if it is recreated."""
        return "delete" in self.actions

    @property
    def is_planned(self) -> bool:
        """Say whether it is created, recreated or changed."""
        return self.creates or "update" in self.actions

    @property
    def grows_from(self) -> Attributes | None:
        """Return its attributes now, unless it is recreated; None if there are none."""
        return None if self.creates else self.before

    def problems(self) -> list[Problem]:
        """Return what was wrong with its attributes, each problem once."""
        every = [problem for side in (self.before, self.after) if side for problem in side.problems]
        return list(dict.fromkeys(every))


class TerraformDocument(NamedTuple):
    """The content of a plan or a state.

    Attributes:
        file: its path, as it was given.
        kind: a plan or a state.
        at: when the plan was made (UTC); None if it has no time.
        resources: every relevant resource, each once.
        configuration: the plan's part ``configuration``.
        is_complete: False if a plan says that it leaves out a part of the configuration.
        is_applyable: False if a plan says that applying it would change nothing.
        unknown_types: the type of each resource of Astra's provider with an unknown type, by
            address.
    """

    file: str
    kind: Literal["plan", "state"]
    at: datetime | None
    resources: tuple[Resource, ...]
    configuration: Mapping[str, Any]
    is_complete: bool = True
    is_applyable: bool = True
    unknown_types: Mapping[str, str] = {}


def read_resources(file: str, document: Document, expected: ExpectedFile) -> TerraformDocument:
    """Find the resources; raise InventoryError with every problem.

    A state given as a plan is refused, and a plan given as a state.
    """
    return _ResourceReader(file, document, expected).read()


class _ResourceReader:
    """Reads one file, and collects the problems on the way."""

    def __init__(self, file: str, document: Document, expected: ExpectedFile) -> None:
        self._file = file
        self._expected = expected
        self._data: dict[str, Any] = document.data
        self._lines = document.lines
        self._problems: list[Problem] = []
        self._unknown_types: dict[str, str] = {}
        self._seen_actions: dict[frozenset[str], frozenset[str]] = {}

    def read(self) -> TerraformDocument:
        self._check_form()
        refuse(self._problems)
        resources = list(self._plan() if self._expected.kind == "plan" else self._whole_state())
        refuse(self._problems)
        self._release()
        configuration = self._data.get("configuration")
        return TerraformDocument(
            file=self._file,
            kind="plan" if self._expected.kind == "plan" else "state",
            at=read_moment(self._data.get("timestamp")),
            resources=tuple(resources),
            configuration=configuration if isinstance(configuration, dict) else {},
            is_complete=self._data.get("complete", True),
            is_applyable=self._data.get("applyable", True),
            unknown_types=self._unknown_types,
        )

    def _release(self) -> None:
        """Release what all resources were read from: the entries made of them need its memory.

        Their attributes stay, and so do the names of the parts.
        """
        self._data.update(dict.fromkeys(self._data.keys() & _READ))

    def _check_form(self) -> None:
        version = self._data.get("format_version")
        if version is None:
            self._refuse((), *raw_state_mixup(self._expected))
        elif not isinstance(version, str) or not _VERSION.fullmatch(version):
            is_newer = isinstance(version, str) and _NEWER.fullmatch(version)
            expected = f"{_VERSIONS}; {NEWER_HINT}" if is_newer else _VERSIONS
            self._refuse(("format_version",), describe(version), expected)
        elif not (kind := self._kind()):
            self._refuse((), "neither a plan nor a state", self._expected.expectation)
        elif kind != self._expected.kind:
            self._refuse((), *plan_state_mixup(self._expected))
        if (errored := self._data.get("errored", False)) is not False:
            found = "a plan that ended with an error" if errored is True else describe(errored)
            self._refuse(("errored",), found, "a plan that can be applied")
        for name in ("complete", "applyable"):  # OpenTofu and older Terraform have neither
            if not isinstance(value := self._data.get(name, True), bool):
                self._refuse((name,), describe(value), "true or false")

    def _kind(self) -> Literal["plan", "state", ""]:
        """Return what the document is; an empty state has nothing but its versions."""
        if self._data.keys() & _OF_PLANS:
            return "plan"
        has_values = self._data.get("values") is not None
        return "state" if has_values or not self._data.keys() - _OF_EMPTY_STATES else ""

    def _refuse(self, path: FieldPath, found: str, expected: str) -> None:
        line = line_of(self._lines, path)
        self._problems.append(Problem(self._file, line, field_name(path), found, expected))

    # --- plans ------------------------------------------------------------------------------------

    def _plan(self) -> Iterator[Resource]:
        if (
            self._data.get("configuration") is None
        ):  # without it, no resource has a provider, and so no organization
            self._refuse(("configuration",), "nothing", "a mapping")
        changes = list(self._changes(("resource_changes",)))
        addresses = Counter(change.address for change in changes)
        for address, count in addresses.items():
            if count > 1:
                found = f"{describe(address)} {count} times"
                self._refuse(("resource_changes",), found, "each once")
        # A plan that was cut down may lack changes. Then a database would be judged by nothing.
        for planned, _ in self._resources(("planned_values",)):
            if planned["address"] not in addresses:
                expected = f"a change of {describe(planned['address'])}, as in planned_values"
                self._refuse(("resource_changes",), "nothing", expected)
        yield from changes
        yield from self._deposed()
        yield from self._drift()
        for item, path in self._items(("deferred_changes",)):
            where = (*path, "resource_change")
            inner = self._mapping(item.get("resource_change"), where)
            if inner and self._is_relevant(inner, where):
                yield self._change(inner, where)._replace(is_deferred=True)
        before = self._data.get("prior_state")
        if before is not None and "values" in self._mapping(before, ("prior_state",)):
            yield from self._state(("prior_state", "values"))

    def _deposed(self) -> Iterator[Resource]:
        """Yield the keys that an earlier replacement left behind, and that the plan deletes."""
        for item, where in self._items(("resource_changes",)):
            is_key = item.get("deposed") is not None and item.get("type") == KEY
            if is_key and self._is_relevant(item, where):
                yield self._change(item, where)

    def _drift(self) -> Iterator[Resource]:
        """Yield what changed outside of Terraform: as it is now, or was before its removal."""
        for change in self._changes(("resource_drift",)):
            now = change.after or change.before
            yield change._replace(actions=frozenset(), before=now, after=None)

    def _changes(self, path: FieldPath) -> Iterator[Resource]:
        for item, where in self._items(path):
            if self._is_relevant(item, where) and item.get("deposed") is None:
                yield self._change(item, where)

    def _change(self, item: dict[str, Any], path: FieldPath) -> Resource:
        change, inner = self._mapping(item.get("change"), (*path, "change")), (*path, "change")
        address = str(item["address"])
        marks = [
            (change.get("after_sensitive"), SENSITIVE),
            (change.get("after_unknown"), UNKNOWN),
        ]
        after = self._attributes(address, change.get("after"), (*inner, "after"), marks)
        marks = [(change.get("before_sensitive"), SENSITIVE)]
        before = self._attributes(address, change.get("before"), (*inner, "before"), marks)
        actions = self._actions(change.get("actions"), (*inner, "actions"))
        if after is None and actions & {"create", "update"}:
            self._refuse((*inner, "after"), "nothing", "the attributes after the change")
        return self._resource(item, path, actions=actions, before=before, after=after)

    def _actions(self, value: object, path: FieldPath) -> frozenset[str]:
        words = value if isinstance(value, list) else []
        if not words or not all(isinstance(word, str) and word in _ACTIONS for word in words):
            expected = f"one or two of: {', '.join(sorted(_ACTIONS))}"
            found = ", ".join(map(describe, words)) or describe(value)
            self._refuse(path, found, expected)
            return frozenset()
        # A few sets are shared by all changes: a set takes as much memory as all else of a change.
        actions = frozenset(words)
        return self._seen_actions.setdefault(actions, actions)

    # --- states -----------------------------------------------------------------------------------

    def _whole_state(self) -> Iterator[Resource]:
        """Yield the resources of a state file; an empty state has none."""
        return self._state(("values",)) if "values" in self._data else iter(())

    def _state(self, path: tuple[str, ...]) -> Iterator[Resource]:
        """Yield the resources of a state."""
        for item, where in self._resources(path):
            marks = [(item.get("sensitive_values"), SENSITIVE)]
            inner = (*where, "values")
            values = self._attributes(str(item["address"]), item.get("values"), inner, marks)
            if values is None:
                self._refuse(inner, "nothing", "the attributes of the resource")
            yield self._resource(item, where, before=values)

    def _resources(self, path: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], FieldPath]]:
        """Yield the resources of a module and of all its child modules."""
        where: FieldPath = ()
        data: object = self._data
        for part in (*path, "root_module"):
            inside, where = self._mapping(data, where), (*where, part)
            data = inside.get(part)
        waiting: list[tuple[object, FieldPath]] = [(data, where)]
        while waiting:
            module, where = waiting.pop()
            inside = self._mapping(module, where)
            for item, item_path in self._listed(inside, "resources", where):
                if self._is_relevant(item, item_path):
                    yield item, item_path
            waiting += self._listed(inside, "child_modules", where)

    # --- parts ------------------------------------------------------------------------------------

    def _resource(
        self,
        item: dict[str, Any],
        path: FieldPath,
        *,
        actions: frozenset[str] = frozenset(),
        before: Attributes | None = None,
        after: Attributes | None = None,
    ) -> Resource:
        address = str(item["address"])
        module = item.get("module_address", module_of(address))  # a state names no modules
        return Resource(
            address=address,
            module=module if isinstance(module, str) else "",
            type=str(item["type"]),
            name=str(item.get("name")),
            line=line_of(self._lines, (*path, "address")),
            actions=actions,
            before=before,
            after=after,
            provider=str(item.get("provider_name", "")),
        )

    def _attributes(
        self, address: str, values: object, path: FieldPath, marks: list[tuple[object, str]]
    ) -> Attributes | None:
        if values is None:
            return None
        location = self._file, self._lines, path, address
        return Attributes(self._mapping(values, path), marks, location)

    def _is_relevant(self, item: dict[str, Any], path: FieldPath) -> bool:
        """Say whether a resource is relevant; note a problem if that is unclear."""
        kind, mode, address = (item.get(name) for name in ("type", "mode", "address"))
        for name, value in (("type", kind), ("mode", mode), ("address", address)):
            if not isinstance(value, str) or not value:
                self._refuse((*path, name), describe(value), "text")
                return False
        if mode == "managed" and is_unknown_astra_type(str(kind), item.get("provider_name")):
            self._unknown_types[str(address)] = str(kind)
        if kind not in TYPES or mode == "data":
            return False
        if mode != "managed":
            self._refuse((*path, "mode"), describe(mode), "managed or data")
        if problem := flaw(str(address)):
            self._refuse((*path, "address"), problem, "an address as Terraform makes it")
        return mode == "managed"

    def _items(self, path: FieldPath) -> Iterable[tuple[dict[str, Any], FieldPath]]:
        return self._listed(self._data, str(path[-1]), path[:-1])

    def _listed(
        self, holder: Mapping[str, Any], name: str, path: FieldPath
    ) -> list[tuple[dict[str, Any], FieldPath]]:
        value, where = holder.get(name), (*path, name)
        if value is None:
            return []
        if not isinstance(value, list):
            self._refuse(where, describe(value), "a list")
            return []
        paths = [(*where, index) for index in range(len(value))]
        return [(self._mapping(item, at), at) for item, at in zip(value, paths, strict=True)]

    def _mapping(self, value: object, path: FieldPath) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._refuse(path, describe(value), "a mapping")
        return {}
