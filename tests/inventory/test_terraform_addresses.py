"""The addresses of Terraform's modules."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.terraform_addresses import module_names, module_of


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
    """The names of modules are told from the keys of their instances, whatever stands in these."""
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
    assert module_names(".".join(parts)) == tuple(name for name, _ in steps)


@given(st.text(alphabet='module.[]"\\0a\n', max_size=40))
def test_any_text_ends(text: str) -> None:
    """Any text is made of nothing but named modules and their keys, or names no module at all."""
    names = module_names(text)
    bare = re.sub(r'\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\]', "", text, flags=re.DOTALL)
    assert names is None or bare == ".".join(f"module.{name}" for name in names)


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
    """Whatever a key holds, and whatever letters a name has, the modules are told from them."""
    module = f"module.{name}[{key}].module.db[{key}]"
    assert module_names(module) == (name, "db")
    assert module_of(f"{module}.astra_database.{name}[{key}]") == module
