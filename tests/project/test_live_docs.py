"""The page of live audits says what the code does, and what it shows can be used as it stands."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import yaml

from checks.engine.reasons import reasons
from cmek_audit.cli import COMMANDS
from cmek_audit.exit_codes import ExitCode
from cmek_audit.run.option_values import Options, parse_options
from cmek_audit.run.options import OPTIONS
from inventory.astra import config, endpoints
from inventory.astra.collector import collect
from inventory.astra.config import read_organizations
from inventory.clouds.config import CloudSettings
from inventory.evidence.exchange import HEADERS
from inventory.evidence.manifest import read_manifest
from inventory.evidence.redaction import SENSITIVE
from inventory.model.gaps import GapReason
from inventory.system.hosts import ADDRESS
from inventory.system.request_policy import RequestPolicy
from tests.astra.fleet import healthy_fleet, organizations_data
from tests.astra.server import serve
from tests.cmek_audit.helpers import click_command
from tests.evidence_files import FIRST, lines_of

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/live-audits.md").read_text(encoding="utf-8")
DOCS = sorted(ROOT.glob("docs/*.md")) + sorted(ROOT.glob("*.md"))
EXAMPLE = ROOT / "inventory/examples/organizations.yaml"


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one of whatever rank."""
    (_, text) = re.split(rf"^#+ {re.escape(heading)}\n", PAGE, flags=re.MULTILINE)
    return re.split(r"^##+ ", _without_code(text), maxsplit=1, flags=re.MULTILINE)[0]


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [re.split(r" *\| *", line)[1:-1] for line in lines[2:]]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def block(language: str, start: str) -> str:
    """Return the one block of code that starts so."""
    (text,) = [block for block in blocks(language) if block.startswith(start)]
    return text


# --- tables ---------------------------------------------------------------------------------------


def test_every_reason_is_explained() -> None:
    """Each reason code stands in the table, with its meaning and who acts as in the reports."""
    reported = {code.strip("`"): (meaning, who) for code, meaning, who, _ in rows(GAPS)}
    assert reported == {
        code: (reasons()[code].meaning, reasons()[code].who) for code in get_args(GapReason)
    }


GAPS = "When something could not be read"


@pytest.mark.parametrize(
    ("model", "heading"),
    [
        (config.Organizations, "The file"),
        (config.OrganizationConfig, "An organization"),
        (config.KeyStatement, "A key"),
        (config.DatabaseStatement, "A database"),
        (RequestPolicy, "Requests"),
        (CloudSettings, "Clouds"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_every_field_of_an_organizations_file_is_explained(
    model: type[BaseModel], heading: str
) -> None:
    """Each field of an organizations file stands in a table, and no other does."""
    named = [name for row in rows(heading) for name in re.findall(r"`([a-z_-]+)`", row[0])]
    assert sorted(named) == sorted(info.alias or name for name, info in model.model_fields.items())


def test_defaults_are_those_of_the_code() -> None:
    """The table of requests gives the default of each field."""
    defaults = {name.strip("`"): default for name, default, _ in rows("Requests")}
    assert defaults == {
        name: f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"
        for name, value in RequestPolicy().model_dump().items()
    }
    assert f"`{ADDRESS}` if absent" in section("The file")
    assert f"`{config.TOKEN_VARIABLE}` if absent" in section("An organization")


def test_every_address_is_named() -> None:
    """The table of addresses holds each one that is asked, and no other."""
    assert {address.strip("`") for address, *_ in rows("What is asked")} == {
        *endpoints.ADDRESS_TEMPLATES.values(),
        f"{endpoints.TERMINATED_DATABASES}&limit=100",
    }


def test_every_address_of_a_cloud_is_named() -> None:
    """The table of the clouds' addresses holds each one that is asked, and no other."""
    shown = {address.strip("`") for address, _ in rows("What the clouds are asked")}
    assert shown == set(endpoints.CLOUD_TEMPLATES.values())


def test_what_is_recorded_and_what_is_not_is_named() -> None:
    """The page names each header that is recorded, and each field that never is."""
    recorded, never = section("What is recorded, and what never is").split("Never recorded:")
    assert set(re.findall(r"`([a-z-]+)`", recorded)) == set(HEADERS)
    (fields,) = re.findall(
        r"^- the values of fields named (.+?)\. ", never, re.DOTALL | re.MULTILINE
    )
    assert set(re.findall(r"`([a-z]+)`", fields)) == SENSITIVE


def test_every_exit_code_is_explained() -> None:
    """The table of exit codes has pytest's, and says of the command what the command knows."""
    reported = {
        int(code): (live, collecting, verifying)
        for code, live, collecting, verifying in rows("Exit codes")
    }
    assert set(reported) == set(range(pytest.ExitCode.NO_TESTS_COLLECTED + 1))
    assert all(live for live, _, _ in reported.values())
    for code, (_, collecting, verifying) in reported.items():
        assert bool(collecting) is (code in set(ExitCode) - {ExitCode.NOT_PROVEN})
        assert bool(verifying) is (code in set(ExitCode))


# --- commands -------------------------------------------------------------------------------------


def parsed(arguments: list[str]) -> Options:
    """Return the options that pytest's arguments give; each must be one, with a usable value."""
    known = {option.flag: option for option in OPTIONS}
    values: dict[str, Any] = {}
    for argument in arguments:
        flag, _, value = argument.partition("=")
        option = known[flag]
        name = option.name.replace("-", "_")
        assert bool(value) is bool(option.metavar)
        if option.kind == "paths":
            values.setdefault(name, []).append(value)
        else:
            assert name not in values
            values[name] = value or True
    return parse_options(values)


def commands(program: str) -> list[list[str]]:
    """Return the arguments of each call of ``program`` that any document shows."""
    found = []
    for doc in DOCS:
        text = doc.read_text("utf-8")
        for shown in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            for line in shown.replace("\\\n", " ").splitlines():
                call = line.removeprefix(".venv/bin/").split(" | ")[0]
                if call.startswith(f"{program} "):
                    found.append(shlex.split(call, comments=True)[1:])
    return found


def test_every_audit_that_is_shown_has_usable_options() -> None:
    """Each call of pytest in any document is one that the audit accepts."""
    calls = [call for call in commands("pytest") if any("--cmek" in word for word in call)]
    assert [options for call in calls if (options := parsed(call)).live]
    assert not [call for call in calls if "--cmek-live" in call]


def test_every_command_that_is_shown_is_accepted() -> None:
    """Each call of a command in any document is one that it accepts, and each command is shown."""
    names = set()
    for name, *arguments in commands("cmek-audit"):
        click_command(name).make_context(name, list(arguments))
        names.add(name)
    assert names == set(COMMANDS)


# --- organizations files --------------------------------------------------------------------------


def test_organizations_files_that_are_shown_can_be_read(tmp_path: Path) -> None:
    """The organizations file on the page, and the longer one it leads to, are accepted."""
    shown = tmp_path / "organizations.yaml"
    shown.write_text(block("yaml", "cmek-organizations: 1"), "utf-8")
    names = [organization.name for organization in read_organizations(str(shown)).organizations]
    assert names == ["acme-prod", "acme-new"]
    names = [organization.name for organization in read_organizations(str(EXAMPLE)).organizations]
    assert names == ["acme-prod", "acme-test", "acme-new"]
    clouds = CloudSettings.model_validate(yaml.safe_load(block("yaml", "clouds:"))["clouds"])
    assert clouds == read_organizations(str(EXAMPLE)).clouds


def test_example_shows_all_that_can_be_said() -> None:
    """The bundled organizations file uses each field of an organization, a key and a database."""
    whole = read_organizations(str(EXAMPLE))
    entries = [
        *whole.organizations,
        *(key for organization in whole.organizations for key in organization.keys),
        *(database for organization in whole.organizations for database in organization.databases),
    ]
    used: dict[type[BaseModel], set[str]] = {}
    for entry in entries:
        model = (
            config.OrganizationConfig
            if isinstance(entry, config.OrganizationConfig)
            else type(entry)
        )
        used.setdefault(model, set()).update(entry.model_fields_set)
    assert used == {
        model: set(model.model_fields)
        for model in (
            config.OrganizationConfig,
            config.KeyStatement,
            config.DatabaseStatement,
        )
    }


# --- bundles --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the fleet without faults."""
    folder = tmp_path_factory.mktemp("live")
    fleet = healthy_fleet()
    with serve(fleet) as server:
        file = folder / "organizations.json"
        file.write_text(json.dumps(organizations_data(fleet, server.address)), "utf-8")
        wanted = read_organizations(str(file))
        return Path(collect(wanted, str(folder / "evidence"), fleet.environment).bundle)


def test_bundle_looks_as_shown(bundle: Path) -> None:
    """A bundle has the files that the page shows, under a name as it shows."""
    drawn = block("text", "audit-evidence/")
    name, *files = re.findall(r"── ([^ \n]+)", drawn)
    assert re.sub(r"[0-9]", "0", name) == f"{re.sub(r'[0-9]', '0', bundle.name)}/"
    assert {file.partition("/")[0] for file in files} == {path.name for path in bundle.iterdir()}
    assert [file for file in files if not (bundle / file).is_file()] == []


def test_requests_are_as_many_as_said(bundle: Path) -> None:
    """An organization with 105 databases in 6 key scopes takes as many requests as it says."""
    (reported,) = re.findall(r"with 105 databases in 6 key scopes takes ([0-9]+) requests", PAGE)
    assert len(lines_of(bundle / FIRST)) == int(reported)


def by_hand(folder: Path) -> tuple[int, list[str]]:
    shown = next(block for block in blocks("sh") if "sha256sum" in block)
    script = f"set -e\n{shown}"
    shell = shutil.which("bash") or "bash"
    done = subprocess.run(
        [shell, "-o", "pipefail", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split()


def test_bundle_is_verified_by_hand(bundle: Path) -> None:
    """What the page shows for checking by hand prints the root twice, and equal numbers."""
    manifest = read_manifest(str(bundle))
    count = str(len(manifest.files))
    assert by_hand(bundle) == (0, [manifest.root, manifest.root, count, count])


@pytest.mark.parametrize("name", ["inventory.ndjson", "exchanges/0002.ndjson.gz"])
def test_changed_bundle_is_found_out_by_hand(bundle: Path, tmp_path: Path, name: str) -> None:
    """A file that was changed is found out by hand."""
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / name).write_bytes((copy / name).read_bytes()[:-1] + b"!")
    code, reported = by_hand(copy)
    assert (code != 0, reported[2:]) == (True, [f"{name}:", "FAILED"])


def test_changed_manifest_is_found_out_by_hand(bundle: Path, tmp_path: Path) -> None:
    """A manifest that was changed has two different roots, by hand."""
    copy = shutil.copytree(bundle, tmp_path / "copy")
    raw = (copy / "manifest.json").read_bytes()
    (copy / "manifest.json").write_bytes(raw.replace(b'"requests": 3', b'"requests": 4'))
    _, (computed, reported, *_) = by_hand(copy)
    assert computed != reported


def test_added_file_is_found_out_by_hand(bundle: Path, tmp_path: Path) -> None:
    """A file that was added makes the two numbers differ, by hand."""
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / "exchanges/0099.ndjson.gz").write_text("{}", "utf-8")
    _, (_, _, present, listed) = by_hand(copy)
    assert int(present) == int(listed) + 1
