"""The key plan as a table, and what it has in common with Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports.presentation.labels import CELL
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    database_data,
    organization_data,
    uuid,
)
from tests.cmek_audit.helpers import ROOT, command
from tests.cmek_audit.planning import ACME, COMPLIANT, asked, saved

if TYPE_CHECKING:
    from click.testing import Result

PASTED = " " * 6
"""What stands before each line that is to be pasted, and before no other."""


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_everything_as_it_is_printed(golden: Callable[[str, str], None]) -> None:
    """The plan of the bundled example, with prices, looks so."""
    done = _printed(*ACME, "--price", "1.00 USD")
    assert (done.exit_code, done.stderr) == (1, "")
    golden("keys-acme-table.txt", done.stdout)


def test_nothing_missing_as_it_is_printed(golden: Callable[[str, str], None]) -> None:
    """A plan without anything to do looks so."""
    done = _printed(*COMPLIANT)
    assert (done.exit_code, done.stderr) == (0, "")
    golden("keys-compliant-table.txt", done.stdout)


def _printed(*arguments: str, columns: int = 80) -> Result:
    return command("keys", *arguments, environment={"COLUMNS": str(columns)})


def test_prices_are_reported_only_if_asked_for() -> None:
    """Without a price nothing is said of costs; with one, exactly what it comes to."""
    assert ("price" in _printed(*ACME).stdout.lower(), asked(*ACME)[1]["price"]) == (False, None)
    assert asked(*ACME, "--price", "1.10 USD")[1]["price"] == {
        "each": "1.10",
        "currency": "USD",
        "needed": "14.30",
        "missing": "2.20",
        "undetermined": "1.10",
    }


@pytest.mark.parametrize("columns", [1, 40, 80, 300])
def test_any_width(columns: int) -> None:
    """Sentences fit the terminal, within reason; names, ids and what is pasted may not."""
    wide = min(max(columns, 40), 100)
    lines = _printed(*ACME, "--price", "1.00 USD", columns=columns).stdout.splitlines()
    rows = ("Customer keys as of", PASTED, *(f"  {label.word}" for label in CELL.values()))
    long = [line for line in lines if len(line) > wide and not line.startswith(rows)]
    assert [line for line in long if " " in line.strip() and "/v2/kms" not in line] == []


def test_organizations_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    """Where organizations share a name, their ids stand beside it."""
    inventory = saved(tmp_path, organization_data(), organization_data(id=OTHER_ORGANIZATION))
    shown = _printed("-i", inventory).stdout
    assert [line.split(": ")[0] for line in shown.splitlines() if " registered, " in line] == [
        f"acme-prod ({each})" for each in (ORGANIZATION, OTHER_ORGANIZATION)
    ]


HOSTILE = "a | b\n# <img src=x onerror=alert(1)> @someone [x](javascript:1) \x1b[31m\u202e``|"


def test_hostile_names_do_no_harm(tmp_path: Path) -> None:
    """A name cannot make lines of its own, steer a terminal, or break a table."""
    databases = [database_data(regions=["r|<b>`*_@x"])]
    harmful = organization_data(name=HOSTILE, databases=databases, gaps=[_gap(HOSTILE)])
    harmless = organization_data(name="acme", databases=databases, gaps=[_gap("none")])
    for how in ("table", "markdown"):
        shown = [
            _printed("-i", saved(tmp_path, each), "-f", how, columns=300).stdout.splitlines()
            for each in (harmful, harmless)
        ]
        starts = [[line[:1] for line in lines if not line.startswith("  ")] for lines in shown]
        assert starts[0] == starts[1]
        text = "\n".join(shown[0])
        assert {each for each in text if not each.isprintable()} == {"\n"}
    assert {line.count("|") for line in shown[0] if line.startswith("|")} == {8, 10}
    assert "<img" not in re.sub(r"`[^`]*`", "", "\n".join(shown[0]))


def _gap(detail: str) -> dict[str, str]:
    return {"fact": "region-views", "reason": "refused", "detail": detail}


# --- what to paste --------------------------------------------------------------------------------


def _missing(folder: Path, *regions: str) -> tuple[str, str]:
    databases = [
        database_data(id=uuid(number), regions=[region]) for number, region in enumerate(regions, 1)
    ]
    return "-i", saved(folder, organization_data(keys=[], databases=databases))


def test_what_is_pasted_is_what_the_data_holds(tmp_path: Path) -> None:
    """The table and Markdown show each call as JSON holds it, line by line."""
    missing = _missing(tmp_path, "us-east-1")
    [entry] = asked(*missing)[1]["commands"]
    calls = [entry["accounts"], entry["register"], entry["read"]]
    table = _printed(*missing, columns=40).stdout
    lines = [line[len(PASTED) :] for line in table.splitlines() if line.startswith(PASTED)]
    assert "\n".join(lines) == "\n".join(calls)
    markdown = _printed(*missing, "-f", "markdown").stdout
    assert re.findall(r"^```sh\n(.*?)\n```$", markdown, re.MULTILINE | re.DOTALL) == calls


@pytest.mark.parametrize(("how", "most"), [("table", 3), ("markdown", 20)])
def test_many_missing_keys_do_not_flood(how: str, most: int, tmp_path: Path) -> None:
    """The steps stand once for 200 key scopes; some get their calls, and data holds them all."""
    missing = _missing(tmp_path, *(f"us-east-{number}" for number in range(200)))
    shown = " ".join(_printed(*missing, "-f", how).stdout.split())
    assert (shown.count("Begin in Astra's portal"), shown.count("-X POST")) == (1, most)
    assert "us-east-0" in shown
    assert "us-east-99" in shown
    assert f"For {200 - most} more key scopes and for Terraform:" in shown
    assert "and 160 more" in shown
    [step] = asked(*missing)[1]["steps"]
    assert (len(step["regions"]), len(asked(*missing)[1]["commands"])) == (200, 200)


def test_nothing_missing_is_nothing_to_paste(tmp_path: Path) -> None:
    """What is not known, or in order, has no calls, and then no token is spoken of."""
    shown = _printed("-a", "serverless/aws/us-east-2").stdout
    assert ("-X POST" in shown, "ASTRA_TOKEN" in shown) == (False, False)
    assert "An audit never registers a key" in shown
    assert "the region us-east-2" in " ".join(shown.split())
    assert asked("-a", "serverless/aws/us-east-2")[1]["commands"] == []


def test_a_plan_of_terraform_is_answered_in_terraform() -> None:
    """Where Terraform plans the databases, the table shows its blocks, and no calls."""
    plan = "inventory/examples/terraform/plan.json"
    shown = _printed("-i", "inventory/examples/acme.yaml", "-p", plan).stdout
    pasted = [line[len(PASTED) :] for line in shown.splitlines() if line.startswith(PASTED)]
    assert "\n".join(pasted) == (
        "terraform apply -target=astra_customer_key.reports\n"
        "depends_on = [astra_customer_key.search]\n"
        "terraform apply -target=astra_customer_key.search\n"
        'resource "astra_customer_key" "aws_us_west_2" {\n'
        '  cloud_provider = "aws"\n'
        '  region         = "us-west-2"\n'
        '  key_id         = "arn:aws:kms:us-west-2:ACCOUNT:key/KEY"\n'
        "}\n"
        "depends_on = [astra_customer_key.aws_us_west_2]\n"
        "terraform apply -target=astra_customer_key.aws_us_west_2\n"
        "terraform plan -out=plan.bin\n"
        "terraform show -json plan.bin > plan.json\n"
        "cmek-audit audit --cmek-live=organizations.yaml --cmek-plan=plan.json \\\n"
        "  && terraform apply plan.bin"
    )
    assert "ASTRA_TOKEN" not in shown


@pytest.mark.parametrize("how", ["table", "markdown"])
def test_hostile_regions_are_only_text(how: str, tmp_path: Path) -> None:
    """A region cannot end a quotation or a block of code, and what is too long is not shown cut."""
    hostile = ["';id;'", "$(id)`id`", "```", "\"'${x}%{x}\\", "</pre>\\u202e"]
    missing = _missing(tmp_path, *hostile, "r" * 2_000)
    entries = {entry["region"]: entry for entry in asked(*missing)[1]["commands"]}
    assert set(entries) == {*hostile, "r" * 2_000}
    shown = _printed(*missing, "-f", how).stdout
    calls = re.findall(
        r"^ *(curl .*?(?:accounts' \\\n.*?\"|\n  +}'))$", shown, re.MULTILINE | re.DOTALL
    )
    most = 3 if how == "table" else 5
    assert len([call for call in calls if "-X POST" in call]) == most
    whole = {_flat(entry["register"]) for entry in entries.values()}
    assert {_flat(call) for call in calls if "-X POST" in call} <= whole
    assert f"For {6 - most} more key scope" in " ".join(shown.split())


def _flat(call: str) -> str:
    return " ".join(call.split())


def test_prices_of_nothing_are_left_out() -> None:
    """Without missing keys there is the price of the keys that are needed, and no other."""
    priced = _printed(*COMPLIANT, "--price", "1 USD").stdout
    assert re.findall(r"^Price of the keys (.+?):", priced, re.MULTILINE) == ["needed"]
