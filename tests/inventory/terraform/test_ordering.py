"""What a plan's configuration says about who waits for a customer key, and what it does not say."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import strategies as st

from inventory.terraform import ordering
from inventory.terraform.ordering import CreationOrder
from tests.hypothesis_profile import examples
from tests.inventory.files.test_hostile_files import changed, paths
from tests.inventory.terraform.naive_order import (
    Block,
    Module,
    Naive,
    Needs,
    Ref,
    instances,
    printed,
)
from tests.inventory.terraform.ordering import TERRAFORM, Run, at, record, recorded, run

if TYPE_CHECKING:
    from pathlib import Path

DATABASE, KEY = "astra_database.d", "astra_customer_key.k"
OTHER = "terraform_data.x"


def resource(label: str, *references: str, after: Any = (), **parts: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a resource with an expression that has ``references``."""
    *data, kind, name = label.split(".")
    return {
        "address": label,
        "mode": "data" if data else "managed",
        "type": kind,
        "name": name,
        "expressions": {"name": {"references": [*references]}},
        "depends_on": [*after] if isinstance(after, tuple) else after,
        **parts,
    }


def module(*resources: Any, outputs: Any = None, **calls: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a module that calls others."""
    return {"resources": [*resources], "outputs": outputs or {}, "module_calls": calls}


def output(*references: str, after: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an output of a module."""
    return {"expression": {"references": [*references]}, "depends_on": [*after]}


def waits(root: object, database: str = DATABASE, key: str = KEY) -> bool:
    """Say whether a database waits for a key."""
    return CreationOrder({"root_module": root}).waits(at(database), at(key))


KEYS = module(
    resource(KEY),
    resource("astra_customer_key.second"),
    outputs={"id": output(f"{KEY}.id", KEY), "second": output("astra_customer_key.second.id")},
)


# --- small configurations -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "own",
    [
        resource(DATABASE, f"{KEY}.id", KEY),
        resource(DATABASE, KEY),
        resource(DATABASE, after=(KEY,)),
        resource(DATABASE, after=(OTHER,)),
        resource(DATABASE, after=("data.aws_kms_key.x",)),
        resource(DATABASE, after=([], None, KEY)),
        resource(DATABASE, f"{KEY}.x[0].id", "each.value", "path.module"),
        resource(DATABASE, expressions={"block": [{"inner": {"x": {"references": [KEY]}}}]}),
        resource(DATABASE, expressions={"references": [{"references": {"references": [KEY]}}]}),
        resource(DATABASE, count_expression={"references": [KEY]}),
        resource(DATABASE, for_each_expression={"references": [KEY]}),
        resource(
            DATABASE,
            provisioners=[{"type": "x", "expressions": {"x": {"references": [DATABASE, KEY]}}}],
        ),
    ],
)
def test_what_waits(own: dict[str, Any]) -> None:
    """A database waits for a key that it refers to, or depends on, wherever its block says so."""
    through = [resource(OTHER, f"{KEY}.id"), resource("data.aws_kms_key.x", f"{OTHER}.id")]
    assert waits(module(own, resource(KEY), *through))


@pytest.mark.parametrize(
    "own",
    [
        resource(DATABASE),
        resource(DATABASE, after=KEY),
        resource(DATABASE, after={KEY: KEY}),
        resource(DATABASE, after=([KEY], {"references": [KEY]})),
        resource(DATABASE, expressions={"name": {"references": KEY}}),
        resource(DATABASE, expressions={"name": KEY}),
        resource(DATABASE, expressions={"name": {"constant_value": {"references": [KEY]}}}),
        resource(DATABASE, "astra_customer_key.k2", "astra_customer_key", "xastra_customer_key.k"),
        resource(DATABASE, f"data.{KEY}", f"resource.{KEY}", f"module.{KEY}", f"var.{KEY}"),
        resource(DATABASE, f"{KEY}[", KEY),
        resource(DATABASE, f'{KEY}["a', KEY),
        resource(DATABASE, f'{KEY}["a"].id', f'{KEY}["a"]', KEY),
        resource(DATABASE, after=(f'{KEY}["a"]',)),
        resource(DATABASE, f"{KEY}!", "", "[", "\ud800", "module.", "var."),
        resource(DATABASE, "local.k", "self.k", "each.value", "module.none.id", "module.none"),
        resource(DATABASE, after=(KEY,), mode="ephemeral"),
        resource(DATABASE, after=(KEY,), mode=["managed"]),
        resource(DATABASE, after=(KEY,), name=None),
        resource(DATABASE, after=(KEY,), type="astra_databases"),
        None,
    ],
)
def test_what_does_not_wait(own: dict[str, Any] | None) -> None:
    """What cannot be read, or names something else, makes no database wait."""
    named_like_others = [resource("local.k", KEY), resource("self.k", KEY)]
    assert not waits(module(own, resource(KEY), *named_like_others))


@pytest.mark.parametrize(
    "resources",
    [
        [resource(DATABASE, after=(KEY,))],
        [resource(DATABASE, after=(KEY,)), resource(DATABASE), resource(KEY)],
        [resource(DATABASE, after=(KEY,)), resource(KEY), resource(KEY)],
        [resource(DATABASE, after=(OTHER,)), resource(OTHER, KEY), resource(OTHER), resource(KEY)],
        [resource(DATABASE), resource(KEY, f"{DATABASE}.id", DATABASE)],
        [resource(DATABASE, after=(KEY,)), resource(KEY, after=(DATABASE,))],
        [resource(DATABASE, after=(KEY, DATABASE)), resource(KEY)],
        [
            resource(DATABASE, after=(KEY, OTHER)),
            resource(OTHER, after=("terraform_data.y",)),
            resource("terraform_data.y", after=(OTHER,)),
            resource(KEY),
        ],
    ],
)
def test_what_is_not_certain(resources: list[dict[str, Any]]) -> None:
    """Nothing waits by what is configured twice or not at all, in a circle or in reverse."""
    assert not waits(module(*resources))


@pytest.mark.parametrize(
    ("database", "key"),
    [
        ("astra_database.other", KEY),
        (DATABASE, "astra_customer_key.other"),
        (f"module.app.{DATABASE}", KEY),
        (DATABASE, f"module.app.{KEY}"),
        (KEY, KEY),
        (KEY, DATABASE),
    ],
)
def test_who_is_not_configured(database: str, key: str) -> None:
    """A resource that the configuration does not have waits for none, and none waits for it."""
    root = module(resource(DATABASE, after=(KEY, "astra_customer_key.other")), resource(KEY))
    assert not waits(root, database, key)


@pytest.mark.parametrize(
    "change",
    [{"address": "astra_database.d2"}, {"address": f"{DATABASE}[*]"}, {"module": "app"}],
)
def test_odd_addresses(change: dict[str, Any]) -> None:
    """A resource whose address does not fit its name or its module waits for none."""
    order = CreationOrder({"root_module": module(resource(DATABASE, KEY), resource(KEY))})
    assert order.waits(at(DATABASE), at(KEY))
    assert not order.waits(at(DATABASE)._replace(**change), at(KEY))


@pytest.mark.parametrize("odd", [None, [], "x", {}, {"resources": {}}, {"module_calls": {"x": 1}}])
def test_odd_configurations(odd: object) -> None:
    """A configuration without a form says nothing."""
    assert not waits(odd)
    assert not CreationOrder({}).waits(at(DATABASE), at(KEY))
    assert not waits({"resources": [odd], "outputs": odd, "module_calls": {"app": odd}})


# --- instances ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("references", "keys"),
    [
        ([KEY], {"a", "a.]b"}),
        ([f'{KEY}["a"].id', f'{KEY}["a"]', KEY], {"a"}),
        ([f'{KEY}["a"]["id"]', f'{KEY}["a"]', KEY], {"a"}),
        ([f'{KEY}["a.]b"].id[0].x', f'{KEY}["a.]b"].id[0]', KEY], {"a.]b"}),
        ([f'{KEY}["c"]', KEY], set()),
        ([f"{KEY}[0]", KEY], set()),
        ([f'{KEY}["a"]', KEY, f'{KEY}["a.]b"]', KEY], {"a", "a.]b"}),
    ],
)
def test_instances_of_keys(references: list[str], keys: set[str]) -> None:
    """A literal key names one instance, and where none is literal all of them are meant."""
    order = CreationOrder({"root_module": module(resource(DATABASE, *references), resource(KEY))})
    found = {key for key in ("a", "a.]b") if order.waits(at(DATABASE), at(f'{KEY}["{key}"]'))}
    assert found == keys


@pytest.mark.parametrize(
    ("database", "keys"),
    [
        ('module.app["a"].astra_database.own', {'module.app["a"].module.keys[0]'}),
        ('module.app["b"].astra_database.own', {'module.app["b"].module.keys[0]'}),
        (
            'module.app["a"].astra_database.given',
            {"module.keys[1]"},
        ),
        (
            'module.app["a"].module.keys[1].astra_database.below',
            {'module.app["a"].module.keys[0]', "module.keys[1]"},
        ),
        (
            DATABASE,
            {f'module.app["{app}"].module.keys[0]' for app in "ab"}
            | {f"module.keys[{number}]" for number in range(2)},
        ),
        ("astra_database.one", {'module.app["b"].module.keys[0]'}),
    ],
)
def test_instances_of_modules(database: str, keys: set[str]) -> None:
    """What a module refers to inside itself is in the same instance of it."""
    inner = {**KEYS, "resources": [*KEYS["resources"], resource("astra_database.below", "var.up")]}
    own = ["module.keys[0].id", "module.keys[0]"]
    app = module(
        resource("astra_database.own", *own),
        resource("astra_database.given", "var.id"),
        outputs={"id": output(*own)},
        keys={"module": inner, "expressions": {"up": {"references": [*own, "var.id"]}}},
    )
    root = module(
        resource(DATABASE, "module.app", "module.keys"),
        resource("astra_database.one", 'module.app["b"].id', 'module.app["b"]'),
        keys={"module": KEYS},
        app={
            "module": app,
            "expressions": {"id": {"references": ["module.keys[1].id", "module.keys[1]"]}},
        },
    )
    order = CreationOrder({"root_module": root})
    apps = [f'module.app["{app}"].module.keys[{number}]' for app in "ab" for number in range(2)]
    every = [*apps, "module.keys[0]", "module.keys[1]"]
    assert {one for one in every if order.waits(at(database), at(f"{one}.{KEY}"))} == keys


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (resource(DATABASE, "module.keys.id", "module.keys"), {"k"}),
        (resource(DATABASE, "module.keys.id.x[0]", "module.keys.id", "module.keys"), {"k"}),
        (resource(DATABASE, "module.keys.nothing", "module.keys"), set()),
        (resource(DATABASE, "module.keys"), {"k", "second"}),
        (resource(DATABASE, after=("module.keys",)), {"k", "second", "silent"}),
        (resource(DATABASE, after=("module.keys.id",)), {"k"}),
        (resource(DATABASE, after=("module.keys[0]",)), set()),
    ],
)
def test_outputs(own: dict[str, Any], expected: set[str]) -> None:
    """An expression refers to outputs only, but ``depends_on`` to all that is in a module."""
    keys = {**KEYS, "resources": [*KEYS["resources"], resource("astra_customer_key.silent")]}
    order = CreationOrder({"root_module": module(own, keys={"module": keys})})
    places = {name: at(f"module.keys.astra_customer_key.{name}") for name in ("k", "second")}
    places["silent"] = at("module.keys.astra_customer_key.silent")
    assert {name for name, key in places.items() if order.waits(at(DATABASE), key)} == expected


@pytest.mark.parametrize("database", [DATABASE, "astra_database.both"])
def test_an_input_from_another_instance(database: str) -> None:
    """What is given to every instance of a module may come from one of them."""
    app = module(
        resource(KEY),
        resource(OTHER, KEY, "var.up"),
        resource(DATABASE, after=(OTHER,)),
        resource("astra_database.both", KEY, "var.up"),
        outputs={"id": output(KEY)},
    )
    up = {"references": ['module.app["a"].id', 'module.app["a"]']}
    order = CreationOrder({"root_module": module(app={"module": app, "expressions": {"up": up}})})
    places = {one: f'module.app["{one}"].' for one in "ab"}
    found = {
        (one, key)
        for one in places
        for key in places
        if order.waits(at(places[one] + database), at(places[key] + KEY))
    }
    assert found == {("a", "a"), ("b", "b"), ("b", "a")}


# --- what Terraform really did --------------------------------------------------------------------

ALL_THREE = {'key["eu"]', r'key["k.]ey\"$${x}"]', 'key["us"]'}
A, B, US = 'module.keys["a"].key', 'module.keys["b"].key', 'key["us"]'
EXPECTED: dict[str, set[str]] = {
    "race": set(),
    "after_destroying": set(),
    "explicit": ALL_THREE,
    "explicit_one": {US},
    "explicit_none": set(),
    "odd": {r'key["k.]ey\"$${x}"]'},
    "referring": {US},
    "any": ALL_THREE,
    "splat": ALL_THREE,
    **{f"counted[{number}]": ALL_THREE for number in range(3)},
    **{f"for_each{key.removeprefix('key')}": ALL_THREE for key in ALL_THREE},
    "provisioned": {US},
    "made_first": {US},
    "by_local": set(),
    "by_condition": set(),
    "by_none": ALL_THREE,
    "same": {US},
    "by_same": {US},
    "by_data": {US},
    "keys_explicit": {A, B},
    "keys_explicit_one": {A},
    "keys_output": {A},
    "keys_constant": set(),
    "keys_explicit_output": {A},
    'keys_any["a"]': {A, B},
    "keys_whole": {A, B},
    "module.plain.plain": {US},
    "plain_output": {US},
    "module.pass.given": {US},
    "module.pass.other": {B},
    "pass_given": {US},
    "pass_constant": set(),
    "pass_explicit": {US, B},
    "only_explicit": {US},
    "none_given": {US},
    "empty_explicit": {US},
    "module.same.same": {US},
    "same_output": {US},
    'module.nested["us"].module.inner.inner': ALL_THREE,
} | {
    f'module.zone["{zone}"].{name}': {f'module.zone["{zone}"].{key}'}
    for zone in "xy"
    for name, key in (
        ("beside", "key"),
        ("below", "module.keys.key"),
        ("module.pass.given", "module.keys.key"),
        ("module.pass.other", "key"),
    )
}
RACES = {"race", "after_destroying", "keys_constant", "pass_constant"}


def _found(done: Run) -> dict[str, set[str]]:
    """Return the keys that each resource waits for by its configuration."""
    order = CreationOrder(done.configuration)
    return {
        _short(other.address): {_short(key.address) for key in done.keys if order.waits(other, key)}
        for other in done.others
    }


def _short(address: str) -> str:
    return address.replace("terraform_data.", "")


def _in_vain(done: Run) -> list[tuple[str, str]]:
    """Return what Terraform started before a key for which it should have waited."""
    order = CreationOrder(done.configuration)
    pairs = [(one, key) for one in done.others for key in done.keys if order.waits(one, key)]
    return [
        (one.address, key.address)
        for one, key in pairs
        if done.waited(one.address, key.address) is False
    ]


def test_recorded_configuration() -> None:
    """Of what Terraform printed it is known, for each resource and each key, who waits."""
    assert _found(recorded()) == EXPECTED


def test_recorded_order() -> None:
    """Terraform started what waits after its keys, and what does not before any key was there."""
    done = recorded()
    assert not _in_vain(done)
    early = {
        _short(other.address)
        for other in done.others
        if not any(done.waited(other.address, key.address) in {True, None} for key in done.keys)
    }
    assert early == RACES


@pytest.mark.slow
@pytest.mark.skipif(TERRAFORM is None, reason="there is no Terraform here")
def test_order_of_terraform(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Terraform does today what was recorded: whatever is said to wait for a key does."""
    done = run(tmp_path)
    if pytestconfig.getoption("terraform_update", default=False):
        record(done)
    assert _found(done) == EXPECTED
    assert not _in_vain(done)


# --- any configuration ----------------------------------------------------------------------------

_instances = st.sampled_from([("",), ("",), ("0", "1"), ('"a"', '"b.]"')])
_kinds = st.sampled_from(
    ["astra_customer_key", "astra_database", "terraform_data", "data.aws_kms_key"]
)


def _few(pool: list[Ref]) -> st.SearchStrategy[list[Ref]]:
    return st.lists(st.sampled_from(pool), max_size=2) if pool else st.just([])


@st.composite
def _needs(draw: st.DrawFn, pool: list[Ref]) -> Needs:
    return Needs(draw(st.lists(_few(pool), max_size=2)), draw(_few(pool)))


def _names(name: str, keys: tuple[str, ...], outputs: tuple[str, ...] = ()) -> list[Ref]:
    """Return every way to refer to something, with and without the key of an instance."""
    named = [Ref(name, key) for key in dict.fromkeys(("", *keys))]
    return named + [one._replace(output=output) for one in named for output in outputs]


@st.composite
def _modules(
    draw: st.DrawFn, depth: int = 2, pool: tuple[Ref, ...] = (), keys: tuple[str, ...] = ("",)
) -> Module:
    """Return a module in which each part refers to earlier ones only."""
    whole, known = Module(keys), [*pool]
    for number in range(draw(st.integers(1, 4))):
        if depth and draw(st.integers(0, 2)) == 0:
            inputs = {name: draw(_few(known)) for name in ("one", "two")}
            variables = tuple(Ref(f"var.{name}") for name in inputs)
            inner = draw(_modules(depth - 1, variables, draw(_instances)))
            inner.inputs, inner.needs = inputs, draw(_needs(known))
            whole.calls[f"m{number}"] = inner
            known += _names(f"module.m{number}", inner.keys, tuple(inner.outputs))
        else:
            name = f"{draw(_kinds)}.r{number}"
            block = Block(name, draw(_instances), draw(_needs(known)))
            whole.resources[name] = block
            known += _names(name, block.keys)
    count = draw(st.integers(0, 2))
    whole.outputs = {f"out{number}": draw(_needs(known)) for number in range(count)}
    return whole


def _pairs(root: Module, configuration: dict[str, Any] | None = None) -> set[tuple[str, str]]:
    """Return the addresses of each pair of which the first waits for the second."""
    order = CreationOrder(configuration or {"root_module": printed(root)})
    found = [one for _, one in instances(root)]
    return {(a.address, b.address) for a in found for b in found if order.waits(a, b)}


def _simple(root: Module, naive: Naive) -> set[tuple[str, str]]:
    found = list(instances(root))
    return {(a.address, b.address) for x, a in found for y, b in found if naive.waits(x, y)}


PROPERTY = examples(100, HealthCheck.too_slow)


@PROPERTY
@given(_modules())
def test_any_order(root: Module) -> None:
    """Exactly those wait from whose instance a way leads to the instance of the key."""
    naive = Naive(root)
    assert not naive.circular
    found = _pairs(root)
    event(f"pairs: {min(len(found), 5)}")
    assert found == _simple(root, naive)


@PROPERTY
@given(_modules(), st.data())
def test_any_circle(root: Module, data: st.DataObject) -> None:
    """Nothing waits that leads into a circle; the rest does as ever."""
    for whole in [root, *root.calls.values()]:
        known = [ref for block in whole.resources.values() for ref in _names(block.name, ("",))]
        known += [Ref(f"module.{name}") for name in whole.calls]
        for block in whole.resources.values():
            block.needs.explicit += data.draw(_few(known))
        for inner in whole.calls.values():
            inner.inputs["one"] = data.draw(_few(known))
    naive = Naive(root)
    event(f"circular: {bool(naive.circular)}")
    assert _pairs(root) == _simple(root, naive)


@PROPERTY
@given(_modules(), st.data())
def test_what_is_missing_orders_nothing(root: Module, data: st.DataObject) -> None:
    """Without a reference, a ``depends_on``, a block or a module, nothing waits that did not."""
    whole: Any = {"root_module": printed(root)}
    inside = [path for path in paths(whole)[1:] if "references" not in path[:-1]]
    less = _without(whole, data.draw(st.sampled_from(inside)))
    before, after = _pairs(root, whole), _pairs(root, less)
    event(f"fewer: {after != before}")
    assert after <= before


def _without(data: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401 (plain data)
    less = copy.deepcopy(data)
    part = less
    for name in path[:-1]:
        part = part[name]
    del part[path[-1]]
    return less


_odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["\ud800", "module.m0", "var.one", "module.m0.out0", "references", "[" * 99]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["references", "resources", "module", "mode", "\ud800"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


@PROPERTY
@given(_modules(), st.data())
def test_any_damage(root: Module, data: st.DataObject) -> None:
    """A configuration in which anything was exchanged for anything else is answered."""
    tree: Any = {"root_module": printed(root)}
    for _ in range(data.draw(st.integers(1, 4))):
        tree = changed(tree, data.draw(st.sampled_from(paths(tree)[1:])), data.draw(_odd))
    assert _pairs(root, tree) is not None


# --- size -----------------------------------------------------------------------------------------


def test_long_chains() -> None:
    """A chain of any length and modules of any depth are followed."""
    length = 5_000
    names = [KEY, *(f"terraform_data.x{number}" for number in range(length)), DATABASE]
    chain = [resource(name, after=(after,)) for after, name in itertools.pairwise(names)]
    assert waits(module(resource(KEY), *chain))
    deep = module(resource(KEY), outputs={"id": output(KEY)})
    for _ in range(length):
        deep = module(outputs={"id": output("module.m.id", "module.m")}, m={"module": deep})
    root = module(resource(DATABASE, "module.m.id", "module.m"), **deep["module_calls"])
    path = "module.m." * length
    key = at(KEY)._replace(address=path + KEY, module=path[:-1])
    assert CreationOrder({"root_module": root}).waits(at(DATABASE), key)


def test_the_work_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a configuration is too tangled to be followed in full, what was not reached is open."""
    monkeypatch.setattr(ordering, "_LEAST_WORK", 2)
    monkeypatch.setattr(ordering, "_WORK_PER_EDGE", 0)
    names = [KEY, *(f"terraform_data.x{number}" for number in range(5))]
    chain = [resource(name, after=(after,)) for after, name in itertools.pairwise(names)]
    order = CreationOrder({"root_module": module(resource(KEY), *chain)})
    found = [order.waits(at(name), at(KEY)) for name in names[1:]]
    assert found == [True, True, True, False, False]


def test_databases_need_no_walk() -> None:
    """Databases for which nothing waits are answered without following any edge."""
    names = [f"astra_database.d{number}" for number in range(50)]
    app = module(resource(KEY), *(resource(name, KEY) for name in names))
    app["outputs"] = {"ids": output(*names)}
    order = CreationOrder({"root_module": module(app={"module": app})})
    before = order._work
    key = at(f"module.app.{KEY}")
    assert all(order.waits(at(f"module.app.{name}"), key) for name in names)
    assert order._work == before


class _Counted(CreationOrder):
    """Counts how often the configuration is walked."""

    walks = 0

    def _walk(self, *arguments: Any) -> Any:  # noqa: ANN401
        self.walks += 1
        return super()._walk(*arguments)


def test_instances_share_a_walk() -> None:
    """Many instances of one resource are answered by one walk, unless references name them."""
    references = [f'{KEY}["1"].id', f'{KEY}["1"]', KEY]
    root = module(resource(DATABASE, KEY), resource("astra_database.one", *references))
    root["resources"].append(resource(KEY))
    order = _Counted({"root_module": root})
    keys = [at(f'{KEY}["{number}"]') for number in range(50)]
    databases = [at(f'{DATABASE}["{number}"]') for number in range(50)]
    assert all(order.waits(one, key) for one in databases for key in keys)
    assert [order.waits(at("astra_database.one"), key) for key in keys].count(True) == 1
    assert order.walks == 2
