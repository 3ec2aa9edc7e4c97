"""Where a resource stands in Terraform's configuration."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import SettingError
from inventory.terraform.organizations import TerraformSettings
from inventory.terraform.source import SourceTree
from tests.builders import write_json, write_text
from tests.hypothesis_profile import examples
from tests.inventory.terraform.documents import (
    ADDRESS,
    change,
    configured,
    held,
    plan,
    recorded,
    state,
)
from tests.inventory.terraform.recordings import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.model.base import Located

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
    """Return every place of what is read of a plan or a state."""
    found: set[Any] = set()
    for organization in recorded(file, TerraformSettings(source=source)).organizations:
        managed = organization.managed
        parts: tuple[Located, ...] = (*(organization.databases or ()), *managed.undetermined)
        found |= {entry.location for entry in (*parts, *managed.keys, *managed.databases)}
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
    [number] = [
        number_of_line for number_of_line, line in enumerate(lines, 1) if '"orders"' in line
    ]
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
    [
        *("", "[]", "{", '{"Modules": 7}', '{"Modules": [7]}', '{"Modules": [{"Key": "a"}]}'),
        *("\xff", "[" * 100_000),
    ],
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


# --- the folder -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gone", "main.tf"])
def test_what_is_no_folder(tmp_path: Path, name: str) -> None:
    """The source is a folder that is there."""
    write(tmp_path, "main.tf", BLOCK)
    with pytest.raises(SettingError) as caught:
        SourceTree(str(tmp_path / name))
    found = f"found '{tmp_path / name}', expected the folder of a Terraform configuration"
    assert str(caught.value) == f"--cmek-terraform-source: {found}"


# --- what goes wrong ------------------------------------------------------------------------------

KEPT = "shown at their location in the plan."


def note(folder: Path, source: SourceTree, data: object | None = None, kept: str = KEPT) -> str:
    """Return what is noted of the configuration of a plan."""
    data = plan(change(), configuration=configured()) if data is None else data
    file = write_json(folder / "plan.json", data)
    notes = recorded(file, TerraformSettings(source=source)).source.notes
    return " ".join(note for note in notes if kept in note).replace(f"{folder}/", "")


def test_a_file_that_cannot_be_parsed(tmp_path: Path) -> None:
    """What a broken file holds keeps its place in the plan, and all else is found."""
    other = BLOCK.replace("orders", "other")
    source = tree(tmp_path, main=BLOCK + "locals {\n  a = (\n}\n", other=f"\n{other}")
    data = plan(change(), change("astra_database.other"))
    found = {
        (file, address)
        for file, _, address in places(write_json(tmp_path / "plan.json", data), source)
    }
    assert found == {
        (str(tmp_path / "plan.json"), ADDRESS),
        (str(tmp_path / "other.tf"), "astra_database.other"),
    }
    assert note(tmp_path, source, data) == (
        "main.tf:5 could not be parsed; its resources are shown at their location in the plan."
    )
    assert set(source.files) == {str(tmp_path / name) for name in ("main.tf", "other.tf")}


def test_nothing_is_noted_when_all_is_well(tmp_path: Path) -> None:
    """Where every file can be read there is no note, also of what is found nowhere."""
    source = tree(tmp_path, main="")
    assert note(tmp_path, source) == ""
    assert place(tmp_path, source)[0] == str(tmp_path / "plan.json")


def test_several_files_that_cannot_be_used(tmp_path: Path) -> None:
    """A note names some of many files, and counts the others."""
    source = tree(tmp_path, a="{", main=BLOCK)
    (tmp_path / "b.tf").symlink_to("b.tf")
    assert note(tmp_path, source) == (
        "a.tf:1 could not be parsed and "
        f"b.tf could not be read (Too many levels of symbolic links); their resources are {KEPT}"
    )
    assert place(tmp_path, source) == (str(tmp_path / "main.tf"), 1)
    source = tree(tmp_path, **{f"c{number}": "{" for number in range(5)})
    shown = note(tmp_path, source)
    assert shown.count("could not be") == 5
    assert shown.endswith(f"c2.tf:1 could not be parsed and 2 more; their resources are {KEPT}")


def test_a_note_on_a_state(tmp_path: Path) -> None:
    """What is wrong with a configuration is noted of a state as of a plan."""
    source = tree(tmp_path, main="{")
    kept = KEPT.replace("plan", "state")
    assert note(tmp_path, source, state(held()), kept) == (
        f"main.tf:1 could not be parsed; its resources are {kept}"
    )


def test_a_note_is_text(tmp_path: Path) -> None:
    """A name that is meant to steer a terminal does not reach the note."""
    write_text(tmp_path / "\x1b[31m.tf", "{")
    assert note(tmp_path, SourceTree(str(tmp_path))).startswith("?[31m.tf:1 could not be parsed")


def test_an_override_is_no_place(tmp_path: Path) -> None:
    """A block that cannot be found where it is defined is not looked for where it is overridden."""
    source = tree(tmp_path, a_override=BLOCK, main="{")
    assert place(tmp_path, source)[0] == str(tmp_path / "plan.json")


def test_a_module_that_cannot_be_listed(tmp_path: Path) -> None:
    """The folder of a module may be a circle of links; its resources keep their place."""
    source = tree(tmp_path, main=BLOCK)
    (tmp_path / "app").symlink_to("app")
    data = plan(change("module.app.astra_database.orders"), configuration=configured("app"))
    assert place(tmp_path, source, data)[0] == str(tmp_path / "plan.json")
    assert note(tmp_path, source, data) == (
        f"app could not be read (Too many levels of symbolic links); its resources are {KEPT}"
    )
    data["configuration"]["root_module"]["module_calls"]["app"]["source"] = "./a\0b"
    assert place(tmp_path, source, data)[0] == str(tmp_path / "plan.json")


_pieces = st.sampled_from(
    [
        *('resource "astra_database" "orders" {\n', "}\n", "<<E\n", "E\n", "dynamic ", "a = "),
        *'"#[](1?:\\\0\né',
        *("${", "%{", "/*", "for ", "...", "=="),
    ]
)


@examples(60)
@given(st.lists(_pieces, max_size=12).map("".join), st.sampled_from(["main.tf", "main.tf.json"]))
def test_any_text_has_blocks_or_is_noted(text: str, name: str) -> None:
    """Any text at all has the block, or it keeps its place; nothing is raised."""
    import tempfile  # noqa: PLC0415 (a fixture would be one for all examples)

    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), name, text)
        source = SourceTree(folder)
        file, line = place(Path(folder), source)
        shown = note(Path(folder), source)
    assert file.endswith("plan.json") or "orders" in text.splitlines()[line - 1]
    assert shown in (
        "",
        *(f"{name}{at} could not be parsed; its resources are {KEPT}" for at in LINES),
    )


LINES = ("", *(f":{line}" for line in range(1, 30)))


# --- Terraform and OpenTofu -----------------------------------------------------------------------

TERRAFORM, OPENTOFU = "terraform.example.test", "opentofu.example.test"


def made_by(host: str, **over: object) -> dict[str, Any]:
    """Return a plan whose provider is of a host; ``applyable`` is what only Terraform says."""
    data = plan(change() | {"provider_name": f"{host}/datastax/astra"}, configuration=configured())
    del data["applyable"], data["complete"]
    return data | over


PROGRAMS = [
    ("terraform", made_by(TERRAFORM, applyable=True)),
    ("terraform", made_by(TERRAFORM, complete=False)),
    ("opentofu", made_by(OPENTOFU)),
    ("either", made_by(TERRAFORM)),
    ("either", made_by(OPENTOFU, applyable=True)),
]


@pytest.mark.parametrize(("program", "data"), PROGRAMS)
def test_a_file_for_each_program(tmp_path: Path, program: str, data: dict[str, Any]) -> None:
    """OpenTofu reads its own file instead of Terraform's; if neither is sure, none is shown."""
    source = tree(tmp_path, main=BLOCK)
    write(tmp_path, "main.tofu", f"\n{BLOCK}")
    expected = {"terraform": ("main.tf", 1), "opentofu": ("main.tofu", 2)}
    shown = {
        "either": "main.tf and main.tofu differ, and the plan does not show which of them it was "
        f"made from; its resources are {KEPT}"
    }
    found, line = place(tmp_path, source, data)
    assert (Path(found).name, line) == expected.get(program, ("plan.json", line))
    assert note(tmp_path, source, data) == shown.get(program, "")


@pytest.mark.parametrize(("program", "data"), PROGRAMS)
def test_a_file_for_one_program(tmp_path: Path, program: str, data: dict[str, Any]) -> None:
    """A block that only OpenTofu reads is found, unless the plan is Terraform's."""
    source = tree(tmp_path, other="")
    write(tmp_path, "main.tofu", BLOCK)
    found = "plan.json" if program == "terraform" else "main.tofu"
    assert Path(place(tmp_path, source, data)[0]).name == found


@pytest.mark.parametrize(("program", "data"), PROGRAMS)
def test_a_broken_file_for_one_program(tmp_path: Path, program: str, data: dict[str, Any]) -> None:
    """A file that the program does not read cannot be in the way; one that it may read can."""
    source = tree(tmp_path, main=BLOCK)
    write(tmp_path, "main.tofu", "{")
    found = "main.tf" if program == "terraform" else "plan.json"
    assert Path(place(tmp_path, source, data)[0]).name == found
    assert ("main.tofu:1" in note(tmp_path, source, data)) == (program != "terraform")
    assert (str(tmp_path / "main.tofu") in source.files) == (program != "terraform")


def test_the_configured_provider_tells_the_program(tmp_path: Path) -> None:
    """The program shows in the full name of any provider that is configured."""
    source = tree(tmp_path, main=BLOCK)
    write(tmp_path, "main.tofu", f"\n{BLOCK}")
    known = configured()
    known["provider_config"] |= {"odd": 7, "x": {"full_name": f"{OPENTOFU}/example/x"}}
    data = made_by(TERRAFORM, configuration=known)
    assert place(tmp_path, source, data) == (str(tmp_path / "main.tofu"), 2)


def test_the_address_is_kept(tmp_path: Path) -> None:
    """Wherever it stands, what is read keeps its address."""
    file = write_json(tmp_path / "plan.json", plan(change()))
    [(_, _, address)] = places(file, tree(tmp_path, main=BLOCK))
    assert address == ADDRESS
