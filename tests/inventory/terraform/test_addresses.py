"""Terraform's addresses and references."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.terraform.addresses import (
    Reference,
    Step,
    instance_key,
    module_names,
    module_of,
    module_steps,
    read_dependencies,
    read_references,
)


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("", ()),
        ("module.app", ("app",)),
        ("module.app[0].module.db-2", ("app", "db-2")),
        ('module.app["a.module.b"].module.db["c\\"]"]', ("app", "db")),
        ('module.app["two\\nlines"]', ("app",)),
        ("module.ähnlich", ("ähnlich",)),
    ],
)
def test_names_of_modules(address: str, names: tuple[str, ...]) -> None:
    """The names of modules are split from the keys of their instances, whatever these hold."""
    assert module_names(address) == names


@pytest.mark.parametrize(
    "address",
    [
        "app",
        "module.",
        "module.app.",
        ".module.app",
        "module.appmodule.db.",
        "module.app[*]",
        'module.app["open]',
        "module.app[0]module.db",
        "module.0app",
        "module.app astra_database.x",
    ],
)
def test_what_is_no_address(address: str) -> None:
    """What Terraform makes no address of names no module."""
    assert module_names(address) is None
    assert module_steps(address) is None


@pytest.mark.parametrize(
    ("address", "module"),
    [
        ("astra_database.x", ""),
        ('astra_database.module["module.app.astra_database.x"]', ""),
        ("module.app[0].module.db.astra_database.x[1]", "module.app[0].module.db"),
        (
            'module.app["astra_database.x"].astra_database.x["a"]',
            'module.app["astra_database.x"]',
        ),
        ("", ""),
        ("module.app", "module.app"),
    ],
)
def test_the_module_of_a_resource(address: str, module: str) -> None:
    """The address of a resource begins with that of its module, whatever stands in its keys."""
    assert module_of(address) == module


_names = st.from_regex(r"[a-z_][a-z0-9_-]{0,5}", fullmatch=True)
_keys = st.none() | st.integers(0, 9) | st.text(max_size=6)


@given(st.lists(st.tuples(_names, _keys), max_size=4))
def test_every_address_is_understood(steps: list[tuple[str, int | str | None]]) -> None:
    """Every module of every instance is named, in order."""
    parts = [
        f"module.{name}" + ("" if key is None else f"[{json.dumps(key)}]") for name, key in steps
    ]
    address = ".".join(parts)
    assert module_names(address) == tuple(name for name, _ in steps)
    keys = ["" if key is None else json.dumps(key) for _, key in steps]
    names = [name for name, _ in steps]
    assert module_steps(address) == tuple(map(Step, names, keys))
    for key in keys:
        own = f"{address}." * bool(address) + "astra_database.x" + f"[{key}]" * bool(key)
        assert instance_key(own, address, "astra_database.x") == key


@given(st.text(alphabet='module.[]"\\0a\n', max_size=40))
def test_any_text_ends(text: str) -> None:
    """Any text is made of nothing but named modules and their keys, or names no module at all."""
    names = module_names(text)
    bare = re.sub(r'\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\]', "", text, flags=re.DOTALL)
    assert names is None or bare == ".".join(f"module.{name}" for name in names)


# --- instances ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "module", "key"),
    [
        ("astra_database.x", "", ""),
        ("astra_database.x[0]", "", "0"),
        ('astra_database.x["a.b"]', "", '"a.b"'),
        ('astra_database.x["k.]ey\\"$${x}"]', "", '"k.]ey\\"$${x}"'),
        ('module.app["k.]ey"].module.x[0].astra_database.x', 'module.app["k.]ey"].module.x[0]', ""),
        ('module.app["a"].astra_database.x["b"]', 'module.app["a"]', '"b"'),
    ],
)
def test_keys_of_instances(address: str, module: str, key: str) -> None:
    """The key of an instance is what Terraform writes between the brackets."""
    assert instance_key(address, module, "astra_database.x") == key


@pytest.mark.parametrize(
    ("address", "module"),
    [
        ("", ""),
        ("astra_database.x2", ""),
        ("astra_database.x.id", ""),
        ("astra_database.x[", ""),
        ("astra_database.x[a]", ""),
        ("astra_database.x[0]x", ""),
        ('astra_database.x["a]', ""),
        ("astra_database.x", "module.app"),
        ("module.app.astra_database.x", ""),
        ("module.app.astra_database.x", "module.ap"),
    ],
)
def test_which_instance_is_none(address: str, module: str) -> None:
    """The address of another resource, or of one elsewhere, is none of an instance."""
    assert instance_key(address, module, "astra_database.x") is None


# --- references -----------------------------------------------------------------------------------

WRONG = Reference("")


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["a_b.c.id", "a_b.c"], [Reference("resource", "a_b.c")]),
        (
            ['a_b.c["x.]y"].id', 'a_b.c["x.]y"]', "a_b.c"],
            [Reference("resource", "a_b.c", '"x.]y"')],
        ),
        (["a_b.c", "a_b.c[0]"], [Reference("resource", "a_b.c", "0")]),
        (["data.a.c.id"], [Reference("resource", "data.a.c")]),
        (["data.local.c[1].id[0]"], [Reference("resource", "data.local.c", "1")]),
        (["var.x.y[0]", "var.x.y", "var.x"], [Reference("var", "x")]),
        (["var.x[0]", "var.x"], [Reference("var", "x")]),
        (["module.a", "module.a.b", "module.a"], [Reference("module", "a", "", "b")]),
        (
            ["module.a[0].b.c", "module.a[0].b", "module.a[0]", "module.a"],
            [Reference("module", "a", "0", "b")],
        ),
        (["module.a[0]", "module.a"], [Reference("module", "a", "0")]),
        (["module.a"], [Reference("module", "a")]),
        (
            ["a_b.c", "a_b.d", "a_b.c-2"],
            [Reference("resource", f"a_b.{x}") for x in ("c", "d", "c-2")],
        ),
        (["a_b.c[x", "a_b.c"], [WRONG]),
        (["module.a.b!", "module.a.b", "module.a"], [WRONG]),
        ([None, 1, ["a_b.c"], {}], []),
        (["a_b.c]", "a_b.c["], [WRONG]),
        (["a_b.c."], [WRONG]),
    ],
)
def test_references_of_an_expression(texts: list[object], found: list[Reference]) -> None:
    """What another text of the same expression only begins with is no reference of its own."""
    assert read_references(texts) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "a_b", "local.x", "each.value", "count.index", "path.module", "self.id"),
        *("terraform.x", "resource.a_b.c", "ephemeral.a_b.c", "data.a_b", "data.a_b[0].c"),
        *("module", "var", "0.a"),
    ],
)
def test_what_refers_to_no_resource(text: str) -> None:
    """What names no resource, variable or module is none, even where a type has such a name."""
    assert read_references([text]) == [WRONG]
    assert read_dependencies([text]) == [WRONG]


def test_dependencies() -> None:
    """Each entry of ``depends_on`` counts, also where another one begins with it."""
    found = read_dependencies(["a_b.c[0]", "a_b.c", None, "module.a.b", "module.a"])
    assert found == [
        Reference("resource", "a_b.c", "0"),
        Reference("resource", "a_b.c"),
        Reference("module", "a", "", "b"),
        Reference("module", "a"),
    ]


@given(st.text(alphabet='modulevardata.[]"\\0a_\n', max_size=40))
def test_any_reference_is_in_its_text(text: str) -> None:
    """Whatever is read of a reference is written in it."""
    [found] = read_dependencies([text])
    assert all(part in text for part in found[1:])


PRINTED = [
    '"k.]ey"',
    r'"a[\"b\"]"',
    r'"back\\slash"',
    r'"new\nline"',
    r'"tab\t"',
    r'"\u0001"',
    r'"\u200b"',
    '"$"',
    '"$$$${"',
    '"dollar$${x}"',
    '"percent%%{x}"',
    '".module.app"',
    '"module.x"',
    '"]"',
    '""',
    '"é😀"',
    "0",
]
"""Keys of instances as Terraform 1.11 writes them."""


@pytest.mark.parametrize("key", PRINTED)
@pytest.mark.parametrize("name", ["app", "e\u0301", "क्षेत्र"])
def test_what_terraform_prints(name: str, key: str) -> None:
    """Whatever a key holds, and whatever letters a name has, the modules are reported from them."""
    module = f"module.{name}[{key}].module.db[{key}]"
    assert module_names(module) == (name, "db")
    assert module_of(f"{module}.astra_database.{name}[{key}]") == module
