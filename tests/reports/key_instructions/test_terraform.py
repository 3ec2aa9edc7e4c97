"""The block and the commands that register a key with Terraform."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model.key import KeyScope
from inventory.terraform.scopes import TerraformScope
from reports.key_instructions.commands import commands
from reports.key_instructions.terraform import Dependent
from tests.builders import ORGANIZATION
from tests.reports.key_instructions.test_commands import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from reports.key_instructions.terraform import TerraformKey

TERRAFORM = shutil.which("terraform")
NEEDS_TERRAFORM = pytest.mark.skipif(TERRAFORM is None, reason="there is no Terraform here")
KEY = "astra_customer_key.aws_us_east_1"
LINE = f"depends_on = [{KEY}]"


def _key(region: str = "us-east-1", provider: Any = "aws", **managed: Any) -> TerraformKey | None:  # noqa: ANN401 (fields of any type)
    made = commands(
        KeyScope(ORGANIZATION, "serverless", provider, region), TerraformScope(**managed)
    )
    assert made is not None
    return made.terraform


def _made(region: str = "us-east-1", provider: Any = "aws", **managed: Any) -> TerraformKey:  # noqa: ANN401 (as above)
    made = _key(region, provider, **managed)
    assert made is not None
    return made


def test_a_key_and_the_databases_that_wait_for_it() -> None:
    """The block has provider and region; the database waits; the key is applied alone and first."""
    made = _made(databases=("astra_database.orders",))
    assert made == (
        KEY,
        (
            'resource "astra_customer_key" "aws_us_east_1" {\n'
            '  cloud_provider = "aws"\n'
            '  region         = "us-east-1"\n'
            '  key_id         = "arn:aws:kms:us-east-1:ACCOUNT:key/KEY"\n'
            "}"
        ),
        (Dependent('resource "astra_database" "orders"', "", LINE, ("astra_database.orders",)),),
        f"terraform apply -target={KEY}",
        (
            "terraform plan -out=plan.bin\n"
            "terraform show -json plan.bin > plan.json\n"
            "cmek-audit audit --cmek-live=organizations.yaml --cmek-plan=plan.json \\\n"
            "  && terraform apply plan.bin"
        ),
    )


def test_the_key_of_another_cloud() -> None:
    """A key of Google Cloud has its resource name."""
    made = _made("us-east1", "gcp")
    name = "projects/PROJECT/locations/us-east1/keyRings/KEY_RING/cryptoKeys/KEY"
    assert made.key == "astra_customer_key.gcp_us_east1"
    assert f'  key_id         = "{name}"\n' in made.block
    assert made.dependents == ()


# --- what waits -----------------------------------------------------------------------------------

SHOP = 'module.shop["autumn"].astra_database.shop'


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("astra_database.orders", 'resource "astra_database" "orders"'),
        ("astra_database.orders[0]", 'resource "astra_database" "orders"'),
        ('astra_database.orders["a.]\\"#b"]', 'resource "astra_database" "orders"'),
        (SHOP, 'module "shop"'),
        ("module.a[1].module.b.astra_database.c", 'module "a"'),
        ('module.a["module.x."].astra_database.c["y"]', 'module "a"'),
        ("prod#astra_database.orders", 'resource "astra_database" "orders"'),
        ("astra_database.\u0444", ""),
        ("$(touch pwned)", ""),
        ("", ""),
    ],
)
def test_where_the_line_goes(address: str, block: str) -> None:
    """The line goes into the block of the root module, by whatever address the plan has it."""
    [waiting] = _made(databases=(address,)).dependents
    assert waiting == Dependent(block, "", LINE, (address,))


def test_instances_of_one_block_are_one() -> None:
    """What ``for_each`` makes of a block waits by one line in that block."""
    winter = SHOP.replace("autumn", "winter")
    made = _made(databases=(SHOP, "astra_database.a", winter))
    assert [(dependent.block, dependent.databases) for dependent in made.dependents] == [
        ('module "shop"', (SHOP, winter)),
        ('resource "astra_database" "a"', ("astra_database.a",)),
    ]


def test_a_plan_keeps_its_name() -> None:
    """The plan that is audited again has the name that the addresses have."""
    made = _made(databases=("prod#astra_database.orders",))
    assert "--cmek-plan=prod=plan.json \\\n" in made.check
    assert made.apply == f"terraform apply -target={KEY}"


# --- keys that Terraform has already --------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "database", "where"),
    [
        (
            "astra_customer_key.k",
            "astra_database.d",
            ('resource "astra_database" "d"', "", "astra_customer_key.k"),
        ),
        (
            'astra_customer_key.k["a"]',
            "module.m.astra_database.d",
            ('module "m"', "", "astra_customer_key.k"),
        ),
        (
            "module.keys.astra_customer_key.k",
            "astra_database.d",
            ('resource "astra_database" "d"', "", "module.keys"),
        ),
        (
            "module.keys.astra_customer_key.k",
            "module.m.astra_database.d",
            ('module "m"', "", "module.keys"),
        ),
        (
            "module.m.astra_customer_key.k",
            "module.m.astra_database.d",
            ('resource "astra_database" "d"', "m", "astra_customer_key.k"),
        ),
        (
            "module.m.module.n.module.keys.astra_customer_key.k",
            "module.m.module.n.astra_database.d",
            ('resource "astra_database" "d"', "m.n", "module.keys"),
        ),
        (
            "module.m.astra_customer_key.k",
            "module.m.module.n.astra_database.d",
            ('module "n"', "m", "astra_customer_key.k"),
        ),
    ],
)
def test_a_key_that_the_plan_creates(key: str, database: str, where: tuple[str, str, str]) -> None:
    """It needs no block, and the line stands in the module that holds both key and database."""
    made = _made(databases=(database,), creates=(key,), holds=("astra_customer_key.other",))
    block, module, reference = where
    assert (made.key, made.block) == (key, "")
    line = f"depends_on = [{reference}]"
    assert made.dependents == (Dependent(block, module, line, (database,)),)
    assert shlex.split(made.apply) == ["terraform", "apply", f"-target={key}"]


def test_a_key_of_another_plan_cannot_be_waited_for() -> None:
    """A line names what its own configuration has; a strange address stays named."""
    made = _made(
        databases=("prod#astra_database.a", "test#astra_database.b", "?"),
        creates=("prod#astra_customer_key.k",),
    )
    assert [dependent.databases for dependent in made.dependents] == [
        ("prod#astra_database.a",),
        ("?",),
    ]
    assert made.apply == "terraform apply -target=astra_customer_key.k"
    assert "--cmek-plan=prod=plan.json" in made.check


def test_a_key_that_a_state_holds() -> None:
    """Applying does nothing for a key in the state, so there is nothing to apply."""
    assert _key(databases=("astra_database.d",), holds=(KEY,)) is None


@pytest.mark.parametrize("address", ["\u202ea", "astra_customer_key.\u0444", "a\nb", "$(x)"])
def test_a_key_at_a_strange_address(address: str) -> None:
    """What is no address in ASCII is never pasted."""
    assert _key(creates=(address,)) is None


# --- hostile text ---------------------------------------------------------------------------------

_ANY = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(HOSTILE)
_REAL = st.from_regex(r"[a-z]{2}-?[a-z]{1,5}-?[0-9]", fullmatch=True)


@given(st.lists(st.tuples(st.sampled_from(["aws", "gcp"]), _REAL | _ANY), unique=True, max_size=6))
def test_each_scope_has_a_name_of_its_own(scopes: list[tuple[str, str]]) -> None:
    """No two key scopes share a name, and each is a name that Terraform takes."""
    keys = [_made(region, provider).key for provider, region in scopes]
    assert len(set(keys)) == len(keys)
    assert [key for key in keys if not re.fullmatch(r"astra_customer_key\.[a-z0-9_]+", key)] == []


@given(region=_ANY)
def test_no_region_breaks_out_of_the_block(region: str) -> None:
    """Whatever a region is called, the block has five lines of ASCII and no template."""
    block = _made(region).block
    assert block.isascii()
    assert block.replace("\n", "").isprintable()
    assert block.count("\n") == 4
    assert not re.search(r"[$%]", block)
    assert [line.count('"') for line in block.splitlines()] == [4, 2, 2, 2, 0]


@NEEDS_TERRAFORM
def test_terraform_reads_the_block(tmp_path: Path) -> None:
    """Terraform finds each block well formed and formatted, whatever the region is called."""
    for number, region in enumerate(["us-east-1", "us-east1", *HOSTILE]):
        text = f"{_made(region).block}\n"
        (tmp_path / f"{number}.tf").write_text(text, "utf-8")
    done = _terraform(tmp_path, "fmt", "-check", "-diff")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@NEEDS_TERRAFORM
def test_terraform_takes_the_region_for_text(tmp_path: Path) -> None:
    """In Terraform the region is what it is here, and nothing of it is evaluated."""
    values = [
        re.findall(r"^  region         = (.+)$", _made(region).block, re.MULTILINE)[0]
        for region in HOSTILE
    ]
    (tmp_path / "main.tf").write_text(f'output "all" {{\n  value = [{", ".join(values)}]\n}}\n')
    assert _terraform(tmp_path, "apply", "-auto-approve").returncode == 0
    shown = json.loads(_terraform(tmp_path, "output", "-json", "all").stdout)
    assert shown == [normalize("NFC", region) for region in HOSTILE]


@NEEDS_TERRAFORM
def test_terraform_registers_the_key_alone_and_first(tmp_path: Path) -> None:
    """Terraform takes block and lines where they are said to go, and applies the key alone.

    What it knows by itself stands for the resources of Astra, whose provider is not here.
    """
    made = _made(databases=("astra_database.orders", SHOP))
    sources = {'module "shop"': '  source   = "./shop"\n  for_each = toset(["autumn"])\n'}
    waiting = [
        f"{dependent.block} {{\n{sources.get(dependent.block, '')}  {dependent.line}\n}}"
        for dependent in made.dependents
    ]
    text = "\n".join([_own_words(made.block), *waiting])
    _write(tmp_path / "main.tf", text)
    _write(tmp_path / "shop" / "main.tf", 'resource "astra_database" "shop" {\n}\n')
    target = shlex.split(made.apply.replace("astra_customer_key.", "terraform_data."))[1:]
    for arguments, applied in (
        (target, ["terraform_data.aws_us_east_1"]),
        (
            ["apply"],
            [
                "terraform_data.aws_us_east_1",
                "terraform_data.orders",
                'module.shop["autumn"].terraform_data.shop',
            ],
        ),
    ):
        assert _terraform(tmp_path, "init").returncode == 0
        assert _terraform(tmp_path, *arguments, "-auto-approve").returncode == 0
        assert _terraform(tmp_path, "state", "list").stdout.split("\n")[:-1] == applied


def _own_words(block: str) -> str:
    """Make the attributes of a block the input of one that any Terraform has."""
    head, *attributes, end = block.splitlines()
    return "\n".join([head, "  input = {", *attributes, "  }", end])


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(re.sub(r"\bastra_(?:database|customer_key)\b", "terraform_data", text), "utf-8")


def _terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "empty.rc").touch()
    own = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    own |= {"TF_CLI_CONFIG_FILE": str(folder / "empty.rc"), "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        [str(TERRAFORM), *arguments],
        cwd=folder,
        env=own,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
