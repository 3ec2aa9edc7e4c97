"""Configurations as plain data, what Terraform would print of them, and who waits for whom in them.

The order is found here as slowly and simply as can be: every instance of every resource, output and
variable is a node of its own, and from each of them every way is followed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.inventory.terraform.ordering import instance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inventory.terraform.resources import Resource

Steps = tuple[tuple[str, str], ...]
"""The modules that lead to an instance, each with its key."""


class Ref(NamedTuple):
    """What an expression names: a resource, a variable or, if it is a module, an output or all."""

    name: str
    key: str = ""
    output: str = ""

    @property
    def text(self) -> str:
        """Return it as it is written."""
        key = f"[{self.key}]" if self.key else ""
        return f"{self.name}{key}" + (f".{self.output}" if self.output else "")

    @property
    def printed(self) -> list[str]:
        """Return it as Terraform prints it in an expression: with an attribute, and in parts."""
        texts = [] if self.name.startswith("module.") and not self.output else [f"{self.text}.id"]
        texts.append(self.text)
        if self.output or self.key:
            texts.append(self._replace(output="", key=self.key if self.output else "").text)
        return texts


class Node(NamedTuple):
    """One instance of anything, or with the ``steps`` of any instance, all of them."""

    steps: Steps
    kind: str
    name: str = ""
    key: str = ""


@dataclass
class Needs:
    """What something waits for: expressions with what each refers to, and ``depends_on``."""

    expressions: list[list[Ref]] = field(default_factory=list)
    explicit: list[Ref] = field(default_factory=list)


@dataclass
class Block:
    """A resource with its instances."""

    name: str
    keys: tuple[str, ...]
    needs: Needs


@dataclass
class Module:
    """A module with its instances; ``needs`` and ``inputs`` are those of the call."""

    keys: tuple[str, ...] = ("",)
    needs: Needs = field(default_factory=Needs)
    inputs: dict[str, list[Ref]] = field(default_factory=dict)
    resources: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Needs] = field(default_factory=dict)
    calls: dict[str, Module] = field(default_factory=dict)


# --- printed --------------------------------------------------------------------------------------


def printed(module: Module) -> dict[str, Any]:
    """Return the module as Terraform prints it."""
    calls = {name: _call(inner) for name, inner in module.calls.items()}
    return {
        "resources": [_resource(block) for block in module.resources.values()],
        "outputs": {name: _output(needs) for name, needs in module.outputs.items()},
        "module_calls": calls,
    }


def _resource(block: Block) -> dict[str, Any]:
    *data, kind, name = block.name.split(".")
    attributes = [_expression(refs) for refs in block.needs.expressions]
    last = attributes.pop() if block.keys != ("",) and attributes else {}
    return {
        "mode": "data" if data else "managed",
        "type": kind,
        "name": name,
        "expressions": {"block": [{f"x{n}": one} for n, one in enumerate(attributes)]},
        "for_each_expression": last,
        "depends_on": [ref.text for ref in block.needs.explicit],
    }


def _output(needs: Needs) -> dict[str, Any]:
    refs = [ref for one in needs.expressions for ref in one]
    return {"expression": _expression(refs), "depends_on": [ref.text for ref in needs.explicit]}


def _call(module: Module) -> dict[str, Any]:
    refs = [ref for one in module.needs.expressions for ref in one]
    return {
        "expressions": {name: _expression(refs) for name, refs in module.inputs.items()},
        "count_expression": _expression(refs),
        "depends_on": [ref.text for ref in module.needs.explicit],
        "module": printed(module),
    }


def _expression(refs: Iterable[Ref]) -> dict[str, Any]:
    return {"references": ["each.value", *(text for ref in refs for text in ref.printed)]}


# --- instances ------------------------------------------------------------------------------------


def instances(module: Module, steps: Steps = ()) -> Iterator[tuple[Node, Resource]]:
    """Yield each instance of each managed resource: its node, and as a plan has it."""
    path = ".".join(Ref(f"module.{name}", key).text for name, key in steps)
    for block in module.resources.values():
        if not block.name.startswith("data."):
            kind, _, name = block.name.partition(".")
            for key in block.keys:
                text = ".".join(filter(None, (path, Ref(block.name, key).text)))
                node = Node(steps, "resource", block.name, key)
                yield node, instance(text, path, kind, name)
    for name, inner in module.calls.items():
        for key in inner.keys:
            yield from instances(inner, (*steps, (name, key)))


# --- the order ------------------------------------------------------------------------------------


class Naive:
    """Every way from every instance, followed."""

    def __init__(self, root: Module) -> None:
        self._root = root
        self.nodes = list(self._nodes(root, ()))
        self._next = {node: set(self._direct(node)) for node in self.nodes}
        self._reached = {node: _reached(node, self._next) for node in self.nodes}
        alike: dict[Node, set[Node]] = {}
        for node, targets in self._next.items():
            alike.setdefault(_without_keys(node), set()).update(map(_without_keys, targets))
        reached = {node: _reached(node, alike) for node in alike}
        self.circular = {
            node for node, targets in reached.items() if any(t in reached[t] for t in targets)
        }

    def waits(self, database: Node, key: Node) -> bool:
        """Say whether the one waits for the other."""
        if {_without_keys(database), _without_keys(key)} & self.circular:
            return False
        return key in self._reached[database]

    def _nodes(self, module: Module, steps: Steps) -> Iterator[Node]:
        yield from (Node(steps, kind) for kind in ("call", "outputs", "everything"))
        yield from (Node(steps, "var", f"var.{name}") for name in module.inputs)
        yield from (Node(steps, "output", name) for name in module.outputs)
        for block in module.resources.values():
            yield from (Node(steps, "resource", block.name, key) for key in block.keys)
        for name, inner in module.calls.items():
            for key in inner.keys:
                yield from self._nodes(inner, (*steps, (name, key)))

    def _module(self, steps: Steps) -> Module:
        module = self._root
        for name, _ in steps:
            module = module.calls[name]
        return module

    def _direct(self, node: Node) -> Iterator[Node]:
        steps, kind, name, _ = node
        module, above = self._module(steps), steps[:-1]
        if kind == "resource":
            yield Node(steps, "call")
            yield from self._needed(steps, module.resources[name].needs)
        elif kind == "output":
            yield Node(steps, "call")
            needs = module.outputs[name]
            together = [ref for one in needs.expressions for ref in one]
            yield from self._needed(steps, Needs([together], needs.explicit))
        elif kind == "var":
            yield from self._named(above, module.inputs[name.removeprefix("var.")])
        elif kind == "call" and steps:
            yield Node(above, "call")
            together = [ref for one in module.needs.expressions for ref in one]
            yield from self._needed(above, Needs([together], module.needs.explicit))
        elif kind in {"outputs", "everything"}:
            yield from self._parts(module, steps, kind)

    def _parts(self, module: Module, steps: Steps, kind: str) -> Iterator[Node]:
        yield from (Node(steps, "output", name) for name in module.outputs)
        if kind == "outputs":
            return
        yield Node(steps, "call")
        for block in module.resources.values():
            yield from (Node(steps, "resource", block.name, key) for key in block.keys)
        for name, inner in module.calls.items():
            yield from (Node((*steps, (name, key)), "everything") for key in inner.keys)

    def _needed(self, steps: Steps, needs: Needs) -> Iterator[Node]:
        for refs in needs.expressions:
            yield from self._named(steps, refs)
        for ref in needs.explicit:
            yield from self._meant(steps, ref, "everything")

    def _named(self, steps: Steps, refs: list[Ref]) -> Iterator[Node]:
        """Yield what an expression names; what another one in it begins with does not count."""
        for ref in refs:
            if not any(other.text.startswith((f"{ref.text}.", f"{ref.text}[")) for other in refs):
                yield from self._meant(steps, ref, "outputs")

    def _meant(self, steps: Steps, ref: Ref, whole: str) -> Iterator[Node]:
        kind, _, name = ref.name.partition(".")
        module = self._module(steps)
        if kind == "var":
            yield Node(steps, "var", ref.name)
        elif kind == "module":
            for key in module.calls[name].keys if not ref.key else (ref.key,):
                inner = (*steps, (name, key))
                yield Node(inner, "output", ref.output) if ref.output else Node(inner, whole)
        else:
            for key in module.resources[ref.name].keys if not ref.key else (ref.key,):
                yield Node(steps, "resource", ref.name, key)


def _without_keys(node: Node) -> Node:
    return node._replace(steps=tuple((name, "") for name, _ in node.steps), key="")


def _reached(node: Node, following: dict[Node, set[Node]]) -> set[Node]:
    reached: set[Node] = set()
    waiting = [node]
    while waiting:
        new = following[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached
