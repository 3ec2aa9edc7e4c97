"""Where a resource stands in Terraform's configuration."""

from __future__ import annotations

import builtins
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.errors import InventoryError, Problem, SettingError
from inventory.plans import read_plan
from inventory.terraform_organizations import Terraform
from inventory.terraform_source import SourceTree
from tests.builders import write_json, write_text
from tests.inventory.terraform.documents import ADDRESS, change, configured, held, plan, state
from tests.inventory.terraform.running import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.entries import Located

BLOCK = 'resource "astra_database" "orders" {\n}\n'
SCENES = {scene.name: scene for scene in ALL}


def tree(folder: Path, **files: str) -> SourceTree:
    """Write a configuration, ``app__main`` as ``app/main.tf``, and open it."""
    for name, text in files.items():
        write(folder, f"{name.replace('__', '/')}.tf", text)
    return SourceTree(str(folder))


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_text(path, text)


def places(file: str, source: SourceTree) -> set[tuple[str, int, str]]:
    """Return every place of what is read of a plan."""
    found: set[Any] = set()
    for organization in read_plan(file, Terraform(source=source)).organizations:
        managed = organization.managed
        parts: tuple[Located, ...] = (*(organization.databases or ()), *managed.undetermined)
        found |= {each.place for each in (*parts, *managed.keys, *managed.databases)}
    return found


def place(folder: Path, source: SourceTree, data: object | None = None) -> tuple[str, int]:
    """Return file and line of the only resource of a plan."""
    data = plan(change(), configuration=configured()) if data is None else data
    [(file, line, _)] = places(write_json(folder / "plan.json", data), source)
    return file, line


# --- what Terraform printed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["new", "grown", "replaced", "gone", "same", "target", "destroyed"]
)
def test_recorded_output_leads_to_its_source(name: str) -> None:
    """Each resource leads to its block, in whichever module; what has none, to the plan."""
    scene = SCENES[name]
    blocks = dict(_blocks(scene.source))
    plan_lines = scene.recorded().read_text("utf-8").splitlines()
    for file, line, address in places(str(scene.recorded()), SourceTree(str(scene.source))):
        key = address.partition("astra_")[2].partition("[")[0].rpartition("]")[2]
        if key in blocks:
            assert (file, line) == blocks[key]
        else:
            assert file == str(scene.recorded())
            assert address.endswith(("deleted", "forgotten"))
            assert json.dumps(address) in plan_lines[line - 1]


def _blocks(folder: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    for path in folder.rglob("*.tf"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.startswith('resource "astra_'):
                _, kind, _, name, _ = line.split('"')
                yield f"{kind.removeprefix('astra_')}.{name}", (str(path), number)


# --- files ----------------------------------------------------------------------------------------


def test_the_line_of_a_block(tmp_path: Path) -> None:
    """The line is that on which the block begins, whatever stands before it."""
    text = (
        '# one\n/* two\n   three */\nlocals {\n  a = <<-END\n    resource "x" {\n  END\n}\n\n'
        + BLOCK
    )
    assert place(tmp_path, tree(tmp_path, main=text)) == (str(tmp_path / "main.tf"), 10)


LANGUAGE = """
terraform {
  required_version = ">= 1.5"
  backend "s3" {}
}
variable "x" {
  type = map(object({ a = optional(string, "b"), c = list(any) }))
  validation {
    condition     = alltrue([for k, v in var.x : length(v.c) > 0 && can(regex("^[a-z]+$", k))])
    error_message = "No: ${join(", ", keys(var.x))} %{if true}é%{endif} $${x} \\"q\\"."
  }
}
locals {
  a = { for k, v in var.x : k => v... if v != null }
  b = var.x["k"].c[*].d
  c = true ? 1.5e3 : -1
  d = <<EOT
resource "astra_database" "orders" {
${local.c}
EOT
  e = provider::astra::resolve(local.a)
  f = [
    1, # one
    2,
  ]
}
import {
  to = astra_database.orders
  id = "x"
}
check "c" {
  assert {
    condition     = !local.c
    error_message = "c"
  }
}
resource "astra_database" "orders" {
  for_each = local.a
  dynamic "timeouts" {
    for_each = [1]
    content { create = "1h" }
  }
  provisioner "local-exec" { command = "true" }
}
"""


def test_the_whole_language(tmp_path: Path) -> None:
    """A configuration may use whatever the language has."""
    found = place(tmp_path, tree(tmp_path, main=LANGUAGE))
    assert found == (
        str(tmp_path / "main.tf"),
        LANGUAGE[: LANGUAGE.rindex(BLOCK[:20])].count("\n") + 1,
    )


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "byte-order-mark"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["unix", "windows"])
def test_text_of_any_system(tmp_path: Path, start: str, ends: str) -> None:
    """Lines may end as on any system, and the text may begin with a mark."""
    text = start + f"# é\n{BLOCK}".replace("\n", ends)
    assert place(tmp_path, tree(tmp_path, main=text))[1] == 2


@pytest.mark.parametrize(
    "data",
    [
        {"astra_database": {"other": {}, "orders": {"name": "x"}}},
        {"astra_database": {"other": {}, "orders": [{"name": "x"}]}},
        [{"astra_database": {"other": {}}}, {"astra_database": [{"orders": {"name": "x"}}]}],
    ],
    ids=["plain", "list", "lists"],
)
def test_a_configuration_in_json(tmp_path: Path, data: object) -> None:
    """A block in JSON is found, plain or in the lists that Terraform allows there."""
    text = json.dumps({"//": "x", "resource": data}, indent=1)
    source = tree(tmp_path)
    file = write(tmp_path, "main.tf.json", text)
    lines = text.splitlines()
    [number] = [each for each, line in enumerate(lines, 1) if '"orders"' in line]
    assert place(tmp_path, source) == (file, number)


def test_what_overrides_comes_last(tmp_path: Path) -> None:
    """A block stands where it is defined, not where another file overrides it."""
    source = tree(tmp_path, a_override=BLOCK, override=BLOCK, main=f"\n{BLOCK}")
    assert place(tmp_path, source) == (str(tmp_path / "main.tf"), 2)


def test_what_terraform_ignores(tmp_path: Path) -> None:
    """A file whose name begins with a point is none of the configuration."""
    source = tree(tmp_path, main=BLOCK)
    (tmp_path / ".#main.tf").symlink_to(tmp_path / "gone")
    assert place(tmp_path, source) == (str(tmp_path / "main.tf"), 1)
    assert list(source.files) == [str(tmp_path / "main.tf")]


def test_a_block_that_is_not_there(tmp_path: Path) -> None:
    """What the configuration does not hold stands where the plan tells of it."""
    source = tree(
        tmp_path, main=BLOCK.replace("orders", "other"), more='data "astra_database" "orders" {}'
    )
    assert place(tmp_path, source)[0] == str(tmp_path / "plan.json")


def test_files_are_named_with_their_hashes(tmp_path: Path) -> None:
    """Every file that was looked into is named, with the hash of what it held; no other is."""
    source = tree(tmp_path, main=BLOCK, other="", app__main=BLOCK, idle__main="odd {")
    data = plan(change("module.app.astra_database.orders"), configuration=configured("app"))
    place(tmp_path, source, data)
    assert source.files == {
        str(tmp_path / "app/main.tf"): hashlib.sha256(BLOCK.encode()).hexdigest()
    }
    place(tmp_path, source)
    names = ("app/main.tf", "main.tf", "other.tf")
    assert {*source.files} == {str(tmp_path / name) for name in names}


# --- modules --------------------------------------------------------------------------------------

NESTED = 'module.app["eu"].module.db[0].astra_database.orders'


def test_local_modules(tmp_path: Path) -> None:
    """A module of the configuration's own folders is looked up by its source."""
    source = tree(tmp_path, main=BLOCK, app__db__main=f"\n{BLOCK}")
    data = plan(change(NESTED), configuration=configured("app", "db"))
    assert place(tmp_path, source, data) == (str(tmp_path / "app/db/main.tf"), 2)


def test_a_module_beside_the_configuration(tmp_path: Path) -> None:
    """A module may lie outside of the folder, and its path is shown without detours."""
    write(tmp_path, "common/main.tf", BLOCK)
    source = tree(tmp_path / "live", main="")
    data = plan(change("module.app.astra_database.orders"), configuration=configured("app"))
    data["configuration"]["root_module"]["module_calls"]["app"]["source"] = "../common"
    assert place(tmp_path, source, data) == (str(tmp_path / "common/main.tf"), 1)


def test_installed_modules(tmp_path: Path) -> None:
    """A module that Terraform has fetched lies where its manifest says."""
    own = [
        {"Key": "", "Source": "", "Dir": "."},
        {"Key": "app.db", "Source": "example/db/astra", "Dir": ".terraform/modules/app.db"},
    ]
    write(tmp_path, ".terraform/modules/modules.json", json.dumps({"Modules": own}))
    write(tmp_path, ".terraform/modules/app.db/main.tf", f"\n\n{BLOCK}")
    source = tree(tmp_path, main="")
    where = (str(tmp_path / ".terraform/modules/app.db/main.tf"), 3)
    assert place(tmp_path, source, plan(change(NESTED))) == where
    assert place(tmp_path, source, state(held(NESTED))) == where


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"Modules": 7}', '{"Modules": [7]}', '{"Modules": [{"Key": "a"}]}', "\xff"],
)
def test_a_manifest_of_another_form(tmp_path: Path, text: str) -> None:
    """A manifest that cannot be read names no module, and local ones are found all the same."""
    path = Path(write(tmp_path, ".terraform/modules/modules.json", ""))
    path.write_bytes(text.encode("latin-1"))
    source = tree(tmp_path, app__main=BLOCK)
    data = plan(change("module.app.astra_database.orders"), configuration=configured("app"))
    assert place(tmp_path, source, data) == (str(tmp_path / "app/main.tf"), 1)


KEYS = ["k.]ey", 'a["b"]', "back\\slash", "new\nline", ".module.app", "é", "$${x}"]


@pytest.mark.parametrize("key", KEYS)
def test_instances_of_modules(tmp_path: Path, key: str) -> None:
    """An instance stands at its module's block, in a plan and in a state, whatever its key."""
    source = tree(tmp_path, main=BLOCK, app__db__main=f"\n\n{BLOCK}")
    address = f"module.app[{json.dumps(key)}].module.db.astra_database.orders[{json.dumps(key)}]"
    known = configured("app", "db")
    where = (str(tmp_path / "app/db/main.tf"), 3)
    assert place(tmp_path, source, plan(change(address), configuration=known)) == where
    in_state = held(address)
    del in_state["module_address"]  # which Terraform prints of a plan only
    before = {"values": {"root_module": {"child_modules": [{"resources": [in_state]}]}}}
    assert place(tmp_path, source, plan(prior_state=before, configuration=known)) == where


CALLS: list[object] = [
    {},
    {"root_module": 7},
    {"root_module": {"module_calls": []}},
    {"root_module": {"module_calls": {"app": {"source": "example/app/astra"}}}},
    {"root_module": {"module_calls": {"app": {"source": 7}}}},
    {"root_module": {"module_calls": {"app": {"source": "./nowhere"}}}},
]


@pytest.mark.parametrize("configuration", CALLS)
def test_modules_that_are_not_there(tmp_path: Path, configuration: object) -> None:
    """Where the folder of a module is not known, the plan is shown."""
    data = plan(change("module.app.astra_database.orders"), configuration=configuration)
    assert place(tmp_path, tree(tmp_path, main=BLOCK), data)[0] == str(tmp_path / "plan.json")


def test_an_address_of_no_module(tmp_path: Path) -> None:
    """A resource whose module has no address of Terraform's stands where the plan tells of it."""
    data = plan() | {"resource_changes": [change() | {"module_address": "app"}]}
    assert place(tmp_path, tree(tmp_path, main=BLOCK), data)[0] == str(tmp_path / "plan.json")


# --- what cannot be used --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gone", "main.tf"])
def test_what_is_no_folder(tmp_path: Path, name: str) -> None:
    """The source is a folder that is there."""
    write(tmp_path, "main.tf", BLOCK)
    with pytest.raises(SettingError) as caught:
        SourceTree(str(tmp_path / name))
    found = f"found '{tmp_path / name}', expected the folder of a Terraform configuration"
    assert str(caught.value) == f"--cmek-terraform-source: {found}"


def test_without_the_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the message says what to install; JSON needs no parser."""
    load = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:  # noqa: ANN401 (as the builtin)
        if name == "hcl2":
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SettingError) as caught:
        place(tmp_path, tree(tmp_path, main=BLOCK))
    assert str(caught.value) == (
        "--cmek-terraform-source: found no parser, expected the extra 'terraform': "
        "pip install 'cmek-audit[terraform]'"
    )
    (tmp_path / "main.tf").unlink()
    write(tmp_path, "main.tf.json", '{"resource": {"astra_database": {"orders": {}}}}')
    assert place(tmp_path, SourceTree(str(tmp_path)))[0] == str(tmp_path / "main.tf.json")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a = 1\nresource "x" {{{\n', 2),
        ("a = 1\n}\n", 2),
        ('resource "x"', 1),
        ("resource {\n", 2),
        ('a = "open\n', 1),
        ("\xe9 = <<END\n", 1),
        ("a = " + "[" * 100_000, 1),
    ],
)
def test_what_cannot_be_parsed(tmp_path: Path, text: str, line: int) -> None:
    """A file that cannot be parsed, and may hold a block, is refused with file and line."""
    source = tree(tmp_path, main=text)
    with pytest.raises(InventoryError) as caught:
        place(tmp_path, source)
    expected = "Terraform's configuration language"
    [problem] = caught.value.problems
    found = "what cannot be parsed"
    assert problem == Problem(str(tmp_path / "main.tf"), line, "", found, expected)


def test_what_is_no_text(tmp_path: Path) -> None:
    """A file that is no text, or that cannot be read, is refused."""
    source = tree(tmp_path)
    (tmp_path / "main.tf").write_bytes(b"\xff\xfe")
    with pytest.raises(InventoryError, match="what cannot be parsed"):
        place(tmp_path, source)
    (tmp_path / "main.tf").unlink()
    (tmp_path / "main.tf").mkdir()
    with pytest.raises(InventoryError, match="Is a directory, expected a readable file"):
        place(tmp_path, SourceTree(str(tmp_path)))


def test_json_that_cannot_be_parsed(tmp_path: Path) -> None:
    """A configuration in JSON that is cut short is refused."""
    source = tree(tmp_path)
    write(tmp_path, "main.tf.json", '{"resource": {\n')
    with pytest.raises(InventoryError, match=r"main.tf.json:2: .*expected JSON"):
        place(tmp_path, source)


_pieces = st.sampled_from(
    [
        *('resource "astra_database" "orders" {\n', "}\n", "<<E\n", "E\n", "dynamic ", "a = "),
        *'"#[](1?:\\\0\né',
        *("${", "%{", "/*", "for ", "...", "=="),
    ]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(_pieces, max_size=12).map("".join))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Any text at all has blocks, or cannot be parsed; nothing else is raised."""
    import tempfile  # noqa: PLC0415 (a fixture would be one for all examples)

    with tempfile.TemporaryDirectory() as folder:
        source = tree(Path(folder), main=text)
        try:
            file, line = place(Path(folder), source)
        except InventoryError as error:
            found = [each.found for each in error.problems]
        else:
            found = [] if file.endswith("plan.json") else [text.splitlines()[line - 1]]
    assert found in ([], ["what cannot be parsed"]) or "orders" in found[0]


def test_the_address_is_kept(tmp_path: Path) -> None:
    """Wherever it stands, what is read keeps its address."""
    file = write_json(tmp_path / "plan.json", plan(change()))
    [(_, _, address)] = places(file, tree(tmp_path, main=BLOCK))
    assert address == ADDRESS
