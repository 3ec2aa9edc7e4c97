"""Where resources begin in Terraform's own language."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inventory.terraform.hcl_blocks import Resources, find_resources
from tests.hypothesis_profile import examples
from tests.inventory.terraform.language import (
    BLOCK,
    KIND,
    TERRAFORM,
    ask_terraform,
    write_configuration,
)

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = (KIND, "orders")


def valued(value: str) -> str:
    """Write a block that holds a value, and the wanted one after it."""
    return f"locals {{\n  a = {value}\n}}\n{BLOCK}"


# --- the language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        '"${~ b ~}"',
        '"%{~ if b ~}x%{~ else }y%{ endif ~}"',
        "!!b",
        "core::max(1, 2)",
        "é.ü",
        "e\u0301",
        '"$${" + "%%{"',
        '"$$${1}$"',
        '"\\"{" // "\n',
        '"${"}${"{"}"}"',
        '"${ { x = "}" }["x"] }"',
        '"${\n  # }\n  b /* } */\n}"',
        "(\n/* ) */ b # )\n)",
        "[for x in b : x if x < 3 && x << 2]",
        "b / 2 <= c",
    ],
)
def test_values(value: str) -> None:
    """Whatever is in a value, the block after it begins where it begins."""
    assert find_resources(valued(value)).lines[ORDERS] == valued(value).count("\n") - 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("begin", "end"),
    [("<<E", "E"), ("<<-E", "\t E"), ("<<E", " E\xa0"), ("<<é-1", "é-1"), ("f(<<E", "E\n)")],
)
def test_heredocs(newline: str, begin: str, end: str) -> None:
    """A heredoc ends with its word alone on a line, and what looks like a block in it is none."""
    inside = [
        "E x",
        "EE",
        "$E",
        "${ <<E\nE\n}E",
        '"',
        "cost $",
        "100 %",
        "$${",
        BLOCK.strip(),
        "*/",
    ]
    text = valued("\n".join((begin, *inside, end))).replace("\n", newline)
    assert find_resources(text) == Resources({ORDERS: text.count("\n") - 1})


@pytest.mark.parametrize(
    "head",
    [
        f"resource {KIND} orders {{}}",
        f'resource"{KIND}""orders"{{}}',
        f'\t resource /* " */ "{KIND}" /*\n*/ orders /**/ {{ # }}\n}}',
        f'resource "{KIND}" "orders" {{ input = "}}" }} // }}',
    ],
)
def test_heads(head: str) -> None:
    """A head may be written as the language allows, and its line is that on which it begins."""
    assert find_resources(f"\n{head}") == Resources({ORDERS: 2})


def test_what_is_no_resource() -> None:
    """Other blocks are none, and of two resources of one name the first counts."""
    other = f'data "{KIND}" "orders" {{\n}}\nresource "x" {{\n}}\nmoved {{\n  resource = 1\n}}\n'
    assert find_resources(f"{other}{BLOCK}{BLOCK}") == Resources({ORDERS: 8})
    assert find_resources(other) == find_resources(" \n") == find_resources("") == Resources({})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{BLOCK}a = 1\n", 3),
        (f"{BLOCK}}}\n", 3),
        ('resource "x"', 1),
        ('resource "x"\n{\n}\n', 1),
        ("\nresource {\n\n", 2),
        ("locals {\n  a = (\n  }\n}\n", 3),
        ('locals {\n  a = "open\n}\n', 2),
        ('locals {\n  a = "${1"\n}\n', 2),
        ("locals {\n  a = <<E\n\n}\nE", 2),
        ("locals {\n  a = <<E\nx\ry\nE\n}\n", 3),
        ("locals {\n  /* open\n}\n", 2),
        ("locals {\n} x\n", 2),
        ('"locals" {\n}\n', 1),
        ("\x00", 1),
        ("a {\n" + "[" * 100_000, 2),
    ],
)
def test_what_is_no_configuration(text: str, line: int) -> None:
    """Of a text that is broken nothing is taken, and the line is reported."""
    assert find_resources(text) == Resources({}, line)


# --- any text -------------------------------------------------------------------------------------

_pieces = st.sampled_from(
    [
        BLOCK,
        "locals {\n",
        "}\n",
        "}",
        "<<E\n",
        "E\n",
        "a = ",
        "\n",
        *'"#[](\\\0\né',
        "${",
        "%{",
        "/*",
    ]
)


@examples(300)
@given(st.lists(_pieces, max_size=12).map("".join))
def test_any_text(text: str) -> None:
    """Any text is broken at one of its lines, or its resource is on the line that is reported."""
    lines, broken = find_resources(text)
    rows = text.split("\n")
    assert 0 <= broken <= len(rows)
    assert not (lines and broken)
    assert [rows[line - 1].count("orders") for line in lines.values()] == [1] * len(lines)


@examples(300)
@given(st.randoms(use_true_random=False))
def test_what_is_enclosed_does_not_matter(random: Random) -> None:
    """A block is found behind any text that is whole, on its own line."""
    text = write_configuration(random)
    before = find_resources(text)
    after = find_resources(f'{text}\nresource "x" "last" {{\n}}\n')
    assume(not before.broken)
    assert after.lines == before.lines | {("x", "last"): text.count("\n") + 2}


@pytest.mark.skipif(TERRAFORM is None, reason="there is no Terraform here")
@pytest.mark.parametrize("seed", [1, 2])
def test_terraform_agrees(tmp_path: Path, seed: int) -> None:
    """In each text that Terraform reads, a resource is on the line that Terraform names."""
    random = Random(seed)
    texts = [write_configuration(random) for _ in range(300)]
    lines = ask_terraform(tmp_path, texts)
    read = [(text, line) for text, line in zip(texts, lines, strict=True) if line]
    assert len(read) > 100
    found = [(text, find_resources(text).lines.get(ORDERS)) for text, _ in read]
    assert found == read
