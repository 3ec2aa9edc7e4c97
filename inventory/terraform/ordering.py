"""The order in which Terraform creates the resources of a plan, by their configuration.

Terraform starts a resource after everything that it refers to, or names in ``depends_on``, is
complete. That holds through other resources, variables, outputs and modules, even through those
that have no instances or do not change. This module never finds more dependencies than Terraform
has. What cannot be read, or is missing from Terraform's JSON (local values, conditions,
providers), counts as no dependency: a wrong "waits" would let an audit trust an order that is not
there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.terraform.addresses import (
    Reference,
    Step,
    instance_key,
    module_steps,
    read_dependencies,
    read_references,
)

if TYPE_CHECKING:
    from inventory.terraform.resources import Resource

_LEAST_WORK, _WORK_PER_EDGE = 1_000_000, 64
"""The limit of edges to follow, so that no configuration keeps the audit busy for hours."""

_RESOURCE_EXPRESSIONS = ("expressions", "count_expression", "for_each_expression")
_OUTPUT_EXPRESSIONS = ("expression",)
_CALL_EXPRESSIONS = ("count_expression", "for_each_expression")
_RESOLVED_BY_PARENT = frozenset({"call", "var"})
_SEEN_FROM_PARENT = frozenset({"output", "outputs", "everything"})


class _Node(NamedTuple):
    """A part of the configuration that waits for others.

    Attributes:
        module: the number of its module.
        kind: ``resource``, ``var`` or ``output``; ``call`` for what the whole module waits for;
            ``outputs`` or ``everything`` for all of a kind in the module.
        name: its name; empty where the module has only one of the kind.
    """

    module: int
    kind: str
    name: str = ""


class _Edge(NamedTuple):
    """One node waits for another; if ``key`` is not empty, for this one instance of it only."""

    node: _Node
    target: _Node
    key: str = ""


class _Module(NamedTuple):
    """A module, once however many instances it has; ``calls`` has the numbers of its modules."""

    number: int
    content: Mapping[str, Any]
    depth: int
    calls: dict[str, int]


class _Instance(NamedTuple):
    """Where an instance of a resource is configured.

    Attributes:
        node: its resource.
        steps: the instances of modules that lead to it.
        pattern: the keys of its steps and its own key, but empty where no reference names them.
    """

    node: _Node
    steps: tuple[Step, ...]
    pattern: tuple[str, ...]


class CreationOrder:
    """The order of creation that a plan's configuration guarantees."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        """Take the part ``configuration`` of a plan's JSON."""
        self._modules = _modules(configuration)
        edges = _needed(list(dict.fromkeys(_edges(self._modules))))
        self._targets: dict[_Node, list[_Edge]] = defaultdict(list)
        for edge in edges:
            self._targets[edge.node].append(edge)
        self._acyclic = _without_cycles(self._targets)
        self._users = _users(edges)
        self._named_instances = {
            (_instance_owner(edge.target), edge.key) for edge in edges if edge.key
        }
        self._work = _LEAST_WORK + _WORK_PER_EDGE * len(edges)
        self._instances: dict[tuple[str, str, str, str], _Instance | None] = {}
        self._shared: dict[_Instance, dict[_Node, int]] = {}
        self._answers: dict[tuple[_Node, _Instance], int | None] = {}

    def waits(self, database: Resource, key: Resource) -> bool:
        """Say whether Terraform creates ``database`` only after it has created ``key``.

        ``key`` must be one that the plan creates. It is False wherever that is not certain.
        """
        waiting, first = self._instance(database), self._instance(key)
        if waiting is None or first is None:
            return False
        shared = self._shared_steps(waiting.node, first)
        return shared is not None and waiting.steps[:shared] == first.steps[:shared]

    # --- instances --------------------------------------------------------------------------------

    def _instance(self, resource: Resource) -> _Instance | None:
        configured = resource.address, resource.module, resource.type, resource.name
        if configured not in self._instances:
            self._instances[configured] = self._find(*configured)
        return self._instances[configured]

    def _find(self, address: str, module: str, kind: str, name: str) -> _Instance | None:
        """Return the instance; None if its resource is not configured exactly once."""
        steps, key = module_steps(module), instance_key(address, module, f"{kind}.{name}")
        numbers = None if steps is None else self._numbers(steps)
        if steps is None or numbers is None or key is None:
            return None
        node = _Node(numbers[-1], "resource", f"{kind}.{name}")
        if node not in self._acyclic:
            return None
        keys = [*zip(numbers[1:], [step.key for step in steps], strict=True), (node, key)]
        pattern = tuple(
            name if (part, name) in self._named_instances else "" for part, name in keys
        )
        return _Instance(node, steps, pattern)

    def _numbers(self, steps: Iterable[Step]) -> list[int] | None:
        """Return the numbers of the root and of each module; None if one is not configured."""
        numbers = [0]
        for step in steps:
            inner = self._modules[numbers[-1]].calls.get(step.name)
            if inner is None:
                return None
            numbers.append(inner)
        return numbers

    # --- paths ------------------------------------------------------------------------------------

    # A walk starts at the key and follows the references backwards, to everything that waits for
    # it. The question is which *instances* of a node wait. With modules in several instances, only
    # those do that share the key's module instances, from the root down to some depth.
    #
    # So the walk keeps one number for each node: how many of the key's module steps, counted from
    # the root, an instance must share to wait. Fewer shared steps include more instances, so the
    # least number over all paths is enough, and the walk needs no list of paths.
    #
    # A reference that leaves one of the key's modules towards the root needs one step less, if it
    # means any instance of the module or exactly the key's.

    def _shared_steps(self, node: _Node, key: _Instance) -> int | None:
        """Return how many steps an instance of ``node`` must share with ``key`` to wait for it.

        None if none waits, or the configuration does not prove it.
        """
        # The numbers of steps do not depend on the steps themselves: instances share one walk.
        source = key._replace(steps=())
        question = node, source
        if question not in self._answers:
            if source not in self._shared:
                self._shared[source] = self._walk(source)
            self._answers[question] = self._least_steps(node, source, self._shared[source])
        return self._answers[question]

    def _least_steps(self, node: _Node, key: _Instance, shared: Mapping[_Node, int]) -> int | None:
        depth = self._depth(node)
        steps = [
            min(shared[target], depth)
            for _, target, named in self._targets[node]
            if target in shared
            and (not named or self._required(target, key, shared[target]) in {None, named})
        ]
        return min(steps, default=None)

    def _walk(self, key: _Instance) -> dict[_Node, int]:
        """Return how many steps an instance must share, for each node that waits for ``key``."""
        shared = {key.node: self._depth(key.node)}
        waiting = [key.node]
        while waiting:
            node = waiting.pop()
            for user in self._waiting_for(node, self._required(node, key, shared[node])):
                if self._work <= 0:  # too few nodes: fewer proofs, but no wrong ones
                    return shared
                self._work -= 1
                steps = min(shared[node], self._depth(user))
                if steps < shared.get(user, steps + 1):
                    shared[user] = steps
                    waiting.append(user)
        return shared

    def _depth(self, node: _Node) -> int:
        """Return how deep the module is in which the references of ``node`` are resolved."""
        return self._modules[node.module].depth - (node.kind in _RESOLVED_BY_PARENT)

    def _required(self, node: _Node, key: _Instance, shared: int) -> str | None:
        """Return the key that a reference to ``node`` must name, if it names one.

        None if it may name any: then no instance of what it names is nearer to ``key``.
        """
        if node == key.node:
            return key.pattern[-1]
        if node.kind in _SEEN_FROM_PARENT and shared == self._depth(node):
            return key.pattern[shared - 1]
        return None

    def _waiting_for(self, node: _Node, required: str | None) -> Iterator[_Node]:
        users = self._users.get(node, {})
        for named in users if required is None else dict.fromkeys(("", required)):
            yield from users.get(named, ())


# --- the graph ------------------------------------------------------------------------------------


def _needed(edges: Sequence[_Edge]) -> list[_Edge]:
    """Leave out the edges of nodes that no resource waits for, such as unused outputs."""
    waiting_for = Counter(edge.target for edge in edges)
    others: dict[_Node, list[_Node]] = defaultdict(list)
    for node, target, _ in edges:
        if node.kind != "resource":
            others[node].append(target)
    unused = [node for node in others if not waiting_for[node]]
    while unused:
        for target in others.pop(unused.pop()):
            waiting_for[target] -= 1
            if not waiting_for[target] and target in others:
                unused.append(target)
    return [edge for edge in edges if edge.node.kind == "resource" or edge.node in others]


def _without_cycles(targets: Mapping[_Node, list[_Edge]]) -> set[_Node]:
    """Return the nodes from which no path leads into a cycle; Terraform refuses cycles."""
    users: dict[_Node, list[_Node]] = defaultdict(list)
    missing = {node: len(edges) for node, edges in targets.items()}
    for edge in (edge for edges in targets.values() for edge in edges):
        users[edge.target].append(edge.node)
    ready = [node for node in users if node not in targets]
    while ready:
        for user in users[ready.pop()]:
            missing[user] -= 1
            if not missing[user]:
                ready.append(user)
    return {node for node, remaining in missing.items() if not remaining}


def _users(edges: Iterable[_Edge]) -> dict[_Node, dict[str, list[_Node]]]:
    """Return the nodes that wait for each node, by the instance they name.

    A node that nothing waits for is left out: most databases, which a walk never passes through.
    """
    users: dict[_Node, dict[str, list[_Node]]] = defaultdict(lambda: defaultdict(list))
    targets = {edge.target for edge in edges}
    for node, target, key in edges:
        if node in targets:
            users[target][key].append(node)
    return users


def _instance_owner(target: _Node) -> _Node | int:
    """Return what has the instances that a reference names: the resource, or the module."""
    return target if target.kind == "resource" else target.module


# --- the configuration ----------------------------------------------------------------------------


def _modules(configuration: Mapping[str, Any]) -> list[_Module]:
    """Return the root and each module below, a module after the one that calls it."""
    modules: list[_Module] = []
    waiting: list[tuple[object, _Module | None, str]] = [
        (configuration.get("root_module"), None, "")
    ]
    while waiting:
        content, caller, name = waiting.pop()
        depth = caller.depth + 1 if caller else 0
        module = _Module(len(modules), _mapping(content), depth, {})
        modules.append(module)
        if caller:
            caller.calls[name] = module.number
        waiting += ((_mapping(call).get("module"), module, inner) for inner, call in _calls(module))
    return modules


def _calls(module: _Module) -> Iterable[tuple[str, object]]:
    return _mapping(module.content.get("module_calls")).items()


def _edges(modules: Iterable[_Module]) -> Iterator[_Edge]:
    for module in modules:
        yield from _resource_edges(module)
        yield from _output_edges(module)
        for name, call in _calls(module):
            yield from _call_edges(module, module.calls[name], _mapping(call))


def _resource_edges(module: _Module) -> Iterator[_Edge]:
    """Yield the edges of the resources; one that is configured twice is left out as ambiguous."""
    resources = [(_label(item), item) for item in _listed(module.content.get("resources"))]
    times = Counter(label for label, _ in resources)
    for label, resource in resources:
        if label and times[label] == 1:
            node = _Node(module.number, "resource", label)
            yield from _membership(node, "everything")
            yield from _dependencies(node, module, resource, _RESOURCE_EXPRESSIONS)
            for edge in _reference_edges(node, module, resource.get("provisioners")):
                if edge.target != node:  # a provisioner may refer to its own resource
                    yield edge


def _output_edges(module: _Module) -> Iterator[_Edge]:
    for name, output in _mapping(module.content.get("outputs")).items():
        node = _Node(module.number, "output", name)
        yield from _membership(node, "everything", "outputs")
        yield from _dependencies(node, module, _mapping(output), _OUTPUT_EXPRESSIONS)


def _call_edges(module: _Module, inner: int, call: Mapping[str, Any]) -> Iterator[_Edge]:
    """Yield the edges that follow from the call of the module ``inner`` by ``module``."""
    whole, everything = _Node(inner, "call"), _Node(inner, "everything")
    yield _Edge(whole, _Node(module.number, "call"))
    yield _Edge(everything, whole)
    yield _Edge(_Node(module.number, "everything"), everything)
    yield from _dependencies(whole, module, call, _CALL_EXPRESSIONS)
    for variable, expression in _mapping(call.get("expressions")).items():
        yield from _reference_edges(_Node(inner, "var", variable), module, expression)


def _membership(node: _Node, *wholes: str) -> Iterator[_Edge]:
    """Yield that a part of a module waits for the module's call, and ``wholes`` for the part."""
    yield _Edge(node, _Node(node.module, "call"))
    for whole in wholes:
        yield _Edge(_Node(node.module, whole), node)


def _dependencies(
    node: _Node, module: _Module, item: Mapping[str, Any], parts: Iterable[str]
) -> Iterator[_Edge]:
    """Yield the edges of ``node`` by its own ``depends_on`` and expressions."""
    for part in parts:
        yield from _reference_edges(node, module, item.get(part))
    explicit = item.get("depends_on")
    for reference in read_dependencies(explicit if isinstance(explicit, list) else ()):
        yield from _reference_edge(node, module, reference, "everything")


def _reference_edges(node: _Node, module: _Module, expression: object) -> Iterator[_Edge]:
    for texts in _reference_lists(expression):
        for reference in read_references(texts):
            yield from _reference_edge(node, module, reference, "outputs")


def _reference_edge(
    node: _Node, module: _Module, reference: Reference, whole: str
) -> Iterator[_Edge]:
    """Yield the edge to the reference's target; ``whole`` is that of a module without an output."""
    kind, name, key, output = reference
    if kind == "module":
        inner = module.calls.get(name)
        if inner is not None:
            yield _Edge(node, _Node(inner, "output" if output else whole, output), key)
    elif kind:
        yield _Edge(node, _Node(module.number, kind, name), key)


def _reference_lists(expression: object) -> Iterator[list[Any]]:
    """Yield each list of references, however deep in blocks; constants only look like one."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += (inner for name, inner in part.items() if name != "constant_value")
            if isinstance(part.get("references"), list):
                yield part["references"]


def _label(resource: Mapping[str, Any]) -> str:
    """Return the name of the resource in references; empty if there is none."""
    mode, kind, name = (resource.get(part) for part in ("mode", "type", "name"))
    if not (isinstance(kind, str) and isinstance(name, str)):
        return ""
    return {"managed": f"{kind}.{name}", "data": f"data.{kind}.{name}"}.get(str(mode), "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]
