"""``cmek-audit keys``: how its answer is printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from reports.looks import CELL
from tests.builders import ORGANIZATION, OTHER_ORGANIZATION, database_data, organization_data
from tests.cmek_audit.commands import ROOT, command, told
from tests.cmek_audit.planning import ACME, COMPLIANT, asked, saved

if TYPE_CHECKING:
    from typer.testing import Result

FORMATS = ("table", "json", "yaml", "markdown")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("how", FORMATS)
def test_everything_as_it_is_printed(how: str, golden: Callable[[str, str], None]) -> None:
    """The plan of the bundled example, with prices, looks so in each format."""
    done = _printed(*ACME, "--price", "1.00 USD", "-f", how)
    assert (done.exit_code, done.stderr) == (1, "")
    golden(f"keys-acme-{how}.txt", done.stdout)


def test_nothing_missing_as_it_is_printed(golden: Callable[[str, str], None]) -> None:
    """A plan without anything to do looks so."""
    done = _printed(*COMPLIANT)
    assert (done.exit_code, done.stderr) == (0, "")
    golden("keys-compliant-table.txt", done.stdout)


def test_what_if_as_it_is_printed(golden: Callable[[str, str], None]) -> None:
    """What might be, without any inventory, looks so."""
    add = ("classic/gcp/us-east1", "serverless/azure/westeurope", "classic/azure/westeurope")
    done = _printed("-a", "serverless/aws/us-east-2,ap-south-1", *_each("-a", add))
    assert (done.exit_code, done.stderr) == (1, "")
    first, _, rest = done.stdout.partition("\n")
    assert first.startswith("Customer keys as of 20")
    golden("keys-what-if-table.txt", rest)


def _each(option: str, values: tuple[str, ...]) -> list[str]:
    return [each for value in values for each in (option, value)]


def _printed(*arguments: str, columns: int = 80) -> Result:
    return command("keys", *arguments, environment={"COLUMNS": str(columns)})


def test_what_people_read_is_the_same_data() -> None:
    """YAML holds what JSON holds, and refers to nothing twice."""
    add = [*_each("-a", ("serverless/azure/r", "classic/azure/r")), "--price", "0.50 EUR"]
    text = _printed(*add, "-f", "yaml").stdout
    answer, other = yaml.safe_load(text), told(_printed(*add, "-f", "json"))
    assert {**answer, "as_of": ""} == {**other, "as_of": ""}
    assert ("&id" in text, text.isascii()) == (False, True)


def test_prices_are_told_only_if_asked_for() -> None:
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
    """Sentences fit the terminal, within reason; only names, addresses and numbers may not."""
    wide = min(max(columns, 40), 100)
    lines = _printed(*ACME, "--price", "1.00 USD", columns=columns).stdout.splitlines()
    rows = ("Customer keys as of", *(f"  {look.word}" for look in CELL.values()))
    long = [line for line in lines if len(line) > wide and not line.startswith(rows)]
    assert [line for line in long if "/v2/kms" not in line] == []


def test_organizations_of_one_name_are_told_apart(tmp_path: Path) -> None:
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


def test_what_there_is_nothing_to_say_of_is_left_out(tmp_path: Path) -> None:
    """Without key scopes, doubts or steps there are no headings for them, nor prices of nothing."""
    bare = saved(tmp_path, organization_data(keys=[], databases=[]))
    headings = {
        name: re.findall(r"^#+ (?!Customer)(.+)$", shown, re.MULTILINE)
        for name, shown in (
            ("bare", _printed("-i", bare, "-f", "markdown").stdout),
            ("compliant", _printed(*COMPLIANT, "-f", "markdown").stdout),
        )
    }
    assert headings == {"bare": ["Not all is known"], "compliant": ["Key scopes"]}
    priced = _printed(*COMPLIANT, "--price", "1 USD").stdout
    assert re.findall(r"^Price of the keys (.+?):", priced, re.MULTILINE) == ["needed"]
