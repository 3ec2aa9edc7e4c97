"""The resources that matter in what ``terraform show -json`` prints, wherever they stand in it."""

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
from inventory.terraform.resource_types import DATABASE, KEY, is_unknown_astra_type
from inventory.text.display import describe

TYPES = frozenset({DATABASE, KEY})
_ACTIONS = frozenset({"no-op", "create", "read", "update", "delete", "forget"})
_OF_PLANS = frozenset({"resource_changes", "planned_values", "configuration"})
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
        actions: what is to be done with it; empty in a state.
        before: its attributes now; None if it does not exist.
        after: its attributes once the plan is applied; None if it is to be gone.
        is_deferred: whether the plan leaves it to a later one.
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
        """Say whether it is to be made, or made anew."""
        return "create" in self.actions

    @property
    def is_deleted(self) -> bool:
        """Say whether it is to be deleted, also if it is to be recreated."""
        return "delete" in self.actions

    @property
    def is_planned(self) -> bool:
        """Say whether it is to be made, made anew or changed."""
        return self.creates or "update" in self.actions

    @property
    def grows_from(self) -> Attributes | None:
        """Return its attributes now, if it is not to be made anew; None if there are none."""
        return None if self.creates else self.before

    def problems(self) -> list[Problem]:
        """Return what was wrong with its attributes, each problem once."""
        every = [problem for side in (self.before, self.after) if side for problem in side.problems]
        return list(dict.fromkeys(every))


class TerraformDocument(NamedTuple):
    """What a file tells.

    Attributes:
        file: its path, as it was given.
        kind: a plan or a state.
        at: when the plan was made (UTC); None if it does not say.
        resources: every resource that matters, each once.
        configuration: the part of a plan that tells how it is configured.
        is_complete: False if a plan says that it leaves out a part of the configuration.
        is_applyable: False if a plan says that applying it would change nothing.
        look_alikes: the type of each resource of Astra's provider that is not known, by address.
    """

    file: str
    kind: Literal["plan", "state"]
    at: datetime | None
    resources: tuple[Resource, ...]
    configuration: Mapping[str, Any]
    is_complete: bool = True
    is_applyable: bool = True
    look_alikes: Mapping[str, str] = {}


def read_resources(file: str, document: Document, wanted: ExpectedFile) -> TerraformDocument:
    """Find the resources; raise InventoryError with every problem.

    A plan is no state, and a state no plan: what is not ``wanted`` is refused.
    """
    return _ResourceReader(file, document, wanted).read()


class _ResourceReader:
    """One walk through a file."""

    def __init__(self, file: str, document: Document, wanted: ExpectedFile) -> None:
        self._file = file
        self._wanted = wanted
        self._data: dict[str, Any] = document.data
        self._lines = document.lines
        self._problems: list[Problem] = []
        self._look_alikes: dict[str, str] = {}

    def read(self) -> TerraformDocument:
        self._check_form()
        refuse(self._problems)
        resources = list(self._plan() if self._wanted.kind == "plan" else self._whole_state())
        refuse(self._problems)
        configuration = self._data.get("configuration")
        return TerraformDocument(
            self._file,
            "plan" if self._wanted.kind == "plan" else "state",
            read_moment(self._data.get("timestamp")),
            tuple(resources),
            configuration if isinstance(configuration, dict) else {},
            self._data.get("complete", True),
            self._data.get("applyable", True),
            self._look_alikes,
        )

    def _check_form(self) -> None:
        version = self._data.get("format_version")
        if version is None:
            self._refuse((), *raw_state_mixup(self._wanted))
        elif not isinstance(version, str) or not _VERSION.fullmatch(version):
            is_newer = isinstance(version, str) and _NEWER.fullmatch(version)
            expected = f"{_VERSIONS}; {NEWER_HINT}" if is_newer else _VERSIONS
            self._refuse(("format_version",), describe(version), expected)
        elif not (kind := self._kind()):
            self._refuse((), "neither a plan nor a state", self._wanted.expectation)
        elif kind != self._wanted.kind:
            self._refuse((), *plan_state_mixup(self._wanted))
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
        if self._data.get("configuration") is None:  # which says whose its resources are
            self._refuse(("configuration",), "nothing", "a mapping")
        changes = list(self._changes(("resource_changes",)))
        addresses = Counter(change.address for change in changes)
        for address, count in addresses.items():
            if count > 1:
                found = f"{describe(address)} {count} times"
                self._refuse(("resource_changes",), found, "each once")
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
            if inner and self._matters(inner, where):
                yield self._change(inner, where)._replace(is_deferred=True)
        before = self._data.get("prior_state")
        if before is not None and "values" in self._mapping(before, ("prior_state",)):
            yield from self._state(("prior_state", "values"))

    def _deposed(self) -> Iterator[Resource]:
        """Yield the keys that an earlier replacement left, and that the plan deletes."""
        for item, where in self._items(("resource_changes",)):
            is_key = item.get("deposed") is not None and item.get("type") == KEY
            if is_key and self._matters(item, where):
                yield self._change(item, where)

    def _drift(self) -> Iterator[Resource]:
        """Yield what changed outside of Terraform, as it is now, or as it was before it went."""
        for change in self._changes(("resource_drift",)):
            now = change.after or change.before
            yield change._replace(actions=frozenset(), before=now, after=None)

    def _changes(self, path: FieldPath) -> Iterator[Resource]:
        for item, where in self._items(path):
            if self._matters(item, where) and item.get("deposed") is None:
                yield self._change(item, where)

    def _change(self, item: dict[str, Any], path: FieldPath) -> Resource:
        change, inner = self._mapping(item.get("change"), (*path, "change")), (*path, "change")
        hidden, kept = change.get("after_sensitive"), change.get("before_sensitive")
        unknown, address = change.get("after_unknown"), str(item["address"])
        marks = [(hidden, SENSITIVE), (unknown, UNKNOWN)]
        after = self._attributes(address, change.get("after"), (*inner, "after"), marks)
        marks = [(kept, SENSITIVE)]
        before = self._attributes(address, change.get("before"), (*inner, "before"), marks)
        actions = self._actions(change.get("actions"), (*inner, "actions"))
        if after is None and actions & {"create", "update"}:
            self._refuse((*inner, "after"), "nothing", "the attributes after the change")
        return self._resource(item, path)._replace(actions=actions, before=before, after=after)

    def _actions(self, value: object, path: FieldPath) -> frozenset[str]:
        words = value if isinstance(value, list) else []
        if not words or not all(isinstance(word, str) and word in _ACTIONS for word in words):
            expected = f"one or two of: {', '.join(sorted(_ACTIONS))}"
            found = ", ".join(map(describe, words)) or describe(value)
            self._refuse(path, found, expected)
            return frozenset()
        return frozenset(words)

    # --- states -----------------------------------------------------------------------------------

    def _whole_state(self) -> Iterator[Resource]:
        """Yield the resources of a state that was given as one; an empty one has none."""
        return self._state(("values",)) if "values" in self._data else iter(())

    def _state(self, path: tuple[str, ...]) -> Iterator[Resource]:
        """Yield the resources of a state."""
        for item, where in self._resources(path):
            marks = [(item.get("sensitive_values"), SENSITIVE)]
            inner = (*where, "values")
            values = self._attributes(str(item["address"]), item.get("values"), inner, marks)
            if values is None:
                self._refuse(inner, "nothing", "the attributes of the resource")
            yield self._resource(item, where)._replace(before=values)

    def _resources(self, path: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], FieldPath]]:
        """Yield what stands below a module, and below all its child modules."""
        where: FieldPath = ()
        data: object = self._data
        for part in (*path, "root_module"):
            inside, where = self._mapping(data, where), (*where, part)
            data = inside.get(part)
        waiting: list[tuple[object, FieldPath]] = [(data, where)]
        while waiting:
            module, where = waiting.pop()
            inside = self._mapping(module, where)
            for item, place in self._listed(inside, "resources", where):
                if self._matters(item, place):
                    yield item, place
            waiting += self._listed(inside, "child_modules", where)

    # --- parts ------------------------------------------------------------------------------------

    def _resource(self, item: dict[str, Any], path: FieldPath) -> Resource:
        address = str(item["address"])
        module = item.get("module_address", module_of(address))  # a state names no modules
        return Resource(
            address,
            module if isinstance(module, str) else "",
            str(item["type"]),
            str(item.get("name")),
            line_of(self._lines, (*path, "address")),
            frozenset(),
            None,
            None,
            provider=str(item.get("provider_name", "")),
        )

    def _attributes(
        self, address: str, values: object, path: FieldPath, marks: list[tuple[object, str]]
    ) -> Attributes | None:
        if values is None:
            return None
        place = self._file, self._lines, path, address
        return Attributes(self._mapping(values, path), marks, place)

    def _matters(self, item: dict[str, Any], path: FieldPath) -> bool:
        """Say whether a resource is one of ours; complain if that cannot be told."""
        kind, mode, address = (item.get(each) for each in ("type", "mode", "address"))
        for name, value in (("type", kind), ("mode", mode), ("address", address)):
            if not isinstance(value, str) or not value:
                self._refuse((*path, name), describe(value), "text")
                return False
        if mode == "managed" and is_unknown_astra_type(str(kind), item.get("provider_name")):
            self._look_alikes[str(address)] = str(kind)
        if kind not in TYPES or mode == "data":
            return False
        if mode != "managed":
            self._refuse((*path, "mode"), describe(mode), "managed or data")
        if found := flaw(str(address)):
            self._refuse((*path, "address"), found, "an address as Terraform makes it")
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
        places = [(*where, index) for index in range(len(value))]
        return [(self._mapping(each, at), at) for each, at in zip(value, places, strict=True)]

    def _mapping(self, value: object, path: FieldPath) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._refuse(path, describe(value), "a mapping")
        return {}
